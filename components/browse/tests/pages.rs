//! Every page about a repository, whole: against a golden file, and by an HTML parser.
//!
//! `LITHE_UPDATE_GOLDEN=1 cargo test -p browse --test pages` writes the golden files anew.

mod kit;

use askama::Template;
use browse::blob::{self, Display};
use browse::commit::Against;
use browse::compare::Pair;
use browse::diff::View;
use browse::listing::{self, Subject, Wish};
use browse::refs::{self, Offsets};
use browse::route::{self, Page, Route};
use browse::summary::{self, Summary};
use browse::switch::{self, Switch};
use browse::{
    activity, blame, commit, commits, compare, cost, find, graph, missing, statistics, tree, unavailable,
};
use bstr::{BStr, ByteSlice as _};
use html5ever::tendril::TendrilSink as _;
use kit::{COMMITTED, Fixture, repository};
use lithe_code::blame::Whitespace;
use lithe_code::revision;
use lithe_forge::access::Listed as Entry;
use lithe_forge::access::{Event, EventList, Listing, Place as Listed};
use lithe_forge::types;
use lithe_web::{Fields, Frame};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;

/// A page without what surrounds it and is tested where it is made.
fn main_part(page: &str) -> String {
    let start = page.find("<main").expect("every page has a main part");
    let end = page.find("</main>").expect("it ends");
    let lines = page[start..end].lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

#[track_caller]
fn check(name: &str, page: &str) {
    check_html(name, page);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.html"));
    let found = main_part(page);
    if std::env::var_os("LITHE_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &found).expect("the source directory is writable");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected, "{name} differs from its golden file; see the head of this test");
    }
    assert_eq!(found.len(), expected.len(), "{name} is longer or shorter than its golden file");
}

/// Whether a browser would read the page as it is written, and could run nothing of it.
#[track_caller]
fn check_html(name: &str, page: &str) {
    let document = html5ever::parse_document(RcDom::default(), Default::default()).one(page);
    assert!(document.errors.borrow().is_empty(), "{name}: {:?}", document.errors.borrow());
    check_node(name, &document.document);
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{name} has an id twice: {ids:?}");
    let headings = page.match_indices("<h").filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10));
    let mut above = 0;
    for level in headings {
        assert!(level <= above + 1, "{name}: a heading of level {level} below one of level {above}");
        above = level;
    }
    assert!(page.matches("<h1").count() == 1, "{name} has one first heading");
}

/// Whether a crawler is kept from what costs something, and from pages in more forms than one.
#[track_caller]
fn check_followed(name: &str, href: &str, rel: &str) {
    let href =
        if href.starts_with('?') { format!("/team/demo/-/blob/main/x{href}") } else { href.to_owned() };
    let Some((_, own)) = href.split_once("/-/") else { return };
    let (path, query) = href.split_once('?').unwrap_or((&href, ""));
    let query = query.split('#').next().unwrap_or_default();
    let fields = Fields::parse(query.as_bytes()).expect("a query");
    let is_expensive = match route::parse(path.split('#').next().unwrap_or_default()) {
        Route::Place { page: Page::Raw(_), .. } => true,
        Route::Place { page, .. } => {
            // A branch of the fixture has a slash in its name.
            let of_path =
                matches!(&page, Page::Commits(rest) if rest.replace("side/branch", "side").contains(&b'/'));
            of_path || cost::of_page(&page, &fields) > 0
        }
        // What other components have: archives, searches, bundles.
        _ => ["archive/", "bundle", "search?", "edit"].iter().any(|page| own.starts_with(page)),
    };
    let is_followed = !rel.split(' ').any(|word| word == "nofollow");
    assert!(!(is_expensive || !query.is_empty()) || !is_followed, "{name}: crawlers follow {href}");
}

/// Whether nothing is in the page itself that a browser would run or load.
#[track_caller]
fn check_node(name: &str, node: &Handle) {
    if let NodeData::Element { name: element, attrs, .. } = &node.data {
        assert!(
            !matches!(&*element.local, "style" | "iframe" | "object" | "embed" | "base"),
            "{name}: {element:?}"
        );
        for attribute in attrs.borrow().iter() {
            let (key, value) = (&*attribute.name.local, attribute.value.trim_start());
            assert!(
                key != "style" && !key.starts_with("on") && !value.starts_with("javascript:"),
                "{name}: {key}"
            );
            if key == "href" && &*element.local == "a" {
                let rel = attrs
                    .borrow()
                    .iter()
                    .find(|attribute| &*attribute.name.local == "rel")
                    .map(|rel| rel.value.to_string());
                check_followed(name, value, &rel.unwrap_or_default());
            }
            let loads = key == "src" || (key == "href" && &*element.local == "link");
            assert!(!loads || value.starts_with('/'), "{name}: {key}={value}");
        }
        let is_script = &*element.local == "script";
        assert!(!is_script || node.children.borrow().is_empty(), "{name} has a script of its own");
    }
    node.children.borrow().iter().for_each(|child| check_node(name, child));
}

/// The page for people, which says all that the page for programs says.
#[track_caller]
fn rendered(page: &(impl Template + Serialize)) -> String {
    let html = page.render().expect("the template takes its page");
    let json = serde_json::to_value(page).expect("a page can be written as JSON");
    assert!(json["page"].is_string(), "{json}");
    let document = html5ever::parse_document(RcDom::default(), Default::default()).one(&*html);
    let mut said = String::new();
    gather(&document.document, &mut said);
    check_said("", &json, &html, &said);
    html
}

/// Adds the texts and the values of attributes that an HTML parser finds.
fn gather(node: &Handle, said: &mut String) {
    match &node.data {
        NodeData::Text { contents } => said.push_str(&contents.borrow()),
        NodeData::Element { attrs, .. } => {
            attrs.borrow().iter().for_each(|attribute| said.push_str(&format!("\n{}\n", attribute.value)));
        }
        _ => {}
    }
    node.children.borrow().iter().for_each(|child| gather(child, said));
}

/// Whether all that is said to programs is said to people too.
#[track_caller]
fn check_said(key: &str, value: &Value, html: &str, said: &str) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| check_said(key, value, html, said)),
        Value::Array(values) => values.iter().for_each(|value| check_said(key, value, html, said)),
        Value::String(text) if key.ends_with("-html") => assert!(html.contains(text), "{key}: {text}"),
        Value::String(_) if OWN_WORDS.contains(&key) => {}
        // The page itself, and its neighbours, which people find by the way.
        Value::String(text) if key.ends_with("href") && text.starts_with("/team/demo/-/") => {}
        Value::String(text) => {
            let is_said = said.contains(text.as_str()) || html.contains(text.as_str());
            assert!(is_said, "{key}: {text:?} is said to programs alone");
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What programs are told in words of their own, or where people are only told if it matters: what a page is
/// called, what kind of thing something is, which of how many entries are shown.
const OWN_WORDS: [&str; 6] = ["page", "kind", "class", "range", "count", "nothing"];

fn fixture() -> Fixture {
    Fixture::new(
        r#"mkdir -p src/deep
        printf '# Demo\n\nSome *words*, a [link](src/main.rs), <b onclick=x>raw</b>.\n\n## More\n\n```rust\nfn main() {}\n```\n' > README.md
        printf '// <&>\nfn main() {\n\tprintln!("x");\n}\n' > src/main.rs
        printf 'deep' > src/deep/file && ln -s README.md link && printf 'a\0b' > binary && : > nothing
        printf 'caf\351\n' > latin1.txt && printf 'a\342\200\256b\n' > reversed.txt && printf 'x' > image.png
        printf 'x' > "$(printf 'new\nline')" && printf 'x' > "$(printf 'bad\377')" && printf 'x' > '<b> "q"&%20?#'
        git add . && git commit -qm First -m 'With <b>bold</b> words.'
        git tag -a -m Tagged v1.9 && git tag v1.10
        printf '// <&>\nfn main() {\n\tprintln!("y");\n}' > src/main.rs && git mv binary moved && chmod +x nothing
        git rm -q latin1.txt && git add . && git commit -qm 'Second <i>' --author 'Gr<ce Hopper <grace@example.org>'
        git checkout -q -b side/branch HEAD~1 && echo side > side && git add . && git commit -qm Side && git checkout -q main
        git merge -q --no-ff -m Merge side/branch
        git update-index --add --cacheinfo 160000,0123456789012345678901234567890123456789,sub && git commit -qm Submodule"#,
    )
}

#[test]
fn the_summary() {
    let fixture = fixture();
    let opened = fixture.open();
    let Ok(Summary::Filled(page)) = summary::page(&fixture.place(), repository(&opened)) else {
        panic!("it has commits")
    };
    check("summary", &rendered(&*page));
}

#[test]
fn an_empty_repository() {
    let fixture = Fixture::new("");
    let opened = fixture.open();
    for (name, permission) in
        [("empty-reader", types::Permission::Read), ("empty-writer", types::Permission::Write)]
    {
        let mut place = fixture.place();
        place.permission = permission;
        let Ok(Summary::Empty(page)) = summary::page(&place, repository(&opened)) else {
            panic!("it is empty")
        };
        check(name, &rendered(&*page));
    }
}

#[test]
fn directories() {
    let fixture = fixture();
    let opened = fixture.open();
    for (name, rest) in
        [("tree-root", "main"), ("tree-deep", "side/branch/src/deep"), ("tree-tag", "v1.9/src")]
    {
        let at = revision::resolve(repository(&opened), rest.into())
            .expect("it can be read")
            .expect("it is there");
        let page = tree::page(&fixture.place(), repository(&opened), &at, 0).expect("a directory");
        check(name, &rendered(&page));
    }
}

#[test]
fn files() {
    let fixture = fixture();
    let opened = fixture.open();
    let cases = [
        ("blob-rust", "main/src/main.rs", Display::Best),
        ("blob-markdown", "main/README.md", Display::Best),
        ("blob-markdown-source", "main/README.md", Display::Source),
        ("blob-link", "main/link", Display::Best),
        ("blob-binary", "main/moved", Display::Best),
        ("blob-nothing", "main/nothing", Display::Best),
        ("blob-latin1", "v1.9/latin1.txt", Display::Best),
        ("blob-reversed", "main/reversed.txt", Display::Best),
        ("blob-image", "main/image.png", Display::Best),
        ("blob-newline", "main/new\nline", Display::Best),
        ("blob-hostile", "main/<b> \"q\"&%20?#", Display::Best),
    ];
    for (name, rest, display) in cases {
        let at = revision::resolve(repository(&opened), rest.into())
            .expect("it can be read")
            .expect("it is there");
        let page = blob::page(&fixture.place(), repository(&opened), &at, display).expect("a file");
        check(name, &rendered(&page));
    }
}

#[test]
fn where_lines_come_from() {
    let fixture = fixture();
    let opened = fixture.open();
    for (name, rest) in [("blame", "main/src/main.rs"), ("blame-binary", "main/moved")] {
        let at = revision::resolve(repository(&opened), rest.into())
            .expect("it can be read")
            .expect("it is there");
        let page = blame::page(&fixture.place(), repository(&opened), &at, Whitespace::Counts, 0);
        check(name, &rendered(&page.expect("a file")));
    }
}

#[test]
fn large_files() {
    let fixture = Fixture::new(
        r#"printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 5000000\n' \
            4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393 > 'a "b".png'
        ln -s 'a "b".png' link && git add . && git commit -qm One"#,
    );
    let opened = fixture.open();
    let at = revision::resolve(repository(&opened), "main/a \"b\".png".into());
    let at = at.expect("it can be read").expect("it is there");
    let page = blob::page(&fixture.place(), repository(&opened), &at, Display::Best).expect("a file");
    check("blob-large", &rendered(&page));
}

#[test]
fn histories() {
    let fixture = fixture();
    let opened = fixture.open();
    for (name, rest) in [("commits", "main"), ("commits-file", "main/src/main.rs")] {
        let at = revision::resolve(repository(&opened), rest.into())
            .expect("it can be read")
            .expect("it is there");
        let look = commits::Look::default();
        let page = commits::page(&fixture.place(), repository(&opened), &at, &look).expect("a history");
        check(name, &rendered(&page));
    }
    let at = revision::resolve(repository(&opened), "main".into()).expect("readable").expect("there");
    let look = commits::Look { chooses: true, ..commits::Look::default() };
    let page = commits::page(&fixture.place(), repository(&opened), &at, &look).expect("a history");
    check("commits-choose", &rendered(&page));
    let revision = revision::landing_branch(repository(&opened)).expect("readable").expect("there");
    let page = graph::page(&fixture.place(), repository(&opened), &revision, graph::Shown::One, None)
        .expect("a graph");
    check("graph", &rendered(&page));
}

#[test]
fn single_commits() {
    let fixture = fixture();
    let opened = fixture.open();
    let cases = [
        ("commit-first", "v1.9^{commit}", 1),
        ("commit-second", "main~1^1", 1),
        ("commit-merge", "main~1", 1),
        ("commit-merge-other", "main~1", 2),
        ("commit-submodule", "main", 1),
    ];
    for (name, revision, parent) in cases {
        let id = fixture.git(&format!("rev-parse '{revision}'")).parse().expect("an id");
        let page = commit::page(
            &fixture.place(),
            repository(&opened),
            id,
            commit::Against::Parent(parent),
            browse::diff::View::default(),
        )
        .expect("a commit");
        check(name, &rendered(&page));
    }
}

/// A branch that was merged, where both had changed the same line.
const CONFLICT: &str = r#"seq 20 > '<n>' && printf 'x\ty\n' > other && git add . && git commit -qm Base
    git checkout -q -b topic/x && sed -i 's/^10$/<ten>/' '<n>' && git commit -qam 'Say <ten>'
    git checkout -q main && sed -i 's/^10$/10 \& 10/; 18,19d' '<n>' && echo more >> other && git commit -qam 'Say it twice'
    git merge -q topic/x || true; sed -i '/^[<>=]\{7\}/d; s/^<ten>$/ten at last/' '<n>' && git commit -qam 'Merge both'"#;

#[test]
fn changes_in_every_view() {
    let fixture = Fixture::new(CONFLICT);
    let opened = fixture.open();
    let changed = |revision: &str, against, is_split| {
        let id = fixture.git(&format!("rev-parse '{revision}'")).parse().expect("an id");
        let view = View { is_split, ..View::default() };
        let page = commit::page(&fixture.place(), repository(&opened), id, against, view);
        rendered(&page.expect("a commit"))
    };
    check("commit-split", &changed("main~1", Against::FIRST, true));
    check("commit-combined", &changed("main", Against::All, false));
    for (name, rest, is_split) in
        [("compare", "main~1...topic/x", false), ("compare-split", "main~1..topic/x", true)]
    {
        let rest = rest.replace("main~1", &fixture.git("rev-parse main~1"));
        let pair =
            Pair::resolve(repository(&opened), rest.as_str().into()).expect("readable").expect("there");
        let view = View { is_split, ..View::default() };
        let page = compare::page(&fixture.place(), repository(&opened), &pair, view).expect("a comparison");
        check(name, &rendered(&page));
    }
    let page = compare::choice(&fixture.place(), repository(&opened)).expect("a choice");
    check("compare-choice", &rendered(&page));
}

#[test]
fn another_branch_is_chosen() {
    let fixture = fixture();
    let opened = fixture.open();
    for (name, page, words) in
        [("switch", Page::Blame("main/src/main.rs".into()), "I"), ("switch-nothing", Page::Summary, "<none>")]
    {
        let query = Fields::of_pairs(vec![("ref".to_owned(), words.to_owned())]);
        let choice = switch::page(&fixture.place(), repository(&opened), &page, &query).expect("readable");
        let Some(Switch::Choice(page)) = choice else { panic!("there is a choice") };
        check(name, &rendered(&*page));
    }
}

#[test]
fn what_was_done_lately() {
    struct Nothing;
    impl activity::Hiding for Nothing {
        fn hides(&self, _: &types::Repository, name: &BStr) -> bool {
            name == "refs/heads/secret"
        }
    }
    let repository = Fixture::new("").record.clone();
    let (a, b) = ("0123456789abcdef0123456789abcdef01234567", "123456789abcdef0123456789abcdef012345678");
    let event = |id, actor: &str, action: &str, details: &str| Event {
        id,
        at: COMMITTED + id as i64,
        actor: actor.into(),
        action: action.into(),
        repository: repository.clone(),
        details: details.into(),
    };
    let moves = format!(
        "refs/heads/main {a} {b}\nrefs/heads/<x> - {b}\nrefs/heads/secret {a} {b}\nrefs/tags/v1 {a} -\nand 7 more\n"
    );
    let events = vec![
        event(3, "ada", "push", &moves),
        event(2, "", "push", &format!("refs/heads/y - {b}\n")),
        event(1, "operator", "repository.create", "public"),
    ];
    let activity = EventList { overview: kit::overview(types::Permission::Read), events, next: Some(1) };
    let nothing = EventList { events: Vec::new(), next: None, ..activity.clone() };
    let frame = Frame::bare("/-/activity", lithe_web::Language::English);
    for (name, activity) in [("activity", &activity), ("activity-nothing", &nothing)] {
        check(name, &rendered(&activity::page(&frame, activity, &Nothing, COMMITTED + 300)));
    }
}

#[test]
fn branches_and_tags() {
    let fixture = fixture();
    let opened = fixture.open();
    let page = refs::page(&fixture.place(), repository(&opened), "", Offsets::default()).expect("refs");
    check("refs", &rendered(&page));
}

#[test]
fn numbers_of_a_history() {
    let fixture = fixture();
    let opened = fixture.open();
    let at =
        revision::resolve(repository(&opened), "main".into()).expect("it can be read").expect("it is there");
    let page =
        statistics::page(&fixture.place(), repository(&opened), &at, browse::statistics::Listed::First)
            .expect("numbers");
    check("statistics", &rendered(&page));
}

#[test]
fn what_cannot_be_read() {
    let fixture = fixture();
    check("not-on-disk", &rendered(&unavailable::not_on_disk(&fixture.place())));
    check("not-readable", &rendered(&unavailable::not_readable(&fixture.place())));
}

#[test]
fn groups() {
    let group = |path: &str| types::Group {
        id: 1,
        path: path.into(),
        description: "Tools & <things>".into(),
        owner: None,
        created: COMMITTED,
    };
    let repository = Fixture::new("").record.clone();
    let entry =
        |place: Listed, updated: Option<i64>| Entry { place, permission: types::Permission::Read, updated };
    let updated = repository.updated;
    let entries = vec![
        entry(Listed::Group(group("team/empty")), None),
        entry(Listed::Group(group("team/tools")), Some(updated + 60)),
        entry(Listed::Repository(repository), Some(updated)),
    ];
    let listing = Listing { overview: kit::overview(types::Permission::Admin), entries, total: 3 };
    let nothing = Listing { entries: Vec::new(), total: 0, ..listing.clone() };
    let team = group("team");
    let subject = Subject::Group { group: &team, permission: types::Permission::Read };
    let cases = [
        ("home", Subject::Home, &listing),
        ("home-empty", Subject::Home, &nothing),
        ("group", subject, &listing),
        ("search", Subject::Search("<demo>"), &listing),
        ("search-nothing", Subject::Search("<demo>"), &nothing),
        ("group-search", subject, &listing),
        ("group-nothing", subject, &nothing),
        ("group-by-owner", subject, &listing),
    ];
    for (name, subject, listing) in cases {
        let query: &[u8] = match name {
            "group-by-owner" => b"sort=owner",
            _ if name.starts_with("group-") => b"q=%3Cdemo%3E&sort=change",
            _ => b"",
        };
        check(
            name,
            &rendered(&listing::page(
                &Frame::bare("/", lithe_web::Language::English),
                subject,
                listing,
                &Wish::of(&Fields::parse(query).expect("a query")),
                COMMITTED + 300,
            )),
        );
    }
}

#[test]
fn finding_files() {
    let fixture = fixture();
    let opened = fixture.open();
    let at =
        revision::resolve(repository(&opened), "main".into()).expect("it can be read").expect("it is there");
    let page = find::page(&fixture.place(), repository(&opened), &at.revision, "main").expect("files");
    check("find", &rendered(&page));
    let expected = fixture.shell("git -C team/demo.git ls-tree -r -z --name-only main");
    let expected = String::from_utf8_lossy(&expected);
    let mut expected: Vec<&str> = expected.split_terminator('\0').filter(|path| *path != "sub").collect();
    expected.sort_unstable();
    let mut all = find::all(&fixture.place(), repository(&opened), &at.revision).expect("files").paths;
    all.sort();
    assert_eq!(all.len(), expected.len(), "{all:?}");
}

#[test]
fn paths_that_are_not_there() {
    let fixture = Fixture::new(
        "mkdir dir && seq 20 > dir/old && seq 5 > gone && echo x > stays && git add . && git commit -qm One
        git mv dir/old new && echo more >> new && git commit -qam Rename
        git rm -q gone && git commit -qm Remove
        mkdir -p lib/core && seq 9 > lib/core/a && seq 8 > lib/b && echo c > lib/c && git add . && git commit -qm Library
        mkdir src && git mv lib src/lib && echo changed > src/lib/c && git add . && git commit -qm 'Move the library'
        mkdir parts && echo 1 > parts/1 && echo 2 > parts/2 && git add . && git commit -qm Parts
        git mv parts/1 one && git rm -q parts/2 && git commit -qm 'Take the parts apart'
        git checkout -q -b side HEAD~6 && git rm -q stays && git commit -qm Side && git checkout -q main",
    );
    let opened = fixture.open();
    let missing = |rest: &str| missing::page(&fixture.place(), repository(&opened), &Page::Blob(rest.into()));
    for (name, rest) in [
        ("missing-renamed", "main/dir/old"),
        ("missing-removed", "main/gone"),
        ("missing-moved", "main/lib"),
        ("missing-apart", "main/parts"),
        ("missing-here", "side/stays"),
    ] {
        check(name, &rendered(&missing(rest).expect("there is something to say")));
    }
    for rest in ["main/never", "main/never/ever", "main/stays/x"] {
        let page = rendered(&missing(rest).expect("the branch is there"));
        assert!(
            page.contains("is not in main.") && !page.contains("It was") && !page.contains("It is in"),
            "{page}"
        );
    }
    let unknown = rendered(&missing("nothing/x").expect("it says so"));
    assert!(unknown.contains("<code>nothing/x</code> begins with no branch, tag or commit"), "{unknown}");
    let of_commit = |id: &str| missing::page(&fixture.place(), repository(&opened), &Page::Commit(id.into()));
    assert!(rendered(&of_commit("zzz").expect("it says so")).contains("<code>zzz</code> begins with no"));
}

#[test]
fn a_submodule_says_what_it_is() {
    let id = "3fce3b5a3fce3b5a3fce3b5a3fce3b5a3fce3b5a";
    let fixture = Fixture::new(&format!(
        "git config -f .gitmodules submodule.lib.path sub/lib && git config -f .gitmodules submodule.lib.url git@example.org:a/lib.git
        git add . && git update-index --add --cacheinfo 160000,{id},sub/lib && git commit -qm 'Add a submodule'"
    ));
    let opened = fixture.open();
    for page in [Page::Blob("main/sub/lib".into()), Page::Tree("main/sub/lib".into())] {
        let html =
            rendered(&missing::page(&fixture.place(), repository(&opened), &page).expect("it says so"));
        assert!(html.contains(&format!("at its commit <code>{id}</code>")), "{html}");
        assert!(html.contains("href=\"https://example.org/a/lib\"") && !html.contains("is not in main"));
    }
}
