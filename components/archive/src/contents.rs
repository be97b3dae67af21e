//! An archive, made piece by piece: no more of it is in memory than one piece, and one file where that has to be
//! made whole.

use crate::format::{Format, Packing};
use crate::limits::{MADE_BYTES_MAX, PIECE_BYTES, SUBSTITUTED_BYTES_MAX, SUBSTITUTED_SUM_BYTES_MAX};
use crate::plan::{Planned, is_converted};
use crate::substitution;
use bstr::BString;
use gix_hash::ObjectId;
use gix_object::Kind;
use gix_object::tree::EntryKind;
use lithe_code::repository::{self, Commit, Repository};
use lithe_code::storage::Opened;
use lithe_git::limits::STREAMED_OBJECT_BYTES_MIN;
use lithe_git::odb::{self, Object, Reader};
use std::io;
use std::sync::Arc;
use std::vec;

/// Why an archive is broken off.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Repository(#[from] repository::Error),
    #[error("{0}")]
    Object(#[from] odb::Error),
    #[error("{0}")]
    Packing(#[from] io::Error),
}

/// An archive in the making.
pub struct Contents {
    opened: Opened,
    commit: Commit,
    planned: vec::IntoIter<Planned>,
    /// What stands before every path, with a slash at its end.
    prefix: BString,
    packing: Packing,
    /// The file whose contents are being added.
    file: Option<Reader>,
    /// How much replacing placeholders may still make and read, in bytes.
    substituted_bytes_left: u64,
    is_finished: bool,
}

impl Contents {
    /// Begins the archive of what was planned of a commit. Its entries stand below the directory `name`.
    pub fn new(
        opened: Opened,
        commit: Commit,
        planned: Vec<Planned>,
        name: &[u8],
        format: Format,
    ) -> io::Result<Self> {
        let mut prefix = BString::from(name);
        prefix.push(b'/');
        let mut packing = Packing::new(format, &commit.id, commit.committer.seconds)?;
        let root: ObjectId = commit.tree_id;
        packing.entry(&prefix, EntryKind::Tree, &root, 0, b"")?;
        let files = planned.iter().filter(|entry| entry.size > 0);
        opened.objects.expect(files.map(|entry| &*entry.id));
        let planned = planned.into_iter();
        Ok(Self {
            opened,
            commit,
            planned,
            prefix,
            packing,
            file: None,
            substituted_bytes_left: SUBSTITUTED_SUM_BYTES_MAX,
            is_finished: false,
        })
    }

    /// The next piece; none at the end.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        while !self.is_finished && self.packing.len() < PIECE_BYTES {
            self.step()?;
        }
        let piece = self.packing.take();
        Ok((!piece.is_empty()).then_some(piece))
    }

    fn step(&mut self) -> Result<(), Error> {
        if let Some(file) = &mut self.file {
            let piece = file.next_piece(PIECE_BYTES)?;
            self.packing.contents(&piece)?;
            if piece.len() < PIECE_BYTES {
                self.file = None;
            }
            return Ok(());
        }
        match self.planned.next() {
            Some(entry) => self.begin(&entry),
            None => {
                self.is_finished = true;
                Ok(self.packing.finish()?)
            }
        }
    }

    fn begin(&mut self, entry: &Planned) -> Result<(), Error> {
        let mut path = self.prefix.clone();
        path.extend_from_slice(&entry.path);
        match entry.kind {
            EntryKind::Tree | EntryKind::Commit => {
                path.push(b'/');
                self.packing.entry(&path, entry.kind, &entry.id, 0, b"")?;
            }
            EntryKind::Link => {
                let target = self.repository().small_blob(&entry.id)?;
                self.packing.entry(&path, entry.kind, &entry.id, target.len() as u64, &target)?;
            }
            EntryKind::Blob | EntryKind::BlobExecutable => {
                let file = self.file(entry)?;
                self.packing.entry(&path, entry.kind, &entry.id, file.size(), b"")?;
                match file.whole() {
                    Some(bytes) if bytes.len() <= PIECE_BYTES => self.packing.contents(bytes)?,
                    _ => self.file = Some(file),
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, entry: &Planned) -> Result<Reader, Error> {
        let is_substituted = entry.is_substituted && entry.size <= SUBSTITUTED_BYTES_MAX;
        let is_as_stored = !is_substituted && !is_converted(&entry.conversion, entry.size);
        if is_as_stored && entry.size >= STREAMED_OBJECT_BYTES_MIN {
            return Ok(self.repository().blob_reader(&entry.id, MADE_BYTES_MAX)?);
        }
        let bytes = self.repository().small_blob(&entry.id)?;
        if is_as_stored {
            return Ok(Reader::of_object(Object { kind: Kind::Blob, data: bytes }));
        }
        let bytes = entry.conversion.convert(&entry.id, &bytes).map_or(bytes, Arc::new);
        let data = if entry.is_substituted { self.substituted(bytes) } else { bytes };
        Ok(Reader::of_object(Object { kind: Kind::Blob, data }))
    }

    fn substituted(&mut self, bytes: Arc<Vec<u8>>) -> Arc<Vec<u8>> {
        if bytes.len() as u64 > SUBSTITUTED_BYTES_MAX {
            return bytes;
        }
        let share = self.substituted_bytes_left.min(SUBSTITUTED_BYTES_MAX);
        let mut left = share;
        let replaced = substitution::substitute(&bytes, &self.commit, &mut left);
        self.substituted_bytes_left -= share - left;
        replaced.map_or(bytes, Arc::new)
    }

    fn repository(&self) -> Repository<'_> {
        Repository { objects: &self.opened.objects, refs: &self.opened.refs }
    }
}
