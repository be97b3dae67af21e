//! Which branches and tags contain a commit, and which commits were made from it.
//!
//! One walk answers for all of them: from their tips down, in an order where a commit comes after all that
//! were made from it, each end of the walk knows from which tips it was reached. So the ends are the whole
//! state of the walk, which can stop anywhere, be kept as text and go on later; and what was found for a
//! tip is found for all that come by it.

use crate::limits::CONTAINING_TIPS_MAX;
use crate::repository::{Error, Repository};
use crate::topological::{Order, Place};
use crate::walk::Budget;
use gix_hash::ObjectId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

/// What is known of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Containing {
    commit_id: ObjectId,
    /// Whether the tips contain it, as far as that is known.
    answers: BTreeMap<ObjectId, bool>,
    children: BTreeSet<ObjectId>,
    /// A walk that has not come to its end.
    walk: Option<Walk>,
}

/// What was found of a commit, as far as it is shown: some refs, by their places among all of them, and how
/// many more there are; and commits that were made from it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub branches: Vec<usize>,
    pub branches_left_out: usize,
    pub tags: Vec<usize>,
    pub tags_left_out: usize,
    pub children: Vec<ObjectId>,
}

/// A walk from some tips.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Walk {
    tips: Vec<ObjectId>,
    /// The open ends, and from which tips each was reached.
    ends: BTreeMap<ObjectId, Tips>,
    /// The tips that were found to contain the commit.
    found: Tips,
}

/// Some of the tips of a walk, by their numbers, 64 to a word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tips(Vec<u64>);

impl Tips {
    fn only(number: usize) -> Self {
        let mut words = vec![0; number / 64 + 1];
        words[number / 64] = 1 << (number % 64);
        Self(words)
    }

    fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    fn add(&mut self, others: &Self) {
        if self.0.len() < others.0.len() {
            self.0.resize(others.0.len(), 0);
        }
        self.0.iter_mut().zip(&others.0).for_each(|(word, other)| *word |= other);
    }

    fn to_text(&self) -> String {
        self.0.iter().map(|word| format!("{word:016x}")).collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let is_sound = text.is_ascii() && text.len().is_multiple_of(16) && text.len() / 16 <= WORDS_MAX;
        let words = (0..text.len() / 16).map(|word| u64::from_str_radix(&text[word * 16..][..16], 16).ok());
        is_sound.then(|| words.collect::<Option<_>>().map(Self)).flatten()
    }
}

const WORDS_MAX: usize = CONTAINING_TIPS_MAX.div_ceil(64);

impl Containing {
    /// Nothing is known yet.
    pub fn new(commit_id: ObjectId) -> Self {
        Self { commit_id, answers: BTreeMap::new(), children: BTreeSet::new(), walk: None }
    }

    /// Whether a branch or tag whose tip is this commit contains it; none if that is not known yet.
    pub fn get(&self, tip: &ObjectId) -> Option<bool> {
        self.answers.get(tip).copied()
    }

    /// The commits that were made from it, as far as they are known. Some may be ones that no ref reaches
    /// any more.
    pub fn children(&self) -> impl Iterator<Item = &ObjectId> {
        self.children.iter()
    }

    /// Goes on to find out about the tips until all is known or the budget spent. What is known of others
    /// is forgotten once all is known.
    pub fn advance(
        &mut self,
        repository: Repository<'_>,
        tips: &BTreeSet<ObjectId>,
        budget: Budget,
    ) -> Result<(), Error> {
        let Some(target) = Place::find(repository, &self.commit_id)? else { return Ok(()) };
        let mut passed = 0;
        loop {
            let walk = match self.walk.take() {
                Some(walk) => walk,
                None => {
                    let unknown = tips.iter().filter(|tip| !self.answers.contains_key(*tip));
                    let from: Vec<ObjectId> = unknown.take(CONTAINING_TIPS_MAX).copied().collect();
                    if from.is_empty() {
                        self.answers.retain(|tip, _| tips.contains(tip));
                        return Ok(());
                    }
                    Walk::new(from)
                }
            };
            let mut going =
                Going { repository, known: self, walk, ends: BTreeMap::new(), places: HashMap::new() };
            let is_done = going.run(target.order.with_slack(), &mut passed, budget);
            let Going { mut walk, ends, .. } = going;
            walk.ends = ends.into_iter().map(|((_, id), tips)| (id, tips)).collect();
            match is_done {
                Ok(true) => self.settle(&walk),
                Ok(false) => {
                    self.walk = Some(walk);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn settle(&mut self, walk: &Walk) {
        let answers = walk.tips.iter().enumerate().map(|(number, tip)| (*tip, walk.found.has(number)));
        self.answers.extend(answers);
    }

    /// What [`Containing::parse`] reads: a line for each thing that is known.
    pub fn to_text(&self) -> String {
        let mut text = format!("of {}\n", self.commit_id);
        self.write(&mut text).expect("writing to a string succeeds");
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        for (tip, contains) in &self.answers {
            writeln!(text, "{} {tip}", if *contains { "yes" } else { "no" })?;
        }
        for child in &self.children {
            writeln!(text, "child {child}")?;
        }
        let Some(walk) = &self.walk else { return Ok(()) };
        for tip in &walk.tips {
            writeln!(text, "tip {tip}")?;
        }
        for (id, tips) in &walk.ends {
            writeln!(text, "end {id} {}", tips.to_text())?;
        }
        writeln!(text, "found {} {}", self.commit_id, walk.found.to_text())
    }

    /// Reads what [`Containing::to_text`] wrote; none if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, rest) = text.split_once('\n')?;
        let mut read = Self::new(ObjectId::from_hex(first.strip_prefix("of ")?.as_bytes()).ok()?);
        for line in rest.lines() {
            let (kind, rest) = line.split_once(' ')?;
            let (id, tips) = rest.split_once(' ').unwrap_or((rest, ""));
            let (id, tips) = (ObjectId::from_hex(id.as_bytes()).ok()?, Tips::parse(tips)?);
            match kind {
                "yes" | "no" => drop(read.answers.insert(id, kind == "yes")),
                "child" => drop(read.children.insert(id)),
                "tip" => read.walk.get_or_insert_default().tips.push(id),
                "end" => drop(read.walk.get_or_insert_default().ends.insert(id, tips)),
                "found" => read.walk.get_or_insert_default().found = tips,
                _ => return None,
            }
        }
        let is_sound = read.walk.as_ref().is_none_or(|walk| walk.tips.len() <= CONTAINING_TIPS_MAX);
        is_sound.then_some(read)
    }
}

impl Walk {
    fn new(tips: Vec<ObjectId>) -> Self {
        let ends = tips.iter().enumerate().map(|(number, tip)| (*tip, Tips::only(number))).collect();
        Self { tips, ends, found: Tips::default() }
    }
}

/// A walk that goes on.
struct Going<'a> {
    repository: Repository<'a>,
    known: &'a mut Containing,
    walk: Walk,
    /// The open ends, those that come next last.
    ends: BTreeMap<(Order, ObjectId), Tips>,
    places: HashMap<ObjectId, Place>,
}

impl Going<'_> {
    /// Whether it came to its end: below `floor`, nothing contains the commit.
    fn run(&mut self, floor: Order, passed: &mut usize, budget: Budget) -> Result<bool, Error> {
        for (id, tips) in std::mem::take(&mut self.walk.ends) {
            self.reach(id, &tips, floor)?;
        }
        while let Some((key, tips)) = self.ends.pop_last() {
            if !budget.allows(0, *passed) {
                self.ends.insert(key, tips);
                return Ok(false);
            }
            *passed += 1;
            let (_, id) = key;
            let place = self.places.remove(&id).expect("what is an open end was found");
            if id == self.known.commit_id || self.known.get(&id) == Some(true) {
                self.walk.found.add(&tips);
                continue;
            }
            if self.known.get(&id) == Some(false) {
                continue;
            }
            if place.parent_ids.contains(&self.known.commit_id) {
                self.known.children.insert(id);
            }
            for parent_id in place.parent_ids {
                self.reach(parent_id, &tips, floor)?;
            }
        }
        Ok(true)
    }

    fn reach(&mut self, id: ObjectId, tips: &Tips, floor: Order) -> Result<(), Error> {
        if !self.places.contains_key(&id) {
            let place = match Place::find(self.repository, &id) {
                Ok(Some(place)) => place,
                // A tag may point to anything, and what is no commit contains none.
                Ok(None) | Err(Error::Damaged(_)) => return Ok(()),
                Err(error) => return Err(error),
            };
            if place.order < floor && id != self.known.commit_id {
                return Ok(());
            }
            self.places.insert(id, place);
        }
        self.ends.entry((self.places[&id].order, id)).or_default().add(tips);
        Ok(())
    }
}
