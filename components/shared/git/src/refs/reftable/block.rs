//! One block of a table: records whose keys are shortened by what they share with the one before.

use super::Value;
use crate::format::ObjectFormat;
use gix_hash::ObjectId;

/// The kind of a block of refs.
pub const REF: u8 = b'r';
/// The kind of a block that says which names other blocks end with.
pub const INDEX: u8 = b'i';

/// The longest name that is written out, in bytes: far longer than one that is accepted.
const KEY_BYTES_MAX: usize = 64 * 1024;

/// A block as it lies, the table's header included if it is the first.
pub struct Block {
    bytes: Vec<u8>,
    /// Where its own head is: kind, and length.
    head: usize,
    /// Where the records end.
    end: usize,
}

/// What a block has.
pub enum Record<'a> {
    Ref(&'a [u8], Value),
    /// The last name of a block, and where that is.
    Index(&'a [u8], u64),
}

impl Block {
    /// None: it is too short for what it should end with.
    pub fn new(bytes: Vec<u8>, head: usize) -> Option<Self> {
        let restarts_end = bytes.len().checked_sub(2)?;
        let restarts = usize::from(u16::from_be_bytes([bytes[restarts_end], bytes[restarts_end + 1]]));
        let end = restarts_end.checked_sub(3 * restarts).filter(|end| *end >= head + 4)?;
        Some(Self { bytes, head, end })
    }

    pub fn kind(&self) -> u8 {
        self.bytes[self.head]
    }

    /// Its records, from the first on.
    pub fn records(&self, format: ObjectFormat) -> Records<'_> {
        let rest = &self.bytes[self.head + 4..self.end];
        Records { kind: self.kind(), rest, key: Vec::new(), format }
    }
}

/// The records of a block that are still to come.
pub struct Records<'a> {
    kind: u8,
    rest: &'a [u8],
    key: Vec<u8>,
    format: ObjectFormat,
}

impl Records<'_> {
    /// The next record, or none. None at all: it is damaged.
    #[expect(clippy::should_implement_trait, reason = "a record borrows the key")]
    pub fn next(&mut self) -> Option<Option<Record<'_>>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        let prefix = usize::try_from(self.number()?).ok().filter(|prefix| *prefix <= self.key.len())?;
        let suffix = self.number()?;
        let value_kind = suffix & 7;
        let suffix = usize::try_from(suffix >> 3)
            .ok()
            .filter(|suffix| suffix.saturating_add(prefix) <= KEY_BYTES_MAX)?;
        let suffix = self.bytes(suffix)?;
        self.key.truncate(prefix);
        self.key.extend_from_slice(suffix);
        if self.kind == INDEX {
            let place = self.number()?;
            return (value_kind == 0).then_some(Some(Record::Index(&self.key, place)));
        }
        // When it changed, as a difference from the table's first change.
        self.number()?;
        let value = match value_kind {
            0 => Value::Deleted,
            1 => Value::Id(self.id()?),
            2 => Value::Peeled(self.id()?, self.id()?),
            3 => {
                let len = usize::try_from(self.number()?).ok()?;
                Value::Symbolic(self.bytes(len)?.into())
            }
            _ => return None,
        };
        Some(Some(Record::Ref(&self.key, value)))
    }

    /// A number of seven bits a byte, the highest first; each byte but the last stands for one more.
    fn number(&mut self) -> Option<u64> {
        let mut number: u64 = 0;
        loop {
            let [byte] = self.bytes(1)? else { return None };
            number = number.checked_add(u64::from(byte & 0x7f))?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
            number = number.checked_add(1)?.checked_mul(1 << 7)?;
        }
    }

    fn id(&mut self) -> Option<ObjectId> {
        let len = self.format.len_in_bytes();
        ObjectId::try_from(self.bytes(len)?).ok()
    }
}

impl<'a> Records<'a> {
    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }
}
