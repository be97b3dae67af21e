//! Sending archives: as they are made, by whoever began first, or from the cache, whole or in part.

use crate::cache::{Cache, Turn};
use crate::contents::{Contents, Error};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body::{Body, Frame};
use lithe_web::Answer;
use lithe_web::answer;
use lithe_web::download;
use spin_sdk::http::box_body;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What an archive is sent with.
pub struct Headers {
    pub etag: String,
    pub content_type: &'static str,
    pub file_name: String,
}

impl Headers {
    fn add_to(&self, mut answer: Answer) -> Answer {
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
        download::save_as(headers, Some(&self.file_name));
        download::revalidate(headers, &self.etag);
        answer
    }

    /// The client has it already.
    pub fn not_modified(&self) -> Answer {
        self.add_to(download::not_modified())
    }

    /// What is known of an archive that was not made yet.
    pub fn unmade(&self) -> Answer {
        let mut answer = answer::bytes(StatusCode::OK, Bytes::new());
        answer.headers_mut().remove(header::CONTENT_LENGTH);
        self.add_to(answer)
    }

    /// An archive whose length is not known yet.
    pub fn made(&self, making: Making) -> Answer {
        self.add_to(Response::new(box_body(making)))
    }

    /// An archive that lies in a file of that size.
    pub fn kept(&self, method: &Method, request: &HeaderMap, file: File, size: u64) -> io::Result<Answer> {
        let answer = download::answer(method, request, &self.etag, size, download::of_file(file))?;
        Ok(self.add_to(answer))
    }
}

/// An archive that is sent as it is made: by this request, or by another one that began before. If that one
/// stops, this one goes on, as the bytes are the same.
pub struct Making {
    contents: Contents,
    cache: Cache,
    key: String,
    turn: Turn,
    /// What others made and did not finish.
    given_up: Vec<PathBuf>,
    /// How much was sent, and how much of it was made here, in bytes.
    sent: u64,
    made: u64,
    /// The repository's, for the log.
    path: String,
}

impl Making {
    /// Begins an archive of those contents.
    pub fn new(contents: Contents, cache: Cache, turn: Turn, key: &str, path: &str) -> Self {
        let (key, path) = (key.to_owned(), path.to_owned());
        Self { contents, cache, key, turn, given_up: Vec::new(), sent: 0, made: 0, path }
    }

    /// Whether it is kept once it is made.
    pub fn is_kept(&self) -> bool {
        !matches!(self.turn, Turn::Unkept)
    }

    /// The next piece; none at the end.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            let Turn::Others(growing) = &mut self.turn else { break };
            match growing.next_piece() {
                Ok(piece) => {
                    self.sent += piece.as_ref().map_or(0, |piece| piece.len() as u64);
                    return Ok(piece);
                }
                Err(_) => self.give_up(),
            }
        }
        // What was sent already is made again, for the cache.
        loop {
            let Some(mut piece) = self.make_piece()? else { return Ok(None) };
            if self.made > self.sent {
                let is_new = (self.made - self.sent) as usize;
                piece.drain(..piece.len() - is_new);
                self.sent = self.made;
                return Ok(Some(piece));
            }
        }
    }

    /// Turns from who does not go on to somebody else who does, or to oneself.
    fn give_up(&mut self) {
        if let Turn::Others(growing) = &self.turn {
            self.given_up.push(growing.path().to_owned());
        }
        self.turn = self.cache.begin_in_turn(&self.key, &self.given_up);
        if let Turn::Others(growing) = &mut self.turn {
            growing.skip(self.sent);
        }
    }

    fn make_piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let piece = self.contents.next_piece()?;
        match (&piece, &mut self.turn) {
            (Some(piece), turn) => {
                self.made += piece.len() as u64;
                if let Turn::Mine(kept) = turn {
                    kept.add(piece);
                }
            }
            (None, _) => {
                if let Turn::Mine(kept) = std::mem::replace(&mut self.turn, Turn::Unkept) {
                    kept.finish();
                }
            }
        }
        Ok(piece)
    }

    /// Waits until all of it is made, for the cache alone.
    pub fn finish(mut self) -> Result<(), Error> {
        while self.next_piece()?.is_some() {}
        Ok(())
    }
}

impl Body for Making {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let piece = self.next_piece();
        if let Err(error) = &piece {
            eprintln!("archive: one of {} is broken off: {error}", self.path);
            self.turn = Turn::Unkept;
        }
        Poll::Ready(piece.transpose().map(|piece| piece.map(|bytes| Frame::data(Bytes::from(bytes)))))
    }
}
