//! The data directory, which one process at a time opens.
//!
//! `lithe.pid` in it is locked for as long as that process lives, however it ends, and says who it
//! is: its process id, the address it listens on, and the operator's socket.

use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use thiserror::Error;

const LOCK_FILE: &str = "lithe.pid";
/// The most that is read of a lock file, in bytes.
const LOCK_FILE_BYTES_MAX: u64 = 16 << 10;

/// A data directory that this process has opened.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    lock: File,
    opened: SystemTime,
}

/// Who has a data directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    pub pid: u32,
    /// Where it serves; none for a command that runs for a moment.
    pub address: Option<String>,
    /// The operator's socket.
    pub socket: Option<PathBuf>,
}

/// Why a data directory could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("the data directory {} is in use by {}", path.display(), owner.describe())]
    InUse { path: PathBuf, owner: Owner },
    #[error("the data directory {} cannot be used: {error}", path.display())]
    Unusable { path: PathBuf, error: io::Error },
}

impl DataDirectory {
    /// Opens the directory, which is made, for this process's user alone, where it is missing.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let unusable = |error| OpenError::Unusable { path: path.to_owned(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        let path = path.canonicalize().map_err(unusable)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join(LOCK_FILE))
            .map_err(unusable)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let owner = Owner::read(&mut lock).map_err(unusable)?;
                return Err(OpenError::InUse { path, owner });
            }
            Err(error) => return Err(unusable(error.into())),
        }
        let mut directory = Self { path, lock, opened: SystemTime::now() };
        directory.set_owner(None, None).map_err(unusable)?;
        Ok(directory)
    }

    /// Its absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What tells this process from the others that had the directory before: when it opened it, in
    /// nanoseconds since 1970.
    pub fn run(&self) -> String {
        let since = self.opened.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        since.as_nanos().to_string()
    }

    /// Where compiled components are kept unless somebody says otherwise.
    pub fn code_cache(&self) -> PathBuf {
        self.path.join("cache/compiled")
    }

    /// Says in the lock file where this process is to be found.
    pub fn set_owner(&mut self, address: Option<&str>, socket: Option<&Path>) -> io::Result<()> {
        let owner = Owner {
            pid: std::process::id(),
            address: address.map(str::to_owned),
            socket: socket.map(Path::to_owned),
        };
        self.write(&owner.to_text())
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.lock.rewind()?;
        self.lock.set_len(0)?;
        self.lock.write_all(text.as_bytes())
    }
}

impl Drop for DataDirectory {
    fn drop(&mut self) {
        // The file stays: were it removed, two could each lock one of that name.
        let _ = self.write("");
    }
}

impl Owner {
    fn describe(&self) -> String {
        match &self.address {
            Some(address) => format!("process {} at {address}", self.pid),
            None if self.pid != 0 => format!("process {}", self.pid),
            None => "another process".to_owned(),
        }
    }

    fn read(file: &mut File) -> io::Result<Self> {
        let mut text = String::new();
        file.take(LOCK_FILE_BYTES_MAX).read_to_string(&mut text)?;
        Ok(Self::from_text(&text))
    }

    /// One `name value` a line.
    fn to_text(&self) -> String {
        let mut text = format!("pid {}\n", self.pid);
        if let Some(address) = &self.address {
            text += &format!("address {address}\n");
        }
        if let Some(socket) = &self.socket {
            text += &format!("socket {}\n", socket.display());
        }
        text
    }

    fn from_text(text: &str) -> Self {
        let mut owner = Self::default();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("pid", pid)) => owner.pid = pid.parse().unwrap_or(0),
                Some(("address", address)) => owner.address = Some(address.to_owned()),
                Some(("socket", socket)) => owner.socket = Some(socket.into()),
                _ => {}
            }
        }
        owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_to_open_a_directory_is_told_who_has_it() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("data");
        let mut first = DataDirectory::open(&path).expect("opened");
        let socket = first.path().join("lithe.sock");
        first.set_owner(Some("http://127.0.0.1:8000/"), Some(&socket)).expect("written");
        let Err(OpenError::InUse { owner, .. }) = DataDirectory::open(&path) else {
            panic!("opened twice");
        };
        let pid = std::process::id();
        let address = Some("http://127.0.0.1:8000/".to_owned());
        assert_eq!(owner, Owner { pid, address, socket: Some(socket) });
        assert_eq!(owner.describe(), format!("process {pid} at http://127.0.0.1:8000/"));
        drop(first);
        DataDirectory::open(&path).expect("opened again");
    }

    #[test]
    fn a_lock_file_of_nonsense_is_no_harm() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join(LOCK_FILE), "pid x\nwhat\n").expect("written");
        DataDirectory::open(directory.path()).expect("opened");
        assert_eq!(Owner::from_text("pid x\nwhat\n\n").describe(), "another process");
    }
}
