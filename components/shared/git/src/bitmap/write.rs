//! Computing bitmaps, and writing them.

use super::bits::Bits;
use super::{FULL_CLOSURE, LOOKUP_TABLE, MAGIC, VERSION};
use crate::durable;
use crate::odb::{Error, Packed, Store};
use crate::walk::{Commit, Entries};
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use std::collections::{HashMap, HashSet};

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

/// Chooses the commits that get a bitmap, from all that `tips` reach: those from which histories are
/// often asked for, and some on the way there. Ancestors come before their descendants.
pub fn select(store: &Store, tips: &[ObjectId], objects: u32) -> Result<Vec<ObjectId>, Error> {
    let history = history(store, tips)?;
    let tips: HashSet<ObjectId> = tips.iter().copied().collect();
    let room = BITS_BYTES_MAX / (objects as usize / 8 + 1);
    let mut tips_left = TIPS_MAX;
    let mut next = 0;
    let mut selected = Vec::new();
    for (later, id) in history.iter().rev().enumerate() {
        let is_tip = tips.contains(id) && tips_left > 0;
        tips_left -= usize::from(is_tip);
        if is_tip || later == next {
            selected.push(*id);
        }
        if later == next {
            next += STRIDE_MIN.max(later / STRIDE_PART);
        }
        if selected.len() == room.max(1) {
            break;
        }
    }
    selected.reverse();
    Ok(selected)
}

/// All commits that `tips` reach, each after its parents.
fn history(store: &Store, tips: &[ObjectId]) -> Result<Vec<ObjectId>, Error> {
    let mut order = Vec::new();
    let mut begun = HashSet::new();
    let mut dated = Vec::new();
    for id in tips {
        dated.push((Commit::read(store, id)?.date, *id));
    }
    // The stack ends with what comes first.
    dated.sort_unstable_by_key(|(date, id)| (std::cmp::Reverse(*date), *id));
    let mut stack: Vec<(ObjectId, bool)> = dated.into_iter().map(|(_, id)| (id, false)).collect();
    while let Some((id, are_parents_done)) = stack.pop() {
        if are_parents_done {
            order.push(id);
        } else if begun.insert(id) {
            stack.push((id, true));
            let parents = Commit::read(store, &id)?.parents.into_iter();
            stack.extend(parents.filter(|parent| !begun.contains(parent)).map(|parent| (parent, false)));
        }
    }
    Ok(order)
}

/// The bitmaps of one pack under way.
struct Builder<'a> {
    store: &'a Store,
    pack: u32,
    /// By position in the index.
    ranks: Vec<u32>,
    done: HashMap<u32, usize>,
    stored: Vec<Stored>,
}

/// A bitmap as it is going to be written.
struct Stored {
    commit: u32,
    /// Whether it is the difference from the one before.
    is_difference: bool,
    chain: u8,
    bytes: Vec<u8>,
}

/// Makes the file of bitmaps of a pack. `kinds` are those of its objects, by position in the index;
/// `commits` get a bitmap, and ancestors are to come before their descendants. None: the pack has
/// not all that they reach.
pub fn encode(
    store: &Store,
    pack: u32,
    checksum: &oid,
    kinds: &[Kind],
    commits: &[ObjectId],
) -> Result<Option<Vec<u8>>, Error> {
    let order = store.pack_order(pack)?;
    let mut ranks = vec![0; order.len()];
    for rank in 0..order.len() {
        ranks[order.entry(rank)?.1 as usize] = rank as u32;
    }
    let mut builder = Builder { store, pack, ranks, done: HashMap::new(), stored: Vec::new() };
    let mut before = Bits::new(order.len() as u32);
    for id in commits {
        match builder.reach(id)? {
            Some(bits) => before = builder.store(id, bits, &before)?,
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
    fn reach(&self, id: &oid) -> Result<Option<Bits>, Error> {
        let mut bits = Bits::new(self.ranks.len() as u32);
        let mut commits = vec![id.to_owned()];
        let mut trees = Vec::new();
        while let Some(id) = commits.pop() {
            let Some(position) = self.position(&id)? else { return Ok(None) };
            if bits.contains(self.ranks[position as usize]) {
                continue;
            }
            if let Some(known) = self.done.get(&position).and_then(|index| self.recall(*index)) {
                bits.unite(&known);
                continue;
            }
            bits.insert(self.ranks[position as usize]);
            let commit = Commit::read(self.store, &id)?;
            commits.extend(commit.parents);
            trees.push(commit.tree);
        }
        // What earlier bitmaps tell need not be opened again.
        let is_whole = self.reach_trees(trees, &mut bits)?;
        Ok(is_whole.then_some(bits))
    }

    fn reach_trees(&self, mut trees: Vec<ObjectId>, bits: &mut Bits) -> Result<bool, Error> {
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
                let id = ObjectId::from(entry.id);
                if entry.is_tree() {
                    trees.push(id);
                    continue;
                }
                let Some(position) = self.position(&id)? else { return Ok(false) };
                bits.insert(self.ranks[position as usize]);
            }
        }
        Ok(true)
    }

    fn position(&self, id: &oid) -> Result<Option<u32>, Error> {
        self.store.locate_in_pack(self.pack, id)
    }

    /// Keeps what a commit reaches; `before` is what the last one did. Returns it again.
    fn store(&mut self, id: &oid, bits: Bits, before: &Bits) -> Result<Bits, Error> {
        let Some(commit) = self.position(id)? else { return Ok(bits) };
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
        self.stored.push(Stored { commit, is_difference, chain, bytes });
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
