//! The component `search`: what stands in the files, paths and commits of a repository, or of all that the
//! viewer may read: `/<path>/-/search` and `/-/search/files`.
//!
//! `route` reads the address and `handler` asks the store. `query` is what is asked for, `pattern` what
//! lines have to match, and `needs` what their files have to hold for that. `index` keeps which files and
//! commits hold what, and `sweep` brings it up to date. `searching` puts a query and the index together,
//! `content` and `commits` look into what may match, and `view` shows what was found.

pub mod commits;
pub mod content;
pub mod cost;
pub mod handler;
pub mod index;
pub mod language;
pub mod leaving_out;
pub mod limits;
pub mod needs;
pub mod pattern;
pub mod query;
pub mod route;
pub mod searching;
pub mod sweep;
pub mod view;

use lithe_web::Answer;
use spin_sdk::http::Request;

/// Answers a request. Only the component exports it to the host; natively it is there to be compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Answer {
    handler::answer(&request.into_parts().0)
}
