//! What a repository's own page says of it: its latest commits, how much it is, and its README.

mod kit;

use askama::Template as _;
use browse::limits::{EXTENT_COMMITS_READ_MAX, EXTENT_UNKNOWN_MAX, SUMMARY_COMMITS_MAX};
use browse::place::Place;
use browse::summary::{self, Summary};
use browse::{statistics, tree};
use kit::{COMMITTED, Fixture, Kept, repository};
use lithe_code::revision;
use serde_json::Value;

/// The summary as programs are told it.
#[track_caller]
fn summary(place: &Place<'_>, fixture: &Fixture) -> Value {
    let opened = fixture.open();
    match summary::page(place, repository(&opened)) {
        Ok(Summary::Filled(page)) => serde_json::to_value(&*page).expect("a page can be written"),
        Ok(Summary::Empty(_)) => panic!("it has commits"),
        Err(failure) => panic!("{failure:?}"),
    }
}

fn statistics_of_main(place: &Place<'_>, fixture: &Fixture) {
    let opened = fixture.open();
    let at = revision::resolve(repository(&opened), "main".into()).expect("readable").expect("there");
    statistics::page(place, repository(&opened), &at, browse::statistics::Listed::First).expect("numbers");
}

#[test]
fn the_latest_commits_are_those_of_git_log() {
    let fixture = Fixture::new(
        r#"for i in $(seq 6); do git commit -q --allow-empty -m "On main $i"; done
        git checkout -q -b side HEAD~3 && for i in $(seq 4); do git commit -q --allow-empty -m "On side $i"; done
        git checkout -q main && git merge -q --no-ff -m Merge side && git commit -q --allow-empty -m Last"#,
    );
    let expected = fixture.git(&format!("log -{SUMMARY_COMMITS_MAX} --format=%H main"));
    let told = summary(&fixture.place(), &fixture);
    let commits = told["commits"].as_array().expect("commits");
    let hrefs: Vec<_> = commits.iter().map(|commit| commit["href"].as_str().expect("a link")).collect();
    let expected: Vec<_> = expected.lines().map(|id| format!("/team/demo/-/commit/{id}")).collect();
    assert_eq!(hrefs, expected);
    assert_eq!(told["commits"][0]["title"], "Last");
    assert_eq!(told["latest"]["href"], told["commits"][0]["href"]);
}

#[test]
fn of_few_commits_all_are_listed_and_of_a_shallow_repository_those_that_are_there() {
    let one = Fixture::new("git commit -q --allow-empty -m Only");
    assert_eq!(summary(&one.place(), &one)["commits"].as_array().map(Vec::len), Some(1));
    let fixture = Fixture::new("for i in $(seq 5); do git commit -q --allow-empty -m $i; done");
    fixture.shell(
        "git clone -q --bare --depth 2 file://$PWD/team/demo.git shallow && rm -r team/demo.git && mv shallow team/demo.git",
    );
    let told = summary(&fixture.place(), &fixture);
    assert_eq!(told["commits"].as_array().map(Vec::len), Some(2));
    assert_eq!(told["commit-count"], Value::Null);
}

#[test]
fn as_many_commits_are_counted_as_git_counts_whatever_was_pushed() {
    let fixture = Fixture::new(
        r#"for i in $(seq 30); do git commit -q --allow-empty -m $i; done
        git checkout -q -b side HEAD~20 && for i in $(seq 7); do git commit -q --allow-empty -m side; done
        git checkout -q main && git merge -q --no-ff -m Merge side"#,
    );
    let kept = Kept::default();
    let place = Place { cache: &kept, ..fixture.place() };
    let counted = || summary(&place, &fixture)["commit-count"].clone();
    let judged = || format!("{} commits", fixture.git("rev-list --count main"));
    assert_eq!(counted(), judged());
    let pushes = [
        "git commit -q --allow-empty -m more",
        "GIT_COMMITTER_DATE='1750000100 +0000' git commit -q --allow-empty -m later",
        "git reset -q --hard HEAD~3",
        "git reset -q --hard side && git commit -q --allow-empty -m other",
        "git checkout -q --orphan new && git commit -q --allow-empty -m unrelated && git commit -q --allow-empty -m 2 \
         && git branch -q -M new main",
    ];
    for push in pushes {
        fixture.shell(&format!("cd work && {push} && git push -q -f origin main"));
        assert_eq!(counted(), judged(), "{push}");
        // With nothing known before, too; and once the commit-graph knows all.
        assert_eq!(summary(&fixture.place(), &fixture)["commit-count"], judged(), "{push}");
        fixture.git("commit-graph write --reachable");
        assert_eq!(summary(&fixture.place(), &fixture)["commit-count"], judged(), "{push}");
    }
}

#[test]
fn what_would_take_long_to_count_is_not_until_the_commit_graph_knows_it() {
    let fixture = Fixture::with_commits("sha1", EXTENT_UNKNOWN_MAX as u32 + 1);
    let kept = Kept::default();
    let place = Place { cache: &kept, ..fixture.place() };
    for _ in 0..2 {
        assert_eq!(summary(&place, &fixture)["commit-count"], Value::Null);
    }
    fixture.git("commit-graph write --reachable");
    assert_eq!(summary(&place, &fixture)["commit-count"], "2,001 commits");
}

#[test]
fn a_long_history_is_counted_a_part_with_each_view() {
    let commit = |n: usize| {
        format!("commit refs/heads/main\ncommitter A <a@b> {} +0000\ndata 1\nx\n", COMMITTED + n as i64)
    };
    let stream: String = (0..EXTENT_COMMITS_READ_MAX + 10).map(commit).collect();
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git -c fastimport.unpackLimit=1 fast-import --quiet < stream");
    fixture.git("commit-graph write --reachable");
    let kept = Kept::default();
    let place = Place { cache: &kept, ..fixture.place() };
    assert_eq!(summary(&place, &fixture)["commit-count"], Value::Null);
    assert_eq!(summary(&place, &fixture)["commit-count"], "50,010 commits");
}

#[test]
fn people_are_counted_once_the_statistics_are_and_from_then_on() {
    let fixture = Fixture::new(
        "git commit -q --allow-empty -m 1 && git commit -q --allow-empty -m 2 --author 'Grace <grace@example.org>'",
    );
    let kept = Kept::default();
    let place = Place { cache: &kept, ..fixture.place() };
    let people = || summary(&place, &fixture)["contributor-count"].clone();
    assert_eq!(people(), Value::Null);
    statistics_of_main(&place, &fixture);
    assert_eq!(people(), "2 contributors");
    let pushes = [("Grace <grace@example.org>", 1, "2"), ("Alan <alan@example.org>", 2, "3")];
    for (author, minutes, expected) in pushes {
        let date = COMMITTED + minutes * 60;
        fixture.shell(&format!(
            "cd work && GIT_COMMITTER_DATE='{date} +0000' git commit -q --allow-empty -m x --author '{author}'
            git push -q origin main"
        ));
        assert_eq!(people(), format!("{expected} contributors"), "{author}");
    }
    assert_eq!(summary(&place, &fixture)["commit-count"], "4 commits");
}

#[test]
fn the_permanent_address_is_offered_beside_the_name() {
    let fixture = Fixture::new("git commit -q --allow-empty -m 1");
    let told = summary(&fixture.place(), &fixture);
    assert_eq!(told["clone-url"], "http://localhost:8000/team/demo.git");
    assert_eq!(told["permanent-clone-url"], "http://localhost:8000/_7.git");
}

/// What of a README is shown: what it is called, where it is, and what it says.
fn readme(script: &str, rest: &str) -> Option<(String, String, String)> {
    let fixture = Fixture::new(&format!(
        "mkdir -p docs src && echo x > src/x && {script}\ngit add . && git commit -qm 1"
    ));
    let opened = fixture.open();
    let at = revision::resolve(repository(&opened), rest.into()).expect("readable").expect("there");
    let page = tree::page(&fixture.place(), repository(&opened), &at, 0).expect("a directory");
    let told = serde_json::to_value(&page).expect("a page can be written");
    if rest == "main" {
        assert_eq!(summary(&fixture.place(), &fixture)["readme"], told["readme"]);
    }
    assert!(page.render().is_ok());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let found = &told["readme"];
    Some((text(&found["name"])?, text(&found["href"])?, text(&found["body"]["value"])?))
}

#[test]
fn a_readme_is_found_by_its_names_and_in_docs() {
    let cases = [
        ("echo '*a*' > README.mdown", "README.mdown", "README.mdown", "<em>a</em>"),
        ("echo '*a*' > ReadMe.mkdn", "ReadMe.mkdn", "ReadMe.mkdn", "<em>a</em>"),
        ("echo '*a*' > README.rest", "README.rest", "README.rest", "<em>a</em>"),
        ("echo '*a*' > README.text", "README.text", "README.text", "*a*"),
        ("echo '*a*' > docs/README.md", "README.md", "docs/README.md", "<em>a</em>"),
        ("echo a > docs/README.md && echo b > readme.txt", "readme.txt", "readme.txt", "b"),
        ("echo '[x](x)' > docs/readme.md", "readme.md", "docs/readme.md", "/team/demo/-/blob/main/docs/x"),
    ];
    for (script, name, path, says) in cases {
        let found = readme(script, "main").unwrap_or_else(|| panic!("{script}: nothing is found"));
        assert_eq!((found.0.as_str(), found.1), (name, format!("/team/demo/-/blob/main/{path}")), "{script}");
        assert!(found.2.contains(says), "{script}: {}", found.2);
    }
    assert_eq!(readme("mkdir -p src/docs && echo a > src/docs/README.md", "main/src"), None);
    assert_eq!(readme("mkdir README.md && echo a > README.md/a", "main"), None);
}

#[test]
fn a_readme_that_is_a_symbolic_link_is_followed_within_the_tree() {
    let cases = [
        ("echo '*a*' > docs/intro.md && ln -s docs/intro.md README.md", Some("docs/intro.md")),
        ("echo '*a*' > docs/intro && ln -s ./docs/../docs//intro README.md", Some("docs/intro")),
        ("echo '*a*' > docs/a.md && ln -s a.md docs/b && ln -s docs/b README", Some("docs/a.md")),
        ("echo '*a*' > docs/a.md && ln -s docs there && ln -s there/a.md README.md", Some("docs/a.md")),
        // The first that leads to a file is shown.
        ("ln -s nothing README.md && echo '*a*' > readme.rst", Some("readme.rst")),
        ("ln -s docs README.md", None),
        ("ln -s README.md README.md", None),
        ("ln -s README.txt README.md && ln -s README.md README.txt", None),
        ("ln -s nothing README.md", None),
        ("echo a > a && ln -s /a README.md", None),
        ("echo a > a && ln -s ../a README.md", None),
        ("echo a > a && ln -s docs/../../a README.md", None),
        ("echo a > a && ln -s a/ README.md", None),
        ("echo a > a && ln -s a/.. README.md", None),
        ("ln -s \"$(printf 'x/%.0s' $(seq 2000))\" README.md", None),
    ];
    for (script, path) in cases {
        let found = readme(script, "main");
        let at = found.as_ref().map(|(_, href, _)| href.as_str());
        let expected = path.map(|path| format!("/team/demo/-/blob/main/{path}"));
        assert_eq!(at, expected.as_deref(), "{script}");
        assert!(found.is_none_or(|(_, _, html)| html.contains("<em>a</em>")), "{script}");
    }
}
