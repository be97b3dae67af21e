//! How far a check goes.

/// How many violations are named. With so many the rest of the push is not looked at.
pub const VIOLATIONS_MAX: usize = 20;

/// The longest path that is followed, in bytes.
pub const PATH_BYTES_MAX: usize = 4_096;

/// How many parents of a commit are compared with it. What a merge of more has from others counts as
/// changed.
pub const PARENTS_COMPARED_MAX: usize = 16;

/// How many users a reason names.
pub const USERS_NAMED_MAX: usize = 5;
