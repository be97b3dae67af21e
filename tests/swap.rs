//! Every component can be replaced alone: the manifest and everything else stay as they are.

use crate::kit::{Actor, Answer, Forge, root};

/// The option that puts a component of the tests' own in the place of `name`.
fn swap(name: &str, guest: &str) -> String {
    format!("{name}={}", root().join(format!("target/guests/{guest}.wasm")).display())
}

#[test]
fn browse_by_one_that_answers_a_line() {
    let forge = Forge::start(&["--swap", &swap("browse", "browse_line")]);
    assert_eq!(forge.get(Actor::Stranger, "any/page").text(), "a line instead of /any/page\n");
    let shell = forge.shell(&forge.repository(&[]));
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main",
    );
    shell.run("git clone -q \"$STRANGER\" clone");
}

#[test]
fn auth_by_one_that_signs_everybody_in_as_bob() {
    let forge = Forge::start(&["--swap", &swap("auth", "auth_everybody")]);
    let answer = forge.get(Actor::Stranger, "-/login");
    assert_eq!(answer.text(), "welcome, bob\n");
    let cookie = answer.header("set-cookie").and_then(|value| value.split(';').next()).expect("a session");
    let headers = [("cookie".to_owned(), cookie.to_owned())];
    let home = Answer::send("GET", &forge.url, "/", &headers, None);
    assert!(home.status == 200 && home.text().contains("bob"), "{}", home.text());
}

#[test]
fn store_by_one_in_memory() {
    let mut forge = Forge::start(&[]);
    forge.kill();
    forge.restart(&["--swap", &swap("store", "store_memory")]);
    let shell = forge.shell(&forge.repository(&[]));
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$STRANGER\" main",
    );
    shell.run("git clone -q \"$STRANGER\" clone && git -C \"$SERVED\" fsck --full --strict");
    assert!(forge.get(Actor::Stranger, "").text().contains("Lithe in memory"));
}
