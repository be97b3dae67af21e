//! Walking over commits, the latest first, a page at a time.
//!
//! A page ends with a cursor: the open ends of the walk, from which the next page goes on. So a
//! page costs what it shows, however far back it is, and stays what it is when the branch moves.

use crate::limits::{COMMITS_PER_PAGE, COMMITS_READ_MAX, CURSOR_IDS_MAX};
use crate::repository::{Commit, Error, Repository};
use bstr::BStr;
use gix_hash::ObjectId;
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
    /// Whether the page is shorter than it could be because [`COMMITS_READ_MAX`] was reached.
    pub is_cut: bool,
    /// A commit that could not be read, beyond which nothing is shown: the repository is shallow or damaged.
    pub unreadable: Option<ObjectId>,
}

/// The commits from the cursor on, the latest first by commit date.
///
/// With a path, only those that changed what stands there: where a merge took it unchanged from a
/// parent, only that parent is followed (git-log(1), history simplification).
pub fn page(repository: Repository<'_>, from: &Cursor, path: &BStr) -> Page {
    let mut walk = Walk::new(repository, path);
    for id in &from.ids {
        walk.push(*id);
    }
    let mut page = Page::default();
    let mut shown = 0;
    while page.commits.len() < COMMITS_PER_PAGE {
        if walk.read >= COMMITS_READ_MAX {
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

struct Walk<'a> {
    repository: Repository<'a>,
    path: &'a BStr,
    heap: BinaryHeap<Waiting>,
    commits: HashMap<ObjectId, Commit>,
    seen: HashSet<ObjectId>,
    /// What stands at the path in a tree.
    at_path: HashMap<ObjectId, Option<ObjectId>>,
    read: usize,
    unreadable: Option<ObjectId>,
}

impl<'a> Walk<'a> {
    fn new(repository: Repository<'a>, path: &'a BStr) -> Self {
        Self {
            repository,
            path,
            heap: BinaryHeap::new(),
            commits: HashMap::new(),
            seen: HashSet::new(),
            at_path: HashMap::new(),
            read: 0,
            unreadable: None,
        }
    }

    /// Puts a commit in the heap, once.
    fn push(&mut self, id: ObjectId) {
        if !self.seen.insert(id) {
            return;
        }
        self.load(id);
        if let Some(commit) = self.commits.get(&id) {
            let order = std::cmp::Reverse(self.seen.len());
            self.heap.push(Waiting { seconds: commit.committer.seconds, order, id });
        }
    }

    /// Reads a commit, if that was not done already.
    fn load(&mut self, id: ObjectId) {
        if self.commits.contains_key(&id) {
            return;
        }
        self.read += 1;
        match self.repository.commit(&id) {
            Ok(commit) => {
                self.commits.insert(id, commit);
            }
            Err(_) => self.unreadable = Some(id),
        }
    }

    fn next(&mut self) -> Option<Step> {
        let id = self.heap.pop()?.id;
        let commit = self.commits.remove(&id).expect("what is in the heap was read");
        if self.path.is_empty() {
            for parent in &commit.parent_ids {
                self.push(*parent);
            }
            return Some(Step::Shown(Box::new(commit)));
        }
        match self.change(&commit) {
            Ok(Followed::All { is_shown }) => {
                for parent in &commit.parent_ids {
                    self.push(*parent);
                }
                Some(if is_shown { Step::Shown(Box::new(commit)) } else { Step::Passed })
            }
            Ok(Followed::Only(parent)) => {
                self.push(parent);
                Some(Step::Passed)
            }
            Err(_) => {
                self.unreadable = Some(id);
                Some(Step::Passed)
            }
        }
    }

    /// What the commit did to the path.
    fn change(&mut self, commit: &Commit) -> Result<Followed, Error> {
        let own = self.entry(commit.tree_id)?;
        if commit.parent_ids.is_empty() {
            return Ok(Followed::All { is_shown: own.is_some() });
        }
        for parent in &commit.parent_ids {
            self.load(*parent);
            let Some(tree_id) = self.commits.get(parent).map(|parent| parent.tree_id) else { continue };
            if self.entry(tree_id)? == own {
                return Ok(Followed::Only(*parent));
            }
        }
        Ok(Followed::All { is_shown: true })
    }

    fn entry(&mut self, tree_id: ObjectId) -> Result<Option<ObjectId>, Error> {
        if let Some(known) = self.at_path.get(&tree_id) {
            return Ok(*known);
        }
        let found = self.repository.entry_at(&tree_id, self.path)?.map(|entry| entry.id);
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
