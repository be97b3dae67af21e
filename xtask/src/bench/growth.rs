//! What a fetch of one commit, and pages, take of the server as the repository grows.

use super::server::Lithe;
use super::wire::Recording;
use super::{Options, data, load, median, row, shown, silent};
use crate::Result;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How many commits the small repository has.
const COMMITS_BEFORE: usize = 1_000;

pub fn run(options: &Options, scratch: &Path) -> Result {
    let scratch = scratch.join("growth");
    fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let growth = Growth { lithe: Lithe::start(&scratch)?, scratch };
    let small = growth.fetch_of_one_commit(COMMITS_BEFORE)?;
    let large = growth.fetch_of_one_commit(options.grown_commits)?;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds * 20 {
        before.push(small.replay()?);
        after.push(large.replay()?);
    }
    let work = format!("fetch of one commit of {}, the server's part", options.grown_commits);
    row(&work, &format!("of {COMMITS_BEFORE}"), &mut after, &mut before, "≤ 1.5");
    growth.pages(options)?;
    growth.cold_pages(options)
}

/// Pages, what they are to take of that in the large repository which they take in the small one, and the address
/// of each: another file or directory every time, so that what was shown a moment ago does not stand for the rest.
const PAGES: [(&str, &str, fn(usize) -> String); 5] = [
    ("summary", "≤ 1.2", |_| String::new()),
    ("tree", "≤ 1.2", |number| format!("/-/tree/main/dir{}", number % 10)),
    ("blob", "≤ 1.2", |number| format!("/-/blob/main/{}", file(number))),
    ("log", "≤ 1.2", |_| "/-/commits/main".to_owned()),
    // Of the small one it is over after some ten commits, of the large one a page has fifty.
    ("history of a file", "", |number| format!("/-/commits/main/{}", file(number))),
];

/// For how long a repository is to be left alone, before it is kept open from one page to the next.
const SETTLED: Duration = Duration::from_secs(3);

/// Views of a summary until its commits are to be counted.
const COUNTING_VIEWS_MAX: usize = 1_000;

/// One of the hundred files.
fn file(number: usize) -> String {
    format!("dir{}/file{}", number % 100 / 10, number % 100)
}

struct Growth {
    lithe: Lithe,
    scratch: PathBuf,
}

impl Growth {
    fn pages(&self, options: &Options) -> Result {
        std::thread::sleep(SETTLED);
        self.count(COMMITS_BEFORE)?;
        let mut counting = self.count(options.grown_commits)?;
        println!(
            "| summary page, {} commits, each of the {} times until they are counted | | {} | | | < 50 ms |",
            options.grown_commits,
            counting.len(),
            shown(median(&mut counting)),
        );
        for (work, target, page) in PAGES {
            let (mut before, mut after) = (Vec::new(), Vec::new());
            for number in 0..options.rounds * 20 {
                let path = |commits: usize| format!("/{}{}", name(commits), page(number));
                before.extend(load::latencies(&self.lithe.url, &path(COMMITS_BEFORE), 1)?);
                after.extend(load::latencies(&self.lithe.url, &path(options.grown_commits), 1)?);
            }
            let work = format!("{work} page, {} commits", options.grown_commits);
            row(&work, &format!("of {COMMITS_BEFORE}"), &mut after, &mut before, target);
        }
        Ok(())
    }

    /// Looks at a summary until it says how many commits there are: each view counts for a few milliseconds. Tells
    /// what each took.
    fn count(&self, commits: usize) -> Result<Vec<Duration>> {
        let path = format!("/{}?format=json", name(commits));
        let mut client = load::Client::connect(&self.lithe.url)?;
        let mut times = Vec::new();
        while times.len() < COUNTING_VIEWS_MAX {
            let (begun, mut body) = (Instant::now(), Vec::new());
            client.page(&path, &mut body).map_err(|error| error.to_string())?;
            times.push(begun.elapsed());
            if !String::from_utf8_lossy(&body).contains("\"commit-count\":null") {
                return Ok(times);
            }
        }
        Err(format!("{commits} commits are not counted").into())
    }

    /// The first page that a server shows of the large repository, after it has shown some of others.
    fn cold_pages(self, options: &Options) -> Result {
        let Self { lithe, scratch } = self;
        drop(lithe);
        for (work, _, page) in PAGES {
            let mut first = Vec::new();
            for _ in 0..options.rounds {
                let lithe = Lithe::start_again(&scratch)?;
                for (.., page) in PAGES {
                    load::latencies(&lithe.url, &format!("/{}{}", name(COMMITS_BEFORE), page(0)), 2)?;
                }
                lithe.empty_cache("browse")?;
                let path = format!("/{}{}", name(options.grown_commits), page(0));
                first.extend(load::latencies(&lithe.url, &path, 1)?);
            }
            let commits = options.grown_commits;
            println!(
                "| {work} page, {commits} commits, cold | | {} | | | < 100 ms |",
                shown(median(&mut first))
            );
        }
        Ok(())
    }

    /// Makes a maintained repository with so many commits, and records how a client that lacks the last
    /// of them fetches it.
    fn fetch_of_one_commit(&self, commits: usize) -> Result<Recording> {
        let name = name(commits);
        self.lithe.create(&name)?;
        let repository = self.lithe.repository(&name);
        data::growing(&repository, commits - 1)?;
        let client = self.scratch.join(format!("client-{commits}.git"));
        crate::run(silent("git").args(["clone", "--bare", "--quiet"]).arg(&repository).arg(&client))?;
        data::one_more_commit(&repository, 0)?;
        self.lithe.maintain(&name)?;
        let url = self.lithe.git_url(&name);
        let server = self.lithe.url.trim_start_matches("http://");
        Recording::make(server, |proxy| {
            let mut fetch = silent("git");
            fetch.arg("-C").arg(&client).args(["-c", "gc.auto=0", "fetch", "--quiet"]);
            crate::run(fetch.arg(url.replace(server, proxy)).arg("+refs/heads/*:refs/heads/*"))
        })
    }
}

/// The name of the repository with so many commits.
fn name(commits: usize) -> String {
    format!("bench/grown-{commits}")
}
