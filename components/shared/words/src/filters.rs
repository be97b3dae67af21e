//! The filters by which templates say something in the reader's language.

use crate::{Count, Html, Language, Text};
use askama::{Result, Values};

/// A text of the catalogue: `{{ "Latest commits"|t }}`.
#[askama::filter_fn]
pub fn t(message: &'static str, _: &dyn Values) -> Result<Text> {
    Ok(crate::t(message))
}

/// A text of the catalogue that says how many there are: `{{ "{n} file"|tn("{n} files", count) }}`.
#[askama::filter_fn]
pub fn tn<C: Count>(one: &'static str, _: &dyn Values, many: &'static str, count: C) -> Result<Text> {
    Ok(crate::tn(one, many, count))
}

/// A text of the catalogue that is HTML: `{{ "Signed in as <strong>{name}</strong>"|html|with("name", name) }}`.
#[askama::filter_fn]
pub fn html(message: &'static str, _: &dyn Values) -> Result<Html> {
    Ok(crate::html(message))
}

/// Something in the place of a placeholder.
#[askama::filter_fn]
pub fn with<T: With, V: Into<Text>>(
    text: T,
    _: &dyn Values,
    name: &'static str,
    value: V,
) -> Result<T::Filled> {
    Ok(text.with(name, value.into()))
}

/// HTML that is safe already in the place of a placeholder of a text that is HTML.
#[askama::filter_fn]
pub fn with_html<H: AsRef<str>>(text: Html, _: &dyn Values, name: &'static str, html: H) -> Result<Html> {
    Ok(text.with_html(name, html.as_ref()))
}

/// A number with its thousands set apart.
#[askama::filter_fn]
pub fn number<C: Count>(number: C, _: &dyn Values) -> Result<Text> {
    Ok(Text::number(number))
}

/// What stands before and after a placeholder of a text of the catalogue, for what is said on each of thousands of
/// lines: `{% let line = "Line {number}"|around %}`, then `{{ line.before }}{{ number }}{{ line.after }}`.
#[askama::filter_fn]
pub fn around(message: &'static str, values: &dyn Values) -> Result<Around> {
    Ok(Around::new(message, Language::of_values(values)))
}

/// A text of the catalogue in a language, in two parts.
pub struct Around {
    pub before: String,
    pub after: String,
}

impl Around {
    /// A text with one placeholder, which stands between the parts.
    pub fn new(message: &'static str, language: Language) -> Self {
        let text = crate::t(message).in_language(language);
        let (before, rest) = text.split_once('{').unwrap_or((&text, ""));
        let after = rest.split_once('}').map_or("", |(_, after)| after);
        Self { before: before.to_owned(), after: after.to_owned() }
    }
}

/// What has placeholders. Templates pass what another filter made by value or by reference.
pub trait With {
    /// What comes of it.
    type Filled;

    /// The same with something in the place of `{name}`.
    fn with(self, name: &'static str, value: Text) -> Self::Filled;
}

macro_rules! fill {
    ($($text:ty)*) => { $(
        impl With for $text {
            type Filled = Self;

            fn with(self, name: &'static str, value: Text) -> Self {
                <$text>::with(self, name, value)
            }
        }
        impl With for &$text {
            type Filled = $text;

            fn with(self, name: &'static str, value: Text) -> $text {
                self.clone().with(name, value)
            }
        }
    )* };
}

fill!(Text Html);

#[cfg(test)]
mod tests {
    use super::Around;
    use crate::time::Time;
    use crate::{Language, Text, filters, t};
    use askama::Template;

    #[derive(Template)]
    #[template(
        ext = "html",
        source = r#"{% macro heading(text, hint = "") %}<h2>{{ text }}</h2>{% if !hint.is_empty() %}<p>{{ hint }}</p>{% endif %}{% endmacro %}
{%- call heading("Sign in"|t) %}{% endcall %}
{%- call heading(title, hint = "just now"|t) %}{% endcall %}
{{ "{n} file"|tn("{n} files", names.len()) }}, {{ "{n} file"|tn("{n} files", 1_u8) }}, {{ size|number }}
{%- for name in names %} {{ "<b>{name}</b> {time}"|html|with("name", name)|with("time", time) }}{% endfor %} {{ time }}"#
    )]
    struct Page {
        title: Text,
        names: Vec<String>,
        size: u64,
        time: Time,
    }

    #[test]
    fn a_text_is_taken_apart_at_its_placeholder() {
        let parts = |message, language| {
            let Around { before, after } = Around::new(message, language);
            (before, after)
        };
        assert_eq!(parts("Line {number}", Language::English), ("Line ".to_owned(), String::new()));
        assert_eq!(parts("{n}. line", Language::Pseudo), ("⟦".to_owned(), ". line⟧".to_owned()));
        assert_eq!(parts("no place", Language::English), ("no place".to_owned(), String::new()));
    }

    #[test]
    fn a_template_speaks_the_language_of_its_reader() {
        let page = Page {
            title: t("{n} {broken").with("n", "&".to_owned()),
            names: vec!["<x>".into(), "y".into()],
            size: 1_204,
            time: Time::new(0, 0),
        };
        assert_eq!(
            page.render().unwrap(),
            "<h2>Sign in</h2><h2>&#38; {broken}</h2><p>just now</p>\n2 files, 1 file, 1,204 \
             <b>&#60;x&#62;</b> <time datetime=\"1970-01-01T00:00:00Z\" title=\"1970-01-01 00:00 UTC\">just now</time> \
             <b>y</b> <time datetime=\"1970-01-01T00:00:00Z\" title=\"1970-01-01 00:00 UTC\">just now</time> \
             <time datetime=\"1970-01-01T00:00:00Z\" title=\"1970-01-01 00:00 UTC\">just now</time>",
        );
        let german = page.render_with_values(&Language::German).unwrap();
        assert!(german.starts_with(
            "<h2>Anmelden</h2><h2>&#38; {broken}</h2><p>gerade eben</p>\n2 Dateien, 1 Datei, 1.204"
        ));
        assert!(german.contains(">gerade eben</time>"), "{german}");
    }
}
