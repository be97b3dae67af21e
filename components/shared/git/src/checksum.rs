//! The checksum at the end of packs and indexes (gitformat-pack): the digest that the repository's
//! object ids are made by, without the detection of attacks that ids need.

use crate::format::ObjectFormat;
use gix_hash::ObjectId;
use sha1::Digest as _;

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

/// Whether the last bytes are the checksum of those before.
pub(crate) fn ends_with_its_own(bytes: &[u8], format: ObjectFormat) -> bool {
    let Some(end) = bytes.len().checked_sub(format.len_in_bytes()) else { return false };
    let mut checksum = Checksum::new(format);
    checksum.update(&bytes[..end]);
    checksum.finish().as_slice() == &bytes[end..]
}
