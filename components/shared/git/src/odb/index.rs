//! Pack indexes, version 2 (gitformat-pack, "Version 2 pack-*.idx files").

use super::error::Error;
use super::file::File;
use super::table::Table;
use crate::format::ObjectFormat;
use crate::limits::PACK_OBJECTS_MAX;
use gix_hash::{ObjectId, oid};
use std::io;
use std::path::Path;
use std::sync::Arc;

const MAGIC: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
pub(super) const FANOUT_LEN: u64 = 256 * 4;
const LARGE_OFFSET_MARK: u32 = 1 << 31;

/// An open index: which objects a pack has, and where.
pub struct Index {
    name: String,
    object_format: ObjectFormat,
    fanout: Box<[u32; 256]>,
    ids: Table,
    offsets: Table,
    large_offsets: Table,
    /// The pack's.
    checksum: Table,
}

/// How many objects an index says that its pack has.
pub(crate) fn count(path: &Path) -> io::Result<u32> {
    let mut count = [0; 4];
    File::open(path)?.read_exact_at(&mut count, 8 + FANOUT_LEN - 4)?;
    Ok(u32::from_be_bytes(count))
}

impl Index {
    /// Opens and checks the index.
    pub fn open(path: &Path, object_format: ObjectFormat) -> Result<Self, Error> {
        let id_len = object_format.len_in_bytes() as u64;
        // The pack's checksum and its own.
        let trailer_len = 2 * id_len;
        let file = Arc::new(File::open(path).map_err(Error::io(path))?);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let damaged = |reason| Error::DamagedFile { file: name.clone(), reason };
        let mut head = [0; 8 + FANOUT_LEN as usize];
        if file.len() < head.len() as u64 + trailer_len {
            return Err(damaged("it is too short for an index"));
        }
        file.read_exact_at(&mut head, 0).map_err(Error::io(path))?;
        if head[..4] != MAGIC[..4] {
            return Err(Error::Unsupported(
                "a pack index of version 1 (`git index-pack` makes one of version 2)".into(),
            ));
        }
        if head[..8] != MAGIC {
            return Err(damaged("its version is unknown"));
        }
        let fanout = fanout(&head[8..]).ok_or_else(|| damaged("its fan-out table is not in order"))?;
        let count = u64::from(fanout[255]);
        if fanout[255] > PACK_OBJECTS_MAX {
            return Err(damaged("it has more objects than the limit"));
        }
        let ids_start = 8 + FANOUT_LEN;
        let offsets_start = ids_start + count * (id_len + 4);
        let large_start = offsets_start + count * 4;
        let large_len = file
            .len()
            .checked_sub(large_start + trailer_len)
            .filter(|len| len.is_multiple_of(8))
            .ok_or_else(|| damaged("its length does not fit its number of objects"))?;
        let too_short = || damaged("it is too short for an index");
        let table = |start, len| Table::new(file.clone(), start, len).ok_or_else(too_short);
        let ids = table(ids_start, count * id_len)?;
        let offsets = table(offsets_start, count * 4)?;
        let large_offsets = table(large_start, large_len)?;
        let checksum = table(large_start + large_len, id_len)?;
        Ok(Self { name, object_format, fanout, ids, offsets, large_offsets, checksum })
    }

    /// The checksum of the pack that it is of.
    pub fn pack_checksum(&self) -> Result<ObjectId, Error> {
        let mut checksum = ObjectId::null(self.object_format);
        self.checksum.read(0, checksum.as_mut_slice()).map_err(Error::io(&self.name))?;
        Ok(checksum)
    }

    /// How many objects the pack has.
    pub fn len(&self) -> u32 {
        self.fanout[255]
    }

    /// Returns the position of the object in the table of ids.
    pub fn position(&self, id: &oid) -> Result<Option<u32>, Error> {
        if id.kind() != self.object_format {
            return Ok(None);
        }
        search(&self.fanout, &self.ids, id).map_err(Error::io(&self.name))
    }

    /// Returns the id at a position below `len`.
    pub fn id(&self, position: u32) -> Result<ObjectId, Error> {
        Ok(match self.object_format {
            ObjectFormat::Sha1 => ObjectId::Sha1(self.entry(&self.ids, position.into())?),
            _ => ObjectId::Sha256(self.entry(&self.ids, position.into())?),
        })
    }

    /// The digest that ids are made by.
    pub fn object_format(&self) -> ObjectFormat {
        self.object_format
    }

    /// Returns the offset in the pack of the object at a position below `len`.
    pub fn offset(&self, position: u32) -> Result<u64, Error> {
        let offset = u32::from_be_bytes(self.entry(&self.offsets, position.into())?);
        if offset & LARGE_OFFSET_MARK == 0 {
            return Ok(offset.into());
        }
        let large = offset & !LARGE_OFFSET_MARK;
        if u64::from(large) >= self.large_offsets.len() / 8 {
            return Err(self.damaged("it refers past its table of large offsets"));
        }
        Ok(u64::from_be_bytes(self.entry(&self.large_offsets, large.into())?))
    }

    fn entry<const N: usize>(&self, table: &Table, index: u64) -> Result<[u8; N], Error> {
        table.entry(index).map_err(Error::io(&self.name))
    }

    /// Its file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says what is wrong with it.
    pub fn damaged(&self, reason: &'static str) -> Error {
        Error::DamagedFile { file: self.name.clone(), reason }
    }
}

/// Finds an id in a sorted table of them; `fanout` tells how many begin with each byte or a lower one.
pub(crate) fn search(fanout: &[u32; 256], ids: &Table, id: &oid) -> io::Result<Option<u32>> {
    match id.as_bytes().len() {
        20 => search_ids::<20>(fanout, ids, id),
        _ => search_ids::<32>(fanout, ids, id),
    }
}

/// Ids are evenly spread: the search begins where the id should be, and widens from there.
fn search_ids<const ID_LEN: usize>(fanout: &[u32; 256], ids: &Table, id: &oid) -> io::Result<Option<u32>> {
    let Ok(id) = <&[u8; ID_LEN]>::try_from(id.as_bytes()) else { return Ok(None) };
    let first = usize::from(id[0]);
    let mut low = if first == 0 { 0 } else { fanout[first - 1] };
    let mut high = fanout[first];
    if low == high {
        return Ok(None);
    }
    let fraction = u64::from(u32::from_be_bytes([id[1], id[2], id[3], id[4]]));
    let mut probe = low + ((u64::from(high - low) * fraction) >> 32) as u32;
    let mut step = 4;
    while low < high {
        match ids.entry::<ID_LEN>(probe.into())?.cmp(id) {
            std::cmp::Ordering::Equal => return Ok(Some(probe)),
            std::cmp::Ordering::Less => {
                low = probe + 1;
                probe = low.saturating_add(step).min(low + (high - low) / 2);
            }
            std::cmp::Ordering::Greater => {
                high = probe;
                probe = high.saturating_sub(step).max(low + (high - low) / 2);
            }
        }
        step *= 2;
    }
    Ok(None)
}

/// Reads how many ids begin with each byte or a lower one. None: the numbers are not in order.
pub(super) fn fanout(bytes: &[u8]) -> Option<Box<[u32; 256]>> {
    let mut fanout = Box::new([0; 256]);
    for (entry, bytes) in fanout.iter_mut().zip(bytes.chunks_exact(4)) {
        *entry = u32::from_be_bytes(bytes.try_into().expect("chunks are of four bytes"));
    }
    fanout.is_sorted().then_some(fanout)
}
