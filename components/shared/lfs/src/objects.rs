//! The stored objects of a repository: `<id>/objects/ab/cd/<oid>` below the mount, by its permanent
//! number, so that a rename costs nothing.

use crate::Oid;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The objects of one repository.
#[derive(Debug, Clone)]
pub struct Objects {
    directory: PathBuf,
}

impl Objects {
    /// Those of a repository below the mount `root`. There may be none yet, and no directory.
    pub fn of(root: &Path, repository: u64) -> Self {
        Self { directory: root.join(repository.to_string()) }
    }

    /// The directory of everything about the repository.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where an object lies, or is to lie.
    pub fn path(&self, oid: &Oid) -> PathBuf {
        let name = oid.as_str();
        self.directory.join("objects").join(&name[..2]).join(&name[2..4]).join(name)
    }

    /// The size of an object in bytes; none if it is not there.
    pub fn size(&self, oid: &Oid) -> io::Result<Option<u64>> {
        match fs::metadata(self.path(oid)) {
            Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
            Ok(_) => Err(io::Error::other(format!("object {oid} is no file"))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes everything about the repository. What is not there is removed already.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// Opens an object; none if it is not there. Returns its size in bytes too.
    pub fn open(&self, oid: &Oid) -> io::Result<Option<(File, u64)>> {
        match File::open(self.path(oid)) {
            Ok(file) => {
                let size = file.metadata()?.len();
                Ok(Some((file, size)))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The numbers of the repositories that have a directory below the mount `root`, in order.
pub fn repositories(root: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(numbers),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_lie_by_number_and_name() {
        let root = tempfile::tempdir().expect("a directory");
        let objects = Objects::of(root.path(), 7);
        let oid = Oid::parse(&"0123456789abcdef".repeat(4)).expect("a name");
        let place = root.path().join(format!("7/objects/01/23/{oid}"));
        assert_eq!(objects.path(&oid), place);
        assert_eq!(objects.size(&oid).expect("readable"), None);
        assert!(objects.open(&oid).expect("readable").is_none());
        fs::create_dir_all(place.parent().expect("it has one")).expect("writable");
        fs::write(&place, "abc").expect("writable");
        assert_eq!(objects.size(&oid).expect("readable"), Some(3));
        assert_eq!(objects.open(&oid).expect("readable").map(|(_, size)| size), Some(3));
        fs::write(root.path().join("note"), "").expect("writable");
        assert_eq!(repositories(root.path()).expect("readable"), [7]);
        objects.remove().expect("removed");
        objects.remove().expect("removed already");
        assert_eq!(repositories(root.path()).expect("readable"), [0; 0]);
    }
}
