//! `cargo xtask bench`: Lithe beside its peers.

use crate::Result;

pub fn run(_arguments: &[String]) -> Result {
    Err("there is nothing to measure yet".to_owned())
}
