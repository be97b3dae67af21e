//! What is left after the worst moments: a server killed during pushes, a full disk.

use crate::kit::{Actor, Forge, Shell, is_long, is_under_spin};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

/// The database, as SQLite itself sees it while no server runs.
fn check_database(shell: &Shell, forge: &Forge) {
    let database = forge.data().join("db/lithe.db");
    let script = format!(
        "python3 -c 'import sqlite3; print(sqlite3.connect(\"{}\").execute(\"pragma integrity_check\").fetchone()[0])'",
        database.display()
    );
    assert_eq!(shell.run(&script), "ok");
}

/// Everything that is no part of a repository.
const LEFTOVERS: &str = "find \"$SERVED\" -name '*.lock' -o -name 'tmp_*' -o -name '*.keep' -o -name '*.new'";

#[test]
fn kills_during_pushes_lose_nothing() {
    let rounds = if is_long() { 200 } else { 12 };
    let mut forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m Root && git push -q \"$ADMIN\" main",
    );
    let mut acknowledged = 0;
    for round in 0..rounds {
        let shell_now = forge.shell(&path);
        let work = shell.path().join("work");
        let script = format!(
            "cd {} && head -c 3000000 /dev/urandom > big{round} && git add . && git commit -qm {round} && git tag t{round}",
            work.display()
        );
        shell_now.run(&script);
        let before = shell.run("git -C \"$SERVED\" rev-parse main");
        let after = shell.run("git -C work rev-parse main");
        let mut push = shell_now
            .command(&format!("cd {} && git push -q --atomic \"$ADMIN\" main t{round}", work.display()));
        let mut push = push.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("git starts");
        // Spread over the whole of a push; the seed is the round.
        let moment = Duration::from_millis(u64::from(round as u32 * 37 % 400));
        let deadline = Instant::now() + moment;
        while Instant::now() < deadline && push.try_wait().expect("git is ours").is_none() {
            thread::yield_now();
        }
        let is_acknowledged = push.try_wait().expect("git is ours").is_some_and(|status| status.success());
        forge.kill();
        let is_acknowledged = is_acknowledged || push.wait().expect("git ends").success();
        check_database(&shell, &forge);
        shell.run("git -C \"$SERVED\" fsck --full --strict");
        let now = shell.run("git -C \"$SERVED\" rev-parse main");
        let tagged = shell.run(&format!("git -C \"$SERVED\" rev-parse -q --verify t{round} || true"));
        match is_acknowledged {
            true => assert_eq!(now, after, "round {round}: an acknowledged push is there"),
            false => assert!(now == before || now == after, "round {round}: {now} is neither old nor new"),
        }
        if is_acknowledged {
            assert!(!tagged.is_empty(), "round {round}");
            acknowledged += 1;
        }
        forge.restart(&[]);
        let shell_now = forge.shell(&path);
        shell_now.run(&format!("cd {} && git push -q \"$ADMIN\" main t{round}", work.display()));
    }
    // What a killed push left is nobody's after a while, and goes with the next push.
    shell.run("find \"$SERVED\" -exec touch -d '1 day ago' {} +");
    let shell_now = forge.shell(&path);
    shell_now.run(&format!("cd {}/work && git push -q \"$ADMIN\" main:last", shell.path().display()));
    assert_eq!(shell.run(LEFTOVERS), "", "left behind");
    assert!(acknowledged < rounds, "no kill came during a push");
}

#[test]
fn what_a_killed_server_held_is_free_for_the_next() {
    let mut forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main",
    );
    forge.kill();
    // As they are between two steps of a push and of maintenance. Spin does not say which run of it is which: there
    // they are told by their age.
    let aged = if is_under_spin() { "touch -d '2 days ago'" } else { "ls" };
    shell.run(&format!(
        "cd \"$SERVED\" && printf 'run 1\nrefs/heads/main.lock\npacked-refs.next\n' > lithe-locks-1 \
         && : > refs/heads/main.lock && printf 1 > lithe-maintenance.lock \
         && {aged} lithe-locks-1 refs/heads/main.lock lithe-maintenance.lock",
    ));
    forge.restart(&[]);
    let shell_now = forge.shell(&path);
    let work = shell.path().join("work");
    shell_now.run(&format!(
        "cd {} && git commit -q --allow-empty -m Two && git push -q \"$ADMIN\" main",
        work.display()
    ));
    forge.lithe(&["repo", "maintain", "--force", &path]);
    assert_eq!(shell.run(LEFTOVERS), "", "left behind");
}

/// Every repository: its number, its path, and whether it is deleted.
fn repositories(forge: &Forge) -> Vec<(u64, String, bool)> {
    let (_, listed) = forge.try_lithe(&["repo", "list", "--json"]);
    // A server that is being killed lists nothing.
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap_or_default();
    let listed = listed["repositories"].as_array().cloned().unwrap_or_default();
    let one = |repository: &serde_json::Value| {
        let path = repository["path"].as_str().expect("a path").to_owned();
        let is_deleted = repository["is-deleted"].as_bool().expect("a truth value");
        (repository["id"].as_u64().expect("a number"), path, is_deleted)
    };
    listed.iter().map(one).collect()
}

/// Deletes, restores or renames one of them, whatever becomes of it.
fn change_one(forge: &Forge, step: usize) {
    let repositories = repositories(forge);
    let Some((id, path, is_deleted)) = repositories.get(step * 5 % repositories.len().max(1)) else { return };
    let new_path = format!("moved{}/{}r{id}", step % 3, if step.is_multiple_of(2) { "deep/" } else { "" });
    let _ = match (is_deleted, step % 3) {
        (true, _) => forge.try_lithe(&["repo", "restore", &id.to_string()]),
        (false, 0) => forge.try_lithe(&["repo", "delete", path]),
        (false, _) => forge.try_lithe(&["repo", "rename", path, &new_path]),
    };
}

#[test]
fn kills_while_repositories_are_moved_lose_none() {
    const MOVERS: usize = 3;
    let rounds = if is_long() { 100 } else { 12 };
    let mut forge = Forge::start(&[]);
    let shell = forge.shell("none");
    shell.run("git init -q work && git -C work commit -q --allow-empty -m One");
    for _ in 0..4 {
        let address = forge.address(Actor::Admin, &forge.repository(&[]));
        shell.run(&format!("git -C work push -q '{address}.git' main"));
    }
    let ids = |forge: &Forge| {
        let mut ids: Vec<_> = repositories(forge).into_iter().map(|(id, ..)| id).collect();
        ids.sort_unstable();
        ids
    };
    let before = ids(&forge);
    for round in 0..rounds {
        let deadline = Instant::now() + Duration::from_millis(200 + round as u64 * 173 % 700);
        thread::scope(|scope| {
            for mover in 0..MOVERS {
                let forge = &forge;
                scope.spawn(move || {
                    let mut step = round * 31 + mover;
                    while Instant::now() < deadline {
                        change_one(forge, step);
                        step += MOVERS;
                    }
                });
            }
            while Instant::now() < deadline {
                thread::yield_now();
            }
            shell.run(&format!("kill -9 {}", forge.pid()));
        });
        forge.kill();
        forge.restart(&[]);
        forge.lithe(&["repo", "scan"]);
        assert_eq!(ids(&forge), before, "round {round}: none is lost, and none taken for another");
        for (id, path, is_deleted) in repositories(&forge) {
            let directory = if is_deleted { format!(".deleted/{id}") } else { path };
            shell.run(&format!(
                "git --git-dir {} rev-parse -q --verify main",
                forge.directory(&directory).display()
            ));
        }
    }
    forge.kill();
    check_database(&shell, &forge);
}

#[test]
fn a_full_disk_refuses_a_push_and_leaves_nothing_behind() {
    // A file of more than 48 MiB cannot be written; ignoring SIGXFSZ turns that into an error.
    let forge = Forge::start_under("trap '' XFSZ; ulimit -f 49152; exec \"$0\" \"$@\"", &[]);
    let shell = forge.shell(&forge.repository(&[]));
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main",
    );
    shell.run("cd work && head -c 60000000 /dev/urandom > big && git add . && git commit -qm Big");
    let refused = shell.fails("cd work && git push \"$ADMIN\" main");
    assert!(refused.contains("unpack") || refused.contains("remote"), "{refused}");
    assert_eq!(shell.run(LEFTOVERS), "", "left behind");
    shell.run("git -C \"$SERVED\" fsck --full --strict");
    shell.run("cd work && git reset -q --hard HEAD~1 && git commit -q --allow-empty -m Small && git push -q \"$ADMIN\" main");
}
