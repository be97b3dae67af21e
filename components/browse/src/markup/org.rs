//! Org texts (orgmode.org/worg/org-syntax.html): headlines, lists, tables, blocks, links and marks. What a
//! README has no use for (drawers, planning, exports for other programs) is left out.

use super::{address_len, between, code_block, escaped, link};

/// The marks around words, and the elements for them.
const MARKS: [(&str, &str); 6] =
    [("*", "strong"), ("/", "em"), ("=", "code"), ("~", "code"), ("+", "del"), ("_", "u")];

/// Renders a text. What comes out is to be sanitised.
pub fn html(text: &str) -> String {
    let mut writer = Writer::default();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let bare = line.trim();
        let lower = bare.to_ascii_lowercase();
        if let Some(block) = lower.strip_prefix("#+begin_") {
            let kind = block.split_whitespace().next().unwrap_or_default().to_owned();
            let argument = bare.split_whitespace().nth(1).unwrap_or_default();
            let end = format!("#+end_{kind}");
            let body: Vec<&str> =
                lines.by_ref().take_while(|line| line.trim().to_ascii_lowercase() != end).collect();
            writer.close();
            writer.block(&kind, argument, &body);
        } else if is_drawer(bare) {
            for line in lines.by_ref() {
                if line.trim().eq_ignore_ascii_case(":end:") {
                    break;
                }
            }
        } else if let Some(title) = lower.starts_with("#+title:").then(|| bare["#+title:".len()..].trim()) {
            writer.element("h1", title);
        } else if bare.starts_with("#+") || bare == "#" || bare.starts_with("# ") {
            writer.close();
        } else {
            writer.line(line);
        }
    }
    writer.close();
    writer.html
}

/// `:PROPERTIES:` and its kin, alone on a line.
fn is_drawer(line: &str) -> bool {
    let name = line.strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
    name.is_some_and(|name| {
        !name.is_empty()
            && !name.eq_ignore_ascii_case("end")
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    })
}

/// What is open at the end of what was written.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Open {
    #[default]
    Nothing,
    Paragraph,
    /// A list of that element, an item of it open.
    List(&'static str),
    Table,
    Fixed,
}

#[derive(Default)]
struct Writer {
    html: String,
    open: Open,
}

impl Writer {
    fn close(&mut self) {
        match std::mem::take(&mut self.open) {
            Open::Nothing => {}
            Open::Paragraph => self.html.push_str("</p>\n"),
            Open::List(list) => self.html.push_str(&format!("</li></{list}>\n")),
            Open::Table => self.html.push_str("</tbody></table>\n"),
            Open::Fixed => self.html.push_str("</pre>\n"),
        }
    }

    /// Opens what a line belongs to, unless it is open.
    fn open(&mut self, open: Open, tag: &str) {
        if self.open != open {
            self.close();
            self.html.push_str(tag);
            self.open = open;
        }
    }

    fn element(&mut self, element: &str, text: &str) {
        self.close();
        let text = inline(text);
        self.html.push_str(&format!("<{element}>{text}</{element}>\n"));
    }

    fn block(&mut self, kind: &str, argument: &str, body: &[&str]) {
        let text = body.join("\n");
        match kind {
            "src" => self.html.push_str(&code_block(argument, &text)),
            "example" | "verse" => self.html.push_str(&format!("<pre>{}</pre>\n", escaped(&text))),
            "quote" | "center" => {
                self.html.push_str(&format!("<blockquote><p>{}</p></blockquote>\n", inline(&text)))
            }
            _ => {}
        }
    }

    fn line(&mut self, line: &str) {
        let bare = line.trim();
        let stars = line.bytes().take_while(|byte| *byte == b'*').count();
        if bare.is_empty() {
            return self.close();
        }
        if stars > 0 && line[stars..].starts_with(' ') {
            return self.element(&format!("h{}", stars.min(6)), line[stars..].trim());
        }
        if bare.len() >= 5 && bare.bytes().all(|byte| byte == b'-') {
            self.close();
            return self.html.push_str("<hr>\n");
        }
        if bare.starts_with('|') {
            return self.table_row(bare);
        }
        if let Some(fixed) = bare.strip_prefix(": ").or((bare == ":").then_some("")) {
            self.open(Open::Fixed, "<pre>");
            self.html.push_str(&escaped(fixed));
            return self.html.push('\n');
        }
        if let Some((list, item)) = item(bare) {
            match self.open == Open::List(list) {
                true => self.html.push_str("</li>\n<li>"),
                false => self.open(Open::List(list), &format!("<{list}><li>")),
            }
            return self.html.push_str(&inline(item));
        }
        if !(matches!(self.open, Open::List(_)) && line.starts_with(' ')) {
            self.open(Open::Paragraph, "<p>");
        }
        self.html.push_str(&inline(bare));
        self.html.push('\n');
    }

    fn table_row(&mut self, line: &str) {
        self.open(Open::Table, "<table><tbody>\n");
        if line.starts_with("|-") {
            return;
        }
        self.html.push_str("<tr>");
        for cell in line.trim_matches('|').split('|') {
            self.html.push_str(&format!("<td>{}</td>", inline(cell.trim())));
        }
        self.html.push_str("</tr>\n");
    }
}

/// An item of a list: the list's element, and the text.
fn item(line: &str) -> Option<(&'static str, &str)> {
    if let Some(text) = line.strip_prefix("- ").or_else(|| line.strip_prefix("+ ")) {
        return Some(("ul", text));
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let text = line[digits..].strip_prefix(". ").or_else(|| line[digits..].strip_prefix(") "))?;
    (digits > 0).then_some(("ol", text))
}

/// Links and marks within a line.
fn inline(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(character) = rest.chars().next() {
        let (piece, length) = piece(rest, before).unwrap_or_else(|| {
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
fn piece(text: &str, before: char) -> Option<(String, usize)> {
    if let Some((inner, length)) = between(text, "[[", "]]") {
        let (address, label) = inner.split_once("][").unwrap_or((inner, ""));
        let address = address.strip_prefix("file:").unwrap_or(address);
        let is_image = ["png", "jpg", "jpeg", "gif", "svg", "webp"].iter().any(|kind| {
            address.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case(kind))
        });
        let html = match (label, is_image) {
            ("", true) => format!("<img src=\"{0}\" alt=\"{0}\">", escaped(address)),
            ("", false) => link(address, address),
            (label, _) => link(address, label),
        };
        return Some((html, length));
    }
    let starts_word = !before.is_alphanumeric();
    let length = address_len(text);
    if length > 0 && starts_word {
        return Some((link(&text[..length], &text[..length]), length));
    }
    for (mark, element) in MARKS {
        if text.starts_with(mark) && starts_word && before != mark.chars().next()? {
            let (inner, length) = between(text, mark, mark)?;
            return Some((format!("<{element}>{}</{element}>", escaped(inner)), length));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_readme_has_is_rendered() {
        let cases = [
            (
                "#+TITLE: Demo\n#+AUTHOR: x\n# note\n* One\n** Two *b*",
                "<h1>Demo</h1>\n<h1>One</h1>\n<h2>Two <strong>b</strong></h2>\n",
            ),
            (
                "a /b/ =c=\n~d~ a/b/c x_1_2",
                "<p>a <em>b</em> <code>c</code>\n<code>d</code> a/b/c x_1_2\n</p>\n",
            ),
            ("- a\n- b\n  more\n\n1. c", "<ul><li>a</li>\n<li>bmore\n</li></ul>\n<ol><li>c</li></ol>\n"),
            (
                "| a | b |\n|---+---|\n| 1 | 2 |",
                "<table><tbody>\n<tr><td>a</td><td>b</td></tr>\n<tr><td>1</td><td>2</td></tr>\n</tbody></table>\n",
            ),
            (
                "[[file:doc/x.org][see]] [[a.png]] https://x.example/y.",
                "<p><a href=\"doc/x.org\">see</a> <img src=\"a.png\" alt=\"a.png\"> <a href=\"https://x.example/y\">https://x.example/y</a>.\n</p>\n",
            ),
            (
                "#+BEGIN_EXAMPLE\n<x>\n#+END_EXAMPLE\n: y\n-----\n:PROPERTIES:\n:A: 1\n:END:",
                "<pre>&lt;x&gt;</pre>\n<pre>y\n</pre>\n<hr>\n",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(html(text), expected, "{text}");
        }
        assert!(html("#+begin_src rust\nfn f() {}\n#+end_src").contains("hl-keyword"));
    }
}
