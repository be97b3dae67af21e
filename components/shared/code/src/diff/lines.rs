//! How two files differ, by lines.

use super::sliding::{self, Side};
use imara_diff::{Algorithm, Diff, InternedInput, Token};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

/// How many unchanged lines Git shows before and after a change.
pub const CONTEXT_LINES: u32 = 3;

/// The most bytes of a line that a hunk's head shows, as in Git.
const FUNCTION_BYTES_MAX: usize = 80;

/// How files are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many unchanged lines a hunk shows before and after a change.
    pub context: u32,
    /// Whether lines that differ in white space alone are the same.
    pub ignores_white_space: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { context: CONTEXT_LINES, ignores_white_space: false }
    }
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

    /// The number of its first line before the change, from 0.
    pub fn before_first(&self) -> u32 {
        self.before_start - u32::from(self.before_lines > 0)
    }

    /// The number of its first line after the change, from 0.
    pub fn after_first(&self) -> u32 {
        self.after_start - u32::from(self.after_lines > 0)
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
    bstr::ByteSlice::lines_with_terminator(bytes).collect()
}

/// A line as it is compared.
#[derive(Clone, Copy, Default)]
struct Compared<'a> {
    line: &'a [u8],
    ignores_white_space: bool,
}

impl<'a> Compared<'a> {
    fn without_white_space(&self) -> impl Iterator<Item = u8> + 'a {
        self.line.iter().copied().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
    }
}

impl AsRef<[u8]> for Compared<'_> {
    fn as_ref(&self) -> &[u8] {
        self.line
    }
}

impl PartialEq for Compared<'_> {
    fn eq(&self, other: &Self) -> bool {
        match self.ignores_white_space {
            true => self.without_white_space().eq(other.without_white_space()),
            false => self.line == other.line,
        }
    }
}

impl Eq for Compared<'_> {}

impl Hash for Compared<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.ignores_white_space {
            true => self.without_white_space().for_each(|byte| state.write_u8(byte)),
            false => state.write(self.line),
        }
    }
}

/// The most lines on each side that may be found often, before another search is made for them.
const ALIKE_LINES_MAX: usize = 2_000;

/// A line that is found more often has no place in a histogram.
const FREQUENT_LINES_MIN: usize = 63;

/// Compares two files by lines (histogram diff, with Git's heuristics for where a hunk begins).
pub fn files(before: &[&[u8]], after: &[&[u8]], options: Options) -> FileDiff {
    let mut input = InternedInput::default();
    input.reserve(before.len() as u32, after.len() as u32);
    let ignores_white_space = options.ignores_white_space;
    input.update_before(before.iter().map(|line| Compared { line, ignores_white_space }));
    input.update_after(after.iter().map(|line| Compared { line, ignores_white_space }));
    let changes: Vec<imara_diff::Hunk> = match has_many_alike(&input) {
        true => {
            let (before, after) =
                (Side::new(before.to_vec(), &input.before), Side::new(after.to_vec(), &input.after));
            let changes = sliding::changes(before, after).into_iter();
            changes.map(|(before, after)| imara_diff::Hunk { before, after }).collect()
        }
        false => {
            let mut diff = Diff::compute(Algorithm::Histogram, &input);
            diff.postprocess_lines(&input);
            diff.hunks().collect()
        }
    };
    let (before_len, after_len) = (input.before.len() as u32, input.after.len() as u32);
    let mut hunks = Vec::new();
    let mut rest = changes.as_slice();
    while !rest.is_empty() {
        // Changes share a hunk if the lines between them are all context of one or the other.
        let together = rest.windows(2).take_while(|pair| {
            u64::from(pair[1].before.start - pair[0].before.end) <= 2 * u64::from(options.context)
        });
        let (hunk, after_hunk) = rest.split_at(together.count() + 1);
        hunks.push(with_context(hunk, before_len, after_len, options.context));
        rest = after_hunk;
    }
    FileDiff {
        hunks,
        added: changes.iter().map(|change| change.after.len() as u32).sum(),
        removed: changes.iter().map(|change| change.before.len() as u32).sum(),
    }
}

/// Whether so many of the lines between the common ends are found so often that the histogram has no use for them: by
/// what stands for it then, the time would grow with their square. The search that does not
/// ([`super::shortest`]) may find other hunks than `git diff --histogram`.
fn has_many_alike<T>(input: &InternedInput<T>) -> bool {
    let (before, after) = (&input.before, &input.after);
    let start = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let (before, after) = (&before[start..], &after[start..]);
    let end = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
    let (before, after) = (&before[..before.len() - end], &after[..after.len() - end]);
    if before.len().min(after.len()) <= ALIKE_LINES_MAX {
        return false;
    }
    let mut counts: HashMap<Token, usize> = HashMap::new();
    before.iter().for_each(|token| *counts.entry(*token).or_default() += 1);
    let is_frequent = |token: &&Token| counts.get(*token).is_some_and(|count| *count > FREQUENT_LINES_MIN);
    let count = |tokens: &[Token]| tokens.iter().filter(is_frequent).count();
    count(before).min(count(after)) > ALIKE_LINES_MAX
}

fn with_context(changes: &[imara_diff::Hunk], before_len: u32, after_len: u32, context: u32) -> Hunk {
    let (first, last) = (&changes[0], &changes[changes.len() - 1]);
    let lead = context.min(first.before.start);
    let trail = context.min(before_len - last.before.end);
    debug_assert_eq!(trail, context.min(after_len - last.after.end), "what follows the last change is alike");
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

/// Finds the line that tells in which function a hunk is: the last before it that begins with a letter,
/// `_` or `$`, as Git does for files without a pattern of their own.
#[derive(Debug, Default)]
pub struct Functions<'a> {
    /// Up to where lines were looked at.
    looked_at: usize,
    found: &'a [u8],
}

impl<'a> Functions<'a> {
    /// What stands in the head of the hunk, empty if there is nothing. Hunks are asked for in their order.
    pub fn of(&mut self, hunk: &Hunk, before: &[&'a [u8]]) -> &'a [u8] {
        let first = hunk.before_first() as usize;
        let found = function_of(&before[self.looked_at.min(first)..first], FUNCTION_BYTES_MAX);
        if !found.is_empty() {
            self.found = found;
        }
        self.looked_at = first;
        self.found
    }
}

/// The last of the lines that begins a function, up to so many bytes; empty if none does.
pub(super) fn function_of<'a>(lines: &[&'a [u8]], bytes_max: usize) -> &'a [u8] {
    let begins_function = |line: &&&[u8]| {
        line.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$'))
    };
    let found = lines.iter().rev().find(begins_function);
    found.map_or(&[], |line| line[..line.len().min(bytes_max)].trim_ascii_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_of_few_different_lines_is_compared_too() {
        let mut number = 88_172_645_463_325_252_u64;
        let mut text = |count: usize| {
            let line = |_| {
                number ^= number << 13;
                number ^= number >> 7;
                number ^= number << 17;
                if number.is_multiple_of(2) { &b"a\n"[..] } else { &b"b\n"[..] }
            };
            (0..count).map(line).collect::<Vec<_>>()
        };
        // The last takes a minute and more where the time grows with the square.
        for count in [ALIKE_LINES_MAX / 2, ALIKE_LINES_MAX * 2, 300_000] {
            let (before, after) = (text(count), text(count + 7));
            let found = files(&before, &after, Options { context: 0, ignores_white_space: false });
            // What is left of either is the same.
            let mut left = (vec![true; before.len()], vec![true; after.len()]);
            for line in found.hunks.iter().flat_map(|hunk| &hunk.lines) {
                match *line {
                    Line::Removed { before } => left.0[before as usize] = false,
                    Line::Added { after } => left.1[after as usize] = false,
                    Line::Context { .. } => panic!("none is asked for"),
                }
            }
            let of = |lines: &[&'static [u8]], left: &[bool]| -> Vec<&'static [u8]> {
                lines.iter().zip(left).filter(|(_, left)| **left).map(|(line, _)| *line).collect()
            };
            let common = of(&before, &left.0);
            assert!(common == of(&after, &left.1), "{count}");
            assert_eq!((before.len() - common.len()) as u32, found.removed);
            assert_eq!((after.len() - common.len()) as u32, found.added);
        }
    }
}
