//! The peer: `git http-backend` behind the plainest CGI server (RFC 3875) there can be, a process
//! a request and nothing else in the way.

use super::server::processor_time;
use super::silent;
use crate::{Result, run};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

pub struct Server {
    root: PathBuf,
    url: String,
}

impl Server {
    /// Serves the repositories below `root`; the thread ends with the process.
    pub fn start(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).map_err(|error| format!("{}: {error}", root.display()))?;
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let url = format!("http://{}", listener.local_addr().map_err(|error| error.to_string())?);
        let served = root.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let root = served.clone();
                // A client that goes away is no concern of the others.
                thread::spawn(move || drop(answer(stream, &root)));
            }
        });
        Ok(Self { root: root.to_owned(), url })
    }

    /// Makes an empty repository that can be pushed to.
    pub fn create(&self, name: &str) -> Result {
        let path = self.root.join(format!("{name}.git"));
        run(silent("git").args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(&path))?;
        run(silent("git").arg("-C").arg(&path).args(["config", "http.receivepack", "true"]))?;
        run(silent("git").arg("-C").arg(&path).args(["config", "receive.fsckObjects", "true"]))
    }

    /// What the processor spent for the programs that were run so far, and whatever else this process ran.
    pub fn cpu() -> Result<Duration> {
        processor_time("/proc/self/stat", 13)
    }

    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}.git", self.url)
    }
}

/// Answers every request of a connection by one run of the program, then closes.
fn answer(stream: TcpStream, root: &Path) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(()) };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut command = Command::new("git");
    command.arg("http-backend").env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1");
    command.env("REQUEST_METHOD", method).env("PATH_INFO", path).env("QUERY_STRING", query);
    command.env("REMOTE_USER", "bench").env("REMOTE_ADDR", "127.0.0.1").env("SERVER_PROTOCOL", "HTTP/1.1");
    let (mut length, mut is_chunked) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "transfer-encoding" => is_chunked = true,
            "content-type" => drop(command.env("CONTENT_TYPE", value)),
            "content-encoding" => drop(command.env("HTTP_CONTENT_ENCODING", value)),
            "git-protocol" => drop(command.env("GIT_PROTOCOL", value)),
            "expect" => (&stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
            _ => {}
        }
    }
    if !is_chunked {
        command.env("CONTENT_LENGTH", length.to_string());
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().expect("it is piped");
    let feed = thread::spawn(move || match is_chunked {
        true => copy_chunks(&mut reader, &mut input),
        false => io::copy(&mut reader.take(length), &mut input).map(drop),
    });
    let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut out = &stream;
    let (mut status, mut headers) = ("200 OK".to_owned(), String::new());
    loop {
        let mut line = String::new();
        output.read_line(&mut line)?;
        match line.trim().strip_prefix("Status: ") {
            Some(other) => status = other.to_owned(),
            None if line.trim().is_empty() => break,
            None => headers.push_str(&line),
        }
    }
    out.write_all(format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n").as_bytes())?;
    io::copy(&mut output, &mut out)?;
    child.wait()?;
    // The program may end before it has read all; the result is the client's to judge.
    let _ = feed.join();
    Ok(())
}

/// Chunked transfer coding (RFC 9112, section 7.1), without extensions.
fn copy_chunks(reader: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        io::copy(&mut reader.take(size), to)?;
        reader.read_line(&mut line)?;
        if size == 0 {
            return Ok(());
        }
    }
}
