//! What Git's own tests try of a server, tried of Lithe: pushing and fetching over HTTP, the versions
//! of the protocol, shallow and partial clones, atomic pushes, hidden refs, bundles.
//!
//! Each [`Scenario`] says which of Git's tests it stands for, what that is about, and how Lithe's outcome
//! relates to Git's; its script, by the words of [`VOCABULARY`], shows it. docs/git-scenarios.md is the
//! table of all of them, written by the test that compares it.

mod bundles;
mod fetch;
mod hidden;
mod partial;
mod protocol;
mod push;
mod shallow;

use crate::kit::{Forge, root};
use std::fmt::Write as _;
use std::fs;

/// Some of Git's tests, in our words.
struct Scenario {
    /// The number of Git's script, and of its tests in the order in which they stand there.
    tests: &'static str,
    about: &'static str,
    outcome: Outcome,
}

enum Outcome {
    /// As Git's, as this script shows.
    Same(&'static str),
    /// Another, for a reason, as the script shows.
    Differs(&'static str, &'static str),
    /// Nothing that a server has a part in, or that there is here: why not.
    Apart(&'static str),
}

use Outcome::{Apart, Differs, Same};

/// What the scripts are written in. They begin in an empty `work`, with `up` for the served repository.
const VOCABULARY: &str = r#"
# A commit of one file, named like itself.
step() { echo "$1" > "$1" && git add "$1" && git commit -qm "$1"; }
# The same with a tag.
mark() { step "$1" && git tag "$1"; }
# A command that has to fail; what it says is kept.
refuse() { if "$@" > ../said 2>&1; then echo "should have failed: $*"; return 1; fi; }
says() { grep -qe "$1" "${2:-../said}" || { echo "does not say: $1"; cat "${2:-../said}"; return 1; }; }
hides() { if grep -e "$1" "${2:-../said}"; then echo "says: $1"; return 1; fi; }
is() { if [ "$1" != "$2" ]; then echo "'$1' is not '$2'"; return 1; fi; }
lacks() { if git -C "$1" cat-file -e "$2" 2> /dev/null; then echo "$1 has $2"; return 1; fi; }
id() { git -C "$1" rev-parse --verify -q "$2"; }
titles() { git -C "$1" log --format=%s "$2" | xargs; }
sound() { git -C "${1:-$SERVED}" fsck --full --strict --no-dangling > /dev/null; }
# A command with what goes over the wire kept in ../wire.
traced() { rm -f ../wire ../http; GIT_TRACE_PACKET="$PWD/../wire" GIT_TRACE_CURL="$PWD/../http" "$@"; }
line() { printf '%04x%s\n' $((${#1} + 5)) "$1"; }
# Lines of a request to upload-pack in a file; the answer is kept in ../said, its status in ../status.
ask() {
    curl -s -o ../said -w '%{http_code}' -H 'Content-Type: application/x-git-upload-pack-request' \
        -H "Git-Protocol: version=$1" --data-binary @"$2" "${@:3}" "$STRANGER/git-upload-pack" > ../status
}
served() { git -C "$SERVED" config "$@"; }
git init -q work && cd work && git remote add up "$ADMIN"
"#;

/// The scenarios by what they are about.
const GROUPS: &[(&str, &[Scenario])] = &[
    ("Pushing", push::SCENARIOS),
    ("Fetching", fetch::SCENARIOS),
    ("The protocol", protocol::SCENARIOS),
    ("Shallow clones", shallow::SCENARIOS),
    ("Partial clones", partial::SCENARIOS),
    ("Hidden refs", hidden::SCENARIOS),
    ("Bundles", bundles::SCENARIOS),
];

/// Plays the scenarios of a group, each in a repository of its own.
fn play(group: &str) {
    let forge = Forge::shared();
    let (_, scenarios) = GROUPS.iter().find(|(name, _)| *name == group).expect("it is one of them");
    let mut failures = Vec::new();
    for scenario in *scenarios {
        let (Same(script) | Differs(_, script)) = scenario.outcome else { continue };
        let shell = forge.shell(&forge.repository(&[]));
        // `-e` heeds only the last command of a list: each has to be one of its own.
        let script = script.replace(" && ", "\n");
        let output = shell.command(&format!("{VOCABULARY}{script}")).output().expect("bash starts");
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            failures.push(format!(
                "{}: {}\n{}",
                scenario.tests,
                scenario.about,
                String::from_utf8_lossy(&said)
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn pushing() {
    play("Pushing");
}

#[test]
fn fetching() {
    play("Fetching");
}

#[test]
fn the_protocol() {
    play("The protocol");
}

#[test]
fn shallow_clones() {
    play("Shallow clones");
}

#[test]
fn partial_clones() {
    play("Partial clones");
}

#[test]
fn hidden_refs() {
    play("Hidden refs");
}

#[test]
fn bundles() {
    play("Bundles");
}

const HEAD: &str = "\
# Git's own tests, and Lithe

What the tests of Git 2.55 try of a server, redone in `tests/git_scenarios`, where each row has a script that is
played against a running Lithe. Tests are named by the number of Git's script and their place in it. Scripts of
Git that are about clients, other transports or commands of a server's own are not listed.

`tests/git_scenarios.rs` writes this page: `LITHE_UPDATE_GOLDEN=1 cargo xtask test git_scenarios`.
";

/// The table of all scenarios.
fn table() -> String {
    let mut text = HEAD.to_owned();
    for (group, scenarios) in GROUPS {
        let _ = write!(text, "\n## {group}\n\n| Git's tests | about | outcome |\n|---|---|---|\n");
        for Scenario { tests, about, outcome } in *scenarios {
            let outcome = match outcome {
                Same(_) => "as Git's".to_owned(),
                Differs(why, _) => format!("**differs**: {why}"),
                Apart(why) => format!("not played: {why}"),
            };
            let _ = writeln!(text, "| {tests} | {about} | {outcome} |");
        }
    }
    text
}

#[test]
fn the_page_says_what_is_played() {
    let path = root().join("docs/git-scenarios.md");
    if std::env::var_os("LITHE_UPDATE_GOLDEN").is_some() {
        fs::write(&path, table()).expect("docs/ is writable");
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == table(),
        "docs/git-scenarios.md is not what the scenarios say; LITHE_UPDATE_GOLDEN=1 writes it"
    );
}
