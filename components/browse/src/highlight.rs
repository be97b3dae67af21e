//! Source code as HTML with a small, closed set of classes.
//!
//! What is of which kind the component `highlighter` says, which a site can replace: it is not trusted with
//! HTML. Where it fails, code is shown plain.

use crate::cache::{Cache, Key};
use crate::limits::{HIGHLIGHT_BYTES_MAX, HIGHLIGHT_SLOW_TIME, HIGHLIGHT_TIME_MAX, LANGUAGE_NAME_BYTES_MAX};
#[cfg(not(target_family = "wasm"))]
use in_process as highlighter;
use lithe_code::marks::Marks;
use lithe_code::text::push_line_html;
#[cfg(target_family = "wasm")]
use lithe_forge::highlighter;
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::time::{Duration, Instant};

/// Every class that highlighting uses, in the order of `kind` in `wit/deps/highlighting`, which begins with none.
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

/// A run's kind is in so many of its lowest bits.
const KIND_BITS: u32 = 5;

/// The class of a kind of run; empty: it has none.
fn class_of(kind: u32) -> &'static str {
    kind.checked_sub(1).and_then(|at| CLASSES.get(at as usize)).copied().unwrap_or_default()
}

/// A text as HTML, a string for each line.
#[derive(Debug, PartialEq, Eq)]
pub struct Highlighted {
    pub lines: Vec<String>,
    /// The name of the language; none if it is not known, or the text past a limit.
    pub language: Option<String>,
    pub extent: Extent,
}

/// How much of a text was highlighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it that could be.
    All,
    /// It has a long line or is too long, or that took too long.
    Cut,
    /// Nothing, as the highlighter has failed.
    Failed,
}

thread_local! {
    static HAS_FAILED: Cell<bool> = const { Cell::new(false) };
    static SPENT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static RAN_OUT: Cell<bool> = const { Cell::new(false) };
    static EDITION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Begins a request: an instance works on one at a time. Where the highlighter fails once, or takes too long for all
/// that is on a page, the rest of the page is plain.
pub fn begin() {
    HAS_FAILED.set(false);
    SPENT.set(Duration::ZERO);
    RAN_OUT.set(false);
}

/// Whether the highlighter has failed since the request began: what was made then is not to be kept.
pub fn has_failed() -> bool {
    HAS_FAILED.get()
}

/// Asks the highlighter, unless that is of no use.
fn ask<T>(question: impl FnOnce() -> Result<T, String>) -> Result<T, ()> {
    if has_failed() {
        return Err(());
    }
    let begun = Instant::now();
    let answer = question();
    SPENT.set(SPENT.get() + begun.elapsed());
    answer.map_err(|error| {
        HAS_FAILED.set(true);
        eprintln!("browse: the highlighter: {error}");
    })
}

/// Highlights a text by the grammar that its file name or first line tells. What is past a limit is
/// escaped and not highlighted.
///
/// `language` is the one that the repository says it is in, if it does.
pub fn file(language: Option<&str>, file_name: &str, text: &str) -> Highlighted {
    highlighted(languages(language), Some(file_name.to_owned()), text)
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
    // What another highlighter made is forgotten.
    let Some(edition) = edition() else { return plain(text, Extent::Failed) };
    let file_name_bytes = file_name.as_bytes();
    let parts =
        [b"highlight", edition.as_bytes(), id.as_bytes(), file_name_bytes, said_language, said_encoding];
    let key = Key::new(&parts);
    if let Some(kept) = cache.get(&key) {
        // The language is on the first line; a line of HTML has no line end in it.
        let mut lines = kept.split('\n').map(str::to_owned);
        let language = lines.next().filter(|language| !language.is_empty());
        return Highlighted { lines: lines.collect(), language, extent: Extent::All };
    }
    let highlighted = file(language, file_name, text);
    if let (Some(language), Extent::All) = (&highlighted.language, highlighted.extent) {
        let lines: String = highlighted.lines.iter().flat_map(|line| ["\n", line]).collect();
        cache.put(&key, &format!("{language}{lines}"));
    }
    highlighted
}

/// Highlights a text by the name of its language, as in the info string of a Markdown code block.
pub fn code(language: &str, text: &str) -> Highlighted {
    highlighted(vec![language.to_owned()], None, text)
}

/// The edition of the highlighter that this instance found first; none if it cannot tell. One that takes its place
/// counts for new instances.
pub fn edition() -> Option<String> {
    if let Some(known) = EDITION.with_borrow(Clone::clone) {
        return Some(known);
    }
    let edition = ask(highlighter::edition).ok()?;
    EDITION.set(Some(edition.clone()));
    Some(edition)
}

/// Of which kind what stands on a text's lines is. None: it is plain text, or in a language that is not known.
///
/// Fails with how much of it is to be highlighted, which is not all: the highlighter fails, or a limit is reached.
pub fn lines(language: Option<&str>, file_name: &str, text: &str) -> Result<Option<Lines>, Extent> {
    let begun = SPENT.get();
    let said = asked(languages(language), Some(file_name.to_owned()), text);
    let is_slow = SPENT.get() - begun > HIGHLIGHT_SLOW_TIME;
    match said {
        Ok(Some(said)) => {
            let (lines, is_covered) = by_runs(text, &said.runs);
            RAN_OUT.set(RAN_OUT.get() || (is_slow && !is_covered));
            Ok(Some(lines))
        }
        Ok(None) => Ok(None),
        Err(extent) => {
            RAN_OUT.set(RAN_OUT.get() || SPENT.get() > HIGHLIGHT_TIME_MAX);
            Err(extent)
        }
    }
}

/// Whether there was no time to highlight all [`lines`] of the request: another time there may be.
pub fn ran_out_of_time() -> bool {
    RAN_OUT.get()
}

/// What a language may be called that the repository says a file is in.
fn languages(said: Option<&str>) -> Vec<String> {
    let endings = said.and_then(lithe_code::languages::named).map_or(&[][..], |language| language.endings);
    said.into_iter().chain(endings.iter().copied()).map(str::to_owned).collect()
}

fn highlighted(languages: Vec<String>, file_name: Option<String>, text: &str) -> Highlighted {
    match asked(languages, file_name, text) {
        Ok(Some(said)) => {
            let (runs, is_covered) = by_runs(text, &said.runs);
            let extent = if is_covered { Extent::All } else { Extent::Cut };
            Highlighted { lines: runs.html(text), language: Some(said.language), extent }
        }
        Ok(None) => plain(text, Extent::All),
        Err(extent) => plain(text, extent),
    }
}

/// What the highlighter says of a text; none if that is nothing. Fails with how much is to be highlighted then.
fn asked(
    languages: Vec<String>,
    file_name: Option<String>,
    text: &str,
) -> Result<Option<highlighter::Highlighted>, Extent> {
    let is_named = file_name.is_some() || languages.iter().any(|language| !language.is_empty());
    if !is_named {
        return Ok(None);
    }
    if text.len() > HIGHLIGHT_BYTES_MAX || SPENT.get() > HIGHLIGHT_TIME_MAX {
        return Err(Extent::Cut);
    }
    let said = ask(|| {
        let said = highlighter::highlight(&highlighter::Source { languages, file_name }, text)?;
        match said {
            Some(said) if !is_name(&said.language) => Err("the name of a language is none".to_owned()),
            said => Ok(said),
        }
    });
    said.map_err(|()| Extent::Failed)
}

/// Whether it can be the name of a language: what is kept has it on a line of its own.
fn is_name(language: &str) -> bool {
    (1..=LANGUAGE_NAME_BYTES_MAX).contains(&language.len()) && !language.chars().any(char::is_control)
}

fn plain(text: &str, extent: Extent) -> Highlighted {
    Highlighted { lines: Lines::default().html(text), language: None, extent }
}

/// Up to which byte of its line something is of one class; empty: it has none.
pub type Run = (usize, &'static str);

/// The classes of what stands on the lines of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Line after line.
    runs: Vec<Run>,
    /// Where the runs of each line end among them.
    ends: Vec<usize>,
}

impl Lines {
    /// The runs of the line of that number, counted from 0. What is past them has no class.
    pub fn of(&self, line: usize) -> &[Run] {
        let Some(end) = self.ends.get(line) else { return &[] };
        let begin = line.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.runs[begin..*end]
    }

    /// The line that is being written is of this class up to its byte `end`.
    fn push_to(&mut self, end: usize, class: &'static str) {
        let begin = self.ends.last().copied().unwrap_or(0);
        match self.runs[begin..].last_mut() {
            Some(last) if end <= last.0 => {}
            Some(last) if last.1 == class => last.0 = end,
            None if end == 0 => {}
            _ => self.runs.push((end, class)),
        }
    }

    fn end_line(&mut self) {
        self.ends.push(self.runs.len());
    }

    /// The lines of the text as HTML.
    fn html(&self, text: &str) -> Vec<String> {
        let html = |(number, line): (usize, &str)| {
            let mut html = String::with_capacity(line.len() * 2);
            push_part(&mut html, line, self.of(number), 0..line.len());
            html
        };
        lithe_code::text::lines(text).enumerate().map(html).collect()
    }
}

/// The classes that the runs stand for, line by line, and whether the runs go to the end of the text. Past them, and
/// from one on that does not end between characters, it has none.
fn by_runs(text: &str, runs: &[u32]) -> (Lines, bool) {
    let mut runs = runs.iter();
    // The end of the run that is being written, and its class.
    let (mut end, mut class) = (0, "");
    let mut is_covered = true;
    let mut begin = 0;
    let mut lines = Lines::default();
    for line in text.split_inclusive('\n') {
        let line_end = begin + line.len();
        loop {
            lines.push_to(end.min(line_end) - begin, class);
            if end >= line_end {
                break;
            }
            let next = runs.next().filter(|_| is_covered);
            let next_end = next.map(|run| end + (run >> KIND_BITS) as usize);
            match (next, next_end.filter(|end| text.is_char_boundary(*end))) {
                (Some(run), Some(next_end)) => {
                    let kind = run & ((1 << KIND_BITS) - 1);
                    class = class_of(kind);
                    end = next_end;
                }
                _ => {
                    (is_covered, end, class) = (false, text.len(), "");
                }
            }
        }
        lines.end_line();
        begin = line_end;
    }
    (lines, is_covered)
}

/// Writes the part of a line as HTML, a span for each run. The runs are those of the whole line; its part and they end
/// between characters.
pub fn push_part(html: &mut String, line: &str, runs: &[Run], part: Range<usize>) {
    let mut at = part.start;
    for (end, class) in runs.iter().copied().chain([(part.end, "")]) {
        let end = end.min(part.end);
        if end <= at {
            continue;
        }
        let run = &line[at..end];
        if class.is_empty() || run.trim_ascii().is_empty() {
            push_line_html(html, run);
        } else {
            html.push_str("<span class=\"");
            html.push_str(class);
            html.push_str("\">");
            push_line_html(html, run);
            html.push_str("</span>");
        }
        at = end;
    }
}

/// What the component says, without a component: for tests of pages.
#[cfg(not(target_family = "wasm"))]
mod in_process {
    use highlighter::{Component, Guest as _};
    pub use highlighter::{Highlighted, Source};

    pub fn edition() -> Result<String, String> {
        Component::edition()
    }

    pub fn highlight(source: &Source, text: &str) -> Result<Option<Highlighted>, String> {
        Component::highlight(source.clone(), text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::highlighter::limits::LINE_BYTES_MAX;

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
        assert_eq!([0, 1, 16, 17].map(class_of), ["", "hl-keyword", "hl-link", ""]);
    }

    #[test]
    fn a_comment_over_lines_is_closed_on_each() {
        let comment = |text: &str| format!("<span class=\"hl-comment\">{text}</span>");
        assert_eq!(lines("a.c", "/* a\r\nb */"), [comment("/* a"), comment("b */")]);
    }

    #[test]
    fn runs_that_make_no_sense_are_plain() {
        let text = "żab\r\nc<d";
        let lines = |runs: &[u32]| {
            let (lines, is_covered) = by_runs(text, runs);
            (lines.html(text), is_covered)
        };
        let run = |bytes: u32, kind: u32| bytes << KIND_BITS | kind;
        let keyword = "<span class=\"hl-keyword\">";
        let cases: [(&[u32], [String; 2], bool); 7] = [
            (&[], ["żab".into(), "c&lt;d".into()], false),
            (&[run(3, 1), run(6, 0)], [format!("{keyword}ża</span>b"), "c&lt;d".into()], true),
            (&[run(9, 1)], [format!("{keyword}żab</span>"), format!("{keyword}c&lt;d</span>")], true),
            (&[run(0, 2), run(2, 1)], [format!("{keyword}ż</span>ab"), "c&lt;d".into()], false),
            // Within a character, past the end, of no kind that there is.
            (&[run(1, 1), run(8, 1)], ["żab".into(), "c&lt;d".into()], false),
            (
                &[run(2, 1), run(u32::MAX >> KIND_BITS, 1)],
                [format!("{keyword}ż</span>ab"), "c&lt;d".into()],
                false,
            ),
            (&[run(9, 31)], ["żab".into(), "c&lt;d".into()], true),
        ];
        for (runs, expected, is_complete) in cases {
            assert_eq!(lines(runs), (expected.to_vec(), is_complete), "{runs:?}");
        }
        // More than there is text for ends.
        assert!(by_runs("a", &[run(1, 1); 100_000]).1);
    }

    #[test]
    fn past_a_limit_text_is_plain() {
        let longest = format!("let a = \"{}\";", "x".repeat(LINE_BYTES_MAX - 11));
        assert_eq!(longest.len(), LINE_BYTES_MAX);
        assert_eq!(file(None, "a.rs", &longest).extent, Extent::All);

        let long_line = format!("let a = 1;\nlet b = \"{}\";\nlet c = 3;\n", "x".repeat(LINE_BYTES_MAX));
        let highlighted = file(None, "a.rs", &long_line);
        assert_eq!(highlighted.extent, Extent::Cut);
        assert!(highlighted.lines[0].contains("hl-keyword"));
        assert_eq!(highlighted.lines[2], "let c = 3;");

        let line = "let a = 1;\n";
        let most = line.repeat(HIGHLIGHT_BYTES_MAX / line.len());
        assert_eq!(file(None, "a.rs", &most[..line.len() * 10]).extent, Extent::All);
        let too_much = line.repeat(HIGHLIGHT_BYTES_MAX / line.len() + 1);
        let highlighted = file(None, "a.rs", &too_much);
        assert_eq!((highlighted.language, highlighted.extent), (None, Extent::Cut));
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

    #[test]
    fn a_name_of_a_language_is_one_short_line() {
        let longest = "x".repeat(LANGUAGE_NAME_BYTES_MAX);
        assert!(["C", "C++", "\u{17c}", &longest].into_iter().all(is_name));
        let too_long = "x".repeat(LANGUAGE_NAME_BYTES_MAX + 1);
        for language in ["", "C\n<form>", "a\rb", "a\u{85}b", "a\0", &too_long] {
            assert!(!is_name(language), "{language:?}");
        }
    }

    #[test]
    fn after_one_failure_nothing_is_asked_for_the_same_page() {
        begin();
        assert_eq!(ask(|| Ok(1)), Ok(1));
        assert_eq!(ask(|| Err::<(), _>("out of order".to_owned())), Err(()));
        assert_eq!(ask(|| -> Result<(), String> { panic!("it is not asked") }), Err(()));
        let code = highlighted(vec!["rust".to_owned()], None, "fn main() {}");
        assert_eq!((code.lines, code.extent), (vec!["fn main() {}".to_owned()], Extent::Failed));
        begin();
        assert!(highlighted(vec!["rust".to_owned()], None, "fn main() {}").lines[0].contains("hl-keyword"));
    }

    #[test]
    fn lines_that_there_was_no_time_for_are_told_from_those_that_are_too_long() {
        begin();
        let long = format!("let a = 1;\n{}\n", "x".repeat(LINE_BYTES_MAX + 1));
        assert!(super::lines(None, "a.rs", &long).is_ok_and(|lines| lines.is_some()) && !ran_out_of_time());
        SPENT.set(HIGHLIGHT_TIME_MAX + Duration::from_millis(1));
        assert_eq!(super::lines(None, "a.rs", "let a = 1;\n"), Err(Extent::Cut));
        assert!(ran_out_of_time());
        begin();
        assert!(!ran_out_of_time());
    }

    #[test]
    fn what_takes_too_long_for_one_page_leaves_the_rest_of_it_plain() {
        begin();
        SPENT.set(HIGHLIGHT_TIME_MAX + Duration::from_millis(1));
        assert_eq!(code("rust", "fn main() {}").extent, Extent::Cut);
        begin();
        assert_eq!(code("rust", "fn main() {}").extent, Extent::All);
    }
}
