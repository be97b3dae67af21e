//! Questions about what commits reach.

use super::commit::Commit;
use super::selection::{Request, Walk};
use super::set::Located;
use crate::odb::{Error, Store};
use gix_hash::ObjectId;
use std::collections::{BinaryHeap, HashSet};

/// How many commits are looked at to tell whether a negotiation may end. Past it, it goes on.
const NEGOTIATION_COMMITS_MAX: usize = 100_000;

/// Whether every one of `wants` reaches one of `common`, so that nothing older needs to be
/// negotiated. False also if that takes too long to tell.
pub fn all_reach_any(store: &Store, wants: &[ObjectId], common: &HashSet<ObjectId>) -> Result<bool, Error> {
    if common.is_empty() {
        return Ok(false);
    }
    let mut oldest = i64::MAX;
    for id in common {
        oldest = oldest.min(Commit::read(store, id)?.date);
    }
    let mut left = NEGOTIATION_COMMITS_MAX;
    for want in wants {
        if !reaches_any(store, want, common, oldest, &mut left)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn reaches_any(
    store: &Store,
    want: &ObjectId,
    common: &HashSet<ObjectId>,
    oldest: i64,
    left: &mut usize,
) -> Result<bool, Error> {
    let mut seen = HashSet::new();
    let mut queue = BinaryHeap::from([(i64::MAX, *want)]);
    while let Some((_, id)) = queue.pop() {
        if common.contains(&id) {
            return Ok(true);
        }
        if *left == 0 {
            return Ok(false);
        }
        *left -= 1;
        for parent in Commit::read(store, &id)?.parents {
            if common.contains(&parent) {
                return Ok(true);
            }
            if seen.insert(parent) {
                let date = Commit::read(store, &parent)?.date;
                if date >= oldest {
                    queue.push((date, parent));
                }
            }
        }
    }
    Ok(false)
}

/// Whether `ids`, all of them commits, are reached from `tips`, all of them commits.
pub fn all_reached(store: &Store, ids: &[ObjectId], tips: &[ObjectId]) -> Result<bool, Error> {
    let mut missing: HashSet<ObjectId> = ids.iter().copied().collect();
    let mut seen: HashSet<ObjectId> = tips.iter().copied().collect();
    let mut stack: Vec<ObjectId> = seen.iter().copied().collect();
    while let Some(id) = stack.pop() {
        missing.remove(&id);
        if missing.is_empty() {
            return Ok(true);
        }
        for parent in Commit::read(store, &id)?.parents {
            if seen.insert(parent) {
                stack.push(parent);
            }
        }
    }
    Ok(missing.is_empty())
}

/// Whether `ids`, objects of any kind, are reached from `tips`. Opens every commit and tree there is.
pub fn all_objects_reached(store: &Store, ids: &[ObjectId], tips: &[ObjectId]) -> Result<bool, Error> {
    let mut walk = Walk::new(store, Request { wants: tips.to_vec(), ..Request::default() })?;
    while walk.advance(store, usize::MAX)? {}
    let reached = walk.finish(store)?.send;
    for id in ids {
        if !Located::find(store, id)?.is_some_and(|at| reached.contains(at)) {
            return Ok(false);
        }
    }
    Ok(true)
}
