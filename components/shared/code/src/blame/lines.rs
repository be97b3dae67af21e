//! Which lines two versions of a file have in common.

use super::{Lines, Whitespace};
use crate::diff::sliding::{self, Side};
use imara_diff::{InternedInput, TokenSource};
use std::hash::{Hash, Hasher};
use std::ops::Range;

/// Ends that two versions have in common are left out in blocks of so many bytes, as Git leaves them out.
const BLOCK_BYTES: usize = 1024;

/// What changed between two versions.
pub struct Changes(Vec<Change>);

/// Lines that were replaced by others; one of the two may be empty.
struct Change {
    before: Range<u32>,
    after: Range<u32>,
}

impl Changes {
    /// Compares two versions line by line, with their ends.
    pub fn between(before: &[u8], after: &[u8], whitespace: Whitespace) -> Self {
        let common = common_end(before, after);
        let (before, after) = (&before[..before.len() - common], &after[..after.len() - common]);
        match whitespace {
            Whitespace::Counts => {
                let lines = |text| imara_diff::sources::byte_lines(text);
                Self::of(before, after, &InternedInput::new(lines(before), lines(after)))
            }
            Whitespace::Ignored => {
                Self::of(before, after, &InternedInput::new(BareLines(before), BareLines(after)))
            }
        }
    }

    fn of<T: Eq + Hash>(before: &[u8], after: &[u8], input: &InternedInput<T>) -> Self {
        let before = Side::new(split_lines(before).collect(), &input.before);
        let after = Side::new(split_lines(after).collect(), &input.after);
        let changes = sliding::changes(before, after).into_iter();
        Self(changes.map(|(before, after)| Change { before, after }).collect())
    }

    /// Splits lines of the later version into those that the earlier one has too, at their places
    /// there, and the others.
    pub fn unchanged(&self, lines: &[Lines]) -> (Vec<Lines>, Vec<Lines>) {
        self.split(lines, |_| 0)
    }

    /// As [`Self::unchanged`], with the lines that replaced others counted as those, one by one.
    pub fn replaced(&self, lines: &[Lines]) -> (Vec<Lines>, Vec<Lines>) {
        self.split(lines, |change| change.before.len().min(change.after.len()) as u32)
    }

    /// Splits lines; of each change, so many of its first lines are those of the earlier version.
    fn split(&self, lines: &[Lines], taken: impl Fn(&Change) -> u32) -> (Vec<Lines>, Vec<Lines>) {
        let (mut common, mut others) = (Vec::new(), Vec::new());
        for all in lines {
            let end = all.source + all.count;
            let part = |range: Range<u32>, source: u32| Lines {
                first: all.first + (range.start - all.source),
                count: range.end - range.start,
                source,
            };
            let mut at = all.source;
            let next = self.0.partition_point(|change| change.after.end <= at);
            for change in self.0[next..].iter().take_while(|change| change.after.start < end) {
                if at < change.after.start {
                    common
                        .push(part(at..change.after.start, change.before.start - (change.after.start - at)));
                    at = change.after.start;
                }
                let middle = (change.after.start + taken(change)).clamp(at, change.after.end.min(end));
                if at < middle {
                    common.push(part(at..middle, change.before.start + (at - change.after.start)));
                    at = middle;
                }
                let until = change.after.end.min(end);
                if at < until {
                    others.push(part(at..until, at));
                    at = until;
                }
            }
            if at < end {
                common.push(part(at..end, self.before(at)));
            }
        }
        (common, others)
    }

    /// Where an unchanged line was.
    fn before(&self, line: u32) -> u32 {
        let next = self.0.partition_point(|change| change.after.end <= line);
        match next.checked_sub(1).map(|last| &self.0[last]) {
            Some(last) => last.before.end + (line - last.after.end),
            None => line,
        }
    }
}

/// How many bytes at the end of two versions are left out: they are the same lines.
fn common_end(before: &[u8], after: &[u8]) -> usize {
    let same = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
    let blocks = &before[before.len() - same / BLOCK_BYTES * BLOCK_BYTES..];
    split_lines(blocks).next().map_or(0, |first| blocks.len() - first.len())
}

fn split_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// Lines that are the same where they differ in whitespace alone.
struct BareLines<'a>(&'a [u8]);

#[derive(Clone, Copy)]
struct BareLine<'a>(&'a [u8]);

impl<'a> BareLine<'a> {
    fn bytes(self) -> impl Iterator<Item = u8> + use<'a> {
        self.0.iter().copied().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
    }
}

impl PartialEq for BareLine<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for BareLine<'_> {}

impl Hash for BareLine<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().for_each(|byte| state.write_u8(byte));
        state.write_u8(b'\n');
    }
}

impl<'a> TokenSource for BareLines<'a> {
    type Token = BareLine<'a>;
    type Tokenizer =
        std::iter::Map<std::slice::SplitInclusive<'a, u8, fn(&u8) -> bool>, fn(&'a [u8]) -> BareLine<'a>>;

    fn tokenize(&self) -> Self::Tokenizer {
        let is_end: fn(&u8) -> bool = |byte| *byte == b'\n';
        self.0.split_inclusive(is_end).map(BareLine)
    }

    fn estimate_tokens(&self) -> u32 {
        // As the library does for lines: about 40 bytes each.
        u32::try_from(self.0.len() / 40).unwrap_or(u32::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(before: &str, after: &str, whitespace: Whitespace, replaced: bool) -> (String, String) {
        let changes = Changes::between(before.as_bytes(), after.as_bytes(), whitespace);
        let count = after.lines().count() as u32;
        let all = [Lines { first: 100, count, source: 0 }];
        let (common, others) = if replaced { changes.replaced(&all) } else { changes.unchanged(&all) };
        let shown = |lines: Vec<Lines>| {
            let lines = lines.iter().map(|lines| format!("{}+{}@{}", lines.first, lines.count, lines.source));
            lines.collect::<Vec<_>>().join(" ")
        };
        (shown(common), shown(others))
    }

    #[test]
    fn lines_are_split_into_those_that_were_there_and_the_others() {
        let cases = [
            ("a\nb\n", "a\nb\n", "100+2@0", ""),
            ("a\nb\n", "x\na\nb\n", "101+2@0", "100+1@0"),
            ("a\nb\nc\n", "a\nc\n", "100+1@0 101+1@2", ""),
            ("a\nb\nc\n", "a\nx\ny\nc\n", "100+1@0 103+1@2", "101+2@1"),
            ("", "a\n", "", "100+1@0"),
            ("a\nb", "a\nb\n", "100+1@0", "101+1@1"),
        ];
        for (before, after, common, others) in cases {
            let found = split(before, after, Whitespace::Counts, false);
            assert_eq!(found, (common.into(), others.into()), "{before:?} {after:?}");
        }
    }

    #[test]
    fn whitespace_may_be_ignored() {
        assert_eq!(
            split("a b\n c\n", "ab\nc", Whitespace::Ignored, false),
            ("100+2@0".into(), String::new())
        );
        assert_eq!(split("a b\n", "ab\n", Whitespace::Counts, false), (String::new(), "100+1@0".into()));
    }

    #[test]
    fn replaced_lines_are_those_they_stand_for() {
        let found = split("a\nb\nc\n", "a\nx\ny\nc\n", Whitespace::Counts, true);
        assert_eq!(found, ("100+1@0 101+1@1 103+1@2".into(), "102+1@2".into()));
    }

    #[test]
    fn of_several_shortest_differences_that_of_git_is_taken() {
        // As `git diff -U0 --diff-algorithm=myers` and `-w` have them.
        let end = format!("t\n  {}\n", "y".repeat(1019));
        let cases = [
            ("a\na\n", "\na\nb\nb\nc\n", Whitespace::Counts, "101+1@0", "100+1@0 102+3@2"),
            ("\nc\nc\n b\n\n", "c\n\n", Whitespace::Counts, "100+1@2 101+1@4", ""),
            ("\nc\nc\nb\n\n b\n\n", "\n", Whitespace::Counts, "100+1@0", ""),
            // Lines of the common end that are not compared are not looked at for their indentation either.
            (
                &format!("h\n{end}"),
                &format!("h\nt\nx\n{end}"),
                Whitespace::Counts,
                "100+2@0 104+1@2",
                "102+2@2",
            ),
            // Each version's own indentation counts, also of lines that are the same but for it.
            (
                "\nb\nb\n\nb\nc\na\na\nb\n",
                "a\na\n c\na\nb\n",
                Whitespace::Ignored,
                "100+1@6 103+2@7",
                "101+2@1",
            ),
        ];
        for (before, after, whitespace, common, others) in cases {
            let found = split(before, after, whitespace, false);
            assert_eq!(found, (common.into(), others.into()), "{before:?} {after:?}");
        }
    }

    #[test]
    fn versions_with_little_in_common_are_compared() {
        let text =
            |step: usize| (0..4_000).map(|line| format!("{}\n", line * step % 4_001)).collect::<String>();
        let (before, after) = (text(1), text(1_234));
        let changes = Changes::between(before.as_bytes(), after.as_bytes(), Whitespace::Counts);
        let (common, others) = changes.unchanged(&[Lines { first: 0, count: 4_000, source: 0 }]);
        let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
        let mut last = None;
        for line in
            common.iter().flat_map(|lines| (0..lines.count).map(|at| (lines.first + at, lines.source + at)))
        {
            assert_eq!(after[line.0 as usize], before[line.1 as usize]);
            assert!(last < Some(line.1), "lines stay in their order");
            last = Some(line.1);
        }
        let count = |all: &[Lines]| all.iter().map(|lines| lines.count).sum::<u32>();
        assert!(count(&common) > 0);
        assert_eq!(count(&common) + count(&others), 4_000);
    }
}
