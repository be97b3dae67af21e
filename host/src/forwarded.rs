//! Who asked, and by which address, when proxies stand in between.
//!
//! What `Forwarded` (RFC 7239) and `X-Forwarded-*` say counts only as far as it comes from proxies
//! that the operator named; where both speak and do not say the same, neither does. Both lists grow
//! at their ends, so they are read from there: each entry is the word of the hop after it, and the
//! first hop that is no trusted proxy is the client.

use crate::limits::FORWARDED_HOPS_MAX;
use http::HeaderMap;
use http::uri::Authority;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The client's side of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub address: IpAddr,
    /// The same for people; with a port if it is connected directly.
    pub client: String,
    /// Whether the client speaks TLS.
    pub is_https: bool,
    /// The host that the client asked, if a proxy says so.
    pub authority: Option<Authority>,
}

/// Tells where a request comes from that arrived from `peer`.
pub fn origin(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Origin {
    let is_trusted = |address| is_among(address, trusted);
    let direct = Origin { address: peer.ip(), client: peer.to_string(), is_https: false, authority: None };
    if !is_trusted(peer.ip()) {
        return direct;
    }
    let standard = headers.contains_key("forwarded").then(|| through(peer, forwarded(headers), is_trusted));
    let is_older = X_FORWARDED.iter().any(|name| headers.contains_key(*name));
    let older = is_older.then(|| through(peer, x_forwarded(headers), is_trusted));
    match (standard, older) {
        // Most proxies write one and pass on what the client wrote in the other.
        (Some(standard), Some(older)) if standard != older => through(peer, Vec::new(), is_trusted),
        (Some(origin), _) | (None, Some(origin)) => origin,
        (None, None) => through(peer, Vec::new(), is_trusted),
    }
}

/// Whether an address is in one of these networks.
pub fn is_among(address: IpAddr, networks: &[IpNet]) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// Where a request comes from that has passed these hops on its way to the proxy `peer`.
fn through(peer: SocketAddr, hops: Vec<Hop>, is_trusted: impl Fn(IpAddr) -> bool) -> Origin {
    let mut client = peer.ip();
    let mut said = Hop::default();
    for hop in hops.into_iter().rev().take(FORWARDED_HOPS_MAX) {
        if let Some(address) = hop.address {
            client = address.to_canonical();
        }
        let is_last = hop.address.is_none_or(|address| !is_trusted(address));
        said = Hop {
            address: None,
            is_https: hop.is_https.or(said.is_https),
            authority: hop.authority.or(said.authority),
        };
        if is_last {
            break;
        }
    }
    Origin {
        address: client,
        client: client.to_string(),
        is_https: said.is_https.unwrap_or(false),
        authority: said.authority,
    }
}

/// The headers that stand for `Forwarded` with older proxies.
const X_FORWARDED: [&str; 3] = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];

/// What one proxy says about the hop before it.
#[derive(Debug, Default)]
struct Hop {
    /// None: hidden or malformed.
    address: Option<IpAddr>,
    is_https: Option<bool>,
    authority: Option<Authority>,
}

fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    values(headers, "forwarded").map(forwarded_element).collect()
}

fn forwarded_element(element: &str) -> Hop {
    let mut hop = Hop::default();
    for pair in element.split(';') {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "for" => hop.address = address(value),
            "proto" => hop.is_https = is_https(value),
            "host" => hop.authority = authority(value),
            _ => {}
        }
    }
    hop
}

/// `X-Forwarded-Proto` and `-Host` are not lists that grow with the hops: their last values are
/// those of the nearest proxy.
fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let mut hops: Vec<Hop> = values(headers, "x-forwarded-for")
        .map(|value| Hop { address: address(value), ..Hop::default() })
        .collect();
    let nearest = Hop {
        address: hops.pop().and_then(|hop| hop.address),
        is_https: values(headers, "x-forwarded-proto").next_back().and_then(is_https),
        authority: values(headers, "x-forwarded-host").next_back().and_then(authority),
    };
    hops.push(nearest);
    hops
}

/// The entries of a header that is a list, over all its lines.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl DoubleEndedIterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().collect::<Vec<_>>().into_iter();
    lines.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address(value: &str) -> Option<IpAddr> {
    let bracketed = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
    bracketed
        .unwrap_or(value)
        .parse()
        .or_else(|_| value.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
}

fn is_https(value: &str) -> Option<bool> {
    match value {
        _ if value.eq_ignore_ascii_case("https") => Some(true),
        _ if value.eq_ignore_ascii_case("http") => Some(false),
        _ => None,
    }
}

fn authority(value: &str) -> Option<Authority> {
    value.parse().ok().filter(|authority: &Authority| !authority.as_str().contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, headers: &[(&'static str, &str)], expected: (&str, bool, Option<&str>)) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header value"));
        }
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().expect("a network"));
        let origin = origin(peer.parse().expect("an address"), &map, &trusted);
        let authority = origin.authority.as_ref().map(Authority::as_str);
        assert_eq!((&*origin.client, origin.is_https, authority), expected, "{peer} {headers:?}");
    }

    #[test]
    fn strangers_are_not_believed() {
        let claims = [
            ("forwarded", "for=192.0.2.1;proto=https;host=evil"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil"),
        ];
        check("203.0.113.7:1234", &claims, ("203.0.113.7:1234", false, None));
        check("[2001:db8::1]:1234", &claims, ("[2001:db8::1]:1234", false, None));
    }

    #[test]
    fn the_client_is_the_first_hop_from_the_right_that_is_not_trusted() {
        let proxy = "10.0.0.1:80";
        check(proxy, &[], ("10.0.0.1", false, None));
        check(proxy, &[("x-forwarded-for", "192.0.2.1")], ("192.0.2.1", false, None));
        check(proxy, &[("x-forwarded-for", "evil, 192.0.2.1")], ("192.0.2.1", false, None));
        check(proxy, &[("x-forwarded-for", "1.1.1.1, 192.0.2.1, 10.0.0.2")], ("192.0.2.1", false, None));
        check(
            proxy,
            &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "10.0.0.2")],
            ("1.1.1.1", false, None),
        );
        check(proxy, &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")], ("10.0.0.3", false, None));
        check(proxy, &[("x-forwarded-for", "1.1.1.1, nonsense")], ("10.0.0.1", false, None));
        check("[fd00::1]:80", &[("x-forwarded-for", "2001:db8::9")], ("2001:db8::9", false, None));
        check("[::ffff:10.0.0.1]:80", &[("x-forwarded-for", "192.0.2.1:99")], ("192.0.2.1", false, None));
    }

    #[test]
    fn scheme_and_host_come_from_trusted_proxies() {
        let proxy = "10.0.0.1:80";
        check(
            proxy,
            &[
                ("x-forwarded-for", "192.0.2.1"),
                ("x-forwarded-proto", "http, https"),
                ("x-forwarded-host", "git.example:8443"),
            ],
            ("192.0.2.1", true, Some("git.example:8443")),
        );
        check(
            proxy,
            &[(
                "forwarded",
                "for=evil;host=evil, for=\"[2001:db8::9]:4711\";proto=https;host=a, For=10.0.0.2;Proto=http",
            )],
            ("2001:db8::9", true, Some("a")),
        );
        check(proxy, &[("forwarded", "for=unknown;proto=https")], ("10.0.0.1", true, None));
        check(proxy, &[("x-forwarded-proto", "https")], ("10.0.0.1", true, None));
        check(
            proxy,
            &[("x-forwarded-host", "a@b"), ("x-forwarded-proto", "gopher")],
            ("10.0.0.1", false, None),
        );
        check(proxy, &[("x-forwarded-host", "a b")], ("10.0.0.1", false, None));
    }

    #[test]
    fn what_a_client_says_in_the_header_that_no_proxy_writes_does_not_count() {
        let proxy = "10.0.0.1:80";
        let x = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https")];
        let standard = [("forwarded", "for=192.0.2.1;proto=https")];
        for (name, value) in [
            ("forwarded", "for=198.51.100.9;proto=https"),
            ("forwarded", "for=192.0.2.1;proto=http"),
            ("forwarded", "for=192.0.2.1;proto=https;host=evil"),
            ("forwarded", ""),
        ] {
            check(proxy, &[x[0], x[1], (name, value)], ("10.0.0.1", false, None));
        }
        for (name, value) in [("x-forwarded-for", "198.51.100.9"), ("x-forwarded-host", "evil")] {
            check(proxy, &[standard[0], (name, value)], ("10.0.0.1", false, None));
        }
        check(proxy, &[x[0], x[1], standard[0]], ("192.0.2.1", true, None));
    }

    #[test]
    fn endless_lists_are_cut() {
        let list = vec!["10.0.0.2"; 1000].join(",");
        check("10.0.0.1:80", &[("x-forwarded-for", &format!("1.1.1.1,{list}"))], ("10.0.0.2", false, None));
    }
}
