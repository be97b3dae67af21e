//! Walking over commits so that none comes before one that was made from it, else the latest first: the
//! order of `git log --date-order`.
//!
//! To know that a commit's turn has come, all that might be made from it have to be known. Those are the
//! commits above it in the commit-graph's order (corrected commit dates), so that the walk looks little
//! further than it shows. Commits that are not in the graph are taken by their dates, a day further than
//! those say; where clocks go wrong by more than that, one may come before another that was made from it.
//! Where so many have the same date that not all may be looked at, they come as those that were looked at
//! allow.

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
    /// Whether its parents know of it.
    is_explored: bool,
    has_come: bool,
}

/// A walk from some commits on.
pub struct Walk<'a> {
    repository: Repository<'a>,
    nodes: HashMap<ObjectId, Node>,
    /// Those whose parents do not know of them yet.
    unexplored: BinaryHeap<(Order, ObjectId)>,
    unexplored_count: usize,
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
            unexplored_count: 0,
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

    /// Whether it has looked at as many commits as it may: then what comes is in no certain order.
    pub fn is_spent(&self) -> bool {
        self.commits_left == 0
    }

    /// The next commit, and those of its parents that have not come yet.
    pub fn next(&mut self) -> Result<Option<(ObjectId, Vec<ObjectId>)>, Error> {
        loop {
            let Some((_, _, id)) = self.open.pop() else { return Ok(None) };
            if !self.is_last_unexplored(&id) {
                self.explore(self.nodes[&id].place.order.with_slack())?;
            }
            // Its own parents are looked at, whatever is left.
            self.tell_parents(&id)?;
            let node = self.nodes.get_mut(&id).expect("what is open was loaded");
            if node.children > 0 || node.has_come {
                continue;
            }
            node.has_come = true;
            let mut parent_ids = node.place.parent_ids.clone();
            parent_ids.retain(|parent_id| !self.nodes.get(parent_id).is_some_and(|parent| parent.has_come));
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
            self.tell_parents(&id)?;
        }
        Ok(())
    }

    /// Whether nothing that is not explored could be made from the commit, as it is the only one.
    fn is_last_unexplored(&self, id: &ObjectId) -> bool {
        self.unexplored_count == 1 && !self.nodes[id].is_explored
    }

    /// Tells the parents of a commit of it, once.
    fn tell_parents(&mut self, id: &ObjectId) -> Result<(), Error> {
        let node = self.nodes.get_mut(id).expect("what is explored was loaded");
        if std::mem::replace(&mut node.is_explored, true) {
            return Ok(());
        }
        let parent_ids = node.place.parent_ids.clone();
        self.unexplored_count -= 1;
        for parent_id in parent_ids {
            if self.nodes.contains_key(&parent_id) || self.load(parent_id)? {
                let parent = self.nodes.get_mut(&parent_id).expect("it was loaded");
                parent.children += 1;
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
        self.unexplored_count += 1;
        self.nodes.insert(id, Node { place, children: 0, is_explored: false, has_come: false });
        Ok(true)
    }
}
