//! Everything a stranger can make grow, and how far.

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The most files, links and directories of one archive.
pub const ENTRIES_MAX: usize = 300_000;

/// The most that the files of one archive have together before they are compressed, in bytes.
pub const CONTENTS_BYTES_MAX: u64 = 4 * GIB;

/// The largest file of an archive that is made in memory, in bytes: what is stored as a delta, and what is
/// converted on its way out. One is there at a time; others are read piece by piece.
pub const MADE_BYTES_MAX: u64 = 192 * MIB;

/// The smallest file that is not converted, whatever its attributes say, in bytes: as in `git archive`, by the
/// usual `core.bigFileThreshold`.
pub const UNCONVERTED_BYTES_MIN: u64 = 512 * MIB + 1;

/// The longest path in an archive, in bytes.
pub const PATH_BYTES_MAX: usize = 4096;

/// The most names in the directories of one archive, with those that are left out.
pub const NAMES_MAX: usize = 1_000_000;

/// The most that the paths of one archive and the names in its directories have together, in bytes: they
/// are in memory at once.
pub const PATHS_BYTES_MAX: usize = 64 << 20;

/// The longest target of a symbolic link, in bytes.
pub const LINK_BYTES_MAX: u64 = 64 * KIB;

/// The largest file in which placeholders are replaced, in bytes, and the most that replacing may make of
/// it and read of the commit. What is larger is left as it is.
pub const SUBSTITUTED_BYTES_MAX: u64 = 16 * MIB;

/// The most that replacing placeholders in one archive makes and reads, in bytes. Files behind are left
/// as they are.
pub const SUBSTITUTED_SUM_BYTES_MAX: u64 = 256 * MIB;

/// How much of an archive is handed on at once, in bytes.
pub const PIECE_BYTES: usize = 128 << 10;

/// How much the archives take that are kept, in bytes; the oldest goes first.
pub const CACHE_BYTES_MAX: u64 = 4 * GIB;

/// The largest archive that is kept, in bytes.
pub const CACHED_BYTES_MAX: u64 = GIB;

/// How much of archives may be unfinished for another one to be kept as it is made, in bytes.
pub const UNFINISHED_BYTES_MAX: u64 = 2 * GIB;

/// How long an archive in the making may not grow before it is taken for abandoned, in seconds.
pub const ABANDONED_SECONDS: u64 = 5 * 60;

/// How long who makes an archive may add nothing to it before somebody else begins anew, in seconds.
pub const SILENT_SECONDS_MAX: u64 = if cfg!(test) { 1 } else { 5 };

/// For how long one download waits for somebody else who makes the archive, all in all, in seconds: who makes it
/// goes at the pace of a client, which may be slow.
pub const WAIT_SECONDS_MAX: u64 = 15;

/// How many archives are made at once. Each takes some 15 MiB and more, and a crawler
/// asks for every format of them in one go.
pub const MADE_AT_ONCE_MAX: usize = 2;

/// For how long one archive waits for others to be made, in seconds. Past it, it is made beside them: those of
/// large repositories take long.
pub const PLACE_SECONDS_MAX: u64 = if cfg!(test) { 2 } else { 10 };

/// How long an archive that takes long keeps others waiting for its place, in seconds.
pub const PLACE_HELD_SECONDS_MAX: u64 = 30;

/// How often who waits for a place looks whether there is one, in milliseconds.
pub const PLACE_POLL_MS: u64 = 20;

/// How often who waits looks whether there is more, in milliseconds.
pub const POLL_MS: u64 = 10;
