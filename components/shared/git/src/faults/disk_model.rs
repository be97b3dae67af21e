//! What is certain to be on a disk, and what else may be.

use super::recording::Step;
use crate::listing;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The files and directories below a directory.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    /// None: a directory.
    entries: BTreeMap<PathBuf, Option<Rc<Vec<u8>>>>,
}

impl Tree {
    /// Reads what lies below a directory.
    pub fn read(root: &Path) -> Self {
        let mut tree = Self::default();
        tree.add(root, Path::new(""));
        tree
    }

    fn add(&mut self, root: &Path, below: &Path) {
        for entry in listing::list(&root.join(below)).expect("it can be listed") {
            let path = below.join(&entry.name);
            if entry.is_directory {
                self.entries.insert(path.clone(), None);
                self.add(root, &path);
            } else {
                let bytes = fs::read(root.join(&path)).expect("it can be read");
                self.entries.insert(path, Some(Rc::new(bytes)));
            }
        }
    }

    /// Stands for the tree among others, as far as it matters.
    pub fn digest(&self, matters: impl Fn(&Path) -> bool) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.entries.iter().filter(|(path, _)| matters(path)).for_each(|entry| entry.hash(&mut hasher));
        hasher.finish()
    }

    fn write(&self, root: &Path) {
        for (path, contents) in &self.entries {
            match contents {
                None => fs::create_dir_all(root.join(path)).expect("it can be made"),
                Some(bytes) => fs::write(root.join(path), &**bytes).expect("it can be written"),
            }
        }
    }
}

/// A state that a disk may be left in.
pub struct Crash {
    /// After how many changes the power went.
    pub moment: usize,
    /// How many acknowledgements there were by then.
    pub acknowledged: usize,
    pub(super) tree: Tree,
}

impl Crash {
    /// Puts what the disk holds below a directory.
    pub fn write(&self, root: &Path) {
        self.tree.write(root);
    }
}

type Node = usize;
/// A name in a directory.
type Place = (Node, OsString);

const ROOT: Node = 0;

/// A file, or a directory, whatever its names.
#[derive(Debug, Default, Clone)]
struct Inode {
    is_directory: bool,
    /// What is certain to be in it: the names of a directory,
    names: BTreeMap<OsString, Node>,
    /// or the contents of a file.
    synced: Rc<Vec<u8>>,
    /// What a file holds as long as the power stays.
    live: Rc<Vec<u8>>,
}

/// A change of names that is not certain to be on disk.
#[derive(Debug, Clone)]
struct Change {
    /// What is under each name from then on.
    places: Vec<(Place, Option<Node>)>,
    /// The directory that has to be synced for it to be certain.
    directory: Node,
}

impl Change {
    fn shares_a_name_with(&self, other: &Change) -> bool {
        self.places.iter().any(|(place, _)| other.places.iter().any(|(theirs, _)| place == theirs))
    }
}

/// What is made of the contents of files that were not synced.
#[derive(Debug, Clone, Copy)]
enum Contents {
    Lost,
    Written,
    Cut,
    Zeros,
}

/// A disk that is written to.
pub(super) struct Disk {
    nodes: Vec<Inode>,
    pending: Vec<Change>,
    handles: HashMap<u64, Node>,
}

/// Of so many changes that are not certain, every subset is tried.
const SUBSETS_OF_MAX: usize = 4;

impl Disk {
    /// A disk on which all of a tree is certain.
    pub fn new(tree: &Tree) -> Self {
        let root = Inode { is_directory: true, ..Inode::default() };
        let mut disk = Self { nodes: vec![root], pending: Vec::new(), handles: HashMap::new() };
        for (path, contents) in &tree.entries {
            let (parent, name) = disk.place(path);
            let node = disk.add(contents.clone());
            disk.nodes[node].synced = disk.nodes[node].live.clone();
            disk.nodes[parent].names.insert(name, node);
        }
        disk
    }

    fn add(&mut self, contents: Option<Rc<Vec<u8>>>) -> Node {
        let is_directory = contents.is_none();
        self.nodes.push(Inode { is_directory, live: contents.unwrap_or_default(), ..Inode::default() });
        self.nodes.len() - 1
    }

    /// The directory that a path leads to, and the name in it.
    fn place(&self, path: &Path) -> Place {
        let name = path.file_name().expect("the root is not changed").to_owned();
        let parent = path.parent().expect("a path with a name has a parent");
        (self.find(parent).expect("it lies in a directory that is there"), name)
    }

    /// What is at a path as long as the power stays.
    fn find(&self, path: &Path) -> Option<Node> {
        let mut node = ROOT;
        for name in path {
            let changed = self.pending.iter().rev().find_map(|change| {
                change.places.iter().find(|((parent, other), _)| *parent == node && other == name)
            });
            node = match changed {
                Some((_, now)) => (*now)?,
                None => *self.nodes[node].names.get(name)?,
            };
        }
        Some(node)
    }

    pub fn make(&mut self, step: &Step) {
        match step {
            Step::Open { path, handle, is_emptied } => {
                let node = match self.find(path) {
                    Some(node) => node,
                    None => {
                        let node = self.add(Some(Rc::default()));
                        self.change(vec![(self.place(path), Some(node))]);
                        node
                    }
                };
                if *is_emptied {
                    self.nodes[node].live = Rc::default();
                }
                self.handles.insert(*handle, node);
            }
            Step::Write { handle, bytes, offset } => {
                let live = Rc::make_mut(&mut self.nodes[self.handles[handle]].live);
                let offset = *offset as usize;
                live.resize(live.len().max(offset + bytes.len()), 0);
                live[offset..offset + bytes.len()].copy_from_slice(bytes);
            }
            Step::Sync { handle } => {
                let node = &mut self.nodes[self.handles[handle]];
                node.synced = node.live.clone();
            }
            Step::Rename { from, to } => {
                let node = self.find(from);
                self.change(vec![(self.place(from), None), (self.place(to), node)]);
            }
            Step::Link { from, to } => self.change(vec![(self.place(to), self.find(from))]),
            Step::Remove { path } => self.change(vec![(self.place(path), None)]),
            Step::CreateDir { path } => {
                let place = self.place(path);
                let node = self.add(None);
                self.change(vec![(place, Some(node))]);
            }
            Step::SyncDir { path } => {
                let directory = self.find(path).expect("it was opened");
                self.settle(directory);
            }
            Step::Nothing => {}
        }
    }

    /// Names change, the last one being the one that a sync has to reach.
    fn change(&mut self, places: Vec<(Place, Option<Node>)>) {
        let directory = places.last().expect("a change changes something").0.0;
        self.pending.push(Change { places, directory });
    }

    /// A directory is synced: what was changed in it is certain, and what came before at the same names.
    fn settle(&mut self, directory: Node) {
        let wanted: BTreeSet<usize> =
            (0..self.pending.len()).filter(|&index| self.pending[index].directory == directory).collect();
        let settled = self.with_earlier(wanted);
        for (index, change) in std::mem::take(&mut self.pending).into_iter().enumerate() {
            match settled.contains(&index) {
                true => apply(&mut self.nodes, &change),
                false => self.pending.push(change),
            }
        }
    }

    /// Adds the changes that have to have happened before those of a set: to the same names.
    fn with_earlier(&self, mut set: BTreeSet<usize>) -> BTreeSet<usize> {
        for index in (0..self.pending.len()).rev() {
            let is_needed = set
                .range(index + 1..)
                .any(|later| self.pending[*later].shares_a_name_with(&self.pending[index]));
            if is_needed {
                set.insert(index);
            }
        }
        set
    }

    /// What may be found after a loss of power at this moment.
    pub fn trees(&self) -> Vec<Tree> {
        let sets: BTreeSet<BTreeSet<usize>> =
            self.subsets().into_iter().map(|set| self.with_earlier(set)).collect();
        let contents = [Contents::Lost, Contents::Written, Contents::Cut, Contents::Zeros];
        let mut trees = Vec::new();
        for set in sets {
            let mut nodes = self.nodes.clone();
            set.iter().for_each(|&index| apply(&mut nodes, &self.pending[index]));
            trees.extend(contents.iter().map(|contents| tree(&nodes, *contents)));
        }
        trees
    }

    /// Which of the changes that are not certain may have happened. All ways where there are few; else
    /// none, all, all up to one, all from one on, one alone, and all but one.
    fn subsets(&self) -> Vec<BTreeSet<usize>> {
        let count = self.pending.len();
        if count <= SUBSETS_OF_MAX {
            let members = |bits: u32| (0..count).filter(|index| bits & 1 << index != 0).collect();
            return (0..1 << count).map(members).collect();
        }
        let mut sets = vec![BTreeSet::new(), (0..count).collect()];
        for index in 0..count {
            sets.push((0..index).collect());
            sets.push((index..count).collect());
            sets.push([index].into());
            sets.push((0..count).filter(|other| *other != index).collect());
        }
        sets
    }

    /// What is there as long as the power stays.
    pub fn live(&self) -> Tree {
        let mut nodes = self.nodes.clone();
        self.pending.iter().for_each(|change| apply(&mut nodes, change));
        tree(&nodes, Contents::Written)
    }
}

fn apply(nodes: &mut [Inode], change: &Change) {
    for ((parent, name), node) in &change.places {
        match node {
            Some(node) => nodes[*parent].names.insert(name.clone(), *node),
            None => nodes[*parent].names.remove(name),
        };
    }
}

fn tree(nodes: &[Inode], contents: Contents) -> Tree {
    let mut tree = Tree::default();
    let mut left = vec![(ROOT, PathBuf::new())];
    while let Some((node, path)) = left.pop() {
        for (name, child) in &nodes[node].names {
            let path = path.join(name);
            let inode = &nodes[*child];
            if inode.is_directory {
                left.push((*child, path.clone()));
                tree.entries.insert(path, None);
            } else {
                tree.entries.insert(path, Some(inode.contents(contents)));
            }
        }
    }
    tree
}

impl Inode {
    fn contents(&self, contents: Contents) -> Rc<Vec<u8>> {
        if self.synced == self.live {
            return self.live.clone();
        }
        match contents {
            Contents::Lost => self.synced.clone(),
            Contents::Written => self.live.clone(),
            Contents::Cut => Rc::new(self.live[..self.live.len() / 2].to_vec()),
            Contents::Zeros => {
                let mut bytes = vec![0; self.live.len()];
                let kept = self.synced.len().min(bytes.len());
                bytes[..kept].copy_from_slice(&self.synced[..kept]);
                Rc::new(bytes)
            }
        }
    }
}
