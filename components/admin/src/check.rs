//! Checking repositories for missing and damaged objects.

use crate::disk::Disk;
use crate::registry::Registry;
use crate::repository_health;
use lithe_forge::types::{Error, Repository};
use lithe_git::check::{Report, check_repository};
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
        .map(|repository| check_one(registry, disk, repository))
        .collect();
    Ok(Reply::Checks { checks: checks? })
}

/// Checks a repository with its large files, and enters how many bytes those take up.
fn check_one(registry: &impl Registry, disk: &Disk, repository: &Repository) -> Result<Check, Error> {
    let mut found = check(&repository.path, &disk.place(&repository.directory)?);
    let used = registry.large_file_bytes(repository.id)?;
    let large = lithe_lfs::check(&disk.large_files(repository.id));
    if large.bytes != used {
        match registry.recount_large_files(repository.id, used, large.bytes) {
            // Some came while they were counted.
            Ok(()) | Err(Error::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    found.problems.extend(large.problems);
    Ok(Check { large_files: large.objects, large_file_bytes: large.bytes, ..found })
}

/// Checks the bare repository in a directory.
pub fn check(path: &str, directory: &Path) -> Check {
    let Report { objects, packs, bytes, problems } = check_repository(directory);
    Check {
        path: path.to_owned(),
        objects,
        packs,
        bytes,
        large_files: 0,
        large_file_bytes: 0,
        problems,
        health: repository_health::of(directory),
    }
}
