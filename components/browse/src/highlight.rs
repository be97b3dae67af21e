//! Source code as HTML with a small, closed set of classes.
//!
//! The grammars name hundreds of scopes; a style sheet knows the classes in [`CLASSES`]. The
//! grammars are unpacked when the first text is highlighted, and kept.

use crate::cache::{Cache, Key};
use crate::limits::{HIGHLIGHT_BYTES_MAX, HIGHLIGHT_LINE_BYTES_MAX, HIGHLIGHT_TIME_MAX};
use lithe_code::marks::Marks;
use lithe_code::text::push_line_html;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

/// Every class that highlighting uses.
pub const CLASSES: [&str; 16] = [
    "hl-keyword",
    "hl-string",
    "hl-comment",
    "hl-number",
    "hl-type",
    "hl-function",
    "hl-operator",
    "hl-variable",
    "hl-constant",
    "hl-punctuation",
    "hl-attribute",
    "hl-tag",
    "hl-insert",
    "hl-delete",
    "hl-heading",
    "hl-link",
];

/// Which class a scope gets: the longest prefix wins; an empty class takes the colour away that an
/// outer scope would give.
const CLASS_BY_SCOPE: &[(&str, &str)] = &[
    ("comment", "hl-comment"),
    ("punctuation.definition.comment", "hl-comment"),
    ("string", "hl-string"),
    ("punctuation.definition.string", "hl-string"),
    ("constant.character.escape", "hl-constant"),
    ("constant.numeric", "hl-number"),
    ("constant", "hl-constant"),
    ("keyword", "hl-keyword"),
    ("keyword.operator", "hl-operator"),
    ("keyword.operator.word", "hl-keyword"),
    ("storage", "hl-keyword"),
    ("entity.name.type", "hl-type"),
    ("entity.name.class", "hl-type"),
    ("entity.name.struct", "hl-type"),
    ("entity.name.enum", "hl-type"),
    ("entity.name.union", "hl-type"),
    ("entity.name.trait", "hl-type"),
    ("entity.name.impl", "hl-type"),
    ("entity.name.interface", "hl-type"),
    ("entity.name.namespace", "hl-type"),
    ("entity.other.inherited-class", "hl-type"),
    ("support.type", "hl-type"),
    ("support.class", "hl-type"),
    ("storage.type.primitive", "hl-type"),
    ("storage.type.numeric", "hl-number"),
    ("entity.name.function", "hl-function"),
    ("entity.name.macro", "hl-function"),
    ("support.function", "hl-function"),
    ("support.macro", "hl-function"),
    ("variable.function", "hl-function"),
    ("variable.annotation", "hl-attribute"),
    ("variable", "hl-variable"),
    ("variable.language", "hl-constant"),
    ("punctuation", "hl-punctuation"),
    ("entity.other.attribute-name", "hl-attribute"),
    ("meta.annotation", "hl-attribute"),
    ("support.type.property-name", "hl-attribute"),
    ("entity.name.tag", "hl-tag"),
    ("markup.inserted", "hl-insert"),
    ("markup.deleted", "hl-delete"),
    ("markup.heading", "hl-heading"),
    ("entity.name.section", "hl-heading"),
    ("markup.underline.link", "hl-link"),
    ("source", ""),
    ("text", ""),
    ("meta.interpolation", ""),
    ("meta.template.expression", ""),
];

/// A text as HTML, a string for each line.
#[derive(Debug, PartialEq, Eq)]
pub struct Highlighted {
    pub lines: Vec<String>,
    /// The name of the language; none if it is not known, or the text past a limit.
    pub language: Option<String>,
    /// Whether all of it was highlighted that could be: not cut by time or by a long line.
    pub is_complete: bool,
}

/// Highlights a text by the grammar that its file name or first line tells. What is past a limit is
/// escaped and not highlighted.
///
/// `language` is the one that the repository says it is in, if it does.
pub fn file(language: Option<&str>, file_name: &str, text: &str) -> Highlighted {
    if text.len() > HIGHLIGHT_BYTES_MAX {
        return plain(text, false);
    }
    match language.and_then(syntax_of_language).or_else(|| syntax_of_file(file_name, text)) {
        Some(syntax) => highlighted(syntax, text, HIGHLIGHT_TIME_MAX),
        None => plain(text, true),
    }
}

/// Highlights as [`file`] does, or finds what was highlighted before, of the file of that id.
pub fn file_cached(
    cache: &dyn Cache,
    id: &gix_hash::oid,
    (marks, file_name): (&Marks, &str),
    text: &str,
) -> Highlighted {
    let language = marks.language.filter(|_| marks.is_language_said).map(|language| language.name);
    let said = [language, marks.encoding.map(|encoding| encoding.name())].map(Option::unwrap_or_default);
    let [said_language, said_encoding] = said.map(str::as_bytes);
    let key = Key::new(&[b"highlight", id.as_bytes(), file_name.as_bytes(), said_language, said_encoding]);
    if let Some(kept) = cache.get(&key) {
        // The language is on the first line; a line of HTML has no line end in it.
        let mut lines = kept.split('\n').map(str::to_owned);
        let language = lines.next().filter(|language| !language.is_empty());
        return Highlighted { lines: lines.collect(), language, is_complete: true };
    }
    let highlighted = file(language, file_name, text);
    if let (Some(language), true) = (&highlighted.language, highlighted.is_complete) {
        let lines: String = highlighted.lines.iter().flat_map(|line| ["\n", line]).collect();
        cache.put(&key, &format!("{language}{lines}"));
    }
    highlighted
}

/// Highlights a text by the name of its language, as in the info string of a Markdown code block.
pub fn code(language: &str, text: &str) -> Highlighted {
    if text.len() > HIGHLIGHT_BYTES_MAX {
        return plain(text, false);
    }
    match syntaxes().find_syntax_by_token(language) {
        Some(syntax) if !is_plain(syntax) => highlighted(syntax, text, HIGHLIGHT_TIME_MAX),
        _ => plain(text, true),
    }
}

fn plain(text: &str, is_complete: bool) -> Highlighted {
    let mut lines = Vec::new();
    for line in lithe_code::text::lines(text) {
        let mut html = String::with_capacity(line.len());
        push_line_html(&mut html, line);
        lines.push(html);
    }
    Highlighted { lines, language: None, is_complete }
}

fn syntaxes() -> &'static SyntaxSet {
    static SYNTAXES: OnceLock<SyntaxSet> = OnceLock::new();
    SYNTAXES.get_or_init(two_face::syntax::extra_newlines)
}

fn is_plain(syntax: &SyntaxReference) -> bool {
    syntax.name == "Plain Text"
}

/// The grammar of a language by its name, or by what its files are called.
fn syntax_of_language(name: &str) -> Option<&'static SyntaxReference> {
    let syntaxes = syntaxes();
    let endings = lithe_code::languages::named(name).map_or(&[][..], |language| language.endings);
    syntaxes
        .find_syntax_by_token(name)
        .or_else(|| endings.iter().find_map(|ending| syntaxes.find_syntax_by_extension(ending)))
}

fn syntax_of_file(file_name: &str, text: &str) -> Option<&'static SyntaxReference> {
    let syntaxes = syntaxes();
    let extension = file_name.rsplit_once('.').map(|(_, extension)| extension);
    let first_line = text.lines().next().unwrap_or_default();
    syntaxes
        .find_syntax_by_extension(file_name)
        .or_else(|| syntaxes.find_syntax_by_extension(extension?))
        .or_else(|| syntaxes.find_syntax_by_extension(&extension?.to_ascii_lowercase()))
        .or_else(|| {
            (first_line.len() <= HIGHLIGHT_LINE_BYTES_MAX)
                .then(|| syntaxes.find_syntax_by_first_line(first_line))?
        })
        .filter(|syntax| !is_plain(syntax))
}

/// Highlights a text line by line. What is left after `time_max` is escaped and not highlighted.
fn highlighted(syntax: &SyntaxReference, text: &str, time_max: Duration) -> Highlighted {
    let begun = Instant::now();
    let mut parser = ParseState::new(syntax);
    let mut scopes = ScopeStack::new();
    let mut classes = Classes::default();
    let mut lines = Vec::new();
    let mut is_complete = true;
    for line in text.split_inclusive('\n') {
        let mut html = String::with_capacity(line.len() * 2);
        is_complete &= line.len() <= HIGHLIGHT_LINE_BYTES_MAX && begun.elapsed() <= time_max;
        let operations = is_complete.then(|| parser.parse_line(line, syntaxes()).ok()).flatten();
        let Some(operations) = operations else {
            is_complete = false;
            push_line_html(&mut html, lithe_code::text::without_line_end(line));
            lines.push(html);
            continue;
        };
        let mut spans = Spans::new(&mut html, lithe_code::text::without_line_end(line));
        for (offset, operation) in &operations {
            spans.push_to(*offset, classes.of(&scopes));
            is_complete &= scopes.apply(operation).is_ok();
        }
        spans.push_to(line.len(), classes.of(&scopes));
        spans.finish();
        lines.push(html);
    }
    Highlighted { lines, language: Some(syntax.name.clone()), is_complete }
}

/// Writes a line as spans, one for each run of one class.
struct Spans<'a> {
    html: &'a mut String,
    line: &'a str,
    written: usize,
    class: &'static str,
    begun: usize,
}

impl<'a> Spans<'a> {
    fn new(html: &'a mut String, line: &'a str) -> Self {
        Self { html, line, written: 0, class: "", begun: 0 }
    }

    /// The text up to the byte `end` is of this class.
    fn push_to(&mut self, end: usize, class: &'static str) {
        let end = end.min(self.line.len());
        if end <= self.written {
            return;
        }
        if class != self.class {
            self.write_run();
            self.class = class;
        }
        self.written = end;
    }

    fn write_run(&mut self) {
        let run = &self.line[self.begun..self.written];
        if !run.is_empty() {
            if self.class.is_empty() || run.trim_ascii().is_empty() {
                push_line_html(self.html, run);
            } else {
                self.html.push_str("<span class=\"");
                self.html.push_str(self.class);
                self.html.push_str("\">");
                push_line_html(self.html, run);
                self.html.push_str("</span>");
            }
        }
        self.begun = self.written;
    }

    fn finish(mut self) {
        self.write_run();
    }
}

/// The classes of scopes, remembered: a text has few scopes and many words.
#[derive(Default)]
struct Classes {
    by_scope: HashMap<Scope, Option<&'static str>>,
}

impl Classes {
    /// The class of the innermost scope that has one.
    fn of(&mut self, scopes: &ScopeStack) -> &'static str {
        let scopes = scopes.as_slice();
        scopes
            .iter()
            .rev()
            .find_map(|scope| *self.by_scope.entry(*scope).or_insert_with(|| class_of(*scope)))
            .unwrap_or("")
    }
}

fn class_of(scope: Scope) -> Option<&'static str> {
    static PREFIXES: OnceLock<Vec<(Scope, &str)>> = OnceLock::new();
    let prefixes = PREFIXES.get_or_init(|| {
        let scope = |name| Scope::new(name).expect("the table's names are short");
        CLASS_BY_SCOPE.iter().map(|(name, class)| (scope(name), *class)).collect()
    });
    let matching = prefixes.iter().filter(|(prefix, _)| prefix.is_prefix_of(scope));
    matching.max_by_key(|(prefix, _)| prefix.len()).map(|(_, class)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(file_name: &str, text: &str) -> Vec<String> {
        file(None, file_name, text).lines
    }

    #[test]
    fn languages_are_told_by_name_extension_and_first_line() {
        let cases = [
            ("main.rs", "", Some("Rust")),
            ("MAIN.RS", "", Some("Rust")),
            ("Makefile", "", Some("Makefile")),
            ("Dockerfile", "", Some("Dockerfile")),
            ("a.toml", "", Some("TOML")),
            ("a.ts", "", Some("TypeScript")),
            ("script", "#!/usr/bin/env python3\n", Some("Python")),
            ("a.txt", "", None),
            ("unknown.zzz", "", None),
            ("", "", None),
        ];
        for (name, text, expected) in cases {
            assert_eq!(file(None, name, text).language.as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn code_becomes_spans_of_the_known_classes() {
        assert_eq!(
            lines("a.rs", "// <b>\nfn f() -> u8 { 1 }\n"),
            [
                "<span class=\"hl-comment\">// &lt;b&gt;</span>",
                "<span class=\"hl-keyword\">fn</span> <span class=\"hl-function\">f</span>\
                 <span class=\"hl-punctuation\">()</span> <span class=\"hl-punctuation\">-&gt;</span> \
                 <span class=\"hl-keyword\">u8</span> <span class=\"hl-punctuation\">{</span> \
                 <span class=\"hl-number\">1</span> <span class=\"hl-punctuation\">}</span>",
            ]
        );
        for (_, class) in CLASS_BY_SCOPE {
            assert!(class.is_empty() || CLASSES.contains(class), "{class}");
        }
    }

    #[test]
    fn a_comment_over_lines_is_closed_on_each() {
        let comment = |text: &str| format!("<span class=\"hl-comment\">{text}</span>");
        assert_eq!(lines("a.c", "/* a\r\nb */"), [comment("/* a"), comment("b */")]);
    }

    #[test]
    fn what_is_left_when_the_time_is_over_is_plain() {
        let text = "let a = 1;\nlet b = 2;\n";
        let syntax = syntax_of_file("a.rs", text).expect("a grammar");
        let in_time = highlighted(syntax, text, Duration::MAX);
        assert!(in_time.is_complete && in_time.lines.iter().all(|line| line.contains("hl-keyword")));
        let late = highlighted(syntax, text, Duration::ZERO);
        assert_eq!((late.is_complete, late.lines.join("\n").as_str()), (false, "let a = 1;\nlet b = 2;"));
    }

    #[test]
    fn past_a_limit_text_is_plain() {
        let longest = format!("let a = \"{}\";", "x".repeat(HIGHLIGHT_LINE_BYTES_MAX - 11));
        assert_eq!(longest.len(), HIGHLIGHT_LINE_BYTES_MAX);
        assert!(file(None, "a.rs", &longest).is_complete);

        let long_line =
            format!("let a = 1;\nlet b = \"{}\";\nlet c = 3;\n", "x".repeat(HIGHLIGHT_LINE_BYTES_MAX));
        let highlighted = file(None, "a.rs", &long_line);
        assert!(!highlighted.is_complete);
        assert!(highlighted.lines[0].contains("hl-keyword"));
        assert_eq!(highlighted.lines[2], "let c = 3;");

        let line = "let a = 1;\n";
        let most = line.repeat(HIGHLIGHT_BYTES_MAX / line.len());
        assert!(file(None, "a.rs", &most[..line.len() * 10]).is_complete);
        let too_much = line.repeat(HIGHLIGHT_BYTES_MAX / line.len() + 1);
        let highlighted = file(None, "a.rs", &too_much);
        assert_eq!((highlighted.language, highlighted.is_complete), (None, false));
        assert_eq!(highlighted.lines[0], "let a = 1;");
    }

    #[test]
    fn what_is_kept_is_what_was_made() {
        let id = gix_hash::ObjectId::null(gix_hash::Kind::Sha1);
        for text in ["fn a() {}\n", "", "\n", "\n\n", "a\n\nb", "// x\r\n\r\n", "\"a\rb\""] {
            for name in ["a.rs", "a.unknown"] {
                let directory = tempfile::tempdir().expect("a temporary directory");
                let cache = crate::cache::Directory::new(directory.path());
                for _ in 0..2 {
                    assert_eq!(
                        file_cached(&cache, &id, (&Marks::default(), name), text),
                        file(None, name, text),
                        "{name} {text:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn nothing_that_is_highlighted_escapes_its_span() {
        for name in ["a.html", "a.js", "a.md", "a.php", "a.rs", "a.zzz"] {
            for line in lines(name, "</span><script>alert('\"&')</script>\n<!-- \n</td>\n") {
                assert!(!line.contains("<script") && !line.contains("</td"), "{name}: {line}");
            }
        }
    }
}
