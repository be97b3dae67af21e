//! Whether everything that new refs reach is there.
//!
//! The rule is Git's (`git rev-list --objects --stdin --not --all` must find every object): but the
//! links of the incoming objects are collected while they are indexed, so that none of them is read
//! again. What they link to is either in the same pack, or in the repository. There, whatever lies in the
//! pack that has bitmaps is complete, since such a pack lacks nothing that its objects reach. Of the rest,
//! which came since the last maintenance, a commit or tag is complete if a ref reaches it, a tree if it is
//! part of such a commit's tree, and a blob if it exists; what is not so found is walked through to its
//! last object. So a check costs what is new, however long the history is.

use crate::format::ObjectFormat;
use crate::fsck;
use crate::index_pack::{Indexed, Inspect};
use crate::odb::{self, Store};
use crate::refs::{Snapshot, Target};
use crate::walk::{Commit, reach, shallow};
use gix_hash::ObjectId;
use gix_object::Kind;
use std::collections::hash_map::RandomState;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::hash::{BuildHasher, Hasher};
use std::path::Path;

/// A set of ids. They are digests already, and need no more than a secret that nobody can aim at.
pub(crate) type IdSet = HashSet<ObjectId, IdHashing>;

/// Objects to be found in trees, with their kinds.
type InTrees = HashMap<ObjectId, Kind, IdHashing>;

/// Commits may be dated wrongly: a walk goes on for so long before the oldest that it looks for.
const CLOCK_SKEW_SECONDS: i64 = 24 * 60 * 60;

/// What is missing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("object {id} is missing")]
    Missing { id: ObjectId },
    #[error("object {id} is a {actual} where a {expected} has to be")]
    WrongKind { id: ObjectId, actual: Kind, expected: Kind },
    #[error(transparent)]
    Store(#[from] odb::Error),
    #[error("the object {id} is damaged")]
    Damaged { id: ObjectId },
}

/// What objects link to. There may be millions of them, so each takes the bytes of its id and no more.
#[derive(Debug)]
pub struct Links(LinkTable);

#[derive(Debug)]
enum LinkTable {
    Sha1(HashMap<[u8; 20], u8, IdHashing>),
    Sha256(HashMap<[u8; 32], u8, IdHashing>),
}

impl Links {
    /// None yet, between objects of that format.
    pub fn new(object_format: ObjectFormat) -> Self {
        Self(match object_format {
            ObjectFormat::Sha1 => LinkTable::Sha1(HashMap::default()),
            _ => LinkTable::Sha256(HashMap::default()),
        })
    }

    /// Adds one link.
    pub fn add(&mut self, id: &ObjectId, kind: Kind) {
        let kinds = match (&mut self.0, id) {
            (LinkTable::Sha1(table), ObjectId::Sha1(id)) => table.entry(*id).or_default(),
            (LinkTable::Sha256(table), ObjectId::Sha256(id)) => table.entry(*id).or_default(),
            _ => unreachable!("objects link to objects of their own format"),
        };
        *kinds |= bit(kind);
    }

    /// Every link once for each kind that it is expected to be of.
    pub fn iter(&self) -> impl Iterator<Item = (ObjectId, Kind)> {
        let (short, long) = match &self.0 {
            LinkTable::Sha1(table) => (Some(table), None),
            LinkTable::Sha256(table) => (None, Some(table)),
        };
        let short = short.into_iter().flatten().map(|(id, bits)| (ObjectId::Sha1(*id), *bits));
        let long = long.into_iter().flatten().map(|(id, bits)| (ObjectId::Sha256(*id), *bits));
        short.chain(long).flat_map(|(id, bits)| {
            KINDS.into_iter().filter(move |kind| bits & bit(*kind) != 0).map(move |kind| (id, kind))
        })
    }
}

const KINDS: [Kind; 4] = [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag];

/// Checks every incoming object as `git fsck --strict` would, and collects its links.
#[derive(Debug)]
pub struct Incoming {
    object_format: ObjectFormat,
    found: fsck::Findings,
    links: Links,
    /// Blobs to be checked as `.gitmodules` and `.gitattributes`.
    pub gitmodules: HashSet<ObjectId>,
    pub gitattributes: HashSet<ObjectId>,
}

impl Inspect for Incoming {
    fn inspect(&mut self, _: &ObjectId, kind: Kind, data: &[u8]) -> Result<(), String> {
        self.found.clear();
        fsck::check(self.object_format, kind, data, &mut self.found);
        if let Some(message) = self.found.refusal() {
            return Err(message.to_string());
        }
        for (id, kind) in &self.found.links {
            self.links.add(id, *kind);
        }
        self.gitmodules.extend(self.found.gitmodules.drain(..));
        self.gitattributes.extend(self.found.gitattributes.drain(..));
        Ok(())
    }
}

impl Incoming {
    /// For the objects that are pushed to a repository of that format.
    pub fn new(object_format: ObjectFormat) -> Self {
        Self {
            object_format,
            found: fsck::Findings::default(),
            links: Links::new(object_format),
            gitmodules: HashSet::new(),
            gitattributes: HashSet::new(),
        }
    }

    /// What the objects of a pack link to outside of it.
    ///
    /// Fails with [`Error::WrongKind`].
    pub fn outside(&self, indexed: &Indexed) -> Result<Outside, Error> {
        let mut outside = Outside::default();
        for (id, expected) in self.links.iter() {
            match indexed.kind(&id) {
                Some(actual) if actual == expected => {}
                Some(actual) => return Err(Error::WrongKind { id, actual, expected }),
                None => outside.0.push((id, expected)),
            }
        }
        Ok(outside)
    }
}

/// Objects that have to be in the repository already, with their kinds.
#[derive(Debug, Default, Clone)]
pub struct Outside(Vec<(ObjectId, Kind)>);

impl Outside {
    /// Adds what a new ref points to, unless the pack has it.
    ///
    /// Fails with [`Error::Missing`].
    pub fn add_tip(&mut self, id: ObjectId, indexed: &Indexed, store: &Store) -> Result<Kind, Error> {
        if let Some(kind) = indexed.kind(&id) {
            return Ok(kind);
        }
        let kind = kind_of(store, id)?;
        self.0.push((id, kind));
        Ok(kind)
    }

    /// Adds everything of another.
    pub fn append(&mut self, mut other: Outside) {
        self.0.append(&mut other.0);
    }
}

/// Tells whether objects of a repository are there with all that they reach, given that all that
/// its refs reach is. Remembers what it found.
pub struct Connectivity<'a> {
    store: &'a Store,
    refs: &'a Snapshot,
    /// Objects that are there with all that they reach.
    complete: IdSet,
    shallow: IdSet,
    /// The walk from the refs back in time, as far as it went.
    history: Option<History>,
    /// What the present check has walked to.
    visited: IdSet,
    /// Borrowed objects among it that are not known to be reached by a ref.
    unproven: IdSet,
}

#[derive(Default)]
struct History {
    /// Commits to visit, with their dates: the latest first.
    queue: BinaryHeap<(i64, ObjectId)>,
    seen: IdSet,
}

impl<'a> Connectivity<'a> {
    /// For the repository at `git_dir`, whose objects and refs these are.
    ///
    /// Fails if it cannot be told whether its history is whole.
    pub fn new(git_dir: &Path, store: &'a Store, refs: &'a Snapshot) -> Result<Self, Error> {
        Ok(Self {
            store,
            refs,
            complete: tips(refs),
            shallow: shallow::of_repository(git_dir, store.object_format())?,
            history: None,
            visited: IdSet::default(),
            unproven: IdSet::default(),
        })
    }

    /// Checks that each object is there with all that it reaches.
    pub fn check(&mut self, outside: Outside) -> Result<(), Error> {
        self.visited.clear();
        self.unproven.clear();
        // Of blobs only those that are borrowed.
        let mut in_trees = InTrees::default();
        let mut heads = Vec::new();
        for (id, expected) in outside.0 {
            expect(self.store, id, expected)?;
            match expected {
                Kind::Blob if !self.store.is_borrowed(&id)? => {}
                Kind::Tree | Kind::Blob => {
                    in_trees.insert(id, expected);
                }
                Kind::Commit | Kind::Tag => heads.push((id, expected)),
            }
        }
        let commits = heads.iter().filter(|(_, kind)| *kind == Kind::Commit).map(|(id, _)| *id);
        let commits: Vec<_> = commits.collect();
        self.find_reachable(&commits)?;
        self.walk(heads)?;
        self.find_trees(&commits, &mut in_trees)?;
        self.walk(in_trees.into_iter().collect())?;
        self.prove_borrowed()?;
        self.complete.extend(self.visited.drain());
        Ok(())
    }

    /// Checks that the refs reach every borrowed object that was come across: else a push could have them
    /// point to what another repository's readers alone may see.
    ///
    /// Fails with [`Error::Missing`]: whoever pushes is not told what another repository has.
    fn prove_borrowed(&mut self) -> Result<(), Error> {
        let unproven: Vec<ObjectId> = std::mem::take(&mut self.unproven).into_iter().collect();
        let Some(first) = unproven.first() else { return Ok(()) };
        let tips: Vec<ObjectId> = tips(self.refs).into_iter().collect();
        let shallow = self.shallow.iter().copied().collect();
        match reach::all_objects_reached(self.store, &unproven, &tips, shallow)? {
            true => Ok(()),
            false => Err(Error::Missing { id: *first }),
        }
    }

    /// Whether an object is known to be there with all that it reaches.
    fn is_complete(&self, id: &ObjectId) -> Result<bool, Error> {
        Ok(self.complete.contains(id) || self.is_closed_at(id)?)
    }

    /// Adds those of `wanted` that a ref reaches to what is complete, with what lies before them.
    fn find_reachable(&mut self, wanted: &[ObjectId]) -> Result<(), Error> {
        let mut left = IdSet::default();
        for id in wanted {
            if !self.is_complete(id)? {
                left.insert(*id);
            }
        }
        let mut oldest = i64::MAX;
        for id in &left {
            oldest = oldest.min(Commit::read(self.store, id)?.date);
        }
        let mut history = match self.history.take() {
            Some(history) => history,
            None if left.is_empty() => return Ok(()),
            None => self.begin_history()?,
        };
        while !left.is_empty()
            && let Some((seconds, id)) = history.queue.pop()
        {
            if seconds < oldest.saturating_sub(CLOCK_SKEW_SECONDS) {
                history.queue.push((seconds, id));
                break;
            }
            self.complete.insert(id);
            left.remove(&id);
            if self.shallow.contains(&id) {
                continue;
            }
            for parent in self.commit(&id)?.parents {
                if history.seen.insert(parent) && !self.is_closed_at(&parent)? {
                    history.queue.push((self.commit(&parent)?.date, parent));
                }
            }
        }
        self.history = Some(history);
        Ok(())
    }

    /// Whether an object is complete by the pack that it lies in. A shallow repository's packs end where
    /// its history does.
    fn is_closed_at(&self, id: &ObjectId) -> Result<bool, Error> {
        Ok(self.shallow.is_empty() && self.store.is_closed_at(id)?)
    }

    fn commit(&self, id: &ObjectId) -> Result<Commit, Error> {
        Commit::read(self.store, id).map_err(|error| match error {
            odb::Error::Missing(id) => Error::Missing { id },
            odb::Error::WrongKind { id, actual, expected } => Error::WrongKind { id, actual, expected },
            other => other.into(),
        })
    }

    fn begin_history(&self) -> Result<History, Error> {
        let mut history = History::default();
        for id in tips(self.refs) {
            if !self.is_closed_at(&id)? {
                self.enqueue_tip(id, &mut history);
            }
        }
        Ok(history)
    }

    /// Enters the commit that a ref's object stands for. A ref that is broken already reaches nothing.
    fn enqueue_tip(&self, mut id: ObjectId, history: &mut History) {
        while let Ok(object) = self.store.object(&id) {
            match object.kind {
                Kind::Commit => {
                    let date = Commit::parse(&object.data, id.kind()).map_or(0, |commit| commit.date);
                    if history.seen.insert(id) {
                        history.queue.push((date, id));
                    }
                    return;
                }
                Kind::Tag => {
                    let mut found = fsck::Findings::default();
                    fsck::check(id.kind(), Kind::Tag, &object.data, &mut found);
                    match found.links.first() {
                        Some((target, _)) => id = *target,
                        None => return,
                    }
                }
                Kind::Tree | Kind::Blob => return,
            }
        }
    }

    /// Finds `wanted`, trees and blobs, in the trees of complete commits, and removes them there.
    ///
    /// What is found is not descended into: for a push that changed a few files, that leaves the
    /// directories above these.
    fn find_trees(&mut self, commits: &[ObjectId], wanted: &mut InTrees) -> Result<(), Error> {
        let mut queue: Vec<ObjectId> = Vec::new();
        let mut seen = IdSet::default();
        for commit in commits {
            let tree = self.links(*commit, Kind::Commit)?.into_iter().find(|(_, kind)| *kind == Kind::Tree);
            queue.extend(tree.map(|(id, _)| id));
        }
        while let Some(tree) = queue.pop() {
            if wanted.remove(&tree).is_some() {
                self.complete.insert(tree);
            } else if !wanted.is_empty() && seen.insert(tree) {
                for (id, kind) in self.links(tree, Kind::Tree)? {
                    if kind == Kind::Tree {
                        queue.push(id);
                    } else if wanted.remove(&id).is_some() {
                        self.complete.insert(id);
                    }
                }
            }
        }
        Ok(())
    }

    /// Walks to everything that is reached and not known to be complete.
    fn walk(&mut self, mut left: Vec<(ObjectId, Kind)>) -> Result<(), Error> {
        while let Some((id, kind)) = left.pop() {
            if self.is_complete(&id)? || !self.visited.insert(id) {
                continue;
            }
            if self.store.is_borrowed(&id)? {
                self.unproven.insert(id);
            }
            match kind {
                Kind::Blob => expect(self.store, id, kind)?,
                _ => left.extend(self.links(id, kind)?),
            }
        }
        Ok(())
    }

    fn links(&self, id: ObjectId, kind: Kind) -> Result<Vec<(ObjectId, Kind)>, Error> {
        let data = match self.store.object_of(&id, kind) {
            Err(odb::Error::Missing(id)) => return Err(Error::Missing { id }),
            Err(odb::Error::WrongKind { id, actual, expected }) => {
                return Err(Error::WrongKind { id, actual, expected });
            }
            other => other?,
        };
        let mut found = fsck::Findings::default();
        fsck::check(id.kind(), kind, &data, &mut found);
        if self.shallow.contains(&id) {
            found.links.retain(|(_, kind)| *kind != Kind::Commit);
        }
        if kind != Kind::Tree && found.links.is_empty() {
            return Err(Error::Damaged { id });
        }
        Ok(found.links)
    }
}

fn tips(refs: &Snapshot) -> IdSet {
    let ids = refs.refs.iter().flat_map(|entry| {
        let id = match entry.target {
            Target::Id(id) => Some(id),
            Target::Symbolic(_) => None,
        };
        id.into_iter().chain(entry.peeled)
    });
    ids.collect()
}

fn kind_of(store: &Store, id: ObjectId) -> Result<Kind, Error> {
    match store.object_header(&id) {
        Ok((kind, _)) => Ok(kind),
        Err(odb::Error::Missing(id)) => Err(Error::Missing { id }),
        Err(other) => Err(other.into()),
    }
}

pub(crate) fn expect(store: &Store, id: ObjectId, expected: Kind) -> Result<(), Error> {
    match kind_of(store, id)? {
        actual if actual == expected => Ok(()),
        actual => Err(Error::WrongKind { id, actual, expected }),
    }
}

fn bit(kind: Kind) -> u8 {
    match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 4,
        Kind::Tag => 8,
    }
}

#[derive(Debug, Clone)]
pub(crate) struct IdHashing(u64);

impl Default for IdHashing {
    fn default() -> Self {
        Self(RandomState::new().build_hasher().finish())
    }
}

impl BuildHasher for IdHashing {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher(self.0)
    }
}

pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut first = [0; 8];
        let len = bytes.len().min(8);
        first[..len].copy_from_slice(&bytes[..len]);
        self.0 = (self.0 ^ u64::from_le_bytes(first)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }

    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[cfg(test)]
mod tests;
