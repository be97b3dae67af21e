//! Handing files out: whether the client has one already, and which part of it is asked for
//! (RFC 9110, sections 13 and 14).

use crate::address::encode_component;
use http::{HeaderMap, HeaderValue, header};
use std::ops::Range;

/// What of a file is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// Never empty.
    Bytes(Range<u64>),
    /// None of it is there.
    Unsatisfiable,
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

/// The value of `Content-Range` for a part of a file of that size.
pub fn content_range(range: &Range<u64>, size: u64) -> HeaderValue {
    ascii(&format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)))
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
