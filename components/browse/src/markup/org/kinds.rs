//! What lines begin.

use super::document::keyword;
use super::lists::item;
use std::collections::HashSet;

/// What the first of some lines begins.
#[derive(Debug, PartialEq)]
pub enum Kind {
    /// A block of that name, which ends so many lines below.
    Block(String, usize),
    /// A block that a program fills.
    Dynamic(usize),
    /// A drawer, or what is in a language of formulas.
    Drawer(usize),
    Formula(usize),
    Keyword(String),
    Comment,
    Fixed,
    Rule,
    Table,
    Grid,
    List,
    Footnote(String),
    Clock,
    Text,
}

/// Ends that were looked for in vain among the same lines.
pub type Missing = HashSet<String>;

/// How many different ends are looked for in vain; past it, nothing is taken to end.
const MISSING_MAX: usize = 100;

pub fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Lines without the white space that all of them begin with.
pub fn outdented<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let least = lines.iter().filter(|line| !line.is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    lines.iter().map(|line| line.get(least..).unwrap_or_default()).collect()
}

/// How many lines below the first one the end is that looks so; none if there is none.
fn end_below(lines: &[&str], end: &str, missing: &mut Missing) -> Option<usize> {
    if missing.contains(end) || missing.len() >= MISSING_MAX {
        return None;
    }
    let is_end = |line: &&str| {
        let line = line.trim_start();
        line.get(..end.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(end))
            && line[end.len()..].trim().is_empty()
    };
    let found = lines.iter().skip(1).position(is_end).map(|at| at + 1);
    if found.is_none() {
        missing.insert(end.to_owned());
    }
    found
}

/// How many lines below the first one the block ends that begins there.
pub fn block_end(lines: &[&str], missing: &mut Missing) -> Option<usize> {
    match kind(lines, missing) {
        Kind::Block(_, end) => Some(end),
        _ => None,
    }
}

pub fn kind(lines: &[&str], missing: &mut Missing) -> Kind {
    let line = lines[0].trim_start();
    match line.as_bytes() {
        [b'#'] | [b'#', b' ', ..] => return Kind::Comment,
        [b'#', b'+', ..] => return marked(line, lines, missing),
        [b':'] | [b':', b' ', ..] => return Kind::Fixed,
        [b':', ..] if is_drawer(line) => {
            return end_below(lines, ":end:", missing).map_or(Kind::Text, Kind::Drawer);
        }
        [b'|', ..] => return Kind::Table,
        [b'+', b'-', .., b'+'] if line.bytes().all(|byte| matches!(byte, b'+' | b'-')) => return Kind::Grid,
        [b'-', b'-', b'-', b'-', b'-', ..] if line.bytes().all(|byte| byte == b'-') => return Kind::Rule,
        _ => {}
    }
    if let Some(label) = footnote(lines[0]) {
        return Kind::Footnote(label.to_owned());
    }
    if let Some(name) =
        line.strip_prefix("\\begin{").and_then(|rest| rest.split_once('}')).map(|(name, _)| name)
        && let Some(end) = end_below(lines, &format!("\\end{{{name}}}"), missing)
    {
        return Kind::Formula(end);
    }
    if line.starts_with("CLOCK:") {
        return Kind::Clock;
    }
    if item(lines[0]).is_some() {
        return Kind::List;
    }
    Kind::Text
}

/// What a line that begins with `#+` begins.
fn marked(line: &str, lines: &[&str], missing: &mut Missing) -> Kind {
    let lower = line.to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix("#+begin_") {
        let name = rest.split_whitespace().next().unwrap_or_default();
        return match end_below(lines, &format!("#+end_{name}"), missing) {
            Some(end) => Kind::Block(name.to_owned(), end),
            None => Kind::Text,
        };
    }
    if lower.starts_with("#+begin:") {
        let end = end_below(lines, "#+end:", missing).or_else(|| end_below(lines, "#+end", missing));
        return end.map_or(Kind::Keyword("begin".to_owned()), Kind::Dynamic);
    }
    keyword(line).map_or(Kind::Text, |(name, _)| Kind::Keyword(name))
}

/// `:PROPERTIES:` and its kin, alone on a line.
fn is_drawer(line: &str) -> bool {
    let name = line.strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
    name.is_some_and(|name| {
        !name.is_empty()
            && !name.eq_ignore_ascii_case("end")
            && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
    })
}

/// The label of a footnote that is defined on that line.
pub fn footnote(line: &str) -> Option<&str> {
    let (label, _) = line.strip_prefix("[fn:")?.split_once(']')?;
    let is_label = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    (!label.is_empty() && label.chars().all(is_label)).then_some(label)
}
