//! Files changed in the browser: `/<path>/-/edit/<ref>/<file>`.
//!
//! What a form asks for becomes a commit, and the commit a push that this component makes to itself: its
//! objects go through the quarantine and every check, the push policy is asked, and the branch is changed
//! only if it still is where it was looked at, as for every push. A form knows the commit that it was
//! made from. What others pushed since stays: if it leaves the same files alone, the edit goes on top;
//! else it is shown beside what was typed, and nothing is changed. Files that were uploaded wait in the cache
//! from their preview to the commit, so that a browser sends them once.

mod commit;
mod kept;
mod limits;
mod original;
mod page;
mod path;
mod preview;
mod session;
mod spot;
mod submission;
mod text;
mod tree;
mod upload;
mod upload_form;
mod wanted;

use crate::answer::Answer;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use lithe_forge::{Requester, access, is_operator, types};
use lithe_web::form::FormError;
use lithe_web::{Address, Fields, Frame, answer, failure, language, multipart, origin};
use session::Session;
use spot::Action;
use std::time::SystemTime;

/// The name of the page in addresses.
const PAGE: &str = "edit";

/// Where the host's clock asks from time to time for uploads to go that waited for too long.
pub const SWEEP_ADDRESS: &str = "/-/edit/uploads";

/// Answers a request for that address, which only the operator may make.
pub fn sweep(head: &Parts) -> Answer {
    let page = types::Page { offset: 0, limit: 1 };
    let is_operators = Requester::from_headers(&head.headers)
        .call(|credentials, client| access::children(credentials, client, None, "", page))
        .is_ok_and(|listing| is_operator(&head.headers, &listing.overview.viewer));
    if head.method != Method::POST || !is_operators {
        return failure::not_found(&Frame::bare(SWEEP_ADDRESS, language::asked_for(&head.headers)));
    }
    kept::sweep(&upload_form::DIRECTORY, SystemTime::now());
    answer::text(StatusCode::OK, "")
}

/// The address, if it is one of these pages.
pub fn address(head: &Parts) -> Option<Address> {
    let address = Address::parse(head.uri.path()).ok()?;
    (address.page.as_deref() == Some(PAGE) && !address.path.is_empty()).then_some(address)
}

/// Answers a request for such an address.
pub async fn answer<B>(head: &Parts, body: B, address: &Address) -> Answer
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Who may not write here need not send the whole form.
    let session = match Session::open(head, address) {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    let action = Action::of(&Fields::of_query(&head.uri));
    match head.method {
        Method::GET | Method::HEAD => session.show(action),
        Method::POST if !origin::is_own(&head.headers, &head.uri) => session.refuse(FormError::Forged),
        Method::POST => match multipart::read(&head.headers, body, limits_of(action)).await {
            // That may have taken its time, in which the permission may have been lost.
            Ok(form) => match Session::open(head, address) {
                Ok(session) => session.submit(action, form),
                Err(answer) => answer,
            },
            Err(error) => session.refuse(error),
        },
        _ => session.other_method(),
    }
}

fn limits_of(action: Action) -> multipart::Limits {
    let (body_bytes_max, files_max) = match action {
        Action::Upload => (limits::UPLOAD_BYTES_MAX, limits::UPLOAD_FILES_MAX),
        Action::Change | Action::Create | Action::Delete => (limits::FORM_BYTES_MAX, 0),
    };
    multipart::Limits { body_bytes_max, parts_max: limits::FIELDS_MAX + files_max }
}
