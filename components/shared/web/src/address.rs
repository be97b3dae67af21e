//! Addresses: taking a request's path apart, and encoding what goes into a link.

use crate::limits::{PATH_BYTES_MAX, RETURN_ADDRESS_BYTES_MAX};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// All but the unreserved characters of RFC 3986, section 2.3.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// As [`COMPONENT`], with the slashes of a path kept.
const PATH: &AsciiSet = &COMPONENT.remove(b'/');

/// The path of a request, taken apart at the reserved segment `-`: `/<path>/-/<page>/<rest>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// What the page is about: `team/demo`, or empty for the site itself.
    pub path: String,
    /// The segment after `-`; none for the page of the path itself.
    pub page: Option<String>,
    /// What follows the page's segment, without a slash at either end. Bytes, since it may name a file.
    pub rest: Vec<u8>,
}

/// An address that no page has: a broken escape, an empty or dotted segment, a control character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address is malformed")]
pub struct MalformedAddress;

impl Address {
    /// Parses the path of a request (without the query), decoding percent escapes once.
    pub fn parse(path: &str) -> Result<Self, MalformedAddress> {
        if path.len() > PATH_BYTES_MAX {
            return Err(MalformedAddress);
        }
        let path = path.strip_prefix('/').ok_or(MalformedAddress)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments = if path.is_empty() { Vec::new() } else { path.split('/').collect() };
        let marker = segments.iter().position(|segment| *segment == "-");
        let after = match marker {
            Some(marker) => segments.split_off(marker),
            None => Vec::new(),
        };
        let names: Result<Vec<_>, _> = segments.into_iter().map(decode_name).collect();
        let mut after = after.into_iter().skip(1);
        let page = after.next().map(decode_name).transpose()?;
        if marker.is_some() && page.is_none() {
            return Err(MalformedAddress);
        }
        let rest = after.collect::<Vec<_>>().join("/");
        Ok(Self { path: names?.join("/"), page, rest: decode(&rest)? })
    }

    /// What follows the page's segment as text; none if it is not UTF-8.
    pub fn rest_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.rest).ok()
    }
}

/// Decodes one segment of a place's path or a page's name.
fn decode_name(segment: &str) -> Result<String, MalformedAddress> {
    let name = String::from_utf8(decode(segment)?).map_err(|_| MalformedAddress)?;
    let is_bad = name.is_empty()
        || name == "."
        || name == ".."
        || name == "-"
        || name.chars().any(|c| c == '/' || c == '\\' || c.is_control());
    if is_bad { Err(MalformedAddress) } else { Ok(name) }
}

/// Decodes percent escapes (RFC 3986, section 2.1). A broken escape or a NUL is an error.
pub fn decode(text: &str) -> Result<Vec<u8>, MalformedAddress> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let high = bytes.next().and_then(hex_digit).ok_or(MalformedAddress)?;
            let low = bytes.next().and_then(hex_digit).ok_or(MalformedAddress)?;
            high << 4 | low
        } else {
            byte
        };
        if byte == 0 {
            return Err(MalformedAddress);
        }
        decoded.push(byte);
    }
    Ok(decoded)
}

fn hex_digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// Encodes a path for a link, keeping its slashes.
pub fn encode_path(path: impl AsRef<[u8]>) -> String {
    percent_encode(path.as_ref(), PATH).to_string()
}

/// Encodes one segment of a path, or a name or value of a query.
pub fn encode_component(text: impl AsRef<[u8]>) -> String {
    percent_encode(text.as_ref(), COMPONENT).to_string()
}

/// The address if it leads to this site, and nothing a browser could read as another's.
///
/// Browsers take `//host` and, as they read `\` as `/`, `/\host` for another site, and drop tabs and
/// line ends before they look (WHATWG URL, section 4.4).
pub fn return_address(address: &str) -> Option<&str> {
    let is_here = address.starts_with('/')
        && !address.starts_with("//")
        && address.len() <= RETURN_ADDRESS_BYTES_MAX
        && address.chars().all(|c| c != '\\' && c.is_ascii_graphic());
    is_here.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(path: &str, page: Option<&str>, rest: &[u8]) -> Result<Address, MalformedAddress> {
        Ok(Address { path: path.into(), page: page.map(Into::into), rest: rest.into() })
    }

    #[test]
    fn a_path_is_taken_apart_at_the_reserved_segment() {
        let bad = || Err(MalformedAddress);
        let cases = [
            ("/", address("", None, b"")),
            ("/team/demo", address("team/demo", None, b"")),
            ("/team/demo/", address("team/demo", None, b"")),
            ("/-/login", address("", Some("login"), b"")),
            ("/-/admin/users/", address("", Some("admin"), b"users")),
            ("/team/demo/-/tree/main/src/a.rs", address("team/demo", Some("tree"), b"main/src/a.rs")),
            ("/a/-/blob/main/-/x", address("a", Some("blob"), b"main/-/x")),
            ("/a/-/blob/main/%ff%2Fx%25", address("a", Some("blob"), b"main/\xff/x%")),
            ("/caf%C3%A9", address("caf\u{e9}", None, b"")),
            ("/a%252Fb", address("a%2Fb", None, b"")),
            ("", bad()),
            ("a", bad()),
            ("//a", bad()),
            ("/a//b", bad()),
            ("/a/-", bad()),
            ("/a/-/", bad()),
            ("/a/%2D/tree", bad()),
            ("/a%2Fb", bad()),
            ("/a%5Cb", bad()),
            ("/a%", bad()),
            ("/a%4", bad()),
            ("/a%zz", bad()),
            ("/a%00", bad()),
            ("/a%0A", bad()),
            ("/%ff", bad()),
            ("/../a", bad()),
            ("/%2e%2e/a", bad()),
            ("/./a", bad()),
            ("/a/-/blob/main/x%00", bad()),
        ];
        for (path, expected) in cases {
            assert_eq!(Address::parse(path), expected, "{path}");
        }
    }

    #[test]
    fn a_path_has_a_longest() {
        let longest = format!("/{}", "a".repeat(PATH_BYTES_MAX - 1));
        assert!(Address::parse(&longest).is_ok());
        assert_eq!(Address::parse(&format!("{longest}a")), Err(MalformedAddress));
    }

    #[test]
    fn links_are_encoded() {
        assert_eq!(encode_path("a/b c/\u{e9}?#%"), "a/b%20c/%C3%A9%3F%23%25");
        assert_eq!(encode_component("a/b&c=d"), "a%2Fb%26c%3Dd");
        assert_eq!(decode(&encode_path(b"a\xff/\"<b>")), Ok(b"a\xff/\"<b>".to_vec()));
    }

    #[test]
    fn return_addresses_lead_only_to_this_site() {
        let here = ["/", "/team/demo", "/-/account?x=1#y", "/a//b"];
        for address in here {
            assert_eq!(return_address(address), Some(address));
        }
        let elsewhere = [
            "",
            "//evil",
            "https://evil",
            "/\\evil",
            "\\/evil",
            "/\t/evil",
            "/\n",
            "/a b",
            " /a",
            "javascript:alert(1)",
            "a",
            "/\u{e9}",
            "/\0",
        ];
        for address in elsewhere {
            assert_eq!(return_address(address), None, "{address:?}");
        }
        let longest = format!("/{}", "a".repeat(RETURN_ADDRESS_BYTES_MAX - 1));
        assert!(return_address(&longest).is_some());
        assert_eq!(return_address(&format!("{longest}a")), None);
    }
}
