//! What is remembered of every entry of a pack.

use crate::format::ObjectFormat;
use gix_hash::{ObjectId, oid};
use gix_object::Kind;

/// Stands for "no entry".
pub(super) const NONE: u32 = u32::MAX;

/// One entry, its id aside: 20 bytes, since there are millions.
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(4))]
pub(super) struct Entry {
    pub offset: u64,
    /// Of the entry as it lies in the pack, head and compressed data.
    pub crc32: u32,
    /// The entry that it is a delta of, or `NONE`.
    pub base: u32,
    /// How many deltas are between it and a whole object.
    pub depth: u16,
    /// None: a delta that is not resolved yet.
    pub kind: Option<Kind>,
}

/// The entries of a pack as they lie, with the ids of those whose kind is known.
#[derive(Debug)]
pub(super) struct Entries {
    object_format: ObjectFormat,
    entries: Vec<Entry>,
    /// One after the other, each of the format's length.
    ids: Vec<u8>,
}

impl Entries {
    pub fn new(object_format: ObjectFormat) -> Self {
        Self { object_format, entries: Vec::new(), ids: Vec::new() }
    }

    pub fn len(&self) -> u32 {
        u32::try_from(self.entries.len()).expect("the header's count is of 32 bits")
    }

    /// Adds an entry after the others and returns its index. Its id is set later.
    pub fn push(&mut self, entry: Entry) -> u32 {
        self.entries.push(entry);
        self.ids.resize(self.entries.len() * self.object_format.len_in_bytes(), 0);
        self.len() - 1
    }

    pub fn get(&self, index: u32) -> &Entry {
        &self.entries[index as usize]
    }

    pub fn get_mut(&mut self, index: u32) -> &mut Entry {
        &mut self.entries[index as usize]
    }

    /// The id of an entry whose kind is known.
    pub fn id(&self, index: u32) -> &oid {
        let len = self.object_format.len_in_bytes();
        let start = index as usize * len;
        oid::from_bytes_unchecked(&self.ids[start..start + len])
    }

    /// Sets the id of an entry; it is of the pack's format.
    pub fn set_id(&mut self, index: u32, id: &ObjectId) {
        let len = self.object_format.len_in_bytes();
        let start = index as usize * len;
        self.ids[start..start + len].copy_from_slice(id.as_slice());
    }

    /// The entry that begins at `offset`.
    pub fn at_offset(&self, offset: u64) -> Option<u32> {
        let index = self.entries.binary_search_by(|entry| { entry.offset }.cmp(&offset)).ok()?;
        Some(index as u32)
    }

    /// The indexes of all entries, sorted by id.
    pub fn by_id(&self) -> Vec<u32> {
        match self.object_format {
            ObjectFormat::Sha1 => self.sorted(self.ids.as_chunks::<20>().0),
            _ => self.sorted(self.ids.as_chunks::<32>().0),
        }
    }

    fn sorted<const LEN: usize>(&self, ids: &[[u8; LEN]]) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len()).collect();
        order.sort_unstable_by_key(|&index| ids[index as usize]);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_small_and_sorted_by_their_ids() {
        assert_eq!(size_of::<Entry>(), 20);
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            let mut entries = Entries::new(format);
            for (offset, last) in [(12, 3), (40, 1), (99, 2)] {
                let entry = Entry { offset, crc32: 0, base: NONE, depth: 0, kind: Some(Kind::Blob) };
                let index = entries.push(entry);
                let mut id = ObjectId::empty_blob(format);
                *id.as_mut_slice().last_mut().expect("ids have bytes") = last;
                entries.set_id(index, &id);
                assert_eq!(entries.id(index), id);
            }
            assert_eq!(entries.by_id(), [1, 2, 0]);
            assert_eq!((entries.at_offset(40), entries.at_offset(41)), (Some(1), None));
        }
    }
}
