//! The project's own commands: `cargo xtask serve`, `cargo xtask test` and their kin.
//!
//! Each first sees to what it needs (see [`setup`]), then builds the components in one cargo call
//! and the host in another (see [`build`]), then does its own work.

mod bench;
mod build;
mod setup;
mod test;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
Usage: cargo xtask <command>

  serve [options]   Build what has changed, then run `lithe serve` with the options
                    (default: http://127.0.0.1:8000 with ./data)
  test [filter]     Build everything and run every test; see `cargo xtask test --help`
  bench [options]   Measure Lithe beside its peers; see `cargo xtask bench --help`
  build             Build the components into target/components and the host
  editor            Build the editor of text files anew from its npm packages, into the source tree
  setup             Only install what the build needs
";

/// Why a command stopped, in words for the person who ran it.
type Result<T = ()> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let done = match command {
        "serve" => serve(rest),
        "test" => test::run(rest),
        "bench" => bench::run(rest),
        "build" => setup::for_build().and_then(|tools| build::everything(&tools)),
        "editor" => editor(),
        "setup" => setup::for_build().map(drop),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        unknown => {
            eprintln!("There is no command `{unknown}`.\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the static files `editor.…`, which are in the source tree so that nothing else needs Node.js.
fn editor() -> Result {
    let directory = root().join("components/assets/editor");
    run(Command::new("npm").args(["ci", "--silent"]).current_dir(&directory))?;
    run(Command::new("npm").args(["run", "build", "--silent"]).current_dir(&directory))
}

fn serve(arguments: &[String]) -> Result {
    let tools = setup::for_build()?;
    build::everything(&tools)?;
    let mut command = Command::new(build::host_binary());
    command.arg("serve").args(arguments);
    if !arguments.iter().any(|argument| argument.starts_with("--manifest")) {
        command.arg("--manifest").arg(root().join("spin.toml"));
    }
    replace_by(command)
}

/// Becomes the command, so that signals reach it and its exit code is ours.
#[cfg(unix)]
fn replace_by(mut command: Command) -> Result {
    use std::os::unix::process::CommandExt as _;
    let error = command.exec();
    Err(format!("{} does not start: {error}", command.get_program().display()))
}

#[cfg(not(unix))]
fn replace_by(mut command: Command) -> Result {
    run(&mut command)
}

/// The checkout's top.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a directory of the checkout")
}

/// The cargo that runs us.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Cargo's target directory.
fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root().join(directory),
        None => root().join("target"),
    }
}

/// Runs a command to its end; anything but success is an error.
fn run(command: &mut Command) -> Result {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown} ended with {status}")),
        Err(error) => Err(format!("{shown} does not start: {error}")),
    }
}

/// What a command prints, if it runs and succeeds.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// Where a program is on the `PATH`.
fn find_program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}
