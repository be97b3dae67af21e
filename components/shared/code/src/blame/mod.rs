//! Which commit each line of a file comes from, as git-blame(1) tells it.
//!
//! Every line is suspected of the commit it is seen in, and passed on to a parent that has it too;
//! where none has, it is settled. What is not settled yet is the whole state of the search, so that it
//! can stop at any commit, be kept as text, and go on later: [`Blame::advance`].
//!
//! Lines equal those of `git blame` and `git blame -w`: of several equally short differences of two
//! versions, the one that Git takes is taken.

mod beginning;
mod kept;
mod lines;

pub use beginning::{Beginning, beginning};

use crate::limits::{BLAME_FILE_BYTES_MAX, BLAME_PARENTS_MAX, BLAME_RENAMED_PARENTS_MAX};
use crate::renames::{self, is_file};
use crate::repository::{Commit, Error, Repository};
use crate::text;
use crate::walk::{Budget, Node};
use bstr::{BStr, BString, ByteSlice as _};
use encoding_rs::Encoding;
use gix_hash::{ObjectId, oid};
use lines::Changes;
use lithe_git::commit_graph::PathKeys;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Whether lines that differ in whitespace alone are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whitespace {
    Counts,
    /// As `git blame -w` does.
    Ignored,
}

/// How lines are followed.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    pub whitespace: Whitespace,
    /// Commits whose changes are passed on to what was there before, where something was.
    pub ignored: &'a HashSet<ObjectId>,
    /// What an attribute says of the encoding of the file's text. Lines of UTF-16 are those of its text, where Git
    /// takes those of its bytes.
    pub encoding: Option<&'static Encoding>,
}

/// A search for where the lines of a file come from: what is found, and what is not yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blame {
    /// Lines that were found, joined after each go.
    settled: Vec<Settled>,
    /// The latest commit is the last.
    pending: BTreeMap<Suspect, Pending>,
    origins: HashMap<ObjectId, Origin>,
}

/// Lines next to one another that came with one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub lines: Lines,
    pub commit_id: ObjectId,
    /// What the file was called there.
    pub path: BString,
    /// The commit and the path before this one; none: the file began with it.
    pub previous: Option<(ObjectId, BString)>,
}

/// Lines next to one another, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lines {
    /// The first of them, in the file that is asked about.
    pub first: u32,
    pub count: u32,
    /// The first of them, in the file that they are now seen in.
    pub source: u32,
}

/// What is told of a commit that lines come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub author_name: BString,
    pub author_email: BString,
    /// Of the author, in seconds since the epoch.
    pub seconds: i64,
    /// Seconds east of UTC.
    pub offset: i32,
    pub title: String,
}

impl Origin {
    fn of(commit: &Commit) -> Self {
        Self {
            author_name: commit.author.name.clone(),
            author_email: commit.author.email.clone(),
            seconds: commit.author.seconds,
            offset: commit.author.offset,
            title: commit.title(),
        }
    }
}

/// A file in a commit. The order is that in which suspects are looked at, backwards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Suspect {
    seconds: i64,
    commit_id: ObjectId,
    path: BString,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pending {
    blob_id: ObjectId,
    lines: Vec<Lines>,
}

impl Blame {
    /// The search for the first `line_count` lines of a file, before anything is found.
    pub fn new(
        repository: Repository<'_>,
        commit_id: ObjectId,
        path: &BStr,
        blob_id: ObjectId,
        line_count: u32,
    ) -> Result<Self, Error> {
        let mut blame = Self::default();
        if line_count > 0 {
            let seconds = Node::read(repository, &commit_id)?.seconds;
            let suspect = Suspect { seconds, commit_id, path: path.into() };
            let lines = vec![Lines { first: 0, count: line_count, source: 0 }];
            blame.pending.insert(suspect, Pending { blob_id, lines });
        }
        Ok(blame)
    }

    /// Whether every line is found.
    pub fn is_complete(&self) -> bool {
        self.pending.is_empty()
    }

    /// The lines that are found, from the first on, those of one commit that follow one another as one.
    pub fn settled(&self) -> Vec<Settled> {
        let mut sorted = self.settled.clone();
        sorted.sort_by_key(|settled| settled.lines);
        let mut joined: Vec<Settled> = Vec::with_capacity(sorted.len());
        for settled in sorted {
            match joined.last_mut() {
                Some(last) if last.is_followed_by(&settled) => last.lines.count += settled.lines.count,
                _ => joined.push(settled),
            }
        }
        joined
    }

    /// What is told of a commit that lines were found to come from.
    pub fn origin(&self, commit_id: &oid) -> Option<&Origin> {
        self.origins.get(commit_id)
    }

    /// Goes on with the search until everything is found or the budget spent.
    ///
    /// Fails if an object that is there cannot be read. A parent that is missing, as in a shallow
    /// repository, counts as none.
    pub fn advance(
        &mut self,
        repository: Repository<'_>,
        rules: Rules<'_>,
        budget: Budget,
    ) -> Result<(), Error> {
        let mut search = Search {
            repository,
            rules,
            blame: self,
            keys: HashMap::new(),
            at_path: HashMap::new(),
            blobs: VecDeque::new(),
            read: 0,
            passed: 0,
        };
        while budget.allows(search.read, search.passed) {
            let Some((suspect, pending)) = search.blame.pending.pop_last() else { break };
            if let Err(error) = search.step(&suspect, &pending) {
                search.blame.pending.insert(suspect, pending);
                self.settled = self.settled();
                return Err(error);
            }
        }
        self.settled = self.settled();
        Ok(())
    }
}

impl Settled {
    fn is_followed_by(&self, next: &Self) -> bool {
        self.lines.first + self.lines.count == next.lines.first
            && self.lines.source + self.lines.count == next.lines.source
            && (self.commit_id, &self.path) == (next.commit_id, &next.path)
    }
}

/// How many files are kept in memory, since the older one of a pair is often the newer of the next.
const BLOBS_KEPT_MAX: usize = 4;

struct Search<'a> {
    repository: Repository<'a>,
    rules: Rules<'a>,
    blame: &'a mut Blame,
    keys: HashMap<BString, PathKeys>,
    /// What file stands at the end of a path below a tree.
    at_path: HashMap<(ObjectId, BString), Option<ObjectId>>,
    blobs: VecDeque<(ObjectId, Arc<Vec<u8>>)>,
    read: usize,
    passed: usize,
}

/// A file in a parent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    commit_id: ObjectId,
    seconds: i64,
    path: BString,
    blob_id: ObjectId,
}

impl Search<'_> {
    /// Passes on or settles the lines of one file in one commit.
    fn step(&mut self, suspect: &Suspect, pending: &Pending) -> Result<(), Error> {
        self.passed += 1;
        let node = Node::read(self.repository, &suspect.commit_id)?;
        let path = suspect.path.as_bstr();
        if let Some(first) = node.parent_ids.first()
            && !self.may_have_changed(&suspect.commit_id, path)
            && let Some(parent) = Node::find(self.repository, first)?
        {
            let (path, blob_id) = (path.to_owned(), pending.blob_id);
            let source = Source { commit_id: *first, seconds: parent.seconds, path, blob_id };
            self.pass_on(source, pending.lines.iter().copied());
            return Ok(());
        }
        self.read += 1;
        let sources = match self.sources(&node, path, &pending.blob_id)? {
            Sources::Same(source) => {
                self.pass_on(source, pending.lines.iter().copied());
                return Ok(());
            }
            Sources::Different(sources) => sources,
        };
        let mut left = pending.lines.clone();
        for source in &sources {
            left = self.pass_common(&pending.blob_id, source, left, Changes::unchanged)?;
        }
        if self.rules.ignored.contains(&suspect.commit_id) {
            for source in &sources {
                left = self.pass_common(&pending.blob_id, source, left, Changes::replaced)?;
            }
        }
        self.settle(suspect, sources.first(), left)
    }

    fn may_have_changed(&mut self, commit_id: &oid, path: &BStr) -> bool {
        let Some(graph) = self.repository.objects.commit_graph() else { return true };
        if !self.keys.contains_key(path) {
            self.keys.insert(path.to_owned(), PathKeys::new(path));
        }
        graph.may_have_changed(commit_id, &self.keys[path])
    }

    /// The files in the parents that lines may come from.
    fn sources(&mut self, node: &Node, path: &BStr, blob_id: &oid) -> Result<Sources, Error> {
        let mut found: Vec<Source> = Vec::new();
        let mut elsewhere = Vec::new();
        for parent_id in node.parent_ids.iter().take(BLAME_PARENTS_MAX) {
            let Some(parent) = Node::find(self.repository, parent_id)? else { continue };
            let Some(id) = self.file_at(&parent.tree_id, path)? else {
                elsewhere.push((parent_id, parent));
                continue;
            };
            let source =
                Source { commit_id: *parent_id, seconds: parent.seconds, path: path.into(), blob_id: id };
            if *id == *blob_id {
                return Ok(Sources::Same(source));
            }
            if found.iter().all(|other| other.blob_id != id) {
                found.push(source);
            }
        }
        // The time is looked at between steps alone, so that each search gets on: a step must be short.
        for (parent_id, parent) in elsewhere.into_iter().take(BLAME_RENAMED_PARENTS_MAX) {
            self.read += 1;
            let renamed = renames::source(self.repository, &parent.tree_id, &node.tree_id, path, blob_id)?;
            let Some((path, id)) = renamed else { continue };
            let source = Source { commit_id: *parent_id, seconds: parent.seconds, path, blob_id: id };
            if *id == *blob_id {
                return Ok(Sources::Same(source));
            }
            if found.iter().all(|other| other.blob_id != id) {
                found.push(source);
            }
        }
        // The parents' order decides who is asked first, whether the file was renamed or not.
        found.sort_by_key(|source| node.parent_ids.iter().position(|id| *id == source.commit_id));
        Ok(Sources::Different(found))
    }

    /// The ordinary file at a path.
    fn file_at(&mut self, tree_id: &oid, path: &BStr) -> Result<Option<ObjectId>, Error> {
        let key = (tree_id.to_owned(), path.to_owned());
        if let Some(known) = self.at_path.get(&key) {
            return Ok(*known);
        }
        let (name, rest) = match path.split_once_str("/") {
            Some((name, rest)) => (name.as_bstr(), Some(rest.as_bstr())),
            None => (path, None),
        };
        let entry = self.repository.entry_at(tree_id, name)?;
        let found = match (entry, rest) {
            (Some(entry), Some(rest)) if entry.is_tree() => self.file_at(&entry.id, rest)?,
            (Some(entry), None) if is_file(entry.mode.kind()) => Some(entry.id),
            _ => None,
        };
        self.at_path.insert(key, found);
        Ok(found)
    }

    /// Passes the lines to a source that it has too; returns the others.
    fn pass_common(
        &mut self,
        blob_id: &oid,
        source: &Source,
        lines: Vec<Lines>,
        split: impl Fn(&Changes, &[Lines]) -> (Vec<Lines>, Vec<Lines>),
    ) -> Result<Vec<Lines>, Error> {
        if lines.is_empty() {
            return Ok(lines);
        }
        let (Some(before), Some(after)) = (self.blob(&source.blob_id)?, self.blob(blob_id)?) else {
            return Ok(lines);
        };
        let changes = Changes::between(&before, &after, self.rules.whitespace);
        let (common, others) = split(&changes, &lines);
        self.pass_on(source.clone(), common.into_iter());
        Ok(others)
    }

    fn pass_on(&mut self, source: Source, lines: impl Iterator<Item = Lines>) {
        let mut lines = lines.peekable();
        if lines.peek().is_none() {
            return;
        }
        let Source { commit_id, seconds, path, blob_id } = source;
        let suspect = Suspect { seconds, commit_id, path };
        let pending =
            self.blame.pending.entry(suspect).or_insert_with(|| Pending { blob_id, lines: Vec::new() });
        pending.lines.extend(lines);
    }

    fn settle(&mut self, suspect: &Suspect, source: Option<&Source>, left: Vec<Lines>) -> Result<(), Error> {
        if left.is_empty() {
            return Ok(());
        }
        let commit_id = suspect.commit_id;
        if !self.blame.origins.contains_key(&commit_id) {
            let commit = self.repository.commit(&commit_id)?;
            self.blame.origins.insert(commit_id, Origin::of(&commit));
        }
        let previous = source.map(|source| (source.commit_id, source.path.clone()));
        let settled = left.into_iter().map(|lines| Settled {
            lines,
            commit_id,
            path: suspect.path.clone(),
            previous: previous.clone(),
        });
        self.blame.settled.extend(settled);
        Ok(())
    }

    /// A file's contents; none if it is too large to be compared.
    fn blob(&mut self, id: &oid) -> Result<Option<Arc<Vec<u8>>>, Error> {
        if let Some((_, data)) = self.blobs.iter().find(|(known, _)| known.as_ref() == id) {
            return Ok(Some(data.clone()));
        }
        let data = match self.repository.blob(id, BLAME_FILE_BYTES_MAX) {
            Ok(data) => text::bytewise(&data, self.rules.encoding).map_or(data, Arc::new),
            Err(Error::TooLarge(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        self.blobs.push_front((id.to_owned(), data.clone()));
        self.blobs.truncate(BLOBS_KEPT_MAX);
        Ok(Some(data))
    }
}

enum Sources {
    /// A parent has the very same file.
    Same(Source),
    /// In the parents' order.
    Different(Vec<Source>),
}
