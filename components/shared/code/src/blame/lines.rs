//! Which lines two versions of a file have in common.

use super::{Lines, Whitespace};
use imara_diff::{Algorithm, Diff, InternedInput, TokenSource};
use std::hash::{Hash, Hasher};
use std::ops::Range;

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
        match whitespace {
            Whitespace::Counts => {
                let lines = |text| imara_diff::sources::byte_lines(text);
                Self::of(&InternedInput::new(lines(before), lines(after)))
            }
            Whitespace::Ignored => Self::of(&InternedInput::new(BareLines(before), BareLines(after))),
        }
    }

    fn of<T: AsRef<[u8]> + Eq + Hash>(input: &InternedInput<T>) -> Self {
        let mut diff = Diff::compute(Algorithm::Myers, input);
        diff.postprocess_lines(input);
        Self(diff.hunks().map(|hunk| Change { before: hunk.before, after: hunk.after }).collect())
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

impl AsRef<[u8]> for BareLine<'_> {
    fn as_ref(&self) -> &[u8] {
        self.0
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
}
