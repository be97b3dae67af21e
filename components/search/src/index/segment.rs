//! A part of an index, in a file that never changes: some documents, and which of them hold which three bytes.
//!
//! Numbers are little-endian. The file is: the ids of the documents; blocks of lists of documents (see
//! `postings`), by three bytes in ascending order; the table of those blocks; and at the end what is needed
//! to find one's way. Each part has a checksum (XXH3), which is compared when the part is read.
//!
//! A block is, for each list, the difference of its three bytes to those before and the length of the list;
//! a zero length; then the lists. Only what is looked for is read of it: the one block that has it.

use super::postings::{push, take};
use super::{Error, FORMAT};
use crate::limits::BLOCK_BYTES;
use crate::needs::Trigram;
use gix_hash::ObjectId;
use lithe_git::odb::File;
use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: [u8; 8] = *b"lithetri";
/// The end of a file: magic, format, documents, their checksum, blocks, where their table is, its checksum,
/// and the checksum of all these.
const END_BYTES: usize = 8 + 4 + 4 + 8 + 4 + 8 + 8 + 8;
/// An entry of the table: first three bytes, where the block is, its length, its checksum.
const ENTRY_BYTES: usize = 4 + 8 + 4 + 8;

const DAMAGED: Error = Error::Damaged("a segment");

/// A segment, open.
pub struct Segment {
    file: File,
    object_format: gix_hash::Kind,
    documents: u32,
    documents_checksum: u64,
    blocks: Vec<Block>,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    first: Trigram,
    offset: u64,
    length: u32,
    checksum: u64,
}

impl Segment {
    /// Opens a segment of so many documents.
    pub fn open(path: &Path, object_format: gix_hash::Kind, documents: u32) -> Result<Self, Error> {
        let file = File::open(path)?;
        let size = file.len();
        let end_at = size.checked_sub(END_BYTES as u64).ok_or(DAMAGED)?;
        let mut end = [0; END_BYTES];
        file.read_exact_at(&mut end, end_at)?;
        let (content, checksum) = end.split_at(END_BYTES - 8);
        if xxh3_64(content) != number(checksum)
            || content[..8] != MAGIC
            || number(&content[8..12]) != u64::from(FORMAT)
        {
            return Err(DAMAGED);
        }
        let [count, documents_checksum, blocks, table_at, table_checksum] =
            [12..16, 16..24, 24..28, 28..36, 36..44].map(|range| number(&content[range]));
        let table_bytes = blocks.checked_mul(ENTRY_BYTES as u64).ok_or(DAMAGED)?;
        let is_plausible = count == u64::from(documents) && table_at.checked_add(table_bytes) == Some(end_at);
        if !is_plausible {
            return Err(DAMAGED);
        }
        let mut table = vec![0; usize::try_from(table_bytes).map_err(|_| DAMAGED)?];
        file.read_exact_at(&mut table, table_at)?;
        if xxh3_64(&table) != table_checksum {
            return Err(DAMAGED);
        }
        let block = |entry: &[u8]| Block {
            first: number(&entry[..4]) as u32,
            offset: number(&entry[4..12]),
            length: number(&entry[12..16]) as u32,
            checksum: number(&entry[16..24]),
        };
        let blocks = table.chunks_exact(ENTRY_BYTES).map(block).collect();
        Ok(Self { file, object_format, documents, documents_checksum, blocks })
    }

    /// How many documents it has.
    pub fn len(&self) -> u32 {
        self.documents
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.documents == 0
    }

    /// The ids of its documents, in the order of their numbers.
    pub fn documents(&self) -> Result<Vec<ObjectId>, Error> {
        let length = self.object_format.len_in_bytes();
        let mut bytes = vec![0; self.documents as usize * length];
        self.file.read_exact_at(&mut bytes, 0)?;
        if xxh3_64(&bytes) != self.documents_checksum {
            return Err(DAMAGED);
        }
        Ok(bytes.chunks_exact(length).map(ObjectId::from_bytes_or_panic).collect())
    }

    /// The list of the documents that hold the three bytes; none if no document does.
    pub fn postings(&self, trigram: Trigram) -> Result<Option<Vec<u8>>, Error> {
        let Some(index) = self.blocks.partition_point(|block| block.first <= trigram).checked_sub(1) else {
            return Ok(None);
        };
        let mut found = None;
        self.visit_block(index, &mut |known, list| {
            if known == trigram {
                found = Some(list.to_vec());
            }
        })?;
        Ok(found)
    }

    /// Calls `visit` with every list of a block.
    fn visit_block(&self, index: usize, visit: &mut dyn FnMut(Trigram, &[u8])) -> Result<(), Error> {
        let block = self.blocks[index];
        let mut bytes = vec![0; block.length as usize];
        self.file.read_exact_at(&mut bytes, block.offset)?;
        if xxh3_64(&bytes) != block.checksum {
            return Err(DAMAGED);
        }
        let mut heads = &bytes[..];
        let mut lengths = Vec::new();
        let mut trigram = block.first;
        loop {
            let difference = take(&mut heads)?;
            let length = take(&mut heads)?;
            if length == 0 {
                break;
            }
            trigram = trigram.checked_add(difference).ok_or(DAMAGED)?;
            lengths.push((trigram, length as usize));
        }
        for (trigram, length) in lengths {
            let (list, rest) = heads.split_at_checked(length).ok_or(DAMAGED)?;
            visit(trigram, list);
            heads = rest;
        }
        Ok(())
    }

    /// Reads all lists, one after the other.
    pub fn lists(&self) -> Lists<'_> {
        Lists { segment: self, next_block: 0, lists: Vec::new().into_iter() }
    }
}

/// All lists of a segment, by their three bytes in ascending order.
pub struct Lists<'a> {
    segment: &'a Segment,
    next_block: usize,
    lists: std::vec::IntoIter<(Trigram, Vec<u8>)>,
}

impl Lists<'_> {
    /// The next list.
    pub fn next(&mut self) -> Result<Option<(Trigram, Vec<u8>)>, Error> {
        loop {
            if let Some(list) = self.lists.next() {
                return Ok(Some(list));
            }
            if self.next_block == self.segment.blocks.len() {
                return Ok(None);
            }
            let mut lists = Vec::new();
            self.segment
                .visit_block(self.next_block, &mut |trigram, list| lists.push((trigram, list.to_vec())))?;
            self.next_block += 1;
            self.lists = lists.into_iter();
        }
    }
}

/// A segment that is being written.
pub struct Writer {
    file: BufWriter<fs::File>,
    offset: u64,
    documents: u32,
    documents_checksum: u64,
    table: Vec<u8>,
    blocks: u32,
    /// The first three bytes of the block that is gathered, and the last.
    first: Trigram,
    last: Trigram,
    heads: Vec<u8>,
    lists: Vec<u8>,
}

impl Writer {
    /// Begins a segment of these documents.
    pub fn new(path: &Path, documents: &[ObjectId]) -> io::Result<Self> {
        let mut file = BufWriter::new(fs::File::create_new(path)?);
        let ids: Vec<u8> = documents.iter().flat_map(|id| id.as_slice().iter().copied()).collect();
        file.write_all(&ids)?;
        Ok(Self {
            file,
            offset: ids.len() as u64,
            documents: documents.len() as u32,
            documents_checksum: xxh3_64(&ids),
            table: Vec::new(),
            blocks: 0,
            first: 0,
            last: 0,
            heads: Vec::new(),
            lists: Vec::new(),
        })
    }

    /// Adds a list, which is not empty; its three bytes come after all that were added.
    pub fn add(&mut self, trigram: Trigram, list: &[u8]) -> io::Result<()> {
        if self.heads.is_empty() {
            (self.first, self.last) = (trigram, trigram);
        }
        push(&mut self.heads, trigram - self.last);
        push(&mut self.heads, list.len() as u32);
        self.last = trigram;
        self.lists.extend_from_slice(list);
        if self.heads.len() + self.lists.len() >= BLOCK_BYTES { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.heads.is_empty() {
            return Ok(());
        }
        push(&mut self.heads, 0);
        push(&mut self.heads, 0);
        self.heads.append(&mut self.lists);
        self.file.write_all(&self.heads)?;
        self.table.extend(self.first.to_le_bytes());
        self.table.extend(self.offset.to_le_bytes());
        self.table.extend((self.heads.len() as u32).to_le_bytes());
        self.table.extend(xxh3_64(&self.heads).to_le_bytes());
        self.blocks += 1;
        self.offset += self.heads.len() as u64;
        self.heads.clear();
        Ok(())
    }

    /// Ends the segment; returns its size in bytes.
    pub fn finish(mut self) -> io::Result<u64> {
        self.end_block()?;
        self.file.write_all(&self.table)?;
        let mut end = Vec::with_capacity(END_BYTES);
        end.extend(MAGIC);
        end.extend(FORMAT.to_le_bytes());
        end.extend(self.documents.to_le_bytes());
        end.extend(self.documents_checksum.to_le_bytes());
        end.extend(self.blocks.to_le_bytes());
        end.extend(self.offset.to_le_bytes());
        end.extend(xxh3_64(&self.table).to_le_bytes());
        end.extend(xxh3_64(&end).to_le_bytes());
        self.file.write_all(&end)?;
        self.file.flush()?;
        Ok(self.offset + self.table.len() as u64 + END_BYTES as u64)
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::postings;

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[number; 20])
    }

    /// Three documents; lists long enough for several blocks.
    fn write(path: &Path) -> Vec<(Trigram, Vec<u8>)> {
        let mut writer = Writer::new(path, &[id(1), id(2), id(3)]).expect("the directory is writable");
        let lists: Vec<(Trigram, Vec<u8>)> =
            (0..20_000u32).map(|n| (n * 7 + 3, if n % 2 == 0 { vec![0, 0, 0] } else { vec![1] })).collect();
        for (trigram, list) in &lists {
            writer.add(*trigram, list).expect("the directory is writable");
        }
        let size = writer.finish().expect("the directory is writable");
        assert_eq!(size, fs::metadata(path).expect("it is there").len());
        lists
    }

    fn open(path: &Path) -> Result<Segment, Error> {
        Segment::open(path, gix_hash::Kind::Sha1, 3)
    }

    #[test]
    fn a_segment_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a");
        let lists = write(&path);
        let segment = open(&path).expect("it is whole");
        assert!(segment.blocks.len() > 3);
        assert_eq!(segment.documents().expect("it is whole"), [id(1), id(2), id(3)]);
        let mut all = segment.lists();
        for (trigram, list) in &lists {
            assert_eq!(segment.postings(*trigram).expect("it is whole").as_ref(), Some(list));
            assert_eq!(all.next().expect("it is whole"), Some((*trigram, list.clone())));
        }
        assert!(all.next().expect("it is whole").is_none());
        for absent in [0, 2, 4, 11, 20_000 * 7 + 3, 0xff_ffff] {
            assert_eq!(segment.postings(absent).expect("it is whole"), None, "{absent}");
        }
        assert_eq!(postings::decode(&lists[0].1).expect("it is whole"), [0, 1, 2]);
    }

    #[test]
    fn damage_is_noticed_where_it_is_read() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a");
        let lists = write(&path);
        let whole = fs::read(&path).expect("it is there");
        for at in (0..whole.len()).step_by(997).chain([0, whole.len() - 1]) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x20;
            fs::write(&path, &damaged).expect("the directory is writable");
            let Ok(segment) = open(&path) else { continue };
            let documents = segment.documents();
            let answers: Vec<_> =
                lists.iter().step_by(50).map(|(trigram, _)| segment.postings(*trigram)).collect();
            let mut is_noticed = documents.is_err();
            for ((_, list), answer) in lists.iter().step_by(50).zip(answers) {
                match answer {
                    Ok(answer) => assert_eq!(answer.as_ref(), Some(list), "at {at}"),
                    Err(_) => is_noticed = true,
                }
            }
            assert!(is_noticed, "at {at}");
        }
        for length in (0..whole.len()).step_by(4_999) {
            fs::write(&path, &whole[..length]).expect("the directory is writable");
            assert!(open(&path).is_err(), "cut to {length} bytes");
        }
        fs::write(&path, &whole).expect("the directory is writable");
        assert!(Segment::open(&path, gix_hash::Kind::Sha1, 4).is_err());
    }
}
