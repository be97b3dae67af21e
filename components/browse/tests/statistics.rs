//! The numbers of a history, against what `git log` and `git shortlog` say of it.

mod kit;

use askama::Template as _;
use browse::languages::Tally;
use browse::limits::{
    COURSE_POINTS_MAX, STATISTICS_AUTHORS_MAX, STATISTICS_AUTHORS_SHOWN_MAX, STATISTICS_COLUMNS_MAX,
};
use browse::statistics::count::{Counts, HOURS, week, week_begins};
use browse::statistics::course::Course;
use browse::statistics::{self, Listed, StatisticsPage};
use kit::{COMMITTED, Fixture, Numbers, repository};
use lithe_code::revision;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const DAY: i64 = 24 * 60 * 60;

/// A history with merges, by authors at many hours and in many zones, some of them at times that are none.
fn history(seed: u64, count: usize) -> Fixture {
    let fixture = Fixture::new("");
    let mut numbers = Numbers(seed);
    let mut stream = String::new();
    for mark in 1..=count {
        let author = numbers.below(7);
        let seconds = match numbers.below(40) {
            0 => 90_000,
            1 => 5_000_000_000,
            _ => COMMITTED - numbers.below(900 * DAY as u64) as i64,
        };
        let zone = ["+0000", "-0730", "+1245", "+0200"][numbers.below(4) as usize];
        write!(
            stream,
            "commit refs/heads/{}\nmark :{mark}\n",
            if mark == count { "main".to_owned() } else { format!("b{mark}") }
        )
        .expect("a string takes it");
        write!(stream, "author A{author} <a{author}@example.org> {seconds} {zone}\ncommitter C <c@d> {} +0000\ndata 2\nx\n", COMMITTED + mark as i64)
            .expect("a string takes it");
        for (index, word) in ["from", "merge", "merge"].into_iter().enumerate() {
            let is_there = mark > 1 && (index == 0 || numbers.below(3) == 0);
            if is_there {
                let back = 1 + numbers.below(6.min(mark as u64 - 1));
                writeln!(stream, "{word} :{}", mark as u64 - back).expect("a string takes it");
            }
        }
    }
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet < stream");
    fixture
}

/// Counts to the end, a little at a time, as views of the page do.
fn count(fixture: &Fixture, tip: &str) -> (Counts, usize) {
    let opened = fixture.open();
    let mut counts = Counts::new(repository(&opened), tip.parse().expect("an id"));
    let mut views = 0;
    while !counts.is_complete() {
        views += 1;
        counts.advance(repository(&opened), Instant::now()).expect("it can be read");
        counts = Counts::parse(&counts.to_text()).expect("it reads what it writes");
    }
    (counts, views)
}

/// Whether `git` counts as much.
#[track_caller]
fn check(fixture: &Fixture, counts: &Counts) {
    let shortlog = fixture.git("-c log.mailmap=false shortlog -sne main < /dev/null");
    let expected: BTreeMap<String, u32> = shortlog
        .lines()
        .map(|line| {
            let (commits, name) = line.trim().split_once('\t').expect("a number and a name");
            (name.to_owned(), commits.parse().expect("a number"))
        })
        .collect();
    assert_eq!(counts.authors, expected);
    let log = fixture.git("log --format='%at %ad' --date=format:'%u %H' main");
    let (mut weeks, mut hours, mut commits) = (BTreeMap::new(), vec![0; HOURS], 0);
    for line in log.lines() {
        let words: Vec<i64> = line.split(' ').map(|word| word.parse().expect("a number")).collect();
        commits += 1;
        if let Some(week) = week(words[0]) {
            *weeks.entry(week).or_insert(0) += 1;
            hours[((words[1] - 1) * 24 + words[2]) as usize] += 1;
        }
    }
    assert_eq!((counts.commits, &counts.weeks, &counts.hours), (commits, &weeks, &hours));
}

#[test]
fn as_many_commits_as_git_counts_with_a_commit_graph_and_without() {
    for seed in [3, 7, 31] {
        let fixture = history(seed, 120);
        let tip = fixture.git("rev-parse main");
        let (counts, views) = count(&fixture, &tip);
        check(&fixture, &counts);
        assert_eq!(views as u64, counts.commits, "a view without time counts one commit");
        fixture.git("commit-graph write --reachable --no-progress");
        check(&fixture, &count(&fixture, &tip).0);
        // Half of it is known to the graph.
        fixture.shell("rm team/demo.git/objects/info/commit-graph; git -C team/demo.git rev-parse b60 | git -C team/demo.git commit-graph write --stdin-commits --no-progress");
        check(&fixture, &count(&fixture, &tip).0);
    }
}

#[test]
fn a_commit_graph_that_comes_while_it_is_counted_changes_nothing() {
    let fixture = history(11, 80);
    let tip = fixture.git("rev-parse main").parse().expect("an id");
    let opened = fixture.open();
    let mut counts = Counts::new(repository(&opened), tip);
    (0..10).for_each(|_| counts.advance(repository(&opened), Instant::now()).expect("it can be read"));
    fixture.git("commit-graph write --reachable --no-progress");
    let opened = fixture.open();
    counts.advance(repository(&opened), Instant::now() + Duration::from_secs(60)).expect("it can be read");
    check(&fixture, &counts);
}

#[test]
fn what_was_pushed_is_added_and_what_was_rewritten_counted_anew() {
    let fixture = Fixture::new("git commit -q --allow-empty -m 1 && git commit -q --allow-empty -m 2");
    let (before, _) = count(&fixture, &fixture.git("rev-parse main"));
    fixture.shell("cd work && git checkout -q -b side && git commit -q --allow-empty -m 3 --author 'B <b@c>'
        git checkout -q main && git commit -q --allow-empty -m 4 && git merge -q --no-ff -m 5 side && git push -q origin main");
    let tip = fixture.git("rev-parse main").parse().expect("an id");
    let opened = fixture.open();
    let extended = before.extended(repository(&opened), tip).expect("it goes on");
    assert!(extended.is_of(tip) && extended.is_complete());
    check(&fixture, &extended);
    fixture.shell("cd work && git commit -q --amend --allow-empty -m 6 && git push -q -f origin main");
    let opened = fixture.open();
    let tip = fixture.git("rev-parse main").parse().expect("an id");
    assert!(extended.extended(repository(&opened), tip).is_none());
}

#[test]
fn the_page_has_the_numbers_of_all_that_is_counted() {
    let fixture = history(5, 100);
    let opened = fixture.open();
    let at =
        revision::resolve(repository(&opened), "main".into()).expect("it can be read").expect("it is there");
    let page = statistics::page(&fixture.place(), repository(&opened), &at, Listed::First).expect("a page");
    let page: Value = serde_json::to_value(&page).expect("JSON");
    let columns = page["columns"].as_array().expect("columns");
    assert!(columns.len() <= STATISTICS_COLUMNS_MAX, "{page}");
    let sum = |values: &[Value]| {
        values.iter().map(|value| value["commits"].as_u64().expect("a number")).sum::<u64>()
    };
    let timed = fixture
        .git("log --format=%at main")
        .lines()
        .filter(|time| time.parse().ok().and_then(week).is_some())
        .count();
    assert_eq!(sum(columns), timed as u64);
    let authors = page["authors"].as_array().expect("authors");
    assert_eq!(Some(sum(authors) + page["others"].as_u64().expect("a number")), page["commits"].as_u64());
    assert!(page["again-href"].is_null());
}

#[test]
fn only_so_many_authors_are_told_apart() {
    let fixture = Fixture::new("");
    let stream = |count: usize| -> String {
        (0..count).map(|n| format!("commit refs/heads/main\nauthor A{n} <a> {COMMITTED} +0000\ncommitter C <c> {COMMITTED} +0000\ndata 2\nx\n")).collect()
    };
    std::fs::write(fixture.root().join("stream"), stream(STATISTICS_AUTHORS_MAX + 2))
        .expect("the directory is writable");
    fixture.shell("git -C team/demo.git -c fastimport.unpackLimit=1000000 fast-import --quiet < stream");
    let opened = fixture.open();
    let tip = fixture.git("rev-parse main").parse().expect("an id");
    let mut counts = Counts::new(repository(&opened), tip);
    counts.advance(repository(&opened), Instant::now() + Duration::from_secs(60)).expect("it can be read");
    assert_eq!((counts.authors.len(), counts.others), (STATISTICS_AUTHORS_MAX, 2));
    assert!(counts.to_text().len() < browse::limits::CACHE_ENTRY_BYTES_MAX);
    let at =
        revision::resolve(repository(&opened), "main".into()).expect("it can be read").expect("it is there");
    let page = statistics::page(&fixture.place(), repository(&opened), &at, Listed::First).expect("a page");
    let html = page.render().expect("HTML");
    assert!(html.contains("/team/demo/-/stats/main?authors=all#authors-title"), "{html}");
    let json = |page: &StatisticsPage| serde_json::to_value(page).expect("JSON");
    let listed = |page: &StatisticsPage| json(page)["authors"].as_array().map(Vec::len);
    assert_eq!(listed(&page), Some(STATISTICS_AUTHORS_SHOWN_MAX));
    let page = statistics::page(&fixture.place(), repository(&opened), &at, Listed::All).expect("a page");
    assert!(!page.render().expect("HTML").contains("authors=all#"), "there are no more to show");
    assert_eq!(listed(&page).map(|count| count as u64), json(&page)["author-count"].as_u64());
    assert!(listed(&page) > Some(STATISTICS_AUTHORS_SHOWN_MAX));
}

#[test]
fn an_age_of_weeks_fits_the_chart() {
    assert_eq!(week(week_begins(2_900)), Some(2_900));
    let fixture = Fixture::new(
        "GIT_AUTHOR_DATE='@100000 +0000' git commit -q --allow-empty -m old
        GIT_AUTHOR_DATE='@4102444799 +0000' git commit -q --allow-empty -m new",
    );
    let opened = fixture.open();
    let at =
        revision::resolve(repository(&opened), "main".into()).expect("it can be read").expect("it is there");
    let page = statistics::page(&fixture.place(), repository(&opened), &at, Listed::First).expect("a page");
    let page = serde_json::to_value(&page).expect("JSON");
    assert!(
        page["columns"].as_array().is_some_and(|columns| columns.len() <= STATISTICS_COLUMNS_MAX),
        "{page}"
    );
}

#[test]
fn people_are_called_as_the_mailmap_says() {
    let fixture = Fixture::new(
        "printf 'Ada Lovelace <ada@example.org> <countess@example.org>\\n' > .mailmap && git add . && git commit -qm 1
        git commit -q --allow-empty -m 2 --author 'The Countess <countess@example.org>' && git commit -q --allow-empty -m 3 --author 'B <b@c>'",
    );
    let opened = fixture.open();
    let at =
        revision::resolve(repository(&opened), "main".into()).expect("it can be read").expect("it is there");
    let mut place = fixture.place();
    place.mailmap = lithe_code::mailmap::Mailmap::of(repository(&opened));
    let page = statistics::page(&place, repository(&opened), &at, Listed::First).expect("a page");
    let page = serde_json::to_value(&page).expect("JSON");
    let authors = page["authors"].as_array().expect("authors").iter();
    let found: Vec<String> = authors
        .map(|author| format!("{}\t{}", author["commits"], author["name"].as_str().expect("a name")))
        .collect();
    let expected = fixture.git("shortlog -sne main < /dev/null");
    assert_eq!(found, expected.lines().map(str::trim).collect::<Vec<_>>());
}

/// A history of files in three languages that come, grow, move and go, with merges that bring more.
const LANGUAGES: &str = r"
    for n in $(seq 1 150); do
        case $((n % 5)) in
            0) mkdir -p d$n && printf 'fn main() {}\n' > d$n/a.rs ;;
            1) printf 'x = %s\n' $n >> script.py ;;
            2) printf 'int x%s;\n' $n > c$n.c ;;
            3) git rm -q --ignore-unmatch c$((n - 11)).c ;;
            4) if [ -d d$((n - 19)) ]; then git mv d$((n - 19)) moved$n; fi ;;
        esac
        if [ $n = 70 ]; then printf '*.py linguist-generated\n' > .gitattributes; fi
        if [ $n = 110 ]; then git rm -q .gitattributes; fi
        git add -A && git commit -q --allow-empty -m $n
        if [ $((n % 40)) = 0 ]; then
            git checkout -q -b side$n HEAD~2 && printf 'y\n' > side$n.go && git add . && git commit -qm side && git checkout -q main && git merge -q --no-edit side$n
        fi
    done
";

/// Finds the course of a history, a step at a time, as views of the page do.
fn course(fixture: &Fixture, mut course: Course) -> Course {
    let opened = fixture.open();
    while !course.is_complete() {
        course.advance(repository(&opened), Instant::now()).expect("it can be read");
        course = Course::parse(&course.to_text()).expect("it reads what it writes");
    }
    course
}

/// Whether each point has the languages of its commit, and the commits are on the way.
#[track_caller]
fn check_course(fixture: &Fixture, course: &Course) {
    let opened = fixture.open();
    let chain = fixture.git("rev-list --first-parent --reverse main");
    let chain: Vec<&str> = chain.lines().collect();
    let mut on_the_way = chain.iter();
    for point in course.points() {
        assert!(on_the_way.any(|id| *id == point.stop.commit), "{} comes in its order", point.stop.commit);
        let tree = fixture.git(&format!("rev-parse {}^{{tree}}", point.stop.commit)).parse().expect("an id");
        let mut whole = Tally::of_tree(&tree);
        whole.advance(repository(&opened), Instant::now() + Duration::from_secs(60)).expect("it can be read");
        assert_eq!(point.bytes, whole.bytes, "{}", point.stop.commit);
    }
    let ends =
        [course.points().first(), course.points().last()].map(|point| point.map(|point| &*point.stop.commit));
    assert_eq!(ends, [chain.first().copied(), chain.last().copied()]);
}

#[test]
fn languages_over_time_are_those_of_the_commits_on_the_way() {
    let fixture = Fixture::new(LANGUAGES);
    let tip = |revision: &str| fixture.git(&format!("rev-parse {revision}")).parse().expect("an id");
    let found = course(&fixture, Course::new(tip("main")));
    check_course(&fixture, &found);
    let count = found.points().len();
    assert!((COURSE_POINTS_MAX / 2..=COURSE_POINTS_MAX + 1).contains(&count), "{count}");
    assert!(!found.is_cut && found.points().iter().any(|point| !point.bytes.contains_key("Python")));
    // A commit-graph changes nothing.
    fixture.git("commit-graph write --reachable --no-progress");
    assert_eq!(course(&fixture, Course::new(tip("main"))), found);
    // Whatever is pushed is added.
    let mut extended = course(&fixture, Course::new(tip("main~140")));
    for revision in ["main~139", "main~100", "main~99", "main~3", "main"] {
        let opened = fixture.open();
        let next = extended.extended(repository(&opened), tip(revision)).expect("it goes on");
        extended = course(&fixture, next);
        assert!(extended.is_of(tip(revision)));
    }
    check_course(&fixture, &extended);
    // What was rewritten is counted anew.
    fixture.shell("cd work && git commit -q --amend --allow-empty -m other && git push -q -f origin main");
    assert!(extended.extended(repository(&fixture.open()), tip("main")).is_none());
}

#[test]
fn there_are_never_more_points_than_fit() {
    let count = COURSE_POINTS_MAX as u32 * 3;
    let fixture = Fixture::with_commits("sha1", count);
    let tip = |back: u32| fixture.git(&format!("rev-parse main~{back}")).parse().expect("an id");
    let mut found = course(&fixture, Course::new(tip(count - 1)));
    for back in (0..count - 1).rev() {
        let next = found.extended(repository(&fixture.open()), tip(back)).expect("it goes on");
        found = course(&fixture, next);
        assert!(found.points().len() <= COURSE_POINTS_MAX + 1, "{}", found.points().len());
    }
    assert!(found.points().len() > COURSE_POINTS_MAX / 3, "{}", found.points().len());
    check_course(&fixture, &found);
}

#[test]
fn what_is_not_here_ends_the_course_and_is_said() {
    let fixture = Fixture::new("for n in 1 2 3; do echo $n > a.c && git add . && git commit -qm $n; done");
    fixture.shell("rm -rf team/demo.git && git clone -q --bare --depth 2 file://$PWD/work team/demo.git");
    let found = course(&fixture, Course::new(fixture.git("rev-parse main").parse().expect("an id")));
    assert_eq!((found.points().len(), found.is_cut), (2, true));
}

#[test]
fn the_page_has_the_languages_over_time() {
    let fixture = Fixture::new("echo x > a.c && git add . && git commit -qm 1 && for n in a b c d e f g h i j; do :; done
        echo y > b.rs && echo z > c.go && echo z > d.py && echo z > e.rb && echo z > f.js && echo z > g.lua && echo z > h.pl && echo zz > i.hs
        git add . && git commit -qm 2");
    let opened = fixture.open();
    let at =
        revision::resolve(repository(&opened), "main".into()).expect("it can be read").expect("it is there");
    let page = statistics::page(&fixture.place(), repository(&opened), &at, Listed::First).expect("a page");
    let page: Value = serde_json::to_value(&page).expect("JSON");
    let (names, points) = (&page["languages"]["names"], &page["languages"]["points"]);
    assert_eq!(
        (names[0].as_str(), names[7].as_str(), names[8].as_str()),
        (Some("Haskell"), Some("Other"), None)
    );
    assert_eq!(
        points[0]["bytes"]
            .as_array()
            .expect("numbers")
            .iter()
            .map(|bytes| bytes.as_u64().expect("a number"))
            .sum::<u64>(),
        2
    );
    assert_eq!(points[1]["bytes"], serde_json::json!([3, 2, 2, 2, 2, 2, 2, 4]));
}
