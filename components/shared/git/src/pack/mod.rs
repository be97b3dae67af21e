//! Making packs (gitformat-pack), for the most part out of what is stored.

mod composed;
pub mod delta;
mod entries;
mod output;
mod recipe;
mod search;
mod stream;

pub use composed::of_objects;
pub use output::{Options, Output};
pub use recipe::{RECIPE_BYTES_MAX, RECIPE_PARTS_MAX, Recipe, Replay};
pub use search::{Found, against_had, search};
