//! Loose objects: one zlib stream a file, with a head of kind and size (git-hash-object, "loose").

use super::error::Error;
use super::file::File;
use super::stream::{Fault, Stream};
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
    stream: Stream,
    kind: Kind,
    size: u64,
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
        let mut stream = Stream::new(file, 0, 0);
        let mut head = [0; HEADER_LEN_MAX];
        let end = stream.head(&mut head, 0).map_err(|fault| failure(id, fault))?;
        let (kind, size) = end
            .and_then(|end| parse_head(&head[..end]))
            .ok_or_else(|| failure(id, Fault::Damaged("its head is not a kind and a size")))?;
        stream.expect(size);
        Ok(Some(Self { id: id.to_owned(), stream, kind, size }))
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
        self.stream.read(output).map_err(|fault| failure(&self.id, fault))
    }
}

fn failure(id: &gix_hash::oid, fault: Fault) -> Error {
    match fault {
        Fault::Damaged(reason) => Error::DamagedLoose { id: id.to_owned(), reason },
        Fault::Io(source) => Error::Io { path: id.to_hex().to_string().into(), source },
    }
}

fn parse_head(head: &[u8]) -> Option<(Kind, u64)> {
    let (kind, size) = std::str::from_utf8(head).ok()?.split_once(' ')?;
    let is_canonical =
        size.bytes().all(|byte| byte.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
    let kind = Kind::from_bytes(kind.as_bytes()).ok()?;
    is_canonical.then(|| size.parse().ok()).flatten().map(|size| (kind, size))
}
