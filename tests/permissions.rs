//! Who gets what: every actor at every address of a repository in every state, as one table.
//!
//! `permissions.table` is that table; `LITHE_UPDATE_GOLDEN=1` writes it anew.

use crate::kit::{Actor, Browser, Forge, root};
use std::fmt::Write as _;
use std::fs;

/// What stands behind a repository's path.
const ADDRESSES: [&str; 20] = [
    "",
    "/-/tree/main",
    "/-/blob/main/file",
    "/-/raw/main/file",
    "/-/commits/main",
    "/-/refs",
    "/-/bundle",
    ".git/-/bundle/main",
    "/-/archive/main.tar.gz",
    "/-/search?q=x",
    "/-/edit/main/file",
    "/-/settings",
    "/-/settings/permissions",
    ".git/info/refs?service=git-upload-pack",
    ".git/info/refs?service=git-receive-pack",
    "/info/refs?service=git-upload-pack",
    ".git/info/refs",
    ".git/info/lfs/locks",
    "/info/lfs/locks?limit=1",
    ".git/info/lfs/objects/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
];

/// The states, with what bob is granted in each.
const STATES: [(&str, &[&str], Option<&str>); 6] = [
    ("public", &[], None),
    ("public, bob writes", &[], Some("write")),
    ("private", &["--private"], None),
    ("private, bob reads", &["--private"], Some("read")),
    ("private, bob writes", &["--private"], Some("write")),
    ("private, bob administers", &["--private"], Some("admin")),
];

#[test]
fn who_gets_what() {
    let forge = Forge::start(&[]);
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let browser = Browser::signed_in(&forge, name, password);
    let mut table = String::from("state | address | admin | user | stranger\n");
    for (state, options, grant) in STATES {
        let path = repository(&forge, options);
        if let Some(permission) = grant {
            let fields = [("kind", "user"), ("name", "bob"), ("permission", permission)];
            let answer = browser.submit(&format!("/{path}/-/settings/permissions"), "permissions", &fields);
            assert_eq!(answer.status, 303, "{}", answer.text());
        }
        rows(&forge, state, &path, &mut table);
    }
    let deleted = repository(&forge, &[]);
    forge.lithe(&["repo", "delete", &deleted]);
    rows(&forge, "deleted", &deleted, &mut table);
    rows(&forge, "missing", "team/nothing", &mut table);

    let golden = root().join("tests/permissions.table");
    if std::env::var_os("LITHE_UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &table).expect("the checkout is writable");
    }
    assert_eq!(table, fs::read_to_string(&golden).expect("permissions.table is there"));
}

#[test]
fn what_may_not_be_read_looks_like_what_is_missing() {
    let forge = Forge::shared();
    let private = repository(forge, &["--private"]);
    for address in ADDRESSES {
        for actor in [Actor::User, Actor::Stranger] {
            let there = forge.get(actor, &format!("{private}{address}"));
            let missing = forge.get(actor, &format!("team/nothing{address}"));
            assert_eq!(there.status, missing.status, "{actor:?} {address}");
            let plain = |headers: &[(String, String)]| -> Vec<_> {
                let telling = |name: &str| !["date", "x-request-id", "content-length"].contains(&name);
                headers.iter().filter(|(name, _)| telling(name)).cloned().collect()
            };
            let as_missing = |text: String| {
                let encoded = private.replace('/', "%2F");
                text.replace(&private, "team/nothing").replace(&encoded, "team%2Fnothing")
            };
            let there_headers: Vec<_> =
                plain(&there.headers).into_iter().map(|(name, value)| (name, as_missing(value))).collect();
            assert_eq!(there_headers, plain(&missing.headers), "{actor:?} {address}");
            assert_eq!(as_missing(there.text()), missing.text(), "{actor:?} {address}");
        }
    }
}

fn repository(forge: &Forge, options: &[&str]) -> String {
    let path = forge.repository(options);
    let script = "git init -q work && cd work && printf one > file && git add . && git commit -qm One && git push -q \"$ADMIN\" main";
    forge.shell(&path).run(script);
    path
}

fn rows(forge: &Forge, state: &str, path: &str, table: &mut String) {
    for address in ADDRESSES {
        let status = |actor| forge.get(actor, &format!("{path}{address}")).status;
        let [admin, user, stranger] = Actor::ALL.map(status);
        writeln!(table, "{state} | {address} | {admin} | {user} | {stranger}").expect("a string takes it");
    }
}

#[test]
fn nobody_compares_with_what_they_may_not_read() {
    let forge = Forge::shared();
    let (public, private) = (forge.repository(&[]), forge.repository(&["--private"]));
    for path in [&public, &private] {
        forge.shell(path).run(&format!(
            "git init -q work && cd work && git commit -q --allow-empty -m 'In {path}' && git push -q \"$ADMIN\" main"
        ));
    }
    let compared = |actor: Actor, path: &str, other: &str, form: &str| {
        forge.get(actor, &format!("{path}/-/compare/main...{other}:main{form}"))
    };
    for form in ["", ".diff", ".patch"] {
        assert_eq!(compared(Actor::Admin, &public, &private, form).status, 200, "{form}");
        assert_eq!(compared(Actor::Admin, &private, &public, form).status, 200, "{form}");
    }
    let page = compared(Actor::Admin, &public, &private, "").text();
    assert!(page.contains(&format!("In {private}")) && page.contains("no commit in common"), "{page}");
    for actor in [Actor::User, Actor::Stranger] {
        // What is private is as missing as what is not there, from either side.
        let missing = format!("{}x", &private[..private.len() - 1]);
        for form in ["", ".diff", ".patch"] {
            let (hidden, nothing) =
                (compared(actor, &public, &private, form), compared(actor, &public, &missing, form));
            assert_eq!((hidden.status, nothing.status), (404, 404), "{form}");
            let without = |text: String, path: &str| text.replace(path.trim_start_matches("team/"), "");
            assert_eq!(without(hidden.text(), &private), without(nothing.text(), &missing), "{form}");
        }
        assert_eq!(compared(actor, &private, &public, "").status, 404);
        assert_eq!(compared(actor, &public, &public, "").status, 200);
    }
}
