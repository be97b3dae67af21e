//! Reachability bitmaps (gitformat-bitmap): what some commits reach, as sets of the objects of a pack,
//! numbered in the order in which they lie, or of several packs that have an index in common.

mod bits;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use bits::Bits;
pub use read::BitmapFile;
pub use write::{Encoded, Known, Selected, encode};

use crate::odb::{Numbering, Packed};
use gix_hash::oid;
use gix_object::Kind;
use std::sync::Arc;

/// The bitmaps that a store has.
pub struct Bitmaps {
    numbering: Arc<Numbering>,
    file: BitmapFile,
}

impl Bitmaps {
    pub(crate) fn new(numbering: Numbering, file: BitmapFile) -> Self {
        Self { numbering: Arc::new(numbering), file }
    }

    /// What the numbers in its sets are of.
    pub fn numbering(&self) -> &Arc<Numbering> {
        &self.numbering
    }

    /// How many commits have a bitmap.
    pub fn len(&self) -> usize {
        self.file.len()
    }

    /// Whether no commit has one.
    pub fn is_empty(&self) -> bool {
        self.file.is_empty()
    }

    /// Everything that a commit reaches. None: it has no bitmap, or a damaged one.
    pub fn reached(&self, id: &oid, at: Packed) -> Option<Bits> {
        self.file.get(self.numbering.row(id, at)?)
    }

    /// All objects of one kind.
    pub fn of_kind(&self, kind: Kind) -> Option<Bits> {
        self.file.of_kind(kind)
    }
}

/// How far back a bitmap's stored difference may refer, in bitmaps. Git looks no further.
const XOR_DISTANCE_MAX: u32 = 160;

/// The kinds in the order in which their sets are stored.
const KINDS: [Kind; 4] = [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag];

const MAGIC: &[u8; 4] = b"BITM";
const VERSION: u16 = 1;
/// The pack has everything that its objects refer to.
const FULL_CLOSURE: u16 = 0x1;
const HASH_CACHE: u16 = 0x4;
const LOOKUP_TABLE: u16 = 0x10;
const PSEUDO_MERGES: u16 = 0x20;
