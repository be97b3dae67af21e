//! `/-/health`: whether the site works, for whatever watches it.

use http::StatusCode;
use lithe_forge::types::Credentials;
use lithe_forge::{Requester, settings};
use lithe_web::{Answer, answer};

/// `ok` if the store answers. Says nothing about the site or who asks.
pub fn answer(requester: &Requester) -> Answer {
    match settings::get(&Credentials::Anonymous, requester.client()) {
        Ok(_) => answer::text(StatusCode::OK, "ok\n"),
        Err(_) => answer::text(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n"),
    }
}
