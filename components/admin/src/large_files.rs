//! Removing large files that nothing in their repository names any more.
//!
//! What names one is a pointer in any version that lies in the repository, whether or not a ref reaches
//! it: maintenance drops what nothing reaches after a while, and its pointers with it. So nothing depends
//! on which refs there are at the moment.

use crate::disk::Disk;
use crate::limits::COLLECTION_EVERY;
use crate::registry::Registry;
use lithe_forge::types::Repository;
use lithe_git::small_blobs;
use lithe_lfs::{Collected, Objects, POINTER_BYTES_MAX, Pointer};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What the last collection found, beside the objects.
const STATE: &str = "collection.json";

/// What the last collection left and took. Bytes are those of the objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct State {
    /// Objects that nothing names and that stay for now.
    pub unnamed: u64,
    pub unnamed_bytes: u64,
    pub removed: u64,
    pub removed_bytes: u64,
}

/// Why nothing was collected, or the count is not right.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    #[error("the large files: {0}")]
    Files(#[from] io::Error),
    #[error("pointers to large files: {0}")]
    Pointers(#[from] small_blobs::Error),
    #[error("{bytes} bytes of large files are gone and still counted: {reason}")]
    Count { bytes: u64, reason: String },
}

/// Whether a repository has large files that were not looked at for long.
pub fn is_due(objects: &Objects, now: SystemTime) -> bool {
    let modified = |path: PathBuf| fs::metadata(path).and_then(|metadata| metadata.modified());
    match modified(state_file(objects)) {
        Ok(last) => now.duration_since(last).is_ok_and(|age| age >= COLLECTION_EVERY),
        Err(_) => objects.directory().is_dir(),
    }
}

/// What the last collection of a repository's large files found; none: there was none.
pub fn read(objects: &Objects) -> Option<State> {
    serde_json::from_slice(&fs::read(state_file(objects)).ok()?).ok()
}

/// Removes the large files of a repository that nothing names, once they have been there for long
/// enough. `on_progress` is told how many of how many objects were looked at, and stops it by false.
pub fn collect(
    registry: &impl Registry,
    disk: &Disk,
    repository: &Repository,
    git_dir: &Path,
    now: SystemTime,
    on_progress: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Collected, CollectError> {
    let objects = disk.large_files(repository.id);
    let mut unnamed = objects.unnamed()?;
    if !unnamed.is_empty() {
        let mut visit = |data: &[u8]| {
            if let Some(pointer) = Pointer::parse(data) {
                unnamed.name(&pointer.oid);
            }
        };
        small_blobs::visit(git_dir, POINTER_BYTES_MAX, &mut visit, on_progress)?;
    }
    let collected = unnamed.remove(now)?;
    let Collected { unnamed, unnamed_bytes, removed, removed_bytes } = collected;
    write(&objects, &State { unnamed, unnamed_bytes, removed, removed_bytes })?;
    if removed_bytes > 0 {
        let given_back = registry.give_back_large_files(repository.id, removed_bytes);
        given_back.map_err(|error| CollectError::Count {
            bytes: removed_bytes,
            reason: format!("{error:?}; `lithe repo check` counts again"),
        })?;
    }
    Ok(collected)
}

fn state_file(objects: &Objects) -> PathBuf {
    objects.directory().join(STATE)
}

fn write(objects: &Objects, state: &State) -> io::Result<()> {
    let temporary = objects.directory().join(format!("{STATE}.new"));
    fs::write(&temporary, serde_json::to_vec(state).expect("it is only numbers"))?;
    fs::rename(temporary, state_file(objects))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_lfs::{COLLECT_AFTER, Oid};
    use std::fs::File;
    use std::time::Duration;

    #[test]
    fn a_collection_is_due_where_there_are_files_and_once_in_a_while() {
        let root = tempfile::tempdir().expect("a directory");
        let now = SystemTime::now();
        let objects = Objects::of(root.path(), 7);
        assert!(!is_due(&objects, now), "there are none");
        fs::create_dir_all(objects.directory()).expect("writable");
        assert!(is_due(&objects, now));
        let state = State { unnamed: 1, ..State::default() };
        write(&objects, &state).expect("writable");
        assert_eq!(read(&objects), Some(state));
        let later = |age: Duration| is_due(&objects, SystemTime::now() + age);
        assert_eq!((later(COLLECTION_EVERY / 2), later(COLLECTION_EVERY)), (false, true));
        assert!(COLLECTION_EVERY < COLLECT_AFTER);
    }

    #[test]
    fn an_old_file_that_is_named_stays() {
        let root = tempfile::tempdir().expect("a directory");
        let objects = Objects::of(root.path(), 7);
        let oids = [1, 2].map(|byte| Oid::of_digest(&[byte; 32]));
        for oid in &oids {
            let place = objects.path(oid);
            fs::create_dir_all(place.parent().expect("it has one")).expect("writable");
            fs::write(&place, "content").expect("writable");
            let file = File::options().write(true).open(place).expect("it is there");
            file.set_modified(SystemTime::now() - 2 * COLLECT_AFTER).expect("set");
        }
        let pointer =
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 7\n", oids[0].as_str());
        let mut unnamed = objects.unnamed().expect("readable");
        unnamed.name(&Pointer::parse(pointer.as_bytes()).expect("a pointer").oid);
        assert_eq!(unnamed.remove(SystemTime::now()).expect("removed").removed, 1);
        assert_eq!(objects.size(&oids[0]).expect("readable"), Some(7));
    }
}
