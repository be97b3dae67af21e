//! `cargo xtask test`: everything a fresh machine needs, then every test.

use crate::{Result, build, cargo, find_program, output, root, run as run_to_end, setup};
use std::process::Command;

/// Other implementations of Git that the tests use, as pip names them, with the directories they make.
const PYTHON_CLIENTS: [(&str, &str); 2] = [("dulwich", "dulwich==1.2.21"), ("pygit2", "pygit2==1.21.0")];

/// What makes the push policy in Python a component, likewise.
const PYTHON_COMPONENTS: (&str, &str) = ("componentize_py", "componentize-py==0.25.1");

/// The directories of the tests' own npm packages, each with something that `npm ci` brings.
const NPM_PACKAGES: [(&str, &str); 2] = [("pages", "axe-core"), ("clients", "isomorphic-git")];

/// The first Spin with the final WASI 0.3.0: major and minor version.
const SPIN_MIN: (u32, u32) = (4, 1);

/// Tests that need `lithe serve` itself, its limits, its options or routes of any depth, or no server at all.
const NOT_UNDER_SPIN: &[&str] = &[
    "auth::over_https",
    "auth::the_first_start",
    "cli::",
    "composition::",
    "contract::",
    "crash::a_full_disk",
    "crawler::",
    "crowd::",
    "disk::",
    "fuzz::",
    "git_http::the_cache_may",
    "highlighter::",
    "isolation::",
    "random::",
    "lfs::a_full_disk",
    "lfs::every_address",
    "machines::a_kept_archive",
    "machines::whoever_asks",
    "maintenance::nobody_has_to_ask",
    "push_policy::a_policy_that",
    "push_policy::a_site",
    "swap::",
];

/// Part of the names of the tests that mount a directory read-only for themselves.
const ON_A_READ_ONLY_DISK: &str = "on_a_read_only_disk";

const USAGE: &str = "\
Usage: cargo xtask test [--long] [filter]

Builds the components, the host and the tests, and runs every test whose name
contains the filter. Where there is a `spin` on the PATH, the end-to-end tests
run a second time, under it.

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
    build::examples()?;
    // The tests' own build makes the host too. A build of the host alone would see other features of
    // what they share, and compile all of it twice.
    let mut command = command(long);
    command.args(filter);
    if !has_namespaces() {
        println!("Not run: the tests on a read-only disk, since `unshare` may not make mounts here.");
        command.args(["--", "--skip", ON_A_READ_ONLY_DISK]);
    }
    let tested = run_to_end(&mut command).map_err(|_| "some tests failed".to_owned());
    let tested_under_spin = match spin() {
        Ok(version) => under_spin(&version, filter, long),
        // A test that cannot run here is not a test that passed.
        Err(reason) => {
            println!("Not run: the end-to-end tests under Spin, since {reason}.");
            Ok(())
        }
    };
    tested.and(tested_under_spin)
}

/// The call of cargo that runs tests.
fn command(long: bool) -> Command {
    let mut command = cargo();
    // The guests are components and nothing else; natively they do not even link.
    command.args(["test", "--release", "--workspace", "--exclude", "lithe-guests", "--no-fail-fast"]);
    command.env("LITHE_BINARY", build::host_binary());
    if long {
        command.env("LITHE_TEST_LONG", "1");
    }
    command
}

/// Runs the end-to-end tests on servers that are `spin up`.
fn under_spin(version: &str, filter: Option<&str>, long: bool) -> Result {
    println!("Under {version}:");
    let mut command = command(long);
    command.args(["--test", "lithe", "--"]).args(filter);
    command.args(NOT_UNDER_SPIN.iter().flat_map(|name| ["--skip", name]));
    command.env("LITHE_TEST_SPIN", "1");
    run_to_end(&mut command).map_err(|_| format!("some tests failed under {version}"))
}

/// Whether a process may have mounts of its own here; in many containers it may not.
fn has_namespaces() -> bool {
    let command = ["--map-root-user", "--mount", "mount", "--bind", "/tmp", "/tmp"];
    output(Command::new("unshare").args(command)).is_some()
}

/// What the `spin` on the `PATH` says of itself, or why it cannot run the components.
fn spin() -> Result<String> {
    let Some(program) = find_program("spin") else {
        return Err("there is no `spin` on the PATH".to_owned());
    };
    let said = output(Command::new(&program).arg("--version")).unwrap_or_default();
    let (major, minor) = SPIN_MIN;
    match version(&said) {
        Some(version) if version >= SPIN_MIN => Ok(said.trim().to_owned()),
        Some(_) => Err(format!("{} is {}, and {major}.{minor} is needed", program.display(), said.trim())),
        None => Err(format!("{} does not say its version", program.display())),
    }
}

/// Major and minor version in what `spin --version` prints: `spin 4.1.0 (0123abc 2026-01-31)`.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().strip_prefix("spin ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The programs that the tests hold Lithe against: Debian's packages by what they bring, then
/// clients from PyPI, crates.io and npm, and axe-core, at the versions that the tests are known to work with.
fn peers() -> Result {
    let wanted = [
        ("git", "git"),
        ("git-lfs", "git-lfs"),
        ("gpg", "gnupg"),
        ("ssh-keygen", "openssh-client"),
        ("python3", "python3"),
        ("pip3", "python3-pip"),
        ("chromium", "chromium"),
        ("node", "nodejs"),
        ("npm", "npm"),
        ("java", "default-jre-headless"),
        ("jgit", "jgit-cli"),
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
    for (directory, package) in PYTHON_CLIENTS.into_iter().chain([PYTHON_COMPONENTS]) {
        if !python.join(directory).is_dir() {
            eprintln!("xtask: installing {package} below target/test-tools");
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "install", "--quiet", "--upgrade", "--target"]).arg(&python).arg(package);
            run_to_end(&mut pip)?;
        }
    }
    eprintln!("xtask: building a client of gitoxide (tests/clients/gix)");
    let mut gix = cargo();
    gix.args(["build", "--quiet", "--locked", "--manifest-path", "tests/clients/gix/Cargo.toml"]);
    run_to_end(gix.args(["--target-dir", "target/test-tools/gix"]))?;
    for (directory, package) in NPM_PACKAGES {
        let directory = root().join("tests").join(directory);
        if !directory.join("node_modules").join(package).is_dir() {
            eprintln!("xtask: installing what {} needs (npm ci)", directory.display());
            run_to_end(Command::new("npm").args(["ci", "--silent"]).current_dir(directory))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spin_says_its_version() {
        let cases = [
            ("spin 4.1.0 (0123abc 2026-01-31)\n", Some((4, 1))),
            ("spin 4.1.0-pre0 (0123abc 2026-01-31)\n", Some((4, 1))),
            ("spin 10.0\n", Some((10, 0))),
            ("Spin Version 6.5.2 -- 1 January 2020\n", None),
            ("", None),
        ];
        for (said, expected) in cases {
            assert_eq!(version(said), expected, "{said}");
        }
    }
}
