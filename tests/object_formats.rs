//! Repositories whose objects are named by SHA-256, on every way in and out. That clones, fetches and
//! pushes are the same as in others is said in [`crate::git_http`] and [`crate::protocol`].

use crate::kit::{Actor, Answer, Browser, Forge, Shell};
use lithe_git::pkt_line;

const HISTORY: &str = r#"git init -q work && cd work && mkdir src
printf '# Demo\n' > README.md && printf 'fn main() {}\n' > src/main.rs && git add . && git commit -qm First
printf 'fn main() { }\n' > src/main.rs && git commit -qam Second && git tag -am Tagged v1"#;

/// A shell whose `git init` makes repositories of SHA-256, at an empty one that is served.
fn sha256(forge: &Forge) -> (String, Shell) {
    let path = forge.repository(&["--object-format", "sha256"]);
    let mut shell = forge.shell(&path);
    shell.set("GIT_DEFAULT_HASH", "sha256");
    (path, shell)
}

#[test]
fn every_page_takes_long_ids_and_their_abbreviations() {
    let forge = Forge::shared();
    let (path, shell) = sha256(forge);
    let empty = forge.get(Actor::Admin, &path).text();
    assert!(empty.contains("git init --object-format=sha256"), "{empty}");
    shell.run(HISTORY);
    shell.run("cd work && git push -q \"$ADMIN\" main v1");
    let id = shell.run("git -C work rev-parse HEAD");
    assert_eq!(id.len(), 64);
    // Forty digits are not a whole id here.
    for revision in ["main", "v1", &id, &id[..4], &id[..40], &id[..63]] {
        for page in ["tree/REV/src", "blob/REV/src/main.rs", "raw/REV/src/main.rs", "commits/REV"] {
            let page = page.replace("REV", revision);
            assert_eq!(forge.get(Actor::Stranger, &format!("{path}/-/{page}")).status, 200, "{page}");
        }
    }
    for (digits, shown) in [(&id[..], true), (&id[..10], true), (&id[..40], true), (&format!("{id}0"), false)]
    {
        let answer = forge.get(Actor::Stranger, &format!("{path}/-/commit/{digits}"));
        let page = answer.text();
        let is_shown = [200, 301, 302, 303, 307, 308].contains(&answer.status);
        assert_eq!(is_shown, shown, "{digits}: {page}");
        assert!(answer.status != 200 || page.contains(&id), "{digits}: {page}");
    }
    for page in ["", "/-/refs"] {
        let answer = forge.get(Actor::Stranger, &format!("{path}{page}"));
        assert!(answer.status == 200 && answer.text().contains(&id), "{page}: {}", answer.text());
    }
}

#[test]
fn one_is_made_in_the_browser_and_taken_in_by_import_and_scan() {
    let forge = Forge::shared();
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let browser = Browser::signed_in(forge, name, password);
    let fields = [("path", "formats/made"), ("is-sha256", "true")];
    let made = browser.submit("/-/new/repository", "new/repository", &fields);
    assert_eq!(made.header("location"), Some("/formats/made"), "{}", made.text());
    let mut shell = forge.shell("formats/made");
    shell.set("GIT_DEFAULT_HASH", "sha256");
    shell.run(HISTORY);
    shell.run("cd work && git push -q \"$ADMIN\" main v1 && git -C \"$SERVED\" fsck --full --strict");

    shell.run("git clone -q --bare work local.git && git clone -q --bare work packed.git && git -C packed.git gc -q");
    for (local, path) in [("local.git", "formats/loose"), ("packed.git", "formats/packed")] {
        let local = shell.path().join(local);
        forge.lithe(&["repo", "import", local.to_str().expect("text"), path]);
        shell.run(&format!("git clone -q {}/{path}.git {path}", forge.url));
        assert_eq!(
            shell.run(&format!("git -C {path} rev-parse HEAD")),
            shell.run("git -C work rev-parse HEAD")
        );
    }
    shell.run(&format!("cp -r local.git {}", forge.directory("formats/dropped").display()));
    forge.lithe(&["repo", "scan"]);
    assert_eq!(forge.get(Actor::Admin, "formats/dropped").status, 200);
    for path in ["formats/made", "formats/loose", "formats/packed", "formats/dropped"] {
        forge.lithe(&["repo", "check", path]);
    }
    shell.run(&format!("rm -rf {}/objects/??", forge.directory("formats/loose").display()));
    let (code, said) = forge.try_lithe(&["repo", "check", "formats/loose"]);
    assert!(code == Some(1) && said.contains("missing"), "{code:?} {said}");
}

/// One request of lines to a service, with a flush at its end; the answer as text.
fn post(forge: &Forge, path: &str, service: &str, version: u8, lines: &[&str]) -> String {
    let mut body = Vec::new();
    for line in lines {
        match *line {
            "0000" => pkt_line::flush(&mut body),
            "0001" => pkt_line::delimiter(&mut body),
            line => pkt_line::write(&mut body, line.as_bytes()),
        }
    }
    Answer::git(&forge.url, Actor::Admin.login(), path, service, version, body).text()
}

#[test]
fn a_client_of_another_format_is_told() {
    let forge = Forge::shared();
    let (path, shell) = sha256(forge);
    shell.run(HISTORY);
    shell.run("cd work && git push -q \"$ADMIN\" main");
    let id = "1".repeat(40);
    let cases = [
        (
            2,
            vec!["command=ls-refs\n", "0001", "0000"],
            "mismatched object format: server sha256; client sha1",
        ),
        (
            2,
            vec!["command=ls-refs\n", "object-format=sha1", "0001", "0000"],
            "mismatched object format: server sha256; client sha1",
        ),
        (2, vec!["command=ls-refs\n", "object-format=sha256", "0001", "0000"], "refs/heads/main"),
    ];
    for (version, lines, expected) in cases {
        let said = post(forge, &path, "upload-pack", version, &lines);
        assert!(said.contains(expected), "{lines:?}: {said}");
    }
    let want = format!("want {id} side-band-64k object-format=sha1\n");
    let said = post(forge, &path, "upload-pack", 0, &[&want, "0000", "done\n"]);
    assert!(said.contains("ERR"), "{said}");
    let zero = "0".repeat(40);
    let said = post(
        forge,
        &path,
        "receive-pack",
        0,
        &[&format!("{id} {zero} refs/heads/main\0report-status"), "0000"],
    );
    assert!(said.contains("unsupported object format 'sha1'"), "{said}");
    // Stock Git finds out for itself.
    let refused = shell.fails("git init -q --object-format=sha1 other && cd other && git commit -q --allow-empty -m x && git push \"$ADMIN\" main:x");
    assert!(refused.contains("hash algorithm") || refused.contains("mismatched"), "{refused}");
}
