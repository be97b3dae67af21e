//! The index of a pack, version 2 (gitformat-pack, "Version 2 pack-*.idx files").

use super::entries::Entries;
use sha1::{Digest, Sha1};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

const HEADER: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
/// Offsets from here on go to the table of large offsets.
const LARGE_OFFSET: u64 = 1 << 31;
const PIECE_BYTES: usize = 256 * 1024;

/// Writes the index of `entries`, whose indexes sorted by id are `order`, and waits until it is on disk.
pub(super) fn write(path: &Path, entries: &Entries, order: &[u32], checksum: &[u8; 20]) -> io::Result<()> {
    let mut out = Hashing { file: File::create_new(path)?, hasher: Sha1::new(), pending: Vec::new() };
    out.put(&HEADER)?;
    let mut position = 0;
    for first in 0..=u8::MAX {
        position += order[position..].partition_point(|&index| entries.get(index).id[0] <= first);
        out.put(&(position as u32).to_be_bytes())?;
    }
    for &index in order {
        out.put(&entries.get(index).id)?;
    }
    for &index in order {
        out.put(&entries.get(index).crc32.to_be_bytes())?;
    }
    let mut large = Vec::new();
    for &index in order {
        let offset = entries.get(index).offset;
        let small = match u32::try_from(offset) {
            Ok(small) if offset < LARGE_OFFSET => small,
            _ => {
                large.push(offset);
                LARGE_OFFSET as u32 | (large.len() - 1) as u32
            }
        };
        out.put(&small.to_be_bytes())?;
    }
    for offset in large {
        out.put(&offset.to_be_bytes())?;
    }
    out.put(checksum)?;
    out.finish()
}

struct Hashing {
    file: File,
    hasher: Sha1,
    pending: Vec<u8>,
}

impl Hashing {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hasher.update(&self.pending);
        self.file.write_all(&self.pending)?;
        self.pending.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        let digest = self.hasher.finalize();
        self.file.write_all(&digest)?;
        self.file.sync_all()
    }
}
