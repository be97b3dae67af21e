//! Who makes a request: the credentials and the client, as its headers give them.

use crate::passwords;
use crate::types::{BasicCredentials, Client, Credentials, Error};
use base64::Engine as _;
use http::{HeaderMap, header};
use std::cell::RefCell;

/// The name of the session cookie; over https it carries the prefix `__Host-` (RFC 6265bis).
pub const SESSION_COOKIE: &str = "lithe_session";

const USER_AGENT_BYTES_MAX: usize = 256;

/// Who makes a request. Made once a request, and passed to every call of the store.
pub struct Requester {
    credentials: RefCell<Credentials>,
    client: Client,
}

impl Requester {
    /// Reads `Authorization`, else the session cookie, and the headers that the host sets.
    ///
    /// Authorization that is malformed or of an unknown scheme counts as wrong credentials, not as none.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let credentials = match text("authorization") {
            Some(value) => authorization(value),
            None if headers.contains_key(header::AUTHORIZATION) => wrong(),
            None => match session_cookie(headers) {
                Some(token) => Credentials::Session(token.to_owned()),
                None => Credentials::Anonymous,
            },
        };
        let mut user_agent = text("user-agent").unwrap_or_default().to_owned();
        user_agent.truncate(USER_AGENT_BYTES_MAX); // `to_str` lets only ASCII through.
        let address = host_header(headers, "spin-client-addr").unwrap_or_default();
        let address = match address.parse::<std::net::SocketAddr>() {
            Ok(socket) => socket.ip().to_canonical().to_string(),
            Err(_) => address.to_owned(),
        };
        Self { credentials: RefCell::new(credentials), client: Client { address, user_agent } }
    }

    /// Whether the request brought nothing to say who makes it.
    pub fn is_anonymous(&self) -> bool {
        matches!(*self.credentials.borrow(), Credentials::Anonymous)
    }

    /// The session's token, if the request was made in a session.
    pub fn session(&self) -> Option<String> {
        match &*self.credentials.borrow() {
            Credentials::Session(token) => Some(token.clone()),
            _ => None,
        }
    }

    /// From where the request came.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Calls a function of the store with the credentials, and proves the password where it asks for that.
    pub fn call<T>(&self, function: impl Fn(&Credentials, &Client) -> Result<T, Error>) -> Result<T, Error> {
        let answer = function(&self.credentials.borrow(), &self.client);
        let Err(Error::ProofRequired(challenge)) = answer else {
            return answer;
        };
        let Credentials::Basic(basic) = self.credentials.borrow().clone() else {
            return Err(Error::Unauthenticated);
        };
        let proof = passwords::prove(&challenge, &basic.password)?;
        self.credentials.replace(Credentials::Proof(proof));
        function(&self.credentials.borrow(), &self.client)
    }
}

/// Whether the browser reached the site over https, by the address that the host says was asked for.
pub fn is_https(headers: &HeaderMap) -> bool {
    host_header(headers, "spin-full-url").is_some_and(|url| url.starts_with("https:"))
}

/// The value of a header that the host adds to a request.
///
/// It is the last of that name: Spin leaves what the client sent under the same name, before its own.
pub fn host_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get_all(name).iter().next_back().and_then(|value| value.to_str().ok())
}

fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let secure = is_https(headers);
    let is_session = |name: &str| match name.strip_prefix("__Host-") {
        Some(name) => secure && name == SESSION_COOKIE,
        None => !secure && name == SESSION_COOKIE,
    };
    cookies(headers).find(|(name, _)| is_session(name)).map(|(_, value)| value)
}

/// The cookies that came with a request, by name and value.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

fn authorization(value: &str) -> Credentials {
    let Some((scheme, rest)) = value.trim().split_once(' ') else {
        return wrong();
    };
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Credentials::Bearer(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return wrong();
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(rest).ok();
    match decoded
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .as_deref()
        .and_then(|pair| pair.split_once(':'))
    {
        Some((login, password)) => {
            Credentials::Basic(BasicCredentials { login: login.to_owned(), password: password.to_owned() })
        }
        None => wrong(),
    }
}

/// Credentials that no account has.
fn wrong() -> Credentials {
    Credentials::Bearer(String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requester(headers: &[(&'static str, &str)]) -> Credentials {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header value"));
        }
        Requester::from_headers(&map).credentials.into_inner()
    }

    #[test]
    fn what_a_client_sends_in_the_place_of_the_host_does_not_count() {
        let mut headers = HeaderMap::new();
        for value in ["192.0.2.1:1", "203.0.113.7:4711"] {
            headers.append("spin-client-addr", value.parse().expect("a header value"));
        }
        assert_eq!(Requester::from_headers(&headers).client().address, "203.0.113.7");
        for value in ["https://evil.example/", "http://h.example/"] {
            headers.append("spin-full-url", value.parse().expect("a header value"));
        }
        assert!(!is_https(&headers));
    }

    #[test]
    fn credentials_come_from_the_headers() {
        let cases: &[(&[(&'static str, &str)], Credentials)] = &[
            (&[], Credentials::Anonymous),
            (&[("cookie", "a=b; lithe_session=t")], Credentials::Session("t".into())),
            (&[("cookie", "__Host-lithe_session=t")], Credentials::Anonymous),
            (
                &[("cookie", "lithe_session=u; __Host-lithe_session=t"), ("spin-full-url", "https://h/")],
                Credentials::Session("t".into()),
            ),
            (
                &[("authorization", "Bearer t"), ("cookie", "lithe_session=u")],
                Credentials::Bearer("t".into()),
            ),
            (
                &[("authorization", "basic YTpiOmM=")],
                Credentials::Basic(BasicCredentials { login: "a".into(), password: "b:c".into() }),
            ),
            (&[("authorization", "Basic ?")], wrong()),
            (&[("authorization", "Digest x")], wrong()),
        ];
        for (headers, expected) in cases {
            assert_eq!(&requester(headers), expected, "{headers:?}");
        }
    }
}
