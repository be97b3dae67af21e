//! Reading the entries of a tree.

use crate::odb::Error;
use gix_hash::{ObjectId, oid};

/// One entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    pub mode: u32,
    pub name: &'a [u8],
    pub id: &'a oid,
}

impl Entry<'_> {
    pub fn is_tree(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// Whether it is a submodule, whose commit lies in another repository.
    pub fn is_gitlink(&self) -> bool {
        self.mode & 0o170_000 == 0o160_000
    }
}

/// The entries of a tree object, one after another.
pub struct Entries<'a> {
    tree: &'a oid,
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    /// `tree` is the tree's id: the ids in it are of the same format.
    pub fn new(tree: &'a oid, data: &'a [u8]) -> Self {
        Self { tree, rest: data }
    }

    fn damaged(&self) -> Error {
        Error::DamagedObject { id: ObjectId::from(self.tree), reason: "it is not a tree" }
    }

    fn parse(&mut self) -> Option<Entry<'a>> {
        let space = self.rest.iter().take(8).position(|byte| *byte == b' ')?;
        let mut mode = 0;
        for digit in &self.rest[..space] {
            mode = mode * 8 + char::from(*digit).to_digit(8)?;
        }
        let rest = &self.rest[space + 1..];
        let end = rest.iter().position(|byte| *byte == 0)?;
        let (id, after) = rest[end + 1..].split_at_checked(self.tree.as_bytes().len())?;
        self.rest = after;
        Some(Entry { mode, name: &rest[..end], id: oid::from_bytes_unchecked(id) })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.parse();
        if entry.is_none() {
            self.rest = &[];
        }
        Some(entry.ok_or_else(|| self.damaged()))
    }
}
