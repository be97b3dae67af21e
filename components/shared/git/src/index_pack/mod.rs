//! Receiving a pack (gitformat-pack(5)): every byte is checked as it arrives, written to a file, and
//! indexed; nothing is trusted and little is kept.
//!
//! [`Receiver::write`] takes the stream as it comes. Whole objects are inflated and hashed, large
//! blobs without being held; deltas whose base is still at hand are applied at once. What remains is
//! resolved by [`Receiver::finish`], which reads bases back from the file, completes a thin pack
//! with the bases that the repository has, and makes the index.
//!
//! Ids are computed with detection of SHA-1 collision attacks, as Git does; that stands for Git's
//! comparison with an object of the same id in the repository. A delta cannot be part of a loop: an
//! offset points back, and ids that wait for one another are never resolved, which is an error.

mod bases;
mod entries;
mod file;
mod index;
mod receiver;
mod resolve;
mod verify;

#[cfg(test)]
mod tests;

use gix_hash::ObjectId;
use gix_object::Kind;
use std::io;

pub use receiver::Receiver;
pub(crate) use verify::Nothing;
pub use verify::verify;

/// How far a pack may go. The defaults are those of [`crate::limits`].
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The pack itself, in bytes.
    pub pack_bytes_max: u64,
    pub objects_max: u32,
    /// A blob that is stored whole, in bytes. It is not held in memory.
    pub blob_bytes_max: u64,
    /// A commit, tree or tag, in bytes.
    pub structured_bytes_max: u64,
    /// Any other object, and whatever a delta needs or makes, in bytes. It is held in memory.
    pub held_bytes_max: u64,
    /// The deltas between an object and the whole one that it is based on.
    pub chain_deltas_max: u32,
    /// All that is inflated and made by deltas, in bytes: bounds the work that a small pack can ask for.
    pub work_bytes_max: u64,
    /// Objects kept for the deltas that are based on them, in bytes.
    pub bases_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        use crate::limits;
        Self {
            pack_bytes_max: limits::INCOMING_PACK_BYTES_MAX,
            objects_max: limits::INCOMING_OBJECTS_MAX,
            blob_bytes_max: limits::INCOMING_BLOB_BYTES_MAX,
            structured_bytes_max: limits::STRUCTURED_OBJECT_BYTES_MAX,
            held_bytes_max: limits::OBJECT_BYTES_MAX,
            chain_deltas_max: limits::DELTA_CHAIN_DELTAS_MAX as u32,
            work_bytes_max: limits::INCOMING_WORK_BYTES_MAX,
            bases_bytes_max: limits::INCOMING_BASES_BYTES_MAX,
        }
    }
}

impl Limits {
    /// For packs of objects that are in the repository, and so were let in.
    pub(crate) fn of_what_is_there() -> Self {
        Self {
            pack_bytes_max: u64::MAX,
            objects_max: crate::limits::PACK_OBJECTS_MAX,
            blob_bytes_max: u64::MAX,
            work_bytes_max: u64::MAX,
            bases_bytes_max: crate::limits::REPACKED_BASES_BYTES_MAX,
            ..Self::default()
        }
    }
}

/// Looks at every object but blobs, once, in no particular order, and may refuse it.
pub trait Inspect {
    /// Returns why the pack is not to be had, in words, if it is not.
    fn inspect(&mut self, id: &ObjectId, kind: Kind, data: &[u8]) -> Result<(), String>;
}

/// Accepts everything.
impl Inspect for () {
    fn inspect(&mut self, _: &ObjectId, _: Kind, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

/// What is wrong with a pack, or with the place that it is written to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read or write the pack: {0}")]
    Io(#[from] io::Error),
    #[error("the pack ends too soon")]
    Truncated,
    #[error("this is not a pack of version 2")]
    BadHeader,
    #[error("there are bytes after the pack")]
    TrailingBytes,
    #[error("the checksum of the pack is wrong")]
    Checksum,
    #[error("the entry at offset {offset} is damaged: {reason}")]
    Damaged { offset: u64, reason: &'static str },
    #[error("the pack is over the limit of {limit} bytes")]
    PackTooLarge { limit: u64 },
    #[error("the pack has {count} objects, over the limit of {limit}")]
    TooManyObjects { count: u32, limit: u32 },
    #[error("the entry at offset {offset} is of {size} bytes, over the limit of {limit}")]
    ObjectTooLarge { offset: u64, size: u64, limit: u64 },
    #[error("the entry at offset {offset} has a chain of more than {limit} deltas")]
    ChainTooLong { offset: u64, limit: u32 },
    #[error("the pack unfolds to more than {limit} bytes")]
    TooMuchWork { limit: u64 },
    #[error("the pack has object {id} twice")]
    Duplicate { id: ObjectId },
    #[error("the pack has {count} deltas without a base, the first of them based on {base}")]
    MissingBase { count: usize, base: ObjectId },
    #[error("an object is part of an attack: {words}")]
    Collision { words: String },
    #[error("object {id}: {reason}")]
    Rejected { id: ObjectId, reason: String },
    #[error("the index is not the one of this pack")]
    Index,
    #[error("cannot read a base from the repository: {0}")]
    Find(String),
}

/// A pack and its index, both complete and synced.
#[derive(Debug)]
pub struct Indexed {
    /// Of the pack, as at its end. The files are to be called `pack-<checksum>`.
    pub checksum: ObjectId,
    /// The length of the pack file, in bytes.
    pub pack_bytes: u64,
    /// Which objects it has, sorted by id, with their kinds.
    pub objects: Vec<(ObjectId, Kind)>,
}

impl Indexed {
    /// The kind of an object, if the pack has it.
    pub fn kind(&self, id: &gix_hash::oid) -> Option<Kind> {
        let index = self.objects.binary_search_by(|(other, _)| other.as_ref().cmp(id));
        index.ok().map(|index| self.objects[index].1)
    }
}
