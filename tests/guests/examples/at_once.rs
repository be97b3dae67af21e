//! Answers at once. For measuring what a request costs in the host.

use bytes::Bytes;
use spin_sdk::http::{FullBody, IntoResponse, Request};

#[spin_sdk::http_service]
async fn handle(_request: Request) -> impl IntoResponse {
    http::Response::new(FullBody::new(Bytes::from_static(b"at once\n")))
}
