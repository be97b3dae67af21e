//! The drawing of a history: its order against `git log --date-order`, and whether every line leads where
//! it should.

mod kit;

use askama::Template as _;
use browse::graph::{self, Lanes, Shown, Step};
use browse::history::Cursor;
use browse::limits::*;
use gix_hash::ObjectId;
use kit::{COMMITTED, Fixture, Numbers, repository};
use lithe_code::revision;
use lithe_code::topological::Walk;
use std::collections::HashMap;
use std::fmt::Write as _;

/// A history of merges on several lines of development, with commits at `date(number)`.
fn history(width: usize, count: usize, date: impl Fn(usize) -> i64) -> Fixture {
    let mut numbers = Numbers(5 + width as u64);
    let mut pick = |below: usize| numbers.below(below as u64) as usize;
    let (mut stream, mut tips) = (String::new(), vec![0_usize; width]);
    for mark in 1..=count {
        let line = pick(width);
        let parents = match (tips[line], pick(4)) {
            (own, 0) => vec![own, tips[pick(width)], tips[pick(width)]],
            (0, _) => vec![*tips.iter().max().expect("there are lines")],
            (own, _) => vec![own],
        };
        tips[line] = mark;
        stream += &commit(&format!("b{line}"), mark, date(mark), parents);
    }
    stream += &commit("main", count + 1, date(count + 1), tips);
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet --force < stream");
    fixture
}

fn commit(branch: &str, mark: usize, date: i64, mut parents: Vec<usize>) -> String {
    let mut text = format!(
        "reset refs/heads/{branch}\ncommit refs/heads/{branch}\nmark :{mark}\ncommitter A <a@b> {date} +0000\ndata 1\nx\n"
    );
    parents.retain(|parent| *parent > 0);
    let mut seen = Vec::new();
    for parent in parents {
        if !seen.contains(&parent) {
            text += &format!("{} :{parent}\n", if seen.is_empty() { "from" } else { "merge" });
            seen.push(parent);
        }
    }
    text
}

/// Every row, page by page.
fn drawn(fixture: &Fixture) -> Vec<(ObjectId, Step)> {
    let opened = fixture.open();
    let head: ObjectId = fixture.git("rev-parse main").parse().expect("an id");
    let (mut lanes, mut rows, mut tips) = (Lanes(Vec::new()), Vec::new(), vec![head]);
    loop {
        let page = graph::draw(repository(&opened), &mut tips, &mut lanes).expect("readable");
        assert!(page.len() <= COMMITS_PER_PAGE);
        rows.extend(page);
        if lanes.ids().is_empty() {
            return rows;
        }
        // What goes into an address comes back from it.
        let cursor = Cursor::parse(&lanes.cursor().to_string(), head.kind()).expect("a cursor just written");
        assert_eq!(Lanes::of(&cursor.ids), lanes);
    }
}

fn parents(fixture: &Fixture) -> HashMap<ObjectId, Vec<ObjectId>> {
    let id = |text: &str| text.parse::<ObjectId>().expect("an id");
    let log = fixture.git("log --format='%H %P' main");
    log.lines().map(|line| (id(&line[..40]), line[40..].split_whitespace().map(id).collect())).collect()
}

/// Whether every line from a commit leads to one that it was made from.
#[track_caller]
fn check_lines(fixture: &Fixture, rows: &[(ObjectId, Step)]) {
    let parents = parents(fixture);
    let mut lanes: HashMap<usize, ObjectId> = HashMap::new();
    for (index, (id, step)) in rows.iter().enumerate() {
        let leads_here = |lane: &usize| lanes.get(lane) == Some(id);
        assert!(step.arriving.iter().all(leads_here), "{id}: what ends here led here");
        assert!(!step.passing.iter().any(leads_here), "{id}: what goes by leads elsewhere");
        assert_eq!(step.arriving.is_empty(), index == 0, "{id}: only the first is led to by nothing");
        assert_eq!(step.arriving.len() + step.passing.len(), lanes.len(), "{id}: no line is lost");
        lanes.retain(|lane, _| !step.arriving.contains(lane));
        assert_eq!(step.leaving.len(), parents[id].len(), "{id}: a line for each parent");
        for (lane, parent) in step.leaving.iter().zip(&parents[id]) {
            let before = lanes.insert(*lane, *parent);
            assert!(before.is_none_or(|before| before == *parent), "{id}: no line is taken from another");
        }
    }
    assert!(lanes.is_empty(), "every line ends in a commit");
}

#[test]
fn commits_come_in_the_order_of_git() {
    let in_order = |mark: usize| COMMITTED + mark as i64 * 60;
    let by_hours = |mark: usize| COMMITTED + mark as i64 * 60 - (mark as i64 * 7_919 % 11) * 3_600;
    let by_months = |mark: usize| COMMITTED + mark as i64 * 60 - (mark as i64 * 7_919 % 11) * 30 * 86_400;
    for (width, count) in [(1, 120), (3, 180), (12, 400), (40, 300)] {
        for (name, date, needs_graph) in [
            ("in order", &in_order as &dyn Fn(usize) -> i64, false),
            ("hours", &by_hours, false),
            ("months", &by_months, true),
        ] {
            let fixture = history(width, count, date);
            let expected = fixture.git("log --date-order --format=%H main");
            for graph in [false, true] {
                if graph {
                    fixture.git("commit-graph write --reachable");
                } else if needs_graph {
                    continue;
                }
                let rows = drawn(&fixture);
                let ids: Vec<String> = rows.iter().map(|(id, _)| id.to_string()).collect();
                assert_eq!(ids, expected.lines().collect::<Vec<_>>(), "{width} lines, {name}, {graph}");
                check_lines(&fixture, &rows);
            }
        }
    }
}

#[test]
fn more_commits_of_one_date_than_may_be_looked_at_are_drawn() {
    // One line, of which no more than the next commit is looked at.
    let count = GRAPH_COMMITS_MAX + 10;
    let fixture = Fixture::new("");
    let line = "commit refs/heads/main\ncommitter A <a@b> 1750000000 +0000\ndata 1\nx\n".repeat(count);
    std::fs::write(fixture.root().join("stream"), line).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet < stream");
    let (opened, head) = (fixture.open(), fixture.git("rev-parse main").parse().expect("an id"));
    let rows = graph::draw(repository(&opened), &mut vec![head], &mut Lanes(Vec::new())).expect("readable");
    let expected = fixture.git(&format!("log --format=%H -n {COMMITS_PER_PAGE} main"));
    let ids: Vec<String> = rows.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(ids, expected.lines().collect::<Vec<_>>());
}

#[test]
fn a_walk_that_has_looked_at_all_it_may_goes_on_with_what_it_knows() {
    let fixture = history(5, 120, |_| COMMITTED);
    let head: ObjectId = fixture.git("rev-parse main").parse().expect("an id");
    let parents = parents(&fixture);
    for (commits_max, is_spent) in [(parents.len(), false), (parents.len() - 1, true), (10, true)] {
        let opened = fixture.open();
        let mut walk = Walk::new(repository(&opened), &[head], commits_max + 1).expect("readable");
        let mut came = Vec::new();
        while let Some((id, parent_ids)) = walk.next().expect("readable") {
            assert!(parent_ids.iter().all(|parent_id| !came.contains(parent_id)), "no line leads up");
            came.push(id);
        }
        assert_eq!(walk.is_spent(), is_spent, "{commits_max}");
        came.sort_unstable();
        came.dedup();
        assert_eq!(came.len(), parents.len(), "each comes once, of {commits_max} commits");
    }
}

#[test]
fn lanes_are_drawn_down_to_their_commits() {
    let id = |digit: &str| digit.repeat(40).parse::<ObjectId>().expect("an id");
    let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(id);
    let mut lanes = Lanes(vec![Some(a)]);
    let step = |at, arriving: &[usize], passing: &[usize], leaving: &[usize]| Step {
        at,
        arriving: arriving.into(),
        passing: passing.into(),
        leaving: leaving.into(),
    };
    // A merge opens lanes, and they meet in the commit that both were made from.
    assert_eq!(lanes.step(a, &[b, c, d]), step(0, &[0], &[], &[0, 1, 2]));
    assert_eq!(lanes.step(c, &[e]), step(1, &[1], &[0, 2], &[1]));
    assert_eq!(lanes.step(b, &[e]), step(0, &[0], &[1, 2], &[0]));
    // A first commit leaves its lane free, for the next that needs one.
    assert_eq!(lanes.step(d, &[]), step(2, &[2], &[0, 1], &[]));
    assert_eq!(lanes.step(e, &[a, b]), step(0, &[0, 1], &[], &[0, 1]));
    assert_eq!(lanes, Lanes(vec![Some(a), Some(b)]));
}

fn page(fixture: &Fixture) -> String {
    let opened = fixture.open();
    let at = revision::resolve(repository(&opened), "main".into()).expect("readable").expect("there");
    let page = graph::page(&fixture.place(), repository(&opened), &at.revision, Shown::One, None);
    page.expect("a graph").render().expect("the template takes its page")
}

/// The ids on a page of the graph of all branches, and where the next one is.
fn of_all_branches(fixture: &Fixture, after: Option<&str>) -> (Vec<String>, Option<String>, String) {
    let opened = fixture.open();
    let at = revision::resolve(repository(&opened), "main".into()).expect("readable").expect("there");
    let cursor =
        after.map(|after| Cursor::parse(after, at.revision.commit_id.kind()).expect("a cursor just written"));
    let page = graph::page(&fixture.place(), repository(&opened), &at.revision, Shown::All, cursor.as_ref());
    let html = page.expect("a graph").render().expect("the template takes its page");
    let ids = html.split("<a class=\"commit-id\" href=\"/team/demo/-/commit/").skip(1);
    let next = html.split("?graph=1&#38;all=1&#38;after=").nth(1).map(|next| next.split('"').next());
    let next = next.flatten().map(str::to_owned);
    (ids.map(|rest| rest[..40].to_owned()).collect(), next, html)
}

#[test]
fn all_branches_are_drawn_page_by_page_in_the_order_of_git() {
    // Branches that are not merged, whose tips come on different pages.
    let fixture = history(8, 300, |mark| COMMITTED + mark as i64 * 60);
    let mut stream = String::new();
    for (number, mark) in [(1, 20), (2, 90), (3, 200)] {
        let date = COMMITTED + mark * 60 + 1;
        writeln!(
            stream,
            "commit refs/heads/alone{number}\ncommitter A <a@b> {date} +0000\ndata 1\nx\nfrom refs/heads/main~40\n"
        )
        .expect("a string takes it");
        let date = date - 30;
        writeln!(stream, "commit refs/heads/new{number}\ncommitter A <a@b> {date} +0000\ndata 1\nx\n")
            .expect("a string takes it");
    }
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet < stream");
    fixture.git("commit-graph write --reachable");
    let expected = fixture.git("log --date-order --branches --format=%H");
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let (ids, next, html) = of_all_branches(&fixture, after.as_deref());
        assert_eq!(html.contains(">Latest</a>"), after.is_some());
        assert!(html.contains("href=\"/team/demo/-/commits/main?graph=1\" rel=\"nofollow\">This one alone"));
        found.extend(ids);
        pages += 1;
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert!(pages > 5 && expected.lines().count() > 300);
    assert_eq!(found, expected.lines().collect::<Vec<_>>());
    // Of one alone, what others have is not drawn.
    let one = drawn(&fixture).len();
    assert_eq!(one, fixture.git("rev-list main").lines().count());
    assert!(
        one < found.len() && page(&fixture).contains("?graph=1&#38;all=1\" rel=\"nofollow\">All branches")
    );
}

#[test]
fn so_many_branches_are_drawn_beside_each_other() {
    for (count, is_short) in [(GRAPH_BRANCHES_MAX - 1, false), (GRAPH_BRANCHES_MAX, true)] {
        let fixture = Fixture::new("");
        let mut stream = commit("main", 1, COMMITTED, vec![]);
        for mark in 2..count + 2 {
            stream += &commit(&format!("b{mark}"), mark, COMMITTED + mark as i64, vec![]);
        }
        std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
        fixture.shell("git -C team/demo.git fast-import --quiet --force < stream");
        let (first, next, html) = of_all_branches(&fixture, None);
        let words = format!("There are {} branches; those that were changed last are drawn.", count + 1);
        assert_eq!(html.contains(&words), is_short, "{html}");
        // The one that the page is about is among them, the one that was changed first is not.
        let (second, last, _) = of_all_branches(&fixture, next.as_deref());
        let ids: Vec<String> = first.into_iter().chain(second).collect();
        assert_eq!((ids.len(), last), ((count + 1).min(GRAPH_BRANCHES_MAX), None));
        assert!(ids.contains(&fixture.git("rev-parse main")));
        assert_eq!(ids.contains(&fixture.git("rev-parse b2")), !is_short);
    }
}

#[test]
fn only_so_many_lanes_are_drawn() {
    for (count, has_beyond) in [(GRAPH_LANES_MAX, false), (GRAPH_LANES_MAX + 1, true)] {
        let fixture = Fixture::new("");
        let mut stream: String =
            (1..=count).map(|mark| commit("b", mark, COMMITTED - mark as i64, vec![])).collect();
        stream += &commit("main", count + 1, COMMITTED + 1, (1..=count).collect());
        std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
        fixture.shell("git -C team/demo.git fast-import --quiet --force < stream");
        let html = page(&fixture);
        assert_eq!(html.contains("lane-beyond"), has_beyond, "{count}");
        assert_eq!(
            html.contains(&format!("width=\"{}\"", (GRAPH_LANES_MAX + 1) * 14)),
            has_beyond,
            "{count}"
        );
    }
}

#[test]
fn a_drawing_too_wide_for_an_address_ends_with_its_page() {
    for (count, goes_on) in [(CURSOR_IDS_MAX, true), (CURSOR_IDS_MAX + 1, false)] {
        let fixture = Fixture::new("");
        let mut stream: String =
            (1..=count).map(|mark| commit("b", mark, COMMITTED - mark as i64, vec![])).collect();
        stream += &commit("main", count + 1, COMMITTED + 1, (1..=count).collect());
        // Commits above, so that the page ends right below the merge.
        for mark in count + 2..count + 1 + COMMITS_PER_PAGE {
            stream += &commit("main", mark, COMMITTED + mark as i64, vec![mark - 1]);
        }
        std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
        fixture.shell("git -C team/demo.git fast-import --quiet --force < stream");
        let html = page(&fixture);
        assert_eq!(
            (html.contains("rel=\"next"), html.contains("is not drawn")),
            (goes_on, !goes_on),
            "{count}"
        );
    }
}
