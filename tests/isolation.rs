//! A component that tries what it must not: all refused, and the server serves on.

use crate::kit::{Actor, Forge, lithe_binary, root};
use std::process::Command;
use std::time::Duration;

fn guest(name: &str) -> String {
    root().join(format!("target/guests/{name}.wasm")).display().to_string()
}

#[test]
fn a_hostile_component_reaches_nothing() {
    let forge = Forge::start(&["--swap", &format!("browse={}", guest("hostile"))]);
    std::os::unix::fs::symlink("/etc/passwd", forge.data().join("repos/link-out")).expect("a link");
    let attempts = [
        "database",
        "list-database",
        "list-root",
        "parent",
        "parent-database",
        "link",
        "make-link",
        "write-repository",
        "delete-repository",
        "passwd",
        "connect",
        "listen",
        "udp",
        "resolve",
    ];
    for attempt in attempts {
        let answer = forge.get(Actor::Stranger, attempt);
        assert!(answer.text().starts_with("refused: "), "{attempt}: {}", answer.text());
    }
    assert_eq!(forge.get(Actor::Stranger, "environment").text(), "[]");
    assert_eq!(forge.get(Actor::Stranger, "arguments").text(), "[]");
    for attempt in ["memory", "trap"] {
        let answer = forge.get(Actor::Stranger, attempt);
        assert_eq!(answer.status, 500, "{attempt}: {}", answer.text());
        assert!(answer.header("x-request-id").is_some());
        assert_eq!(forge.get(Actor::Stranger, "still").text(), "alive");
    }
    assert_eq!(forge.get(Actor::Stranger, "standard-output").status, 200);
    assert_eq!(forge.get(Actor::Stranger, "still").text(), "alive");
}

#[test]
fn endless_time_ends_while_others_are_served() {
    let forge = Forge::start(&["--swap", &format!("browse={}", guest("hostile"))]);
    std::thread::scope(|scope| {
        let endless = scope.spawn(|| forge.get(Actor::Stranger, "time"));
        while !endless.is_finished() {
            assert_eq!(forge.get(Actor::Stranger, "still").text(), "alive");
            std::thread::sleep(Duration::from_millis(100));
        }
        let answer = endless.join().expect("it was answered");
        assert!([500, 504].contains(&answer.status), "{}: {}", answer.status, answer.text());
    });
}

#[test]
fn an_interface_that_is_not_listed_is_not_linked() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut command = Command::new(lithe_binary());
    command.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--swap",
        &format!("browse={}", guest("operator_thief")),
    ]);
    let output = command.arg("--data").arg(data.path()).current_dir(root()).output().expect("lithe starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("browse") && said.contains("operator"), "{said}");
}
