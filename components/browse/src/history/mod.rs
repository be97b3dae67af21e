//! Walking over commits, the latest first, a page at a time.
//!
//! A page ends with a cursor: the open ends of the walk, from which the next page goes on. So a
//! page costs what it shows, however far back it is, and stays what it is when the branch moves.
//!
//! Open ends do not say what was walked. Where clocks go wrong, a commit may come to be made from one that
//! was shown pages ago, and would be shown again. So the cursor also says how late all those were; where a
//! page meets a commit that may be one of them, it is made by walking all the way from the beginning.

mod cursor;
mod filter;
mod pathspec;

pub use cursor::{Bounds, Cursor, Walked};
pub use filter::{Filter, Merges, Unclear, Wish};
pub use pathspec::split as split_path;

use crate::limits::{
    COMMITS_PASSED_MAX, COMMITS_PER_PAGE, COMMITS_READ_MAX, CURSOR_IDS_MAX, CURSOR_STEPS_MAX, LOG_TREES_MAX,
    PATH_BYTES_MAX, PATH_SEGMENTS_MAX,
};
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::ObjectId;
use gix_object::tree::EntryKind;
use lithe_code::mailmap::Mailmap;
use lithe_code::renames;
use lithe_code::repository::{Commit, Error, Repository};
use lithe_code::tree_diff::{self, Limits};
use lithe_code::walk::Budget;
use lithe_git::commit_graph::PathKeys;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::ops::ControlFlow;

/// Commits of a history.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub commits: Vec<Commit>,
    /// Where the next page begins; none if this is the last.
    pub next: Option<Cursor>,
    /// Whether the page is shorter than it could be because the budget was spent.
    pub is_cut: bool,
    /// How many commits were looked at.
    pub searched: usize,
    /// A commit that could not be read, beyond which nothing is shown: the repository is shallow or damaged.
    pub unreadable: Option<ObjectId>,
    /// What stands for the scope's path on the next page: a file that is followed may be called otherwise.
    pub path: BString,
}

/// What of a history is shown.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Only commits that changed what stands there; empty: all.
    pub path: &'a BStr,
    /// Whether a file is followed to what it was called before it was renamed.
    pub follows: bool,
    /// What a file that is followed is called where the history begins.
    pub first_path: &'a BStr,
    pub filter: &'a Filter,
    /// The names that the filter knows people by.
    pub mailmap: &'a Mailmap,
}

/// The most of a history that one request looks at.
pub const BUDGET: Budget =
    Budget { commits_read: COMMITS_READ_MAX, commits_passed: COMMITS_PASSED_MAX, until: None };

/// The commits from the cursor on, the latest first by commit date.
///
/// With a path, only those that changed what stands there: where a merge took it unchanged from a
/// parent, only that parent is followed (git-log(1), history simplification). Most commits that left
/// it alone are passed by with a look at the commit-graph and its filters, and none at their trees.
pub fn page(repository: Repository<'_>, from: &Cursor, path: &BStr) -> Page {
    let (filter, mailmap) = (&Filter::default(), &Mailmap::default());
    search(repository, from, &Scope { path, follows: false, first_path: path, filter, mailmap }, BUDGET)
}

/// The latest commits of the history that ends in a commit, so many at the most. Those past one that cannot be read
/// are left out.
pub fn latest(repository: Repository<'_>, tip: ObjectId, commits_max: usize, budget: Budget) -> Vec<Commit> {
    let (filter, mailmap) = (&Filter::default(), &Mailmap::default());
    let scope = Scope { path: "".into(), follows: false, first_path: "".into(), filter, mailmap };
    let mut walk = Walk::new(repository, &scope);
    walk.push(tip);
    let mut commits = Vec::new();
    while commits.len() < commits_max && budget.allows(walk.read, walk.passed) {
        match walk.next(1) {
            Some(Step::Shown(commit)) => commits.push(*commit),
            Some(Step::Passed(_)) => {}
            None => break,
        }
    }
    commits
}

/// As [`page`], of what is in scope, and within a budget.
///
/// Where a file is followed, every line of development is, and merges are not shown, as by
/// `git log --follow`.
pub fn search(repository: Repository<'_>, from: &Cursor, scope: &Scope<'_>, budget: Budget) -> Page {
    let (page, is_doubtful) = search_from(repository, from, scope, budget);
    let steps = from.walked.as_ref().map_or(0, |walked| walked.steps.saturating_add(from.skip));
    match from.start() {
        Some(start) if is_doubtful && steps <= CURSOR_STEPS_MAX => {
            let beginning = Cursor { skip: steps, ..Cursor::at(start) };
            let path = if scope.follows { scope.first_path } else { scope.path };
            // The time may be over before it comes to what is new.
            search_from(repository, &beginning, &Scope { path, ..*scope }, Budget { until: None, ..budget }).0
        }
        _ => page,
    }
}

/// Searches, and tells whether the page may have what was on an earlier one.
fn search_from(repository: Repository<'_>, from: &Cursor, scope: &Scope<'_>, budget: Budget) -> (Page, bool) {
    let mut walk = Walk::new(repository, scope);
    for id in &from.ids {
        walk.push(*id);
    }
    walk.before = from.walked.as_ref().map(|walked| walked.bounds);
    let mut page = Page::default();
    let mut steps = 0;
    while page.commits.len() < COMMITS_PER_PAGE {
        // What an earlier page has walked costs this one nothing, or it would never come past that.
        if steps > from.skip && !budget.allows(walk.read, walk.passed) {
            page.is_cut = !walk.heap.is_empty();
            break;
        }
        walk.is_repeating = steps < from.skip;
        let stride = if walk.is_repeating { from.skip - steps } else { budget.stride(walk.passed) };
        let Some(step) = walk.next(stride) else { break };
        steps += match step {
            Step::Shown(_) => 1,
            Step::Passed(commits) => commits,
        };
        if steps == from.skip {
            (walk.read, walk.passed) = (0, 0);
        }
        if let Step::Shown(commit) = step {
            page.commits.push(*commit);
        }
    }
    page.searched = steps - from.skip.min(steps);
    page.next = walk.cursor(from, steps);
    page.unreadable = walk.unreadable;
    let begins_again = page.next.as_ref().is_some_and(|next| next.skip > 0);
    page.path = if begins_again { scope.path.into() } else { walk.path };
    (page, walk.is_doubtful)
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
    /// So many commits are not shown.
    Passed(usize),
}

/// What the walk needs of a commit.
struct Node {
    tree_id: ObjectId,
    parent_ids: Vec<ObjectId>,
    /// Of the committer.
    seconds: i64,
    /// The corrected date, if the commit-graph knows it.
    corrected: Option<u64>,
    /// The commit itself, if it was read.
    commit: Option<Box<Commit>>,
}

/// What stands at a path.
type Standing = (EntryKind, ObjectId);

/// The most of a commit that is compared with a parent, to find what a pathspec selects.
const LIMITS: Limits =
    Limits { trees: LOG_TREES_MAX, path_bytes: PATH_BYTES_MAX, path_segments: PATH_SEGMENTS_MAX };

struct Walk<'a> {
    repository: Repository<'a>,
    scope: &'a Scope<'a>,
    /// Where the scope's path lay in the commits that come next.
    path: BString,
    keys: PathKeys,
    heap: BinaryHeap<Waiting>,
    nodes: HashMap<ObjectId, Node>,
    seen: HashSet<ObjectId>,
    /// What stands at the path in a tree.
    at_path: HashMap<ObjectId, Option<Standing>>,
    /// How many commits, or their trees, were read.
    read: usize,
    /// How many commits were looked at.
    passed: usize,
    /// Whether what comes next was shown on an earlier page.
    is_repeating: bool,
    unreadable: Option<ObjectId>,
    /// What was walked before the walk began.
    before: Option<Bounds>,
    /// Whether it met a commit that may be one of those.
    is_doubtful: bool,
    /// What it walked itself.
    walked: Bounds,
}

impl<'a> Walk<'a> {
    fn new(repository: Repository<'a>, scope: &'a Scope<'a>) -> Self {
        Self {
            repository,
            scope,
            path: scope.path.into(),
            keys: PathKeys::new(scope.path),
            heap: BinaryHeap::new(),
            nodes: HashMap::new(),
            seen: HashSet::new(),
            at_path: HashMap::new(),
            read: 0,
            passed: 0,
            is_repeating: false,
            unreadable: None,
            before: None,
            is_doubtful: false,
            walked: Bounds::default(),
        }
    }

    /// Puts a commit in the heap, once.
    fn push(&mut self, id: ObjectId) {
        if !self.seen.insert(id) {
            return;
        }
        self.load(id);
        if let Some(node) = self.nodes.get(&id) {
            self.is_doubtful |=
                self.before.is_some_and(|before| before.may_have(node.seconds, node.corrected));
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
            Some(node) => Node {
                tree_id: node.tree,
                parent_ids: node.parents,
                seconds: node.date,
                corrected: node.generation,
                commit: None,
            },
            None => {
                let Some(commit) = self.read(&id) else { return };
                let Commit { tree_id, ref parent_ids, ref committer, .. } = *commit;
                let (parent_ids, seconds) = (parent_ids.clone(), committer.seconds);
                Node { tree_id, parent_ids, seconds, corrected: None, commit: Some(commit) }
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

    /// Goes on by a commit, or by as many as `stride` that left the path alone.
    fn next(&mut self, stride: usize) -> Option<Step> {
        let id = self.heap.pop()?.id;
        let node = self.nodes.remove(&id).expect("what is in the heap was loaded");
        self.walked.add(node.seconds, node.corrected);
        if self.scope.filter.ends_at(node.seconds) {
            return Some(Step::Passed(1));
        }
        if let Some(commits) = self.pass(&id, stride) {
            return Some(Step::Passed(commits));
        }
        let is_change = match self.change(&id, &node) {
            Ok(Followed::All { is_shown }) => is_shown,
            Ok(Followed::Only(parent)) => {
                self.push(parent);
                return Some(Step::Passed(1));
            }
            Err(_) => {
                self.unreadable = Some(id);
                return Some(Step::Passed(1));
            }
        };
        let is_shown = is_change
            && !self.is_repeating
            && self.scope.filter.may_want(node.seconds, node.parent_ids.len());
        let commit = match node.commit {
            commit if !is_shown => commit,
            Some(commit) => Some(commit),
            None => match self.read(&id) {
                Some(commit) => Some(commit),
                // Nothing is shown beyond it.
                None => return Some(Step::Passed(1)),
            },
        };
        for parent in node.parent_ids {
            self.push(parent);
        }
        let shown = commit.filter(|commit| is_shown && self.scope.filter.wants(commit, self.scope.mailmap));
        Some(shown.map_or(Step::Passed(1), Step::Shown))
    }

    /// Passes by commits that left the path alone, and tells how many. Only where no other commit waits: then they
    /// come one after the other anyway, and as many are counted.
    fn pass(&mut self, id: &ObjectId, commits_max: usize) -> Option<usize> {
        let is_single = self.heap.is_empty() && !self.scope.follows && !self.scope.filter.has_end();
        let graph = self.repository.objects.commit_graph().filter(|_| is_single && !self.path.is_empty())?;
        let passed = graph.pass(id, &[&self.keys], None, commits_max)?;
        // The last is counted where it is loaded.
        self.passed += passed.commits - 1;
        self.push(passed.id);
        Some(passed.commits)
    }

    /// What the commit did to the path.
    fn change(&mut self, id: &ObjectId, node: &Node) -> Result<Followed, Error> {
        let is_of_all_files = self.path.is_empty() && self.scope.filter.pathspec.is_none();
        if is_of_all_files {
            return Ok(Followed::All { is_shown: true });
        }
        let follows = self.scope.follows;
        if follows && node.parent_ids.len() > 1 {
            return Ok(Followed::All { is_shown: false });
        }
        let graph = self.repository.objects.commit_graph().filter(|_| !self.path.is_empty());
        if graph.is_some_and(|graph| !graph.may_have_changed(id, &self.keys)) {
            let first = node.parent_ids.first().filter(|_| !follows);
            return Ok(first.map_or(Followed::All { is_shown: false }, |first| Followed::Only(*first)));
        }
        // The commits of the graph were not read, so that it is the trees that count.
        self.read += usize::from(node.commit.is_none());
        let own = self.entry(node.tree_id)?;
        if node.parent_ids.is_empty() {
            return Ok(Followed::All { is_shown: self.differs(None, own)? });
        }
        for parent in &node.parent_ids {
            self.load(*parent);
            let Some(tree_id) = self.nodes.get(parent).map(|parent| parent.tree_id) else { continue };
            let before = self.entry(tree_id)?;
            if !self.differs(before, own)? {
                return Ok(Followed::Only(*parent));
            }
            if let (true, Some((EntryKind::Blob | EntryKind::BlobExecutable, blob_id)), None) =
                (follows, own, before)
            {
                self.rename(&tree_id, &node.tree_id, &blob_id)?;
            }
        }
        Ok(Followed::All { is_shown: true })
    }

    /// Whether two things that may stand at the path differ; with a pathspec, in what that selects.
    fn differs(&mut self, before: Option<Standing>, after: Option<Standing>) -> Result<bool, Error> {
        let Some(pathspec) = self.scope.filter.pathspec.as_ref().filter(|_| before != after) else {
            return Ok(before != after);
        };
        let tree_id = |standing: Option<Standing>| match standing {
            Some((EntryKind::Tree, id)) => Some(id),
            _ => None,
        };
        let compared = tree_diff::compare(
            self.repository,
            tree_id(before),
            tree_id(after),
            LIMITS,
            &mut |difference| match pathspec.selects(&difference.path) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            },
        )?;
        self.read += compared.trees_read / 2;
        Ok(compared.is_cut)
    }

    /// Goes on with what a file, new between two trees, was renamed from.
    fn rename(&mut self, before: &ObjectId, after: &ObjectId, blob_id: &ObjectId) -> Result<(), Error> {
        let found = renames::source(self.repository, before, after, self.path.as_bstr(), blob_id)?;
        if let Some((path, _)) = found {
            self.keys = PathKeys::new(&path);
            self.at_path.clear();
            self.path = path;
        }
        Ok(())
    }

    fn entry(&mut self, tree_id: ObjectId) -> Result<Option<Standing>, Error> {
        if let Some(known) = self.at_path.get(&tree_id) {
            return Ok(*known);
        }
        let found = self.repository.entry_at(&tree_id, self.path.as_bstr())?;
        let found = found.map(|entry| (entry.mode.kind(), entry.id));
        self.at_path.insert(tree_id, found);
        Ok(found)
    }

    /// Where to go on: from the open ends, or, if there are too many for an address, from where
    /// this page began, past what was walked since.
    fn cursor(&mut self, from: &Cursor, steps: usize) -> Option<Cursor> {
        if self.heap.is_empty() {
            return None;
        }
        if self.heap.len() > CURSOR_IDS_MAX && steps > from.skip && steps <= CURSOR_STEPS_MAX {
            return Some(Cursor { skip: steps, ..from.clone() });
        }
        let walked = from.start().map(|start| {
            let earlier = from.walked.as_ref();
            let bounds = earlier.map_or(self.walked, |walked| walked.bounds.with(self.walked));
            Walked { start, steps: earlier.map_or(0, |walked| walked.steps).saturating_add(steps), bounds }
        });
        let mut waiting: Vec<_> = std::mem::take(&mut self.heap).into_vec();
        waiting.sort_by(|a, b| b.cmp(a));
        waiting.truncate(CURSOR_IDS_MAX);
        let ids = waiting.into_iter().map(|waiting| waiting.id).collect();
        Some(Cursor { ids, skip: 0, walked })
    }
}

enum Followed {
    All { is_shown: bool },
    Only(ObjectId),
}
