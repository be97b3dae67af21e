//! Checking repositories for missing and damaged objects.

use crate::disk::Disk;
use crate::registry::Registry;
use lithe_forge::types::{Error, Repository};
use lithe_git::odb::Store;
use lithe_git::refs::{RefStore, Target};
use lithe_operator::{Check, Reply};
use std::path::Path;

/// Checks the repository at `path`, or every one that is not deleted.
pub fn run(registry: &impl Registry, disk: &Disk, path: Option<&str>) -> Result<Reply, Error> {
    let repositories = match path {
        Some(path) => vec![registry.open(path)?],
        None => registry.all()?,
    };
    let checks: Result<Vec<Check>, Error> = repositories
        .iter()
        .filter(|repository| repository.deleted.is_none())
        .map(|Repository { path, directory, .. }| Ok(check(path, &disk.place(directory)?)))
        .collect();
    Ok(Reply::Checks { checks: checks? })
}

/// Checks the bare repository in a directory.
pub fn check(path: &str, directory: &Path) -> Check {
    let mut check = Check { path: path.to_owned(), objects: 0, packs: 0, bytes: 0, problems: Vec::new() };
    match look_through(directory, &mut check) {
        Ok(()) => {}
        Err(problem) => check.problems.push(problem),
    }
    check
}

fn look_through(directory: &Path, check: &mut Check) -> Result<(), String> {
    let store = Store::open(directory).map_err(|error| error.to_string())?;
    let refs = RefStore::open(directory).map_err(|error| error.to_string())?;
    let snapshot = refs.snapshot().map_err(|error| error.to_string())?;
    check.packs = u64::from(store.pack_count());
    check.objects = (0..store.pack_count()).map(|pack| u64::from(store.pack_len(pack))).sum();
    for name in &snapshot.broken {
        check.problems.push(format!("{name}: the ref is damaged"));
    }
    for entry in &snapshot.refs {
        if let Target::Id(id) = &entry.target
            && let Err(error) = store.object_header(id)
        {
            check.problems.push(format!("{}: {error}", entry.name));
        }
    }
    Ok(())
}
