//! What `<ref>/<path>` means, in a repository made by `git`.

mod kit;

use kit::{Fixture, repository};
use lithe_code::revision::{self, Kind, Resolved};

const FORMATS: [&str; 2] = ["sha1", "sha256"];

fn fixture(format: &str) -> Fixture {
    Fixture::of_format(
        format,
        r#"mkdir -p src/deep && echo a > src/deep/a && git add . && git commit -qm First
        git tag -a -m Tag v1.0 && git tag -a -m 'Tag of a tag' v1.0-again v1.0 && git tag light
        git branch feature/x && git branch feature/y/z && git tag feature/x/y
        echo b > b && git add . && git commit -qm Second && git branch both && git tag both v1.0
        git tag tree-tag 'HEAD^{tree}' && git branch beef && git branch żółw"#,
    )
}

#[test]
fn the_longest_name_is_taken() {
    FORMATS.into_iter().for_each(check_names);
}

fn check_names(format: &str) {
    let fixture = fixture(format);
    let (first, second) = (fixture.git("rev-parse main~1"), fixture.git("rev-parse main"));
    let (first, second) = (first.as_str(), second.as_str());
    let cases: &[(&str, Option<(Kind, &str, &str, &str)>)] = &[
        ("", Some((Kind::Branch, "main", second, ""))),
        ("HEAD", Some((Kind::Branch, "main", second, ""))),
        ("main", Some((Kind::Branch, "main", second, ""))),
        ("main/src/deep", Some((Kind::Branch, "main", second, "src/deep"))),
        ("main/nothing", Some((Kind::Branch, "main", second, "nothing"))),
        ("feature/x", Some((Kind::Branch, "feature/x", first, ""))),
        ("feature/x/src", Some((Kind::Branch, "feature/x", first, "src"))),
        // A tag that is longer than the branch it begins with.
        ("feature/x/y", Some((Kind::Tag, "feature/x/y", first, ""))),
        ("feature/x/y/src", Some((Kind::Tag, "feature/x/y", first, "src"))),
        ("feature/y/z/src", Some((Kind::Branch, "feature/y/z", first, "src"))),
        ("v1.0", Some((Kind::Tag, "v1.0", first, ""))),
        ("v1.0-again/src", Some((Kind::Tag, "v1.0-again", first, "src"))),
        ("light", Some((Kind::Tag, "light", first, ""))),
        // A branch and a tag of one name.
        ("both", Some((Kind::Branch, "both", second, ""))),
        ("refs/tags/both/src", Some((Kind::Tag, "refs/tags/both", first, "src"))),
        ("refs/heads/both", Some((Kind::Branch, "refs/heads/both", second, ""))),
        // A branch whose name could be an id.
        ("beef/src", Some((Kind::Branch, "beef", second, "src"))),
        ("żółw/src", Some((Kind::Branch, "żółw", second, "src"))),
        (first, Some((Kind::Commit, first, first, ""))),
        (&first[..7], Some((Kind::Commit, first, first, ""))),
        ("feature", None),
        ("nothing", None),
        ("tree-tag", None),
        (&first[..3], None),
        // Forty digits are a whole id or the beginning of one, and more than there can be are neither.
        (&first[..40], Some((Kind::Commit, first, first, ""))),
        (&format!("{first}0"), None),
        (&"0".repeat(40), None),
        (&"0".repeat(64), None),
        ("refs/heads", None),
        ("refs/heads/../../config", None),
    ];
    let opened = fixture.open();
    for (rest, expected) in cases {
        let resolved = revision::resolve(repository(&opened), (*rest).into()).expect("it can be read");
        let found = resolved.as_ref().map(|Resolved { revision, path }| {
            (revision.kind, revision.name.to_string(), revision.commit_id.to_string(), path.to_string())
        });
        let expected =
            expected.map(|(kind, name, id, path)| (kind, name.to_owned(), id.to_owned(), path.to_owned()));
        assert_eq!(found, expected, "{rest}");
    }
}

#[test]
fn every_abbreviation_that_git_takes_is_taken() {
    FORMATS.into_iter().for_each(check_abbreviations);
}

fn check_abbreviations(format: &str) {
    let fixture = Fixture::with_commits(format, 300);
    for packed in [false, true] {
        if packed {
            fixture.shell("git -C team/demo.git gc -q");
        }
        let opened = fixture.open();
        for line in fixture.git("log --format='%H %h' --abbrev=4").lines() {
            let (id, abbreviation) = line.split_once(' ').expect("two words");
            let find = |digits: &str| {
                let found = revision::commit_by_abbreviation(repository(&opened), digits.into());
                found.expect("it can be read").map(|id| id.to_string())
            };
            assert_eq!(find(abbreviation).as_deref(), Some(id));
            assert_eq!(find(&id.to_uppercase()).as_deref(), Some(id));
        }
    }
}

#[test]
fn an_ambiguous_abbreviation_is_none() {
    // Among this many commits some have the same first four digits.
    let fixture = Fixture::with_commits("sha1", 1_000);
    let ids = fixture.git("log --format=%H");
    let mut ids: Vec<&str> = ids.lines().collect();
    ids.sort_unstable();
    let opened = fixture.open();
    let pairs: Vec<_> = ids.windows(2).filter(|pair| pair[0][..4] == pair[1][..4]).collect();
    assert!(!pairs.is_empty(), "the commits are always the same");
    for pair in pairs {
        let found = revision::commit_by_abbreviation(repository(&opened), pair[0][..4].into());
        assert_eq!(found, Ok(None), "{pair:?}");
    }
}

#[test]
fn the_landing_branch_is_that_of_head_or_else_one_there_is() {
    let fixture = fixture("sha1");
    let landing = |fixture: &Fixture| {
        let opened = fixture.open();
        revision::landing_branch(repository(&opened))
            .expect("it can be read")
            .map(|found| found.name.to_string())
    };
    assert_eq!(landing(&fixture).as_deref(), Some("main"));
    fixture.git("symbolic-ref HEAD refs/heads/feature/x");
    assert_eq!(landing(&fixture).as_deref(), Some("feature/x"));
    fixture.git("symbolic-ref HEAD refs/heads/not-there");
    assert_eq!(landing(&fixture).as_deref(), Some("beef"));
    assert_eq!(landing(&Fixture::new("")), None);
}

#[test]
fn what_a_fetch_may_not_see_is_not_shown() {
    let fixture = Fixture::new(
        "git commit -q --allow-empty -m one && git tag shown
        git commit -q --allow-empty -m two && git tag secret/plan && git reset -q --hard HEAD~",
    );
    let id = fixture.git("rev-parse secret/plan");
    let shown = fixture.git("rev-parse shown");
    fixture.shell("git -C team/demo.git config transfer.hideRefs refs/tags/secret");
    let opened = fixture.open();
    let is_found =
        |name: &str| revision::resolve(repository(&opened), name.into()).expect("it is readable").is_some();
    assert!(is_found("shown") && is_found(&shown) && is_found(&shown[..8]));
    for secret in ["secret/plan", &id, &id[..8]] {
        assert!(!is_found(secret), "{secret}");
    }
    assert_eq!(repository(&opened).refs.with_prefix("refs/tags/".into()).len(), 1);
}
