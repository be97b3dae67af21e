//! The patterns in the rules for pushes, and those that find issues in messages: what the store accepts
//! and what the push policy and the pages apply are the same.
//!
//! All of them are matched in time that grows with the pattern's length times the text's at the most.
//! Text that is not UTF-8 is matched with U+FFFD in the place of what is none.

mod issue;
pub mod limits;
mod message;
mod path;
mod refs;

pub use issue::{IssueLink, IssueLinkError, Mention};
pub use message::MessagePattern;
pub use path::PathPattern;
pub use refs::RefPattern;

use limits::PATTERN_BYTES_MAX;
use regex_lite::{Regex, RegexBuilder};

/// Why a pattern is not acceptable, in words for whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("a pattern cannot be empty")]
    Empty,
    #[error("a pattern has at most {0} bytes")]
    TooLong(usize),
    #[error("a pattern is one line, without control characters")]
    Control,
    #[error("a branch or tag cannot have a name like this")]
    NoRefName,
    #[error("a path has no empty part, and none that is `.` or `..`")]
    NoPath,
    #[error("the regular expression is malformed: {0}")]
    Malformed(String),
}

/// Checks what holds for patterns of every kind.
fn check(text: &str, bytes_max: usize) -> Result<(), PatternError> {
    if text.is_empty() {
        return Err(PatternError::Empty);
    }
    if text.len() > bytes_max {
        return Err(PatternError::TooLong(bytes_max));
    }
    if text.chars().any(char::is_control) {
        return Err(PatternError::Control);
    }
    Ok(())
}

/// Compiles a regular expression within the limits.
fn compile(expression: &str, dot_matches_new_line: bool) -> Result<Regex, PatternError> {
    compile_within(expression, dot_matches_new_line, PATTERN_BYTES_MAX)
}

fn compile_within(
    expression: &str,
    dot_matches_new_line: bool,
    bytes_max: usize,
) -> Result<Regex, PatternError> {
    let built = RegexBuilder::new(expression)
        .dot_matches_new_line(dot_matches_new_line)
        .size_limit(bytes_max)
        .nest_limit(limits::NESTED_MAX)
        .build();
    built.map_err(|error| PatternError::Malformed(error.to_string()))
}
