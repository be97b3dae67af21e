//! What whoever pushes can make grow, and how far. The limits of packs are `lithe_git::limits`.

/// How many refs one push may change.
pub const COMMANDS_MAX: usize = 500_000;

/// How much the commands of one push may take, in bytes.
pub const COMMANDS_BYTES_MAX: usize = 128 * 1024 * 1024;

/// How many push options there may be.
pub const PUSH_OPTIONS_MAX: usize = 100;

/// How much the push options may take together, in bytes.
pub const PUSH_OPTIONS_BYTES_MAX: usize = 64 * 1024;

/// How much of a refused push is still read, in bytes, so that the client gets to the answer.
pub const DRAINED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// How many messages are sent to the client's terminal.
pub const MESSAGES_MAX: usize = 60;
