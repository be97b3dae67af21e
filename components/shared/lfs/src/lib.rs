//! Large files beside repositories (Git LFS): how objects are named and where they lie, and the
//! pointers to them in a repository. What clients say to each other is not here.

mod check;
mod collect;
mod objects;
mod oid;
mod pointer;

pub use check::{Report, check};
pub use collect::{COLLECT_AFTER, Collected, Unnamed};
pub use objects::{Objects, repositories};
pub use oid::Oid;
pub use pointer::{POINTER_BYTES_MAX, Pointer};
