//! A feature that does what its path says.

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, Response};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use spin_sdk::http::body::IncomingBodyExt as _;
use spin_sdk::http::{FullBody, IntoResponse, Request};
use spin_sdk::http_service;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use test::kit::{counter, labour, trial, types};

spin_sdk::wit_bindgen::generate!({
    path: "wit",
    world: "pages",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    additional_derives: [PartialEq],
});

static SERVED: AtomicU64 = AtomicU64::new(0);

type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let url = request.headers()["spin-full-url"].to_str().expect("text").to_owned();
    let path = request.headers()["spin-path-info"].to_str().expect("text").to_owned();
    let number = |default: u64| {
        let query = url.split_once('?').map(|(_, query)| query);
        query.and_then(|query| query.parse().ok()).unwrap_or(default)
    };
    match path.as_str() {
        "/hello" => text("hello"),
        "/served" => text(SERVED.fetch_add(1, Relaxed) + 1),
        "/headers" => text(lines(request.headers())),
        "/cost" => {
            let mut answer = text("worth it");
            answer.headers_mut().insert("lithe-cost", number(0).into());
            answer
        }
        "/echo" => Response::new(echo(request)),
        "/count" => {
            let mut stream = request.into_body().stream();
            let mut bytes = 0;
            while let Some(Ok(chunk)) = stream.next().await {
                bytes += chunk.len();
            }
            text(bytes)
        }
        "/stream" => Response::new(stream(number(1))),
        "/trap" => panic!("as asked"),
        "/trap-late" => {
            let (mut sender, body) = spin_sdk::http::body::stream::<Bytes>();
            spin_sdk::wasip3::spawn(async move {
                sender.send(Bytes::from_static(b"the beginning")).await.expect("sent");
                pause(50).await;
                panic!("as asked");
            });
            Response::new(boxed(body))
        }
        "/hang" => {
            compute(Duration::MAX);
            text("never")
        }
        "/wait" => {
            pause(number(0)).await;
            text("waited")
        }
        "/hang-late" => {
            let (mut sender, body) = spin_sdk::http::body::stream::<Bytes>();
            spin_sdk::wasip3::spawn(async move {
                sender.send(Bytes::from_static(b"the beginning")).await.expect("sent");
                pause(50).await;
                compute(Duration::MAX);
            });
            Response::new(boxed(body))
        }
        "/memory" => {
            let data = vec![1_u8; number(0) as usize];
            text(std::hint::black_box(&data).len())
        }
        "/environment" => text(format!(
            "{:?} {:?}",
            std::env::vars().collect::<Vec<_>>(),
            std::env::args().collect::<Vec<_>>()
        )),
        "/print" => {
            println!("printed");
            text("done")
        }
        "/connect" => text(format!("{:?}", std::net::TcpStream::connect("127.0.0.1:9").map(drop))),
        _ if path.starts_with("/read/") => text(format!("{:?}", std::fs::read_to_string(&path[5..]))),
        _ if path.starts_with("/write/") => text(format!("{:?}", std::fs::write(&path[6..], "x"))),
        "/add" => text(counter::add(number(1))),
        "/add-many" => {
            let calls = number(1);
            let began = Instant::now();
            (0..calls).for_each(|_| {
                counter::add(0);
            });
            text(began.elapsed().as_nanos() as u64 / calls)
        }
        "/carry" => text(carry()),
        "/call-fail" => {
            counter::fail();
            text("never")
        }
        "/call-hang" => {
            counter::hang();
            text("never")
        }
        "/mark" => {
            counter::mark(number(0));
            text("marked")
        }
        "/work" => text(labour::work(number(0))),
        _ if path.starts_with("/attempt/") => text(format!("{:?}", trial::attempt(&path[9..]))),
        _ => {
            let mut response = text("no such page");
            *response.status_mut() = http::StatusCode::NOT_FOUND;
            response
        }
    }
}

fn boxed<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    body.map_err(Into::into).boxed_unsync()
}

fn text(text: impl ToString) -> Response<Body> {
    Response::new(boxed(FullBody::new(Bytes::from(text.to_string()))))
}

fn lines(headers: &HeaderMap) -> String {
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
    };
    headers.iter().map(line).collect()
}

/// Sends back what comes, as it comes.
fn echo(request: Request) -> Body {
    let (mut sender, body) = spin_sdk::http::body::stream::<Bytes>();
    spin_sdk::wasip3::spawn(async move {
        let mut stream = request.into_body().stream();
        while let Some(Ok(chunk)) = stream.next().await {
            if sender.send(chunk).await.is_err() {
                break;
            }
        }
    });
    boxed(body)
}

/// Sends some MiB.
fn stream(mebibytes: u64) -> Body {
    let (mut sender, body) = spin_sdk::http::body::stream::<Bytes>();
    spin_sdk::wasip3::spawn(async move {
        let chunk = Bytes::from(vec![b'x'; 64 << 10]);
        for _ in 0..mebibytes * 16 {
            if sender.send(chunk.clone()).await.is_err() {
                break;
            }
        }
    });
    boxed(body)
}

async fn pause(milliseconds: u64) {
    spin_sdk::wasip3::clocks::monotonic_clock::wait_for(milliseconds * 1_000_000).await;
}

fn compute(duration: Duration) {
    let began = Instant::now();
    while began.elapsed() < duration {
        std::hint::spin_loop();
    }
}

/// Whether values of every kind come through unchanged.
fn carry() -> bool {
    use types::{Colour, Shape, Thing};
    let shapes = [Shape::Dot, Shape::Circle(1.5), Shape::Named("π".into())];
    shapes.into_iter().all(|shape| {
        let thing = Thing {
            id: u64::MAX,
            name: "näme".into(),
            data: (0..=255).collect(),
            colour: Colour::Green,
            shape,
            parent: Some(7),
            tags: vec![String::new(), "tag".into()],
        };
        counter::echo(&thing, false) == Ok(thing.clone()) && counter::echo(&thing, true) == Err("näme".into())
    })
}
