//! The component `admin`: administration of the site, and of each repository and group.
//!
//! It has the repository mount, and changes it only as whole directories: made, moved, removed.

mod archive;
mod check;
mod disk;
mod health;
mod import;
mod lifecycle;
mod limits;
mod operator;
mod registry;
mod secret;
mod words;

use lithe_forge::settings::{self, Overview};
use lithe_forge::{Requester, types};
use lithe_web::{Answer, Frame, Visit, failure};
use spin_sdk::http::Request;

/// Answers a request. Only the component exports it to the host; natively it is there to be compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let requester = Requester::from_headers(&head.headers);
    match head.uri.path() {
        "/-/health" => health::answer(&requester),
        "/-/admin/operator" if is_operator(&head, &requester) => {
            operator::answer(&head, body, &requester).await
        }
        "/-/admin/operator/import" if is_operator(&head, &requester) => {
            import::answer(&head, body, &requester).await
        }
        _ => match Visit::read(&head, body).await {
            Ok(visit) => page(&visit),
            Err(_) => failure::not_found(&Frame::bare("/", "")),
        },
    }
}

fn is_operator(head: &http::request::Parts, requester: &Requester) -> bool {
    requester.call(settings::get).is_ok_and(|overview| operator::is_operator(&head.headers, &overview.viewer))
}

fn page(visit: &Visit) -> Answer {
    let bare = Frame::bare(visit.path_and_query(), "");
    let overview: Result<Overview, types::Error> = visit.requester.call(settings::get);
    match overview {
        Ok(overview) => failure::not_found(&Frame::new(&overview, visit.path_and_query(), "")),
        Err(error) => failure::of_store(&error, &bare),
    }
}
