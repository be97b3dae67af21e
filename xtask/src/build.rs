//! Builds the components and the host.

use crate::setup::Tools;
use crate::{Result, cargo, root, run, target};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The components of `spin.toml`, by the names of their packages.
pub const COMPONENTS: [&str; 11] = [
    "store",
    "auth",
    "browse",
    "highlighter",
    "archive",
    "search",
    "admin",
    "git-http",
    "lfs",
    "push-policy",
    "assets",
];

/// The binary that [`everything`] builds, or the one that `LITHE_BINARY` names.
pub fn host_binary() -> PathBuf {
    match std::env::var_os("LITHE_BINARY") {
        Some(path) => path.into(),
        None => target().join("release").join("lithe"),
    }
}

/// The tests' own components, by the names of the examples in `tests/guests`.
const GUESTS: [&str; 10] = [
    "at_once",
    "auth_everybody",
    "browse_line",
    "hostile",
    "highlighter_odd",
    "keeper",
    "operator_thief",
    "pages",
    "policy_hostile",
    "store_memory",
];

/// Builds the components and the host.
pub fn everything(tools: &Tools) -> Result {
    components(tools)?;
    host()
}

/// Builds the host alone, of the packages that the tests are of: another selection would see other features
/// of what they share, and compile wasmtime again.
pub fn host() -> Result {
    run(cargo().args(["build", "--release", "--workspace", "--exclude", "lithe-guests", "--bin", "lithe"]))
}

/// Builds the components in one cargo call and puts each at `target/components/NAME.wasm`, where
/// `spin.toml` expects it.
fn components(tools: &Tools) -> Result {
    run(&mut for_wasi(tools))?;
    place(&built(), "components", &COMPONENTS)
}

/// Builds the push policies of `examples`, as whoever writes one would, into `target/guests`.
pub fn examples() -> Result {
    let examples = root().join("examples/push-policy");
    let mut command = cargo();
    command.args(["build", "--release", "--target", "wasm32-wasip2"]);
    command.arg("--manifest-path").arg(examples.join("rust/Cargo.toml"));
    run(command.arg("--target-dir").arg(target()))?;
    let guests = root().join("target/guests");
    let built = target().join("wasm32-wasip2/release/example_push_policy.wasm");
    copy_if_newer(&built, &guests.join("policy_rust.wasm"))?;
    let (python, made) = (examples.join("python"), guests.join("policy_python.wasm"));
    let wit = root().join("wit/deps/push-policy");
    let is_made = |source: PathBuf| modified(&made).is_some() && modified(&made) >= modified(&source);
    if is_made(python.join("app.py")) && is_made(wit.join("push-policy.wit")) {
        return Ok(());
    }
    let tools = root().join("target/test-tools/python");
    let mut command = Command::new(tools.join("bin/componentize-py"));
    command.env("PYTHONPATH", &tools).arg("-d").arg(wit).args(["-w", "policy", "componentize", "-p"]);
    run(command.arg(python).arg("app").arg("-o").arg(made))
}

/// Builds the components and, in the same call, the tests' own into `target/guests`: two calls would
/// see other features of what both share, and compile that twice.
pub fn components_and_guests(tools: &Tools) -> Result {
    run(for_wasi(tools).args(["--package", "lithe-guests", "--lib", "--examples"]))?;
    place(&built(), "components", &COMPONENTS)?;
    place(&built().join("examples"), "guests", &GUESTS)
}

fn for_wasi(tools: &Tools) -> Command {
    let mut command = cargo();
    command.args(["build", "--profile", "component", "--target", "wasm32-wasip2"]);
    command.envs(tools.environment.iter().map(|(name, value)| (name, value)));
    for name in COMPONENTS {
        command.args(["--package", name]);
    }
    command
}

/// Where cargo leaves what it built for WASI.
fn built() -> PathBuf {
    target().join("wasm32-wasip2").join("component")
}

/// Copies what was built to `target/…`; `spin.toml` and the tests look there, whatever cargo's
/// target directory is.
fn place(from: &Path, directory: &str, names: &[&str]) -> Result {
    let to = root().join("target").join(directory);
    fs::create_dir_all(&to).map_err(|error| format!("{}: {error}", to.display()))?;
    for name in names {
        let built = from.join(format!("{}.wasm", name.replace('-', "_")));
        copy_if_newer(&built, &to.join(format!("{name}.wasm")))?;
    }
    Ok(())
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Copies by way of a temporary file: a server that starts meanwhile sees the old or the new one.
fn copy_if_newer(from: &Path, to: &Path) -> Result {
    if modified(to).is_some() && modified(to) >= modified(from) {
        return Ok(());
    }
    let temporary = to.with_extension("wasm.new");
    fs::copy(from, &temporary)
        .and_then(|_| fs::rename(&temporary, to))
        .map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}
