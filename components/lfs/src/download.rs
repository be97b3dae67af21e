//! Handing an object out, whole or in part (RFC 9110, section 14).

use crate::answer::{self, Answer};
use crate::limits::{FILE_NAME_BYTES_MAX, PIECE_BYTES};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use lithe_lfs::Oid;
use lithe_web::address::encode_component;
use spin_sdk::http::box_body;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What of an object is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Whole,
    /// Never empty.
    Bytes(Range<u64>),
    /// None of it is there.
    Unsatisfiable,
}

/// The object in `file`, which has `size` bytes; `name` is what to save it by.
pub fn answer(
    request: &HeaderMap,
    oid: &Oid,
    name: Option<&str>,
    file: File,
    size: u64,
) -> io::Result<Answer> {
    let etag = format!("\"{oid}\"");
    if is_known(request, &etag) {
        return Ok(with_headers(answer::empty(StatusCode::NOT_MODIFIED), &etag, name));
    }
    let (status, range) = match part(request, &etag, size) {
        Part::Whole => (StatusCode::OK, 0..size),
        Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::Unsatisfiable => {
            let mut response = answer::empty(StatusCode::RANGE_NOT_SATISFIABLE);
            response.headers_mut().insert(header::CONTENT_RANGE, ascii(&format!("bytes */{size}")));
            return Ok(response);
        }
    };
    let length = range.end - range.start;
    let content_range = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
    let mut response = Response::new(box_body(FileBody::new(file, range)?));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if status == StatusCode::PARTIAL_CONTENT {
        headers.insert(header::CONTENT_RANGE, ascii(&content_range));
    }
    Ok(with_headers(response, &etag, name))
}

/// Adds what keeps an object from being taken for a page of this site, and from being kept by others.
fn with_headers(mut response: Answer, etag: &str, name: Option<&str>) -> Answer {
    let headers = response.headers_mut();
    let disposition = match name.filter(|name| !name.is_empty() && name.len() <= FILE_NAME_BYTES_MAX) {
        Some(name) => format!("attachment; filename*=UTF-8''{}", encode_component(name)),
        None => "attachment".to_owned(),
    };
    headers.insert(header::CONTENT_DISPOSITION, ascii(&disposition));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Cookie, Authorization"));
    headers.insert(header::ETAG, ascii(etag));
    response
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("digits and encoded names are ASCII")
}

/// Whether `If-None-Match` names the object.
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let values = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// Reads `Range`, which holds only for the version that `If-Range` names. What is not understood, and
/// more ranges than one, are passed over, as the RFC lets a server do.
fn part(request: &HeaderMap, etag: &str, size: u64) -> Part {
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

/// A part of a file, read as it is sent.
struct FileBody {
    file: File,
    left: u64,
}

impl FileBody {
    fn new(mut file: File, range: Range<u64>) -> io::Result<Self> {
        if range.start > 0 {
            file.seek(SeekFrom::Start(range.start))?;
        }
        Ok(Self { file, left: range.end - range.start })
    }

    /// The next piece; none at the end.
    fn next_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let length = self.left.min(PIECE_BYTES as u64);
        if length == 0 {
            return Ok(None);
        }
        let mut piece = Vec::new();
        (&mut self.file).take(length).read_to_end(&mut piece)?;
        match piece.len() as u64 {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                self.left -= length;
                Ok(Some(piece))
            }
        }
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = self.next_piece().inspect_err(|error| eprintln!("a large file is broken off: {error}"));
        Poll::Ready(piece.transpose().map(|piece| piece.map(|bytes| Frame::data(Bytes::from(bytes)))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use std::io::Write as _;

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
            assert_eq!(part(&headers(&[("range", range)]), "\"a\"", 10), expected, "{range}");
        }
        assert_eq!(part(&headers(&[("range", "bytes=0-")]), "\"a\"", 0), Part::Unsatisfiable);
        for (version, expected) in
            [("\"a\"", Part::Bytes(1..3)), ("\"b\"", Part::Whole), ("W/\"a\"", Part::Whole)]
        {
            let request = headers(&[("range", "bytes=1-2"), ("if-range", version)]);
            assert_eq!(part(&request, "\"a\"", 10), expected, "{version}");
        }
    }

    #[test]
    fn a_file_is_sent_piece_by_piece() {
        let mut file = tempfile::tempfile().expect("a file");
        let bytes: Vec<u8> = (0..2 * PIECE_BYTES + 3).map(|index| index as u8).collect();
        file.write_all(&bytes).expect("written");
        let oid = Oid::parse(&"ab".repeat(32)).expect("a name");
        let get = |pairs: &[(&'static str, &str)]| {
            let mut file = file.try_clone().expect("a file");
            file.seek(SeekFrom::Start(0)).expect("sought");
            let answer = answer(&headers(pairs), &oid, Some("a \"b\"\r\n"), file, bytes.len() as u64);
            let (head, body) = answer.expect("an answer").into_parts();
            let body = futures::executor::block_on(body.collect()).expect("a body").to_bytes();
            (head, body)
        };
        let (head, body) = get(&[]);
        assert_eq!((head.status, &body[..]), (StatusCode::OK, &bytes[..]));
        assert_eq!(head.headers["content-disposition"], "attachment; filename*=UTF-8''a%20%22b%22%0D%0A");
        let (head, body) = get(&[("range", "bytes=5-300000")]);
        assert_eq!((head.status, &body[..]), (StatusCode::PARTIAL_CONTENT, &bytes[5..=300_000]));
        assert_eq!(head.headers["content-range"], format!("bytes 5-300000/{}", bytes.len()));
        assert_eq!(head.headers["content-length"], "299996");
        let (head, body) = get(&[("range", "bytes=9999999-")]);
        assert_eq!((head.status, body.len()), (StatusCode::RANGE_NOT_SATISFIABLE, 0));
        let (head, _) = get(&[("if-none-match", &format!("\"{oid}\""))]);
        assert_eq!(head.status, StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn a_file_that_is_shorter_than_it_was_is_no_end() {
        let mut body = FileBody::new(tempfile::tempfile().expect("a file"), 0..5).expect("a body");
        assert!(body.next_piece().is_err());
    }
}
