//! Reading a file of bitmaps.

use super::bits::{Bits, halves};
use super::{FULL_CLOSURE, HASH_CACHE, KINDS, LOOKUP_TABLE, MAGIC, PSEUDO_MERGES, VERSION, XOR_DISTANCE_MAX};
use crate::odb::Table;
use crate::shortcut;
use gix_hash::oid;
use gix_object::Kind;
use std::collections::HashMap;
use std::path::Path;

/// Signature, version, flags and number of entries.
const HEAD_LEN: u64 = 12;
/// What comes before an entry's set: the commit, the distance of its difference, and flags.
const ENTRY_HEAD_LEN: u64 = 6;
const LOOKUP_ROW_LEN: u64 = 16;
const NO_DIFFERENCE: u32 = u32::MAX;
/// How many commits may have a bitmap.
const ENTRIES_MAX: u32 = 1_000_000;

/// A file of bitmaps: of one pack, or of several.
pub struct BitmapFile {
    table: Table,
    /// How many objects there are.
    objects: u32,
    /// Where the sets of objects of each kind are.
    kinds: [u64; 4],
    /// By the commit's position in the index of the pack, or of the packs.
    entries: HashMap<u32, Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    /// Where its set begins.
    offset: u64,
    /// The commit whose set it is the difference from.
    difference_from: Option<u32>,
}

impl BitmapFile {
    /// Opens the bitmaps of the pack, or of the index over several, with this checksum and so many objects.
    /// None: they cannot be read, are damaged, or of another.
    pub fn open(path: &Path, checksum: &oid, objects: u32) -> Option<Self> {
        let file = shortcut::open(path, checksum.kind())?;
        let checksum = checksum.as_bytes();
        let len = file.len();
        let table = Table::new(file, 0, len)?;
        let head: [u8; HEAD_LEN as usize] = table.entry(0).ok()?;
        let number = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let count = u32::from_be_bytes(head[8..].try_into().expect("four bytes"));
        let flags = number(6);
        if head[..4] != *MAGIC || number(4) != VERSION || flags & FULL_CLOSURE == 0 || count > ENTRIES_MAX {
            return None;
        }
        let mut of = vec![0; checksum.len()];
        table.read(HEAD_LEN, &mut of).ok()?;
        let mut bitmaps = Self { table, objects, kinds: [0; 4], entries: HashMap::new() };
        let mut at = HEAD_LEN + checksum.len() as u64;
        for place in &mut bitmaps.kinds {
            *place = at;
            at = skip(&bitmaps.table, at)?;
        }
        let end = len.checked_sub(checksum.len() as u64)?;
        bitmaps.entries = match flags & (LOOKUP_TABLE | PSEUDO_MERGES) {
            LOOKUP_TABLE => {
                let cache = if flags & HASH_CACHE == 0 { 0 } else { u64::from(objects) * 4 };
                let rows = u64::from(count) * LOOKUP_ROW_LEN;
                look_up(&bitmaps.table, end.checked_sub(cache + rows)?, count)?
            }
            _ => scan(&bitmaps.table, at, count)?,
        };
        (of == checksum).then_some(bitmaps)
    }

    /// How many commits have a bitmap.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no commit has one.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the commit at a position of the index has a bitmap.
    pub fn contains(&self, commit: u32) -> bool {
        self.entries.contains_key(&commit)
    }

    /// Everything that the commit at a position of the index reaches, by the order in which
    /// the objects lie. None: it has no bitmap, or a damaged one.
    pub fn get(&self, commit: u32) -> Option<Bits> {
        let mut entry = *self.entries.get(&commit)?;
        let mut bits = self.read(entry.offset)?;
        let mut steps = 0;
        while let Some(other) = entry.difference_from {
            entry = *self.entries.get(&other)?;
            bits.toggle(&self.read(entry.offset)?);
            steps += 1;
            // A damaged file may go in a circle.
            if steps > self.entries.len() {
                return None;
            }
        }
        Some(bits)
    }

    /// All objects of one kind.
    pub fn of_kind(&self, kind: Kind) -> Option<Bits> {
        let index = KINDS.iter().position(|other| *other == kind)?;
        self.read(self.kinds[index])
    }

    fn read(&self, offset: u64) -> Option<Bits> {
        let len = skip(&self.table, offset)? - offset;
        let mut bytes = vec![0; len as usize];
        self.table.read(offset, &mut bytes).ok()?;
        Bits::read(&bytes, self.objects).map(|(bits, _)| bits)
    }
}

/// Returns where the stored set at `offset` ends.
fn skip(table: &Table, offset: u64) -> Option<u64> {
    let mut head = [0; 8];
    table.read(offset, &mut head).ok()?;
    let [_, words] = halves(head);
    offset.checked_add(8 + u64::from(words) * 8 + 4).filter(|end| *end <= table.len())
}

/// Reads the entries one after the other.
fn scan(table: &Table, mut at: u64, count: u32) -> Option<HashMap<u32, Entry>> {
    let mut commits = Vec::new();
    let mut entries = HashMap::new();
    for index in 0..count {
        let mut head = [0; ENTRY_HEAD_LEN as usize];
        table.read(at, &mut head).ok()?;
        let commit = u32::from_be_bytes(head[..4].try_into().expect("four bytes"));
        let distance = u32::from(head[4]);
        if distance > XOR_DISTANCE_MAX {
            return None;
        }
        let difference_from = match distance {
            0 => None,
            distance => Some(*commits.get(index.checked_sub(distance)? as usize)?),
        };
        let offset = at + ENTRY_HEAD_LEN;
        entries.insert(commit, Entry { offset, difference_from });
        commits.push(commit);
        at = skip(table, offset)?;
    }
    Some(entries)
}

/// Reads where the entries are from the table at the end of the file.
fn look_up(table: &Table, start: u64, count: u32) -> Option<HashMap<u32, Entry>> {
    let mut bytes = vec![0; count as usize * LOOKUP_ROW_LEN as usize];
    table.read(start, &mut bytes).ok()?;
    let rows: Vec<(u32, u64, u32)> = bytes.chunks_exact(LOOKUP_ROW_LEN as usize).map(row).collect();
    let entry = |(commit, offset, difference): &(u32, u64, u32)| {
        let difference_from = match *difference {
            NO_DIFFERENCE => None,
            row => Some(rows.get(row as usize)?.0),
        };
        let offset = offset.checked_add(ENTRY_HEAD_LEN)?;
        Some((*commit, Entry { offset, difference_from }))
    };
    rows.iter().map(entry).collect()
}

fn row(row: &[u8]) -> (u32, u64, u32) {
    let (commit, rest) = row.split_at(4);
    let (offset, difference) = rest.split_at(8);
    (
        u32::from_be_bytes(commit.try_into().expect("four bytes")),
        u64::from_be_bytes(offset.try_into().expect("eight bytes")),
        u32::from_be_bytes(difference.try_into().expect("four bytes")),
    )
}
