//! Handing an object out, whole or in part.

use crate::answer::Answer;
use crate::limits::FILE_NAME_BYTES_MAX;
use http::{HeaderMap, HeaderValue, Method, header};
use lithe_lfs::Oid;
use lithe_web::download;
use std::fs::File;
use std::io;

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
        return Ok(with_headers(download::not_modified(), &etag, name));
    }
    let mut response = download::answer(&Method::GET, request, &etag, size, download::of_file(file))?;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    Ok(with_headers(response, &etag, name))
}

fn with_headers(mut response: Answer, etag: &str, name: Option<&str>) -> Answer {
    let headers = response.headers_mut();
    download::save_as(headers, name.filter(|name| !name.is_empty() && name.len() <= FILE_NAME_BYTES_MAX));
    download::revalidate(headers, etag);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use http_body_util::BodyExt as _;
    use lithe_web::limits::PIECE_BYTES;
    use std::io::{Seek as _, SeekFrom, Write as _};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let value = |value: &str| HeaderValue::from_str(value).expect("ASCII");
        pairs.iter().map(|(name, text)| (http::HeaderName::from_static(name), value(text))).collect()
    }

    #[test]
    fn a_file_is_sent_piece_by_piece() {
        let mut file = tempfile::tempfile().expect("a file");
        let bytes: Vec<u8> = (0..3 * PIECE_BYTES + 3).map(|index| index as u8).collect();
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
}
