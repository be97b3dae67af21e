//! Walking over commits, the latest first, a page at a time.
//!
//! A page ends with a cursor: the open ends of the walk, from which the next page goes on. So a
//! page costs what it shows, however far back it is, and stays what it is when the branch moves.

use crate::limits::{COMMITS_PASSED_MAX, COMMITS_PER_PAGE, COMMITS_READ_MAX, CURSOR_IDS_MAX};
use bstr::BStr;
use gix_hash::ObjectId;
use gix_object::tree::EntryKind;
use lithe_code::repository::{Commit, Error, Repository};
use lithe_git::commit_graph::PathKeys;
use lithe_git::format::ObjectFormat;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::fmt;

/// Where a page of a history begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The open ends, not yet shown.
    pub ids: Vec<ObjectId>,
    /// How many commits from there were shown already.
    pub skip: usize,
}

impl Cursor {
    /// The beginning of the history that ends in `id`.
    pub fn at(id: ObjectId) -> Self {
        Self { ids: vec![id], skip: 0 }
    }

    /// Whether it is one of a repository of that format.
    pub fn is_of(&self, format: ObjectFormat) -> bool {
        self.ids.iter().all(|id| id.kind() == format)
    }

    /// Reads what [`Cursor`]'s `Display` writes; none if it is malformed.
    pub fn parse(text: &str) -> Option<Self> {
        let (ids, skip) = match text.split_once('~') {
            Some((ids, skip)) => (ids, skip.parse().ok()?),
            None => (text, 0),
        };
        let ids: Option<Vec<_>> = ids.split('.').map(|id| ObjectId::from_hex(id.as_bytes()).ok()).collect();
        let ids = ids?;
        (ids.len() <= CURSOR_IDS_MAX && skip <= COMMITS_READ_MAX).then_some(Self { ids, skip })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, id) in self.ids.iter().enumerate() {
            let separator = if index == 0 { "" } else { "." };
            write!(f, "{separator}{id}")?;
        }
        match self.skip {
            0 => Ok(()),
            skip => write!(f, "~{skip}"),
        }
    }
}

/// Commits of a history.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub commits: Vec<Commit>,
    /// Where the next page begins; none if this is the last.
    pub next: Option<Cursor>,
    /// Whether the page is shorter than it could be because [`COMMITS_READ_MAX`] or
    /// [`COMMITS_PASSED_MAX`] was reached.
    pub is_cut: bool,
    /// A commit that could not be read, beyond which nothing is shown: the repository is shallow or damaged.
    pub unreadable: Option<ObjectId>,
}

/// The commits from the cursor on, the latest first by commit date.
///
/// With a path, only those that changed what stands there: where a merge took it unchanged from a
/// parent, only that parent is followed (git-log(1), history simplification). Most commits that left
/// it alone are passed by with a look at the commit-graph and its filters, and none at their trees.
pub fn page(repository: Repository<'_>, from: &Cursor, path: &BStr) -> Page {
    let mut walk = Walk::new(repository, path);
    for id in &from.ids {
        walk.push(*id);
    }
    let mut page = Page::default();
    let mut shown = 0;
    while page.commits.len() < COMMITS_PER_PAGE {
        if walk.read >= COMMITS_READ_MAX || walk.passed >= COMMITS_PASSED_MAX {
            page.is_cut = true;
            break;
        }
        let Some(step) = walk.next() else { break };
        if let Step::Shown(commit) = step {
            shown += 1;
            if shown > from.skip {
                page.commits.push(*commit);
            }
        }
    }
    page.next = walk.cursor(from, shown);
    page.unreadable = walk.unreadable;
    page
}

/// A commit that waits in the heap; the latest is the greatest.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    seconds: i64,
    /// Counts down, so that of two with one date the one found first comes first.
    order: std::cmp::Reverse<usize>,
    id: ObjectId,
}

enum Step {
    Shown(Box<Commit>),
    Passed,
}

/// What the walk needs of a commit.
struct Node {
    tree_id: ObjectId,
    parent_ids: Vec<ObjectId>,
    /// Of the committer.
    seconds: i64,
    /// The commit itself, if it was read.
    commit: Option<Box<Commit>>,
}

struct Walk<'a> {
    repository: Repository<'a>,
    path: &'a BStr,
    keys: PathKeys,
    heap: BinaryHeap<Waiting>,
    nodes: HashMap<ObjectId, Node>,
    seen: HashSet<ObjectId>,
    /// What stands at the path in a tree.
    at_path: HashMap<ObjectId, Option<(EntryKind, ObjectId)>>,
    /// How many commits, or their trees, were read.
    read: usize,
    /// How many commits were looked at.
    passed: usize,
    unreadable: Option<ObjectId>,
}

impl<'a> Walk<'a> {
    fn new(repository: Repository<'a>, path: &'a BStr) -> Self {
        Self {
            repository,
            path,
            keys: PathKeys::new(path),
            heap: BinaryHeap::new(),
            nodes: HashMap::new(),
            seen: HashSet::new(),
            at_path: HashMap::new(),
            read: 0,
            passed: 0,
            unreadable: None,
        }
    }

    /// Puts a commit in the heap, once.
    fn push(&mut self, id: ObjectId) {
        if !self.seen.insert(id) {
            return;
        }
        self.load(id);
        if let Some(node) = self.nodes.get(&id) {
            let order = std::cmp::Reverse(self.seen.len());
            self.heap.push(Waiting { seconds: node.seconds, order, id });
        }
    }

    /// Finds out about a commit, if that was not done already.
    fn load(&mut self, id: ObjectId) {
        if self.nodes.contains_key(&id) {
            return;
        }
        self.passed += 1;
        let known = self.repository.objects.commit_graph().and_then(|graph| graph.get(&id));
        let node = match known {
            Some(node) => {
                Node { tree_id: node.tree, parent_ids: node.parents, seconds: node.date, commit: None }
            }
            None => {
                let Some(commit) = self.read(&id) else { return };
                let Commit { tree_id, ref parent_ids, ref committer, .. } = *commit;
                let (parent_ids, seconds) = (parent_ids.clone(), committer.seconds);
                Node { tree_id, parent_ids, seconds, commit: Some(commit) }
            }
        };
        self.nodes.insert(id, node);
    }

    fn read(&mut self, id: &ObjectId) -> Option<Box<Commit>> {
        self.read += 1;
        match self.repository.commit(id) {
            Ok(commit) => Some(Box::new(commit)),
            Err(_) => {
                self.unreadable = Some(*id);
                None
            }
        }
    }

    fn next(&mut self) -> Option<Step> {
        let id = self.heap.pop()?.id;
        let node = self.nodes.remove(&id).expect("what is in the heap was loaded");
        let followed = match self.change(&id, &node) {
            Ok(followed) => followed,
            Err(_) => {
                self.unreadable = Some(id);
                return Some(Step::Passed);
            }
        };
        let is_shown = match followed {
            Followed::All { is_shown } => is_shown,
            Followed::Only(parent) => {
                self.push(parent);
                return Some(Step::Passed);
            }
        };
        let commit = match node.commit {
            commit if !is_shown => commit,
            Some(commit) => Some(commit),
            None => match self.read(&id) {
                Some(commit) => Some(commit),
                // Nothing is shown beyond it.
                None => return Some(Step::Passed),
            },
        };
        for parent in node.parent_ids {
            self.push(parent);
        }
        Some(commit.filter(|_| is_shown).map_or(Step::Passed, Step::Shown))
    }

    /// What the commit did to the path.
    fn change(&mut self, id: &ObjectId, node: &Node) -> Result<Followed, Error> {
        if self.path.is_empty() {
            return Ok(Followed::All { is_shown: true });
        }
        let graph = self.repository.objects.commit_graph();
        if graph.is_some_and(|graph| !graph.may_have_changed(id, &self.keys)) {
            let first = node.parent_ids.first();
            return Ok(first.map_or(Followed::All { is_shown: false }, |first| Followed::Only(*first)));
        }
        // The commits of the graph were not read, so that it is the trees that count.
        self.read += usize::from(node.commit.is_none());
        let own = self.entry(node.tree_id)?;
        if node.parent_ids.is_empty() {
            return Ok(Followed::All { is_shown: own.is_some() });
        }
        for parent in &node.parent_ids {
            self.load(*parent);
            let Some(tree_id) = self.nodes.get(parent).map(|parent| parent.tree_id) else { continue };
            if self.entry(tree_id)? == own {
                return Ok(Followed::Only(*parent));
            }
        }
        Ok(Followed::All { is_shown: true })
    }

    fn entry(&mut self, tree_id: ObjectId) -> Result<Option<(EntryKind, ObjectId)>, Error> {
        if let Some(known) = self.at_path.get(&tree_id) {
            return Ok(*known);
        }
        let found = self.repository.entry_at(&tree_id, self.path)?;
        let found = found.map(|entry| (entry.mode.kind(), entry.id));
        self.at_path.insert(tree_id, found);
        Ok(found)
    }

    /// Where to go on: from the open ends, or, if there are too many for an address, from where
    /// this page began, past what was shown since.
    fn cursor(&mut self, from: &Cursor, shown: usize) -> Option<Cursor> {
        if self.heap.is_empty() {
            return None;
        }
        if self.heap.len() > CURSOR_IDS_MAX && shown > from.skip && shown <= COMMITS_READ_MAX {
            return Some(Cursor { ids: from.ids.clone(), skip: shown });
        }
        let mut waiting: Vec<_> = std::mem::take(&mut self.heap).into_vec();
        waiting.sort_by(|a, b| b.cmp(a));
        waiting.truncate(CURSOR_IDS_MAX);
        Some(Cursor { ids: waiting.into_iter().map(|waiting| waiting.id).collect(), skip: 0 })
    }
}

enum Followed {
    All { is_shown: bool },
    Only(ObjectId),
}
