//! Whose turn it is to prepare what several clients wait for.
//!
//! Those who serve them share nothing but the cache: each is an instance of its own, which may be stopped
//! at any moment. So a turn is a file that only one of them can make, and that shows by its time that
//! who made it is still at work. Who finds it old takes it over. At worst two do the same work; what
//! they prepare is the same.

use crate::limits::TURN_SILENT_MS_MAX;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// One's turn, which ends when this is dropped.
pub struct Turn {
    /// None: it could not be written down, and others may do the same.
    file: Option<(File, PathBuf)>,
    token: String,
    beaten: Instant,
}

impl Turn {
    /// Takes the turn of that name. None: it is somebody else's, who is at work.
    pub fn take(directory: &Path, name: &str) -> Option<Self> {
        let token = format!("{:016x}", RandomState::new().hash_one(name));
        let path = directory.join(name);
        let mut turn = Self { file: None, token, beaten: Instant::now() };
        match turn.write(&path) {
            Ok(file) => turn.file = Some((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !is_old(&path) || !turn.remove_old(&path) {
                    return None;
                }
                match turn.write(&path) {
                    Ok(file) => turn.file = Some((file, path)),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return None,
                    Err(_) => {}
                }
            }
            // A cache that cannot be written makes nobody wait.
            Err(_) => {}
        }
        Some(turn)
    }

    /// Shows that its owner is at work.
    pub fn beat(&mut self) {
        let is_due = self.beaten.elapsed() > Duration::from_millis(TURN_SILENT_MS_MAX / 10);
        if let Some((file, _)) = self.file.as_mut().filter(|_| is_due) {
            // Whether or not this is still the file at its place.
            let _ = file.write_all(b".");
            self.beaten = Instant::now();
        }
    }

    fn write(&self, path: &Path) -> io::Result<File> {
        if let Some(directory) = path.parent() {
            // Something else may be in its place.
            fs::create_dir_all(directory).map_err(io::Error::other)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(self.token.as_bytes())?;
        Ok(file)
    }

    /// Removes what a dead owner left; false: somebody else did, and took the turn.
    fn remove_old(&self, path: &Path) -> bool {
        let aside = path.with_extension(&self.token);
        if fs::rename(path, &aside).is_err() {
            return false;
        }
        let was_old = is_old(&aside);
        let _ = if was_old { fs::remove_file(&aside) } else { fs::rename(&aside, path) };
        was_old
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.file
            && fs::read(path).is_ok_and(|bytes| bytes.starts_with(self.token.as_bytes()))
        {
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether a file was not written to for so long that its owner must be gone; what is not there is not old.
fn is_old(path: &Path) -> bool {
    let Ok(written) = fs::metadata(path).and_then(|metadata| metadata.modified()) else { return false };
    is_silent(written, SystemTime::now())
}

/// Whether who last wrote at that time has been silent for too long.
fn is_silent(written: SystemTime, now: SystemTime) -> bool {
    // A clock that was set back must not make anybody wait for hours.
    let silent = now.duration_since(written).unwrap_or_else(|error| error.duration());
    silent > Duration::from_millis(TURN_SILENT_MS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_age(path: &Path, seconds: i64) {
        let now = SystemTime::now();
        let by = Duration::from_secs(seconds.unsigned_abs());
        let time = if seconds < 0 { now + by } else { now - by };
        let file = OpenOptions::new().write(true).open(path).expect("it is there");
        file.set_modified(time).expect("its time is set");
    }

    #[test]
    fn a_turn_is_one_owners_until_it_ends_or_its_owner_is_silent() {
        let place = tempfile::tempdir().expect("a directory");
        let directory = place.path().join("turns");
        let first = Turn::take(&directory, "name").expect("nobody has it");
        assert!(Turn::take(&directory, "name").is_none());
        assert!(Turn::take(&directory, "other").is_some());
        drop(first);
        let silent = Turn::take(&directory, "name").expect("it has ended");
        for age in [60, -60] {
            set_age(&directory.join("name"), age);
            let second = Turn::take(&directory, "name").expect("its owner is silent");
            assert!(Turn::take(&directory, "name").is_none());
            std::mem::forget(second);
        }
        // It is not the first owner's any more.
        drop(silent);
        assert!(Turn::take(&directory, "name").is_none());
        assert_eq!(fs::read_dir(&directory).expect("readable").count(), 1);
    }

    #[test]
    fn an_owner_may_be_silent_for_so_long() {
        let (written, at) = (SystemTime::UNIX_EPOCH + Duration::from_secs(1_000), TURN_SILENT_MS_MAX);
        for (silent_ms, expected) in [(0, false), (at, false), (at + 1, true)] {
            let silent = Duration::from_millis(silent_ms);
            assert_eq!(is_silent(written, written + silent), expected, "{silent_ms}");
            assert_eq!(is_silent(written, written - silent), expected, "{silent_ms}, the clock was set back");
        }
    }

    #[test]
    fn an_owner_at_work_keeps_its_turn() {
        let place = tempfile::tempdir().expect("a directory");
        let mut turn = Turn::take(place.path(), "name").expect("nobody has it");
        set_age(&place.path().join("name"), 60);
        turn.beaten -= Duration::from_secs(60);
        turn.beat();
        assert!(Turn::take(place.path(), "name").is_none());
    }

    #[test]
    fn without_a_cache_everybody_has_a_turn() {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("file");
        fs::write(&file, "").expect("written");
        for _ in 0..2 {
            assert!(Turn::take(&file.join("no directory"), "name").is_some());
        }
        let turn = Turn::take(place.path(), "name").expect("nobody has it");
        fs::remove_file(place.path().join("name")).expect("the cache is emptied");
        assert!(Turn::take(place.path(), "name").is_some());
        drop(turn);
    }
}
