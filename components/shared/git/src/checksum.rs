//! The checksum at the end of packs and indexes (gitformat-pack): the digest that the repository's
//! object ids are made by, without the detection of attacks that ids need.

use crate::format::ObjectFormat;
use gix_hash::ObjectId;
use sha1::Digest as _;
use std::io::{self, Write};

/// How much is written at once, in bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// A checksum under way.
#[derive(Debug, Clone)]
pub(crate) enum Checksum {
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
}

impl Checksum {
    pub fn new(format: ObjectFormat) -> Self {
        match format {
            ObjectFormat::Sha1 => Self::Sha1(sha1::Sha1::new()),
            _ => Self::Sha256(sha2::Sha256::new()),
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
        }
    }

    pub fn finish(self) -> ObjectId {
        match self {
            Self::Sha1(digest) => ObjectId::Sha1(digest.finalize().into()),
            Self::Sha256(digest) => ObjectId::Sha256(digest.finalize().into()),
        }
    }
}

/// Writes a file that ends with the checksum of what is in it.
pub(crate) struct Hashing<W> {
    out: W,
    checksum: Checksum,
    pending: Vec<u8>,
}

impl<W: Write> Hashing<W> {
    pub fn new(out: W, format: ObjectFormat) -> Self {
        Self { out, checksum: Checksum::new(format), pending: Vec::new() }
    }

    /// Appends some bytes.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.checksum.update(&self.pending);
        self.out.write_all(&self.pending)?;
        self.pending.clear();
        Ok(())
    }

    /// Appends the checksum; returns what was written to, and the checksum.
    pub fn finish(mut self) -> io::Result<(W, ObjectId)> {
        self.flush()?;
        let checksum = self.checksum.finish();
        self.out.write_all(checksum.as_slice())?;
        Ok((self.out, checksum))
    }
}

/// Whether the last bytes are the checksum of those before.
pub(crate) fn ends_with_its_own(bytes: &[u8], format: ObjectFormat) -> bool {
    let Some(end) = bytes.len().checked_sub(format.len_in_bytes()) else { return false };
    let mut checksum = Checksum::new(format);
    checksum.update(&bytes[..end]);
    checksum.finish().as_slice() == &bytes[end..]
}
