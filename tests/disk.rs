//! Disks that cannot be written, or lost what was on them: what can be read is served, the rest is
//! refused in words, and nothing is half done. A full disk is in `crash.rs`.

use crate::kit::{Actor, Forge, Shell};

/// Starts the server where it sees the directory in `$READ_ONLY` mounted read-only.
fn read_only(directory: &str) -> String {
    let mount = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && shift && exec \"$@\"";
    format!("exec unshare --map-root-user --mount bash -c '{mount}' mount {directory} \"$0\" \"$@\"")
}

fn state(shell: &Shell) -> String {
    shell.run("cd \"$SERVED\" && find . -type f | sort | xargs sha256sum")
}

#[test]
fn repositories_on_a_read_only_disk_can_be_read() {
    let mut forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run("git init -q work && cd work && git commit -q --allow-empty -m One");
    shell.run("cd work && git push -q \"$ADMIN\" main && git commit -q --allow-empty -m Two");
    forge.kill();
    let before = state(&shell);
    forge.restart_under(&read_only(&forge.data().join("repos").display().to_string()));

    let mut now = forge.shell(&path);
    now.set("WORK", &shell.path().join("work").display().to_string());
    now.run("git clone -q \"$STRANGER\" clone && git -C clone fsck --strict");
    assert_eq!(forge.get(Actor::Stranger, &path).status, 200);
    let refused = now.fails("git -C \"$WORK\" push \"$ADMIN\" main");
    assert!(refused.contains("remote unpack failed"), "{refused}");
    for command in [
        &["repo", "create", "team/other"][..],
        &["repo", "rename", &path, "team/other"],
        &["repo", "delete", &path],
    ] {
        let (code, said) = forge.try_lithe(command);
        assert!(code == Some(1) && said.contains("directory"), "{command:?}: {code:?} {said}");
    }
    assert_eq!(state(&now), before);
    assert_eq!(forge.get(Actor::Stranger, &path).status, 200, "it is where it was");
    assert_eq!(forge.get(Actor::Admin, "team/other").status, 404);
    let log = std::fs::read_to_string(forge.data().join("server.log")).expect("there is a log");
    assert!(log.contains("cannot be written: Read-only file system"), "{log}");
}

#[test]
fn a_data_directory_on_a_read_only_disk_is_refused_by_its_name() {
    let mut forge = Forge::start(&[]);
    forge.kill();
    let data = forge.data().display().to_string();
    let mut shell = Shell::new();
    shell.set("LITHE", crate::kit::lithe_binary().to_str().expect("its path is text"));
    shell.set("SCRIPT", &read_only(&data));
    let said =
        shell.fails(&format!("bash -c \"$SCRIPT\" \"$LITHE\" serve --listen 127.0.0.1:0 --data {data}"));
    assert!(said.contains(&data) && said.contains("Read-only file system"), "{said}");
}

#[test]
fn a_repository_whose_directory_is_gone_is_said_to_be_damaged() {
    let forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main",
    );
    shell.run("mv \"$SERVED\" elsewhere");
    let page = forge.get(Actor::Stranger, &path);
    assert!((404..=503).contains(&page.status), "{}", page.status);
    let said = shell.fails("git clone \"$STRANGER\" clone");
    assert!(!said.contains("500") || said.contains("repository"), "{said}");
    let (code, said) = forge.try_lithe(&["repo", "check", &path]);
    assert!(code == Some(1) && said.contains(&path), "{code:?} {said}");
    shell.run("mv elsewhere \"$SERVED\" && git clone -q \"$STRANGER\" clone");
}
