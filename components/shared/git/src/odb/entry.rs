//! The head of a pack entry (gitformat-pack, "pack-*.pack files have the following format").

use crate::format::ObjectFormat;
use gix_hash::ObjectId;
use gix_object::Kind;

/// The longest head: ten bytes of type and size, and an id of the longer format.
pub const HEADER_LEN_MAX: usize = 10 + 32;

/// What a pack entry says about itself.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Header {
    pub kind: EntryKind,
    /// The size of the inflated data, in bytes: of the object, or of the delta.
    pub size: u64,
    /// The length of the head itself, in bytes.
    pub len: usize,
}

/// What is stored in an entry.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum EntryKind {
    /// A whole object.
    Whole(Kind),
    /// A delta based on the entry this many bytes before it.
    OfsDelta(u64),
    /// A delta based on the object with this id.
    RefDelta(ObjectId),
}

/// Why the head of an entry cannot be read, in words.
pub type Reason = &'static str;

impl Header {
    /// Reads the head of an entry at the beginning of `bytes`, which may go on after it.
    pub fn parse(bytes: &[u8], object_format: ObjectFormat) -> Result<Self, Reason> {
        const SHORT: Reason = "it ends within its head";
        let (&first, mut rest) = bytes.split_first().ok_or(SHORT)?;
        let mut size = u64::from(first & 0xf);
        let mut shift = 4;
        let mut byte = first;
        while byte & 0x80 != 0 {
            (byte, rest) = rest.split_first().map(|(&byte, rest)| (byte, rest)).ok_or(SHORT)?;
            if shift > 57 {
                return Err("its size is impossible");
            }
            size |= u64::from(byte & 0x7f) << shift;
            shift += 7;
        }
        let kind = match (first >> 4) & 7 {
            1 => EntryKind::Whole(Kind::Commit),
            2 => EntryKind::Whole(Kind::Tree),
            3 => EntryKind::Whole(Kind::Blob),
            4 => EntryKind::Whole(Kind::Tag),
            6 => EntryKind::OfsDelta(distance(&mut rest)?),
            7 => {
                let (id, after) = rest.split_at_checked(object_format.len_in_bytes()).ok_or(SHORT)?;
                rest = after;
                EntryKind::RefDelta(ObjectId::from_bytes_or_panic(id))
            }
            _ => return Err("its type is unknown"),
        };
        Ok(Self { kind, size, len: bytes.len() - rest.len() })
    }

    /// Writes the head; `len` is not used.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let code: u8 = match self.kind {
            EntryKind::Whole(Kind::Commit) => 1,
            EntryKind::Whole(Kind::Tree) => 2,
            EntryKind::Whole(Kind::Blob) => 3,
            EntryKind::Whole(Kind::Tag) => 4,
            EntryKind::OfsDelta(_) => 6,
            EntryKind::RefDelta(_) => 7,
        };
        let mut byte = code << 4 | (self.size & 0xf) as u8;
        let mut rest = self.size >> 4;
        while rest != 0 {
            out.push(byte | 0x80);
            byte = (rest & 0x7f) as u8;
            rest >>= 7;
        }
        out.push(byte);
        match self.kind {
            EntryKind::Whole(_) => {}
            EntryKind::OfsDelta(distance) => write_distance(distance, out),
            EntryKind::RefDelta(id) => out.extend_from_slice(id.as_slice()),
        }
    }
}

fn distance(rest: &mut &[u8]) -> Result<u64, Reason> {
    let mut value = 0_u64;
    for (index, &byte) in rest.iter().enumerate() {
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            *rest = &rest[index + 1..];
            return Ok(value);
        }
        value = value.checked_add(1).filter(|value| *value < 1 << 56).ok_or("its base is impossibly far")?;
    }
    Err("it ends within its head")
}

fn write_distance(distance: u64, out: &mut Vec<u8>) {
    let mut bytes = [0; 10];
    let mut at = bytes.len() - 1;
    bytes[at] = (distance & 0x7f) as u8;
    let mut rest = distance >> 7;
    while rest != 0 {
        rest -= 1;
        at -= 1;
        bytes[at] = 0x80 | (rest & 0x7f) as u8;
        rest >>= 7;
    }
    out.extend_from_slice(&bytes[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_as_they_are_written() {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            check_heads(format);
        }
    }

    fn check_heads(format: ObjectFormat) {
        let kinds = [
            EntryKind::Whole(Kind::Blob),
            EntryKind::Whole(Kind::Tag),
            EntryKind::RefDelta(ObjectId::empty_tree(format)),
            EntryKind::OfsDelta(1),
            EntryKind::OfsDelta(127),
            EntryKind::OfsDelta(128),
            EntryKind::OfsDelta(16_511),
            EntryKind::OfsDelta(16_512),
            EntryKind::OfsDelta(1 << 40),
        ];
        for kind in kinds {
            for size in [0, 15, 16, 2047, 2048, 1 << 32, (1 << 60) - 1] {
                let mut bytes = Vec::new();
                Header { kind, size, len: 0 }.write_to(&mut bytes);
                let expected = Header { kind, size, len: bytes.len() };
                assert!(bytes.len() <= HEADER_LEN_MAX);
                bytes.push(0xff);
                assert_eq!(Header::parse(&bytes, format), Ok(expected));
                for len in 0..expected.len {
                    assert_eq!(Header::parse(&bytes[..len], format), Err("it ends within its head"));
                }
            }
        }
    }

    #[test]
    fn impossible_heads_are_refused() {
        let cases: &[(&[u8], Reason)] = &[
            (&[0x00], "its type is unknown"),
            (&[0x50], "its type is unknown"),
            (&[0xff; 32], "its size is impossible"),
            (
                &[0x60, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                "its base is impossibly far",
            ),
        ];
        for (bytes, reason) in cases {
            assert_eq!(Header::parse(bytes, ObjectFormat::Sha1), Err(*reason), "{bytes:?}");
        }
    }
}
