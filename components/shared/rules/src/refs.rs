//! Patterns of branches and tags.

use crate::limits::REF_PATTERN_BYTES_MAX;
use crate::{PatternError, check};

/// The names of branches or tags: `*` stands for any characters, `/` included, and everything else
/// for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefPattern(String);

impl RefPattern {
    /// Reads a pattern; with another name for every `*`, it has to be a name that a ref can have.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        check(text, REF_PATTERN_BYTES_MAX)?;
        let is_part = |part: &str| {
            !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.ends_with(".lock")
        };
        let is_name = text.split('/').all(is_part)
            && !text.contains("..")
            && !text.contains("@{")
            && !text.contains([' ', '~', '^', ':', '?', '[', '\\']);
        if is_name { Ok(Self(text.to_owned())) } else { Err(PatternError::NoRefName) }
    }

    /// Whether the name, without `refs/heads/` or `refs/tags/`, is one of the pattern's.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().expect("split yields something");
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        // Each part as early as it can be leaves the most to those that follow.
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_refs() {
        let cases = [
            ("main", "main", true),
            ("main", "main2", false),
            ("main", "Main", false),
            ("main", "", false),
            ("*", "main", true),
            ("*", "feature/a/b", true),
            ("release/*", "release/1.0", true),
            ("release/*", "release/1.0/fix", true),
            ("release/*", "release", false),
            ("release/*", "prerelease/1", false),
            ("*-stable", "1.0-stable", true),
            ("*-stable", "1.0-stable-2", false),
            ("v*.*", "v1.0", true),
            ("v*.*", "v10", false),
            ("v*.*.*", "v1.0", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*b*b*", "abcb", true),
            ("*b*b*", "abc", false),
        ];
        for (pattern, name, expected) in cases {
            let pattern = RefPattern::parse(pattern).expect("a pattern");
            assert_eq!(pattern.matches(name), expected, "{pattern:?} {name}");
        }
    }

    #[test]
    fn patterns_that_no_ref_can_match_are_refused() {
        for text in [
            "a b", "a..b", ".a", "a/.b", "a/", "/a", "a//b", "a.lock", "a~1", "a^", "a:b", "a[b", "a\\b",
            "a@{b",
        ] {
            assert_eq!(RefPattern::parse(text), Err(PatternError::NoRefName), "{text}");
        }
        assert_eq!(RefPattern::parse(""), Err(PatternError::Empty));
        assert_eq!(RefPattern::parse("a\nb"), Err(PatternError::Control));
        assert!(RefPattern::parse(&"a".repeat(REF_PATTERN_BYTES_MAX)).is_ok());
        let long = "a".repeat(REF_PATTERN_BYTES_MAX + 1);
        assert_eq!(RefPattern::parse(&long), Err(PatternError::TooLong(REF_PATTERN_BYTES_MAX)));
    }
}
