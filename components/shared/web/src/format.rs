//! Which form of a page a client wants: HTML for people, or JSON for programs.

use crate::form::Fields;
use http::{HeaderMap, header};
use lithe_words::Text;
use serde::Serialize;

/// The media type of pages for programs.
const JSON: &str = "application/json";

/// The field of a query that decides over `Accept`: `?format=json`.
pub const FORMAT_FIELD: &str = "format";

/// A form of pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Html,
    Json,
}

/// What a failure says, for programs.
#[derive(Debug, Serialize)]
#[serde(tag = "page", rename = "failure", rename_all = "kebab-case")]
pub struct Failure {
    pub status: u16,
    pub title: Text,
    pub message: Text,
}

impl Format {
    /// The form that a request asks for: by the query, else by what it accepts (RFC 9110, section 12.5.1).
    ///
    /// JSON has to be named, and preferred to HTML where that is named too: what accepts anything is
    /// shown a page.
    pub fn asked_for(headers: &HeaderMap, query: &Fields) -> Self {
        match query.get(FORMAT_FIELD) {
            "json" => return Self::Json,
            "html" => return Self::Html,
            _ => {}
        }
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let (mut json, mut html) = (0, 0);
        for range in accepted.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default();
            let weight = weight(parts);
            if media_type.eq_ignore_ascii_case(JSON) {
                json = json.max(weight);
            } else if media_type.eq_ignore_ascii_case("text/html") {
                html = html.max(weight);
            }
        }
        if json > html { Self::Json } else { Self::Html }
    }
}

/// The weight among the parameters of a media range, in thousandths (RFC 9110, section 12.4.2).
pub(crate) fn weight<'a>(mut parameters: impl Iterator<Item = &'a str>) -> u32 {
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    match value.map(str::parse::<f32>) {
        None => 1_000,
        Some(Ok(weight)) if (0.0..=1.0).contains(&weight) => (weight * 1_000.0) as u32,
        Some(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn json_is_for_those_who_name_it() {
        let cases = [
            ("", "", Format::Html),
            ("*/*", "", Format::Html),
            ("application/json", "", Format::Json),
            ("Application/JSON; charset=utf-8", "", Format::Json),
            ("application/json, text/plain, */*", "", Format::Json),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "", Format::Html),
            ("text/html, application/json", "", Format::Html),
            ("text/html;q=0.5, application/json;q=0.9", "", Format::Json),
            ("application/json;q=0", "", Format::Html),
            ("application/json;q=x", "", Format::Html),
            ("application/json;q=2", "", Format::Html),
            ("application/vnd.api+json", "", Format::Html),
            ("text/html", "format=json", Format::Json),
            ("application/json", "format=html", Format::Html),
            ("application/json", "format=x", Format::Json),
        ];
        for (accept, query, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            let query = Fields::parse(query.as_bytes()).expect("a query");
            assert_eq!(Format::asked_for(&headers, &query), expected, "{accept} {query:?}");
        }
    }
}
