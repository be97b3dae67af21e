//! Repositories that borrow objects from others (`objects/info/alternates`), served and kept apart.

use crate::kit::{Actor, Answer, Forge, Shell};
use lithe_git::pkt_line;

/// A private lender with a public branch's worth of history and a secret one, and a public borrower that
/// has refs to the first only.
struct Shared {
    lender: String,
    borrower: String,
    shell: Shell,
    secret_commit: String,
    secret_blob: String,
}

const HISTORY: &str = r#"git init -q work && cd work
for n in 1 2 3; do mkdir -p d$n && echo $n > d$n/file && git add . && git commit -qm "Public $n"; done
git switch -qc secret && echo secret > secret && git add . && git commit -qm Secret && git switch -q main
git push -q "$ADMIN" main secret"#;

impl Shared {
    fn new(forge: &Forge) -> Self {
        let lender = forge.repository(&["--private"]);
        let shell = forge.shell(&lender);
        shell.run(HISTORY);
        let borrower = forge.repository(&[]);
        let (_, name) = lender.split_once('/').expect("it is in a group");
        let mut shell = forge_shell(forge, shell, &borrower);
        shell.set("LENDER", forge.directory(&lender).to_str().expect("text"));
        shell.run(&format!(
            "echo ../../{name}.git/objects > \"$SERVED/objects/info/alternates\"
            git -C \"$SERVED\" update-ref refs/heads/main $(git -C work rev-parse main)
            git -C \"$SERVED\" fsck --full --strict"
        ));
        let secret_commit = shell.run("git -C work rev-parse secret");
        let secret_blob = shell.run("git -C work rev-parse secret:secret");
        Self { lender, borrower, shell, secret_commit, secret_blob }
    }

    /// What a stranger gets who wants one object of the borrower.
    fn wanted(&self, forge: &Forge, version: u8, id: &str) -> String {
        let mut body = Vec::new();
        if version == 2 {
            pkt_line::write(&mut body, b"command=fetch");
            pkt_line::delimiter(&mut body);
            pkt_line::write(&mut body, format!("want {id}\n").as_bytes());
        } else {
            pkt_line::write(&mut body, format!("want {id} side-band-64k\n").as_bytes());
            pkt_line::flush(&mut body);
        }
        pkt_line::write(&mut body, b"done\n");
        pkt_line::flush(&mut body);
        Answer::git(&forge.url, None, &self.borrower, "upload-pack", version, body).text()
    }
}

/// The same directory of work, with the addresses of another repository.
fn forge_shell(forge: &Forge, mut shell: Shell, repository: &str) -> Shell {
    for (name, actor) in [("ADMIN", Actor::Admin), ("STRANGER", Actor::Stranger)] {
        shell.set(name, &forge.address(actor, &format!("{repository}.git")));
    }
    shell.set("SERVED", forge.directory(repository).to_str().expect("text"));
    shell
}

#[test]
fn what_is_borrowed_is_cloned_pushed_upon_and_shown() {
    let forge = Forge::shared();
    let Shared { borrower, shell, .. } = Shared::new(forge);
    for version in 0..=2 {
        shell.run(&format!("git -c protocol.version={version} clone -q \"$STRANGER\" clone{version}"));
        shell.run(&format!("git -C clone{version} fsck --full --strict"));
    }
    // A commit on top of what is borrowed: files that did not change are borrowed too.
    shell.run("cd clone2 && echo more >> d1/file && git mv d2/file d3/moved && git commit -qam More && git push -q \"$ADMIN\" main");
    shell.run("cd clone0 && git pull -q && git log --format=%s -1 | grep -q More && cat d3/moved");
    shell.run("git -C \"$SERVED\" fsck --full --strict");
    let id = shell.run("git -C clone2 rev-parse main~2");
    for page in [
        String::new(),
        "/-/blob/main/d3/file".into(),
        format!("/-/commit/{id}"),
        format!("/-/commit/{}", &id[..10]),
        "/-/commits/main".into(),
    ] {
        assert_eq!(forge.get(Actor::Stranger, &format!("{borrower}{page}")).status, 200, "{page}");
    }
    forge.lithe(&["repo", "check", &borrower]);
}

#[test]
fn no_reader_of_a_borrower_sees_what_only_the_lenders_readers_may() {
    let forge = Forge::shared();
    let shared = Shared::new(forge);
    let Shared { borrower, shell, secret_commit, secret_blob, .. } = &shared;
    for version in [0, 2] {
        for id in [secret_commit, secret_blob] {
            let said = shared.wanted(forge, version, id);
            assert!(said.contains(&format!("not our ref {id}")), "{version} {id}: {said}");
        }
    }
    // A have is no way to ask either.
    let tip = shell.run("git -C work rev-parse main");
    let mut body = Vec::new();
    pkt_line::write(&mut body, b"command=fetch");
    pkt_line::delimiter(&mut body);
    for line in [format!("want {tip}\n"), format!("have {secret_commit}\n")] {
        pkt_line::write(&mut body, line.as_bytes());
    }
    pkt_line::flush(&mut body);
    let said = Answer::git(&forge.url, None, borrower, "upload-pack", 2, body).text();
    assert!(said.contains("NAK") && !said.contains("ACK"), "{said}");
    let mut body = Vec::new();
    pkt_line::write(&mut body, b"command=object-info");
    pkt_line::delimiter(&mut body);
    pkt_line::write(&mut body, b"size");
    pkt_line::write(&mut body, format!("oid {secret_blob}").as_bytes());
    pkt_line::flush(&mut body);
    let said = Answer::git(&forge.url, None, borrower, "upload-pack", 2, body).text();
    assert!(said.contains(&format!("{secret_blob} 0000")), "{said}");
    for page in ["commit", "tree", "commits"] {
        for id in [&secret_commit[..], &secret_commit[..12]] {
            let answer = forge.get(Actor::Stranger, &format!("{borrower}/-/{page}/{id}"));
            assert_eq!(answer.status, 404, "{page} {id}: {}", answer.text());
        }
    }
    let after = format!("{borrower}/-/commits/main?after={secret_commit}");
    assert_eq!(forge.get(Actor::Stranger, &after).status, 404);
}

#[test]
fn a_push_cannot_have_a_ref_point_to_what_is_only_borrowed() {
    let forge = Forge::shared();
    let Shared { shell, secret_commit, secret_blob, .. } = Shared::new(forge);
    // With a work tree that has the objects, told that the server has them too.
    let pack = "cd work && printf '' | git pack-objects --stdout -q";
    shell.run(&format!("{pack} > ../empty.pack"));
    let push = |new: &str| {
        let zero = "0".repeat(40);
        let mut body = Vec::new();
        pkt_line::write(&mut body, format!("{zero} {new} refs/heads/stolen\0report-status").as_bytes());
        pkt_line::flush(&mut body);
        body.extend(std::fs::read(shell.path().join("empty.pack")).expect("just written"));
        body
    };
    let address = shell.run("echo $SERVED | sed 's,.*/repos/,,; s,.git$,,'");
    let said =
        Answer::git(&forge.url, Actor::Admin.login(), &address, "receive-pack", 0, push(&secret_commit))
            .text();
    assert!(said.contains("ng refs/heads/stolen"), "{said}");
    // Nor a new commit whose tree holds such a blob.
    let commit = shell.run(&format!(
        "cd work && tree=$(printf '100644 blob {secret_blob}\\tx\\n' | git mktree) && commit=$(git commit-tree -m x $tree) && printf '%s\\n%s\\n' $tree $commit | git pack-objects --stdout -q > ../empty.pack && echo $commit"
    ));
    let said =
        Answer::git(&forge.url, Actor::Admin.login(), &address, "receive-pack", 0, push(&commit)).text();
    assert!(said.contains("ng refs/heads/stolen"), "{said}");
    assert_eq!(shell.run("git -C \"$SERVED\" for-each-ref --format='%(refname)'"), "refs/heads/main");
}

#[test]
fn a_lender_stays_where_it_is_found_and_one_that_is_missing_is_told() {
    let forge = Forge::shared();
    let Shared { lender, borrower, shell, .. } = Shared::new(forge);
    for (arguments, expected) in [
        (["repo", "delete", lender.as_str(), ""], "borrows objects from it"),
        (["repo", "rename", &lender, "elsewhere/lender"], "borrows objects from it"),
        (["repo", "rename", &borrower, "elsewhere/borrower"], "it borrows objects from another"),
    ] {
        let arguments: Vec<&str> = arguments.into_iter().filter(|word| !word.is_empty()).collect();
        let (code, said) = forge.try_lithe(&arguments);
        assert!(code == Some(1) && said.contains(expected), "{arguments:?}: {code:?} {said}");
    }
    for bad in ["../../nowhere.git/objects", "/etc", "../../../../cache/git-http", "../../../../../../etc"] {
        shell.run(&format!("echo {bad} > \"$SERVED/objects/info/alternates\""));
        let said = shell.fails("git clone \"$STRANGER\" refused");
        assert!(said.contains("borrows objects from another one, which cannot be read"), "{bad}: {said}");
        let (code, said) = forge.try_lithe(&["repo", "check", &borrower]);
        assert!(code == Some(1) && said.contains("cannot be borrowed"), "{bad}: {said}");
        assert_ne!(forge.get(Actor::Stranger, &borrower).status, 200, "{bad}");
    }
    // Nobody borrows from it any more.
    forge.lithe(&["repo", "delete", &lender]);
}
