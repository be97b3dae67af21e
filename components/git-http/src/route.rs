//! What a request asks for, by its method, path, query and type.

use bstr::BString;
use http::request::Parts;
use http::{Method, header};
use lithe_access::Address;
use lithe_web::address::decode;

/// One of Git's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    UploadPack,
    ReceivePack,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `GET …/info/refs?service=…`
    Advertisement(Service),
    /// `POST …/git-upload-pack` or `…/git-receive-pack`
    Call(Service),
    /// `GET …/-/bundle` or `…/-/bundle/<ref>`
    Bundle(Option<BString>),
}

/// A request that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The repository's path or permanent address, `.git` taken off.
    pub path: String,
    pub endpoint: Endpoint,
}

/// Why a request makes no sense, whoever makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There cannot be a repository at that path.
    NotFound,
    /// The method is not the one that the address takes.
    Method(&'static str),
    /// The protocol of Git clients older than 1.6.6, by plain files.
    DumbProtocol,
    UnknownService,
    /// The body is not of the service's type.
    ContentType(&'static str),
    /// The body is compressed in a way that is not understood.
    ContentEncoding,
    /// The body is over a limit, in bytes.
    TooLarge(usize),
    /// The body is cut off or damaged.
    Body(&'static str),
}

impl Service {
    /// `git-upload-pack` or `git-receive-pack`.
    pub fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::UploadPack, Self::ReceivePack].into_iter().find(|service| service.name() == name)
    }

    fn request_type(self) -> &'static str {
        match self {
            Self::UploadPack => "application/x-git-upload-pack-request",
            Self::ReceivePack => "application/x-git-receive-pack-request",
        }
    }
}

impl Route {
    /// Reads the head of a request.
    pub fn of(head: &Parts) -> Result<Self, Refusal> {
        let encoded = head.uri.path();
        if encoded.contains("/-/") {
            return Self::of_page(head, encoded);
        }
        let path = percent_decode(encoded).ok_or(Refusal::NotFound)?;
        if let Some(path) = path.strip_suffix("/info/refs") {
            let path = repository_path(path)?;
            require_get(head)?;
            let service = match parameter(head.uri.query().unwrap_or_default(), "service") {
                None => return Err(Refusal::DumbProtocol),
                Some(name) => Service::of(&name).ok_or(Refusal::UnknownService)?,
            };
            return Ok(Self { path, endpoint: Endpoint::Advertisement(service) });
        }
        let (path, name) = path.rsplit_once('/').ok_or(Refusal::NotFound)?;
        let service = Service::of(name).ok_or(Refusal::NotFound)?;
        let path = repository_path(path)?;
        if head.method != Method::POST {
            return Err(Refusal::Method("POST"));
        }
        let content_type = head.headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        if content_type != service.request_type().as_bytes() {
            return Err(Refusal::ContentType(service.request_type()));
        }
        Ok(Self { path, endpoint: Endpoint::Call(service) })
    }

    /// Reads an address as pages have it, `/<path>/-/<page>/<rest>`.
    fn of_page(head: &Parts, encoded: &str) -> Result<Self, Refusal> {
        let address = lithe_web::Address::parse(encoded).map_err(|_| Refusal::NotFound)?;
        let path = repository_path(&format!("/{}", address.path))?;
        if address.page.as_deref() != Some("bundle") {
            return Err(Refusal::NotFound);
        }
        require_get(head)?;
        let name = (!address.rest.is_empty()).then(|| address.rest.into());
        Ok(Self { path, endpoint: Endpoint::Bundle(name) })
    }
}

fn require_get(head: &Parts) -> Result<(), Refusal> {
    match head.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(Refusal::Method("GET, HEAD")),
    }
}

/// Checks `/team/demo.git`; returns the path or permanent address in its only form.
fn repository_path(path: &str) -> Result<String, Refusal> {
    Address::of_request(path).map(|address| address.to_string()).map_err(|_| Refusal::NotFound)
}

/// The first parameter of that name in a query.
fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| percent_decode(value).unwrap_or_default()).next()
}

/// Decodes once. None: it is not UTF-8, or not well formed.
fn percent_decode(text: &str) -> Option<String> {
    String::from_utf8(decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, uri: &str, content_type: &str) -> Result<Route, Refusal> {
        let request = http::Request::builder().method(method).uri(uri).header("content-type", content_type);
        Route::of(&request.body(()).expect("a request").into_parts().0)
    }

    #[test]
    fn requests_are_understood_or_refused() {
        use Endpoint::{Advertisement, Call};
        use Service::{ReceivePack, UploadPack};
        let ok = |path: &str, endpoint| Ok(Route { path: path.into(), endpoint });
        let bundle = |path: &str, name: Option<&str>| ok(path, Endpoint::Bundle(name.map(BString::from)));
        let upload = "application/x-git-upload-pack-request";
        let receive = "application/x-git-receive-pack-request";
        let cases = [
            ("GET", "/a/b.git/info/refs?service=git-upload-pack", "", ok("a/b", Advertisement(UploadPack))),
            ("GET", "/a/info/refs?x=1&service=git-receive-pack", "", ok("a", Advertisement(ReceivePack))),
            ("HEAD", "/_7.git/info/refs?service=git%2Dupload-pack", "", ok("_7", Advertisement(UploadPack))),
            ("POST", "/a/b/git-upload-pack", upload, ok("a/b", Call(UploadPack))),
            ("POST", "/%61/b.git/git-receive-pack", receive, ok("a/b", Call(ReceivePack))),
            ("GET", "/a/info/refs", "", Err(Refusal::DumbProtocol)),
            ("GET", "/a/info/refs?service=git-upload-archive", "", Err(Refusal::UnknownService)),
            ("GET", "/a/info/refs?service=", "", Err(Refusal::UnknownService)),
            ("POST", "/a/info/refs?service=git-upload-pack", "", Err(Refusal::Method("GET, HEAD"))),
            ("GET", "/a/git-upload-pack", "", Err(Refusal::Method("POST"))),
            ("POST", "/a/git-upload-pack", receive, Err(Refusal::ContentType(upload))),
            ("POST", "/a/git-receive-pack", "", Err(Refusal::ContentType(receive))),
            ("GET", "/a/b/-/bundle", "", bundle("a/b", None)),
            ("HEAD", "/a/b.git/-/bundle/", "", bundle("a/b", None)),
            ("GET", "/_7/-/bundle/feature/%78%23", "", bundle("_7", Some("feature/x#"))),
            ("POST", "/a/-/bundle", "", Err(Refusal::Method("GET, HEAD"))),
            ("GET", "/a/-/bundles", "", Err(Refusal::NotFound)),
            ("GET", "/a/-/bundle/a%00", "", Err(Refusal::NotFound)),
            ("GET", "/-/bundle", "", Err(Refusal::NotFound)),
            ("GET", "/a/../b/-/bundle", "", Err(Refusal::NotFound)),
            ("GET", "/a/HEAD", "", Err(Refusal::NotFound)),
            ("GET", "/info/refs?service=git-upload-pack", "", Err(Refusal::NotFound)),
        ];
        for (method, uri, content_type, expected) in cases {
            assert_eq!(route(method, uri, content_type), expected, "{method} {uri}");
        }
    }

    #[test]
    fn paths_that_cannot_be_a_repository_are_not_found() {
        for path in [
            "/..",
            "/a/../b",
            "/%2e%2e/b",
            "/a/%2e%2e",
            "/.",
            "//a",
            "/a//b",
            "/-",
            "/-/login",
            "/a/-/b",
            "/a%00",
            "/%ff",
            "/%",
            "/%2",
            "/%zz",
            "/a%2F..%2Fb",
            "/a%5cb",
            "/a/.git",
            "/.git",
            "/%252e%252e",
            "/a%0a",
            "/a b",
        ] {
            let uri = format!("{}/info/refs?service=git-upload-pack", path.replace(' ', "%20"));
            assert_eq!(route("GET", &uri, ""), Err(Refusal::NotFound), "{path}");
        }
    }
}
