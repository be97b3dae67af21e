//! Every kind of page in a headless Chromium: nothing on the console, no accessibility violation,
//! no wider than the window, in the light and in the dark; and the main ones in German, with more contrast, from
//! right to left and for a printer (see `pages/check.mjs`).

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
        git tag -a -m Tagged v1 && git branch side && git push -q "$ADMIN" --all && git push -q "$ADMIN" --tags"#,
    );
    let commit = shell.run("git -C work rev-parse HEAD");
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
        format!("/{path}/-/stats/main"),
        "/-/activity".to_owned(),
        format!("/{path}/-/settings/permissions"),
        format!("/{path}/-/settings/pushes"),
        format!("/{path}/-/settings/health"),
        "/-/admin/maintenance".to_owned(),
        "/team/-/settings/pushes".to_owned(),
        format!("/{path}/-/edit/main/src/main.rs"),
        format!("/{path}/-/edit/main/src?new"),
        format!("/{path}/-/edit/main/src?upload"),
        format!("/{path}/-/edit/main/src/main.rs?delete"),
    ];
    let anonymous: Vec<String> = public.iter().cloned().chain(["/-/login".to_owned()]).collect();
    let all: Vec<String> = public.iter().chain(&signed_in).cloned().collect();
    check(forge, &[], &anonymous, "anonymous");
    check(forge, &[("lithe_session", &session)], &all, "signed-in");
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

#[track_caller]
fn check(forge: &Forge, cookies: &[(&str, &str)], pages: &[String], name: &str) {
    let cookies: Vec<_> =
        cookies.iter().map(|(name, value)| serde_json::json!({ "name": name, "value": value })).collect();
    let state = forge.data().join(format!("{name}.json"));
    let text = serde_json::json!({ "cookies": cookies, "pages": pages }).to_string();
    std::fs::write(&state, text).expect("the data directory is writable");
    let mut command = Command::new("node");
    command.arg(root().join("tests/pages/check.mjs")).arg(&forge.url).arg(&state);
    command.arg(root().join("target/screenshots").join(name));
    let output = command.output().expect("node starts; `cargo xtask test` installs it");
    let problems = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{problems}{}", String::from_utf8_lossy(&output.stderr));
}
