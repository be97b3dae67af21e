//! gitoxide's interface to HTTP, by `ureq`.

use gix_transport::Protocol;
use gix_transport::client::blocking_io::http::{
    GetResponse, Http, PostBodyDataKind, PostResponse, Transport,
};
use std::error::Error;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::sync::{Arc, Mutex};

/// A transport of protocol version 2 to the repository at `url`. `$AUTHORIZATION` goes along where it is
/// set: gitoxide itself would not send a password without TLS.
pub fn transport(url: &str) -> Result<Transport<Client>, Box<dyn Error>> {
    let url = gix::url::parse(url)?;
    Ok(Transport::new_http(Client::default(), url, Protocol::V2, false))
}

#[derive(Default)]
pub struct Client;

impl Http for Client {
    type Headers = Answer;
    type ResponseBody = Answer;
    type PostBody = Question;

    fn get(
        &mut self,
        url: &str,
        _: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix_error::Result<GetResponse<Answer, Answer>> {
        let exchange = Exchange::new("GET", url, headers);
        Ok(GetResponse { headers: exchange.answer(Part::Headers), body: exchange.answer(Part::Body) })
    }

    fn post(
        &mut self,
        url: &str,
        _: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _: PostBodyDataKind,
    ) -> gix_error::Result<PostResponse<Answer, Answer, Question>> {
        let exchange = Exchange::new("POST", url, headers);
        Ok(PostResponse {
            post_body: Question(exchange.0.clone()),
            headers: exchange.answer(Part::Headers),
            body: exchange.answer(Part::Body),
        })
    }

    fn configure(&mut self, _: &dyn std::any::Any) -> gix_error::Result {
        Ok(())
    }
}

/// A request that is sent once its answer is read.
struct Exchange(Arc<Mutex<State>>);

struct State {
    method: &'static str,
    url: String,
    headers: Vec<String>,
    question: Vec<u8>,
    answer: Option<(Vec<u8>, Option<Box<dyn Read + Send>>)>,
}

/// The body of a request.
pub struct Question(Arc<Mutex<State>>);

#[derive(Clone, Copy)]
enum Part {
    Headers,
    Body,
}

/// A part of an answer.
pub struct Answer {
    exchange: Arc<Mutex<State>>,
    part: Part,
    reader: Option<Box<dyn BufRead + Send>>,
}

impl Exchange {
    fn new(method: &'static str, url: &str, headers: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut headers: Vec<_> = headers.into_iter().map(|header| header.as_ref().to_owned()).collect();
        headers.extend(std::env::var("AUTHORIZATION").map(|value| format!("Authorization: {value}")));
        Self(Arc::new(Mutex::new(State {
            method,
            url: url.into(),
            headers,
            question: Vec::new(),
            answer: None,
        })))
    }

    fn answer(&self, part: Part) -> Answer {
        Answer { exchange: self.0.clone(), part, reader: None }
    }
}

impl State {
    fn send(&mut self) -> io::Result<()> {
        let mut request = ureq::http::Request::builder().method(self.method).uri(&self.url);
        for (name, value) in self.headers.iter().filter_map(|header| header.split_once(':')) {
            request = request.header(name, value.trim());
        }
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let answer = match self.method {
            "GET" => agent.run(request.body(()).map_err(io::Error::other)?),
            _ => agent.run(request.body(std::mem::take(&mut self.question)).map_err(io::Error::other)?),
        };
        let answer = answer.map_err(io::Error::other)?;
        if answer.status() == 401 {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "401"));
        } else if !answer.status().is_success() {
            return Err(io::Error::other(answer.status().to_string()));
        }
        let mut headers = Vec::new();
        for (name, value) in answer.headers() {
            headers.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
        }
        let body: Box<dyn Read + Send> = Box::new(answer.into_body().into_reader());
        self.answer = Some((headers, Some(body)));
        Ok(())
    }
}

impl Answer {
    fn reader(&mut self) -> io::Result<&mut Box<dyn BufRead + Send>> {
        if self.reader.is_none() {
            let mut state = self.exchange.lock().expect("nobody panics with it");
            if state.answer.is_none() {
                state.send()?;
            }
            let (headers, body) = state.answer.as_mut().expect("it was just sent");
            self.reader = Some(match self.part {
                Part::Headers => Box::new(Cursor::new(std::mem::take(headers))),
                Part::Body => Box::new(BufReader::new(body.take().expect("it is read once"))),
            });
        }
        Ok(self.reader.as_mut().expect("it was just made"))
    }
}

impl Read for Answer {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.reader()?.read(out)
    }
}

impl BufRead for Answer {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader()?.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Some(reader) = &mut self.reader {
            reader.consume(count);
        }
    }
}

impl Write for Question {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").question.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
