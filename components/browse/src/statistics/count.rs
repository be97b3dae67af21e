//! What there is to count in a history: commits by week, by author, by weekday and hour.
//!
//! A history is counted a little with each view of the page. What was counted is kept, with the open ends from which
//! it goes on, and extended by what was pushed since.

use crate::limits::{
    STATISTICS_AUTHOR_BYTES_MAX, STATISTICS_AUTHORS_MAX, STATISTICS_COMMITS_READ_MAX, STATISTICS_UNKNOWN_MAX,
};
use gix_hash::ObjectId;
use lithe_code::relation;
use lithe_code::repository::{Error, Repository, Signature};
use lithe_code::text;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BinaryHeap, HashSet};
use std::ops::Range;
use std::time::Instant;

/// Days of a week, from Monday on, and hours of a day.
pub const HOURS: usize = 7 * 24;

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// From Monday to the day on which the epoch began, a Thursday.
const EPOCH_WEEKDAY: i64 = 3;

/// The times that are put in weeks, in seconds since the epoch: up to the year 2100, and without the epoch's first day, which is
/// what programs without a clock write.
const TIMES: Range<i64> = DAY..4_102_444_800;

/// What has been counted of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The commit whose history it is.
    tip: String,
    pub commits: u64,
    /// By the number of the week; see [`week`]. By the author's time, as all that follows.
    pub weeks: BTreeMap<i64, u32>,
    /// By name and address, `Ada <ada@example.org>`.
    pub authors: BTreeMap<String, u32>,
    /// Commits of authors past the limit.
    pub others: u32,
    /// By weekday and hour on the author's clock, [`HOURS`] of them.
    pub hours: Vec<u32>,
    /// Whether a commit could not be read, or there are too many that the commit-graph does not know: then not all are counted.
    pub is_cut: bool,
    /// What is still to be counted: commits, with their generation.
    open: Vec<(u64, String)>,
    /// Commits without a generation that were met already. Of the others, none is met again once it was counted.
    met: Vec<String>,
}

/// The number of the week in which that time is, in UTC; weeks begin on Mondays. None: it is no time of this age.
pub fn week(seconds: i64) -> Option<i64> {
    TIMES.contains(&seconds).then(|| (seconds / DAY + EPOCH_WEEKDAY) / 7)
}

/// When a week begins, in seconds since the epoch.
pub fn week_begins(week: i64) -> i64 {
    (week * 7 - EPOCH_WEEKDAY) * DAY
}

impl Counts {
    /// Nothing counted yet of the history that ends in a commit.
    pub fn new(repository: Repository<'_>, tip: ObjectId) -> Self {
        let mut counts = Self {
            tip: tip.to_string(),
            commits: 0,
            weeks: BTreeMap::new(),
            authors: BTreeMap::new(),
            others: 0,
            hours: vec![0; HOURS],
            is_cut: false,
            open: Vec::new(),
            met: Vec::new(),
        };
        let mut walk = Walk::new(STATISTICS_UNKNOWN_MAX);
        walk.meet(repository, tip);
        (counts.open, counts.met) = walk.left();
        counts
    }

    /// Reads what [`Self::to_text`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let counts: Self = serde_json::from_str(text).ok()?;
        (counts.hours.len() == HOURS).then_some(counts)
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
        self.open.is_empty()
    }

    /// The counts of a history that goes on where this one ends; none if it does not, or not soon.
    pub fn extended(&self, repository: Repository<'_>, tip: ObjectId) -> Option<Self> {
        let before = ObjectId::from_hex(self.tip.as_bytes()).ok().filter(|_| self.is_complete())?;
        let relation = relation::relation(repository, before, tip).ok()?;
        if relation.is_cut || relation.behind > 0 || relation.ahead.len() > STATISTICS_COMMITS_READ_MAX {
            return None;
        }
        let mut counts = Self { tip: tip.to_string(), ..self.clone() };
        for id in &relation.ahead {
            counts.add(&repository.commit(id).ok()?.author);
        }
        Some(counts)
    }

    /// Goes on counting until all is counted, the time has come or [`STATISTICS_COMMITS_READ_MAX`] commits were read.
    ///
    /// Fails if the repository cannot be read at the moment.
    pub fn advance(&mut self, repository: Repository<'_>, until: Instant) -> Result<(), Error> {
        let mut walk = Walk::going_on(&self.open, &self.met, STATISTICS_UNKNOWN_MAX);
        let mut read = 0;
        // At least one, so that it comes to an end.
        while read == 0 || (read < STATISTICS_COMMITS_READ_MAX && Instant::now() < until) {
            let Some(id) = walk.next() else { break };
            read += 1;
            match repository.commit(&id) {
                Ok(commit) => {
                    self.add(&commit.author);
                    commit.parent_ids.into_iter().for_each(|parent| walk.meet(repository, parent));
                }
                Err(Error::Read(reason)) => return Err(Error::Read(reason)),
                Err(_) => self.is_cut = true,
            }
        }
        self.is_cut |= walk.is_full();
        (self.open, self.met) = walk.left();
        Ok(())
    }

    fn add(&mut self, author: &Signature) {
        self.commits += 1;
        if let Some(week) = week(author.seconds) {
            *self.weeks.entry(week).or_default() += 1;
            let local = author.seconds + i64::from(author.offset);
            let weekday = (local.div_euclid(DAY) + EPOCH_WEEKDAY).rem_euclid(7);
            let hour = local.rem_euclid(DAY) / (60 * 60);
            self.hours[(weekday * 24 + hour) as usize] += 1;
        }
        let name = called(author);
        let is_new = !self.authors.contains_key(&name);
        match is_new && self.authors.len() >= STATISTICS_AUTHORS_MAX {
            true => self.others += 1,
            false => *self.authors.entry(name).or_default() += 1,
        }
    }
}

/// `Ada <ada@example.org>`, cut at its limit.
pub fn called(author: &Signature) -> String {
    let cut = |text: String| {
        let end = text.floor_char_boundary(STATISTICS_AUTHOR_BYTES_MAX);
        text[..end].to_owned()
    };
    format!("{} <{}>", cut(author.display_name()), cut(text::visible(&author.email)))
}

/// A walk over commits that meets each of them once, though it remembers few.
///
/// Commits that the commit-graph knows come by their generation, the highest first: whatever leads to one has a higher one,
/// and was there before. The others, which come first of all, are remembered.
pub struct Walk {
    open: BinaryHeap<(u64, ObjectId)>,
    /// What is in the heap.
    waiting: HashSet<ObjectId>,
    met: HashSet<ObjectId>,
    /// The most commits that the commit-graph does not know.
    unknown_max: usize,
    is_full: bool,
}

impl Walk {
    /// A walk that has met nothing yet, and will meet so many commits that the commit-graph does not know.
    pub fn new(unknown_max: usize) -> Self {
        Self::going_on(&[], &[], unknown_max)
    }

    /// A walk that goes on with what another one has left.
    pub fn going_on(open: &[(u64, String)], met: &[String], unknown_max: usize) -> Self {
        let id = |text: &String| ObjectId::from_hex(text.as_bytes()).ok();
        let open: BinaryHeap<_> =
            open.iter().filter_map(|(generation, text)| Some((*generation, id(text)?))).collect();
        Self {
            waiting: open.iter().map(|(_, id)| *id).collect(),
            open,
            met: met.iter().filter_map(id).collect(),
            unknown_max,
            is_full: false,
        }
    }

    /// Takes a commit up, unless it was met before.
    pub fn meet(&mut self, repository: Repository<'_>, id: ObjectId) {
        let known = repository.objects.commit_graph().and_then(|graph| graph.get(&id));
        let generation = known.and_then(|node| node.generation);
        if self.met.contains(&id) || self.waiting.contains(&id) {
            return;
        }
        if generation.is_none() {
            if self.met.len() >= self.unknown_max {
                self.is_full = true;
                return;
            }
            self.met.insert(id);
        }
        self.waiting.insert(id);
        self.open.push((generation.unwrap_or(u64::MAX), id));
    }

    /// The next commit.
    pub fn next(&mut self) -> Option<ObjectId> {
        let (_, id) = self.open.pop()?;
        self.waiting.remove(&id);
        Some(id)
    }

    /// Whether there were commits that it could not take up.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Where to go on: the commits that are still to come, with their generation, and those without one that were met.
    pub fn left(self) -> (Vec<(u64, String)>, Vec<String>) {
        let mut met: Vec<String> = match self.open.is_empty() {
            true => Vec::new(),
            false => self.met.iter().map(ToString::to_string).collect(),
        };
        met.sort();
        let open = self.open.into_sorted_vec().into_iter();
        (open.map(|(generation, id)| (generation, id.to_string())).collect(), met)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_mondays() {
        let monday = 1_749_427_200; // 2025-06-09
        let number = week(monday).expect("a week");
        assert_eq!(week_begins(number), monday);
        assert_eq!(week(monday + 7 * DAY - 1), Some(number));
        assert_eq!(week(monday - 1), Some(number - 1));
        assert_eq!((week(DAY - 1), week(TIMES.end), week(DAY)), (None, None, Some(0)));
    }
}
