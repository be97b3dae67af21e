//! Everything a stranger can make grow, and how far.

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The most files, links and directories of one archive.
pub const ENTRIES_MAX: usize = 300_000;

/// The most that the files of one archive have together before they are compressed, in bytes.
pub const CONTENTS_BYTES_MAX: u64 = 4 * GIB;

/// The largest file of an archive, in bytes: one is in memory at a time.
pub const FILE_BYTES_MAX: u64 = 192 * MIB;

/// The longest path in an archive, in bytes.
pub const PATH_BYTES_MAX: usize = 4096;

/// The longest target of a symbolic link, in bytes.
pub const LINK_BYTES_MAX: u64 = 64 * KIB;

/// The largest `.gitattributes` that is read, in bytes. A larger one is passed over.
pub const ATTRIBUTES_BYTES_MAX: u64 = MIB;

/// The largest file in which placeholders are replaced, in bytes. A larger one is left as it is.
pub const SUBSTITUTED_BYTES_MAX: u64 = 16 * MIB;

/// How much of an archive is handed on at once, in bytes.
pub const PIECE_BYTES: usize = 128 << 10;

/// How much the archives take that are kept, in bytes; the oldest goes first.
pub const CACHE_BYTES_MAX: u64 = 4 * GIB;

/// The largest archive that is kept, in bytes.
pub const CACHED_BYTES_MAX: u64 = GIB;

/// How old an archive in the making may be before it is taken for abandoned, in seconds.
pub const ABANDONED_SECONDS: u64 = 2 * 60 * 60;
