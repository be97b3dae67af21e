//! What a client says to a server, recorded on its way there and said again without the client: the
//! server's part of the time that a command takes.

use super::load::Client;
use crate::Result;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// The requests of a command, by the connections that they came on.
pub struct Recording {
    server: String,
    connections: Vec<Vec<Vec<u8>>>,
}

impl Recording {
    /// Runs what `command` does with the host and port of a proxy in place of the server's.
    pub fn make(server: &str, command: impl FnOnce(&str) -> Result) -> Result<Self> {
        let text = |error: io::Error| format!("recording: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(text)?;
        let address = listener.local_addr().map_err(text)?;
        let upstream = server.to_owned();
        let proxy = thread::spawn(move || -> io::Result<Vec<Vec<u8>>> {
            let mut connections = Vec::new();
            loop {
                let (client, _) = listener.accept()?;
                let said = pass(client, &upstream)?;
                // The last connection says nothing.
                if said.is_empty() {
                    return Ok(connections);
                }
                connections.push(said);
            }
        });
        command(&address.to_string())?;
        drop(TcpStream::connect(address).map_err(text)?);
        let said = proxy.join().map_err(|_| "the proxy panicked")?.map_err(text)?;
        let connections = said.iter().map(|said| requests(said)).collect::<Result<_>>()?;
        Ok(Self { server: server.to_owned(), connections })
    }

    /// The same said to another repository of the server: `name` in addresses becomes `other`.
    pub fn to_another(mut self, name: &str, other: &str) -> Self {
        for request in self.connections.iter_mut().flatten() {
            let end = request.windows(2).position(|bytes| bytes == b"\r\n").unwrap_or_default();
            let line = String::from_utf8_lossy(&request[..end]).replace(name, other);
            request.splice(..end, line.into_bytes());
        }
        self
    }

    /// Sends the requests again and returns how long the answers took.
    pub fn replay(&self) -> Result<Duration> {
        let begin = Instant::now();
        for requests in &self.connections {
            let mut client = Client::connect(&self.server)?;
            for request in requests {
                match client.ask(request).map_err(|error| format!("replaying: {error}"))? {
                    200 | 401 => {}
                    status => return Err(format!("a recorded request was answered {status}")),
                }
            }
        }
        Ok(begin.elapsed())
    }
}

/// Passes a connection on, both ways, and returns what the client said.
fn pass(client: TcpStream, server: &str) -> io::Result<Vec<u8>> {
    let mut said = Vec::new();
    let upstream = TcpStream::connect(server)?;
    let (mut from, mut to) = (upstream.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut buffer = [0; 64 << 10];
    loop {
        let count = (&client).read(&mut buffer)?;
        if count == 0 {
            break;
        }
        said.extend_from_slice(&buffer[..count]);
        (&upstream).write_all(&buffer[..count])?;
    }
    let _ = upstream.shutdown(Shutdown::Write);
    let _ = back.join();
    Ok(said)
}

/// Splits what was said into requests, all of which have a `Content-Length` or no body.
fn requests(mut said: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut requests = Vec::new();
    while !said.is_empty() {
        let head = said.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or("half a request")? + 4;
        let text = String::from_utf8_lossy(&said[..head]).to_ascii_lowercase();
        if text.contains("transfer-encoding") {
            return Err("a chunked request is not recorded".to_owned());
        }
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(Ok(0), str::parse::<usize>).map_err(|error| error.to_string())?;
        let (request, rest) = said.split_at_checked(head + length).ok_or("half a body")?;
        requests.push(request.to_vec());
        said = rest;
    }
    Ok(requests)
}
