//! Which objects a fetch needs: those that the wants reach and the haves do not.
//!
//! Commits, trees and tags are opened, blobs never (only their sizes, and only if a filter asks).

mod commit;
mod filter;
mod paint;
mod places;
pub mod reach;
mod selection;
mod set;
pub mod shallow;
mod tag;
mod told;
mod tree;

pub use commit::Commit;
pub use filter::{Filter, FilterError};
pub use places::Places;
pub use selection::{Request, Selection, Walk};
pub use set::{Located, ObjectSet};
pub use tag::Tag;
pub use told::Had;
pub use tree::{Entries, Entry};
