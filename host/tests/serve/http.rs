//! Requests and responses on the wire.

use crate::kit::{DEADLINE, Site};
use ::http::{Method, Request};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn a_component_sees_who_asks_for_what() {
    let site = Site::default().start().await;
    let request = Request::get("/headers?a=%2F")
        .header("host", "git.example:8000")
        .header("spin-client-addr", "forged")
        .header("lithe-anything", "forged")
        .header("x-forwarded-for", "forged")
        .body(Full::default())
        .expect("a request");
    let answer = site.send(request).await;
    let id = answer.header("x-request-id").to_owned();
    let value = |name: &str| {
        let prefix = format!("{name}: ");
        let lines: Vec<_> = answer.text.lines().filter_map(|line| line.strip_prefix(&prefix)).collect();
        lines.join(",")
    };
    assert!(value("spin-client-addr").starts_with("127.0.0.1:"), "{}", answer.text);
    assert_eq!(value("spin-full-url"), "http://git.example:8000/headers?a=%2F");
    assert_eq!(value("spin-path-info"), "/headers");
    assert_eq!(value("spin-matched-route"), "/...");
    assert_eq!(value("x-request-id"), id);
    assert_eq!(value("lithe-anything"), "");
    assert_eq!(answer.header("server"), "lithe");
    assert!(answer.headers.contains_key("date"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_is_believed() {
    let trust = |config: &mut lithe::serve::Config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    };
    let site = Site { configure: trust, ..Site::default() }.start().await;
    let request = Request::get("/headers")
        .header("x-forwarded-for", "192.0.2.1")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "git.example")
        .body(Full::default())
        .expect("a request");
    let text = site.send(request).await.text;
    assert!(text.contains("spin-client-addr: 192.0.2.1\n"), "{text}");
    assert!(text.contains("spin-full-url: https://git.example/headers\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_stream_both_ways_at_once() {
    const PARTS: usize = 256;
    let site = Site::default().start().await;
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
    let parts = futures::stream::poll_fn(move |context| {
        receiver.poll_recv(context).map(|part| part.map(|part| Ok::<_, std::io::Error>(Frame::data(part))))
    });
    let request = Request::post("/echo").body(StreamBody::new(parts)).expect("a request");
    let begin = site.begin(request);
    sender.send(Bytes::from_static(b"first")).await.expect("sent");
    let mut body = begin.await.expect("a response while the request is on its way").into_body();
    let first = body.frame().await.expect("a frame").expect("no error").into_data().expect("data");
    assert_eq!(first, "first");

    let part = Bytes::from(vec![7; 64 << 10]);
    let send = async {
        for _ in 0..PARTS {
            sender.send(part.clone()).await.expect("sent");
        }
        drop(sender);
    };
    let ((), rest) = tokio::join!(send, body.collect());
    assert_eq!(rest.expect("no error").to_bytes().len(), PARTS * part.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_buffered_for_a_client_that_does_not_read() {
    let site = Site::default().start().await;
    let request = Request::get("/stream?2048").body(Full::<Bytes>::default()).expect("a request");
    let before = resident_bytes();
    let mut body = site.begin(request).await.expect("a response").into_body();
    // Were the response not held back, it would pile up somewhere in between.
    for _ in 0..100 {
        assert_eq!(site.get("/hello").await.text, "hello");
    }
    assert!(resident_bytes().saturating_sub(before) < 256 << 20);
    body.frame().await.expect("a frame").expect("no error");
}

/// The memory of this process, in bytes.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_with_and_without_a_length_arrive_whole() {
    let site = Site::default().start().await;
    let fixed = b"POST /count HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcde";
    let chunked =
        b"POST /count HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    for request in [&fixed[..], chunked] {
        let answer = site.raw(request).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("5"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_is_told_to_continue() {
    let site = Site::default().start().await;
    let mut stream = TcpStream::connect(site.address).await.expect("it listens");
    let head = b"POST /count HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head).await.expect("sent");
    let mut interim = [0; 25];
    tokio::time::timeout(DEADLINE, stream.read_exact(&mut interim)).await.expect("in time").expect("read");
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abcde").await.expect("sent");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.expect("read");
    assert!(rest.starts_with("HTTP/1.1 200 OK\r\n"), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_still_sends_gets_to_see_an_early_answer() {
    let site = Site::default().start().await;
    let mut stream = TcpStream::connect(site.address).await.expect("it listens");
    let head = b"POST /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 8388608\r\n\r\n";
    stream.write_all(head).await.expect("sent");
    for _ in 0..8 {
        stream.write_all(&[b'x'; 1 << 20]).await.expect("it is read, though nobody wants it");
    }
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_and_is_refused_is_not_told_to_continue() {
    let site = Site::default().start().await;
    let head = b"POST /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    let answer = site.raw(head).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn head_gets_no_body() {
    let site = Site::default().start().await;
    let answer = site.raw(b"HEAD /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_kept() {
    let site = Site::default().start().await;
    let one = "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n";
    let last = "GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let answer = site.raw(format!("{one}{one}{last}").as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_is_spoken_to_who_knows() {
    let site = Site::default().start().await;
    assert_eq!(site.get_http2("/hello").await.text, "hello");
    assert_eq!(site.get_http2("/stream?1").await.text.len(), 1 << 20);
    let answer = site.get_http2("/headers").await;
    assert!(answer.text.contains(&format!("spin-full-url: http://{}/headers\n", site.address)));
    let broken = site.get_http2("/trap-late").await;
    assert!(!broken.is_whole && broken.text == "the beginning", "{broken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_make_no_sense_are_refused() {
    let site = Site::default().start().await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n", "a".repeat(lithe::limits::TARGET_BYTES_MAX));
    let cases: &[(&str, &[u8])] = &[
        ("200", b"GET /hello HTTP/1.1\r\nHost: h\r\n"),
        ("200", b"GET http://h/hello HTTP/1.1\r\nHost: h\r\n"),
        ("200", b"GET /hello HTTP/1.0\r\n"),
        ("404", b"GET /%00%ff/..%2f../ HTTP/1.1\r\nHost: h\r\n"),
        ("404", b"GET /../../etc/passwd HTTP/1.1\r\nHost: h\r\n"),
        ("404", b"GET // HTTP/1.1\r\nHost: h\r\n"),
        ("400", b"GET /hello HTTP/1.1\r\n"),
        ("400", b"GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n"),
        ("400", b"GET /hello HTTP/1.1\r\nHost: a b\r\n"),
        ("400", b"GET /hello HTTP/1.1\r\nHost: user@h\r\n"),
        ("400", b"GET /% HTTP/1.1\r\nHost: h\r\n"),
        ("400", b"GET /%zz HTTP/1.1\r\nHost: h\r\n"),
        ("400", b"GET /a\0b HTTP/1.1\r\nHost: h\r\n"),
        ("400", b"GET hello HTTP/1.1\r\nHost: h\r\n"),
        ("400", b"OPTIONS * HTTP/1.1\r\nHost: h\r\n"),
        ("400", b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n"),
        ("400", b"GET / HTTP/3.0\r\nHost: h\r\n"),
        ("400", b"nonsense\r\n"),
        ("400", b"POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n"),
        ("400", b"POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n"),
        ("414", long.as_bytes()),
    ];
    for (status, head) in cases {
        let answer = site.raw(&[head, &b"Connection: close\r\n\r\n"[..]].concat()).await;
        let given = answer.split(' ').nth(1).unwrap_or_default();
        assert_eq!(given, *status, "{}: {answer}", head[..head.len().min(80)].escape_ascii());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn header_floods_are_refused() {
    let site = Site::default().start().await;
    let many: String = (0..lithe::limits::HEADERS_MAX + 1).map(|n| format!("x-{n}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(lithe::limits::HEADER_BYTES_MAX));
    for headers in [many, long] {
        let answer = site.raw(format!("GET /hello HTTP/1.1\r\nHost: h\r\n{headers}\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let most: String = (0..lithe::limits::HEADERS_MAX - 2).map(|n| format!("x-{n}: y\r\n")).collect();
    let request = format!("GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{most}\r\n");
    assert!(site.raw(request.as_bytes()).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_body_that_is_cut_does_no_harm() {
    let site = Site::default().start().await;
    let mut stream = TcpStream::connect(site.address).await.expect("it listens");
    let head = b"POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc";
    stream.write_all(head).await.expect("sent");
    drop(stream);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request =
            Request::builder().method(method).uri("/hello").body(Full::default()).expect("a request");
        assert_eq!(site.send(request).await.text, "hello");
    }
}
