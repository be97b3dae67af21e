//! Patterns of paths, as `git log` takes them: gitglossary(7), pathspec.

use super::Unclear;
use crate::limits::{LOG_REGEX_BYTES_MAX, LOG_WORDS_BYTES_MAX};
use globset::GlobBuilder;
use regex::bytes::{Regex, RegexBuilder};

/// A pattern of paths. `*` and `?` stand for slashes too, as `git log -- '*.toml'` has it; `{a,b}` for one of several
/// besides.
#[derive(Debug, Clone)]
pub struct Pathspec(Regex);

impl Pathspec {
    /// None if nothing is asked for.
    pub fn of(text: &str) -> Result<Option<Self>, Unclear> {
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > LOG_WORDS_BYTES_MAX {
            return Err(Unclear::TooLong);
        }
        let glob = GlobBuilder::new(text).literal_separator(false).backslash_escape(true).build();
        // Not matched by the library itself, which would have every path be one of the system's.
        let regex = RegexBuilder::new(glob.map_err(|_| Unclear::Pathspec)?.regex())
            .dot_matches_new_line(true)
            .size_limit(LOG_REGEX_BYTES_MAX)
            .dfa_size_limit(LOG_REGEX_BYTES_MAX)
            .build();
        regex.map(|regex| Some(Self(regex))).map_err(|_| Unclear::Pathspec)
    }

    /// Whether a path is one of those.
    pub fn selects(&self, path: &[u8]) -> bool {
        self.0.is_match(path)
    }
}

/// Takes a path apart into the directory that it names for sure and the pattern of what is below; empty: it has none.
pub fn split(path: &str) -> (&str, &str) {
    let Some(special) = path.find(['*', '?', '[', '{', '\\']) else { return (path, "") };
    match path[..special].rfind('/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => ("", path),
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
        ] {
            assert!(selects(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in
            [("*.toml", "a.tom"), ("*.toml", "a.toml.old"), ("[ab].rs", "c.rs"), ("a?c", "ac"), ("\\*", "x")]
        {
            assert!(!selects(pattern, path), "{pattern} {path}");
        }
        assert!(Pathspec::of("*").expect("a pattern").expect("not empty").selects(b"not \xff text\n"));
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        assert!(Pathspec::of("").expect("nothing").is_none());
        assert!(matches!(Pathspec::of("[a"), Err(Unclear::Pathspec)));
        assert!(matches!(Pathspec::of("{a"), Err(Unclear::Pathspec)));
        assert!(matches!(Pathspec::of(&"*".repeat(LOG_WORDS_BYTES_MAX + 1)), Err(Unclear::TooLong)));
    }

    #[test]
    fn the_directory_before_a_pattern_is_found() {
        assert_eq!(split("a/b"), ("a/b", ""));
        assert_eq!(split("*.rs"), ("", "*.rs"));
        assert_eq!(split("a/b/x*/c"), ("a/b", "x*/c"));
        assert_eq!(split("a[b"), ("", "a[b"));
    }
}
