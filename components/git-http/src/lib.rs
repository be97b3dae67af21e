//! The component `git-http`: Git's smart HTTP protocol (gitprotocol-http), for stock Git clients.
//!
//! A request names a repository by its path or permanent address and one of two services. Who makes
//! it, and whether they may, is the store's word; then the bytes go to `upload_pack` (clone and
//! fetch) or `receive_pack` (push), which know nothing of HTTP.

mod answer;
pub mod limits;
mod opening;
mod push;
mod push_policy;
pub mod receive_pack;
mod route;
pub mod upload_pack;

use answer::Answer;
use lithe_forge::Requester;
use lithe_forge::types::Permission;
use opening::{open, reopen};
use route::{Endpoint, Route, Service};
use spin_sdk::http::Request;
use std::path::Path;
use upload_pack::Version;

/// Where the cache is mounted.
const CACHE_DIR: &str = "/cache";

/// Answers a request. Only the component exports it to the host; natively it is there to be compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let route = match Route::of(&head) {
        Ok(route) => route,
        Err(refusal) => return answer::refusal(refusal),
    };
    let requester = Requester::from_headers(&head.headers);
    let needed = match route.service {
        Service::UploadPack => Permission::Read,
        Service::ReceivePack => Permission::Write,
    };
    let repository = match open(&requester, &route.path, needed) {
        Ok(repository) => repository,
        Err(denial) => return answer::denial(&denial),
    };
    let version = head.headers.get("git-protocol").and_then(|value| value.to_str().ok());
    let version = version.map_or(Version::V0, Version::from_header);
    match (route.service, route.endpoint) {
        (Service::UploadPack, Endpoint::Advertisement) => {
            answer::advertisement(route.service, upload_pack::advertise(&repository.git_dir, version))
        }
        (Service::UploadPack, Endpoint::Call) => match answer::read_body(&head.headers, body).await {
            Ok(body) => match reopen(&head.headers, &repository, needed) {
                Ok(()) => {
                    let cache_dir = Path::new(CACHE_DIR);
                    let reply = upload_pack::serve(&repository.git_dir, cache_dir, version, &body);
                    answer::reply(reply, &repository.path)
                }
                Err(denial) => answer::denial(&denial),
            },
            Err(refusal) => answer::refusal(refusal),
        },
        (Service::ReceivePack, Endpoint::Advertisement) => push::advertise(&repository),
        (Service::ReceivePack, Endpoint::Call) => push::receive(&repository, &head.headers, body).await,
    }
}
