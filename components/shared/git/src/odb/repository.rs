//! Whether a directory is a bare repository that can be read.

use super::error::Error;
use crate::format::{self, Format};
use std::path::Path;

/// Checks for `HEAD`, `objects` and `refs`; returns how objects are stored.
pub fn check(git_dir: &Path) -> Result<Format, Error> {
    let is_repository =
        git_dir.join("objects").is_dir() && git_dir.join("refs").is_dir() && git_dir.join("HEAD").exists();
    if !is_repository {
        return Err(Error::NotARepository(git_dir.to_owned()));
    }
    Ok(Format::of(git_dir)?)
}

impl From<format::Error> for Error {
    fn from(error: format::Error) -> Self {
        match error {
            format::Error::Io { path, source } => Self::Io { path, source },
            format::Error::Unsupported(what) => Self::Unsupported(what),
        }
    }
}
