//! Walking over commits so that none comes before one that was made from it, else the latest first: the
//! order of `git log --date-order`.
//!
//! To know that a commit's turn has come, all that might be made from it have to be known. Those are the
//! commits above it in the commit-graph's order (corrected commit dates), so that the walk looks little
//! further than it shows. Commits that are not in the graph are taken by their dates, a day further than
//! those say; where clocks go wrong by more than that, one may come before another that was made from it.

use crate::repository::{Error, Repository};
use gix_hash::ObjectId;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// How far clocks may go wrong, in seconds.
const SLACK_SECONDS: i64 = 24 * 60 * 60;

/// A commit comes before all that it reaches: those that the graph lacks first, by date; the others by the
/// graph's own order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    Known(u64),
    Dated(i64),
}

impl Order {
    /// The least order of a commit that might be made from one of this.
    pub fn with_slack(self) -> Self {
        match self {
            Self::Known(_) => self,
            Self::Dated(seconds) => Self::Dated(seconds.saturating_sub(SLACK_SECONDS)),
        }
    }
}

/// What walks in that order need of a commit.
#[derive(Debug, Clone)]
pub struct Place {
    pub parent_ids: Vec<ObjectId>,
    /// Of the committer, in seconds since the epoch.
    pub seconds: i64,
    pub order: Order,
}

impl Place {
    /// Finds a commit's; none if it is not there, beyond where a repository is cut off.
    pub fn find(repository: Repository<'_>, id: &ObjectId) -> Result<Option<Self>, Error> {
        if let Some(node) = repository.objects.commit_graph().and_then(|graph| graph.get(id)) {
            let order = node.generation.map_or(Order::Dated(node.date), Order::Known);
            return Ok(Some(Self { parent_ids: node.parents, seconds: node.date, order }));
        }
        match repository.commit(id) {
            Ok(commit) => {
                let seconds = commit.committer.seconds;
                Ok(Some(Self { parent_ids: commit.parent_ids, seconds, order: Order::Dated(seconds) }))
            }
            Err(Error::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

struct Node {
    place: Place,
    /// How many commits were seen that were made from it and have not come yet.
    children: usize,
    has_come: bool,
}

/// A walk from some commits on.
pub struct Walk<'a> {
    repository: Repository<'a>,
    nodes: HashMap<ObjectId, Node>,
    /// Those whose parents do not know of them yet.
    unexplored: BinaryHeap<(Order, ObjectId)>,
    /// Those that may come next, by date.
    open: BinaryHeap<(i64, Reverse<usize>, ObjectId)>,
    opened: usize,
    /// How many more commits it may look at.
    commits_left: usize,
}

impl<'a> Walk<'a> {
    /// A walk from all of the commits, that looks at so many at the most.
    pub fn new(repository: Repository<'a>, from: &[ObjectId], commits_max: usize) -> Result<Self, Error> {
        let mut walk = Self {
            repository,
            nodes: HashMap::new(),
            unexplored: BinaryHeap::new(),
            open: BinaryHeap::new(),
            opened: 0,
            commits_left: commits_max,
        };
        for id in from {
            if !walk.nodes.contains_key(id) && walk.load(*id)? {
                walk.open(*id);
            }
        }
        Ok(walk)
    }

    /// Whether it has looked at as many commits as it may.
    pub fn is_spent(&self) -> bool {
        self.commits_left == 0
    }

    /// The next commit, and those that it was made from.
    pub fn next(&mut self) -> Result<Option<(ObjectId, Vec<ObjectId>)>, Error> {
        loop {
            if self.is_spent() {
                return Ok(None);
            }
            let Some((_, _, id)) = self.open.pop() else { return Ok(None) };
            let order = self.nodes[&id].place.order;
            self.explore(order.with_slack())?;
            let node = self.nodes.get_mut(&id).expect("what is open was loaded");
            if node.children > 0 || node.has_come {
                continue;
            }
            node.has_come = true;
            let parent_ids = node.place.parent_ids.clone();
            for parent_id in &parent_ids {
                let Some(parent) = self.nodes.get_mut(parent_id) else { continue };
                parent.children = parent.children.saturating_sub(1);
                if parent.children == 0 && !parent.has_come {
                    self.open(*parent_id);
                }
            }
            return Ok(Some((id, parent_ids)));
        }
    }

    /// Tells the parents of all commits down to an order of them.
    fn explore(&mut self, to: Order) -> Result<(), Error> {
        while let Some((order, id)) = self.unexplored.peek().copied() {
            if order < to || self.is_spent() {
                break;
            }
            self.unexplored.pop();
            for parent_id in self.nodes[&id].place.parent_ids.clone() {
                if self.nodes.contains_key(&parent_id) || self.load(parent_id)? {
                    let parent = self.nodes.get_mut(&parent_id).expect("it was loaded");
                    parent.children += 1;
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, id: ObjectId) {
        self.opened += 1;
        self.open.push((self.nodes[&id].place.seconds, Reverse(self.opened), id));
    }

    /// Whether the commit is there.
    fn load(&mut self, id: ObjectId) -> Result<bool, Error> {
        self.commits_left = self.commits_left.saturating_sub(1);
        let Some(place) = Place::find(self.repository, &id)? else { return Ok(false) };
        self.unexplored.push((place.order, id));
        self.nodes.insert(id, Node { place, children: 0, has_come: false });
        Ok(true)
    }
}
