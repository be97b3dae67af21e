//! What whoever edits in a browser can make grow, and how far.

/// The largest text that is edited in a text area, in bytes.
pub const TEXT_BYTES_MAX: u64 = 2 << 20;

/// The largest form that edits, in bytes: a text whose line ends are sent as two characters each, and the rest.
pub const FORM_BYTES_MAX: usize = 5 << 20;

/// The largest form that uploads files, in bytes.
pub const UPLOAD_BYTES_MAX: usize = 32 << 20;

/// The most files uploaded at once.
pub const UPLOAD_FILES_MAX: usize = 100;

/// The most fields of a form besides its files.
pub const FIELDS_MAX: usize = 20;

/// The longest path of a file, in bytes.
pub const PATH_BYTES_MAX: usize = 4_096;

/// The longest name of a file or directory, in bytes, which is what most file systems take.
pub const SEGMENT_BYTES_MAX: usize = 255;

/// The most names in a path.
pub const PATH_SEGMENTS_MAX: usize = 64;

/// The longest title of a commit, in bytes.
pub const TITLE_BYTES_MAX: usize = 500;

/// The longest description of a commit, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 64 << 10;

/// The most lines of hunks that a preview shows.
pub const PREVIEW_LINES_MAX: usize = 3_000;

/// The most names that are tried for a new branch.
pub const BRANCH_NAMES_MAX: u32 = 1_000;
