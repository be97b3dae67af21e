//! What differs between two texts: hunks of lines, and the words of lines that stand for each other.

pub mod combined;
pub mod lines;
pub(crate) mod shortest;
pub(crate) mod sliding;
pub mod words;
