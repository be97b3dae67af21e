//! Handing an object out, whole or in part.

use crate::answer::{self, Answer};
use crate::limits::{FILE_NAME_BYTES_MAX, PIECE_BYTES};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use lithe_lfs::Oid;
use lithe_web::download::{self, Part};
use spin_sdk::http::box_body;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The object in `file`, which has `size` bytes; `name` is what to save it by.
pub fn answer(
    request: &HeaderMap,
    oid: &Oid,
    name: Option<&str>,
    file: File,
    size: u64,
) -> io::Result<Answer> {
    let etag = format!("\"{oid}\"");
    if download::is_known(request, &etag) {
        return Ok(with_headers(answer::empty(StatusCode::NOT_MODIFIED), &etag, name));
    }
    let (status, range) = match download::part(request, &etag, size) {
        Part::Whole => (StatusCode::OK, 0..size),
        Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::Unsatisfiable => {
            let mut response = answer::empty(StatusCode::RANGE_NOT_SATISFIABLE);
            response.headers_mut().insert(header::CONTENT_RANGE, download::no_content_range(size));
            return Ok(response);
        }
    };
    let length = range.end - range.start;
    let content_range = download::content_range(&range, size);
    let mut response = Response::new(box_body(FileBody::new(file, range)?));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if status == StatusCode::PARTIAL_CONTENT {
        headers.insert(header::CONTENT_RANGE, content_range);
    }
    Ok(with_headers(response, &etag, name))
}

fn with_headers(mut response: Answer, etag: &str, name: Option<&str>) -> Answer {
    let headers = response.headers_mut();
    download::save_as(headers, name.filter(|name| !name.is_empty() && name.len() <= FILE_NAME_BYTES_MAX));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    download::revalidate(headers, etag);
    response
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
        let value = |value: &str| HeaderValue::from_str(value).expect("ASCII");
        pairs.iter().map(|(name, text)| (http::HeaderName::from_static(name), value(text))).collect()
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
