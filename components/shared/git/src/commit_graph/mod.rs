//! Commit-graphs (gitformat-commit-graph): what walks need of commits, in tables.
//!
//! One file, `objects/info/commit-graph`, or a chain of them in `objects/info/commit-graphs`. They
//! hold nothing that is not in the commits too: where one is missing, stale or damaged, commits are
//! read instead.

mod changes;
mod filter;
mod lately;
mod layer;
mod write;

#[cfg(test)]
mod tests;

pub use filter::PathKeys;
pub use write::{Error, OnProgress, Written, write};

use filter::{Filters, HashVersion};
use gix_hash::{ObjectId, oid};
use lately::Lately;
use layer::{Layer, ParentRef};
use std::fs;
use std::io::Read as _;
use std::path::Path;

/// How many files a chain may have. Git merges them long before.
const LAYERS_MAX: usize = 64;
/// The longest list of a chain's files that is read, in bytes.
const CHAIN_BYTES_MAX: u64 = 64 * 1024;
/// How many parents of one commit are followed through the graph; one with more is read itself.
const PARENTS_MAX: usize = 10_000;

/// A commit as the graph has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub tree: ObjectId,
    pub parents: Vec<ObjectId>,
    /// Of the committer, in seconds since 1970-01-01T00:00:00Z.
    pub date: i64,
    /// The corrected commit date: greater than that of every commit it reaches. None: the graph
    /// was written without.
    pub generation: Option<u64>,
}

/// Where a way along first parents has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    pub id: ObjectId,
    /// Of the committer, in seconds since 1970-01-01T00:00:00Z.
    pub date: i64,
    /// How many commits were passed by.
    pub commits: usize,
}

/// The commit-graph of a repository.
pub struct CommitGraph {
    layers: Vec<Layer>,
    has_generations: bool,
    lately: Lately,
}

impl CommitGraph {
    /// Opens the graph of an object directory. None: there is none that can be read.
    pub fn open(objects_dir: &Path, hash: gix_hash::Kind) -> Option<Self> {
        let info = objects_dir.join("info");
        let mut layers = Vec::new();
        match Layer::open(&info.join("commit-graph"), hash, 0) {
            Some(layer) => layers.push(layer),
            None => {
                for name in chain(&info.join("commit-graphs/commit-graph-chain"))? {
                    let first = layers.last().map_or(0, Layer::end);
                    let path = info.join(format!("commit-graphs/graph-{name}.graph"));
                    layers.push(Layer::open(&path, hash, first)?);
                }
            }
        }
        let is_sound = layers.iter().enumerate().all(|(index, layer)| layer.bases() == index);
        let has_generations = layers.iter().all(Layer::has_generations);
        (is_sound && !layers.is_empty()).then(|| Self { layers, has_generations, lately: Lately::default() })
    }

    /// How many commits it has.
    pub fn len(&self) -> u32 {
        self.layers.last().map_or(0, Layer::end)
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of its commits can tell which paths they did not change.
    pub fn filters(&self) -> u32 {
        let with_filters = self.layers.iter().filter(|layer| layer.filters().is_some());
        with_filters.map(|layer| layer.end() - layer.first()).sum()
    }

    /// Whether a commit may have changed what stands at a path in its first parent's tree or, where it
    /// has no parent, may have put something there. False is certain; where nothing is known, it is true.
    pub fn may_have_changed(&self, id: &oid, path: &PathKeys) -> bool {
        let Some((layer, position)) = self.find(id) else { return true };
        layer.filters().is_none_or(|filters| filters.may_contain(position, path))
    }

    /// Goes from a commit to its first parent and on, as long as a commit surely changed none of the paths: past so
    /// many commits, and not past `end`. None: it comes no further than where it begins.
    pub fn pass(
        &self,
        id: &oid,
        paths: &[&PathKeys],
        end: Option<&oid>,
        commits_max: usize,
    ) -> Option<Passed> {
        let number = |id: &oid| self.find(id).map(|(layer, position)| layer.first() + position);
        let (mut at, end) = (number(id)?, end.and_then(number));
        let mut commits = 0;
        while commits < commits_max && Some(at) != end {
            let (layer, position) = self.place(at)?;
            let is_unchanged = layer
                .filters()
                .is_some_and(|filters| paths.iter().all(|path| !filters.may_contain(position, path)));
            let Some(parent) = is_unchanged.then(|| layer.first_parent(position)).flatten() else { break };
            at = parent;
            commits += 1;
        }
        if commits == 0 {
            return None;
        }
        let (layer, position) = self.place(at)?;
        Some(Passed { id: self.id(at)?, date: layer.row(position)?.date, commits })
    }

    /// The filter of a commit, if there is one made as those that are written here.
    fn filter(&self, id: &oid, version: HashVersion) -> Option<Vec<u8>> {
        let (layer, position) = self.find(id)?;
        let filters = layer.filters().filter(|filters| filters.are_like_ours(version))?;
        filters.get(position)
    }

    /// How the paths in its filters are hashed; none: it has none.
    fn hash_version(&self) -> Option<HashVersion> {
        self.layers.iter().find_map(Layer::filters).map(Filters::version)
    }

    /// Whether each of its files ends with the checksum of what is in it.
    fn is_intact(&self) -> bool {
        self.layers.iter().all(Layer::is_intact)
    }

    /// The file that has a commit, and where in it.
    fn find(&self, id: &oid) -> Option<(&Layer, u32)> {
        if let Some(number) = self.lately.find(id) {
            return self.place(number);
        }
        let (layer, position) =
            self.layers.iter().rev().find_map(|layer| Some((layer, layer.position(id)?)))?;
        self.lately.note(id, layer.first() + position);
        Some((layer, position))
    }

    /// The file that has the commit of a number, and where in it.
    fn place(&self, number: u32) -> Option<(&Layer, u32)> {
        let layer = self.layers.iter().find(|layer| number < layer.end())?;
        Some((layer, number - layer.first()))
    }

    /// A commit; none: it is not in the graph, or what the graph has of it makes no sense.
    pub fn get(&self, id: &oid) -> Option<Node> {
        let (layer, position) = self.find(id)?;
        let row = layer.row(position)?;
        let mut parents = Vec::new();
        for parent in row.parents {
            match parent {
                ParentRef::None => {}
                ParentRef::Position(number) => parents.push(self.id(number)?),
                ParentRef::List(index) => {
                    for number in layer.edges(index, PARENTS_MAX)? {
                        parents.push(self.id(number)?);
                    }
                }
            }
        }
        let generation = match self.has_generations {
            true => Some(layer.generation(position, row.date)?),
            false => None,
        };
        Some(Node { tree: row.tree, parents, date: row.date, generation })
    }

    fn id(&self, number: u32) -> Option<ObjectId> {
        let (layer, position) = self.place(number)?;
        let id = layer.id(position)?;
        // Whoever comes to a commit goes on to its parents.
        self.lately.note(&id, number);
        Some(id)
    }
}

/// The names in a chain's list, the oldest first.
fn chain(path: &Path) -> Option<Vec<String>> {
    let mut text = String::new();
    fs::File::open(path).ok()?.take(CHAIN_BYTES_MAX).read_to_string(&mut text).ok()?;
    let names: Vec<String> = text.lines().map(str::to_owned).collect();
    let are_names = names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_hexdigit()));
    (are_names && names.len() <= LAYERS_MAX).then_some(names)
}
