//! In the place of `browse`: tries what a component must not be able to do, by the path that is
//! asked for, and answers how it went: `refused: …` or `DONE: …`.

use bytes::Bytes;
use spin_sdk::http::{FullBody, IntoResponse, Request};
use std::{fs, hint, io, net};

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let path = request.uri().path().to_owned();
    let outcome = match path.as_str() {
        "/database" => shown(fs::read("/db/lithe.db").map(|bytes| bytes.len())),
        "/list-database" => shown(fs::read_dir("/db").map(|entries| entries.count())),
        "/list-root" => shown(fs::read_dir("/").map(|entries| entries.count())),
        "/parent" => shown(fs::read_dir("/repos/..").map(|entries| entries.count())),
        "/parent-database" => shown(fs::read("/repos/../db/lithe.db").map(|bytes| bytes.len())),
        "/link" => shown(fs::read("/repos/link-out").map(|bytes| bytes.len())),
        "/make-link" => shown(make_link()),
        "/write-repository" => shown(fs::write("/repos/planted", "x")),
        "/delete-repository" => shown(fs::remove_dir_all("/repos/team")),
        "/passwd" => shown(fs::read("/etc/passwd").map(|bytes| bytes.len())),
        "/connect" => shown(net::TcpStream::connect("127.0.0.1:22").map(|_| ())),
        "/listen" => shown(net::TcpListener::bind("127.0.0.1:0").map(|_| ())),
        "/udp" => shown(net::UdpSocket::bind("127.0.0.1:0").map(|_| ())),
        "/resolve" => {
            shown(net::ToSocketAddrs::to_socket_addrs(&("localhost", 80)).map(|found| found.count()))
        }
        "/environment" => format!("{:?}", std::env::vars().collect::<Vec<_>>()),
        "/arguments" => format!("{:?}", std::env::args().collect::<Vec<_>>()),
        "/memory" => endless_memory(),
        "/time" => endless_time(),
        "/trap" => panic!("as asked"),
        "/standard-output" => {
            (0..100_000).for_each(|line| println!("line {line}"));
            "refused: nothing".to_owned()
        }
        _ => "alive".to_owned(),
    };
    http::Response::new(FullBody::new(Bytes::from(outcome)))
}

fn shown<T: std::fmt::Debug>(result: io::Result<T>) -> String {
    match result {
        Ok(value) => format!("DONE: {value:?}"),
        Err(error) => format!("refused: {error}"),
    }
}

/// Standard Rust has no symbolic links on WASI; a hard link out of the mount will do.
fn make_link() -> io::Result<()> {
    fs::hard_link("/repos/../db/lithe.db", "/cache/stolen")
}

fn endless_memory() -> String {
    let mut taken = Vec::new();
    loop {
        taken.push(hint::black_box(vec![1_u8; 1 << 20]));
    }
}

fn endless_time() -> String {
    let mut turns = 0_u64;
    loop {
        turns = hint::black_box(turns + 1);
    }
}
