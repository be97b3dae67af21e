//! What can be wrong with a repository's objects.

use gix_hash::ObjectId;
use std::io;
use std::path::PathBuf;

/// Why an object, or the whole store, cannot be read. Names the object or the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{} is not a bare Git repository", .0.display())]
    NotARepository(PathBuf),
    #[error("the repository uses {0}, which is not supported")]
    Unsupported(String),
    #[error("objects cannot be borrowed from {}: {reason}", .path.display())]
    Alternate { path: PathBuf, reason: &'static str },
    #[error("cannot read {}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{file} is damaged: {reason}")]
    DamagedFile { file: String, reason: &'static str },
    #[error("the entry at offset {offset} of {pack} is damaged: {reason}")]
    DamagedEntry { pack: String, offset: u64, reason: &'static str },
    #[error("the loose object {id} is damaged: {reason}")]
    DamagedLoose { id: ObjectId, reason: &'static str },
    #[error("object {id} is damaged: {reason}")]
    DamagedObject { id: ObjectId, reason: &'static str },
    #[error("object {0} is missing")]
    Missing(ObjectId),
    #[error("object {id} is a {actual}, not a {expected}")]
    WrongKind { id: ObjectId, actual: gix_object::Kind, expected: gix_object::Kind },
    #[error("an object of {size} bytes is over the limit of {limit} bytes")]
    TooLarge { size: u64, limit: u64 },
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.into(), source }
    }
}
