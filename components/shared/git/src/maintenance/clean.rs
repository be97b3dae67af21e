//! Removing what is no longer needed.

use super::Error;
use crate::disk;
use crate::durable::{self, TEMPORARY_PREFIX};
use crate::format::Format;
use crate::listing::{self, Entry};
use crate::odb::multi_pack_index::{self, MultiPackIndex};
use crate::odb::{self, Store, loose};
use crate::quarantine;
use crate::refs::RefStore;
use crate::shortcut;
use gix_hash::ObjectId;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The list of packs whose removal has begun.
const REMOVING: &str = "lithe-removing";
/// What belongs to a pack, in the order in which it is removed: without its index, nobody finds it.
const PARTS: [&str; 5] = ["idx", "rev", "bitmap", "mtimes", "pack"];
/// A temporary file that nothing was written to for so long belongs to a process that is no more.
const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// How names of temporary files of objects begin, Git's and ours.
const TEMPORARY: &str = "tmp_";

/// Removes what dead pushes and dead runs left behind.
pub fn remove_leftovers(git_dir: &Path, now: SystemTime) -> Result<(), Error> {
    let refs = RefStore::open(git_dir)?;
    refs.remove_stale_locks(now)?;
    refs.remove_abandoned_locks(now)?;
    quarantine::remove_stale(git_dir, now)?;
    finish_removal(git_dir)?;
    remove_stale_files(git_dir, TEMPORARY_PREFIX, now)?;
    let objects = git_dir.join("objects");
    for entry in entries(&objects)? {
        let name = entry.name.to_string_lossy();
        if entry.is_directory && (name == "pack" || name == "info" || loose::is_directory_name(&name)) {
            remove_stale_files(&objects.join(&entry.name), TEMPORARY, now)?;
        }
    }
    Ok(())
}

/// Removes files that only save work and are damaged; returns how many there were.
pub fn remove_damaged_shortcuts(git_dir: &Path) -> Result<usize, Error> {
    let format = Format::of(git_dir).map_err(odb::Error::from)?.objects;
    let damaged = shortcut::damaged(&git_dir.join("objects"), format)?;
    for path in &damaged {
        ignore_missing(disk::remove_file(path))?;
    }
    Ok(damaged.len())
}

fn remove_stale_files(directory: &Path, prefix: &str, now: SystemTime) -> Result<(), Error> {
    for entry in entries(directory)? {
        if entry.is_directory || !entry.name.to_string_lossy().starts_with(prefix) {
            continue;
        }
        let path = directory.join(&entry.name);
        let modified = fs::symlink_metadata(&path).and_then(|metadata| metadata.modified());
        if modified.is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age > STALE_AFTER)) {
            ignore_missing(disk::remove_file(&path))?;
        }
    }
    Ok(())
}

/// Removes packs that are to go, unless somebody has marked them to be kept; returns how many went.
pub fn remove_packs(git_dir: &Path, names: &[&String]) -> Result<u64, Error> {
    let directory = git_dir.join("objects/pack");
    let mut going: Vec<&str> = Vec::new();
    for name in names {
        if !disk::exists(&directory.join(name).with_extension("keep"))? {
            going.push(name);
        }
    }
    let names = going;
    if names.is_empty() {
        return Ok(0);
    }
    forget_index_of(git_dir, &names)?;
    durable::replace_file(&directory.join(REMOVING), (names.join("\n") + "\n").as_bytes())?;
    for name in &names {
        for part in PARTS {
            ignore_missing(disk::remove_file(&directory.join(name).with_extension(part)))?;
        }
    }
    ignore_missing(disk::remove_file(&directory.join(REMOVING)))?;
    // Stock git may have written one meanwhile, of what was there when it began.
    forget_index_of(git_dir, &names)?;
    // Others may have it: it says which packs there are, and nobody who speaks to us asks for it.
    ignore_missing(disk::remove_file(&git_dir.join("objects/info/packs")))?;
    Ok(names.len() as u64)
}

/// Removes what is left of packs whose removal was cut short: those whose index is gone.
fn finish_removal(git_dir: &Path) -> Result<(), Error> {
    let directory = git_dir.join("objects/pack");
    let list = match disk::read(&directory.join(REMOVING)) {
        Ok(list) => String::from_utf8_lossy(&list).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let is_name = |name: &&str| name.starts_with("pack-") && name.ends_with(".pack") && !name.contains('/');
    for name in list.lines().filter(is_name) {
        let path = directory.join(name);
        if disk::exists(&path.with_extension("idx"))? || disk::exists(&path.with_extension("keep"))? {
            continue;
        }
        for part in PARTS {
            ignore_missing(disk::remove_file(&path.with_extension(part)))?;
        }
    }
    ignore_missing(disk::remove_file(&directory.join(REMOVING)))?;
    Ok(())
}

/// Removes Git's index over several packs if it names one of these.
fn forget_index_of(git_dir: &Path, packs: &[&str]) -> Result<(), Error> {
    let format = Format::of(git_dir).map_err(odb::Error::from)?.objects;
    let directory = git_dir.join("objects/pack");
    let Some(index) = MultiPackIndex::open(&directory, format) else {
        // What cannot be read here may be read by others.
        return match disk::exists(&directory.join(multi_pack_index::FILE_NAME))? {
            true => remove_multi_pack_index(git_dir),
            false => Ok(()),
        };
    };
    let is_going =
        |name: &String| packs.iter().any(|pack| pack.strip_suffix(".pack") == name.strip_suffix(".idx"));
    match index.packs().iter().any(is_going) {
        true => remove_multi_pack_index(git_dir),
        false => Ok(()),
    }
}

/// Removes Git's index over several packs, which would name some that are going.
pub fn remove_multi_pack_index(git_dir: &Path) -> Result<(), Error> {
    remove_indexes(git_dir, |_| true)
}

/// Removes what lies beside the index over several packs and belongs to one that was there before. What belongs to the
/// one that is there has this name, without its extension.
pub fn remove_what_belongs_to_other_indexes(git_dir: &Path, stem: &str) -> Result<(), Error> {
    let is_of_it = |name: &str| {
        name == multi_pack_index::FILE_NAME || name.rsplit_once('.').is_some_and(|(before, _)| before == stem)
    };
    remove_indexes(git_dir, |name| !is_of_it(name))
}

fn remove_indexes(git_dir: &Path, is_going: impl Fn(&str) -> bool) -> Result<(), Error> {
    let directory = git_dir.join("objects/pack");
    for entry in entries(&directory)? {
        let name = entry.name.to_string_lossy();
        if name.starts_with(multi_pack_index::FILE_NAME) && is_going(&name) {
            let path = directory.join(&entry.name);
            let removed = match entry.is_directory {
                true => disk::remove_dir_all(&path),
                false => disk::remove_file(&path),
            };
            ignore_missing(removed)?;
        }
    }
    Ok(())
}

/// Removes those of these loose objects that are in packs; returns how many went.
pub fn remove_loose(git_dir: &Path, ids: &[ObjectId]) -> Result<u64, Error> {
    let store = Store::open(git_dir)?;
    let mut removed = 0;
    for id in ids {
        // What lies in another repository's pack may go from there.
        if store.locate_packed(id)?.is_some_and(|packed| !store.is_borrowed_pack(packed.pack)) {
            let path = loose::path(store.objects_dir(), id);
            ignore_missing(disk::remove_file(&path))?;
            // The directory of the last one goes with it.
            if let Some(directory) = path.parent() {
                let _ = disk::remove_dir(directory);
            }
            removed += 1;
        }
    }
    Ok(removed)
}

fn entries(directory: &Path) -> io::Result<Vec<Entry>> {
    match listing::list(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries,
    }
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
