//! The archives that were made already, as files named by a digest of what they follow from. Nothing
//! in them depends on who asked.

use crate::limits::{ABANDONED_SECONDS, CACHE_BYTES_MAX, CACHED_BYTES_MAX, UNFINISHED_BYTES_MAX};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What an archive is called while it is made.
const UNFINISHED: &str = ".part";

/// The archives that are kept in a directory.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: PathBuf,
}

impl Cache {
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// An archive that was made already, and its size in bytes.
    pub fn find(&self, key: &str) -> Option<(File, u64)> {
        let file = File::open(self.directory.join(key)).ok()?;
        let size = file.metadata().ok()?.len();
        // What is asked for stays longer. Where the disk does not take the time, what is oldest goes first.
        let _ = file.set_modified(SystemTime::now());
        Some((file, size))
    }

    /// Begins to keep an archive; none where that is not possible, or too much is unfinished already.
    pub fn begin(&self, key: &str) -> Option<Entry> {
        self.begin_beside(key, UNFINISHED_BYTES_MAX)
    }

    fn begin_beside(&self, key: &str, unfinished_bytes_max: u64) -> Option<Entry> {
        fs::create_dir_all(&self.directory).ok()?;
        if self.make_room(CACHE_BYTES_MAX).ok()? > unfinished_bytes_max {
            return None;
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let path = self.directory.join(format!("{key}.{}{UNFINISHED}", since.as_nanos()));
        let file = File::create_new(&path).ok()?;
        Some(Entry { cache: self.clone(), key: key.to_owned(), path, file: Some(file), bytes: 0 })
    }

    /// Removes what nobody goes on with, and then what is oldest until all takes no more than `bytes_max`.
    /// Returns how much of it is unfinished, in bytes.
    ///
    /// An instance that was stopped does not remove what it had begun, so others have to.
    fn make_room(&self, bytes_max: u64) -> io::Result<u64> {
        let mut kept = Vec::new();
        let mut unfinished_bytes = 0;
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            // Another request may have removed or finished it by now.
            let Ok(metadata) = entry.metadata() else { continue };
            let age = metadata.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or_default();
            if !entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
                kept.push((age, metadata.len(), entry.path()));
            } else if age > Duration::from_secs(ABANDONED_SECONDS) {
                remove(&entry.path())?;
            } else {
                unfinished_bytes += metadata.len();
            }
        }
        kept.sort_unstable();
        let mut sum = unfinished_bytes;
        for (_, bytes, path) in kept {
            sum += bytes;
            if sum > bytes_max {
                remove(&path)?;
            }
        }
        Ok(unfinished_bytes)
    }
}

/// An archive that is kept as it is made. Dropped before it is finished, nothing is left of it.
pub struct Entry {
    cache: Cache,
    key: String,
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
}

impl Entry {
    /// Adds the next piece. Where that fails, or the archive is too large to be kept, it is not kept.
    pub fn add(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        let is_added = self.bytes <= CACHED_BYTES_MAX
            && self.file.as_mut().is_some_and(|file| file.write_all(piece).is_ok());
        if !is_added {
            self.file = None;
        }
    }

    /// Keeps the archive, which is whole now.
    pub fn finish(mut self) {
        if self.file.take().is_none() {
            return;
        }
        let room = self.cache.make_room(CACHE_BYTES_MAX);
        let kept = room.and_then(|_| fs::rename(&self.path, self.cache.directory.join(&self.key)));
        if let Err(error) = kept {
            eprintln!("archive: the cache: {error}");
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // Once it is kept, there is nothing by that name.
        let _ = fs::remove_file(&self.path);
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn keep(cache: &Cache, key: &str, bytes: &[u8]) {
        let mut entry = cache.begin(key).expect("the directory is writable");
        entry.add(bytes);
        entry.finish();
    }

    fn names(directory: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(name).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_was_finished_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path().join("archives"));
        assert!(cache.find("a").is_none());
        keep(&cache, "a", b"whole");
        let (mut file, size) = cache.find("a").expect("it was kept");
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), size), ("whole", 5));
        let mut broken_off = cache.begin("b").unwrap();
        broken_off.add(b"half");
        drop(broken_off);
        assert_eq!(names(&directory.path().join("archives")), ["a"]);
    }

    #[test]
    fn the_oldest_goes_first() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        for (key, age_seconds) in [
            ("old", 300),
            ("older", 400),
            ("new", 1),
            ("x.1.part", ABANDONED_SECONDS + 60),
            ("y.1.part", ABANDONED_SECONDS - 60),
        ] {
            fs::write(directory.path().join(key), b"1234").unwrap();
            set_age(&directory.path().join(key), age_seconds);
        }
        assert_eq!(cache.make_room(12).unwrap(), 4);
        assert_eq!(names(directory.path()), ["new", "old", "y.1.part"]);
        assert_eq!(cache.make_room(11).unwrap(), 4);
        assert_eq!(names(directory.path()), ["new", "y.1.part"]);
    }

    #[test]
    fn nothing_is_begun_beside_too_much_that_is_unfinished() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let stopped = directory.path().join("x.1.part");
        fs::write(&stopped, b"1234").unwrap();
        assert!(cache.begin_beside("a", 4).is_some());
        assert!(cache.begin_beside("a", 3).is_none());
        set_age(&stopped, ABANDONED_SECONDS + 60);
        assert!(cache.begin_beside("a", 3).is_some());
        assert!(names(directory.path()).is_empty());
    }

    fn set_age(path: &Path, seconds: u64) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }
}
