//! Files that only save work: bitmaps, commit-graphs, indexes over several packs, orders of entries.
//!
//! Each ends with a checksum of what comes before it, as Git writes them. One that was damaged since may well
//! make sense, and tell of other objects or commits than there are: so it is compared before it is believed,
//! and one that is not as it was written counts as missing. Of one file this is done once by each process, as
//! long as it does not change; and where it would take longer than a request should, it is left to maintenance,
//! which removes what is damaged, and to `lithe repo check`, which names it.

use crate::checksum::Checksum;
use crate::format::ObjectFormat;
use crate::limits::{SHORTCUT_CHECKED_BYTES_MAX, WINDOW_BYTES};
use crate::listing;
use crate::odb::File;
use gix_hash::ObjectId;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// What a file is known by, whatever its name.
type Key = (ObjectId, u64, SystemTime);

/// Which files were compared, and whether they were intact.
static COMPARED: LazyLock<Mutex<HashMap<Key, bool>>> = LazyLock::new(Mutex::default);
/// Of how many files this is remembered.
const COMPARED_MAX: usize = 1_000;
/// What changed so shortly ago may change once more and keep its time.
const UNSURE_FOR: Duration = Duration::from_secs(2);

/// Opens a file that saves work. None: there is none, or it is damaged, which the log then says.
pub(crate) fn open(path: &Path, format: ObjectFormat) -> Option<Arc<File>> {
    let file = File::open(path).ok()?;
    let is_usable = file.len() > SHORTCUT_CHECKED_BYTES_MAX || is_known_intact(&file, path, format)?;
    is_usable.then(|| Arc::new(file))
}

/// As [`is_intact`], once for as long as the file does not change. None: it cannot be read.
fn is_known_intact(file: &File, path: &Path, format: ObjectFormat) -> Option<bool> {
    let modified = file.modified().ok()?;
    let key = (trailer(file, format).ok()?, file.len(), modified);
    let compared = || COMPARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(is_intact) = compared().get(&key) {
        return Some(*is_intact);
    }
    let is_intact = is_intact(file, format).ok()?;
    if !is_intact {
        eprintln!("{} is damaged: it is passed over until maintenance removes it", path.display());
    }
    if SystemTime::now().duration_since(modified).is_ok_and(|age| age > UNSURE_FOR) {
        let mut compared = compared();
        if compared.len() >= COMPARED_MAX {
            compared.clear();
        }
        compared.insert(key, is_intact);
    }
    Some(is_intact)
}

/// Whether a file ends with the checksum of what is in it.
///
/// Fails if it cannot be read.
pub(crate) fn is_intact(file: &File, format: ObjectFormat) -> io::Result<bool> {
    let said = match trailer(file, format) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        said => said?,
    };
    let end = file.len() - format.len_in_bytes() as u64;
    let mut checksum = Checksum::new(format);
    let mut piece = vec![0; WINDOW_BYTES];
    let mut at = 0;
    while at < end {
        let len = (end - at).min(WINDOW_BYTES as u64) as usize;
        file.read_exact_at(&mut piece[..len], at)?;
        checksum.update(&piece[..len]);
        at += len as u64;
    }
    Ok(said == checksum.finish())
}

/// The checksum that a file says it has.
fn trailer(file: &File, format: ObjectFormat) -> io::Result<ObjectId> {
    let mut said = ObjectId::null(format);
    let begin = file.len().checked_sub(format.len_in_bytes() as u64);
    file.read_exact_at(said.as_mut_slice(), begin.ok_or(io::ErrorKind::UnexpectedEof)?)?;
    Ok(said)
}

/// All such files of a directory of objects that are damaged, whatever their size.
///
/// Fails if a directory cannot be listed; what cannot be read is not known to be damaged.
pub(crate) fn damaged(objects_dir: &Path, format: ObjectFormat) -> io::Result<Vec<PathBuf>> {
    let is_damaged =
        |path: &PathBuf| File::open(path).and_then(|file| is_intact(&file, format)).is_ok_and(|is| !is);
    Ok(all(objects_dir)?.into_iter().filter(is_damaged).collect())
}

/// The same at a glance, of those that are compared before they are used.
pub(crate) fn seen_damaged(objects_dir: &Path, format: ObjectFormat) -> io::Result<Vec<PathBuf>> {
    let is_damaged = |path: &PathBuf| File::open(path).is_ok() && open(path, format).is_none();
    Ok(all(objects_dir)?.into_iter().filter(is_damaged).collect())
}

/// All such files of a directory of objects.
fn all(objects_dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for (directory, is_one) in [
        ("pack", is_beside_packs as fn(&str) -> bool),
        ("info", |name| name == "commit-graph"),
        ("info/commit-graphs", |name| name.starts_with("graph-") && name.ends_with(".graph")),
    ] {
        let directory = objects_dir.join(directory);
        let entries = match listing::list(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        let names = entries.iter().filter(|entry| entry.name.to_str().is_some_and(is_one));
        paths.extend(names.map(|entry| directory.join(&entry.name)));
    }
    paths.sort_unstable();
    Ok(paths)
}

fn is_beside_packs(name: &str) -> bool {
    let is_of_pack = name.starts_with("pack-") || name.starts_with("multi-pack-index-");
    name == crate::odb::multi_pack_index::FILE_NAME
        || is_of_pack && (name.ends_with(".bitmap") || name.ends_with(".rev"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sealed;
    use std::fs;

    const SHA1: ObjectFormat = ObjectFormat::Sha1;

    #[test]
    fn damage_is_seen_before_use_up_to_a_limit_and_by_maintenance_past_it() {
        let place = tempfile::tempdir().expect("a directory");
        let pack_dir = place.path().join("pack");
        fs::create_dir(&pack_dir).expect("made");
        for (past, is_used) in [(0, false), (1, true)] {
            let mut bytes = sealed(&vec![7; SHORTCUT_CHECKED_BYTES_MAX as usize + past], SHA1);
            let path = pack_dir.join(format!("pack-{past}.bitmap"));
            fs::write(&path, &bytes).expect("written");
            assert!(open(&path, SHA1).is_some());
            assert!(damaged(place.path(), SHA1).expect("listed").is_empty());
            bytes[100] ^= 1;
            fs::write(&path, &bytes).expect("written");
            assert_eq!(open(&path, SHA1).is_some(), is_used);
            assert_eq!(seen_damaged(place.path(), SHA1).expect("listed").is_empty(), is_used);
            assert_eq!(damaged(place.path(), SHA1).expect("listed"), [&*path]);
            fs::remove_file(&path).expect("removed");
        }
    }

    #[test]
    fn what_is_remembered_of_a_file_ends_with_its_next_change() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("commit-graph");
        let change = |bytes: &[u8], age: u64| {
            fs::write(&path, bytes).expect("written");
            let time = SystemTime::now() - Duration::from_secs(age);
            fs::File::options()
                .write(true)
                .open(&path)
                .and_then(|file| file.set_modified(time))
                .expect("set");
        };
        let sound = sealed(&[7; 500], SHA1);
        let mut damaged = sound.clone();
        damaged[9] ^= 1;
        // All of one length, and with one checksum at their end.
        for (bytes, age, is_usable) in [
            (&sound, 100, true),
            (&damaged, 90, false),
            (&sound, 80, true),
            (&damaged, 0, false),
            (&sound, 0, true),
        ] {
            change(bytes, age);
            for _ in 0..2 {
                assert_eq!(open(&path, SHA1).is_some(), is_usable);
            }
        }
    }

    #[test]
    fn only_such_files_are_looked_at() {
        let place = tempfile::tempdir().expect("a directory");
        let names = [
            ("pack/pack-1.pack", false),
            ("pack/pack-1.idx", false),
            ("pack/pack-1.mtimes", false),
            ("pack/pack-1.rev", true),
            ("pack/pack-1.bitmap", true),
            ("pack/multi-pack-index", true),
            ("pack/multi-pack-index-1.bitmap", true),
            ("pack/multi-pack-index-1.rev", true),
            ("pack/tmp_1.bitmap", false),
            ("info/commit-graph", true),
            ("info/packs", false),
            ("info/commit-graphs/commit-graph-chain", false),
            ("info/commit-graphs/graph-1.graph", true),
        ];
        for (name, _) in names {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().expect("it is in a directory")).expect("made");
            fs::write(path, "no such file").expect("written");
        }
        let mut expected: Vec<_> =
            names.iter().filter(|(_, is_one)| *is_one).map(|(name, _)| place.path().join(name)).collect();
        expected.sort();
        assert_eq!(damaged(place.path(), SHA1).expect("listed"), expected);
    }
}
