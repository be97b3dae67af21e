//! What a repository on disk, or whoever sends objects, can make grow, and how far.

/// The longest delta chain that is followed, in deltas. Git itself makes chains of at most 4,095.
pub const DELTA_CHAIN_DELTAS_MAX: usize = 5_000;

/// The largest object that is held in memory, in bytes. Larger ones that lie whole in a pack are
/// still copied, since that takes no memory.
pub const OBJECT_BYTES_MAX: u64 = 256 * MIB;

/// The smallest object that is read from a pack piece by piece, where that is asked for, in bytes.
pub const STREAMED_OBJECT_BYTES_MIN: u64 = MIB;

/// The largest commit, tree or tag that is read, in bytes.
pub const STRUCTURED_OBJECT_BYTES_MAX: u64 = 128 * MIB;

/// The size of one cached piece of a file, in bytes. It is what one read of a WASI file returns at most.
pub const WINDOW_BYTES: usize = 64 * 1024;

/// How much of files is kept in memory, in bytes.
pub const WINDOWS_BYTES_MAX: usize = 48 * MIB as usize;

/// How much of recently read objects is kept for the deltas based on them, in bytes.
pub const BASES_BYTES_MAX: usize = 64 * MIB as usize;

/// The largest table of a pack index that is kept in memory, in bytes; larger ones are read piecewise.
pub const INDEX_TABLE_BYTES_MAX: u64 = 32 * MIB;

/// How many repositories may lend to one another in a row, as in Git.
pub const ALTERNATES_DEPTH_MAX: usize = 5;

/// How many object directories a repository may borrow from.
pub const ALTERNATES_MAX: usize = 64;

/// The largest `objects/info/alternates` that is read, in bytes.
pub const ALTERNATES_BYTES_MAX: u64 = 64 * 1024;

/// How many entries of packs are told apart by how often they are needed still; where there are more, none are.
pub const EXPECTED_ENTRIES_MAX: usize = 200_000;

/// The largest delta that is kept after its head was asked for, where deltas are kept, in bytes.
pub const DELTA_KEPT_BYTES_MAX: u64 = 4 * 1024;

/// How many packs a repository may have.
pub const PACKS_MAX: usize = 10_000;

/// The largest table of names of packs that is read, in bytes.
pub const PACK_NAMES_BYTES_MAX: usize = 4 * MIB as usize;

/// The largest file that only saves work, such as bitmaps, that is compared with its checksum before it is
/// used, in bytes. That takes about a millisecond for one MiB, once for each process.
pub const SHORTCUT_CHECKED_BYTES_MAX: u64 = 4 * MIB;

/// How many tables the refs of a repository may be in.
pub const REFTABLES_MAX: usize = 1_000;

/// The largest tables of refs of a repository that are read, together, in bytes.
pub const REFTABLE_BYTES_MAX: u64 = 256 * MIB;

/// How much the names in the tables of refs of a repository may take once they are written out, in bytes.
pub const REFTABLE_NAMES_BYTES_MAX: usize = 256 * MIB as usize;

/// How many objects a pack may have.
pub const PACK_OBJECTS_MAX: u32 = 50_000_000;

/// The largest `config` file that is read, in bytes.
pub const CONFIG_BYTES_MAX: u64 = MIB;

/// The largest pack that is received, in bytes.
pub const INCOMING_PACK_BYTES_MAX: u64 = 8 * 1024 * MIB;

/// How many objects a received pack may have. Each takes about 100 bytes of memory.
pub const INCOMING_OBJECTS_MAX: u32 = 5_000_000;

/// The largest blob that is received, in bytes. It is hashed as it arrives and not held in memory.
pub const INCOMING_BLOB_BYTES_MAX: u64 = 4 * 1024 * MIB;

/// How much a received pack may unfold to, objects made again for their deltas included, in bytes.
pub const INCOMING_WORK_BYTES_MAX: u64 = 1024 * 1024 * MIB;

/// How much of received objects is kept for the deltas based on them, in bytes.
pub const INCOMING_BASES_BYTES_MAX: usize = 96 * MIB as usize;

/// The same for a pack that is made of what is there: its objects lie near their bases.
pub const REPACKED_BASES_BYTES_MAX: usize = 24 * MIB as usize;

/// How many tags may lead from a ref to what they stand for in the end.
pub const TAGS_NESTED_MAX: usize = 100;

/// How many problems a check of a repository names.
pub const CHECK_PROBLEMS_MAX: usize = 100;

/// The largest object that is compared with others to store it as a delta, in bytes.
pub const DELTA_OBJECT_BYTES_MAX: u64 = 16 * MIB;

/// How much is compared in one search for deltas, in bytes; what comes after stays as it is stored.
pub const DELTA_SEARCH_BYTES_MAX: u64 = 2 * 1024 * MIB;

/// How much is compared with what a client has for one fetch, in bytes; what comes after is sent as it is stored.
pub const DELTA_FETCH_BYTES_MAX: u64 = 64 * MIB;

/// How much of objects and their indexes is held in a search for deltas, in bytes.
pub const DELTA_WINDOW_BYTES_MAX: usize = 64 * MIB as usize;

/// How much of deltas that were found is held until they are written, in bytes.
pub const DELTAS_FOUND_BYTES_MAX: usize = 32 * MIB as usize;

const MIB: u64 = 1024 * 1024;

/// The most files and directories that are kept open to tell whether a repository has changed.
pub const STAMP_FILES_MAX: usize = 40;

/// For how long a file must have been left alone before its time tells whether it is changed again.
pub const STAMP_SETTLED: std::time::Duration = std::time::Duration::from_secs(2);
