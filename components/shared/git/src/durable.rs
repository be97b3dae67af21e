//! Writing so that it survives a loss of power.

use crate::disk::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::Path;

/// How names of files begin that are not complete. Git removes old ones in `objects` and `objects/pack`.
pub(crate) const TEMPORARY_PREFIX: &str = "tmp_lithe_";

/// Writes a file, whatever was there, and waits until it is on disk. Its name may not be yet:
/// see [`sync_directory`].
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync()
}

/// Puts a file in the place of another, or of none, at once: whoever opens it finds all of the one
/// or all of the other, also after a loss of power. The new one lies beside it for a moment.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().expect("a file is in a directory");
    let random = RandomState::new().hash_one(bytes.len());
    let temporary = directory.join(format!("{TEMPORARY_PREFIX}{random:016x}"));
    let outcome = write_file(&temporary, bytes).and_then(|()| disk::rename(&temporary, path));
    if outcome.is_err() {
        let _ = disk::remove_file(&temporary);
    }
    outcome.and_then(|()| sync_directory(directory))
}

/// Appends the checksum that most of Git's own files end with.
pub(crate) fn append_checksum(bytes: &mut Vec<u8>, hash: gix_hash::Kind) -> io::Result<()> {
    let mut hasher = gix_hash::hasher(hash);
    hasher.update(bytes);
    let checksum = hasher.try_finalize().map_err(io::Error::other)?;
    bytes.extend_from_slice(checksum.as_slice());
    Ok(())
}

/// Makes a directory and those above it that are missing, and waits until their names are on disk.
pub(crate) fn create_directories(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().ok_or(io::ErrorKind::NotFound)?;
    create_directories(parent)?;
    match disk::create_dir(path) {
        // Somebody else was as quick.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    sync_directory(parent)
}

/// Waits until the names in a directory are on disk.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    match disk::sync_dir(path) {
        // Some file systems and WASI hosts cannot: then a name is as durable as they make it.
        Err(error) if is_unsupported(&error) => Ok(()),
        other => other,
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}
