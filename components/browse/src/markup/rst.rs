//! reStructuredText (docutils.sourceforge.io/docs/ref/rst/restructuredtext.html): titles, paragraphs, lists,
//! literal blocks, the directives that a README has, links and marks. Tables are shown as they are typed.

use super::{address_len, between, code_block, escaped, link};
use std::collections::HashMap;

/// The deepest nesting of blocks; deeper ones are shown as they are typed.
const DEPTH_MAX: usize = 12;

/// Directives whose contents are a remark, which is shown as a quotation.
const REMARKS: [&str; 9] =
    ["attention", "caution", "danger", "error", "hint", "important", "note", "tip", "warning"];

/// Renders a text. What comes out is to be sanitised.
pub fn html(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| line.trim_end().replace('\t', "        ")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut writer = Writer { html: String::new(), targets: targets(&lines), title_styles: Vec::new() };
    writer.blocks(&lines, 0);
    writer.html
}

/// The addresses that names stand for, `.. _name: address`; names in lower case.
fn targets(lines: &[&str]) -> HashMap<String, String> {
    let target = |line: &&str| {
        let (name, address) = line.trim().strip_prefix(".. _")?.split_once(": ")?;
        Some((name.trim_matches('`').to_lowercase(), address.trim().to_owned()))
    };
    lines.iter().filter_map(target).collect()
}

struct Writer {
    html: String,
    targets: HashMap<String, String>,
    /// How titles are underlined, and whether overlined too, by their level.
    title_styles: Vec<(char, bool)>,
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The character of a line that is nothing but one kind of punctuation.
fn adornment(line: &str) -> Option<char> {
    let first = line.chars().next().filter(char::is_ascii_punctuation)?;
    (line.len() >= 2 && line.chars().all(|character| character == first)).then_some(first)
}

/// How many lines from the first on are empty or indented by more than `least`, less those that are empty
/// at the end.
fn block_len(lines: &[&str], least: usize) -> usize {
    let within = lines.iter().take_while(|line| line.is_empty() || indent(line) >= least);
    let count = within.count();
    count - lines[..count].iter().rev().take_while(|line| line.is_empty()).count()
}

/// Lines without the white space that all of them begin with.
fn outdented<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let least = lines.iter().filter(|line| !line.is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    lines.iter().map(|line| line.get(least..).unwrap_or_default()).collect()
}

impl Writer {
    fn blocks(&mut self, lines: &[&str], depth: usize) {
        if depth > DEPTH_MAX {
            return self.html.push_str(&format!("<pre>{}</pre>\n", escaped(&lines.join("\n"))));
        }
        let mut at = 0;
        while at < lines.len() {
            at += match lines[at] {
                "" => 1,
                _ => self.block(&lines[at..], depth),
            };
        }
    }

    /// Writes the block that begins with the first line; returns how many lines it has.
    fn block(&mut self, lines: &[&str], depth: usize) -> usize {
        let line = lines[0];
        if indent(line) > 0 {
            let length = block_len(lines, 1).max(1);
            self.html.push_str("<blockquote>");
            self.blocks(&outdented(&lines[..length]), depth + 1);
            self.html.push_str("</blockquote>\n");
            return length;
        }
        if let Some(length) = self.title(lines) {
            return length;
        }
        if line == ".." || line.starts_with(".. ") {
            let length = 1 + block_len(&lines[1..], 1);
            self.explicit(&lines[..length], depth);
            return length;
        }
        if is_table(line) {
            let length = lines.iter().position(|line| line.is_empty()).unwrap_or(lines.len());
            self.html.push_str(&format!("<pre>{}</pre>\n", escaped(&lines[..length].join("\n"))));
            return length;
        }
        if line.starts_with(">>> ") {
            let length = lines.iter().position(|line| line.is_empty()).unwrap_or(lines.len());
            self.html.push_str(&code_block("python", &lines[..length].join("\n")));
            return length;
        }
        if let Some((list, _)) = item(line) {
            return self.list(list, lines, depth);
        }
        self.paragraph(lines, depth)
    }

    fn title(&mut self, lines: &[&str]) -> Option<usize> {
        let (text, style, length) = match (adornment(lines[0]), lines) {
            (Some(over), [_, text, under, ..]) if adornment(under) == Some(over) && !text.is_empty() => {
                (text.trim(), (over, true), 3)
            }
            (Some(_), _) if lines[0].len() >= 4 && lines.get(1).is_none_or(|line| line.is_empty()) => {
                self.html.push_str("<hr>\n");
                return Some(1);
            }
            (None, [text, under, ..]) => {
                let under_len = under.len();
                let style = adornment(under).filter(|_| under_len >= text.chars().count().min(4))?;
                (*text, (style, false), 2)
            }
            _ => return None,
        };
        let level = self.title_styles.iter().position(|known| *known == style).unwrap_or_else(|| {
            self.title_styles.push(style);
            self.title_styles.len() - 1
        });
        let (level, text) = ((level + 1).min(6), self.inline(text));
        self.html.push_str(&format!("<h{level}>{text}</h{level}>\n"));
        Some(length)
    }

    /// A directive; what else begins with two dots (comments, targets, substitutions) shows nothing.
    fn explicit(&mut self, lines: &[&str], depth: usize) {
        let Some((name, argument)) = lines[0].strip_prefix(".. ").and_then(|line| line.split_once("::"))
        else {
            return;
        };
        let (name, argument) = (name.trim(), argument.trim());
        let body = outdented(&lines[1..]);
        let options = body.iter().take_while(|line| line.starts_with(':')).count();
        let option = |wanted: &str| {
            let lines = body[..options].iter();
            lines.filter_map(|line| line.strip_prefix(':')?.split_once(':')).find(|(name, _)| *name == wanted)
        };
        let contents: Vec<&str> =
            body[options..].iter().copied().skip_while(|line| line.is_empty()).collect();
        match name {
            "code" | "code-block" | "sourcecode" | "highlight" | "parsed-literal" | "doctest" => {
                self.html.push_str(&code_block(argument, &contents.join("\n")));
            }
            "image" | "figure" => {
                let alternative = option("alt").map_or("", |(_, text)| text.trim());
                let image = format!("<img src=\"{}\" alt=\"{}\">", escaped(argument), escaped(alternative));
                let html = match option("target") {
                    Some((_, target)) => {
                        format!("<p><a href=\"{}\">{image}</a></p>\n", escaped(target.trim()))
                    }
                    None => format!("<p>{image}</p>\n"),
                };
                self.html.push_str(&html);
                self.blocks(&contents, depth + 1);
            }
            name if REMARKS.contains(&name) || name == "admonition" => {
                let title = if name == "admonition" { argument } else { name };
                let title = escaped(title);
                self.html.push_str(&format!("<blockquote><p><strong>{title}</strong></p>\n"));
                if name != "admonition" && !argument.is_empty() {
                    self.paragraph(&[argument], depth + 1);
                }
                self.blocks(&contents, depth + 1);
                self.html.push_str("</blockquote>\n");
            }
            _ => {}
        }
    }

    /// Items as long as they follow one another, with empty lines between them or without.
    fn list(&mut self, list: &'static str, lines: &[&str], depth: usize) -> usize {
        self.html.push_str(&format!("<{list}>"));
        let mut at = 0;
        while let Some((_, begin)) =
            lines.get(at).and_then(|line| item(line)).filter(|(other, _)| *other == list)
        {
            let more = block_len(&lines[at + 1..], 1);
            let mut body = vec![&lines[at][begin..]];
            body.extend(outdented(&lines[at + 1..at + 1 + more]));
            self.html.push_str("<li>");
            self.blocks(&body, depth + 1);
            self.html.push_str("</li>\n");
            at += 1 + more;
            at += lines[at..].iter().take_while(|line| line.is_empty()).count();
        }
        self.html.push_str(&format!("</{list}>\n"));
        at
    }

    fn paragraph(&mut self, lines: &[&str], depth: usize) -> usize {
        let length = lines.iter().position(|line| line.is_empty()).unwrap_or(lines.len()).max(1);
        let text = lines[..length].join("\n");
        let announces = text.ends_with("::");
        let shown = match (announces, text.as_str()) {
            (true, "::") => "",
            (true, text) if text.ends_with(" ::") => text[..text.len() - 2].trim_end(),
            (true, text) => &text[..text.len() - 1],
            (false, text) => text.strip_prefix("| ").unwrap_or(text),
        };
        if !shown.is_empty() {
            let shown = self.inline(shown);
            self.html.push_str(&format!("<p>{shown}</p>\n"));
        }
        if !announces || depth > DEPTH_MAX {
            return length;
        }
        let empty = lines[length..].iter().take_while(|line| line.is_empty()).count();
        let literal = block_len(&lines[length + empty..], 1);
        if literal == 0 {
            return length;
        }
        let begin = length + empty;
        let body = outdented(&lines[begin..begin + literal]).join("\n");
        self.html.push_str(&format!("<pre>{}</pre>\n", escaped(&body)));
        begin + literal
    }

    /// Links and marks within a text.
    fn inline(&self, text: &str) -> String {
        let mut html = String::with_capacity(text.len());
        let mut rest = text;
        let mut before = ' ';
        while let Some(character) = rest.chars().next() {
            let piece = if before.is_alphanumeric() { None } else { self.piece(rest) };
            let (piece, length) = piece.unwrap_or_else(|| {
                let length = character.len_utf8();
                (escaped(&rest[..length]), length)
            });
            html.push_str(&piece);
            before = rest[..length].chars().next_back().unwrap_or(' ');
            rest = &rest[length..];
        }
        html
    }

    /// What stands for more than itself at the beginning of a text, and its length.
    fn piece(&self, text: &str) -> Option<(String, usize)> {
        let marked = |element: &str, (inner, length): (&str, usize)| {
            (format!("<{element}>{}</{element}>", escaped(inner)), length)
        };
        let length = address_len(text);
        if length > 0 {
            return Some((link(&text[..length], &text[..length]), length));
        }
        match text.as_bytes() {
            [b'\\', next, ..] if next.is_ascii_punctuation() => Some((escaped(&text[1..2]), 2)),
            [b'`', b'`', ..] => Some(marked("code", between(text, "``", "``")?)),
            [b'*', b'*', ..] => Some(marked("strong", between(text, "**", "**")?)),
            [b'*', ..] => Some(marked("em", between(text, "*", "*")?)),
            [b'`', ..] => self.interpreted(text),
            [b':', ..] => {
                // A role says what the text is; it is shown as code.
                let end = text[1..].find(|c: char| !c.is_ascii_alphanumeric() && !"-+_.:".contains(c))? + 1;
                let role = text[..end].strip_suffix(':')?;
                let (inner, length) = between(&text[end..], "`", "`")?;
                let inner = inner.split_once(" <").map_or(inner, |(label, _)| label);
                (role.len() > 1).then(|| marked("code", (inner, end + length)))
            }
            [first, ..] if first.is_ascii_alphanumeric() => {
                let name = &text[..text.find(|c: char| !c.is_ascii_alphanumeric() && !"-.+".contains(c))?];
                let after = text[name.len()..].strip_prefix('_')?;
                let is_end = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
                let address = self.targets.get(&name.to_lowercase()).filter(|_| is_end)?;
                Some((link(address, name), name.len() + 1))
            }
            _ => None,
        }
    }

    /// A text in single quotes: a link, by its address or a name, or a word of some kind.
    fn interpreted(&self, text: &str) -> Option<(String, usize)> {
        let (inner, length) = between(text, "`", "`").or_else(|| {
            // The underscores of a link follow, which are no letters.
            between(text, "`", "`_")
        })?;
        let underscores = text[length..].bytes().take_while(|byte| *byte == b'_').count().min(2);
        if underscores == 0 && !text[..length].ends_with('_') {
            return Some((format!("<cite>{}</cite>", escaped(inner)), length));
        }
        let html = match inner.strip_suffix('>').and_then(|inner| inner.rsplit_once('<')) {
            Some((label, address)) if label.trim().is_empty() => link(address, address),
            Some((label, address)) => link(address, label.trim()),
            None => match self.targets.get(&inner.to_lowercase()) {
                Some(address) => link(address, inner),
                None => escaped(inner),
            },
        };
        Some((html, length + underscores))
    }
}

/// A line that begins a table.
fn is_table(line: &str) -> bool {
    let is_grid = line.starts_with("+-") && line.bytes().all(|byte| matches!(byte, b'+' | b'-'));
    let is_simple =
        line.starts_with("==") && line.contains(' ') && line.bytes().all(|byte| matches!(byte, b'=' | b' '));
    is_grid || is_simple
}

/// An item of a list: the list's element, and where the text begins.
fn item(line: &str) -> Option<(&'static str, usize)> {
    if ["- ", "* ", "+ "].iter().any(|bullet| line.starts_with(bullet)) {
        return Some(("ul", 2));
    }
    if line.starts_with("#. ") {
        return Some(("ol", 3));
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let is_item = digits > 0 && [". ", ") "].iter().any(|end| line[digits..].starts_with(end));
    is_item.then_some(("ol", digits + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_readme_has_is_rendered() {
        let cases = [
            (
                "====\nDemo\n====\n\nOne\n===\n\nTwo\n---\n\nThree\n=====\n",
                "<h1>Demo</h1>\n<h2>One</h2>\n<h3>Two</h3>\n<h2>Three</h2>\n",
            ),
            (
                "a **b** *c* ``d<`` 2*3*4\nnext",
                "<p>a <strong>b</strong> <em>c</em> <code>d&lt;</code> 2*3*4\nnext</p>\n",
            ),
            (
                "- a\n  more\n- b\n\n  - c\n\n1. d\n",
                "<ul><li><p>a\nmore</p>\n</li>\n<li><p>b</p>\n<ul><li><p>c</p>\n</li>\n</ul>\n</li>\n</ul>\n<ol><li><p>d</p>\n</li>\n</ol>\n",
            ),
            ("Run::\n\n    make\n      x\n\nend", "<p>Run:</p>\n<pre>make\n  x</pre>\n<p>end</p>\n"),
            (
                "`Site <https://x.example>`_ `doc`_ doc_ :ref:`x` https://y.example.\n\n.. _doc: doc/a.rst\n.. a comment\n   more\n",
                "<p><a href=\"https://x.example\">Site</a> <a href=\"doc/a.rst\">doc</a> <a href=\"doc/a.rst\">doc</a> <code>x</code> <a href=\"https://y.example\">https://y.example</a>.</p>\n",
            ),
            (
                ".. image:: a.png\n   :alt: A\n   :target: b\n\n.. note:: Mind\n   this.\n",
                "<p><a href=\"b\"><img src=\"a.png\" alt=\"A\"></a></p>\n<blockquote><p><strong>note</strong></p>\n<p>Mind</p>\n<p>this.</p>\n</blockquote>\n",
            ),
            ("=====  ===\na      b\n=====  ===\n", "<pre>=====  ===\na      b\n=====  ===</pre>\n"),
            ("  quoted\n\n----\n", "<blockquote><p>quoted</p>\n</blockquote>\n<hr>\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(html(text), expected, "{text}");
        }
        assert!(html(".. code-block:: rust\n\n   fn f() {}\n").contains("hl-keyword"));
    }
}
