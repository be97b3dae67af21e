//! Computing bitmaps, and writing them.

use super::bits::Bits;
use super::{BitmapFile, FULL_CLOSURE, KINDS, LOOKUP_TABLE, MAGIC, VERSION};
use crate::durable;
use crate::odb::{Error, Numbers, Packed, Store};
use crate::walk::{Commit, Entries, Located, Places};
use gix_hash::{ObjectId, oid};
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
    known: Option<Known>,
}

/// The bitmaps of one pack of several, whose objects have the first numbers, so that those bitmaps hold as they
/// are.
pub struct Known {
    pub file: BitmapFile,
    pub pack: u32,
}

/// What is known of a commit of that pack.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    HasBitmap,
    HasNone,
}

impl Known {
    /// None: the commit is not in the pack.
    fn standing(&self, store: &Store, id: &oid) -> Result<Option<Standing>, Error> {
        let position = store.locate_in_pack(self.pack, id)?;
        Ok(position.map(|position| match self.file.contains(position) {
            true => Standing::HasBitmap,
            false => Standing::HasNone,
        }))
    }
}

impl Selected {
    /// Chooses the commits that get a bitmap, from all that `tips` reach: those from which histories are
    /// often asked for, and some on the way there. `objects` have numbers; bitmaps that are known are taken over.
    pub fn of(store: &Store, tips: &[ObjectId], objects: u32, known: Option<Known>) -> Result<Self, Error> {
        let (history, parents, ends, chosen) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut selected = Self { history, parents, ends, chosen, known };
        let places = selected.find_history(store, tips)?;
        let tips: HashSet<u32> = tips.iter().map(|id| places[id]).collect();
        drop(places);
        selected.choose(store, &tips, BITS_BYTES_MAX / (objects as usize / 8 + 1))?;
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
    fn choose(&mut self, store: &Store, tips: &HashSet<u32>, room: usize) -> Result<(), Error> {
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
            let standing = |known: &Known| known.standing(store, &self.history[commit as usize]);
            let is_on_the_way = match self.known.as_ref().map(standing).transpose()?.flatten() {
                Some(standing) => standing == Standing::HasBitmap,
                None => later >= next && (is_first_parent[commit as usize] || later >= next + stride),
            };
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
        Ok(())
    }
}

/// The bitmaps of some packs under way.
struct Builder<'a> {
    store: &'a Store,
    numbers: &'a Numbers,
    selected: &'a Selected,
    places: Places,
    /// Which of `stored` is of which commit of the history.
    done: HashMap<u32, usize>,
    stored: Vec<Stored>,
}

/// A bitmap as it is going to be written.
struct Stored {
    /// Where it is in the table of ids.
    row: u32,
    /// Whether it is the difference from the one before.
    is_difference: bool,
    chain: u8,
    bytes: Vec<u8>,
}

/// What became of bitmaps.
#[derive(Debug)]
pub enum Encoded {
    File(Vec<u8>),
    /// Not all that the selected commits reach has a number.
    Incomplete,
    Stopped,
}

/// Hears of how many commits have their bitmap, of how many; false stops the work.
pub type OnProgress<'a> = &'a mut dyn FnMut(u64, u64) -> bool;

/// Makes the file of bitmaps of a pack, or of an index over several, with this checksum, whose objects have these
/// numbers.
pub fn encode(
    store: &Store,
    numbers: &Numbers,
    checksum: &oid,
    selected: &Selected,
    on_progress: OnProgress,
) -> Result<Encoded, Error> {
    let places = Places::default();
    let mut builder = Builder { store, numbers, selected, places, done: HashMap::new(), stored: Vec::new() };
    let mut before = Bits::new(numbers.len());
    for (done, commit) in selected.chosen.iter().enumerate() {
        if !on_progress(done as u64, selected.len() as u64) {
            return Ok(Encoded::Stopped);
        }
        match builder.reach(*commit)? {
            Some(bits) => before = builder.store(*commit, bits, &before)?,
            None => return Ok(Encoded::Incomplete),
        }
    }
    let mut out = Vec::new();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&(FULL_CLOSURE | LOOKUP_TABLE).to_be_bytes());
    out.extend_from_slice(&(builder.stored.len() as u32).to_be_bytes());
    out.extend_from_slice(checksum.as_bytes());
    for bits in of_kinds(store, numbers, selected.known.as_ref())? {
        bits.write_to(&mut out);
    }
    write_entries(&builder.stored, &mut out);
    durable::append_checksum(&mut out, checksum.kind())
        .map_err(|source| Error::Io { path: "bitmap".into(), source })?;
    Ok(Encoded::File(out))
}

/// All objects of each kind, in the order in which a file of bitmaps has them.
fn of_kinds(store: &Store, numbers: &Numbers, known: Option<&Known>) -> Result<[Bits; 4], Error> {
    let mut sets = KINDS.map(|_| Bits::new(numbers.len()));
    for (pack, numbers_of_pack) in numbers.packs() {
        let of_kind = |known: &Known| KINDS.map(|kind| known.file.of_kind(kind));
        if let Some([Some(commits), Some(trees), Some(blobs), Some(tags)]) =
            known.filter(|known| known.pack == pack).map(of_kind)
        {
            for (set, known) in sets.iter_mut().zip([commits, trees, blobs, tags]) {
                set.unite(&known.lengthened(numbers.len()));
            }
            continue;
        }
        for (number, kind) in numbers_of_pack.iter().zip(store.pack_kinds(pack)?) {
            let index = KINDS.iter().position(|other| *other == kind).expect("there are four kinds");
            sets[index].insert(*number);
        }
    }
    Ok(sets)
}

fn write_entries(stored: &[Stored], out: &mut Vec<u8>) {
    let mut rows = Vec::new();
    for entry in stored {
        rows.push((entry.row, out.len() as u64, rows.len()));
        out.extend_from_slice(&entry.row.to_be_bytes());
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
    /// What a commit reaches. None: some of it has no number.
    fn reach(&mut self, commit: u32) -> Result<Option<Bits>, Error> {
        let mut bits = Bits::new(self.numbers.len());
        let mut untold = Vec::new();
        // The latest first, so that what an earlier bitmap tells is known before any of it is looked at.
        let mut queue = BinaryHeap::from([commit]);
        while let Some(commit) = queue.pop() {
            let id = &self.selected.history[commit as usize];
            let Some((_, number)) = self.find(id)? else { return Ok(None) };
            if bits.contains(number) {
                continue;
            }
            if let Some(told) = self.told(commit)? {
                bits.unite(&told);
                continue;
            }
            bits.insert(number);
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

    /// What a bitmap says that a commit reaches; none: there is none.
    fn told(&self, commit: u32) -> Result<Option<Bits>, Error> {
        if let Some(bits) = self.done.get(&commit).and_then(|index| self.recall(*index)) {
            return Ok(Some(bits));
        }
        let Some(known) = &self.selected.known else { return Ok(None) };
        let position = self.store.locate_in_pack(known.pack, &self.selected.history[commit as usize])?;
        let bits = position.and_then(|position| known.file.get(position));
        Ok(bits.map(|bits| bits.lengthened(self.numbers.len())))
    }

    fn reach_tree(&mut self, tree: ObjectId, bits: &mut Bits) -> Result<bool, Error> {
        let mut trees = vec![tree];
        while let Some(id) = trees.pop() {
            let Some((packed, number)) = self.find(&id)? else { return Ok(false) };
            if !bits.insert(number) {
                continue;
            }
            let object = self.store.packed_object(packed)?;
            for entry in Entries::new(&id, &object.data) {
                let entry = entry?;
                if entry.is_gitlink() {
                    continue;
                }
                let Some((_, number)) = self.find(entry.id)? else { return Ok(false) };
                if !entry.is_tree() {
                    bits.insert(number);
                } else if !bits.contains(number) {
                    trees.push(entry.id.to_owned());
                }
            }
        }
        Ok(true)
    }

    /// Where an object is, and its number. None: it has none.
    fn find(&mut self, id: &oid) -> Result<Option<(Packed, u32)>, Error> {
        match self.places.require(self.store, id) {
            Ok(Located::Packed(packed)) => self.numbers.find(self.store, id, Some(packed)),
            Ok(Located::Loose(_)) => self.numbers.find(self.store, id, None),
            Err(Error::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps what a commit reaches; `before` is what the last one did. Returns it again.
    fn store(&mut self, commit: u32, bits: Bits, before: &Bits) -> Result<Bits, Error> {
        let Some((_, number)) = self.find(&self.selected.history[commit as usize])? else { return Ok(bits) };
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
        self.stored.push(Stored { row: self.numbers.row(number), is_difference, chain, bytes });
        Ok(bits)
    }

    fn recall(&self, index: usize) -> Option<Bits> {
        let read = |index: usize| Bits::read(&self.stored[index].bytes, self.numbers.len());
        let (mut bits, _) = read(index)?;
        let mut at = index;
        while self.stored[at].is_difference {
            at -= 1;
            bits.toggle(&read(at)?.0);
        }
        Some(bits)
    }
}
