//! What walks over a history need: how far they go at once, and what they read of commits.

use crate::repository::{Error, Repository};
use gix_hash::{ObjectId, oid};
use std::time::Instant;

/// How far a walk goes at once.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// The most commits whose trees are looked at.
    pub commits_read: usize,
    /// The most commits that are passed by, be it with a look at their filters alone.
    pub commits_passed: usize,
    /// When to stop, whatever is left of the others.
    pub until: Option<Instant>,
}

impl Budget {
    /// Whether a walk that has read and passed so many commits may go on.
    pub fn allows(&self, read: usize, passed: usize) -> bool {
        read < self.commits_read
            && passed < self.commits_passed
            && self.until.is_none_or(|until| Instant::now() < until)
    }

    /// How many commits a walk that has passed so many may pass by before it asks again.
    pub fn stride(&self, passed: usize) -> usize {
        const COMMITS_MAX: usize = 256;
        self.commits_passed.saturating_sub(passed).min(COMMITS_MAX)
    }
}

/// A commit as walks need it.
pub(crate) struct Node {
    pub tree_id: ObjectId,
    pub parent_ids: Vec<ObjectId>,
    /// Of the committer, in seconds since the epoch.
    pub seconds: i64,
}

impl Node {
    /// Looks a commit up in the commit-graph, or else reads it.
    pub fn read(repository: Repository<'_>, id: &oid) -> Result<Self, Error> {
        if let Some(node) = repository.objects.commit_graph().and_then(|graph| graph.get(id)) {
            return Ok(Self { tree_id: node.tree, parent_ids: node.parents, seconds: node.date });
        }
        let commit = repository.commit(id)?;
        let (tree_id, parent_ids) = (commit.tree_id, commit.parent_ids);
        Ok(Self { tree_id, parent_ids, seconds: commit.committer.seconds })
    }

    /// As [`Self::read`]; none if it is missing, as parents are in a shallow repository.
    pub fn find(repository: Repository<'_>, id: &oid) -> Result<Option<Self>, Error> {
        match Self::read(repository, id) {
            Ok(node) => Ok(Some(node)),
            Err(Error::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
