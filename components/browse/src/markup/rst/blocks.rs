//! Tells the lines of a text apart into what it consists of.

use super::explicit::anonymous_begin;
use super::lines::{
    adornment, block_len, bullet_len, field, indent, is_grid_border, is_simple_border, options, outdented,
    width,
};
use super::lists::{Enumerator, enumerator};
use super::names::Names;
use super::tree::Block;

/// The deepest nesting of blocks; deeper ones are shown as they are typed.
pub const DEPTH_MAX: usize = 16;

#[derive(Default)]
pub struct Parser {
    pub names: Names,
    /// How titles are underlined, and whether overlined too, by their level.
    title_styles: Vec<(char, bool)>,
    /// The names of targets that stand right before.
    pub(super) pending: Vec<String>,
    /// The language of literal blocks, where one was said.
    pub(super) language: String,
    /// How many steps were taken to find the cells of tables.
    pub(super) table_steps: usize,
}

/// What the first of some lines begins.
enum Kind<'a> {
    Quote,
    Bullets,
    Numbers(Enumerator<'a>),
    Fields,
    Options,
    Session,
    Lines,
    Grid,
    Simple,
    Explicit,
    Anonymous(usize),
    Overlined,
    Definitions,
    Text,
}

fn kind<'a>(lines: &[&'a str]) -> Kind<'a> {
    let line = lines[0];
    let next = lines.get(1).copied().unwrap_or_default();
    if indent(line) > 0 {
        return Kind::Quote;
    }
    if bullet_len(line).is_some() {
        return Kind::Bullets;
    }
    if let Some(enumerator) = enumerator(lines) {
        return Kind::Numbers(enumerator);
    }
    if field(line).is_some() {
        return Kind::Fields;
    }
    if options(line).is_some_and(|(_, begin)| begin < line.len() || indent(next) > 0) {
        return Kind::Options;
    }
    if line == ">>>" || line.starts_with(">>> ") {
        return Kind::Session;
    }
    if line == "|" || line.starts_with("| ") {
        return Kind::Lines;
    }
    if is_grid_border(line) {
        return Kind::Grid;
    }
    if is_simple_border(line) {
        return Kind::Simple;
    }
    if line == ".." || line.starts_with(".. ") {
        return Kind::Explicit;
    }
    if let Some(begin) = anonymous_begin(line) {
        return Kind::Anonymous(begin);
    }
    if adornment(line).is_some() {
        return Kind::Overlined;
    }
    if indent(next) > 0 {
        return Kind::Definitions;
    }
    Kind::Text
}

/// Whether an item of a list of definitions begins there: a term, and what it means below.
pub fn is_definition(lines: &[&str]) -> bool {
    lines.first().is_some_and(|line| !line.is_empty()) && matches!(kind(lines), Kind::Definitions)
}

impl Parser {
    pub fn blocks(&mut self, lines: &[&str], depth: usize) -> Vec<Block> {
        if depth > DEPTH_MAX {
            return vec![Block::Typed(lines.join("\n"))];
        }
        let mut blocks = Vec::new();
        let mut at = 0;
        while at < lines.len() {
            at += match lines[at] {
                "" => 1,
                _ => self.block(&lines[at..], depth, &mut blocks),
            };
        }
        blocks
    }

    /// Reads what begins with the first line; returns how many lines it has.
    fn block(&mut self, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) -> usize {
        let kind = kind(lines);
        if matches!(kind, Kind::Explicit) {
            return self.explicit(lines, depth, blocks);
        }
        let (names, before) = (std::mem::take(&mut self.pending), blocks.len());
        let length = self.block_of(kind, lines, depth, blocks);
        if let Some(Block::Title(number)) = blocks.get(before) {
            names.iter().for_each(|name| self.names.add_title_name(name, *number));
        }
        length
    }

    fn block_of(&mut self, kind: Kind, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) -> usize {
        match kind {
            Kind::Quote => {
                let length = block_len(lines, 1).max(1);
                self.quotes(&outdented(&lines[..length]), depth, blocks);
                length
            }
            Kind::Bullets => self.bullets(lines, depth, blocks),
            Kind::Numbers(first) => self.numbers(&first, lines, depth, blocks),
            Kind::Fields => self.fields(lines, depth, blocks),
            Kind::Options => self.options(lines, depth, blocks),
            Kind::Session => {
                let length = paragraph_len(lines);
                blocks.push(Block::Code { language: "python".to_owned(), text: lines[..length].join("\n") });
                length
            }
            Kind::Lines => super::lists::lines(lines, blocks),
            Kind::Grid => self.grid_table(lines, depth, blocks),
            Kind::Simple => self.simple_table(lines, depth, blocks),
            Kind::Explicit => self.explicit(lines, depth, blocks),
            Kind::Anonymous(begin) => {
                let length = continued_len(lines);
                let address: String =
                    lines[1..length].iter().fold(lines[0][begin..].to_owned(), |all, l| all + l);
                self.names.add_anonymous(&address);
                length
            }
            Kind::Overlined => self.overlined(lines, depth, blocks),
            Kind::Definitions => self.definitions(lines, depth, blocks),
            Kind::Text => match self.underlined(lines, depth, blocks) {
                Some(length) => length,
                None => self.paragraph(lines, blocks),
            },
        }
    }

    /// Quotations: what follows an attribution is another one.
    pub(super) fn quotes(&mut self, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) {
        let mut rest = lines;
        loop {
            let attribution = (1..rest.len()).find(|at| rest[at - 1].is_empty() && is_attribution(rest[*at]));
            let Some(begin) = attribution else { break };
            let length = paragraph_len(&rest[begin..]);
            let text = rest[begin..begin + length].join("\n");
            let text = text.trim_start_matches(['-', '—']).trim_start().to_owned();
            let blocks_before = self.blocks(&outdented(&rest[..begin]), depth + 1);
            blocks.push(Block::Quote { blocks: blocks_before, attribution: Some(text) });
            rest = &rest[begin + length..];
        }
        if rest.iter().any(|line| !line.is_empty()) {
            let quoted = self.blocks(&outdented(rest), depth + 1);
            blocks.push(Block::Quote { blocks: quoted, attribution: None });
        }
    }

    fn overlined(&mut self, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) -> usize {
        let over = lines[0];
        if let [_, text, under, ..] = lines
            && !text.is_empty()
            && adornment(under).is_some_and(|mark| over.starts_with(mark))
            && over.len().min(under.len()) >= width(text.trim()).min(4)
        {
            let mark = over.chars().next().unwrap_or('=');
            self.title(text.trim(), (mark, true), depth, blocks);
            return 3;
        }
        if over.len() >= 4 && lines.get(1).is_none_or(|line| line.is_empty()) {
            blocks.push(Block::Rule);
            return 1;
        }
        if lines.get(1).is_some_and(|next| indent(next) > 0) {
            return self.definitions(lines, depth, blocks);
        }
        self.paragraph(lines, blocks)
    }

    fn underlined(&mut self, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) -> Option<usize> {
        let (text, under) = (lines[0], lines.get(1)?);
        let mark = adornment(under).filter(|_| under.len() >= width(text).min(4))?;
        self.title(text, (mark, false), depth, blocks);
        Some(2)
    }

    fn title(&mut self, text: &str, style: (char, bool), depth: usize, blocks: &mut Vec<Block>) {
        if depth > 0 {
            return blocks.push(Block::Rubric(text.to_owned()));
        }
        let level = self.title_styles.iter().position(|known| *known == style).unwrap_or_else(|| {
            self.title_styles.push(style);
            self.title_styles.len() - 1
        });
        blocks.push(Block::Title(self.names.add_title(level + 1, text)));
    }

    /// A paragraph, and the literal block that it may announce.
    fn paragraph(&mut self, lines: &[&str], blocks: &mut Vec<Block>) -> usize {
        let length = lines.iter().skip(1).position(|line| line.is_empty() || indent(line) > 0);
        let length = length.map_or(lines.len(), |at| at + 1);
        let text = lines[..length].join("\n");
        let Some(announcing) = text.strip_suffix("::").filter(|before| !before.ends_with('\\')) else {
            blocks.push(Block::Paragraph(text));
            return length;
        };
        match announcing.trim_end() {
            "" => {}
            shown if shown.len() < announcing.len() => blocks.push(Block::Paragraph(shown.to_owned())),
            shown => blocks.push(Block::Paragraph(format!("{shown}:"))),
        }
        let begin = length + lines[length..].iter().take_while(|line| line.is_empty()).count();
        let after = &lines[begin..];
        let literal = match block_len(after, 1) {
            // Quoted lines need no indentation.
            0 if begin > length => after.first().map_or(0, |line| quoted_len(line, after)),
            indented => indented,
        };
        if literal == 0 {
            return length;
        }
        let text = outdented(&after[..literal]).join("\n");
        blocks.push(match self.language.as_str() {
            "" => Block::Typed(text),
            language => Block::Code { language: language.to_owned(), text },
        });
        begin + literal
    }
}

fn is_attribution(line: &str) -> bool {
    let name =
        line.strip_prefix("---").or_else(|| line.strip_prefix("--")).or_else(|| line.strip_prefix('—'));
    name.is_some_and(|name| !name.trim().is_empty() && !name.starts_with('-'))
}

/// How many lines the first one goes on for, the others indented.
pub fn continued_len(lines: &[&str]) -> usize {
    1 + lines.iter().skip(1).take_while(|line| indent(line) > 0).count()
}

/// How many lines there are before one that is empty.
pub fn paragraph_len(lines: &[&str]) -> usize {
    lines.iter().position(|line| line.is_empty()).unwrap_or(lines.len()).max(1)
}

fn quoted_len(first: &str, lines: &[&str]) -> usize {
    let Some(mark) = first.chars().next().filter(char::is_ascii_punctuation) else { return 0 };
    lines.iter().take_while(|line| line.starts_with(mark)).count()
}
