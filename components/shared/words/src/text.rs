//! Texts that are said in a language which is only known when the page is written.

use crate::time::Time;
use crate::{Language, catalogue, number};
use askama::{FastWritable, Values};
use std::borrow::Cow;
use std::fmt::{self, Write};

/// Something that a page says. A template writes it in its language, `Display` and JSON in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    what: What,
    arguments: Vec<(&'static str, Text)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// In nobody's language, or in whichever somebody wrote it in.
    Verbatim(Cow<'static, str>),
    /// HTML, which is safe already.
    Markup(String),
    /// A text of the catalogue.
    Message(Cow<'static, str>),
    /// A text of the catalogue that says how many there are.
    Counted {
        one: &'static str,
        many: &'static str,
        count: u64,
    },
    Number(u64),
    /// A number of bytes.
    Size(u64),
    /// A part, and the whole.
    Share(u64, u64),
    Time(Time),
    /// The day of a time.
    Day(Time),
    /// One after the other, with this between each two.
    Joined(&'static str, Vec<Text>),
}

/// A text of the catalogue, with its placeholders in braces: `t("The files of {name}")`.
pub const fn t(message: &'static str) -> Text {
    Text { what: What::Message(Cow::Borrowed(message)), arguments: Vec::new() }
}

/// A text of the catalogue that says how many there are, as `{n}`: `tn("{n} file", "{n} files", count)`.
pub fn tn(one: &'static str, many: &'static str, count: impl Count) -> Text {
    Text { what: What::Counted { one, many, count: count.count() }, arguments: Vec::new() }
}

impl Text {
    /// Nothing.
    pub const EMPTY: Self = Self::of(What::Verbatim(Cow::Borrowed("")));

    const fn of(what: What) -> Self {
        Self { what, arguments: Vec::new() }
    }

    /// A text that is the same in every language: a name, or what somebody wrote.
    pub fn verbatim(text: impl Into<Cow<'static, str>>) -> Self {
        Self::of(What::Verbatim(text.into()))
    }

    /// A text that came from elsewhere with its placeholders filled, of which there may be a translation.
    pub fn foreign(english: impl Into<String>) -> Self {
        Self::of(What::Message(Cow::Owned(english.into())))
    }

    /// A number, with its thousands set apart.
    pub fn number(number: impl Count) -> Self {
        Self::of(What::Number(number.count()))
    }

    /// A number of bytes, with three significant digits and a binary unit (IEC 80000-13).
    pub fn size(bytes: u64) -> Self {
        Self::of(What::Size(bytes))
    }

    /// A part of a whole as a percentage: `12.5 %`.
    pub const fn share(part: u64, whole: u64) -> Self {
        Self::of(What::Share(part, whole))
    }

    /// The day of a time.
    pub const fn day(time: Time) -> Self {
        Self::of(What::Day(time))
    }

    /// One text after the other, with `separator` between each two: for lists of whole sentences or of facts, never
    /// for the parts of a sentence.
    pub fn joined(separator: &'static str, texts: impl IntoIterator<Item = Self>) -> Self {
        Self::of(What::Joined(separator, texts.into_iter().collect()))
    }

    /// The same text with something in the place of `{name}`.
    pub fn with(mut self, name: &'static str, value: impl Into<Self>) -> Self {
        self.arguments.push((name, value.into()));
        self
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        match &self.what {
            What::Verbatim(text) => text.is_empty(),
            What::Joined(_, texts) => texts.iter().all(Self::is_empty),
            _ => false,
        }
    }

    /// The text in a language.
    pub fn in_language(&self, language: Language) -> String {
        let mut text = String::new();
        self.write(&mut text, language).expect("a string takes everything");
        text
    }

    /// HTML that is safe already, for [`crate::Html::with_html`] alone.
    pub(crate) fn markup(html: String) -> Self {
        Self::of(What::Markup(html))
    }

    /// Whether it is HTML.
    pub(crate) fn is_markup(&self) -> bool {
        matches!(self.what, What::Markup(_))
    }

    /// The time, where the text is one.
    pub(crate) fn as_time(&self) -> Option<&Time> {
        match &self.what {
            What::Time(time) => Some(time),
            _ => None,
        }
    }

    /// Writes the text, with its arguments as they are.
    pub fn write(&self, to: &mut dyn Write, language: Language) -> fmt::Result {
        self.write_with(to, language, &|argument, to| argument.write(to, language))
    }

    /// Writes the text, with its arguments as `argument` writes them.
    pub(crate) fn write_with(
        &self,
        to: &mut dyn Write,
        language: Language,
        argument: &dyn Fn(&Self, &mut dyn Write) -> fmt::Result,
    ) -> fmt::Result {
        match &self.what {
            What::Verbatim(text) => to.write_str(text),
            What::Markup(html) => to.write_str(html),
            What::Message(Cow::Owned(english)) => {
                let forms = catalogue::find(language, english).and_then(|forms| forms.first());
                match forms
                    .map(|text| (*text).to_owned())
                    .or_else(|| catalogue::find_filled(language, english))
                {
                    Some(text) => to.write_str(&text),
                    None => to.write_str(english),
                }
            }
            What::Message(Cow::Borrowed(english)) => {
                let forms = catalogue::find(language, english);
                let text = forms.and_then(|forms| forms.first()).copied().unwrap_or(english);
                self.fill(text, to, language, argument)
            }
            What::Counted { one, many, count } => {
                let english = if *count == 1 { one } else { many };
                let forms = catalogue::find(language, one);
                let text = forms.and_then(|forms| forms.get(language.plural_form(*count))).unwrap_or(english);
                self.fill(text, to, language, argument)
            }
            What::Number(number) => number::write_grouped(to, *number, language),
            What::Size(bytes) => number::write_size(to, *bytes, language),
            What::Share(part, whole) => number::write_share(to, (*part, *whole), language),
            What::Time(time) => to.write_str(&time.relative().in_language(language)),
            What::Day(time) => to.write_str(&time.day_in(language)),
            What::Joined(separator, texts) => {
                for (index, text) in texts.iter().enumerate() {
                    if index > 0 {
                        to.write_str(separator)?;
                    }
                    text.write_with(to, language, argument)?;
                }
                Ok(())
            }
        }
    }

    /// Writes a text of the catalogue with its placeholders filled. One that nothing is said about stays as it is.
    fn fill(
        &self,
        text: &str,
        to: &mut dyn Write,
        language: Language,
        argument: &dyn Fn(&Self, &mut dyn Write) -> fmt::Result,
    ) -> fmt::Result {
        if language == Language::Pseudo {
            to.write_char('⟦')?;
        }
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            to.write_str(before)?;
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            match (self.arguments.iter().find(|(known, _)| *known == name), &self.what) {
                (Some((_, value)), _) => argument(value, to)?,
                (None, What::Counted { count, .. }) if name == "n" => {
                    number::write_grouped(to, *count, language)?;
                }
                (None, _) => write!(to, "{{{name}}}")?,
            }
            rest = after;
        }
        to.write_str(rest)?;
        if language == Language::Pseudo {
            to.write_char('⟧')?;
        }
        Ok(())
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// A name, or what somebody wrote. There is no such way from a `&str`: what stands in the code is said by [`t`].
impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::verbatim(text)
    }
}

/// What a template fills in is a reference to a field.
impl<T: Clone + Into<Text>> From<&T> for Text {
    fn from(value: &T) -> Self {
        value.clone().into()
    }
}

impl From<Time> for Text {
    fn from(time: Time) -> Self {
        Self::of(What::Time(time))
    }
}

/// A number that something is counted by.
pub trait Count {
    /// The number.
    fn count(&self) -> u64;
}

macro_rules! counts {
    ($($number:ty)*) => { $(
        impl Count for $number {
            fn count(&self) -> u64 {
                u64::try_from(*self).unwrap_or(u64::MAX)
            }
        }
        impl From<$number> for Text {
            fn from(number: $number) -> Self {
                Self::number(number)
            }
        }
    )* };
}

counts!(u8 u16 u32 u64 usize);

impl<C: Count> Count for &C {
    fn count(&self) -> u64 {
        (**self).count()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Language::English)
    }
}

impl FastWritable for Text {
    fn write_into(&self, to: &mut dyn Write, values: &dyn Values) -> askama::Result<()> {
        Ok(self.write(to, Language::of_values(values))?)
    }
}

/// Programs are told in English.
impl serde::Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.what {
            What::Time(time) => time.serialize(serializer),
            _ => serializer.collect_str(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled() {
        let cases = [
            (t("plain"), "plain"),
            (t("{a} and {b}").with("a", "x".to_owned()).with("b", 1_204_u32), "x and 1,204"),
            (t("{a}{a}").with("a", "{a}".to_owned()), "{a}{a}"),
            (t("{unknown} {broken"), "{unknown} {broken}"),
            (tn("{n} file", "{n} files", 1_u8), "1 file"),
            (
                tn("{n} file of {name}", "{n} files of {name}", 2_000_usize).with("name", "x".to_owned()),
                "2,000 files of x",
            ),
            (t("in {place}").with("place", t("the {name}").with("name", "house".to_owned())), "in the house"),
            (Text::joined(" ", [t("One."), t("Two.")]), "One. Two."),
        ];
        for (text, expected) in cases {
            assert_eq!(text.to_string(), expected);
        }
    }

    #[test]
    fn a_language_has_its_own_words_numbers_and_plurals() {
        let files = |count: u64| tn("{n} file", "{n} files", count).in_language(Language::German);
        assert_eq!([files(0), files(1), files(1_204)], ["0 Dateien", "1 Datei", "1.204 Dateien"]);
        assert_eq!(t("Sign in").in_language(Language::German), "Anmelden");
        assert_eq!(Text::foreign("Sign in".to_owned()).in_language(Language::German), "Anmelden");
        assert_eq!(Text::verbatim("Sign in").in_language(Language::German), "Sign in");
        assert_eq!(
            t("Nobody has translated this.").in_language(Language::German),
            "Nobody has translated this."
        );
        assert_eq!(t("{n} of {m}").with("m", "x".to_owned()).in_language(Language::Pseudo), "⟦{n} of x⟧");
    }
}
