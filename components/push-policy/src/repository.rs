//! What there is to be read of a push.

use crate::Error;
use crate::bindings::exports::lithe::policy::push_policy::{Push, Update};
use gix_hash::ObjectId;
use lithe_git::proposed::{self, Objects};
use lithe_git::refs::{Head, RefStore, Snapshot};
use std::collections::HashSet;
use std::path::Path;

/// A repository, as it is, with the objects of the push.
pub struct Opened {
    pub objects: Objects,
    pub refs: Snapshot,
}

impl Opened {
    pub fn open(repositories_dir: &Path, push: &Push) -> Result<Self, Error> {
        let git_dir = repositories_dir.join(&push.repository.directory);
        let quarantine = push.arrived.as_ref().map(|arrived| repositories_dir.join(&arrived.directory));
        Ok(Self {
            objects: Objects::open(&git_dir, quarantine)?,
            refs: RefStore::open(&git_dir)?.snapshot()?,
        })
    }

    /// The commits that come to the repository with the push, the oldest first.
    pub fn new_commits(&self, push: &Push) -> Result<Vec<ObjectId>, Error> {
        let tips = push.updates.iter().filter_map(new_id).collect::<Result<Vec<_>, _>>()?;
        self.in_order(self.objects.new_commits(&tips, &proposed::tips(&self.refs))?)
    }

    /// The commits that `tip` reaches and `known` do not, the oldest first.
    pub fn commits_between(&self, known: &HashSet<ObjectId>, tip: ObjectId) -> Result<Vec<ObjectId>, Error> {
        self.in_order(self.objects.new_commits(&[tip], known)?)
    }

    /// What the default branch points to.
    pub fn default_branch(&self) -> Option<ObjectId> {
        match &self.refs.head {
            Head::Symbolic(_) => self.refs.head_id().ok().flatten(),
            _ => None,
        }
    }

    fn in_order(&self, ids: Vec<ObjectId>) -> Result<Vec<ObjectId>, Error> {
        let dated = ids.into_iter().map(|id| Ok((self.objects.commit(&id)?.date, id)));
        let mut dated = dated.collect::<Result<Vec<_>, Error>>()?;
        dated.sort_unstable();
        Ok(dated.into_iter().map(|(_, id)| id).collect())
    }
}

/// What a ref is to point to; none if it goes.
pub fn new_id(update: &Update) -> Option<Result<ObjectId, Error>> {
    update.new.as_deref().map(parse_id)
}

pub fn parse_id(id: &str) -> Result<ObjectId, Error> {
    ObjectId::from_hex(id.as_bytes()).map_err(|_| Error::Id)
}
