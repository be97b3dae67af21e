//! Tables in files, of which a question needs a few entries.

use super::file::File;
use crate::limits::INDEX_TABLE_BYTES_MAX;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much is read at once, in bytes.
const PIECE_BYTES: usize = 4 * 1024;

/// A stretch of a file, read a piece at a time where it is needed, and kept up to a limit.
///
/// What a request costs then goes with what it asks for, and not with the size of the table.
pub struct Table {
    file: Arc<File>,
    start: u64,
    len: u64,
    pieces: Mutex<Pieces>,
}

struct Pieces {
    held: Vec<Option<Box<[u8]>>>,
    bytes: u64,
    bytes_max: u64,
}

impl Table {
    /// The stretch of `len` bytes from `start` on; none: the file is not that long.
    pub fn new(file: Arc<File>, start: u64, len: u64) -> Option<Self> {
        start.checked_add(len).filter(|end| *end <= file.len())?;
        let pieces = Pieces { held: Vec::new(), bytes: 0, bytes_max: INDEX_TABLE_BYTES_MAX };
        Some(Self { file, start, len, pieces: Mutex::new(pieces) })
    }

    /// In bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills the buffer from `offset` of the table on.
    ///
    /// Fails with `UnexpectedEof` past its end.
    pub fn read(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut pieces = self.pieces();
        while !buffer.is_empty() {
            let piece = self.piece(&mut pieces, offset / PIECE_BYTES as u64)?;
            let within = (offset % PIECE_BYTES as u64) as usize;
            let count = buffer.len().min(piece.len() - within);
            buffer[..count].copy_from_slice(&piece[within..within + count]);
            buffer = &mut buffer[count..];
            offset += count as u64;
        }
        Ok(())
    }

    /// The entry of `N` bytes at a place of a table of such entries.
    pub fn entry<const N: usize>(&self, index: u64) -> io::Result<[u8; N]> {
        self.at(index.saturating_mul(N as u64))
    }

    /// The `N` bytes from `offset` of the table on: to copy a number of bytes that only shows as it runs takes a call
    /// out of the component.
    pub fn at<const N: usize>(&self, offset: u64) -> io::Result<[u8; N]> {
        let mut entry = [0; N];
        let within = (offset % PIECE_BYTES as u64) as usize;
        // Most entries lie within one piece that is held.
        if let Some(Some(piece)) = self.pieces().held.get((offset / PIECE_BYTES as u64) as usize)
            && let Some(bytes) = piece.get(within..within + N)
        {
            entry.copy_from_slice(bytes);
            return Ok(entry);
        }
        self.read(offset, &mut entry)?;
        Ok(entry)
    }

    /// Shows the `len` bytes from `offset` of the table on, which are copied only where they lie in several pieces.
    pub fn with<T>(&self, offset: u64, len: usize, look: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
        let within = (offset % PIECE_BYTES as u64) as usize;
        if let Some(Some(piece)) = self.pieces().held.get((offset / PIECE_BYTES as u64) as usize)
            && let Some(bytes) = piece.get(within..within.saturating_add(len))
        {
            return Ok(look(bytes));
        }
        let mut bytes = vec![0; len];
        self.read(offset, &mut bytes)?;
        Ok(look(&bytes))
    }

    /// Nobody waits: a store is one thread's.
    fn pieces(&self) -> MutexGuard<'_, Pieces> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn piece<'a>(&self, pieces: &'a mut Pieces, number: u64) -> io::Result<&'a [u8]> {
        let index = number as usize;
        if pieces.held.get(index).is_none_or(Option::is_none) {
            let begin = number * PIECE_BYTES as u64;
            let mut bytes = vec![0; (self.len - begin).min(PIECE_BYTES as u64) as usize];
            self.file.read_exact_at(&mut bytes, self.start + begin)?;
            pieces.keep(index, bytes.into_boxed_slice());
        }
        Ok(pieces.held[index].as_deref().expect("it was just put there"))
    }
}

impl Pieces {
    fn keep(&mut self, index: usize, piece: Box<[u8]>) {
        if self.bytes + piece.len() as u64 > self.bytes_max {
            self.held.clear();
            self.bytes = 0;
        }
        if self.held.len() <= index {
            self.held.resize_with(index + 1, || None);
        }
        self.bytes += piece.len() as u64;
        self.held[index] = Some(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(len: usize, start: u64, bytes_max: u64) -> Table {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("file");
        let bytes: Vec<u8> = (0..len as u32 / 4).flat_map(u32::to_be_bytes).collect();
        std::fs::write(&path, bytes).expect("written");
        let file = Arc::new(File::open(&path).expect("opened"));
        let table = Table::new(file, start, len as u64 - start).expect("within the file");
        table.pieces().bytes_max = bytes_max;
        table
    }

    #[test]
    fn entries_are_read_in_any_order_however_little_is_held() {
        let len = 5 * PIECE_BYTES + 8;
        for bytes_max in [0, PIECE_BYTES as u64, 2 * PIECE_BYTES as u64 + 1, u64::MAX] {
            let table = table(len, 4, bytes_max);
            let piece = PIECE_BYTES as u64 / 4;
            for index in [0, 1, piece - 1, piece, 5 * piece, piece - 1, 0, 3 * piece, 5 * piece] {
                let entry = u32::from_be_bytes(table.entry(index).expect("read"));
                assert_eq!(u64::from(entry), index + 1, "holding {bytes_max}");
            }
            assert!(table.pieces().bytes <= bytes_max.max(PIECE_BYTES as u64));
        }
    }

    #[test]
    fn an_entry_may_lie_across_two_pieces_and_not_past_the_end() {
        let table = table(2 * PIECE_BYTES, 0, u64::MAX);
        let mut across = [0; 8];
        table.read(PIECE_BYTES as u64 - 4, &mut across).expect("read");
        let expected = [PIECE_BYTES as u32 / 4 - 1, PIECE_BYTES as u32 / 4].map(u32::to_be_bytes).concat();
        assert_eq!(across, *expected);
        assert_eq!(table.at(PIECE_BYTES as u64 - 4).expect("read"), across);
        table.with(PIECE_BYTES as u64 - 4, 8, |bytes| assert_eq!(bytes, across)).expect("read");
        table.with(PIECE_BYTES as u64, 4, |bytes| assert_eq!(bytes, &across[4..])).expect("read");
        assert!(table.with(2 * PIECE_BYTES as u64 - 7, 8, |_| ()).is_err());
        for offset in [2 * PIECE_BYTES as u64 - 7, u64::MAX] {
            let error = table.read(offset, &mut across).expect_err("past the end");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
        assert!(Table::new(table.file.clone(), 1, 2 * PIECE_BYTES as u64).is_none());
    }
}
