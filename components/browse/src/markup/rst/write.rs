//! Writes what a text consists of as HTML.

use super::names::Names;
use super::tree::{Block, Image, Numerals, Table};
use crate::markup::{code_block, escaped};

/// How many lines all tables of contents of a text have at most.
const CONTENTS_MAX: usize = 5_000;

/// What stands for the links back to the references of a footnote, whose number follows up to the next one: they are
/// known once all is written. It is in no text.
const BACK_LINKS: char = '\u{0}';

/// How many references of one footnote have a link back.
const BACK_LINKS_MAX: usize = 10;

pub struct Writer<'n> {
    pub(super) names: &'n Names,
    html: String,
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
    listed: usize,
}

/// The HTML of blocks.
pub fn html(names: &Names, blocks: &[Block]) -> String {
    let mut writer = Writer {
        names,
        html: String::new(),
        default_role: String::new(),
        anonymous: 0,
        numbered: 0,
        with_symbols: 0,
        references: vec![0; names.footnotes.len()],
        substituted_bytes: 0,
        substituted_depth: 0,
        listed: 0,
    };
    writer.blocks(blocks);
    writer.with_back_links()
}

impl Writer<'_> {
    fn blocks(&mut self, blocks: &[Block]) {
        blocks.iter().for_each(|block| self.block(block));
    }

    fn push(&mut self, html: &str) {
        self.html.push_str(html);
    }

    fn push_inline(&mut self, text: &str) {
        let html = self.inline(text);
        self.html.push_str(&html);
    }

    fn element(&mut self, element: &str, text: &str) {
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
    fn tight(&mut self, element: &str, blocks: &[Block]) {
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

    pub(super) fn image(&self, image: &Image) -> String {
        let mut html =
            format!("<img src=\"{}\" alt=\"{}\"", escaped(&image.address), escaped(&image.alternative));
        for (name, value) in [("width", pixels(&image.width, true)), ("height", pixels(&image.height, false))]
        {
            if let Some(value) = value {
                html.push_str(&format!(" {name}=\"{value}\""));
            }
        }
        if matches!(image.align.as_str(), "left" | "right") {
            html.push_str(&format!(" align=\"{}\"", image.align));
        }
        html.push('>');
        if image.target.is_empty() {
            return html;
        }
        let name = image.target.strip_suffix('_').map(|name| name.trim_matches('`'));
        let address = name.and_then(|name| self.names.address(name)).unwrap_or_else(|| image.target.clone());
        format!("<a href=\"{}\">{html}</a>", escaped(&address))
    }

    fn footnotes(&mut self, footnotes: &[(usize, Vec<Block>)]) {
        self.push("<section class=\"footnotes\"><dl class=\"fields\">\n");
        for (number, blocks) in footnotes {
            let footnote = &self.names.footnotes[*number];
            let (id, shown) = (escaped(&footnote.id), escaped(&footnote.shown));
            self.push(&format!("<dt id=\"{id}\">[{shown}]{BACK_LINKS}{number}{BACK_LINKS}</dt>\n"));
            self.tight("dd", blocks);
        }
        self.push("</dl></section>\n");
    }

    /// What was written, with links back to the references of footnotes.
    fn with_back_links(self) -> String {
        let mut html = String::with_capacity(self.html.len());
        for (at, part) in self.html.split(BACK_LINKS).enumerate() {
            let Some(number) = part.parse::<usize>().ok().filter(|_| at % 2 == 1) else {
                html.push_str(part);
                continue;
            };
            let id = escaped(&self.names.footnotes[number].id);
            for reference in 1..=self.references[number].min(BACK_LINKS_MAX) {
                html.push_str(&format!(
                    " <a href=\"#{id}-ref-{reference}\" class=\"footnote-backref\">↩</a>"
                ));
            }
        }
        html
    }

    /// A list of titles, each with those below it in it.
    fn contents(&mut self, title: &str, local_after: Option<usize>, depth: usize) {
        let titles = &self.names.titles;
        let above = local_after.and_then(|after| titles[..after].last()).map_or(0, |title| title.level);
        let first = local_after.unwrap_or(self.names.first_of_contents());
        let within = titles[first..].iter().take_while(|title| title.level > above || local_after.is_none());
        let within: Vec<_> = within.take(CONTENTS_MAX.saturating_sub(self.listed)).collect();
        self.listed += within.len();
        let Some(highest) = within.iter().map(|title| title.level).min() else { return };
        if !title.is_empty() {
            let html = self.inline(title);
            self.push(&format!("<p><strong>{html}</strong></p>\n"));
        }
        let mut open = 0;
        for title in within {
            let level = (title.level - highest + 1).min(6);
            if level > depth {
                continue;
            }
            let level = level.min(open + 1);
            match level > open {
                true => self.push("<ul>\n<li>"),
                false => self.push(&format!("</li>\n{}<li>", "</ul></li>\n".repeat(open - level))),
            }
            open = level;
            let words = without_links(&self.inline(&title.text));
            self.push(&format!("<a href=\"#{}\">{}{words}</a>", escaped(&title.id), title.number));
        }
        let end = "</li></ul>\n".repeat(open);
        self.push(&end);
    }

    fn files(&mut self, files: &[(String, String)]) {
        self.push("<ul>\n");
        for (label, path) in files {
            let label = escaped(label);
            match path.as_str() {
                "" => self.push(&format!("<li>{label}</li>\n")),
                path => self.push(&format!("<li><a href=\"{}\">{label}</a></li>\n", escaped(path))),
            }
        }
        self.push("</ul>\n");
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

/// A length in pixels, or of all the width there is.
fn pixels(length: &str, may_be_part: bool) -> Option<String> {
    let digits = length.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(length.len());
    let number: f64 = length[..digits].parse().ok()?;
    let of_unit = match length[digits..].trim() {
        "" | "px" => 1.0,
        "%" if may_be_part => return Some(format!("{}%", number.min(100.0))),
        "em" => 16.0,
        "ex" => 8.0,
        "in" => 96.0,
        "cm" => 37.8,
        "mm" => 3.78,
        "pt" => 1.33,
        "pc" => 16.0,
        _ => return None,
    };
    let pixels = (number * of_unit).round();
    (pixels >= 1.0 && pixels <= 10_000.0).then(|| pixels.to_string())
}

/// HTML of a text without its elements, which may be links or have ids.
fn without_links(html: &str) -> String {
    let mut parts = html.split('<');
    let mut words = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        words.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    words
}
