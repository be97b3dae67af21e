//! How two commits are related: what each has that the other lacks, and where their histories meet.

use crate::limits::RELATED_COMMITS_MAX;
use crate::repository::{Error, Repository};
use gix_hash::ObjectId;
use std::collections::{BinaryHeap, HashMap, HashSet};

/// What two commits, the base and the head, have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relation {
    /// The commits that the head reaches and the base does not, the latest first.
    pub ahead: Vec<ObjectId>,
    /// How many commits the base reaches and the head does not.
    pub behind: usize,
    /// The best common ancestors, as `git merge-base --all` tells. Sorted; none if the histories have
    /// nothing in common.
    pub merge_bases: Vec<ObjectId>,
    /// Whether the limit of commits to look at was reached: then nothing of this is certain.
    pub is_cut: bool,
    /// Whether commits were missing, beyond where a repository is cut off: all this holds until they come.
    pub has_gaps: bool,
}

/// How far a commit, the head, is from another, the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distance {
    /// How many commits the head reaches and the base does not.
    pub ahead: usize,
    /// How many commits the base reaches and the head does not.
    pub behind: usize,
}

const BASE: u8 = 1;
const HEAD: u8 = 2;
/// Below a common ancestor.
const BELOW: u8 = 4;

/// What is known of a commit on the way.
struct Node {
    parent_ids: Vec<ObjectId>,
    /// A commit comes before all that it reaches: first by this, where the commit-graph knows it.
    order: (u64, i64),
    paint: u8,
    /// The paint that its parents have got.
    passed_on: u8,
    is_queued: bool,
}

struct Walk<'a> {
    repository: Repository<'a>,
    nodes: HashMap<ObjectId, Node>,
    queue: BinaryHeap<((u64, i64), ObjectId)>,
    /// How many in the queue are not below a common ancestor.
    open: usize,
    has_gaps: bool,
}

/// Finds out how `head` relates to `base`.
///
/// It looks at the commits down to where the histories meet, and not beyond. Where clocks go wrong and the
/// commit-graph does not know the commits, more may count as ahead or behind than there are, as in Git.
pub fn relation(repository: Repository<'_>, base: ObjectId, head: ObjectId) -> Result<Relation, Error> {
    relation_within(repository, base, head, &mut { RELATED_COMMITS_MAX })
}

/// Finds out how far `head` is from `base`, if that was not found before. None: there were not enough commits left to
/// look at.
pub fn distance_within(
    repository: Repository<'_>,
    base: ObjectId,
    head: ObjectId,
    commits_left: &mut usize,
) -> Result<Option<Distance>, Error> {
    let memory = repository.objects.memory();
    if let Some(known) = memory.and_then(|memory| memory.distance(base, head)) {
        return Ok(Some(known));
    }
    let relation = relation_within(repository, base, head, commits_left)?;
    if relation.is_cut {
        return Ok(None);
    }
    let distance = Distance { ahead: relation.ahead.len(), behind: relation.behind };
    if let Some(memory) = memory {
        memory.keep_distance(base, head, distance);
    }
    Ok(Some(distance))
}

/// As [`relation`], with so many commits to look at, which it takes those from that it looked at.
pub fn relation_within(
    repository: Repository<'_>,
    base: ObjectId,
    head: ObjectId,
    commits_left: &mut usize,
) -> Result<Relation, Error> {
    if base == head {
        return Ok(Relation { merge_bases: vec![base], ..Relation::default() });
    }
    let mut walk =
        Walk { repository, nodes: HashMap::new(), queue: BinaryHeap::new(), open: 0, has_gaps: false };
    walk.paint(base, BASE)?;
    walk.paint(head, HEAD)?;
    let mut meetings = Vec::new();
    while walk.open > 0 {
        if walk.nodes.len() > *commits_left {
            *commits_left = 0;
            return Ok(Relation { is_cut: true, ..Relation::default() });
        }
        let Some((_, id)) = walk.queue.pop() else { break };
        let node = walk.nodes.get_mut(&id).expect("what is queued has a node");
        node.is_queued = false;
        walk.open -= usize::from(node.paint & BELOW == 0);
        let mut passed = node.paint;
        if node.paint & (BASE | HEAD) == BASE | HEAD {
            if node.paint & BELOW == 0 {
                meetings.push(id);
            }
            passed |= BELOW;
        }
        if node.passed_on == passed {
            continue;
        }
        node.passed_on = passed;
        for parent in node.parent_ids.clone() {
            walk.paint(parent, passed)?;
        }
    }
    *commits_left = commits_left.saturating_sub(walk.nodes.len());
    let mut ahead: Vec<_> = walk.nodes.iter().filter(|(_, node)| node.paint == HEAD).collect();
    ahead.sort_by(|a, b| (b.1.order.1, b.1.order.0, b.0).cmp(&(a.1.order.1, a.1.order.0, a.0)));
    let behind = walk.nodes.values().filter(|node| node.paint == BASE).count();
    let ahead = ahead.into_iter().map(|(id, _)| *id).collect();
    meetings.retain(|id| walk.nodes[id].paint & BELOW == 0);
    meetings.sort();
    meetings.dedup();
    let Some(merge_bases) = without_reached(repository, meetings, commits_left)? else {
        return Ok(Relation { is_cut: true, ..Relation::default() });
    };
    Ok(Relation { ahead, behind, merge_bases, is_cut: false, has_gaps: walk.has_gaps })
}

impl Walk<'_> {
    fn paint(&mut self, id: ObjectId, paint: u8) -> Result<(), Error> {
        if !self.nodes.contains_key(&id) {
            let Some((parent_ids, order)) = read(self.repository, id)? else {
                self.has_gaps = true;
                return Ok(());
            };
            let node = Node { parent_ids, order, paint: 0, passed_on: 0, is_queued: false };
            self.nodes.insert(id, node);
        }
        let node = self.nodes.get_mut(&id).expect("it was just put there");
        let (before, after) = (node.paint, node.paint | paint);
        if before == after {
            return Ok(());
        }
        node.paint = after;
        let is_open = after & BELOW == 0;
        if !node.is_queued {
            node.is_queued = true;
            self.open += usize::from(is_open);
            self.queue.push((node.order, id));
        } else if before & BELOW == 0 && !is_open {
            self.open -= 1;
        }
        Ok(())
    }
}

/// A commit's parents and place in the order; none if it is not there, beyond where a repository is cut off.
fn read(repository: Repository<'_>, id: ObjectId) -> Result<Option<(Vec<ObjectId>, (u64, i64))>, Error> {
    if let Some(node) = repository.objects.commit_graph().and_then(|graph| graph.get(&id)) {
        return Ok(Some((node.parents, (node.generation.unwrap_or(0), node.date))));
    }
    match repository.commit(&id) {
        Ok(commit) => Ok(Some((commit.parent_ids, (u64::MAX, commit.committer.seconds)))),
        Err(Error::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Leaves out commits that another of them reaches, which wrong clocks may have left among them; none if
/// that takes more commits than there are left to look at.
fn without_reached(
    repository: Repository<'_>,
    mut ids: Vec<ObjectId>,
    commits_left: &mut usize,
) -> Result<Option<Vec<ObjectId>>, Error> {
    if ids.len() < 2 {
        return Ok(Some(ids));
    }
    let mut index = 0;
    while index < ids.len() {
        let mut is_reached = false;
        for other in (0..ids.len()).filter(|other| *other != index) {
            let Some(reaches) = reaches(repository, ids[other], ids[index], commits_left)? else {
                return Ok(None);
            };
            is_reached |= reaches;
        }
        match is_reached {
            true => drop(ids.remove(index)),
            false => index += 1,
        }
    }
    Ok(Some(ids))
}

/// Whether `from` reaches `to`; none if that takes more commits than there are left to look at. The
/// commit-graph's order spares the commits that cannot.
fn reaches(
    repository: Repository<'_>,
    from: ObjectId,
    to: ObjectId,
    commits_left: &mut usize,
) -> Result<Option<bool>, Error> {
    let Some((_, (floor, _))) = read(repository, to)? else { return Ok(Some(false)) };
    let floor = if floor == u64::MAX { 0 } else { floor };
    let mut seen = HashSet::from([from]);
    let mut queue = vec![from];
    while let Some(id) = queue.pop() {
        if id == to {
            return Ok(Some(true));
        }
        let Some(left) = commits_left.checked_sub(1) else { return Ok(None) };
        *commits_left = left;
        let Some((parent_ids, (generation, _))) = read(repository, id)? else { continue };
        if generation < floor {
            continue;
        }
        queue.extend(parent_ids.into_iter().filter(|parent| seen.insert(*parent)));
    }
    Ok(Some(false))
}
