//! The colours of changed lines: each side of a file is highlighted from its beginning, as what a line is follows from
//! those before it, up to the last line of that side that is shown.
//!
//! That takes a hundred times as long as to compare the two. So only little is highlighted at once, and more where
//! that is asked for: by a script, once the page is there. What is asked for is kept, and then there at once for
//! everybody. Files that no room is left for are plain.

use super::lines::Line;
use super::trees::{Change, Side};
use super::view::{View, decoded};
use crate::highlight::{self, Extent, Lines, Run};
use crate::limits::{DIFF_COLOURED_AT_ONCE_BYTES_MAX, DIFF_COLOURED_BYTES_MAX};
use bstr::ByteSlice as _;
use gix_object::tree::EntryKind;
use lithe_code::languages::{self, Kind};
use lithe_code::marks::Marks;
use lithe_code::text::{self, Legacy};
use std::collections::HashSet;

/// What may still be highlighted for a page.
#[derive(Debug)]
pub(super) struct Colours {
    /// Whether nothing is to take long.
    is_quick: bool,
    bytes: usize,
    /// The endings, or names without one, of files that were in no language that the highlighter knows.
    plain: HashSet<String>,
    /// Whether a file is plain that has a language, for want of room.
    pub(super) is_short: bool,
}

/// The colours of a file's lines; none on a side that is plain.
#[derive(Debug, Default)]
pub(super) struct FileColours {
    before: Option<Lines>,
    after: Option<Lines>,
}

impl FileColours {
    /// Those of the line of that number on the side before the change, counted from 0.
    pub(super) fn before(&self, line: u32) -> &[Run] {
        self.before.as_ref().map_or(&[], |lines| lines.of(line as usize))
    }

    /// As [`Self::before`], after the change.
    pub(super) fn after(&self, line: u32) -> &[Run] {
        self.after.as_ref().map_or(&[], |lines| lines.of(line as usize))
    }
}

impl Colours {
    pub(super) fn of(view: View) -> Self {
        let is_quick = !view.is_coloured && !view.is_part;
        let bytes = if is_quick { DIFF_COLOURED_AT_ONCE_BYTES_MAX } else { DIFF_COLOURED_BYTES_MAX };
        Self { is_quick, bytes, plain: HashSet::new(), is_short: false }
    }

    /// Highlights what is shown of a changed file: both sides, or neither.
    pub(super) fn of_file<'a>(
        &mut self,
        change: &Change,
        marks: &Marks,
        (before, after, legacy): (&[&[u8]], &[&[u8]], Legacy),
        shown: impl Iterator<Item = &'a Line>,
    ) -> FileColours {
        let (mut before_count, mut after_count) = (0, 0);
        for line in shown {
            match *line {
                Line::Removed { before } => before_count = before_count.max(before as usize + 1),
                Line::Added { after } | Line::Context { after, .. } => {
                    after_count = after_count.max(after as usize + 1);
                }
            }
        }
        let (before, after) = (&before[..before_count], &after[..after_count]);
        let bytes: usize = before.iter().chain(after).map(|line| line.len()).sum();
        // What a tool wrote is folded.
        if marks.is_generated {
            return FileColours::default();
        }
        let language = marks.language.filter(|language| language.name != languages::PLAIN);
        // The grammar of Markdown has those of many languages in it: a line takes as long as a large file.
        let is_slow = self.is_quick && language.is_some_and(|language| language.kind == Kind::Prose);
        if bytes > self.bytes || is_slow {
            self.is_short |= language.is_some();
            return FileColours::default();
        }
        let before = self.side(change.before.as_ref(), marks, (before, legacy));
        let after = self.side(change.after.as_ref(), marks, (after, legacy));
        FileColours { before, after }
    }

    fn side(
        &mut self,
        side: Option<&Side>,
        marks: &Marks,
        (lines, legacy): (&[&[u8]], Legacy),
    ) -> Option<Lines> {
        let is_file = |side: &&Side| matches!(side.mode.kind(), EntryKind::Blob | EntryKind::BlobExecutable);
        let side = side.filter(is_file).filter(|_| !lines.is_empty())?;
        let name = text::visible(side.name.rsplit_str("/").next().unwrap_or_default());
        let ending = name.rsplit_once('.').map_or(&*name, |(_, ending)| ending);
        if self.plain.contains(ending) {
            return None;
        }
        let text = text_of(lines, legacy)?;
        let language = marks.language.filter(|_| marks.is_language_said).map(|language| language.name);
        match highlight::lines(language, &name, &text) {
            Ok(Some(coloured)) => {
                self.bytes = self.bytes.saturating_sub(text.len());
                Some(coloured)
            }
            Ok(None) => {
                self.plain.insert(ending.to_owned());
                None
            }
            Err(Extent::All | Extent::Cut | Extent::Failed) => None,
        }
    }
}

/// The lines as they are shown, as one text; none if they are others then.
fn text_of(lines: &[&[u8]], legacy: Legacy) -> Option<String> {
    let mut text = String::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines {
        let line = decoded(line, legacy);
        if line.contains('\n') {
            return None;
        }
        text.push_str(&line);
        text.push('\n');
    }
    Some(text)
}
