//! From a path to a repository that the requester may use.

use http::HeaderMap;
use lithe_forge::types::{Permission, Repository, RepositoryId};
use lithe_forge::{Requester, opening};
use std::path::{Path, PathBuf};

pub use lithe_forge::opening::Denial;

/// Where the repositories are mounted.
pub const REPOSITORIES_DIR: &str = "/repos";

/// A repository that the requester may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub id: RepositoryId,
    pub git_dir: PathBuf,
    /// Its own path, whichever one was asked for.
    pub path: String,
}

impl Opened {
    /// The repository that the store has told of.
    pub fn of(record: &Repository) -> Result<Self, Denial> {
        let git_dir = directory(Path::new(REPOSITORIES_DIR), &record.directory, &record.path)?;
        Ok(Self { id: record.id, git_dir, path: record.path.clone() })
    }

    /// The address that no rename changes.
    pub fn permanent_path(&self) -> String {
        format!("_{}", self.id)
    }
}

/// Opens the repository at `path` for whoever makes the request.
pub fn open(requester: &Requester, path: &str, needed: Permission) -> Result<Opened, Denial> {
    Opened::of(&opening::open(requester, path, needed)?.repository)
}

/// Opens a repository again once the body of the request has arrived. That may have taken its time,
/// in which the requester may have lost the permission, and the directory may have come to be
/// another repository's.
pub fn reopen(headers: &HeaderMap, opened: &Opened, needed: Permission) -> Result<(), Denial> {
    // The proof of a password that the first call got may be too old by now.
    let requester = Requester::from_headers(headers);
    open(&requester, &opened.permanent_path(), needed).and_then(|now| unmoved(opened, &now))
}

/// What was begun in one directory cannot go on in another.
fn unmoved(opened: &Opened, now: &Opened) -> Result<(), Denial> {
    if now.git_dir == opened.git_dir { Ok(()) } else { Err(Denial::Unavailable) }
}

/// The directory that the store names; while a rename is under way, the one by the path.
fn directory(repositories: &Path, directory: &str, path: &str) -> Result<PathBuf, Denial> {
    let candidates = [repositories.join(directory), repositories.join(format!("{path}.git"))];
    candidates.into_iter().find(|candidate| candidate.is_dir()).ok_or(Denial::MissingOnDisk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_the_named_one_or_the_one_by_the_path() {
        let root = tempfile::tempdir().expect("a directory");
        let create = |name: &str| std::fs::create_dir_all(root.path().join(name)).expect("a directory");
        assert_eq!(directory(root.path(), "a.git", "b"), Err(Denial::MissingOnDisk));
        create("b.git");
        assert_eq!(directory(root.path(), "a.git", "b"), Ok(root.path().join("b.git")));
        create("a.git");
        assert_eq!(directory(root.path(), "a.git", "b"), Ok(root.path().join("a.git")));
    }

    #[test]
    fn a_repository_that_moved_meanwhile_is_not_gone_on_with() {
        let opened = Opened { id: 1, git_dir: "/repos/a.git".into(), path: "a".into() };
        let moved = Opened { git_dir: "/repos/b.git".into(), path: "b".into(), ..opened.clone() };
        assert_eq!(unmoved(&opened, &opened), Ok(()));
        assert_eq!(unmoved(&opened, &moved), Err(Denial::Unavailable));
    }
}
