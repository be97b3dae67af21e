//! Sets of objects of one store.

use crate::bitmap::Bits;
use crate::odb::{Error, Numbering, Packed, Place, Store};
use gix_hash::{ObjectId, oid};
use std::collections::HashSet;

/// An object and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Located {
    Packed(Packed),
    Loose(ObjectId),
}

impl Located {
    /// Finds an object that must be there.
    ///
    /// Fails with `Missing`.
    pub fn require(store: &Store, id: &oid) -> Result<Self, Error> {
        Ok(match store.require(id)? {
            Place::Packed(packed) => Self::Packed(packed),
            Place::Loose => Self::Loose(id.to_owned()),
        })
    }

    /// Finds an object; none: it is not there.
    pub fn find(store: &Store, id: &oid) -> Result<Option<Self>, Error> {
        Ok(store.locate(id)?.map(|place| match place {
            Place::Packed(packed) => Self::Packed(packed),
            Place::Loose => Self::Loose(id.to_owned()),
        }))
    }
}

/// A set of objects: a bit for each packed one, and the ids of the loose ones.
#[derive(Default, Clone)]
pub struct ObjectSet {
    packs: Vec<Positions>,
    loose: HashSet<ObjectId>,
}

const PAGE_WORDS: usize = 64;
const PAGE_BITS: u32 = PAGE_WORDS as u32 * u64::BITS;

/// Positions in the index of a pack, a bit each. Pages without any take no memory and no time: a few
/// objects of a large pack cost little.
#[derive(Default, Clone)]
struct Positions {
    pages: Vec<Option<Box<[u64; PAGE_WORDS]>>>,
    len: u64,
}

impl Positions {
    fn insert(&mut self, position: u32) -> bool {
        let (page, word, bit) = split(position);
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        let words = self.pages[page].get_or_insert_with(|| Box::new([0; PAGE_WORDS]));
        let is_new = words[word] & bit == 0;
        words[word] |= bit;
        self.len += u64::from(is_new);
        is_new
    }

    fn remove(&mut self, position: u32) -> bool {
        let was_there = self.contains(position);
        let (page, word, bit) = split(position);
        if was_there && let Some(Some(words)) = self.pages.get_mut(page) {
            words[word] &= !bit;
            self.len -= 1;
        }
        was_there
    }

    fn contains(&self, position: u32) -> bool {
        let (page, word, bit) = split(position);
        matches!(self.pages.get(page), Some(Some(words)) if words[word] & bit != 0)
    }

    fn iter(&self) -> impl Iterator<Item = u32> {
        let pages = self.pages.iter().zip((0..).step_by(PAGE_BITS as usize));
        let words = pages.filter_map(|(page, first)| page.as_ref().map(|words| (words, first))).flat_map(
            |(words, first): (&Box<[u64; PAGE_WORDS]>, u32)| {
                words.iter().zip((first..).step_by(u64::BITS as usize))
            },
        );
        words.flat_map(|(word, first)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(first + bit)
            })
        })
    }

    fn unite(&mut self, other: &Self) {
        if self.pages.len() < other.pages.len() {
            self.pages.resize(other.pages.len(), None);
        }
        for (page, others) in self.pages.iter_mut().zip(&other.pages) {
            match (page, others) {
                (Some(words), Some(others)) => {
                    words.iter_mut().zip(others.iter()).for_each(|(word, other)| *word |= other);
                }
                (page @ None, Some(others)) => *page = Some(others.clone()),
                (_, None) => {}
            }
        }
        self.count();
    }

    fn subtract(&mut self, other: &Self) {
        for (page, others) in self.pages.iter_mut().zip(&other.pages) {
            if let (Some(words), Some(others)) = (page, others) {
                words.iter_mut().zip(others.iter()).for_each(|(word, other)| *word &= !other);
            }
        }
        self.count();
    }

    fn count(&mut self) {
        let words = self.pages.iter().flatten().flat_map(|words| words.iter());
        self.len = words.map(|word| u64::from(word.count_ones())).sum();
    }
}

/// The page, the word in the page, and the bit in the word of a position.
fn split(position: u32) -> (usize, usize, u64) {
    let within = position % PAGE_BITS;
    ((position / PAGE_BITS) as usize, (within / u64::BITS) as usize, 1 << (within % u64::BITS))
}

impl ObjectSet {
    /// Adds an object; false: it was there.
    pub fn insert(&mut self, object: Located) -> bool {
        match object {
            Located::Packed(Packed { pack, position }) => {
                let pack = pack as usize;
                if self.packs.len() <= pack {
                    self.packs.resize_with(pack + 1, Positions::default);
                }
                self.packs[pack].insert(position)
            }
            Located::Loose(id) => self.loose.insert(id),
        }
    }

    /// Adds objects by the numbers that bitmaps give them.
    ///
    /// Fails if it cannot be told which they are.
    pub fn unite_numbered(&mut self, store: &Store, numbering: &Numbering, bits: &Bits) -> Result<(), Error> {
        numbering.places(store, bits.iter(), |at| {
            self.insert(Located::Packed(at));
        })
    }

    /// Takes an object out; false: it was not there.
    pub fn remove(&mut self, object: Located) -> bool {
        match object {
            Located::Packed(Packed { pack, position }) => {
                self.packs.get_mut(pack as usize).is_some_and(|positions| positions.remove(position))
            }
            Located::Loose(id) => self.loose.remove(&id),
        }
    }

    /// Takes everything out that is in one pack.
    pub fn remove_pack(&mut self, pack: u32) {
        if let Some(positions) = self.packs.get_mut(pack as usize) {
            *positions = Positions::default();
        }
    }

    pub fn contains(&self, object: Located) -> bool {
        match object {
            Located::Packed(Packed { pack, position }) => {
                self.packs.get(pack as usize).is_some_and(|positions| positions.contains(position))
            }
            Located::Loose(id) => self.loose.contains(&id),
        }
    }

    /// How many objects there are.
    pub fn len(&self) -> u64 {
        self.packs.iter().map(|positions| positions.len).sum::<u64>() + self.loose.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many objects of one pack there are.
    pub fn pack_len(&self, pack: u32) -> u64 {
        self.packs.get(pack as usize).map_or(0, |positions| positions.len)
    }

    /// The objects of one pack, by their positions in its index, ascending.
    pub fn of_pack(&self, pack: u32) -> impl Iterator<Item = u32> {
        self.packs.get(pack as usize).into_iter().flat_map(Positions::iter)
    }

    /// The loose objects, in no order.
    pub fn loose(&self) -> impl Iterator<Item = &ObjectId> {
        self.loose.iter()
    }

    /// Finds the objects that were loose when they were added, and are packed by now, in their pack.
    /// One that was found in both is counted once then.
    pub fn settle(&mut self, store: &Store) -> Result<(), Error> {
        for id in self.loose.iter().copied().collect::<Vec<_>>() {
            if let Some(packed) = store.locate_packed(&id)? {
                self.remove(Located::Loose(id));
                self.insert(Located::Packed(packed));
            }
        }
        Ok(())
    }

    /// Adds every object that `other` has.
    pub fn unite(&mut self, other: &Self) {
        if self.packs.len() < other.packs.len() {
            self.packs.resize_with(other.packs.len(), Positions::default);
        }
        for (positions, others) in self.packs.iter_mut().zip(&other.packs) {
            positions.unite(others);
        }
        self.loose.extend(&other.loose);
    }

    /// Takes out every object that `other` has.
    pub fn subtract(&mut self, other: &Self) {
        for (positions, others) in self.packs.iter_mut().zip(&other.packs) {
            positions.subtract(others);
        }
        for id in &other.loose {
            self.loose.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_not_taken_out() {
        let packed = |pack, position| Located::Packed(Packed { pack, position });
        let loose = Located::Loose(ObjectId::null(gix_hash::Kind::Sha1));
        let mut set = ObjectSet::default();
        for object in [packed(0, 0), packed(0, 63), packed(2, 64), loose] {
            assert!(!set.contains(object));
            assert!(set.insert(object));
            assert!(!set.insert(object));
            assert!(set.contains(object));
        }
        assert_eq!((set.len(), set.pack_len(0), set.pack_len(1), set.pack_len(2)), (4, 2, 0, 1));
        assert!(set.remove(packed(0, 63)) && !set.remove(packed(0, 63)) && !set.remove(packed(9, 9)));
        let mut other = ObjectSet::default();
        other.insert(loose);
        other.insert(packed(2, 64));
        other.insert(packed(2, 65));
        let mut united = set.clone();
        united.unite(&other);
        united.insert(packed(2, 1_000_000));
        assert_eq!(united.of_pack(2).collect::<Vec<_>>(), [64, 65, 1_000_000]);
        assert_eq!((united.len(), united.pack_len(2)), (5, 3));
        set.subtract(&other);
        assert!(set.contains(packed(0, 0)));
        assert_eq!(set.len(), 1);
    }
}
