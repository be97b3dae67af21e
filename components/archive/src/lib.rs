//! The component `archive`: a commit's files as a tar or zip file, `/<path>/-/archive/<ref>.<format>`.
//!
//! `route` reads the address and `handler` asks the store. `plan` finds what goes into an archive,
//! `contents` makes it piece by piece in a `format`, and `cache` keeps what was made: it follows from
//! the commit alone.

pub mod cache;
pub mod contents;
pub mod conversion;
pub mod format;
pub mod growing;
pub mod handler;
pub mod limits;
pub mod plan;
pub mod route;
pub mod sending;
pub mod substitution;
pub mod tar;
pub mod zip;

use lithe_web::Answer;
use spin_sdk::http::Request;

/// Answers a request. Only the component exports it to the host; natively it is there to be compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Answer {
    handler::answer(&request.into_parts().0)
}
