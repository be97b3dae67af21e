//! `admin`: the life of a repository, by command line and by browser.

use crate::kit::{Actor, Browser, Forge};

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
