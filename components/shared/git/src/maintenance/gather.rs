//! Small packs made one as they come, so that a thousand pushes do not leave a thousand packs.
//!
//! A push makes one pack, whatever is in it: that is two files to be synced, where as many loose objects
//! would be a file and often a directory each. When there are [`GATHERED_PACKS`] small packs of a size, they
//! and all smaller ones become one, as in a merge tree: every object is written again once for each size
//! that it grows through, and there are never more small packs than [`SMALL_PACKS_MAX`], beside those few that
//! maintenance left and that bitmaps over several packs are of.

use super::lock::Lock;
use super::{Error, Report, Run, Settings, clean, pack};
use crate::listing;
use crate::odb::Store;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// How many small packs of a size there may be before they become one.
pub const GATHERED_PACKS: usize = 8;
/// A pack of so many bytes is not small. So a push makes no more anew than that many packs hold.
pub const SMALL_BYTES: u64 = 2 * 1024 * 1024;
/// Where the sizes begin: every one but the first is from so many bytes on, times a power of 8.
const FIRST_SIZE_BYTES: u64 = 32 * 1024;
const SIZES: usize = size(SMALL_BYTES - 1) + 1;
/// How many small packs there are at most once a push has ended.
pub const SMALL_PACKS_MAX: usize = SIZES * (GATHERED_PACKS - 1);

/// Which of the sizes a pack is of.
const fn size(bytes: u64) -> usize {
    match bytes / FIRST_SIZE_BYTES {
        0 => 0,
        times => times.ilog2() as usize / 3 + 1,
    }
}

/// Makes small packs one if there are many of a size; returns how many that were. Stock `git` and everybody
/// else may be at work in the repository at `git_dir`.
///
/// Fails with [`Error::Locked`] while maintenance is at work, which does the same and more.
pub fn gather(git_dir: &Path, now: SystemTime) -> Result<u64, Error> {
    if candidates(git_dir)?.len() < GATHERED_PACKS {
        return Ok(0);
    }
    let mut go_on = |_| true;
    let lock = Lock::acquire(git_dir, now)?;
    // Looked at again: another push may have done it meanwhile.
    let names = chosen(&sized(git_dir, candidates(git_dir)?)?);
    if names.is_empty() {
        return Ok(0);
    }
    let settings = &Settings::default();
    let mut run = Run { git_dir, settings, now, on_progress: &mut go_on, lock, report: Report::default() };
    let store = Store::of_packs(git_dir, &names)?;
    let objects = pack::everything_in(&store, &[])?;
    let made = pack::write(&mut run, &store, objects)?.map(|made| made.name());
    let replaced: Vec<&String> = names.iter().filter(|name| Some(*name) != made.as_ref()).collect();
    clean::remove_packs(git_dir, &replaced)
}

/// The packs that nothing else depends on: not kept, without bitmaps, not of what no ref reaches.
fn candidates(git_dir: &Path) -> Result<Vec<String>, Error> {
    let entries = match listing::list(&git_dir.join("objects/pack")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        entries => entries?,
    };
    let names: HashSet<String> =
        entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect();
    let is_candidate = |stem: &&str| {
        let has = |extension: &str| names.contains(&format!("{stem}.{extension}"));
        let is_more = ["keep", "promisor", "mtimes", "bitmap"].into_iter().any(has);
        stem.starts_with("pack-") && has("idx") && !is_more
    };
    let stems = names.iter().filter_map(|name| name.strip_suffix(".pack")).filter(is_candidate);
    Ok(stems.map(|stem| format!("{stem}.pack")).collect())
}

/// Packs that are small, with their lengths in bytes. Those that an index over several packs may name stay.
fn sized(git_dir: &Path, names: Vec<String>) -> Result<Vec<(u64, String)>, Error> {
    let directory = git_dir.join("objects/pack");
    let indexed =
        fs::metadata(directory.join("multi-pack-index")).and_then(|metadata| metadata.modified()).ok();
    let mut sized = Vec::new();
    for name in names {
        let metadata = match fs::metadata(directory.join(&name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        let is_indexed = indexed.is_some_and(|indexed| metadata.modified().is_ok_and(|made| made <= indexed));
        if metadata.len() < SMALL_BYTES && !is_indexed {
            sized.push((metadata.len(), name));
        }
    }
    Ok(sized)
}

/// The packs of the largest size that there are too many of, and all smaller ones; none: of no size there are.
fn chosen(packs: &[(u64, String)]) -> Vec<String> {
    let count_of = |wanted: usize| packs.iter().filter(|(bytes, _)| size(*bytes) == wanted).count();
    let Some(full) = (0..SIZES).rev().find(|wanted| count_of(*wanted) >= GATHERED_PACKS) else {
        return Vec::new();
    };
    packs.iter().filter(|(bytes, _)| size(*bytes) <= full).map(|(_, name)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_are_gathered_by_their_sizes() {
        let kib = 1024;
        let cases: [(&[u64], usize); 7] = [
            (&[], 0),
            (&[500; GATHERED_PACKS - 1], 0),
            (&[500; GATHERED_PACKS], GATHERED_PACKS),
            (&[31 * kib; GATHERED_PACKS], GATHERED_PACKS),
            (&[500, 500, 40 * kib, 40 * kib, 40 * kib, 300 * kib, 300 * kib, 300 * kib], 0),
            (&[[40 * kib; GATHERED_PACKS].as_slice(), &[500, 300 * kib]].concat(), GATHERED_PACKS + 1),
            (&[[300 * kib; GATHERED_PACKS].as_slice(), &[500, 40 * kib]].concat(), GATHERED_PACKS + 2),
        ];
        for (bytes, expected) in cases {
            let packs: Vec<_> = bytes.iter().map(|bytes| (*bytes, bytes.to_string())).collect();
            assert_eq!(chosen(&packs).len(), expected, "{bytes:?}");
        }
        assert_eq!((size(0), size(FIRST_SIZE_BYTES), size(SMALL_BYTES - 1), SIZES), (0, 1, 2, 3));
    }
}
