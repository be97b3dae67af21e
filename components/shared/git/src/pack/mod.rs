//! Making packs out of what is stored (gitformat-pack).

mod output;

pub use output::{Options, Output};
