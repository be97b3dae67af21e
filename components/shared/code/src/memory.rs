//! What was found out about a repository, kept for as long as it stays open and as it is.
//!
//! All of it follows from what lies on disk, whoever asks.

use crate::containing::Found;
use crate::limits::{CONTAINING_KEPT_MAX, DISTANCES_KEPT_MAX, HEADERS_KEPT_MAX};
use crate::relation::Distance;
use crate::tips::Tips;
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use lru::LruCache;
use std::cell::{OnceCell, RefCell};
use std::num::NonZero;
use std::sync::Arc;

/// What is kept of one repository.
pub struct Memory {
    /// By the two commits.
    distances: RefCell<LruCache<(ObjectId, ObjectId), Distance>>,
    headers: RefCell<LruCache<ObjectId, (Kind, u64)>>,
    /// Where among all tags those of the highest versions are.
    tags: OnceCell<Vec<usize>>,
    /// To which commits the branches and tags lead.
    tips: OnceCell<Arc<Tips>>,
    /// What contains commits, and which were made from them, by commit.
    found: RefCell<LruCache<ObjectId, Arc<Found>>>,
}

impl Default for Memory {
    fn default() -> Self {
        let room = |count| NonZero::new(count).expect("limits are not 0");
        Self {
            distances: RefCell::new(LruCache::new(room(DISTANCES_KEPT_MAX))),
            headers: RefCell::new(LruCache::new(room(HEADERS_KEPT_MAX))),
            tags: OnceCell::new(),
            tips: OnceCell::new(),
            found: RefCell::new(LruCache::new(room(CONTAINING_KEPT_MAX))),
        }
    }
}

impl Memory {
    /// How far `head` is from `base`, if that was found.
    pub fn distance(&self, base: ObjectId, head: ObjectId) -> Option<Distance> {
        self.distances.borrow_mut().get(&(base, head)).copied()
    }

    /// Keeps how far `head` is from `base`.
    pub fn keep_distance(&self, base: ObjectId, head: ObjectId, distance: Distance) {
        self.distances.borrow_mut().put((base, head), distance);
    }

    /// The kind and size of an object, if they were found.
    pub fn header(&self, id: &oid) -> Option<(Kind, u64)> {
        self.headers.borrow_mut().get(&id.to_owned()).copied()
    }

    /// Keeps the kind and size of an object.
    pub fn keep_header(&self, id: &oid, header: (Kind, u64)) {
        self.headers.borrow_mut().put(id.to_owned(), header);
    }

    /// Where among all tags those of the highest versions are, which `sort` finds out once.
    pub fn tags(&self, sort: impl FnOnce() -> Vec<usize>) -> &[usize] {
        self.tags.get_or_init(sort)
    }

    /// To which commits the branches and tags lead, which `find` finds out once.
    pub fn tips(&self, find: impl FnOnce() -> Tips) -> Arc<Tips> {
        Arc::clone(self.tips.get_or_init(|| Arc::new(find())))
    }

    /// What contains a commit, if all of that was found.
    pub fn found(&self, commit_id: ObjectId) -> Option<Arc<Found>> {
        self.found.borrow_mut().get(&commit_id).cloned()
    }

    /// Keeps what contains a commit.
    pub fn keep_found(&self, commit_id: ObjectId, found: Arc<Found>) {
        self.found.borrow_mut().put(commit_id, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> ObjectId {
        let mut id = ObjectId::null(gix_hash::Kind::Sha1);
        id.as_mut_slice()[..8].copy_from_slice(&number.to_be_bytes());
        id
    }

    #[test]
    fn so_much_is_kept_and_what_was_asked_for_longest_ago_goes() {
        let memory = Memory::default();
        let distance = |ahead| Distance { ahead, behind: 0 };
        for number in 0..DISTANCES_KEPT_MAX {
            memory.keep_distance(id(0), id(number), distance(number));
        }
        assert_eq!(memory.distance(id(0), id(0)), Some(distance(0)));
        memory.keep_distance(id(1), id(1), distance(1));
        assert_eq!(memory.distance(id(0), id(0)), Some(distance(0)), "it was just asked for");
        assert_eq!(memory.distance(id(0), id(1)), None);
        assert_eq!(memory.distance(id(2), id(0)), None, "the other way round is something else");

        for number in 0..=HEADERS_KEPT_MAX {
            memory.keep_header(&id(number), (Kind::Blob, number as u64));
        }
        assert_eq!(memory.header(&id(0)), None);
        assert_eq!(memory.header(&id(1)), Some((Kind::Blob, 1)));
    }

    #[test]
    fn tags_are_sorted_once() {
        let memory = Memory::default();
        assert_eq!(memory.tags(|| vec![1, 0]), [1, 0]);
        assert_eq!(memory.tags(|| unreachable!("they are sorted")), [1, 0]);
    }
}
