//! Answers that a browser may keep and has to ask about: pages by what they say, files by their id.

use crate::raw::Disposition;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use lithe_web::Format;
use lithe_web::answer::{self, Answer};
use lithe_web::download::{self, Part, is_known, revalidate};
use spin_sdk::http::box_body;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use xxhash_rust::xxh3::xxh3_128;

/// How much of a file is handed on at once, in bytes.
const CHUNK_BYTES: usize = 64 << 10;

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
    let mut answer = match format {
        _ if is_known(request, &etag) => not_modified(&etag),
        Format::Html => answer::html(StatusCode::OK, text),
        Format::Json => answer::json_text(StatusCode::OK, text),
    };
    revalidate(answer.headers_mut(), &etag);
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static(answer::VARY));
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

/// A file as it is, or the part of it that the request asks for (RFC 9110, section 14).
pub fn file_or_part(
    request: &HeaderMap,
    disposition: &Disposition,
    etag: &str,
    contents: Arc<Vec<u8>>,
) -> Answer {
    let size = contents.len() as u64;
    let (status, range, bytes) = match download::part(request, etag, size) {
        Part::Whole => (StatusCode::OK, None, Bytes::from_owner(Shared(contents))),
        Part::Bytes(range) => {
            let bytes = Bytes::from_owner(Shared(contents)).slice(range.start as usize..range.end as usize);
            (StatusCode::PARTIAL_CONTENT, Some(download::content_range(&range, size)), bytes)
        }
        Part::Unsatisfiable => {
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(download::no_content_range(size)), Bytes::new())
        }
    };
    let mut answer = sent(disposition, etag, bytes);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(range) = range {
        headers.insert(header::CONTENT_RANGE, range);
    }
    answer
}

/// A file as it is.
pub fn file(disposition: &Disposition, etag: &str, contents: Arc<Vec<u8>>) -> Answer {
    sent(disposition, etag, Bytes::from_owner(Shared(contents)))
}

fn sent(disposition: &Disposition, etag: &str, bytes: Bytes) -> Answer {
    let length = bytes.len();
    let mut answer = Response::new(box_body(Chunks(bytes)));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
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
    answer
}

/// The browser has it already (RFC 9110, section 15.4.5).
pub fn not_modified(etag: &str) -> Answer {
    let mut answer = answer::bytes(StatusCode::NOT_MODIFIED, Bytes::new());
    answer.headers_mut().remove(header::CONTENT_LENGTH);
    revalidate(answer.headers_mut(), etag);
    answer
}

/// Contents that the object store may still hold too.
struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A body that is handed on piece by piece.
struct Chunks(Bytes);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.0.len().min(CHUNK_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.0.split_to(length)))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
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
    fn a_part_of_a_raw_file_is_sent_alone() {
        let disposition = Disposition { content_type: "text/plain", attachment: None };
        let cases = [
            (None, StatusCode::OK, "10", None),
            (Some("bytes=2-4"), StatusCode::PARTIAL_CONTENT, "3", Some("bytes 2-4/10")),
            (Some("bytes=-4"), StatusCode::PARTIAL_CONTENT, "4", Some("bytes 6-9/10")),
            (Some("bytes=9-"), StatusCode::PARTIAL_CONTENT, "1", Some("bytes 9-9/10")),
            (Some("bytes=10-"), StatusCode::RANGE_NOT_SATISFIABLE, "0", Some("bytes */10")),
            (Some("lines=1-2"), StatusCode::OK, "10", None),
        ];
        for (range, status, length, content_range) in cases {
            let mut request = HeaderMap::new();
            if let Some(range) = range {
                request.insert(header::RANGE, HeaderValue::from_static(range));
            }
            let answer = file_or_part(&request, &disposition, "\"a\"", Arc::new(b"0123456789".to_vec()));
            assert_eq!(answer.status(), status, "{range:?}");
            assert_eq!(answer.headers()["content-length"], length, "{range:?}");
            let found = answer.headers().get("content-range").map(|value| value.to_str().expect("ASCII"));
            assert_eq!(found, content_range, "{range:?}");
        }
    }

    #[test]
    fn a_raw_file_is_locked_in() {
        let disposition = Disposition { content_type: "image/svg+xml", attachment: None };
        let answer = file(&disposition, "\"a\"", Arc::new(vec![0; 3]));
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
