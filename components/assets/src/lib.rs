//! The component `assets`: style sheet, script and icon, from bytes embedded when it was built.
//!
//! A file's address carries the fingerprint of its contents, so browsers may keep it for good. A
//! page of a component that was built with other contents gets the present ones, not to be kept:
//! components are replaced one at a time. It imports nothing of `lithe:forge` and has no mount.

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use spin_sdk::http::{FullBody, Request};

/// What this component answers.
type Answer = Response<FullBody<Bytes>>;

/// A file under its public name, with its contents in each encoding.
struct StaticFile {
    /// `lithe.<fingerprint>.css`.
    name: &'static str,
    identity: &'static [u8],
    gzip: &'static [u8],
    brotli: &'static [u8],
}

const FILES: &[StaticFile] = &include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// Answers a request. Only the component exports it to the host; natively it is there to be compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Answer {
    answer(request.method(), request.uri().path(), request.headers())
}

/// The one route: `/-/static/<name>`.
fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Answer {
    let name = path.strip_prefix("/-/static/").unwrap_or_default();
    let Some(file) = FILES.iter().find(|file| file.is_called(name)) else {
        return text(StatusCode::NOT_FOUND, "There is no such file.\n");
    };
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are possible here.\n");
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let (encoding, contents) = file.best(headers);
    let tag = format!("\"{}{}\"", file.name, encoding.map(|e| format!("-{e}")).unwrap_or_default());
    let is_known = headers.get(IF_NONE_MATCH).is_some_and(|tags| matches_tag(tags, &tag));
    let mut answer = Response::new(FullBody::new(match is_known {
        true => Bytes::new(),
        false => Bytes::from_static(contents),
    }));
    let mut set = |name: HeaderName, value: &str| {
        let value = HeaderValue::from_str(value).expect("a static file's headers are ASCII");
        answer.headers_mut().insert(name, value);
    };
    set(
        CACHE_CONTROL,
        match file.name == name {
            true => "public, max-age=31536000, immutable",
            false => "no-cache",
        },
    );
    set(ETAG, &tag);
    set(VARY, "Accept-Encoding");
    if is_known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        return answer;
    }
    set(CONTENT_TYPE, file.content_type());
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    // An image may be opened as a page of its own.
    set(CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    set(CONTENT_LENGTH, &contents.len().to_string());
    if let Some(encoding) = encoding {
        set(CONTENT_ENCODING, encoding);
    }
    answer
}

impl StaticFile {
    /// Whether this is the file's name, with its own or another fingerprint.
    fn is_called(&self, name: &str) -> bool {
        let (own, asked) = (parts(self.name), parts(name));
        own.zip(asked).is_some_and(|((stem, own, extension), asked)| {
            let is_hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let is_fingerprint = asked.1.len() == own.len() && asked.1.bytes().all(is_hex);
            (asked.0, asked.2) == (stem, extension) && is_fingerprint
        })
    }

    fn content_type(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("txt") => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        }
    }

    /// The smallest encoding that the client takes.
    fn best(&self, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        let accepted = accepted.unwrap_or_default();
        let encodings = [(Some("br"), self.brotli), (Some("gzip"), self.gzip), (None, self.identity)];
        let possible = encodings
            .into_iter()
            .filter(|(encoding, _)| encoding.is_none_or(|encoding| accepts(accepted, encoding)));
        possible.min_by_key(|(_, contents)| contents.len()).unwrap_or((None, self.identity))
    }
}

/// Stem, fingerprint and extension of a public name.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (stem, rest) = name.split_once('.')?;
    let (fingerprint, extension) = rest.split_once('.')?;
    Some((stem, fingerprint, extension))
}

/// Whether `Accept-Encoding` names the coding, and not with the weight 0 (RFC 9110, section 12.5.3).
fn accepts(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let is_refused = parts
            .filter_map(|part| part.strip_prefix("q="))
            .any(|weight| weight.parse::<f32>().is_ok_and(|weight| weight == 0.0));
        is_named && !is_refused
    })
}

/// Whether `If-None-Match` names the tag (RFC 9110, section 13.1.2).
fn matches_tag(tags: &HeaderValue, tag: &str) -> bool {
    let tags = tags.to_str().unwrap_or_default();
    tags.split(',').any(|item| {
        let item = item.trim();
        item == "*" || item.strip_prefix("W/").unwrap_or(item) == tag
    })
}

fn text(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(FullBody::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(name: &str, headers: &[(HeaderName, &str)]) -> Answer {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        answer(&Method::GET, &format!("/-/static/{name}"), &headers)
    }

    fn file(name: &str) -> &'static StaticFile {
        let (stem, extension) = name.split_once('.').expect("a name with an extension");
        let is_it = |file: &&StaticFile| {
            parts(file.name).is_some_and(|(own, _, ending)| (own, ending) == (stem, extension))
        };
        FILES.iter().find(is_it).expect("there is such a file")
    }

    fn style() -> &'static StaticFile {
        file("lithe.css")
    }

    #[test]
    fn files_are_served_for_good_with_their_type() {
        for file in FILES {
            let answer = get(file.name, &[]);
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.headers()[CONTENT_LENGTH], file.identity.len().to_string());
            assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
            assert_ne!(answer.headers()[CONTENT_TYPE], "application/octet-stream");
        }
        assert_eq!(FILES.len(), 6);
    }

    #[test]
    fn the_editor_is_built_of_the_packages_that_are_named_and_ships_their_licences() {
        let package = include_str!("../editor/package.json");
        let dependencies =
            package.split("\"dependencies\": {").nth(1).and_then(|rest| rest.split('}').next());
        let mut words = dependencies.expect("the packages").split('"').skip(1).step_by(2);
        let licences = str::from_utf8(file("editor-licences.txt").identity).expect("text");
        let mut count = 0;
        while let (Some(name), Some(version)) = (words.next(), words.next()) {
            count += 1;
            for built in ["editor.js", "editor.css"] {
                let built = str::from_utf8(file(built).identity).expect("text");
                assert!(built.starts_with("/* ") && built.contains(&format!("{name} {version}")), "{name}");
            }
            assert!(
                licences.contains(&format!("{name} {version}\n"))
                    && licences.contains("Permission is hereby granted")
            );
            let locked = format!("\"node_modules/{name}\": {{\n      \"version\": \"{version}\"");
            assert!(
                include_str!("../editor/package-lock.json").contains(&locked),
                "{name} is locked at {version}"
            );
        }
        assert_eq!(count, 1);
    }

    /// The most that styles and scripts of a page take, compressed, in bytes.
    const STATIC_BYTES_MAX: usize = 60_000;

    #[test]
    fn a_page_with_the_editor_is_light() {
        let bytes: usize = ["lithe.css", "lithe.js", "editor.css", "editor.js"]
            .map(|name| file(name).brotli.len())
            .iter()
            .sum();
        assert!(bytes <= STATIC_BYTES_MAX, "{bytes} bytes");
    }

    #[test]
    fn what_is_not_a_file_is_not_found() {
        for name in [
            "",
            "lithe.css",
            "../lib.rs",
            "lithe.0.css",
            "lithe.gggggggggggggggg.css",
            "x.0000000000000000.css",
            "%2e%2e",
        ] {
            assert_eq!(get(name, &[]).status(), 404, "{name}");
        }
        assert_eq!(answer(&Method::POST, "/-/static/x", &HeaderMap::new()).status(), 404);
        let path = format!("/-/static/{}", style().name);
        let refused = answer(&Method::POST, &path, &HeaderMap::new());
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()[ALLOW]),
            (405, &HeaderValue::from_static("GET, HEAD"))
        );
    }

    #[test]
    fn a_page_built_with_another_style_sheet_gets_the_present_one() {
        let answer = get("lithe.0123456789abcdef.css", &[]);
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-cache");
        assert_eq!(answer.headers()[ETAG], get(style().name, &[]).headers()[ETAG]);
    }

    #[test]
    fn the_client_chooses_the_encoding() {
        let cases = [
            ("", None),
            ("gzip", Some("gzip")),
            ("gzip, deflate, br", Some("br")),
            ("br;q=0, GZIP;q=0.5", Some("gzip")),
            ("identity", None),
            ("brotli", None),
        ];
        for (accepted, expected) in cases {
            let answer = get(style().name, &[(ACCEPT_ENCODING, accepted)]);
            let encoding = answer.headers().get(CONTENT_ENCODING).map(|v| v.to_str().unwrap());
            assert_eq!(encoding, expected, "{accepted}");
        }
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let tag = get(style().name, &[]).headers()[ETAG].to_str().unwrap().to_owned();
        for tags in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            assert_eq!(get(style().name, &[(IF_NONE_MATCH, &tags)]).status(), 304, "{tags}");
        }
        assert_eq!(get(style().name, &[(IF_NONE_MATCH, "\"x\"")]).status(), 200);
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        for file in FILES.iter().filter(|file| !file.name.ends_with(".txt")) {
            let text = std::str::from_utf8(file.identity).expect("text");
            let text = text.replace("http://www.w3.org/2000/svg", "");
            assert!(
                !text.contains("http:") && !text.contains("https:") && !text.contains("@import"),
                "{}",
                file.name
            );
        }
    }
}
