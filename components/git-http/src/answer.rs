//! Reading request bodies and making responses.

use crate::limits::UPLOAD_REQUEST_BYTES_MAX;
use crate::opening::Denial;
use crate::route::{Refusal, Service};
use crate::upload_pack::{PackBody, Reply};
use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use spin_sdk::http::{BoxBody, FullBody, box_body};
use std::io::Read as _;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What every request is answered with.
pub type Answer = Response<BoxBody>;

/// Reads the body of a request whole, and inflates it if it is compressed.
pub async fn read_body<B>(headers: &HeaderMap, mut body: B) -> Result<Vec<u8>, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let is_gzipped = is_gzipped(headers)?;
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Body("the body is cut off"))?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > UPLOAD_REQUEST_BYTES_MAX {
                return Err(Refusal::TooLarge(UPLOAD_REQUEST_BYTES_MAX));
            }
            bytes.extend_from_slice(&data);
        }
    }
    if is_gzipped { gunzip(&bytes, UPLOAD_REQUEST_BYTES_MAX) } else { Ok(bytes) }
}

/// Whether the body is compressed by gzip; any other coding is refused.
pub fn is_gzipped(headers: &HeaderMap) -> Result<bool, Refusal> {
    match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(false),
        Some(b"gzip" | b"x-gzip") => Ok(true),
        Some(_) => Err(Refusal::ContentEncoding),
    }
}

fn gunzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Refusal> {
    let mut inflated = Vec::new();
    let mut decoder = MultiGzDecoder::new(bytes).take(limit as u64 + 1);
    decoder.read_to_end(&mut inflated).map_err(|_| Refusal::Body("the gzip data is damaged"))?;
    if inflated.len() > limit { Err(Refusal::TooLarge(limit)) } else { Ok(inflated) }
}

/// A reference advertisement.
pub fn advertisement(service: Service, bytes: Vec<u8>) -> Answer {
    let content_type = match service {
        Service::UploadPack => "application/x-git-upload-pack-advertisement",
        Service::ReceivePack => "application/x-git-receive-pack-advertisement",
    };
    git(content_type, box_body(FullBody::new(Bytes::from(bytes))))
}

/// The answer of upload-pack about the repository at `path`.
pub fn reply(reply: Reply, path: &str) -> Answer {
    let body = match reply {
        Reply::Bytes(bytes) => box_body(FullBody::new(Bytes::from(bytes))),
        Reply::Pack(body) => pieces(*body, path),
    };
    git("application/x-git-upload-pack-result", body)
}

/// A pack with what belongs to it, of the repository at `path`, made as it is read.
pub fn pieces(body: PackBody, path: &str) -> BoxBody {
    box_body(Pieces { body: Box::new(body), path: path.to_owned() })
}

/// A response in Git's own protocol, which no cache may keep.
pub fn git(content_type: &'static str, body: BoxBody) -> Answer {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    not_cached(response)
}

/// Says why a request makes no sense.
pub fn refusal(refusal: Refusal) -> Answer {
    let (status, sentence) = match &refusal {
        Refusal::NotFound => return denial(&Denial::NotFound),
        Refusal::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "This address takes another method.".into()),
        Refusal::DumbProtocol => (
            StatusCode::FORBIDDEN,
            "This server speaks Git's smart HTTP protocol only: please use Git 1.6.6 or later.".into(),
        ),
        Refusal::UnknownService => (StatusCode::FORBIDDEN, "There is no such Git service here.".into()),
        Refusal::ContentType(expected) => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("The body has to be of type {expected}."))
        }
        Refusal::ContentEncoding => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body may be compressed by gzip only.".into())
        }
        Refusal::TooLarge(limit) => {
            (StatusCode::PAYLOAD_TOO_LARGE, format!("The body is over the limit of {limit} bytes."))
        }
        Refusal::Body(reason) => (StatusCode::BAD_REQUEST, format!("The request cannot be read: {reason}.")),
    };
    let mut response = plain(status, &sentence);
    if let Refusal::Method(allowed) = refusal {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    }
    response
}

/// Says why the requester may not use a repository, or cannot.
pub fn denial(denial: &Denial) -> Answer {
    let mut response = plain(denial.status(), denial.sentence());
    denial.add_headers(response.headers_mut());
    response
}

/// A sentence for whoever reads it in a terminal.
pub fn plain(status: StatusCode, sentence: &str) -> Answer {
    let mut response = Response::new(box_body(FullBody::new(Bytes::from(format!("{sentence}\n")))));
    *response.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    not_cached(response)
}

fn not_cached(mut response: Answer) -> Answer {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, max-age=0, must-revalidate"));
    headers.insert(header::EXPIRES, HeaderValue::from_static("Fri, 01 Jan 1980 00:00:00 GMT"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// A response that is made as it is read.
struct Pieces {
    body: Box<PackBody>,
    /// The repository's.
    path: String,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = lithe_git::odb::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let piece = match self.body.next_piece() {
            Ok(piece) => piece.map(|bytes| Ok(Frame::data(Bytes::from(bytes)))),
            Err(error) => {
                eprintln!("a pack of {} is broken off: {error}", self.path);
                // A connection that is cut takes along what is still on its way: who has been told
                // why is let read it.
                (!self.body.tells_of_failure()).then_some(Err(error))
            }
        };
        Poll::Ready(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_body_is_read_up_to_the_limit() {
        let read = |len: usize, coding: &'static str| {
            let mut body = vec![b'x'; len];
            if coding == "gzip" {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&body).expect("memory takes it");
                body = encoder.finish().expect("memory takes it");
            }
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
            let body = http_body_util::Full::new(Bytes::from(body));
            futures::executor::block_on(read_body(&headers, body)).map(|bytes| bytes.len())
        };
        for coding in ["identity", "gzip"] {
            assert_eq!(read(UPLOAD_REQUEST_BYTES_MAX, coding), Ok(UPLOAD_REQUEST_BYTES_MAX));
            let past = read(UPLOAD_REQUEST_BYTES_MAX + 1, coding);
            assert_eq!(past, Err(Refusal::TooLarge(UPLOAD_REQUEST_BYTES_MAX)));
        }
        assert_eq!(read(0, "br"), Err(Refusal::ContentEncoding));
    }

    #[test]
    fn gzip_is_inflated_up_to_the_limit() {
        let gzip = |len: usize| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&vec![b'x'; len]).expect("memory takes it");
            encoder.finish().expect("memory takes it")
        };
        assert_eq!(gunzip(&gzip(1000), 1000), Ok(vec![b'x'; 1000]));
        assert_eq!(gunzip(&gzip(1001), 1000), Err(Refusal::TooLarge(1000)));
        let cut = &gzip(1000)[..20];
        assert_eq!(gunzip(cut, 1000), Err(Refusal::Body("the gzip data is damaged")));
    }
}
