//! probe
use spin_sdk::http::{FullBody, IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let r = lithe_forge::Requester::from_headers(request.headers());
    let o = r.call(|c, cl| lithe_forge::access::open(c, cl, "x"));
    http::Response::new(FullBody::new(bytes::Bytes::from(format!("{o:?}"))))
}
