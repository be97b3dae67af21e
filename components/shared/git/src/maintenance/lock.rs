//! One run a repository at a time.
//!
//! A lock says in which [`Run`] of the host it was taken. That of another is nobody's any more.

use super::Error;
use crate::disk::{self, File};
use crate::run::Run;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The name of the lock, in the repository's directory.
pub const NAME: &str = "lithe-maintenance.lock";
/// A lock that was not refreshed for so long belongs to a run that is no more.
pub const STALE_AFTER: Duration = Duration::from_secs(10 * 60);
/// How often a lock is refreshed.
const REFRESH_AFTER: Duration = Duration::from_secs(30);

/// The lock of a run. Dropping it lets go.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
    refreshed: SystemTime,
}

impl Lock {
    /// Takes the lock of the repository at `git_dir`.
    ///
    /// Fails with [`Error::Locked`].
    pub fn acquire(git_dir: &Path, now: SystemTime) -> Result<Self, Error> {
        Self::acquire_in(git_dir, now, Run::current())
    }

    /// Takes it in the run `current`.
    fn acquire_in(git_dir: &Path, now: SystemTime, current: Option<Run>) -> Result<Self, Error> {
        let path = git_dir.join(NAME);
        let create = || File::create_new(&path);
        let file = match create() {
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists
                    && (is_stale(&path, now) || is_of_another_run(&path, current)) =>
            {
                disk::remove_file(&path)?;
                create()
            }
            other => other,
        };
        match file {
            Ok(file) => {
                if let Some(run) = current {
                    // Without it, a lock that is left behind is told by its age.
                    let _ = file.write_all_at(run.to_string().as_bytes(), 0);
                }
                Ok(Self { path, file, refreshed: now })
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::Locked { quiet_for: quiet_for(&path, now).unwrap_or_default() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Shows that the run is alive.
    pub fn refresh(&mut self) {
        let now = SystemTime::now();
        if now.duration_since(self.refreshed).is_ok_and(|age| age >= REFRESH_AFTER) {
            // If that fails, another run may begin: that wastes work and harms nothing.
            let _ = self.file.set_modified(now);
            self.refreshed = now;
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = disk::remove_file(&self.path);
    }
}

/// Whether a run of the host that is no more took a lock.
fn is_of_another_run(path: &Path, current: Option<Run>) -> bool {
    let taken_in = || Run::parse(&String::from_utf8(disk::read(path).ok()?).ok()?);
    current.is_some_and(|current| taken_in().is_some_and(|run| run != current))
}

fn is_stale(path: &Path, now: SystemTime) -> bool {
    quiet_for(path, now).is_some_and(|age| age > STALE_AFTER)
}

/// For how long a lock was not refreshed.
fn quiet_for(path: &Path, now: SystemTime) -> Option<Duration> {
    now.duration_since(fs::metadata(path).ok()?.modified().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_refused_is_told_for_how_long_and_what_can_be_done() {
        let words = Error::Locked { quiet_for: Duration::from_secs(42) }.to_string();
        assert_eq!(
            words,
            "another run of maintenance is at work, or was killed: it gave its last sign of life 42 seconds ago. \
             10 minutes after the last one a run counts as dead, and the next one begins; whoever knows that none is \
             at work may remove the file lithe-maintenance.lock in the repository before"
        );
    }

    #[test]
    fn one_run_at_a_time_unless_the_other_is_dead() {
        let place = tempfile::tempdir().expect("a directory");
        let now = SystemTime::now();
        let lock = Lock::acquire(place.path(), now).expect("free");
        let soon = now + STALE_AFTER - Duration::from_secs(5);
        let refused = Lock::acquire(place.path(), soon).expect_err("the other may be alive");
        assert!(matches!(refused, Error::Locked { quiet_for } if quiet_for >= Duration::from_secs(590)));
        drop(lock);
        std::mem::forget(Lock::acquire(place.path(), now).expect("free again"));
        let later = now + STALE_AFTER + Duration::from_secs(5);
        drop(Lock::acquire(place.path(), later).expect("the other is dead"));
        assert!(!place.path().join(NAME).exists());
    }

    #[test]
    fn the_lock_of_another_run_of_the_host_is_taken_over_at_once() {
        let run = |text| Some(Run::parse(text).expect("a number"));
        // In which run it was left, in which it is wanted, and whether it is to be had.
        let cases = [
            (run("1"), run("2"), true),
            (run("1"), run("1"), false),
            (run("1"), None, false),
            (None, run("2"), false),
        ];
        for (left, wanted, is_free) in cases {
            let place = tempfile::tempdir().expect("a directory");
            let now = SystemTime::now();
            std::mem::forget(Lock::acquire_in(place.path(), now, left).expect("free"));
            assert_eq!(Lock::acquire_in(place.path(), now, wanted).is_ok(), is_free, "{left:?} {wanted:?}");
        }
    }
}
