//! Whoever has the last word on a push.

use super::request::Command;
use bstr::BString;
use lithe_git::refs::Snapshot;
use std::path::Path;

/// Judges pushes that are sound and complete, before anything of them is visible.
pub trait Judge {
    /// Tells what speaks against a push. It is asked once for each push that would change something.
    fn judge(&mut self, proposal: &Proposal) -> Judgement;
}

/// What a push would do.
pub struct Proposal<'a> {
    /// The repository, in which nothing has changed yet.
    pub git_dir: &'a Path,
    pub refs: &'a Snapshot,
    /// What would be done to refs; at least one.
    pub commands: Vec<&'a Command>,
    /// None if nothing was sent.
    pub arrived: Option<Arrived<'a>>,
    pub options: &'a [BString],
}

/// The objects of a push.
pub struct Arrived<'a> {
    /// The object directory that they lie in.
    pub objects_dir: &'a Path,
    pub pack_bytes: u64,
    pub object_count: usize,
}

/// What speaks against a push. By default nothing does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Why nothing may be changed, in words for the client.
    pub refusal: Option<String>,
    /// Which of the commands may not be carried out, by their places in [`Proposal::commands`], and why.
    pub refused: Vec<(usize, String)>,
    /// Lines for the client's terminal.
    pub messages: Vec<String>,
}

impl Judgement {
    /// Refuses everything, for this reason.
    pub fn refusal(reason: impl Into<String>) -> Self {
        Self { refusal: Some(reason.into()), ..Self::default() }
    }
}

/// Has nothing against any push.
impl Judge for () {
    fn judge(&mut self, _: &Proposal) -> Judgement {
        Judgement::default()
    }
}
