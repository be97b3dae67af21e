//! Writes what a text consists of as HTML.

use super::names::Names;
use super::tree::{Block, Numerals, Table};
use crate::markup::{Budget, code_block, escaped};

/// The longest name of a role, in bytes.
pub(super) const ROLE_BYTES_MAX: usize = 100;

pub struct Writer<'n> {
    pub(super) names: &'n Names,
    pub(super) html: String,
    pub(super) budget: Budget,
    pub(super) default_role: String,
    /// How many links without a name there were.
    pub(super) anonymous: usize,
    /// How many references to footnotes without names there were.
    pub(super) numbered: usize,
    pub(super) with_symbols: usize,
    /// How many references each footnote has.
    pub(super) references: Vec<usize>,
    pub(super) substituted_bytes: usize,
    pub(super) substituted_depth: usize,
    pub(super) listed: usize,
    /// Whether a title is written in a list of titles, where nothing refers to anything.
    pub(super) is_listing: bool,
}

/// The HTML of blocks; none if it is too much.
pub fn html(names: &Names, blocks: &[Block]) -> Option<String> {
    let mut writer = Writer {
        names,
        html: String::new(),
        budget: Budget::new(),
        default_role: String::new(),
        anonymous: 0,
        numbered: 0,
        with_symbols: 0,
        references: vec![0; names.footnotes.len()],
        substituted_bytes: 0,
        substituted_depth: 0,
        listed: 0,
        is_listing: false,
    };
    writer.blocks(blocks);
    (!writer.budget.is_spent()).then(|| writer.with_back_links())
}

impl Writer<'_> {
    pub(super) fn blocks(&mut self, blocks: &[Block]) {
        blocks.iter().for_each(|block| self.block(block));
    }

    pub(super) fn push(&mut self, html: &str) {
        if self.budget.spend(html.len()) {
            self.html.push_str(html);
        }
    }

    pub(super) fn push_inline(&mut self, text: &str) {
        let html = self.inline(text);
        self.push(&html);
    }

    pub(super) fn element(&mut self, element: &str, text: &str) {
        let html = self.inline(text);
        let name = element.split(' ').next().unwrap_or_default();
        self.push(&format!("<{element}>{html}</{name}>\n"));
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Title(number) => self.title(*number),
            Block::Paragraph(text) => self.element("p", text),
            Block::Typed(text) => self.push(&format!("<pre><code>{}</code></pre>\n", escaped(text))),
            Block::Code { language, text } => self.push(&code_block(language, text)),
            Block::Parsed(text) => {
                let html = self.inline(text);
                self.push(&format!("<pre><code>{html}</code></pre>\n"));
            }
            Block::Described { signatures, blocks } => {
                self.push("<dl>");
                for signature in signatures {
                    self.push(&format!("<dt><code>{}</code></dt>\n", escaped(signature)));
                }
                self.push("<dd>");
                self.blocks(blocks);
                self.push("</dd></dl>\n");
            }
            Block::Quote { blocks, attribution } => {
                self.push("<blockquote>");
                self.blocks(blocks);
                if let Some(attribution) = attribution {
                    self.element("p", &format!("— {attribution}"));
                }
                self.push("</blockquote>\n");
            }
            Block::Bullets(items) => self.list("ul", "", items),
            Block::Numbers { numerals, start, items } => self.numbers(*numerals, *start, items),
            Block::Definitions(items) => self.definitions(items),
            Block::Fields(items) => {
                self.push("<dl class=\"fields\">\n");
                for (name, blocks) in items {
                    self.element("dt", &capitalised(name));
                    self.tight("dd", blocks);
                }
                self.push("</dl>\n");
            }
            Block::Options(items) => {
                self.push("<dl class=\"fields\">\n");
                for (options, blocks) in items {
                    self.push(&format!("<dt><code>{}</code></dt>\n", escaped(options)));
                    self.tight("dd", blocks);
                }
                self.push("</dl>\n");
            }
            Block::Lines(lines) => self.lines(lines),
            Block::Table(table) => self.table(table),
            Block::Image(image) => {
                let html = self.image(image);
                let align = if image.align == "center" { " align=\"center\"" } else { "" };
                self.push(&format!("<p{align}>{html}</p>\n"));
            }
            Block::Figure { image, blocks } => {
                let html = self.image(image);
                self.push(&format!("<figure>{html}"));
                if !blocks.is_empty() {
                    self.push("<figcaption>");
                    self.blocks(blocks);
                    self.push("</figcaption>");
                }
                self.push("</figure>\n");
            }
            Block::Note { class, title, blocks } => {
                let title = self.inline(title);
                self.push(&format!("<div class=\"markdown-alert markdown-alert-{class}\">\n"));
                self.push(&format!("<p class=\"markdown-alert-title\">{title}</p>\n"));
                self.blocks(blocks);
                self.push("</div>\n");
            }
            Block::Rubric(text) if text.is_empty() => {}
            Block::Rubric(text) => {
                let html = self.inline(text);
                self.push(&format!("<p><strong>{html}</strong></p>\n"));
            }
            Block::Group(blocks) => self.blocks(blocks),
            Block::Footnotes(footnotes) => self.footnotes(footnotes),
            Block::Target(id) => self.push(&format!("<a id=\"{}\"></a>", escaped(id))),
            Block::Contents { title, id, local_after, depth } => {
                self.push(&format!("<a id=\"{}\"></a>", escaped(id)));
                self.contents(title, *local_after, *depth);
            }
            Block::Files(files) => self.files(files),
            Block::DefaultRole(role) if role.len() > ROLE_BYTES_MAX => {}
            Block::DefaultRole(role) => self.default_role.clone_from(role),
            Block::Rule => self.push("<hr>\n"),
        }
    }

    fn title(&mut self, number: usize) {
        let title = &self.names.titles[number];
        let (level, id, number) = (title.level.min(6), escaped(&title.id), &title.number);
        let html = self.inline(&title.text);
        let words = escaped(&super::names::plain(&title.text));
        self.push(&format!(
            "<h{level}>{number}{html}<a href=\"#{id}\" aria-label=\"# '{words}'\" class=\"anchor\" id=\"{id}\"></a></h{level}>\n"
        ));
    }

    /// Blocks in an element, the first paragraph not as one if it stands there alone or above lists alone.
    pub(super) fn tight(&mut self, element: &str, blocks: &[Block]) {
        let name = element.split(' ').next().unwrap_or_default();
        self.push(&format!("<{element}>"));
        match blocks {
            [Block::Paragraph(text), rest @ ..] if rest.iter().all(is_list) => {
                self.push_inline(text);
                if !rest.is_empty() {
                    self.push("\n");
                }
                self.blocks(rest);
            }
            blocks => self.blocks(blocks),
        }
        self.push(&format!("</{name}>\n"));
    }

    fn list(&mut self, name: &str, attributes: &str, items: &[Vec<Block>]) {
        self.push(&format!("<{name}{attributes}>\n"));
        let is_tight = items.iter().all(|item| {
            matches!(item.as_slice(), [] | [Block::Paragraph(_)])
                || matches!(item.as_slice(), [Block::Paragraph(_), rest @ ..] if rest.iter().all(is_list))
        });
        for item in items {
            match is_tight {
                true => self.tight("li", item),
                false => {
                    self.push("<li>");
                    self.blocks(item);
                    self.push("</li>\n");
                }
            }
        }
        self.push(&format!("</{name}>\n"));
    }

    fn numbers(&mut self, numerals: Numerals, start: usize, items: &[Vec<Block>]) {
        let kind = match numerals {
            Numerals::Arabic => "",
            Numerals::LowerAlpha => " type=\"a\"",
            Numerals::UpperAlpha => " type=\"A\"",
            Numerals::LowerRoman => " type=\"i\"",
            Numerals::UpperRoman => " type=\"I\"",
        };
        let start = if start == 1 { String::new() } else { format!(" start=\"{start}\"") };
        self.list("ol", &format!("{kind}{start}"), items);
    }

    fn definitions(&mut self, items: &[(String, Vec<Block>)]) {
        self.push("<dl>\n");
        for (term, blocks) in items {
            // What the term is of follows it, behind colons.
            let mut parts = term.split(" : ");
            let html = self.inline(parts.next().unwrap_or_default());
            let html = parts.fold(html, |html, part| format!("{html} <em>{}</em>", self.inline(part)));
            self.push(&format!("<dt>{html}</dt>\n"));
            self.tight("dd", blocks);
        }
        self.push("</dl>\n");
    }

    fn lines(&mut self, lines: &[(usize, String)]) {
        self.push("<p>");
        for (at, (depth, text)) in lines.iter().enumerate() {
            if at > 0 {
                self.push("<br>\n");
            }
            let indentation = "\u{2003}".repeat(2 * (*depth).min(20));
            self.push(&indentation);
            self.push_inline(text);
        }
        self.push("</p>\n");
    }

    fn table(&mut self, table: &Table) {
        self.push("<table>");
        if !table.title.is_empty() {
            self.element("caption", &table.title);
        }
        for (at, row) in table.rows.iter().enumerate() {
            if at == 0 && table.head > 0 {
                self.push("<thead>");
            }
            if at == table.head {
                self.push(if at > 0 { "</thead><tbody>" } else { "<tbody>" });
            }
            self.push("<tr>");
            for (column, cell) in row.iter().enumerate() {
                let name = if at < table.head || column < table.stub { "th" } else { "td" };
                let span = |name: &str, more: usize| match more {
                    0 => String::new(),
                    more => format!(" {name}=\"{}\"", more + 1),
                };
                let spans = span("colspan", cell.more_columns) + &span("rowspan", cell.more_rows);
                self.tight(&format!("{name}{spans}"), &cell.blocks);
            }
            self.push("</tr>\n");
        }
        self.push(if table.rows.len() > table.head { "</tbody></table>\n" } else { "</thead></table>\n" });
    }
}

/// What is said of a text at its beginning is begun with a capital.
const BIBLIOGRAPHIC: [&str; 12] = [
    "abstract",
    "address",
    "author",
    "authors",
    "contact",
    "copyright",
    "date",
    "dedication",
    "organization",
    "revision",
    "status",
    "version",
];

fn capitalised(name: &str) -> String {
    match BIBLIOGRAPHIC.contains(&name) {
        true => name[..1].to_ascii_uppercase() + &name[1..],
        false => name.to_owned(),
    }
}

fn is_list(block: &Block) -> bool {
    matches!(block, Block::Bullets(_) | Block::Numbers { .. })
}
