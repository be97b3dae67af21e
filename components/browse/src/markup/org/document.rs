//! A whole text: its headings, what is said of all of it, and what its parts are called.

use super::blocks::Parser;
use super::inline::{PLACE_BYTES_MAX, place_id};
use super::tree::{Block, Heading};
use crate::markup::ids::{Ids, slug};
use std::collections::{HashMap, HashSet};

/// What is known of a text before it is written.
#[derive(Debug, Default)]
pub struct Document {
    pub title: String,
    pub headings: Vec<Heading>,
    /// Footnotes, by their labels.
    pub footnotes: HashMap<String, Vec<Block>>,
    /// Their labels, as they come.
    pub footnote_labels: Vec<String>,
    /// What stands in place of a macro, by its name.
    pub macros: HashMap<String, String>,
    /// The addresses that short ones stand for.
    pub abbreviations: HashMap<String, String>,
    pub ids: Ids,
    /// The ids of places, by their names in lower case.
    places: HashMap<String, String>,
    /// Words before headings that say that something is to be done, and those that it is.
    to_do: HashSet<String>,
    done: HashSet<String>,
}

/// A name as names are compared.
fn normal(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The name and the value of a keyword, `#+NAME: value`; the name in lower case.
pub fn keyword(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.trim_start().strip_prefix("#+")?.split_once(':')?;
    // What is in brackets is another form of the value.
    let name = name.split('[').next().unwrap_or_default();
    let is_name = !name.is_empty() && name.len() <= 100 && !name.contains(char::is_whitespace);
    is_name.then(|| (name.to_lowercase(), value.trim()))
}

/// The level of a headline, and its text.
fn headline(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'*').count();
    let text = line[level..].strip_prefix(' ').or((level > 1 && line.len() == level).then_some(""))?;
    (level > 0).then(|| (level, text.trim()))
}

/// Reads a text.
pub fn read(lines: &[&str]) -> (Document, Vec<Block>) {
    let mut document = Document::default();
    lines.iter().filter_map(|line| keyword(line)).for_each(|(name, value)| document.say(&name, value));
    lines.iter().for_each(|line| document.add_places(line));
    let is_default = document.to_do.is_empty() && document.done.is_empty();
    if is_default {
        document.to_do.insert("TODO".to_owned());
        document.done.insert("DONE".to_owned());
    }
    let mut parser = Parser { document };
    let mut blocks = Vec::new();
    // Up to which level a heading ends what is left out.
    let mut left_out = None;
    let mut at = 0;
    while at < lines.len() {
        let found = headline(lines[at]);
        let begin = at + usize::from(found.is_some());
        let more = lines[begin..].iter().position(|line| headline(line).is_some());
        let end = more.map_or(lines.len(), |more| begin + more);
        let section = without_planning(&lines[begin..end], found.is_some());
        at = end;
        if let Some((level, text)) = found {
            left_out = left_out.filter(|above| *above < level);
            if left_out.is_none() && (text == "COMMENT" || text.starts_with("COMMENT ")) {
                left_out = Some(level);
            }
            if left_out.is_some() {
                continue;
            }
            let heading = parser.document.add_heading(level, text, section);
            let inner = parser.blocks(section, 0);
            // A section of footnotes alone is one of those that the text ends with.
            let is_empty = inner.is_empty() && parser.document.headings[heading].title == "Footnotes";
            if is_empty {
                parser.document.headings.pop();
                continue;
            }
            blocks.push(Block::Heading(heading));
            blocks.extend(inner);
        } else {
            blocks.extend(parser.blocks(section, 0));
        }
    }
    (parser.document, blocks)
}

/// The lines of a section without the one that says when it is to be done.
fn without_planning<'a, 'b>(lines: &'b [&'a str], is_below_heading: bool) -> &'b [&'a str] {
    let is_planning = |line: &&str| {
        let words = ["SCHEDULED:", "DEADLINE:", "CLOSED:"];
        words.iter().any(|word| line.trim_start().starts_with(word))
    };
    let skipped = usize::from(is_below_heading && lines.first().is_some_and(is_planning));
    &lines[skipped..]
}

/// The value of a property of a section.
fn property<'a>(section: &[&'a str], name: &str) -> Option<&'a str> {
    let mut lines = section.iter().map(|line| line.trim());
    if !lines.next()?.eq_ignore_ascii_case(":properties:") {
        return None;
    }
    let within = lines.take_while(|line| !line.eq_ignore_ascii_case(":end:"));
    let mut properties = within.filter_map(|line| line.strip_prefix(':')?.split_once(':'));
    properties.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

impl Document {
    /// Takes in what a keyword says of the whole text.
    fn say(&mut self, name: &str, value: &str) {
        match name {
            "title" | "author" | "date" | "email" => {
                if name == "title" {
                    self.title = format!("{} {value}", self.title).trim().to_owned();
                }
                self.macros.insert(name.to_owned(), value.to_owned());
            }
            "todo" | "seq_todo" | "typ_todo" => {
                let (to_do, done) = value.split_once('|').unwrap_or((value, ""));
                // What is in parentheses is a key.
                let words = |words: &str| -> Vec<String> {
                    let words =
                        words.split_whitespace().map(|word| word.split('(').next().unwrap_or_default());
                    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
                };
                let (mut to_do, mut done) = (words(to_do), words(done));
                // Without a stroke the last one says that it is done.
                if !value.contains('|') && to_do.len() > 1 {
                    done.extend(to_do.pop());
                }
                self.to_do.extend(to_do);
                self.done.extend(done);
            }
            "link" => {
                if let Some((short, long)) = value.split_once(char::is_whitespace) {
                    self.abbreviations.insert(short.to_owned(), long.trim().to_owned());
                }
            }
            "macro" => {
                let (name, text) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
                self.macros.insert(name.to_lowercase(), text.trim().to_owned());
            }
            _ => {}
        }
    }

    /// Adds a heading of that text above a section; returns its number among all of them.
    fn add_heading(&mut self, level: usize, text: &str, section: &[&str]) -> usize {
        let (mut rest, mut tags) = (text, Vec::new());
        let parts = text.rsplit_once(char::is_whitespace).unwrap_or(("", text));
        if let Some(inner) = parts.1.strip_prefix(':').and_then(|tags| tags.strip_suffix(':'))
            && inner
                .split(':')
                .all(|tag| !tag.is_empty() && tag.chars().all(|c| c.is_alphanumeric() || "_@#%".contains(c)))
        {
            rest = parts.0.trim_end();
            tags = inner.split(':').map(str::to_owned).collect();
        }
        let mut keyword = None;
        let word = rest.split(' ').next().unwrap_or_default();
        let is_done = self.done.contains(word);
        if is_done || self.to_do.contains(word) {
            keyword = Some((word.to_owned(), is_done));
            rest = rest[word.len()..].trim_start();
        }
        let mut priority = None;
        if let Some((letter, after)) = rest.strip_prefix("[#").and_then(|rest| rest.split_once(']'))
            && let (Some(letter), 1) = (letter.chars().next(), letter.chars().count())
        {
            priority = Some(letter);
            rest = after.trim_start();
        }
        let plain = super::links::plain(rest);
        let own = property(section, "custom_id");
        let id = self.ids.unique(own.map_or_else(|| slug(&plain), str::to_owned), "section");
        let names = [
            Some(format!("*{rest}")),
            own.map(|own| format!("#{own}")),
            property(section, "id").map(|id| format!("id:{id}")),
            Some(rest.to_owned()),
        ];
        for name in names.into_iter().flatten() {
            self.places.entry(normal(&name)).or_insert_with(|| id.clone());
        }
        self.headings.push(Heading { level, keyword, priority, title: rest.to_owned(), tags, id });
        self.headings.len() - 1
    }

    /// Adds the places within a line that links lead to, `<<name>>`.
    fn add_places(&mut self, line: &str) {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("<<") {
            rest = after;
            let near = &after[..after.floor_char_boundary(PLACE_BYTES_MAX)];
            if let Some((name, _)) = near.split_once('>').filter(|(name, _)| !name.contains('<')) {
                self.places.entry(normal(name)).or_insert_with(|| place_id(name));
            }
        }
    }

    /// Adds a place that links lead to; returns its id.
    pub fn add_place(&mut self, name: &str) -> String {
        let id = self.ids.unique(slug(name), "target");
        self.places.insert(normal(name), id.clone());
        id
    }

    /// The id of a place.
    pub fn place(&self, name: &str) -> Option<&str> {
        self.places.get(&normal(name)).map(String::as_str)
    }

    pub fn add_footnote(&mut self, label: &str, blocks: Vec<Block>) {
        if !self.footnotes.contains_key(label) {
            self.footnote_labels.push(label.to_owned());
            self.footnotes.insert(label.to_owned(), blocks);
        }
    }
}
