//! The command line: forms that scripts use, exit codes, two servers on one directory.

use crate::kit::{Forge, lithe_binary, root};
use std::process::Command;

#[test]
fn exit_codes_tell_refused_from_misused() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    assert_eq!(forge.try_lithe(&["repo", "create", &path]).0, Some(1));
    assert_eq!(forge.try_lithe(&["repo", "create", "a//b"]).0, Some(1));
    assert_eq!(forge.try_lithe(&["repo", "create"]).0, Some(2));
    assert_eq!(forge.try_lithe(&["repo", "frobnicate"]).0, Some(2));
    assert_eq!(forge.try_lithe(&["repo", "list"]).0, Some(0));
}

#[test]
fn a_second_server_says_who_has_the_directory() {
    let forge = Forge::start(&[]);
    let (code, said) = forge.try_lithe(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&forge.pid().to_string()), "{said}");
}

#[test]
fn commands_work_without_a_server_too() {
    let mut forge = Forge::start(&[]);
    forge.kill();
    forge.lithe(&["repo", "create", "quiet/demo", "--private"]);
    forge.lithe_with_input(&["user", "add", "carol", "--password-stdin"], "carols-long-password");
    assert!(forge.lithe(&["user", "list"]).contains("carol"));
    forge.restart(&[]);
    assert!(forge.lithe(&["repo", "list"]).contains("quiet/demo"));
}

#[test]
fn mistakes_in_a_manifest_are_named() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let whole = std::fs::read_to_string(root().join("spin.toml")).expect("spin.toml is there");
    let cases = [
        (whole.replace("component = \"browse\"", "component = \"browze\""), "browze"),
        (whole.replace("[application]", "[application]\nfrobnicate = 1"), "frobnicate"),
        (whole.replace("\"/db\" = \"read-write\"", "\"/db\" = \"read-sometimes\""), "read-sometimes"),
        (whole.replace("assets.wasm", "missing.wasm"), "missing.wasm"),
    ];
    for (text, word) in cases {
        let manifest = data.path().join("spin.toml");
        std::fs::write(&manifest, text.replace("target/components", &components())).expect("it is writable");
        let mut command = Command::new(lithe_binary());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path().join("data"));
        let output = command.arg("--manifest").arg(&manifest).output().expect("lithe starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(word), "{word}: {said}");
    }
}

fn components() -> String {
    root().join("target/components").display().to_string()
}
