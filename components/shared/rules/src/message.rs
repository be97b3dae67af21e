//! Patterns of commit messages.

use crate::limits::MESSAGE_PATTERN_BYTES_MAX;
use crate::{PatternError, check, compile};
use regex_lite::Regex;

/// A regular expression, in the syntax of the crate `regex-lite`, that is looked for anywhere in a message.
#[derive(Debug, Clone)]
pub struct MessagePattern {
    text: String,
    expression: Regex,
}

impl MessagePattern {
    /// Reads a regular expression.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        check(text, MESSAGE_PATTERN_BYTES_MAX)?;
        Ok(Self { text: text.to_owned(), expression: compile(text, false)? })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is a match in the message.
    pub fn is_in(&self, message: &[u8]) -> bool {
        self.expression.is_match(&String::from_utf8_lossy(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_searched() {
        let cases: [(&str, &[u8], bool); 8] = [
            (r"^[A-Z]+-\d+: ", b"ABC-12: Do it\n", true),
            (r"^[A-Z]+-\d+: ", b"Do ABC-12: it\n", false),
            ("(?m)^Signed-off-by: ", b"Do it\n\nSigned-off-by: A\n", true),
            ("(?i)wip", b"A WIP\n", true),
            ("(?i)ÄRGER", "Ärger".as_bytes(), true),
            ("a.b", b"a\nb", false),
            ("caf.$", b"caf\xe9", true),
            (r"(?m)^\d{2}$", b"caf\xe9\n12\n", true),
        ];
        for (pattern, message, expected) in cases {
            let pattern = MessagePattern::parse(pattern).expect("a pattern");
            assert_eq!(pattern.is_in(message), expected, "{}", pattern.as_str());
        }
    }

    #[test]
    fn expressions_have_limits() {
        let refused = |text: &str| MessagePattern::parse(text).err();
        assert_eq!(refused(""), Some(PatternError::Empty));
        assert!(matches!(refused("("), Some(PatternError::Malformed(_))));
        assert!(matches!(refused("(?=a)"), Some(PatternError::Malformed(_))), "no look-around");
        assert!(matches!(refused(r"(a)\1"), Some(PatternError::Malformed(_))), "no references back");
        assert!(matches!(refused("(?:a{1000}){1000}"), Some(PatternError::Malformed(_))), "too large");
        assert_eq!(refused("a\nb"), Some(PatternError::Control));
        assert_eq!(refused(&"a".repeat(MESSAGE_PATTERN_BYTES_MAX)), None);
        let long = "a".repeat(MESSAGE_PATTERN_BYTES_MAX + 1);
        assert_eq!(refused(&long), Some(PatternError::TooLong(MESSAGE_PATTERN_BYTES_MAX)));
        assert!(matches!(refused(&"(".repeat(200)), Some(PatternError::Malformed(_))));
    }

    #[test]
    fn what_would_take_others_for_ever_is_quick() {
        let pattern = MessagePattern::parse("(a+)+$").expect("a pattern");
        assert!(!pattern.is_in(&[&[b'a'; 100_000][..], b"!"].concat()));
    }
}
