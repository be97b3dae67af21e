//! Which files differ between two trees.

use super::renames;
use crate::limits::{DIFF_FILES_MAX, DIFF_TREES_MAX, PATH_BYTES_MAX, PATH_SEGMENTS_MAX};
use bstr::BString;
use gix_hash::ObjectId;
use lithe_code::repository::{Entry, Error, Repository};
use std::cmp::Ordering;

/// A file that differs between two trees. Never both none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub before: Option<Side>,
    pub after: Option<Side>,
    /// How much of a renamed or copied file is as before, in percent; none: it was neither.
    pub similarity: Option<u32>,
    /// Whether what it came from is still there, or became another file too.
    pub is_copy: bool,
}

/// Where files that are new may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origins {
    /// From files that were deleted, as `git diff -M` has it.
    Deleted,
    /// From any file that was changed, as `git diff -C` has it.
    Changed,
}

/// One side of a changed file; `entry.name` is the whole path.
pub type Side = Entry;

impl Change {
    /// What to call the file: its path after the change, or before it if it was deleted.
    pub fn path(&self) -> &BString {
        let side = self.after.as_ref().or(self.before.as_ref());
        &side.expect("one side is there").name
    }

    /// Whether the file came from another.
    pub fn has_origin(&self) -> bool {
        self.similarity.is_some()
    }
}

/// The files that differ between two trees, by path.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub files: Vec<Change>,
    /// Whether a limit cut the list: there are more, or some lie too deep.
    pub is_cut: bool,
}

/// Compares two trees; none is the empty tree. A file that was deleted and a similar one that was added
/// are one, renamed; one that was added and is similar to one that was changed, if those count, is a copy.
pub fn trees(
    repository: Repository<'_>,
    before: Option<ObjectId>,
    after: ObjectId,
    origins: Origins,
) -> Result<Changes, Error> {
    let mut walk = Walk { repository, changes: Changes::default(), trees_read: 0, is_full: false };
    let before = before.unwrap_or_else(|| ObjectId::empty_tree(after.kind()));
    walk.compare(b"", Some(before), Some(after))?;
    let mut changes = walk.changes;
    renames::detect(repository, &mut changes.files, origins)?;
    changes.files.sort_by(|a, b| a.path().cmp(b.path()));
    Ok(changes)
}

struct Walk<'a> {
    repository: Repository<'a>,
    changes: Changes,
    trees_read: usize,
    /// Whether the walk is over, whatever is left.
    is_full: bool,
}

impl Walk<'_> {
    fn entries(&mut self, tree_id: Option<ObjectId>) -> Result<Vec<Entry>, Error> {
        self.trees_read += 1;
        tree_id.map_or_else(|| Ok(Vec::new()), |id| self.repository.tree(&id))
    }

    /// Whether there is room for another file or tree. Past it, the list is cut.
    fn has_room(&mut self) -> bool {
        let has_room = self.changes.files.len() < DIFF_FILES_MAX && self.trees_read < DIFF_TREES_MAX;
        self.is_full |= !has_room;
        self.changes.is_cut |= !has_room;
        has_room
    }

    /// Compares two directories. What lies deeper than the path of a page may lead is left out, which also
    /// bounds the recursion.
    fn compare(
        &mut self,
        prefix: &[u8],
        before: Option<ObjectId>,
        after: Option<ObjectId>,
    ) -> Result<(), Error> {
        if before == after {
            return Ok(());
        }
        if is_too_deep(prefix) {
            self.changes.is_cut = true;
            return Ok(());
        }
        if !self.has_room() {
            return Ok(());
        }
        let (before, after) = (self.entries(before)?, self.entries(after)?);
        let (mut before, mut after) = (before.into_iter().peekable(), after.into_iter().peekable());
        loop {
            let order = match (before.peek(), after.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => {
                    gix_object::tree::name_order(&a.name, a.is_tree(), &b.name, b.is_tree())
                }
            };
            let old = if order.is_le() { before.next() } else { None };
            let new = if order.is_ge() { after.next() } else { None };
            self.entry(prefix, old, new)?;
            if self.is_full {
                return Ok(());
            }
        }
    }

    /// Two entries of one name and kind, or one that is only on one side.
    fn entry(&mut self, prefix: &[u8], old: Option<Entry>, new: Option<Entry>) -> Result<(), Error> {
        if old == new {
            return Ok(());
        }
        let name = &old.as_ref().or(new.as_ref()).expect("one side is there").name;
        let path: BString =
            if prefix.is_empty() { name.clone() } else { bstr::join("/", [prefix, name]).into() };
        let (old_tree, old_file) = split_by_kind(old);
        let (new_tree, new_file) = split_by_kind(new);
        if old_file.is_some() || new_file.is_some() {
            if !self.has_room() {
                return Ok(());
            }
            let with_path = |entry: Entry| Side { name: path.clone(), ..entry };
            self.changes.files.push(Change {
                before: old_file.map(with_path),
                after: new_file.map(with_path),
                similarity: None,
                is_copy: false,
            });
        }
        self.compare(&path, old_tree, new_tree)
    }
}

/// Whether all files in a directory have longer paths than an address may have.
fn is_too_deep(directory: &[u8]) -> bool {
    let slashes = directory.iter().filter(|byte| **byte == b'/').count();
    directory.len() >= PATH_BYTES_MAX || slashes + 1 >= PATH_SEGMENTS_MAX
}

/// The id of a tree, or a file.
fn split_by_kind(entry: Option<Entry>) -> (Option<ObjectId>, Option<Entry>) {
    match entry {
        Some(entry) if entry.is_tree() => (Some(entry.id), None),
        file => (None, file),
    }
}
