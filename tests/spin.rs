//! What is different under Spin: `lithe serve` and `spin up` take turns at one data directory.
//! Everything else of Lithe is the same there, so the other tests run under it as well.

use crate::kit::{Actor, Forge, is_under_spin};

const PUSH: &str =
    "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main";

#[test]
fn a_server_takes_the_database_and_a_command_gives_it_back() {
    // Without a `spin` there is nothing to take it from; `cargo xtask test` says so in its summary.
    if !is_under_spin() {
        return;
    }
    let forge = Forge::start(&[]);
    let shell = forge.shell(&forge.repository(&[]));
    shell.run(PUSH);
    let mut server = forge.beside_it();
    assert_eq!(forge.get(Actor::Stranger, "").status, 503, "the database is the server's");
    let refused = shell.fails("git ls-remote \"$ADMIN\"");
    assert!(refused.contains("503"), "{refused}");
    server.kill();
    forge.lithe(&["repo", "list"]);
    assert_eq!(forge.get(Actor::Stranger, "").status, 200);
    shell.run("git clone -q \"$STRANGER\" clone && git -C \"$SERVED\" fsck --full --strict");
}
