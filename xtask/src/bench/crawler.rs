//! Others' work while a crawler walks every link of a repository with many connections: a clone, and a
//! person who looks at a page. Once with the budget for clients that are not signed in as it is, and once
//! without, when the processors are asked for more than they have.

use super::server::Lithe;
use super::{Options, data, load, mebibytes, push, row, shown, silent, time};
use crate::Result;
use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

const CONNECTIONS: usize = 50;

/// How long the crawler walks.
const WALK: Duration = Duration::from_secs(30);

const REPOSITORY: &str = "bench/crawled";

/// The page that a person looks at, over and over.
const PAGE: &str = "/bench/crawled/-/tree/main/dir3/sub2";

/// How long the person looks at it each time.
const PAUSE: Duration = Duration::from_millis(200);

/// Addresses that the crawler keeps in mind.
const ADDRESSES_MAX: usize = 1_000_000;

pub fn run(options: &Options, scratch: &Path) -> Result {
    let scratch = scratch.join("crawler");
    let source = scratch.join("source.git");
    for (budget, name) in [("600", "a budget of 600 points"), ("0", "no budget")] {
        let scratch = scratch.join(budget);
        fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
        if !source.exists() {
            data::history(&source, options.commits)?;
        }
        let lithe = Lithe::start_with(&scratch, &["--anonymous-budget", budget])?;
        lithe.create(REPOSITORY)?;
        crate::run(&mut push(&source, &lithe.git_url(REPOSITORY)))?;
        lithe.maintain(REPOSITORY)?;
        beside(&lithe, name, &scratch)?;
    }
    Ok(())
}

/// Measures both at rest, and then while the crawler walks.
fn beside(lithe: &Lithe, name: &str, scratch: &Path) -> Result {
    let (mut idle_clones, mut idle_pages) = work(lithe, scratch, Instant::now() + WALK / 6)?;
    lithe.reset_peak()?;
    let until = Instant::now() + WALK;
    let (walked, worked) = thread::scope(|scope| {
        let work = scope.spawn(|| work(lithe, scratch, until).map_err(|error| error.to_string()));
        (walk(&lithe.url, until), work.join())
    });
    let (mut clones, mut pages) = worked.map_err(|_| "a client panicked")??;
    let Walked { pages: count, refused } = walked;
    println!("| {CONNECTIONS} connections of a crawler, {name} | | {count} pages | {refused} refused | | |");
    row(&format!("clone beside a crawler, {name}"), "at rest", &mut clones, &mut idle_clones, "≤ 2");
    row(&format!("tree page beside a crawler, {name}"), "at rest", &mut pages, &mut idle_pages, "≤ 2");
    // They are in order by now.
    println!(
        "| the slowest of these pages | | {} | | | |",
        pages.last().map_or(String::new(), |last| shown(*last))
    );
    mebibytes(&format!("most memory under the crawler, {name}"), lithe.peak_mib()?, "≤ 150 MiB");
    Ok(())
}

/// Clones, and looks at a page, until the given moment, at least once each.
fn work(lithe: &Lithe, scratch: &Path, until: Instant) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let clone = scratch.join("clone");
    thread::scope(|scope| {
        let pages = scope.spawn(|| -> Result<Vec<Duration>> {
            let mut times = Vec::new();
            while times.is_empty() || Instant::now() < until {
                times.extend(load::latencies(&lithe.url, PAGE, 1)?);
                thread::sleep(PAUSE);
            }
            Ok(times)
        });
        let mut clones = Vec::new();
        while clones.is_empty() || Instant::now() < until {
            let url = format!("{}/{REPOSITORY}.git", lithe.url);
            clones.push(time(silent("git").args(["clone", "--bare", "--quiet", &url]).arg(&clone))?);
            fs::remove_dir_all(&clone).map_err(|error| error.to_string())?;
        }
        Ok((clones, pages.join().map_err(|_| "a client panicked")??))
    })
}

/// What a crawler has seen.
#[derive(Default)]
struct Walked {
    pages: usize,
    /// Answers that say to come later.
    refused: usize,
}

/// What a crawler knows of a site.
#[derive(Default)]
struct Known {
    open: VecDeque<String>,
    seen: HashSet<String>,
    walked: Walked,
}

/// Asks for every address that is found, with all connections at once, and takes no refusal to heart.
fn walk(url: &str, until: Instant) -> Walked {
    let known = Mutex::new(Known { open: VecDeque::from(["/".to_owned()]), ..Known::default() });
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                give_way();
                let (mut client, mut body) = (None, Vec::new());
                while Instant::now() < until {
                    let Some(path) = lock(&known).open.pop_front() else {
                        thread::sleep(Duration::from_millis(5));
                        continue;
                    };
                    body.clear();
                    let connected =
                        client.take().map_or_else(|| load::Client::connect_as(url, "crawler"), Ok);
                    let answer = connected.and_then(|mut connected| {
                        let status = connected.page(&path, &mut body).map_err(|error| error.to_string())?;
                        Ok((status, connected))
                    });
                    // A connection that was closed is opened anew.
                    let Ok((status, connected)) = answer else { continue };
                    client = Some(connected);
                    let mut known = lock(&known);
                    match status {
                        429 | 503 => known.walked.refused += 1,
                        _ => known.walked.pages += 1,
                    }
                    for link in links(&path, &body) {
                        if known.seen.len() < ADDRESSES_MAX && known.seen.insert(link.clone()) {
                            known.open.push_back(link);
                        }
                    }
                }
            });
        }
    });
    known.into_inner().unwrap_or_else(PoisonError::into_inner).walked
}

/// Has the server and the others come before this thread: a crawler's own work is done elsewhere.
fn give_way() {
    let thread = fs::read_link("/proc/thread-self").ok();
    let Some(number) = thread.as_ref().and_then(|path| path.file_name()) else { return };
    let _ = silent("renice").args(["-n", "19", "-p"]).arg(number).status();
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the links of the page at an address lead, on the same site.
fn links(address: &str, page: &[u8]) -> Vec<String> {
    let page = String::from_utf8_lossy(page);
    let own = address.split('?').next().unwrap_or_default();
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let links = links.filter_map(|link| {
        let link = link.split('#').next()?.replace("&amp;", "&").replace("&#38;", "&");
        match link.as_bytes() {
            [b'/', b'/', ..] => None,
            [b'/', ..] => Some(link),
            [b'?', ..] => Some(format!("{own}{link}")),
            _ => None,
        }
    });
    links.collect()
}
