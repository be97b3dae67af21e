//! What a text names: titles, targets, footnotes, substitutions and roles. All of them are known before the first is
//! written, as links may stand before what they lead to.

use super::footnotes::Footnote;
use super::tree::{Block, Image, Title, texts};
use crate::markup::ids::{Ids, hyphenated};
use std::collections::HashMap;

/// How many names may lead to one another before a link is taken to lead nowhere.
const INDIRECT_MAX: usize = 8;

/// The longest text of a link that holds its own address, in bytes.
const EMBEDDED_BYTES_MAX: usize = 1_000;

/// Where a name leads.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    Address(String),
    /// Within the text.
    Id(String),
    /// Where another name leads.
    Name(String),
}

/// What stands in place of a name between `|`.
#[derive(Debug, Clone, PartialEq)]
pub enum Substitution {
    Text(String),
    Image(Image),
}

#[derive(Debug, Default)]
pub struct Names {
    pub titles: Vec<Title>,
    pub footnotes: Vec<Footnote>,
    pub are_titles_numbered: bool,
    titles_by_name: HashMap<String, usize>,
    pub(super) footnotes_by_label: HashMap<String, usize>,
    /// The footnotes without names that are numbered, and those that have symbols.
    pub(super) numbered: Vec<usize>,
    pub(super) with_symbols: Vec<usize>,
    pub(super) targets: HashMap<String, Target>,
    anonymous: Vec<Target>,
    substitutions: HashMap<String, Substitution>,
    /// The same, whatever the case of their names.
    substitutions_by_lower: HashMap<String, Substitution>,
    roles: HashMap<String, String>,
    pub(super) ids: Ids,
}

/// A name as names are compared: its case and its white space do not matter.
pub fn normal(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A text without its marks.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next().filter(|next| !next.is_whitespace())),
            '`' | '*' | '|' => {}
            '_' if !characters.peek().is_some_and(|next| next.is_alphanumeric()) => {}
            _ => plain.push(character),
        }
    }
    plain
}

impl Names {
    /// Adds a title; returns its number among all of them.
    pub fn add_title(&mut self, level: usize, text: &str) -> usize {
        let id = self.ids.unique(hyphenated(&plain(text)), "section");
        // The first of some titles of one name is the one that links lead to.
        self.targets.entry(normal(&plain(text))).or_insert_with(|| Target::Id(id.clone()));
        self.titles.push(Title { level, text: text.to_owned(), id, number: String::new() });
        self.titles.len() - 1
    }

    /// Adds a name of a title that stands above it.
    pub fn add_title_name(&mut self, name: &str, number: usize) {
        self.titles_by_name.insert(normal(name), number);
    }

    /// The title that has that name above it.
    pub fn title(&self, name: &str) -> Option<&Title> {
        self.titles.get(*self.titles_by_name.get(&normal(name))?)
    }

    /// Adds a list of titles; returns its id.
    pub fn add_contents(&mut self, title: &str) -> String {
        let title = if title.is_empty() { "contents" } else { title };
        let id = self.ids.unique(hyphenated(title), "contents");
        self.targets.entry(normal(title)).or_insert_with(|| Target::Id(id.clone()));
        id
    }

    /// Adds a place in the text that links lead to; returns its id.
    pub fn add_place(&mut self, name: &str) -> String {
        let id = self.ids.unique(hyphenated(name), "target");
        self.targets.insert(normal(name), Target::Id(id.clone()));
        id
    }

    /// Adds a target, `address` as it is typed: an address, or the name of another target.
    pub fn add_target(&mut self, name: &str, address: &str) {
        self.targets.insert(normal(name), target_of(address));
    }

    pub fn add_anonymous(&mut self, address: &str) {
        self.anonymous.push(target_of(address));
    }

    /// Adds a place that links without names lead to; returns its id.
    pub fn add_anonymous_place(&mut self) -> String {
        let id = self.ids.unique(hyphenated(""), "target");
        self.anonymous.push(Target::Id(id.clone()));
        id
    }

    /// Adds what is named within texts: not in code, nor in what is shown as it is typed.
    pub fn add_named_in(&mut self, blocks: &[Block]) {
        let titles: Vec<String> = self.titles.iter().map(|title| title.text.clone()).collect();
        for text in titles.iter().map(String::as_str).chain(texts(blocks)) {
            self.add_embedded(text);
            self.add_inline_targets(text);
        }
    }

    /// Adds the names of links that hold their own addresses, `` `name <address>`_ ``.
    fn add_embedded(&mut self, text: &str) {
        for (end, _) in text.match_indices(">`_") {
            let before = &text[text.floor_char_boundary(end.saturating_sub(EMBEDDED_BYTES_MAX))..end];
            let is_named = !text[end + 3..].starts_with('_');
            let Some((name, address)) = before.rsplit_once('`').and_then(|(_, link)| link.rsplit_once('<'))
            else {
                continue;
            };
            if is_named && !name.trim().is_empty() {
                self.targets.entry(normal(name)).or_insert_with(|| target_of(address));
            }
        }
    }

    /// Adds the places that links lead to within texts, `` _`name` ``.
    fn add_inline_targets(&mut self, text: &str) {
        for (begin, mark) in text.match_indices("_`") {
            let after = &text[begin + mark.len()..];
            let after = &after[..after.floor_char_boundary(EMBEDDED_BYTES_MAX)];
            let is_begin = !text[..begin].ends_with(|before: char| before.is_alphanumeric() || before == '`');
            if let Some((name, _)) =
                after.split_once('`').filter(|(name, _)| is_begin && !name.trim().is_empty())
            {
                self.add_place(name);
            }
        }
    }

    pub fn add_substitution(&mut self, name: &str, substitution: Substitution) {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        self.substitutions_by_lower.insert(name.to_lowercase(), substitution.clone());
        self.substitutions.insert(name, substitution);
    }

    /// What a name between `|` stands for; if not in its case, then in another.
    pub fn substitution(&self, name: &str) -> Option<&Substitution> {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        self.substitutions.get(&name).or_else(|| self.substitutions_by_lower.get(&name.to_lowercase()))
    }

    /// Adds a role that is like another one.
    pub fn add_role(&mut self, name: &str, base: &str) {
        self.roles.insert(name.to_lowercase(), base.to_lowercase());
    }

    /// The role that one of that name is like.
    pub fn role(&self, name: &str) -> String {
        let mut role = name.to_lowercase();
        for _ in 0..INDIRECT_MAX {
            match self.roles.get(&role) {
                Some(base) if *base != role => role = base.clone(),
                _ => break,
            }
        }
        role
    }

    /// Where links of that name lead: an address, or `#` and an id.
    pub fn address(&self, name: &str) -> Option<String> {
        self.resolved(self.targets.get(&normal(name))?)
    }

    /// Where that link without a name leads.
    pub fn anonymous_address(&self, number: usize) -> Option<String> {
        self.resolved(self.anonymous.get(number)?)
    }

    fn resolved(&self, target: &Target) -> Option<String> {
        let mut target = target;
        for _ in 0..INDIRECT_MAX {
            match target {
                Target::Address(address) => return Some(address.clone()),
                Target::Id(id) => return Some(format!("#{id}")),
                Target::Name(name) => target = self.targets.get(&normal(name))?,
            }
        }
        None
    }

    /// Numbers what is to be numbered, once all of it is known.
    pub fn number(&mut self) {
        self.number_footnotes();
        if self.are_titles_numbered {
            self.number_titles();
        }
    }
}

/// What an address that is typed means.
fn target_of(address: &str) -> Target {
    let address = address.trim();
    if let Some(name) = address.strip_suffix('_').filter(|name| !name.ends_with('\\')) {
        let quoted = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
        let is_name = |name: &str| !name.contains(['/', ' ', '#', '?', '@']) && !name.contains("::");
        if let Some(name) = quoted.or(Some(name).filter(|name| is_name(name))) {
            return Target::Name(name.to_owned());
        }
    }
    Target::Address(unescaped(&address.split_whitespace().collect::<String>()))
}

/// A text without the backslashes that take its marks away, and what white space they take away.
pub fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => result.extend(characters.next().filter(|next| !next.is_whitespace())),
            _ => result.push(character),
        }
    }
    result
}
