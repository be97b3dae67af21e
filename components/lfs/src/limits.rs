//! What a stranger can make grow, and how far. How large a file may be, and all of a repository
//! together, are settings: see `quotas` in wit/.

/// Bytes of a request in JSON.
pub const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Objects of one batch. Git LFS asks for 100 at once.
pub const BATCH_OBJECTS_MAX: usize = 1_000;

/// Locks of one answer, where the client does not say how many it wants.
pub const LOCKS_DEFAULT: u32 = 100;

/// Locks of one answer.
pub const LOCKS_MAX: u32 = 1_000;

/// Bytes of the name that a download is saved by.
pub const FILE_NAME_BYTES_MAX: usize = 400;

/// How much of an upload is kept in memory before it is written, in bytes.
pub const WRITE_BYTES: usize = 512 << 10;
