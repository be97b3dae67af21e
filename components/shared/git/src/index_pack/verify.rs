//! Checking a pack that is there already.

use super::file::PackFile;
use super::receiver::Receiver;
use super::{Error, Inspect, Limits, index};
use crate::format::ObjectFormat;
use gix_object::{Data, Find};
use std::fs::File;
use std::io::Read;
use std::path::Path;

const PIECE_BYTES: usize = 256 * 1024;

/// Reads a pack from end to end, as if it arrived, and compares the index with the one that it
/// ought to have. Returns how many objects there are, and what inspected them.
///
/// Fails with [`Error::Index`] if the index is another, and by whatever is wrong with the pack.
pub fn verify<I: Inspect>(
    pack: &Path,
    index: &Path,
    object_format: ObjectFormat,
    inspector: I,
) -> Result<(u32, I), Error> {
    let limits = Limits::of_what_is_there();
    let mut receiver =
        Receiver::with_file(PackFile::open_existing(pack, object_format)?, object_format, limits, inspector);
    let mut file = File::open(pack)?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            count => receiver.write(&piece[..count])?,
        }
    }
    // On disk, a pack has to have all bases of its own.
    let (order, checksum) = receiver.complete(&Nothing)?;
    if !index::is_same(index, &receiver.entries, &order, &checksum)? {
        return Err(Error::Index);
    }
    Ok((receiver.entries.len(), receiver.inspector))
}

/// A repository without objects.
pub(crate) struct Nothing;

impl Find for Nothing {
    fn try_find<'a>(&self, _: &gix_hash::oid, _: &'a mut Vec<u8>) -> gix_error::Result<Option<Data<'a>>> {
        Ok(None)
    }
}
