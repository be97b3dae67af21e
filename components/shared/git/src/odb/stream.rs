//! A zlib stream in a file that is inflated piece by piece, in bounded memory.

use super::file::File;
use super::inflate::{Inflater, Progress, Reason};
use crate::limits::WINDOW_BYTES;
use std::io;

/// What goes wrong on the way.
#[derive(Debug)]
pub enum Fault {
    Damaged(Reason),
    Io(io::Error),
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self::Damaged(reason)
    }
}

/// A stream that goes from some place of a file to its own end.
pub struct Stream {
    file: File,
    /// The next byte of the file to be read into `input`.
    offset: u64,
    input: Vec<u8>,
    consumed: usize,
    inflater: Inflater,
    /// What came out of the stream and was put back.
    rest: Vec<u8>,
    /// How much it still has to make, in bytes.
    left: u64,
    has_ended: bool,
}

impl Stream {
    /// The stream at `offset`, which makes `size` bytes.
    pub fn new(file: File, offset: u64, size: u64) -> Self {
        Self {
            file,
            offset,
            input: Vec::new(),
            consumed: 0,
            inflater: Inflater::new(),
            rest: Vec::new(),
            left: size,
            has_ended: false,
        }
    }

    /// Reads what stands before the first `end`, which is left out, and is told from it how much the stream
    /// makes behind; none if it is not among the first bytes, as many as `head` has.
    pub fn head(&mut self, head: &mut [u8], end: u8) -> Result<Option<usize>, Fault> {
        let mut len = 0;
        while len < head.len() && !self.has_ended && !head[..len].contains(&end) {
            len += self.inflate(&mut head[len..])?;
        }
        let end = head[..len].iter().position(|byte| *byte == end);
        self.rest = head[end.map_or(len, |end| end + 1)..len].to_vec();
        Ok(end)
    }

    /// Says how much the stream makes from here on.
    pub fn expect(&mut self, size: u64) {
        self.left = size;
    }

    /// Reads on; 0 is the end, which is then known to be where it should be.
    pub fn read(&mut self, output: &mut [u8]) -> Result<usize, Fault> {
        if output.is_empty() {
            return Ok(0);
        }
        if !self.rest.is_empty() {
            let count = self.rest.len().min(output.len());
            output[..count].copy_from_slice(&self.rest[..count]);
            self.rest.drain(..count);
            return self.advance(count);
        }
        while !self.has_ended {
            let count = self.inflate(output)?;
            if count > 0 {
                return self.advance(count);
            }
        }
        if self.left == 0 { Ok(0) } else { Err(Fault::Damaged("it is smaller than it says")) }
    }

    fn advance(&mut self, count: usize) -> Result<usize, Fault> {
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or(Fault::Damaged("it is larger than it says"))?;
        Ok(count)
    }

    fn inflate(&mut self, output: &mut [u8]) -> Result<usize, Fault> {
        if self.consumed == self.input.len() && self.offset < self.file.len() {
            let len = (self.file.len() - self.offset).min(WINDOW_BYTES as u64) as usize;
            self.input.resize(len, 0);
            self.consumed = 0;
            self.file.read_exact_at(&mut self.input, self.offset).map_err(Fault::Io)?;
            self.offset += len as u64;
        }
        let (consumed, produced, progress) = self.inflater.step(&self.input[self.consumed..], output)?;
        self.consumed += consumed;
        self.has_ended = progress == Progress::Ended;
        if !self.has_ended && consumed == 0 && produced == 0 && !output.is_empty() {
            return Err(Fault::Damaged("its compressed data ends too soon"));
        }
        Ok(produced)
    }
}
