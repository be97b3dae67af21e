//! The component `highlighter`: finds the colours of code. A site can put one of its own in its place.
//!
//! A grammar takes some ten megabytes once it is at work. So few instances have them, one for each
//! processor at most, and those that make pages stay small.
//!
//! The grammars are unpacked when the first text is highlighted, and kept.

mod bindings;
mod kinds;
pub mod limits;

pub use bindings::exports::lithe::highlighting::highlighter::{Guest, Highlighted, Kind, Run, Source};
use kinds::Kinds;
use limits::{LINE_BYTES_MAX, TIME_MAX};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use syntect::parsing::{ParseState, ScopeStack, SyntaxReference, SyntaxSet};

/// What answers the calls.
pub struct Component;

impl Guest for Component {
    fn edition() -> Result<String, String> {
        Ok(env!("HIGHLIGHTING_EDITION").to_owned())
    }

    fn highlight(source: Source, text: String) -> Result<Option<Highlighted>, String> {
        Ok(syntax_of(&source, &text).map(|syntax| highlighted(syntax, &text, TIME_MAX)))
    }
}

fn syntaxes() -> &'static SyntaxSet {
    static SYNTAXES: OnceLock<SyntaxSet> = OnceLock::new();
    SYNTAXES.get_or_init(two_face::syntax::extra_newlines)
}

/// The grammar of a text; none if it is plain.
fn syntax_of(source: &Source, text: &str) -> Option<&'static SyntaxReference> {
    let by_language = source.languages.iter().find_map(|name| syntaxes().find_syntax_by_token(name));
    by_language
        .or_else(|| syntax_of_file(source.file_name.as_deref()?, text))
        .filter(|syntax| syntax.name != "Plain Text")
}

fn syntax_of_file(name: &str, text: &str) -> Option<&'static SyntaxReference> {
    let syntaxes = syntaxes();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let first_line = text.lines().next().unwrap_or_default();
    syntaxes
        .find_syntax_by_extension(name)
        .or_else(|| syntaxes.find_syntax_by_extension(extension?))
        .or_else(|| syntaxes.find_syntax_by_extension(&extension?.to_ascii_lowercase()))
        .or_else(|| {
            (first_line.len() <= LINE_BYTES_MAX).then(|| syntaxes.find_syntax_by_first_line(first_line))?
        })
}

/// Highlights a text line by line, up to where a limit is.
fn highlighted(syntax: &SyntaxReference, text: &str, time_max: Duration) -> Highlighted {
    let begun = Instant::now();
    let mut parser = ParseState::new(syntax);
    let mut scopes = ScopeStack::new();
    let mut kinds = Kinds::default();
    let mut runs = Runs::default();
    for line in text.split_inclusive('\n') {
        if line.len() > LINE_BYTES_MAX || begun.elapsed() > time_max {
            break;
        }
        let Ok(operations) = parser.parse_line(line, syntaxes()) else { break };
        let mut end = 0;
        for (offset, operation) in &operations {
            // Grammars may tell of places in no order.
            if *offset > end && line.is_char_boundary(*offset) {
                runs.push(*offset - end, kinds.of(&scopes));
                end = *offset;
            }
            if scopes.apply(operation).is_err() {
                return Highlighted { language: syntax.name.clone(), runs: runs.finish() };
            }
        }
        runs.push(line.len() - end, kinds.of(&scopes));
    }
    Highlighted { language: syntax.name.clone(), runs: runs.finish() }
}

/// Runs one after another, as few as possible.
#[derive(Default)]
struct Runs {
    done: Vec<Run>,
    bytes: usize,
    kind: Option<Kind>,
}

impl Runs {
    fn push(&mut self, bytes: usize, kind: Kind) {
        if self.kind != Some(kind) {
            self.end();
            self.kind = Some(kind);
        }
        self.bytes += bytes;
    }

    fn end(&mut self) {
        if let Some(kind) = self.kind
            && self.bytes > 0
        {
            self.done.push((self.bytes as Run) << 5 | kind as Run);
        }
        self.bytes = 0;
    }

    fn finish(mut self) -> Vec<Run> {
        self.end();
        self.done
    }
}

// Elsewhere the exports' names are none that a linker takes.
#[cfg(target_family = "wasm")]
bindings::export!(Component with_types_in bindings);

#[cfg(test)]
mod tests {
    use super::*;

    fn source(languages: &[&str], file_name: Option<&str>) -> Source {
        Source {
            languages: languages.iter().map(|name| (*name).to_owned()).collect(),
            file_name: file_name.map(str::to_owned),
        }
    }

    fn name(languages: &[&str], file_name: Option<&str>, text: &str) -> Option<String> {
        let highlighted = Component::highlight(source(languages, file_name), text.to_owned());
        highlighted.expect("it does not fail").map(|highlighted| highlighted.language)
    }

    /// The parts of a text and their kinds.
    fn parts(text: &str, runs: &[Run]) -> Vec<(String, u32)> {
        let mut rest = text;
        let part = |run: &Run| {
            let (part, after) = rest.split_at((run >> 5) as usize);
            rest = after;
            (part.to_owned(), run & 31)
        };
        runs.iter().map(part).collect()
    }

    #[test]
    fn the_best_guess_counts_first() {
        assert_eq!(name(&["no such language", "py"], Some("a.rs"), "").as_deref(), Some("Python"));
        assert_eq!(name(&["no such language"], Some("a.rs"), "").as_deref(), Some("Rust"));
        assert_eq!(name(&["rust"], None, "").as_deref(), Some("Rust"));
        assert_eq!(name(&[], Some("script"), "#!/bin/sh\n").as_deref(), Some("Bourne Again Shell (bash)"));
        assert_eq!(name(&[], None, "#!/bin/sh\n"), None);
        assert_eq!(name(&["txt"], None, ""), None);
    }

    #[test]
    fn runs_cover_the_text() {
        let text = "// ż\r\nlet a = \"x\";";
        let highlighted =
            highlighted(syntax_of(&source(&["rs"], None), text).expect("a grammar"), text, TIME_MAX);
        let parts = parts(text, &highlighted.runs);
        assert_eq!(parts.iter().map(|(part, _)| part.as_str()).collect::<String>(), text);
        let kind = |wanted: &str| parts.iter().find(|(part, _)| part.contains(wanted)).map(|(_, kind)| *kind);
        assert_eq!(kind("ż"), Some(Kind::Comment as u32));
        assert_eq!(kind("let"), Some(Kind::Keyword as u32));
        assert_eq!(kind("x"), Some(Kind::Text as u32));
        assert!(parts.windows(2).all(|pair| pair[0].1 != pair[1].1), "{parts:?}");
    }

    #[test]
    fn runs_end_where_the_time_is_over_or_a_line_too_long() {
        let bytes = |runs: &[Run]| runs.iter().map(|run| (run >> 5) as usize).sum::<usize>();
        let text = format!("let a = 1;\n{}\nlet b = 2;\n", "x".repeat(LINE_BYTES_MAX));
        let syntax = syntax_of(&source(&["rs"], None), &text).expect("a grammar");
        assert_eq!(bytes(&highlighted(syntax, &text, Duration::MAX).runs), "let a = 1;\n".len());
        assert_eq!(highlighted(syntax, &text, Duration::ZERO).runs, []);
    }
}
