//! Footnotes and citations: how they are numbered, and how they and what refers to them lead to each other.

use super::names::{Names, Target, normal};
use super::tree::Block;
use super::write::Writer;
use crate::markup::escaped;
use crate::markup::ids::hyphenated;
use std::collections::HashSet;

/// What stands for the links back to the references of a footnote, whose number follows up to the next one: they are
/// known once all is written. It is in no text.
const BACK_LINKS: char = '\u{0}';

/// How many references of one footnote have a link back.
const BACK_LINKS_MAX: usize = 10;

/// A footnote or a citation.
#[derive(Debug)]
pub struct Footnote {
    /// `#` if it is to be numbered, `#name` if it has a name too, `*` if it is to have a symbol; or what it is called.
    label: String,
    /// What it is called.
    pub shown: String,
    pub id: String,
}

impl Footnote {
    pub fn is_citation(&self) -> bool {
        !self.label.starts_with(['#', '*']) && !is_number(&self.label)
    }
}

impl Names {
    /// Adds a footnote; returns its number among all of them.
    pub fn add_footnote(&mut self, label: &str) -> usize {
        let number = self.footnotes.len();
        let id = self.ids.unique(hyphenated(&format!("footnote-{label}")), "footnote");
        if let Some(name) = label.strip_prefix('#').filter(|name| !name.is_empty()) {
            self.targets.insert(normal(name), Target::Id(id.clone()));
        } else if !label.starts_with(['#', '*']) {
            self.targets.entry(normal(label)).or_insert_with(|| Target::Id(id.clone()));
        }
        match label {
            "#" => self.numbered.push(number),
            "*" => self.with_symbols.push(number),
            _ => {
                self.footnotes_by_label.entry(normal(label)).or_insert(number);
            }
        }
        self.footnotes.push(Footnote { label: label.to_owned(), shown: label.to_owned(), id });
        number
    }

    /// The footnote that a reference means, which is the `nth` one of that label.
    pub fn footnote(&self, label: &str, nth: usize) -> Option<usize> {
        match label {
            "#" => self.numbered.get(nth).copied(),
            "*" => self.with_symbols.get(nth).copied(),
            _ => self.footnotes_by_label.get(&normal(label)).copied(),
        }
    }

    pub(super) fn number_footnotes(&mut self) {
        let taken: HashSet<String> = self
            .footnotes
            .iter()
            .map(|footnote| footnote.label.clone())
            .filter(|label| is_number(label))
            .collect();
        let mut free = (1_usize..).map(|number| number.to_string()).filter(|number| !taken.contains(number));
        let mut symbols = 0;
        for footnote in &mut self.footnotes {
            match footnote.label.as_bytes() {
                [b'#', ..] => {
                    footnote.shown = free.next().unwrap_or_default();
                    let target = Target::Id(footnote.id.clone());
                    self.targets.entry(footnote.shown.clone()).or_insert(target);
                }
                [b'*'] => {
                    footnote.shown = symbol(symbols);
                    symbols += 1;
                }
                _ => {}
            }
        }
    }
}

fn is_number(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit())
}

/// The symbols of footnotes, in the order in which they are taken; then twice, and so on.
const SYMBOLS: [&str; 10] = ["*", "†", "‡", "§", "¶", "#", "♠", "♥", "♦", "♣"];

fn symbol(number: usize) -> String {
    SYMBOLS[number % SYMBOLS.len()].repeat((number / SYMBOLS.len()).min(5) + 1)
}

/// What belongs to a footnote joins those right before it.
pub fn push_footnote(blocks: &mut Vec<Block>, number: usize, said: Vec<Block>) {
    match blocks.last_mut() {
        Some(Block::Footnotes(footnotes)) => footnotes.push((number, said)),
        _ => blocks.push(Block::Footnotes(vec![(number, said)])),
    }
}

impl Writer<'_> {
    pub(super) fn footnote_reference(&mut self, label: &str) -> Option<String> {
        if self.is_listing {
            return Some(String::new());
        }
        let nth = match label {
            "#" => &mut self.numbered,
            "*" => &mut self.with_symbols,
            _ => &mut 0,
        };
        let number = self.names.footnote(label, *nth)?;
        *nth += 1;
        let footnote = &self.names.footnotes[number];
        let (id, shown) = (escaped(&footnote.id), escaped(&footnote.shown));
        self.references[number] += 1;
        let back = format!("{id}-ref-{}", self.references[number]);
        Some(match footnote.is_citation() {
            true => format!("<a href=\"#{id}\" id=\"{back}\">[{shown}]</a>"),
            false => format!("<sup class=\"footnote-ref\"><a href=\"#{id}\" id=\"{back}\">{shown}</a></sup>"),
        })
    }

    pub(super) fn footnotes(&mut self, footnotes: &[(usize, Vec<Block>)]) {
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
    pub(super) fn with_back_links(self) -> String {
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
}
