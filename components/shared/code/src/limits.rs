//! How much of one object is read, of one line shown, and how much is kept from one request to the next.

/// The largest commit, tree or tag read, in bytes: 100,000 tree entries need about 5 MB.
pub const OBJECT_BYTES_MAX: u64 = 64 << 20;

/// The most bytes of one line that a page shows.
pub const LINE_BYTES_MAX: usize = 10_000;

/// The longest title of a commit that is shown, in bytes.
pub const TITLE_BYTES_MAX: usize = 500;

/// How many repositories an instance keeps open.
pub const REPOSITORIES_KEPT_MAX: usize = 4;

/// How much of the commits, trees and tags that were read last is kept of each of them, in bytes.
pub const RECENT_BYTES_MAX: usize = 2 << 20;
