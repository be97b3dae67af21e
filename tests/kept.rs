//! Pages that `browse` keeps for a moment show what is, and only to those who may see it, from the moment on that
//! anything changes.

use crate::kit::{Actor, Browser, Forge, Shell};
use std::fmt::Write as _;

/// Two branches and a tag.
const HISTORY: &str = "git init -q -b main work && cd work
    echo a > a && git add a && git commit -qm 'The first one' && git branch side && git tag v1
    git push -q \"$ADMIN\" main side v1";

/// Makes the repository on disk an hour old: pages of what was changed just now are not kept.
const AGE: &str = "find \"$SERVED\" -exec touch -h -d '1 hour ago' {} +";

/// The pages that are asked for the most.
const PAGES: [&str; 4] = ["", "/-/commits", "/-/refs", "/-/tree/main"];

struct Site {
    forge: Forge,
    path: String,
    shell: Shell,
    admin: Browser,
}

impl Site {
    fn new() -> Self {
        let forge = Forge::without_budgets();
        let path = forge.repository(&["--description", "What it was"]);
        let shell = forge.shell(&path);
        shell.run(HISTORY);
        let (name, password) = Actor::Admin.login().expect("the admin signs in");
        let admin = Browser::signed_in(&forge, name, password);
        Self { forge, path, shell, admin }
    }

    /// All pages as an actor sees them now, with their statuses.
    fn pages(&self, actor: Actor) -> String {
        let mut all = String::new();
        for page in PAGES {
            let answer = self.forge.get(actor, &format!("{}{page}", self.path));
            writeln!(all, "{} {page} {}", answer.status, answer.text()).expect("memory");
        }
        all
    }

    /// Has every page kept, for all three actors.
    fn warm(&self) {
        self.shell.run(AGE);
        for _ in 0..3 {
            for actor in Actor::ALL {
                self.pages(actor);
            }
        }
    }

    fn settings(&self, fields: &[(&str, &str)]) {
        let answer = self.admin.submit(&format!("/{}/-/settings/", self.path), "settings", fields);
        assert_eq!(answer.status, 303, "{}", answer.text());
    }
}

#[test]
fn what_is_changed_shows_at_once() {
    type Change = fn(&Site);
    let changes: &[(&str, &str, &str, Change)] = &[
        ("description", "What it was", "What it is now", |site| {
            site.settings(&[("description", "What it is now")]);
        }),
        ("settings of the site", "<span>Lithe<", "<span>Granite<", |site| {
            let answer = site.admin.submit("/-/admin/settings", "settings", &[("title", "Granite")]);
            assert_eq!(answer.status, 303, "{}", answer.text());
        }),
        ("push", "The first one", "The second one", |site| {
            site.shell.run(
                "cd work && git commit -q --allow-empty -m 'The second one' && git push -q \"$ADMIN\" main",
            );
        }),
        ("stock git in the store", "The second one", "The third one", |site| {
            site.shell.run(
                "git -C \"$SERVED\" -c user.name=A -c user.email=a@b update-ref refs/heads/main \
                 $(git -C \"$SERVED\" -c user.name=A -c user.email=a@b commit-tree -p main -m 'The third one' main^{tree})",
            );
        }),
        ("names of people", "Alice Author", "Countess", |site| {
            site.shell.run(
                "cd work && git pull -q \"$ADMIN\" main && echo 'Countess <alice@example.org>' > .mailmap && git add . &&
                 git commit -qm 'Call her so' && git push -q \"$ADMIN\" main",
            );
        }),
        ("a branch that is deleted", "side", "1 branch", |site| {
            site.shell.run("git -C \"$SERVED\" branch -q -D side");
        }),
    ];
    let site = Site::new();
    for (name, before, after, change) in changes {
        site.warm();
        for actor in Actor::ALL {
            let shown = site.pages(actor);
            assert!(shown.contains(before) && !shown.contains(after), "{actor:?} before {name}: {shown}");
        }
        change(&site);
        for actor in Actor::ALL {
            let shown = site.pages(actor);
            assert!(shown.contains(after), "{actor:?} after {name}: {shown}");
        }
    }
}

#[test]
fn whoever_may_no_longer_read_a_repository_is_shown_none_of_its_pages() {
    let site = Site::new();
    let statuses = |actor| {
        let of = |page| site.forge.get(actor, &format!("{}{page}", site.path)).status;
        PAGES.map(of)
    };
    let grant = |permission: &str| {
        let page = format!("/{}/-/settings/permissions", site.path);
        let fields = [("kind", "user"), ("name", "bob"), ("permission", permission)];
        let answer = site.admin.submit(&page, "permissions", &fields);
        assert_eq!(answer.status, 303, "{}", answer.text());
    };
    site.warm();
    site.settings(&[("is-private", "true")]);
    assert_eq!(statuses(Actor::Stranger), [404; 4]);
    assert_eq!(statuses(Actor::User), [404; 4]);
    assert_eq!(statuses(Actor::Admin), [200; 4]);
    grant("read");
    site.warm();
    assert_eq!((statuses(Actor::Stranger), statuses(Actor::User)), ([404; 4], [200; 4]));
    let missing = site.forge.get(Actor::Stranger, "team/nothing");
    let hidden = site.forge.get(Actor::Stranger, &site.path);
    let name = site.path.rsplit('/').next().expect("a path has a last segment");
    assert_eq!((hidden.status, hidden.text().replace(name, "nothing")), (missing.status, missing.text()));
    grant("none");
    assert_eq!(statuses(Actor::User), [404; 4]);
    site.warm();
    let renamed = "team/renamed";
    site.forge.lithe(&["repo", "rename", &site.path, renamed]);
    assert_eq!((statuses(Actor::Stranger), statuses(Actor::Admin)), ([404; 4], [307; 4]));
    assert_eq!(site.forge.get(Actor::Admin, renamed).status, 200);
    site.forge.lithe(&["repo", "delete", renamed]);
    assert_eq!(site.forge.get(Actor::Admin, renamed).status, 404);
}

#[test]
fn pages_are_of_whoever_looks_and_of_where_he_looks_from() {
    let site = Site::new();
    site.warm();
    let address = format!("/{}", site.path);
    let (name, password) = Actor::User.login().expect("the user signs in");
    let bob = Browser::signed_in(&site.forge, name, password);
    let again = Browser::signed_in(&site.forge, name, password);
    let secret = |page: &str| page.split("name=\"csrf\" value=\"").nth(1).map(|rest| rest[..20].to_owned());
    for _ in 0..3 {
        let (one, other) = (bob.get(&address).text(), again.get(&address).text());
        let stranger = site.forge.get(Actor::Stranger, &site.path).text();
        assert!(one.contains(name) && other.contains(name) && !stranger.contains(name), "{stranger}");
        assert!(secret(&one).is_some() && secret(&one) != secret(&other) && secret(&stranger).is_none());
    }
    let answer = bob.submit(&address, "/-/logout", &[]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(!bob.get(&address).text().contains(name), "signed out");
    let elsewhere = site.forge.url.replace("127.0.0.1", "localhost");
    let shown = crate::kit::Answer::get(&elsewhere, None, &site.path).text();
    assert!(shown.contains(&format!("{elsewhere}{address}.git")), "{shown}");
    let program = site.forge.get(Actor::Stranger, &format!("{}?format=json", site.path));
    assert_eq!(program.header("content-type"), Some("application/json"));
}

#[test]
fn a_page_that_the_client_has_is_not_sent_again_until_it_is_another() {
    let site = Site::new();
    site.warm();
    let ask = |etag: &str| {
        let headers = [("if-none-match".to_owned(), etag.to_owned())];
        crate::kit::Answer::send("GET", &site.forge.url, &format!("/{}", site.path), &headers, None)
    };
    let etag = ask("\"none\"").header("etag").expect("a page has a tag").to_owned();
    let again = ask(&etag);
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(&*etag)));
    site.settings(&[("description", "Another")]);
    assert_eq!(ask(&etag).status, 200);
}
