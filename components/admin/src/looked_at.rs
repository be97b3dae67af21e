//! Where the last sweeps of maintenance found nothing to do, so that the next ones look no closer at
//! thousands of repositories that nobody touches.
//!
//! Kept beside the repositories. It may be lost: the next sweep looks at everything again.

use crate::limits::{LOOK_AGAIN_AFTER, LOOKED_AT_BYTES_MAX};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const FILE_NAME: &str = ".maintenance-looked-at.json";
/// What changed so shortly before a look may have changed once more since, with the same time.
const UNSURE_FOR: Duration = Duration::from_secs(2);

/// Repositories in which there was nothing to do, by their directories.
#[derive(Debug, Default)]
pub struct LookedAt {
    looks: HashMap<String, [u64; 3]>,
    /// Whether it is not what is kept.
    is_changed: bool,
}

/// When `objects` and `objects/pack` had changed, in nanoseconds, and when that was found, in seconds,
/// since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look([u64; 3]);

impl Look {
    /// Looks at the repository at `git_dir`. None: it cannot be told, or not with certainty, when it changed.
    pub fn at(git_dir: &Path, now: SystemTime) -> Option<Self> {
        let changed = |directory: &str| {
            let modified =
                fs::metadata(git_dir.join(directory)).and_then(|metadata| metadata.modified()).ok()?;
            now.duration_since(modified).ok().filter(|age| *age > UNSURE_FOR)?;
            u64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()
        };
        let now = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
        Some(Self([changed("objects")?, changed("objects/pack")?, now]))
    }
}

impl LookedAt {
    /// Reads what is kept in the directory of all repositories.
    pub fn read(root: &Path) -> Self {
        let path = root.join(FILE_NAME);
        let is_small = fs::metadata(&path).is_ok_and(|metadata| metadata.len() <= LOOKED_AT_BYTES_MAX);
        let text = is_small.then(|| fs::read(path).ok()).flatten();
        let looks = text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { looks, is_changed: false }
    }

    /// Keeps what has changed. That it cannot be kept costs time only.
    pub fn write(&self, root: &Path) {
        if !self.is_changed {
            return;
        }
        let temporary = root.join(format!("{FILE_NAME}.new"));
        let text = serde_json::to_vec(&self.looks).expect("it is only texts and numbers");
        let _ = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, root.join(FILE_NAME)));
    }

    /// Whether nothing was to be done in a repository that looked the same, not long before. Objects that
    /// come one by one to where others are change neither directory: so there is a closer look at times.
    pub fn has(&self, directory: &str, look: Look) -> bool {
        let Look([objects, packs, now]) = look;
        self.looks.get(directory).is_some_and(|[objects_before, packs_before, before]| {
            (objects, packs) == (*objects_before, *packs_before)
                && now.saturating_sub(*before) < LOOK_AGAIN_AFTER.as_secs()
        })
    }

    /// Notes that there was nothing to do.
    pub fn note(&mut self, directory: String, look: Look) {
        self.looks.insert(directory, look.0);
        self.is_changed = true;
    }

    /// Forgets the repositories of which that cannot be said any more.
    pub fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        let before = self.looks.len();
        self.looks.retain(|directory, _| is_there(directory));
        self.is_changed |= self.looks.len() != before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_passed_over_until_it_changes_or_time_has_passed() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let git_dir = root.path().join("a.git");
        fs::create_dir_all(git_dir.join("objects/pack")).expect("made");
        let now = SystemTime::now() + Duration::from_secs(60);
        assert_eq!(Look::at(&git_dir, SystemTime::now()), None, "it was just made");
        let look = Look::at(&git_dir, now).expect("it is old enough");
        let mut looked_at = LookedAt::read(root.path());
        assert!(!looked_at.has("a.git", look));
        looked_at.note("a.git".into(), look);
        looked_at.write(root.path());
        let mut looked_at = LookedAt::read(root.path());
        assert!(looked_at.has("a.git", look) && !looked_at.has("b.git", look));
        let later = |time: Duration| Look::at(&git_dir, now + time).expect("it is old enough");
        assert!(looked_at.has("a.git", later(LOOK_AGAIN_AFTER - Duration::from_secs(1))));
        assert!(!looked_at.has("a.git", later(LOOK_AGAIN_AFTER)));
        fs::write(git_dir.join("objects/pack/new"), "").expect("written");
        assert!(!looked_at.has("a.git", later(Duration::ZERO)), "a pack came");
        looked_at.retain(|directory| directory != "a.git");
        assert!(!looked_at.has("a.git", look));
        fs::write(root.path().join(FILE_NAME), "nonsense").expect("written");
        assert!(!LookedAt::read(root.path()).has("a.git", look));
    }
}
