//! What differs between two trees, and between two files: changed paths with renames, and hunks of lines.

use crate::limits::{DIFF_FILES_MAX, DIFF_TREES_MAX};
use bstr::{BString, ByteSlice as _};
use gix_hash::ObjectId;
use imara_diff::{Algorithm, Diff, InternedInput};
use lithe_code::repository::{Entry, Error, Repository};
use std::cmp::Ordering;
use std::collections::HashMap;

/// How many unchanged lines a hunk shows before and after a change, as in Git.
const CONTEXT_LINES: u32 = 3;

/// A file that differs between two trees. Never both none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub before: Option<Side>,
    pub after: Option<Side>,
}

/// One side of a changed file; `entry.name` is the whole path.
pub type Side = Entry;

impl Change {
    /// What to call the file: its path after the change, or before it if it was deleted.
    pub fn path(&self) -> &BString {
        let side = self.after.as_ref().or(self.before.as_ref());
        &side.expect("one side is there").name
    }

    /// Whether the file was moved.
    pub fn is_rename(&self) -> bool {
        matches!((&self.before, &self.after), (Some(before), Some(after)) if before.name != after.name)
    }
}

/// The files that differ between two trees, by path.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub files: Vec<Change>,
    /// Whether a limit cut the list.
    pub is_cut: bool,
}

/// Compares two trees; none is the empty tree. A file that was deleted and one of the same contents
/// that was added are one, renamed.
pub fn trees(
    repository: Repository<'_>,
    before: Option<ObjectId>,
    after: ObjectId,
) -> Result<Changes, Error> {
    let mut walk = Walk { repository, changes: Changes::default(), trees_read: 0 };
    let before = before.unwrap_or_else(|| ObjectId::empty_tree(after.kind()));
    walk.compare(b"", Some(before), Some(after))?;
    let mut changes = walk.changes;
    detect_renames(&mut changes.files);
    changes.files.sort_by(|a, b| a.path().cmp(b.path()));
    Ok(changes)
}

struct Walk<'a> {
    repository: Repository<'a>,
    changes: Changes,
    trees_read: usize,
}

impl Walk<'_> {
    fn entries(&mut self, tree_id: Option<ObjectId>) -> Result<Vec<Entry>, Error> {
        self.trees_read += 1;
        tree_id.map_or_else(|| Ok(Vec::new()), |id| self.repository.tree(&id))
    }

    /// Whether there is room for another file or tree. Past it, the list is cut.
    fn has_room(&mut self) -> bool {
        let has_room = self.changes.files.len() < DIFF_FILES_MAX && self.trees_read < DIFF_TREES_MAX;
        self.changes.is_cut |= !has_room;
        has_room
    }

    /// Recursion is as deep as paths are; Git's own clients cannot make them deeper than a path is long.
    fn compare(
        &mut self,
        prefix: &[u8],
        before: Option<ObjectId>,
        after: Option<ObjectId>,
    ) -> Result<(), Error> {
        if before == after || prefix.len() > crate::limits::PATH_BYTES_MAX || !self.has_room() {
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
            if self.changes.is_cut {
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
            self.changes
                .files
                .push(Change { before: old_file.map(with_path), after: new_file.map(with_path) });
        }
        self.compare(&path, old_tree, new_tree)
    }
}

/// The id of a tree, or a file.
fn split_by_kind(entry: Option<Entry>) -> (Option<ObjectId>, Option<Entry>) {
    match entry {
        Some(entry) if entry.is_tree() => (Some(entry.id), None),
        file => (None, file),
    }
}

/// Joins each deleted file with an added one of the same contents and kind.
fn detect_renames(files: &mut Vec<Change>) {
    let mut deleted: HashMap<ObjectId, Vec<usize>> = HashMap::new();
    for (index, change) in files.iter().enumerate().rev() {
        if let (Some(before), None) = (&change.before, &change.after) {
            deleted.entry(before.id).or_default().push(index);
        }
    }
    let mut joined = vec![false; files.len()];
    for index in 0..files.len() {
        let (None, Some(after)) = (&files[index].before, &files[index].after) else { continue };
        let Some(from) = deleted.get_mut(&after.id).and_then(Vec::pop) else { continue };
        files[index].before = files[from].before.take();
        joined[from] = true;
    }
    let mut joined = joined.iter();
    files.retain(|_| !joined.next().expect("one for each file"));
}

/// A run of changed lines with the lines around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// The first line on each side, counted from 1; where a side has no line, the one before it.
    pub before_start: u32,
    pub before_lines: u32,
    pub after_start: u32,
    pub after_lines: u32,
    pub lines: Vec<Line>,
}

impl Hunk {
    /// `@@ -1,5 +1,6 @@`; a count of 1 is left out, as Git does.
    pub fn header(&self) -> String {
        let range = |start: u32, lines: u32| match lines {
            1 => start.to_string(),
            _ => format!("{start},{lines}"),
        };
        let before = range(self.before_start, self.before_lines);
        let after = range(self.after_start, self.after_lines);
        format!("@@ -{before} +{after} @@")
    }
}

/// A line of a hunk, by its number from 0 on the side or sides where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    Context { before: u32, after: u32 },
    Removed { before: u32 },
    Added { after: u32 },
}

/// How two files differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff {
    pub hunks: Vec<Hunk>,
    pub added: u32,
    pub removed: u32,
}

/// A file's lines, each with its end; an end is part of what is compared.
pub fn split_lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.lines_with_terminator().collect()
}

/// Compares two files by lines (histogram diff, with Git's heuristics for where a hunk begins).
pub fn files(before: &[&[u8]], after: &[&[u8]]) -> FileDiff {
    let mut input = InternedInput::default();
    input.update_before(before.iter().copied());
    input.update_after(after.iter().copied());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let changes: Vec<imara_diff::Hunk> = diff.hunks().collect();
    let (before_len, after_len) = (input.before.len() as u32, input.after.len() as u32);
    let mut hunks = Vec::new();
    let mut rest = changes.as_slice();
    while !rest.is_empty() {
        // Changes share a hunk if the lines between them are all context of one or the other.
        let together =
            rest.windows(2).take_while(|pair| pair[1].before.start - pair[0].before.end <= 2 * CONTEXT_LINES);
        let (hunk, after_hunk) = rest.split_at(together.count() + 1);
        hunks.push(with_context(hunk, before_len, after_len));
        rest = after_hunk;
    }
    FileDiff { hunks, added: diff.count_additions(), removed: diff.count_removals() }
}

fn with_context(changes: &[imara_diff::Hunk], before_len: u32, after_len: u32) -> Hunk {
    let (first, last) = (&changes[0], &changes[changes.len() - 1]);
    let lead = CONTEXT_LINES.min(first.before.start);
    let trail = CONTEXT_LINES.min(before_len - last.before.end);
    debug_assert_eq!(
        trail,
        CONTEXT_LINES.min(after_len - last.after.end),
        "what follows the last change is alike"
    );
    let (mut before, mut after) = (first.before.start - lead, first.after.start - lead);
    let (before_start, after_start) = (before, after);
    let mut lines = Vec::new();
    let context_to = |end: u32, before: &mut u32, after: &mut u32, lines: &mut Vec<Line>| {
        while *before < end {
            lines.push(Line::Context { before: *before, after: *after });
            *before += 1;
            *after += 1;
        }
    };
    for change in changes {
        context_to(change.before.start, &mut before, &mut after, &mut lines);
        lines.extend(change.before.clone().map(|before| Line::Removed { before }));
        lines.extend(change.after.clone().map(|after| Line::Added { after }));
        (before, after) = (change.before.end, change.after.end);
    }
    context_to(last.before.end + trail, &mut before, &mut after, &mut lines);
    let (before_lines, after_lines) = (before - before_start, after - after_start);
    Hunk {
        before_start: before_start + u32::from(before_lines > 0),
        before_lines,
        after_start: after_start + u32::from(after_lines > 0),
        after_lines,
        lines,
    }
}
