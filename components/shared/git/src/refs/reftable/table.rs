//! One table.

use super::block::{Block, INDEX, REF, Record};
use super::{Value, damaged};
use crate::format::ObjectFormat;
use crate::odb::{self, File};
use crate::refs::Error;
use bstr::BStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAGIC: &[u8; 4] = b"REFT";
/// What a footer has beside the copy of the header: five places and a checksum.
const FOOTER_REST_LEN: u64 = 5 * 8 + 4;
/// How many levels of index blocks are followed.
const LEVELS_MAX: usize = 8;

/// An open table.
pub struct Table {
    path: PathBuf,
    data: odb::Table,
    format: ObjectFormat,
    header_len: u64,
    /// What blocks are padded to, in bytes; 0: they are not.
    block_len: u64,
    /// Where the blocks of refs end at the latest.
    end: u64,
    /// Where the index of the blocks of refs begins, if there is one.
    index: Option<u64>,
}

impl Table {
    /// Opens a table, and checks its head and foot.
    ///
    /// Fails with [`Error::DamagedReftable`], also if its ids are not of the format.
    pub fn open(path: &Path, format: ObjectFormat) -> Result<Self, Error> {
        let file = Arc::new(File::open(path).map_err(Error::io(path))?);
        let len = file.len();
        let data = odb::Table::new(file, 0, len).expect("a file is as long as it is");
        Self::parse(path, data, format).ok_or_else(|| damaged(path))
    }

    fn parse(path: &Path, data: odb::Table, format: ObjectFormat) -> Option<Self> {
        let head: [u8; 8] = data.entry(0).ok()?;
        let header_len = match (head[4], format) {
            (1, ObjectFormat::Sha1) => 24,
            (2, _) => 28,
            _ => return None,
        };
        let footer_len = header_len + FOOTER_REST_LEN;
        let end = data.len().checked_sub(footer_len).filter(|end| *end >= header_len)?;
        let mut header = vec![0; header_len as usize];
        data.read(0, &mut header).ok()?;
        let mut footer = vec![0; footer_len as usize];
        data.read(end, &mut footer).ok()?;
        let (body, checksum) = footer.split_at(footer_len as usize - 4);
        let hash = if format == ObjectFormat::Sha1 { b"sha1" } else { b"s256" };
        let is_sound = header[..4] == *MAGIC
            && body.starts_with(&header)
            && checksum == crc32(body).to_be_bytes()
            && (header_len == 24 || header[24..] == *hash);
        let place = |index: usize| {
            let at = header_len as usize + index * 8;
            u64::from_be_bytes(body[at..at + 8].try_into().expect("eight bytes"))
        };
        let index = Some(place(0)).filter(|index| *index != 0);
        // The place of the blocks of ids shares its number with the length of their keys.
        let sections = [place(0), place(1) >> 5, place(3)];
        let end = sections.into_iter().filter(|place| *place != 0).chain([end]).min().expect("there is one");
        let block_len = u64::from(u32::from_be_bytes([0, head[5], head[6], head[7]]));
        is_sound.then(|| Self { path: path.to_owned(), data, format, header_len, block_len, end, index })
    }

    /// In bytes.
    pub fn len(&self) -> u64 {
        self.data.len()
    }

    /// Calls `found` with each ref, in order; that returns none once there are too many.
    pub fn each(&self, mut found: impl FnMut(&BStr, Value) -> Option<()>) -> Result<(), Error> {
        let mut next = Some(0);
        let mut last: Option<Vec<u8>> = None;
        while let Some((block, after)) = next.and_then(|at| self.ref_block(at).transpose()).transpose()? {
            let mut records = block.records(self.format);
            while let Some(record) = records.next().ok_or_else(|| self.damaged())? {
                let Record::Ref(name, value) = record else { return Err(self.damaged()) };
                if last.as_ref().is_some_and(|last| last.as_slice() >= name) {
                    return Err(self.damaged());
                }
                found(name.into(), value).ok_or_else(|| self.damaged())?;
                last = Some(name.to_owned());
            }
            next = Some(after);
        }
        Ok(())
    }

    /// What the table says of a ref, if anything.
    pub fn find(&self, name: &BStr) -> Result<Option<Value>, Error> {
        let mut at = match self.index {
            Some(index) => match self.indexed(index, name)? {
                Some(block) => block,
                None => return Ok(None),
            },
            None => 0,
        };
        while let Some((block, after)) = self.ref_block(at)? {
            let mut records = block.records(self.format);
            while let Some(record) = records.next().ok_or_else(|| self.damaged())? {
                match record {
                    Record::Ref(found, value) if *found == **name => return Ok(Some(value)),
                    Record::Ref(found, _) if *found > **name => return Ok(None),
                    Record::Ref(..) => {}
                    Record::Index(..) => return Err(self.damaged()),
                }
            }
            at = after;
        }
        Ok(None)
    }

    /// The block of refs that has the name if any does, by the index.
    fn indexed(&self, mut at: u64, name: &BStr) -> Result<Option<u64>, Error> {
        for _ in 0..LEVELS_MAX {
            let mut found = None;
            // A level of the index may be of several blocks.
            while found.is_none() {
                let Some((block, after)) = self.block(at)?.filter(|(block, _)| block.kind() == INDEX) else {
                    return Ok(None);
                };
                let mut records = block.records(self.format);
                while let Some(record) = records.next().ok_or_else(|| self.damaged())? {
                    let Record::Index(last, place) = record else { return Err(self.damaged()) };
                    if *last >= **name {
                        found = Some(place);
                        break;
                    }
                }
                at = after;
            }
            at = found.expect("it was just found");
            if self.kind(at) != Some(INDEX) {
                return Ok(Some(at));
            }
        }
        Err(self.damaged())
    }

    /// The block of refs at a place, and where the next one is; none: there are no more.
    fn ref_block(&self, at: u64) -> Result<Option<(Block, u64)>, Error> {
        if at >= self.end || self.kind(at) != Some(REF) {
            return Ok(None);
        }
        self.block(at)
    }

    /// What kind of block is at a place.
    fn kind(&self, at: u64) -> Option<u8> {
        let mut kind = [0];
        self.data.read(if at == 0 { self.header_len } else { at }, &mut kind).ok()?;
        Some(kind[0])
    }

    /// The block at a place, and where the next one may be.
    fn block(&self, at: u64) -> Result<Option<(Block, u64)>, Error> {
        let head_at = if at == 0 { self.header_len } else { at };
        let mut head = [0; 4];
        if self.data.read(head_at, &mut head).is_err() {
            return Ok(None);
        }
        let len = u64::from(u32::from_be_bytes([0, head[1], head[2], head[3]]));
        // A block that is as long as it says, and longer than its own head, ends every search.
        let is_within = at.checked_add(len).is_some_and(|end| end <= self.data.len());
        if len < head_at - at + 4 || !is_within {
            return Err(self.damaged());
        }
        let mut bytes = vec![0; len as usize];
        self.data.read(at, &mut bytes).map_err(Error::io(&self.path))?;
        let block = Block::new(bytes, (head_at - at) as usize).ok_or_else(|| self.damaged())?;
        let mut next = [0];
        let is_padded = len < self.block_len && self.data.read(at + len, &mut next).is_ok() && next == [0];
        Ok(Some((block, at + if is_padded { self.block_len } else { len })))
    }

    fn damaged(&self) -> Error {
        damaged(&self.path)
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
