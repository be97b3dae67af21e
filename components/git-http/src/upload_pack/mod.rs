//! upload-pack: what a clone or fetch talks to (gitprotocol-v2, gitprotocol-pack).
//!
//! Plain functions of a repository directory and the bytes of a request; HTTP is left to the callers.

mod body;
mod bundle;
mod bundle_uri;
mod error;
mod ls_refs;
mod making;
mod object_info;
mod remembered;
mod repository;
mod request;
mod select;
mod turn;
mod v0;
mod v2;

#[cfg(test)]
mod tests;

pub use body::PackBody;
pub use bundle::{Bundle, NoBundle};
pub use error::Error;
pub(crate) use error::objects_message;
pub use repository::{Advertised, Repository};

use lithe_git::{odb, pkt_line};
use std::path::Path;

/// The versions of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V0,
    V1,
    V2,
}

/// The answer to a request.
pub enum Reply {
    Bytes(Vec<u8>),
    Pack(Box<PackBody>),
}

impl Version {
    /// Reads the header `Git-Protocol`: the highest version named in it, as Git does.
    pub fn from_header(value: &str) -> Self {
        let versions = value.split(':').filter_map(|item| item.strip_prefix("version="));
        versions.fold(Self::V0, |best, version| match (version, best) {
            ("2", _) => Self::V2,
            ("1", Self::V0) => Self::V1,
            _ => best,
        })
    }
}

/// What `GET …/info/refs?service=git-upload-pack` is answered with.
pub fn advertise(git_dir: &Path, version: Version) -> Vec<u8> {
    let advertised = about(git_dir, |repository| match version {
        Version::V2 => v2::capabilities(&repository),
        version => v0::advertise(&repository, version),
    });
    advertised.unwrap_or_else(|error| err_line(&error))
}

/// What `POST …/git-upload-pack` is answered with. In `cache_dir` it remembers what the last large
/// clone of each repository consisted of; that directory may be missing or emptied at any time.
pub fn serve(git_dir: &Path, cache_dir: &Path, version: Version, request: &[u8]) -> Reply {
    let reply = about(git_dir, |repository| match version {
        Version::V2 => v2::serve(repository, cache_dir, request),
        _ => v0::serve(repository, cache_dir, request),
    });
    reply.unwrap_or_else(|error| Reply::Bytes(err_line(&error)))
}

/// Answers something about the repository at `git_dir`. If its objects cannot be read, that may be on account of a
/// shortcut that tells of what is not there: so it is tried once more without any.
fn about<T>(git_dir: &Path, answer: impl Fn(Repository) -> Result<T, Error>) -> Result<T, Error> {
    match Repository::open(git_dir).and_then(&answer) {
        Err(Error::Objects(error)) => {
            log_second_try(git_dir, &error);
            Repository::open(git_dir).and_then(|repository| answer(repository.without_shortcuts()))
        }
        outcome => outcome,
    }
}

fn log_second_try(git_dir: &Path, error: &odb::Error) {
    eprintln!("{}: {error}; tried once more without bitmaps and the like", git_dir.display());
}

/// An error in the protocol's own form.
fn err_line(error: &Error) -> Vec<u8> {
    let mut out = Vec::new();
    pkt_line::write_text(&mut out, format_args!("ERR {}\n", error.message()));
    out
}

/// How this server names itself.
fn agent() -> String {
    format!("agent=lithe/{}", env!("CARGO_PKG_VERSION"))
}
