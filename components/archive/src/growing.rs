//! An archive that somebody else is making, read as it grows.

use crate::cache::{Cache, is_at_work};
use crate::limits::{PIECE_BYTES, POLL_MS, SILENT_SECONDS_MAX, WAIT_SECONDS_MAX};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// Who makes it does not go on with it, or not fast enough.
#[derive(Debug, PartialEq, Eq)]
pub struct GivenUp;

/// An archive in the making, and how far it was read.
pub struct Growing {
    cache: Cache,
    key: String,
    /// What it is called for as long as it is made.
    path: PathBuf,
    file: File,
    /// How much was read, in bytes.
    read: u64,
    /// How much of it there was the last time that it had grown since it was waited for, in bytes, and when that was.
    grown: Option<(u64, Instant)>,
    /// For how long nothing came, all in all.
    waited: Duration,
}

impl Growing {
    pub fn new(cache: Cache, key: &str, path: PathBuf, file: File) -> Self {
        Self { cache, key: key.to_owned(), path, file, read: 0, grown: None, waited: Duration::ZERO }
    }

    /// What it is called for as long as it is made.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Passes over so many bytes at its beginning.
    pub fn skip(&mut self, bytes: u64) {
        self.read = bytes;
    }

    /// The next piece, for which it waits; none at the end. The archive is whole then.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, GivenUp> {
        loop {
            // What was there before it was whole is all of it after.
            let is_in_the_making = self.path.exists();
            let piece = self.read_piece().map_err(|_| GivenUp)?;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            if !is_in_the_making {
                return if self.cache.size(&self.key) == Some(self.read) { Ok(None) } else { Err(GivenUp) };
            }
            self.wait()?;
        }
    }

    fn read_piece(&mut self) -> io::Result<Vec<u8>> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        self.file.seek(SeekFrom::Start(self.read))?;
        (&self.file).take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
        self.read += piece.len() as u64;
        Ok(piece)
    }

    fn wait(&mut self) -> Result<(), GivenUp> {
        let metadata = self.file.metadata().map_err(|_| GivenUp)?;
        let (length, since) = *self.grown.get_or_insert_with(|| (metadata.len(), Instant::now()));
        if metadata.len() > length {
            self.grown = Some((metadata.len(), Instant::now()));
        }
        // Who waits for a place, or finds out what goes in, says so by the file's time.
        let is_silent = since.elapsed() > Duration::from_secs(SILENT_SECONDS_MAX) && !is_at_work(&metadata);
        if is_silent || self.waited > Duration::from_secs(WAIT_SECONDS_MAX) {
            return Err(GivenUp);
        }
        let pause = Duration::from_millis(POLL_MS);
        thread::sleep(pause);
        self.waited += pause;
        Ok(())
    }
}
