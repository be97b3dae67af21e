//! Writes what a text consists of as HTML.

use super::document::Document;
use super::footnotes::Referred;
use super::tree::{Block, Check, Item, List, ListKind, Table};
use crate::markup::{Budget, code_block, escaped};
use std::collections::HashMap;

/// How many lines all tables of contents of a text have at most.
const CONTENTS_MAX: usize = 5_000;

pub struct Writer<'d> {
    pub(super) document: &'d Document,
    html: String,
    pub(super) budget: Budget,
    pub(super) footnotes: Vec<Referred>,
    pub(super) footnotes_by_label: HashMap<String, usize>,
    pub(super) macro_bytes: usize,
    listed: usize,
    /// How wide the images are of what is written.
    width: String,
}

/// The HTML of blocks; none if it is too much.
pub fn html(document: &Document, blocks: &[Block]) -> Option<String> {
    let mut writer = Writer {
        document,
        html: String::new(),
        budget: Budget::new(),
        footnotes: Vec::new(),
        footnotes_by_label: HashMap::new(),
        macro_bytes: 0,
        listed: 0,
        width: String::new(),
    };
    if !document.title.is_empty() {
        writer.element("h1", &document.title);
    }
    writer.blocks(blocks);
    writer.all_footnotes();
    (!writer.budget.is_spent()).then_some(writer.html)
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

    pub(super) fn element(&mut self, element: &str, text: &str) {
        let html = self.inline(text);
        self.push(&format!("<{element}>{html}</{element}>\n"));
    }

    fn within(&mut self, open: &str, blocks: &[Block], close: &str) {
        self.push(open);
        self.blocks(blocks);
        self.push(close);
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(number) => self.heading(*number),
            Block::Paragraph(text) => {
                let html = self.inline(text);
                let html = self.sized(html);
                self.push(&format!("<p>{html}</p>\n"));
            }
            Block::Typed(text) => self.push(&format!("<pre><code>{}</code></pre>\n", escaped(text))),
            Block::Code { language, text } => self.push(&code_block(language, text)),
            Block::Quote(blocks) => self.within("<blockquote>", blocks, "</blockquote>\n"),
            Block::Center(blocks) => self.within("<div align=\"center\">", blocks, "</div>\n"),
            Block::Verse(text) => {
                let lines: Vec<String> = text.lines().map(|line| self.verse(line)).collect();
                self.push(&format!("<p>{}</p>\n", lines.join("<br>\n")));
            }
            Block::Group(blocks) => self.blocks(blocks),
            Block::Note { class, title, blocks } => {
                let title = escaped(title);
                self.push(&format!("<div class=\"markdown-alert markdown-alert-{class}\">\n"));
                self.within(&format!("<p class=\"markdown-alert-title\">{title}</p>\n"), blocks, "</div>\n");
            }
            Block::List(list) => self.list(list),
            Block::Table(table) => self.table(table, ""),
            Block::Captioned { caption, block } => self.captioned(caption, block),
            Block::Sized { width, block } => {
                self.width.clone_from(width);
                self.block(block);
                self.width.clear();
            }
            Block::Target(id) => self.push(&format!("<a id=\"{}\"></a>", escaped(id))),
            Block::Contents(level) => self.contents(*level),
            Block::File(path) => {
                self.push(&format!("<p><a href=\"{0}\">{0}</a></p>\n", escaped(path)));
            }
            Block::Rule => self.push("<hr>\n"),
        }
    }

    /// HTML whose images are as wide as was said.
    fn sized(&self, html: String) -> String {
        let digits = self.width.trim_end_matches("px");
        let number = digits.trim_end_matches('%');
        match number.parse::<u32>() {
            Ok(1..=10_000) => html.replace("<img ", &format!("<img width=\"{digits}\" ")),
            _ => html,
        }
    }

    fn verse(&mut self, line: &str) -> String {
        let text = line.trim_start();
        "\u{a0}".repeat((line.len() - text.len()).min(100)) + &self.inline(text)
    }

    fn heading(&mut self, number: usize) {
        let heading = &self.document.headings[number];
        // The title of the whole is above them all.
        let level = (heading.level + usize::from(!self.document.title.is_empty())).min(6);
        let id = escaped(&heading.id);
        self.push(&format!("<h{level}>"));
        if let Some((word, is_done)) = &heading.keyword {
            let class = if *is_done { "org-done" } else { "org-to-do" };
            self.push(&format!("<span class=\"{class}\">{}</span> ", escaped(word)));
        }
        if let Some(letter) = heading.priority {
            let letter = escaped(&letter.to_string());
            self.push(&format!("<span class=\"org-priority\">[#{letter}]</span> "));
        }
        let html = self.inline(&heading.title);
        self.push(&html);
        for tag in &heading.tags {
            self.push(&format!(" <span class=\"org-tag\">{}</span>", escaped(tag)));
        }
        let words = escaped(&super::links::plain(&heading.title));
        self.push(&format!(
            "<a href=\"#{id}\" aria-label=\"# '{words}'\" class=\"anchor\" id=\"{id}\"></a></h{level}>\n"
        ));
    }

    fn list(&mut self, list: &List) {
        let name = match list.kind {
            ListKind::Bullets => "ul",
            ListKind::Numbers => "ol",
            ListKind::Definitions => "dl",
        };
        self.push(&format!("<{name}>\n"));
        let is_tight = list.items.iter().all(|item| {
            let rest = item.blocks.get(1..).unwrap_or_default();
            rest.iter().all(|block| matches!(block, Block::List(_)))
        });
        list.items.iter().for_each(|item| self.item(list.kind, item, is_tight));
        self.push(&format!("</{name}>\n"));
    }

    fn item(&mut self, kind: ListKind, item: &Item, is_tight: bool) {
        let check = match item.check {
            Some(Check::Yes) => "<input type=\"checkbox\" checked=\"\" disabled=\"\"> ",
            Some(Check::No) => "<input type=\"checkbox\" disabled=\"\"> ",
            Some(Check::Partly) => "<code>[-]</code> ",
            None => "",
        };
        // That of what is described stands before its name.
        let inner_check = if kind == ListKind::Definitions { "" } else { check };
        let close = match (kind, item.number) {
            (ListKind::Definitions, _) => {
                let term = self.inline(&item.term);
                self.push(&format!("<dt>{check}{term}</dt>\n<dd>"));
                "</dd>\n"
            }
            (ListKind::Numbers, Some(number)) => {
                self.push(&format!("<li value=\"{number}\">"));
                "</li>\n"
            }
            _ => {
                self.push("<li>");
                "</li>\n"
            }
        };
        match item.blocks.as_slice() {
            [Block::Paragraph(text), rest @ ..] if !is_tight && kind != ListKind::Definitions => {
                let html = self.inline(text);
                self.push(&format!("<p>{check}{html}</p>\n"));
                self.blocks(rest);
            }
            [Block::Paragraph(text), rest @ ..] if is_tight => {
                let html = self.inline(text);
                self.push(inner_check);
                self.push(&html);
                if !rest.is_empty() {
                    self.push("\n");
                }
                self.blocks(rest);
            }
            blocks => {
                self.push(inner_check);
                self.blocks(blocks);
            }
        }
        self.push(close);
    }

    fn table(&mut self, table: &Table, caption: &str) {
        self.push("<table>");
        if !caption.is_empty() {
            self.element("caption", caption);
        }
        if table.head > 0 {
            self.push("<thead>");
        }
        for (at, row) in table.rows.iter().enumerate() {
            if at == table.head {
                self.push(if at > 0 { "</thead><tbody>" } else { "<tbody>" });
            }
            self.push("<tr>");
            let name = if at < table.head { "th" } else { "td" };
            for (column, cell) in row.iter().enumerate() {
                let align = match table.aligned.get(column) {
                    Some('c') => " align=\"center\"",
                    Some('r') => " align=\"right\"",
                    _ => "",
                };
                let html = self.inline(cell);
                self.push(&format!("<{name}{align}>{html}</{name}>"));
            }
            self.push("</tr>\n");
        }
        self.push(if table.rows.is_empty() { "</table>\n" } else { "</tbody></table>\n" });
    }

    fn captioned(&mut self, caption: &str, block: &Block) {
        if let Block::Table(table) = block {
            return self.table(table, caption);
        }
        self.push("<figure>");
        self.block(block);
        self.element("figcaption", caption);
        self.push("</figure>\n");
    }

    /// A list of the headings up to that level, each with those below it in it.
    fn contents(&mut self, deepest: usize) {
        let headings = &self.document.headings;
        let Some(highest) = headings.iter().map(|heading| heading.level).min() else { return };
        let mut open = 0;
        for heading in headings.iter().filter(|heading| heading.level - highest < deepest) {
            if self.listed == CONTENTS_MAX {
                break;
            }
            self.listed += 1;
            let level = (heading.level - highest + 1).min(6).min(open + 1);
            match level > open {
                true => self.push("<ul>\n<li>"),
                false => self.push(&format!("</li>\n{}<li>", "</ul></li>\n".repeat(open - level))),
            }
            open = level;
            let words = escaped(&super::links::plain(&heading.title));
            self.push(&format!("<a href=\"#{}\">{words}</a>", escaped(&heading.id)));
        }
        self.push(&"</li></ul>\n".repeat(open));
    }
}
