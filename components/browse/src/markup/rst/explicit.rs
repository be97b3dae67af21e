//! What begins with two dots: targets, footnotes, substitutions, directives, and comments.

use super::blocks::{Parser, continued_len};
use super::directive::Directive;
use super::footnotes::push_footnote;
use super::lines::{block_len, indent};
use super::lists::hanging;
use super::names::Substitution;
use super::tree::Block;

impl Parser {
    /// Reads what two dots begin; returns how many lines it has.
    pub(super) fn explicit(&mut self, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) -> usize {
        let rest = lines[0][2..].trim_start();
        let begin = lines[0].len() - rest.len();
        // Two dots alone are a comment that has nothing to do with what is below, if a line is between.
        if rest.is_empty() && lines.get(1).is_none_or(|next| next.is_empty()) {
            self.pending.clear();
            return 1;
        }
        if let Some(target) = rest.strip_prefix('_') {
            let length = continued_len(lines);
            self.target(target, &lines[..length], blocks);
            return length;
        }
        let length = 1 + block_len(&lines[1..], 1);
        let lines = &lines[..length];
        self.pending.clear();
        if let Some((label, after)) = footnote_label(rest) {
            let number = self.names.add_footnote(label);
            let (body, _) = hanging(lines, lines[0].len() - after.len());
            let said = self.blocks(&body, depth + 1);
            push_footnote(blocks, number, said);
        } else if let Some((name, after)) = substituted(rest) {
            let directive = Directive::read(lines, lines[0].len() - after.len());
            self.substitution(name, directive);
        } else if let Some(directive) = Directive::read(lines, begin) {
            self.directive(&directive, depth, blocks);
        }
        length
    }

    /// A target, `name: address`; without an address the name is of what is below.
    fn target(&mut self, first: &str, lines: &[&str], blocks: &mut Vec<Block>) {
        let typed: Vec<&str> =
            std::iter::once(first).chain(lines[1..].iter().map(|line| line.trim())).collect();
        let typed = typed.join("\n");
        let Some((name, address)) = target_name(&typed) else { return self.pending.clear() };
        let address = address.trim();
        if name == "_" {
            match address {
                "" => blocks.push(Block::Target(self.names.add_anonymous_place())),
                address => self.names.add_anonymous(address),
            }
            return self.pending.clear();
        }
        if address.is_empty() {
            blocks.push(Block::Target(self.names.add_place(&name)));
            return self.pending.push(name);
        }
        // Names right before are others for the same address.
        for pending in std::mem::take(&mut self.pending) {
            self.names.add_target(&pending, address);
        }
        self.names.add_target(&name, address);
    }

    fn substitution(&mut self, name: &str, directive: Option<Directive>) {
        let Some(directive) = directive else { return };
        let substitution = match directive.name.as_str() {
            "image" => {
                let mut image = directive.image();
                if directive.option("alt").is_none() {
                    image.alternative = name.to_owned();
                }
                Substitution::Image(image)
            }
            "replace" => Substitution::Text(directive.body().join("\n")),
            "unicode" => Substitution::Text(unicode(&directive.argument())),
            _ => return,
        };
        self.names.add_substitution(name, substitution);
    }
}

/// The label of a footnote or a citation, and what follows it.
fn footnote_label(text: &str) -> Option<(&str, &str)> {
    let (label, after) = text.strip_prefix('[')?.split_once(']')?;
    let is_label = is_footnote_label(label) && (after.is_empty() || after.starts_with(' '));
    is_label.then(|| (label, after.trim_start()))
}

/// Whether a footnote may be called so.
pub fn is_footnote_label(label: &str) -> bool {
    let name = label.strip_prefix('#').unwrap_or(label);
    let is_name = |name: &str| {
        name.starts_with(char::is_alphanumeric)
            && name.chars().all(|character| character.is_alphanumeric() || "-_.:+".contains(character))
    };
    label.len() <= 200 && (label == "*" || label == "#" || is_name(name))
}

/// The name of a substitution, and what follows it.
fn substituted(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('|')?.split_once('|')?;
    let is_name = !name.is_empty() && name.trim() == name && after.starts_with(' ');
    is_name.then(|| (name, after.trim_start()))
}

/// The name of a target, and its address: what is before the first colon at the end of a word, and behind it.
fn target_name(typed: &str) -> Option<(String, &str)> {
    if let Some((name, after)) = typed.strip_prefix('`').and_then(|rest| rest.split_once("`:")) {
        return Some((name.replace('\n', " "), after));
    }
    let mut is_escaped = false;
    for (at, byte) in typed.bytes().enumerate() {
        let ends =
            byte == b':' && !is_escaped && matches!(typed.as_bytes().get(at + 1), None | Some(b' ' | b'\n'));
        if ends {
            return Some((typed[..at].replace('\\', "").replace('\n', " "), &typed[at + 1..]));
        }
        is_escaped = byte == b'\\' && !is_escaped;
    }
    None
}

/// Characters that are given by their numbers, `0x41`, `U+41` or `&#x41;`; others stand for themselves.
fn unicode(codes: &str) -> String {
    let codes = codes.split(" .. ").next().unwrap_or_default();
    let character = |code: &str| {
        let hexadecimal = ["0x", "x", "\\x", "U+", "u", "\\u", "&#x"];
        let digits = hexadecimal.iter().find_map(|prefix| code.strip_prefix(prefix))?;
        char::from_u32(u32::from_str_radix(digits.trim_end_matches(';'), 16).ok()?)
    };
    let word = |code: &str| {
        let decimal = code.parse().ok().and_then(char::from_u32);
        character(code).or(decimal).map_or_else(|| code.to_owned(), String::from)
    };
    codes.split_whitespace().map(word).collect()
}

/// Whether a line is one of a target that has no name, `__ address`.
pub fn anonymous_begin(line: &str) -> Option<usize> {
    let rest = line.strip_prefix("__")?;
    (indent(rest) > 0).then(|| 2 + indent(rest))
}
