//! Answers that a browser may keep and has to ask about: feeds by what they say, files by their id.

use crate::raw::Disposition;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use lithe_web::answer::Answer;
use lithe_web::download::{self, revalidate};
use lithe_web::{Format, written};
use std::io::{self, Cursor, Read};

/// What a raw file may do in a browser: nothing.
const RAW_POLICY: &str = "sandbox; default-src 'none'";

/// A feed; or, if the client has this very feed, that it has.
pub fn feed(request: &HeaderMap, content_type: &'static str, feed: String) -> Answer {
    let mut answer = written::answer(request, feed.into(), Format::Html);
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
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(&disposition.content_type).map_err(io::Error::other)?,
    );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_file_is_locked_in() {
        let disposition = Disposition { content_type: "image/svg+xml".into(), attachment: None };
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
