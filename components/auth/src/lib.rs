//! The component `auth`: signing in and out, registration, everybody's own account, and the choice of a language.
//!
//! It never holds a password longer than a request, and cannot make or read a proof of one: it
//! carries them between `identity`, `passwords` and `accounts`.

mod account;
mod keys;
mod language;
mod limits;
mod password;
mod profile;
mod register;
mod sessions;
mod sign_in;
mod tokens;

use lithe_forge::settings::{self, Overview};
use lithe_forge::types::{Credentials, Error};
use lithe_web::{Answer, Frame, Visit, answer, failure, language as chosen};
use spin_sdk::http::Request;

/// Answers a request. Only the component exports it to the host; natively it is there to be compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Answer {
    let (head, body) = request.into_parts();
    match Visit::read(&head, body).await {
        Ok(visit) => respond(&visit),
        Err(_) => failure::not_found(&Frame::bare("/", chosen::asked_for(&head.headers))),
    }
}

/// The route table.
fn respond(visit: &Visit) -> Answer {
    let (overview, has_ended_session) = match overview(visit) {
        Ok(found) => found,
        Err(error) => return failed(&error, &Frame::bare(visit.path_and_query(), visit.language)),
    };
    let frame = Frame::new(&overview, visit.path_and_query(), visit.language);
    if let Some(refusal) = visit.refusal(&frame) {
        return refusal;
    }
    let page = visit.address.page.as_deref().unwrap_or_default();
    let rest = visit.address.rest_text().unwrap_or("?");
    let mut answer = match (visit.address.path.as_str(), page, rest) {
        ("", "login", "") => sign_in::answer(visit, &overview, frame),
        ("", "logout", "") => sign_in::sign_out(visit, &overview, frame),
        ("", "register", "") => register::answer(visit, &overview, frame),
        ("", "language", "") => language::answer(visit, &overview, &frame),
        ("", "account", page) => account::answer(visit, &overview, frame, page),
        _ => failure::not_found(&frame),
    };
    if has_ended_session && !answer.headers().contains_key(http::header::SET_COOKIE) {
        let cookie = lithe_web::cookie::end_session(visit.is_https);
        answer.headers_mut().insert(http::header::SET_COOKIE, cookie);
    }
    answer
}

/// The settings and who looks; and whether the request's session has ended: then the viewer is
/// anonymous, and the browser is told to forget the cookie.
fn overview(visit: &Visit) -> Result<(Overview, bool), Error> {
    match visit.requester.call(settings::get) {
        Err(Error::Unauthenticated) => {
            let client = visit.requester.client();
            Ok((settings::get(&Credentials::Anonymous, client)?, true))
        }
        overview => Ok((overview?, false)),
    }
}

/// The page for an error that no form can show. What the store cannot do is the operator's to know.
fn failed(error: &Error, frame: &Frame) -> Answer {
    if let Error::Other(reason) = error {
        eprintln!("auth: the store: {reason}");
    }
    failure::of_store(error, frame)
}

/// Leads to the address that the form or query asks to come back to, if it is one of this site.
fn lead_back(address: &str) -> Answer {
    answer::see_other(lithe_web::address::return_address(address).unwrap_or("/"))
}
