//! Indexes over several packs, version 1 (gitformat-pack, "multi-pack-index (MIDX) files").
//!
//! They hold nothing that is not in the indexes of the packs: one that cannot be read, or is damaged, is
//! passed over.

#[cfg(test)]
mod tests;
mod write;

pub(crate) use write::Merged;

use super::index::{self, FANOUT_LEN};
use super::order;
use super::table::Table;
use crate::chunks::Chunks;
use crate::format::ObjectFormat;
use crate::limits::{PACK_NAMES_BYTES_MAX, PACKS_MAX};
use crate::shortcut;
use gix_hash::{ObjectId, oid};
use std::path::Path;

/// The name of the file, beside the packs.
pub const FILE_NAME: &str = "multi-pack-index";
const HEAD_LEN: u64 = 12;
/// An offset with this mark is told by the table of large ones, if there is one.
const LARGE_OFFSET_MARK: u32 = 1 << 31;

/// An open index over several packs.
pub struct MultiPackIndex {
    object_format: ObjectFormat,
    /// The names of the packs' indexes, `pack-….idx`, in order.
    packs: Vec<String>,
    fanout: Box<[u32; 256]>,
    ids: Table,
    /// The number of the pack, and the offset in it.
    offsets: Table,
    large_offsets: Option<Table>,
    checksum: ObjectId,
    /// Positions, by the order in which bitmaps number the objects.
    order: Option<Table>,
}

impl MultiPackIndex {
    /// Opens the index of the packs in a directory. None: there is none that can be read.
    pub fn open(directory: &Path, object_format: ObjectFormat) -> Option<Self> {
        let file = shortcut::open(&directory.join(FILE_NAME), object_format)?;
        let mut head = [0; HEAD_LEN as usize];
        file.read_exact_at(&mut head, 0).ok()?;
        let id_len = object_format.len_in_bytes() as u64;
        let hash = if id_len == 20 { 1 } else { 2 };
        // Those that build on others have another name.
        let [b'M', b'I', b'D', b'X', 1, of, chunks, 0, ref count @ ..] = head else { return None };
        let count = usize::try_from(u32::from_be_bytes(*count)).ok().filter(|count| *count <= PACKS_MAX)?;
        let chunks = Chunks::read(file.clone(), HEAD_LEN, chunks.into(), id_len).filter(|_| of == hash)?;
        let mut counts = [0; FANOUT_LEN as usize];
        chunks.get_of_len(b"OIDF", FANOUT_LEN)?.read(0, &mut counts).ok()?;
        let fanout = index::fanout(&counts)?;
        let objects = fanout[255];
        let mut checksum = ObjectId::null(object_format);
        file.read_exact_at(checksum.as_mut_slice(), file.len() - id_len).ok()?;
        let rows = u64::from(objects);
        let reverse = || directory.join(format!("{FILE_NAME}-{checksum}.rev"));
        Some(Self {
            object_format,
            packs: names(&chunks.get(b"PNAM")?, count)?,
            ids: chunks.get_of_len(b"OIDL", rows * id_len)?,
            offsets: chunks.get_of_len(b"OOFF", rows * 8)?,
            large_offsets: chunks.get(b"LOFF"),
            order: chunks
                .get_of_len(b"RIDX", rows * 4)
                .or_else(|| order::stored(&reverse(), objects, &checksum)),
            fanout,
            checksum,
        })
    }

    /// How many objects it has.
    pub fn len(&self) -> u32 {
        self.fanout[255]
    }

    /// The names of the packs' indexes, `pack-….idx`, by the numbers that the packs have here.
    pub fn packs(&self) -> &[String] {
        &self.packs
    }

    /// The checksum at its end, by which files that belong to it are named.
    pub fn checksum(&self) -> &ObjectId {
        &self.checksum
    }

    /// The name of a file that belongs to it, without its extension.
    pub fn stem(&self) -> String {
        stem(&self.checksum)
    }

    /// Where an object is in the table of ids. None: it is not there, or cannot be read.
    pub fn position(&self, id: &oid) -> Option<u32> {
        let is_ours = id.kind() == self.object_format;
        is_ours.then(|| index::search(&self.fanout, &self.ids, id).ok()).flatten().flatten()
    }

    /// The id at a position.
    pub fn id(&self, position: u32) -> Option<ObjectId> {
        let mut id = ObjectId::null(self.object_format);
        let len = self.object_format.len_in_bytes() as u64;
        self.ids.read(u64::from(position) * len, id.as_mut_slice()).ok()?;
        Some(id)
    }

    /// The number here of the pack that the object at a position is in, and its offset in the pack.
    pub fn entry(&self, position: u32) -> Option<(u32, u64)> {
        let row: [u8; 8] = self.offsets.entry(position.into()).ok()?;
        let row = u64::from_be_bytes(row);
        let (pack, offset) = ((row >> 32) as u32, row as u32);
        let offset = match (&self.large_offsets, offset & LARGE_OFFSET_MARK) {
            (Some(large), LARGE_OFFSET_MARK) => {
                let index = u64::from(offset & !LARGE_OFFSET_MARK);
                u64::from_be_bytes(large.entry(index).ok()?)
            }
            _ => offset.into(),
        };
        ((pack as usize) < self.packs.len()).then_some((pack, offset))
    }

    /// Whether it says how bitmaps number the objects.
    pub fn has_order(&self) -> bool {
        self.order.is_some()
    }

    /// The position of the object that bitmaps give a number.
    pub fn ordered(&self, number: u32) -> Option<u32> {
        let position = u32::from_be_bytes(self.order.as_ref()?.entry(number.into()).ok()?);
        (position < self.len()).then_some(position)
    }
}

/// The name of a file that belongs to the index with this checksum, without its extension.
pub fn stem(checksum: &oid) -> String {
    format!("{FILE_NAME}-{checksum}")
}

/// The names of so many packs' indexes. None: some are missing, out of order or no such names.
fn names(table: &Table, count: usize) -> Option<Vec<String>> {
    let mut bytes = vec![0; usize::try_from(table.len()).ok().filter(|len| *len <= PACK_NAMES_BYTES_MAX)?];
    table.read(0, &mut bytes).ok()?;
    let names = bytes.split(|byte| *byte == 0).take(count);
    let names: Vec<String> =
        names.map(|name| String::from_utf8(name.to_vec()).ok()).collect::<Option<_>>()?;
    let is_name = |name: &String| name.starts_with("pack-") && name.ends_with(".idx") && !name.contains('/');
    (names.len() == count && names.iter().all(is_name) && names.is_sorted()).then_some(names)
}
