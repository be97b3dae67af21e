//! Issues in messages: how they are called is set in the browser, and messages lead to them.

use crate::kit::{Actor, Browser, Forge};

fn signed_in(forge: &Forge, actor: Actor) -> Browser {
    let (name, password) = actor.login().expect("they sign in");
    Browser::signed_in(forge, name, password)
}

#[test]
fn messages_lead_to_issues_by_the_settings_of_a_repository_and_its_groups() {
    let forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        "git init -q work && cd work && echo x > file && git add file && \
         git commit -q -m 'Fix #12 and ABC-7' -m 'Closes #13; not a#14.' && git push -q \"$ADMIN\" main",
    );
    let id = shell.run("git -C work rev-parse main");
    let pages = ["/-/commits/main", "/-/commits/main?graph=1", "/-/tree/main", "/-/blame/main/file", ""];
    let stranger = |page: &str| forge.get(Actor::Stranger, &format!("{path}{page}")).text();
    let issue =
        |href: &str, words: &str| format!("<a href=\"{href}\" rel=\"nofollow noreferrer\">{words}</a>");
    let (number, key) = (issue("/t/12", "#12"), issue(&format!("https://t.example/{path}/ABC-7"), "ABC-7"));
    for page in pages {
        assert!(!stranger(page).contains(&number), "{page}");
    }

    let alice = signed_in(&forge, Actor::Admin);
    let set = |place: &str, fields: &[(&str, &str)]| {
        alice.submit(&format!("/{place}/-/settings/issues"), "settings/issues", fields)
    };
    let own = [("pattern-1", r"#(\d+)"), ("address-1", "/t/{id}")];
    assert_eq!(set(&path, &own).status, 303);
    let (group, _) = path.split_once('/').expect("it is in a group");
    let inherited = [("pattern-2", "[A-Z]+-[0-9]+"), ("address-2", "https://t.example/{repo}/{id}")];
    assert_eq!(set(group, &inherited).status, 303);
    for page in pages {
        let page_text = stranger(page);
        assert!(page_text.contains(&number) && page_text.contains(&key), "{page}: {page_text}");
    }
    let commit = stranger(&format!("/-/commit/{id}"));
    assert!(commit.contains(&number) && commit.contains(&issue("/t/13", "#13")), "{commit}");
    assert!(commit.contains("not a#14."), "{commit}");
    let settings = alice.get(&format!("/{path}/-/settings/issues")).text();
    assert!(settings.contains("[A-Z]+-[0-9]+") && settings.contains(&format!("/{group}/-/settings/issues")));

    // What is refused is said in words, and nothing has changed.
    for (pattern, address, words) in [
        ("(", "/t/{id}", "the pattern cannot be used"),
        ("a*", "/t/{id}", "matches where there is nothing"),
        ("#x", "javascript:alert({id})", "begins with https://"),
        ("#x", "//evil.example/{id}", "begins with https://"),
        ("#x", "https://t.example/{name}", "no group of the name"),
    ] {
        let refused = set(&path, &[("pattern-1", pattern), ("address-1", address)]);
        assert_eq!(refused.status, 400, "{}", refused.text());
        let text = refused.text();
        assert!(text.contains(words) && text.contains("role=\"alert\""), "{words}: {text}");
    }
    assert!(stranger("/-/commits/main").contains(&number));

    // Only who may administer the place sets its links.
    assert_eq!(signed_in(&forge, Actor::User).get(&format!("/{path}/-/settings/issues")).status, 403);
    assert_eq!(forge.get(Actor::Stranger, &format!("{path}/-/settings/issues")).status, 303);
    assert_eq!(set(&path, &[("pattern-1", ""), ("address-1", "")]).status, 303);
    assert!(!stranger("/-/commits/main").contains(&number));
}
