//! The sizes that a path may have.

/// How many segments a path has at the most, the repository's name included.
pub const PATH_SEGMENTS_MAX: usize = 16;

/// How long a segment is at the most, in bytes. `<segment>.git.lock` still fits a file name.
pub const SEGMENT_BYTES_MAX: usize = 100;

/// How long a path is at the most, in bytes, slashes included.
pub const PATH_BYTES_MAX: usize = 400;
