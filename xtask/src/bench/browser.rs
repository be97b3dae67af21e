//! The pages about code, beside cgit: requests a second of eight clients, and how long the slowest
//! hundredth of them waits.

use super::server::Lithe;
use super::{Options, cgit, data, load, median, push, shown, silent};
use crate::Result;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

const CLIENTS: usize = 8;

/// How long each page is asked for, in seconds.
const SECONDS: u64 = 3;

/// The repository in Lithe.
const OURS: &str = "/bench/browser";

/// How many files one commit changes, so that its page is a large diff that both show whole.
const WIDE_FILES: u64 = 300;

/// Of how many commits pages are asked for that nobody has asked for before.
const COMMITS_ASKED: usize = 3_000;

/// A page that both have, or pages of one kind.
struct Page {
    work: &'static str,
    ours: Vec<String>,
    theirs: Vec<String>,
    target: String,
}

pub fn run(options: &Options, scratch: &Path) -> Result {
    let scratch = scratch.join("browser");
    fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let source = scratch.join("source.git");
    let objects = data::history(&source, options.commits)?;
    data::wide_commit(&source, WIDE_FILES)?;
    data::refs(&source)?;
    let lithe = Lithe::start(&scratch)?;
    lithe.create(OURS.trim_start_matches('/'))?;
    crate::run(&mut push(&source, &lithe.git_url(OURS.trim_start_matches('/'))))?;
    lithe.maintain(OURS.trim_start_matches('/'))?;
    let peer = cgit::Server::start(&scratch.join("cgit"), &source, CLIENTS)?;
    let name = format!("{objects} objects");
    let commits = data::commits(&source, COMMITS_ASKED)?;
    let wide_commit = data::commit(&source, "main")?;
    for page in pages(&wide_commit).into_iter().chain(pages_asked_once(&commits)) {
        measure(&page, &name, &lithe, &peer)?;
    }
    for (work, path) in others(&wide_commit, &commits) {
        let (per_second, mut waits) = ask(&lithe.url, &[format!("{OURS}{path}")])?;
        println!("| {work} page, {name} | | {} | | | p99 < 50 ms |", waited(per_second, &mut waits));
    }
    cold_blame(&name, &lithe, &peer)?;
    archive(options, &name, &commits, &lithe, &peer)?;
    search(&lithe, &scratch)
}

/// How many files are blamed that nobody has asked for before.
const BLAMED_FILES: u64 = 20;

/// The blame of files that nobody has asked for before, one after the other.
fn cold_blame(name: &str, lithe: &Lithe, peer: &cgit::Server) -> Result {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // Those of the commit that changed many files would have two versions less to look at.
    for file in (WIDE_FILES..).step_by(7).take(BLAMED_FILES as usize) {
        let path = data::file(file);
        ours.extend(load::latencies(&lithe.url, &format!("{OURS}/-/blame/main/{path}"), 1)?);
        theirs.extend(load::latencies(&peer.url, &format!("/bench/blame/{path}"), 1)?);
    }
    faster(&format!("blame page, cold, {name}"), "cgit", &mut ours, &mut theirs, "≥ 2");
    Ok(())
}

/// How many archives are made one after the other in each round.
const ARCHIVES_PER_ROUND: usize = 3;

/// Archives of commits that nobody has asked for before: one after the other, each once more, and by eight clients.
fn archive(options: &Options, name: &str, commits: &[String], lithe: &Lithe, peer: &cgit::Server) -> Result {
    let ours = |commit: &String| format!("{OURS}/-/archive/{commit}.tar.gz");
    let snapshot = |commit: &String| format!("/bench/snapshot/bench-{commit}.tar.gz");
    let (alone, others) = commits.split_at((options.rounds * ARCHIVES_PER_ROUND).min(commits.len() / 2));
    let (mut cold, mut warm, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for commit in alone {
        cold.extend(load::latencies(&lithe.url, &ours(commit), 1)?);
        warm.extend(load::latencies(&lithe.url, &ours(commit), 1)?);
        theirs.extend(load::latencies(&peer.url, &snapshot(commit), 1)?);
    }
    faster(&format!("archive tar.gz, cold, one client, {name}"), "cgit", &mut cold, &mut theirs, "≥ 1");
    faster(&format!("archive tar.gz, warm, one client, {name}"), "cgit", &mut warm, &mut theirs, "");
    let page = Page {
        work: "another archive tar.gz",
        ours: others.iter().map(ours).collect(),
        theirs: others.iter().map(snapshot).collect(),
        target: "≥ 1".to_owned(),
    };
    measure(&page, name, lithe, peer)
}

/// A row that says how many times faster Lithe is.
fn faster(work: &str, peer: &str, ours: &mut [Duration], theirs: &mut [Duration], target: &str) {
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
    println!("| {work} | `{peer}` | {} | {} | {ratio:.2} | {target} |", shown(ours), shown(theirs));
}

/// How many files the tree has that is searched.
const SEARCHED_FILES: u64 = 100_000;

/// How long the index of that tree may take to be made.
const INDEXED_WITHIN: Duration = Duration::from_secs(600);

/// Searches a large tree from the index, beside `git grep`.
fn search(lithe: &Lithe, scratch: &Path) -> Result {
    let source = scratch.join("wide.git");
    data::wide_tree(&source, SEARCHED_FILES)?;
    let path = "bench/wide";
    lithe.create(path)?;
    crate::run(&mut push(&source, &lithe.git_url(path)))?;
    let begun = Instant::now();
    // The host's clock has both repositories' indexes made.
    while lithe.index_count() < 2 {
        if begun.elapsed() > INDEXED_WITHIN {
            return Err("the index was not made in time".to_owned());
        }
        thread::sleep(Duration::from_millis(500));
    }
    println!("| index of {SEARCHED_FILES} files | | {} | | | |", shown(begun.elapsed()));
    let cases = [
        ("a rare word", "q=needle", "needle"),
        ("a common word", "q=value42", "value42"),
        ("an expression", "q=value12[0-9]+.*needle&regex=yes", "value12[0-9][0-9]*.*needle"),
        ("what is nowhere", "q=nowhere_at_all", "nowhere_at_all"),
    ];
    for (work, query, pattern) in cases {
        let mut waits = load::latencies(&lithe.url, &format!("/{path}/-/search?{query}"), 20)?;
        let mut grep = silent("git");
        grep.arg("-C").arg(&source).args(["grep", "-c", pattern, "main"]);
        let grepped = time_of_any(grep)?;
        println!(
            "| search for {work}, {SEARCHED_FILES} files | `git grep` | median {} | {} | {:.0} | < 200 ms |",
            shown(median(&mut waits)),
            shown(grepped),
            grepped.as_secs_f64() / median(&mut waits).as_secs_f64(),
        );
    }
    Ok(())
}

/// How long a command takes, which may find nothing.
fn time_of_any(mut command: Command) -> Result<Duration> {
    let begun = Instant::now();
    command.status().map_err(|error| error.to_string())?;
    Ok(begun.elapsed())
}

/// The targets of a page, beside its own: nobody waits for any of them.
fn of_page(target: &str) -> String {
    let targets = [target, "p99 < 50 ms"];
    targets.into_iter().filter(|target| !target.is_empty()).collect::<Vec<_>>().join(", ")
}

fn pages(wide_commit: &str) -> Vec<Page> {
    let page = |work, ours: &str, theirs: &str, target| Page {
        work,
        ours: vec![if ours == "/" { ours.to_owned() } else { format!("{OURS}{ours}") }],
        theirs: vec![theirs.to_owned()],
        target: of_page(target),
    };
    let commit = format!("/-/commit/{wide_commit}");
    vec![
        page("home page", "/", "/", "≥ 3"),
        page("tree page", "/-/tree/main/dir3/sub2", "/bench/tree/dir3/sub2", "≥ 3"),
        page("blob page", "/-/blob/main/dir3/sub2/file23.txt", "/bench/tree/dir3/sub2/file23.txt", "≥ 3"),
        page("raw page", "/-/raw/main/dir3/sub2/file23.txt", "/bench/plain/dir3/sub2/file23.txt", "≥ 3"),
        page("summary page", "", "/bench/", "≥ 10"),
        page("log page", "/-/commits/main", "/bench/log/", "≥ 10"),
        page("refs page", "/-/refs", "/bench/refs/", "≥ 10"),
        page(
            "blame page",
            "/-/blame/main/dir3/sub2/file23.txt",
            "/bench/blame/dir3/sub2/file23.txt",
            "≥ 20 warm",
        ),
        page(
            "page of a commit with a large diff",
            &commit,
            &format!("/bench/commit/?id={wide_commit}"),
            "≥ 5",
        ),
    ]
}

/// Pages of which each is another than those before it, so that none is kept of what was asked for a moment ago.
fn pages_asked_once(commits: &[String]) -> Vec<Page> {
    let page = |work, ours: &dyn Fn(&str, u64) -> String, theirs: &dyn Fn(&str, u64) -> String, target| {
        let numbered =
            || commits.iter().zip(0..).map(|(commit, number)| (commit.as_str(), number * 7 % 2_000));
        Page {
            work,
            ours: numbered().map(|(commit, number)| format!("{OURS}{}", ours(commit, number))).collect(),
            theirs: numbered().map(|(commit, number)| format!("/bench{}", theirs(commit, number))).collect(),
            target: of_page(target),
        }
    };
    let directory = |number: u64| format!("dir{}/sub{}", number % 20, number % 7);
    vec![
        page(
            "another tree page",
            &|commit, number| format!("/-/tree/{commit}/{}", directory(number)),
            &|commit, number| format!("/tree/{}?id={commit}", directory(number)),
            "≥ 3",
        ),
        page(
            "another blob page",
            &|commit, number| format!("/-/blob/{commit}/{}", data::file(number)),
            &|commit, number| format!("/tree/{}?id={commit}", data::file(number)),
            "≥ 3",
        ),
        page(
            "another log page",
            &|commit, _| format!("/-/commits/{commit}"),
            &|commit, _| format!("/log/?id={commit}"),
            "≥ 10",
        ),
        page(
            "another commit page",
            &|commit, _| format!("/-/commit/{commit}"),
            &|commit, _| format!("/commit/?id={commit}"),
            "",
        ),
    ]
}

/// Pages that cgit has none of, or that take it too long.
fn others(wide_commit: &str, commits: &[String]) -> Vec<(&'static str, String)> {
    let file = data::file(23);
    let (new, old) = (&commits[0], &commits[commits.len() - 1]);
    vec![
        ("graph", "/-/commits/main?graph=1".to_owned()),
        ("log of an author", "/-/commits/main?author=Author+7".to_owned()),
        ("log of a word", "/-/commits/main?message=number+12".to_owned()),
        ("log of a file", format!("/-/commits/main/{file}")),
        ("comparison", format!("/-/compare/{old}...{new}")),
        ("split diff", format!("/-/commit/{wide_commit}?view=split")),
        ("find", "/-/find/main".to_owned()),
        ("statistics", "/-/stats/main".to_owned()),
        ("feed", "/-/feed/main.atom".to_owned()),
        ("summary as JSON", "?format=json".to_owned()),
    ]
}

/// What eight clients get in a while, after some requests that do not count.
fn ask(url: &str, paths: &[String]) -> Result<(f64, Vec<Duration>)> {
    load::latencies(url, paths.last().ok_or("no page")?, 5)?;
    load::throughput(url, paths, CLIENTS, SECONDS)
}

/// How many requests a second were answered, and how long the half and the slowest hundredth of them took.
fn waited(per_second: f64, waits: &mut [Duration]) -> String {
    waits.sort();
    let slowest = waits[waits.len() * 99 / 100];
    format!("{per_second:.0}/s, median {}, p99 {}", shown(median(waits)), shown(slowest))
}

fn measure(page: &Page, name: &str, lithe: &Lithe, peer: &cgit::Server) -> Result {
    let (ours, mut waits) = ask(&lithe.url, &page.ours)?;
    let (theirs, _) = ask(&peer.url, &page.theirs)?;
    let Page { work, target, .. } = page;
    println!(
        "| {work}, {name} | `cgit` | {} | {theirs:.0}/s | {:.1} | {target} |",
        waited(ours, &mut waits),
        ours / theirs,
    );
    Ok(())
}
