//! Sets of objects as bitmaps tell them, left as their numbers until somebody asks.
//!
//! What wants and haves reach is mostly the same: only the difference is worth to be looked up.

use super::set::{Located, ObjectSet};
use crate::bitmap::Bits;
use crate::odb::{Error, Numbering, Store};
use std::sync::Arc;

/// Objects by the numbers that the bitmaps of a store give them.
pub struct Told {
    numbering: Arc<Numbering>,
    numbers: Bits,
}

impl Told {
    /// Nothing yet.
    pub fn new(numbering: &Arc<Numbering>) -> Self {
        Self { numbering: numbering.clone(), numbers: Bits::new(numbering.len()) }
    }

    /// Adds objects by their numbers.
    pub fn unite(&mut self, numbers: &Bits) {
        self.numbers.unite(numbers);
    }

    pub fn contains(&self, at: Located) -> Result<bool, Error> {
        let Located::Packed(packed) = at else { return Ok(false) };
        let number = self.numbering.number(packed)?;
        Ok(number.is_some_and(|number| self.numbers.contains(number)))
    }

    /// How many objects there are.
    pub fn len(&self) -> u64 {
        self.numbers.count().into()
    }

    /// Adds to `set` what is here, and not in `other` of the same store.
    pub fn add_difference_to(
        mut self,
        store: &Store,
        other: Option<&Self>,
        set: &mut ObjectSet,
    ) -> Result<(), Error> {
        if let Some(other) = other {
            self.numbers.subtract(&other.numbers);
        }
        set.unite_numbered(store, &self.numbering, &self.numbers)
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
