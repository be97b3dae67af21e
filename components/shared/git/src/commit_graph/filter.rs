//! Changed-path filters (gitformat-commit-graph, "Bloom Filter Data"): which paths a commit may have
//! changed, in a few bytes.
//!
//! A filter answers for a path and the directories above it. "No" is certain, "yes" is wrong for one
//! path in a hundred.

use crate::odb::Table;
use std::collections::HashSet;

/// What comes before the filters: version of the hash, number of hashes, bits an entry.
const HEAD_LEN: u64 = 12;
/// How many bits a path sets in the filters that are written here, and in Git's.
const HASHES: u32 = 7;
/// How many bits a filter has for each path, in those that are written here, and in Git's.
const BITS_PER_ENTRY: u32 = 10;
/// A filter is not asked for more bits a path than this. Git's own have [`HASHES`].
const HASHES_MAX: u32 = 32;
/// A commit that changed more paths than this, directories included, gets a filter that has them all.
pub(super) const CHANGED_PATHS_MAX: usize = 512;
const SEEDS: [u32; 2] = [0x293a_e76f, 0x7e64_6e2c];

/// How the bytes of a path are hashed. They differ for bytes of 0x80 and above alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HashVersion {
    /// With bytes as `char`, which has a sign or not, whatever the machine was that wrote the file.
    One,
    /// With bytes from 0 to 255.
    Two,
}

/// A path, as filters are asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathKeys {
    /// Of the path and of each directory above it.
    keys: Vec<Key>,
    /// Whether it matters which of the two.
    are_signed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    signed: [u32; 2],
    unsigned: [u32; 2],
}

impl PathKeys {
    /// Of a path without a slash at either end; the empty one is that of the whole tree, which any
    /// commit may have changed.
    pub fn new(path: &[u8]) -> Self {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        let ends = ends.chain((!path.is_empty()).then_some(path.len()));
        let key = |end: usize| Key {
            signed: hashes(&path[..end], HashVersion::One),
            unsigned: hashes(&path[..end], HashVersion::Two),
        };
        // The longest first: it is the one that says the most.
        let mut keys: Vec<Key> = ends.map(key).collect();
        keys.reverse();
        Self { are_signed: keys.iter().any(|key| key.signed != key.unsigned), keys }
    }
}

/// The filters of one file of a commit-graph.
pub(super) struct Filters {
    version: HashVersion,
    hashes: u32,
    bits_per_entry: u32,
    /// Where each commit's filter ends.
    ends: Table,
    /// The filters, behind a head.
    data: Table,
}

impl Filters {
    /// Takes the chunks `BIDX` and `BDAT`. None: they make no sense, or none that is known.
    pub fn open(ends: Table, data: Table) -> Option<Self> {
        let number = |index: u64| Some(u32::from_be_bytes(data.entry(index).ok()?));
        let version = match number(0)? {
            1 => HashVersion::One,
            2 => HashVersion::Two,
            _ => return None,
        };
        let (hashes, bits_per_entry) = (number(1)?, number(2)?);
        (1..=HASHES_MAX).contains(&hashes).then_some(Self { version, hashes, bits_per_entry, ends, data })
    }

    pub fn version(&self) -> HashVersion {
        self.version
    }

    /// Whether they were made as those that are made here with this version of the hash.
    pub fn are_like_ours(&self, version: HashVersion) -> bool {
        (self.version, self.hashes, self.bits_per_entry) == (version, HASHES, BITS_PER_ENTRY)
    }

    /// Whether the commit at a position may have changed the path: true, where that is not known.
    pub fn may_contain(&self, position: u32, path: &PathKeys) -> bool {
        let Some((begin, len)) = self.place(position) else { return true };
        let Some(len) = usize::try_from(len).ok().filter(|len| *len <= FILTER_READ_BYTES_MAX) else {
            return true;
        };
        self.data.with(begin, len, |filter| self.has(filter, path)).unwrap_or(true)
    }

    /// Whether all bits of a path are set in a filter.
    fn has(&self, filter: &[u8], path: &PathKeys) -> bool {
        let has = |key: fn(&Key) -> [u32; 2]| {
            path.keys.iter().all(|at| {
                bits(key(at), self.hashes, filter.len()).all(|(byte, mask)| filter[byte] & mask != 0)
            })
        };
        // The first version is asked in both ways, as it may come from a machine of either kind.
        has(|key| key.unsigned)
            || self.version == HashVersion::One && path.are_signed && has(|key| key.signed)
    }

    /// The filter of the commit at a position; none: it was not computed.
    pub fn get(&self, position: u32) -> Option<Vec<u8>> {
        let (begin, len) = self.place(position)?;
        let mut filter = vec![0; usize::try_from(len).ok().filter(|len| *len <= FILTER_BYTES_MAX)?];
        self.data.read(begin, &mut filter).ok()?;
        Some(filter)
    }

    /// Where the filter of the commit at a position begins, and how long it is, in bytes.
    fn place(&self, position: u32) -> Option<(u64, u64)> {
        // Where the one before ends, and this one.
        let (begin, end) = match position.checked_sub(1) {
            None => (0, u32::from_be_bytes(self.ends.entry(0).ok()?)),
            Some(before) => {
                let ends = u64::from_be_bytes(self.ends.at(u64::from(before) * 4).ok()?);
                ((ends >> 32) as u32, ends as u32)
            }
        };
        let (begin, end) = (u64::from(begin), u64::from(end));
        let is_sound = begin < end && HEAD_LEN + end <= self.data.len();
        is_sound.then(|| (HEAD_LEN + begin, end - begin))
    }
}

/// A filter is not asked that is longer than this, in bytes.
const FILTER_READ_BYTES_MAX: usize = 16 * 1024;
/// The longest filter that Git or this makes.
const FILTER_BYTES_MAX: usize = (CHANGED_PATHS_MAX * BITS_PER_ENTRY as usize).div_ceil(8);

/// Makes the filter of a commit that changed these paths and directories; none: more than
/// [`CHANGED_PATHS_MAX`].
pub(super) fn encode(paths: Option<&HashSet<Vec<u8>>>, version: HashVersion) -> Vec<u8> {
    let Some(paths) = paths else { return vec![0xff] };
    let len = (paths.len() * BITS_PER_ENTRY as usize).div_ceil(8).max(1);
    let mut filter = vec![0; len];
    for path in paths {
        for (byte, mask) in bits(hashes(path, version), HASHES, len) {
            filter[byte] |= mask;
        }
    }
    filter
}

/// The chunks of filters, one for each commit in order; an empty one was not computed.
pub(super) fn chunks(filters: &[Vec<u8>], version: HashVersion) -> [Vec<u8>; 2] {
    let version = if version == HashVersion::One { 1_u32 } else { 2 };
    let mut data: Vec<u8> =
        [version, HASHES, BITS_PER_ENTRY].iter().flat_map(|number| number.to_be_bytes()).collect();
    let mut ends = Vec::with_capacity(4 * filters.len());
    let mut end = 0;
    for filter in filters {
        data.extend_from_slice(filter);
        end += filter.len() as u32;
        ends.extend_from_slice(&end.to_be_bytes());
    }
    [ends, data]
}

/// The bits of a key in a filter of `len` bytes: the byte, and the bit in it.
fn bits([first, step]: [u32; 2], count: u32, len: usize) -> impl Iterator<Item = (usize, u8)> {
    (0..count).map(move |index| {
        let bit = first.wrapping_add(index.wrapping_mul(step)) % (len as u32 * 8);
        ((bit / 8) as usize, 1 << (bit % 8))
    })
}

fn hashes(path: &[u8], version: HashVersion) -> [u32; 2] {
    SEEDS.map(|seed| murmur3(seed, path, version))
}

/// Murmur3 of 32 bits.
fn murmur3(seed: u32, path: &[u8], version: HashVersion) -> u32 {
    let byte = |byte: u8| match version {
        HashVersion::One => i32::from(byte as i8) as u32,
        HashVersion::Two => u32::from(byte),
    };
    let word = |bytes: &[u8]| {
        bytes.iter().zip([0, 8, 16, 24]).fold((0, 0), |(or, xor), (at, shift)| {
            let shifted = byte(*at) << shift;
            (or | shifted, xor ^ shifted)
        })
    };
    let scramble = |word: u32| word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let words = path.chunks_exact(4);
    let rest = words.remainder();
    let mut hash = words.fold(seed, |hash, bytes| {
        (hash ^ scramble(word(bytes).0)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    });
    // Of bytes with a sign, the last ones are put together in another way.
    hash ^= scramble(word(rest).1);
    hash ^= path.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those of Git's own test of its hash (t0095).
    #[test]
    fn paths_are_hashed_as_git_does() {
        let cases: [(&[u8], u32); 4] = [
            (b"", 0),
            (b"Hello world!", 0x627b_0c2c),
            (b"The quick brown fox jumps over the lazy dog", 0x2e4f_f723),
            (b"\x99\xaa\xbb\xcc\xdd\xee\xff", 0xa183_ccfd),
        ];
        for (path, expected) in cases {
            assert_eq!(murmur3(0, path, HashVersion::Two), expected, "{path:?}");
            let is_same = murmur3(0, path, HashVersion::One) == expected;
            assert_eq!(is_same, path.is_ascii(), "{path:?}");
        }
    }
}
