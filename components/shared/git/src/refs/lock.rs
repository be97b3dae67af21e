//! Git's lock files: `<file>.lock`, created exclusively, renamed over the file or removed.

use super::files;
use super::record::LockRecord;
use crate::disk::{self, File};
use crate::listing;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How long to try for the lock of one ref, as Git's `core.filesRefLockTimeout`.
pub(super) const REF_WAIT_MS: u64 = 100;
/// How long to try for the lock of `packed-refs`, as Git's `core.packedRefsTimeout`.
pub(super) const PACKED_REFS_WAIT_MS: u64 = 1000;
/// A lock that is older than a day is left over from a machine that stopped, whoever made it.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// How often a directory is made again that somebody removes because it is empty.
const DIRECTORY_ATTEMPTS_MAX: usize = 8;

/// A held lock. Dropping it lets go and leaves the file as it was.
#[derive(Debug)]
pub(super) struct Lock<'a> {
    record: &'a LockRecord,
    lock_path: PathBuf,
    target: PathBuf,
    is_held: bool,
    /// Whether a directory had to be made for it.
    pub has_new_directory: bool,
}

impl<'a> Lock<'a> {
    /// Takes the lock of `target`, whose parents below the repository are made where they are missing,
    /// and writes what the file is to hold; durably, unless there is nothing to write.
    ///
    /// Fails with `AlreadyExists` if somebody else keeps it for longer than `wait_ms`.
    pub fn acquire(record: &'a LockRecord, target: &Path, contents: &[u8], wait_ms: u64) -> io::Result<Self> {
        let (mut file, lock) = Self::take(record, target, wait_ms, File::create_new)?;
        if !contents.is_empty() {
            file.write_all(contents)?;
            file.sync()?;
        }
        Ok(lock)
    }

    /// Takes the lock of `target` as [`Lock::acquire`] does with nothing to write, by making it one more
    /// name of the file of `self`, which holds nothing either. Where there are many to be taken that
    /// spares the file system as many files, to be made and removed at once.
    ///
    /// Fails as [`Lock::acquire`], and as the file system does that has no such names, or no more of one file.
    pub fn acquire_beside(&self, target: &Path, wait_ms: u64) -> io::Result<Self> {
        let ((), lock) =
            Self::take(self.record, target, wait_ms, |path| disk::hard_link(&self.lock_path, path))?;
        Ok(lock)
    }

    /// Takes a lock by `make`, which has to fail with `AlreadyExists` where there is one.
    fn take<T>(
        record: &'a LockRecord,
        target: &Path,
        wait_ms: u64,
        make: impl Fn(&Path) -> io::Result<T>,
    ) -> io::Result<(T, Self)> {
        let lock_path = lock_path(target);
        let deadline = Instant::now() + Duration::from_millis(wait_ms);
        let mut pause = Duration::from_millis(1);
        let (made, has_new_directory) = loop {
            match with_parents(record.git_dir(), &lock_path, &make) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if is_abandoned(&lock_path, SystemTime::now()) {
                        disk::remove_file(&lock_path).or_else(ignore_missing)?;
                    } else if Instant::now() >= deadline {
                        return Err(error);
                    } else {
                        std::thread::sleep(pause);
                        pause = (pause * 2).min(Duration::from_millis(50));
                    }
                }
                other => break other?,
            }
        };
        let lock = Self { record, lock_path, target: target.to_path_buf(), is_held: true, has_new_directory };
        Ok((made, lock))
    }

    /// Puts what was written in the place of the file, and lets go.
    pub fn commit(mut self) -> io::Result<()> {
        match disk::rename(&self.lock_path, &self.target) {
            Err(_) if self.target.is_dir() => {
                remove_empty_directories(&self.target)?;
                disk::rename(&self.lock_path, &self.target)?;
            }
            other => other?,
        }
        self.is_held = false;
        Ok(())
    }

    /// The file that is locked.
    pub fn target(&self) -> &Path {
        &self.target
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if self.is_held && disk::remove_file(&self.lock_path).or_else(ignore_missing).is_err() {
            self.record.keep();
        }
    }
}

/// Where the lock of `target` lies.
pub(super) fn lock_path(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Removes directories below and including `directory`; fails if there is a file in one.
fn remove_empty_directories(directory: &Path) -> io::Result<()> {
    for entry in listing::list(directory)? {
        if entry.is_directory {
            remove_empty_directories(&directory.join(entry.name))?;
        }
    }
    disk::remove_dir(directory)
}

pub(super) fn ignore_missing(error: io::Error) -> io::Result<()> {
    if files::is_missing(&error) { Ok(()) } else { Err(error) }
}

/// Makes the lock file and the directories above it, which somebody else may be removing. Tells
/// whether there were some to be made.
fn with_parents<T>(
    git_dir: &Path,
    lock_path: &Path,
    make: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<(T, bool)> {
    let mut attempts = 0;
    loop {
        match make(lock_path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempts < DIRECTORY_ATTEMPTS_MAX => {
                let parent = lock_path.parent().expect("a lock lies in a directory");
                match create_directories(git_dir, parent) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    other => other?,
                }
                attempts += 1;
            }
            other => return Ok((other?, attempts > 0)),
        }
    }
}

/// Makes a directory and those above it that are missing, up to `git_dir`, which is never made: where
/// it is missing, the repository has moved.
fn create_directories(git_dir: &Path, directory: &Path) -> io::Result<()> {
    if directory == git_dir || !directory.starts_with(git_dir) {
        return Err(io::ErrorKind::NotFound.into());
    }
    match disk::create_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_directories(git_dir, directory.parent().expect("it lies below the repository"))?;
            disk::create_dir(directory)
        }
        result => result,
    }
}

/// Whether nobody can hold a lock any more at the time `now`, whoever took it.
pub(super) fn is_abandoned(lock_path: &Path, now: SystemTime) -> bool {
    fs::symlink_metadata(lock_path)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age > ABANDONED_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_of_one_file_are_locks_each_by_itself() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let target = |name: &str| place.path().join("new").join(name);
        let record = LockRecord::create(place.path(), [].into_iter()).expect("made");
        let acquire = |name: &str| Lock::acquire(&record, &target(name), b"", 0);
        let first = acquire("a").expect("free");
        let second = first.acquire_beside(&target("deep/b"), 0).expect("free");
        assert!(second.has_new_directory);
        for held in ["a", "deep/b"] {
            for again in [acquire(held), first.acquire_beside(&target(held), 0)] {
                let error = again.expect_err("it is held");
                assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{held}");
            }
        }
        drop(first);
        assert!(!lock_path(&target("a")).exists() && lock_path(&target("deep/b")).exists());
        let third = second.acquire_beside(&target("a"), 0).expect("free again");
        drop((second, third));
        assert!(!lock_path(&target("a")).exists() && !lock_path(&target("deep/b")).exists());
    }

    #[test]
    fn a_repository_that_has_moved_is_not_made_anew() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let git_dir = place.path().join("moved.git");
        std::fs::create_dir(&git_dir).expect("made");
        let record = LockRecord::create(&git_dir, [].into_iter()).expect("made");
        std::fs::remove_dir_all(&git_dir).expect("removed");
        for target in ["refs/heads/new/branch", "refs/heads/main", "HEAD"] {
            let error = Lock::acquire(&record, &git_dir.join(target), b"x", 0).expect_err("it is not there");
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{target}");
        }
        assert!(!git_dir.exists());
    }
}
