//! What a text consists of, once its lines are told apart. Texts within are as typed: their marks and links
//! are read when they are written.

/// A part of a text that stands by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// The title of that number among all of them.
    Title(usize),
    Paragraph(String),
    /// What is shown as it is typed.
    Typed(String),
    /// Code, of the language of that name.
    Code {
        language: String,
        text: String,
    },
    /// Code that is signed by what it says, and what is said of it.
    Described {
        signatures: Vec<String>,
        blocks: Vec<Block>,
    },
    /// What is shown line by line as it is typed, but for marks and links.
    Parsed(String),
    Quote {
        blocks: Vec<Block>,
        attribution: Option<String>,
    },
    Bullets(Vec<Vec<Block>>),
    Numbers {
        numerals: Numerals,
        start: usize,
        items: Vec<Vec<Block>>,
    },
    /// Terms, each with what it means.
    Definitions(Vec<(String, Vec<Block>)>),
    /// Names, each with what is said of it.
    Fields(Vec<(String, Vec<Block>)>),
    /// Options of a program, each with what it does.
    Options(Vec<(String, Vec<Block>)>),
    /// Lines, each with how deep it is nested.
    Lines(Vec<(usize, String)>),
    Table(Table),
    Image(Image),
    Figure {
        image: Image,
        blocks: Vec<Block>,
    },
    Note {
        class: &'static str,
        title: String,
        blocks: Vec<Block>,
    },
    /// A title that is no section's.
    Rubric(String),
    /// What stands together but looks like any text.
    Group(Vec<Block>),
    /// Footnotes and citations, by their numbers among all of them.
    Footnotes(Vec<(usize, Vec<Block>)>),
    /// Where links to that id lead.
    Target(String),
    /// A list of the titles: of those after the first so many that belong to the section, or of all.
    Contents {
        title: String,
        id: String,
        local_after: Option<usize>,
        depth: usize,
    },
    /// Links to other files: what they are called, and their paths.
    Files(Vec<(String, String)>),
    /// What kind of text is in single quotes from here on.
    DefaultRole(String),
    Rule,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Title {
    /// How deep it is, counted from 1.
    pub level: usize,
    pub text: String,
    pub id: String,
    /// What it is numbered by, with a space at its end; empty if titles are not numbered.
    pub number: String,
}

/// The numerals of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numerals {
    Arabic,
    LowerAlpha,
    UpperAlpha,
    LowerRoman,
    UpperRoman,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Image {
    pub address: String,
    pub alternative: String,
    pub width: String,
    pub height: String,
    pub align: String,
    /// The address that it leads to, or the name of one with an underscore behind it.
    pub target: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    pub title: String,
    /// The first rows, which say what the columns are.
    pub head: usize,
    /// The first columns, which say what the rows are.
    pub stub: usize,
    pub rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// How many more columns and rows it takes.
    pub more_columns: usize,
    pub more_rows: usize,
    pub blocks: Vec<Block>,
}

/// The texts in blocks that have marks and links.
pub fn texts(blocks: &[Block]) -> Vec<&str> {
    let mut found = Vec::new();
    blocks.iter().for_each(|block| add_texts(block, &mut found));
    found
}

fn add_texts<'b>(block: &'b Block, found: &mut Vec<&'b str>) {
    let below = |blocks: &'b [Block], found: &mut Vec<&'b str>| {
        blocks.iter().for_each(|block| add_texts(block, found));
    };
    match block {
        Block::Paragraph(text) | Block::Parsed(text) | Block::Rubric(text) => found.push(text),
        Block::Described { blocks, .. } | Block::Figure { blocks, .. } | Block::Group(blocks) => {
            below(blocks, found);
        }
        Block::Quote { blocks, attribution } => {
            below(blocks, found);
            found.extend(attribution.as_deref());
        }
        Block::Note { title, blocks, .. } => {
            found.push(title);
            below(blocks, found);
        }
        Block::Bullets(items) | Block::Numbers { items, .. } => {
            items.iter().for_each(|item| below(item, found));
        }
        Block::Definitions(items) | Block::Fields(items) => {
            for (name, blocks) in items {
                found.push(name);
                below(blocks, found);
            }
        }
        Block::Options(items) => items.iter().for_each(|(_, blocks)| below(blocks, found)),
        Block::Footnotes(items) => items.iter().for_each(|(_, blocks)| below(blocks, found)),
        Block::Lines(lines) => found.extend(lines.iter().map(|(_, text)| text.as_str())),
        Block::Table(table) => {
            found.push(&table.title);
            table.rows.iter().flatten().for_each(|cell| below(&cell.blocks, found));
        }
        Block::Title(_)
        | Block::Typed(_)
        | Block::Code { .. }
        | Block::Image(_)
        | Block::Target(_)
        | Block::Contents { .. }
        | Block::Files(_)
        | Block::DefaultRole(_)
        | Block::Rule => {}
    }
}
