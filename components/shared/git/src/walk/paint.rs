//! Telling the commits that the wants reach from those that the haves reach.

use super::commit::Commit;
use crate::odb::{Error, Store};
use gix_hash::ObjectId;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

/// The commits between wants and haves.
#[derive(Default)]
pub struct Painted {
    /// Those that are wanted and not had: first those with a parent that is had, the latest first,
    /// which show most of what is had; then the others, each after its parents.
    pub wanted: Vec<(ObjectId, Arc<Commit>)>,
    /// Those that are had, as far as they were visited: every parent of a wanted commit is among
    /// `wanted` or here, or beyond the boundary.
    pub had: HashMap<ObjectId, Arc<Commit>>,
}

const WANT: u8 = 1;
const HAVE: u8 = 2;

struct Node {
    paint: u8,
    /// The paint that its parents have got.
    passed_on: u8,
    commit: Arc<Commit>,
}

struct Painter<'a> {
    store: &'a Store,
    nodes: HashMap<ObjectId, Node>,
    /// Commits whose parents are to be painted, by date.
    queue: BinaryHeap<(i64, ObjectId)>,
    /// How many commits in the queue are wanted and not had.
    interesting: usize,
    /// How many commits at all are wanted and not had, as far as is known.
    wanted: usize,
}

/// Paints from `wants` and from `haves`, all of them commits, until no more wanted commits are found.
///
/// Wants do not pass the commits of `boundary`, haves not those of `client_shallow`: their parents
/// are cut off. Clocks that go wrong can leave commits among the wanted that are had: a fetch is
/// then larger than it has to be, and still right.
pub fn paint(
    store: &Store,
    wants: &[ObjectId],
    haves: &[ObjectId],
    boundary: &HashSet<ObjectId>,
    client_shallow: &HashSet<ObjectId>,
) -> Result<Painted, Error> {
    let painted = paint_up_to(store, wants, haves, boundary, client_shallow, usize::MAX)?;
    Ok(painted.expect("there cannot be more commits"))
}

/// Like [`paint`] with nothing cut off from the haves, and right wherever clocks go wrong. That takes
/// looking at all that the haves reach, but for what the commit-graph knows to lie deeper than all that is
/// wanted.
pub fn paint_exactly(
    store: &Store,
    wants: &[ObjectId],
    haves: &[ObjectId],
    boundary: &HashSet<ObjectId>,
) -> Result<Painted, Error> {
    let mut painter = Painter::new(store, wants, haves)?;
    painter.run(boundary, &HashSet::new(), usize::MAX)?;
    painter.go_on_with_haves()?;
    Ok(painter.finish())
}

/// Like [`paint`]; none as soon as more than `wanted_max` commits are found that are wanted and, as far as
/// is known by then, not had.
pub fn paint_up_to(
    store: &Store,
    wants: &[ObjectId],
    haves: &[ObjectId],
    boundary: &HashSet<ObjectId>,
    client_shallow: &HashSet<ObjectId>,
    wanted_max: usize,
) -> Result<Option<Painted>, Error> {
    let mut painter = Painter::new(store, wants, haves)?;
    let is_done = painter.run(boundary, client_shallow, wanted_max)?;
    Ok(is_done.then(|| painter.finish()))
}

/// Puts commits behind their parents, as far as those are among them. Dates alone do not tell: clocks
/// go wrong.
fn parents_first(commits: Vec<(ObjectId, Arc<Commit>)>) -> Vec<(ObjectId, Arc<Commit>)> {
    let places: HashMap<ObjectId, usize> =
        commits.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
    let mut is_begun = vec![false; commits.len()];
    let mut ordered = Vec::with_capacity(commits.len());
    // The stack ends with what comes first; a commit that is begun comes once more, after its parents.
    let mut stack: Vec<usize> = (0..commits.len()).rev().collect();
    let mut is_done = vec![false; commits.len()];
    while let Some(place) = stack.pop() {
        if std::mem::replace(&mut is_begun[place], true) {
            if !std::mem::replace(&mut is_done[place], true) {
                ordered.push(commits[place].clone());
            }
            continue;
        }
        stack.push(place);
        let parents = commits[place].1.parents.iter().filter_map(|parent| places.get(parent));
        stack.extend(parents.filter(|parent| !is_begun[**parent]));
    }
    ordered
}

impl<'a> Painter<'a> {
    fn new(store: &'a Store, wants: &[ObjectId], haves: &[ObjectId]) -> Result<Self, Error> {
        let mut painter =
            Self { store, nodes: HashMap::new(), queue: BinaryHeap::new(), interesting: 0, wanted: 0 };
        for id in haves {
            painter.paint(id, HAVE)?;
        }
        for id in wants {
            painter.paint(id, WANT)?;
        }
        Ok(painter)
    }

    /// Tells apart what was painted.
    fn finish(self) -> Painted {
        let mut painted = Painted::default();
        for (id, node) in self.nodes {
            if node.paint & HAVE != 0 {
                painted.had.insert(id, node.commit);
            } else {
                painted.wanted.push((id, node.commit));
            }
        }
        painted.wanted.sort_unstable_by_key(|(id, commit)| (commit.date, *id));
        let is_next_to_had =
            |commit: &Commit| commit.parents.iter().any(|parent| painted.had.contains_key(parent));
        let (mut first, others): (Vec<_>, Vec<_>) =
            painted.wanted.into_iter().partition(|(_, commit)| is_next_to_had(commit));
        first.reverse();
        first.extend(parents_first(others));
        painted.wanted = first;
        painted
    }

    /// Paints from the haves that are left once all wanted commits are found: by their dates they can reach
    /// none of them.
    fn go_on_with_haves(&mut self) -> Result<(), Error> {
        let wanted = self.nodes.values().filter(|node| node.paint == WANT);
        let floor = wanted.map(|node| node.commit.generation.unwrap_or(0)).min();
        let Some(floor) = floor else { return Ok(()) };
        while let Some((_, id)) = self.queue.pop() {
            let node = self.nodes.get_mut(&id).expect("what is queued has a node");
            let is_new = node.paint & !node.passed_on & HAVE != 0;
            node.passed_on = node.paint;
            let commit = node.commit.clone();
            if is_new && commit.generation.is_none_or(|generation| generation > floor) {
                for parent in &commit.parents {
                    self.paint(parent, HAVE)?;
                }
            }
        }
        Ok(())
    }

    /// Paints what is queued and what that leads to; false: more than `wanted_max` commits are wanted.
    fn run(
        &mut self,
        boundary: &HashSet<ObjectId>,
        client_shallow: &HashSet<ObjectId>,
        wanted_max: usize,
    ) -> Result<bool, Error> {
        let mut oldest_wanted = i64::MAX;
        while let Some(&(date, id)) = self.queue.peek() {
            if self.wanted > wanted_max {
                return Ok(false);
            }
            // Haves older than every wanted commit cannot reach one, if clocks are right.
            if self.interesting == 0 && date < oldest_wanted {
                break;
            }
            self.queue.pop();
            let node = self.nodes.get_mut(&id).expect("what is queued has a node");
            let new_paint = node.paint & !node.passed_on;
            if new_paint == 0 {
                continue;
            }
            if node.passed_on == 0 && node.paint == WANT {
                oldest_wanted = oldest_wanted.min(date);
            }
            self.interesting -= usize::from(node.paint & HAVE == 0);
            node.passed_on = node.paint;
            let commit = node.commit.clone();
            let mut passed = 0;
            if new_paint & WANT != 0 && node.paint & HAVE == 0 && !boundary.contains(&id) {
                passed |= WANT;
            }
            if new_paint & HAVE != 0 && !client_shallow.contains(&id) {
                passed |= HAVE;
            }
            if passed != 0 {
                for parent in &commit.parents {
                    self.paint(parent, passed)?;
                }
            }
        }
        Ok(self.wanted <= wanted_max)
    }

    fn paint(&mut self, id: &ObjectId, paint: u8) -> Result<(), Error> {
        if !self.nodes.contains_key(id) {
            let commit = match Commit::read(self.store, id) {
                // What a have reaches may be gone: nothing is sent on account of it.
                Err(Error::Missing(_)) if paint == HAVE => return Ok(()),
                commit => Arc::new(commit?),
            };
            self.nodes.insert(*id, Node { paint: 0, passed_on: 0, commit });
        }
        let node = self.nodes.get_mut(id).expect("it was just put there");
        let (before, after) = (node.paint, node.paint | paint);
        if before == after {
            return Ok(());
        }
        let is_queued = before & !node.passed_on != 0;
        let was_interesting = is_queued && before & HAVE == 0;
        let is_interesting = after & HAVE == 0;
        self.interesting += usize::from(is_interesting);
        self.interesting -= usize::from(was_interesting);
        self.wanted += usize::from(after == WANT);
        self.wanted -= usize::from(before == WANT);
        node.paint = after;
        if !is_queued {
            self.queue.push((node.commit.date, *id));
        }
        Ok(())
    }
}
