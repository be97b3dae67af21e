//! Large pages, compressed on their way: a file of 3,000 lines is ten times as long with the marks of its
//! highlighting.
//!
//! What a page says in secret, and what others have it say beside that, must not be compressed together where they
//! can watch the length (the attack called BREACH): a page for somebody who is signed in is compressed only where
//! the browser tells that no other site has sent it here. Small pages are sent as they are: to compress one takes
//! longer than to make it, and they are light anyway.

use crate::limits::PAGE_COMPRESSED_BYTES_MIN;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, header};
use std::io::Write as _;

/// The coding, as HTTP calls it (RFC 9110, section 8.4.1.3).
pub const CODING: HeaderValue = HeaderValue::from_static("gzip");

/// How hard is tried: harder takes twice as long for a twentieth less.
const LEVEL: u32 = 5;

/// Whether a page of that many bytes is compressed for some.
pub fn is_for_some(bytes: usize) -> bool {
    bytes >= PAGE_COMPRESSED_BYTES_MIN
}

/// Whether a page of that many bytes is compressed for whoever sends the request.
pub fn is_for(request: &HeaderMap, bytes: usize) -> bool {
    is_for_some(bytes) && accepts_gzip(request) && (is_anonymous(request) || is_own_wish(request))
}

/// The page, compressed.
pub fn compressed(page: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 8), Compression::new(LEVEL));
    encoder.write_all(page).expect("memory takes what is written");
    encoder.finish().expect("memory takes what is written").into()
}

/// Whether `Accept-Encoding` names gzip, and not with the weight 0 (RFC 9110, section 12.5.3).
fn accepts_gzip(request: &HeaderMap) -> bool {
    let accepted = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight != Some(0.0)
    })
}

fn is_anonymous(request: &HeaderMap) -> bool {
    !request.contains_key(header::COOKIE) && !request.contains_key(header::AUTHORIZATION)
}

/// Whether the browser tells that the request is its user's, or this site's (Fetch Metadata, `Sec-Fetch-Site`).
fn is_own_wish(request: &HeaderMap) -> bool {
    let site = request.get("sec-fetch-site").map(HeaderValue::as_bytes);
    matches!(site, Some(b"none" | b"same-origin"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn whether_a_page_is_compressed() {
        const LARGE: usize = PAGE_COMPRESSED_BYTES_MIN;
        let cases: [(&[(&str, &str)], usize, bool); 12] = [
            (&[("accept-encoding", "gzip, deflate, br")], LARGE, true),
            (&[("accept-encoding", "br, GZIP;q=0.5")], LARGE, true),
            (&[("accept-encoding", "gzip")], LARGE - 1, false),
            (&[("accept-encoding", "gzip;q=0, br")], LARGE, false),
            (&[("accept-encoding", "gzip;q=0.0")], LARGE, false),
            (&[("accept-encoding", "identity, xgzip")], LARGE, false),
            (&[], LARGE, false),
            // Whoever may be told secrets, if no other site watches.
            (&[("accept-encoding", "gzip"), ("cookie", "a=b")], LARGE, false),
            (&[("accept-encoding", "gzip"), ("authorization", "Basic x")], LARGE, false),
            (
                &[("accept-encoding", "gzip"), ("cookie", "a=b"), ("sec-fetch-site", "cross-site")],
                LARGE,
                false,
            ),
            (&[("accept-encoding", "gzip"), ("cookie", "a=b"), ("sec-fetch-site", "none")], LARGE, true),
            (
                &[("accept-encoding", "gzip"), ("cookie", "a=b"), ("sec-fetch-site", "same-origin")],
                LARGE,
                true,
            ),
        ];
        for (headers, bytes, expected) in cases {
            let mut request = HeaderMap::new();
            for (name, value) in headers {
                request.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_for(&request, bytes), expected, "{headers:?} {bytes}");
        }
    }

    #[test]
    fn what_is_compressed_is_the_page() {
        let page = "<td class=\"line\">".repeat(10_000);
        let compressed = compressed(page.as_bytes());
        assert!(compressed.len() < page.len() / 10, "{} bytes", compressed.len());
        let mut text = String::new();
        flate2::read::GzDecoder::new(compressed.as_ref()).read_to_string(&mut text).expect("gzip");
        assert!(text == page);
    }
}
