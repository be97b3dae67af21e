//! Where the commits are that were come by a moment ago.
//!
//! A walk comes from a commit to its parents, of which the graph says the numbers, and then asks for them by their
//! ids, often twice. What it came by lately it does not search for.

use gix_hash::{ObjectId, oid};
use std::sync::{Mutex, PoisonError};

/// How many commits are remembered: more than a walk has open at once.
const PLACES: usize = 1024;

/// Numbers of commits, each at the place that the commit's id says, where the next takes it.
#[derive(Default)]
pub(super) struct Lately(Mutex<Vec<Option<(ObjectId, u32)>>>);

impl Lately {
    /// The number of a commit, if it is remembered.
    pub fn find(&self, id: &oid) -> Option<u32> {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, number) = places.get(place(id))?.as_ref()?;
        (**known == *id).then_some(*number)
    }

    /// Remembers the number of a commit.
    pub fn note(&self, id: &oid, number: u32) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.is_empty() {
            places.resize(PLACES, None);
        }
        places[place(id)] = Some((id.to_owned(), number));
    }
}

/// Ids are digests: any of their bytes are spread evenly.
fn place(id: &oid) -> usize {
    let bytes = id.as_bytes();
    usize::from(u16::from_le_bytes([bytes[0], bytes[1]])) % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(first: u8, last: u8) -> ObjectId {
        let mut bytes = [first; 20];
        bytes[19] = last;
        ObjectId::Sha1(bytes)
    }

    #[test]
    fn of_two_in_one_place_the_later_is_remembered_and_never_one_for_the_other() {
        let lately = Lately::default();
        assert_eq!(lately.find(&id(1, 1)), None);
        lately.note(&id(1, 1), 7);
        assert_eq!(lately.find(&id(1, 1)), Some(7));
        assert_eq!(lately.find(&id(1, 2)), None);
        lately.note(&id(1, 2), 8);
        assert_eq!((lately.find(&id(1, 1)), lately.find(&id(1, 2))), (None, Some(8)));
        lately.note(&id(2, 1), 9);
        assert_eq!((lately.find(&id(1, 2)), lately.find(&id(2, 1))), (Some(8), Some(9)));
    }
}
