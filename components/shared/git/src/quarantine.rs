//! Where a push's objects lie until it is certain that they are wanted.
//!
//! The order of a push, each step of which may be the last one before a kill or a loss of power:
//!
//! 1. A directory `objects/tmp_objdir-incoming-lithe-<random>/` is made. Git knows the prefix: it never
//!    reads such a directory, and `git gc` removes an old one.
//! 2. The pack is written into it as it arrives, checked, indexed, and both files are synced. Until
//!    here, whatever happens leaves a directory that nobody reads, removed at once or by
//!    [`remove_stale`].
//! 3. The new refs' objects are found to be complete (see [`crate::connectivity`]).
//! 4. `objects/pack/pack-<checksum>.keep` is made, one more name of the index, so that no `git repack` drops objects that no ref
//!    reaches yet; then the pack is renamed to its place, then its index, which makes the objects
//!    readable; then `objects/pack` is synced. A crash in between leaves objects that no ref reaches:
//!    the push did not happen.
//! 5. The refs are changed (see [`crate::refs`]), and the push is acknowledged. What is acknowledged
//!    was synced before.
//! 6. The directory is removed, and the `.keep` file. Where there are many small packs by now, they become
//!    one (see [`crate::maintenance::gather`]).
//!
//! The directory also bears witness that the repository is still where the push began: if somebody
//! moves the repository, it goes along, and nothing is changed in what may lie there instead.

use crate::disk;
use crate::durable;
use crate::index_pack::Indexed;
use crate::listing;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const PREFIX: &str = "tmp_objdir-incoming-lithe-";
/// How a `.keep` file of ours begins, so that it can be told from those that people make: it is one more
/// name of the index, and so as certain to be whole as that; or, where files have one name, a line.
const KEEPS: [&[u8]; 2] = [b"\xfftOc", KEEP_LINE];
const KEEP_LINE: &[u8] = b"lithe receive-pack\n";
/// A quarantine that nothing was written to for so long belongs to a push that is no more; likewise a
/// `.keep` file. No request goes on for so long.
pub const STALE_AFTER: Duration = Duration::from_secs(2 * 60 * 60);

/// The quarantine of one push. Dropping it removes what is still in it.
#[derive(Debug)]
pub struct Quarantine {
    pack_dir: PathBuf,
    dir: PathBuf,
}

impl Quarantine {
    /// Makes the directory.
    pub fn create(git_dir: &Path) -> io::Result<Self> {
        let objects = git_dir.join("objects");
        let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
        let dir = objects.join(format!("{PREFIX}{random:016x}"));
        disk::create_dir(&dir)?;
        let quarantine = Self { pack_dir: objects.join("pack"), dir };
        disk::create_dir(&quarantine.dir.join("pack"))?;
        Ok(quarantine)
    }

    /// The quarantine as an object directory, readable once both files have their names.
    pub fn objects_dir(&self) -> &Path {
        &self.dir
    }

    /// Where the pack is to be written.
    pub fn pack_path(&self) -> PathBuf {
        self.dir.join("pack/pack-incoming.pack")
    }

    /// Where its index is to be written.
    pub fn index_path(&self) -> PathBuf {
        self.dir.join("pack/pack-incoming.idx")
    }

    /// Moves the pack and its index to the repository, durably. They are kept at least as long as
    /// what is returned.
    pub fn migrate(&self, indexed: &Indexed) -> io::Result<Keep> {
        let target = |extension: &str| self.pack_dir.join(format!("pack-{}.{extension}", indexed.checksum));
        match disk::create_dir(&self.pack_dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Ok(()) => durable::sync_directory(self.pack_dir.parent().expect("it lies in `objects`"))?,
            Err(error) => return Err(error),
        }
        let keep = Keep::create(target("keep"), &self.index_path())?;
        // The name is the checksum of the contents: what is there already is the same.
        if !target("idx").is_file() || !target("pack").is_file() {
            disk::rename(&self.pack_path(), &target("pack"))?;
            disk::rename(&self.index_path(), &target("idx"))?;
        }
        durable::sync_directory(&self.pack_dir)?;
        Ok(keep)
    }
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        // What cannot be removed now is found by `remove_stale`.
        let _ = disk::remove_dir_all(&self.dir);
    }
}

/// A `.keep` file. Dropping it removes it.
#[derive(Debug)]
pub struct Keep {
    path: PathBuf,
    is_ours: bool,
}

impl Keep {
    fn create(path: PathBuf, index: &Path) -> io::Result<Self> {
        match disk::hard_link(index, &path) {
            Ok(()) => Ok(Self { path, is_ours: true }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Self { path, is_ours: false }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
            Err(_) => Self::create_alone(path),
        }
    }

    fn create_alone(path: PathBuf) -> io::Result<Self> {
        match disk::File::create_new(&path) {
            Ok(mut file) => {
                let keep = Self { path, is_ours: true };
                file.write_all(KEEP_LINE).and_then(|()| file.sync())?;
                Ok(keep)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Self { path, is_ours: false }),
            Err(error) => Err(error),
        }
    }

    fn is_begun_by_us(path: &Path) -> bool {
        let mut begin = Vec::new();
        let read =
            fs::File::open(path).and_then(|file| file.take(KEEP_LINE.len() as u64).read_to_end(&mut begin));
        read.is_ok() && KEEPS.iter().any(|ours| begin.starts_with(ours))
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        if self.is_ours {
            // What cannot be removed now is found by `remove_stale`.
            let _ = disk::remove_file(&self.path);
        }
    }
}

/// Removes what pushes left behind that were killed long before `now`.
pub fn remove_stale(git_dir: &Path, now: SystemTime) -> io::Result<()> {
    let objects_dir = git_dir.join("objects");
    for entry in listing::list(&objects_dir)? {
        let path = objects_dir.join(&entry.name);
        let is_quarantine = entry.name.to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_quarantine && is_stale(&path, now) && is_stale_within(&path.join("pack"), now) {
            disk::remove_dir_all(&path)?;
        }
    }
    let pack_dir = objects_dir.join("pack");
    let entries = match listing::list(&pack_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = pack_dir.join(entry.name);
        let is_keep = path.extension().is_some_and(|extension| extension == "keep");
        if is_keep && is_stale(&path, now) && Keep::is_begun_by_us(&path) {
            disk::remove_file(&path)?;
        }
    }
    Ok(())
}

fn is_stale(path: &Path, now: SystemTime) -> bool {
    let modified = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age > STALE_AFTER))
}

fn is_stale_within(directory: &Path, now: SystemTime) -> bool {
    match listing::list(directory) {
        Ok(entries) => entries.iter().all(|entry| is_stale(&directory.join(&entry.name), now)),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> tempfile::TempDir {
        let place = tempfile::tempdir().expect("a temporary directory");
        crate::init::init_bare(&place.path().join("r.git"), "main", gix_hash::Kind::Sha1).expect("made");
        place
    }

    fn indexed() -> Indexed {
        let checksum = gix_hash::ObjectId::null(gix_hash::Kind::Sha1);
        Indexed { checksum, pack_bytes: 1, objects: Vec::new() }
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("readable");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_migrated_is_kept_until_the_refs_point_to_it() {
        let place = repository();
        let objects = place.path().join("r.git/objects");
        let quarantine = Quarantine::create(&place.path().join("r.git")).expect("made");
        fs::write(quarantine.pack_path(), "pack").expect("written");
        fs::write(quarantine.index_path(), "idx").expect("written");
        let keep = quarantine.migrate(&indexed()).expect("moved");
        let name = "pack-0000000000000000000000000000000000000000";
        let expected = ["idx", "keep", "pack"].map(|extension| format!("{name}.{extension}"));
        assert_eq!(names(&objects.join("pack")), expected);
        drop(keep);
        assert_eq!(names(&objects.join("pack")).len(), 2);
        assert!(quarantine.objects_dir().is_dir(), "it bears witness until the refs are changed");
        drop(quarantine);
        assert_eq!(names(&objects), ["info", "pack"]);
    }

    #[test]
    fn nothing_is_moved_to_what_lies_in_the_place_of_the_repository() {
        let place = repository();
        let git_dir = place.path().join("r.git");
        let quarantine = Quarantine::create(&git_dir).expect("made");
        fs::write(quarantine.pack_path(), "pack").expect("written");
        fs::write(quarantine.index_path(), "idx").expect("written");
        fs::rename(&git_dir, place.path().join("moved.git")).expect("renamed");
        quarantine.migrate(&indexed()).expect_err("there is no repository");
        assert!(!git_dir.exists());
        crate::init::init_bare(&git_dir, "main", gix_hash::Kind::Sha1).expect("made");
        quarantine.migrate(&indexed()).expect_err("it is another repository");
        assert_eq!(names(&git_dir.join("objects/pack")), [""; 0]);
    }

    #[test]
    fn a_dropped_quarantine_leaves_nothing() {
        let place = repository();
        let quarantine = Quarantine::create(&place.path().join("r.git")).expect("made");
        fs::write(quarantine.pack_path(), "pack").expect("written");
        drop(quarantine);
        assert_eq!(names(&place.path().join("r.git/objects")), ["info", "pack"]);
    }

    #[test]
    fn only_what_is_old_and_ours_is_removed() {
        let place = repository();
        let git_dir = place.path().join("r.git");
        let quarantine = Quarantine::create(&git_dir).expect("made");
        std::mem::forget(quarantine);
        fs::create_dir(git_dir.join("objects/tmp_objdir-incoming-git")).expect("made");
        fs::write(git_dir.join("objects/pack/pack-1.keep"), KEEP_LINE).expect("written");
        fs::write(git_dir.join("objects/pack/pack-3.keep"), b"\xfftOc\0\0\0\x02").expect("written");
        fs::write(git_dir.join("objects/pack/pack-2.keep"), "mine").expect("written");
        let now = SystemTime::now();
        remove_stale(&git_dir, now).expect("works");
        assert_eq!(names(&git_dir.join("objects")).len(), 4);
        remove_stale(&git_dir, now + STALE_AFTER + Duration::from_secs(1)).expect("works");
        assert_eq!(names(&git_dir.join("objects")), ["info", "pack", "tmp_objdir-incoming-git"]);
        assert_eq!(names(&git_dir.join("objects/pack")), ["pack-2.keep"]);
    }
}
