//! Pages that are written already, which a browser may keep and has to ask about by what they say.

use crate::answer::{self, Answer};
use crate::download::{is_known, not_modified_since, revalidate};
use crate::{Format, compression};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use xxhash_rust::xxh3::xxh3_128;

/// A text to be sent, and its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub text: Bytes,
    pub etag: String,
}

impl From<String> for Written {
    fn from(text: String) -> Self {
        // It tells a viewer's page from that viewer's earlier ones, which is nothing that a cryptographic
        // digest, of ten times the cost, would do better.
        let etag = format!("\"{:032x}\"", xxh3_128(text.as_bytes()));
        Self { text: text.into(), etag }
    }
}

/// A page, or what it says as JSON; or, if the client has this very text, that it has.
pub fn answer(request: &HeaderMap, page: Written, format: Format) -> Answer {
    let Written { text, etag } = page;
    let (is_large, is_compressed) =
        (compression::is_for_some(text.len()), compression::is_for(request, text.len()));
    // Another coding is another representation (RFC 9110, section 8.8.3).
    let etag = if is_compressed { format!("{}-gzip\"", etag.trim_end_matches('"')) } else { etag };
    let is_known = is_known(request, &etag);
    let text = if is_compressed && !is_known { compression::compressed(&text) } else { text };
    let mut answer = match format {
        _ if is_known => not_modified_since(&etag),
        Format::Html => answer::html(StatusCode::OK, text),
        Format::Json => answer::json_text(StatusCode::OK, text),
    };
    let headers = answer.headers_mut();
    revalidate(headers, &etag);
    headers.insert(header::VARY, HeaderValue::from_static(answer::VARY));
    if is_large {
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if is_compressed && !is_known {
        headers.insert(header::CONTENT_ENCODING, compression::CODING);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_the_browser_has_is_not_sent_again() {
        let page = |headers: &HeaderMap, text: &str| answer(headers, text.to_owned().into(), Format::Html);
        let first = page(&HeaderMap::new(), "<p>");
        assert_eq!(
            (first.status(), &first.headers()["cache-control"]),
            (StatusCode::OK, &HeaderValue::from_static("private, no-cache"))
        );
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()["etag"].clone());
        assert_eq!(page(&headers, "<p>").status(), StatusCode::NOT_MODIFIED);
        assert_eq!(page(&headers, "<b>").status(), StatusCode::OK);
    }

    #[test]
    fn a_large_page_is_compressed_and_has_a_tag_of_its_own() {
        let text = "<p>".repeat(100_000);
        let sent = |headers: &HeaderMap| answer(headers, text.clone().into(), Format::Html);
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let (plain, compressed) = (sent(&HeaderMap::new()), sent(&headers));
        assert_eq!(compressed.headers()["content-encoding"], "gzip");
        assert!(!plain.headers().contains_key("content-encoding"));
        assert_ne!(plain.headers()["etag"], compressed.headers()["etag"]);
        for answer in [&plain, &compressed] {
            let vary: Vec<_> = answer.headers().get_all("vary").iter().collect();
            assert_eq!(vary, [crate::answer::VARY, "Accept-Encoding"]);
        }
        headers.insert(header::IF_NONE_MATCH, compressed.headers()["etag"].clone());
        let known = sent(&headers);
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        assert!(!known.headers().contains_key("content-encoding"));
    }

    #[test]
    fn programs_and_people_are_told_apart() {
        let headers = HeaderMap::new();
        let page = |format| answer(&headers, "{}".to_owned().into(), format);
        let (for_people, for_programs) = (page(Format::Html), page(Format::Json));
        assert_eq!(for_programs.headers()["content-type"], "application/json");
        for answer in [for_people, for_programs] {
            assert_eq!(answer.headers()["vary"], crate::answer::VARY);
        }
    }
}
