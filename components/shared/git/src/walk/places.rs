//! Where objects are, remembered for those that are asked for over and over.

use super::set::Located;
use crate::odb::{Error, Packed, Store};
use gix_hash::{ObjectId, oid};

/// How many places are remembered, and at first.
const SLOTS_MAX: usize = 64 * 1024;
const SLOTS_MIN: usize = 1024;

/// Places of packed objects. Most of what a tree names was named by the trees before it, and a look here
/// is much cheaper than one in the index of a pack.
#[derive(Default)]
pub struct Places {
    /// Each object has one slot, which it may share with others: the latest is remembered.
    slots: Vec<Option<(ObjectId, Packed)>>,
    used: usize,
}

impl Places {
    /// Finds an object that must be there.
    ///
    /// Fails with `Missing`.
    pub fn require(&mut self, store: &Store, id: &oid) -> Result<Located, Error> {
        if let Some(packed) = self.recall(id) {
            return Ok(Located::Packed(packed));
        }
        let found = Located::require(store, id)?;
        if let Located::Packed(packed) = found {
            self.remember(id, packed);
        }
        Ok(found)
    }

    fn recall(&self, id: &oid) -> Option<Packed> {
        let (known, packed) = self.slots.get(self.slot(id))?.as_ref()?;
        (*known == id).then_some(*packed)
    }

    fn remember(&mut self, id: &oid, packed: Packed) {
        if self.used >= self.slots.len() / 2 && self.slots.len() < SLOTS_MAX {
            let slots = (self.slots.len() * 4).clamp(SLOTS_MIN, SLOTS_MAX);
            let before = std::mem::replace(&mut self.slots, vec![None; slots]);
            self.used = 0;
            before.into_iter().flatten().for_each(|(id, packed)| self.set(id, packed));
        }
        self.set(id.to_owned(), packed);
    }

    fn set(&mut self, id: ObjectId, packed: Packed) {
        let slot = self.slot(&id);
        self.used += usize::from(self.slots[slot].is_none());
        self.slots[slot] = Some((id, packed));
    }

    /// Ids are as good as random, so their first bytes will do.
    fn slot(&self, id: &oid) -> usize {
        let first = id.as_bytes().first_chunk().expect("ids have 20 bytes at least");
        u32::from_le_bytes(*first) as usize & self.slots.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> ObjectId {
        let mut id = ObjectId::null(gix_hash::Kind::Sha1);
        id.as_mut_slice()[..4].copy_from_slice(&number.to_le_bytes());
        id
    }

    #[test]
    fn the_latest_of_those_that_share_a_slot_is_remembered() {
        let mut places = Places::default();
        assert_eq!(places.recall(&id(1)), None);
        for number in 0..2 * SLOTS_MAX as u32 {
            places.remember(&id(number), Packed { pack: 0, position: number });
            assert_eq!(places.recall(&id(number)), Some(Packed { pack: 0, position: number }));
        }
        assert_eq!(places.slots.len(), SLOTS_MAX);
        assert_eq!(places.recall(&id(1)), None);
        assert!(places.recall(&id(1 + SLOTS_MAX as u32)).is_some());
    }
}
