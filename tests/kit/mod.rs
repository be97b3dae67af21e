//! What the tests share: servers with three actors, shells with `git` in them, and plain HTTP.

mod browser;
mod forge;
mod http;
mod server;
mod shell;

pub use browser::Browser;
pub use forge::{Actor, Forge};
pub use http::{Answer, basic};
pub use shell::Shell;

use std::path::{Path, PathBuf};

/// The checkout's top.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a directory of the checkout")
}

/// The `lithe` under test: what `cargo xtask test` built.
pub fn lithe_binary() -> PathBuf {
    match std::env::var_os("LITHE_BINARY") {
        Some(path) => path.into(),
        None => root().join("target/release/lithe"),
    }
}

/// Whether the long runs were asked for (`cargo xtask test --long`).
pub fn is_long() -> bool {
    std::env::var_os("LITHE_TEST_LONG").is_some()
}

/// Whether the servers of this run are `spin up`, not `lithe serve` (`cargo xtask test` says so
/// where there is a `spin`).
pub fn is_under_spin() -> bool {
    std::env::var_os("LITHE_TEST_SPIN").is_some()
}
