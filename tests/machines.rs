//! What programs are told, and kept from: every page as JSON, and the crawlers' policy.

use crate::kit::{Actor, Answer, Browser, Forge, basic, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const HISTORY: &str = r#"
git init -q -b main work && cd work && mkdir src && echo '# Demo' > README.md && echo 'fn main() {}' > src/main.rs
echo '{}' > file.json && git add . && git commit -qm First && echo more >> src/main.rs && git commit -qam Second && git tag v1
git rm -q file.json && git commit -qm Third && git push -q "$ADMIN" main v1
"#;

/// The pages about a repository, with what each is called.
const PAGES: [(&str, &str); 19] = [
    ("", "summary"),
    ("/-/tree/main/src", "tree"),
    ("/-/blob/main/src/main.rs", "blob"),
    ("/-/blob/v1/file.json", "blob"),
    ("/-/blame/main/src/main.rs", "blame"),
    ("/-/find/main?q=main", "find"),
    ("/-/commits/main", "commits"),
    ("/-/commit/v1-id", "commit"),
    ("/-/compare/v1...main", "compare"),
    ("/-/compare", "compare"),
    ("/-/refs", "refs"),
    ("/-/commits/main?graph=1", "graph"),
    ("/-/commits/main?choose=1", "commits"),
    ("/-/commits/main?author=a&message=t", "commits"),
    ("/-/commit/v1-id?view=split", "commit"),
    ("/-/stats/main", "statistics"),
    ("/-/tree/main/src?ref=no-such", "switch"),
    ("/-/search?q=main", "search"),
    ("/-/search?q=First&type=commits", "search"),
];

/// What `repository` has besides pages, each with a tag of its own.
const FILES: [&str; 7] = [
    "/-/raw/main/README.md",
    "/-/archive/v1.tar.gz",
    "/-/commit/v1-id.patch",
    "/-/compare/v1...main.diff",
    "/-/feed/main.atom",
    "/-/feed/tags.rss",
    "/-/feed/main/src.rss",
];

fn repository(forge: &Forge, options: &[&str]) -> (String, String) {
    let path = forge.repository(options);
    let shell = forge.shell(&path);
    shell.run(HISTORY);
    (path, shell.run("git -C work rev-parse v1"))
}

fn get(forge: &Forge, path: &str, headers: &[(&str, &str)]) -> Answer {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Answer::send("GET", &forge.url, path, &headers, None)
}

fn json(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("JSON")
}

const ACCEPT: (&str, &str) = ("accept", "application/json");

#[test]
fn every_page_is_there_as_json() {
    let forge = Forge::shared();
    let (path, commit) = repository(forge, &[]);
    let of_repository = PAGES.map(|(page, name)| (format!("{path}{}", page.replace("v1-id", &commit)), name));
    let of_site = [
        ("".to_owned(), "listing"),
        ("team".to_owned(), "listing"),
        ("-/search?q=demo".to_owned(), "listing"),
        (format!("-/search/files?q=main+repo:{path}"), "search"),
        ("-/activity?before=1".to_owned(), "activity"),
        (forge.repository(&[]), "empty"),
    ];
    for (address, name) in of_repository.into_iter().chain(of_site) {
        // What the first to ask finds out on the way makes another page for the next.
        get(forge, &address, &[ACCEPT]);
        let answer = get(forge, &address, &[ACCEPT]);
        assert_eq!((answer.status, json(&answer)["page"].as_str()), (200, Some(name)), "{address}");
        assert_eq!(
            answer.header("vary"),
            Some("Accept, Accept-Language, Cookie, Authorization"),
            "{address}"
        );
        let tag = answer.header("etag").expect("a tag").to_owned();
        let again = get(forge, &address, &[ACCEPT, ("if-none-match", &tag)]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{address}");
        // The page for people is another.
        let page = get(forge, &address, &[("accept", "text/html"), ("if-none-match", &tag)]);
        assert_eq!((page.status, page.header("vary")), (200, answer.header("vary")), "{address}");
        let separator = if address.contains('?') { '&' } else { '?' };
        let by_query = get(forge, &format!("{address}{separator}format=json"), &[]);
        assert_eq!(json(&by_query)["page"].as_str(), Some(name), "{address}");
    }
}

/// Adds the names of all fields, and the values that are words.
fn gather(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            words.insert(name.clone());
            gather(value, words);
        }),
        Value::Array(values) => values.iter().for_each(|value| gather(value, words)),
        Value::String(text) => drop(words.insert(text.clone())),
        _ => {}
    }
}

#[test]
fn pages_have_what_their_documentation_says() {
    let forge = Forge::shared();
    let (path, commit) = repository(forge, &[]);
    let of_repository = PAGES.map(|(page, _)| format!("{path}{}", page.replace("v1-id", &commit)));
    let others = [
        "".to_owned(),
        "-/activity".to_owned(),
        forge.repository(&[]),
        format!("{path}/-/blob/main/file.json"),
    ];
    let mut said: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for address in of_repository.into_iter().chain(others) {
        let page = json(&get(forge, &address, &[ACCEPT]));
        let name = page["page"].as_str().expect("a page has a name").to_owned();
        gather(&page, said.entry(name).or_default());
    }
    let docs = std::fs::read_to_string(root().join("docs/json.md")).expect("it is there");
    let mut documented = BTreeSet::new();
    // The first line is the head.
    for line in docs.lines().filter(|line| line.starts_with("| `")).skip(1) {
        let columns: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [name, _, fields] = columns[..] else { panic!("three columns: {line}") };
        let name = name.trim().trim_matches('`');
        documented.insert(name);
        // A repository that cannot be read is in other tests.
        let Some(said) = said.get(name) else {
            assert_eq!(name, "unavailable", "no page is called so");
            continue;
        };
        for field in fields.split('`').skip(1).step_by(2) {
            assert!(said.contains(field), "{name} has no {field}: {said:?}");
        }
    }
    let unknown: Vec<_> = said.keys().filter(|name| !documented.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "not in the table: {unknown:?}");
}

#[test]
fn what_somebody_has_is_not_sent_again() {
    let forge = &Forge::without_budgets();
    let (path, commit) = repository(forge, &[]);
    let user = Actor::User.login().map(|(name, password)| basic(name, password)).expect("the user signs in");
    let of_repository = PAGES.iter().map(|(page, _)| *page).chain(FILES);
    let of_repository = of_repository.map(|page| format!("{path}{}", page.replace("v1-id", &commit)));
    let of_site = [
        "".to_owned(),
        "team".to_owned(),
        "?sort=change".to_owned(),
        "-/search?q=demo".to_owned(),
        "-/search/files".to_owned(),
        format!("-/search/files?q=main+repo:{path}"),
        "-/activity?before=1".to_owned(),
        "-/opensearch.xml".to_owned(),
        forge.repository(&[]),
    ];
    let addresses: Vec<String> = of_repository.chain(of_site).collect();
    for address in &addresses {
        for who in [None, Some(("authorization", user.as_str()))] {
            let ask = |tag: &str| {
                let headers: Vec<_> =
                    [("accept", "text/html"), ("if-none-match", tag)].into_iter().chain(who).collect();
                get(forge, address, &headers)
            };
            ask("\"none\"");
            let sent = ask("\"none\"");
            let tag = sent.header("etag").unwrap_or_else(|| panic!("{address} has no tag")).to_owned();
            assert_eq!(
                (sent.status, sent.header("cache-control")),
                (200, Some("private, no-cache")),
                "{address}"
            );
            let is_apart = |name| sent.header("vary").is_some_and(|vary| vary.contains(name));
            assert!(is_apart("Cookie") && is_apart("Authorization"), "{address}: {:?}", sent.header("vary"));
            for known in [&tag, "*", &format!("\"a\", W/{tag}")] {
                let again = ask(known);
                assert_eq!((again.status, again.body.len()), (304, 0), "{address} {known}");
                assert_eq!(again.header("etag"), Some(&*tag), "{address} {known}");
                assert_eq!(again.header("cache-control"), sent.header("cache-control"), "{address} {known}");
            }
        }
    }
    // What has changed is.
    let of_main = ["", "/-/tree/main/src", "/-/blob/main/src/main.rs", "/-/commits/main", "/-/search?q=main"];
    let tags =
        of_main.map(|page| get(forge, &format!("{path}{page}"), &[]).header("etag").map(str::to_owned));
    let shell = forge.shell(&path);
    shell.run("git clone -q \"$ADMIN\" again && cd again && echo '// main' >> src/main.rs && git commit -qam Fourth && git push -q");
    for (page, tag) in of_main.iter().zip(&tags) {
        let tag = tag.as_deref().expect("a tag");
        let answer = get(forge, &format!("{path}{page}"), &[("if-none-match", tag)]);
        assert_eq!(answer.status, 200, "{page}");
    }
}

#[test]
fn pages_about_accounts_are_kept_by_nobody() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let browser = Browser::signed_in(forge, name, password);
    let pages = [
        "/-/account",
        "/-/account/tokens",
        "/-/account/sessions",
        "/-/admin/",
        "/-/admin/users",
        "/-/admin/journal",
        "/-/new/repository",
        &format!("/{path}/-/settings"),
    ];
    for page in pages {
        let answer = browser.get(page);
        let told = (answer.status, answer.header("cache-control"), answer.header("etag"));
        assert_eq!(told, (200, Some("private, no-store"), None), "{page}");
    }
}

#[test]
fn what_goes_wrong_is_json_too() {
    let forge = Forge::shared();
    let (path, _) = repository(forge, &[]);
    let cases = [
        (format!("{path}/-/blob/main/file.json"), 404, "missing"),
        (format!("{path}/-/blob/main/never"), 404, "missing"),
        (format!("{path}/-/blob/nothing/never"), 404, "missing"),
        (format!("{path}/-/nothing"), 404, "failure"),
        ("team/nothing".to_owned(), 404, "failure"),
        ("a//b".to_owned(), 404, "failure"),
    ];
    for (address, status, name) in cases {
        let answer = get(forge, &address, &[ACCEPT]);
        assert_eq!((answer.status, json(&answer)["page"].as_str()), (status, Some(name)), "{address}");
    }
    let wrong = basic("alice", "wrong");
    let answer = get(forge, &path, &[ACCEPT, ("authorization", &wrong)]);
    assert_eq!((answer.status, json(&answer)["status"].as_u64()), (401, Some(401)));
    assert!(answer.header("www-authenticate").is_some());
    // A page of another address is asked for in the same form.
    let elsewhere = get(forge, &format!("{path}/-/blob/main/src?format=json"), &[]);
    let to = format!("/{path}/-/tree/main/src?format=json");
    assert_eq!((elsewhere.status, elsewhere.header("location")), (307, Some(to.as_str())));
}

#[test]
fn programs_are_told_nothing_that_people_are_not() {
    let forge = Forge::shared();
    let (path, commit) = repository(forge, &["--private"]);
    let pages = PAGES.map(|(page, _)| page.replace("v1-id", &commit));
    for actor in [Actor::User, Actor::Stranger] {
        let ask = |address: &str| {
            let credentials = actor.login().map(|(name, password)| basic(name, password));
            let mut headers = vec![ACCEPT];
            headers.extend(credentials.as_deref().map(|value| ("authorization", value)));
            get(forge, address, &headers)
        };
        for page in &pages {
            let (there, missing) = (ask(&format!("{path}{page}")), ask(&format!("team/nothing{page}")));
            assert_eq!((there.status, json(&there)), (404, json(&missing)), "{actor:?} {page}");
        }
        for list in ["", "team", "-/search?q=demo"] {
            assert!(!ask(list).text().contains(&path), "{actor:?} {list}");
        }
    }
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let browser = Browser::signed_in(forge, name, password);
    let page = browser.get(&path).text();
    let secret = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let secret = secret.expect("the page has a form");
    let answer = browser.get(&format!("{path}?format=json"));
    assert!(json(&answer)["page"] == "summary" && !answer.text().contains(secret), "{}", answer.text());
}

/// What costs those something who are not signed in.
const EXPENSIVE: [&str; 7] = [
    "/-/blame/main/src/main.rs",
    "/-/compare/v1...main",
    "/-/commit/v1-id",
    "/-/commit/v1-id.patch",
    "/-/commits/main/src",
    "/-/archive/v1.zip",
    "/-/search?q=main",
];

#[test]
fn whoever_asks_for_too_much_waits_unless_signed_in() {
    let forge = Forge::start(&["--anonymous-budget", "1"]);
    let (path, commit) = repository(&forge, &[]);
    let (private, _) = repository(&forge, &["--private"]);
    let address = |page: &str| format!("{path}{}", page.replace("v1-id", &commit));
    let answer = forge.get(Actor::Stranger, &address(EXPENSIVE[0]));
    assert_eq!((answer.status, answer.header("lithe-cost")), (200, None), "{}", answer.text());
    for page in EXPENSIVE {
        let refused = forge.get(Actor::Stranger, &address(page));
        assert_eq!(refused.status, 429, "{page}");
        let seconds: u32 = refused.header("retry-after").expect("when").parse().expect("a number");
        assert!((1..=241).contains(&seconds), "{page}: {seconds}");
        let headers = [("accept".to_owned(), "application/json".to_owned())];
        let told = Answer::send("GET", &forge.url, &address(page), &headers, None);
        assert_eq!(told.status, 429, "{page}");
        assert_eq!(forge.get(Actor::User, &address(page)).status, 200, "{page}");
        // It tells nobody what there is.
        assert_eq!(
            forge.get(Actor::Stranger, &format!("{private}{}", page.replace("v1-id", &commit))).status,
            404,
            "{page}"
        );
    }
    for page in [
        "",
        "/-/tree/main/src",
        "/-/blob/main/src/main.rs",
        "/-/raw/main/README.md",
        "/-/refs",
        "/-/commits/main",
    ] {
        assert_eq!(forge.get(Actor::Stranger, &address(page)).status, 200, "{page}");
    }
    let shell = forge.shell(&path);
    shell.run("git clone -q \"$STRANGER\" clone && git -C clone fetch -q && git -C clone fsck --strict");
}

#[test]
fn a_kept_archive_is_had_by_anybody() {
    let forge = Forge::start(&["--anonymous-budget", "1"]);
    let (path, _) = repository(&forge, &[]);
    let address = format!("{path}/-/archive/v1.tar");
    assert_eq!(forge.get(Actor::User, &address).status, 200);
    assert_eq!(forge.get(Actor::Stranger, &format!("{path}/-/blame/main/src/main.rs")).status, 200);
    assert_eq!(forge.get(Actor::Stranger, &format!("{path}/-/archive/main.tar")).status, 429);
    assert_eq!(forge.get(Actor::Stranger, &address).status, 200);
}

#[test]
fn search_engines_are_told_what_is_for_them() {
    let forge = Forge::shared();
    let (path, commit) = repository(forge, &[]);
    let robots = forge.get(Actor::Stranger, "robots.txt").text();
    for line in ["Disallow: /*/-/", "Allow: /*/-/tree/", "Allow: /*/-/blob/", "Disallow: /*/-/blob/*?"] {
        assert!(robots.lines().any(|other| other == line), "{line}: {robots}");
    }
    let told = |page: &str| {
        let answer = forge.get(Actor::Stranger, &format!("{path}{}", page.replace("v1-id", &commit)));
        answer.header("x-robots-tag").map(str::to_owned)
    };
    for page in ["", "/-/tree/main/src", "/-/blob/main/src/main.rs"] {
        assert_eq!(told(page), None, "{page}");
    }
    for page in EXPENSIVE.into_iter().chain([
        "?format=json",
        "/-/raw/main/README.md",
        "/-/feed/main.atom",
        "/-/tree/v1",
        "/-/blob/v1-id/file.json",
    ]) {
        assert!(told(page).is_some_and(|tag| tag.contains("noindex")), "{page}");
    }
}
