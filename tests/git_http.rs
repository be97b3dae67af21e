//! `git-http`: clone, fetch and push with the real `git`.

use crate::kit::{Actor, Answer, Forge, Shell, is_long};
use lithe_git::pkt_line;
use std::time::{Duration, Instant};

/// A history with what histories have: merges, renames, tags of tags, a submodule, a symbolic link,
/// an executable, odd names and encodings.
const HISTORY: &str = r#"
git init -q work && cd work
printf 'one\n' > file && git add . && git commit -qm 'First'
mkdir -p 'dir with space/ünïcode' && printf 'x' > 'dir with space/ünïcode/"quoted"' && git add . && git commit -qm 'Odd names'
printf 'a' > "$(printf 'latin\351')" && git add . && git -c i18n.commitEncoding=ISO-8859-1 commit -qm "$(printf 'Caf\351')"
git mv file renamed && ln -s renamed link && printf '#!/bin/sh\n' > run && chmod +x run && git add . && git commit -qm 'Rename, link, executable'
git switch -qc side HEAD~2 && printf 'side\n' > side && git add . && git commit -qm 'On the side'
git switch -q main && git merge -q --no-edit side
git update-index --add --cacheinfo 160000,$(git rev-parse HEAD | tr 0-9a-f 1),module
printf '[submodule "module"]\n\tpath = module\n\turl = https://example.org/module.git\n' > .gitmodules && git add .gitmodules && git commit -qm 'A submodule'
git tag light && git tag -a -m 'Annotated' v1 && git tag -a -m 'A tag of a tag' v1-again v1
git switch -q --orphan pages && printf '<p>' > index.html && git add . && git commit -qm 'Another root' && git switch -q main
"#;

/// Runs a test in an empty repository of each object format; the shell's `git init` makes such ones too.
fn in_each_format(test: impl Fn(&Shell, &str)) {
    let forge = Forge::shared();
    for format in ["sha1", "sha256"] {
        let mut shell = forge.shell(&forge.repository(&["--object-format", format]));
        shell.set("GIT_DEFAULT_HASH", format);
        test(&shell, format);
    }
}

/// Compares two repositories object by object, and has `git` check the served one.
#[track_caller]
fn assert_same(shell: &Shell, one: &str, other: &str) {
    let objects = |repository: &str| {
        shell.run(&format!("git -C {repository} rev-list --objects --all --no-object-names | sort"))
    };
    assert_eq!(objects(one), objects(other));
    let refs = |repository: &str| {
        shell.run(&format!(
            "git -C {repository} for-each-ref --format='%(objectname) %(refname)' refs/heads refs/tags"
        ))
    };
    assert_eq!(refs(one), refs(other));
    shell.run("git -C \"$SERVED\" fsck --full --strict");
}

#[test]
fn a_history_goes_up_and_comes_down_by_every_protocol() {
    in_each_format(|shell, _| {
        shell.run(HISTORY);
        shell.run("cd work && git push -q \"$ADMIN\" --all && git push -q \"$ADMIN\" --tags");
        for version in 0..=2 {
            shell.run(&format!(
                "git -c protocol.version={version} clone -q --mirror \"$STRANGER\" clone{version}"
            ));
            assert_same(shell, "work", &format!("clone{version}"));
        }
        assert_same(shell, "work", "\"$SERVED\"");
    });
}

#[test]
fn an_empty_repository_can_be_cloned() {
    in_each_format(|shell, format| {
        for version in 0..=2 {
            // Of what is cloned the server decides.
            shell.run(&format!(
                "env -u GIT_DEFAULT_HASH git -c protocol.version={version} clone -q \"$STRANGER\" clone{version}"
            ));
            assert_eq!(shell.run(&format!("git -C clone{version} rev-parse --show-object-format")), format);
        }
        assert_eq!(shell.run("git -C clone2 symbolic-ref HEAD"), "refs/heads/main");
    });
}

#[test]
fn the_first_push_decides_the_default_branch() {
    let forge = Forge::shared();
    let shell = forge.shell(&forge.repository(&[]));
    shell.run("git init -q -b trunk work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" trunk");
    assert_eq!(shell.run("git -C \"$SERVED\" symbolic-ref HEAD"), "refs/heads/trunk");
    let refused = shell.fails("cd work && git push -q \"$ADMIN\" :trunk");
    assert!(refused.contains("trunk"), "{refused}");
}

#[test]
fn fetches_send_what_is_new() {
    in_each_format(|shell, _| {
        shell.run(HISTORY);
        shell.run("cd work && git push -q \"$ADMIN\" --all && git push -q \"$ADMIN\" --tags && git clone -q --mirror \"$STRANGER\" ../clone");
        for version in 0..=2 {
            shell.run(
            "cd work && printf 'more\n' >> renamed && git commit -qam More && git push -q \"$ADMIN\" main",
        );
            shell.run(&format!("git -C clone -c protocol.version={version} fetch -q"));
            assert_same(shell, "work", "clone");
            let again = shell.run(&format!("git -C clone -c protocol.version={version} fetch -v 2>&1"));
            assert!(!again.contains("->") || again.contains("up to date"), "{again}");
        }
    });
}

#[test]
fn refs_are_updated_as_git_says() {
    in_each_format(|shell, _| {
        shell.run(HISTORY);
        shell.run("cd work && git push -q \"$ADMIN\" --all && git push -q \"$ADMIN\" :side && git push -q \"$ADMIN\" v1");
        assert_eq!(
            shell.run("git -C \"$SERVED\" for-each-ref --format='%(refname)'"),
            "refs/heads/main\nrefs/heads/pages\nrefs/tags/v1"
        );
        shell.run("cd work && git reset -q --hard HEAD~1 && git commit -q --allow-empty -m Other");
        let refused = shell.fails("cd work && git push \"$ADMIN\" main");
        assert!(refused.contains("fetch first") || refused.contains("non-fast-forward"), "{refused}");
        shell.run("cd work && git push -qf \"$ADMIN\" main");
        assert_eq!(shell.run("git -C \"$SERVED\" rev-parse main"), shell.run("git -C work rev-parse main"));
        let atomic = shell.fails("cd work && git push --atomic \"$ADMIN\" +HEAD:refs/heads/new :main");
        assert!(atomic.contains("atomic"), "{atomic}");
        shell.fails("git -C \"$SERVED\" rev-parse --verify -q refs/heads/new");
        shell.run("git -C \"$SERVED\" fsck --full --strict");
    });
}

#[test]
fn shallow_and_partial_clones() {
    in_each_format(|shell, _| {
        shell.run(HISTORY);
        shell.run("cd work && git push -q \"$ADMIN\" --all && git push -q \"$ADMIN\" --tags");
        for version in 0..=2 {
            let git = format!("git -c protocol.version={version}");
            shell.run(&format!("{git} clone -q --depth 1 \"$STRANGER\" shallow{version}"));
            assert_eq!(shell.run(&format!("git -C shallow{version} rev-list --count HEAD")), "1");
            shell.run(&format!("cd shallow{version} && {git} fetch -q --deepen 1"));
            shell.run(&format!(
                "cd shallow{version} && {git} fetch -q --unshallow && git fsck --full --strict"
            ));
            assert_eq!(
                shell.run(&format!("git -C shallow{version} rev-list --count HEAD")),
                shell.run("git -C work rev-list --count main")
            );
            for (number, filter) in
                ["blob:none", "blob:limit=2", "tree:0", "combine:blob:none+tree:3"].iter().enumerate()
            {
                let clone = format!("partial{version}{number}");
                shell.run(&format!("{git} clone -q --filter={filter} \"$STRANGER\" {clone} && cd {clone} && {git} log -p --all > /dev/null"));
            }
        }
    });
}

#[test]
fn who_may_clone_and_push() {
    let forge = Forge::shared();
    let public = forge.shell(&forge.repository(&[]));
    let private = forge.shell(&forge.repository(&["--private"]));
    for shell in [&public, &private] {
        shell.run("git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main");
    }
    for address in ["USER", "STRANGER"] {
        public.run(&format!("git clone -q \"${address}\" clone-{address}"));
        public.fails(&format!("cd work && git push \"${address}\" main:other"));
        private.fails(&format!("git clone -q \"${address}\" clone-{address}"));
        private.fails(&format!("cd work && git push \"${address}\" main:other"));
    }
}

#[test]
fn a_private_repository_looks_like_a_missing_one() {
    let forge = Forge::shared();
    let private = forge.repository(&["--private"]);
    for actor in [Actor::User, Actor::Stranger] {
        for end in
            ["info/refs?service=git-upload-pack", "info/refs?service=git-receive-pack", "info/refs", ""]
        {
            let there = forge.get(actor, &format!("{private}.git/{end}"));
            let missing = forge.get(actor, &format!("team/none.git/{end}"));
            assert_eq!(there.status, missing.status, "{actor:?} {end}");
            assert_eq!(there.text().replace(&private, "team/none"), missing.text(), "{actor:?} {end}");
        }
    }
}

#[test]
fn large_blobs_and_ten_thousand_refs() {
    let forge = Forge::shared();
    let shell = forge.shell(&forge.repository(&[]));
    shell.run(
        r#"git init -q work && cd work && head -c 52428800 /dev/urandom > random && head -c 52428800 /dev/zero > zeros
        git add . && git commit -qm Large && git push -q "$ADMIN" main
        head=$(git rev-parse HEAD)
        # Both sides get the refs without a push: stock git takes a minute to prepare one of so many.
        for number in $(seq 10000); do echo "create refs/heads/b/$number $head"; done > ../refs
        git update-ref --stdin < ../refs && git -C "$SERVED" update-ref --stdin < ../refs"#,
    );
    shell.run("git clone -q --mirror \"$STRANGER\" clone");
    assert_same(&shell, "work", "clone");
    assert_eq!(shell.run("git ls-remote \"$STRANGER\" 'refs/heads/b/*' | wc -l"), "10000");
}

#[test]
fn of_two_pushes_to_one_ref_one_wins() {
    in_each_format(|shell, _| {
        shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m Root && git push -q \"$ADMIN\" main",
    );
        let won = shell.run(
        r#"for number in 1 2 3 4 5 6; do git clone -q "$ADMIN" clone$number; git -C clone$number commit -q --allow-empty -m "By $number"; done
        for number in 1 2 3 4 5 6; do (git -C clone$number push -q origin main 2> out$number && echo won) & done; wait"#,
    );
        assert_eq!(won, "won");
        assert_eq!(shell.run("git -C \"$SERVED\" rev-list --count main"), "2");
        shell.run("git -C \"$SERVED\" fsck --full --strict");
    });
}

#[test]
fn stock_git_works_on_the_same_repository() {
    in_each_format(|shell, _| {
        shell.run(HISTORY);
        shell.run("cd work && git push -q \"$ADMIN\" --all && git push -q \"$ADMIN\" --tags");
        for round in 0..3 {
            shell.run("git -C \"$SERVED\" gc -q --prune=now && git -C \"$SERVED\" pack-refs --all");
            shell.run(&format!(
                "cd work && echo {round} >> renamed && git commit -qam {round} && git push -q \"$ADMIN\" main"
            ));
            shell.run(&format!("git clone -q --mirror \"$STRANGER\" clone{round}"));
            assert_same(shell, "work", &format!("clone{round}"));
        }
    });
}

#[test]
fn the_cache_may_be_deleted_at_any_time() {
    let forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(HISTORY);
    shell.run("cd work && git push -q \"$ADMIN\" --all && git push -q \"$ADMIN\" --tags");
    for round in 0..3 {
        // Instances that are running go on without it; those that start make it again.
        let _ = std::fs::remove_dir_all(forge.data().join("cache"));
        shell.run(&format!("git clone -q --mirror \"$STRANGER\" clone{round}"));
        assert_same(&shell, "work", &format!("clone{round}"));
        assert_eq!(forge.get(Actor::Stranger, &format!("{path}/-/blob/main/renamed")).status, 200);
        let script =
            format!("cd work && git commit -q --allow-empty -m {round} && git push -q \"$ADMIN\" main");
        shell.run(&script);
    }
}

#[test]
fn objects_that_git_would_not_take_are_refused() {
    let forge = Forge::shared();
    let shell = forge.shell(&forge.repository(&[]));
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m Root && git push -q \"$ADMIN\" main",
    );
    for name in [".git", "..", ".GIT", "git~1"] {
        let script = format!(
            r#"cd work && blob=$(echo x | git hash-object -w --stdin) && tree=$(printf '100644 {name}\0' | cat - <(python3 -c "import sys; sys.stdout.buffer.write(bytes.fromhex('$blob'))") | git hash-object -w -t tree --literally --stdin)
            commit=$(git commit-tree -m Bad $tree) && git push "$ADMIN" $commit:refs/heads/bad"#
        );
        let refused = shell.fails(&script);
        assert!(refused.contains("hasDot") || refused.contains("remote"), "{name}: {refused}");
    }
    assert_eq!(shell.run("git -C \"$SERVED\" for-each-ref --format='%(refname)'"), "refs/heads/main");
}

/// A push that creates `count` branches of one commit, all by one request: stock git takes longer to
/// prepare it the more it is, by the square.
fn push_of_many(shell: &Shell, count: usize) -> Vec<u8> {
    let id = shell.run("git -C work rev-parse HEAD");
    let mut body = Vec::with_capacity(count * 120);
    for number in 0..count {
        let capabilities = if number == 0 { "\0report-status side-band-64k atomic" } else { "" };
        let zero = "0".repeat(40);
        pkt_line::write_text(
            &mut body,
            format_args!("{zero} {id} refs/heads/many/{number:06}{capabilities}"),
        );
    }
    pkt_line::flush(&mut body);
    shell.run("cd work && git rev-parse HEAD | git pack-objects -q --revs --stdout > ../pack");
    body.extend(std::fs::read(shell.path().join("pack")).expect("it was just written"));
    body
}

#[test]
fn many_refs_in_one_push() {
    let count = if is_long() { 100_000 } else { 20_000 };
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main",
    );
    let answer =
        Answer::git(&forge.url, Actor::Admin.login(), &path, "receive-pack", 0, push_of_many(&shell, count));
    assert_eq!(answer.status, 200);
    let said = answer.text();
    assert!(said.contains("unpack ok") && !said.contains("ng refs/"), "{}", &said[..1_000]);
    let listed = shell.run("git -C \"$SERVED\" for-each-ref --format='%(objectname)' | sort | uniq -c");
    let head = shell.run("git -C work rev-parse HEAD");
    assert_eq!(listed.trim(), format!("{} {head}", count + 1));
    // They lie in one file, and nothing of their making is left.
    assert_eq!(shell.run("find \"$SERVED/refs\" -type f"), shell.run("echo $SERVED/refs/heads/main"));
    assert_eq!(shell.run("ls \"$SERVED\""), "HEAD\nconfig\ninfo\nobjects\npacked-refs\nrefs");
    shell.run("git -C \"$SERVED\" fsck --full --strict && git -C \"$SERVED\" pack-refs --all");
    assert_eq!(shell.run("git ls-remote \"$STRANGER\" 'refs/heads/many/*' | wc -l"), count.to_string());
}

#[test]
fn a_kill_while_many_refs_are_made_makes_all_or_none() {
    let count = 5_000;
    let mut forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main",
    );
    let served = forge.directory(&path);
    let body = push_of_many(&shell, count);
    // When the first lock is there, when all are, and when it is done.
    for sign in ["refs/heads/many/000000.lock", "packed-refs.lock", "packed-refs"] {
        let (url, repository, body) = (forge.url.clone(), path.clone(), body.clone());
        let push = std::thread::spawn(move || {
            Answer::try_git(&url, Actor::Admin.login(), &repository, "receive-pack", 0, body)
                .is_ok_and(|answer| answer.text().contains("ok refs/heads/many/000000"))
        });
        let deadline = Instant::now() + Duration::from_secs(60);
        while !served.join(sign).exists() && !push.is_finished() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        forge.kill();
        let is_acknowledged = push.join().expect("it does not panic");
        let made = shell.run("git -C \"$SERVED\" for-each-ref refs/heads/many | wc -l");
        assert!(made == "0" && !is_acknowledged || made == count.to_string(), "{sign}: {made}");
        shell.run("git -C \"$SERVED\" fsck --full --strict");
        // Locks of the dead are nobody's after a while, and go with the next push.
        shell.run("find \"$SERVED\" -exec touch -h -d '1 day ago' {} +");
        forge.restart(&[]);
        let work = shell.path().join("work");
        forge.shell(&path).run(&format!("git -C {} push -q \"$ADMIN\" main:other", work.display()));
        assert_eq!(
            shell.run("find \"$SERVED\" -name '*.lock' -o -name 'lithe-*' -o -name '*.next'"),
            "",
            "{sign}"
        );
        shell.run("git -C \"$SERVED\" for-each-ref --format='delete %(refname)' refs/heads/many refs/heads/other | git -C \"$SERVED\" update-ref --stdin; rm -f \"$SERVED/packed-refs\"");
    }
}
