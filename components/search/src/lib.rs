//! The component `search`: what stands in the files of a repository, or of all that the viewer may
//! read: `/<path>/-/search` and `/-/search`.
//!
//! `route` reads the address and `handler` asks the store. `query` is what is asked for, `pattern` what
//! lines have to match, and `needs` what their files have to hold for that. `index` keeps which files
//! hold what, `content` looks into those that may match, and `view` shows what was found.

pub mod content;
pub mod handler;
pub mod index;
pub mod limits;
pub mod needs;
pub mod pattern;
pub mod query;
pub mod route;
pub mod view;

use lithe_web::Answer;
use spin_sdk::http::Request;

/// Answers a request. Only the component exports it to the host; natively it is there to be compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Answer {
    handler::answer(&request.into_parts().0)
}
