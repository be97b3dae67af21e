//! How a server begins and ends, and the operator's way in.

use crate::kit::{Answer, Running, Site};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use lithe::serve::Server;
use std::time::{Duration, Instant};
use tokio::net::{TcpStream, UnixStream};

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_has_one_server() {
    let site = Site::default().start().await;
    site.get("/hello").await;
    let other = tempfile::tempdir().expect("a directory");
    let mut config = Site::default().config(other.path());
    config.data = site.data();
    let error = Server::open(config).await.err().expect("refused").to_string();
    let owner = format!("in use by process {} at http://{}/", std::process::id(), site.address);
    assert!(error.contains(&owner), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_transfers_finish_and_nobody_new_comes_in() {
    let mut site = Site::default().start().await;
    let request = Request::get("/stream?64").body(Empty::<Bytes>::new()).expect("a request");
    let response = site.begin(request).await.expect("a response");
    site.stop();
    let answer = Answer::read(response).await;
    assert!(answer.is_whole && answer.text.len() == 64 << 20);
    let address = site.address;
    site.stopped().await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_grace_time_ends() {
    let configure = |config: &mut lithe::serve::Config| config.grace = Duration::from_millis(200);
    let mut site = Site { configure, ..Site::default() }.start().await;
    let request = Request::get("/stream?1000").body(Empty::<Bytes>::new()).expect("a request");
    let _unread = site.begin(request).await.expect("a response");
    site.stop();
    let began = Instant::now();
    site.stopped().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Sends a request over the operator's socket, once the server answers.
async fn as_operator(site: &Running, path: &str) -> Answer {
    site.get("/hello").await;
    let stream = UnixStream::connect(site.data().join("lithe.sock")).await.expect("it listens");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("it speaks HTTP");
    tokio::spawn(connection);
    let request = Request::get(path)
        .header("host", "localhost")
        .header("authorization", "Basic forged")
        .body(Empty::<Bytes>::new())
        .expect("a request");
    Answer::read(sender.send_request(request).await.expect("a response")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_is_known_by_the_socket() {
    let site = Site::default().start().await;
    let text = as_operator(&site, "/headers").await.text;
    let authorizations: Vec<_> = text.lines().filter(|line| line.starts_with("authorization:")).collect();
    assert_eq!(authorizations, ["authorization: Bearer the-operator"]);
    assert!(text.contains("spin-client-addr: local\n"), "{text}");

    let mut request = Request::get("/headers").body(http_body_util::Full::default()).expect("a request");
    request.headers_mut().insert("authorization", "Basic own".parse().expect("a value"));
    assert!(site.send(request).await.text.contains("authorization: Basic own\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_may_have_longer_work_done() {
    let site = Site { pages: "request-seconds-max = 1\ntransfer-seconds-max = 20", ..Site::default() };
    let site = site.start().await;
    let (operator, other) = tokio::join!(as_operator(&site, "/wait?1500"), site.get("/wait?1500"));
    assert_eq!((&*operator.text, other.status), ("waited", StatusCode::GATEWAY_TIMEOUT));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_start_is_fast() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = Site::default().config(directory.path());
    drop(Server::open(config.clone()).await.expect("a cold start"));
    // The machine may be busy with other tests: the best of a few counts.
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let began = Instant::now();
        drop(Server::open(config.clone()).await.expect("a warm start"));
        best = best.min(began.elapsed());
    }
    assert!(best < Duration::from_millis(300), "{best:?}");
}
