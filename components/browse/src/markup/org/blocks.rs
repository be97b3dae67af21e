//! Tells the lines of a section apart into what it consists of.

use super::document::{Document, keyword};
use super::kinds::{Kind, Missing, footnote, indent, kind, outdented};
use super::tree::{Block, Table};
use crate::limits::{TABLE_CELLS_MAX, TABLE_COLUMNS_MAX};

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

pub struct Parser {
    pub document: Document,
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
                let more = (1..lines.len()).find(|at| {
                    lines[*at].is_empty() || super::kinds::kind(&lines[*at..], missing) != Kind::Text
                });
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
