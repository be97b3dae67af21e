//! Which commit last changed each entry of a directory, as `git log -1 -- <entry>` tells it.
//!
//! All entries are followed at once from the commit that is shown: an entry goes on to the first parent
//! that has the very same, and where none has, that commit is the one (git-log(1), history
//! simplification). Most commits are passed by with a look at their changed-path filters. What is not
//! found yet is the whole state of the search, so that it can stop at any commit, be kept as text, go on
//! later, and be taken over by the search from a newer commit when it comes by.

use crate::repository::{Error, Repository};
use crate::walk::{Budget, Node};
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::{ObjectId, oid};
use gix_object::tree::EntryKind;
use lithe_git::commit_graph::PathKeys;
use lithe_web::address::{decode, encode_component};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::rc::Rc;

/// A search for the last commits of a directory's entries: what is found, and what is not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCommits {
    /// Where it began.
    commit_id: ObjectId,
    found: HashMap<BString, ObjectId>,
    /// The entries that are the same as in a commit, by its date and id: the latest is the last.
    pending: BTreeMap<(i64, ObjectId), Vec<BString>>,
    told: HashMap<ObjectId, Told>,
}

/// What is told of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub title: String,
    /// Of the committer, in seconds since the epoch.
    pub seconds: i64,
    /// Seconds east of UTC.
    pub offset: i32,
}

impl LastCommits {
    /// A search from a commit, for nothing yet.
    pub fn new(commit_id: ObjectId) -> Self {
        Self { commit_id, found: HashMap::new(), pending: BTreeMap::new(), told: HashMap::new() }
    }

    /// The commit that it began with.
    pub fn commit_id(&self) -> ObjectId {
        self.commit_id
    }

    /// Whether everything that was asked for is found.
    pub fn is_complete(&self) -> bool {
        self.pending.is_empty()
    }

    /// The last commit of the entry of that name, if it is found.
    pub fn get(&self, name: &BStr) -> Option<(ObjectId, &Told)> {
        let id = self.found.get(name)?;
        Some((*id, self.told.get(id)?))
    }

    /// Asks for entries of the directory. Of one that it does not have in the commit that the search
    /// began with, what is found is the commit that removed it or, if it never was there, a first one.
    pub fn ask<'n>(
        &mut self,
        repository: Repository<'_>,
        names: impl Iterator<Item = &'n BStr>,
    ) -> Result<(), Error> {
        let waiting: std::collections::HashSet<&BString> = self.pending.values().flatten().collect();
        let is_new =
            |name: &&BStr| !self.found.contains_key(*name) && !waiting.contains(&BString::from(*name));
        let new: Vec<BString> = names.filter(is_new).map(BString::from).collect();
        if !new.is_empty() {
            let seconds = Node::read(repository, &self.commit_id)?.seconds;
            self.pending.entry((seconds, self.commit_id)).or_default().extend(new);
        }
        Ok(())
    }

    /// Goes on with the search in the directory at `path` until everything is found or the budget spent.
    /// What an earlier search found is taken over where this one comes by the commit that it began with.
    pub fn advance(
        &mut self,
        repository: Repository<'_>,
        path: &BStr,
        earlier: Option<&Self>,
        budget: Budget,
    ) -> Result<(), Error> {
        let mut search = Search {
            repository,
            path,
            keys: HashMap::new(),
            own_keys: PathKeys::new(path),
            directories: HashMap::new(),
            listings: VecDeque::new(),
            read: 0,
            passed: 0,
        };
        while budget.allows(search.read, search.passed) {
            let Some(((seconds, id), names)) = self.pending.pop_last() else { break };
            let names = match earlier.filter(|earlier| earlier.commit_id == id) {
                Some(earlier) => self.take_over(earlier, names),
                None => names,
            };
            if names.is_empty() {
                continue;
            }
            let stride = budget.stride(search.passed);
            let end = earlier.map(|earlier| earlier.commit_id);
            if let Some(place) = search.pass(&id, &names, end, stride) {
                self.pending.entry(place).or_default().extend(names);
                continue;
            }
            match search.step(&id, names.clone()) {
                Ok(step) => {
                    for (parent, names) in step.passed_on {
                        self.pending.entry(parent).or_default().extend(names);
                    }
                    self.settle(repository, id, step.settled)?;
                }
                Err(error) => {
                    self.pending.insert((seconds, id), names);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Takes over what the earlier search knows of the names; returns the others.
    fn take_over(&mut self, earlier: &Self, names: Vec<BString>) -> Vec<BString> {
        let mut waiting: HashMap<&BString, (i64, ObjectId)> = HashMap::new();
        for (at, names) in &earlier.pending {
            waiting.extend(names.iter().map(|name| (name, *at)));
        }
        let mut others = Vec::new();
        for name in names {
            if let Some((id, told)) = earlier.get(name.as_bstr()) {
                self.told.entry(id).or_insert_with(|| told.clone());
                self.found.insert(name, id);
            } else if let Some(at) = waiting.get(&name).filter(|(_, id)| *id != earlier.commit_id) {
                self.pending.entry(*at).or_default().push(name);
            } else {
                others.push(name);
            }
        }
        others
    }

    fn settle(&mut self, repository: Repository<'_>, id: ObjectId, names: Vec<BString>) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        if !self.told.contains_key(&id) {
            let commit = repository.commit(&id)?;
            let (seconds, offset) = (commit.committer.seconds, commit.committer.offset);
            self.told.insert(id, Told { title: commit.title(), seconds, offset });
        }
        self.found.extend(names.into_iter().map(|name| (name, id)));
        Ok(())
    }

    /// What [`LastCommits::parse`] reads: a line for each thing that is known, its fields separated by spaces.
    pub fn to_text(&self) -> String {
        let mut text = format!("from {}\n", self.commit_id);
        self.write(&mut text).expect("writing to a string succeeds");
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        for (id, Told { title, seconds, offset }) in &self.told {
            writeln!(text, "told {id} {seconds} {offset} {}", encode_component(title))?;
        }
        for (name, id) in &self.found {
            writeln!(text, "found {id} {}", encode_component(name))?;
        }
        for ((seconds, id), names) in &self.pending {
            for name in names {
                writeln!(text, "pending {id} {seconds} {}", encode_component(name))?;
            }
        }
        Ok(())
    }

    /// The last commit of the entry of that name, if it is found in what [`LastCommits::to_text`] wrote of a search from
    /// that commit. Nothing else of it is read.
    pub fn find_in(text: &str, commit_id: ObjectId, name: &BStr) -> Option<ObjectId> {
        let (first, rest) = text.split_once('\n')?;
        if first.strip_prefix("from ")? != commit_id.to_string() {
            return None;
        }
        let ending = format!(" {}", encode_component(name));
        let of_name = |line: &&str| line.starts_with("found ") && line.ends_with(&ending);
        let id = rest.lines().find(of_name)?.strip_prefix("found ")?.strip_suffix(&ending)?;
        ObjectId::from_hex(id.as_bytes()).ok()
    }

    /// Reads what [`LastCommits::to_text`] wrote; none if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, rest) = text.split_once('\n')?;
        let mut search = Self::new(ObjectId::from_hex(first.strip_prefix("from ")?.as_bytes()).ok()?);
        for line in rest.lines() {
            let mut fields = line.split(' ');
            let kind = fields.next()?;
            let id = ObjectId::from_hex(fields.next()?.as_bytes()).ok()?;
            let fields: Vec<&str> = fields.collect();
            match (kind, fields.as_slice()) {
                ("told", [seconds, offset, title]) => {
                    let title = String::from_utf8(decode(title).ok()?).ok()?;
                    let told = Told { title, seconds: seconds.parse().ok()?, offset: offset.parse().ok()? };
                    search.told.insert(id, told);
                }
                ("found", [name]) => drop(search.found.insert(decode(name).ok()?.into(), id)),
                ("pending", [seconds, name]) => {
                    let at = (seconds.parse().ok()?, id);
                    search.pending.entry(at).or_default().push(decode(name).ok()?.into());
                }
                _ => return None,
            }
        }
        Some(search)
    }
}

/// How many listings are kept in memory, since a parent is often the next commit.
const LISTINGS_KEPT_MAX: usize = 4;

/// Of how many entries filters are asked one by one; of more, they are asked for the directory.
const NAMES_ASKED_FOR_MAX: usize = 8;

/// What a directory has under its names.
type Entries = HashMap<BString, (EntryKind, ObjectId)>;

struct Search<'a> {
    repository: Repository<'a>,
    path: &'a BStr,
    /// Of the entries that filters were asked for by now.
    keys: HashMap<BString, PathKeys>,
    /// Of the directory itself.
    own_keys: PathKeys,
    /// Which tree stands at the end of a path, given the rest of it, below another.
    directories: HashMap<(ObjectId, usize), Option<ObjectId>>,
    listings: VecDeque<(ObjectId, Rc<Entries>)>,
    read: usize,
    passed: usize,
}

/// What became of the entries in one commit.
struct Step {
    /// The commit is the last one that changed them.
    settled: Vec<BString>,
    /// They are the same in a parent.
    passed_on: Vec<((i64, ObjectId), Vec<BString>)>,
}

impl Search<'_> {
    fn step(&mut self, id: &oid, names: Vec<BString>) -> Result<Step, Error> {
        self.passed += 1;
        let node = Node::read(self.repository, id)?;
        let mut step = Step { settled: Vec::new(), passed_on: Vec::new() };
        let parents = self.parents(&node)?;
        let mut left = names;
        // Filters tell of the first parent, which has to be there.
        if let Some((first, parent)) = parents.first().filter(|(id, _)| Some(id) == node.parent_ids.first()) {
            let (unchanged, others) = self.unchanged(id, left);
            left = others;
            push(&mut step, (parent.seconds, *first), unchanged);
        }
        if left.is_empty() {
            return Ok(step);
        }
        self.read += 1;
        let own_id = self.directory(&node.tree_id, 0)?;
        for (parent_id, parent) in &parents {
            let their_id = self.directory(&parent.tree_id, 0)?;
            let same = if own_id == their_id {
                std::mem::take(&mut left)
            } else {
                let (own, theirs) = (self.entries(own_id)?, self.entries(their_id)?);
                let is_same = |name: &BString| own.get(name) == theirs.get(name);
                let (same, others) = left.into_iter().partition(is_same);
                left = others;
                same
            };
            push(&mut step, (parent.seconds, *parent_id), same);
        }
        step.settled = left;
        Ok(step)
    }

    /// Goes from a commit along first parents, past those that surely changed none of the names; none, if it may have
    /// itself.
    fn pass(
        &mut self,
        id: &oid,
        names: &[BString],
        end: Option<ObjectId>,
        commits_max: usize,
    ) -> Option<(i64, ObjectId)> {
        let graph = self.repository.objects.commit_graph()?;
        let passed = if names.len() > NAMES_ASKED_FOR_MAX {
            // Any commit may have changed the root.
            graph.pass(id, &[&self.own_keys], end.as_deref(), commits_max)
        } else {
            names.iter().for_each(|name| self.learn(name));
            let keys: Vec<&PathKeys> = names.iter().map(|name| &self.keys[name]).collect();
            graph.pass(id, &keys, end.as_deref(), commits_max)
        }?;
        self.passed += passed.commits;
        Some((passed.date, passed.id))
    }

    /// Splits names into those that a commit surely did not change, and the others.
    fn unchanged(&mut self, id: &oid, names: Vec<BString>) -> (Vec<BString>, Vec<BString>) {
        let Some(graph) = self.repository.objects.commit_graph() else { return (Vec::new(), names) };
        names.into_iter().partition(|name| {
            self.learn(name);
            !graph.may_have_changed(id, &self.keys[name])
        })
    }

    /// Makes the keys of an entry, for filters.
    fn learn(&mut self, name: &BString) {
        if !self.keys.contains_key(name) {
            let full = match self.path.is_empty() {
                true => name.to_vec(),
                false => bstr::join("/", [self.path, name.as_bstr()]),
            };
            self.keys.insert(name.clone(), PathKeys::new(&full));
        }
    }

    /// The parents that are there: in a shallow repository, some are not.
    fn parents(&self, child: &Node) -> Result<Vec<(ObjectId, Node)>, Error> {
        let parents =
            child.parent_ids.iter().map(|id| Ok(Node::find(self.repository, id)?.map(|node| (*id, node))));
        parents.filter_map(Result::transpose).collect()
    }

    /// The tree at the path's part from the byte `from` on, below a tree.
    fn directory(&mut self, tree_id: &oid, from: usize) -> Result<Option<ObjectId>, Error> {
        if from >= self.path.len() {
            return Ok(Some(tree_id.to_owned()));
        }
        let key = (tree_id.to_owned(), from);
        if let Some(known) = self.directories.get(&key) {
            return Ok(*known);
        }
        let rest = &self.path[from..];
        let end = rest.find_byte(b'/').unwrap_or(rest.len());
        let found = match self.repository.entry_at(tree_id, rest[..end].as_bstr())? {
            Some(entry) if entry.is_tree() => self.directory(&entry.id, from + end + 1)?,
            _ => None,
        };
        self.directories.insert(key, found);
        Ok(found)
    }

    fn entries(&mut self, id: Option<ObjectId>) -> Result<Rc<Entries>, Error> {
        let Some(id) = id else { return Ok(Rc::default()) };
        if let Some((_, entries)) = self.listings.iter().find(|(known, _)| *known == id) {
            return Ok(entries.clone());
        }
        let entries = self.repository.tree(&id)?.into_iter();
        let entries: Rc<Entries> =
            Rc::new(entries.map(|entry| (entry.name, (entry.mode.kind(), entry.id))).collect());
        self.listings.push_front((id, entries.clone()));
        self.listings.truncate(LISTINGS_KEPT_MAX);
        Ok(entries)
    }
}

fn push(step: &mut Step, parent: (i64, ObjectId), names: Vec<BString>) {
    if !names.is_empty() {
        step.passed_on.push((parent, names));
    }
}
