//! Every kind of page in a headless Chromium: nothing on the console, no accessibility violation, no wider than the
//! window, in three widths, in the light and in the dark, by keys alone and without scripts, and light enough; and the
//! main ones in German, with more contrast, from right to left and for a printer (see `pages/check.mjs`).
//!
//! With `LITHE_SCREENSHOTS` set, pictures of all of that are in `target/screenshots`.

use crate::kit::{Actor, Browser, Forge, root};
use std::process::Command;

#[test]
fn pages_are_sound_in_a_browser() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let empty = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        r#"git init -q work && cd work
        printf '# Demo\n\nSome *words*, a [link](src/main.rs), a table:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```rust\nfn main() {}\n```\n' > README.md
        mkdir src && printf 'fn main() {\n    println!("Hello, {}", 1 + 2); // a comment\n}\n' > src/main.rs
        printf '\0binary' > image.bin && git add . && git commit -qm 'First' -m 'With a body.'
        printf 'fn main() {\n    println!("Bye");\n}\n' > src/main.rs && git mv image.bin moved.bin && git commit -qam 'Second'
        git tag -a -m Tagged v1 && git branch side
        git checkout -q -b merged HEAD~1 && echo '// theirs' > src/main.rs && git commit -qam Third && (git merge -q main || true)
        echo '// both' > src/main.rs && git add . && git commit -qm Merged && git checkout -q main
        git push -q "$ADMIN" --all && git push -q "$ADMIN" --tags"#,
    );
    let commit = shell.run("git -C work rev-parse HEAD");
    let merge = shell.run("git -C work rev-parse merged");
    // A push of such a name is refused; a repository that was there before may have it.
    let long_name = "n".repeat(10_000);
    shell.run(&format!(
        "{{ printf 'commit refs/heads/long\\ncommitter A <a@b> 1750000000 +0000\\ndata 1\\nx\\nM 644 inline '
        printf 'n%.0s' $(seq 10000); printf '\\ndata 2\\nx\\n\\n'; }} | git -C '{}' fast-import --quiet",
        forge.directory(&path).display()
    ));
    forge.lithe(&["repo", "delete", &forge.repository(&[])]);
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let browser = Browser::signed_in(forge, name, password);
    let session = browser.cookie("lithe_session").expect("a session");
    let rule = [("do", "protect"), ("pattern", "release/*"), ("advance", "named"), ("users", "bob")];
    let answer = browser.submit(&format!("/{path}/-/settings/pushes"), "pushes", &rule);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let public = [
        "/".to_owned(),
        "/team".to_owned(),
        format!("/{path}"),
        format!("/{empty}"),
        format!("/{path}/-/tree/main/src"),
        format!("/{path}/-/blob/main/src/main.rs"),
        format!("/{path}/-/blob/main/README.md"),
        format!("/{path}/-/blob/main/moved.bin"),
        format!("/{path}/-/commits/main"),
        format!("/{path}/-/commit/{commit}"),
        format!("/{path}/-/refs"),
        format!("/{path}/-/commits/main?graph=1"),
        format!("/{path}/-/commits/main?author=a&message=s"),
        format!("/{path}/-/commit/{commit}?view=split"),
        format!("/{path}/-/commits/main?choose=1"),
        format!("/{path}/-/commit/{merge}?combined=1"),
        format!("/{path}/-/tree/long"),
        format!("/{path}/-/blob/long/{long_name}"),
        format!("/{path}/-/compare/v1...main"),
        format!("/{path}/-/compare"),
        format!("/{path}/-/blame/main/src/main.rs"),
        format!("/{path}/-/find/main"),
        format!("/{path}/-/stats/main"),
        format!("/{path}/-/search"),
        format!("/{path}/-/search?q=println"),
        format!("/{path}/-/search?q=println("),
        format!("/{path}/-/search?type=paths&q=main"),
        "/-/search?q=println".to_owned(),
        "/?q=demo&sort=change".to_owned(),
    ];
    let signed_in = [
        "/-/account".to_owned(),
        "/-/account/password".to_owned(),
        "/-/account/tokens".to_owned(),
        "/-/account/keys".to_owned(),
        "/-/account/sessions".to_owned(),
        "/-/admin/".to_owned(),
        "/-/admin/users".to_owned(),
        "/-/admin/repositories".to_owned(),
        "/-/admin/settings".to_owned(),
        "/-/admin/journal".to_owned(),
        "/-/admin/repositories/deleted".to_owned(),
        "/-/deleted".to_owned(),
        "/-/new/repository".to_owned(),
        format!("/{path}/-/settings"),
        format!("/{path}/-/edit/main/src/main.rs"),
        format!("/{path}/-/edit/main?upload"),
        "/-/activity".to_owned(),
        format!("/{path}/-/settings/permissions"),
        format!("/{path}/-/settings/pushes"),
        format!("/{path}/-/settings/health"),
        "/-/admin/maintenance".to_owned(),
        "/team/-/settings/pushes".to_owned(),
        format!("/{path}/-/edit/main/src?new"),
        format!("/{path}/-/edit/main/src?upload"),
        format!("/{path}/-/edit/main/src/main.rs?delete"),
    ];
    let anonymous: Vec<String> = public.iter().cloned().chain(["/-/login".to_owned()]).collect();
    let all: Vec<String> = public.iter().chain(&signed_in).cloned().collect();
    let heavy = heavy_pages(forge);
    check(
        forge,
        &[
            visitor("anonymous", &[], &anonymous, &heavy),
            visitor("signed-in", &[("lithe_session", &session)], &all, &[]),
        ],
    );
}

/// Pages as long as they get, of lists, files and changes that go on for long.
fn heavy_pages(forge: &Forge) -> Vec<String> {
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        r#"git init -q -b main work && cd work && mkdir many src
        for i in $(seq 1200); do echo $i > many/a-file-with-a-longer-name-$i.txt; done
        for i in $(seq 4000); do
            printf 'fn function_%s(first: &str, second: u64) -> Result<Vec<String>, Error> { // the %sth\n' $i $i
            printf '    let name_%s = format!("{}-{}", first.trim(), second + 0x%x);\n    Ok(vec![name_%s])\n}\n\n' $i $i $i
        done > src/long.rs
        for i in $(seq 1200); do
            printf '## Chapter %s\n\nSome *words* about `thing_%s`, and a [link](src/long.rs), in a paragraph.\n\n' $i $i
        done > README.md
        git add . && git commit -qm First
        for i in $(seq 120); do git commit -q --allow-empty -m "Change number $i of them all" -m "It has a body."; done
        sed -i 's/name_/other_/; s/trim/trim_end/' src/long.rs && git commit -qam 'Rename what is in long.rs'
        for i in $(seq 300); do
            echo "create refs/heads/topic/number-$i HEAD"; echo "create refs/tags/v$i HEAD~100"
        done | git update-ref --stdin
        git push -q "$ADMIN" --all && git push -q "$ADMIN" --tags"#,
    );
    let commit = shell.run("git -C work rev-parse HEAD");
    let pages = [
        "",
        "/-/tree/main/many",
        "/-/blob/main/src/long.rs",
        "/-/blob/main/README.md",
        "/-/blame/main/src/long.rs",
        "/-/commits/main",
        "/-/commits/main?graph=1",
        "/-/refs",
        "/-/find/main",
        "/-/search?q=name",
        "/-/compare/v1...main",
    ];
    let changes = ["", "?view=split"].map(|view| format!("/-/commit/{commit}{view}"));
    pages.map(str::to_owned).iter().chain(&changes).map(|page| format!("/{path}{page}")).collect()
}

#[test]
fn the_editor_is_used_by_keys_alone() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    forge.shell(&path).run(
        r#"git init -q -b main work && cd work && mkdir src
        printf 'fn main() {\n    println!("Hello");\n}\n' > src/main.rs
        git add . && git commit -qm First && git push -q "$ADMIN" main"#,
    );
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let session = Browser::signed_in(forge, name, password).cookie("lithe_session").expect("a session");
    let state = forge.data().join("editor.json");
    let cookies = serde_json::json!([{ "name": "lithe_session", "value": session }]);
    let (page, shown) =
        (format!("/{path}/-/edit/main/src/main.rs"), format!("/{path}/-/blob/main/src/main.rs"));
    let text = serde_json::json!({ "cookies": cookies, "page": page, "shown": shown }).to_string();
    std::fs::write(&state, text).expect("the data directory is writable");
    let mut command = Command::new("node");
    let output = command.arg(root().join("tests/pages/editor.mjs")).arg(&forge.url).arg(&state).output();
    let output = output.expect("node starts; `cargo xtask test` installs it");
    let problems = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{problems}{}", String::from_utf8_lossy(&output.stderr));
}

/// The first of a visitor's pages are the main ones, which are looked at in more ways.
const MAIN_PAGES: usize = 11;

/// Whoever opens pages in the browser.
fn visitor(name: &str, cookies: &[(&str, &str)], pages: &[String], heavy: &[String]) -> serde_json::Value {
    let cookies: Vec<_> =
        cookies.iter().map(|(name, value)| serde_json::json!({ "name": name, "value": value })).collect();
    serde_json::json!({ "name": name, "cookies": cookies, "pages": pages, "main": MAIN_PAGES, "heavy": heavy })
}

#[track_caller]
fn check(forge: &Forge, visitors: &[serde_json::Value]) {
    let state = forge.data().join("pages.json");
    let text = serde_json::json!({ "visitors": visitors }).to_string();
    std::fs::write(&state, text).expect("the data directory is writable");
    let mut command = Command::new("node");
    command.arg(root().join("tests/pages/check.mjs")).arg(&forge.url).arg(&state);
    if std::env::var_os("LITHE_SCREENSHOTS").is_some() {
        command.arg(root().join("target/screenshots"));
    }
    let output = command.output().expect("node starts; `cargo xtask test` installs it");
    let problems = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{problems}{}", String::from_utf8_lossy(&output.stderr));
}
