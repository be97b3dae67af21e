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

// --- previews of uploads ---

/// For how long files that were uploaded wait to be committed, in seconds.
pub const KEPT_SECONDS_MAX: u64 = 60 * 60;

/// How much one user's uploads that wait may have, in bytes; the oldest make room.
pub const KEPT_OF_ONE_BYTES_MAX: u64 = if cfg!(test) { 4 << 10 } else { 64 << 20 };

/// How many uploads of one user wait; the oldest make room.
pub const KEPT_OF_ONE_MAX: usize = 8;

/// How much all uploads that wait may have, in bytes; the oldest make room.
pub const KEPT_BYTES_MAX: u64 = if cfg!(test) { 8 << 10 } else { 512 << 20 };

/// How much is compared for a preview of an upload, in bytes of files before and after.
pub const COMPARED_BYTES_MAX: u64 = 8 << 20;

/// How much a preview shows of new images, in bytes.
pub const IMAGE_BYTES_MAX: usize = 1 << 20;
