//! The order in which the entries of a pack lie (gitformat-pack, "pack-*.rev files have the format").

use super::error::Error;
use super::index::Index;
use super::pack::PACK_HEADER_LEN;
use super::table::Table;
use crate::shortcut;
use gix_hash::ObjectId;
use std::cmp::Ordering;
use std::path::Path;
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"RIDX\0\0\0\x01";
const HEAD_LEN: u64 = 12;

/// The entries of a pack as they lie.
pub struct Order {
    entries: Entries,
    index: Arc<Index>,
    /// Where the last entry ends.
    end: u64,
}

enum Entries {
    /// Offset and position in the index, by offset.
    Sorted(Vec<(u64, u32)>),
    /// Positions in the index, in a file, read as they are asked for.
    Stored(Table),
}

impl Order {
    /// Takes the order from the file beside the pack, if there is one that belongs to it; else sorts.
    ///
    /// Fails with `DamagedFile` if the index has impossible offsets.
    pub fn of(index: &Arc<Index>, path: &Path, checksum: &ObjectId, end: u64) -> Result<Self, Error> {
        match stored(path, index.len(), checksum) {
            Some(table) => Ok(Self { entries: Entries::Stored(table), index: index.clone(), end }),
            None => Self::by_sorting(index, end),
        }
    }

    /// Takes the order from the index alone.
    ///
    /// Fails with `DamagedFile` if that has impossible offsets.
    pub fn by_sorting(index: &Arc<Index>, end: u64) -> Result<Self, Error> {
        Ok(Self { entries: Entries::Sorted(sorted(index, end)?), index: index.clone(), end })
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.index.len() as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The offset and the position in the index of the entry that lies at place `rank`.
    pub fn entry(&self, rank: usize) -> Result<(u64, u32), Error> {
        match &self.entries {
            Entries::Sorted(entries) => Ok(entries[rank]),
            Entries::Stored(_) => {
                let position = self.position(rank)?;
                Ok((self.offset(position)?, position))
            }
        }
    }

    /// The position in the index of the entry that lies at place `rank`.
    pub fn position(&self, rank: usize) -> Result<u32, Error> {
        match &self.entries {
            Entries::Sorted(entries) => Ok(entries[rank].1),
            Entries::Stored(table) => {
                let position = table.entry(rank as u64).map_err(Error::io(self.index.name()))?;
                let position = u32::from_be_bytes(position);
                if position >= self.index.len() {
                    return Err(self.index.damaged("the order of its entries is damaged"));
                }
                Ok(position)
            }
        }
    }

    /// The offset of the entry at a position of the index.
    pub fn offset(&self, position: u32) -> Result<u64, Error> {
        self.index.offset(position)
    }

    /// Where the entry at place `rank` ends.
    pub fn end(&self, rank: usize) -> Result<u64, Error> {
        match rank + 1 < self.len() {
            true => Ok(self.entry(rank + 1)?.0),
            false => Ok(self.end),
        }
    }

    /// The place of the entry at `offset`; none: there begins no entry.
    ///
    /// The search looks where the entry would be if all were of one size, and where that does not help, in
    /// the middle.
    pub fn rank(&self, offset: u64) -> Result<Option<usize>, Error> {
        let (mut low, mut high) = (0, self.len());
        let (mut low_offset, mut high_offset) = (PACK_HEADER_LEN, self.end);
        let mut is_middle = false;
        while low < high && (low_offset..high_offset).contains(&offset) {
            let probe = match is_middle {
                true => low + (high - low) / 2,
                false => {
                    let part = u128::from(offset - low_offset) * (high - low) as u128;
                    low + (part / u128::from(high_offset - low_offset)) as usize
                }
            };
            let found = self.entry(probe)?.0;
            let before = high - low;
            match found.cmp(&offset) {
                Ordering::Equal => return Ok(Some(probe)),
                Ordering::Less => (low, low_offset) = (probe + 1, found),
                Ordering::Greater => (high, high_offset) = (probe, found),
            }
            // Where guessing does not help, halving does.
            is_middle = high - low > before / 2;
        }
        Ok(None)
    }

    /// The place of the entry at `offset`, which probably is `near` or soon after it; none: there begins
    /// no entry.
    pub fn rank_from(&self, near: usize, offset: u64) -> Result<Option<usize>, Error> {
        let (mut low, mut high, mut step) = (0, near.min(self.len()), 1);
        while high < self.len() {
            match self.entry(high)?.0.cmp(&offset) {
                Ordering::Equal => return Ok(Some(high)),
                Ordering::Greater => return self.rank_among(low, high, offset),
                Ordering::Less => {
                    low = high + 1;
                    high += step;
                    step *= 2;
                }
            }
        }
        self.rank_among(low, self.len(), offset)
    }

    fn rank_among(&self, mut low: usize, mut high: usize, offset: u64) -> Result<Option<usize>, Error> {
        while low < high {
            let middle = low + (high - low) / 2;
            match self.entry(middle)?.0.cmp(&offset) {
                Ordering::Equal => return Ok(Some(middle)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// The order as a file to lie beside the pack, its own checksum excepted.
    pub fn to_bytes(&self, checksum: &ObjectId) -> Result<Vec<u8>, Error> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&hash_number(checksum).to_be_bytes());
        for rank in 0..self.len() {
            bytes.extend_from_slice(&self.entry(rank)?.1.to_be_bytes());
        }
        bytes.extend_from_slice(checksum.as_slice());
        Ok(bytes)
    }
}

fn sorted(index: &Index, end: u64) -> Result<Vec<(u64, u32)>, Error> {
    let mut entries = Vec::with_capacity(index.len() as usize);
    for position in 0..index.len() {
        entries.push((index.offset(position)?, position));
    }
    entries.sort_unstable();
    let is_sound = entries.first().is_none_or(|entry| entry.0 >= PACK_HEADER_LEN)
        && entries.last().is_none_or(|entry| entry.0 < end)
        && entries.windows(2).all(|pair| pair[0].0 < pair[1].0);
    is_sound.then_some(entries).ok_or_else(|| index.damaged("it has impossible offsets"))
}

/// The positions in the file at `path`, if it is of the pack, or packs, with this checksum and so many
/// objects.
pub(super) fn stored(path: &Path, objects: u32, checksum: &ObjectId) -> Option<Table> {
    let file = shortcut::open(path, checksum.kind())?;
    let mut head = [0; HEAD_LEN as usize];
    file.read_exact_at(&mut head, 0).ok()?;
    let len = u64::from(objects) * 4;
    let trailer_len = checksum.as_slice().len();
    let is_whole = file.len() == HEAD_LEN + len + 2 * trailer_len as u64;
    let mut of = vec![0; trailer_len];
    file.read_exact_at(&mut of, HEAD_LEN + len).ok()?;
    let is_ours =
        head[..8] == *MAGIC && head[8..] == hash_number(checksum).to_be_bytes() && of == checksum.as_slice();
    (is_whole && is_ours).then(|| Table::new(file, HEAD_LEN, len)).flatten()
}

/// How Git's own files name the digest.
fn hash_number(id: &ObjectId) -> u32 {
    if id.as_slice().len() == 20 { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use crate::odb::Store;
    use std::process::Command;

    #[test]
    fn entries_are_found_from_wherever_the_search_begins() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let script = "git init -q --bare . && for i in $(seq 40); do echo $i | git hash-object -w --stdin; done | git pack-objects -q objects/pack/pack";
        let made = Command::new("sh").args(["-ec", script]).current_dir(place.path()).status();
        assert!(made.expect("sh runs").success());
        let store = Store::open(place.path()).expect("readable");
        let order = store.pack_order(0).expect("there is one pack");
        for near in 0..=order.len() + 1 {
            for rank in 0..order.len() {
                let (offset, _) = order.entry(rank).expect("readable");
                assert_eq!(order.rank_from(near, offset).expect("readable"), Some(rank), "from {near}");
                assert_eq!(order.rank_from(near, offset + 1).expect("readable"), None, "from {near}");
            }
        }
    }
}
