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
    packs: Vec<Vec<u64>>,
    loose: HashSet<ObjectId>,
    len: u64,
}

impl ObjectSet {
    /// Adds an object; false: it was there.
    pub fn insert(&mut self, object: Located) -> bool {
        let is_new = match object {
            Located::Packed(packed) => self.insert_packed(packed),
            Located::Loose(id) => self.loose.insert(id),
        };
        self.len += u64::from(is_new);
        is_new
    }

    fn insert_packed(&mut self, packed: Packed) -> bool {
        let (pack, word, bit) = split(packed);
        if self.packs.len() <= pack {
            self.packs.resize(pack + 1, Vec::new());
        }
        let words = &mut self.packs[pack];
        if words.len() <= word {
            words.resize((word + 1).next_power_of_two(), 0);
        }
        let is_new = words[word] & bit == 0;
        words[word] |= bit;
        is_new
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
        let was_there = self.contains(object);
        match object {
            Located::Packed(packed) if was_there => {
                let (pack, word, bit) = split(packed);
                self.packs[pack][word] &= !bit;
            }
            Located::Packed(_) => {}
            Located::Loose(id) => {
                self.loose.remove(&id);
            }
        }
        self.len -= u64::from(was_there);
        was_there
    }

    /// Takes everything out that is in one pack.
    pub fn remove_pack(&mut self, pack: u32) {
        self.len -= self.pack_len(pack);
        if let Some(words) = self.packs.get_mut(pack as usize) {
            words.clear();
        }
    }

    pub fn contains(&self, object: Located) -> bool {
        match object {
            Located::Packed(packed) => {
                let (pack, word, bit) = split(packed);
                self.packs.get(pack).and_then(|words| words.get(word)).is_some_and(|word| word & bit != 0)
            }
            Located::Loose(id) => self.loose.contains(&id),
        }
    }

    /// How many objects there are.
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many objects of one pack there are.
    pub fn pack_len(&self, pack: u32) -> u64 {
        let words = self.packs.get(pack as usize).map_or(&[][..], Vec::as_slice);
        words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The objects of one pack, by their positions in its index, ascending.
    pub fn of_pack(&self, pack: u32) -> impl Iterator<Item = u32> {
        let words = self.packs.get(pack as usize).map_or(&[][..], Vec::as_slice);
        words.iter().zip(0..).flat_map(|(word, index): (&u64, u32)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(index * u64::BITS + bit)
            })
        })
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
            self.packs.resize(other.packs.len(), Vec::new());
        }
        for (words, others) in self.packs.iter_mut().zip(&other.packs) {
            words.resize(words.len().max(others.len()), 0);
            words.iter_mut().zip(others).for_each(|(word, other)| *word |= other);
        }
        self.loose.extend(&other.loose);
        let packed: u64 = (0..self.packs.len() as u32).map(|pack| self.pack_len(pack)).sum();
        self.len = packed + self.loose.len() as u64;
    }

    /// Takes out every object that `other` has.
    pub fn subtract(&mut self, other: &Self) {
        for (words, others) in self.packs.iter_mut().zip(&other.packs) {
            for (word, other) in words.iter_mut().zip(others) {
                self.len -= u64::from((*word & other).count_ones());
                *word &= !other;
            }
        }
        for id in &other.loose {
            self.len -= u64::from(self.loose.remove(id));
        }
    }
}

fn split(packed: Packed) -> (usize, usize, u64) {
    (packed.pack as usize, (packed.position / 64) as usize, 1 << (packed.position % 64))
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
        set.subtract(&other);
        assert!(set.contains(packed(0, 0)));
        assert_eq!(set.len(), 1);
    }
}
