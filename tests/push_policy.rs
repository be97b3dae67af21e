//! `push-policy`: rules for pushes, set in the browser and met by the real `git`; and policies of a
//! site's own in its place.

use crate::kit::{Actor, Browser, Forge, Shell, root};
use std::path::PathBuf;

/// A server, a repository that bob may write to, and a shell with a clone of it in `work`.
struct Place {
    forge: Forge,
    path: String,
    shell: Shell,
}

impl Place {
    fn new() -> Self {
        Self::on(Forge::start(&[]))
    }

    /// With another component in the place of `push-policy`.
    fn with(policy: &str) -> Self {
        Self::on(Forge::start(&["--swap", &format!("push-policy={}", guest(policy).display())]))
    }

    fn on(forge: Forge) -> Self {
        let path = forge.repository(&[]);
        let shell = forge.shell(&path);
        let place = Self { forge, path, shell };
        let given = place.alice().submit(
            &format!("/{}/-/settings/permissions", place.path),
            "permissions",
            &[("kind", "user"), ("name", "bob"), ("permission", "write")],
        );
        assert_eq!(given.status, 303, "{}", given.text());
        place.shell.run(
            "git init -q work && cd work && git commit -q --allow-empty -m Root && git push -q \"$ADMIN\" main",
        );
        place
    }

    fn alice(&self) -> Browser {
        let (name, password) = Actor::Admin.login().expect("the admin signs in");
        Browser::signed_in(&self.forge, name, password)
    }

    /// Protects refs of the repository, or of the group that it is in.
    #[track_caller]
    fn protect(&self, place: &str, fields: &[(&str, &str)]) {
        self.set(place, &[&[("do", "protect")], fields].concat());
    }

    /// Sets what every push is checked for.
    #[track_caller]
    fn check(&self, fields: &[(&str, &str)]) {
        self.set(&self.path, &[&[("do", "check")], fields].concat());
    }

    #[track_caller]
    fn set(&self, place: &str, fields: &[(&str, &str)]) {
        let answer = self.alice().submit(&format!("/{place}/-/settings/pushes"), "pushes", fields);
        assert_eq!(answer.status, 303, "{}", answer.text());
    }

    /// Runs a script in `work` that ends with a push; returns what is said where that is refused.
    #[track_caller]
    fn refused(&self, script: &str) -> String {
        self.shell.fails(&format!("cd work && {script}"))
    }

    #[track_caller]
    fn accepted(&self, script: &str) -> String {
        self.shell.run(&format!("cd work && {script} 2>&1"))
    }

    fn refs(&self) -> String {
        self.shell.run("git -C \"$SERVED\" for-each-ref --format='%(refname)'")
    }

    /// Whatever was refused, the repository is sound and nothing of it is left.
    fn assert_clean(&self) {
        self.shell.run("git -C \"$SERVED\" fsck --full --strict");
        assert_eq!(self.shell.run("find \"$SERVED\" -name 'tmp_*' -o -name '*.lock' -o -name '*.keep'"), "");
    }
}

/// A component of the tests' own.
fn guest(name: &str) -> PathBuf {
    root().join(format!("target/guests/{name}.wasm"))
}

#[track_caller]
fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is missing:\n{said}");
    }
}

/// Protects a branch of a repository that the shell has in `work`, and meets the rule.
#[track_caller]
pub fn assert_protects(forge: &Forge, path: &str, shell: &Shell) {
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let alice = Browser::signed_in(forge, name, password);
    let rule = [("do", "protect"), ("pattern", "kept")];
    assert_eq!(alice.submit(&format!("/{path}/-/settings/pushes"), "pushes", &rule).status, 303);
    shell.run("cd work && git push -q \"$ADMIN\" main:kept");
    let said = shell.fails("cd work && git push \"$ADMIN\" :kept");
    assert_says(&said, &["nobody may delete it"]);
}

#[test]
fn branches_are_protected_by_pattern() {
    let place = Place::new();
    let rule = [("pattern", "rel*"), ("create", "administrators"), ("force", "administrators")];
    place.protect(
        &place.path,
        &[&rule[..], &[("advance", "named"), ("users", "bob"), ("delete", "nobody")]].concat(),
    );
    let said = place.refused("git push \"$USER\" main:release/1");
    let reason = format!("(protected by {}: only administrators may create it)", place.path);
    assert_says(&said, &["! [remote rejected]", "main -> release/1", &reason]);
    place.accepted("git push -q \"$ADMIN\" main:release/1 && git push -q \"$USER\" main:other");
    place.accepted("git commit -q --allow-empty -m Next && git push -q \"$USER\" main:release/1");
    let said = place.refused("git push -f \"$USER\" HEAD~1:release/1");
    assert_says(&said, &["only administrators may force it"]);
    let said = place.refused("git push \"$ADMIN\" :release/1");
    assert_says(&said, &["nobody may delete it"]);
    // Of several refs, those that may change do, unless the push is atomic.
    let both = "\"$USER\" main:new :release/1";
    assert_says(&place.refused(&format!("git push --atomic {both}")), &["atomic push failure"]);
    assert_says(&place.refused(&format!("git push {both}")), &["[new branch]", "nobody may delete it"]);
    assert_eq!(place.refs(), "refs/heads/main\nrefs/heads/new\nrefs/heads/other\nrefs/heads/release/1");
    place.accepted("git push -qf \"$ADMIN\" HEAD~1:release/1");
    place.assert_clean();
}

#[test]
fn tags_are_protected_and_groups_rule_over_what_is_in_them() {
    let place = Place::new();
    place.protect("team", &[("kind", "tags"), ("pattern", "v*"), ("force", "nobody"), ("delete", "nobody")]);
    place.accepted("git push -q \"$USER\" main:refs/tags/v1");
    place.accepted("git commit -q --allow-empty -m Next && git push -q \"$USER\" main");
    assert_says(
        &place.refused("git push -f \"$ADMIN\" main:refs/tags/v1"),
        &["protected by team: nobody may move it"],
    );
    assert_says(
        &place.refused("git push \"$ADMIN\" :refs/tags/v1"),
        &["protected by team: nobody may delete it"],
    );
    place.accepted("git push -q \"$USER\" main:refs/heads/v1 && git push -q \"$USER\" :refs/heads/v1");
    let page = place.alice().get(&format!("/{}/-/settings/pushes", place.path)).text();
    assert!(page.contains("<code>v*</code>") && page.contains("/team/-/settings/pushes"), "{page}");
    let fields = [("do", "unprotect"), ("kind", "tags"), ("pattern", "v*")];
    place.set("team", &fields);
    place.accepted("git push -qf \"$USER\" main:refs/tags/v1");
}

#[test]
fn commits_have_to_be_signed() {
    let place = Place::new();
    place.protect(&place.path, &[("pattern", "main"), ("signing", "signed")]);
    let said = place.refused("git commit -q --allow-empty -m Unsigned && git push \"$USER\" main");
    assert_says(&said, &["wants every commit signed, and 1 is not)", "remote: commit ", " is not signed"]);
    place.accepted("git push -q \"$USER\" main:elsewhere");
    place.accepted(
        "git reset -q --hard HEAD~1 && ssh-keygen -q -t ed25519 -N '' -f ../key && git config gpg.format ssh
         git config user.signingKey \"$(realpath ../key.pub)\" && git commit -q -S --allow-empty -m Signed && git push -q \"$USER\" main",
    );
    place.assert_clean();
}

#[test]
fn sizes_are_limited() {
    let place = Place::new();
    place.check(&[("file-bytes-max", "1 KiB")]);
    place.accepted(
        "head -c 1024 /dev/zero > at && git add . && git commit -qm At && git push -q \"$USER\" main",
    );
    let said = place.refused(
        "head -c 1025 /dev/zero > past && git add . && git commit -qm Past && git push \"$USER\" main",
    );
    assert_says(
        &said,
        &["`past` has 1025 bytes, and 1024 are allowed", &format!("({}: a file is too large)", place.path)],
    );
    // What is taken back later was still there.
    assert_says(
        &place.refused("git rm -q past && git commit -qm Less && git push \"$USER\" main"),
        &["a file is too large"],
    );
    place.shell.run("git -C work reset -q --hard HEAD~2");
    place.check(&[("pack-bytes-max", "4 KiB")]);
    place.accepted(
        "head -c 3000 /dev/urandom > a && git add . && git commit -qm A && git push -q \"$USER\" main",
    );
    let said = place
        .refused("head -c 5000 /dev/urandom > b && git add . && git commit -qm B && git push \"$USER\" main");
    assert_says(&said, &["bytes, and 4096 are allowed"]);
    place.check(&[("repository-bytes-max", "6 KiB")]);
    assert_says(
        &place.refused("git push \"$USER\" main"),
        &["the repository would have", "and 6144 are allowed"],
    );
    place.accepted("git push -q \"$USER\" HEAD~1:refs/heads/small");
    place.check(&[("refs-max", "3")]);
    place.accepted("git push -q \"$USER\" HEAD~1:refs/heads/third");
    let said = place.refused("git push \"$USER\" HEAD~1:refs/heads/fourth");
    assert_says(&said, &["the repository would have 4 refs, and 3 are allowed"]);
    place.accepted("git push -q \"$USER\" :third HEAD~1:refs/heads/fourth");
    place.assert_clean();
}

#[test]
fn paths_messages_and_authors_are_checked() {
    let place = Place::new();
    place.check(&[("forbidden-paths", "*.key\r\n/vendor/")]);
    for path in ["a/b.key", "vendor/c"] {
        let said = place.refused(&format!(
            "mkdir -p $(dirname {path}) && echo x > {path} && git add . && git commit -qm X && git push \"$USER\" main"
        ));
        assert_says(&said, &[&format!("`{path}` is forbidden by"), "a path is forbidden)"]);
        place.shell.run("git -C work reset -q --hard HEAD~1");
    }
    place.accepted("mkdir -p x/vendor && echo x > x/vendor/c && git add . && git commit -qm X && git push -q \"$USER\" main");
    place.check(&[("message-required", "^[A-Z]+-[0-9]+: "), ("message-forbidden", "(?i)wip")]);
    for message in ["No number", "AB-1: wip"] {
        let said =
            place.refused(&format!("git commit -q --allow-empty -m '{message}' && git push \"$USER\" main"));
        assert_says(&said, &["a commit message is not as it has to be)", "remote: commit "]);
        place.shell.run("git -C work reset -q --hard HEAD~1");
    }
    place.accepted("git commit -q --allow-empty -m 'AB-1: Done' && git push -q \"$USER\" main");
    place.check(&[("known-authors", "true")]);
    let said = place.refused("git commit -q --allow-empty -m X && git push \"$USER\" main");
    assert_says(
        &said,
        &["no account has the author's address alice@example.org", "an author is not known here)"],
    );
    let account = [("full-name", ""), ("email", "Alice@Example.org")];
    let saved = place.alice().submit("/-/account", "account", &account);
    assert_eq!(saved.status, 303, "{}", saved.text());
    place.accepted("git push -q \"$USER\" main");
    place.assert_clean();
}

#[test]
fn what_is_no_rule_is_refused_on_the_page() {
    let place = Place::new();
    let page = format!("/{}/-/settings/pushes", place.path);
    let alice = place.alice();
    for (fields, words) in [
        (&[("do", "protect"), ("pattern", "a b")][..], "cannot have a name like this"),
        (&[("do", "protect"), ("pattern", "main"), ("users", "nobody-there")], "There is no user"),
        (&[("do", "check"), ("file-bytes-max", "big")], "A size is a number of bytes"),
        (&[("do", "check"), ("message-required", "(")], "The regular expression is malformed"),
        (&[("do", "check"), ("forbidden-paths", "../x")], "a path has no empty part"),
    ] {
        let answer = alice.submit(&page, "pushes", fields);
        assert_eq!(answer.status, 400, "{fields:?}");
        let text = answer.text();
        assert!(text.contains(words) && text.contains("aria-invalid"), "{fields:?}: {text}");
    }
    let (name, password) = Actor::User.login().expect("the user signs in");
    let bob = Browser::signed_in(&place.forge, name, password);
    assert_eq!(bob.get(&page).status, 403, "who may write may not say what others have to keep to");
}

#[test]
fn a_policy_that_fails_refuses_the_push_and_says_so() {
    let place = Place::with("policy_hostile");
    let push = |option: &str| {
        format!("git commit -q --allow-empty -m X && git push --push-option={option} \"$USER\" main")
    };
    for (option, words) in [
        ("trap", "(the push policy gave no verdict: the component `push-policy` failed)"),
        ("memory", "(the push policy gave no verdict: the component `push-policy` failed)"),
        ("error", "(the push policy gave no verdict: there is nobody to ask)"),
        ("nonsense", "(the push policy makes no sense: it refuses `refs/heads/other`, which is not pushed)"),
        ("silent", "(refused by the push policy)"),
        ("cursor", "(a [2Jb)"),
        ("write", "(written: false)"),
    ] {
        assert_says(&place.refused(&push(option)), &["! [remote rejected] main -> main", words]);
        place.assert_clean();
    }
    let said = place.accepted(&push("told"));
    assert_says(
        &said,
        &[
            "remote: bob Permission::Write [\"refs/heads/main\"]",
            "remote: change Change::Advance",
            "objects, sized true",
            "remote: repository sized true, readable true",
            "remote: known []",
            "remote: signatures 0",
        ],
    );
    std::fs::write(place.forge.directory(&place.path).join("no-prepare"), "").expect("written");
    assert_says(
        &place.refused(&push("fine")),
        &["the push policy gave no verdict: the component `push-policy` failed"],
    );
}

#[test]
fn a_policy_that_loops_is_ended() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let text = std::fs::read_to_string(root().join("spin.toml")).expect("spin.toml is there");
    let mut manifest: toml::Table = text.parse().expect("spin.toml is TOML");
    let components = manifest["component"].as_table_mut().expect("there are components");
    for (name, component) in components.iter_mut() {
        let source = match name.as_str() {
            "push-policy" => guest("policy_hostile"),
            name => root().join(format!("target/components/{name}.wasm")),
        };
        component["source"] = source.to_str().expect("text").into();
    }
    components["push-policy"]["tool"]["lithe"]["request-seconds-max"] = 1.into();
    let file = directory.path().join("spin.toml");
    std::fs::write(&file, manifest.to_string()).expect("the directory is writable");
    let place = Place::on(Forge::start(&["--manifest", file.to_str().expect("text")]));
    let said =
        place.refused("git commit -q --allow-empty -m X && git push --push-option=loop \"$USER\" main");
    assert_says(
        &said,
        &["(the push policy gave no verdict: the component `push-policy` took longer than 1 s)"],
    );
    place.accepted("git push -q \"$USER\" main");
    place.assert_clean();
}

/// The two policies of `examples/push-policy` do the same.
#[track_caller]
fn assert_example(policy: &str) {
    let place = Place::with(policy);
    let said = place.refused("git push \"$USER\" main:topic main:bob/topic");
    assert_says(
        &said,
        &[
            "remote: Hello bob: refs/heads/topic is not below bob/.",
            "main -> topic (push to bob/… instead)",
            "main -> bob/topic",
        ],
    );
    place.accepted("git push -q \"$ADMIN\" main:topic");
    let frozen = place.forge.directory(&place.path).join("frozen");
    std::fs::write(&frozen, "until Monday\n").expect("written");
    assert_says(&place.refused("git push \"$ADMIN\" main:late"), &["(frozen: until Monday)"]);
    std::fs::remove_file(frozen).expect("removed");
    place.accepted("git push -q \"$ADMIN\" main:late");
    assert_eq!(place.refs(), "refs/heads/bob/topic\nrefs/heads/late\nrefs/heads/main\nrefs/heads/topic");
    place.assert_clean();
}

#[test]
fn a_site_writes_its_policy_in_rust() {
    assert_example("policy_rust");
}

#[test]
fn a_site_writes_its_policy_in_python() {
    assert_example("policy_python");
}

#[test]
fn the_readme_shows_the_examples_as_they_are() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).expect("it is there");
    let readme = read("README.md");
    for (language, file) in [("rust", "rust/src/lib.rs"), ("python", "python/app.py")] {
        let text = read(&format!("examples/push-policy/{file}"));
        assert!(readme.contains(&format!("```{language}\n{text}```\n")), "{file}");
    }
}
