//! Where changed lines begin and end that could as well be taken for changed some lines above or below.
//!
//! As with `--indent-heuristic` of git-diff(1), the default: changed lines are moved to face others that
//! changed on the other side, else to where their indentation makes a good beginning and a good end.

use super::shortest;
use imara_diff::Token;
use std::ops::Range;

/// How far up lines are moved for their indentation.
const SLIDING_MAX: usize = 100;

/// How many blank lines are looked at.
const BLANKS_MAX: i32 = 20;

/// How much indentation is told apart.
const INDENT_MAX: i32 = 200;

const TAB_WIDTH: i32 = 8;

/// A version that is compared.
pub struct Side<'a> {
    lines: Vec<&'a [u8]>,
    /// Lines of the same token are the same.
    tokens: Vec<u32>,
    changed: Vec<bool>,
}

/// Which lines took the place of which, counted from 0; one of the two ranges may be empty.
pub fn changes(mut before: Side<'_>, mut after: Side<'_>) -> Vec<(Range<u32>, Range<u32>)> {
    (before.changed, after.changed) = shortest::changed(&before.tokens, &after.tokens);
    before.slide(&after.changed);
    after.slide(&before.changed);
    ranges(&before.changed, &after.changed)
}

fn ranges(removed: &[bool], added: &[bool]) -> Vec<(Range<u32>, Range<u32>)> {
    let changed = |lines: &[bool], start: usize| {
        let count = lines[start..].iter().take_while(|changed| **changed).count();
        start as u32..(start + count) as u32
    };
    let mut ranges = Vec::new();
    let (mut before, mut after) = (0, 0);
    loop {
        let pairs = removed[before..].iter().zip(&added[after..]);
        let unchanged = pairs.take_while(|(removed, added)| !**removed && !**added).count();
        let pair = (changed(removed, before + unchanged), changed(added, after + unchanged));
        if pair.0.is_empty() && pair.1.is_empty() {
            return ranges;
        }
        (before, after) = (pair.0.end as usize, pair.1.end as usize);
        ranges.push(pair);
    }
}

impl<'a> Side<'a> {
    /// A version of which nothing is known to have changed.
    pub fn new(lines: Vec<&'a [u8]>, tokens: &[Token]) -> Self {
        Self { lines, tokens: tokens.iter().map(|token| token.0).collect(), changed: Vec::new() }
    }

    /// Moves the changed lines of this side.
    fn slide(&mut self, other: &[bool]) {
        let mut group = Group::first(&self.changed);
        let mut facing = Group::first(other);
        loop {
            if !group.is_empty() {
                self.place(&mut group, &mut facing, other);
            }
            if !group.next(&self.changed) {
                break;
            }
            facing.next(other);
        }
    }

    /// Moves one group, with the other side's that faces it.
    fn place(&mut self, group: &mut Group, facing: &mut Group, other: &[bool]) {
        // Groups that meet become one, which may move further than each.
        let (end_min, may_face) = loop {
            let len = group.len();
            while self.up(group) {
                facing.previous(other);
            }
            let end_min = group.end;
            let mut may_face = !facing.is_empty();
            while self.down(group) {
                facing.next(other);
                may_face |= !facing.is_empty();
            }
            if group.len() == len {
                break (end_min, may_face);
            }
        };
        if group.end == end_min {
            return;
        }
        let end = if may_face { end_min } else { self.best_end(group, end_min) };
        while group.end > end && (!may_face || facing.is_empty()) && self.up(group) {
            facing.previous(other);
        }
    }

    fn up(&mut self, group: &mut Group) -> bool {
        if group.start == 0 || self.tokens[group.start - 1] != self.tokens[group.end - 1] {
            return false;
        }
        self.changed[group.start - 1] = true;
        self.changed[group.end - 1] = false;
        group.end -= 1;
        group.start = run_start(&self.changed, group.start - 1);
        true
    }

    fn down(&mut self, group: &mut Group) -> bool {
        if group.end == self.tokens.len() || self.tokens[group.start] != self.tokens[group.end] {
            return false;
        }
        self.changed[group.start] = false;
        self.changed[group.end] = true;
        group.start += 1;
        group.end = run_end(&self.changed, group.end + 1);
        true
    }

    /// Where the indentation is best, the last of several; the group is as far down as it can be.
    fn best_end(&self, group: &Group, end_min: usize) -> usize {
        let len = group.len();
        let first = end_min.max(group.start.saturating_sub(1)).max(group.end.saturating_sub(SLIDING_MAX));
        let mut best = (first, self.score(first - len, first));
        for end in first + 1..=group.end {
            let score = self.score(end - len, end);
            if !best.1.is_better_than(&score) {
                best = (end, score);
            }
        }
        best.0
    }

    /// How well lines stand for themselves.
    fn score(&self, start: usize, end: usize) -> Score {
        let (start, end) = (self.score_at(start), self.score_at(end));
        Score { indent: start.indent + end.indent, badness: start.badness + end.badness }
    }

    /// How good it is to part the file before a line. The weights are those that Git has.
    fn score_at(&self, line: usize) -> Score {
        let here = self.lines.get(line).and_then(|line| indent(line));
        let (blanks_above, above) = first_indent(self.lines[..line].iter().rev());
        let (blanks_below, below) = first_indent(self.lines.iter().skip(line + 1));
        let blanks_from_here = if here.is_none() { 1 + blanks_below } else { 0 };
        let blanks = blanks_above + blanks_from_here;
        let mut badness = 6 * blanks_from_here - 30 * blanks;
        if above.is_none() && blanks_above == 0 {
            badness += 1;
        }
        if line >= self.lines.len() {
            badness += 21;
        }
        let indent = here.or(below);
        if let (Some(indent), Some(above)) = (indent, above)
            && indent != above
        {
            badness += match (indent > above, below > Some(indent), blanks > 0) {
                (true, _, false) => -4,
                (true, _, true) => 10,
                (false, true, false) => 24,
                (false, false, false) => 23,
                (false, _, true) => 17,
            };
        }
        Score { indent: indent.unwrap_or(-1), badness }
    }
}

/// Changed lines next to one another; none between two unchanged ones.
struct Group {
    start: usize,
    end: usize,
}

impl Group {
    fn first(changed: &[bool]) -> Self {
        Self { start: 0, end: run_end(changed, 0) }
    }

    fn len(&self) -> usize {
        self.end - self.start
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn next(&mut self, changed: &[bool]) -> bool {
        if self.end == changed.len() {
            return false;
        }
        self.start = self.end + 1;
        self.end = run_end(changed, self.start);
        true
    }

    fn previous(&mut self, changed: &[bool]) {
        debug_assert!(self.start > 0, "as many lines are unchanged on one side as on the other");
        self.end = self.start - 1;
        self.start = run_start(changed, self.end);
    }
}

fn run_end(changed: &[bool], start: usize) -> usize {
    start + changed[start..].iter().take_while(|changed| **changed).count()
}

fn run_start(changed: &[bool], end: usize) -> usize {
    end - changed[..end].iter().rev().take_while(|changed| **changed).count()
}

struct Score {
    indent: i32,
    badness: i32,
}

impl Score {
    fn is_better_than(&self, other: &Self) -> bool {
        60 * (self.indent - other.indent).signum() + self.badness < other.badness
    }
}

/// How far a line is indented; none if it is blank.
fn indent(line: &[u8]) -> Option<i32> {
    let mut indent = 0;
    for byte in line {
        match byte {
            b' ' => indent += 1,
            b'\t' => indent += TAB_WIDTH - indent % TAB_WIDTH,
            b'\n' | b'\r' => {}
            _ => return Some(indent),
        }
        if indent >= INDENT_MAX {
            return Some(INDENT_MAX);
        }
    }
    None
}

/// How many lines are blank before the first that is not, and that line's indentation.
fn first_indent<'a>(lines: impl Iterator<Item = &'a &'a [u8]>) -> (i32, Option<i32>) {
    let mut blanks = 0;
    for line in lines {
        if let Some(indent) = indent(line) {
            return (blanks, Some(indent));
        }
        blanks += 1;
        if blanks == BLANKS_MAX {
            return (blanks, Some(0));
        }
    }
    (blanks, None)
}
