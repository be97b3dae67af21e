//! Every small file that a repository holds, in whatever version: what stands in the place of large
//! files is among them.

use crate::odb::loose::is_directory_name;
use crate::odb::{self, Packed, Store};
use gix_hash::ObjectId;
use gix_object::Kind;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// How many objects are looked at between two calls of `on_progress`.
const PROGRESS_OBJECTS: u64 = 1_024;

/// Why not every blob was seen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Objects(#[from] odb::Error),
    #[error("the objects cannot be listed: {0}")]
    Io(#[from] io::Error),
    /// Somebody else has packed objects anew: some may have moved from where they were still to be seen
    /// to where nothing was looked at any more.
    #[error("the packs changed meanwhile")]
    Changed,
    #[error("it was stopped")]
    Stopped,
}

/// Calls `visit` with every blob of fewer than `bytes_max` bytes that lies in the repository at
/// `git_dir` or where it borrows from, whether or not anything reaches it, some of them twice.
///
/// `on_progress` hears of progress every so often, in objects of packs, and stops it by false. Fails
/// unless every blob was seen that was there from beginning to end.
pub fn visit(
    git_dir: &Path,
    bytes_max: u64,
    visit: &mut dyn FnMut(&[u8]),
    on_progress: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<(), Error> {
    let store = Store::open(git_dir)?;
    let packs_before = packs(&store)?;
    let total = (0..store.pack_count()).map(|pack| u64::from(store.pack_len(pack))).sum();
    let mut done = 0;
    for pack in 0..store.pack_count() {
        // Its length is the first thing that is read of it, which opens it.
        store.pack_bytes(pack)?;
        for position in 0..store.pack_len(pack) {
            if done % PROGRESS_OBJECTS == 0 && !on_progress(done, total) {
                return Err(Error::Stopped);
            }
            done += 1;
            let packed = Packed { pack, position };
            let (kind, size) = store.packed_header(packed)?;
            if kind == Kind::Blob && size < bytes_max {
                visit(&store.packed_object(packed)?.data);
            }
        }
    }
    loose(&store, bytes_max, visit)?;
    if packs(&store)? != packs_before {
        return Err(Error::Changed);
    }
    Ok(())
}

fn loose(store: &Store, bytes_max: u64, visit: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
    for objects_dir in store.directories() {
        for directory in entries(objects_dir)? {
            let Some(first) = directory.to_str().filter(|name| is_directory_name(name)) else { continue };
            for name in entries(&objects_dir.join(first))? {
                let id = ObjectId::from_hex(format!("{first}{}", name.display()).as_bytes());
                let Ok(id) = id.map_err(drop).and_then(|id| match id.kind() == store.object_format() {
                    true => Ok(id),
                    false => Err(()),
                }) else {
                    continue;
                };
                match store.loose(&id) {
                    Ok(blob) if blob.kind() == Kind::Blob && blob.size() < bytes_max => {
                        visit(&blob.into_bytes(bytes_max)?);
                    }
                    Ok(_) => {}
                    // It is packed by now, which is noticed, or nothing reaches it any more.
                    Err(odb::Error::Missing(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    Ok(())
}

/// The names of all packs.
fn packs(store: &Store) -> Result<BTreeSet<OsString>, Error> {
    let mut packs = BTreeSet::new();
    for objects_dir in store.directories() {
        let names = entries(&objects_dir.join("pack"))?;
        packs.extend(
            names.into_iter().filter(|name| Path::new(name).extension().is_some_and(|end| end == "idx")),
        );
    }
    Ok(packs)
}

/// The names in a directory, which may not be there.
fn entries(directory: &Path) -> io::Result<Vec<OsString>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.file_name())).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn git(directory: &Path, script: &str) {
        let mut command = Command::new("sh");
        command.args(["-euc", script]).current_dir(directory).env("HOME", directory);
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "A").env(format!("GIT_{who}_EMAIL"), "a@example.org");
        }
        assert!(command.status().expect("sh starts").success(), "{script}");
    }

    fn seen(git_dir: &Path, bytes_max: u64) -> Result<Vec<String>, Error> {
        let mut seen = Vec::new();
        visit(
            git_dir,
            bytes_max,
            &mut |data| seen.push(String::from_utf8_lossy(data).trim().to_owned()),
            &mut |_, _| true,
        )?;
        seen.sort();
        seen.dedup();
        Ok(seen)
    }

    #[test]
    fn small_blobs_are_seen_wherever_they_lie() {
        let place = tempfile::tempdir().expect("a temporary directory");
        git(
            place.path(),
            "git init -q -b main lender && cd lender && echo lent > a && git add . && git commit -qm 1
             cd .. && git clone -q --shared lender work && cd work
             echo packed > b && seq 400 > large && git add . && git commit -qm 2 && git repack -qdl
             echo gone > c && git add . && git commit -qm 3 && git reset -q --hard HEAD~1 && echo loose | git hash-object -w --stdin > /dev/null",
        );
        let git_dir = place.path().join("work/.git");
        assert_eq!(seen(&git_dir, 1_000).expect("readable"), ["gone", "lent", "loose", "packed"]);
        assert_eq!(seen(&git_dir, 6).expect("readable"), ["gone", "lent"], "the limit itself is past it");
        let stopped = visit(&git_dir, 1_000, &mut |_| {}, &mut |_, _| false);
        assert!(matches!(stopped, Err(Error::Stopped)));
    }

    #[test]
    fn packs_that_change_meanwhile_are_noticed() {
        let place = tempfile::tempdir().expect("a temporary directory");
        git(
            place.path(),
            "git init -q -b main . && echo a > a && git add . && git commit -qm 1 && git repack -qad",
        );
        let git_dir = place.path().join(".git");
        let mut is_first = true;
        let outcome = visit(
            &git_dir,
            1_000,
            &mut |_| {
                if std::mem::take(&mut is_first) {
                    git(place.path(), "echo b > b && git add . && git commit -qm 2 && git repack -qd");
                }
            },
            &mut |_, _| true,
        );
        assert!(matches!(outcome, Err(Error::Changed)), "{outcome:?}");
        assert_eq!(seen(&git_dir, 1_000).expect("readable"), ["a", "b"]);
    }
}
