//! The lock of a shared database file: a directory beside it, which SQLite's VFS `unix-dotfile`
//! makes and removes. A killed process leaves it behind, and it would block everybody for good.
//!
//! A lock older than any transaction may last is abandoned, and is removed by whoever meets it.
//! Two who meet it at once must not both remove it: the second might remove the fresh lock of a
//! third. So the right to break is a directory too, named after the very lock that it is for (by
//! its time, which nobody else's has), and only one can make it.
//!
//! What this cannot tell from a killed process is one that was stopped in the middle of a
//! transaction and goes on after `LOCK_SECONDS_MAX`: do not suspend a server that shares a database.

use crate::limits::LOCK_SECONDS_MAX;
use crate::types::Error;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Removes the lock of the database file at `database` if it is abandoned; tells whether it did.
pub fn break_abandoned(database: &Path, now: SystemTime) -> Result<bool, Error> {
    break_lock(&beside(database, ".lock"), now).map_err(|error| {
        Error::Other(format!("the abandoned lock of {} cannot be removed: {error}", database.display()))
    })
}

fn break_lock(lock: &Path, now: SystemTime) -> io::Result<bool> {
    let Some(made) = made(lock)? else {
        return Ok(true);
    };
    let Some(age) = abandoned_for(made, now) else {
        return Ok(false);
    };
    // Should the breaker be killed as well, the right can be had anew after the same time.
    let period = age.as_secs() / LOCK_SECONDS_MAX;
    let made_nanos = made.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    let right = beside(lock, &format!(".broken-{made_nanos}-{period}"));
    match std::fs::create_dir(&right) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        result => result?,
    }
    // It may have been broken between the look and the right: then another has it by now.
    let broken = match self::made(lock) {
        Ok(Some(again)) if again == made => remove(lock),
        other => other.map(|_| ()),
    };
    remove(&right)?;
    broken.map(|()| true)
}

/// How long the lock has been abandoned, if it is.
fn abandoned_for(made: SystemTime, now: SystemTime) -> Option<Duration> {
    let age = now.duration_since(made).ok()?;
    age.checked_sub(Duration::from_secs(LOCK_SECONDS_MAX))
}

fn made(lock: &Path) -> io::Result<Option<SystemTime>> {
    match std::fs::metadata(lock).and_then(|metadata| metadata.modified()) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

fn remove(directory: &Path) -> io::Result<()> {
    match std::fs::remove_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABANDONED: Duration = Duration::from_secs(LOCK_SECONDS_MAX + 1);

    #[test]
    fn only_an_abandoned_lock_is_broken() {
        let directory = tempfile::tempdir().expect("a directory");
        let database = directory.path().join("lithe.db");
        let lock = beside(&database, ".lock");
        assert_eq!(break_abandoned(&database, SystemTime::now()), Ok(true), "there is none");
        std::fs::create_dir(&lock).expect("a lock");
        let made = made(&lock).expect("a time").expect("a lock");
        let limit = Duration::from_secs(LOCK_SECONDS_MAX);
        for (at, broken) in
            [(made - limit, false), (made + limit - Duration::from_nanos(1), false), (made + limit, true)]
        {
            assert_eq!(break_abandoned(&database, at), Ok(broken));
            assert_eq!(lock.exists(), !broken);
        }
        assert_eq!(
            std::fs::read_dir(directory.path()).expect("a listing").count(),
            0,
            "nothing is left behind"
        );
    }

    #[test]
    fn one_of_many_breaks_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let lock = directory.path().join("lithe.db.lock");
        for _ in 0..50 {
            std::fs::create_dir(&lock).expect("a lock");
            let at = made(&lock).expect("a time").expect("a lock") + Duration::from_secs(LOCK_SECONDS_MAX);
            // Whoever breaks it makes a lock of their own at once, which nobody else may remove.
            let taken: usize = std::thread::scope(|scope| {
                let breakers: Vec<_> = (0..8)
                    .map(|_| {
                        scope.spawn(|| {
                            let broke = break_lock(&lock, at).expect("a look");
                            usize::from(broke && std::fs::create_dir(&lock).is_ok())
                        })
                    })
                    .collect();
                breakers.into_iter().map(|breaker| breaker.join().expect("no panic")).sum()
            });
            assert_eq!(taken, 1);
            std::fs::remove_dir(&lock).expect("the lock of who broke it");
        }
    }

    #[test]
    fn a_killed_breaker_blocks_it_for_one_period_only() {
        let directory = tempfile::tempdir().expect("a directory");
        let lock = directory.path().join("lithe.db.lock");
        std::fs::create_dir(&lock).expect("a lock");
        let made = made(&lock).expect("a time").expect("a lock");
        let nanos = made.duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
        std::fs::create_dir(beside(&lock, &format!(".broken-{nanos}-0")))
            .expect("the right of a killed breaker");
        assert!(!break_lock(&lock, made + ABANDONED).expect("a look"));
        assert!(break_lock(&lock, made + 2 * ABANDONED).expect("a look"));
    }
}
