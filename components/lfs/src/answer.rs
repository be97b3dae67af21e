//! Making responses.

use crate::refusal::Refusal;
use crate::route::MEDIA_TYPE;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use lithe_forge::opening::{CHALLENGE, Denial};
use serde::Serialize;
use spin_sdk::http::{BoxBody, FullBody, box_body};

/// What every request is answered with.
pub type Answer = Response<BoxBody>;

/// What a refusal says (docs/api/batch.md, "Response Errors").
#[derive(Serialize)]
struct Words {
    message: String,
}

/// A value in the API's type.
pub fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(value).expect("our values have text for keys");
    let length = body.len();
    let mut response = Response::new(box_body(FullBody::new(Bytes::from(body))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Cookie, Authorization"));
    response
}

/// No body.
pub fn empty(status: StatusCode) -> Answer {
    let mut response = Response::new(box_body(FullBody::new(Bytes::new())));
    *response.status_mut() = status;
    response
}

/// Says why a request is not done.
pub fn refusal(refusal: &Refusal) -> Answer {
    let mut response = json(refusal.status(), &Words { message: refusal.sentence() });
    let headers = response.headers_mut();
    match refusal {
        Refusal::Denied(denial) => {
            denial.add_headers(headers);
            if *denial == Denial::Unauthenticated {
                headers.insert("lfs-authenticate", CHALLENGE);
            }
        }
        Refusal::Method(allowed) => {
            headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        _ => {}
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_learns_how_to_sign_in() {
        let answer = refusal(&Denial::Unauthenticated.into());
        assert_eq!(answer.status(), 401);
        for name in ["lfs-authenticate", "www-authenticate"] {
            assert_eq!(answer.headers()[name], CHALLENGE, "{name}");
        }
        assert_eq!(answer.headers()["content-type"], MEDIA_TYPE);
        assert_eq!(refusal(&Refusal::Method("POST")).headers()["allow"], "POST");
    }
}
