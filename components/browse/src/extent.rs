//! How much a history is: its commits, and the people who made them. A summary says so where it is known, or found out
//! by the way, and says nothing else.
//!
//! Commits are counted a little with each view, as far as the commit-graph knows them, and the count goes along with
//! what is pushed. People are known where somebody has had the statistics counted.

use crate::cache::Key;
use crate::limits::{
    EXTENT_AHEAD_MAX, EXTENT_COMMITS_READ_MAX, EXTENT_LOOKED_AT_MAX, EXTENT_TIME_MAX, EXTENT_UNKNOWN_MAX,
};
use crate::place::Place;
use crate::statistics;
use crate::statistics::count::Walk;
use gix_hash::ObjectId;
use lithe_code::relation;
use lithe_code::repository::{Error, Repository};
use lithe_code::revision::{Kind, Revision};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What is known of how much a history is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    pub commits: Option<u64>,
    /// How many people made them.
    pub contributors: Option<u64>,
}

/// What was counted so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    /// The commit whose history it is.
    tip: String,
    commits: u64,
    contributors: Option<u64>,
    /// Whether not all can be counted.
    is_cut: bool,
    /// Whether the commit-graph knew the history when counting began.
    was_known: bool,
    /// Where to go on; see [`Walk::left`].
    open: Vec<(u64, String)>,
    met: Vec<String>,
}

impl Count {
    /// Nothing counted yet of the history that ends in a commit.
    fn new(repository: Repository<'_>, tip: ObjectId) -> Self {
        let mut walk = Walk::new(EXTENT_UNKNOWN_MAX);
        walk.meet(repository, tip);
        let (open, met) = walk.left();
        Self { open, met, was_known: is_known(repository, tip), ..Self::whole(tip, 0, None) }
    }

    /// All of the history that ends in a commit.
    fn whole(tip: ObjectId, commits: u64, contributors: Option<u64>) -> Self {
        let (open, met) = (Vec::new(), Vec::new());
        Self { tip: tip.to_string(), commits, contributors, is_cut: false, was_known: false, open, met }
    }

    fn is_whole(&self) -> bool {
        self.open.is_empty() && !self.is_cut
    }

    /// Whether to count on would bring nothing new: where that failed, not before the commit-graph knows the history.
    fn is_final(&self, repository: Repository<'_>, tip: ObjectId) -> bool {
        self.is_whole() || (self.is_cut && (self.was_known || !is_known(repository, tip)))
    }

    /// The count of a history that goes on from here; none if it does not, or not surely, or not soon.
    fn extended(&self, place: &Place<'_>, repository: Repository<'_>, revision: &Revision) -> Option<Self> {
        let tip = revision.commit_id;
        let before = ObjectId::from_hex(self.tip.as_bytes()).ok().filter(|_| self.is_whole())?;
        let relation =
            relation::relation_within(repository, before, tip, &mut { EXTENT_LOOKED_AT_MAX }).ok()?;
        if relation.is_cut || relation.behind > 0 || relation.ahead.len() > EXTENT_AHEAD_MAX {
            return None;
        }
        // Where clocks go wrong, what was counted before may be taken for new.
        let seconds = |id: &ObjectId| Some(repository.commit(id).ok()?.committer.seconds);
        let end = seconds(&before)?;
        if !relation.ahead.iter().all(|id| seconds(id).is_some_and(|seconds| seconds > end)) {
            return None;
        }
        if self.contributors.is_some()
            && let Some((commits, contributors)) = statistics::extended(place, repository, revision)
        {
            return Some(Self::whole(tip, commits, Some(contributors)));
        }
        Some(Self::whole(tip, self.commits.checked_add(relation.ahead.len() as u64)?, None))
    }

    /// Goes on counting until all is counted, the time has come or enough commits were looked at.
    fn advance(&mut self, repository: Repository<'_>, until: Option<Instant>) -> Result<(), Error> {
        let mut walk = Walk::going_on(&self.open, &self.met, EXTENT_UNKNOWN_MAX);
        let mut passed = 0;
        // At least one, so that it comes to an end.
        while passed == 0
            || (passed < EXTENT_COMMITS_READ_MAX && until.is_none_or(|until| Instant::now() < until))
        {
            let Some(id) = walk.next() else { break };
            passed += 1;
            self.commits += 1;
            let known = repository.objects.commit_graph().and_then(|graph| graph.get(&id));
            let parents = match known {
                Some(node) => node.parents,
                None => repository.commit(&id)?.parent_ids,
            };
            parents.into_iter().for_each(|parent| walk.meet(repository, parent));
        }
        self.is_cut |= walk.is_full();
        (self.open, self.met) = if self.is_cut { Default::default() } else { walk.left() };
        Ok(())
    }

    fn known(&self) -> Extent {
        match self.is_whole() {
            true => Extent { commits: Some(self.commits), contributors: self.contributors },
            false => Extent::default(),
        }
    }
}

fn is_known(repository: Repository<'_>, tip: ObjectId) -> bool {
    repository.objects.commit_graph().is_some_and(|graph| graph.get(&tip).is_some())
}

fn key(place: &Place<'_>, revision: &Revision) -> Key {
    match revision.kind {
        Kind::Branch => Key::new(&[b"extent of a branch", &place.record.id.to_be_bytes(), &revision.name]),
        Kind::Tag | Kind::Commit => Key::new(&[b"extent", revision.commit_id.as_bytes()]),
    }
}

fn put(place: &Place<'_>, key: &Key, count: &Count) {
    if let Ok(text) = serde_json::to_string(count) {
        place.cache.put(key, &text);
    }
}

/// Finds out how much a history is, or goes on finding it out. Where it cannot be read, nothing is known.
pub fn look(place: &Place<'_>, repository: Repository<'_>, revision: &Revision) -> Extent {
    let (tip, key) = (revision.commit_id, key(place, revision));
    let kept: Option<Count> = place.cache.get(&key).and_then(|text| serde_json::from_str(&text).ok());
    let mut count = match kept {
        Some(kept) if kept.tip == tip.to_string() => {
            if kept.is_final(repository, tip) {
                return kept.known();
            }
            if kept.is_cut { Count::new(repository, tip) } else { kept }
        }
        earlier => {
            let extended = earlier.and_then(|earlier| earlier.extended(place, repository, revision));
            extended.unwrap_or_else(|| Count::new(repository, tip))
        }
    };
    if !count.is_whole() && count.advance(repository, place.until(EXTENT_TIME_MAX)).is_err() {
        (count.is_cut, count.open, count.met) = (true, Vec::new(), Vec::new());
    }
    put(place, &key, &count);
    count.known()
}

/// Keeps what was counted for the statistics.
pub fn note(place: &Place<'_>, revision: &Revision, commits: u64, contributors: u64) {
    let key = key(place, revision);
    let count = Count::whole(revision.commit_id, commits, Some(contributors));
    let kept = place.cache.get(&key).and_then(|text| serde_json::from_str(&text).ok());
    if kept.as_ref() != Some(&count) {
        put(place, &key, &count);
    }
}
