//! Rendered views of files, what the summary says about them, and going to another branch or tag.

mod kit;

use askama::Template as _;
use browse::blob::{self, Display};
use browse::languages::Languages;
use browse::place::Failure;
use browse::route::Page;
use browse::summary::{self, Summary};
use browse::switch::{self, Switch};
use kit::{Fixture, Kept};
use lithe_code::repository::Repository;
use lithe_code::revision;
use lithe_code::storage::Opened;
use lithe_web::Fields;

fn repository(opened: &Opened) -> Repository<'_> {
    Repository { objects: &opened.objects, refs: &opened.refs }
}

fn blob(fixture: &Fixture, file: &str, display: Display) -> String {
    let opened = fixture.open();
    let at = format!("main/{file}");
    let at =
        revision::resolve(repository(&opened), at.as_str().into()).expect("readable").expect("it is there");
    let page = blob::page(&fixture.place(), repository(&opened), &at, display).expect("a page");
    page.render().expect("rendered")
}

fn summary(fixture: &Fixture) -> String {
    let opened = fixture.open();
    match summary::page(&fixture.place(), repository(&opened)).expect("a page") {
        Summary::Filled(page) => page.render().expect("rendered"),
        Summary::Empty(_) => panic!("it has commits"),
    }
}

#[test]
fn files_have_a_rendered_view_and_their_source() {
    let fixture = Fixture::new(
        r#"printf 'a,b\n1,<2>\n' > t.csv
        printf 'Title\n=====\n\n.. image:: doc/x.png\n' > r.rst
        printf '* Head\n[[file:r.rst][see]]\n' > o.org
        printf '{"cells":[{"cell_type":"code","source":"1 + 1","outputs":[{"data":{"text/plain":"2"}}]}]}' > n.ipynb
        printf '%%PDF-1.7\n\000' > d.pdf
        git add . && git commit -qm Files"#,
    );
    let cases = [
        ("t.csv", "<td>&lt;2&gt;</td>"),
        ("r.rst", "src=\"/team/demo/-/raw/main/doc/x.png\""),
        ("o.org", "href=\"/team/demo/-/blob/main/r.rst\""),
        ("n.ipynb", "notebook-output"),
    ];
    for (file, rendered) in cases {
        let best = blob(&fixture, file, Display::Best);
        assert!(best.contains(rendered) && best.contains("?display=source"), "{file}: {best}");
        let source = blob(&fixture, file, Display::Source);
        assert!(source.contains("class=\"line-code\"") && !source.contains(rendered), "{file}: {source}");
    }
    assert!(blob(&fixture, "d.pdf", Display::Best).contains("This is a PDF document."));
}

#[test]
fn a_summary_says_what_the_files_are() {
    let fixture = Fixture::new(
        r"mkdir -p src vendor && printf '%0900d' 1 > src/a.rs && printf '%0100d' 1 > b.py && printf '%09999d' 1 > vendor/c.c
        printf 'Apache License\nVersion 2.0, January 2004\n' > LICENSE-APACHE
        printf 'Permission is hereby granted, free of charge, to any person obtaining a copy of this software. The above copyright notice and this permission notice' > LICENSE-MIT
        printf 'Demo\n====\n\n``code``\n' > README.rst
        git add . && git commit -qm Files",
    );
    let page = summary(&fixture);
    for part in [
        "Rust <span class=\"muted\">90.0 %</span>",
        "Python <span class=\"muted\">10.0 %</span>",
        ">Apache-2.0</a>",
        ">MIT</a>",
        "<code>code</code>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains(">C <"), "what others wrote does not count");
    let commit = fixture.git("rev-parse main");
    assert!(page.contains(&format!("href=\"/team/demo/-/tree/{commit}\" rel=\"nofollow\" data-key=\"y\"")));
}

#[test]
fn languages_are_found_a_part_at_each_view() {
    let fixture = Fixture::new(
        "for n in $(seq 300); do mkdir -p d$n/e && printf 12345 > d$n/a.rs && printf 12345 > d$n/e/b.go; done
        git add . && git commit -qm Files",
    );
    let opened = fixture.open();
    let tree = revision::landing_branch(repository(&opened)).expect("readable").expect("a branch").commit_id;
    let tree = repository(&opened).commit(&tree).expect("readable").tree_id;
    let cache = Kept::default();
    for _ in 0..10_000 {
        let languages = Languages::find(&cache, repository(&opened), &tree).expect("readable");
        if languages.is_complete {
            let parts: Vec<_> =
                languages.parts.iter().map(|part| (part.name.to_string(), part.bytes)).collect();
            assert_eq!(parts, [("Go".to_owned(), 1_500), ("Rust".to_owned(), 1_500)]);
            return;
        }
    }
    panic!("each view does a part");
}

#[test]
fn another_branch_or_tag_is_found_by_name() {
    let fixture = Fixture::new(
        "mkdir d && echo x > d/f && git add . && git commit -qm One
        git branch feature/one && git branch feature/two && git tag v1.0 && git tag feature-tag",
    );
    let opened = fixture.open();
    let place = fixture.place();
    let go_with = |page: Page, query: &[(&str, &str)]| -> Result<Option<String>, Failure> {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let query = Fields::of_pairs(query);
        Ok(switch::page(&place, repository(&opened), &page, &query)?.map(|switch| match switch {
            Switch::To(address) => address,
            Switch::Choice(page) => page.render().expect("rendered"),
        }))
    };
    let go = |page: Page, words: &str| go_with(page, &[("ref", words)]);
    let file = || Page::Blob("main/d/f".into());
    assert_eq!(go(file(), "v1.0").expect("found").as_deref(), Some("/team/demo/-/blob/v1.0/d/f"));
    assert_eq!(
        go(Page::Summary, "feature/one").expect("found").as_deref(),
        Some("/team/demo/-/tree/feature/one")
    );
    let id = fixture.git("rev-parse main");
    assert_eq!(go(file(), &id[..12]).expect("found"), Some(format!("/team/demo/-/blob/{id}/d/f")));
    let choice = go(Page::Blame("main/d/f".into()), "FEATURE").expect("found").expect("a choice");
    for href in ["/-/blame/feature/one/d/f\"", "/-/blame/feature/two/d/f\"", "/-/blame/feature-tag/d/f\""] {
        assert!(choice.contains(href), "{href}: {choice}");
    }
    assert!(!choice.contains("v1.0") && choice.contains("3 branches and tags found"));
    assert!(go(file(), "<none>").expect("found").expect("a choice").contains("value=\"&#60;none&#62;\""));
    assert_eq!(go(Page::Refs, "main").expect("no page of one branch"), None);
    assert_eq!(go_with(file(), &[("q", "x")]).expect("nothing asked for"), None);
    // What else is asked for stays, but where a list begins.
    let statistics = go(Page::Statistics("main".into()), "v1.0").expect("found");
    assert_eq!(statistics.as_deref(), Some("/team/demo/-/stats/v1.0"));
    let graph = |words: &'static str| [("after", "x"), ("graph", "1"), ("q", "a&b"), ("ref", words)];
    let commits = || Page::Commits("main".into());
    assert_eq!(
        go_with(commits(), &graph("v1.0")).expect("found").as_deref(),
        Some("/team/demo/-/commits/v1.0?graph=1&q=a%26b")
    );
    let choice = go_with(commits(), &graph("feature")).expect("found").expect("a choice");
    for part in [
        "action=\"/team/demo/-/commits/main\"",
        "<input type=\"hidden\" name=\"graph\" value=\"1\"><input type=\"hidden\" name=\"q\" value=\"a&#38;b\">",
        "href=\"/team/demo/-/commits/feature/one?graph=1&#38;q=a%26b\"",
    ] {
        assert!(choice.contains(part), "{part}: {choice}");
    }
    assert_eq!(go(Page::Blob("gone/f".into()), "main"), Err(Failure::NotFound));
}
