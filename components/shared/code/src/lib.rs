//! A repository as people see it: its commits, trees, files and tags, each within its limit, the names
//! and addresses that lead to them, and their bytes as text. The components that show, pack, search
//! or edit files read repositories through here.

pub mod across;
pub mod attributes;
pub mod blame;
pub mod containing;
pub mod diff;
pub mod languages;
pub mod last_commits;
pub mod limits;
pub mod links;
pub mod mailmap;
pub mod marks;
pub mod media;
pub mod memory;
pub mod notes;
pub mod relation;
pub mod renames;
pub mod repository;
pub mod revision;
pub mod storage;
pub mod symlinks;
pub mod text;
pub mod tips;
pub mod topological;
pub mod tree_diff;
pub mod version;
pub mod walk;

pub use repository::{Error, Repository};
