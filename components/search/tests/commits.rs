//! What is found of commits, with `git log` as the judge, and of paths, with `git ls-files`.

mod kit;

use kit::{Fixture, Open};
use search::content::Budget;
use search::index::files::Files;
use search::query::Query;
use search::searching::{Hits, Indexes, Kind, Searching};

const HISTORY: &str = r#"
n=0
say() { n=$((n + 1)); GIT_AUTHOR_NAME=$1 GIT_AUTHOR_EMAIL=$2 GIT_COMMITTER_DATE="$((1700000000 + n * 60)) +0000" git commit -q --allow-empty -m "$3"; }
say Ada ada@example.org 'Begin the engine'
say 'Grace Hopper' grace@navy.example "$(printf 'Add a compiler\n\nIt reads words.\nFixes: the ENGINE')"
say Ada ada@example.org 'Repair the compiler'
git checkout -q -b side && say 'Zoë <x>' zoe@example.org 'Engine on the side' && git checkout -q main
say ada2 other@example.org 'mention Grace here' && GIT_COMMITTER_DATE='1800000000 +0000' git merge -q -m 'Merge the side' side
for k in $(seq 120); do say Bulk bulk@example.org "Change number $k"; done
mkdir -p src/Lib docs && touch src/main.rs src/Lib/Main.rs docs/main.md README && git add . && say Ada ada@example.org 'Files'
"#;

/// Everything that is found, over as many pages as there are.
fn found(fixture: &Fixture, open: &Open, kind: Kind, revision: &str, query: &str) -> Vec<String> {
    let query = Query::parse(query).expect("a query");
    let searching = Searching::new(&query, kind).expect("a query").expect("something is asked for");
    let indexes = Indexes::new(fixture.index());
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let after_now: Option<&bstr::BStr> = after.as_ref().map(|after: &bstr::BString| after.as_ref());
        let (part, _) = searching
            .search(open.repository(), &indexes, open.commit(revision), after_now, Budget::without_clock(7))
            .expect("it is readable");
        match part.hits {
            Hits::Files(files) => all.extend(files.into_iter().map(|file| file.path.to_string())),
            Hits::Paths(paths) => all.extend(paths.into_iter().map(|path| path.shown)),
            Hits::Commits(commits) => {
                all.extend(commits.into_iter().map(|found| found.commit.id.to_string()))
            }
        }
        match part.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

fn logged(fixture: &Fixture, arguments: &str) -> Vec<String> {
    let output = fixture.shell(&format!("git -C demo.git log --date-order --format=%H {arguments}"));
    String::from_utf8(output).expect("text").lines().map(str::to_owned).collect()
}

#[test]
fn the_same_commits_are_found_as_by_git_log() {
    let fixture = Fixture::new(HISTORY);
    let open = fixture.open();
    let cases = [
        ("engine", "-i --grep=engine"),
        ("Engine case:yes", "--grep=Engine"),
        ("\"the compiler\"", "-i --grep='the compiler'"),
        ("grace", "-i --grep=grace"),
        ("author:ada", "-i --author=ada"),
        ("author:grace@navy", "-i --author=grace@navy"),
        ("author:Zoë", "-i --author=Zoë"),
        ("compiler author:ada", "-i --all-match --author=ada --grep=compiler"),
        ("regex:yes ^Fixes: .*engine$", "-i -E --grep='^Fixes: .*engine$'"),
        ("number word:yes", "-i --grep='\\bnumber\\b'"),
        ("\"number 10\"", "--grep='number 10'"),
        ("absent", "--grep=absent"),
        ("regex:yes ^$", "--grep=absent"),
    ];
    for revision in ["main", "side"] {
        for (query, arguments) in cases {
            let mut expected = logged(&fixture, &format!("{arguments} {revision}"));
            let mut ours = found(&fixture, &open, Kind::Commits, revision, query);
            if query.ends_with("^$") {
                // Of the one message with an empty line, `git log` takes each for its own.
                expected = logged(&fixture, &format!("--grep='Add a compiler' {revision}"));
            }
            let whole = ours.clone();
            ours.sort();
            expected.sort();
            assert_eq!(ours, expected, "{query} {revision}");
            assert_eq!(whole.len(), expected.len());
        }
    }
    let latest = found(&fixture, &open, Kind::Commits, "main", "author:a");
    assert_eq!(latest[0], logged(&fixture, "-1 --grep='Merge the side' main")[0], "the latest comes first");
}

#[test]
fn pushes_of_commits_are_followed() {
    let fixture = Fixture::new(HISTORY);
    let count = |query: &str| found(&fixture, &fixture.open(), Kind::Commits, "main", query).len();
    assert_eq!(count("change"), 120);
    fixture.push("git commit -q --allow-empty -m 'change after' && git commit -q --allow-empty -m 'another'");
    assert_eq!(count("change"), 121);
    fixture.push("git reset -q --hard HEAD~52 && git commit -q --allow-empty -m 'change instead'");
    assert_eq!(count("change"), logged(&fixture, "-i --grep=change main").len(), "what is gone is not found");
    fixture.push("git checkout -q --orphan fresh && git commit -q --allow-empty -m 'no past' && git branch -M fresh main");
    assert_eq!((count("change"), count("past")), (0, 1));
}

#[test]
fn paths_are_found() {
    let fixture = Fixture::new(HISTORY);
    let cases: &[(&str, &[&str])] = &[
        ("main", &["docs/main.md", "src/Lib/Main.rs", "src/main.rs"]),
        ("Main case:yes", &["src/Lib/Main.rs"]),
        ("src main", &["src/Lib/Main.rs", "src/main.rs"]),
        ("regex:yes ^[^/]+/main", &["docs/main.md", "src/main.rs"]),
        ("path:*.rs", &["src/Lib/Main.rs", "src/main.rs"]),
        ("main lang:markdown", &["docs/main.md"]),
        ("absent", &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(found(&fixture, &fixture.open(), Kind::Paths, "main", query), *expected, "{query}");
    }
    assert_eq!(found(&fixture, &fixture.open(), Kind::Paths, "side", "main"), [""; 0]);
}

#[test]
fn nothing_asked_for_is_no_search() {
    for (query, kind) in [
        ("", Kind::Content),
        ("path:x", Kind::Content),
        ("author:x", Kind::Content),
        ("", Kind::Paths),
        ("case:yes", Kind::Paths),
        ("lang:rust", Kind::Commits),
    ] {
        let query = Query::parse(query).expect("a query");
        assert!(Searching::new(&query, kind).expect("a query").is_none(), "{query:?}");
    }
    assert_eq!(Files::empty(gix_hash::Kind::Sha1).len(), 0);
}
