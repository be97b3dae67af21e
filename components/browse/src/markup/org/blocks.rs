//! Tells the lines of a section apart into what it consists of.

use super::document::{Document, keyword};
use super::lists::item;
use super::tree::{Block, Table};
use crate::limits::{TABLE_CELLS_MAX, TABLE_COLUMNS_MAX};
use std::collections::HashSet;

/// The deepest nesting of blocks; deeper ones are shown as they are typed.
pub const DEPTH_MAX: usize = 16;

/// Blocks that are remarks: their names, their classes and their titles.
const REMARKS: [(&str, &str, &str); 6] = [
    ("caution", "caution", "Caution"),
    ("important", "important", "Important"),
    ("info", "note", "Note"),
    ("note", "note", "Note"),
    ("tip", "tip", "Tip"),
    ("warning", "warning", "Warning"),
];

#[derive(Default)]
pub struct Parser {
    pub document: Document,
}

/// What the first of some lines begins.
#[derive(Debug, PartialEq)]
enum Kind {
    /// A block of that name, which ends so many lines below.
    Block(String, usize),
    /// A block that a program fills.
    Dynamic(usize),
    /// A drawer, or what is in a language of formulas.
    Drawer(usize),
    Formula(usize),
    Keyword(String),
    Comment,
    Fixed,
    Rule,
    Table,
    Grid,
    List,
    Footnote(String),
    Clock,
    Text,
}

/// Ends that were looked for in vain among the same lines.
pub type Missing = HashSet<String>;

/// How many different ends are looked for in vain; past it, nothing is taken to end.
const MISSING_MAX: usize = 100;

pub fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// How many lines below the first one the end is that looks so; none if there is none.
fn end_below(lines: &[&str], end: &str, missing: &mut Missing) -> Option<usize> {
    if missing.contains(end) || missing.len() >= MISSING_MAX {
        return None;
    }
    let is_end = |line: &&str| {
        let line = line.trim_start();
        line.get(..end.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(end))
            && line[end.len()..].trim().is_empty()
    };
    let found = lines.iter().skip(1).position(is_end).map(|at| at + 1);
    if found.is_none() {
        missing.insert(end.to_owned());
    }
    found
}

/// How many lines below the first one the block ends that begins there.
pub fn block_end(lines: &[&str], missing: &mut Missing) -> Option<usize> {
    match kind(lines, missing) {
        Kind::Block(_, end) => Some(end),
        _ => None,
    }
}

fn kind(lines: &[&str], missing: &mut Missing) -> Kind {
    let line = lines[0].trim_start();
    match line.as_bytes() {
        [b'#'] | [b'#', b' ', ..] => return Kind::Comment,
        [b'#', b'+', ..] => return marked(line, lines, missing),
        [b':'] | [b':', b' ', ..] => return Kind::Fixed,
        [b':', ..] if is_drawer(line) => {
            return end_below(lines, ":end:", missing).map_or(Kind::Text, Kind::Drawer);
        }
        [b'|', ..] => return Kind::Table,
        [b'+', b'-', .., b'+'] if line.bytes().all(|byte| matches!(byte, b'+' | b'-')) => return Kind::Grid,
        [b'-', b'-', b'-', b'-', b'-', ..] if line.bytes().all(|byte| byte == b'-') => return Kind::Rule,
        _ => {}
    }
    if let Some(label) = footnote(lines[0]) {
        return Kind::Footnote(label.to_owned());
    }
    if let Some(name) =
        line.strip_prefix("\\begin{").and_then(|rest| rest.split_once('}')).map(|(name, _)| name)
        && let Some(end) = end_below(lines, &format!("\\end{{{name}}}"), missing)
    {
        return Kind::Formula(end);
    }
    if line.starts_with("CLOCK:") {
        return Kind::Clock;
    }
    if item(lines[0]).is_some() {
        return Kind::List;
    }
    Kind::Text
}

/// What a line that begins with `#+` begins.
fn marked(line: &str, lines: &[&str], missing: &mut Missing) -> Kind {
    let lower = line.to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix("#+begin_") {
        let name = rest.split_whitespace().next().unwrap_or_default();
        return match end_below(lines, &format!("#+end_{name}"), missing) {
            Some(end) => Kind::Block(name.to_owned(), end),
            None => Kind::Text,
        };
    }
    if lower.starts_with("#+begin:") {
        let end = end_below(lines, "#+end:", missing).or_else(|| end_below(lines, "#+end", missing));
        return end.map_or(Kind::Keyword("begin".to_owned()), Kind::Dynamic);
    }
    keyword(line).map_or(Kind::Text, |(name, _)| Kind::Keyword(name))
}

/// `:PROPERTIES:` and its kin, alone on a line.
fn is_drawer(line: &str) -> bool {
    let name = line.strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
    name.is_some_and(|name| {
        !name.is_empty()
            && !name.eq_ignore_ascii_case("end")
            && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
    })
}

/// The label of a footnote that is defined on that line.
fn footnote(line: &str) -> Option<&str> {
    let (label, _) = line.strip_prefix("[fn:")?.split_once(']')?;
    let is_label = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    (!label.is_empty() && label.chars().all(is_label)).then_some(label)
}

/// Lines without the white space that all of them begin with.
pub fn outdented<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let least = lines.iter().filter(|line| !line.is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    lines.iter().map(|line| line.get(least..).unwrap_or_default()).collect()
}

/// The lines of a block that is shown as it is typed, without the commas before what would be read otherwise.
fn verbatim(lines: &[&str]) -> String {
    let uncovered = |line: &str| {
        let bare = line.trim_start_matches(' ');
        let covered = bare.trim_start_matches(',');
        let is_covered =
            covered.len() < bare.len() && (covered.starts_with('*') || covered.starts_with("#+"));
        if is_covered { format!("{}{}", &line[..indent(line)], &bare[1..]) } else { line.to_owned() }
    };
    outdented(lines).into_iter().map(uncovered).collect::<Vec<_>>().join("\n")
}

/// What the next block is said to be.
#[derive(Default)]
struct Said {
    caption: String,
    width: String,
}

impl Parser {
    pub fn blocks(&mut self, lines: &[&str], depth: usize) -> Vec<Block> {
        if depth > DEPTH_MAX {
            return vec![Block::Typed(lines.join("\n"))];
        }
        let (mut blocks, mut missing, mut said) = (Vec::new(), Missing::new(), Said::default());
        let mut at = 0;
        while at < lines.len() {
            if lines[at].is_empty() {
                at += 1;
                continue;
            }
            let before = blocks.len();
            at += match kind(&lines[at..], &mut missing) {
                Kind::Keyword(name) => {
                    self.keyword(&name, lines[at], &mut said, &mut blocks);
                    1
                }
                kind => {
                    let length = self.block(kind, &lines[at..], depth, &mut missing, &mut blocks);
                    if blocks.len() == before + 1 {
                        describe(std::mem::take(&mut said), &mut blocks);
                    }
                    length
                }
            };
        }
        blocks
    }

    /// Reads what begins with the first line; returns how many lines it has.
    fn block(
        &mut self,
        kind: Kind,
        lines: &[&str],
        depth: usize,
        missing: &mut Missing,
        blocks: &mut Vec<Block>,
    ) -> usize {
        match kind {
            Kind::Block(name, end) => {
                self.named(&name, &lines[..end], depth, blocks);
                end + 1
            }
            Kind::Dynamic(end) => {
                let inner = self.blocks(&lines[1..end], depth + 1);
                blocks.push(Block::Group(inner));
                end + 1
            }
            Kind::Drawer(end) => end + 1,
            Kind::Formula(end) => {
                blocks.push(Block::Typed(outdented(&lines[..=end]).join("\n")));
                end + 1
            }
            Kind::Keyword(_) | Kind::Comment | Kind::Clock => 1,
            Kind::Fixed => {
                let fixed = |line: &&&str| line.trim_start() == ":" || line.trim_start().starts_with(": ");
                let fixed: Vec<&str> = lines.iter().take_while(fixed).copied().collect();
                let texts = fixed.iter().map(|line| line.trim_start().get(2..).unwrap_or_default());
                blocks.push(Block::Typed(texts.collect::<Vec<_>>().join("\n")));
                fixed.len()
            }
            Kind::Rule => {
                blocks.push(Block::Rule);
                1
            }
            Kind::Table => {
                let length = lines.iter().take_while(|line| line.trim_start().starts_with('|')).count();
                blocks.push(table(&lines[..length]));
                length
            }
            Kind::Grid => {
                let length =
                    lines.iter().take_while(|line| line.trim_start().starts_with(['|', '+'])).count();
                blocks.push(Block::Typed(outdented(&lines[..length]).join("\n")));
                length
            }
            Kind::List => self.list(lines, depth, missing, blocks),
            Kind::Footnote(label) => self.footnote(&label, lines, depth),
            Kind::Text => {
                let more = (1..lines.len())
                    .find(|at| lines[*at].is_empty() || self::kind(&lines[*at..], missing) != Kind::Text);
                let length = more.unwrap_or(lines.len());
                let text: Vec<&str> = lines[..length].iter().map(|line| line.trim_start()).collect();
                blocks.push(Block::Paragraph(text.join("\n")));
                length
            }
        }
    }

    /// Reads a block of that name, whose first line names it.
    fn named(&mut self, name: &str, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) {
        let (first, body) = (lines[0].trim_start(), &lines[1..]);
        let mut arguments = first.split_whitespace().skip(1);
        blocks.push(match name {
            "src" => {
                let language = arguments.next().unwrap_or_default();
                let language = if language.starts_with(['-', ':', '+']) { "" } else { language };
                Block::Code { language: language.to_owned(), text: verbatim(body) }
            }
            "example" => Block::Typed(verbatim(body)),
            "verse" => Block::Verse(outdented(body).join("\n")),
            "quote" => Block::Quote(self.blocks(body, depth + 1)),
            "center" => Block::Center(self.blocks(body, depth + 1)),
            // They are for readers of the source, or for other programs.
            "comment" | "export" | "html" | "latex" | "ascii" | "beamer" => return,
            name => match REMARKS.iter().find(|(remark, ..)| *remark == name) {
                Some((_, class, title)) => {
                    Block::Note { class, title: (*title).to_owned(), blocks: self.blocks(body, depth + 1) }
                }
                None => Block::Group(self.blocks(body, depth + 1)),
            },
        });
    }

    fn keyword(&mut self, name: &str, line: &str, said: &mut Said, blocks: &mut Vec<Block>) {
        let value = keyword(line).map_or("", |(_, value)| value);
        match name {
            "caption" => said.caption = format!("{} {value}", said.caption).trim().to_owned(),
            "attr_html" | "attr_org" => {
                let mut words = value.split_whitespace().skip_while(|word| *word != ":width");
                said.width = words.nth(1).unwrap_or_default().to_owned();
            }
            "name" | "tblname" | "srcname" => blocks.push(Block::Target(self.document.add_place(value))),
            "include" => {
                let file = value.strip_prefix('"').and_then(|rest| rest.split('"').next());
                let file = file.or_else(|| value.split_whitespace().next()).unwrap_or_default();
                blocks.push(Block::File(file.split("::").next().unwrap_or_default().to_owned()));
            }
            "toc" => {
                let level = value.split_whitespace().nth(1).and_then(|level| level.parse().ok());
                if value.starts_with("headlines") {
                    blocks.push(Block::Contents(level.unwrap_or(usize::MAX)));
                }
            }
            _ => {}
        }
    }

    fn footnote(&mut self, label: &str, lines: &[&str], depth: usize) -> usize {
        let mut end = 1;
        while end < lines.len() && footnote(lines[end]).is_none() {
            let is_end = lines[end].is_empty() && lines.get(end + 1).is_none_or(|next| next.is_empty());
            if is_end {
                break;
            }
            end += 1;
        }
        let begin = lines[0].find(']').map_or(lines[0].len(), |at| at + 1);
        let mut body = vec![lines[0][begin..].trim_start()];
        body.extend(outdented(&lines[1..end]));
        let blocks = self.blocks(&body, depth + 1);
        self.document.add_footnote(label, blocks);
        end
    }
}

/// The last block takes in what was said of it before.
fn describe(said: Said, blocks: &mut Vec<Block>) {
    if said.width.is_empty() && said.caption.is_empty() {
        return;
    }
    let Some(mut block) = blocks.pop() else { return };
    if !said.width.is_empty() {
        block = Block::Sized { width: said.width, block: Box::new(block) };
    }
    if !said.caption.is_empty() {
        block = Block::Captioned { caption: said.caption, block: Box::new(block) };
    }
    blocks.push(block);
}

/// A table; it is shown as it is typed if it has too many cells.
fn table(lines: &[&str]) -> Block {
    let mut table = Table::default();
    let mut cells = 0;
    for line in lines {
        let line = line.trim();
        if line.starts_with("|-") {
            // The rows above the first line are the head, if others are below.
            if table.head == 0 {
                table.head = table.rows.len();
            }
            continue;
        }
        let inner = line.strip_prefix('|').unwrap_or(line);
        let inner = inner.strip_suffix('|').unwrap_or(inner);
        let row: Vec<String> = inner.split('|').map(|cell| cell.trim().to_owned()).collect();
        cells += row.len();
        if row.len() > TABLE_COLUMNS_MAX || cells > TABLE_CELLS_MAX {
            return Block::Typed(outdented(lines).join("\n"));
        }
        let is_alignment = |cell: &String| {
            let inner = cell.strip_prefix('<').and_then(|cell| cell.strip_suffix('>'));
            matches!(cell.as_str(), "" | "/")
                || inner.is_some_and(|inner| {
                    inner.trim_start_matches(['l', 'c', 'r']).bytes().all(|b| b.is_ascii_digit())
                })
        };
        let is_filled = row.iter().any(|cell| !cell.is_empty());
        if is_filled && row.iter().all(is_alignment) {
            table.aligned = row.iter().map(|cell| cell.chars().nth(1).unwrap_or(' ')).collect();
        } else if row[0] != "/" {
            table.rows.push(row);
        }
    }
    if table.head == table.rows.len() {
        table.head = 0;
    }
    Block::Table(table)
}
