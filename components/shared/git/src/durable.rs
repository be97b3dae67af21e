//! Writing so that it survives a loss of power.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Writes a file, whatever was there, and waits until it is on disk. Its name may not be yet:
/// see [`sync_directory`].
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Waits until the names in a directory are on disk.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = File::open(path)?;
    match directory.sync_all() {
        // Some file systems and WASI hosts cannot: then a name is as durable as they make it.
        Err(error) if is_unsupported(&error) => Ok(()),
        other => other,
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}
