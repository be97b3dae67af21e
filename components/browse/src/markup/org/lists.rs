//! Lists, whose items go on as far as they are indented.

use super::blocks::Parser;
use super::kinds::{Missing, block_end, indent, outdented};
use super::tree::{Block, Check, Item, List, ListKind};

/// How an item begins.
pub struct Begin {
    pub kind: ListKind,
    /// Where its text begins.
    at: usize,
}

/// How the item begins that begins on that line.
pub fn item(line: &str) -> Option<Begin> {
    let column = indent(line);
    let bare = &line[column..];
    let bytes = bare.as_bytes();
    let (kind, marker) = match bytes.first()? {
        // Where a line begins with a star, it is no headline: those are told apart before.
        b'-' | b'+' | b'*' => (ListKind::Bullets, 1),
        first if first.is_ascii_digit() => {
            let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (ListKind::Numbers, (digits < 10 && is_point(bytes.get(digits))).then_some(digits + 1)?)
        }
        first if first.is_ascii_alphabetic() && is_point(bytes.get(1)) => (ListKind::Numbers, 2),
        _ => return None,
    };
    let rest = &bare[marker..];
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return None;
    }
    let at = column + marker + (rest.len() - rest.trim_start().len());
    let is_described = kind == ListKind::Bullets && term_len(&line[at..]).is_some();
    Some(Begin { kind: if is_described { ListKind::Definitions } else { kind }, at })
}

fn is_point(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b'.' | b')'))
}

/// The length of the term that a text begins with, which `::` is behind.
fn term_len(text: &str) -> Option<usize> {
    let inner = text.find(" :: ").or_else(|| text.ends_with(" ::").then(|| text.len() - " ::".len()))?;
    Some(inner)
}

impl Parser {
    /// Reads the list that begins with the first line; returns how many lines it has.
    pub(super) fn list(
        &mut self,
        lines: &[&str],
        depth: usize,
        missing: &mut Missing,
        blocks: &mut Vec<Block>,
    ) -> usize {
        let column = indent(lines[0]);
        let kind = item(lines[0]).map_or(ListKind::Bullets, |begin| begin.kind);
        let (mut items, mut at) = (Vec::new(), 0);
        while let Some(begin) =
            lines.get(at).filter(|line| indent(line) == column).and_then(|line| item(line))
        {
            if (kind == ListKind::Numbers) != (begin.kind == ListKind::Numbers) {
                break;
            }
            let length = item_len(&lines[at..], column, missing);
            items.push(self.item(&lines[at..at + length], begin.at, kind, depth));
            at += length;
            // An empty line may be between items; two end the list.
            at += usize::from(lines.get(at).is_some_and(|line| line.is_empty()));
        }
        blocks.push(Block::List(List { kind, items }));
        at.max(1)
    }

    fn item(&mut self, lines: &[&str], begin: usize, kind: ListKind, depth: usize) -> Item {
        let mut first = lines[0][begin..].trim_start();
        let mut number = None;
        if let Some((digits, rest)) = first.strip_prefix("[@").and_then(|rest| rest.split_once(']')) {
            number = digits.parse().ok();
            first = rest.trim_start();
        }
        let checks = [("[ ]", Check::No), ("[-]", Check::Partly), ("[X]", Check::Yes), ("[x]", Check::Yes)];
        let check = checks.iter().find(|(typed, _)| first.starts_with(typed));
        if let Some((typed, _)) = check {
            first = first[typed.len()..].trim_start();
        }
        let mut term = String::new();
        if kind == ListKind::Definitions
            && let Some(length) = term_len(first)
        {
            term = first[..length].to_owned();
            first = first[length + " ::".len()..].trim_start();
        }
        let mut body = vec![first];
        body.extend(outdented(&lines[1..]));
        let check = check.map(|(_, check)| *check);
        Item { number, check, term, blocks: self.blocks(&body, depth + 1) }
    }
}

/// How many lines an item has that begins with the first, at that column, less those that are empty at its end.
fn item_len(lines: &[&str], column: usize, missing: &mut Missing) -> usize {
    let (mut at, mut length) = (1, 1);
    while let Some(line) = lines.get(at) {
        if line.is_empty() {
            if lines.get(at + 1).is_none_or(|next| next.is_empty()) {
                break;
            }
            at += 1;
            continue;
        }
        if indent(line) <= column {
            break;
        }
        // What is in a block may be indented less.
        let is_block = line.trim_start().starts_with("#+");
        at += 1 + if is_block { block_end(&lines[at..], missing).unwrap_or(0) } else { 0 };
        length = at;
    }
    length
}
