//! Writing a commit-graph.

use super::filter::{self, HashVersion};
use super::layer::{DATE_BITS, IS_LIST, IS_OVERFLOW, NO_PARENT, hash_version};
use super::{CommitGraph, changes};
use crate::chunks;
use crate::durable;
use crate::odb::{self, Store};
use crate::walk::Commit;
use gix_hash::ObjectId;
use std::collections::HashMap;
use std::io;

/// Levels end here, in commits.
const LEVEL_MAX: u32 = (1 << 30) - 1;
/// How many commits are compared with their parents between two words on progress.
const COMPARED_AT_ONCE: usize = 64;
/// The filters of all commits are numbered by 32 bits, in bytes.
const FILTERS_BYTES_MAX: u64 = u32::MAX as u64;

/// Why a graph was not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] odb::Error),
    #[error("cannot write the commit-graph: {0}")]
    Io(#[from] io::Error),
    #[error("it was stopped")]
    Stopped,
}

/// Hears of how many commits it is known what they changed, of how many; false stops the writing.
pub type OnProgress<'a> = &'a mut dyn FnMut(u64, u64) -> bool;

/// What became of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was written, with so many commits.
    Graph { commits: u32 },
    /// The history cannot be said in the format: its dates are before 1970 or past 2514.
    NotExpressible,
}

struct Node {
    id: ObjectId,
    commit: Commit,
    /// Whether it waits for its parents; a damaged commit might wait for itself.
    is_begun: bool,
    /// 0: it is not known yet.
    level: u32,
    generation: u64,
}

/// Writes `objects/info/commit-graph` with every commit that `tips`, all of them commits, reach, and
/// with the filters of the paths that each changed. The file replaces whatever graph there was, at once.
///
/// Filters are taken over from the graph that is there, if that is intact. Nothing else is.
pub fn write(
    store: &Store,
    hash: gix_hash::Kind,
    tips: &[ObjectId],
    on_progress: OnProgress,
) -> Result<Written, Error> {
    let mut nodes = collect(store, tips)?;
    nodes.sort_unstable_by_key(|node| node.id);
    let positions: HashMap<ObjectId, u32> =
        nodes.iter().enumerate().map(|(position, node)| (node.id, position as u32)).collect();
    let dates = 0..1 << DATE_BITS;
    if nodes.len() as u64 >= u64::from(NO_PARENT)
        || nodes.iter().any(|node| !dates.contains(&node.commit.date))
    {
        return Ok(Written::NotExpressible);
    }
    number(&mut nodes, &positions);
    let before = CommitGraph::open(store.objects_dir(), hash).filter(CommitGraph::is_intact);
    let (filters, version) = filters(store, &nodes, &positions, before.as_ref(), on_progress)?;
    let mut bytes = encode(&nodes, &positions, filter::chunks(&filters, version), hash);
    durable::append_checksum(&mut bytes, hash)?;
    let info = store.objects_dir().join("info");
    durable::create_directories(&info)?;
    durable::replace_file(&info.join("commit-graph"), &bytes)?;
    Ok(Written::Graph { commits: nodes.len() as u32 })
}

fn collect(store: &Store, tips: &[ObjectId]) -> Result<Vec<Node>, Error> {
    let mut seen: std::collections::HashSet<ObjectId> = tips.iter().copied().collect();
    let mut stack: Vec<ObjectId> = seen.iter().copied().collect();
    let mut nodes = Vec::new();
    while let Some(id) = stack.pop() {
        let commit = Commit::read(store, &id)?;
        stack.extend(commit.parents.iter().filter(|parent| seen.insert(**parent)));
        nodes.push(Node { id, commit, is_begun: false, level: 0, generation: 0 });
    }
    Ok(nodes)
}

/// Gives every commit a level and a corrected date above those of its parents.
fn number(nodes: &mut [Node], positions: &HashMap<ObjectId, u32>) {
    let mut stack: Vec<u32> = (0..nodes.len() as u32).collect();
    while let Some(position) = stack.pop() {
        let node = &nodes[position as usize];
        if node.level != 0 {
            continue;
        }
        let parents = || node.commit.parents.iter().map(|parent| positions[parent]);
        if !node.is_begun {
            let is_new =
                |parent: &u32| nodes[*parent as usize].level == 0 && !nodes[*parent as usize].is_begun;
            let waits_for: Vec<u32> = parents().filter(is_new).collect();
            nodes[position as usize].is_begun = true;
            stack.push(position);
            stack.extend(waits_for);
            continue;
        }
        let above = |(level, generation): (u32, u64), parent: u32| {
            let parent = &nodes[parent as usize];
            (level.max(parent.level), generation.max(parent.generation + 1))
        };
        let (level, generation) = parents().fold((0, 0), above);
        let node = &mut nodes[position as usize];
        node.level = (level + 1).min(LEVEL_MAX);
        node.generation = generation.max(node.commit.date as u64);
    }
}

/// The filter of each commit, of the version that the graph before has.
fn filters(
    store: &Store,
    nodes: &[Node],
    positions: &HashMap<ObjectId, u32>,
    before: Option<&CommitGraph>,
    on_progress: OnProgress,
) -> Result<(Vec<Vec<u8>>, HashVersion), Error> {
    let version = before.and_then(CommitGraph::hash_version).unwrap_or(HashVersion::One);
    let mut filters = vec![Vec::new(); nodes.len()];
    let mut bytes = 0;
    let mut compared = 0;
    // Trees that were read are those of the next commit's parent, if commits are taken by their dates.
    let mut by_date: Vec<usize> = (0..nodes.len()).collect();
    by_date.sort_by_key(|index| (nodes[*index].generation, *index));
    for (done, index) in by_date.into_iter().enumerate() {
        let Node { id, commit, .. } = &nodes[index];
        let known = before.and_then(|graph| graph.filter(id, version));
        let filter = match known {
            Some(filter) => filter,
            None => {
                if compared % COMPARED_AT_ONCE == 0 && !on_progress(done as u64, nodes.len() as u64) {
                    return Err(Error::Stopped);
                }
                compared += 1;
                let parent =
                    commit.parents.first().map(|parent| nodes[positions[parent] as usize].commit.tree);
                let paths = changes::between(store, parent.as_deref(), &commit.tree)?;
                filter::encode(paths.as_ref(), version)
            }
        };
        bytes += filter.len() as u64;
        if bytes > FILTERS_BYTES_MAX {
            // What follows is not known: it is asked of the commits.
            break;
        }
        filters[index] = filter;
    }
    Ok((filters, version))
}

fn encode(
    nodes: &[Node],
    positions: &HashMap<ObjectId, u32>,
    [filter_ends, filter_data]: [Vec<u8>; 2],
    hash: gix_hash::Kind,
) -> Vec<u8> {
    let (mut rows, mut edges) = (Vec::new(), Vec::new());
    let (mut generations, mut large_generations) = (Vec::new(), Vec::new());
    for node in nodes {
        rows.extend_from_slice(node.commit.tree.as_slice());
        let parents: Vec<u32> = node.commit.parents.iter().map(|parent| positions[parent]).collect();
        let second = match parents.len() {
            0 | 1 => NO_PARENT,
            2 => parents[1],
            _ => {
                let list = (edges.len() / 4) as u32 | IS_LIST;
                let last = parents.len() - 1;
                for (index, parent) in parents.iter().enumerate().skip(1) {
                    let mark = if index == last { IS_LIST } else { 0 };
                    edges.extend_from_slice(&(parent | mark).to_be_bytes());
                }
                list
            }
        };
        rows.extend_from_slice(&parents.first().copied().unwrap_or(NO_PARENT).to_be_bytes());
        rows.extend_from_slice(&second.to_be_bytes());
        let date = node.commit.date as u64;
        rows.extend_from_slice(&(u64::from(node.level) << DATE_BITS | date).to_be_bytes());
        let offset = node.generation - date;
        let small = match u32::try_from(offset) {
            Ok(small) if small & IS_OVERFLOW == 0 => small,
            _ => {
                large_generations.extend_from_slice(&offset.to_be_bytes());
                (large_generations.len() / 8 - 1) as u32 | IS_OVERFLOW
            }
        };
        generations.extend_from_slice(&small.to_be_bytes());
    }
    let ids: Vec<u8> = nodes.iter().flat_map(|node| node.id.as_slice()).copied().collect();
    let mut chunks =
        vec![(*b"OIDF", fanout(nodes)), (*b"OIDL", ids), (*b"CDAT", rows), (*b"GDA2", generations)];
    chunks.extend((!large_generations.is_empty()).then_some((*b"GDO2", large_generations)));
    chunks.extend((!edges.is_empty()).then_some((*b"EDGE", edges)));
    chunks.extend([(*b"BIDX", filter_ends), (*b"BDAT", filter_data)]);
    let mut bytes = Vec::new();
    bytes.extend_from_slice(b"CGPH\x01");
    bytes.extend_from_slice(&[hash_version(hash), chunks.len() as u8, 0]);
    let head_len = bytes.len() as u64;
    chunks::write(&mut bytes, head_len, &chunks);
    bytes
}

fn fanout(nodes: &[Node]) -> Vec<u8> {
    let counts = (0..=u8::MAX).map(|first| nodes.partition_point(|node| node.id.as_slice()[0] <= first));
    counts.flat_map(|count| (count as u32).to_be_bytes()).collect()
}
