//! Patterns of paths, as `git log` takes them: gitglossary(7), pathspec.

use super::Unclear;
use crate::limits::{LOG_REGEX_BYTES_MAX, LOG_WORDS_BYTES_MAX};
use globset::GlobBuilder;
use regex::bytes::{Regex, RegexBuilder};

/// A pattern of paths. `*` and `?` stand for slashes too, as `git log -- '*.toml'` has it; `{a,b}` for one of several
/// besides. What is called so to the letter is meant too, and what is below it.
#[derive(Debug, Clone)]
pub struct Pathspec {
    literal: Vec<u8>,
    regex: Regex,
}

impl Pathspec {
    /// None if nothing is asked for.
    pub fn of(text: &str) -> Result<Option<Self>, Unclear> {
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > LOG_WORDS_BYTES_MAX {
            return Err(Unclear::TooLong);
        }
        let pattern = with_single_stars(text);
        let build =
            |pattern: &str| GlobBuilder::new(pattern).literal_separator(false).backslash_escape(true).build();
        // A brace that stands alone is one.
        let glob = build(&pattern).or_else(|_| build(&pattern.replace('{', "[{]").replace('}', "[}]")));
        // Not matched by the library itself, which would have every path be one of the system's.
        let regex = RegexBuilder::new(glob.map_err(|_| Unclear::Pathspec)?.regex())
            .dot_matches_new_line(true)
            .size_limit(LOG_REGEX_BYTES_MAX)
            .dfa_size_limit(LOG_REGEX_BYTES_MAX)
            .build();
        let literal = text.as_bytes().to_vec();
        regex.map(|regex| Some(Self { literal, regex })).map_err(|_| Unclear::Pathspec)
    }

    /// Whether a path is one of those.
    pub fn selects(&self, path: &[u8]) -> bool {
        let below = path.strip_prefix(self.literal.as_slice());
        below.is_some_and(|below| below.is_empty() || below.starts_with(b"/")) || self.regex.is_match(path)
    }
}

/// A pattern with one star for several, which for Git stand for as much as one; the library has more meanings for them.
fn with_single_stars(pattern: &str) -> String {
    let mut result = String::with_capacity(pattern.len());
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        result.push(character);
        match character {
            '\\' => result.extend(characters.next()),
            '*' => while characters.next_if_eq(&'*').is_some() {},
            _ => {}
        }
    }
    result
}

fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '{', '\\'])
}

/// Takes a path apart into the directory that it names for sure and the pattern of what is below; empty: it has none.
/// What is a directory by its name is one, whatever characters it has.
pub fn split(path: &str, mut is_directory: impl FnMut(&str) -> bool) -> (&str, &str) {
    let mut start = 0;
    while let Some(slash) = path[start..].find('/').map(|slash| start + slash)
        && (!is_pattern(&path[start..slash]) || is_directory(&path[..slash]))
    {
        start = slash + 1;
    }
    match is_pattern(&path[start..]) {
        true => (&path[..start.saturating_sub(1)], &path[start..]),
        false => (path, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_select_paths() {
        let selects = |pattern: &str, path: &str| {
            Pathspec::of(pattern).expect("a pattern").expect("not empty").selects(path.as_bytes())
        };
        for (pattern, path) in [
            ("*.toml", "a.toml"),
            ("*.toml", "a/b/c.toml"),
            ("a*c", "a/b/c"),
            ("?.rs", "x.rs"),
            ("[ab].rs", "b.rs"),
            ("[!ab].rs", "c.rs"),
            ("*.{c,h}", "x/y.h"),
            ("\\*", "*"),
            ("*", "ü"),
            ("{a*", "{ab"),
            ("a[b]", "a[b]"),
            ("a[b]", "a[b]/c"),
            ("**/a", "b/c/a"),
        ] {
            assert!(selects(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("*.toml", "a.tom"),
            ("*.toml", "a.toml.old"),
            ("[ab].rs", "c.rs"),
            ("a?c", "ac"),
            ("\\*", "x"),
            ("**/a", "a"),
            ("a[b]", "a[b]c"),
        ] {
            assert!(!selects(pattern, path), "{pattern} {path}");
        }
        assert!(Pathspec::of("*").expect("a pattern").expect("not empty").selects(b"not \xff text\n"));
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        assert!(Pathspec::of("").expect("nothing").is_none());
        assert!(matches!(Pathspec::of("[a"), Err(Unclear::Pathspec)));
        assert!(matches!(Pathspec::of(&"*".repeat(LOG_WORDS_BYTES_MAX + 1)), Err(Unclear::TooLong)));
    }

    #[test]
    fn the_directory_before_a_pattern_is_found() {
        let split = |path| split(path, |directory| directory == "a/[b]");
        assert_eq!(split("a/b"), ("a/b", ""));
        assert_eq!(split("*.rs"), ("", "*.rs"));
        assert_eq!(split("a/b/x*/c"), ("a/b", "x*/c"));
        assert_eq!(split("a[b"), ("", "a[b"));
        assert_eq!(split("a/[b]/*"), ("a/[b]", "*"));
        assert_eq!(split("a/[b]/gone"), ("a/[b]/gone", ""));
        assert_eq!(split("a/[c]/*"), ("a", "[c]/*"));
    }
}
