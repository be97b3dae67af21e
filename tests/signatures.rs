//! Signatures: keys that people give on their account pages, and what then is said of what they sign.

use crate::kit::{Actor, Answer, Browser, Forge, Shell};

/// A server, a repository, and a clone of it in `work` with an SSH key beside it.
struct Place {
    forge: Forge,
    path: String,
    shell: Shell,
}

const KEYS: &str = "/-/account/keys";

impl Place {
    fn new() -> Self {
        let forge = Forge::start(&[]);
        let path = forge.repository(&[]);
        let shell = forge.shell(&path);
        shell.run(
            "git init -q work && cd work && git commit -q --allow-empty -m Root && git push -q \"$ADMIN\" main
             mkdir -m 700 ~/gnupg && git config gpg.program ~/gpg
             printf '#!/bin/sh\\nexec gpg --homedir ~/gnupg --batch --quiet --no-tty \"$@\"\\n' > ~/gpg && chmod +x ~/gpg
             ssh-keygen -q -t ed25519 -N '' -f ~/key && git config user.signingKey ~/key.pub && git config gpg.format ssh",
        );
        let place = Self { forge, path, shell };
        // The committer of everything here is carl@example.org.
        let saved =
            place.browser(Actor::Admin).submit("/-/account", "account", &[("email", "Carl@Example.org")]);
        assert_eq!(saved.status, 303, "{}", saved.text());
        place
    }

    fn browser(&self, actor: Actor) -> Browser {
        let (name, password) = actor.login().expect("the actor signs in");
        Browser::signed_in(&self.forge, name, password)
    }

    fn add_key(&self, actor: Actor, key: &str) -> Answer {
        self.browser(actor).submit(KEYS, "keys", &[("do", "add"), ("title", "laptop"), ("public-key", key)])
    }

    /// Takes the first key of the actor away.
    fn remove_key(&self, actor: Actor) {
        let removed = self.browser(actor).submit(KEYS, "keys", &[("do", "remove")]);
        assert_eq!(removed.header("location"), Some("/-/account/keys?done=key-removed"));
    }

    fn ssh_key(&self) -> String {
        self.shell.run("cat ~/key.pub")
    }

    /// Makes an OpenPGP key and signs with it from then on; returns it.
    fn openpgp_key(&self) -> String {
        self.shell.run(
            "~/gpg --passphrase '' --quick-gen-key 'Carl <carl@example.org>' ed25519 sign never
             cd work && git config gpg.format openpgp && git config user.signingKey carl@example.org
             ~/gpg --armor --export",
        )
    }

    /// What the page of the commit at `HEAD` says of its signature to a stranger.
    fn badge(&self) -> String {
        let id = self.shell.run("git -C work rev-parse HEAD");
        let page = self.forge.get(Actor::Stranger, &format!("/{}/-/commit/{id}", self.path));
        let text = page.text();
        let found = text.split("<dt>Signature</dt>").nth(1).and_then(|rest| rest.split("</dd>").next());
        let found =
            found.and_then(|rest| rest.split_once("\">")).map(|(_, rest)| rest.replace("</span>", ":"));
        found.unwrap_or_default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The agent that `gpg` started.
        self.shell.run("gpgconf --homedir ~/gnupg --kill gpg-agent");
    }
}

#[test]
fn the_page_of_a_commit_says_whose_its_signature_is() {
    let place = Place::new();
    let commit = "cd work && git commit -q -S --allow-empty -m Signed && git push -q \"$ADMIN\" main";
    assert_eq!(place.badge(), "", "the first one is not signed");
    place.shell.run(commit);
    assert!(place.badge().starts_with("Unverified: Signed with the key SHA256:"), "{}", place.badge());
    assert_eq!(place.add_key(Actor::Admin, &place.ssh_key()).status, 303);
    assert!(place.badge().starts_with("Verified: Signed with alice’s key SHA256:"), "{}", place.badge());
    place.remove_key(Actor::Admin);
    assert_eq!(place.add_key(Actor::User, &place.ssh_key()).status, 303);
    assert!(place.badge().starts_with("Other account: Signed with bob’s key"), "{}", place.badge());

    let key = place.openpgp_key();
    place.shell.run(commit);
    assert!(place.badge().starts_with("Unverified: Signed with the key "), "{}", place.badge());
    assert_eq!(place.add_key(Actor::Admin, &key).status, 303);
    assert!(place.badge().starts_with("Verified: Signed with alice’s key "), "{}", place.badge());
    // A commit that says something else than what was signed.
    place.shell.run(
        "cd work && git cat-file commit HEAD | sed 's/^Signed$/Forged/' > forged
         git reset -q --hard $(git hash-object -t commit -w forged) && git push -q \"$ADMIN\" +HEAD:main",
    );
    assert!(
        place.badge().starts_with("Wrong: It was not made of this commit with alice’s key"),
        "{}",
        place.badge()
    );
}

#[test]
fn branches_and_tags_want_verified_signatures() {
    let place = Place::new();
    for kind in ["branches", "tags"] {
        let everybody = ["create", "advance", "force", "delete"].map(|what| (what, "writers"));
        let rule = [("do", "protect"), ("kind", kind), ("pattern", "*"), ("signing", "verified")];
        let page = format!("/{}/-/settings/pushes", place.path);
        let fields = [&rule[..], &everybody].concat();
        assert_eq!(place.browser(Actor::Admin).submit(&page, "pushes", &fields).status, 303);
    }
    let push = |script: &str| format!("cd work && {script} && git push \"$ADMIN\" +HEAD:main 2>&1");
    let refused = |script: &str, words: &[&str]| {
        let said = place.shell.fails(&push(script));
        for word in words {
            assert!(said.contains(word), "{word:?} is missing:\n{said}");
        }
    };
    let wanted = "wants every commit signed by an account's key, and 1 is not)";
    refused("git commit -q --allow-empty -m Unsigned", &["remote: commit ", " is not signed", wanted]);
    let signed = "git reset -q --hard $(git rev-list --max-parents=0 HEAD) && git commit -q -S --allow-empty -m Signed";
    refused(signed, &["is signed by the key SHA256:", "which no account has", wanted]);
    assert_eq!(place.add_key(Actor::User, &place.ssh_key()).status, 303);
    refused("true", &["is signed by bob, whose account does not have the address in it", wanted]);
    place.remove_key(Actor::User);
    assert_eq!(place.add_key(Actor::Admin, &place.ssh_key()).status, 303);
    place.shell.run(&push("true"));
    refused(
        "git cat-file commit HEAD | sed 's/^Signed$/Forged/' > forged && git reset -q --hard $(git hash-object -t commit -w forged)",
        &["has a signature that alice's key SHA256:", wanted],
    );
    place.shell.run("cd work && git reset -q --hard HEAD~1 && git tag -s -m T v1 && git tag -a -m T v2");
    let said = place.shell.fails("cd work && git push \"$ADMIN\" v1 v2");
    assert!(
        said.contains("[new tag]") && said.contains("v2 (") && said.contains("this one is not signed)"),
        "{said}"
    );
    let said = place.shell.fails("cd work && git tag light HEAD && git push \"$ADMIN\" light");
    assert!(said.contains("this one is not annotated)"), "a signed commit makes no signed tag: {said}");
    place.shell.run("git -C \"$SERVED\" fsck --full --strict");
}

#[test]
fn a_key_belongs_to_one_account_and_private_ones_are_sent_back() {
    let place = Place::new();
    assert_eq!(place.add_key(Actor::Admin, &place.ssh_key()).status, 303);
    let taken = place.add_key(Actor::User, &place.ssh_key());
    assert!(taken.status == 409 && taken.text().contains("Another account has this key"), "{}", taken.text());
    let private = place.add_key(Actor::User, &place.shell.run("cat ~/key"));
    assert!(private.status == 400 && private.text().contains("This is a private key"), "{}", private.text());
    assert!(!private.text().contains("BEGIN OPENSSH PRIVATE KEY"), "it is not shown again");
    let page = "/-/admin/users/alice";
    assert!(place.browser(Actor::Admin).get(page).text().contains("SHA256:"));
    let journal = place.browser(Actor::Admin).get("/-/admin/journal?q=user.key-add").text();
    assert!(journal.contains("ED25519 SHA256:"), "{journal}");
}
