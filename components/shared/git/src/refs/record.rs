//! Which locks a transaction of this process holds, written down so that they can be told from
//! those of a live `git` when the process was killed.
//!
//! Git itself never removes a lock that somebody else left behind. A transaction therefore lists
//! the locks that it is about to take in a file `lithe-locks-<random>` in the repository, and
//! removes that file after it let go of them. No transaction goes on for [`HELD_FOR_MAX`]; a list
//! that is older than [`STALE_AFTER`] belongs to a dead one, and its locks are removed. So are those
//! of a list that another [`Run`] of the host wrote, as soon as a push comes.

use super::files;
use super::lock::{ignore_missing, is_abandoned, lock_path};
use super::{Error, RefStore};
use crate::disk;
use crate::listing;
use crate::run::Run;
use std::cell::Cell;
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
/// Begins the line that says which run of the host wrote the list.
const RUN: &str = "run ";
/// The `packed-refs` that is being written.
pub(super) const NEXT_PACKED_REFS: &str = "packed-refs.next";

/// The list of one transaction. Dropping it removes the file, after the locks themselves.
#[derive(Debug)]
pub(super) struct LockRecord {
    git_dir: PathBuf,
    path: PathBuf,
    began: Instant,
    /// Whether a lock stays, and so the list.
    is_kept: Cell<bool>,
}

impl LockRecord {
    /// Lists the locks of `targets`, which are relative to the repository.
    pub fn create<'a>(git_dir: &Path, targets: impl Iterator<Item = &'a Path>) -> io::Result<Self> {
        let mut text = Run::current().map(|run| format!("{RUN}{run}\n")).unwrap_or_default();
        for target in targets {
            text.push_str(&lock_path(target).to_string_lossy());
            text.push('\n');
        }
        text.push_str(NEXT_PACKED_REFS);
        text.push('\n');
        let path = git_dir.join(format!("{PREFIX}{:016x}", random()));
        let git_dir = git_dir.to_path_buf();
        let record = Self { git_dir, path, began: Instant::now(), is_kept: Cell::new(false) };
        disk::write(&record.path, text.as_bytes())?;
        Ok(record)
    }

    /// The repository.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// A lock could not be removed: the list is needed to find it.
    pub fn keep(&self) {
        self.is_kept.set(true);
    }

    /// Whether the locks may still be relied upon.
    pub fn is_fresh(&self) -> bool {
        self.began.elapsed() < HELD_FOR_MAX
    }
}

impl Drop for LockRecord {
    fn drop(&mut self) {
        if self.is_kept.get() {
            return;
        }
        // What stays is removed as stale.
        let _ = disk::remove_file(&self.path);
    }
}

impl RefStore {
    /// Removes what transactions of this program left that were killed more than ten minutes before
    /// `now`, or in another run of the host: their locks, and a half-written `packed-refs`. Says how
    /// many files these are. Locks that `git` made stay.
    pub fn remove_stale_locks(&self, now: SystemTime) -> Result<usize, Error> {
        self.remove_locks_of_the_dead(now, Run::current())
    }

    /// Does so as if this were the run `current`.
    pub(super) fn remove_locks_of_the_dead(
        &self,
        now: SystemTime,
        current: Option<Run>,
    ) -> Result<usize, Error> {
        let mut removed = 0;
        for entry in listing::list(&self.git_dir).map_err(Error::io(&self.git_dir))? {
            let record = self.git_dir.join(&entry.name);
            let is_record = entry.name.to_str().is_some_and(|name| name.starts_with(PREFIX));
            if !is_record || (current.is_none() && !is_stale(&record, now)) {
                continue;
            }
            let list = match disk::read(&record) {
                Ok(list) => list,
                Err(error) if files::is_missing(&error) => continue,
                Err(error) => return Err(Error::io(record)(error)),
            };
            // The run that began after whoever wrote the list was no more.
            let next_run = current.filter(|current| run_of(&list).is_some_and(|run| run != *current));
            if next_run.is_none() && !is_stale(&record, now) {
                continue;
            }
            let is_before = |path: &Path, run: Run| modified(path).is_some_and(|then| then <= run.began());
            let is_dead =
                |path: &Path| is_stale(path, now) || next_run.is_some_and(|run| is_before(path, run));
            let is_since = |path: &Path| matches!((modified(path), modified(&record)), (Some(then), Some(begin)) if then >= begin);
            match whole(&list) {
                Some(list) => removed += self.remove_locks(list.map(PathBuf::from), is_dead)?,
                // The power went before the list was on disk. Whoever took locks since is no more.
                None => {
                    let all = self.all_locks()?.into_iter();
                    removed += self.remove_locks(all, |path| is_stale(path, now) && is_since(path))?;
                }
            }
            disk::remove_file(&record).or_else(ignore_missing).map_err(Error::io(record))?;
        }
        Ok(removed)
    }

    /// Removes the locks that are so old that nobody can hold them any more, whoever took them.
    pub fn remove_abandoned_locks(&self, now: SystemTime) -> Result<usize, Error> {
        self.remove_locks(self.all_locks()?.into_iter(), |path| is_abandoned(path, now))
    }

    /// Removes locks, by their paths in the repository; says how many.
    fn remove_locks(
        &self,
        paths: impl Iterator<Item = PathBuf>,
        is_dead: impl Fn(&Path) -> bool,
    ) -> Result<usize, Error> {
        let mut removed = 0;
        for path in paths.filter(|path| is_left_by_refs(path)) {
            let full = self.git_dir.join(&path);
            if files::has_plain_parents(&self.git_dir, &path) && is_dead(&full) {
                disk::remove_file(&full).or_else(ignore_missing).map_err(Error::io(&full))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Every file that may be a lock of refs, or a `packed-refs` that is being written.
    fn all_locks(&self) -> Result<Vec<PathBuf>, Error> {
        let mut paths = ["HEAD.lock", "packed-refs.lock", NEXT_PACKED_REFS].map(PathBuf::from).to_vec();
        let mut directories = vec![PathBuf::from("refs")];
        while let Some(directory) = directories.pop() {
            let path = self.git_dir.join(&directory);
            let entries = match listing::list(&path) {
                Ok(entries) => entries,
                Err(error) if files::is_missing(&error) => continue,
                Err(error) => return Err(Error::io(path)(error)),
            };
            for entry in entries {
                let to = if entry.is_directory { &mut directories } else { &mut paths };
                to.push(directory.join(entry.name));
            }
        }
        Ok(paths)
    }
}

/// The lines of a list, if it is all there.
fn whole(list: &[u8]) -> Option<impl Iterator<Item = &str>> {
    let text = std::str::from_utf8(list).ok()?.strip_suffix('\n')?;
    (text.lines().next_back() == Some(NEXT_PACKED_REFS)).then(|| text.lines())
}

/// The run that wrote a list.
fn run_of(list: &[u8]) -> Option<Run> {
    let line = list.strip_prefix(RUN.as_bytes())?.split(|byte| *byte == b'\n').next()?;
    Run::parse(std::str::from_utf8(line).ok()?)
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
    modified(path).is_some_and(|modified| now.duration_since(modified).is_ok_and(|age| age > STALE_AFTER))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::symlink_metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// A number that nobody else has; from the random keys of the standard library's hash maps.
fn random() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
