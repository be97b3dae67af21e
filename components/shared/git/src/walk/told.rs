//! Sets of objects as bitmaps tell them, left in the order of the pack until somebody asks.
//!
//! What wants and haves reach is mostly the same: only the difference is worth to be looked up.

use super::set::{Located, ObjectSet};
use crate::bitmap::Bits;
use crate::odb::{Error, Order, Store};
use std::sync::Arc;

/// Objects of one pack, by the places where they lie.
pub struct Told {
    pack: u32,
    order: Arc<Order>,
    ranks: Bits,
}

impl Told {
    /// Nothing yet, of a pack.
    pub fn new(store: &Store, pack: u32) -> Result<Self, Error> {
        let order = store.pack_order(pack)?;
        let ranks = Bits::new(order.len() as u32);
        Ok(Self { pack, order, ranks })
    }

    /// Adds objects of the pack, by where they lie.
    pub fn unite(&mut self, ranks: &Bits) {
        self.ranks.unite(ranks);
    }

    pub fn contains(&self, at: Located) -> Result<bool, Error> {
        match at {
            Located::Packed(packed) if packed.pack == self.pack => {
                let rank = self.order.rank(self.order.offset(packed.position)?)?;
                Ok(rank.is_some_and(|rank| self.ranks.contains(rank as u32)))
            }
            _ => Ok(false),
        }
    }

    /// How many objects there are.
    pub fn len(&self) -> u64 {
        self.ranks.count().into()
    }

    /// Adds to `set` what is here, and not in `other` of the same store.
    pub fn add_difference_to(
        mut self,
        store: &Store,
        other: Option<&Self>,
        set: &mut ObjectSet,
    ) -> Result<(), Error> {
        if let Some(other) = other.filter(|other| other.pack == self.pack) {
            self.ranks.subtract(&other.ranks);
        }
        set.unite_packed(store, self.pack, &self.ranks)
    }
}

/// What a client has, as far as that was found out.
#[derive(Default)]
pub struct Had {
    pub(super) set: ObjectSet,
    pub(super) told: Option<Told>,
}

impl Had {
    pub fn contains(&self, at: Located) -> Result<bool, Error> {
        if self.set.contains(at) {
            return Ok(true);
        }
        self.told.as_ref().map_or(Ok(false), |told| told.contains(at))
    }

    pub(super) fn insert(&mut self, at: Located) {
        self.set.insert(at);
    }
}
