//! Handing files out: whether the client has one already, and which part of it is asked for
//! (RFC 9110, sections 13 and 14). They are read as they are sent, and no more of one is in memory than a piece.

use crate::address::encode_component;
use crate::answer::{self, Answer};
use crate::limits::PIECE_BYTES;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use spin_sdk::http::box_body;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What of a file is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// Never empty.
    Bytes(Range<u64>),
    /// None of it is there.
    Unsatisfiable,
}

/// Answers with a file of that size and tag, or with the part of it that is asked for. `open` is told from which
/// byte on it is to be read, and not called where nothing of it is sent. What kind of file it is, the caller adds.
pub fn answer<R: Read + Unpin + Send + 'static>(
    method: &Method,
    request: &HeaderMap,
    etag: &str,
    size: u64,
    open: impl FnOnce(u64) -> io::Result<R>,
) -> io::Result<Answer> {
    // Only `GET` has parts (RFC 9110, section 14.2).
    let part = if method == Method::GET { part(request, etag, size) } else { Part::Whole };
    let (status, range) = match part {
        Part::Whole => (StatusCode::OK, 0..size),
        Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0),
    };
    let is_sent = method != Method::HEAD && !range.is_empty();
    let mut answer = match is_sent {
        true => Response::new(box_body(Pieces { source: open(range.start)?, left: range.end - range.start })),
        false => answer::bytes(status, Bytes::new()),
    };
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    match status {
        StatusCode::PARTIAL_CONTENT => {
            headers.insert(header::CONTENT_RANGE, content_range(&range, size));
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            headers.insert(header::CONTENT_RANGE, no_content_range(size));
        }
        _ => {}
    }
    Ok(answer)
}

/// The client has it already (RFC 9110, section 15.4.5).
pub fn not_modified() -> Answer {
    let mut answer = answer::bytes(StatusCode::NOT_MODIFIED, Bytes::new());
    answer.headers_mut().remove(header::CONTENT_LENGTH);
    answer
}

/// The client has what has that tag already, and is told which (RFC 9110, section 15.4.5).
pub fn not_modified_since(etag: &str) -> Answer {
    let mut answer = not_modified();
    revalidate(answer.headers_mut(), etag);
    answer
}

/// Reads a file from any byte on.
pub fn of_file(mut file: File) -> impl FnOnce(u64) -> io::Result<File> {
    move |start| {
        file.seek(SeekFrom::Start(start))?;
        Ok(file)
    }
}

/// So many bytes, read as they are sent.
struct Pieces<R> {
    source: R,
    left: u64,
}

impl<R: Read> Pieces<R> {
    /// The next piece; none at the end.
    fn next_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let length = self.left.min(PIECE_BYTES as u64);
        if length == 0 {
            return Ok(None);
        }
        let mut piece = Vec::with_capacity(length as usize);
        (&mut self.source).take(length).read_to_end(&mut piece)?;
        match piece.len() as u64 {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                self.left -= length;
                Ok(Some(piece))
            }
        }
    }
}

impl<R: Read + Unpin> Body for Pieces<R> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = self.next_piece().inspect_err(|error| eprintln!("a download is broken off: {error}"));
        Poll::Ready(piece.transpose().map(|piece| piece.map(|bytes| Frame::data(Bytes::from(bytes)))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Whether a part of the version with that tag is asked for. Which part, only its size can tell.
pub fn asks_for_part(request: &HeaderMap, etag: &str) -> bool {
    part(request, etag, u64::MAX) != Part::Whole
}

/// Reads `Range`, which holds only for the version that `If-Range` names. What is not understood, and
/// more ranges than one, are passed over, as the RFC lets a server do.
pub fn part(request: &HeaderMap, etag: &str, size: u64) -> Part {
    let text = |name| request.get(name).and_then(|value| value.to_str().ok());
    let is_other_version = request.get(header::IF_RANGE).is_some_and(|value| value != etag);
    let Some(range) = text(header::RANGE).filter(|_| !is_other_version) else {
        return Part::Whole;
    };
    let range = range.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'));
    let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than any file has.
        true => Some(digits.parse().unwrap_or(u64::MAX)),
        false => None,
    };
    let (first, last) = match range {
        Some(("", "")) | None => return Part::Whole,
        Some(("", suffix)) => match number(suffix) {
            Some(0) => return Part::Unsatisfiable,
            Some(length) => (size.saturating_sub(length), u64::MAX),
            None => return Part::Whole,
        },
        Some((first, last)) => match (number(first), number(last)) {
            (Some(first), _) if last.is_empty() => (first, u64::MAX),
            (Some(first), Some(last)) if first <= last => (first, last),
            _ => return Part::Whole,
        },
    };
    match first < size {
        true => Part::Bytes(first..last.saturating_add(1).min(size)),
        false => Part::Unsatisfiable,
    }
}

/// The value of `Content-Range` for a part of a file of that size, which is not empty.
pub fn content_range(range: &Range<u64>, size: u64) -> HeaderValue {
    ascii(&format!("bytes {}-{}/{size}", range.start, range.end - 1))
}

/// The value of `Content-Range` where [`Part::Unsatisfiable`] was asked for.
pub fn no_content_range(size: u64) -> HeaderValue {
    ascii(&format!("bytes */{size}"))
}

/// Whether `If-None-Match` names the tag (RFC 9110, section 13.1.2).
pub fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let values = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// What one may read another may not: kept by the browser alone, and asked about each time. `etag` is
/// ASCII, in quotes.
pub fn revalidate(headers: &mut HeaderMap, etag: &str) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Cookie, Authorization"));
    headers.insert(header::ETAG, ascii(etag));
}

/// Adds what has a file saved, under `name` where there is one, and keeps it from being taken for a
/// page of this site.
pub fn save_as(headers: &mut HeaderMap, name: Option<&str>) {
    let disposition = match name {
        Some(name) => format!("attachment; filename*=UTF-8''{}", encode_component(name)),
        None => "attachment".to_owned(),
    };
    headers.insert(header::CONTENT_DISPOSITION, ascii(&disposition));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("digits, tags and encoded names are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), ascii(value))).collect()
    }

    #[test]
    fn parts_are_as_the_rfc_says() {
        let cases = [
            ("bytes=0-0", Part::Bytes(0..1)),
            ("bytes=3-", Part::Bytes(3..10)),
            ("bytes=3-5", Part::Bytes(3..6)),
            ("bytes=3-99", Part::Bytes(3..10)),
            ("bytes=9-9", Part::Bytes(9..10)),
            ("bytes=-4", Part::Bytes(6..10)),
            ("bytes=-99", Part::Bytes(0..10)),
            ("bytes=0-99999999999999999999999", Part::Bytes(0..10)),
            ("bytes=10-", Part::Unsatisfiable),
            ("bytes=99999999999999999999999-", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
            ("bytes=5-3", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("lines=1-2", Part::Whole),
            ("", Part::Whole),
        ];
        for (range, expected) in cases {
            let request = headers(&[("range", range)]);
            assert_eq!(part(&request, "\"a\"", 10), expected, "{range}");
            assert_eq!(asks_for_part(&request, "\"a\""), expected != Part::Whole, "{range}");
        }
        assert_eq!(part(&headers(&[("range", "bytes=0-")]), "\"a\"", 0), Part::Unsatisfiable);
        for (version, expected) in
            [("\"a\"", Part::Bytes(1..3)), ("\"b\"", Part::Whole), ("W/\"a\"", Part::Whole)]
        {
            let request = headers(&[("range", "bytes=1-2"), ("if-range", version)]);
            assert_eq!(part(&request, "\"a\"", 10), expected, "{version}");
        }
    }

    /// A file of ten bytes, by a request with those headers.
    fn answered(method: Method, request: &HeaderMap) -> (http::response::Parts, Vec<u8>) {
        let source = |start| Ok(&b"0123456789"[start as usize..]);
        let (head, body) =
            answer(&method, request, "\"a\"", 10, source).expect("it can be read").into_parts();
        (head, futures::executor::block_on(body.collect()).expect("a body").to_bytes().to_vec())
    }

    #[test]
    fn what_is_asked_for_is_sent_and_no_more() {
        let cases = [
            (Method::GET, "", 200, "10", None, "0123456789"),
            (Method::GET, "bytes=2-4", 206, "3", Some("bytes 2-4/10"), "234"),
            (Method::GET, "bytes=-4", 206, "4", Some("bytes 6-9/10"), "6789"),
            (Method::GET, "bytes=9-", 206, "1", Some("bytes 9-9/10"), "9"),
            (Method::GET, "bytes=10-", 416, "0", Some("bytes */10"), ""),
            (Method::GET, "lines=1-2", 200, "10", None, "0123456789"),
            (Method::HEAD, "", 200, "10", None, ""),
            (Method::HEAD, "bytes=2-4", 200, "10", None, ""),
        ];
        for (method, range, status, length, content_range, body) in cases {
            let request = if range.is_empty() { HeaderMap::new() } else { headers(&[("range", range)]) };
            let (head, sent) = answered(method.clone(), &request);
            assert_eq!(head.status, status, "{method} {range}");
            assert_eq!(head.headers["content-length"], length, "{method} {range}");
            assert_eq!(head.headers["accept-ranges"], "bytes", "{method} {range}");
            let found = head.headers.get("content-range").map(|value| value.to_str().expect("ASCII"));
            assert_eq!(found, content_range, "{method} {range}");
            assert_eq!(String::from_utf8(sent).expect("digits"), body, "{method} {range}");
        }
    }

    #[test]
    fn nothing_is_opened_of_which_nothing_is_sent() {
        for (method, range) in [(Method::HEAD, "bytes=0-"), (Method::GET, "bytes=10-")] {
            let closed = |_| -> io::Result<&[u8]> { panic!("{range} needs none of it") };
            answer(&method, &headers(&[("range", range)]), "\"a\"", 10, closed).expect("an answer");
        }
        let closed = |_| -> io::Result<&[u8]> { panic!("there is nothing in it") };
        answer(&Method::GET, &HeaderMap::new(), "\"a\"", 0, closed).expect("an answer");
    }

    #[test]
    fn a_file_is_sent_piece_by_piece_from_any_byte_on() {
        let bytes: Vec<u8> = (0..2 * PIECE_BYTES + 3).map(|index| index as u8).collect();
        let path = std::env::temp_dir().join(format!("lithe-download-{}", std::process::id()));
        std::fs::write(&path, &bytes).expect("written");
        let file = || of_file(File::open(&path).expect("it is there"));
        let mut pieces = Pieces { source: file()(5).expect("it has so many"), left: bytes.len() as u64 - 5 };
        let sizes: Vec<_> =
            std::iter::from_fn(|| pieces.next_piece().expect("a piece")).map(|piece| piece.len()).collect();
        assert_eq!(sizes, [PIECE_BYTES, PIECE_BYTES - 2]);
        let mut cut = Pieces { source: file()(0).expect("it has so many"), left: bytes.len() as u64 + 1 };
        while cut.left > 1 {
            cut.next_piece().expect("a piece");
        }
        assert!(cut.next_piece().is_err(), "a file that is shorter than it was is no end");
        std::fs::remove_file(&path).expect("it was there");
    }

    #[test]
    fn a_part_lies_within_the_file() {
        lithe_fuzz::fuzz("range", |range| {
            let Ok(value) = HeaderValue::from_bytes(range) else { return };
            let request = HeaderMap::from_iter([(header::RANGE, value)]);
            for size in [0, 1, 10, u64::MAX] {
                if let Part::Bytes(part) = part(&request, "\"a\"", size) {
                    assert!(part.start < part.end && part.end <= size, "{part:?} of {size}");
                }
            }
        });
    }

    #[test]
    fn a_tag_is_known_if_it_is_among_those_that_the_browser_has() {
        let cases: &[(&[&str], bool)] = &[
            (&[], false),
            (&["\"a\""], true),
            (&["W/\"a\""], true),
            (&["\"b\", \"a\""], true),
            (&["\"b\"", "\"a\""], true),
            (&["*"], true),
            (&["\"b\""], false),
            (&["a"], false),
        ];
        for (values, expected) in cases {
            let mut headers = HeaderMap::new();
            for value in *values {
                headers.append(header::IF_NONE_MATCH, value.parse().expect("a header value"));
            }
            assert_eq!(is_known(&headers, "\"a\""), *expected, "{values:?}");
        }
    }
}
