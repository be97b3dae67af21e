//! The last commit of each entry of a directory, against `git log -1`.

mod kit;

use askama::Template as _;
use browse::cache::{Cache, NoCache, Noted};
use browse::limits::LAST_COMMITS_READ_MAX;
use browse::place::Place;
use browse::summary::{self, Summary};
use browse::tree;
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use kit::{COMMITTED, Fixture, Kept, repository};
use lithe_code::last_commits::LastCommits;
use lithe_code::revision;
use lithe_code::walk::Budget;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const ALL: Budget = Budget { commits_read: usize::MAX, commits_passed: usize::MAX, until: None };

/// Numbers that look drawn by lot, the same each time.
struct Lots(u64);

impl Lots {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Files and directories that change on several lines of development, which are merged in all ways.
fn history(seed: u64, steps: usize) -> Fixture {
    const FILES: [&str; 8] = ["a", "b", "dir/a", "dir/b", "dir/deep/a", "dir/deep/b", "dir2/x", "z"];
    let mut lots = Lots(seed);
    let mut stream = String::new();
    let mut tips: Vec<(usize, BTreeMap<&str, usize>)> = vec![(0, BTreeMap::new())];
    for mark in 1..=steps {
        let from = lots.below(tips.len());
        let (parent, mut files) = tips[from].clone();
        let mut parents = vec![parent];
        if mark > 1 && lots.below(3) == 0 {
            let (other, theirs) = tips[lots.below(tips.len())].clone();
            if other != parent {
                parents.push(other);
                // Some files are taken from one side, some from the other.
                files = FILES
                    .iter()
                    .filter_map(|file| {
                        let side = if lots.below(2) == 0 { &files } else { &theirs };
                        side.get(file).map(|contents| (*file, *contents))
                    })
                    .collect();
            }
        }
        for _ in 0..lots.below(3) {
            let file = FILES[lots.below(FILES.len())];
            match lots.below(6) {
                0 => drop(files.remove(file)),
                _ => drop(files.insert(file, lots.below(4))),
            }
        }
        let date = COMMITTED + (mark as i64) * 60;
        writeln!(
            stream,
            "commit refs/heads/b{mark}\nmark :{mark}\ncommitter A <a@b> {date} +0000\ndata 1\nx"
        )
        .expect("a string");
        for (index, parent) in parents.iter().filter(|parent| **parent > 0).enumerate() {
            writeln!(stream, "{} :{parent}", if index == 0 { "from" } else { "merge" }).expect("a string");
        }
        writeln!(stream, "deleteall").expect("a string");
        for (file, contents) in &files {
            let mode = if contents % 2 == 0 { "644" } else { "755" };
            writeln!(stream, "M {mode} inline {file}\ndata 1\n{}", contents / 2).expect("a string");
        }
        if tips.len() < 4 { tips.push((mark, files)) } else { tips[from] = (mark, files) }
    }
    writeln!(stream, "reset refs/heads/main\nfrom :{steps}").expect("a string");
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet < stream");
    fixture
}

fn names(fixture: &Fixture, commit: &str, directory: &str) -> Vec<String> {
    let tree = fixture.git(&format!("ls-tree --name-only {commit}:{directory} || :"));
    tree.lines().map(str::to_owned).collect()
}

/// What `git log -1` says of each entry.
fn judged(fixture: &Fixture, commit: &str, directory: &str) -> Vec<(String, String)> {
    let of = |name: String| {
        let path = if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
        (name, fixture.git(&format!("log -1 --format=%H {commit} -- {path}")))
    };
    names(fixture, commit, directory).into_iter().map(of).collect()
}

/// The same, as found here within the budget each time; and what is known then.
fn found(
    fixture: &Fixture,
    commit: &str,
    directory: &str,
    earlier: Option<&LastCommits>,
    budget: Budget,
) -> (Vec<(String, String)>, LastCommits) {
    let opened = fixture.open();
    let repository = repository(&opened);
    let id: ObjectId = fixture.git(&format!("rev-parse {commit}")).parse().expect("an id");
    let names = names(fixture, commit, directory);
    let mut search = LastCommits::new(id);
    search.ask(repository, names.iter().map(|name| name.as_bytes().as_bstr())).expect("a commit");
    while !search.is_complete() {
        search.advance(repository, directory.into(), earlier, budget).expect("it can be read");
        // What is kept is the whole of it.
        let kept = LastCommits::parse(&search.to_text()).expect("what was just written");
        assert_eq!(kept, search);
    }
    let found = names.iter().map(|name| {
        let (id, told) = search.get(name.as_bytes().as_bstr()).expect("everything is found");
        assert_eq!(told.title, "x");
        (name.clone(), id.to_string())
    });
    (found.collect(), search)
}

#[test]
fn the_last_commits_are_those_of_git_log() {
    for seed in 0..6 {
        let fixture = history(seed, 60);
        for graph in ["", "commit-graph write --reachable", "commit-graph write --reachable --changed-paths"]
        {
            if !graph.is_empty() {
                fixture.git(graph);
            }
            for directory in ["", "dir", "dir/deep"] {
                let expected = judged(&fixture, "main", directory);
                let (whole, _) = found(&fixture, "main", directory, None, ALL);
                assert_eq!(whole, expected, "seed {seed}, {directory:?}, {graph:?}");
                let one = Budget { commits_passed: 1, ..ALL };
                assert_eq!(found(&fixture, "main", directory, None, one).0, expected, "bit by bit");
            }
        }
    }
}

#[test]
fn what_an_earlier_search_found_is_taken_over() {
    let fixture = history(1, 60);
    for earlier_commit in ["b20", "b40", "main~1", "main"] {
        let (_, earlier) = found(&fixture, earlier_commit, "", None, ALL);
        let (taken_over, _) = found(&fixture, "main", "", Some(&earlier), ALL);
        assert_eq!(taken_over, judged(&fixture, "main", ""), "{earlier_commit}");
    }
    // One that had only begun is gone on with.
    let opened = fixture.open();
    let id: ObjectId = fixture.git("rev-parse main~1").parse().expect("an id");
    let mut begun = LastCommits::new(id);
    let names = names(&fixture, "main~1", "");
    begun.ask(repository(&opened), names.iter().map(|name| name.as_bytes().as_bstr())).expect("a commit");
    let two = Budget { commits_passed: 2, ..ALL };
    begun.advance(repository(&opened), "".into(), None, two).expect("it can be read");
    let (taken_over, _) = found(&fixture, "main", "", Some(&begun), ALL);
    assert_eq!(taken_over, judged(&fixture, "main", ""));
}

#[test]
fn text_that_was_not_written_here_is_nothing() {
    let id = "0123456789012345678901234567890123456789";
    for text in ["", "from x\n", "x\n", &format!("from {id}\nfound {id}"), &format!("from {id}\nx {id} y")] {
        assert_eq!(LastCommits::parse(text), None, "{text}");
    }
    assert!(LastCommits::parse(&format!("from {id}\n")).is_some());
}

#[test]
fn a_directory_says_that_more_is_known_next_time() {
    // The file is in all commits, and changed in the very first alone.
    let mut stream = String::new();
    for number in 0..LAST_COMMITS_READ_MAX + 10 {
        let date = COMMITTED - 5_000 + number as i64;
        let (name, contents) = if number == 0 { ("file", 0) } else { ("other", number) };
        stream += &format!(
            "commit refs/heads/main\ncommitter A <a@b> {date} +0000\ndata 5\nFirst\nM 644 inline {name}\ndata {}\n{contents}\n",
            contents.to_string().len()
        );
    }
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git -c fastimport.unpackLimit=100000 fast-import --quiet < stream");
    let (opened, kept) = (fixture.open(), Kept::default());
    let repository = repository(&opened);
    let at = revision::resolve(repository, "main".into()).expect("readable").expect("there");
    let view = || {
        let place = Place { cache: &kept, ..fixture.place() };
        tree::page(&place, repository, &at, 0).expect("a directory").render().expect("it renders")
    };
    let known = |html: &str| html.matches("<td class=\"message\" title=").count();
    let first = view();
    assert!(
        first.contains("data-fills")
            && first.contains("/team/demo/-/tree/main?look=further' rel='nofollow'>Look further")
    );
    assert_eq!(known(&first), 1, "{first}");
    // The summary leads to itself, as it shows fewer entries than the directory's page. Nothing is kept of a permanent
    // address, but that there is more to be found.
    let summary = match summary::page(&fixture.place(), repository) {
        Ok(Summary::Filled(page)) => page.render().expect("it renders"),
        _ => panic!("it has a summary"),
    };
    assert!(summary.contains("'/team/demo?look=further'"), "{summary}");
    let commit = fixture.git("rev-parse main~1");
    let at_commit = revision::resolve(repository, commit.as_str().into()).expect("readable").expect("there");
    kept.puts();
    let noted = Noted::new(NoCache);
    for cache in [&kept as &dyn Cache, &noted] {
        let page = tree::page(&Place { cache, ..fixture.place() }, repository, &at_commit, 0);
        let page = page.expect("a directory").render().expect("it renders");
        assert!(page.contains(&format!("/team/demo/-/tree/{commit}?look=further")), "{page}");
    }
    assert_eq!((kept.puts(), noted.knows_more()), (0, true));
    // However slow the machine is, each view comes further.
    let last = (0..LAST_COMMITS_READ_MAX).map(|_| view()).find(|html| !html.contains("data-fills"));
    assert_eq!(last.as_deref().map(known), Some(2));
}

#[test]
fn what_a_permanent_address_shows_at_first_is_not_kept() {
    let fixture = Fixture::new(
        "mkdir dir && seq 9 > dir/a && git add . && git commit -qm One && seq 5 > dir/b && git add . && git commit -qm Two",
    );
    let opened = fixture.open();
    let repository = repository(&opened);
    let commit = fixture.git("rev-parse main");
    for (revision, looks_further, is_kept) in
        [(commit.as_str(), false, false), (&commit, true, true), ("main", false, true)]
    {
        let address = format!("{revision}/dir");
        let at = revision::resolve(repository, address.as_str().into()).expect("readable").expect("there");
        let kept = Kept::default();
        let place = Place { cache: &kept, looks_further, ..fixture.place() };
        tree::page(&place, repository, &at, 0).expect("a directory");
        assert_eq!(kept.puts() > 0, is_kept, "{revision}");
    }
}
