//! Selecting the objects of a fetch.

use super::commit::Commit;
use super::filter::Filter;
use super::paint::{Painted, paint, paint_up_to};
use super::places::Places;
use super::set::{Located, ObjectSet};
use super::tag::Tag;
use super::told::{Had, Told};
use super::tree::Entries;
use crate::odb::{Error, Object, Store};
use gix_hash::ObjectId;
use gix_object::Kind;
use std::collections::{BinaryHeap, HashMap, HashSet};

#[cfg(test)]
mod tests;

/// So few wanted commits are always compared with their parents: bitmaps are not even opened.
const COMPARED_COMMITS_MIN: usize = if cfg!(test) { 4 } else { 64 };
/// So many wanted commits are found at the most before bitmaps are asked.
const PAINTED_COMMITS_MAX: usize = if cfg!(test) { 10 } else { 1_000 };
/// Of so many files it is noted what the client has in their place.
const VERSIONS_MAX: usize = 10_000;
/// So many commits are looked at, if more are wanted than that, to find out by bitmaps what is had.
const UNTOLD_COMMITS_MAX: usize = 10 * PAINTED_COMMITS_MAX;

/// What a fetch asks for.
#[derive(Debug, Default, Clone)]
pub struct Request {
    /// Objects of any kind that must be there.
    pub wants: Vec<ObjectId>,
    /// Objects that the client says it has, with all that they reach; those that are not here are passed over.
    pub haves: Vec<ObjectId>,
    /// Commits whose parents are not to be sent on account of them.
    pub boundary: HashSet<ObjectId>,
    /// Commits whose parents the client has not got.
    pub client_shallow: HashSet<ObjectId>,
    pub filter: Filter,
    /// Tags to be sent if what they stand for is: each with that, as far as it is known.
    pub tags: Vec<(ObjectId, Option<ObjectId>)>,
}

/// The objects of a fetch.
pub struct Selection {
    /// What is to be sent.
    pub send: ObjectSet,
    /// What the client certainly has, as far as that was found out.
    pub had: Had,
    /// Files that are sent, each with what the client has at the same path.
    pub versions: Vec<(Located, ObjectId)>,
}

/// A selection under way: it advances in steps, so that whoever waits can be told.
pub struct Walk {
    request: Request,
    seen: ObjectSet,
    /// What bitmaps tell that the wants reach, beside what was seen.
    told: Option<Told>,
    /// What was seen and is left out by the filter.
    omitted: ObjectSet,
    had: Had,
    /// What the client has in the place of files that were found.
    versions: HashMap<ObjectId, ObjectId>,
    /// Commits that were asked for by their own id.
    asked: HashSet<ObjectId>,
    commits: Commits,
    places: Places,
    trees: Vec<PendingTree>,
    /// Kept only where a filter depends on depth: the least depth that a tree was seen at.
    depths: HashMap<Located, u64>,
}

enum Commits {
    /// Nothing is had: the commits found and not yet looked at, by date.
    All {
        queue: BinaryHeap<(i64, ObjectId, Commit)>,
        /// Whether bitmaps may tell what a commit reaches.
        uses_bitmaps: bool,
    },
    Painted {
        painted: Painted,
        wanted_trees: HashMap<ObjectId, ObjectId>,
        next: usize,
    },
}

struct PendingTree {
    id: ObjectId,
    at: Located,
    /// How deep its entries are.
    entries_depth: u64,
    /// Trees at the same path in the parents: whatever these have there is not looked at again.
    bases: Vec<Base>,
}

/// A tree of a parent commit.
#[derive(Clone, Copy)]
struct Base {
    id: ObjectId,
    /// Whether the client has it; else it is sent too, on account of the parent.
    is_had: bool,
}

/// What the entries of some trees are, by name.
type BaseEntries = HashMap<Vec<u8>, Vec<Base>>;

impl Walk {
    /// Begins a selection. This finds the commits between wants and haves, if there are haves.
    pub fn new(store: &Store, request: Request) -> Result<Self, Error> {
        let mut walk = Self {
            seen: ObjectSet::default(),
            told: None,
            omitted: ObjectSet::default(),
            had: Had::default(),
            versions: HashMap::new(),
            asked: HashSet::new(),
            commits: Commits::All { queue: BinaryHeap::new(), uses_bitmaps: false },
            places: Places::default(),
            trees: Vec::new(),
            depths: HashMap::new(),
            request,
        };
        let haves = walk.note_haves(store)?;
        let wants = walk.note_wants(store)?;
        let is_whole = walk.request.boundary.is_empty()
            && walk.request.filter.is_of_whole_commits()
            && walk.is_unshallowed(store, &wants)?;
        if haves.is_empty() {
            let uses_bitmaps = is_whole && store.bitmaps().is_some();
            walk.select_all(store, wants, uses_bitmaps)?;
            return Ok(walk);
        }
        let Request { boundary, client_shallow, .. } = &walk.request;
        let wanted_max = if is_whole { PAINTED_COMMITS_MAX } else { usize::MAX };
        let painted = paint_up_to(store, &wants, &haves, boundary, client_shallow, wanted_max)?;
        // Whichever way looks at fewer commits.
        let commits_max = painted.as_ref().map_or(UNTOLD_COMMITS_MAX, |painted| painted.wanted.len());
        let had = match is_whole && commits_max > COMPARED_COMMITS_MIN && store.bitmaps().is_some() {
            true => reached_by(store, &haves, client_shallow, commits_max)?,
            false => None,
        };
        if let Some(had) = had {
            walk.select_difference(store, wants, had)?;
            return Ok(walk);
        }
        let painted = match painted {
            Some(painted) => painted,
            None => paint(store, &wants, &haves, boundary, client_shallow)?,
        };
        walk.select_painted(store, painted)?;
        Ok(walk)
    }

    /// Whether the client, if its history is cut, asks for everything behind the cuts.
    fn is_unshallowed(&self, store: &Store, wants: &[ObjectId]) -> Result<bool, Error> {
        for id in &self.request.client_shallow {
            match Commit::read(store, id) {
                Ok(commit) if commit.parents.iter().all(|parent| wants.contains(parent)) => {}
                Ok(_) | Err(Error::Missing(_)) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Begins with these commits, compared with their parents.
    fn select_painted(&mut self, store: &Store, painted: Painted) -> Result<(), Error> {
        for id in painted.had.keys() {
            // The commit-graph may still know what is gone.
            if let Some(at) = Located::find(store, id)? {
                self.had.insert(at);
            }
        }
        let wanted_trees = painted.wanted.iter().map(|(id, commit)| (*id, commit.tree)).collect();
        self.commits = Commits::Painted { painted, wanted_trees, next: 0 };
        Ok(())
    }

    /// Begins with everything that the wants reach, by bitmaps, but for all that is had.
    fn select_difference(&mut self, store: &Store, wants: Vec<ObjectId>, had: Had) -> Result<(), Error> {
        self.had.set.unite(&had.set);
        // What is asked for by its own id is sent, whoever has it.
        self.had.set.subtract(&self.seen);
        self.had.told = had.told;
        self.select_all(store, wants, true)
    }

    /// Begins with everything that the wants reach.
    fn select_all(&mut self, store: &Store, wants: Vec<ObjectId>, uses_bitmaps: bool) -> Result<(), Error> {
        self.commits = Commits::All { queue: BinaryHeap::new(), uses_bitmaps };
        wants.into_iter().try_for_each(|id| self.enqueue(store, id))
    }

    /// How many objects were found so far.
    pub fn len(&self) -> u64 {
        self.seen.len() - self.omitted.len() + self.told.as_ref().map_or(0, Told::len)
    }

    /// Whether nothing was found so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Opens at most `budget` commits and trees; false: there are no more.
    pub fn advance(&mut self, store: &Store, budget: usize) -> Result<bool, Error> {
        // What a bitmap tells need not be looked at: so the commits that lead to one come first.
        let is_commits_turn = matches!(self.commits, Commits::All { uses_bitmaps: true, .. });
        for _ in 0..budget {
            if is_commits_turn && self.next_commit(store)? {
                continue;
            }
            if let Some(tree) = self.trees.pop() {
                self.visit_tree(store, &tree)?;
            } else if is_commits_turn || !self.next_commit(store)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Ends the selection, once `advance` has said that there is no more.
    pub fn finish(mut self, store: &Store) -> Result<Selection, Error> {
        if let Some(told) = self.told.take() {
            told.add_difference_to(store, self.had.told.as_ref(), &mut self.seen)?;
        }
        self.include_tags(store)?;
        for set in [&mut self.seen, &mut self.omitted, &mut self.had.set] {
            set.settle(store)?;
        }
        self.seen.subtract(&self.omitted);
        if matches!(self.commits, Commits::All { .. }) {
            // Bitmaps tell of what is had, too.
            self.seen.subtract(&self.had.set);
        }
        let mut versions = Vec::new();
        for (id, had) in &self.versions {
            let at = Located::find(store, id)?.filter(|at| self.seen.contains(*at));
            versions.extend(at.map(|at| (at, *had)));
        }
        versions.sort_unstable_by_key(|(_, had)| *had);
        Ok(Selection { send: self.seen, had: self.had, versions })
    }

    /// Notes what the haves are; returns the commits among them.
    fn note_haves(&mut self, store: &Store) -> Result<Vec<ObjectId>, Error> {
        let mut commits = Vec::new();
        for id in std::mem::take(&mut self.request.haves) {
            if Located::find(store, &id)?.is_none() {
                continue;
            }
            let (tags, target, kind) = Tag::peel(store, &id)?;
            for id in tags.iter().chain([&target]) {
                self.had.insert(Located::require(store, id)?);
            }
            if kind == Kind::Commit {
                commits.push(target);
            }
        }
        Ok(commits)
    }

    /// Selects the wants themselves and what the tags among them stand for, whatever the filter says;
    /// returns the commits among them.
    fn note_wants(&mut self, store: &Store) -> Result<Vec<ObjectId>, Error> {
        let mut commits = Vec::new();
        for id in std::mem::take(&mut self.request.wants) {
            let (tags, target, kind) = Tag::peel(store, &id)?;
            for tag in &tags {
                let at = Located::require(store, tag)?;
                if !self.had.contains(at)? {
                    self.insert(at, true);
                }
            }
            let at = Located::require(store, &target)?;
            let is_needed = target == id || !self.had.contains(at)?;
            match kind {
                Kind::Commit => {
                    commits.push(target);
                    self.asked.insert(target);
                }
                _ if !is_needed => {}
                Kind::Tree => {
                    self.insert(at, true);
                    // Depths are counted from what is asked for: a tree's entries, or a commit's tree.
                    if self.request.filter.keeps_depth(0) {
                        self.trees.push(PendingTree { id: target, at, entries_depth: 0, bases: Vec::new() });
                    }
                }
                _ => {
                    self.insert(at, true);
                }
            }
        }
        Ok(commits)
    }

    fn insert(&mut self, at: Located, is_kept: bool) -> bool {
        let is_new = self.seen.insert(at);
        if is_new && !is_kept {
            self.omitted.insert(at);
        } else if is_kept {
            self.omitted.remove(at);
        }
        is_new
    }

    /// Whether the filter, its depth aside, keeps an object.
    fn keeps(&self, store: &Store, kind: Kind, at: Located) -> Result<bool, Error> {
        let filter = &self.request.filter;
        if !filter.keeps_kind(kind) {
            return Ok(false);
        }
        match filter.blob_limit {
            Some(0) if kind == Kind::Blob => Ok(false),
            Some(limit) if kind == Kind::Blob => Ok(size(store, at)? < limit),
            _ => Ok(true),
        }
    }

    fn next_commit(&mut self, store: &Store) -> Result<bool, Error> {
        match &mut self.commits {
            Commits::Painted { painted, next, .. } => {
                let Some((id, commit)) = painted.wanted.get(*next) else { return Ok(false) };
                *next += 1;
                let (id, commit) = (*id, commit.clone());
                self.insert_commit(&id, Located::require(store, &id)?);
                let bases = self.parents_trees(&commit);
                self.found_tree(store, commit.tree, 0, bases)?;
            }
            Commits::All { queue, .. } => {
                let Some((_, id, commit)) = queue.pop() else { return Ok(false) };
                if !self.request.boundary.contains(&id) {
                    for parent in &commit.parents {
                        self.enqueue(store, *parent)?;
                    }
                }
                self.found_tree(store, commit.tree, 0, Vec::new())?;
            }
        }
        Ok(true)
    }

    fn enqueue(&mut self, store: &Store, id: ObjectId) -> Result<(), Error> {
        let at = self.places.require(store, &id)?;
        let uses_bitmaps = matches!(self.commits, Commits::All { uses_bitmaps: true, .. });
        if self.is_known(at)? || uses_bitmaps && self.absorb(store, &id, at)? {
            return Ok(());
        }
        let commit = Commit::read(store, &id)?;
        if let Commits::All { queue, .. } = &mut self.commits {
            queue.push((commit.date, id, commit));
        }
        self.insert_commit(&id, at);
        Ok(())
    }

    /// Takes everything that a commit reaches, if a bitmap tells what that is.
    fn absorb(&mut self, store: &Store, id: &ObjectId, at: Located) -> Result<bool, Error> {
        let Some(bitmaps) = store.bitmaps() else { return Ok(false) };
        let Located::Packed(packed) = at else { return Ok(false) };
        let Some(mut reached) = bitmaps.reached(id, packed) else { return Ok(false) };
        if !self.request.filter.is_empty() {
            // The only such filter leaves out all blobs.
            let Some(blobs) = bitmaps.of_kind(Kind::Blob) else { return Ok(false) };
            reached.subtract(&blobs);
        }
        let told = match &mut self.told {
            Some(told) => told,
            none => none.insert(Told::new(bitmaps.numbering())),
        };
        told.unite(&reached);
        Ok(true)
    }

    /// Whether an object was seen, or is told of, or the client has it.
    fn is_known(&self, at: Located) -> Result<bool, Error> {
        Ok(self.seen.contains(at) || self.is_told(at)? || self.had.contains(at)?)
    }

    fn is_told(&self, at: Located) -> Result<bool, Error> {
        self.told.as_ref().map_or(Ok(false), |told| told.contains(at))
    }

    fn insert_commit(&mut self, id: &ObjectId, at: Located) {
        let is_kept = self.request.filter.keeps_kind(Kind::Commit) || self.asked.contains(id);
        self.insert(at, is_kept);
    }

    /// The trees of those parents that the client has, or that are sent as well.
    fn parents_trees(&self, commit: &Commit) -> Vec<Base> {
        let Commits::Painted { painted, wanted_trees, .. } = &self.commits else { return Vec::new() };
        let base = |parent: &ObjectId| match painted.had.get(parent) {
            Some(parent) => Some(Base { id: parent.tree, is_had: true }),
            None => wanted_trees.get(parent).map(|id| Base { id: *id, is_had: false }),
        };
        let mut bases: Vec<Base> = commit.parents.iter().filter_map(base).collect();
        // Such a commit may come before its other parents: what is in them is not sent yet.
        if bases.iter().any(|base| base.is_had) {
            bases.retain(|base| base.is_had);
        }
        bases
    }

    /// A tree was found at a depth: notes it, and that it is to be opened if that can find more.
    fn found_tree(&mut self, store: &Store, id: ObjectId, depth: u64, bases: Vec<Base>) -> Result<(), Error> {
        let at = self.places.require(store, &id)?;
        if bases.iter().any(|base| base.id == id) || self.had.contains(at)? || self.is_told(at)? {
            return Ok(());
        }
        let filter = &self.request.filter;
        let is_kept = filter.keeps_depth(depth) && filter.keeps_kind(Kind::Tree);
        let goes_deeper = filter.keeps_depth(depth + 1) && !filter.is_contradiction;
        let depends_on_depth = filter.tree_depth.is_some();
        let is_new =
            if is_kept { self.insert(at, true) } else { self.seen.contains(at) || self.insert(at, false) };
        let is_nearer = depends_on_depth && self.depths.get(&at).is_none_or(|before| depth < *before);
        if depends_on_depth && is_nearer {
            self.depths.insert(at, depth);
        }
        if goes_deeper && (is_new && !depends_on_depth || is_nearer) {
            self.trees.push(PendingTree { id, at, entries_depth: depth + 1, bases });
        }
        Ok(())
    }

    fn visit_tree(&mut self, store: &Store, tree: &PendingTree) -> Result<(), Error> {
        let base_entries = self.base_entries(store, &tree.bases)?;
        let data = read_tree(store, tree.at, &tree.id)?;
        for entry in Entries::new(&tree.id, &data.data) {
            let entry = entry?;
            if entry.is_gitlink() {
                continue;
            }
            let id = entry.id.to_owned();
            let bases = base_entries.get(entry.name).map_or(&[][..], Vec::as_slice);
            if bases.iter().any(|base| base.id == id) {
                continue;
            }
            if entry.is_tree() {
                self.found_tree(store, id, tree.entries_depth, bases.to_vec())?;
            } else {
                self.note_version(id, bases);
                self.found_blob(store, id, tree.entries_depth)?;
            }
        }
        Ok(())
    }

    /// Notes what the client has in the place of a file: that of a parent that it has, or what it has in the
    /// place of a parent's that is sent.
    fn note_version(&mut self, id: ObjectId, bases: &[Base]) {
        let had = bases.iter().find_map(|base| match base.is_had {
            true => Some(base.id),
            false => self.versions.get(&base.id).copied(),
        });
        if let Some(had) = had.filter(|_| self.versions.len() < VERSIONS_MAX) {
            self.versions.entry(id).or_insert(had);
        }
    }

    fn found_blob(&mut self, store: &Store, id: ObjectId, depth: u64) -> Result<(), Error> {
        let at = self.places.require(store, &id)?;
        let is_seen = self.seen.contains(at);
        if is_seen && self.request.filter.tree_depth.is_none()
            || self.had.contains(at)?
            || self.is_told(at)?
        {
            return Ok(());
        }
        let is_kept = self.request.filter.keeps_depth(depth) && self.keeps(store, Kind::Blob, at)?;
        if is_kept || !is_seen {
            self.insert(at, is_kept);
        }
        Ok(())
    }

    /// Collects the entries of these trees, and notes those that the client has.
    fn base_entries(&mut self, store: &Store, bases: &[Base]) -> Result<BaseEntries, Error> {
        let mut entries = BaseEntries::new();
        for base in bases {
            let at = Located::require(store, &base.id)?;
            let object = match at {
                Located::Packed(packed) => store.packed_object(packed)?,
                Located::Loose(id) => store.object(&id)?,
            };
            // Where the parent has a file, there is nothing below.
            if object.kind != Kind::Tree {
                continue;
            }
            if base.is_had {
                self.had.insert(at);
            }
            for entry in Entries::new(&base.id, &object.data) {
                let entry = entry?;
                let id = entry.id.to_owned();
                if entry.is_gitlink() {
                    continue;
                }
                if base.is_had
                    && let Some(at) = Located::find(store, &id)?
                {
                    self.had.insert(at);
                }
                entries.entry(entry.name.to_vec()).or_default().push(Base { id, is_had: base.is_had });
            }
        }
        Ok(entries)
    }

    fn include_tags(&mut self, store: &Store) -> Result<(), Error> {
        for (tag, target) in std::mem::take(&mut self.request.tags) {
            if let Some(target) = target
                && !self.is_sent(store, &target)?
            {
                continue;
            }
            let (tags, target, _) = match Tag::peel(store, &tag) {
                Ok(peeled) => peeled,
                Err(error @ Error::Io { .. }) => return Err(error),
                // It is missing or damaged, and nobody asked for it.
                Err(_) => continue,
            };
            if !self.is_sent(store, &target)? {
                continue;
            }
            for tag in tags {
                let at = Located::require(store, &tag)?;
                if !self.had.contains(at)? {
                    self.insert(at, true);
                }
            }
        }
        Ok(())
    }

    fn is_sent(&self, store: &Store, id: &ObjectId) -> Result<bool, Error> {
        let at = Located::find(store, id)?;
        Ok(at.is_some_and(|at| self.seen.contains(at) && !self.omitted.contains(at)))
    }
}

/// Everything that some commits reach, but for what lies behind `boundary`. None: some of it is gone, or more
/// than `commits_max` commits would have to be looked at, since no bitmaps tell of them.
fn reached_by(
    store: &Store,
    commits: &[ObjectId],
    boundary: &HashSet<ObjectId>,
    commits_max: usize,
) -> Result<Option<Had>, Error> {
    let reached = || {
        let (wants, boundary) = (commits.to_vec(), boundary.clone());
        let mut walk = Walk::new(store, Request { wants, boundary, ..Request::default() })?;
        let mut commits_left = commits_max;
        while walk.next_commit(store)? {
            if commits_left == 0 {
                return Ok(None);
            }
            commits_left -= 1;
        }
        while walk.advance(store, usize::MAX)? {}
        Ok(Some(Had { set: walk.seen, told: walk.told }))
    };
    match reached() {
        Err(Error::Missing(_)) => Ok(None),
        reached => reached,
    }
}

fn read_tree(store: &Store, at: Located, id: &ObjectId) -> Result<Object, Error> {
    let object = match at {
        Located::Packed(packed) => store.packed_object(packed)?,
        Located::Loose(_) => store.object(id)?,
    };
    if object.kind != Kind::Tree {
        return Err(Error::WrongKind { id: *id, actual: object.kind, expected: Kind::Tree });
    }
    Ok(object)
}

fn size(store: &Store, at: Located) -> Result<u64, Error> {
    match at {
        Located::Packed(packed) => Ok(store.packed_header(packed)?.1),
        Located::Loose(id) => Ok(store.loose(&id)?.size()),
    }
}
