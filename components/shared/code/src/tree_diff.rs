//! Which entries differ between two trees.

use crate::repository::{Entry, Error, Repository};
use bstr::BString;
use gix_hash::ObjectId;
use std::cmp::Ordering;
use std::ops::ControlFlow;

/// How much is compared at the most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many trees are read.
    pub trees: usize,
    /// The longest path of a directory that is looked into, in bytes.
    pub path_bytes: usize,
    /// The deepest path that is looked at, in segments. It bounds the recursion.
    pub path_segments: usize,
}

/// What came of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    pub trees_read: usize,
    /// Whether something was left out, be it past a limit or because whoever was told wanted no more.
    pub is_cut: bool,
}

/// What stands at a path before and after, directories left out. Never both none.
pub struct Difference {
    pub path: BString,
    pub before: Option<Entry>,
    pub after: Option<Entry>,
}

/// Compares two trees, none being the empty one, and tells of each path at which something other than a directory
/// differs, in Git's order, until it is told to stop.
pub fn compare(
    repository: Repository<'_>,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
    limits: Limits,
    tell: &mut dyn FnMut(Difference) -> ControlFlow<()>,
) -> Result<Compared, Error> {
    let mut comparison = Comparison { repository, limits, tell, compared: Compared::default() };
    // What ended it is said by `is_cut`.
    let _ = comparison.directory(b"", before, after)?;
    Ok(comparison.compared)
}

struct Comparison<'a> {
    repository: Repository<'a>,
    limits: Limits,
    tell: &'a mut dyn FnMut(Difference) -> ControlFlow<()>,
    compared: Compared,
}

impl Comparison<'_> {
    fn entries(&mut self, tree_id: Option<ObjectId>) -> Result<Vec<Entry>, Error> {
        self.compared.trees_read += 1;
        tree_id.map_or_else(|| Ok(Vec::new()), |id| self.repository.tree(&id))
    }

    /// Whether all files in a directory have longer paths than are looked at.
    fn is_too_deep(&self, directory: &[u8]) -> bool {
        let slashes = directory.iter().filter(|byte| **byte == b'/').count();
        directory.len() >= self.limits.path_bytes || slashes + 1 >= self.limits.path_segments
    }

    fn directory(
        &mut self,
        path: &[u8],
        before: Option<ObjectId>,
        after: Option<ObjectId>,
    ) -> Result<ControlFlow<()>, Error> {
        if before == after {
            return Ok(ControlFlow::Continue(()));
        }
        if self.is_too_deep(path) {
            self.compared.is_cut = true;
            return Ok(ControlFlow::Continue(()));
        }
        if self.compared.trees_read >= self.limits.trees {
            self.compared.is_cut = true;
            return Ok(ControlFlow::Break(()));
        }
        let (before, after) = (self.entries(before)?, self.entries(after)?);
        let (mut before, mut after) = (before.into_iter().peekable(), after.into_iter().peekable());
        loop {
            let order = match (before.peek(), after.peek()) {
                (None, None) => return Ok(ControlFlow::Continue(())),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => {
                    gix_object::tree::name_order(&a.name, a.is_tree(), &b.name, b.is_tree())
                }
            };
            let old = if order.is_le() { before.next() } else { None };
            let new = if order.is_ge() { after.next() } else { None };
            if self.entry(path, old, new)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }

    /// Two entries of one name and kind, or one that is only on one side.
    fn entry(
        &mut self,
        directory: &[u8],
        old: Option<Entry>,
        new: Option<Entry>,
    ) -> Result<ControlFlow<()>, Error> {
        if old == new {
            return Ok(ControlFlow::Continue(()));
        }
        let name = &old.as_ref().or(new.as_ref()).expect("one side is there").name;
        let path: BString =
            if directory.is_empty() { name.clone() } else { bstr::join("/", [directory, name]).into() };
        let (old_tree, before) = split_by_kind(old);
        let (new_tree, after) = split_by_kind(new);
        if before.is_some() || after.is_some() {
            let told = (self.tell)(Difference { path: path.clone(), before, after });
            if told.is_break() {
                self.compared.is_cut = true;
                return Ok(told);
            }
        }
        self.directory(&path, old_tree, new_tree)
    }
}

/// The id of a tree, or what else stands there.
fn split_by_kind(entry: Option<Entry>) -> (Option<ObjectId>, Option<Entry>) {
    match entry {
        Some(entry) if entry.is_tree() => (Some(entry.id), None),
        other => (None, other),
    }
}
