//! Writing an index over several packs of a store.

use super::{HEAD_LEN, LARGE_OFFSET_MARK};
use crate::checksum::Hashing;
use crate::chunks;
use crate::disk::File;
use crate::format::ObjectFormat;
use crate::odb::{Error, Numbers, Packed, Store};
use gix_hash::ObjectId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;

/// Names of packs are filled up to a multiple of so many bytes.
const NAMES_ALIGNMENT: usize = 4;
/// Up to here offsets are stored as they are.
const OFFSET_MAX: u64 = u32::MAX as u64;

/// Writes some bytes.
type Put<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Error>;

/// The objects of several packs, each once, and the numbers that bitmaps give them.
pub(crate) struct Merged<'a> {
    store: &'a Store,
    /// The packs in the store, by their numbers in the index, which go by their names.
    packs: Vec<u32>,
    /// By id: the number of the pack in the index, and the position in the pack's own index.
    rows: Vec<(u32, u32)>,
    numbers: Numbers,
}

impl<'a> Merged<'a> {
    /// Merges the indexes of some packs. Whatever `preferred` has, which is one of them, is found there, and its
    /// objects have the first numbers.
    ///
    /// Fails with `DamagedFile` if an index is not in order.
    pub fn of(store: &'a Store, packs: &[u32], preferred: u32) -> Result<Self, Error> {
        let mut packs = packs.to_vec();
        packs.sort_by_key(|pack| store.pack_name(*pack));
        let mut merge = Merge::begin(store, &packs, preferred)?;
        while merge.advance()? {}
        let Merge { rows, mut rows_of, .. } = merge;

        // Rows, by number.
        let mut order = Vec::with_capacity(rows.len());
        let mut by_preference: Vec<usize> = (0..packs.len()).collect();
        by_preference.sort_by_key(|pack| packs[*pack] != preferred);
        for pack in by_preference {
            let entries = store.pack_order(packs[pack])?;
            for rank in 0..entries.len() {
                let position = entries.position(rank)?;
                let row = rows_of[pack][position as usize];
                if rows[row as usize] == (pack as u32, position) {
                    order.push(row);
                }
            }
        }
        let mut number_of = vec![0; rows.len()];
        for (row, number) in order.iter().zip(0..) {
            number_of[*row as usize] = number;
        }
        rows_of.iter_mut().flatten().for_each(|row| *row = number_of[*row as usize]);
        let numbers = Numbers::new(packs.iter().copied().zip(rows_of).collect(), order);
        Ok(Self { store, packs, rows, numbers })
    }

    /// The numbers of the objects, as bitmaps that belong to the index have them.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// Writes the index to a file that is not there yet, and waits until it is on disk; returns its checksum.
    pub fn write(&self, path: &Path) -> Result<ObjectId, Error> {
        self.write_with(path, OFFSET_MAX, LARGE_OFFSET_MARK)
    }

    /// The same; if there are offsets past `offset_max`, those from `large_min` on get eight bytes.
    pub(super) fn write_with(&self, path: &Path, offset_max: u64, large_min: u32) -> Result<ObjectId, Error> {
        let large_offsets = self.large_offsets(offset_max, large_min)?;
        let mut out = Hashing::new(File::create_new(path).map_err(Error::io(path))?, self.format());
        self.write_head(large_offsets.len(), &mut |bytes| out.put(bytes).map_err(Error::io(path)))?;
        self.write_rows(&large_offsets, large_min, &mut |bytes| out.put(bytes).map_err(Error::io(path)))?;
        let finished = out.finish().and_then(|(file, checksum)| {
            file.sync()?;
            Ok(checksum)
        });
        finished.map_err(Error::io(path))
    }

    /// Everything up to the table of ids.
    fn write_head(&self, large_offsets: usize, put: Put) -> Result<(), Error> {
        let (names, rows) = (self.names(), self.rows.len() as u64);
        let mut chunks = vec![
            (*b"PNAM", names.len() as u64),
            (*b"OIDF", 4 * 256),
            (*b"OIDL", rows * self.format().len_in_bytes() as u64),
            (*b"OOFF", rows * 8),
        ];
        chunks.extend((large_offsets > 0).then_some((*b"LOFF", large_offsets as u64 * 8)));
        chunks.push((*b"RIDX", rows * 4));
        put(b"MIDX\x01")?;
        put(&[if self.format().len_in_bytes() == 20 { 1 } else { 2 }, chunks.len() as u8, 0])?;
        put(&(self.packs.len() as u32).to_be_bytes())?;
        put(&chunks::table_of_contents(HEAD_LEN, &chunks))?;
        put(&names)?;
        self.fanout()?.into_iter().try_for_each(|count| put(&count.to_be_bytes()))
    }

    /// The ids, where their objects are, and their order.
    fn write_rows(&self, large_offsets: &[u64], large_min: u32, put: Put) -> Result<(), Error> {
        for (pack, position) in &self.rows {
            put(self.id(*pack, *position)?.as_slice())?;
        }
        let mut large_before = 0;
        for (pack, position) in &self.rows {
            let offset = self.offset(*pack, *position)?;
            put(&pack.to_be_bytes())?;
            if large_offsets.is_empty() || offset < large_min.into() {
                put(&(offset as u32).to_be_bytes())?;
            } else {
                put(&(LARGE_OFFSET_MARK | large_before).to_be_bytes())?;
                large_before += 1;
            }
        }
        large_offsets.iter().try_for_each(|offset| put(&offset.to_be_bytes()))?;
        (0..self.numbers.len()).try_for_each(|number| put(&self.numbers.row(number).to_be_bytes()))
    }

    /// The offsets that get eight bytes, by id.
    fn large_offsets(&self, offset_max: u64, large_min: u32) -> Result<Vec<u64>, Error> {
        let mut large = Vec::new();
        let mut greatest = 0;
        for (pack, position) in &self.rows {
            let offset = self.offset(*pack, *position)?;
            greatest = greatest.max(offset);
            large.extend((offset >= large_min.into()).then_some(offset));
        }
        if greatest <= offset_max {
            large.clear();
        }
        Ok(large)
    }

    fn format(&self) -> ObjectFormat {
        self.store.object_format()
    }

    /// How many ids begin with each byte or a lower one.
    fn fanout(&self) -> Result<[u32; 256], Error> {
        let mut counts = [0; 256];
        for (pack, position) in &self.rows {
            counts[usize::from(self.id(*pack, *position)?.first_byte())] += 1;
        }
        let mut below = 0;
        Ok(counts.map(|count: u32| {
            below += count;
            below
        }))
    }

    fn names(&self) -> Vec<u8> {
        let mut names = Vec::new();
        for pack in &self.packs {
            names.extend_from_slice(self.store.pack_name(*pack).replace(".pack", ".idx").as_bytes());
            names.push(0);
        }
        names.resize(names.len().next_multiple_of(NAMES_ALIGNMENT), 0);
        names
    }

    fn place(&self, pack: u32, position: u32) -> Packed {
        Packed { pack: self.packs[pack as usize], position }
    }

    fn id(&self, pack: u32, position: u32) -> Result<ObjectId, Error> {
        self.store.packed_id(self.place(pack, position))
    }

    fn offset(&self, pack: u32, position: u32) -> Result<u64, Error> {
        self.store.packed_offset(self.place(pack, position))
    }
}

/// The next object of a pack: the least id first, and of an object that several packs have, the copy that is
/// going to be found. It is the id, whether another pack is preferred, the pack, and the position.
type Next = Reverse<(ObjectId, bool, u32, u32)>;

/// A merge of indexes under way.
struct Merge<'a> {
    store: &'a Store,
    packs: &'a [u32],
    preferred: u32,
    next: BinaryHeap<Next>,
    last: Option<ObjectId>,
    rows: Vec<(u32, u32)>,
    /// By pack, and by position in its index.
    rows_of: Vec<Vec<u32>>,
}

impl<'a> Merge<'a> {
    fn begin(store: &'a Store, packs: &'a [u32], preferred: u32) -> Result<Self, Error> {
        let rows_of = packs.iter().map(|pack| Vec::with_capacity(store.pack_len(*pack) as usize)).collect();
        let (next, rows) = (BinaryHeap::new(), Vec::new());
        let mut merge = Self { store, packs, preferred, next, last: None, rows, rows_of };
        for pack in 0..packs.len() as u32 {
            merge.push(pack, 0)?;
        }
        Ok(merge)
    }

    fn push(&mut self, pack: u32, position: u32) -> Result<(), Error> {
        let number = self.packs[pack as usize];
        if position < self.store.pack_len(number) {
            let id = self.store.packed_id(Packed { pack: number, position })?;
            self.next.push(Reverse((id, number != self.preferred, pack, position)));
        }
        Ok(())
    }

    /// Goes on by one entry; false: there was none left.
    fn advance(&mut self) -> Result<bool, Error> {
        let Some(Reverse((id, _, pack, position))) = self.next.pop() else { return Ok(false) };
        if self.last.is_some_and(|last| id < last) {
            let file = self.store.pack_name(self.packs[pack as usize]);
            return Err(Error::DamagedFile { file, reason: "its index is not in order" });
        }
        if self.last.replace(id) != Some(id) {
            self.rows.push((pack, position));
        }
        self.rows_of[pack as usize].push(self.rows.len() as u32 - 1);
        self.push(pack, position + 1)?;
        Ok(true)
    }
}
