//! Plain HTTP/1.1 clients that keep their connections.

use crate::Result;
use std::io::{self, BufRead, BufReader, Read, Write};
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
    throughput(url, &[path.to_owned()], clients, seconds).map(|(per_second, _)| per_second)
}

/// How many requests a second so many clients get answered, and how long each of them took. Each client asks for the
/// paths in turn, from a place of its own on.
pub fn throughput(url: &str, paths: &[String], clients: usize, seconds: u64) -> Result<(f64, Vec<Duration>)> {
    let begin = Instant::now();
    let end = begin + Duration::from_secs(seconds);
    let one = |first: usize| {
        let mut client = Client::connect(url)?;
        let mut taken = Vec::new();
        let mut begin = Instant::now();
        for path in paths.iter().cycle().skip(first) {
            if begin >= end {
                break;
            }
            client.get(path)?;
            taken.push(begin.elapsed());
            begin = Instant::now();
        }
        Ok(taken)
    };
    let mut all = Vec::new();
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..clients).map(|client| scope.spawn(move || one(client * paths.len() / clients))).collect();
        for thread in threads {
            let taken: Result<Vec<Duration>> = thread.join().map_err(|_| "a client panicked")?;
            all.extend(taken?);
        }
        Result::Ok(())
    })?;
    Ok((all.len() as f64 / begin.elapsed().as_secs_f64(), all))
}

/// A client that waits for each answer before it asks again.
pub struct Client {
    reader: BufReader<TcpStream>,
    host: String,
    /// What it calls itself.
    name: &'static str,
}

impl Client {
    pub fn connect(url: &str) -> Result<Self> {
        Self::connect_as(url, "bench")
    }

    pub fn connect_as(url: &str, name: &'static str) -> Result<Self> {
        let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&host).map_err(|error| format!("{host}: {error}"))?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(Self { reader: BufReader::new(stream), host, name })
    }

    /// Fetches a page; anything but 200 is an error.
    fn get(&mut self, path: &str) -> Result {
        let asked = self.ask_into(&self.request(path), &mut io::sink());
        match asked.map_err(|error| format!("{path}: {error}"))? {
            200 => Ok(()),
            status => Err(format!("{path} answered {status}")),
        }
    }

    /// Sends a whole request and reads the whole answer. Returns its status.
    pub fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        self.ask_into(request, &mut io::sink())
    }

    /// Asks for a page; the body of the answer goes to `body`. Returns its status.
    pub fn page(&mut self, path: &str, body: &mut Vec<u8>) -> io::Result<u16> {
        self.ask_into(&self.request(path), body)
    }

    fn request(&self, path: &str) -> Vec<u8> {
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n\r\n", self.host, self.name)
            .into_bytes()
    }

    fn ask_into(&mut self, request: &[u8], body: &mut impl Write) -> io::Result<u16> {
        self.reader.get_mut().write_all(request)?;
        let status = self.line()?.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let (mut length, mut is_chunked) = (None, false);
        // RFC 9112, section 6.3: these have no body, whatever the head says.
        let is_bare = matches!(status, 204 | 304);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().ok(),
                Some(("transfer-encoding", "chunked")) => is_chunked = true,
                Some(_) => {}
                None => break,
            }
        }
        match (is_chunked, length) {
            _ if is_bare => {}
            (true, _) => self.copy_chunks(body)?,
            (false, Some(length)) => self.copy(length, body)?,
            (false, None) => drop(io::copy(&mut self.reader, body)?),
        }
        Ok(status)
    }

    fn copy_chunks(&mut self, body: &mut impl Write) -> io::Result<()> {
        loop {
            let size = u64::from_str_radix(&self.line()?, 16).map_err(io::Error::other)?;
            self.copy(size, body)?;
            self.copy(2, &mut io::sink())?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    fn copy(&mut self, bytes: u64, to: &mut impl Write) -> io::Result<()> {
        let copied = io::copy(&mut self.reader.by_ref().take(bytes), to)?;
        if copied == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}
