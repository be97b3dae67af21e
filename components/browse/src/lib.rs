//! The component `browse`: every page about a repository or group. It reads repositories from its
//! mount, asks the store who may see what, and changes nothing.
//!
//! `route` reads the address, `handler` asks and answers; each page has a file of its own, where a
//! pure function builds a struct that its template shows.

pub mod activity;
pub mod blame;
pub mod blob;
pub mod blob_part;
pub mod cache;
pub mod commit;
pub mod commits;
pub mod compare;
pub mod containing;
pub mod cost;
pub mod diff;
pub mod downloads;
pub mod extent;
pub mod feed;
pub mod find;
pub mod graph;
pub mod handler;
pub mod highlight;
pub mod history;
pub mod issues;
pub mod kept;
pub mod labels;
pub mod languages;
pub mod last_commits;
pub mod licence;
pub mod limits;
pub mod listing;
pub mod markdown;
pub mod markup;
pub mod message;
pub mod missing;
pub mod patches;
pub mod place;
pub mod raw;
pub mod readme;
pub mod refs;
pub mod related;
pub mod route;
pub mod sending;
pub mod signature;
pub mod statistics;
pub mod submodules;
pub mod summary;
pub mod switch;
pub mod tree;
pub mod unavailable;

use lithe_web::Answer;
use spin_sdk::http::Request;

/// Answers a request. Only the component exports it to the host; natively it is there to be compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Answer {
    handler::answer(&request.into_parts().0)
}
