//! How two revisions that are compared are related, kept by their ids.

use crate::cache::Key;
use crate::compare::Pair;
use crate::limits::{ACROSS_COMMITS_MAX, COMPARED_COMMITS_MAX};
use crate::place::{Failure, Place};
use gix_hash::ObjectId;
use lithe_code::limits::RELATED_COMMITS_MAX;
use lithe_code::relation;
use lithe_code::repository::{Error, Repository};
use std::fmt::Write as _;

/// What is kept of two that have too many commits between them.
const CUT: &str = "too many";

/// What a comparison says of two revisions, the base and the head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Related {
    /// How many commits the head has that the base lacks.
    pub ahead: usize,
    /// How many commits the base has that the head lacks.
    pub behind: usize,
    /// The latest of those that the head has, parents before their children.
    pub listed: Vec<ObjectId>,
    /// The best common ancestors; none if the histories have nothing in common.
    pub merge_bases: Vec<ObjectId>,
    /// Whether there are too many commits to tell: then nothing of this is known.
    pub is_cut: bool,
}

impl Related {
    /// How the two are related, as far as that may be looked for.
    pub fn of_pair(place: &Place<'_>, repository: Repository<'_>, pair: &Pair) -> Result<Self, Failure> {
        let (base, head) = (pair.from.commit_id, pair.to.commit_id);
        // The order of commits that the graph does not know goes by their clocks, and may be put right by it.
        let graph = repository.objects.commit_graph();
        let is_known = |id: ObjectId| u8::from(graph.is_some_and(|graph| graph.get(&id).is_some()));
        let key = Key::new(&[
            b"related",
            place.record.path.as_bytes(),
            pair.head_path.as_deref().unwrap_or_default().as_bytes(),
            base.as_bytes(),
            head.as_bytes(),
            &[is_known(base), is_known(head)],
        ]);
        if let Some(kept) = place.cache.get(&key).and_then(|text| Self::parse(&text)) {
            return Ok(kept);
        }
        // What another repository has, no commit-graph tells of.
        let mut commits_left =
            if pair.head_path.is_some() { ACROSS_COMMITS_MAX } else { RELATED_COMMITS_MAX };
        let found = relation::relation_within(repository, base, head, &mut commits_left)?;
        let latest = &found.ahead[..found.ahead.len().min(COMPARED_COMMITS_MAX)];
        let related = Self {
            ahead: found.ahead.len(),
            behind: found.behind,
            // Of commits of one second, those that were made from the others come after them too.
            listed: parents_first(repository, latest)?,
            merge_bases: found.merge_bases,
            is_cut: found.is_cut,
        };
        if !found.has_gaps {
            place.cache.put(&key, &related.to_text());
        }
        Ok(related)
    }

    /// Two counts, and after them the ids: of the common ancestors, and behind an empty line those listed.
    fn to_text(&self) -> String {
        if self.is_cut {
            return CUT.to_owned();
        }
        let mut text = format!("{} {}\n", self.ahead, self.behind);
        for id in &self.merge_bases {
            writeln!(text, "{id}").expect("a string takes it");
        }
        text.push('\n');
        for id in &self.listed {
            writeln!(text, "{id}").expect("a string takes it");
        }
        text
    }

    fn parse(text: &str) -> Option<Self> {
        if text == CUT {
            return Some(Self { is_cut: true, ..Self::default() });
        }
        let (counts, ids) = text.split_once('\n')?;
        let (ahead, behind) = counts.split_once(' ')?;
        let (merge_bases, listed) = match ids.strip_prefix('\n') {
            Some(listed) => ("", listed),
            None => ids.split_once("\n\n")?,
        };
        let ids = |text: &str| -> Option<Vec<ObjectId>> {
            text.lines().map(|line| ObjectId::from_hex(line.as_bytes()).ok()).collect()
        };
        Some(Self {
            ahead: ahead.parse().ok()?,
            behind: behind.parse().ok()?,
            listed: ids(listed)?,
            merge_bases: ids(merge_bases)?,
            is_cut: false,
        })
    }
}

/// Puts commits, the latest first, behind their parents: clocks may go wrong.
fn parents_first(repository: Repository<'_>, ids: &[ObjectId]) -> Result<Vec<ObjectId>, Error> {
    let mut ordered: Vec<ObjectId> = Vec::new();
    let mut stack: Vec<ObjectId> = ids.to_vec();
    while let Some(id) = stack.pop() {
        if ordered.contains(&id) {
            continue;
        }
        let parents = repository.commit(&id)?.parent_ids;
        let waiting: Vec<ObjectId> =
            parents.into_iter().filter(|parent| ids.contains(parent) && !ordered.contains(parent)).collect();
        match waiting.is_empty() {
            true => ordered.push(id),
            false => {
                stack.push(id);
                stack.extend(waiting.into_iter().rev());
            }
        }
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_kept_whole() {
        let id = |digit: u8| ObjectId::from_hex(&[digit; 40]).expect("an id");
        let related = |merge_bases: &[u8], listed: &[u8]| Related {
            ahead: 300,
            behind: 7,
            listed: listed.iter().copied().map(id).collect(),
            merge_bases: merge_bases.iter().copied().map(id).collect(),
            is_cut: false,
        };
        for related in [related(b"", b""), related(b"a", b""), related(b"", b"b"), related(b"ab", b"cd")] {
            assert_eq!(Related::parse(&related.to_text()), Some(related));
        }
        let cut = Related { is_cut: true, ..Related::default() };
        assert_eq!(Related::parse(&cut.to_text()), Some(cut));
        for damaged in ["", "1", "1 2", "1 2\n", "1 x\n\n", "1 2\nabc\n\n", "1 2\n\nabc\n"] {
            assert_eq!(Related::parse(damaged), None, "{damaged:?}");
        }
    }
}
