//! Making packs out of what is stored (gitformat-pack).

pub mod delta;
mod entries;
mod output;
mod recipe;
mod search;
mod stream;

pub use output::{Options, Output};
pub use recipe::{RECIPE_BYTES_MAX, RECIPE_PARTS_MAX, Recipe, Replay};
pub use search::{Found, against_had, search};
