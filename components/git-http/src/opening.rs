//! From a path to a repository that the requester may use.

use http::HeaderMap;
use lithe_forge::types::{Error, Permission, RepositoryId};
use lithe_forge::{Requester, access};
use std::path::{Path, PathBuf};

/// Where the repositories are mounted.
const REPOSITORIES_DIR: &str = "/repos";

/// A repository that the requester may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub id: RepositoryId,
    pub git_dir: PathBuf,
    /// Its own path, whichever one was asked for.
    pub path: String,
}

/// Why the requester may not use a repository, or cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// There is nothing, or nothing without credentials, or they are wrong: all alike.
    Unauthenticated,
    NotFound,
    /// It may be read and not written.
    ReadOnly,
    /// Too many tries; the seconds to wait.
    Throttled(u32),
    /// It is known and its directory is not there.
    MissingOnDisk,
    /// The store cannot answer.
    Unavailable,
}

/// Opens the repository at `path` for whoever makes the request.
pub fn open(requester: &Requester, path: &str, needed: Permission) -> Result<Opened, Denial> {
    let opened = requester.call(|credentials, client| access::open(credentials, client, path));
    let opened = opened.map_err(|error| denial(error, requester.is_anonymous()))?;
    let repository = match opened.place {
        access::Place::Repository(repository) => repository,
        access::Place::Group(_) => return Err(denial(Error::NotFound, requester.is_anonymous())),
    };
    let permission = opened.permission.min(opened.viewer.ceiling);
    if permission < Permission::Read {
        return Err(denial(Error::NotFound, requester.is_anonymous()));
    }
    if permission < needed {
        return Err(if requester.is_anonymous() { Denial::Unauthenticated } else { Denial::ReadOnly });
    }
    let git_dir = directory(Path::new(REPOSITORIES_DIR), &repository.directory, &repository.path)?;
    Ok(Opened { id: repository.id, git_dir, path: repository.path })
}

/// Opens a repository again once the body of the request has arrived. That may have taken its time,
/// in which the requester may have lost the permission, and the directory may have come to be
/// another repository's.
pub fn reopen(headers: &HeaderMap, opened: &Opened, needed: Permission) -> Result<(), Denial> {
    // The proof of a password that the first call got may be too old by now.
    let requester = Requester::from_headers(headers);
    open(&requester, &format!("_{}", opened.id), needed).and_then(|now| unmoved(opened, &now))
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

/// Whoever brings no credentials is asked for them, whether there is something or not.
fn denial(error: Error, is_anonymous: bool) -> Denial {
    match error {
        Error::NotFound | Error::Unauthenticated if is_anonymous => Denial::Unauthenticated,
        Error::Unauthenticated | Error::ProofRequired(_) => Denial::Unauthenticated,
        Error::NotFound | Error::Invalid(_) => Denial::NotFound,
        Error::Forbidden(_) => Denial::ReadOnly,
        Error::Throttled(seconds) => Denial::Throttled(seconds),
        Error::Conflict(_) | Error::Other(_) => Denial::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_cannot_tell_private_from_missing() {
        let cases = [
            (Error::NotFound, true, Denial::Unauthenticated),
            (Error::Unauthenticated, true, Denial::Unauthenticated),
            (Error::Unauthenticated, false, Denial::Unauthenticated),
            (Error::NotFound, false, Denial::NotFound),
            (Error::Throttled(7), true, Denial::Throttled(7)),
            (Error::Other("disk full".into()), false, Denial::Unavailable),
        ];
        for (error, is_anonymous, expected) in cases {
            assert_eq!(denial(error.clone(), is_anonymous), expected, "{error:?} {is_anonymous}");
        }
    }

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
