//! Patterns of paths.

use crate::limits::PATH_PATTERN_BYTES_MAX;
use crate::{PatternError, check, compile};
use regex_lite::Regex;

/// Paths in a repository, which are bytes: `*` and `?` stand for any characters and any one but `/`,
/// `**` for any characters. A pattern without `/` stands for a name at any depth. What names a
/// directory stands for everything in it.
#[derive(Debug, Clone)]
pub struct PathPattern {
    text: String,
    expression: Regex,
}

impl PathPattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        check(text, PATH_PATTERN_BYTES_MAX)?;
        let path = text.strip_prefix('/').unwrap_or(text);
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(PatternError::NoPath);
        }
        let is_anywhere = !text.contains('/');
        let start = if is_anywhere { "^(?:.*/)?" } else { "^" };
        let expression = format!("{start}{}(?:/|$)", translate(path));
        Ok(Self { text: text.to_owned(), expression: compile(&expression, true)? })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the path of a file is one of the pattern's.
    pub fn matches(&self, path: &[u8]) -> bool {
        self.expression.is_match(&String::from_utf8_lossy(path))
    }
}

/// The regular expression for a path.
fn translate(path: &str) -> String {
    let mut expression = String::new();
    let mut rest = path;
    while let Some(character) = rest.chars().next() {
        let (part, len) = match character {
            _ if rest.starts_with("**/") => ("(?:.*/)?".to_owned(), 3),
            _ if rest.starts_with("**") => (".*".to_owned(), 2),
            '*' => ("[^/]*".to_owned(), 1),
            '?' => ("[^/]".to_owned(), 1),
            character => (regex_lite::escape(&rest[..character.len_utf8()]), character.len_utf8()),
        };
        expression += &part;
        rest = &rest[len..];
    }
    expression
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_paths() {
        let cases = [
            ("secret", "secret", true),
            ("secret", "a/secret", true),
            ("secret", "a/secret/b", true),
            ("secret", "secrets", false),
            ("secret", "a/nosecret", false),
            ("*.exe", "a/b/setup.exe", true),
            ("*.exe", "setup.exe.txt", false),
            ("*.exe", "bin.exe/file", true),
            ("/secret", "secret", true),
            ("/secret", "a/secret", false),
            ("vendor/", "vendor/a", true),
            ("vendor/", "a/vendor/a", false),
            ("a/*.o", "a/b.o", true),
            ("a/*.o", "a/b/c.o", false),
            ("a/**.o", "a/b/c.o", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/xb", false),
            ("**/x", "x", true),
            ("**", "anything/at all", true),
            ("?.txt", "a.txt", true),
            ("?.txt", "é.txt", true),
            ("?.txt", ".txt", false),
            ("?.txt", "a/.txt", false),
            ("a?b", "a/b", false),
            ("é*", "dir/éa", true),
            ("a.b", "axb", false),
            ("[a](b)+", "[a](b)+", true),
            ("Key", "key", false),
        ];
        for (pattern, path, expected) in cases {
            let pattern = PathPattern::parse(pattern).expect("a pattern");
            assert_eq!(pattern.matches(path.as_bytes()), expected, "{} {path}", pattern.as_str());
        }
    }

    #[test]
    fn paths_are_bytes_and_may_have_ends_of_lines_in_them() {
        let pattern = PathPattern::parse("*.key").expect("a pattern");
        assert!(pattern.matches(b"a/\xff\n\xfe.key"));
        assert!(!pattern.matches(b"a.key\n"));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["/", "//", "a//b", "../a", "a/./b", "..", "//a"] {
            assert_eq!(PathPattern::parse(text).err(), Some(PatternError::NoPath), "{text}");
        }
        assert_eq!(PathPattern::parse("").err(), Some(PatternError::Empty));
        assert_eq!(PathPattern::parse("a\tb").err(), Some(PatternError::Control));
        assert!(PathPattern::parse(&"?".repeat(PATH_PATTERN_BYTES_MAX)).is_ok());
        let long = "a".repeat(PATH_PATTERN_BYTES_MAX + 1);
        assert_eq!(PathPattern::parse(&long).err(), Some(PatternError::TooLong(PATH_PATTERN_BYTES_MAX)));
    }

    #[test]
    fn a_hostile_pattern_takes_no_longer() {
        let pattern = PathPattern::parse(&format!("{}b", "*a".repeat(200))).expect("a pattern");
        assert!(!pattern.matches(&vec![b'a'; 4_000]));
    }
}
