//! What lines have to match, compiled.
//!
//! A match never goes beyond its line: whatever could match a line end is taken out of the expression
//! beforehand, so that a whole text can be searched at once.

use crate::limits::{
    AUTOMATON_BYTES_MAX, AUTOMATON_CACHE_BYTES, COUNTED_LINES_MAX, EXPRESSION_DEPTH_MAX, MARKS_MAX,
    PIECE_BYTES,
};
use crate::needs::Needs;
use lithe_web::{Text, t};
use regex_automata::meta::{self, Regex};
use regex_automata::{Input, MatchKind};
use regex_syntax::hir::{
    Capture, Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look,
};
use std::ops::Range;
use std::time::Instant;

/// How words and expressions are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meaning {
    /// They are regular expressions, and not text that stands for itself.
    pub is_expression: bool,
    /// Capital and small letters differ.
    pub minds_case: bool,
    /// They match where no letter, digit or `_` stands before or after.
    pub whole_words: bool,
}

/// Why something cannot be searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    Syntax(String),
    LineEnd,
    TooLarge,
}

impl Error {
    /// The reason, for people.
    pub fn in_words(&self) -> Text {
        match self {
            Self::Syntax(reason) => t("This is not a regular expression: {reason}.").with("reason", reason),
            Self::LineEnd => {
                t("Matches do not go beyond a line, so that an expression cannot have a line end in it.")
            }
            Self::TooLarge => t("This expression is too large to be searched for."),
        }
    }
}

/// Words or expressions, all of which a text has to have, on whichever lines.
#[derive(Debug, Clone)]
pub struct Pattern {
    terms: Vec<Regex>,
    /// Any of them.
    any: Regex,
    needs: Needs,
}

/// A line that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1.
    pub number: usize,
    /// Where it is in the text, without its end.
    pub bytes: Range<usize>,
    /// What matches, in bytes from the line's beginning.
    pub marks: Vec<Range<usize>>,
}

/// The lines of a text that match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    pub lines: Vec<Line>,
    /// How many there are, up to [`COUNTED_LINES_MAX`].
    pub count: usize,
}

/// The time was over before the end of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfTime;

impl Pattern {
    /// Compiles the terms.
    pub fn new(terms: &[impl AsRef<str>], meaning: Meaning) -> Result<Self, Error> {
        let expressions =
            terms.iter().map(|term| parse(term.as_ref(), meaning)).collect::<Result<Vec<_>, _>>()?;
        let needs = expressions.iter().fold(Needs::Anything, |needs, hir| needs.and(Needs::of(hir)));
        let compiled = expressions.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        let any = match compiled.as_slice() {
            [one] => one.clone(),
            _ => compile(&Hir::alternation(expressions))?,
        };
        Ok(Self { terms: compiled, any, needs })
    }

    /// What a text needs to match.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Whether a short text has all terms.
    pub fn is_match(&self, text: &str) -> bool {
        self.terms.iter().all(|term| term.is_match(text))
    }

    /// The first `lines_max` lines with one of the terms, and how many there are; none unless the text has
    /// all terms.
    pub fn lines(&self, text: &str, lines_max: usize, until: Option<Instant>) -> Result<Lines, OutOfTime> {
        if self.terms.len() > 1 {
            for term in &self.terms {
                if first(term, text, until)?.is_none() {
                    return Ok(Lines::default());
                }
            }
        }
        let mut found = Lines::default();
        // The line that begins at `counted` has that number.
        let (mut number, mut counted) = (1, 0);
        for piece in pieces(text) {
            let mut at = piece.start;
            while at < piece.end {
                check(until)?;
                let Some(hit) = self.any.search(&Input::new(text).span(at..piece.end)) else { break };
                // An empty match at the end of the text is on no line.
                if hit.start() >= text.len() {
                    break;
                }
                let line = line_around(text, hit.start());
                found.count += 1;
                if found.lines.len() < lines_max {
                    number += newlines(&text[counted..line.start]);
                    counted = line.start;
                    found.lines.push(Line {
                        number,
                        marks: self.marks(text, &line, hit.start()),
                        bytes: line.clone(),
                    });
                }
                if found.count == COUNTED_LINES_MAX {
                    return Ok(found);
                }
                at = line.end + 1;
            }
        }
        Ok(found)
    }

    /// What matches in a line, from the first match on.
    fn marks(&self, text: &str, line: &Range<usize>, from: usize) -> Vec<Range<usize>> {
        let end = line.end.min(floor(text, line.start + PIECE_BYTES));
        let input = Input::new(text).span(from..end.max(from));
        let matches = self.any.find_iter(input).filter(|found| !found.is_empty()).take(MARKS_MAX);
        matches.map(|found| found.start() - line.start..found.end() - line.start).collect()
    }

    /// What matches in a short text.
    pub fn marks_of(&self, text: &str) -> Vec<Range<usize>> {
        let matches = self.any.find_iter(text).filter(|found| !found.is_empty()).take(MARKS_MAX);
        matches.map(|found| found.range()).collect()
    }
}

fn first(term: &Regex, text: &str, until: Option<Instant>) -> Result<Option<usize>, OutOfTime> {
    for piece in pieces(text) {
        check(until)?;
        if let Some(found) = term.search(&Input::new(text).span(piece)) {
            return Ok(Some(found.start()));
        }
    }
    Ok(None)
}

fn check(until: Option<Instant>) -> Result<(), OutOfTime> {
    match until {
        Some(until) if Instant::now() >= until => Err(OutOfTime),
        _ => Ok(()),
    }
}

/// Pieces of whole lines, or of a very long one, that the time is looked at in between.
fn pieces(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= text.len() {
            return None;
        }
        let most = floor(text, start + PIECE_BYTES);
        let end = match text.as_bytes()[start..most].iter().rposition(|byte| *byte == b'\n') {
            Some(last) if most < text.len() => start + last + 1,
            _ => most,
        };
        let piece = start..end;
        start = end;
        Some(piece)
    })
}

fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

fn line_around(text: &str, at: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length);
    start..end
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

fn compile(expression: &Hir) -> Result<Regex, Error> {
    let config = meta::Config::new()
        .match_kind(MatchKind::LeftmostFirst)
        .nfa_size_limit(Some(AUTOMATON_BYTES_MAX))
        .hybrid_cache_capacity(AUTOMATON_CACHE_BYTES);
    meta::Builder::new().configure(config).build_from_hir(expression).map_err(|_| Error::TooLarge)
}

/// The expression that a term stands for, within a line.
fn parse(term: &str, meaning: Meaning) -> Result<Hir, Error> {
    let escaped;
    let (source, is_unicode) = match meaning.is_expression {
        true => (term, true),
        false => {
            escaped = regex_syntax::escape(term);
            // The letters of ASCII have no other case than those of ASCII where text stands for itself.
            (escaped.as_str(), !term.is_ascii())
        }
    };
    let mut parser = regex_syntax::ParserBuilder::new();
    parser
        .nest_limit(EXPRESSION_DEPTH_MAX)
        .multi_line(true)
        .unicode(is_unicode)
        .case_insensitive(!meaning.minds_case);
    let parsed = parser.build().parse(source).map_err(|error| syntax_error(&error))?;
    let mut nodes = 0;
    let expression = within_line(parsed, &mut nodes)?;
    if !meaning.whole_words {
        return Ok(expression);
    }
    let edge = Hir::look;
    Ok(Hir::concat(vec![edge(Look::WordStartHalfAscii), expression, edge(Look::WordEndHalfAscii)]))
}

fn syntax_error(error: &regex_syntax::Error) -> Error {
    match error {
        regex_syntax::Error::Parse(error) => Error::Syntax(error.kind().to_string()),
        regex_syntax::Error::Translate(error) => Error::Syntax(error.kind().to_string()),
        _ => Error::TooLarge,
    }
}

/// How many parts an expression may have.
const PARTS_MAX: usize = 10_000;

/// The same expression where it cannot match a line end, and where a text's ends are those of its lines.
fn within_line(expression: Hir, parts: &mut usize) -> Result<Hir, Error> {
    *parts += 1;
    if *parts > PARTS_MAX {
        return Err(Error::TooLarge);
    }
    Ok(match expression.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) if literal.0.contains(&b'\n') => return Err(Error::LineEnd),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(Class::Unicode(mut class)) => {
            class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')]));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Class(Class::Bytes(mut class)) => {
            class.difference(&ClassBytes::new([ClassBytesRange::new(b'\n', b'\n')]));
            Hir::class(Class::Bytes(class))
        }
        HirKind::Look(Look::Start) => Hir::look(Look::StartLF),
        HirKind::Look(Look::End) => Hir::look(Look::EndLF),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(repetition) => {
            let sub = within_line(*repetition.sub, parts)?;
            Hir::repetition(regex_syntax::hir::Repetition { sub: Box::new(sub), ..repetition })
        }
        HirKind::Capture(Capture { sub, .. }) => within_line(*sub, parts)?,
        HirKind::Concat(all) => {
            Hir::concat(all.into_iter().map(|part| within_line(part, parts)).collect::<Result<_, _>>()?)
        }
        HirKind::Alternation(all) => {
            Hir::alternation(all.into_iter().map(|part| within_line(part, parts)).collect::<Result<_, _>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LITERAL: Meaning = Meaning { is_expression: false, minds_case: true, whole_words: false };
    const EXPRESSION: Meaning = Meaning { is_expression: true, ..LITERAL };

    fn lines(terms: &[&str], meaning: Meaning, text: &str) -> Vec<usize> {
        let pattern = Pattern::new(terms, meaning).expect("it can be searched for");
        let found = pattern.lines(text, usize::MAX, None).expect("there is time");
        assert_eq!(found.count, found.lines.len());
        found.lines.iter().map(|line| line.number).collect()
    }

    #[test]
    fn lines_are_found() {
        let text = "fn main() {\n    let x = foo(1);\n    Foo::new()\n}\n\nfoo_bar foo\n";
        let any_case = Meaning { minds_case: false, ..LITERAL };
        let word = Meaning { whole_words: true, ..LITERAL };
        let cases: &[(&[&str], Meaning, &[usize])] = &[
            (&["foo"], LITERAL, &[2, 6]),
            (&["foo"], any_case, &[2, 3, 6]),
            (&["foo"], word, &[2, 6]),
            (&["foo_b"], word, &[]),
            (&["foo("], LITERAL, &[2]),
            (&["foo", "main"], LITERAL, &[1, 2, 6]),
            (&["foo", "absent"], LITERAL, &[]),
            (&["(foo|main)\\("], EXPRESSION, &[1, 2]),
            (&["^}$"], EXPRESSION, &[4]),
            (&["^$"], EXPRESSION, &[5]),
            (&["\\A\\s+let"], EXPRESSION, &[2]),
            (&["[^a]*"], EXPRESSION, &[1, 2, 3, 4, 5, 6]),
            (&["{\\s*let"], Meaning { is_expression: false, ..LITERAL }, &[]),
            (&["\\{\\s*let"], EXPRESSION, &[]),
            (&["foo$"], EXPRESSION, &[6]),
            (&["x.*\\("], EXPRESSION, &[2]),
        ];
        for (terms, meaning, expected) in cases {
            assert_eq!(lines(terms, *meaning, text), *expected, "{terms:?} {meaning:?}");
        }
    }

    #[test]
    fn matches_are_marked_within_their_line() {
        let pattern = Pattern::new(&["b+"], EXPRESSION).expect("an expression");
        let found = pattern.lines("a\nxbbyb\nz", 10, None).expect("there is time");
        assert_eq!(found.lines, [Line { number: 2, bytes: 2..7, marks: vec![1..3, 4..5] }]);
    }

    #[test]
    fn what_cannot_be_searched_for_is_refused_in_words() {
        let refused = |term: &str| Pattern::new(&[term], EXPRESSION).map(|_| ()).expect_err(term);
        assert!(matches!(refused("("), Error::Syntax(_)));
        assert!(matches!(refused("(?<=a)b"), Error::Syntax(_)));
        assert!(matches!(refused(r"(a)\1"), Error::Syntax(_)));
        assert_eq!(refused("a\\nb"), Error::LineEnd);
        assert_eq!(refused("(\\w{100}){100}"), Error::TooLarge);
        assert!(matches!(refused(&"(".repeat(200)), Error::Syntax(_)));
    }

    #[test]
    fn expressions_that_explode_elsewhere_do_not() {
        let text = "x".repeat(200_000);
        for expression in ["(x+x+)+y", "(x|x)*y", "(x*)*y", "x*x*x*x*x*y", "(.*)(.*)(.*)(.*)y"] {
            let until = Instant::now() + Duration::from_secs(60);
            let pattern = Pattern::new(&[expression], EXPRESSION).expect("an expression");
            assert_eq!(pattern.lines(&text, 1, Some(until)), Ok(Lines::default()), "{expression}");
        }
    }

    #[test]
    fn time_runs_out() {
        let pattern = Pattern::new(&["x"], LITERAL).expect("a word");
        assert_eq!(pattern.lines("a\nb", 1, Some(Instant::now())), Err(OutOfTime));
    }

    #[test]
    fn lines_are_counted_up_to_the_limit() {
        let pattern = Pattern::new(&["x"], LITERAL).expect("a word");
        let count = |lines: usize| {
            pattern.lines(&"x\n".repeat(lines), 2, None).map(|found| (found.lines.len(), found.count))
        };
        assert_eq!(count(COUNTED_LINES_MAX), Ok((2, COUNTED_LINES_MAX)));
        assert_eq!(count(COUNTED_LINES_MAX + 1), Ok((2, COUNTED_LINES_MAX)));
    }

    #[test]
    fn very_long_lines_are_searched_in_pieces() {
        let mut text = "ż".repeat(PIECE_BYTES);
        text.push_str("needle\nneedle");
        assert_eq!(lines(&["needle"], LITERAL, &text), [1, 2]);
    }
}
