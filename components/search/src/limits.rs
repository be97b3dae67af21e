//! Everything a stranger can make grow, and how far.

use std::time::Duration;

// --- what may be asked for ------------------------------------------------------------------------

/// The longest query, in bytes.
pub const QUERY_BYTES_MAX: usize = 1_000;

/// The most words of a query, with its filters.
pub const QUERY_WORDS_MAX: usize = 20;

/// The largest automaton that a regular expression may lead to, in bytes.
pub const AUTOMATON_BYTES_MAX: usize = 192 << 10;

/// How much of what an automaton has found out is kept while it runs, in bytes.
pub const AUTOMATON_CACHE_BYTES: usize = 2 << 20;

/// The deepest nesting of a regular expression.
pub const EXPRESSION_DEPTH_MAX: u32 = 50;

/// The most texts that a part of an expression stands for before it is known by its ends alone.
pub const EXACT_TEXTS_MAX: usize = 32;

/// The most alternatives of which each is looked up in the index.
pub const ALTERNATIVES_MAX: usize = 64;

// --- what is searched -----------------------------------------------------------------------------

/// The largest file that is searched, in bytes.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// The most files of one tree that are searched: the first ones by path.
pub const FILES_MAX: usize = 300_000;

/// The most directories of one tree that are read.
pub const TREES_MAX: usize = 100_000;

/// The most that the paths of the files of one tree have together, in bytes.
pub const PATHS_BYTES_MAX: usize = 48 << 20;

/// The largest directory that is read, in bytes: 100,000 names need about 5 MB.
pub const TREE_BYTES_MAX: u64 = 16 << 20;

/// The deepest directory that is read.
pub const TREE_DEPTH_MAX: usize = 250;

/// The most commits of one history that are searched: those that are found first.
pub const COMMITS_MAX: usize = 500_000;

/// How much of the message of a commit is searched, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// How much of a line is searched as one, in bytes: what matches across the end of such a piece of a very
/// long line is not found.
pub const PIECE_BYTES: usize = 64 << 10;

// --- the work of one request ----------------------------------------------------------------------

/// How long one request looks into files. The rest is for the next one.
pub const SEARCH_TIME_MAX: Duration = Duration::from_millis(250);

/// The most files that one request looks into.
pub const SEARCH_FILES_MAX: usize = 5_000;

/// The most bytes of files that one request looks into.
pub const SEARCH_BYTES_MAX: u64 = 64 << 20;

/// How long a request that finds the index behind adds to it.
pub const CATCH_UP_TIME_MAX: Duration = Duration::from_millis(150);

/// The most bytes of files that a request adds to the index.
pub const CATCH_UP_BYTES_MAX: u64 = 16 << 20;

/// How long a request finds out which commits there are.
pub const HISTORY_TIME_MAX: Duration = Duration::from_millis(300);

/// The most repositories that one search across all of them looks at.
pub const REPOSITORIES_MAX: usize = 2_000;

/// How long a run in the background works at once. It rests as long then, for others to have the machine.
pub const SLICE_TIME_MAX: Duration = Duration::from_millis(500);

/// How long one run in the background brings indexes up to date. The rest is for the next one.
pub const SWEEP_TIME_MAX: Duration = Duration::from_secs(20);

// --- what is shown --------------------------------------------------------------------------------

/// The most files with matches on one page.
pub const FOUND_FILES_MAX: usize = 20;

/// The most paths on one page.
pub const FOUND_PATHS_MAX: usize = 100;

/// The most commits on one page.
pub const FOUND_COMMITS_MAX: usize = 50;

/// The most matching lines that are shown of one file.
pub const FOUND_LINES_MAX: usize = 8;

/// The most matching lines that are counted in one file.
pub const COUNTED_LINES_MAX: usize = 1_000;

/// How many lines are shown around one that matches, on either side.
pub const CONTEXT_LINES: usize = 1;

/// How much of a line is shown, in bytes.
pub const SHOWN_LINE_BYTES: usize = 400;

/// The most matches that are marked in one line.
pub const MARKS_MAX: usize = 50;

// --- the index ------------------------------------------------------------------------------------

/// The most occurrences of three bytes in files that are gathered before they are written, 8 bytes each.
pub const GATHERED_MAX: usize = 3 << 20;

/// The largest segment that others are merged into, in bytes.
pub const SEGMENT_BYTES_MAX: u64 = 128 << 20;

/// The largest segment that others are merged into while somebody waits, in bytes.
pub const HASTY_SEGMENT_BYTES_MAX: u64 = 4 << 20;

/// How many segments of a size become one.
pub const MERGED_SEGMENTS: usize = 8;

/// The most segments of an index.
pub const SEGMENTS_MAX: usize = 256;

/// How much of a segment is read at once, in bytes.
pub const BLOCK_BYTES: usize = 16 << 10;

/// The most that the index of one repository takes, in bytes. Files past it are looked into without.
pub const INDEX_BYTES_MAX: u64 = 1 << 30;

/// The most that the indexes of all repositories take, in bytes; those in which nothing was looked for
/// for the longest time go first, and are made again when somebody looks.
pub const INDEXES_BYTES_MAX: u64 = 8 << 30;

/// How often it is noted that an index is used.
pub const USE_NOTED_EVERY: Duration = Duration::from_secs(60 * 60);

/// How long a file of an index stays that nothing names any more, in seconds: somebody may still read it.
pub const LEFT_SECONDS: u64 = 10 * 60;

/// How many indexes an instance keeps open.
pub const INDEXES_KEPT_MAX: usize = 4;

/// The most paths that an index may have to be kept open: they are in memory.
pub const FILES_KEPT_MAX: usize = 150_000;
