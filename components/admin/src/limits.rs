//! What administration takes and shows.

use std::time::Duration;

/// Entries on a page of a list.
pub const PAGE_ENTRIES: u32 = 50;

/// Entries that the store gives at once at the most, for going through all of them.
pub const BATCH_ENTRIES: u32 = 1_000;

/// Bytes of a command of the command line.
pub const COMMAND_BYTES_MAX: usize = 64 * 1024;

/// Bytes of an archive that is imported.
pub const IMPORT_BYTES_MAX: u64 = 64 << 30;

/// Entries of an archive that is imported.
pub const IMPORT_ENTRIES_MAX: u64 = 2_000_000;

/// Bytes of a small file of an archive: HEAD, a loose ref.
pub const IMPORT_SMALL_FILE_BYTES_MAX: u64 = 4 * 1024;

/// Bytes of a list of refs or shallow commits of an archive.
pub const IMPORT_LIST_BYTES_MAX: u64 = 256 << 20;

/// Directories above a repository that a scan looks into.
pub const SCAN_DEPTH_MAX: usize = lithe_access::limits::PATH_SEGMENTS_MAX;

/// Directory entries that a scan looks at.
pub const SCAN_ENTRIES_MAX: usize = 1_000_000;

/// Characters of a password that is made up: 120 bits.
pub const MADE_UP_PASSWORD_CHARACTERS: usize = 24;

/// After how long a change of directories counts as cut short. Each takes a few calls of the store and
/// moves one directory.
pub const CHANGE_TIME_MAX: Duration = Duration::from_secs(15);

/// How long to wait for others who change directories: more than it takes to see that they are no more.
pub const CHANGE_WAIT_MAX: Duration = Duration::from_secs(20);

/// How long a sweep of maintenance begins with further repositories: what it does ends within the
/// time of one request.
pub const MAINTENANCE_SWEEP_TIME_MAX: Duration = Duration::from_secs(20 * 60);

/// After how long maintenance is tried again that could not do all it wanted.
pub const MAINTENANCE_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// After how long the large files of a repository are looked at again for such that nothing names.
pub const COLLECTION_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// After how long maintenance looks closely at a repository again that seems to be unchanged.
pub const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(60 * 60);

/// The largest list of repositories in which maintenance had nothing to do that is read, in bytes.
pub const LOOKED_AT_BYTES_MAX: u64 = 64 << 20;

/// Runs of maintenance that the page shows.
pub const MAINTENANCE_RUNS_SHOWN: usize = 100;

/// How long an import may lie unfinished before it counts as cut short: longer than any transfer.
pub const INCOMING_TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);
