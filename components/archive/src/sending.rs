//! Sending archives: as they are made, or from the cache, whole or in part.

use crate::cache;
use crate::contents::{Contents, Error};
use crate::limits::PIECE_BYTES;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use lithe_web::Answer;
use lithe_web::answer;
use lithe_web::download::{self, Part};
use spin_sdk::http::box_body;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
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
        let mut answer = answer::bytes(StatusCode::NOT_MODIFIED, Bytes::new());
        answer.headers_mut().remove(header::CONTENT_LENGTH);
        self.add_to(answer)
    }

    /// An archive whose length is not known yet, or, to `HEAD`, what is known of it.
    pub fn made(&self, making: Option<Making>) -> Answer {
        let answer = match making {
            Some(making) => Response::new(box_body(making)),
            None => {
                let mut answer = answer::bytes(StatusCode::OK, Bytes::new());
                answer.headers_mut().remove(header::CONTENT_LENGTH);
                answer
            }
        };
        self.add_to(answer)
    }

    /// An archive that lies in a file of that size.
    pub fn kept(&self, method: &Method, request: &HeaderMap, file: File, size: u64) -> io::Result<Answer> {
        let part =
            if method == Method::HEAD { Part::Whole } else { download::part(request, &self.etag, size) };
        let (status, range) = match part {
            Part::Whole => (StatusCode::OK, 0..size),
            Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
            Part::Unsatisfiable => {
                let mut answer = answer::bytes(StatusCode::RANGE_NOT_SATISFIABLE, Bytes::new());
                answer.headers_mut().insert(header::CONTENT_RANGE, download::no_content_range(size));
                return Ok(self.add_to(answer));
            }
        };
        let mut answer = match *method {
            Method::HEAD => answer::bytes(status, Bytes::new()),
            _ => Response::new(box_body(Kept::new(file, range.clone())?)),
        };
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        if status == StatusCode::PARTIAL_CONTENT {
            headers.insert(header::CONTENT_RANGE, download::content_range(&range, size));
        }
        Ok(self.add_to(answer))
    }
}

/// An archive that is kept as it is made and sent.
pub struct Making {
    pub contents: Contents,
    pub kept: Option<cache::Entry>,
    /// The repository's, for the log.
    pub path: String,
}

impl Making {
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let piece = self.contents.next_piece()?;
        match (&piece, &mut self.kept) {
            (Some(piece), Some(kept)) => kept.add(piece),
            (None, _) => {
                if let Some(kept) = self.kept.take() {
                    kept.finish();
                }
            }
            (Some(_), None) => {}
        }
        Ok(piece)
    }

    /// Makes all of it, for the cache alone.
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
            self.kept = None;
        }
        Poll::Ready(piece.transpose().map(|piece| piece.map(|bytes| Frame::data(Bytes::from(bytes)))))
    }
}

/// A part of a file, read as it is sent.
struct Kept {
    file: File,
    left: u64,
}

impl Kept {
    fn new(mut file: File, range: Range<u64>) -> io::Result<Self> {
        file.seek(SeekFrom::Start(range.start))?;
        Ok(Self { file, left: range.end - range.start })
    }

    fn next_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let length = self.left.min(PIECE_BYTES as u64);
        if length == 0 {
            return Ok(None);
        }
        let mut piece = Vec::with_capacity(length as usize);
        (&mut self.file).take(length).read_to_end(&mut piece)?;
        match piece.len() as u64 {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                self.left -= length;
                Ok(Some(piece))
            }
        }
    }
}

impl Body for Kept {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece =
            self.next_piece().inspect_err(|error| eprintln!("archive: a kept one is broken off: {error}"));
        Poll::Ready(piece.transpose().map(|piece| piece.map(|bytes| Frame::data(Bytes::from(bytes)))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
