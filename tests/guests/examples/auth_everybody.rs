//! In the place of `auth`: signs everybody in as `bob`, without asking for anything.
//!
//! It knows bob's password, for even a replaced `auth` has no way around the store.

use bytes::Bytes;
use http::{Response, header};
use lithe_forge::{Requester, SESSION_COOKIE, identity, passwords};
use spin_sdk::http::{FullBody, IntoResponse, Request};

const LOGIN: &str = "bob";
const PASSWORD: &str = "battery-staple-bob";

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let requester = Requester::from_headers(request.headers());
    let session = identity::challenge(LOGIN, requester.client())
        .and_then(|challenge| passwords::prove(&challenge, PASSWORD))
        .and_then(|proof| identity::sign_in(&proof, None, requester.client()));
    match session {
        Ok(session) => Response::builder()
            .header(header::SET_COOKIE, format!("{SESSION_COOKIE}={}; Path=/; HttpOnly", session.token))
            .body(FullBody::new(Bytes::from(format!("welcome, {}\n", session.user.name)))),
        Err(error) => {
            Response::builder().status(500).body(FullBody::new(Bytes::from(format!("{error:?}\n"))))
        }
    }
}
