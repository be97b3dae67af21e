//! A directive, whatever it does: its name, its arguments, its options and its contents.

use super::lines::{field, indent, outdented, trimmed};
use super::tree::{Block, Image};

/// A directive, its parts told apart.
pub struct Directive<'a> {
    /// In lower case.
    pub name: String,
    /// What is behind the name on its line.
    pub beside: &'a str,
    /// What follows up to the options or an empty line.
    pub below: Vec<&'a str>,
    options: Vec<(&'a str, String)>,
    pub contents: Vec<&'a str>,
    typed: &'a [&'a str],
}

impl<'a> Directive<'a> {
    /// Reads a directive that begins at that column of the first line; none if none does.
    pub fn read(typed: &'a [&'a str], begin: usize) -> Option<Self> {
        let (name, beside) = typed[0][begin..].split_once("::")?;
        let name = name.trim_end();
        let is_name = name.starts_with(char::is_alphanumeric)
            && name.chars().all(|character| character.is_alphanumeric() || "-_.+:".contains(character));
        if !is_name || !(beside.is_empty() || beside.starts_with(' ')) {
            return None;
        }
        let mut body = outdented(&typed[1..]);
        let mut beside = beside.trim();
        // Options may begin right there.
        if field(beside).is_some() {
            body.insert(0, std::mem::take(&mut beside));
        }
        let mut at = body.iter().take_while(|line| !line.is_empty() && field(line).is_none()).count();
        let below = body[..at].to_vec();
        let mut options: Vec<(&str, String)> = Vec::new();
        while let Some(line) = body.get(at).filter(|line| !line.is_empty()) {
            match (field(line), options.last_mut()) {
                (Some((name, begin)), _) => options.push((name, line[begin..].to_owned())),
                (None, Some((_, value))) if indent(line) > 0 => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                _ => break,
            }
            at += 1;
        }
        let contents = trimmed(&body[at..]).to_vec();
        Some(Self { name: name.to_lowercase(), beside, below, options, contents, typed })
    }

    /// What is before the options, on one line.
    pub fn argument(&self) -> String {
        let parts = std::iter::once(self.beside).chain(self.below.iter().map(|line| line.trim()));
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(other, _)| *other == name).map(|(_, value)| value.trim())
    }

    /// The number that an option says.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.option(name)?.parse().ok()
    }

    /// All but the name and the options: of a directive that has no argument.
    pub fn body(&self) -> Vec<&'a str> {
        let mut lines: Vec<&str> =
            Some(self.beside).into_iter().filter(|beside| !beside.is_empty()).collect();
        lines.extend(self.behind_argument());
        lines
    }

    /// All but what is beside the name and the options.
    pub fn behind_argument(&self) -> Vec<&'a str> {
        let mut lines = self.below.clone();
        let is_apart = !lines.is_empty() || !self.beside.is_empty();
        if is_apart && !self.contents.is_empty() {
            lines.push("");
        }
        lines.extend(&self.contents);
        lines
    }

    pub fn image(&self) -> Image {
        let option = |name| self.option(name).unwrap_or_default().to_owned();
        let address = self.argument().replace(' ', "");
        Image {
            alternative: self.option("alt").unwrap_or(&address).to_owned(),
            address,
            width: option("width"),
            height: option("height"),
            align: option("align"),
            target: option("target"),
        }
    }

    /// The directive as it is typed.
    pub fn typed(&self) -> Block {
        Block::Typed(self.typed.join("\n"))
    }
}
