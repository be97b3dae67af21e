//! Loose objects: one zlib stream a file, with a head of kind and size (git-hash-object, "loose").

use super::error::Error;
use super::file::File;
use super::inflate::{Inflater, Progress};
use crate::disk;
use crate::limits::WINDOW_BYTES;
use gix_hash::ObjectId;
use gix_object::Kind;
use std::io;
use std::path::{Path, PathBuf};

const HEADER_LEN_MAX: usize = 32;

/// A loose object that is read piece by piece.
pub struct Loose {
    id: ObjectId,
    file: File,
    /// The next byte of the file to be read into `input`.
    offset: u64,
    input: Vec<u8>,
    consumed: usize,
    inflater: Inflater,
    /// What came out of the stream after the head and was not fetched yet.
    rest: Vec<u8>,
    kind: Kind,
    size: u64,
    made: u64,
    has_ended: bool,
}

/// Whether a directory of that name below `objects` has loose objects.
pub fn is_directory_name(name: &str) -> bool {
    name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns where the loose object `id` lies, if it does.
pub fn path(objects_dir: &Path, id: &gix_hash::oid) -> PathBuf {
    let hex = id.to_hex().to_string();
    let mut path = objects_dir.join(&hex[..2]);
    path.push(&hex[2..]);
    path
}

/// Whether a directory of objects has a loose object of that name. Fails if that cannot be told.
pub fn is_there(objects_dir: &Path, id: &gix_hash::oid) -> Result<bool, Error> {
    let path = path(objects_dir, id);
    match disk::is_file(&path) {
        // A link that leads out of where one may look.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(false),
        found => found.map_err(Error::io(path)),
    }
}

impl Loose {
    /// Opens the object and reads its head. None: there is no such loose object.
    pub fn open(objects_dir: &Path, id: &gix_hash::oid) -> Result<Option<Self>, Error> {
        let path = path(objects_dir, id);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(path)(error)),
        };
        let mut loose = Self {
            id: id.to_owned(),
            file,
            offset: 0,
            input: Vec::new(),
            consumed: 0,
            inflater: Inflater::new(),
            rest: Vec::new(),
            kind: Kind::Blob,
            size: 0,
            made: 0,
            has_ended: false,
        };
        loose.read_head()?;
        Ok(Some(loose))
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The object's size in bytes, as its head says. The stream fails if it does not make just that.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads the whole object.
    pub fn into_bytes(mut self, limit: u64) -> Result<Vec<u8>, Error> {
        if self.size > limit {
            return Err(Error::TooLarge { size: self.size, limit });
        }
        let mut bytes = Vec::new();
        let mut piece = vec![0; WINDOW_BYTES];
        loop {
            match self.read(&mut piece)? {
                0 => return Ok(bytes),
                count => bytes.extend_from_slice(&piece[..count]),
            }
        }
    }

    /// Reads on; 0 is the end of the object, which is then known to be whole.
    pub fn read(&mut self, output: &mut [u8]) -> Result<usize, Error> {
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
        if self.made == self.size { Ok(0) } else { Err(self.damaged("it is smaller than it says")) }
    }

    fn advance(&mut self, count: usize) -> Result<usize, Error> {
        self.made += count as u64;
        if self.made > self.size {
            return Err(self.damaged("it is larger than it says"));
        }
        Ok(count)
    }

    fn read_head(&mut self) -> Result<(), Error> {
        self.inflater.start();
        let mut head = [0; HEADER_LEN_MAX];
        let mut len = 0;
        while len < head.len() && !self.has_ended && !head[..len].contains(&0) {
            len += self.inflate(&mut head[len..])?;
        }
        let end = head[..len].iter().position(|byte| *byte == 0);
        let (kind, size) = end
            .and_then(|end| parse_head(&head[..end]))
            .ok_or_else(|| self.damaged("its head is not a kind and a size"))?;
        (self.kind, self.size) = (kind, size);
        self.rest = head[end.map_or(len, |end| end + 1)..len].to_vec();
        Ok(())
    }

    fn inflate(&mut self, output: &mut [u8]) -> Result<usize, Error> {
        if self.consumed == self.input.len() && self.offset < self.file.len() {
            let len = (self.file.len() - self.offset).min(WINDOW_BYTES as u64) as usize;
            self.input.resize(len, 0);
            self.consumed = 0;
            let id = self.id;
            self.file
                .read_exact_at(&mut self.input, self.offset)
                .map_err(|source| Error::Io { path: id.to_hex().to_string().into(), source })?;
            self.offset += len as u64;
        }
        let (consumed, produced, progress) = self
            .inflater
            .step(&self.input[self.consumed..], output)
            .map_err(|reason| self.damaged(reason))?;
        self.consumed += consumed;
        self.has_ended = progress == Progress::Ended;
        if !self.has_ended && consumed == 0 && produced == 0 && !output.is_empty() {
            return Err(self.damaged("its compressed data ends too soon"));
        }
        Ok(produced)
    }

    fn damaged(&self, reason: &'static str) -> Error {
        Error::DamagedLoose { id: self.id, reason }
    }
}

fn parse_head(head: &[u8]) -> Option<(Kind, u64)> {
    let (kind, size) = std::str::from_utf8(head).ok()?.split_once(' ')?;
    let is_canonical =
        size.bytes().all(|byte| byte.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
    let kind = Kind::from_bytes(kind.as_bytes()).ok()?;
    is_canonical.then(|| size.parse().ok()).flatten().map(|size| (kind, size))
}
