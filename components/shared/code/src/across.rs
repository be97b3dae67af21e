//! Two repositories read as one, to compare what is in one with what is in the other.
//!
//! Objects are called by their contents, so that it is the same whichever of the two one comes from. What may
//! be seen is not decided here: who compares may read both, and each end was looked up in its own repository.

use crate::repository::{Error, Objects};
use gix_hash::{ObjectId, Prefix, oid};
use gix_object::Kind;
use lithe_git::commit_graph::CommitGraph;
use lithe_git::format::ObjectFormat;
use lithe_git::odb::{Object, Reader};
use lithe_git::refs::Snapshot;

/// The objects of a repository, and those that only another has.
pub struct Across<'a> {
    pub base: &'a dyn Objects,
    pub head: &'a dyn Objects,
}

impl Objects for Across<'_> {
    fn header(&self, id: &oid) -> Result<Option<(Kind, u64)>, Error> {
        match self.base.header(id)? {
            Some(header) => Ok(Some(header)),
            None => self.head.header(id),
        }
    }

    fn object(&self, id: &oid) -> Result<Option<Object>, Error> {
        match self.base.object(id)? {
            Some(object) => Ok(Some(object)),
            None => self.head.object(id),
        }
    }

    fn reader(&self, id: &oid, made_bytes_max: u64) -> Result<Option<Reader>, Error> {
        match self.base.reader(id, made_bytes_max)? {
            Some(reader) => Ok(Some(reader)),
            None => self.head.reader(id, made_bytes_max),
        }
    }

    /// Whether the base may show it: the refs are its.
    fn may_show(&self, commit_id: &oid, refs: &Snapshot) -> Result<bool, Error> {
        Ok(self.base.header(commit_id)?.is_some() && self.base.may_show(commit_id, refs)?)
    }

    /// That of the base: as it knows all that its commits reach, those that it lacks come before.
    fn commit_graph(&self) -> Option<&CommitGraph> {
        self.base.commit_graph()
    }

    fn format(&self) -> ObjectFormat {
        self.base.format()
    }

    fn with_prefix(&self, prefix: &Prefix) -> Result<Vec<ObjectId>, Error> {
        self.base.with_prefix(prefix)
    }
}
