//! The page of what was found, as HTML, of repositories whose names are hostile too.
//!
//! `LITHE_UPDATE_GOLDEN=1 cargo test -p search --test pages` writes the golden files anew.

mod kit;

use askama::Template as _;
use kit::Fixture;
use lithe_code::revision;
use lithe_forge::types::{self, Permission};
use lithe_web::{Fields, Frame, Language};
use search::content::Budget;
use search::query::Query;
use search::searching::{Indexes, Kind, Searching};
use search::view::{self, Asking, Outcome, Results};
use std::path::PathBuf;

/// Names with HTML, line ends, escapes, other directions of writing, no characters at all, and more than a screen.
const HISTORY: &str = r#"
mkdir -p src 'a<b>' vendor && printf 'one\nneedle <b>&amp;</b>\nthree\nfour\nfive\nsix\nneedle "again"\n' > src/main.rs
printf 'needle\n' > "$(printf 'new\nline')" && printf 'needle\n' > "$(printf 'gpj.\342\200\256exe')"
printf 'needle\n' > "$(printf 'not-utf8-\377')" && printf 'needle\n' > 'a<b>/"quoted" & <script>alert(1)<script>.html'
printf 'needle\n' > "$(printf 'escape\033[31m')" && printf '\342\200\256needle\342\200\254\n' > bidi.txt
printf 'needle\n' > "$(printf 'n%.0s' $(seq 250))" && printf 'needle\n' > vendor/theirs.c
git add . && git commit -qm one
"#;

fn record() -> types::Repository {
    types::Repository {
        id: 7,
        path: "team/demo".into(),
        directory: "demo.git".into(),
        description: "A <demo>".into(),
        is_private: false,
        owner: None,
        created: 0,
        updated: 0,
        deleted: None,
    }
}

/// The answer to a query, as a page and as JSON.
fn answers(fixture: &Fixture, query: &str) -> (String, String) {
    let (record, open) = (record(), fixture.open());
    let fields = Fields::parse(query.as_bytes()).expect("a query");
    let mut asking = Asking::of_repository(&record, Permission::Read, &fields);
    let at = revision::resolve(open.repository(), "main".into()).expect("readable").expect("it is there");
    asking.at(&at.revision);
    let outcome = match Query::of_fields(&fields) {
        Err(error) => Outcome::Refused(error.in_words()),
        Ok(query) => match Searching::new(&query, asking.kind()).expect("it makes sense") {
            None => Outcome::Nothing,
            Some(searching) => {
                let (indexes, budget) = (Indexes::new(fixture.index()), Budget::without_clock(20));
                let commit_id = at.revision.commit_id;
                let (part, _) = searching
                    .search(open.repository(), &indexes, commit_id, None, budget)
                    .expect("it can be searched");
                let mut results = Results::new(asking.kind(), None);
                results.add(&record, commit_id, part);
                Outcome::Found(results)
            }
        },
    };
    let json = serde_json::to_string_pretty(&view::json(&asking, &outcome)).expect("JSON");
    let head = asking.head().expect("it is of a repository");
    let page = view::repository_page(Frame::bare("/team/demo", Language::English), head, &asking, &outcome);
    (page.render().expect("it renders"), json)
}

#[track_caller]
fn check(name: &str, page: &str) {
    let start = page.find("<form class=\"search-form\"").expect("the form");
    let end = page.find("</main>").expect("the end of the page");
    let found = &page[start..end];
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.html"));
    if std::env::var_os("LITHE_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, found).expect("the source directory is writable");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected, "{name} differs from its golden file; see the head of this test");
    }
    assert_eq!(found.len(), expected.len(), "{name} is longer or shorter than its golden file");
}

#[test]
fn what_was_found_is_shown_as_it_always_was() {
    let fixture = Fixture::new(HISTORY);
    for (name, query) in [
        ("nothing-asked", ""),
        ("content", "q=needle"),
        ("paths", "q=e&type=paths"),
        ("nothing-found", "q=absent&regex=yes&case=yes&path=src&lang=rust&all=yes"),
        ("refused", "q=case:maybe"),
    ] {
        check(name, &answers(&fixture, query).0);
    }
}

#[test]
fn hostile_names_stay_names() {
    let fixture = Fixture::new(HISTORY);
    for query in ["q=needle&all=yes", "q=e&type=paths", "q=%3Cscript%3Ealert(1)%3C%2Fscript%3E%E2%80%AE"] {
        let (page, json) = answers(&fixture, query);
        // What a file holds is told to programs as it is; what it is called, to nobody.
        let names: String = json.lines().filter(|line| line.contains("\"path\"")).collect();
        for text in [&page, &names] {
            assert!(!text.contains(['\u{202e}', '\u{1b}']) || query.contains("%E2"), "{query}: {text}");
        }
        assert!(!page.contains("<script>alert"), "{query}: {page}");
        assert!(!page.contains("new\nline"), "{query}: {page}");
    }
    let (page, json) = answers(&fixture, "q=needle&all=yes");
    assert!(
        page.contains("gpj.\\u{202e}exe") && page.contains("new\\nline") && page.contains("not-utf8-\\xff")
    );
    assert!(json.contains("gpj.\\\\u{202e}exe") && json.contains("not-utf8-%FF"), "{json}");
    assert_eq!(Kind::parse("<script>"), Kind::Content);
}
