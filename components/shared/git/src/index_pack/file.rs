//! The pack file while it is written: appended in large pieces, read back at any position.

use super::Error;
use crate::checksum::Checksum;
use crate::disk;
use crate::format::ObjectFormat;
use gix_hash::{ObjectId, oid};
use std::fs;
use std::io;
use std::path::Path;

/// How much is written at once, in bytes.
const PIECE_BYTES: usize = 256 * 1024;

pub(super) struct PackFile {
    file: Place,
    /// What is not written yet.
    pending: Vec<u8>,
    /// Where `pending` belongs.
    written: u64,
    object_format: ObjectFormat,
    hasher: Checksum,
    bytes_max: u64,
}

enum Place {
    /// It is made as it is appended to.
    Made(disk::File),
    /// What is appended is there already, and only read back.
    There(fs::File),
}

impl PackFile {
    /// Creates the file, which must not exist.
    pub fn create(path: &Path, object_format: ObjectFormat, bytes_max: u64) -> io::Result<Self> {
        let file = disk::File::create_new(path)?;
        Ok(Self::of(Place::Made(file), object_format, bytes_max))
    }

    /// Opens a file to which the very bytes are going to be appended that it holds: nothing is written.
    pub fn open_existing(path: &Path, object_format: ObjectFormat) -> io::Result<Self> {
        Ok(Self::of(Place::There(fs::File::open(path)?), object_format, u64::MAX))
    }

    fn of(file: Place, object_format: ObjectFormat, bytes_max: u64) -> Self {
        let pending = Vec::with_capacity(PIECE_BYTES);
        let hasher = Checksum::new(object_format);
        Self { file, pending, written: 0, object_format, hasher, bytes_max }
    }

    /// The length with everything that was appended.
    pub fn len(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// Appends bytes that the pack's checksum covers.
    pub fn append(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        if self.len() + bytes.len() as u64 > self.bytes_max {
            return Err(Error::PackTooLarge { limit: self.bytes_max });
        }
        while !bytes.is_empty() {
            let room = PIECE_BYTES - self.pending.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.pending.extend_from_slice(now);
            bytes = later;
            if self.pending.len() == PIECE_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.hasher.update(&self.pending);
        self.file.write_all_at(&self.pending, self.written)?;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// The checksum of everything so far.
    pub fn checksum(&mut self) -> io::Result<ObjectId> {
        self.flush()?;
        Ok(self.hasher.clone().finish())
    }

    /// Writes another number of objects to the pack's header and computes the checksum anew.
    pub fn set_object_count(&mut self, count: u32) -> io::Result<()> {
        self.flush()?;
        self.file.write_all_at(&count.to_be_bytes(), 8)?;
        self.hasher = Checksum::new(self.object_format);
        let mut piece = vec![0; PIECE_BYTES];
        let mut at = 0;
        while at < self.written {
            let len = PIECE_BYTES.min((self.written - at) as usize);
            self.read_exact_at(&mut piece[..len], at)?;
            self.hasher.update(&piece[..len]);
            at += len as u64;
        }
        Ok(())
    }

    /// Appends the checksum and waits until the file is on disk.
    pub fn close(mut self, checksum: &oid) -> io::Result<u64> {
        self.flush()?;
        self.file.write_all_at(checksum.as_bytes(), self.written)?;
        if let Place::Made(file) = &self.file {
            file.sync()?;
        }
        Ok(self.written + checksum.as_bytes().len() as u64)
    }

    /// Reads what was flushed, as much as there is up to the buffer's length.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        disk::reading()?;
        read_at(self.file.as_std(), buffer, offset)
    }

    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            let count = self.read_at(buffer, offset)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer = &mut buffer[count..];
            offset += count as u64;
        }
        Ok(())
    }
}

impl Place {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        match self {
            Self::Made(file) => file.write_all_at(bytes, offset),
            Self::There(_) => Ok(()),
        }
    }

    fn as_std(&self) -> &fs::File {
        match self {
            Self::Made(file) => file.as_std(),
            Self::There(file) => file,
        }
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
