//! Reading what a walk needs of an annotated tag.

use super::commit::id_line;
use crate::format::ObjectFormat;
use crate::limits::TAGS_NESTED_MAX;
use crate::odb::{Error, Store};
use gix_hash::{ObjectId, oid};
use gix_object::Kind;

/// What an annotated tag points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    pub target: ObjectId,
    pub kind: Kind,
}

impl Tag {
    /// Reads the head of a tag object. None: it is malformed.
    pub fn parse(data: &[u8], object_format: ObjectFormat) -> Option<Self> {
        let (target, rest) = id_line(data, b"object ", object_format)?;
        let rest = rest.strip_prefix(b"type ")?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        Some(Self { target, kind: Kind::from_bytes(&rest[..end]).ok()? })
    }

    /// Follows tags from `id` on; returns the tags passed, and the object that they end at with its kind.
    pub fn peel(store: &Store, id: &oid) -> Result<(Vec<ObjectId>, ObjectId, Kind), Error> {
        let mut tags = Vec::new();
        let mut id = id.to_owned();
        let (mut kind, _) = store.object_header(&id)?;
        while kind == Kind::Tag {
            let damaged = |reason| Error::DamagedObject { id, reason };
            if tags.len() == TAGS_NESTED_MAX {
                return Err(damaged("it is a tag of too many tags"));
            }
            let data = store.object_of(&id, Kind::Tag)?;
            let tag = Self::parse(&data, id.kind()).ok_or_else(|| damaged("it is not a tag"))?;
            tags.push(id);
            id = tag.target;
            kind = store.object_header(&id)?.0;
        }
        Ok((tags, id, kind))
    }
}
