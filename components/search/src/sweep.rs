//! Bringing the indexes of all repositories up to date, while nobody waits.

use crate::index::history::Histories;
use crate::index::tree::Trees;
use crate::index::update::{Allowance, Source};
use crate::limits::{INDEX_BYTES_MAX, INDEXES_BYTES_MAX, SLICE_TIME_MAX, SWEEP_TIME_MAX};
use crate::searching::Indexes;
use lithe_code::repository::Repository;
use lithe_code::storage;
use lithe_forge::types;
use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use std::{fs, io, thread};

/// For how long after a push an index may have been written before it: both times are in whole seconds.
const SETTLED: Duration = Duration::from_secs(2);

/// How much indexes take when no new one is begun unless somebody looks for something, in bytes.
const FULL_BYTES: u64 = INDEXES_BYTES_MAX - INDEX_BYTES_MAX;

/// Brings up to date what is behind, and removes what is of no repository any more. What is not done when
/// the time is over is for the next sweep.
pub fn sweep(repositories: &[types::Repository], root: &Path, indexes: &Path) {
    let until = Instant::now() + SWEEP_TIME_MAX;
    let bytes = clear_away(repositories, indexes, INDEXES_BYTES_MAX).unwrap_or_else(|error| {
        eprintln!("search: {}: {error}", indexes.display());
        INDEXES_BYTES_MAX
    });
    for record in repositories {
        let own = Indexes::new(indexes.join(record.id.to_string()));
        // Where there is no room left, only what somebody has begun is gone on with: what was removed would
        // come and go.
        if is_up_to_date(&own, record) || (bytes >= FULL_BYTES && own.used().is_none()) {
            continue;
        }
        let Ok(opened) = storage::open(root, record) else { continue };
        let repository = Repository { objects: &opened.objects, refs: &opened.refs };
        let trees = Trees(repository);
        let histories = Histories { repository, until: None };
        for source in [&trees as &dyn Source, &histories] {
            if let Err(error) = bring_up_to_date(&own, repository, source, until) {
                eprintln!("search: {}: {error}", record.path);
            }
        }
        if Instant::now() >= until {
            break;
        }
    }
}

fn bring_up_to_date(
    indexes: &Indexes,
    repository: Repository<'_>,
    source: &dyn Source,
    until: Instant,
) -> Result<(), lithe_code::repository::Error> {
    let mut unknown = usize::MAX;
    loop {
        let begun = Instant::now();
        let allowance = Allowance::in_background(until.min(begun + SLICE_TIME_MAX));
        let index = indexes.updated(repository, source, allowance)?;
        // What does not get on is full.
        if index.state.unknown == 0 || index.state.unknown >= unknown || Instant::now() >= until {
            return Ok(());
        }
        unknown = index.state.unknown;
        thread::sleep(begun.elapsed().min(SLICE_TIME_MAX));
    }
}

/// Whether nothing was pushed since both indexes were written, and they are whole.
fn is_up_to_date(indexes: &Indexes, record: &types::Repository) -> bool {
    let updated = SystemTime::UNIX_EPOCH + Duration::from_secs(record.updated.try_into().unwrap_or_default());
    indexes.directories().iter().all(|directory| {
        directory.written().is_some_and(|(state, written)| state.unknown == 0 && written > updated + SETTLED)
    })
}

/// Removes the indexes of repositories that are gone, and of those in which nothing was looked for for the
/// longest time where all together are too large. Returns how much is left, in bytes.
fn clear_away(repositories: &[types::Repository], indexes: &Path, bytes_max: u64) -> io::Result<u64> {
    let known: HashSet<String> = repositories.iter().map(|record| record.id.to_string()).collect();
    let entries = match fs::read_dir(indexes) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut kept = Vec::new();
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(|name| known.contains(name)) {
            kept.push((Indexes::new(entry.path()).used(), bytes_of(&entry.path())?, entry.path()));
        } else {
            fs::remove_dir_all(entry.path())?;
        }
    }
    kept.sort_by(|(a, ..), (b, ..)| b.cmp(a));
    let mut sum = 0;
    for (_, bytes, path) in kept {
        match sum + bytes > bytes_max {
            true => fs::remove_dir_all(path)?,
            false => sum += bytes,
        }
    }
    Ok(sum)
}

/// How much the files of an index take.
fn bytes_of(directory: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for part in fs::read_dir(directory)?.flatten() {
        for file in fs::read_dir(part.path()).into_iter().flatten().flatten() {
            sum += file.metadata().map_or(0, |metadata| metadata.len());
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u64) -> types::Repository {
        types::Repository {
            id,
            path: format!("r{id}"),
            directory: format!("r{id}.git"),
            description: String::new(),
            is_private: false,
            owner: None,
            created: 0,
            updated: 0,
            deleted: None,
        }
    }

    #[test]
    fn what_nobody_looks_in_goes_first_and_what_is_of_no_repository_at_once() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let names = || {
            let entries = fs::read_dir(directory.path()).expect("it is there").flatten();
            let mut names: Vec<_> =
                entries.map(|entry| entry.file_name().into_string().expect("a number")).collect();
            names.sort();
            names
        };
        assert_eq!(clear_away(&[], &directory.path().join("none"), 0).expect("nothing is there"), 0);
        for id in 1..=4 {
            let files = directory.path().join(format!("{id}/files"));
            fs::create_dir_all(&files).expect("the directory is writable");
            fs::write(files.join("segment"), [0; 100]).expect("the directory is writable");
        }
        // The third was never used, the first last.
        for (id, seconds) in [(2, 100), (1, 200)] {
            let used = directory.path().join(format!("{id}/used"));
            let file = fs::File::create(used).expect("the directory is writable");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).expect("it is a file");
        }
        let records = [1, 2, 3].map(record);
        for (bytes_max, left, expected) in [
            (300, 300, vec!["1", "2", "3"]),
            (299, 200, vec!["1", "2"]),
            (100, 100, vec!["1"]),
            (99, 0, vec![]),
        ] {
            assert_eq!(clear_away(&records, directory.path(), bytes_max).expect("it is writable"), left);
            assert_eq!(names(), expected, "{bytes_max} bytes");
        }
    }
}
