//! Which words of a changed line differ.

use imara_diff::{Algorithm, Diff, InternedInput};
use std::ops::Range;

/// The longest line whose words are compared, in bytes.
const LINE_BYTES_MAX: usize = 1_000;

/// How much of a line has to stay for marks where it becomes more than three times as long, in bytes.
const COMMON_MIN: usize = 4;

/// The parts that differ, as ranges of bytes.
pub type Marks = Vec<Range<usize>>;

/// The parts of two lines that differ; none if too much of them does for marks to help.
pub fn marks(before: &str, after: &str) -> Option<(Marks, Marks)> {
    if before.len().max(after.len()) > LINE_BYTES_MAX || before == after {
        return None;
    }
    let (before_words, after_words) = (words(before), words(after));
    let mut input = InternedInput::default();
    input.update_before(before_words.iter().map(|word| &before[word.clone()]));
    input.update_after(after_words.iter().map(|word| &after[word.clone()]));
    let diff = Diff::compute(Algorithm::Myers, &input);
    let (mut removed, mut added) = (Marks::new(), Marks::new());
    for hunk in diff.hunks() {
        push(&mut removed, &before_words, hunk.before);
        push(&mut added, &after_words, hunk.after);
    }
    // Of a line that grew, or shrank, all that it was may still be there.
    let (before_len, after_len) = (weight(before), weight(after));
    let common = before_len - removed.iter().map(|mark| weight(&before[mark.clone()])).sum::<usize>();
    let (shorter, longer) = (before_len.min(after_len), before_len.max(after_len));
    // That a few characters are found in a long line says nothing.
    let is_worth = common * 3 >= longer || common >= COMMON_MIN;
    (common > 0 && common * 2 >= shorter && is_worth).then_some((removed, added))
}

/// How much of a text is no space, in bytes.
fn weight(text: &str) -> usize {
    text.split_whitespace().map(str::len).sum()
}

fn push(marks: &mut Marks, words: &[Range<usize>], changed: Range<u32>) {
    if let Some(changed) = words.get(changed.start as usize..changed.end as usize)
        && let (Some(first), Some(last)) = (changed.first(), changed.last())
    {
        marks.push(first.start..last.end);
    }
}

/// Words, runs of spaces, and every other character by itself.
fn words(line: &str) -> Vec<Range<usize>> {
    let kind = |c: char| match c {
        _ if c.is_alphanumeric() || c == '_' => 0,
        _ if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut last = None;
    for (start, character) in line.char_indices() {
        let (end, kind) = (start + character.len_utf8(), kind(character));
        match words.last_mut() {
            Some(word) if last == Some(kind) && kind != 2 => word.end = end,
            _ => words.push(start..end),
        }
        last = Some(kind);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_marked() {
        let cases = [
            ("let a = 1;", "let b = 1;", Some((vec!["a"], vec!["b"]))),
            ("f(x)", "f(x, y)", Some((vec![], vec![", y"]))),
            ("  return żółw;", "    return żółw;", Some((vec!["  "], vec!["    "]))),
            ("f(x)", "f(x).map(|it| it.to_string())", Some((vec![], vec![".map(|it| it.to_string())"]))),
            ("same", "same", None),
            ("nothing in common", "all of this is new", None),
        ];
        for (before, after, expected) in cases {
            let found = marks(before, after).map(|(removed, added)| {
                let texts = |line: &'static str, marks: Marks| {
                    marks.into_iter().map(|mark| &line[mark]).collect::<Vec<_>>()
                };
                (texts(before, removed), texts(after, added))
            });
            assert_eq!(found, expected, "{before} / {after}");
        }
        let long = "a ".repeat(LINE_BYTES_MAX / 2 + 1);
        assert_eq!(marks(&long, "a"), None);
    }
}
