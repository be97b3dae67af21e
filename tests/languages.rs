//! Pages in the language of who reads them: the browser's, or the one that was chosen at a page's foot.

use crate::kit::{Actor, Answer, Browser, Forge};

fn in_languages(forge: &Forge, path: &str, accept: &str) -> Answer {
    Answer::send("GET", &forge.url, path, &[("accept-language".to_owned(), accept.to_owned())], None)
}

#[test]
fn the_browser_asks_for_a_language() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    for page in [
        "/".to_owned(),
        "/-/login".to_owned(),
        format!("/{path}"),
        format!("/{path}/-/search"),
        "/no/such".to_owned(),
    ] {
        let german = in_languages(forge, &page, "de-AT, en;q=0.5");
        assert!(german.text().contains(r#"<html lang="de" dir="ltr">"#), "{page}");
        assert!(german.text().contains(">Anmelden<"), "{page}");
        assert_eq!(german.header("content-language"), Some("de"), "{page}");
        assert!(german.header("vary").is_some_and(|vary| vary.contains("Accept-Language")), "{page}");
        let english = in_languages(forge, &page, "fr, en;q=0.1");
        assert!(
            english.text().contains(r#"<html lang="en" dir="ltr">"#) && english.text().contains(">Sign in<"),
            "{page}"
        );
        assert_ne!(german.header("etag").or(Some("de")), english.header("etag").or(Some("en")), "{page}");
    }
}

#[test]
fn a_choice_is_remembered_by_the_browser() {
    let forge = Forge::shared();
    let browser = Browser::new(forge);
    let answer = browser.submit("/-/login?return=/team", "/-/language", &[("language", "de")]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(browser.cookie("lithe_language").as_deref(), Some("de"));
    assert!(browser.get("/").text().contains(">Anmelden<"));
    browser.submit("/", "/-/language", &[("language", "en")]);
    assert!(browser.get("/").text().contains(">Sign in<"));
    let unknown = browser.post("/-/language", &[("language".to_owned(), "tlh".to_owned())]);
    assert_eq!(unknown.status, 400);
    assert_eq!(browser.get("/-/language").status, 405);
}

#[test]
fn other_sites_choose_no_language() {
    let forge = Forge::shared();
    let headers = [("origin".to_owned(), "https://evil.example".to_owned())];
    let form = [("language".to_owned(), "de".to_owned())];
    let answer = Answer::send("POST", &forge.url, "/-/language", &headers, Some(&form));
    assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
}

#[test]
fn programs_are_told_in_english() {
    let forge = Forge::shared();
    let answer = in_languages(forge, "/no/such?format=json", "de");
    assert!(answer.text().contains("Not found"), "{}", answer.text());
}

/// Whether a page is in that language, and says so.
#[track_caller]
fn assert_in(answer: &Answer, tag: &str, page: &str) {
    assert_eq!(answer.header("content-language"), Some(tag), "{page}");
    assert!(answer.text().contains(&format!("<html lang=\"{tag}\"")), "{page}");
}

#[test]
fn an_account_has_a_language_of_its_own_in_every_browser() {
    let forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    forge.shell(&path).run("git init -q -b main w && cd w && echo x > file && git add . && git commit -qm One && git push -q \"$ADMIN\" main");
    let (name, password) = Actor::Admin.login().expect("alice signs in");
    let first = Browser::signed_in(&forge, name, password);
    assert_in(&first.get("/-/account"), "en", "at first");
    let saved = first.submit("/-/account", "/-/account", &[("language", "de")]);
    assert_eq!(saved.status, 303, "{}", saved.text());
    // It counts before the other browser's own choice, in the pages of every component.
    let other = Browser::new(&forge);
    other.submit("/-/login", "/-/language", &[("language", "en")]);
    let signed_in = other.submit("/-/login", "/-/login", &[("login", name), ("password", password)]);
    assert_eq!(signed_in.status, 303, "{}", signed_in.text());
    for page in [
        "/".to_owned(),
        "/-/account".to_owned(),
        "/-/admin/users".to_owned(),
        "/no/such".to_owned(),
        format!("/{path}"),
        format!("/{path}/-/search"),
        format!("/{path}/-/edit/main/file"),
        format!("/{path}/-/archive/none.zip"),
        format!("/{path}/-/settings/"),
    ] {
        assert_in(&other.get(&page), "de", &page);
    }
    // Programs with the account's password or token read it too, where there is text for people.
    let feed = forge.get(Actor::Admin, &format!("{path}/-/feed/HEAD.atom"));
    assert!(feed.text().contains("Commits von main"), "{}", feed.text());
    let stranger = forge.get(Actor::Stranger, &format!("{path}/-/feed/HEAD.atom"));
    assert!(stranger.text().contains("Commits of main"), "{}", stranger.text());
    // At the foot of a page it is changed too, with the secret of the session alone.
    let forged = other.submit("/", "/-/language", &[("language", "en"), ("csrf", "x")]);
    assert_eq!(forged.status, 403, "{}", forged.text());
    assert_in(&other.get("/"), "de", "after a forged form");
    assert_eq!(other.submit("/", "/-/language", &[("language", "en")]).status, 303);
    for browser in [&first, &other] {
        assert_in(&browser.get("/"), "en", "after the foot of a page");
    }
    // What is no language is refused; and without one, it is the browser's word again.
    let unknown = first.submit("/-/account", "/-/account", &[("language", "tlh")]);
    assert!(unknown.status == 400 && unknown.text().contains("There is no such language."));
    first.submit("/-/account", "/-/account", &[("language", "")]);
    other.submit("/", "/-/language", &[("language", "de")]);
    first.submit("/-/account", "/-/account", &[("language", "")]);
    assert_in(&other.get("/"), "de", "by the cookie");
    assert_in(&first.get("/"), "en", "without one");
    other.submit("/", "/-/logout", &[]);
    assert_in(&other.get("/"), "de", "by the cookie, signed out");
}

#[test]
fn feeds_are_in_the_language_of_their_reader() {
    let forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    forge.shell(&path).run(
        "git init -q -b main w && cd w && echo x > file && git add . && git commit -qm One && git tag v1 &&
         git push -q \"$ADMIN\" main v1",
    );
    let cases = [
        (format!("{path}/-/feed/HEAD.atom"), "Commits of main", "Commits von main"),
        (format!("{path}/-/feed/main/file.rss"), "Commits of file of main", "Commits von file in main"),
        (format!("{path}/-/feed/tags.rss"), "Tags", "Tags"),
        ("-/feed/repositories.atom".to_owned(), "Repositories", "Repositorys"),
        ("-/activity.atom".to_owned(), "Activity", "Aktivität"),
        ("-/activity.rss".to_owned(), "alice pushed 2 branches and tags", "alice hat 2 Branches und Tags"),
        ("-/activity.atom".to_owned(), "operator made the repository", "hat das Repository"),
    ];
    for (feed, english, german) in cases {
        for (accept, expected) in [("en", english), ("de", german)] {
            let answer = in_languages(&forge, &feed, accept);
            assert_eq!(answer.status, 200, "{feed}");
            assert!(answer.text().contains(expected), "{feed} {accept}: {}", answer.text());
            assert!(answer.header("vary").is_some_and(|vary| vary.contains("Accept-Language")), "{feed}");
        }
    }
}

/// What the repository and the accounts of the next test have in words.
const NAMES: &[&str] = &[
    "Atom", "RSS", "alice", "bob", "Alice", "Author", "example", "org", "team", "demo", "main", "file",
    "table", "notes", "One", "Two", "code", "Rust", "Python", "Java", "Ruby", "Shell", "Lua", "java", "lua",
    "Perl", "Haskell",
];

/// What is the same in both languages, or in none.
const SAME: &[&str] = &[
    "Administrator",
    "Bitmaps",
    "Bundle",
    "Committer",
    "Graph",
    "Journal",
    "Merges",
    "Packs",
    "Permalink",
    "Refs",
    "release",
    "operator",
    "local",
    "rust",
    "src",
    "ureq",
    "heads",
    "refs",
    "tags",
    "csv",
    "Lithe",
    "Code",
    "Commits",
    "Commit",
    "Tags",
    "Tag",
    "Name",
    "Deutsch",
    "English",
    "Issues",
    "Pushes",
    "Blame",
    "Text",
    "Repository",
    "Administration",
    "Token",
    "Git",
    "LFS",
    "MiB",
    "KiB",
    "UTF",
    "UTC",
    "HTTP",
    "JSON",
    "Markdown",
    "Status",
    "SSH",
    "OpenPGP",
    "SHA",
    "Patch",
    "Diff",
    "Branch",
    "Branches",
    "Push",
    "Pull",
    "tar",
    "zip",
    "zst",
    "Links",
    "Details",
    "Version",
    "Server",
    "System",
    "Browser",
    "Minute",
    "Bytes",
    "Index",
];

/// The texts of a page that people read, in their order.
fn texts(page: &str) -> Vec<String> {
    let document = scraper::Html::parse_document(page);
    let select = |selector| scraper::Selector::parse(selector).expect("a selector");
    let mut texts = Vec::new();
    for element in document.select(&select("body *")) {
        let is_code =
            |name: &str| ["code", "pre", "kbd", "script", "time", "textarea", "title"].contains(&name);
        // What the journal was told of an action stays as it was told.
        if element.value().classes().any(|class| class == "details") {
            continue;
        }
        let above = element.ancestors().filter_map(scraper::ElementRef::wrap);
        if is_code(element.value().name()) || above.into_iter().any(|one| is_code(one.value().name())) {
            continue;
        }
        let own = element.children().filter_map(|child| child.value().as_text().map(|text| text.to_string()));
        let said =
            ["aria-label", "title", "placeholder", "alt"].into_iter().filter_map(|name| element.attr(name));
        texts.extend(own.chain(said.map(str::to_owned)).map(|text| text.trim().to_owned()));
    }
    texts
}

/// Whether a text has a number as one of the two languages alone writes it, `12.3 %`.
fn has_decimal_point(text: &str) -> bool {
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let fraction = number.strip_prefix('.').filter(|_| number.len() < text.len());
    let unit = fraction.map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    unit.is_some_and(|unit| unit.starts_with([' ', '\u{a0}', '\u{202f}']))
}

/// Whether a text has a word of a language: three letters that are no name, and not the same in both.
fn has_words(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() > 2);
    words.into_iter().any(|word| {
        !NAMES.contains(&word) && !SAME.contains(&word) && !word.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

#[test]
fn no_page_says_the_same_in_english_and_in_german() {
    let forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    forge.shell(&path).run(
        "git init -q -b main w && cd w && echo x > file && printf 'a,b\\n1,2\\n' > table.csv && printf '# One\\n' > notes.md &&
         for e in rs py go c java rb sh lua pl hs; do seq 9 > code.$e; done &&
         git add . && git commit -qm One && git tag v1 && echo y > file && git commit -qam Two && git push -q \"$ADMIN\" main v1",
    );
    let (name, password) = Actor::Admin.login().expect("alice signs in");
    let [german, english] = ["de", "en"].map(|language| {
        let browser = Browser::new(&forge);
        browser.submit("/-/login", "/-/language", &[("language", language)]);
        browser.submit("/-/login", "/-/login", &[("login", name), ("password", password)]);
        browser
    });
    let below = [
        "",
        "/-/tree/main",
        "/-/blob/main/file",
        "/-/blob/main/table.csv",
        "/-/blob/main/notes.md",
        "/-/blob/v1/file",
        "/-/blame/main/file",
        "/-/commits/main",
        "/-/commits/main?graph=1",
        "/-/commits/main/file",
        "/-/commit/main",
        "/-/compare/v1...main",
        "/-/refs",
        "/-/search",
        "/-/search?q=x",
        "/-/search?q=One&type=commits",
        "/-/find/main",
        "/-/stats/main",
        "/-/edit/main/file",
        "/-/edit/main/file?delete",
        "/-/edit/main?new",
        "/-/edit/main?upload",
        "/-/blob/main/none",
        "/-/settings/",
        "/-/settings/permissions",
        "/-/settings/pushes",
        "/-/settings/issues",
        "/-/settings/health",
    ]
    .map(|page| format!("/{path}{page}"));
    let site = [
        "/",
        "/team",
        "/team/-/settings/",
        "/team/-/settings/permissions",
        "/team/-/settings/pushes",
        "/no/such",
        "/-/activity",
        "/-/search?q=demo",
        "/-/search/files?q=x",
        "/-/deleted",
        "/-/new/repository",
        "/-/new/group",
        "/-/account",
        "/-/account/password",
        "/-/account/tokens",
        "/-/account/keys",
        "/-/account/sessions",
        "/-/admin/",
        "/-/admin/users",
        "/-/admin/users/new",
        "/-/admin/users/bob",
        "/-/admin/repositories",
        "/-/admin/repositories/deleted",
        "/-/admin/settings",
        "/-/admin/maintenance",
        "/-/admin/issues",
        "/-/admin/journal",
    ]
    .map(str::to_owned);
    let mut left = std::collections::BTreeMap::new();
    for page in site.iter().chain(&below) {
        let (ours, theirs) = (german.get(page), english.get(page));
        assert_eq!(ours.status, theirs.status, "{page}");
        assert!([200, 404].contains(&ours.status), "{page}: {}", ours.status);
        let theirs = texts(&theirs.text());
        for text in texts(&ours.text()) {
            if (has_words(&text) || has_decimal_point(&text)) && theirs.contains(&text) {
                left.entry(text).or_insert_with(|| page.clone());
            }
        }
    }
    assert!(left.is_empty(), "{left:#?}");
}
