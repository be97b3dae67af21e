//! What lies in a directory that others write to meanwhile.

use crate::disk;
use std::ffi::OsString;
use std::io;
use std::path::Path;

/// One file, directory or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: OsString,
    pub is_directory: bool,
}

/// Lists a directory, in no order. What vanishes while it is being read is left out.
///
/// In WASI, names that are not UTF-8 are left out too: no call could do anything with them.
///
/// Fails if there is no such directory, or it cannot be read.
pub fn list(directory: &Path) -> io::Result<Vec<Entry>> {
    disk::reading()?;
    imp::list(directory)
}

#[cfg(not(target_os = "wasi"))]
mod imp {
    use super::{Entry, Path, io};

    pub fn list(directory: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            match entry.file_type() {
                Ok(kind) => entries.push(Entry { name: entry.file_name(), is_directory: kind.is_dir() }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(entries)
    }
}

/// The host looks at every entry that it lists, and answers for one that is gone by then with an
/// error in its place. The standard library takes such an error for the end of the listing; after it,
/// `readdir` goes on with the next entry.
#[cfg(target_os = "wasi")]
mod imp {
    use super::{Entry, Path, io};
    use std::ffi::{CStr, CString};

    /// How many entries may be gone, so that no listing goes on forever.
    const GONE_MAX: usize = 1_000_000;

    pub fn list(directory: &Path) -> io::Result<Vec<Entry>> {
        let path = CString::new(directory.as_os_str().as_encoded_bytes())?;
        // SAFETY: the path is a C string that lives as long as the call.
        let stream = unsafe { libc::opendir(path.as_ptr()) };
        if stream.is_null() {
            return Err(io::Error::last_os_error());
        }
        let entries = read(stream);
        // SAFETY: it was opened above, and is not used again.
        unsafe { libc::closedir(stream) };
        entries
    }

    fn read(stream: *mut libc::DIR) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut gone = 0;
        loop {
            // SAFETY: the stream is open, and what `readdir` returns is good until its next call:
            // the name, which ends with a zero byte, is copied before that.
            let (name, is_directory) = unsafe {
                *libc::__errno_location() = 0;
                let entry = libc::readdir(stream);
                if entry.is_null() {
                    match *libc::__errno_location() {
                        0 => return Ok(entries),
                        libc::ENOENT | libc::EILSEQ if gone < GONE_MAX => gone += 1,
                        error => return Err(io::Error::from_raw_os_error(error)),
                    }
                    continue;
                }
                let name = CStr::from_ptr((&raw const (*entry).d_name).cast());
                (name.to_bytes().to_vec(), (*entry).d_type == libc::DT_DIR)
            };
            let is_other = name != b"." && name != b"..";
            // WASI has no other names than UTF-8.
            entries.extend(
                String::from_utf8(name)
                    .ok()
                    .filter(|_| is_other)
                    .map(|name| Entry { name: name.into(), is_directory }),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_and_directories_are_told_apart() {
        let place = tempfile::tempdir().expect("a temporary directory");
        fs::write(place.path().join("file"), "").expect("written");
        fs::create_dir(place.path().join("directory")).expect("made");
        std::os::unix::fs::symlink("directory", place.path().join("link")).expect("made");
        let mut listed = list(place.path()).expect("it is there");
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        let expected = [("directory", true), ("file", false), ("link", false)];
        let expected = expected.map(|(name, is_directory)| Entry { name: name.into(), is_directory });
        assert_eq!(listed, expected);
        let missing = list(&place.path().join("missing")).expect_err("there is none");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let file = list(&place.path().join("file")).expect_err("it is none");
        assert_eq!(file.kind(), io::ErrorKind::NotADirectory);
    }
}
