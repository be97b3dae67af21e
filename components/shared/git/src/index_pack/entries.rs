//! What is remembered of every entry of a pack.

use gix_hash::ObjectId;
use gix_object::Kind;

/// The raw bytes of an object id.
pub(super) type RawId = [u8; 20];

/// Stands for "no entry".
pub(super) const NONE: u32 = u32::MAX;

/// One entry: 40 bytes, since there are millions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub offset: u64,
    /// Of the entry as it lies in the pack, head and compressed data.
    pub crc32: u32,
    /// The entry that it is a delta of, or `NONE`.
    pub base: u32,
    /// Once `kind` is known.
    pub id: RawId,
    /// How many deltas are between it and a whole object.
    pub depth: u16,
    /// None: a delta that is not resolved yet.
    pub kind: Option<Kind>,
}

#[derive(Debug, Default)]
pub(super) struct Entries(Vec<Entry>);

impl Entries {
    pub fn len(&self) -> u32 {
        u32::try_from(self.0.len()).expect("the header's count is of 32 bits")
    }

    /// Adds an entry after the others and returns its index.
    pub fn push(&mut self, entry: Entry) -> u32 {
        self.0.push(entry);
        self.len() - 1
    }

    pub fn get(&self, index: u32) -> &Entry {
        &self.0[index as usize]
    }

    pub fn get_mut(&mut self, index: u32) -> &mut Entry {
        &mut self.0[index as usize]
    }

    /// The entry that begins at `offset`.
    pub fn at_offset(&self, offset: u64) -> Option<u32> {
        let index = self.0.binary_search_by(|entry| entry.offset.cmp(&offset)).ok()?;
        Some(index as u32)
    }

    /// The indexes of all entries, sorted by id.
    pub fn by_id(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len()).collect();
        order.sort_unstable_by_key(|&index| self.get(index).id);
        order
    }
}

pub(super) fn object_id(id: &RawId) -> ObjectId {
    ObjectId::from_bytes_or_panic(id)
}
