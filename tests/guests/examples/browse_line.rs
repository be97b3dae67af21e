//! In the place of `browse`: answers a line, whatever the page.

use bytes::Bytes;
use spin_sdk::http::{FullBody, IntoResponse, Request};

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let line = format!("a line instead of {}\n", request.uri().path());
    http::Response::new(FullBody::new(Bytes::from(line)))
}
