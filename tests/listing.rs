//! The start page and the pages of groups: what is listed there, in which order, as a feed, and for whom.

use crate::kit::{Actor, Answer, Browser, Forge, basic};
use std::time::{SystemTime, UNIX_EPOCH};

/// A private repository and three public ones, the last of which was pushed to last.
fn site() -> (Forge, [&'static str; 4]) {
    let forge = Forge::start(&[]);
    let paths = ["team/tools/zebra", "team/apple", "top", "team/tools/secret"];
    for path in &paths[..3] {
        forge.lithe(&["repo", "create", path, "--description", &format!("About {path} & <more>")]);
    }
    forge.lithe(&["repo", "create", paths[3], "--private", "--description", "About nothing"]);
    // Times of changes are whole seconds.
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let created = now();
    while now() == created {
        std::thread::yield_now();
    }
    let push = "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" HEAD:main";
    forge.shell(paths[0]).run(push);
    (forge, paths)
}

fn rows(forge: &Forge, actor: Actor, address: &str) -> Vec<String> {
    let separator = if address.contains('?') { '&' } else { '?' };
    let answer = forge.get(actor, &format!("{address}{separator}format=json"));
    let page: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    let rows = page["rows"].as_array().expect("rows").iter();
    rows.map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn entries_are_filtered_and_put_in_order() {
    let (forge, _) = site();
    let cases: &[(&str, &[&str])] = &[
        ("", &["team", "top"]),
        ("team", &["tools", "apple"]),
        ("?q=zeb", &["team/tools/zebra"]),
        ("?q=about+t", &["team/apple", "team/tools/zebra", "top"]),
        ("team?q=zebra", &["tools/zebra"]),
        ("?q=nothing-is-called-so", &[]),
        ("?sort=name", &["team", "top"]),
        ("?sort=anything", &["team", "top"]),
    ];
    for (address, expected) in cases {
        assert_eq!(rows(&forge, Actor::Stranger, address), *expected, "{address}");
    }
    let by_change = rows(&forge, Actor::Stranger, "?q=about&sort=change");
    assert_eq!((by_change.len(), by_change[0].as_str()), (3, "team/tools/zebra"), "{by_change:?}");
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let browser = Browser::signed_in(&forge, name, password);
    for (path, owner) in [("top", "alice"), ("team/tools/zebra", "bob")] {
        let given = browser.submit(&format!("/{path}/-/settings/"), "settings", &[("owner", owner)]);
        assert_eq!(given.status, 303, "{}", given.text());
    }
    let by_owner = rows(&forge, Actor::Stranger, "?q=about&sort=owner");
    assert_eq!(by_owner, ["top", "team/tools/zebra", "team/apple"]);
    let page = forge.get(Actor::Stranger, "team").text();
    assert!(page.contains("1 group and 1 repository"), "{page}");
}

#[test]
fn nobody_finds_what_they_may_not_read() {
    let (forge, paths) = site();
    let addresses = [
        "",
        "team",
        "team/tools",
        "team/tools?sort=change",
        "?q=secret",
        "?q=nothing",
        "?q=secret&sort=change",
        "team?q=secret&format=json",
        "-/search?q=nothing&format=json",
        "-/feed/repositories.atom",
        "-/feed/repositories.rss",
        "team/-/feed/repositories.atom",
        "team/tools/-/feed/repositories.rss",
        "-/opensearch.xml",
    ];
    for address in addresses {
        for actor in [Actor::User, Actor::Stranger] {
            let answer = forge.get(actor, address);
            assert_eq!(answer.status, 200, "{address}");
            let text = answer
                .text()
                .replace("q=secret", "")
                .replace("q%3Dsecret", "")
                .replace("value=\"secret\"", "");
            assert!(
                !text.contains("secret") && !text.contains("About nothing"),
                "{actor:?} {address}:\n{text}"
            );
        }
    }
    let count = |actor| forge.get(actor, "team/tools").text().contains("2 repositories");
    assert!(count(Actor::Admin) && !count(Actor::User) && !count(Actor::Stranger));
    // What a link to it is shown as elsewhere.
    let card = forge.get(Actor::Stranger, paths[3]);
    assert!(card.status == 404 && !card.text().contains("og:"), "{}", card.text());
}

#[test]
fn what_was_changed_last_is_a_feed() {
    let (forge, paths) = site();
    for (address, first, others) in [
        ("-/feed/repositories.atom", paths[0], vec![paths[1], paths[2]]),
        ("team/-/feed/repositories.rss", paths[0], vec![paths[1]]),
    ] {
        let answer = forge.get(Actor::Stranger, address);
        let text = answer.text();
        assert_eq!(answer.status, 200, "{text}");
        let position = |path: &str| {
            text.find(&format!("<title>{path}</title>")).unwrap_or_else(|| panic!("{path}: {text}"))
        };
        assert!(others.iter().all(|other| position(first) < position(other)), "{text}");
        let tag = answer.header("etag").expect("a tag").to_owned();
        let again = Answer::send("GET", &forge.url, address, &[("if-none-match".to_owned(), tag)], None);
        assert_eq!(again.status, 304, "{address}");
    }
    let (name, _) = Actor::Admin.login().expect("the admin signs in");
    let reply = forge.lithe(&["token", "create", name, "--json"]);
    let reply: serde_json::Value = serde_json::from_str(&reply).expect("JSON");
    let headers = [("authorization".to_owned(), basic(name, reply["secret"].as_str().expect("a secret")))];
    let answer = Answer::send("GET", &forge.url, "-/feed/repositories.atom", &headers, None);
    assert!(answer.text().contains("<title>team/tools/secret</title>"), "{}", answer.text());
    for address in ["-/feed/repositories", "-/feed/main.atom", "team/-/feed/tags.atom", "-/feed/"] {
        assert_eq!(forge.get(Actor::Stranger, address).status, 404, "{address}");
    }
}

#[test]
fn pages_say_what_they_are_to_browsers_and_to_those_who_link_to_them() {
    let (forge, paths) = site();
    let description = forge.get(Actor::Stranger, "-/opensearch.xml");
    let template = format!("template=\"{}/-/search?q={{searchTerms}}\"", forge.url);
    assert!(description.text().contains(&template), "{}", description.text());
    let page = forge.get(Actor::Stranger, paths[0]).text();
    for expected in [
        "<link rel=\"search\" type=\"application/opensearchdescription+xml\"",
        "<meta property=\"og:title\" content=\"team/tools/zebra\">",
        "<meta property=\"og:description\" content=\"About team/tools/zebra &#38; &#60;more&#62;\">",
        "<form action=\"/\" method=\"get\" data-switch>",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
}
