//! What a text consists of, once its lines are told apart. Texts within are as typed: their marks and links are read
//! when they are written.

/// A part of a text that stands by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// The heading of that number among all of them.
    Heading(usize),
    Paragraph(String),
    /// What is shown as it is typed.
    Typed(String),
    Code {
        language: String,
        text: String,
    },
    Quote(Vec<Block>),
    Center(Vec<Block>),
    /// What is shown line by line.
    Verse(String),
    /// What stands together but looks like any text.
    Group(Vec<Block>),
    /// A remark, by its class.
    Note {
        class: &'static str,
        title: String,
        blocks: Vec<Block>,
    },
    List(List),
    Table(Table),
    /// A block below what is said of it.
    Captioned {
        caption: String,
        block: Box<Block>,
    },
    /// An image as wide as that.
    Sized {
        width: String,
        block: Box<Block>,
    },
    /// Where links to that id lead.
    Target(String),
    /// A list of the headings up to that level.
    Contents(usize),
    /// A link to another file.
    File(String),
    Rule,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    pub level: usize,
    /// What is to be done with it, and whether it is done.
    pub keyword: Option<(String, bool)>,
    pub priority: Option<char>,
    pub title: String,
    pub tags: Vec<String>,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    Bullets,
    Numbers,
    Definitions,
}

#[derive(Debug, Clone, PartialEq)]
pub struct List {
    pub kind: ListKind,
    pub items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The number that it is given.
    pub number: Option<usize>,
    pub check: Option<Check>,
    /// What is described.
    pub term: String,
    pub blocks: Vec<Block>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    No,
    Partly,
    Yes,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The first rows, which say what the columns are.
    pub head: usize,
    pub rows: Vec<Vec<String>>,
    /// How columns are aligned: `l`, `c`, `r`, or as it comes.
    pub aligned: Vec<char>,
}
