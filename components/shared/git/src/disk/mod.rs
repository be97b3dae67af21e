//! Every change to the files of a repository, and reading them. These are the standard library's calls; in a build with
//! the feature `faults` each can be recorded, and made to fail (see [`crate::faults`]).

mod hook;

use crate::listing;
use hook::Operation;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

#[cfg(any(test, feature = "faults"))]
pub(crate) use hook::{Hook, Operation as Changed, install};

/// A file that is written to.
#[derive(Debug)]
pub(crate) struct File {
    file: fs::File,
    /// Stands for the file among all that were opened.
    handle: u64,
    /// Where [`Write`] goes on.
    position: u64,
}

impl File {
    /// Makes a file that is empty, whatever was there.
    pub fn create(path: &Path) -> io::Result<Self> {
        Self::open(path, OpenOptions::new().write(true).create(true).truncate(true), true)
    }

    /// Makes a file to be written and read; fails with `AlreadyExists` if there is one.
    pub fn create_new(path: &Path) -> io::Result<Self> {
        Self::open(path, OpenOptions::new().read(true).write(true).create_new(true), true)
    }

    /// Opens a file that is there, to add to its end.
    pub fn append(path: &Path) -> io::Result<Self> {
        let mut file = Self::open(path, OpenOptions::new().append(true), false)?;
        file.position = file.file.metadata()?.len();
        Ok(file)
    }

    fn open(path: &Path, options: &OpenOptions, is_emptied: bool) -> io::Result<Self> {
        let handle = hook::next_handle();
        let open = || options.open(path);
        let file = hook::around(Operation::Open { path, handle, is_emptied }, open)?;
        Ok(Self { file, handle, position: 0 })
    }

    /// The file, for what does not change it.
    pub fn as_std(&self) -> &fs::File {
        &self.file
    }

    /// Writes all of `bytes` at a place, wherever [`Write`] is.
    pub fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let write = |bytes: &[u8]| write_all_at(&self.file, bytes, offset);
        hook::around_write(self.handle, bytes, offset, write)
    }

    /// Waits until the contents are on disk. The name may not be yet: see [`sync_dir`].
    pub fn sync(&self) -> io::Result<()> {
        hook::around(Operation::Sync { handle: self.handle }, || self.file.sync_all())
    }

    /// Sets the time of the last change.
    pub fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.file.set_modified(time)
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self { file, handle, position } = self;
        hook::around_write(*handle, bytes, *position, |bytes| file.write_all(bytes))?;
        *position += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes a file that holds `bytes`, whatever was there. Nothing is waited for.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    File::create(path)?.write_all(bytes)
}

pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    hook::around(Operation::Rename { from, to }, || fs::rename(from, to))
}

/// Gives a file one more name.
pub(crate) fn hard_link(from: &Path, to: &Path) -> io::Result<()> {
    hook::around(Operation::Link { from, to }, || fs::hard_link(from, to))
}

pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    hook::around(Operation::Remove { path }, || fs::remove_file(path))
}

/// Removes a directory that is empty.
pub(crate) fn remove_dir(path: &Path) -> io::Result<()> {
    hook::around(Operation::Remove { path }, || fs::remove_dir(path))
}

/// Removes a directory and what is in it. Links are removed, and not followed.
pub(crate) fn remove_dir_all(path: &Path) -> io::Result<()> {
    for entry in listing::list(path)? {
        let path = path.join(&entry.name);
        match entry.is_directory {
            true => remove_dir_all(&path)?,
            false => remove_file(&path)?,
        }
    }
    remove_dir(path)
}

pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    hook::around(Operation::CreateDir { path }, || fs::create_dir(path))
}

/// Waits until the names in a directory are on disk. Fails where the file system cannot.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    hook::around(Operation::SyncDir { path }, || fs::File::open(path)?.sync_all())
}

/// Opens a file to be read.
pub(crate) fn open(path: &Path) -> io::Result<fs::File> {
    reading()?;
    fs::File::open(path)
}

/// Reads a file whole.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    reading()?;
    fs::read(path)
}

/// Whether there is anything under a name; where that leads is not looked at.
///
/// Fails if it cannot be told, which is no reason to take it for missing.
pub(crate) fn exists(path: &Path) -> io::Result<bool> {
    Ok(metadata(path, |path| fs::symlink_metadata(path))?.is_some())
}

/// Whether there is a file under a name. Fails if it cannot be told.
pub(crate) fn is_file(path: &Path) -> io::Result<bool> {
    Ok(metadata(path, |path| fs::metadata(path))?.is_some_and(|metadata| metadata.is_file()))
}

fn metadata(
    path: &Path,
    look: impl Fn(&Path) -> io::Result<fs::Metadata>,
) -> io::Result<Option<fs::Metadata>> {
    reading()?;
    match look(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// What comes before every read: in tests, it may fail.
pub(crate) fn reading() -> io::Result<()> {
    hook::read()
}

fn write_all_at(file: &fs::File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match write_at(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = &bytes[count..];
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn write_at(file: &fs::File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, offset)
}

/// The standard library's own positioned write is not stable for WASI. `pwrite`, which is what it would
/// call, passes the whole slice to the host in one call, where `write` cuts it up.
#[cfg(target_os = "wasi")]
fn write_at(file: &fs::File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    use std::os::fd::AsRawFd;
    let offset = i64::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the pointer and the length are those of a slice that is borrowed for the call.
    let count = unsafe { libc::pwrite(file.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), offset) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}
