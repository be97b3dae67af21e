//! Maintenance: by hand, by the server's own clock, and beside everything else.

use crate::kit::{Actor, Forge, root};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Twelve pushes of a commit each.
const PUSHES: &str = "git init -q -b main work && cd work && for i in $(seq 12); do
    mkdir -p d$((i % 3)) && seq $i 500 > d$((i % 3))/list && seq $i > new$i && git add . && git commit -q -m $i &&
    git push -q \"$ADMIN\" main; done && git tag -a -m one v1 && git push -q \"$ADMIN\" v1";

#[test]
fn by_hand_everything_is_made_one_pack_and_served_as_before() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(PUSHES);
    let before = shell.run("git -C \"$SERVED\" rev-list --objects --all | sort");
    let said = forge.lithe(&["repo", "maintain", &path, "--force"]);
    assert!(said.contains("packs replaced") && said.contains(" written, "), "{said}");
    assert_eq!(shell.run("ls \"$SERVED\"/objects/pack/*.pack | wc -l").trim(), "1");
    shell.run("git -C \"$SERVED\" fsck --full --strict && git -C \"$SERVED\" commit-graph verify");
    assert_eq!(shell.run("git -C \"$SERVED\" rev-list --objects --all | sort"), before);
    for version in [0, 1, 2] {
        shell.run(&format!(
            "git -c protocol.version={version} clone -q --mirror \"$STRANGER\" {version}.git && git -C {version}.git fsck --strict"
        ));
        assert_eq!(shell.run(&format!("git -C {version}.git rev-list --objects --all | sort")), before);
    }
    shell.run("cd work && git commit -q --allow-empty -m more && git push -q \"$ADMIN\" main");
    shell.run("git -C 2.git fetch -q && git -C 2.git rev-parse main | grep $(git -C work rev-parse main)");
    assert_eq!(forge.lithe(&["repo", "maintain", &path]), format!("{path}: nothing to be done\n"));

    let health = forge.lithe(&["repo", "check", &path, "--json"]);
    for word in ["\"loose-objects\":", "\"bitmaps\":", "\"graph-commits\":", "\"last-maintenance\":"] {
        assert!(health.replace(' ', "").contains(word), "{health}");
    }
}

#[test]
fn what_cannot_be_maintained_is_named_and_stays_as_it_is() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(PUSHES);
    shell.run("cd \"$SERVED\" && mv objects/pack/*.pack . && rm -f objects/pack/* && for p in *.pack; do git unpack-objects -q < $p; done && rm *.pack");
    shell.run("cd \"$SERVED\" && blob=$(git rev-parse main:new3) && rm -f objects/$(echo $blob | cut -c1-2)/$(echo $blob | cut -c3-)");
    let before = shell.run("cd \"$SERVED\" && find objects -type f | sort");
    let (code, said) = forge.try_lithe(&["repo", "maintain", &path, "--force"]);
    assert!(code == Some(1) && said.contains("missing"), "{code:?} {said}");
    assert_eq!(shell.run("cd \"$SERVED\" && find objects -type f | sort"), before);
    assert_eq!(forge.try_lithe(&["repo", "maintain", "team/nothing"]).0, Some(1));
}

#[test]
fn nobody_has_to_ask() {
    let mut forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    forge.kill();
    let manifest = forge.data().join("spin.toml");
    let text = std::fs::read_to_string(root().join("spin.toml")).expect("spin.toml is there");
    let components = root().join("target/components").display().to_string();
    let text =
        text.replace("target/components", &components).replace("every-seconds = 600", "every-seconds = 1");
    let text = text.replace("every-seconds = 60", "every-seconds = 1");
    std::fs::write(&manifest, text).expect("writable");
    // An upload that nobody committed, of the day before.
    let upload = forge.data().join("cache/git-http/uploads/1/upload");
    std::fs::create_dir_all(upload.parent().expect("a directory")).expect("writable");
    let yesterday = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
    std::fs::File::create(&upload).and_then(|file| file.set_modified(yesterday)).expect("writable");
    forge.restart(&["--manifest", manifest.to_str().expect("text")]);
    let shell = forge.shell(&path);
    shell.run(PUSHES);
    let deadline = Instant::now() + Duration::from_secs(60);
    while shell.run("ls \"$SERVED\"/objects/pack").matches(".bitmap").count() == 0 {
        assert!(Instant::now() < deadline, "there are bitmaps in time");
        thread::sleep(Duration::from_millis(100));
    }
    while upload.exists() {
        assert!(Instant::now() < deadline, "uploads that nobody committed go in time");
        thread::sleep(Duration::from_millis(100));
    }
    shell.run("git clone -q \"$STRANGER\" clone && git -C clone fsck --strict");
    assert_eq!(
        forge.get(Actor::Stranger, "-/admin/maintenance").status,
        303,
        "it is nobody else's to ask for"
    );
}
