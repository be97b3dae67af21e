//! Where repositories and groups stand, and who may do what there.
//!
//! Everything here is a pure function of its arguments: paths are parsed once, where a request
//! comes in, and [`decide`] is the one place that turns grants into a [`Permission`].

pub mod limits;
mod path;
mod permission;

pub use path::{Address, PathError, PermanentId, RepoPath};
pub use permission::{Actor, Claim, Permission, decide};
