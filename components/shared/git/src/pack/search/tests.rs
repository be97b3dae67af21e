//! Each bound of a search, at it and past it.

use super::*;
use crate::testing::Scratch;
use crate::walk::Had;

const UNBOUNDED: Bounds =
    Bounds { object: u64::MAX, search: u64::MAX, fetch: u64::MAX, window: usize::MAX, found: usize::MAX };
const CHAIN_DELTAS_MAX: u16 = 50;

/// A store with these loose blobs, and where they are.
fn store_of(blobs: &[Vec<u8>]) -> (Scratch, Store, Vec<ObjectId>) {
    let place = Scratch::new();
    place.sh("git init -q --bare .");
    let mut ids = Vec::new();
    for blob in blobs {
        std::fs::write(place.path().join("blob"), blob).expect("written");
        ids.push(place.sh("git hash-object -w blob").parse().expect("an id"));
    }
    let store = Store::open(place.path()).expect("readable");
    (place, store, ids)
}

/// Bytes that are like no others of another seed.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn set(ids: &[ObjectId]) -> ObjectSet {
    let mut set = ObjectSet::default();
    for id in ids {
        set.insert(Located::Loose(*id));
    }
    set
}

/// The deltas that are found among these blobs.
fn found(bounds: Bounds, blobs: &[Vec<u8>]) -> Found {
    let (_place, store, ids) = store_of(blobs);
    search_within(&bounds, &store, &set(&ids), CHAIN_DELTAS_MAX, &mut |_| true).expect("readable")
}

#[test]
fn objects_up_to_a_size_are_compared() {
    let whole = noise(1, 5_000);
    let blobs = [whole.clone(), whole[..4_900].to_vec()];
    for (object, expected) in [(5_000, 1), (4_999, 0)] {
        assert_eq!(found(Bounds { object, ..UNBOUNDED }, &blobs).len(), expected, "{object}");
    }
    for (len, expected) in [(OBJECT_BYTES_MIN as usize, 1), (OBJECT_BYTES_MIN as usize - 1, 0)] {
        let (_place, store, ids) = store_of(&[whole[..len].to_vec()]);
        assert_eq!(candidates(&UNBOUNDED, &store, &set(&ids)).expect("readable").len(), expected, "{len}");
    }
}

#[test]
fn a_search_ends_when_so_much_was_compared() {
    let whole = noise(2, 5_000);
    let blobs = [whole.clone(), whole[..4_900].to_vec(), whole[..4_800].to_vec()];
    // The second with the first, and the third with both, the nearest in size first.
    let second = 5_000 + 4_900;
    let third = 4_900 + 4_800;
    for (search, expected) in [(second + third, 2), (second + third - 1, 1), (second, 1), (second - 1, 0)] {
        assert_eq!(found(Bounds { search, ..UNBOUNDED }, &blobs).len(), expected, "{search}");
    }
}

#[test]
fn a_search_ends_when_so_much_was_found() {
    let whole = noise(3, 5_000);
    let blobs = [whole.clone(), whole[..4_900].to_vec(), whole[..4_800].to_vec()];
    let first = found(UNBOUNDED, &blobs[..2]).bytes;
    for (most, expected) in [(first, 2), (first - 1, 1)] {
        assert_eq!(found(Bounds { found: most, ..UNBOUNDED }, &blobs).len(), expected, "{most}");
    }
}

#[test]
fn those_that_are_compared_take_so_much_memory() {
    let whole = noise(4, 5_000);
    let blobs = [whole.clone(), noise(5, 4_900), whole[..4_800].to_vec()];
    // The first with its table of blocks, and the second, which is like no other.
    let held = 5_000 + BlockIndex::new(&whole).expect("short").bytes() + 4_900;
    for (window, expected) in [(held, 1), (held - 1, 0)] {
        assert_eq!(found(Bounds { window, ..UNBOUNDED }, &blobs).len(), expected, "{window}");
    }
}

#[test]
fn a_fetch_compares_so_much_with_what_the_client_has() {
    let whole = noise(6, 5_000);
    let (_place, store, ids) = store_of(&[whole.clone(), whole[..4_900].to_vec(), whole[..4_800].to_vec()]);
    let versions = ids[1..].iter().map(|id| (Located::Loose(*id), ids[0])).collect();
    let selection = Selection { send: set(&ids[1..]), had: Had::default(), versions };
    let (one, both) = (4_900 + 5_000, 4_900 + 5_000 + 4_800 + 5_000);
    for (fetch, expected) in [(both, 2), (both - 1, 1), (one, 1), (one - 1, 0)] {
        let found = against_had_within(&Bounds { fetch, ..UNBOUNDED }, &store, &selection);
        assert_eq!(found.len(), expected, "{fetch}");
    }
    for (object, expected) in [(5_000, 2), (4_999, 0)] {
        let found = against_had_within(&Bounds { object, ..UNBOUNDED }, &store, &selection);
        assert_eq!(found.len(), expected, "of {object}");
    }
}
