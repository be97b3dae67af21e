//! The server's side of `git push` over HTTP (gitprotocol-http, "Smart Service git-receive-pack";
//! gitprotocol-pack, "Pushing Data To a Server").
//!
//! [`advertise`] answers `GET …/info/refs?service=git-receive-pack`; [`receive`] takes the body of
//! `POST …/git-receive-pack` as it arrives. It makes of it a [`Push`], which knows nothing of HTTP;
//! [`Push::finish`] carries it out. The order in which a push becomes permanent is that of
//! [`lithe_git::quarantine`]. Hooks are never run.

mod advertise;
mod commands;
mod judge;
pub mod limits;
mod push;
mod report;
pub mod request;

#[cfg(test)]
mod tests;

use bstr::{BStr, BString, ByteSlice as _};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use gix_hash::ObjectId;
use lithe_git::index_pack;
use lithe_git::refs::{self, Hidden, Reflog};
use std::path::Path;

pub use advertise::advertise;
pub use judge::{Arrived, Judge, Judgement, Proposal};
pub use push::Push;
pub use report::Report;

/// Names below these are not shown to whoever pushes, and not changed by a push, whatever the config says.
pub const HIDDEN_PREFIXES: &[&str] = &["refs/lithe/"];

/// Whether a ref is not shown to whoever pushes, and not changed by a push.
fn is_hidden(hidden: &Hidden, name: &BStr) -> bool {
    hidden.hides(name) || HIDDEN_PREFIXES.iter().any(|prefix| name.starts_with_str(prefix))
}

/// What a push may do, and how it is written down.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    pub limits: index_pack::Limits,
    /// What is entered in the reflogs of a repository that has some.
    pub reflog: Option<Reflog>,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The body of the answer, `application/x-git-receive-pack-result`, status 200.
    pub body: Vec<u8>,
    /// What the body says.
    pub report: Report,
    /// The refs that were changed, and only those.
    pub changes: Vec<Change>,
    /// Why objects were refused, for the log.
    pub refusal: Option<String>,
}

/// A ref that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub name: BString,
    pub old: Option<ObjectId>,
    pub new: Option<ObjectId>,
}

/// Why there is no [`Outcome`]. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client's fault: status 400.
    #[error(transparent)]
    Request(#[from] request::Error),
    /// The repository's: status 500.
    #[error(transparent)]
    Refs(#[from] refs::Error),
}

/// Takes the body of a push to the bare repository at `git_dir`, no longer compressed. Nothing of
/// the repository is changed before [`Push::finish`], which is for callers who may write by then.
///
/// A body that breaks off is taken for one that ends too soon.
pub async fn receive<'a, E>(
    git_dir: &Path,
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    policy: &'a Policy,
) -> Result<Push<'a>, Error> {
    let mut push = Push::new(git_dir, policy)?;
    while let Some(Ok(bytes)) = body.next().await {
        push.write(&bytes)?;
        if push.has_enough() {
            break;
        }
    }
    Ok(push)
}
