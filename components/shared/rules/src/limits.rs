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
