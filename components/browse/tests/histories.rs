//! Histories, page by page, against `git log`.

mod kit;

use browse::history::{self, Bounds, Cursor, Walked};
use browse::limits::{COMMITS_PER_PAGE, CURSOR_IDS_MAX, CURSOR_STEPS_MAX};
use bstr::BStr;
use gix_hash::ObjectId;
use kit::{COMMITTED, Fixture, Numbers, repository};
use std::collections::HashSet;

/// Every commit of a history, read page by page, each page from the cursor that the last one ends with.
fn all(fixture: &Fixture, path: &str) -> Vec<String> {
    let opened = fixture.open();
    let id = ObjectId::from_hex(fixture.git("rev-parse main").as_bytes()).expect("an id");
    let mut cursor = Cursor::at(id);
    let mut ids = Vec::new();
    loop {
        let page = history::page(repository(&opened), &cursor, BStr::new(path));
        assert!(page.commits.len() <= COMMITS_PER_PAGE);
        ids.extend(page.commits.iter().map(|commit| commit.id.to_string()));
        let Some(next) = page.next else { return ids };
        assert!(next.ids.len() <= CURSOR_IDS_MAX);
        // What goes into an address comes back from it.
        cursor = Cursor::parse(&next.to_string(), id.kind()).expect("a cursor that was just written");
        assert_eq!(cursor, next);
    }
}

/// A history of merges: `width` lines of development at once, with files that change here and there.
fn merges(width: usize, steps: usize) -> Fixture {
    let mut stream = String::new();
    let mut mark = 0;
    let mut tips = vec![0; width];
    let mut commit = |branch: usize, parents: &[usize], file: &str, contents: usize| {
        mark += 1;
        let date = COMMITTED + (mark as i64) * 60;
        stream += &format!(
            "commit refs/heads/b{branch}\nmark :{mark}\ncommitter A <a@b> {date} +0000\ndata 1\nx\n"
        );
        for (index, parent) in parents.iter().filter(|parent| **parent > 0).enumerate() {
            stream += &format!("{} :{parent}\n", if index == 0 { "from" } else { "merge" });
        }
        // What it says changes, or only that it can be executed.
        let (mode, contents) =
            if contents.is_multiple_of(3) { ("755", contents.saturating_sub(1)) } else { ("644", contents) };
        let contents = contents.to_string();
        stream += &format!("M {mode} inline {file}\ndata {}\n{contents}\n", contents.len());
        mark
    };
    let root = commit(0, &[], "file", 0);
    for step in 0..steps {
        for branch in 0..width {
            let parent = if tips[branch] == 0 { root } else { tips[branch] };
            let file = if (step + branch) % 7 == 0 { "file" } else { "other" };
            let other = tips[(branch + 1) % width];
            let parents = if step % 5 == 4 { vec![parent, other] } else { vec![parent] };
            tips[branch] = commit(branch, &parents, file, step * width + branch);
        }
    }
    let mut parents = tips.clone();
    for tip in parents.drain(1..).collect::<Vec<_>>() {
        tips[0] = commit(0, &[tips[0], tip], "file", 0);
    }
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture
        .shell("git -C team/demo.git fast-import --quiet < stream && git -C team/demo.git branch -M b0 main");
    fixture
}

#[test]
fn a_history_is_that_of_git_log() {
    for (width, steps) in [(1, 120), (3, 60), (10, 25)] {
        let fixture = merges(width, steps);
        let expected = fixture.git("log --format=%H main");
        assert_eq!(all(&fixture, ""), expected.lines().collect::<Vec<_>>(), "{width} lines, {steps} steps");
    }
}

#[test]
fn the_history_of_a_file_is_that_of_git_log() {
    for (width, steps) in [(1, 120), (3, 60), (10, 25)] {
        let fixture = merges(width, steps);
        for path in ["file", "other"] {
            let expected = fixture.git(&format!("log --format=%H main -- {path}"));
            assert_eq!(all(&fixture, path), expected.lines().collect::<Vec<_>>(), "{path}, {width} lines");
        }
        for graph in ["--no-changed-paths", "--changed-paths"] {
            fixture.git(&format!("commit-graph write --reachable {graph}"));
            for path in ["file", "other", "", "never"] {
                let expected = fixture.git(&format!("log --format=%H main -- {path}"));
                let expected: Vec<&str> = expected.lines().collect();
                assert_eq!(all(&fixture, path), expected, "{path}, {width} lines, a graph with {graph}");
            }
        }
    }
}

#[test]
fn a_history_wider_than_a_cursor_is_whole() {
    let fixture = merges(CURSOR_IDS_MAX + 20, 4);
    let (found, expected) = (all(&fixture, ""), fixture.git("log --format=%H main"));
    let distinct: HashSet<&String> = found.iter().collect();
    assert_eq!(distinct.len(), found.len(), "no commit is shown twice");
    assert_eq!(found, expected.lines().collect::<Vec<_>>());
}

/// What the clock says when a commit is made.
type Clock = fn(number: i64, numbers: &mut Numbers) -> i64;

/// Clocks that go wrong, each in its way.
const CLOCKS: [(&str, Clock); 6] = [
    ("stands still", |_, _| COMMITTED),
    ("runs backwards", |number, _| COMMITTED - number * 60),
    ("is anywhere", |_, numbers| COMMITTED + numbers.below(100_000) as i64),
    ("is a day behind now and then", |number, numbers| {
        COMMITTED + number * 600 - if numbers.below(15) == 0 { 86_400 } else { 0 }
    }),
    (
        "was never set now and then",
        |number, numbers| if numbers.below(40) == 0 { 0 } else { COMMITTED + number },
    ),
    ("is far ahead now and then", |number, numbers| {
        if numbers.below(40) == 0 { 20_000_000_000 + numbers.below(5) as i64 } else { COMMITTED + number / 7 }
    }),
];

/// A history of so many commits that part and meet, dated by a clock.
fn dated(count: usize, clock: Clock) -> Fixture {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let mut stream = String::new();
    let mut tips: Vec<usize> = Vec::new();
    for mark in 1..=count {
        let date = clock(mark as i64, &mut numbers);
        stream +=
            &format!("commit refs/heads/main\nmark :{mark}\ncommitter A <a@b> {date} +0000\ndata 1\nx\n");
        let mut parents: Vec<usize> = Vec::new();
        for _ in 0..1 + numbers.below(4) / 3 {
            if !tips.is_empty() {
                parents.push(tips.swap_remove(numbers.below(tips.len() as u64) as usize));
            }
        }
        for (index, parent) in parents.iter().enumerate() {
            stream += &format!("{} :{parent}\n", if index == 0 { "from" } else { "merge" });
        }
        stream += &format!("M 644 inline f{}\ndata {}\n{mark}\n", mark % 3, mark.to_string().len());
        tips.push(mark);
        // Some go on from what others have gone on from.
        if tips.len() < 8 && numbers.below(3) == 0 {
            let earlier = mark - numbers.below(mark.min(30) as u64) as usize;
            tips.push(earlier);
        }
    }
    tips.sort_unstable();
    tips.dedup();
    stream += "commit refs/heads/main\ncommitter A <a@b> 30000000000 +0000\ndata 1\nx\n";
    for (index, tip) in tips.iter().enumerate() {
        stream += &format!("{} :{tip}\n", if index == 0 { "from" } else { "merge" });
    }
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet --force < stream");
    fixture
}

#[test]
fn a_history_is_that_of_git_log_whatever_the_clocks_say() {
    for (name, clock) in CLOCKS {
        let fixture = dated(700, clock);
        // No graph, one of the older half, and one of all.
        for graph in [
            "",
            "rev-parse main~60 | git commit-graph write --stdin-commits",
            "commit-graph write --reachable",
        ] {
            if !graph.is_empty() {
                fixture.shell(&format!("cd team/demo.git && git {graph}"));
            }
            for path in ["", "f1"] {
                let expected = fixture.git(&format!("log --format=%H main -- {path}"));
                let (found, expected) = (all(&fixture, path), expected.lines().collect::<Vec<_>>());
                assert_eq!(found.len(), expected.len(), "a clock that {name}, {graph:?}, {path:?}");
                assert_eq!(found, expected, "a clock that {name}, {graph:?}, {path:?}");
            }
        }
    }
}

#[test]
fn a_shallow_history_says_where_it_ends() {
    let fixture = Fixture::new("for i in 1 2 3 4; do git commit -qm $i --allow-empty; done");
    let missing = fixture.git("rev-parse main~2");
    fixture.shell(&format!("cd team/demo.git && rm objects/{}/{}", &missing[..2], &missing[2..]));
    let opened = fixture.open();
    let id = ObjectId::from_hex(fixture.git("rev-parse main").as_bytes()).expect("an id");
    let page = history::page(repository(&opened), &Cursor::at(id), "".into());
    assert_eq!((page.commits.len(), page.next), (2, None));
    assert_eq!(page.unreadable.map(|id| id.to_string()), Some(missing));
}

#[test]
fn a_malformed_cursor_is_none() {
    let format = gix_hash::Kind::Sha1;
    let id = ObjectId::null(format);
    let walked = |dated, known| Some(Walked { start: id, steps: 7, bounds: Bounds { dated, known } });
    let text = |count: usize, skip| Cursor { ids: vec![id; count], skip, walked: None }.to_string();
    for (count, skip) in [(1, 0), (2, 0), (CURSOR_IDS_MAX, CURSOR_STEPS_MAX)] {
        for walked in [
            None,
            walked(None, None),
            walked(Some(-1), None),
            walked(None, Some((i64::MIN, u64::MAX))),
            walked(Some(1), Some((2, 3))),
        ] {
            let cursor = Cursor { ids: vec![id; count], skip, walked };
            assert_eq!(Cursor::parse(&cursor.to_string(), format), Some(cursor));
        }
    }
    let other = ObjectId::null(gix_hash::Kind::Sha256).to_string();
    for text in [
        "",
        "x",
        ".",
        &other,
        &id.to_string()[1..],
        &text(2, 0)[1..],
        &format!("{id}~"),
        &format!("{id}~-1"),
        &text(1, CURSOR_STEPS_MAX + 1),
        &text(CURSOR_IDS_MAX + 1, 0),
        &format!("{id}."),
        &format!("{id}.{id}.1.."),
        &format!("{id}.{id}.1...1"),
        &format!("{id}.{id}.1..1."),
        &format!("{id}.{id}.1...."),
        &format!("{id}.{id}.-1..."),
        &format!("{id}.{other}.1..."),
    ] {
        assert_eq!(Cursor::parse(text, format), None, "{text}");
    }
}
