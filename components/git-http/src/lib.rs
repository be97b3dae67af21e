//! The component `git-http`: Git's smart HTTP protocol (gitprotocol-http), for stock Git clients, bundles
//! to download, and files edited in the browser: all that writes to repositories.
//!
//! A request names a repository by its path or permanent address and one of two services, or its
//! bundle. Who makes it, and whether they may, is the store's word; then the bytes go to `upload_pack`
//! (clone and fetch), which makes the packs of bundles too, or `receive_pack` (push). Those know
//! nothing of HTTP. `edit` has pages, and makes pushes of what their forms say.

mod answer;
mod bundle;
pub mod edit;
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
    if head.uri.path() == edit::SWEEP_ADDRESS {
        return edit::sweep(&head);
    }
    if let Some(address) = edit::address(&head) {
        return edit::answer(&head, body, &address).await;
    }
    let route = match Route::of(&head) {
        Ok(route) => route,
        Err(refusal) => return answer::refusal(refusal),
    };
    let requester = Requester::from_headers(&head.headers);
    let needed = match route.endpoint {
        Endpoint::Advertisement(Service::ReceivePack) | Endpoint::Call(Service::ReceivePack) => {
            Permission::Write
        }
        _ => Permission::Read,
    };
    let repository = match open(&requester, &route.path, needed) {
        Ok(repository) => repository,
        Err(denial) => return answer::denial(&denial),
    };
    let version = head.headers.get("git-protocol").and_then(|value| value.to_str().ok());
    let version = version.map_or(Version::V0, Version::from_header);
    let cache_dir = Path::new(CACHE_DIR);
    match route.endpoint {
        Endpoint::Advertisement(service @ Service::UploadPack) => {
            answer::advertisement(service, upload_pack::advertise(&repository.git_dir, version))
        }
        Endpoint::Call(Service::UploadPack) => match answer::read_body(&head.headers, body).await {
            Ok(body) => match reopen(&head.headers, &repository, needed) {
                Ok(()) => {
                    let reply = upload_pack::serve(&repository.git_dir, cache_dir, version, &body);
                    answer::reply(reply, &repository.path)
                }
                Err(denial) => answer::denial(&denial),
            },
            Err(refusal) => answer::refusal(refusal),
        },
        Endpoint::Advertisement(Service::ReceivePack) => push::advertise(&repository),
        Endpoint::Call(Service::ReceivePack) => push::receive(&repository, &head.headers, body).await,
        Endpoint::Bundle(name) => {
            bundle::answer(&head, &repository, cache_dir, name.as_ref().map(AsRef::as_ref))
        }
    }
}
