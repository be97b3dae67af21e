//! Searching deltas for objects that are stored whole though others are like them.
//!
//! Pushes bring each object as a delta of what was there, or whole; where their packs are made one,
//! versions of one file can be told by one another. Objects of one kind are compared with those that are
//! next larger. What lies in one pack was compared when that was made, and is not compared again.

#[cfg(test)]
mod tests;

use super::delta::{BlockIndex, encode};
use crate::limits::{
    DELTA_FETCH_BYTES_MAX, DELTA_OBJECT_BYTES_MAX, DELTA_SEARCH_BYTES_MAX, DELTA_WINDOW_BYTES_MAX,
    DELTAS_FOUND_BYTES_MAX,
};
use crate::odb::entry::EntryKind;
use crate::odb::{Error, Order, Packed, Store};
use crate::walk::{Located, ObjectSet, Selection};
use gix_hash::ObjectId;
use gix_object::Kind;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// With how many others an object is compared, as in Git.
const WINDOW: usize = 10;
/// Smaller objects are not worth it, in bytes.
const OBJECT_BYTES_MIN: u64 = 64;
/// What a delta takes beside its instructions, in bytes, about.
const DELTA_HEAD_LEN: u64 = 42;
/// How many objects are looked at between two words on progress.
const PROGRESS_STEP: usize = 1_000;

/// How far a search goes, in bytes.
#[derive(Clone, Copy)]
struct Bounds {
    object: u64,
    search: u64,
    fetch: u64,
    window: usize,
    found: usize,
}

/// Those of [`crate::limits`].
const BOUNDS: Bounds = Bounds {
    object: DELTA_OBJECT_BYTES_MAX,
    search: DELTA_SEARCH_BYTES_MAX,
    fetch: DELTA_FETCH_BYTES_MAX,
    window: DELTA_WINDOW_BYTES_MAX,
    found: DELTAS_FOUND_BYTES_MAX,
};

/// Deltas that were found.
#[derive(Default)]
pub struct Found {
    deltas: HashMap<Located, Delta>,
    bytes: usize,
}

/// What an object is to be stored as.
pub(super) struct Delta {
    pub base: ObjectId,
    pub bytes: Vec<u8>,
    /// How many deltas it is away from a whole object.
    pub depth: u16,
}

impl Found {
    /// Takes the delta for the object at a place.
    pub(super) fn take(&mut self, at: Located) -> Option<Delta> {
        self.deltas.remove(&at)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.deltas.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.deltas.is_empty()
    }
}

/// An object that is stored whole.
struct Candidate {
    at: Located,
    kind: Kind,
    size: u64,
    /// What it takes where it is stored, in bytes.
    stored: u64,
    /// How many deltas that are stored lie between it and the farthest object based on it.
    height: u16,
}

impl Candidate {
    fn pack(&self) -> Option<u32> {
        match self.at {
            Located::Packed(packed) => Some(packed.pack),
            Located::Loose(_) => None,
        }
    }

    fn id(&self, store: &Store) -> Result<ObjectId, Error> {
        match self.at {
            Located::Packed(packed) => store.packed_id(packed),
            Located::Loose(id) => Ok(id),
        }
    }

    fn read(&self, store: &Store) -> Result<Arc<Vec<u8>>, Error> {
        let object = match self.at {
            Located::Packed(packed) => store.packed_object(packed)?,
            Located::Loose(id) => store.object(&id)?,
        };
        Ok(object.data)
    }
}

/// A candidate that others are compared with, as far as it was read.
struct Held {
    candidate: Candidate,
    depth: u16,
    data: Option<Arc<Vec<u8>>>,
    index: Option<BlockIndex>,
}

impl Held {
    fn bytes(&self) -> usize {
        self.data.as_ref().map_or(0, |data| data.len()) + self.index.as_ref().map_or(0, BlockIndex::bytes)
    }
}

/// Searches deltas for those objects of a set that are stored whole, within the set. At most
/// `chain_deltas_max` deltas lie then between any object and a whole one, those that were there included.
/// `on_progress` hears how many objects were looked at; false ends the search.
pub fn search(
    store: &Store,
    set: &ObjectSet,
    chain_deltas_max: u16,
    on_progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Found, Error> {
    search_within(&BOUNDS, store, set, chain_deltas_max, on_progress)
}

fn search_within(
    bounds: &Bounds,
    store: &Store,
    set: &ObjectSet,
    chain_deltas_max: u16,
    on_progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Found, Error> {
    let mut found = Found::default();
    let sources = (0..store.pack_count()).filter(|pack| set.pack_len(*pack) > 0).count();
    let is_one_pack = sources < 2 && set.loose().next().is_none();
    if !on_progress(0) || is_one_pack {
        return Ok(found);
    }
    let mut candidates = candidates(bounds, store, set)?;
    candidates.sort_by_key(|candidate| (candidate.kind, std::cmp::Reverse(candidate.size)));
    let mut window: VecDeque<Held> = VecDeque::new();
    let mut bytes_left = bounds.search;
    for (number, candidate) in candidates.into_iter().enumerate() {
        let goes_on = number == 0 || number % PROGRESS_STEP > 0 || on_progress(number as u64);
        if !goes_on || found.bytes > bounds.found || bytes_left == 0 {
            break;
        }
        window.retain(|held| held.candidate.kind == candidate.kind);
        compare(store, candidate, chain_deltas_max, &mut window, &mut bytes_left, &mut found)?;
        while window.len() > WINDOW
            || window.len() > 1 && window.iter().map(Held::bytes).sum::<usize>() > bounds.window
        {
            window.pop_front();
        }
    }
    Ok(found)
}

/// Makes deltas of files that would be sent whole, based on what the receiver has at the same path. What
/// cannot be read is left out.
pub fn against_had(store: &Store, selection: &Selection) -> Found {
    against_had_within(&BOUNDS, store, selection)
}

fn against_had_within(bounds: &Bounds, store: &Store, selection: &Selection) -> Found {
    let mut found = Found::default();
    let mut bytes_left = bounds.fetch;
    let mut base: Option<Base> = None;
    for (at, had) in &selection.versions {
        let Ok(Some(size)) = size_if_whole(bounds, store, selection, *at) else { continue };
        let Ok((Kind::Blob, base_size)) = store.object_header(had) else { continue };
        if base_size > bounds.object {
            continue;
        }
        let Some(left) = bytes_left.checked_sub(size + base_size) else { break };
        bytes_left = left;
        // Those with the same base come one after another.
        if base.as_ref().is_none_or(|base| base.id != *had) {
            base = Base::read(store, *had);
        }
        let candidate = Candidate { at: *at, kind: Kind::Blob, size, stored: size, height: 0 };
        let (Some(base), Ok(target)) = (&base, candidate.read(store)) else { continue };
        let len_max = (size / 2).saturating_sub(DELTA_HEAD_LEN) as usize;
        if let Some(bytes) = encode(&base.index, &base.data, &target, len_max) {
            found.bytes += bytes.len();
            found.deltas.insert(*at, Delta { base: *had, bytes, depth: 1 });
        }
    }
    found
}

/// An object that the receiver has.
struct Base {
    id: ObjectId,
    data: Arc<Vec<u8>>,
    index: BlockIndex,
}

impl Base {
    fn read(store: &Store, id: ObjectId) -> Option<Self> {
        let data = store.object(&id).ok()?.data;
        let index = BlockIndex::new(&data)?;
        Some(Self { id, data, index })
    }
}

/// The size of a blob that would be sent whole, and is neither tiny nor huge.
fn size_if_whole(
    bounds: &Bounds,
    store: &Store,
    selection: &Selection,
    at: Located,
) -> Result<Option<u64>, Error> {
    let (kind, size) = match at {
        Located::Loose(id) => store.object_header(&id)?,
        Located::Packed(packed) => {
            let offset = store.packed_offset(packed)?;
            let header = store.entry_header(packed.pack, offset)?;
            if let Some(base) = store.entry_base(packed.pack, offset, &header)? {
                let order = store.pack_order(packed.pack)?;
                let Some(rank) = order.rank(base)? else { return Ok(None) };
                let id = store.packed_id(Packed { pack: packed.pack, position: order.position(rank)? })?;
                let base = Located::require(store, &id)?;
                if selection.send.contains(base) || selection.had.contains(base)? {
                    return Ok(None);
                }
            }
            store.packed_header(packed)?
        }
    };
    let is_fit = kind == Kind::Blob && (OBJECT_BYTES_MIN..=bounds.object).contains(&size);
    Ok(is_fit.then_some(size))
}

/// The blobs and trees of a set that are stored whole, and neither tiny nor huge.
fn candidates(bounds: &Bounds, store: &Store, set: &ObjectSet) -> Result<Vec<Candidate>, Error> {
    let is_fit = |kind, size| {
        matches!(kind, Kind::Blob | Kind::Tree) && (OBJECT_BYTES_MIN..=bounds.object).contains(&size)
    };
    let mut candidates = Vec::new();
    for pack in (0..store.pack_count()).filter(|pack| set.pack_len(*pack) > 0) {
        let order = store.pack_order(pack)?;
        let heights = heights(store, pack, &order)?;
        for rank in 0..order.len() {
            let (offset, position) = order.entry(rank)?;
            let at = Located::Packed(Packed { pack, position });
            if !set.contains(at) {
                continue;
            }
            let header = store.entry_header(pack, offset)?;
            if let EntryKind::Whole(kind) = header.kind
                && is_fit(kind, header.size)
            {
                let stored = order.end(rank)?.saturating_sub(offset);
                candidates.push(Candidate { at, kind, size: header.size, stored, height: heights[rank] });
            }
        }
    }
    for id in set.loose() {
        let loose = match store.loose(id) {
            // It was packed since it was selected.
            Err(Error::Missing(_)) => continue,
            loose => loose?,
        };
        let (kind, size) = (loose.kind(), loose.size());
        if is_fit(kind, size) {
            candidates.push(Candidate { at: Located::Loose(*id), kind, size, stored: size / 2, height: 0 });
        }
    }
    Ok(candidates)
}

/// How many deltas lie between each entry of a pack and the farthest one that is based on it.
fn heights(store: &Store, pack: u32, order: &Order) -> Result<Vec<u16>, Error> {
    let mut offsets = Vec::with_capacity(order.len());
    for rank in 0..order.len() {
        offsets.push(order.entry(rank)?.0);
    }
    let mut heights = vec![0_u16; offsets.len()];
    // Nearly all are based on what lies before them; of others, a height may come out too small, and some
    // of those on top are then stored whole.
    for (rank, offset) in offsets.iter().enumerate().rev() {
        let header = store.entry_header(pack, *offset)?;
        if let Some(base) = store.entry_base(pack, *offset, &header)?
            && let Ok(base) = offsets.binary_search(&base)
        {
            heights[base] = heights[base].max(heights[rank].saturating_add(1));
        }
    }
    Ok(heights)
}

/// Compares a candidate with those in the window, notes the shortest delta, and puts it there too.
fn compare(
    store: &Store,
    candidate: Candidate,
    chain_deltas_max: u16,
    window: &mut VecDeque<Held>,
    bytes_left: &mut u64,
    found: &mut Found,
) -> Result<(), Error> {
    let mut target = Held { candidate, depth: 0, data: None, index: None };
    let of = &target.candidate;
    let mut len_max = (of.size / 2).min(of.stored).saturating_sub(DELTA_HEAD_LEN) as usize;
    let mut best: Option<(usize, Delta)> = None;
    for (place, held) in window.iter_mut().enumerate().rev() {
        let is_same_pack = of.pack().is_some() && of.pack() == held.candidate.pack();
        let room = chain_deltas_max.saturating_sub(of.height).saturating_sub(held.depth);
        if is_same_pack || room == 0 {
            continue;
        }
        let Some(left) = bytes_left.checked_sub(of.size + held.candidate.size) else {
            *bytes_left = 0;
            break;
        };
        *bytes_left = left;
        let data = match &target.data {
            Some(data) => data.clone(),
            None => of.read(store)?,
        };
        target.data = Some(data.clone());
        // Of two that are about as short, the one with the shorter chain.
        let len_max_here = len_max * usize::from(room) / usize::from(chain_deltas_max);
        if let Some(bytes) = held.encode(store, &data, len_max_here)? {
            len_max = bytes.len().saturating_sub(1);
            best = Some((place, Delta { base: held.candidate.id(store)?, bytes, depth: held.depth + 1 }));
        }
    }
    if let Some((place, delta)) = best {
        target.depth = delta.depth;
        found.bytes += delta.bytes.len();
        found.deltas.insert(target.candidate.at, delta);
        // A good base is one for others, too.
        window.make_contiguous()[place..].rotate_left(1);
    }
    window.push_back(target);
    Ok(())
}

impl Held {
    /// The delta that makes `target` of this; none: it would be longer.
    fn encode(&mut self, store: &Store, target: &[u8], len_max: usize) -> Result<Option<Vec<u8>>, Error> {
        let base = match &self.data {
            Some(data) => data,
            None => self.data.insert(self.candidate.read(store)?),
        };
        let index = match &self.index {
            Some(index) => index,
            None => match BlockIndex::new(base) {
                Some(index) => self.index.insert(index),
                None => return Ok(None),
            },
        };
        Ok(encode(index, base, target, len_max))
    }
}
