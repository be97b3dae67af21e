//! `admin`: the life of a repository, by command line and by browser.

use crate::kit::{Actor, Answer, Browser, Forge};

const PUSH: &str =
    "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main";

/// The permanent number of a repository.
fn id(forge: &Forge, path: &str) -> u64 {
    let listed: serde_json::Value =
        serde_json::from_str(&forge.lithe(&["repo", "list", "--json"])).expect("JSON");
    let repositories = listed["repositories"].as_array().expect("repositories");
    let found = repositories.iter().find(|repository| repository["path"] == path).expect("it is listed");
    found["id"].as_u64().expect("a number")
}

#[test]
fn the_permanent_address_survives_a_rename() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let mut shell = forge.shell(&path);
    shell.run(PUSH);
    let id = id(forge, &path);
    shell.set("PERMANENT", &forge.address(Actor::Stranger, &format!("_{id}.git")));
    let moved = format!("elsewhere/deeper/renamed{id}");
    forge.lithe(&["repo", "rename", &path, &moved]);
    shell.run("git clone -q \"$PERMANENT\" by-id && git clone -q \"$STRANGER\" by-former-path");
    assert!(forge.directory(&moved).join("HEAD").is_file() && !forge.directory(&path).exists());
    assert_eq!(forge.get(Actor::Stranger, &path).header("location"), Some(format!("/{moved}").as_str()));
    assert_eq!(
        forge.get(Actor::Stranger, &format!("_{id}")).header("location"),
        Some(format!("/{moved}").as_str())
    );
}

#[test]
fn a_deleted_repository_can_be_restored() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(PUSH);
    let id = id(forge, &path);
    forge.lithe(&["repo", "delete", &path]);
    assert_eq!(forge.get(Actor::Admin, &path).status, 404);
    shell.fails("git clone -q \"$ADMIN\" gone");
    assert!(!forge.directory(&path).exists());
    forge.lithe(&["repo", "restore", &id.to_string()]);
    shell.run("git clone -q \"$STRANGER\" back && git -C back log -1 --format=%s");
}

#[test]
fn repositories_are_imported_scanned_and_checked() {
    let forge = Forge::shared();
    let shell = forge.shell(&forge.repository(&[]));
    shell.run(PUSH);
    shell.run("git clone -q --bare work local.git && printf '#!/bin/sh\\ntouch owned\\n' > local.git/hooks/post-update");
    let local = shell.path().join("local.git");
    forge.lithe(&["repo", "import", local.to_str().expect("text"), "imported/demo"]);
    assert!(!forge.directory("imported/demo").join("hooks/post-update").exists());
    assert_eq!(forge.get(Actor::Stranger, "imported/demo").status, 200);
    shell.run(&format!("cp -r local.git {}", forge.directory("imported/dropped").display()));
    assert_eq!(forge.get(Actor::Admin, "imported/dropped").status, 404);
    forge.lithe(&["repo", "scan"]);
    assert_eq!(forge.get(Actor::Admin, "imported/dropped").status, 200);
    assert_eq!(
        forge.get(Actor::Stranger, "imported/dropped").status,
        404,
        "what is found is private at first"
    );
    forge.lithe(&["repo", "check", "imported/demo"]);
    shell.run(&format!("rm -rf {}/objects/??", forge.directory("imported/dropped").display()));
    let (code, said) = forge.try_lithe(&["repo", "check", "imported/dropped"]);
    assert!(code == Some(1) && said.contains("missing"), "{code:?} {said}");
}

#[test]
fn a_repository_is_created_in_the_browser() {
    let forge = Forge::shared();
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let browser = Browser::signed_in(forge, name, password);
    let fields = [("path", "browser/made"), ("description", "Made <b>by hand</b>")];
    let answer = browser.submit("/-/new/repository", "new/repository", &fields);
    assert_eq!(answer.header("location"), Some("/browser/made"), "{}", answer.text());
    let page = browser.get("/browser/made").text();
    assert!(page.contains("git push") && page.contains("Made &#60;b&#62;"), "{page}");
    forge.shell("browser/made").run(PUSH);
    let journal = browser.get("/-/admin/journal").text();
    assert!(journal.contains("browser/made") && journal.contains("push"), "{journal}");
    let again = browser.submit("/-/new/repository", "new/repository", &fields);
    assert_eq!(again.status, 409, "{}", again.text());
}

#[test]
fn administration_does_not_exist_for_others() {
    let forge = Forge::shared();
    for page in ["-/admin/", "-/admin/users", "-/admin/settings", "-/admin/operator", "-/admin/nothing"] {
        assert_eq!(forge.get(Actor::User, page).status, 404, "{page}");
        assert_ne!(forge.get(Actor::Stranger, page).status, 200, "{page}");
    }
}

#[test]
fn owners_restore_what_they_deleted() {
    let forge = Forge::start(&[]);
    let path = forge.repository(&["--private"]);
    let shell = forge.shell(&path);
    shell.run(PUSH);
    let id = id(&forge, &path).to_string();
    let signed_in = |actor: Actor| {
        let (name, password) = actor.login().expect("they sign in");
        Browser::signed_in(&forge, name, password)
    };
    let (admin, owner) = (signed_in(Actor::Admin), signed_in(Actor::User));
    let settings = format!("/{path}/-/settings/");
    let given = admin.submit(&settings, "settings", &[("owner", "bob"), ("is-private", "true")]);
    assert_eq!(given.status, 303, "{}", given.text());
    let deleted = owner.submit(&settings, "settings", &[("do", "delete"), ("confirm", &path)]);
    assert_eq!(deleted.status, 303, "{}", deleted.text());

    let other = "somebody-else-altogether";
    forge.lithe_with_input(&["user", "add", "carol", "--password-stdin"], other);
    let other = Browser::signed_in(&forge, "carol", other);
    assert_eq!(forge.get(Actor::Stranger, "-/deleted").status, 303);
    assert!(!other.get("/-/deleted").text().contains(&path));
    let listed = owner.get("/-/deleted").text();
    assert!(listed.contains(&path) && listed.contains("ends <time"), "{listed}");
    for id in [id.as_str(), "9999"] {
        let form = [("id".to_owned(), id.to_owned()), ("csrf".to_owned(), secret(&other))];
        assert_eq!(other.post("/-/deleted", &form).status, 404, "{id}");
    }
    let form = [("id".to_owned(), id.clone())];
    assert_eq!(owner.post("/-/deleted", &form).status, 403, "without the session's secret");

    let restored = owner.submit("/-/deleted", "deleted", &[]);
    assert_eq!(restored.header("location"), Some(format!("/{path}").as_str()), "{}", restored.text());
    shell.run("git clone -q \"$USER\" back && git -C back log -1 --format=%s");
    assert_eq!(forge.get(Actor::Stranger, &path).status, 404, "it is as private as before");
    assert!(!owner.get("/-/deleted").text().contains(&path));
}

/// The secret of a session's forms.
fn secret(browser: &Browser) -> String {
    let page = browser.get("/-/account").text();
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
    rest.split('"').next().expect("split yields something").to_owned()
}

#[test]
fn an_access_token_administers_nothing() {
    let forge = Forge::shared();
    let reply = forge.lithe(&["token", "create", "alice", "--write", "--json"]);
    let reply: serde_json::Value = serde_json::from_str(&reply).expect("JSON");
    let token = reply["secret"].as_str().expect("a secret");
    let path = forge.repository(&[]);
    for page in ["-/admin/", "-/admin/users/bob", "-/admin/settings", &format!("{path}/-/settings")] {
        assert_eq!(Answer::get(&forge.url, Some(("alice", token)), page).status, 403, "{page}");
    }
}
