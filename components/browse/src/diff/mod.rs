//! What differs between two trees, and between two files: changed paths with renames, hunks of lines, and
//! both as Git writes them.

mod colours;
pub mod combined;
mod file_list;
pub mod mail;
pub mod patch;
mod renames;
pub mod trees;
pub mod view;

pub use lines::{FileDiff, Hunk, Line, Options, files, split_lines};
pub use lithe_code::diff::lines;
pub use trees::{Change, Changes, Origins, Side, trees};
pub use view::View;
