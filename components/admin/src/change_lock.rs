//! Who changes directories of repositories: one at a time, so that nobody decides by what another
//! is about to change.
//!
//! WASI has no file locks. A file that is created exclusively is one; where its holder was killed,
//! it stays, and is removed once it is older than any change takes.

use crate::limits::{CHANGE_TIME_MAX, CHANGE_WAIT_MAX};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

const NAME: &str = ".changing";
const PAUSE: Duration = Duration::from_millis(10);

/// The right to change directories. It ends when this is dropped.
#[derive(Debug)]
pub struct ChangeLock {
    path: PathBuf,
}

impl ChangeLock {
    /// Waits for the right to change the directories below `root`.
    ///
    /// Fails with `TimedOut` if others keep it too long.
    pub fn acquire(root: &Path) -> io::Result<Self> {
        let path = root.join(NAME);
        let deadline = Instant::now() + CHANGE_WAIT_MAX;
        loop {
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(_) => return Ok(Self { path }),
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                Err(_) if is_abandoned(&path) => remove_abandoned(&path),
                Err(_) if Instant::now() >= deadline => return Err(ErrorKind::TimedOut.into()),
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }
}

impl Drop for ChangeLock {
    fn drop(&mut self) {
        // What cannot be removed is found to be abandoned.
        let _ = fs::remove_file(&self.path);
    }
}

fn is_abandoned(path: &Path) -> bool {
    let modified = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > CHANGE_TIME_MAX))
}

/// Removes an abandoned lock. Of several that do so at once, only one gets it out of the way; who
/// comes late and gets a lock that is new puts it back.
fn remove_abandoned(path: &Path) {
    let aside = path.with_file_name(format!("{NAME}.{}", crate::secret::letters(8)));
    if fs::rename(path, &aside).is_err() {
        return;
    }
    let _ = match is_abandoned(&aside) {
        true => fs::remove_file(&aside),
        false => fs::rename(&aside, path),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn one_changes_at_a_time() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let inside = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _lock = ChangeLock::acquire(root.path()).expect("it is free in time");
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(root.path()).expect("readable").count(), 0);
    }

    #[test]
    fn what_was_abandoned_holds_nobody_up() {
        let root = tempfile::tempdir().expect("a temporary directory");
        std::mem::forget(ChangeLock::acquire(root.path()).expect("free"));
        let file = OpenOptions::new().write(true).open(root.path().join(NAME)).expect("it is there");
        file.set_modified(SystemTime::now() - CHANGE_TIME_MAX - Duration::from_secs(1)).expect("set");
        let began = Instant::now();
        drop(ChangeLock::acquire(root.path()).expect("it is abandoned"));
        assert!(began.elapsed() < CHANGE_TIME_MAX);
        assert_eq!(fs::read_dir(root.path()).expect("readable").count(), 0);
    }
}
