//! Answers that a browser may keep and has to ask about: pages by what they say, files by their id.

use crate::compression;
use crate::raw::Disposition;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use lithe_web::Format;
use lithe_web::answer::{self, Answer};
use lithe_web::download::{self, is_known, revalidate};
use std::io::{self, Cursor, Read};
use xxhash_rust::xxh3::xxh3_128;

/// What a raw file may do in a browser: nothing.
const RAW_POLICY: &str = "sandbox; default-src 'none'";

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
pub fn page(request: &HeaderMap, page: Written, format: Format) -> Answer {
    let Written { text, etag } = page;
    let (is_large, is_compressed) =
        (compression::is_for_some(text.len()), compression::is_for(request, text.len()));
    // Another coding is another representation (RFC 9110, section 8.8.3).
    let etag = if is_compressed { format!("{}-gzip\"", etag.trim_end_matches('"')) } else { etag };
    let is_known = is_known(request, &etag);
    let text = if is_compressed && !is_known { compression::compressed(&text) } else { text };
    let mut answer = match format {
        _ if is_known => not_modified(&etag),
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

/// A feed; or, if the client has this very feed, that it has.
pub fn feed(request: &HeaderMap, content_type: &'static str, feed: String) -> Answer {
    let mut answer = page(request, feed.into(), Format::Html);
    if answer.status() == StatusCode::OK {
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    answer
}

/// A file as it is, or the part of it that the request asks for.
pub fn file<R: Read + Unpin + Send + 'static>(
    request: &Parts,
    disposition: &Disposition,
    etag: &str,
    size: u64,
    open: impl FnOnce(u64) -> io::Result<R>,
) -> io::Result<Answer> {
    let mut answer = download::answer(&request.method, &request.headers, etag, size, open)?;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(disposition.content_type));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(RAW_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    if let Some(attachment) =
        disposition.attachment.as_deref().and_then(|value| HeaderValue::from_str(value).ok())
    {
        headers.insert(header::CONTENT_DISPOSITION, attachment);
    }
    revalidate(headers, etag);
    Ok(answer)
}

/// A file that was made for this answer.
pub fn made(request: &Parts, disposition: &Disposition, etag: &str, contents: Vec<u8>) -> Answer {
    let size = contents.len() as u64;
    let from = |start| {
        let mut contents = Cursor::new(contents);
        contents.set_position(start);
        Ok(contents)
    };
    file(request, disposition, etag, size, from).expect("memory can be read")
}

/// The browser has it already (RFC 9110, section 15.4.5).
pub fn not_modified(etag: &str) -> Answer {
    let mut answer = download::not_modified();
    revalidate(answer.headers_mut(), etag);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_the_browser_has_is_not_sent_again() {
        let page = |headers: &HeaderMap, text: &str| page(headers, text.to_owned().into(), Format::Html);
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
        let sent = |headers: &HeaderMap| page(headers, text.clone().into(), Format::Html);
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let (plain, compressed) = (sent(&HeaderMap::new()), sent(&headers));
        assert_eq!(compressed.headers()["content-encoding"], "gzip");
        assert!(!plain.headers().contains_key("content-encoding"));
        assert_ne!(plain.headers()["etag"], compressed.headers()["etag"]);
        for answer in [&plain, &compressed] {
            let vary: Vec<_> = answer.headers().get_all("vary").iter().collect();
            assert_eq!(vary, [lithe_web::answer::VARY, "Accept-Encoding"]);
        }
        headers.insert(header::IF_NONE_MATCH, compressed.headers()["etag"].clone());
        let known = sent(&headers);
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        assert!(!known.headers().contains_key("content-encoding"));
    }

    #[test]
    fn programs_and_people_are_told_apart() {
        let headers = HeaderMap::new();
        let page = |format| page(&headers, "{}".to_owned().into(), format);
        let (for_people, for_programs) = (page(Format::Html), page(Format::Json));
        assert_eq!(for_programs.headers()["content-type"], "application/json");
        for answer in [for_people, for_programs] {
            assert_eq!(answer.headers()["vary"], lithe_web::answer::VARY);
        }
    }

    #[test]
    fn a_raw_file_is_locked_in() {
        let disposition = Disposition { content_type: "image/svg+xml", attachment: None };
        let (request, ()) = http::Request::new(()).into_parts();
        let answer = made(&request, &disposition, "\"a\"", vec![0; 3]);
        let expected = [
            ("content-type", "image/svg+xml"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "private, no-cache"),
            ("vary", "Cookie, Authorization"),
            ("content-length", "3"),
        ];
        for (name, value) in expected {
            assert_eq!(answer.headers()[name], value, "{name}");
        }
    }
}
