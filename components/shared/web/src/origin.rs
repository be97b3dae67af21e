//! Whether a request was sent by a page of this site.
//!
//! Forms of a session carry a secret. Forms before there is a session (sign-in, registration)
//! have none, and a foreign page could send one to sign a visitor in as somebody else. Every
//! browser says where such a request comes from: by `Sec-Fetch-Site` (Fetch Metadata, over https
//! and to local addresses) or by `Origin` (Fetch, with every POST). A client that sends neither
//! is not a browser, and nobody was led into its request.

use http::{HeaderMap, Uri, header};
use lithe_forge::host_header;

/// Whether a request that changes something may be taken: it comes from a page of this site, or
/// from a client that is not a browser.
pub fn is_own(headers: &HeaderMap, uri: &Uri) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    match (origin.as_ref().and_then(Uri::authority), own_authority(headers, uri)) {
        (Some(origin), Some(own)) => origin.as_str().eq_ignore_ascii_case(&own),
        _ => false,
    }
}

/// Host and port that the client asked for: in the address that the host program gave the request,
/// else in a header.
///
/// The scheme is left out, since a proxy that takes https may pass on http.
fn own_authority(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let full = host_header(headers, "spin-full-url").and_then(|url| url.parse::<Uri>().ok());
    uri.authority()
        .or(full.as_ref().and_then(Uri::authority))
        .map(|authority| authority.as_str().to_owned())
        .or_else(|| headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_pages_are_told_from_own_ones() {
        let own = ("spin-full-url", "http://h.example:8000/-/login");
        let cases: &[(&[(&'static str, &str)], bool)] = &[
            (&[own], true),
            (&[own, ("origin", "http://h.example:8000")], true),
            (&[own, ("origin", "http://H.Example:8000")], true),
            (&[own, ("origin", "https://h.example:8000")], true),
            (&[own, ("origin", "http://h.example")], false),
            (&[own, ("origin", "http://evil.example")], false),
            (&[own, ("origin", "null")], false),
            (&[own, ("origin", "")], false),
            (&[own, ("sec-fetch-site", "same-origin"), ("origin", "null")], true),
            (&[own, ("sec-fetch-site", "none")], true),
            (&[own, ("sec-fetch-site", "same-site")], false),
            (&[own, ("sec-fetch-site", "cross-site"), ("origin", "http://h.example:8000")], false),
            (&[("host", "h.example"), ("origin", "http://h.example")], true),
            (&[("origin", "http://h.example")], false),
        ];
        for (headers, expected) in cases {
            let mut map = HeaderMap::new();
            for (name, value) in *headers {
                map.insert(*name, value.parse().unwrap());
            }
            assert_eq!(is_own(&map, &Uri::from_static("/-/login")), *expected, "{headers:?}");
        }
    }
}
