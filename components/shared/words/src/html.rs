//! Sentences with markup in them, which are translated whole.

use crate::{Language, Text, t};
use askama::filters::{Escaper as _, Html as HtmlEscaper, HtmlSafe};
use askama::{FastWritable, Values};
use std::fmt::{self, Write};

/// A text of the catalogue that is HTML. What is filled in is escaped, and times are written as elements.
///
/// ```
/// use lithe_words::html;
///
/// let text = html("Signed in as <strong>{name}</strong>").with("name", "<ann>".to_owned());
/// assert_eq!(text.to_string(), "Signed in as <strong>&#60;ann&#62;</strong>");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html(Text);

/// A text of the catalogue that is HTML, with its placeholders in braces.
pub const fn html(message: &'static str) -> Html {
    Html(t(message))
}

impl Html {
    /// The same text with something in the place of `{name}`, which may be part of an attribute in quotes.
    pub fn with(self, name: &'static str, value: impl Into<Text>) -> Self {
        Self(self.0.with(name, value))
    }

    /// The same text with HTML in the place of `{name}`, of whose safety the caller is sure.
    pub fn with_html(self, name: &'static str, html: impl Into<String>) -> Self {
        Self(self.0.with(name, Text::markup(html.into())))
    }

    fn write(&self, to: &mut dyn Write, language: Language) -> fmt::Result {
        self.0.write_with(to, language, &|argument, to| match argument.as_time() {
            Some(time) => time.write_element(to, language),
            None if argument.is_markup() => argument.write(to, language),
            None => argument.write(&mut Escaping(to), language),
        })
    }
}

/// Escapes what is written to it.
pub(crate) struct Escaping<'a>(pub &'a mut dyn Write);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        HtmlEscaper.write_escaped_str(&mut *self.0, text)
    }
}

/// The text is ours and what is filled in is escaped.
impl HtmlSafe for Html {}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Language::English)
    }
}

impl FastWritable for Html {
    fn write_into(&self, to: &mut dyn Write, values: &dyn Values) -> askama::Result<()> {
        Ok(self.write(to, Language::of_values(values))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    #[test]
    fn what_is_filled_in_cannot_be_markup() {
        let text = html("<a href='{href}'>{name}</a>")
            .with("href", "/?a=1&b='><script>".to_owned())
            .with("name", t("<b>"));
        let expected = "<a href='/?a=1&#38;b=&#39;&#62;&#60;script&#62;'>&#60;b&#62;</a>";
        assert_eq!(text.to_string(), expected);
    }

    #[test]
    fn times_are_elements() {
        let text = html("since {time}").with("time", Time::new(0, 0));
        assert_eq!(
            text.to_string(),
            "since <time datetime=\"1970-01-01T00:00:00Z\" title=\"1970-01-01 00:00 UTC\">just now</time>",
        );
    }
}
