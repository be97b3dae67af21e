//! Where lines come from, against `git blame`.

mod kit;

use askama::Template as _;
use browse::blame;
use browse::limits::{
    BLAME_LINES_MAX, BLAME_WAY_KEPT_COMMITS_MIN, BLAME_WAY_KEPT_READ_MIN, BLOB_LINES_MAX,
    CACHE_ENTRY_BYTES_MAX,
};
use browse::place::Place;
use gix_hash::ObjectId;
use kit::{COMMITTED, Fixture, Kept, repository};
use lithe_code::blame::{Blame, Rules, Whitespace};
use lithe_code::limits::{BLAME_RENAMED_PARENTS_MAX, RENAMED_PATH_SEGMENTS_MAX};
use lithe_code::revision;
use lithe_code::walk::Budget;
use std::collections::HashSet;
use std::fmt::Write as _;

/// Numbers that look drawn by lot, the same each time.
struct Lots(u64);

impl Lots {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// A version of the file: its name and lines.
#[derive(Clone)]
struct Version {
    path: String,
    lines: Vec<String>,
    mark: usize,
}

/// Changes a few lines: inserts, deletes, replaces and indents them.
fn edit(lines: &mut Vec<String>, lots: &mut Lots, mark: usize) {
    for _ in 0..1 + lots.below(3) {
        let at = lots.below(lines.len() + 1);
        match lots.below(5) {
            0 | 1 => (0..1 + lots.below(4)).for_each(|n| lines.insert(at, format!("line {mark} {n}"))),
            2 if lines.len() > 12 => drop(lines.drain(at.min(lines.len() - 2)..).next()),
            2 if at < lines.len() => drop(lines.remove(at)),
            3 if at < lines.len() => lines[at] = format!("changed {mark}"),
            _ if at < lines.len() => lines[at].insert_str(0, "  "),
            _ => lines.push("}".to_owned()),
        }
    }
}

/// A history of merges in which one file is edited, and sometimes renamed, on several lines of development.
fn history(seed: u64, steps: usize) -> Fixture {
    let mut lots = Lots(seed);
    let mut stream = String::new();
    let begin = (0..12).map(|n| format!("first {n}")).collect();
    let mut tips = vec![Version { path: "dir/file".into(), lines: begin, mark: 0 }];
    for step in 0..steps {
        let mark = step + 1;
        let from = lots.below(tips.len());
        let mut version = tips[from].clone();
        let mut parents = vec![version.mark];
        let mut was = version.path.clone();
        if step > 0 && lots.below(4) == 0 {
            let other = tips[lots.below(tips.len())].clone();
            if other.mark != version.mark {
                parents.push(other.mark);
                let at = lots.below(version.lines.len().min(other.lines.len()) + 1);
                version.lines.splice(at.., other.lines[at..].iter().cloned());
            }
        }
        if step > 0 && lots.below(8) == 0 {
            version.path = format!("dir/name{mark}");
        }
        if lots.below(5) > 0 {
            edit(&mut version.lines, &mut lots, mark);
        }
        version.mark = mark;
        let date = COMMITTED + (mark as i64) * 60;
        writeln!(
            stream,
            "commit refs/heads/b{mark}\nmark :{mark}\ncommitter A <a@b> {date} +0000\ndata 1\nx"
        )
        .expect("a string");
        for (index, parent) in parents.iter().filter(|parent| **parent > 0).enumerate() {
            writeln!(stream, "{} :{parent}", if index == 0 { "from" } else { "merge" }).expect("a string");
        }
        if was != version.path {
            writeln!(stream, "D {was}").expect("a string");
            was.clone_from(&version.path);
        }
        let contents = version.lines.join("\n") + "\n";
        writeln!(stream, "M 644 inline {was}\ndata {}\n{contents}", contents.len()).expect("a string");
        writeln!(stream, "M 644 inline other\ndata 8\n{mark:08}").expect("a string");
        if tips.len() < 4 { tips.push(version) } else { tips[from] = version }
    }
    writeln!(stream, "reset refs/heads/main\nfrom :{steps}").expect("a string");
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet < stream");
    fixture
}

const ALL: Budget = Budget { commits_read: usize::MAX, commits_passed: usize::MAX, until: None };

/// The commit, the line there and the name there of each line, as `git blame` says.
fn judged(fixture: &Fixture, options: &str, path: &str) -> Vec<(String, u32, String)> {
    let output = fixture.git(&format!("blame --line-porcelain {options} main -- {path}"));
    let mut lines = Vec::new();
    let mut at = (String::new(), 0);
    for line in output.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        if words[0].len() == 40 && words.len() >= 3 && !line.starts_with('\t') {
            at = (words[0].to_owned(), words[1].parse().expect("a number"));
        } else if let Some(name) = line.strip_prefix("filename ") {
            lines.push((at.0.clone(), at.1, name.to_owned()));
        }
    }
    lines
}

struct Asked {
    whitespace: Whitespace,
    ignored: HashSet<ObjectId>,
    budget: Budget,
}

/// The same, as found here, and in how many goes.
fn found(fixture: &Fixture, path: &str, asked: &Asked) -> (Vec<(String, u32, String)>, usize) {
    found_from(fixture, fixture.git("rev-parse main").parse().expect("an id"), path, asked)
}

/// The same, from another commit on that has the file.
fn found_from(
    fixture: &Fixture,
    id: ObjectId,
    path: &str,
    asked: &Asked,
) -> (Vec<(String, u32, String)>, usize) {
    let opened = fixture.open();
    let repository = repository(&opened);
    let blob: ObjectId = fixture.git(&format!("rev-parse main:{path}")).parse().expect("an id");
    let count = repository.blob(&blob, u64::MAX).expect("a file").split_inclusive(|b| *b == b'\n').count();
    let mut blame = Blame::new(repository, id, path.into(), blob, count as u32).expect("a commit");
    let rules = Rules { whitespace: asked.whitespace, ignored: &asked.ignored, encoding: None };
    let mut goes = 0;
    while !blame.is_complete() {
        goes += 1;
        blame.advance(repository, rules, asked.budget).expect("it can be read");
        // What is kept is the whole of it.
        let kept = Blame::parse(&blame.to_text()).expect("what was just written");
        assert_eq!(kept, blame);
        blame = kept;
    }
    let mut lines = Vec::new();
    for settled in blame.settled() {
        assert_eq!(settled.lines.first as usize, lines.len(), "lines follow one another");
        assert!(blame.origin(&settled.commit_id).is_some(), "it is known whose they are");
        for line in 0..settled.lines.count {
            let path = settled.path.to_string();
            lines.push((settled.commit_id.to_string(), settled.lines.source + line + 1, path));
        }
    }
    (lines, goes)
}

fn asked(whitespace: Whitespace) -> Asked {
    Asked { whitespace, ignored: HashSet::new(), budget: ALL }
}

/// The file's name at the end.
fn path_at_end(fixture: &Fixture) -> String {
    fixture.git("ls-tree --name-only main dir/")
}

#[test]
fn lines_come_from_where_git_says() {
    for seed in 0..12 {
        let fixture = history(seed, 60);
        let path = path_at_end(&fixture);
        let path = path.lines().next().expect("there is a file");
        for graph in ["", "commit-graph write --reachable", "commit-graph write --reachable --changed-paths"]
        {
            if !graph.is_empty() {
                fixture.git(graph);
            }
            for (options, whitespace) in [("", Whitespace::Counts), ("-w", Whitespace::Ignored)] {
                let (found, _) = found(&fixture, path, &asked(whitespace));
                assert_eq!(found, judged(&fixture, options, path), "seed {seed}, {options:?}, {graph:?}");
            }
        }
    }
}

#[test]
fn a_search_stops_at_its_budget_and_goes_on_from_there() {
    let fixture = history(3, 60);
    let path = path_at_end(&fixture);
    let path = path.lines().next().expect("there is a file");
    let (whole, goes) = found(&fixture, path, &asked(Whitespace::Counts));
    assert_eq!(goes, 1);
    let one = Budget { commits_read: 1, ..ALL };
    let (parts, goes) = found(&fixture, path, &Asked { budget: one, ..asked(Whitespace::Counts) });
    assert_eq!(parts, whole);
    assert!(goes > 10, "{goes}");
    let few = Budget { commits_passed: 2, ..ALL };
    assert_eq!(found(&fixture, path, &Asked { budget: few, ..asked(Whitespace::Counts) }).0, whole);
}

#[test]
fn ignored_commits_pass_their_lines_on() {
    let fixture = Fixture::new(
        "printf 'a\\nb\\nc\\n' > file && git add . && git commit -qm One
        printf 'a;\\nb;\\nc;\\n' > file && git commit -qam Format
        printf 'a;\\nnew;\\nb;\\nc;\\nd;\\n' > file && git commit -qam Three",
    );
    let format = fixture.git("rev-parse main~1");
    let ignored = HashSet::from([format.parse().expect("an id")]);
    let found = found(&fixture, "file", &Asked { ignored, ..asked(Whitespace::Counts) }).0;
    assert_eq!(found, judged(&fixture, &format!("--ignore-rev {format}"), "file"));
    assert!(found.iter().all(|(id, ..)| *id != format));
}

#[test]
fn the_search_may_begin_where_the_file_is_the_same_for_the_last_time() {
    for seed in 0..12 {
        let fixture = history(seed, 60);
        let path = path_at_end(&fixture);
        let path = path.lines().next().expect("there is a file");
        for graph in ["", "commit-graph write --reachable", "commit-graph write --reachable --changed-paths"]
        {
            if !graph.is_empty() {
                fixture.git(graph);
            }
            // Commits that leave the file alone, and one with two parents that both have it.
            let opened = fixture.open();
            let repository = repository(&opened);
            let id: ObjectId = fixture.git("rev-parse main").parse().expect("an id");
            let blob: ObjectId = fixture.git(&format!("rev-parse main:{path}")).parse().expect("an id");
            let begin = |budget| {
                lithe_code::blame::beginning(repository, id, path.into(), &blob, budget).expect("readable")
            };
            let whole = begin(ALL);
            let at = whole.commit_id.to_string();
            assert_eq!(fixture.git(&format!("rev-parse {at}:{path}")), blob.to_string());
            // No parent has it.
            let parents = fixture.git(&format!("log -1 --format=%P {at}"));
            for parent in parents.split_whitespace() {
                let entry = fixture.git(&format!("ls-tree --object-only {parent} {path}"));
                assert_ne!(entry, blob.to_string(), "seed {seed} {parent}");
            }
            // Whatever it begins with, the same is found: compared with `git blame` of the tip.
            let few = begin(Budget { commits_passed: whole.passed / 2, ..ALL });
            assert_eq!(few.passed, whole.passed / 2);
            assert!(whole.is_whole && !few.is_whole);
            for begin in [whole, few] {
                let asked = asked(Whitespace::Counts);
                let (lines, _) = found_from(&fixture, begin.commit_id, path, &asked);
                assert_eq!(lines, judged(&fixture, "", path), "seed {seed}, {graph:?}");
            }
        }
    }
}

#[test]
fn a_push_of_another_file_leaves_what_is_known_of_lines() {
    let fixture =
        Fixture::new("seq 9 > f && git add . && git commit -qm One && sed -i 5d f && git commit -qam Two");
    let cache = Kept::default();
    let view = || {
        let opened = fixture.open();
        let at = revision::resolve(repository(&opened), "main/f".into()).expect("readable").expect("there");
        let place = Place { cache: &cache, ..fixture.place() };
        let page = blame::page(&place, repository(&opened), &at, Whitespace::Counts, 0).expect("lines");
        let page = page.render().expect("the template takes its page");
        assert!(page.contains(">One</a>"), "{page}");
        cache.puts()
    };
    let others = |count: usize| {
        let commit = "commit refs/heads/main\ncommitter A <a@b> 1750000000 +0000\ndata 1\nx\n";
        let from = format!("{commit}from refs/heads/main^0\n");
        let stream = from + &commit.repeat(count - 1);
        std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
        fixture.shell("git -C team/demo.git fast-import --quiet < stream");
    };
    // The lines, and the file as HTML if there is a highlighter.
    assert!(view() > 0);
    assert_eq!(view(), 0);
    // The last commit is looked at too, to see that the way ends there.
    others(BLAME_WAY_KEPT_READ_MIN - 2);
    assert_eq!(view(), 0, "nothing was done to the file");
    others(1);
    assert_eq!([view(), view()], [1, 0], "a way of many trees is kept");
    others(BLAME_WAY_KEPT_COMMITS_MIN / 2);
    fixture.git("commit-graph write --reachable --changed-paths");
    assert_eq!(view(), 0, "the commit-graph leads past them");
    others(1);
    assert_eq!(view(), 0, "what is new is looked at");
    others(BLAME_WAY_KEPT_COMMITS_MIN / 2);
    fixture.git("commit-graph write --reachable --changed-paths");
    assert_eq!([view(), view()], [1, 0], "a way of many commits is kept");
    fixture.shell("cd work && git pull -q origin main && echo end >> f && git commit -qam Three && git push -q origin main");
    assert!(view() > 0, "the file was changed");
}

#[test]
fn text_that_was_not_written_here_is_nothing() {
    for text in [
        "x",
        "settled 1 2",
        "lines 1 2 3",
        "origin x",
        "suspect 1 2 3 4",
        "settled a b c d e",
        "run 1 2 3",
        "settled 0123456789012345678901234567890123456789 0",
    ] {
        assert_eq!(Blame::parse(text), None, "{text}");
    }
}

#[test]
fn the_page_passes_over_the_commits_that_the_repository_lists() {
    let fixture = Fixture::new(
        "printf 'a\\nb\\n' > file && git add . && git commit -qm One
        printf 'a;\\nb;\\n' > file && git commit -qam Format
        { echo '# Formatting'; git rev-parse HEAD; echo nonsense; } > .git-blame-ignore-revs
        git add . && git commit -qm List",
    );
    let opened = fixture.open();
    let at = revision::resolve(repository(&opened), "main/file".into()).expect("it can be read");
    let page =
        blame::page(&fixture.place(), repository(&opened), &at.expect("it is there"), Whitespace::Counts, 0);
    let page = page.expect("a file").render().expect("the template takes its page");
    assert!(page.contains(">One</a>") && !page.contains(">Format</a>"));
    assert!(page.contains(".git-blame-ignore-revs"));
}

#[test]
fn what_a_file_was_called_is_looked_for_in_paths_and_parents_up_to_a_limit() {
    let nested = |segments: usize| format!("{}f", "d/".repeat(segments - 1));
    // The path before, and in how many parents, of which the last alone has it, the file was moved.
    let cases = [
        (nested(RENAMED_PATH_SEGMENTS_MAX), 1, true),
        (nested(RENAMED_PATH_SEGMENTS_MAX + 1), 1, false),
        ("g".to_owned(), BLAME_RENAMED_PARENTS_MAX, true),
        ("g".to_owned(), BLAME_RENAMED_PARENTS_MAX + 1, false),
    ];
    for (path, parents, is_found) in cases {
        let fixture = Fixture::new("");
        let mut stream = String::new();
        for parent in 1..=parents {
            let path = if parent == parents { &path } else { "other" };
            stream += &format!(
                "commit refs/heads/p{parent}\nmark :{parent}\ncommitter A <a@b> 1 +0000\ndata 1\nx\n\
                 M 644 inline {path}\ndata 12\nparent {parent:>4}\n\n"
            );
        }
        stream += "commit refs/heads/main\ncommitter A <a@b> 2 +0000\ndata 1\nx\n";
        for parent in 1..=parents {
            stream += &format!("{} :{parent}\n", if parent == 1 { "from" } else { "merge" });
        }
        stream += &format!("deleteall\nM 644 inline file\ndata 12\nparent {parents:>4}\n\n");
        std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
        fixture.shell("git -C team/demo.git fast-import --quiet < stream");
        let (lines, _) = found(&fixture, "file", &asked(Whitespace::Counts));
        assert_eq!(lines[0].2 == path, is_found, "{} bytes, {parents} parents", path.len());
    }
}

#[test]
fn a_long_file_of_short_runs_is_kept() {
    // Every other line is changed by a second commit, in a file with a long path.
    let fixture = Fixture::new(&format!(
        "mkdir -p dir/{0}/{0} && seq {1} > dir/{0}/{0}/f && git add . && git commit -qm One
        sed -i 's/[02468]$/&x/' dir/{0}/{0}/f && git commit -qam Two",
        "d".repeat(200),
        BLAME_LINES_MAX
    ));
    let opened = fixture.open();
    let repository = repository(&opened);
    let path = fixture.git("ls-tree -r --name-only main");
    let id = |revision: &str| fixture.git(&format!("rev-parse {revision}")).parse().expect("an id");
    let blob = id(&format!("main:{path}"));
    let blame = Blame::new(repository, id("main"), path.as_str().into(), blob, BLAME_LINES_MAX as u32);
    let mut blame = blame.expect("a commit");
    let asked = asked(Whitespace::Counts);
    let rules = Rules { whitespace: asked.whitespace, ignored: &asked.ignored, encoding: None };
    blame.advance(repository, rules, ALL).expect("it can be read");
    assert_eq!(blame.settled().len(), BLAME_LINES_MAX);
    assert!(blame.to_text().len() < CACHE_ENTRY_BYTES_MAX / 4, "{}", blame.to_text().len());
}

#[test]
fn a_long_file_is_shown_in_parts() {
    let count = BLOB_LINES_MAX + 2;
    let fixture = Fixture::new(&format!(
        "seq {count} > f && git add . && git commit -qm One && sed -i '{BLOB_LINES_MAX},$s/$/x/' f && git commit -qam Two"
    ));
    let opened = fixture.open();
    let at = revision::resolve(repository(&opened), "main/f".into()).expect("readable").expect("there");
    let part = |whitespace, from| {
        let page = blame::page(&fixture.place(), repository(&opened), &at, whitespace, from).expect("lines");
        page.render().expect("the template takes its page")
    };
    let first = part(Whitespace::Counts, 0);
    assert_eq!(first.matches("<tr id=\"L").count(), BLOB_LINES_MAX);
    let next = format!("href=\"/team/demo/-/blame/main/f?from={BLOB_LINES_MAX}\">More lines");
    assert!(first.contains(&next) && !first.contains("Earlier lines"));
    let last = part(Whitespace::Ignored, BLOB_LINES_MAX);
    assert_eq!(last.matches("<tr id=\"L").count(), 2);
    assert!(
        last.contains(&format!("id=\"L{count}\""))
            && last.contains("title=\"Two\"")
            && !last.contains("title=\"One\"")
    );
    assert!(last.contains("href=\"/team/demo/-/blame/main/f?whitespace=ignored\">Earlier lines"), "{last}");
    assert_eq!(part(Whitespace::Counts, usize::MAX).matches("<tr id=\"L").count(), 0);
}
