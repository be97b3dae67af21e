//! Which locks a transaction of this process holds, written down so that they can be told from
//! those of a live `git` when the process was killed.
//!
//! Git itself never removes a lock that somebody else left behind. A transaction therefore lists
//! the locks that it is about to take in a file `lithe-locks-<random>` in the repository, and
//! removes that file after it let go of them. No transaction goes on for [`HELD_FOR_MAX`]; a list
//! that is older than [`STALE_AFTER`] belongs to a dead one, and its locks are removed.

use super::files;
use super::lock::{ignore_missing, lock_path};
use super::{Error, RefStore};
use crate::listing;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// After this long a transaction gives up rather than change anything.
pub(super) const HELD_FOR_MAX: Duration = Duration::from_secs(5 * 60);
/// After this long a list of locks belongs to a transaction that is no more.
pub(super) const STALE_AFTER: Duration = Duration::from_secs(10 * 60);

const PREFIX: &str = "lithe-locks-";
/// The `packed-refs` that is being written.
pub(super) const NEXT_PACKED_REFS: &str = "packed-refs.next";

/// The list of one transaction. Dropping it removes the file, after the locks themselves.
#[derive(Debug)]
pub(super) struct LockRecord {
    path: PathBuf,
    began: Instant,
}

impl LockRecord {
    /// Lists the locks of `targets`, which are relative to the repository.
    pub fn create<'a>(git_dir: &Path, targets: impl Iterator<Item = &'a Path>) -> io::Result<Self> {
        let mut text = String::new();
        for target in targets {
            text.push_str(&lock_path(target).to_string_lossy());
            text.push('\n');
        }
        text.push_str(NEXT_PACKED_REFS);
        text.push('\n');
        let path = git_dir.join(format!("{PREFIX}{:016x}", random()));
        let record = Self { path, began: Instant::now() };
        fs::write(&record.path, text)?;
        Ok(record)
    }

    /// Whether the locks may still be relied upon.
    pub fn is_fresh(&self) -> bool {
        self.began.elapsed() < HELD_FOR_MAX
    }
}

impl Drop for LockRecord {
    fn drop(&mut self) {
        // What stays is removed as stale.
        let _ = fs::remove_file(&self.path);
    }
}

impl RefStore {
    /// Removes what transactions of this program left that were killed more than ten minutes before
    /// `now`: their locks, and a half-written `packed-refs`. Says how many files these are. Locks that
    /// `git` made stay.
    pub fn remove_stale_locks(&self, now: SystemTime) -> Result<usize, Error> {
        let mut removed = 0;
        for entry in listing::list(&self.git_dir).map_err(Error::io(&self.git_dir))? {
            let record = self.git_dir.join(&entry.name);
            let is_record = entry.name.to_str().is_some_and(|name| name.starts_with(PREFIX));
            if !is_record || !is_stale(&record, now) {
                continue;
            }
            let list = match fs::read_to_string(&record) {
                Ok(list) => list,
                Err(error) if files::is_missing(&error) => continue,
                Err(error) => return Err(Error::io(record)(error)),
            };
            for path in list.lines().map(Path::new).filter(|path| is_left_by_refs(path)) {
                let full = self.git_dir.join(path);
                if files::has_plain_parents(&self.git_dir, path) && is_stale(&full, now) {
                    fs::remove_file(&full).or_else(ignore_missing).map_err(Error::io(&full))?;
                    removed += 1;
                }
            }
            fs::remove_file(&record).or_else(ignore_missing).map_err(Error::io(record))?;
        }
        Ok(removed)
    }
}

/// Whether a line of a list names something that a transaction leaves behind, and nothing else.
fn is_left_by_refs(path: &Path) -> bool {
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    let is_known =
        path.starts_with("refs") || path == Path::new("HEAD.lock") || path == Path::new("packed-refs.lock");
    let is_lock = is_known && path.extension().is_some_and(|extension| extension == "lock");
    is_plain && (is_lock || path == Path::new(NEXT_PACKED_REFS))
}

fn is_stale(path: &Path, now: SystemTime) -> bool {
    fs::symlink_metadata(path)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age > STALE_AFTER))
}

/// A number that nobody else has; from the random keys of the standard library's hash maps.
fn random() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
