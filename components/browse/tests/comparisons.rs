//! How commits are related, against what `git` tells.

mod kit;

use askama::Template as _;
use browse::compare::{self, Pair};
use browse::diff::View;
use browse::limits::COMPARED_COMMITS_MAX;
use browse::patches::Form;
use browse::place::Place;
use browse::refs;
use browse::related::Related;
use gix_hash::ObjectId;
use kit::{COMMITTED, Fixture, Kept, Numbers, repository};
use lithe_code::across::Across;
use lithe_code::relation::{distance_within, relation, relation_within};
use lithe_code::storage::{self, Opened};
use std::rc::Rc;

/// A history of `count` commits with many merges, some of them crossed; `b<n>` is the commit number `n`.
fn random_history(seed: u64, count: u64) -> Fixture {
    let mut numbers = Numbers(seed);
    let fixture = Fixture::new("");
    let mut stream = String::new();
    for commit in 1..=count {
        let date = COMMITTED + commit as i64 * 60;
        stream += &format!(
            "commit refs/heads/b{commit}\nmark :{commit}\ncommitter A <a@b> {date} +0000\ndata 1\nx\n"
        );
        let mut parents: Vec<u64> = Vec::new();
        for _ in 0..1 + numbers.below(3) {
            let back = 1 + numbers.below(6);
            if back < commit && !parents.contains(&(commit - back)) {
                parents.push(commit - back);
            }
        }
        for (index, parent) in parents.iter().enumerate() {
            stream += &format!("{} :{parent}\n", if index == 0 { "from" } else { "merge" });
        }
        stream += &format!("M 644 inline f{}\ndata 2\n{}\n\n", commit % 7, commit % 10);
    }
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet < stream");
    fixture
}

#[test]
fn ahead_behind_and_merge_bases_are_those_of_git() {
    for (seed, has_graph) in [(1, false), (2, true), (3, true), (4, false)] {
        let fixture = random_history(seed, 60);
        if has_graph {
            fixture.git("commit-graph write --reachable");
        }
        let opened = fixture.open();
        let mut numbers = Numbers(seed + 77);
        for _ in 0..40 {
            let [a, b] = [1 + numbers.below(60), 1 + numbers.below(60)];
            let id = |n: u64| -> ObjectId { fixture.git(&format!("rev-parse b{n}")).parse().expect("an id") };
            let found = relation(repository(&opened), id(a), id(b)).expect("readable");
            let counts = format!("{}\t{}", found.behind, found.ahead.len());
            assert_eq!(counts, fixture.git(&format!("rev-list --left-right --count b{a}...b{b}")), "{a} {b}");
            let mut ahead: Vec<String> = found.ahead.iter().map(ToString::to_string).collect();
            ahead.sort();
            let listed = fixture.git(&format!("rev-list b{a}..b{b}"));
            let mut expected: Vec<&str> = listed.lines().collect();
            expected.sort_unstable();
            assert_eq!(ahead, expected, "{a} {b}");
            let bases: Vec<String> = found.merge_bases.iter().map(ToString::to_string).collect();
            let listed = fixture.git(&format!("merge-base --all b{a} b{b} || true"));
            let mut expected: Vec<&str> = listed.lines().collect();
            expected.sort_unstable();
            assert_eq!(bases, expected, "{a} {b}");
        }
    }
}

/// Two branches that parted.
const PARTED: &str = "echo a > a && git add . && git commit -qm Base
    git checkout -qb topic/x && echo b > b && git add . && git commit -qm 'Add b' && echo c >> b && git commit -qam 'Change b'
    git checkout -q main && echo m > m && git add . && git commit -qm 'On main'";

fn pair(fixture: &Fixture, rest: &str) -> Pair {
    Pair::resolve(repository(&fixture.open()), rest.into()).expect("readable").expect("both are there")
}

#[test]
fn a_comparison_shows_commits_and_changes() {
    let fixture = Fixture::new(PARTED);
    let opened = fixture.open();
    let html = |rest: &str| {
        let page =
            compare::page(&fixture.place(), repository(&opened), &pair(&fixture, rest), View::default());
        page.expect("readable").render().expect("the template takes its page")
    };
    let since = html("main...topic/x");
    assert!(since.contains("2 commits ahead, 1 commit behind"), "{since}");
    assert!(since.contains("Change b") && !since.contains("On main"));
    assert!(since.contains("1 file changed"));
    assert!(since.contains("/team/demo/-/compare/topic/x...main"), "the two can be swapped");
    let all = html("main..topic/x");
    assert!(all.contains("2 files changed"));
    assert!(html("main...main").contains("The two are the same"));
}

#[test]
fn how_two_are_related_is_looked_for_once() {
    let fixture = Fixture::new(PARTED);
    let opened = fixture.open();
    let pair = pair(&fixture, "main...topic/x");
    let kept = Kept::default();
    let place = Place { cache: &kept, ..fixture.place() };
    let found = Related::of_pair(&place, repository(&opened), &pair).expect("readable");
    assert_eq!((found.ahead, found.behind, found.listed.len(), kept.puts()), (2, 1, 2, 1));
    // Nothing is read any more: another repository has nothing of this.
    let empty = Fixture::new("");
    let nothing = empty.open();
    assert_eq!(Related::of_pair(&place, repository(&nothing), &pair).expect("it is kept"), found);
    assert_ne!(Related::of_pair(&empty.place(), repository(&nothing), &pair).expect("gaps"), found);
}

#[test]
fn what_was_found_beyond_a_cut_is_not_kept() {
    let fixture = Fixture::new(PARTED);
    fixture.shell(
        "cd team && mv demo.git whole.git && git clone -q --bare --depth 1 --no-single-branch file://$PWD/whole.git demo.git",
    );
    let opened = fixture.open();
    let pair = pair(&fixture, "main..topic/x");
    let kept = Kept::default();
    let place = Place { cache: &kept, ..fixture.place() };
    let cut = Related::of_pair(&place, repository(&opened), &pair).expect("readable");
    assert_eq!((cut.merge_bases.len(), kept.puts()), (0, 0));
    fixture.shell("git -C team/demo.git fetch -q --unshallow");
    let whole = Related::of_pair(&place, repository(&fixture.open()), &pair).expect("readable");
    assert_eq!((whole.merge_bases.len(), kept.puts()), (1, 1));
}

#[test]
fn a_comparison_is_sent_as_git_writes_it() {
    let fixture = Fixture::new(PARTED);
    let opened = fixture.open();
    for rest in ["main...topic/x", "main..topic/x"] {
        let found = compare::patch(&fixture.place(), repository(&opened), &pair(&fixture, rest), Form::Diff)
            .expect("readable");
        let expected = fixture.git(&format!("diff --binary --full-index --histogram {rest}"));
        assert_eq!(String::from_utf8_lossy(&found).trim_end(), expected, "{rest}");
    }
    let mails =
        compare::patch(&fixture.place(), repository(&opened), &pair(&fixture, "main...topic/x"), Form::Mail)
            .expect("readable");
    std::fs::write(fixture.root().join("mails"), mails).expect("writable");
    fixture.shell(
        "git clone -q team/demo.git again && cd again && git checkout -q origin/main~1 && git am -q ../mails",
    );
    let made = fixture.shell("git -C again log -2 --format='%s %T'");
    assert_eq!(String::from_utf8_lossy(&made).trim_end(), fixture.git("log -2 --format='%s %T' topic/x"));
}

#[test]
fn what_is_no_pair_is_not_found() {
    let fixture = Fixture::new(PARTED);
    let opened = fixture.open();
    for rest in ["main", "main...nothing", "nothing..main", "main/a...main", "main...main.patch"] {
        assert_eq!(Pair::resolve(repository(&opened), rest.into()).expect("readable"), None, "{rest}");
    }
    let empty = Pair::resolve(repository(&opened), "...topic/x".into()).expect("readable").expect("there");
    assert_eq!(empty.from.name, "main");
}

#[test]
fn branches_say_how_far_they_are_from_the_default_branch() {
    let fixture = Fixture::new(&format!("{PARTED} && git branch merged main~1 && git branch same"));
    let opened = fixture.open();
    let page =
        refs::page(&fixture.place(), repository(&opened), "", refs::Offsets::default()).expect("readable");
    let html = page.render().expect("the template takes its page");
    for (branch, words) in
        [("topic/x", "2 ahead, 1 behind"), ("merged", "merged, 1 behind"), ("same", "the same")]
    {
        let link = format!("href=\"/team/demo/-/compare/...{branch}\"");
        assert!(html.contains(&link), "{html}");
        assert!(html.contains(&format!("Compare {branch} with the default branch: {words}")), "{html}");
    }
    assert!(!html.contains("Compare main with"));
}

#[test]
fn histories_that_meet_without_end_cost_no_more_than_others() {
    // Two merges of the same commits, none of which reaches another: each of them is a merge base.
    let fixture = Fixture::new("");
    fixture.shell(
        r#"cd team/demo.git
        for n in $(seq 400); do printf 'commit refs/heads/r%s\ncommitter A <a@example.org> %s +0000\ndata 0\n\n' $n $n; done |
            git fast-import --quiet
        parents=$(git for-each-ref --format='-p %(objectname)' refs/heads)
        for name in one two; do
            git update-ref refs/heads/$name $(git commit-tree $parents -m $name $(git mktree </dev/null))
        done"#,
    );
    let opened = fixture.open();
    let id = |name: &str| fixture.git(&format!("rev-parse {name}")).parse().expect("an id");
    let found = relation(repository(&opened), id("one"), id("two")).expect("it is readable");
    assert!(found.is_cut && found.merge_bases.is_empty());
    let some = relation(repository(&opened), id("one"), id("r7")).expect("it is readable");
    assert_eq!((some.is_cut, some.merge_bases, some.behind), (false, vec![id("r7")], 400));
}

#[test]
fn so_many_commits_of_a_comparison_are_listed() {
    let fixture = Fixture::with_commits("sha1", COMPARED_COMMITS_MAX as u32 + 2);
    let opened = fixture.open();
    for (ahead, left_out) in [(COMPARED_COMMITS_MAX, false), (COMPARED_COMMITS_MAX + 1, true)] {
        let base = fixture.git(&format!("rev-parse main~{ahead}"));
        let pair = pair(&fixture, &format!("{base}...main"));
        let page = compare::page(&fixture.place(), repository(&opened), &pair, View::default());
        let html = page.expect("a comparison").render().expect("the template takes its page");
        assert_eq!(html.matches("class=\"commit\"").count(), COMPARED_COMMITS_MAX, "{ahead}");
        assert_eq!(html.contains("And 1 earlier commit."), left_out, "{ahead}");
        assert_eq!(
            compare::patch(&fixture.place(), repository(&opened), &pair, Form::Mail).is_err(),
            left_out,
            "{ahead}"
        );
    }
}

#[test]
fn so_many_commits_are_looked_at_to_relate_two() {
    let fixture = Fixture::new(PARTED);
    let opened = fixture.open();
    let id = |name: &str| -> ObjectId { fixture.git(&format!("rev-parse {name}")).parse().expect("an id") };
    let (main, topic) = (id("main"), id("topic/x"));
    // One on each side of the base, that one, and another one on the topic.
    for (commits, is_cut) in [(3, true), (4, false)] {
        let found = relation_within(repository(&opened), main, topic, &mut { commits }).expect("readable");
        assert_eq!(found.is_cut, is_cut, "{commits}");
        let mut left = commits;
        let distance =
            distance_within(repository(&fixture.open()), main, topic, &mut left).expect("readable");
        assert_eq!(distance.is_none(), is_cut, "{commits}");
        assert_eq!(left, 0, "{commits}");
    }
}

/// Another repository, of which the first one is not told.
fn fork(fixture: &Fixture, script: &str) -> (Rc<Opened>, lithe_forge::types::Repository) {
    fixture.shell(&format!(
        "git clone -q --bare --no-local team/demo.git team/fork.git && git clone -q team/fork.git fork && cd fork
        git checkout -q -b topic main~1
        {script}
        git push -q origin --all"
    ));
    let record = lithe_forge::types::Repository {
        id: 8,
        path: "team/fork".into(),
        directory: "team/fork.git".into(),
        ..fixture.record.clone()
    };
    (storage::open(&fixture.root(), &record).expect("it is on disk"), record)
}

#[test]
fn what_another_repository_has_is_compared() {
    for has_graph in [false, true] {
        let fixture =
            Fixture::new("for i in 1 2 3; do echo $i > f$i && git add . && git commit -qm \"Base $i\"; done");
        let (other, record) = fork(
            &fixture,
            "echo a > a && git add . && git commit -qm 'In <the> fork' && git rm -q f1 && git commit -qm 'Second there'",
        );
        fixture
            .shell("cd work && echo x > x && git add . && git commit -qm Since && git push -q origin main");
        if has_graph {
            fixture.shell("git -C team/demo.git commit-graph write --reachable && git -C team/fork.git commit-graph write --reachable");
        }
        let opened = fixture.open();
        let (base, head) = (repository(&opened), repository(&other));
        let objects = Across { base: base.objects, head: head.objects };
        let both = lithe_code::Repository { objects: &objects, refs: base.refs };
        // The judge has all of both.
        fixture.shell("git clone -q --bare team/demo.git judge.git && git -C judge.git fetch -q ../team/fork.git topic:topic");
        let judge = |arguments: &str| {
            let printed = fixture.shell(&format!("git -C judge.git {arguments}"));
            String::from_utf8(printed).expect("text").trim_end().to_owned()
        };
        for (dots, range) in [("...", "main...topic"), ("..", "main..topic")] {
            let head_path = Some(record.path.as_str());
            let pair = Pair::resolve_across(base, (head, head_path), range.into());
            let pair = pair.expect("readable").expect("both are there");
            let page = compare::page(&fixture.place(), both, &pair, View::default()).expect("a comparison");
            let html = page.render().expect("the template takes its page");
            assert_eq!(judge("rev-list --left-right --count main...topic"), "2\t2");
            for part in [
                "2 commits ahead, 2 commits behind",
                &format!("/team/fork/-/commit/{}", judge("rev-parse topic")),
                &format!("/team/fork/-/blob/{}/a", judge("rev-parse topic")),
                &format!("href=\"/team/fork/-/compare/topic{dots}team/demo%3Amain\""),
                &format!("href=\"/team/demo/-/compare/main{dots}team/fork%3Atopic.patch\""),
                "value=\"team/fork:topic\"",
                "In &lt;the&gt; fork",
            ] {
                assert!(html.contains(part), "{part} is missing: {html}");
            }
            let expected = judge(&format!("diff --binary --full-index --histogram {range}"));
            let sent = compare::patch(&fixture.place(), both, &pair, Form::Diff).expect("a patch");
            assert_eq!(String::from_utf8(sent).expect("text").trim_end(), expected, "{range}");
        }
        // Neither has what is only in the other.
        let topic = judge("rev-parse topic");
        for rest in [format!("main...{topic}"), "main...topic".to_owned()] {
            assert_eq!(Pair::resolve(base, rest.as_str().into()), Ok(None), "{rest}");
        }
        let other_way = Pair::resolve_across(base, (head, Some("team/fork")), "topic...main".into());
        assert_eq!(other_way, Ok(None), "the first name is of the first repository");
    }
}

#[test]
fn repositories_of_different_formats_are_not_compared_and_say_so() {
    let fixture = Fixture::new("git commit -q --allow-empty -m x");
    let other = Fixture::of_format("sha256", "git commit -q --allow-empty -m x");
    let (opened, other) = (fixture.open(), other.open());
    let both = (repository(&opened), repository(&other));
    let page = compare::of_other_format(&fixture.place(), both, "team/<other>").expect("a page");
    let html = page.render().expect("the template takes its page");
    let words = "team/&#60;other&#62; names its objects by SHA-256, and this repository by SHA-1";
    assert!(html.contains(words) && html.contains("compare-form"), "{html}");
}
