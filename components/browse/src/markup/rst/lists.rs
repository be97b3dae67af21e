//! Lists: of items, of terms, of fields, of options, and of lines.

use super::blocks::{Parser, is_definition};
use super::lines::{block_len, bullet_len, field, indent, marker_len, options, outdented};
use super::tree::{Block, Numerals};

/// The number that an item of a list begins with.
pub struct Enumerator<'a> {
    text: &'a str,
    /// What is around it: `.`, `)` or `(`.
    around: char,
    /// Where the text of the item begins.
    begin: usize,
}

/// The number that the first of some lines begins with, if the next line does not deny that it is one.
pub fn enumerator<'a>(lines: &[&'a str]) -> Option<Enumerator<'a>> {
    let first = bare_enumerator(lines[0])?;
    let numerals = first.numerals();
    continued(first, numerals, lines)
}

/// That number, which is in those numerals, if the next line does not deny it.
fn continued<'a>(first: Enumerator<'a>, numerals: Numerals, lines: &[&'a str]) -> Option<Enumerator<'a>> {
    let next = lines.get(1).copied().unwrap_or_default();
    if next.is_empty() || indent(next) > 0 {
        return Some(first);
    }
    let second = bare_enumerator(next).filter(|second| second.around == first.around)?;
    let follows =
        second.text == "#" || value(second.text, numerals) == value(first.text, numerals).map(|n| n + 1);
    follows.then_some(first)
}

fn bare_enumerator(line: &str) -> Option<Enumerator<'_>> {
    let inner = line.strip_prefix('(').unwrap_or(line);
    let end = inner.bytes().take(10).position(|byte| !byte.is_ascii_alphanumeric() && byte != b'#')?;
    let (text, opened) = (&inner[..end], line.len() - inner.len());
    let around = match (inner.as_bytes()[end], opened) {
        (b'.', 0) => '.',
        (b')', 0) => ')',
        (b')', 1) => '(',
        _ => return None,
    };
    let begin = marker_len(line, opened + end + 1)?;
    let enumerator = Enumerator { text, around, begin };
    (text == "#" || value(text, enumerator.numerals()).is_some()).then_some(enumerator)
}

impl Enumerator<'_> {
    fn numerals(&self) -> Numerals {
        let is_lower = self.text.starts_with(|c: char| c.is_ascii_lowercase());
        match self.text {
            "i" => Numerals::LowerRoman,
            "I" => Numerals::UpperRoman,
            text if text == "#" || text.bytes().all(|byte| byte.is_ascii_digit()) => Numerals::Arabic,
            text if text.len() == 1 && is_lower => Numerals::LowerAlpha,
            text if text.len() == 1 => Numerals::UpperAlpha,
            _ if is_lower => Numerals::LowerRoman,
            _ => Numerals::UpperRoman,
        }
    }
}

/// What a number in those numerals is worth.
fn value(text: &str, numerals: Numerals) -> Option<usize> {
    match numerals {
        Numerals::Arabic => text.parse().ok(),
        Numerals::LowerAlpha | Numerals::UpperAlpha => {
            let [letter] = text.as_bytes() else { return None };
            let first = if numerals == Numerals::LowerAlpha { b'a' } else { b'A' };
            (letter.is_ascii_alphabetic() && *letter >= first && letter - first < 26)
                .then(|| usize::from(letter - first) + 1)
        }
        Numerals::LowerRoman => roman(text),
        Numerals::UpperRoman => {
            text.bytes().all(|byte| byte.is_ascii_uppercase()).then(|| roman(&text.to_ascii_lowercase()))?
        }
    }
}

/// What the parts of a Roman number are worth, in the order in which they come.
const ROMAN: [(&str, usize); 13] = [
    ("m", 1000),
    ("cm", 900),
    ("d", 500),
    ("cd", 400),
    ("c", 100),
    ("xc", 90),
    ("l", 50),
    ("xl", 40),
    ("x", 10),
    ("ix", 9),
    ("v", 5),
    ("iv", 4),
    ("i", 1),
];

fn roman(text: &str) -> Option<usize> {
    let (mut rest, mut total) = (text, 0);
    for (part, worth) in ROMAN {
        // No letter comes more than three times, those for fives and for what is taken away once.
        let times_max = if part.len() == 1 && !matches!(part, "d" | "l" | "v") { 3 } else { 1 };
        for _ in 0..times_max {
            let Some(after) = rest.strip_prefix(part) else { break };
            (rest, total) = (after, total + worth);
        }
    }
    (rest.is_empty() && total > 0).then_some(total)
}

/// How many of some lines are empty.
fn empty_len(lines: &[&str]) -> usize {
    lines.iter().take_while(|line| line.is_empty()).count()
}

/// The lines of an item whose text begins at that column of the first, and how many there are.
fn item<'a>(lines: &[&'a str], begin: usize) -> (Vec<&'a str>, usize) {
    let first = &lines[0][begin..];
    if first.is_empty() {
        return hanging(lines, begin);
    }
    // Columns, not bytes: a bullet may have three.
    let column = lines[0][..begin].chars().count();
    let more = block_len(&lines[1..], column);
    let rest = lines[1..=more].iter().map(|line| line.get(column..).unwrap_or_default());
    (std::iter::once(first).chain(rest).collect(), 1 + more)
}

/// The lines of what begins at that column of the first and goes on indented, however deep.
pub fn hanging<'a>(lines: &[&'a str], begin: usize) -> (Vec<&'a str>, usize) {
    let more = block_len(&lines[1..], 1);
    let mut body = vec![&lines[0][begin..]];
    body.extend(outdented(&lines[1..=more]));
    (body, 1 + more)
}

impl Parser {
    pub(super) fn bullets(&mut self, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) -> usize {
        let bullet = lines[0].chars().next();
        let (mut items, mut at) = (Vec::new(), 0);
        loop {
            let next = at + empty_len(&lines[at..]);
            let Some(line) = lines.get(next).filter(|line| line.chars().next() == bullet) else { break };
            let Some(begin) = bullet_len(line) else { break };
            let (body, length) = item(&lines[next..], begin);
            items.push(self.blocks(&body, depth + 1));
            at = next + length;
        }
        blocks.push(Block::Bullets(items));
        at
    }

    pub(super) fn numbers(
        &mut self,
        first: &Enumerator,
        lines: &[&str],
        depth: usize,
        blocks: &mut Vec<Block>,
    ) -> usize {
        let numerals = first.numerals();
        let start = value(first.text, numerals).unwrap_or(1);
        let (mut items, mut at) = (Vec::new(), 0);
        loop {
            let next = at + empty_len(&lines[at..]);
            if next >= lines.len() {
                break;
            }
            let expected = start + items.len();
            let follows = |found: &Enumerator| {
                found.around == first.around
                    && (found.text == "#" || value(found.text, numerals) == Some(expected))
            };
            let found = bare_enumerator(lines[next]).filter(follows);
            let Some(found) = found.and_then(|found| continued(found, numerals, &lines[next..])) else {
                break;
            };
            let (body, length) = item(&lines[next..], found.begin);
            items.push(self.blocks(&body, depth + 1));
            at = next + length;
        }
        blocks.push(Block::Numbers { numerals, start, items });
        at.max(1)
    }

    pub(super) fn definitions(&mut self, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) -> usize {
        let (mut items, mut at) = (Vec::new(), 0);
        loop {
            let next = at + empty_len(&lines[at..]);
            // The first one is known to be one.
            if at > 0 && !is_definition(&lines[next..]) {
                break;
            }
            let length = block_len(&lines[next + 1..], 1);
            let body = outdented(&lines[next + 1..next + 1 + length]);
            items.push((lines[next].to_owned(), self.blocks(&body, depth + 1)));
            at = next + 1 + length;
        }
        blocks.push(Block::Definitions(items));
        at
    }

    pub(super) fn fields(&mut self, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) -> usize {
        let (items, length) = self.named(lines, depth, field);
        blocks.push(Block::Fields(items));
        length
    }

    pub(super) fn options(&mut self, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) -> usize {
        let (items, length) = self.named(lines, depth, options);
        blocks.push(Block::Options(items));
        length
    }

    /// Items that begin with something, which tells where the rest of them begins.
    fn named(
        &mut self,
        lines: &[&str],
        depth: usize,
        name: impl Fn(&str) -> Option<(&str, usize)>,
    ) -> (Vec<(String, Vec<Block>)>, usize) {
        let (mut items, mut at) = (Vec::new(), 0);
        loop {
            let next = at + empty_len(&lines[at..]);
            let Some((name, begin)) = lines.get(next).and_then(|line| name(line)) else { break };
            let (body, length) = hanging(&lines[next..], begin);
            items.push((name.to_owned(), self.blocks(&body, depth + 1)));
            at = next + length;
        }
        (items, at)
    }
}

/// Lines that begin with `|`, nested as they are indented; other indented lines continue the one before.
pub fn lines(lines: &[&str], blocks: &mut Vec<Block>) -> usize {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut indents: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        match line.strip_prefix('|') {
            Some("") => found.push((indents.len().saturating_sub(1), String::new())),
            Some(text) if text.starts_with(' ') => {
                let column = indent(text);
                while indents.last().is_some_and(|last| *last > column) {
                    indents.pop();
                }
                if indents.last() != Some(&column) {
                    indents.push(column);
                }
                found.push((indents.len() - 1, text.trim_start().to_owned()));
            }
            None if indent(line) > 0 => {
                if let Some((_, text)) = found.last_mut() {
                    text.push('\n');
                    text.push_str(line.trim_start());
                }
            }
            _ => break,
        }
        at += 1;
    }
    blocks.push(Block::Lines(found));
    at.max(1)
}
