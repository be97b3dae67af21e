//! Plain HTTP/1.1 clients that keep their connections.

use crate::Result;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// How long each of `count` requests takes, one after the other.
pub fn latencies(url: &str, path: &str, count: usize) -> Result<Vec<Duration>> {
    let mut client = Client::connect(url)?;
    let mut taken = Vec::with_capacity(count);
    for _ in 0..count {
        let begin = Instant::now();
        client.get(path)?;
        taken.push(begin.elapsed());
    }
    Ok(taken)
}

/// How many requests a second so many clients get answered.
pub fn requests_per_second(url: &str, path: &str, clients: usize, seconds: u64) -> Result<f64> {
    let begin = Instant::now();
    let end = begin + Duration::from_secs(seconds);
    let one = move |url: String, path: String| {
        let mut client = Client::connect(&url)?;
        let mut count = 0_u64;
        while Instant::now() < end {
            client.get(&path)?;
            count += 1;
        }
        Ok(count)
    };
    let threads: Vec<_> = (0..clients)
        .map(|_| {
            let (url, path) = (url.to_owned(), path.to_owned());
            thread::spawn(move || -> Result<u64> { one(url, path) })
        })
        .collect();
    let mut total = 0;
    for thread in threads {
        total += thread.join().map_err(|_| "a client panicked")??;
    }
    Ok(total as f64 / begin.elapsed().as_secs_f64())
}

struct Client {
    reader: BufReader<TcpStream>,
    host: String,
}

impl Client {
    fn connect(url: &str) -> Result<Self> {
        let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&host).map_err(|error| format!("{host}: {error}"))?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(Self { reader: BufReader::new(stream), host })
    }

    /// Fetches a page; anything but 200 is an error.
    fn get(&mut self, path: &str) -> Result {
        let text = |error: std::io::Error| format!("{path}: {error}");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host);
        self.reader.get_mut().write_all(request.as_bytes()).map_err(text)?;
        let mut status = String::new();
        self.reader.read_line(&mut status).map_err(text)?;
        if !status.contains(" 200 ") {
            return Err(format!("{path} answered {status}"));
        }
        let (mut length, mut is_chunked) = (0, false);
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).map_err(text)?;
            let line = line.trim().to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap_or(0),
                Some(("transfer-encoding", "chunked")) => is_chunked = true,
                Some(_) => {}
                None => break,
            }
        }
        if !is_chunked {
            return self.skip(length).map_err(text);
        }
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).map_err(text)?;
            let size = u64::from_str_radix(line.trim(), 16).map_err(|error| error.to_string())?;
            self.skip(size + 2).map_err(text)?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn skip(&mut self, bytes: u64) -> std::io::Result<()> {
        let skipped = std::io::copy(&mut self.reader.by_ref().take(bytes), &mut std::io::sink())?;
        if skipped == bytes { Ok(()) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
    }
}
