//! Texts that have a rendered view: Markdown, reStructuredText, Org, tables and notebooks.
//!
//! Whatever the form, what comes out went through [`crate::markdown::safe`] or was escaped here: nothing of
//! a repository reaches a page that is not on its list of harmless elements.

mod ids;
mod notebook;
mod org;
mod rst;
mod table;

use crate::cache::{Cache, Key};
use crate::highlight;
use crate::limits::{MARKUP_BYTES_MAX, MARKUP_HTML_BYTES_MAX};
use crate::markdown::{self, Origin};
use bstr::{BStr, ByteSlice as _};
use lithe_code::text::{is_bidirectional_control, push_html};
use lithe_web::Language;
use std::cell::Cell;
use std::rc::Rc;
use xxhash_rust::xxh3::xxh3_64;

/// A form of text that has a rendered view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    Markdown,
    ReStructuredText,
    Org,
    /// A table whose columns that character separates.
    Table(char),
    /// A Jupyter notebook.
    Notebook,
}

impl Markup {
    /// The form that the name of a file tells; none if it has no rendered view.
    pub fn of(file_name: &BStr) -> Option<Self> {
        if markdown::is_markdown(file_name) {
            return Some(Self::Markdown);
        }
        let (_, extension) = file_name.rsplit_once_str(".")?;
        Some(match extension.to_ascii_lowercase().as_slice() {
            b"rst" | b"rest" => Self::ReStructuredText,
            b"org" => Self::Org,
            b"csv" => Self::Table(','),
            b"tsv" | b"tab" => Self::Table('\t'),
            b"ipynb" => Self::Notebook,
            _ => return None,
        })
    }

    /// Whether links lead to parts of a file of that name as it is rendered.
    pub fn has_ids(file_name: &BStr) -> bool {
        matches!(Self::of(file_name), Some(Self::Markdown | Self::ReStructuredText | Self::Org))
    }

    /// Renders a text; its highest headings become those of `heading_level`. None if it is larger or deeper
    /// than may be rendered, or not of that form: then it is to be shown as it is. What is said of one that is cut is in
    /// that language.
    pub fn render(
        self,
        text: &str,
        origin: &Origin,
        heading_level: u8,
        language: Language,
    ) -> Option<String> {
        let is_small = text.len() <= MARKUP_BYTES_MAX;
        match self {
            Self::Markdown => markdown::render(text, origin, heading_level),
            Self::ReStructuredText if is_small => markdown::safe(&rst::html(text)?, origin, heading_level),
            Self::Org if is_small => markdown::safe(&org::html(text)?, origin, heading_level),
            Self::Table(separator) => table::html(text, separator, language),
            Self::Notebook => notebook::html(text, origin, heading_level, language),
            Self::ReStructuredText | Self::Org => None,
        }
    }

    /// Renders as [`Self::render`] does, or finds what was rendered before, of the file of that id.
    pub fn render_cached(
        self,
        cache: &dyn Cache,
        id: &gix_hash::oid,
        text: &str,
        origin: &Origin,
        heading_level: u8,
        language: Language,
    ) -> Option<String> {
        let Origin { links, revision, file } = origin;
        let (form, summary) = (format!("{self:?}"), links.summary());
        let said_in = match self {
            Self::Table(_) | Self::Notebook => language.tag(),
            Self::Markdown | Self::ReStructuredText | Self::Org => "",
        };
        // Blocks of code are coloured as files are.
        let edition = highlight::edition();
        // The same file may have been read by another encoding.
        let as_read = xxh3_64(text.as_bytes()).to_le_bytes();
        let parts: [&[u8]; 10] = [
            b"markup",
            edition.as_deref().unwrap_or_default().as_bytes(),
            form.as_bytes(),
            id.as_bytes(),
            &as_read,
            summary.as_bytes(),
            revision,
            file,
            &[heading_level],
            said_in.as_bytes(),
        ];
        let key = Key::new(&parts);
        cache.get(&key).or_else(|| {
            let html = self.render(text, origin, heading_level, language)?;
            if !highlight::has_failed() {
                cache.put(&key, &html);
            }
            Some(html)
        })
    }
}

/// A text as HTML, with control characters and those that reorder others marked.
fn shown(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    push_html(&mut html, text);
    html
}

/// A text as it may stand in HTML, in attributes too; control characters and those that reorder others as `\u{202e}`.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\n' | '\t' => html.push(character),
            _ if character.is_control() || is_bidirectional_control(character) => {
                html.extend(character.escape_default());
            }
            _ => html.push(character),
        }
    }
    html
}

/// How much HTML a text may still become: what it names once may be long, and be referred to often.
#[derive(Debug, Clone)]
struct Budget(Rc<Cell<usize>>);

impl Budget {
    fn new() -> Self {
        Self(Rc::new(Cell::new(MARKUP_HTML_BYTES_MAX)))
    }

    /// Takes what so many bytes cost; false if there was not as much left.
    fn spend(&self, bytes: usize) -> bool {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }

    fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// The lines of a text, however they end: a carriage return alone ends one as well.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.trim_end_matches('\r').split('\r'))
}

/// A block of code, highlighted by the name of its language.
fn code_block(language: &str, code: &str) -> String {
    let lines = highlight::code(language, code).lines.join("\n");
    format!("<pre><code>{lines}\n</code></pre>\n")
}

/// Writes a text of which pieces are more than text: for each place, `piece_at` is given where it is, the character there
/// and the one before, and says what a piece that begins there is in HTML, and how long it is in the text. Once the budget
/// is spent nothing is written.
fn with_pieces(
    text: &str,
    budget: &Budget,
    mut piece_at: impl FnMut(usize, char, Option<char>) -> Option<(String, usize)>,
) -> String {
    let mut html = String::with_capacity(text.len());
    // Where plain text begins that is not written yet.
    let (mut plain, mut at) = (0, 0);
    let mut before = None;
    while let Some(character) = text[at..].chars().next() {
        if budget.is_spent() {
            return String::new();
        }
        let length = match piece_at(at, character, before) {
            Some((piece, length)) => {
                budget.spend(piece.len());
                html.push_str(&escaped(&text[plain..at]));
                html.push_str(&piece);
                plain = at + length;
                length
            }
            None => character.len_utf8(),
        };
        before = text[at..at + length].chars().next_back();
        at += length;
    }
    html.push_str(&escaped(&text[plain..]));
    html
}

/// The length of the web address that the text begins with; 0 if it does not.
fn address_len(text: &str) -> usize {
    if !["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) {
        return 0;
    }
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`' | '|' | ')' | ']'));
    text[..end.unwrap_or(text.len())].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'']).len()
}

/// A link, the address escaped.
fn link(address: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", escaped(address), escaped(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_code::links::Links;

    /// What a text becomes in the file `doc/README`, as a README shows it.
    pub fn rendered(markup: Markup, text: &str) -> String {
        let origin =
            Origin { links: Links::new("team/demo"), revision: "main".into(), file: "doc/README".into() };
        markup.render(text, &origin, 2, Language::English).expect("it is rendered")
    }

    /// Tries that each text becomes what is beside it, but for the anchors of headings.
    pub fn check(html: fn(&str) -> Option<String>, cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            assert_eq!(without_anchors(html(text).expect("not too much")), *expected, "{text}");
        }
    }

    fn without_anchors(mut html: String) -> String {
        while let Some(end) = html.find(" class=\"anchor\"") {
            let begin = html[..end].rfind("<a ").expect("it begins");
            let end = end + html[end..].find("</a>").expect("it ends") + "</a>".len();
            html.replace_range(begin..end, "");
        }
        html
    }

    #[test]
    fn the_form_follows_from_the_name() {
        let cases = [
            ("a.md", Some(Markup::Markdown)),
            ("README.RST", Some(Markup::ReStructuredText)),
            ("a.org", Some(Markup::Org)),
            ("a.csv", Some(Markup::Table(','))),
            ("a.tsv", Some(Markup::Table('\t'))),
            ("a.ipynb", Some(Markup::Notebook)),
            ("csv", None),
            ("a.rs", None),
        ];
        for (name, expected) in cases {
            assert_eq!(Markup::of(name.into()), expected, "{name}");
        }
    }

    #[test]
    fn nothing_of_theirs_runs() {
        let attack = "<script>alert(1)</script> <img src=x onerror=alert(1)>";
        let notebook = serde_json::json!({ "nbformat": 4, "cells": [
            { "cell_type": "markdown", "source": attack },
            { "cell_type": "raw", "source": attack },
            { "cell_type": "code", "source": attack, "outputs": [
                { "output_type": "stream", "text": attack },
                { "output_type": "display_data", "data": {
                    "text/html": attack, "text/plain": attack, "image/png": "\"><script>" } },
                { "output_type": "error", "traceback": [attack] },
            ] },
        ]});
        let cases = [
            (
                Markup::ReStructuredText,
                format!(
                    "{attack}\n\n.. image:: javascript:alert(1)\n\n`x <javascript:alert(1)>`_\n\n.. raw:: html\n\n   {attack}\n"
                ),
            ),
            (
                Markup::Org,
                format!(
                    "* {attack}\n[[javascript:alert(1)][{attack}]]\n#+BEGIN_EXPORT html\n{attack}\n#+END_EXPORT\n"
                ),
            ),
            (Markup::Table(','), format!("\"{attack}\",{attack}\n")),
            (Markup::Notebook, notebook.to_string()),
        ];
        for (markup, text) in cases {
            let html = rendered(markup, &text);
            let lower = html.to_ascii_lowercase();
            for bad in ["<script", "<img src=\"x\"", "<img src=x", "href=\"javascript", "src=\"javascript"] {
                assert!(!lower.contains(bad), "{markup:?}: {html}");
            }
        }
    }

    /// Texts that would take long, or a deep stack, if each part of them were looked at again for every other.
    fn bombs() -> Vec<String> {
        let repeated = [
            "*",
            "`",
            "**a ",
            "``a ",
            "|a ",
            "- ",
            " - a\n",
            "[[",
            "_",
            "|",
            "a_ ",
            "[1]_ ",
            "[#]_ ",
            "a:: ",
            "\\",
            "\0",
            ":a:`",
            ":a",
            "<a@",
            "`<",
            ">`_",
            "_`",
            "=a ",
            "~",
            "+a ",
            "a_{",
            "a^{",
            "[fn:a:",
            "[fn:1] ",
            "<<",
            "<2020-01-01 ",
            "{{{a(",
            "\\a{",
            "@@a:",
            "$a ",
            "[cite:@a;",
            "src_a{",
            "call_a(",
            "\n",
            "a\n",
            "a\n b\n",
            "a\n=\n",
            "* a\n",
            "- a\n",
            "1. a\n",
            "(a) b\n",
            ":a: b\n",
            "-a  b\n",
            "| a\n",
            ".. a\n",
            ".. _a: a_\n",
            ".. _a:\n",
            ".. [#] a\n",
            "__ a\n",
            ">>> a\n\n",
            ".. contents::\n\n",
            ".. |a| replace:: |a| |a|\n\n|a|\n\n",
            ".. note::\n  a\n\n",
            "a::\n\n  b\n\n",
            "  -- a\n\n",
            "= =\n",
            "+-+\n",
            "| a | b |\n",
            "|-\n",
            "#+a:\n",
            "#+BEGIN_QUOTE\n",
            "#+END_QUOTE\n",
            ":A:\n",
            ":END:\n",
            "\\begin{a}\n",
            "[fn:1] a\n\n",
            "- a :: b\n",
            "- [ ] a\n",
            "#+begin_src\n",
            ": a\n",
            "#+CAPTION: a\n| a |\n",
            "%%(",
        ];
        let times = |text: &str| text.repeat(MARKUP_BYTES_MAX / text.len());
        let nested =
            |text: &str| (0..700).map(|depth| format!("{}{text}\n\n", " ".repeat(depth))).collect::<String>();
        let long = |length: usize| "y".repeat(length);
        let square = |line: &str, rows: usize| format!("{}\n", line).repeat(rows);
        let mut bombs: Vec<String> = repeated.iter().map(|text| times(text)).collect();
        bombs
            .extend(["- a", "a", "* a", "1. a", ":a: b", ".. note::", "a ::", "| a", "- a :: b"].map(nested));
        bombs.extend([
            // Substitutions that double four times over, of which each is long.
            format!(
                ".. |a| replace:: {}\n.. |b| replace:: |a| |a|\n.. |c| replace:: |b| |b|\n\n{}",
                "x".repeat(1 << 16),
                "|c| ".repeat(30_000)
            ),
            // Many titles, listed many times.
            format!("{}{}", "a\n=\n".repeat(30_000), ".. contents::\n\n".repeat(8_000)),
            // Tables of many cells, of few lines that are long, and of cells that do not close.
            format!("{}\n{}{}\n", "= ".repeat(60_000), "a\n".repeat(60_000), "= ".repeat(10)),
            square(&"+-".repeat(250), 500),
            square(&format!("{}+", "+-".repeat(250)), 500),
            square(&format!("+{}+", "-".repeat(500)), 500),
            format!("+{}+\n{}", "-+".repeat(250), square(&format!("|{}|", " |".repeat(250)), 500)),
            format!("| {}\n", "a | ".repeat(60_000)),
            // References from everywhere to one place.
            format!("{}\n\n.. [1] a\n.. [#] b\n", "[1]_ [#]_ ".repeat(25_000)),
            format!("{}\n\n[fn:1] a\n", "[fn:1] ".repeat(36_000)),
            format!("{}{}", "#+BEGIN_QUOTE\n".repeat(9_000), "#+END_QUOTE\n".repeat(9_000)),
            (0..700).map(|depth| format!("{} a\n", "*".repeat(depth + 1))).collect(),
            // What is long, and named often.
            format!(".. _a: http://x/{}\n\n{}", long(100_000), "a_ ".repeat(40_000)),
            format!(
                ".. _a: http://x/{}\n\n{}",
                long(100_000),
                ".. image:: b\n   :target: a_\n\n".repeat(5_000)
            ),
            format!(".. _a:\n\n{}\n{}\n\n{}", long(60_000), "=".repeat(60_000), ":ref:`a` ".repeat(15_000)),
            format!(".. |a| image:: b\n   :target: http://x/{}\n\n{}", long(100_000), "|a| ".repeat(30_000)),
            format!(".. default-role:: {}\n\n{}", long(100_000), "`x` ".repeat(30_000)),
            format!("`a <http://x/{}>`_ {}", long(900), "a_ ".repeat(60_000)),
            format!("#+MACRO: a {}\n{{{{{{a({})}}}}}}\n", "$1".repeat(50_000), long(9_000)),
            format!("#+LINK: a http://x/{}\n{}", long(100_000), "[[a:b]] ".repeat(18_000)),
            format!("* a\n:PROPERTIES:\n:CUSTOM_ID: {}\n:END:\n{}", long(100_000), "[[*a]] ".repeat(18_000)),
        ]);
        bombs
    }

    /// A stack as that of an instance.
    const STACK_BYTES: usize = 1 << 20;

    /// No measure of speed: where steps grow faster than the text, a bomb takes minutes.
    const SECONDS_MAX: u64 = 20;

    #[test]
    fn a_bomb_takes_no_longer_than_its_length_allows() {
        for text in bombs() {
            for markup in [Markup::ReStructuredText, Markup::Org] {
                let text = text.clone();
                let shown = text[..text.floor_char_boundary(20)].to_owned();
                let begun = std::time::Instant::now();
                let render = move || {
                    let origin =
                        Origin { links: Links::new("d"), revision: "main".into(), file: "README".into() };
                    markup.render(&text, &origin, 2, Language::English).map(|html| html.len())
                };
                let thread =
                    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(render).expect("a thread");
                let length = thread.join().expect("it ends");
                let took = begun.elapsed();
                println!("{took:?} {markup:?} {shown:?} {length:?}");
                assert!(took.as_secs() < SECONDS_MAX, "{markup:?} {shown:?} {took:?}");
            }
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_not_rendered() {
        let origin = Origin { links: Links::new("d"), revision: "main".into(), file: "README".into() };
        for markup in [Markup::ReStructuredText, Markup::Org] {
            let rendered =
                |length| markup.render(&"a".repeat(length), &origin, 2, Language::English).is_some();
            assert!(rendered(MARKUP_BYTES_MAX) && !rendered(MARKUP_BYTES_MAX + 1));
        }
    }
}
