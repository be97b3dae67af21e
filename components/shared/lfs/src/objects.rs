//! The stored objects of a repository: `<id>/objects/ab/cd/<oid>` below the mount, by its permanent
//! number, so that a rename costs nothing.

use crate::Oid;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// An upload that nothing was written to for so long is no more: no request goes on for so long.
pub const STALE_AFTER: Duration = Duration::from_secs(2 * 60 * 60);

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

    /// Where objects lie that are coming in.
    pub fn incoming(&self) -> PathBuf {
        self.directory.join("incoming")
    }

    /// Removes what uploads left behind that were killed long before `now`.
    pub fn remove_stale(&self, now: SystemTime) {
        let Ok(entries) = fs::read_dir(self.incoming()) else { return };
        for entry in entries.flatten() {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
            if age.is_some_and(|age| age > STALE_AFTER) {
                // Another upload may have removed it.
                let _ = fs::remove_file(entry.path());
            }
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
    fn what_killed_uploads_left_is_removed_once_it_is_old() {
        let root = tempfile::tempdir().expect("a directory");
        let objects = Objects::of(root.path(), 7);
        objects.remove_stale(SystemTime::now());
        fs::create_dir_all(objects.incoming()).expect("writable");
        for (name, age) in [("young", STALE_AFTER / 2), ("old", STALE_AFTER * 2)] {
            let file = File::create(objects.incoming().join(name)).expect("writable");
            file.set_modified(SystemTime::now() - age).expect("set");
        }
        objects.remove_stale(SystemTime::now());
        let left = fs::read_dir(objects.incoming()).expect("readable").flatten();
        assert_eq!(left.map(|entry| entry.file_name()).collect::<Vec<_>>(), ["young"]);
    }

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
