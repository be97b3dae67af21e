//! The languages of a history over time: how many bytes of each there were at some of the commits that lead to its
//! last one, each followed to its first parent.
//!
//! Which commits those are shows once the first one is found: of a chain that is walked, every so manieth is noted, and
//! half of them forgotten when there are too many. The languages of the oldest are counted whole, those of the others by
//! what differs from the one before ([`Tally`]). All that goes on where the last view left off, and what was pushed
//! since is one more.

use crate::languages::Tally;
use crate::limits::{COURSE_COMMITS_READ_MAX, COURSE_POINTS_MAX};
use gix_hash::ObjectId;
use lithe_code::repository::{Error, Repository};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;

/// What is known so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    tip: String,
    walk: Option<Walk>,
    /// The commits whose languages are still to be counted, the oldest last.
    left: Vec<Stop>,
    /// Of the last of those, as far as it was begun.
    tally: Option<Tally>,
    /// The oldest first.
    points: Vec<Point>,
    /// How many commits lie between two points, about.
    stride: u64,
    /// Whether something of the history could not be read.
    pub is_cut: bool,
}

/// A commit on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    pub commit: String,
    tree: String,
    /// When it was committed, in seconds since the epoch.
    pub seconds: i64,
    /// How many commits lead to it; while the first is not found, how many it is away from the last.
    number: u64,
}

impl Stop {
    /// Which commit it is.
    pub fn id(&self) -> Option<ObjectId> {
        id(&self.commit)
    }
}

/// The languages at a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub stop: Stop,
    pub bytes: BTreeMap<String, u64>,
}

/// The chain of commits, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Walk {
    next: String,
    number: u64,
    /// The latest first.
    stops: Vec<Stop>,
}

/// What is needed of a commit.
struct Step {
    stop: Stop,
    parent: Option<ObjectId>,
}

fn step(repository: Repository<'_>, id: &ObjectId, number: u64) -> Result<Step, Error> {
    let known = repository.objects.commit_graph().and_then(|graph| graph.get(id));
    let (tree, seconds, parent) = match known {
        Some(node) => (node.tree, node.date, node.parents.first().copied()),
        None => {
            let commit = repository.commit(id)?;
            (commit.tree_id, commit.committer.seconds, commit.parent_ids.first().copied())
        }
    };
    Ok(Step { stop: Stop { commit: id.to_string(), tree: tree.to_string(), seconds, number }, parent })
}

fn id(text: &str) -> Option<ObjectId> {
    ObjectId::from_hex(text.as_bytes()).ok()
}

impl Course {
    /// Nothing known yet of the history that ends in a commit.
    pub fn new(tip: ObjectId) -> Self {
        let tip = tip.to_string();
        let walk = Some(Walk { next: tip.clone(), number: 0, stops: Vec::new() });
        Self { tip, walk, left: Vec::new(), tally: None, points: Vec::new(), stride: 1, is_cut: false }
    }

    /// Reads what [`Self::to_text`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether it is of the history that ends in that commit.
    pub fn is_of(&self, tip: ObjectId) -> bool {
        self.tip == tip.to_string()
    }

    /// Whether all is counted that can be.
    pub fn is_complete(&self) -> bool {
        self.walk.is_none() && self.left.is_empty()
    }

    /// What was counted, the oldest first.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The course of a history that goes on where this one ends; none if it does not, or not soon.
    pub fn extended(&self, repository: Repository<'_>, tip: ObjectId) -> Option<Self> {
        let last = self.points.last().filter(|last| self.is_complete() && last.stop.commit == self.tip)?;
        let mut stop = step(repository, &tip, 0).ok()?;
        let (new, mut added) = (stop.stop.clone(), 0);
        while stop.stop.commit != self.tip {
            added += 1;
            stop = step(repository, &stop.parent.filter(|_| added <= COURSE_COMMITS_READ_MAX)?, 0).ok()?;
        }
        let mut course = Self { tip: new.commit.clone(), ..self.clone() };
        let before = id(&last.stop.tree);
        course.tally = Some(Tally::between(last.bytes.clone(), before, &id(&new.tree)?));
        course.left = vec![Stop { number: last.stop.number + added as u64, ..new }];
        course.thin();
        Some(course)
    }

    /// Leaves out the last point if it is too near to the one before, and every other one if there are too many.
    fn thin(&mut self) {
        if let [.., before, last] = self.points.as_slice()
            && last.stop.number - before.stop.number < self.stride
        {
            self.points.pop();
        }
        if self.points.len() >= COURSE_POINTS_MAX {
            let last = self.points.len() - 1;
            let mut index = 0;
            self.points.retain(|_| {
                index += 1;
                (index - 1) % 2 == 0 || index - 1 == last
            });
            self.stride *= 2;
        }
    }

    /// Goes on until all is counted or the time has come; at least a step.
    ///
    /// Fails if the repository cannot be read at the moment.
    pub fn advance(&mut self, repository: Repository<'_>, until: Instant) -> Result<(), Error> {
        loop {
            match self.walk.take() {
                Some(walk) => self.walk = self.find(repository, walk, until)?,
                None => self.count(repository, until)?,
            }
            if self.is_complete() || Instant::now() >= until {
                return Ok(());
            }
        }
    }

    /// Goes back in the history; none when its beginning is found.
    fn find(
        &mut self,
        repository: Repository<'_>,
        mut walk: Walk,
        until: Instant,
    ) -> Result<Option<Walk>, Error> {
        for read in 0.. {
            let end = match id(&walk.next).map(|id| step(repository, &id, walk.number)) {
                Some(Ok(Step { stop, parent })) => {
                    // The first one is a stop in any case.
                    if walk.number.is_multiple_of(self.stride) || parent.is_none() {
                        walk.stops.push(stop);
                    }
                    parent
                }
                Some(Err(Error::Read(reason))) => return Err(Error::Read(reason)),
                Some(Err(_)) | None => {
                    self.is_cut = true;
                    None
                }
            };
            if walk.stops.len() > COURSE_POINTS_MAX {
                self.stride *= 2;
                walk.stops.retain(|stop| stop.number.is_multiple_of(self.stride));
            }
            let Some(parent) = end else {
                let count = walk.stops.last().map_or(0, |stop| stop.number);
                let counted = |stop: Stop| Stop { number: count - stop.number, ..stop };
                self.left = walk.stops.into_iter().map(counted).collect();
                return Ok(None);
            };
            (walk.next, walk.number) = (parent.to_string(), walk.number + 1);
            if read >= COURSE_COMMITS_READ_MAX || Instant::now() >= until {
                break;
            }
        }
        Ok(Some(walk))
    }

    /// Goes on with the languages of the oldest commit that is left.
    fn count(&mut self, repository: Repository<'_>, until: Instant) -> Result<(), Error> {
        let Some(stop) = self.left.last() else { return Ok(()) };
        let Some(tree) = id(&stop.tree) else {
            self.left.pop();
            return Ok(());
        };
        let tally = self.tally.get_or_insert_with(|| match self.points.last() {
            Some(before) => Tally::between(before.bytes.clone(), id(&before.stop.tree), &tree),
            None => Tally::of_tree(&tree),
        });
        let advanced = tally.advance(repository, until);
        self.is_cut |= tally.is_cut;
        match advanced {
            Ok(()) if !tally.is_done() => return Ok(()),
            Ok(()) => {
                let bytes = std::mem::take(&mut tally.bytes);
                let bytes = bytes.into_iter().filter(|(_, bytes)| *bytes > 0).collect();
                self.points.extend(self.left.pop().map(|stop| Point { stop, bytes }));
            }
            Err(Error::Read(reason)) => return Err(Error::Read(reason)),
            Err(_) => {
                self.is_cut = true;
                self.left.pop();
            }
        }
        self.tally = None;
        Ok(())
    }
}
