//! Bringing the indexes of all repositories up to date, while nobody waits.

use crate::index::history::Histories;
use crate::index::tree::Trees;
use crate::index::update::{Allowance, Source};
use crate::limits::{INDEXES_BYTES_MAX, SLICE_TIME_MAX, SWEEP_TIME_MAX};
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

/// Brings up to date what is behind, and removes what is of no repository any more. What is not done when
/// the time is over is for the next sweep.
pub fn sweep(repositories: &[types::Repository], root: &Path, indexes: &Path) {
    let until = Instant::now() + SWEEP_TIME_MAX;
    if let Err(error) = clear_away(repositories, indexes) {
        eprintln!("search: {}: {error}", indexes.display());
    }
    for record in repositories {
        let own = Indexes::new(indexes.join(record.id.to_string()));
        if is_up_to_date(&own, record) {
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

/// Removes the indexes of repositories that are gone, and of those that were not brought up to date for the
/// longest time where all together are too large.
fn clear_away(repositories: &[types::Repository], indexes: &Path) -> io::Result<()> {
    let known: HashSet<String> = repositories.iter().map(|record| record.id.to_string()).collect();
    let entries = match fs::read_dir(indexes) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let mut kept = Vec::new();
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(|name| known.contains(name)) {
            let written = Indexes::new(entry.path()).directories();
            let written =
                written.iter().filter_map(|directory| directory.written().map(|(_, written)| written)).max();
            kept.push((written, bytes_of(&entry.path())?, entry.path()));
        } else {
            fs::remove_dir_all(entry.path())?;
        }
    }
    kept.sort_by(|(a, ..), (b, ..)| b.cmp(a));
    let mut sum = 0;
    for (_, bytes, path) in kept {
        sum += bytes;
        if sum > INDEXES_BYTES_MAX {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
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
