//! Answers that take their time: the head goes out at once, the reply follows when it is ready.
//!
//! A request has to be answered within `request-seconds-max` of the manifest; from then on it is a
//! transfer, which may take much longer. The status says nothing then, the reply all.

use bytes::Bytes;
use futures::channel::oneshot;
use futures::stream;
use http::{HeaderValue, Response, header};
use http_body::Frame;
use http_body_util::StreamBody;
use lithe_operator::Reply;
use lithe_web::Answer;
use spin_sdk::http::box_body;
use std::future::Future;

/// Answers with what `work` replies, as JSON.
pub fn reply(work: impl Future<Output = Reply> + 'static) -> Answer {
    let (sender, receiver) = oneshot::channel();
    spin_sdk::wasip3::spawn(async move {
        let reply = serde_json::to_vec(&work.await).expect("a reply is only texts and numbers");
        // If nobody listens any more, nobody needs to know.
        let _ = sender.send(Bytes::from(reply));
    });
    let frames = stream::once(async { receiver.await.map(Frame::data) });
    let mut answer = Response::new(box_body(StreamBody::new(frames)));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    answer
}
