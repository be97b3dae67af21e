//! How far patterns may go.

/// The pattern of branches or tags, in bytes.
pub const REF_PATTERN_BYTES_MAX: usize = 200;
/// The pattern of a path, in bytes.
pub const PATH_PATTERN_BYTES_MAX: usize = 500;
/// The pattern of a message, in bytes.
pub const MESSAGE_PATTERN_BYTES_MAX: usize = 500;
/// What a compiled pattern may take of memory, in bytes.
pub const PATTERN_BYTES_MAX: usize = 1 << 20;
/// How deep a regular expression may be nested.
pub const NESTED_MAX: u32 = 50;

/// The pattern that finds issues in messages, in bytes.
pub const ISSUE_PATTERN_BYTES_MAX: usize = 200;
/// What such a pattern may take of memory when it is compiled, in bytes. The time that a byte of a message
/// takes grows with it.
pub const ISSUE_COMPILED_BYTES_MAX: usize = 8 << 10;
/// The address of issues, in bytes.
pub const ISSUE_ADDRESS_BYTES_MAX: usize = 500;
/// How many issues' patterns and addresses a repository or group has at the most.
pub const ISSUE_LINKS_MAX: usize = 10;
/// How many of a repository and the groups around it count, the innermost first.
pub const ISSUE_LINKS_IN_FORCE_MAX: usize = 20;
/// The longest part of a line in which issues are looked for, in bytes.
pub const ISSUE_LINE_BYTES_MAX: usize = 1_000;
