//! Every kind of page in a headless Chromium: nothing on the console, no accessibility violation, no wider than the
//! window, in three widths, in the light and in the dark, by keys alone and without scripts, and light enough; and the
//! main ones in German, with more contrast, from right to left and for a printer, and others in some of these ways (see
//! `pages/check.mjs`). What scripts add is used by keys and by the mouse (`pages/scripts.mjs`, `pages/editor.mjs`).
//!
//! With `LITHE_SCREENSHOTS` set, pictures of all of that are in `target/screenshots`.

use crate::kit::{Actor, Browser, Forge, root};
use serde_json::{Value, json};
use std::process::Command;

/// Two images of one pixel, in base64.
const PNGS: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg== \
     iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

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
            visitor("anonymous", &[], &anonymous, &heavy, &further_pages(forge)),
            visitor("signed-in", &[("lithe_session", &session)], &all, &[], &edits(forge)),
        ],
    );
}

/// Pages of other kinds than the main ones, each once.
fn further_pages(forge: &Forge) -> Vec<Value> {
    let path = forge.repository(&[]);
    let mut shell = forge.shell(&path);
    shell.set("PNGS", PNGS);
    shell.run(
        r#"git init -q -b main work && cd work && mkdir src && set -- $PNGS
        printf 'fn main() {\n    println!("Hello");\n}\n' > src/main.rs && echo "$1" | base64 -d > image.png
        printf 'name,number\nfirst,1\n"second, third",2\n' > table.csv
        printf '{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"markdown","metadata":{},"source":["Some\\n","more *words*."]},
            {"cell_type":"code","execution_count":1,"metadata":{},"source":["print(1)"],"outputs":[{"output_type":"stream","name":"stdout","text":["1\\n"]}]}]}' > notes.ipynb
        git add . && git commit -qm First && git tag v1
        sed -i s/Hello/Bye/ src/main.rs && echo "$2" | base64 -d > image.png && git commit -qam 'Change the image and the words'
        git checkout -q -b merged HEAD~1 && echo '// theirs' > src/main.rs && git commit -qam Theirs && (git merge -q main || true)
        echo '// both' > src/main.rs && git add . && git commit -qm Merged && git checkout -q main
        git push -q "$ADMIN" main merged v1"#,
    );
    let [commit, merge] = ["main", "merged"].map(|name| shell.run(&format!("git -C work rev-parse {name}")));
    let pages = [
        ("/-/commits/merged?graph=1", 200),
        (&format!("/-/commit/{commit}?view=split"), 200),
        (&format!("/-/commit/{merge}?combined=1"), 200),
        ("/-/compare/v1...main", 200),
        ("/-/blame/main/src/main.rs", 200),
        ("/-/find/main?q=main", 200),
        ("/-/stats/main", 200),
        ("/-/search?q=println", 200),
        ("/-/search?q=Change&type=commits", 200),
        ("/-/blob/main/nothing", 404),
        ("/-/nothing", 404),
        ("/-/blob/main/table.csv", 200),
        ("/-/blob/main/notes.ipynb", 200),
        ("/-/commits/main?choose=1", 200),
    ];
    pages.map(|(page, status)| json!({ "path": format!("/{path}{page}"), "status": status })).to_vec()
}

/// A file that is edited: what a change is before it is made, and one that somebody else was faster with.
fn edits(forge: &Forge) -> Vec<Value> {
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        r#"git init -q -b main work && cd work && seq 20 > file && git add . && git commit -qm First
        sed -i s/7/seven/ file && git commit -qam Second && git push -q "$ADMIN" main"#,
    );
    let base = shell.run("git -C work rev-parse HEAD~1");
    let page = format!("/{path}/-/edit/main/file");
    vec![
        json!({ "path": page, "press": "preview" }),
        json!({ "path": page, "press": "commit", "base": base, "status": 409 }),
    ]
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
    let (page, shown) =
        (format!("/{path}/-/edit/main/src/main.rs"), format!("/{path}/-/blob/main/src/main.rs"));
    run_signed_in(forge, "editor", json!({ "page": page, "shown": shown }));
}

#[test]
fn scripts_do_what_pages_promise() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let mut shell = forge.shell(&path);
    shell.set("PNGS", PNGS);
    shell.run(
        r#"git init -q -b main work && cd work && mkdir src && set -- $PNGS
        printf 'fn main() {\n    println!("Hello");\n}\n' > src/main.rs && seq 7000 > src/long.txt
        echo "$1" | base64 -d > image.png && git add . && git commit -qm First && git tag v1
        echo "$2" | base64 -d > image.png && git commit -qam 'Another image' && git tag image
        printf '// 4\n// 5\n// 6\n' >> src/main.rs && git commit -qam 'Five lines and one'
        for n in 1 2 3; do git commit -q --allow-empty -m "Nothing $n"; done
        git branch topic/one && git branch topic/two HEAD~1
        git push -q "$ADMIN" main topic/one topic/two v1"#,
    );
    let [commit, image] = ["main", "image"].map(|name| shell.run(&format!("git -C work rev-parse {name}^0")));
    run_signed_in(
        forge,
        "scripts",
        json!({ "repository": format!("/{path}"), "commit": commit, "image": image }),
    );
}

/// Runs `pages/NAME.mjs` with that state, for an administrator's browser.
#[track_caller]
fn run_signed_in(forge: &Forge, name: &str, mut state: Value) {
    let (login, password) = Actor::Admin.login().expect("the admin signs in");
    let session = Browser::signed_in(forge, login, password).cookie("lithe_session").expect("a session");
    state["cookies"] = json!([{ "name": "lithe_session", "value": session }]);
    let file = forge.data().join(format!("{name}.json"));
    std::fs::write(&file, state.to_string()).expect("the data directory is writable");
    let script = root().join(format!("tests/pages/{name}.mjs"));
    let output = Command::new("node").arg(script).arg(&forge.url).arg(&file).output();
    let output = output.expect("node starts; `cargo xtask test` installs it");
    let problems = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{problems}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn more_lines_around_a_change_come_in_place() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        r#"git init -q -b main work && cd work && for f in a b c; do seq 400 | sed "s/^/$f /" > $f; done
        git add . && git commit -qm First && git branch before
        sed -i 's/ 100$/ hundred/; s/ 300$/ more/' a b c && git commit -qam Second && git push -q "$ADMIN" --all"#,
    );
    let commit = shell.run("git -C work rev-parse HEAD");
    let pages = [
        format!("/{path}/-/commit/{commit}"),
        format!("/{path}/-/commit/{commit}?view=split"),
        format!("/{path}/-/compare/before...main?w=1"),
    ];
    // A file that takes too long to be coloured at once.
    shell.run(
        r#"cd work && seq 600 | sed 's|.*|let a = 1; // <b>|' > long.rs && git add . && git commit -qm Third
        sed -i '599s/1/2/' long.rs && sed -i 's/^a 7$/a seven/' a && git commit -qam Fourth
        git push -q "$ADMIN" main:coloured"#,
    );
    let coloured = format!("/{path}/-/commit/{}", shell.run("git -C work rev-parse HEAD"));
    let state = forge.data().join("changes.json");
    let text =
        json!({ "pages": pages, "file": "file-2", "line": "d2-R100", "coloured": coloured }).to_string();
    std::fs::write(&state, text).expect("the data directory is writable");
    let mut command = Command::new("node");
    let output = command.arg(root().join("tests/pages/changes.mjs")).arg(&forge.url).arg(&state).output();
    let output = output.expect("node starts; `cargo xtask test` installs it");
    let problems = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{problems}{}", String::from_utf8_lossy(&output.stderr));
}

/// The first of a visitor's pages are the main ones, which are looked at in more ways.
const MAIN_PAGES: usize = 11;

/// Whoever opens pages in the browser.
fn visitor(
    name: &str,
    cookies: &[(&str, &str)],
    pages: &[String],
    heavy: &[String],
    further: &[Value],
) -> Value {
    let cookies: Vec<_> =
        cookies.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    json!({
        "name": name, "cookies": cookies, "pages": pages, "main": MAIN_PAGES, "heavy": heavy, "further": further,
    })
}

#[track_caller]
fn check(forge: &Forge, visitors: &[Value]) {
    let state = forge.data().join("pages.json");
    let text = json!({ "visitors": visitors }).to_string();
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
