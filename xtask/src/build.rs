//! Builds the components and the host.

use crate::setup::Tools;
use crate::{Result, cargo, root, run, target};
use std::fs;
use std::path::{Path, PathBuf};

/// The components of `spin.toml`, by the names of their packages.
pub const COMPONENTS: [&str; 6] = ["store", "auth", "browse", "admin", "git-http", "assets"];

/// The binary that [`everything`] builds.
pub fn host_binary() -> PathBuf {
    target().join("release").join("lithe")
}

/// Builds the components into `target/components` and the host.
pub fn everything(tools: &Tools) -> Result {
    components(tools, &COMPONENTS)?;
    run(cargo().args(["build", "--release", "--package", "lithe", "--bin", "lithe"]))
}

/// Builds packages for WASI in one cargo call and puts each at `target/components/NAME.wasm`,
/// where `spin.toml` expects it.
pub fn components(tools: &Tools, packages: &[&str]) -> Result {
    let mut command = cargo();
    command.args(["build", "--profile", "component", "--target", "wasm32-wasip2"]);
    for package in packages {
        command.args(["--package", package]);
    }
    command.envs(tools.environment.iter().map(|(name, value)| (name, value)));
    run(&mut command)?;

    // `spin.toml` names the place below `target`, whatever cargo's target directory is.
    let built = target().join("wasm32-wasip2").join("component");
    let placed = root().join("target").join("components");
    fs::create_dir_all(&placed).map_err(|error| format!("{}: {error}", placed.display()))?;
    for package in packages {
        let from = built.join(format!("{}.wasm", package.replace('-', "_")));
        copy_if_newer(&from, &placed.join(format!("{package}.wasm")))?;
    }
    Ok(())
}

/// Copies by way of a temporary file: a server that starts meanwhile sees the old or the new one.
fn copy_if_newer(from: &Path, to: &Path) -> Result {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    if modified(to).is_some() && modified(to) >= modified(from) {
        return Ok(());
    }
    let temporary = to.with_extension("wasm.new");
    fs::copy(from, &temporary)
        .and_then(|_| fs::rename(&temporary, to))
        .map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}
