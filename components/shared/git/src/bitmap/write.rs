//! Computing bitmaps, and writing them.

use super::bits::Bits;
use super::{FULL_CLOSURE, LOOKUP_TABLE, MAGIC, VERSION};
use crate::durable;
use crate::odb::{Error, Packed, Store};
use crate::walk::{Commit, Entries, Located, Places};
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet};

/// How many commits lie between two with a bitmap at least.
const STRIDE_MIN: usize = 100;
/// Whoever has a commit and fetches the latest gets all that came since; the commits from there to the
/// next bitmap are looked at, which are to be this part of those at the most.
const STRIDE_PART: usize = 100;
/// How many tips have a bitmap: the latest.
const TIPS_MAX: usize = 1_000;
/// What the bitmaps may take in memory, were none of them compressed, in bytes.
const BITS_BYTES_MAX: usize = 128 * 1024 * 1024;
/// How many differences may lead to a whole bitmap.
const CHAIN_MAX: u8 = 8;
/// Stands for the place of a commit whose parents are not all found.
const BEGUN: u32 = u32::MAX;

/// All commits that some tips reach, and those of them that get a bitmap.
pub struct Selected {
    /// Each after its parents.
    history: Vec<ObjectId>,
    /// Where in `history` the parents of each are, one commit's after another's, the first parent first.
    parents: Vec<u32>,
    /// Where in `parents` those of each commit end.
    ends: Vec<u32>,
    /// Where in `history` those are that get a bitmap, ascending.
    chosen: Vec<u32>,
}

impl Selected {
    /// Chooses the commits that get a bitmap, from all that `tips` reach: those from which histories are
    /// often asked for, and some on the way there. `objects` are in the pack.
    pub fn of(store: &Store, tips: &[ObjectId], objects: u32) -> Result<Self, Error> {
        let mut selected =
            Self { history: Vec::new(), parents: Vec::new(), ends: Vec::new(), chosen: Vec::new() };
        let places = selected.find_history(store, tips)?;
        let tips: HashSet<u32> = tips.iter().map(|id| places[id]).collect();
        drop(places);
        selected.choose(&tips, BITS_BYTES_MAX / (objects as usize / 8 + 1));
        Ok(selected)
    }

    /// How many commits get a bitmap.
    pub fn len(&self) -> usize {
        self.chosen.len()
    }

    pub fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    fn parents(&self, commit: u32) -> &[u32] {
        let start = commit.checked_sub(1).map_or(0, |before| self.ends[before as usize]);
        &self.parents[start as usize..self.ends[commit as usize] as usize]
    }

    /// Finds all commits; returns where each is.
    fn find_history(&mut self, store: &Store, tips: &[ObjectId]) -> Result<HashMap<ObjectId, u32>, Error> {
        let mut dated = Vec::new();
        for id in tips {
            dated.push((Commit::read(store, id)?.date, *id));
        }
        // The stack ends with what comes first.
        dated.sort_unstable_by_key(|(date, id)| (std::cmp::Reverse(*date), *id));
        let mut stack: Vec<(ObjectId, Option<Vec<ObjectId>>)> =
            dated.into_iter().map(|(_, id)| (id, None)).collect();
        let mut places: HashMap<ObjectId, u32> = HashMap::new();
        while let Some((id, parents)) = stack.pop() {
            if let Some(parents) = parents {
                places.insert(id, self.history.len() as u32);
                self.history.push(id);
                self.parents.extend(parents.iter().map(|parent| places[parent]).filter(|at| *at != BEGUN));
                self.ends.push(self.parents.len() as u32);
            } else if let Entry::Vacant(place) = places.entry(id) {
                place.insert(BEGUN);
                let parents = Commit::read(store, &id)?.parents;
                let new: Vec<_> =
                    parents.iter().filter(|parent| !places.contains_key(*parent)).copied().collect();
                stack.push((id, Some(parents)));
                stack.extend(new.into_iter().map(|parent| (parent, None)));
            }
        }
        Ok(places)
    }

    /// Chooses tips, and others on the way from them by first parents: what is built upon later descends
    /// from such a commit rather than from one that was merged.
    fn choose(&mut self, tips: &HashSet<u32>, room: usize) {
        let mut is_first_parent = vec![false; self.history.len()];
        for tip in tips {
            let mut at = Some(*tip);
            while let Some(commit) = at.filter(|commit| !is_first_parent[*commit as usize]) {
                is_first_parent[commit as usize] = true;
                at = self.parents(commit).first().copied();
            }
        }
        let (mut tips_left, mut next) = (TIPS_MAX, 0);
        for (later, commit) in (0..self.history.len() as u32).rev().enumerate() {
            let is_tip = tips_left > 0 && tips.contains(&commit);
            tips_left -= usize::from(is_tip);
            let stride = STRIDE_MIN.max(later / STRIDE_PART);
            let is_on_the_way = later >= next && (is_first_parent[commit as usize] || later >= next + stride);
            if is_on_the_way {
                next = later + stride;
            }
            if is_tip || is_on_the_way {
                self.chosen.push(commit);
            }
            if self.chosen.len() == room.max(1) {
                break;
            }
        }
        self.chosen.reverse();
    }
}

/// The bitmaps of one pack under way.
struct Builder<'a> {
    store: &'a Store,
    pack: u32,
    selected: &'a Selected,
    places: Places,
    /// By position in the index.
    ranks: Vec<u32>,
    /// Which of `stored` is of which commit of the history.
    done: HashMap<u32, usize>,
    stored: Vec<Stored>,
}

/// A bitmap as it is going to be written.
struct Stored {
    /// Its position in the index.
    commit: u32,
    /// Whether it is the difference from the one before.
    is_difference: bool,
    chain: u8,
    bytes: Vec<u8>,
}

/// Makes the file of bitmaps of a pack. `kinds` are those of its objects, by position in the index. None: the
/// pack has not all that the selected commits reach.
pub fn encode(
    store: &Store,
    pack: u32,
    checksum: &oid,
    kinds: &[Kind],
    selected: &Selected,
) -> Result<Option<Vec<u8>>, Error> {
    let order = store.pack_order(pack)?;
    let mut ranks = vec![0; order.len()];
    for rank in 0..order.len() {
        ranks[order.entry(rank)?.1 as usize] = rank as u32;
    }
    let places = Places::default();
    let mut builder =
        Builder { store, pack, selected, places, ranks, done: HashMap::new(), stored: Vec::new() };
    let mut before = Bits::new(order.len() as u32);
    for commit in &selected.chosen {
        match builder.reach(*commit)? {
            Some(bits) => before = builder.store(*commit, bits, &before)?,
            None => return Ok(None),
        }
    }
    let mut out = Vec::new();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&(FULL_CLOSURE | LOOKUP_TABLE).to_be_bytes());
    out.extend_from_slice(&(builder.stored.len() as u32).to_be_bytes());
    out.extend_from_slice(checksum.as_bytes());
    for kind in [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag] {
        let mut bits = Bits::new(order.len() as u32);
        let of_kind = kinds.iter().zip(&builder.ranks).filter(|(other, _)| **other == kind);
        for (_, rank) in of_kind {
            bits.insert(*rank);
        }
        bits.write_to(&mut out);
    }
    write_entries(&builder.stored, &mut out);
    durable::append_checksum(&mut out, checksum.kind())
        .map_err(|source| Error::Io { path: "bitmap".into(), source })?;
    Ok(Some(out))
}

fn write_entries(stored: &[Stored], out: &mut Vec<u8>) {
    let mut rows = Vec::new();
    for entry in stored {
        rows.push((entry.commit, out.len() as u64, rows.len()));
        out.extend_from_slice(&entry.commit.to_be_bytes());
        out.extend_from_slice(&[u8::from(entry.is_difference), 0]);
        out.extend_from_slice(&entry.bytes);
    }
    rows.sort_unstable();
    let mut row_of = vec![0; rows.len()];
    for (row, (_, _, index)) in rows.iter().enumerate() {
        row_of[*index] = row as u32;
    }
    for (commit, offset, index) in rows {
        let difference = if stored[index].is_difference { row_of[index - 1] } else { u32::MAX };
        out.extend_from_slice(&commit.to_be_bytes());
        out.extend_from_slice(&offset.to_be_bytes());
        out.extend_from_slice(&difference.to_be_bytes());
    }
}

impl Builder<'_> {
    /// What a commit reaches. None: some of it is not in the pack.
    fn reach(&mut self, commit: u32) -> Result<Option<Bits>, Error> {
        let mut bits = Bits::new(self.ranks.len() as u32);
        let mut untold = Vec::new();
        // The latest first, so that what an earlier bitmap tells is known before any of it is looked at.
        let mut queue = BinaryHeap::from([commit]);
        while let Some(commit) = queue.pop() {
            let id = &self.selected.history[commit as usize];
            let Some(rank) = self.rank(id)? else { return Ok(None) };
            if bits.contains(rank) {
                continue;
            }
            if let Some(known) = self.done.get(&commit).and_then(|index| self.recall(*index)) {
                bits.unite(&known);
                continue;
            }
            bits.insert(rank);
            untold.push(id);
            queue.extend(self.selected.parents(commit));
        }
        for id in untold {
            if !self.reach_tree(Commit::read(self.store, id)?.tree, &mut bits)? {
                return Ok(None);
            }
        }
        Ok(Some(bits))
    }

    fn reach_tree(&mut self, tree: ObjectId, bits: &mut Bits) -> Result<bool, Error> {
        let mut trees = vec![tree];
        while let Some(id) = trees.pop() {
            let Some(position) = self.position(&id)? else { return Ok(false) };
            if !bits.insert(self.ranks[position as usize]) {
                continue;
            }
            let object = self.store.packed_object(Packed { pack: self.pack, position })?;
            for entry in Entries::new(&id, &object.data) {
                let entry = entry?;
                if entry.is_gitlink() {
                    continue;
                }
                let Some(rank) = self.rank(entry.id)? else { return Ok(false) };
                if !entry.is_tree() {
                    bits.insert(rank);
                } else if !bits.contains(rank) {
                    trees.push(entry.id.to_owned());
                }
            }
        }
        Ok(true)
    }

    /// Where an object lies in the pack, among the others.
    fn rank(&mut self, id: &oid) -> Result<Option<u32>, Error> {
        Ok(self.position(id)?.map(|position| self.ranks[position as usize]))
    }

    fn position(&mut self, id: &oid) -> Result<Option<u32>, Error> {
        match self.places.require(self.store, id) {
            Ok(Located::Packed(packed)) if packed.pack == self.pack => Ok(Some(packed.position)),
            // Another pack has it too, or alone.
            Ok(_) => self.store.locate_in_pack(self.pack, id),
            Err(Error::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps what a commit reaches; `before` is what the last one did. Returns it again.
    fn store(&mut self, commit: u32, bits: Bits, before: &Bits) -> Result<Bits, Error> {
        let Some(position) = self.position(&self.selected.history[commit as usize])? else { return Ok(bits) };
        let (mut whole, mut difference) = (Vec::new(), Vec::new());
        bits.write_to(&mut whole);
        let chain = self.stored.last().map_or(CHAIN_MAX, |last| last.chain) + 1;
        if chain <= CHAIN_MAX {
            let mut toggled = bits.clone();
            toggled.toggle(before);
            toggled.write_to(&mut difference);
        }
        let is_difference = chain <= CHAIN_MAX && difference.len() < whole.len();
        let (chain, bytes) = if is_difference { (chain, difference) } else { (0, whole) };
        self.done.insert(commit, self.stored.len());
        self.stored.push(Stored { commit: position, is_difference, chain, bytes });
        Ok(bits)
    }

    fn recall(&self, index: usize) -> Option<Bits> {
        let read = |index: usize| Bits::read(&self.stored[index].bytes, self.ranks.len() as u32);
        let (mut bits, _) = read(index)?;
        let mut at = index;
        while self.stored[at].is_difference {
            at -= 1;
            bits.toggle(&read(at)?.0);
        }
        Some(bits)
    }
}
