//! Files made of chunks behind a table of contents (gitformat-chunk).

use crate::odb::{File, Table};
use std::sync::Arc;

/// The name of a chunk.
pub(crate) type ChunkId = [u8; 4];

/// How many chunks a file may have. Git's own have fewer than ten.
const CHUNKS_MAX: usize = 64;
const ROW_LEN: usize = 12;

/// The chunks of a file.
pub(crate) struct Chunks {
    file: Arc<File>,
    /// Name, begin and end of each.
    rows: Vec<(ChunkId, u64, u64)>,
}

impl Chunks {
    /// Reads the table of contents of `count` chunks, at `offset`; the file ends with `trailer_len`
    /// bytes that belong to no chunk. None: it is damaged.
    pub fn read(file: Arc<File>, offset: u64, count: usize, trailer_len: u64) -> Option<Self> {
        if count > CHUNKS_MAX {
            return None;
        }
        let mut table = vec![0; (count + 1) * ROW_LEN];
        file.read_exact_at(&mut table, offset).ok()?;
        let begins: Vec<(ChunkId, u64)> = table.chunks_exact(ROW_LEN).map(row).collect();
        let first = offset + table.len() as u64;
        let end = file.len().checked_sub(trailer_len)?;
        let rows: Vec<_> = begins.windows(2).map(|pair| (pair[0].0, pair[0].1, pair[1].1)).collect();
        let is_sound = rows
            .iter()
            .all(|(id, begin, next)| *id != [0; 4] && *begin >= first && begin <= next && *next <= end);
        (is_sound && begins[count].0 == [0; 4]).then_some(Self { file, rows })
    }

    /// A chunk; none: there is no such chunk.
    pub fn get(&self, id: &ChunkId) -> Option<Table> {
        let (_, begin, end) = self.rows.iter().find(|(name, ..)| name == id)?;
        Table::new(self.file.clone(), *begin, end - begin)
    }

    /// A chunk that has to be of one length, in bytes.
    pub fn get_of_len(&self, id: &ChunkId, len: u64) -> Option<Table> {
        self.get(id).filter(|table| table.len() == len)
    }
}

fn row(row: &[u8]) -> (ChunkId, u64) {
    let (id, offset) = row.split_at(4);
    let offset = u64::from_be_bytes(offset.try_into().expect("a row has eight bytes after the name"));
    (id.try_into().expect("a name has four bytes"), offset)
}

/// Puts chunks behind their table of contents, for a file whose head is of `head_len` bytes.
pub(crate) fn write(out: &mut Vec<u8>, head_len: u64, chunks: &[(ChunkId, Vec<u8>)]) {
    let lens: Vec<_> = chunks.iter().map(|(id, bytes)| (*id, bytes.len() as u64)).collect();
    out.extend_from_slice(&table_of_contents(head_len, &lens));
    for (_, bytes) in chunks {
        out.extend_from_slice(bytes);
    }
}

/// What comes before chunks of these lengths, in bytes, in a file whose head is of `head_len` bytes.
pub(crate) fn table_of_contents(head_len: u64, chunks: &[(ChunkId, u64)]) -> Vec<u8> {
    let mut table = Vec::with_capacity((chunks.len() + 1) * ROW_LEN);
    let mut offset = head_len + ((chunks.len() + 1) * ROW_LEN) as u64;
    for (id, len) in chunks {
        table.extend_from_slice(id);
        table.extend_from_slice(&offset.to_be_bytes());
        offset += len;
    }
    table.extend_from_slice(&[0; 4]);
    table.extend_from_slice(&offset.to_be_bytes());
    table
}
