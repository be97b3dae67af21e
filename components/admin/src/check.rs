//! Checking repositories for missing and damaged objects.

use crate::disk::Disk;
use crate::registry::Registry;
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
        .map(|Repository { path, directory, .. }| Ok(check(path, &disk.place(directory)?)))
        .collect();
    Ok(Reply::Checks { checks: checks? })
}

/// Checks the bare repository in a directory.
pub fn check(path: &str, directory: &Path) -> Check {
    let Report { objects, packs, bytes, problems } = check_repository(directory);
    Check { path: path.to_owned(), objects, packs, bytes, problems }
}
