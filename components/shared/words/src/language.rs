//! The languages that pages can be in.

use askama::Values;
use std::any::Any;

/// A language that pages can be in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    German,
    /// Every text in brackets, `⟦so⟧`, and from right to left: for tests, which find by it what was never looked
    /// up. Nobody can ask for it.
    Pseudo,
}

/// The name of the run-time value of templates that holds the language.
const VALUE: &str = "language";

impl Language {
    /// The languages that people can choose.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language's tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Pseudo => "ar-XB",
        }
    }

    /// What those who speak it call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Pseudo => "⟦⟧",
        }
    }

    /// In which direction its lines run, as HTML calls that.
    pub const fn direction(self) -> &'static str {
        match self {
            Self::English | Self::German => "ltr",
            Self::Pseudo => "rtl",
        }
    }

    /// The language of a tag, whatever region or script it names besides (RFC 4647, section 3.4).
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The language that a template is written in: English where nobody said.
    pub fn of_values(values: &dyn Values) -> Self {
        askama::get_value::<Self>(values, VALUE).copied().unwrap_or_default()
    }

    /// Which of the forms of a translation goes with a number.
    pub(crate) fn plural_form(self, count: u64) -> usize {
        match self {
            Self::English | Self::German | Self::Pseudo => usize::from(count != 1),
        }
    }
}

impl Values for Language {
    fn get_value<'a>(&'a self, key: &str) -> Option<&'a dyn Any> {
        (key == VALUE).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_a_language_in_any_region() {
        let cases = [
            ("de", Some(Language::German)),
            ("DE-at", Some(Language::German)),
            ("en-GB", Some(Language::English)),
            ("ar-XB", None),
            ("deu", None),
            ("", None),
        ];
        for (tag, expected) in cases {
            assert_eq!(Language::of_tag(tag), expected, "{tag}");
        }
    }

    #[test]
    fn templates_are_told_the_language() {
        assert_eq!(Language::of_values(&Language::German), Language::German);
        assert_eq!(Language::of_values(askama::NO_VALUES), Language::English);
    }
}
