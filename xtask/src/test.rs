//! `cargo xtask test`: everything a fresh machine needs, then every test.

use crate::{Result, build, cargo, find_program, root, run as run_to_end, setup};
use std::process::Command;

/// The second implementation of Git that the tests use, as pip names it.
const DULWICH: &str = "dulwich==1.2.21";

const USAGE: &str = "\
Usage: cargo xtask test [--long] [filter]

Builds the components, the host and the tests, and runs every test whose name
contains the filter.

  --long   Also the long runs: fuzzing by the hour, many kills
";

pub fn run(arguments: &[String]) -> Result {
    let mut filter = None;
    let mut long = false;
    for argument in arguments {
        match argument.as_str() {
            "--help" | "-h" => {
                print!("{USAGE}");
                return Ok(());
            }
            "--long" => long = true,
            option if option.starts_with('-') => {
                return Err(format!("there is no option {option}\n\n{USAGE}"));
            }
            name => filter = Some(name),
        }
    }
    let tools = setup::for_build()?;
    peers()?;
    build::components_and_guests(&tools)?;
    // The tests' own build makes the host too. A build of the host alone would see other features of
    // what they share, and compile all of it twice.
    let mut command = cargo();
    // The guests are components and nothing else; natively they do not even link.
    command.args(["test", "--release", "--workspace", "--exclude", "lithe-guests", "--no-fail-fast"]);
    command.args(filter);
    command.env("LITHE_BINARY", build::host_binary());
    if long {
        command.env("LITHE_TEST_LONG", "1");
    }
    let tested = run_to_end(&mut command).map_err(|_| "some tests failed".to_owned());
    report_what_did_not_run();
    tested
}

/// The programs that the tests hold Lithe against: Debian's packages by what they bring, then
/// dulwich from PyPI and axe-core from npm, at the versions that the tests are known to work with.
fn peers() -> Result {
    let wanted = [
        ("git", "git"),
        ("python3", "python3"),
        ("pip3", "python3-pip"),
        ("chromium", "chromium"),
        ("node", "nodejs"),
        ("npm", "npm"),
    ];
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(program, _)| find_program(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if !missing.is_empty() {
        if find_program("apt-get").is_none() {
            let missing = missing.join(", ");
            return Err(format!("the tests need {missing}; install them with your package manager"));
        }
        setup::install_with_apt(&missing, "what the tests hold Lithe against")?;
    }
    let python = root().join("target/test-tools/python");
    if !python.join("dulwich").is_dir() {
        eprintln!("xtask: installing {DULWICH} below target/test-tools");
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--target"]).arg(python).arg(DULWICH);
        run_to_end(&mut pip)?;
    }
    let pages = root().join("tests/pages");
    if !pages.join("node_modules/axe-core").is_dir() {
        eprintln!("xtask: installing what tests/pages needs (npm ci)");
        run_to_end(Command::new("npm").args(["ci", "--silent"]).current_dir(pages))?;
    }
    Ok(())
}

/// A test that cannot run here is not a test that passed.
fn report_what_did_not_run() {
    if find_program("spin").is_none() {
        println!("Not run: the suite under Spin, since there is no `spin` on the PATH.");
    }
}
