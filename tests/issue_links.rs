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

#[test]
fn the_links_of_the_whole_site_come_after_all_others() {
    let forge = Forge::start(&[]);
    let (path, other) = (forge.repository(&[]), forge.repository(&["--private"]));
    for path in [&path, &other] {
        forge.shell(path).run(
            "git init -q work && cd work && echo x > file && git add file && git commit -q -m 'Fix #12 and ABC-7' && \
             git push -q \"$ADMIN\" main",
        );
    }
    let alice = signed_in(&forge, Actor::Admin);
    let page = "/-/admin/issues";
    let of_site = [
        ("pattern-1", r"#(\d+)"),
        ("address-1", "https://site.example/{repo}/{id}"),
        ("pattern-2", "[A-Z]+-[0-9]+"),
        ("address-2", "https://site.example/{id}"),
    ];
    let set = alice.submit(page, page, &of_site);
    assert_eq!(
        (set.status, set.header("location")),
        (303, Some("/-/admin/issues?done=saved")),
        "{}",
        set.text()
    );
    let log = |path: &str| alice.get(&format!("/{path}/-/commits/main")).text();
    for path in [&path, &other] {
        assert!(log(path).contains(&format!("https://site.example/{path}/12")), "{}", log(path));
    }
    // The nearest counts; what it does not say, the site does.
    let own = [("pattern-1", r"#(\d+)"), ("address-1", "/own/{id}")];
    let settings = format!("/{path}/-/settings/issues");
    assert_eq!(alice.submit(&settings, "settings/issues", &own).status, 303);
    assert!(log(&path).contains("\"/own/12\"") && log(&path).contains("https://site.example/ABC-7"));
    assert!(!log(&path).contains(&format!("https://site.example/{path}/12")));
    assert!(alice.get(&settings).text().contains("The whole site"));
    let journal = alice.get("/-/admin/journal").text();
    assert!(journal.contains("Set the links of issues"), "{journal}");
    // What is refused stays typed; and nobody but site administrators finds the page.
    let refused = alice.submit(page, page, &[("pattern-1", "("), ("address-1", "/typed/{id}")]);
    assert!(refused.status == 400 && refused.text().contains("/typed/{id}"), "{}", refused.text());
    assert_eq!(signed_in(&forge, Actor::User).get(page).status, 404);
    assert_eq!(forge.get(Actor::Stranger, "-/admin/issues").status, 303);
    let emptied = of_site.map(|(name, _)| (name, ""));
    assert_eq!(alice.submit(page, page, &emptied).status, 303);
    assert!(!log(&other).contains("site.example") && log(&path).contains("\"/own/12\""));
}
