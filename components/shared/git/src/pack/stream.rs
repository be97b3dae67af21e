//! Making entries of what is not stored as an entry.

use super::output::HEAD_LEN_MAX;
use crate::odb::Error;
use crate::odb::entry::{EntryKind, Header};
use crate::odb::loose::Loose;
use flate2::{Compress, Compression, FlushCompress, Status};

/// How much of a loose object is read at once, in bytes.
const INPUT_LEN: usize = 32 * 1024;

/// Appends an entry that stores `data`: an object, or a delta.
pub fn compress(kind: EntryKind, data: &[u8], out: &mut Vec<u8>) {
    Header { kind, size: data.len() as u64, len: 0 }.write_to(out);
    let mut compress = Compress::new(Compression::fast(), true);
    let mut consumed = 0;
    loop {
        out.reserve(data.len() / 2 + HEAD_LEN_MAX);
        let before = compress.total_in();
        let status = compress
            .compress_vec(&data[consumed..], out, FlushCompress::Finish)
            .expect("compressing from memory to memory does not fail");
        consumed += (compress.total_in() - before) as usize;
        if status == Status::StreamEnd {
            return;
        }
    }
}

/// A loose object that is being compressed.
pub struct Stream {
    loose: Loose,
    input: Vec<u8>,
    consumed: usize,
    is_at_end: bool,
    compress: Compress,
}

impl Stream {
    /// Begins the entry of a loose object: appends its head.
    pub fn new(loose: Loose, out: &mut Vec<u8>) -> Self {
        Header { kind: EntryKind::Whole(loose.kind()), size: loose.size(), len: 0 }.write_to(out);
        let compress = Compress::new(Compression::fast(), true);
        Self { loose, input: Vec::new(), consumed: 0, is_at_end: false, compress }
    }

    /// Appends at most `room` bytes of compressed data to `out`; false: that was all.
    pub fn compress_to(&mut self, out: &mut Vec<u8>, room: usize) -> Result<bool, Error> {
        let end = out.len() + room;
        while out.len() < end {
            if self.consumed == self.input.len() && !self.is_at_end {
                self.input.resize(INPUT_LEN, 0);
                let count = self.loose.read(&mut self.input)?;
                self.input.truncate(count);
                self.consumed = 0;
                self.is_at_end = count == 0;
            }
            let flush = if self.is_at_end { FlushCompress::Finish } else { FlushCompress::None };
            let (at, before_in, before_out) =
                (out.len(), self.compress.total_in(), self.compress.total_out());
            out.resize(end, 0);
            let status = self
                .compress
                .compress(&self.input[self.consumed..], &mut out[at..], flush)
                .expect("compressing from memory to memory does not fail");
            self.consumed += (self.compress.total_in() - before_in) as usize;
            out.truncate(at + (self.compress.total_out() - before_out) as usize);
            if status == Status::StreamEnd {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
