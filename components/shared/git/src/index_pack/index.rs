//! The index of a pack, version 2 (gitformat-pack, "Version 2 pack-*.idx files").

use super::entries::Entries;
use crate::checksum::Hashing;
use crate::disk::File;
use gix_hash::oid;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

const HEADER: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
/// Offsets from here on go to the table of large offsets.
const LARGE_OFFSET: u64 = 1 << 31;

/// Writes the index of `entries`, whose indexes sorted by id are `order`, and waits until it is on disk.
pub(super) fn write(path: &Path, entries: &Entries, order: &[u32], checksum: &oid) -> io::Result<()> {
    write_to(File::create_new(path)?, entries, order, checksum)?.sync()
}

/// Whether a file holds the index of `entries`.
pub(super) fn is_same(path: &Path, entries: &Entries, order: &[u32], checksum: &oid) -> io::Result<bool> {
    let file = fs::File::open(path)?;
    let result = write_to(Comparing { file, piece: Vec::new() }, entries, order, checksum);
    match result {
        Ok(mut compared) => Ok(compared.file.read(&mut [0])? == 0),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn write_to<W: Write>(out: W, entries: &Entries, order: &[u32], checksum: &oid) -> io::Result<W> {
    let mut out = Hashing::new(out, checksum.kind());
    out.put(&HEADER)?;
    let mut position = 0;
    for first in 0..=u8::MAX {
        position += order[position..].partition_point(|&index| entries.id(index).first_byte() <= first);
        out.put(&(position as u32).to_be_bytes())?;
    }
    for &index in order {
        out.put(entries.id(index).as_bytes())?;
    }
    for &index in order {
        out.put(&{ entries.get(index).crc32 }.to_be_bytes())?;
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
    out.put(checksum.as_bytes())?;
    Ok(out.finish()?.0)
}

/// Fails with `InvalidData` where what is written is not what the file holds.
struct Comparing {
    file: fs::File,
    piece: Vec<u8>,
}

impl Write for Comparing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.resize(bytes.len(), 0);
        self.file.read_exact(&mut self.piece)?;
        if self.piece == bytes { Ok(bytes.len()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
