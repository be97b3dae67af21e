//! Reachability bitmaps of packs (gitformat-bitmap): what some commits reach, as sets of the pack's
//! objects, numbered in the order in which they lie.

mod bits;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use bits::Bits;
pub use read::PackBitmaps;
pub use write::{encode, select};

/// How far back a bitmap's stored difference may refer, in bitmaps. Git looks no further.
const XOR_DISTANCE_MAX: u32 = 160;

const MAGIC: &[u8; 4] = b"BITM";
const VERSION: u16 = 1;
/// The pack has everything that its objects refer to.
const FULL_CLOSURE: u16 = 0x1;
const HASH_CACHE: u16 = 0x4;
const LOOKUP_TABLE: u16 = 0x10;
const PSEUDO_MERGES: u16 = 0x20;
