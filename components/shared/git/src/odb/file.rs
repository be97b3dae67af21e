//! Positioned reads, natively and in WASI.

use crate::disk;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// A file that is read at any position, by any number of readers. It cannot be written.
pub struct File {
    file: fs::File,
    len: u64,
}

impl File {
    /// Opens a file and notes its present length.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = disk::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
        }
        Ok(Self { file, len: metadata.len() })
    }

    /// The length when the file was opened, in bytes. Packs and indexes never change once they are named.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// When it was changed last.
    pub fn modified(&self) -> io::Result<SystemTime> {
        self.file.metadata()?.modified()
    }

    /// Fills the whole buffer from `offset` on.
    ///
    /// Fails with `UnexpectedEof` if the file ends before.
    pub fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            disk::reading()?;
            match read_at(&self.file, buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    buffer = &mut buffer[count..];
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn read_at(file: &fs::File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

/// The standard library's own positioned read is not stable for WASI; `pread` is what it would call.
#[cfg(target_os = "wasi")]
fn read_at(file: &fs::File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::os::fd::AsRawFd;
    let offset = i64::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the pointer and the length are those of a slice that is borrowed mutably for the call.
    let count = unsafe { libc::pread(file.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), offset) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}
