//! Which files differ between two trees.

use super::renames;
use crate::limits::{DIFF_FILES_MAX, DIFF_TREES_MAX, PATH_BYTES_MAX, PATH_SEGMENTS_MAX};
use bstr::BString;
use gix_hash::ObjectId;
use lithe_code::repository::{Entry, Error, Repository};
use lithe_code::tree_diff::{self, Difference, Limits};
use std::ops::ControlFlow;

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

/// The most of two trees that is compared. Deeper than the path of a page may lead, nothing is looked at.
const LIMITS: Limits =
    Limits { trees: DIFF_TREES_MAX, path_bytes: PATH_BYTES_MAX, path_segments: PATH_SEGMENTS_MAX };

/// Compares two trees; none is the empty tree. A file that was deleted and a similar one that was added
/// are one, renamed; one that was added and is similar to one that was changed, if those count, is a copy.
pub fn trees(
    repository: Repository<'_>,
    before: Option<ObjectId>,
    after: ObjectId,
    origins: Origins,
) -> Result<Changes, Error> {
    let before = before.unwrap_or_else(|| ObjectId::empty_tree(after.kind()));
    let mut files = Vec::new();
    let compared = tree_diff::compare(repository, Some(before), Some(after), LIMITS, &mut |difference| {
        if files.len() == DIFF_FILES_MAX {
            return ControlFlow::Break(());
        }
        files.push(change(difference));
        ControlFlow::Continue(())
    })?;
    renames::detect(repository, &mut files, origins)?;
    files.sort_by(|a, b| a.path().cmp(b.path()));
    Ok(Changes { files, is_cut: compared.is_cut })
}

fn change(Difference { path, before, after }: Difference) -> Change {
    let with_path = |entry: Option<Entry>| entry.map(|entry| Side { name: path.clone(), ..entry });
    Change { before: with_path(before), after: with_path(after), similarity: None, is_copy: false }
}
