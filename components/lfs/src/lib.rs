//! The component `lfs`: large files beside a repository, for stock Git LFS clients (Git LFS API,
//! docs/api of git-lfs/git-lfs).
//!
//! A request names a repository by its path or permanent address, and one of the API's endpoints
//! below it. Who makes it, and whether they may, is the store's word. Objects lie in a mount of this
//! component's own, named by what they hold; locks and quotas are the store's.

mod answer;
mod batch;
mod download;
mod json;
pub mod limits;
mod locks;
mod refusal;
mod route;
mod transfer;
mod upload;
mod visit;

use answer::Answer;
use bytes::Bytes;
use http::request::Parts;
use http_body::Body;
use refusal::Refusal;
use route::{Endpoint, Route};
use spin_sdk::http::Request;
use visit::Visit;

/// Answers a request. Only the component exports it to the host; natively it is there to be compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Answer {
    let (head, body) = request.into_parts();
    match respond(&head, body).await {
        Ok(answer) => answer,
        Err(refusal) => answer::refusal(&refusal),
    }
}

async fn respond<B>(head: &Parts, body: B) -> Result<Answer, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let route = Route::of(head)?;
    let visit = Visit::begin(&head.headers, &route.path)?;
    match route.endpoint {
        Endpoint::Batch => transfer::batch(&visit, &json::body(body).await?),
        Endpoint::Verify => transfer::verify(&visit, &json::body(body).await?),
        Endpoint::Download(oid) => transfer::download(&visit, &oid, head),
        Endpoint::Upload(oid) => transfer::upload(&visit, &oid, &head.headers, body).await,
        Endpoint::ListLocks => locks::list(&visit, head.uri.query().unwrap_or_default()),
        Endpoint::TakeLock => locks::take(&visit, &json::body(body).await?),
        Endpoint::VerifyLocks => locks::verify(&visit, &json::body(body).await?),
        Endpoint::ReleaseLock(id) => locks::release(&visit, id, &json::body(body).await?),
    }
}
