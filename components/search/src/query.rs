//! What is asked for: words, and filters among them or in fields of their own.
//!
//! `path:src/*.rs lang:rust case:yes "two words" other`: a name and a colon begin a filter if the name is
//! one of them; quotes keep white space, and what stands in them from its first character on is no filter.
//! Where the words are a regular expression, all that is no filter is one expression.

use crate::limits::{QUERY_BYTES_MAX, QUERY_WORDS_MAX};
use crate::pattern::Meaning;
use bstr::BStr;
use globset::{GlobBuilder, GlobMatcher};
use lithe_web::Fields;
use lithe_web::{Text, t};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// As it was typed.
    pub text: String,
    pub terms: Vec<String>,
    pub meaning: Meaning,
    /// What the path has to match.
    pub paths: Vec<String>,
    /// What the path must not match.
    pub other_paths: Vec<String>,
    pub languages: Vec<String>,
    pub authors: Vec<String>,
    /// What the path of the repository has to contain.
    pub repositories: Vec<String>,
    /// Whether files that tools or others wrote are searched too.
    pub has_all: bool,
}

/// Why a query makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    TooLong,
    Glob(String),
    YesOrNo(&'static str),
}

impl Error {
    /// The reason, for people.
    pub fn in_words(&self) -> Text {
        match self {
            Self::TooLong => t("This is too long to be searched for."),
            Self::Glob(pattern) => t("“{pattern}” is no pattern of paths.").with("pattern", pattern),
            Self::YesOrNo(name) => t("“{name}” can be yes or no.").with("name", Text::verbatim(*name)),
        }
    }
}

impl Query {
    /// Reads a query from the fields `q`, `regex`, `case`, `word`, `all`, `path`, `lang` and `author`.
    pub fn of_fields(fields: &Fields) -> Result<Self, Error> {
        let mut query = Self::parse(fields.get("q"))?;
        query.meaning.is_expression |= is_yes(fields.get("regex"));
        query.meaning.minds_case |= is_yes(fields.get("case"));
        query.meaning.whole_words |= is_yes(fields.get("word"));
        query.has_all |= is_yes(fields.get("all"));
        for (name, values) in
            [("path", &mut query.paths), ("lang", &mut query.languages), ("author", &mut query.authors)]
        {
            let value = fields.trimmed(name);
            if value.len() > QUERY_BYTES_MAX {
                return Err(Error::TooLong);
            }
            if !value.is_empty() {
                values.push(value.to_owned());
            }
        }
        if query.meaning.is_expression {
            query.terms = match query.terms.is_empty() {
                true => Vec::new(),
                false => vec![expression(&query.text)],
            };
        }
        Ok(query)
    }

    /// Reads a query from its text alone.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.len() > QUERY_BYTES_MAX {
            return Err(Error::TooLong);
        }
        let mut query = Self { text: text.to_owned(), ..Self::default() };
        for (index, word) in words(text).enumerate() {
            if index >= QUERY_WORDS_MAX {
                return Err(Error::TooLong);
            }
            match word.filter() {
                Some(filter) => query.add(&filter)?,
                None if word.value.is_empty() => {}
                None => query.terms.push(word.value),
            }
        }
        Ok(query)
    }

    fn add(&mut self, (name, value): &(&str, String)) -> Result<(), Error> {
        let value = value.clone();
        match *name {
            _ if value.is_empty() => {}
            "path" => self.paths.push(value),
            "-path" => self.other_paths.push(value),
            "lang" => self.languages.push(value),
            "author" => self.authors.push(value),
            "repo" => self.repositories.push(value),
            "case" => self.meaning.minds_case = yes_or_no("case:", &value)?,
            "word" => self.meaning.whole_words = yes_or_no("word:", &value)?,
            "regex" => self.meaning.is_expression = yes_or_no("regex:", &value)?,
            "all" => self.has_all = yes_or_no("all:", &value)?,
            _ => unreachable!("`filter` knows these names alone"),
        }
        Ok(())
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// What paths have to match.
    pub fn path_filter(&self) -> Result<PathFilter, Error> {
        let filters = |patterns: &[String]| {
            patterns.iter().map(|pattern| PathPattern::new(pattern)).collect::<Result<Vec<_>, _>>()
        };
        Ok(PathFilter { all: filters(&self.paths)?, none: filters(&self.other_paths)? })
    }
}

fn is_yes(value: &str) -> bool {
    matches!(value, "yes" | "true" | "1" | "on")
}

fn yes_or_no(name: &'static str, value: &str) -> Result<bool, Error> {
    match value {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(Error::YesOrNo(name)),
    }
}

/// The names of filters.
const FILTERS: [&str; 9] = ["path", "-path", "lang", "author", "repo", "case", "word", "regex", "all"];

/// A word of a query.
struct Word {
    /// Without its quotes.
    value: String,
    /// Whether it begins with a quote.
    is_quoted: bool,
    /// Where it is in the text.
    start: usize,
    end: usize,
}

impl Word {
    /// The name and value, if it is a filter.
    fn filter(&self) -> Option<(&'static str, String)> {
        let (name, value) = self.value.split_once(':').filter(|_| !self.is_quoted)?;
        let name = FILTERS.into_iter().find(|known| *known == name)?;
        Some((name, value.to_owned()))
    }
}

/// The words of a text, separated by white space that is not in quotes. In quotes, `\"` is a quote and
/// `\\` a backslash; a quote within a word is nothing special but after the colon of a filter.
fn words(text: &str) -> impl Iterator<Item = Word> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text[at..].len() - text[at..].trim_start().len();
        let start = at;
        let mut word = Word { value: String::new(), is_quoted: false, start, end: start };
        let mut in_quotes = false;
        let mut characters = text[start..].char_indices().peekable();
        let mut end = text.len();
        while let Some((offset, character)) = characters.next() {
            match character {
                '"' if !in_quotes
                    && (offset == 0 || word.value.ends_with(':') && word.filter().is_some()) =>
                {
                    in_quotes = true;
                    word.is_quoted |= offset == 0;
                }
                '"' if in_quotes => in_quotes = false,
                '\\' if in_quotes => match characters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                    Some((_, next)) => word.value.push(next),
                    None => word.value.push('\\'),
                },
                _ if character.is_whitespace() && !in_quotes => {
                    end = start + offset;
                    break;
                }
                _ => word.value.push(character),
            }
        }
        if start == text.len() {
            return None;
        }
        (at, word.end) = (end, end);
        Some(word)
    })
}

/// A text without its filters, as one expression.
fn expression(text: &str) -> String {
    let kept: Vec<Word> = words(text).filter(|word| word.filter().is_none()).collect();
    match kept.as_slice() {
        [word] if word.is_quoted => word.value.clone(),
        _ => {
            // What stands between two words that follow one another belongs to the expression too.
            let mut expression = String::new();
            let mut last_end = None;
            for word in &kept {
                if let Some(end) = last_end {
                    let between: &str = &text[end..word.start];
                    expression.push_str(if between.trim().is_empty() { between } else { " " });
                }
                expression.push_str(&text[word.start..word.end]);
                last_end = Some(word.end);
            }
            expression
        }
    }
}

/// What paths have to match.
#[derive(Debug, Clone, Default)]
pub struct PathFilter {
    all: Vec<PathPattern>,
    none: Vec<PathPattern>,
}

impl PathFilter {
    /// Whether a path is wanted.
    pub fn is_match(&self, path: &BStr) -> bool {
        self.all.iter().all(|pattern| pattern.is_match(path))
            && !self.none.iter().any(|pattern| pattern.is_match(path))
    }
}

/// A pattern of paths: with `*`, `?` or `[` it has to match the whole path, or without a slash the name of
/// the file; else it stands somewhere in the path, whatever the case.
#[derive(Debug, Clone)]
enum PathPattern {
    Part(String),
    Path(GlobMatcher),
    Name(GlobMatcher),
}

impl PathPattern {
    fn new(pattern: &str) -> Result<Self, Error> {
        if !pattern.contains(['*', '?', '[']) {
            return Ok(Self::Part(pattern.to_ascii_lowercase()));
        }
        let own = pattern.trim_start_matches('/');
        let glob = GlobBuilder::new(own).literal_separator(true).backslash_escape(true).build();
        let matcher = glob.map_err(|_| Error::Glob(pattern.to_owned()))?.compile_matcher();
        Ok(if pattern.contains('/') { Self::Path(matcher) } else { Self::Name(matcher) })
    }

    fn is_match(&self, path: &BStr) -> bool {
        let as_path = |bytes: &[u8]| std::path::PathBuf::from(String::from_utf8_lossy(bytes).into_owned());
        match self {
            Self::Part(part) => {
                let path = path.to_ascii_lowercase();
                bstr::ByteSlice::contains_str(path.as_slice(), part)
            }
            Self::Path(glob) => glob.is_match(as_path(path)),
            Self::Name(glob) => {
                let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
                glob.is_match(as_path(name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::parse(text).expect(text)
    }

    #[test]
    fn words_and_filters_are_told_apart() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("foo", &["foo"]),
            ("  foo   bar ", &["foo", "bar"]),
            ("\"foo bar\" baz", &["foo bar", "baz"]),
            ("say(\"hi\")", &["say(\"hi\")"]),
            ("\"a \\\"b\\\" \\\\c\"", &["a \"b\" \\c"]),
            ("std::fs path:x", &["std::fs"]),
            ("\"path:x\"", &["path:x"]),
            ("other:x", &["other:x"]),
            ("\"open", &["open"]),
            ("\"\"", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(query(text).terms, *expected, "{text}");
        }
        let filtered =
            query("x path:src/*.rs -path:\"a b\" lang:rust case:yes word:yes repo:team author:ada");
        assert_eq!((filtered.paths, filtered.other_paths), (vec!["src/*.rs".into()], vec!["a b".into()]));
        assert_eq!((filtered.languages, filtered.authors), (vec!["rust".into()], vec!["ada".into()]));
        assert_eq!(filtered.repositories, ["team"]);
        assert!(
            filtered.meaning.minds_case && filtered.meaning.whole_words && !filtered.meaning.is_expression
        );
        assert_eq!(Query::parse("case:maybe"), Err(Error::YesOrNo("case:")));
    }

    #[test]
    fn an_expression_is_one_with_its_spaces() {
        let cases = [
            ("q=fn%20%20\\w%2B&regex=yes", "fn  \\w+"),
            ("q=fn%20path:x%20main&regex=yes", "fn main"),
            ("q=regex:yes%20a%7Cb%20c", "a|b c"),
            ("q=%22a%20b%22&regex=yes", "a b"),
            ("q=x%22y%20z%22&regex=yes", "x\"y z\""),
        ];
        for (fields, expected) in cases {
            let fields = Fields::parse(fields.as_bytes()).expect("a form");
            assert_eq!(Query::of_fields(&fields).expect("a query").terms, [expected]);
        }
    }

    #[test]
    fn paths_are_filtered() {
        let cases = [
            ("path:*.rs", "src/main.rs", true),
            ("path:*.rs", "src/main.rst", false),
            ("path:src/*.rs", "src/main.rs", true),
            ("path:src/*.rs", "src/a/main.rs", false),
            ("path:src/**/*.rs", "src/a/b/main.rs", true),
            ("path:/src/*", "src/x", true),
            ("path:SRC", "a/src/b", true),
            ("path:src", "a/sr/b", false),
            ("-path:test", "tests/a", false),
            ("path:a -path:*.md", "a/b.rs", true),
            ("path:a -path:*.md", "a/b.md", false),
            ("path:*.{c,h}", "x/y.h", true),
        ];
        for (text, path, expected) in cases {
            let filter = query(text).path_filter().expect(text);
            assert_eq!(filter.is_match(path.into()), expected, "{text} {path}");
        }
        assert_eq!(query("path:[a").path_filter().map(|_| ()), Err(Error::Glob("[a".into())));
        assert!(query("path:*").path_filter().expect("a pattern").is_match(b"a/\xff".as_slice().into()));
    }

    #[test]
    fn queries_have_a_longest() {
        assert!(Query::parse(&"a".repeat(QUERY_BYTES_MAX)).is_ok());
        assert_eq!(Query::parse(&"a".repeat(QUERY_BYTES_MAX + 1)), Err(Error::TooLong));
        assert!(Query::parse(&"a ".repeat(QUERY_WORDS_MAX)).is_ok());
        assert_eq!(Query::parse(&"a ".repeat(QUERY_WORDS_MAX + 1)), Err(Error::TooLong));
    }
}
