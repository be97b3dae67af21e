//! What a request asks for, by its method, path and type.

use crate::refusal::Refusal;
use http::request::Parts;
use http::{HeaderValue, Method, header};
use lithe_access::Address;
use lithe_lfs::Oid;
use lithe_web::address::decode;

/// The type of every request and answer in JSON.
pub const MEDIA_TYPE: &str = "application/vnd.git-lfs+json";

/// What stands between a repository's address and an endpoint.
const MARKER: &str = "/info/lfs/";

/// A request that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The repository's path or permanent address, `.git` taken off.
    pub path: String,
    pub endpoint: Endpoint,
}

/// What of a repository is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST objects/batch`
    Batch,
    /// `POST objects/verify`
    Verify,
    /// `GET objects/<oid>`
    Download(Oid),
    /// `PUT objects/<oid>`
    Upload(Oid),
    /// `GET locks`
    ListLocks,
    /// `POST locks`
    TakeLock,
    /// `POST locks/verify`
    VerifyLocks,
    /// `POST locks/<id>/unlock`; none: a number that no lock has.
    ReleaseLock(Option<u64>),
}

impl Route {
    /// Reads the head of a request.
    pub fn of(head: &Parts) -> Result<Self, Refusal> {
        let path = decode(head.uri.path()).ok().and_then(|path| String::from_utf8(path).ok());
        let path = path.ok_or(Refusal::NotFound)?;
        let (path, rest) = path.split_once(MARKER).ok_or(Refusal::NotFound)?;
        let path = repository_path(path)?;
        let endpoint = endpoint(rest, &head.method)?;
        let is_in_json = head.method == Method::POST;
        if is_in_json && !is_media_type(head.headers.get(header::CONTENT_TYPE)) {
            return Err(Refusal::ContentType);
        }
        Ok(Self { path, endpoint })
    }
}

fn endpoint(rest: &str, method: &Method) -> Result<Endpoint, Refusal> {
    let is_get = matches!(*method, Method::GET | Method::HEAD);
    let post = |endpoint| match *method {
        Method::POST => Ok(endpoint),
        _ => Err(Refusal::Method("POST")),
    };
    match rest.split('/').collect::<Vec<_>>()[..] {
        ["objects", "batch"] => post(Endpoint::Batch),
        ["objects", "verify"] => post(Endpoint::Verify),
        ["objects", oid] => {
            let oid = Oid::parse(oid).ok_or(Refusal::NotFound)?;
            match *method {
                _ if is_get => Ok(Endpoint::Download(oid)),
                Method::PUT => Ok(Endpoint::Upload(oid)),
                _ => Err(Refusal::Method("GET, HEAD, PUT")),
            }
        }
        ["locks"] if is_get => Ok(Endpoint::ListLocks),
        ["locks"] if *method == Method::POST => Ok(Endpoint::TakeLock),
        ["locks"] => Err(Refusal::Method("GET, HEAD, POST")),
        ["locks", "verify"] => post(Endpoint::VerifyLocks),
        ["locks", id, "unlock"] => post(Endpoint::ReleaseLock(id.parse().ok())),
        _ => Err(Refusal::NotFound),
    }
}

/// Checks `/team/demo.git`; returns the path or permanent address in its only form.
fn repository_path(path: &str) -> Result<String, Refusal> {
    Address::of_request(path).map(|address| address.to_string()).map_err(|_| Refusal::NotFound)
}

/// Whether a body is of the API's type, with or without parameters. No page of another site can make
/// a browser send that without asking first.
fn is_media_type(value: Option<&HeaderValue>) -> bool {
    let value = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(MEDIA_TYPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, uri: &str, content_type: &str) -> Result<Route, Refusal> {
        let request = http::Request::builder().method(method).uri(uri).header("content-type", content_type);
        Route::of(&request.body(()).expect("a request").into_parts().0)
    }

    fn oid() -> Oid {
        Oid::parse(&"ab".repeat(32)).expect("a name")
    }

    #[test]
    fn requests_are_understood_or_refused() {
        let ok = |path: &str, endpoint| Ok(Route { path: path.into(), endpoint });
        let object = format!("/a.git/info/lfs/objects/{}", oid());
        let cases = [
            ("POST", "/a/b.git/info/lfs/objects/batch", MEDIA_TYPE, ok("a/b", Endpoint::Batch)),
            (
                "POST",
                "/a/info/lfs/objects/batch",
                "Application/vnd.git-lfs+json; charset=utf-8",
                ok("a", Endpoint::Batch),
            ),
            ("POST", "/_7.git/info/lfs/objects/verify", MEDIA_TYPE, ok("_7", Endpoint::Verify)),
            ("GET", &object, "", ok("a", Endpoint::Download(oid()))),
            ("HEAD", &object, "", ok("a", Endpoint::Download(oid()))),
            ("PUT", &object, "image/png", ok("a", Endpoint::Upload(oid()))),
            ("DELETE", &object, "", Err(Refusal::Method("GET, HEAD, PUT"))),
            ("GET", "/a/info/lfs/locks?limit=1", "", ok("a", Endpoint::ListLocks)),
            ("POST", "/a/info/lfs/locks", MEDIA_TYPE, ok("a", Endpoint::TakeLock)),
            ("POST", "/a/info/lfs/locks/verify", MEDIA_TYPE, ok("a", Endpoint::VerifyLocks)),
            ("POST", "/a/info/lfs/locks/12/unlock", MEDIA_TYPE, ok("a", Endpoint::ReleaseLock(Some(12)))),
            ("POST", "/a/info/lfs/locks/-1/unlock", MEDIA_TYPE, ok("a", Endpoint::ReleaseLock(None))),
            ("PUT", "/a/info/lfs/locks", "", Err(Refusal::Method("GET, HEAD, POST"))),
            ("GET", "/a/info/lfs/locks/verify", "", Err(Refusal::Method("POST"))),
            ("GET", "/a/info/lfs/objects/batch", "", Err(Refusal::Method("POST"))),
            ("POST", "/a/info/lfs/objects/batch", "application/json", Err(Refusal::ContentType)),
            ("POST", "/a/info/lfs/objects/batch", "text/plain", Err(Refusal::ContentType)),
            ("POST", "/a/info/lfs/locks", "", Err(Refusal::ContentType)),
            ("GET", "/a/info/lfs/objects/ABC", "", Err(Refusal::NotFound)),
            ("GET", "/a/info/lfs/objects", "", Err(Refusal::NotFound)),
            ("GET", "/a/info/lfs/", "", Err(Refusal::NotFound)),
            ("GET", "/a/info/lfs", "", Err(Refusal::NotFound)),
            ("GET", "/info/lfs/locks", "", Err(Refusal::NotFound)),
        ];
        for (method, uri, content_type, expected) in cases {
            assert_eq!(route(method, uri, content_type), expected, "{method} {uri} {content_type}");
        }
    }

    #[test]
    fn paths_that_cannot_be_a_repository_are_not_found() {
        for path in [
            "/..",
            "/a/../b",
            "/%2e%2e/b",
            "/.",
            "//a",
            "/a//b",
            "/-",
            "/a/-/b",
            "/a%00",
            "/%ff",
            "/a%2F..%2Fb",
        ] {
            assert_eq!(route("GET", &format!("{path}/info/lfs/locks"), ""), Err(Refusal::NotFound), "{path}");
        }
    }
}
