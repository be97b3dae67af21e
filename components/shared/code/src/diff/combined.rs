//! How a merge's file differs from all of its parents at once (git-diff-tree(1), `--cc`): only what was taken as it
//! is from none of them, which is what somebody decided, or did besides.
//!
//! Each line of the result remembers which parents do not have it, and which lines of theirs were lost before it.
//! Runs of such lines are shown only if the result is there neither what one parent has, nor what all but one have
//! in common.

use super::lines::{Options, files, function_of};

/// The most parents that are compared at once.
pub const PARENTS_MAX: usize = 16;

/// The most pairs of lost lines that are looked at, to bring together those that several parents have lost.
const LOST_PAIRS_MAX: usize = 4_000_000;

/// The most bytes of a line that a hunk's head shows, as in Git.
const FUNCTION_BYTES_MAX: usize = 40;

/// Some of the parents, a bit each.
pub type Parents = u32;

/// Changed lines with the lines around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk<'a> {
    /// For each parent, the number of its first line, counted from 1, and how many there are.
    pub before: Vec<(u32, u32)>,
    /// The same of the result.
    pub after: (u32, u32),
    /// The line that tells in which function the hunk is; empty: none.
    pub function: &'a [u8],
    pub lines: Vec<Line<'a>>,
}

/// A line of a hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// It is in the result, under that number from 0, and not in these parents.
    Kept { after: u32, text: &'a [u8], new_for: Parents },
    /// It is in these parents, and not in the result.
    Lost { text: &'a [u8], by: Parents },
}

impl Hunk<'_> {
    /// `@@@ -1,5 -1,4 +1,6 @@@`.
    pub fn header(&self) -> String {
        let ends = "@".repeat(self.before.len() + 1);
        let before: String = self.before.iter().map(|(start, lines)| format!(" -{start},{lines}")).collect();
        format!("{ends}{before} +{},{} {ends}", self.after.0, self.after.1)
    }
}

/// What differs between the lines of a result and those of all its parents. None if more lines were lost than can
/// be brought together.
///
/// There are up to [`PARENTS_MAX`] parents.
pub fn hunks<'a>(parents: &[Vec<&'a [u8]>], result: &[&'a [u8]], options: Options) -> Option<Vec<Hunk<'a>>> {
    debug_assert!(parents.len() <= PARENTS_MAX, "a bit for each parent");
    let mut comparison = Comparison {
        result,
        options,
        all: (1 << parents.len()) - 1,
        slots: vec![Slot::default(); result.len() + 1],
        first_lines: Vec::new(),
        pairs_left: LOST_PAIRS_MAX,
    };
    for (parent, lines) in parents.iter().enumerate() {
        comparison.add(parent, lines)?;
    }
    comparison.leave_out_what_was_taken();
    comparison.add_context();
    Some(comparison.shown())
}

/// A line of the result, or its end, and what was lost before it.
#[derive(Debug, Clone, Default)]
struct Slot<'a> {
    /// The parents that do not have the line.
    new_for: Parents,
    lost: Vec<(&'a [u8], Parents)>,
    is_shown: bool,
    /// Whether it is there as context of what follows, and what was lost before it is not shown.
    begins_context: bool,
}

impl Slot<'_> {
    fn is_changed(&self) -> bool {
        self.new_for != 0 || !self.lost.is_empty()
    }
}

struct Comparison<'a, 'r> {
    result: &'r [&'a [u8]],
    options: Options,
    /// All of the parents.
    all: Parents,
    slots: Vec<Slot<'a>>,
    /// For each parent, and each slot and their end: the number of the parent's line there, from 1.
    first_lines: Vec<Vec<u32>>,
    pairs_left: usize,
}

impl<'a> Comparison<'a, '_> {
    /// Compares the result with a parent. None: too much was lost.
    fn add(&mut self, parent: usize, lines: &[&'a [u8]]) -> Option<()> {
        let bit: Parents = 1 << parent;
        for hunk in files(lines, self.result, Options { context: 0, ..self.options }).hunks {
            let (from, at) = (hunk.before_first() as usize, hunk.after_first() as usize);
            let lost = &lines[from..from + hunk.before_lines as usize];
            self.lose(at, lost, bit)?;
            for slot in &mut self.slots[at..at + hunk.after_lines as usize] {
                slot.new_for |= bit;
            }
        }
        let mut number = 1;
        let mut first_lines = Vec::with_capacity(self.slots.len() + 1);
        for (index, slot) in self.slots.iter().enumerate() {
            first_lines.push(number);
            number += slot.lost.iter().filter(|(_, by)| by & bit != 0).count() as u32;
            number += u32::from(index < self.result.len() && slot.new_for & bit == 0);
        }
        first_lines.push(number);
        self.first_lines.push(first_lines);
        Some(())
    }

    /// Adds lines that a parent has lost before a slot. Those that others lost there too are the same lines, as
    /// many as there can be in the order of both.
    fn lose(&mut self, at: usize, lost: &[&'a [u8]], bit: Parents) -> Option<()> {
        let known = std::mem::take(&mut self.slots[at].lost);
        let (rows, columns) = (known.len(), lost.len());
        self.pairs_left = self.pairs_left.checked_sub(rows * columns)?;
        let width = columns + 1;
        // How many lines are common to the first so many of both.
        let mut common = vec![0_u32; (rows + 1) * width];
        let mut is_same = vec![false; (rows + 1) * width];
        for row in 1..=rows {
            for column in 1..=columns {
                let cell = row * width + column;
                let (above, left) = (common[cell - width], common[cell - 1]);
                is_same[cell] = self.are_same(known[row - 1].0, lost[column - 1]);
                common[cell] = if is_same[cell] { common[cell - width - 1] + 1 } else { left.max(above) };
            }
        }
        let mut merged = Vec::with_capacity(rows.max(columns));
        let (mut row, mut column) = (rows, columns);
        while row > 0 || column > 0 {
            let cell = row * width + column;
            if row > 0 && column > 0 && is_same[cell] {
                merged.push((known[row - 1].0, known[row - 1].1 | bit));
                (row, column) = (row - 1, column - 1);
            } else if row == 0 || (column > 0 && common[cell - 1] >= common[cell - width]) {
                merged.push((without_end(lost[column - 1]), bit));
                column -= 1;
            } else {
                merged.push(known[row - 1]);
                row -= 1;
            }
        }
        merged.reverse();
        self.slots[at].lost = merged;
        Some(())
    }

    fn are_same(&self, known: &[u8], lost: &[u8]) -> bool {
        let lost = without_end(lost);
        match self.options.ignores_white_space {
            true => words(known).eq(words(lost)),
            false => known == lost,
        }
    }

    /// Marks what is changed, but for runs where the result was taken from some of the parents: those where all
    /// that is changed is so for the same parents, and not for all.
    fn leave_out_what_was_taken(&mut self) {
        for slot in &mut self.slots {
            slot.is_shown = slot.is_changed();
        }
        let mut at = 0;
        while let Some(begin) = self.next(at, true) {
            let end = self.run_end(begin);
            let run = &mut self.slots[begin..end];
            let mut sides = run.iter().flat_map(|slot| {
                let lost = slot.lost.iter().map(|(_, by)| *by);
                std::iter::once(slot.new_for).filter(|parents| *parents != 0).chain(lost)
            });
            let first = sides.next().unwrap_or(self.all);
            if first != self.all && sides.all(|side| side == first) {
                run.iter_mut().for_each(|slot| slot.is_shown = false);
            }
            at = end;
        }
    }

    /// The end of the run that begins there: gaps that context would fill are part of it.
    fn run_end(&self, begin: usize) -> usize {
        let mut end = begin + 1;
        while end < self.slots.len() {
            if !self.slots[end].is_shown {
                let reach = self.with_context(self.trail(begin, end));
                match (end..reach).rev().find(|at| self.slots[*at].is_shown) {
                    Some(last) => end = last,
                    None => break,
                }
            }
            end += 1;
        }
        end
    }

    /// Where the context after a run begins: a line that is there only because others were lost before it is
    /// context itself.
    fn trail(&self, begin: usize, end: usize) -> usize {
        if end > begin && self.slots[end - 1].new_for == 0 { end - 1 } else { end }
    }

    fn with_context(&self, from: usize) -> usize {
        from.saturating_add(self.options.context as usize).min(self.slots.len())
    }

    fn next(&self, from: usize, is_shown: bool) -> Option<usize> {
        (from..self.slots.len()).find(|at| self.slots[*at].is_shown == is_shown)
    }

    /// Shows lines before and after what is changed, and small gaps.
    fn add_context(&mut self) {
        let context = self.options.context as usize;
        let Some(mut begin) = self.next(0, true) else { return };
        loop {
            for slot in &mut self.slots[begin.saturating_sub(context)..begin] {
                slot.begins_context |= !slot.is_shown;
                slot.is_shown = true;
            }
            let following = loop {
                let Some(end) = self.next(begin, false) else { return };
                let following = self.next(end, true);
                let trail = self.trail(begin, end);
                let next = following.unwrap_or(self.slots.len());
                if following.is_none() || next >= trail + context {
                    let reach = self.with_context(trail);
                    self.slots[trail..reach].iter_mut().for_each(|slot| slot.is_shown = true);
                    break following;
                }
                self.slots[trail..next].iter_mut().for_each(|slot| slot.is_shown = true);
                begin = next;
            };
            match following {
                Some(next) => begin = next,
                None => return,
            }
        }
    }

    fn shown(&self) -> Vec<Hunk<'a>> {
        let mut hunks = Vec::new();
        let mut at = 0;
        while let Some(begin) = self.next(at, true) {
            let end = self.next(begin, false).unwrap_or(self.slots.len());
            let function = function_of(&self.result[at.min(self.result.len())..begin], FUNCTION_BYTES_MAX);
            let before = self.first_lines.iter().map(|lines| (lines[begin], lines[end] - lines[begin]));
            let after_lines = end.min(self.result.len()) - begin;
            hunks.push(Hunk {
                before: before.collect(),
                after: (begin as u32 + 1, after_lines as u32),
                function,
                lines: (begin..end).flat_map(|slot| self.lines(slot)).collect(),
            });
            at = end;
        }
        hunks
    }

    /// What was lost before a line, and the line.
    fn lines(&self, index: usize) -> Vec<Line<'a>> {
        let slot = &self.slots[index];
        let lost = slot.lost.iter().filter(|_| !slot.begins_context);
        let lost = lost.map(|(text, by)| Line::Lost { text, by: *by });
        let kept = self.result.get(index).map(|line| Line::Kept {
            after: index as u32,
            text: without_end(line),
            new_for: slot.new_for,
        });
        lost.chain(kept).collect()
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

fn words(line: &[u8]) -> impl Iterator<Item = &u8> {
    line.iter().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))
}
