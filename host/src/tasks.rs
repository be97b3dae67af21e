//! Requests that the host makes by itself, from time to time: `tasks` of the manifest.
//!
//! A component lives for a request and no longer, so whatever is to be done without anybody asking
//! is asked for here, in the operator's name.

use crate::body::{Body, BodyError};
use crate::manifest::Task;
use crate::service::{Peer, Service};
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, Empty};
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

/// Begins all tasks. They end when what is returned is dropped.
pub fn start(service: &Arc<Service>, tasks: &[Task]) -> JoinSet<()> {
    let mut all = JoinSet::new();
    for task in tasks {
        all.spawn(repeat(service.clone(), task.clone()));
    }
    all
}

/// Makes the request again and again, one at a time.
async fn repeat(service: Arc<Service>, task: Task) {
    let mut interval = tokio::time::interval_at(Instant::now() + task.every, task.every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if let Err(error) = once(&service, &task).await {
            tracing::warn!(path = task.path, "the task was cut short: {error}");
        }
    }
}

async fn once(service: &Service, task: &Task) -> Result<(), BodyError> {
    let nothing: Body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
    let mut request = Request::new(nothing);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = task.path.parse().expect("the manifest has checked it");
    request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
    let response = service.answer(Peer::Operator, request).await;
    if !response.status().is_success() {
        tracing::warn!(path = task.path, status = response.status().as_u16(), "the task was refused");
    }
    // What it says is for those who ask for it by hand.
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(())
}
