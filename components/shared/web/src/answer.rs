//! Answers: a status, the headers that every page needs, and a body.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use lithe_words::Language;
use spin_sdk::http::{BoxBody, box_body};

/// What a component answers.
pub type Answer = Response<BoxBody>;

/// What a page may load and where its forms may lead: this site, nothing else, and no script or
/// style of its own. Its script may ask this site for more of it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; \
    script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; \
    base-uri 'none'";

/// What an answer depends on besides its address: what one may read another may not, in which
/// language is asked for or was chosen, and programs may be told in JSON what people are shown.
pub const VARY: &str = "Accept, Accept-Language, Cookie, Authorization";

/// The headers of every answer with a page.
///
/// The referrer stays within the site, and is not left out: without one, browsers send
/// `Origin: null` with a form, which [`crate::origin`] has to refuse.
const PAGE_HEADERS: &[(HeaderName, &str)] = &[
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "private, no-store"),
    (header::VARY, VARY),
];

/// A page, already rendered.
pub fn html(status: StatusCode, page: impl Into<Bytes>) -> Answer {
    let mut answer = bytes(status, page.into());
    for (name, value) in PAGE_HEADERS {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// A page rendered from its template in that language, with the status.
pub fn page_with_status(status: StatusCode, language: Language, page: &impl askama::Template) -> Answer {
    match page.render_with_values(&language) {
        Ok(text) => in_language(language, html(status, text)),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "This page cannot be shown.\n"),
    }
}

/// A page rendered from its template in that language.
pub fn page(language: Language, page: &impl askama::Template) -> Answer {
    page_with_status(StatusCode::OK, language, page)
}

/// The same answer, which says that it is in that language.
pub fn in_language(language: Language, mut answer: Answer) -> Answer {
    answer.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    answer
}

/// Leads on to another page of the site, by GET (303). `address` is encoded already.
pub fn see_other(address: &str) -> Answer {
    redirect(StatusCode::SEE_OTHER, address)
}

/// Leads on to where the page is now, keeping the method (307). `address` is encoded already.
///
/// Not a permanent redirect: browsers keep those, and a repository may come back to its old place.
pub fn moved(address: &str) -> Answer {
    redirect(StatusCode::TEMPORARY_REDIRECT, address)
}

fn redirect(status: StatusCode, address: &str) -> Answer {
    let mut answer = bytes(status, Bytes::new());
    let location = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static("/"));
    let headers = answer.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
    answer
}

/// Plain text.
pub fn text(status: StatusCode, text: impl Into<String>) -> Answer {
    typed(status, "text/plain; charset=utf-8", text.into().into())
}

/// A value as JSON.
pub fn json(status: StatusCode, value: &impl serde::Serialize) -> Answer {
    match serde_json::to_string(value) {
        Ok(body) => json_text(status, body),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "This answer cannot be written.\n"),
    }
}

/// JSON that is written already.
pub fn json_text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    typed(status, "application/json", body.into())
}

fn typed(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = bytes(status, body);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
    answer
}

/// Bytes, with their length and no other header.
pub fn bytes(status: StatusCode, body: Bytes) -> Answer {
    let length = body.len();
    let mut answer = Response::new(box_body(Full::new(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_carries_the_policy() {
        let answer = html(StatusCode::NOT_FOUND, "x");
        assert_eq!(answer.status(), 404);
        for (name, value) in PAGE_HEADERS {
            assert_eq!(answer.headers()[name], value);
        }
        for word in ["unsafe", "*", "http:"] {
            assert!(!CONTENT_SECURITY_POLICY.contains(word));
        }
    }

    #[test]
    fn a_redirect_cannot_carry_a_header() {
        assert_eq!(see_other("/a?b").headers()["location"], "/a?b");
        assert_eq!(see_other("/a\r\nset-cookie: x").headers()["location"], "/");
    }
}
