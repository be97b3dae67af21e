//! Making packs out of what is stored (gitformat-pack).

mod output;
mod recipe;

pub use output::{Options, Output};
pub use recipe::{RECIPE_BYTES_MAX, RECIPE_PARTS_MAX, Recipe, Replay};
