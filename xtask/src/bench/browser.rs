//! The pages about code, beside cgit: requests a second of eight clients, and how long the slowest
//! hundredth of them waits.

use super::server::Lithe;
use super::{Options, cgit, data, load, median, push, shown};
use crate::Result;
use std::fs;
use std::path::Path;
use std::time::Duration;

const CLIENTS: usize = 8;

/// How long each page is asked for, in seconds.
const SECONDS: u64 = 3;

/// The repository in Lithe.
const OURS: &str = "/bench/browser";

/// How many files one commit changes, so that its page is a large diff that both show whole.
const WIDE_FILES: u64 = 300;

/// A page that both have.
struct Page {
    work: &'static str,
    ours: String,
    theirs: String,
    target: &'static str,
}

pub fn run(options: &Options, scratch: &Path) -> Result {
    let scratch = scratch.join("browser");
    fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let source = scratch.join("source.git");
    let objects = data::history(&source, options.commits)?;
    data::wide_commit(&source, WIDE_FILES)?;
    let lithe = Lithe::start(&scratch)?;
    lithe.create(OURS.trim_start_matches('/'))?;
    crate::run(&mut push(&source, &lithe.git_url(OURS.trim_start_matches('/'))))?;
    lithe.maintain(OURS.trim_start_matches('/'))?;
    let peer = cgit::Server::start(&scratch.join("cgit"), &source, CLIENTS)?;
    let name = format!("{objects} objects");
    for page in pages(&data::tip(&source)?) {
        measure(&page, &name, &lithe, &peer)?;
    }
    Ok(())
}

fn pages(wide_commit: &str) -> Vec<Page> {
    let page = |work, ours: &str, theirs: &str, target| Page {
        work,
        ours: if ours == "/" { ours.to_owned() } else { format!("{OURS}{ours}") },
        theirs: theirs.to_owned(),
        target,
    };
    let commit = format!("/-/commit/{wide_commit}");
    vec![
        page("home", "/", "/", "≥ 3"),
        page("tree", "/-/tree/main/dir3/sub2", "/bench/tree/dir3/sub2", "≥ 3"),
        page("blob", "/-/blob/main/dir3/sub2/file23.txt", "/bench/tree/dir3/sub2/file23.txt", "≥ 3"),
        page("raw", "/-/raw/main/dir3/sub2/file23.txt", "/bench/plain/dir3/sub2/file23.txt", "≥ 3"),
        page("summary", "", "/bench/", "≥ 10"),
        page("log", "/-/commits/main", "/bench/log/", "≥ 10"),
        page("refs", "/-/refs", "/bench/refs/", "≥ 10"),
        page("blame", "/-/blame/main/dir3/sub2/file23.txt", "/bench/blame/dir3/sub2/file23.txt", "≥ 20 warm"),
        page("commit with a large diff", &commit, &format!("/bench/commit/?id={wide_commit}"), "≥ 5"),
    ]
}

fn measure(page: &Page, name: &str, lithe: &Lithe, peer: &cgit::Server) -> Result {
    let ask = |url: &str, path: &str| -> Result<(f64, Vec<Duration>)> {
        load::latencies(url, path, 5)?;
        load::throughput(url, path, CLIENTS, SECONDS)
    };
    let (ours, mut waits) = ask(&lithe.url, &page.ours)?;
    let (theirs, _) = ask(&peer.url, &page.theirs)?;
    waits.sort();
    let slowest = waits[waits.len() * 99 / 100];
    let Page { work, target, .. } = page;
    println!(
        "| {work} page, {name} | `cgit` | {ours:.0}/s, median {}, p99 {} | {theirs:.0}/s | {:.1} | {target}, p99 < 50 ms |",
        shown(median(&mut waits)),
        shown(slowest),
        ours / theirs,
    );
    Ok(())
}
