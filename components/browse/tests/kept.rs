//! Pages that are kept for a moment: for whom, for how long, and what makes each another one.

mod kit;

use browse::kept::{self, Page, Question};
use browse::limits::{PAGE_KEPT_SECONDS, PAGES_KEPT_BYTES_MAX};
use kit::{Fixture, overview};
use lithe_code::storage::Opened as OnDisk;
use lithe_forge::access::{Opened, Place};
use lithe_forge::types::{IssueLink, Permission, Repository, User};
use lithe_web::Written;
use lithe_web::{Format, Frame, Language, t};
use std::rc::Rc;

/// A commit, a branch beside it and a tag.
const HISTORY: &str = "echo a > a && git add a && git commit -q -m one && git tag v1 && git branch side";

/// Makes everything an hour old: what was changed just now may change again unseen.
const AGE: &str = "find team/demo.git -exec touch -h -d '1 hour ago' {} +";

/// What a page is asked for by, and when.
struct Asked {
    opened: Opened,
    frame: Frame,
    site: String,
    now: i64,
}

impl Asked {
    fn of(fixture: &Fixture) -> Self {
        let overview = overview(Permission::Admin);
        Self {
            frame: Frame::new(&overview, "/team/demo", Language::English),
            opened: Opened {
                overview,
                place: Place::Repository(fixture.record.clone()),
                permission: Permission::Read,
                is_moved: false,
                issue_links: Vec::new(),
            },
            site: "http://localhost:8000".into(),
            now: 1_000,
        }
    }

    fn question(&self) -> Question<'_> {
        Question { opened: &self.opened, frame: &self.frame, site: &self.site }
    }

    fn keep(&self, repository: &Rc<OnDisk>, text: &str) {
        let page = Page { written: Written::from(text.to_owned()), cost: 0 };
        kept::keep(&self.question(), repository, self.now, page);
    }

    fn find(&self, repository: &Rc<OnDisk>) -> Option<String> {
        let page = kept::find(&self.question(), repository, self.now)?;
        Some(String::from_utf8(page.written.text.to_vec()).expect("a page is text"))
    }

    fn record(&mut self) -> &mut Repository {
        match &mut self.opened.place {
            Place::Repository(record) => record,
            Place::Group(_) => unreachable!("it is a repository"),
        }
    }
}

fn user(id: u64, name: &str) -> User {
    User {
        id,
        name: name.into(),
        full_name: String::new(),
        email: String::new(),
        is_admin: false,
        is_active: true,
        must_change_password: false,
        created: 0,
        last_sign_in: None,
        language: String::new(),
    }
}

#[test]
fn whoever_asks_for_the_very_same_is_given_it() {
    let fixture = Fixture::new(HISTORY);
    fixture.shell(AGE);
    let asked = Asked::of(&fixture);
    assert_eq!(asked.find(&fixture.open()), None);
    asked.keep(&fixture.open(), "<p>");
    assert_eq!(asked.find(&fixture.open()).as_deref(), Some("<p>"));
    asked.keep(&fixture.open(), "<b>");
    assert_eq!(asked.find(&fixture.open()).as_deref(), Some("<b>"));
}

#[test]
fn whatever_the_store_or_the_request_says_otherwise_asks_for_another_page() {
    type Change = fn(&mut Asked);
    let changes: &[(&str, Change)] = &[
        ("may do more", |asked| asked.opened.permission = Permission::Admin),
        ("may do less", |asked| asked.opened.overview.viewer.ceiling = Permission::Read),
        ("signed in", |asked| asked.opened.overview.viewer.user = Some(user(1, "ada"))),
        ("another session", |asked| asked.opened.overview.viewer.csrf_token = "secret".into()),
        ("the site's title", |asked| asked.opened.overview.site.title = "Other".into()),
        ("registration", |asked| asked.opened.overview.site.registration = true),
        ("anonymous access", |asked| asked.opened.overview.site.anonymous_access = false),
        ("links of issues", |asked| {
            asked.opened.issue_links =
                vec![IssueLink { pattern: "#([0-9]+)".into(), address: "/{id}".into() }];
        }),
        ("the repository's number", |asked| asked.record().id = 8),
        ("its path", |asked| asked.record().path = "team/renamed".into()),
        ("its directory", |asked| asked.record().directory = "team/renamed.git".into()),
        ("its description", |asked| asked.record().description = "Otherwise".into()),
        ("private", |asked| asked.record().is_private = true),
        ("its owner", |asked| asked.record().owner = None),
        ("pushed to", |asked| asked.record().updated += 1),
        ("deleted", |asked| asked.record().deleted = Some(1)),
        ("the address", |asked| asked.frame.address = "/team/demo?x".into()),
        ("the form", |asked| asked.frame.format = Format::Json),
        ("the language", |asked| asked.frame.language = Language::German),
        ("a notice", |asked| asked.frame.notice = Some(t("Done"))),
        ("the host", |asked| asked.site = "http://example.org".into()),
        ("https", |asked| asked.site = "https://localhost:8000".into()),
    ];
    let fixture = Fixture::new(HISTORY);
    fixture.shell(AGE);
    let repository = fixture.open();
    for (name, change) in changes {
        let asked = Asked::of(&fixture);
        asked.keep(&repository, "<p>");
        let mut other = Asked::of(&fixture);
        change(&mut other);
        assert_eq!(other.find(&repository), None, "{name}");
        assert!(asked.find(&repository).is_some(), "before {name}");
    }
}

#[test]
fn two_who_look_at_one_page_have_each_their_own() {
    let fixture = Fixture::new(HISTORY);
    fixture.shell(AGE);
    let repository = fixture.open();
    let pages: Vec<Asked> = (1..=3)
        .map(|id| {
            let mut asked = Asked::of(&fixture);
            asked.opened.overview.viewer.user = Some(user(id, &format!("user{id}")));
            asked
        })
        .collect();
    for (number, asked) in pages.iter().enumerate() {
        asked.keep(&repository, &number.to_string());
    }
    for (number, asked) in pages.iter().enumerate() {
        assert_eq!(asked.find(&repository), Some(number.to_string()));
    }
}

#[test]
fn whatever_git_changes_in_the_repository_makes_another_page() {
    let changes = [
        "git -C work commit -q --allow-empty -m two && git -C work push -q origin main",
        "git -C team/demo.git update-ref refs/heads/main $(git -C team/demo.git commit-tree -m x main^{tree})",
        "git -C team/demo.git update-ref refs/heads/new main",
        "git -C team/demo.git branch -q -D side",
        "git -C team/demo.git tag v2 main",
        "git -C team/demo.git tag -d v1",
        "git -C team/demo.git symbolic-ref HEAD refs/heads/side",
        "git -C team/demo.git config transfer.hideRefs refs/heads/side",
        "git -C team/demo.git pack-refs --all",
        "cd work && echo 'A <a@b> <ada@example.org>' > .mailmap && git add . && git commit -qm m && git push -q origin main",
    ];
    for change in changes {
        let fixture = Fixture::new(HISTORY);
        fixture.shell(AGE);
        let asked = Asked::of(&fixture);
        asked.keep(&fixture.open(), "<p>");
        assert!(asked.find(&fixture.open()).is_some(), "before {change}");
        // What `git` says goes nowhere.
        fixture.shell(&format!("({change}) >&2"));
        assert_eq!(asked.find(&fixture.open()), None, "{change}");
        fixture.shell(AGE);
        assert_eq!(asked.find(&fixture.open()), None, "an hour after {change}");
    }
}

#[test]
fn no_page_of_what_was_changed_just_now_is_found_again() {
    let fixture = Fixture::new(HISTORY);
    let asked = Asked::of(&fixture);
    asked.keep(&fixture.open(), "<p>");
    assert_eq!(asked.find(&fixture.open()), None);
}

#[test]
fn a_page_is_kept_for_so_many_seconds() {
    let fixture = Fixture::new(HISTORY);
    fixture.shell(AGE);
    let repository = fixture.open();
    let cases = [(0, true), (PAGE_KEPT_SECONDS, true), (PAGE_KEPT_SECONDS + 1, false), (-1, false)];
    for (later, is_found) in cases {
        let mut asked = Asked::of(&fixture);
        asked.keep(&repository, "<p>");
        asked.now += later;
        assert_eq!(asked.find(&repository).is_some(), is_found, "{later} seconds later");
    }
}

#[test]
fn pages_take_so_many_bytes_and_those_asked_for_longest_ago_go() {
    let fixture = Fixture::new(HISTORY);
    fixture.shell(AGE);
    let repository = fixture.open();
    let asked = |number: usize| {
        let mut asked = Asked::of(&fixture);
        asked.frame.address = format!("/team/demo/-/tree/main/{number:09}");
        asked
    };
    let text = "x".repeat(PAGES_KEPT_BYTES_MAX / 8);
    for number in 0..10 {
        asked(number).keep(&repository, &text);
        assert!(asked(0).find(&repository).is_some(), "it was asked for again and again");
    }
    let found: Vec<usize> = (0..10).filter(|number| asked(*number).find(&repository).is_some()).collect();
    assert_eq!(found, [0, 4, 5, 6, 7, 8, 9]);
    let most = PAGES_KEPT_BYTES_MAX / 4;
    for (bytes, is_found) in [(most - 8_192, true), (most, false)] {
        asked(10).keep(&repository, &"x".repeat(bytes));
        assert_eq!(asked(10).find(&repository).is_some(), is_found, "{bytes} bytes");
    }
}
