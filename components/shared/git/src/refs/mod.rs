//! The refs of a repository, in Git's `files` format (gitrepository-layout(5), git-pack-refs(1)):
//! `HEAD`, loose files below `refs/`, and `packed-refs`. Those in tables are read, and never changed.
//!
//! Stock `git` may read and write the same repository at the same moment: every change is made
//! under the lock files that `git` uses, and readers see a ref either as it was or as it is.
//!
//! What is damaged is treated as `git for-each-ref` treats it: a loose ref that does not hold an
//! id, a ref whose name is not valid, and symbolic refs in a circle are passed over and named in
//! [`Snapshot::broken`]; a `packed-refs` line that cannot be read, and a `HEAD` that holds neither
//! a ref nor an id, are errors. Symbolic links are never followed: a link whose text is a ref name
//! counts as the symbolic ref that old versions of Git made so, any other as broken.

mod files;
mod hidden;
mod lock;
mod name;
mod packed;
mod record;
mod reftable;
mod snapshot;
mod store;
mod transaction;

#[cfg(test)]
mod tests;

use crate::format::{self, ObjectFormat};
use bstr::BString;
use gix_hash::ObjectId;
use std::io;
use std::path::PathBuf;

pub use hidden::{Hidden, Side};
pub use name::is_valid_name;
pub use snapshot::{Head, Ref, Snapshot, Target};
pub use store::RefStore;
pub use transaction::{Expected, Mode, Options, PACKED_FROM, Peel, Reflog, Update, UpdateError};

/// Why refs could not be read or written at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading or writing failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was read or written.
        path: PathBuf,
        source: io::Error,
    },
    /// There is no `HEAD`, or no `refs/`.
    #[error("{}: not a Git repository", path.display())]
    NotARepository { path: PathBuf },
    /// The repository's format is not one that is understood.
    #[error("the repository uses {0}, which is not supported")]
    Unsupported(String),
    /// `HEAD` holds neither a ref name nor an id.
    #[error("HEAD is damaged")]
    DamagedHead,
    /// A line of `packed-refs` is not what the format asks for.
    #[error("packed-refs is damaged in line {line_number}")]
    DamagedPackedRefs { line_number: usize },
    /// A table of refs, or the list of them, is not what the format asks for.
    #[error("{}: it is damaged", path.display())]
    DamagedReftable { path: PathBuf },
    /// The refs are in tables.
    #[error(
        "the repository keeps its refs in a reftable, which is read and not written here (`git refs migrate --ref-format=files` changes that)"
    )]
    ReadOnly,
    /// Somebody else has the lock, and kept it.
    #[error("{}: is locked", path.display())]
    Locked { path: PathBuf },
    /// The name of a ref is not one that Git accepts.
    #[error("`{name}` is not a valid ref name")]
    InvalidName { name: BString },
    /// The config cannot be read or understood, so that it is not known which refs are hidden.
    #[error(transparent)]
    Config(#[from] crate::odb::Error),
    /// Symbolic refs lead to one another in a circle, or too deep.
    #[error("`{name}` leads through too many symbolic refs")]
    TooManySymbolicRefs { name: BString },
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

/// How many symbolic refs lead to one another at most, as in Git (`SYMREF_MAXDEPTH`).
pub const SYMBOLIC_DEPTH_MAX: usize = 5;

impl From<format::Error> for Error {
    fn from(error: format::Error) -> Self {
        match error {
            format::Error::Io { path, source } => Self::Io { path, source },
            format::Error::Unsupported(what) => Self::Unsupported(what),
        }
    }
}

/// An id as a ref file holds it: 40 or 64 hexadecimal digits, then white space or the end.
fn parse_id(text: &[u8], object_format: ObjectFormat) -> Option<ObjectId> {
    let (hex, rest) = text.split_at_checked(object_format.len_in_hex())?;
    if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
        return None;
    }
    ObjectId::from_hex(hex).ok().filter(|id| !id.is_null())
}
