//! Objects of any size, read piece by piece.

use super::Object;
use super::error::Error;
use super::loose::Loose;
use super::stream::{Fault, Stream};
use crate::limits::WINDOW_BYTES;
use gix_object::Kind;
use std::io;
use std::sync::Arc;

/// An object that is read from its beginning to its end. It depends on the store no longer.
pub struct Reader {
    kind: Kind,
    size: u64,
    done: u64,
    source: Source,
}

enum Source {
    /// It was made from a delta, or is so small that a file of its own would not be worth its while.
    Memory(Arc<Vec<u8>>),
    Loose(Box<Loose>),
    Packed(Box<Packed>),
}

/// An object that lies whole in a pack.
pub(super) struct Packed {
    pub stream: Stream,
    /// `pack-….pack`.
    pub pack: String,
    pub offset: u64,
}

impl Reader {
    /// Reads an object that is in memory.
    pub fn of_object(object: Object) -> Self {
        let size = object.data.len() as u64;
        Self { kind: object.kind, size, done: 0, source: Source::Memory(object.data) }
    }

    pub(super) fn of_loose(loose: Loose) -> Self {
        Self { kind: loose.kind(), size: loose.size(), done: 0, source: Source::Loose(Box::new(loose)) }
    }

    pub(super) fn of_packed(kind: Kind, size: u64, packed: Packed) -> Self {
        Self { kind, size, done: 0, source: Source::Packed(Box::new(packed)) }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The object's size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// All of it, if it is in memory anyway.
    pub fn whole(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Memory(data) => Some(data),
            Source::Loose(_) | Source::Packed(_) => None,
        }
    }

    /// The next piece: as many bytes as are asked for, and fewer only at the end, which is then known to be
    /// where it should be.
    pub fn next_piece(&mut self, bytes_max: usize) -> Result<Vec<u8>, Error> {
        let left = usize::try_from(self.size - self.done).unwrap_or(usize::MAX);
        let mut piece = vec![0; bytes_max.min(left)];
        let mut made = 0;
        while made < piece.len() {
            match self.read_some(&mut piece[made..])? {
                0 => break,
                count => made += count,
            }
        }
        piece.truncate(made);
        if self.done == self.size {
            // One byte more shows an object that goes on.
            self.read_some(&mut [0])?;
        }
        Ok(piece)
    }

    /// Passes over so many bytes.
    pub fn skip(&mut self, mut bytes: u64) -> Result<(), Error> {
        if let Source::Memory(_) = self.source {
            self.done = self.size.min(self.done + bytes);
            return Ok(());
        }
        let mut passed = vec![0; WINDOW_BYTES];
        while bytes > 0 {
            let count = bytes.min(passed.len() as u64) as usize;
            match self.read_some(&mut passed[..count])? {
                0 => break,
                count => bytes -= count as u64,
            }
        }
        Ok(())
    }

    fn read_some(&mut self, output: &mut [u8]) -> Result<usize, Error> {
        let count = match &mut self.source {
            Source::Memory(data) => {
                let rest = &data[self.done as usize..];
                let count = rest.len().min(output.len());
                output[..count].copy_from_slice(&rest[..count]);
                count
            }
            Source::Loose(loose) => loose.read(output)?,
            Source::Packed(packed) => packed
                .stream
                .read(output)
                .map_err(|fault| packed_failure(&packed.pack, packed.offset, fault))?,
        };
        self.done += count as u64;
        Ok(count)
    }
}

fn packed_failure(pack: &str, offset: u64, fault: Fault) -> Error {
    match fault {
        Fault::Damaged(reason) => Error::DamagedEntry { pack: pack.to_owned(), offset, reason },
        Fault::Io(source) => Error::Io { path: pack.into(), source },
    }
}

impl io::Read for Reader {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        self.read_some(output).map_err(io::Error::other)
    }
}
