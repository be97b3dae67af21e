//! Marks and links within a text.

use super::entities::entity;
use super::links;
use super::scan::{MARKS, Scanner, may_begin, may_end};
use super::write::Writer;
use crate::markup::{address_len, escaped, link, with_pieces};

/// The longest name of a kind of address, and what ends it, in bytes.
const SCHEME_BYTES_MAX: usize = 10;

/// The longest name of a place within a text, in bytes.
pub const PLACE_BYTES_MAX: usize = 200;

/// How deep marks are nested.
const DEPTH_MAX: usize = 6;

/// How many bytes of what stands for macros are written at most; past it, the macros are.
const MACRO_BYTES_MAX: usize = 256 << 10;

impl Writer<'_> {
    /// The HTML of a text.
    pub(super) fn inline(&mut self, text: &str) -> String {
        self.nested(text, 0)
    }

    fn nested(&mut self, text: &str, depth: usize) -> String {
        if depth > DEPTH_MAX {
            return escaped(text);
        }
        let mut scanner = Scanner::new(text);
        let budget = self.budget.clone();
        with_pieces(text, &budget, |at, character, before| {
            match character {
                '[' => self.bracket(&mut scanner, at, depth),
                '<' => angle(&mut scanner, at),
                '\\' => backslash(&mut scanner, at),
                '^' | '_'
                    if before.is_some_and(|before| !before.is_whitespace())
                        && text[at + 1..].starts_with('{') =>
                {
                    self.script(&mut scanner, at, character, depth)
                }
                '{' if text[at..].starts_with("{{{") => self.macro_text(&mut scanner, at),
                '@' if text[at..].starts_with("@@") => {
                    // It is for other programs, as HTML.
                    scanner.close("@@", at + 2).map(|end| (String::new(), end + 2 - at))
                }
                'h' if !before.is_some_and(char::is_alphanumeric) => {
                    let length = address_len(&text[at..]);
                    let address = &text[at..at + length];
                    (length > 0).then(|| (link(address, address), length))
                }
                's' if !before.is_some_and(char::is_alphanumeric) => source(&mut scanner, at),
                character if may_begin(before) => self.marked(&mut scanner, at, character, depth),
                _ => None,
            }
        })
    }

    /// A word that is marked.
    fn marked(
        &mut self,
        scanner: &mut Scanner,
        at: usize,
        mark: char,
        depth: usize,
    ) -> Option<(String, usize)> {
        let kind = MARKS.iter().position(|(other, ..)| *other == mark)?;
        let (_, element, is_nested) = MARKS[kind];
        let text = scanner.text;
        if text[at + 1..].starts_with(|next: char| next.is_whitespace()) {
            return None;
        }
        let mut close = [0; 1];
        let end = scanner.find(kind, mark.encode_utf8(&mut close), at + 1, may_end)?;
        let inner = &text[at + 1..end];
        let html = if is_nested { self.nested(inner, depth + 1) } else { escaped(inner) };
        Some((format!("<{element}>{html}</{element}>"), end + 1 - at))
    }

    /// A link, a footnote, or a time that is past, in brackets.
    fn bracket(&mut self, scanner: &mut Scanner, at: usize, depth: usize) -> Option<(String, usize)> {
        let text = scanner.text;
        let rest = &text[at..];
        if rest.starts_with("[[") {
            let end = scanner.close("]]", at + 2)?;
            // The brackets of a label may be within.
            let end = end + text[end + 2..].bytes().take_while(|byte| *byte == b']').count().min(1);
            let inner = &text[at + 2..end];
            let (target, label) = match inner.split_once("][") {
                Some((target, label)) => (target, Some((label, self.label(label, depth)))),
                None => (inner, None),
            };
            if target.is_empty() || target.contains('[') {
                return None;
            }
            let target = target.split_whitespace().collect::<Vec<_>>().join(" ");
            return Some((links::written(self.document, &target, label), end + 2 - at));
        }
        if let Some(inner) = rest.strip_prefix("[fn:") {
            let end = self.footnote_end(scanner, at + 4)?;
            let (label, said) = inner[..end - at - 4]
                .split_once(':')
                .map_or((&inner[..end - at - 4], None), |(l, s)| (l, Some(s)));
            let html = self.footnote_reference(label, said)?;
            return Some((html, end + 1 - at));
        }
        let end = is_time(&rest[1..]).then(|| scanner.close("]", at + 1))??;
        Some((format!("<time>{}</time>", escaped(&text[at..=end])), end + 1 - at))
    }

    /// The label of a link, which has no links in it.
    fn label(&mut self, label: &str, depth: usize) -> String {
        let html = self.nested(label, depth + 1);
        if html.contains("<a ") { escaped(label) } else { html }
    }

    /// Where a footnote in brackets ends, which may have others in it.
    fn footnote_end(&mut self, scanner: &mut Scanner, begin: usize) -> Option<usize> {
        let first = scanner.close("]", begin)?;
        let text = scanner.text;
        if !text[begin..first].contains('[') {
            return Some(first);
        }
        let mut open = 0_usize;
        let end = text.floor_char_boundary(begin + 1_000);
        for (at, byte) in text[begin..end].bytes().enumerate() {
            match byte {
                b'[' => open += 1,
                b']' if open == 0 => return Some(begin + at),
                b']' => open -= 1,
                _ => {}
            }
        }
        None
    }

    fn script(
        &mut self,
        scanner: &mut Scanner,
        at: usize,
        mark: char,
        depth: usize,
    ) -> Option<(String, usize)> {
        let end = scanner.close("}", at + 2)?;
        let inner = self.nested(&scanner.text[at + 2..end], depth + 1);
        let element = if mark == '^' { "sup" } else { "sub" };
        Some((format!("<{element}>{inner}</{element}>"), end + 1 - at))
    }

    /// What stands for a macro, its arguments filled in.
    fn macro_text(&mut self, scanner: &mut Scanner, at: usize) -> Option<(String, usize)> {
        let end = scanner.close("}}}", at + 3)?;
        let typed = &scanner.text[at + 3..end];
        let (name, arguments) = typed.split_once('(').unwrap_or((typed, ""));
        let mut text = self.document.macros.get(&name.trim().to_lowercase())?.clone();
        let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
        for (number, argument) in arguments.split(',').enumerate().take(9) {
            let (name, argument) = (format!("${}", number + 1), argument.trim());
            self.macro_bytes += text.len() + text.matches(&name).count() * argument.len();
            if self.macro_bytes > MACRO_BYTES_MAX {
                return None;
            }
            text = text.replace(&name, argument);
        }
        // What stands for a macro has none in it.
        let html = if text.contains("{{{") { escaped(&text) } else { self.nested(&text, 1) };
        Some((html, end + 3 - at))
    }
}

/// Whether a text begins as a time does.
fn is_time(text: &str) -> bool {
    let shape = b"dddd-dd-dd";
    let bytes = text.as_bytes();
    bytes.len() >= shape.len()
        && shape
            .iter()
            .zip(bytes)
            .all(|(shape, byte)| if *shape == b'd' { byte.is_ascii_digit() } else { byte == shape })
}

/// An address, a time or a place, in angle brackets.
fn angle(scanner: &mut Scanner, at: usize) -> Option<(String, usize)> {
    let text = scanner.text;
    let rest = &text[at + 1..];
    if let Some(inner) = rest.strip_prefix('<') {
        let name = inner[..inner.floor_char_boundary(PLACE_BYTES_MAX)].split('>').next().unwrap_or_default();
        let is_radio = name.starts_with('<');
        let (name, marks) = (name.trim_start_matches('<'), if is_radio { 3 } else { 2 });
        let length = marks + name.len() + marks;
        if name.is_empty() || name.contains('\n') || !text[at..].get(..length)?.ends_with(&">>>"[..marks]) {
            return None;
        }
        let shown = if is_radio { escaped(name) } else { String::new() };
        return Some((format!("<a id=\"{}\"></a>{shown}", escaped(&place_id(name))), length));
    }
    if is_time(rest) {
        let end = scanner.close(">", at + 1)?;
        return Some((format!("<time>{}</time>", escaped(&text[at..=end])), end + 1 - at));
    }
    let scheme = rest[..rest.floor_char_boundary(SCHEME_BYTES_MAX)].split_once(':')?.0;
    let is_scheme = matches!(scheme, "http" | "https" | "mailto" | "ftp" | "git" | "ssh" | "irc" | "xmpp");
    let end = scanner.close(">", at + 1).filter(|_| is_scheme)?;
    let address = &text[at + 1..end];
    let is_address = !address.contains(char::is_whitespace);
    is_address.then(|| (link(address, address), end + 1 - at))
}

/// The id of a place that stands within a text.
pub fn place_id(name: &str) -> String {
    format!("place-{}", name.split_whitespace().collect::<Vec<_>>().join("-").to_lowercase())
}

/// A character by its name, a line end, or a formula.
fn backslash(scanner: &mut Scanner, at: usize) -> Option<(String, usize)> {
    let rest = &scanner.text[at + 1..];
    if let Some(after) = rest.strip_prefix('\\') {
        let is_end = after.is_empty() || after.starts_with('\n');
        return is_end.then(|| ("<br>".to_owned(), 2));
    }
    if rest.starts_with(['(', '[']) {
        let close = if rest.starts_with('(') { "\\)" } else { "\\]" };
        let end = rest[..rest.floor_char_boundary(1_000)].find(close)?;
        return Some((format!("<code>{}</code>", escaped(&rest[1..end])), end + 3));
    }
    let length = rest.bytes().take(20).take_while(u8::is_ascii_alphanumeric).count();
    let name = &rest[..length];
    let after = &rest[length..];
    let closing = if after.starts_with("{}") { 2 } else { 0 };
    Some((escaped(entity(name)?), 1 + length + closing))
}

/// Code within a text, `src_language[…]{…}`.
fn source(scanner: &mut Scanner, at: usize) -> Option<(String, usize)> {
    let text = scanner.text;
    let rest = text[at..].strip_prefix("src_")?;
    let open = rest[..rest.floor_char_boundary(200)].find('{')?;
    let is_head =
        !rest[..open].starts_with('[') && !rest[..open].is_empty() && !rest[..open].contains(['\n', '}']);
    let begin = at + "src_".len() + open + 1;
    let end = scanner.close("}", begin).filter(|_| is_head)?;
    Some((format!("<code>{}</code>", escaped(&text[begin..end])), end + 1 - at))
}
