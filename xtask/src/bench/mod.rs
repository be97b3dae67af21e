//! `cargo xtask bench`: Lithe beside its peers, in one run, as ratios.
//!
//! Every figure is a median over rounds in which Lithe and the peer take turns, so that a slow
//! moment of the machine hits both. The data is made here, the same for the same options.

mod browser;
mod cgi;
mod cgit;
mod crawler;
mod data;
mod engine;
mod growth;
mod load;
mod server;
mod wire;

use crate::{Result, build, find_program, root, setup};
use server::Lithe;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};
use wire::Recording;

const USAGE: &str = "\
Usage: cargo xtask bench [--rounds N] [--commits N] [--big-mib N] [--grown-commits N] [part …]

Parts: git (clone, push, fetch), engine (the same on maintained repositories), growth (a small
fetch and pages of a small repository and of a large one), pages, browser (pages about code beside
cgit), crawler (others' work while one walks every link), requests, memory; all of them if none is named.

  --rounds N         How often each figure is measured (default 5)
  --commits N        Commits in the repository; about 5.5 objects each (default 20000)
  --big-mib N        Size of the push and clone that memory is watched during (default 1024)
  --grown-commits N  Commits of the large repository that a small one is compared with (default 500000)

With LITHE_BINARY set, that host is measured with the components as they were built before.
";

struct Options {
    rounds: usize,
    commits: usize,
    big_mib: usize,
    grown_commits: usize,
    parts: Vec<String>,
}

pub fn run(arguments: &[String]) -> Result {
    let Some(options) = parse(arguments)? else {
        print!("{USAGE}");
        return Ok(());
    };
    if std::env::var_os("LITHE_BINARY").is_none() {
        let tools = setup::for_build()?;
        build::components_and_guests(&tools)?;
        build::host()?;
    }
    let scratch = Scratch::new()?;
    let has = |part: &str| options.parts.is_empty() || options.parts.iter().any(|name| name == part);
    println!("| work | peer | Lithe | peer | ratio | target |");
    println!("|---|---|---|---|---|---|");
    if has("git") {
        git(&options, &scratch.0)?;
    }
    if has("engine") {
        engine::run(&options, &scratch.0)?;
    }
    if has("growth") {
        growth::run(&options, &scratch.0)?;
    }
    if has("pages") {
        pages(&options, &scratch.0)?;
    }
    if has("browser") {
        browser::run(&options, &scratch.0)?;
    }
    if has("crawler") {
        crawler::run(&options, &scratch.0)?;
    }
    if has("requests") {
        requests(&scratch.0)?;
    }
    if has("memory") {
        memory(&options, &scratch.0)?;
    }
    Ok(())
}

fn parse(arguments: &[String]) -> Result<Option<Options>> {
    let mut options =
        Options { rounds: 5, commits: 20_000, big_mib: 1024, grown_commits: 500_000, parts: Vec::new() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut number = || {
            let value = rest.next().and_then(|value| value.parse().ok()).filter(|value| *value > 0);
            value.ok_or(format!("{argument} takes a number above 0"))
        };
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--rounds" => options.rounds = number()?,
            "--commits" => options.commits = number()?,
            "--big-mib" => options.big_mib = number()?,
            "--grown-commits" => options.grown_commits = number()?.max(2),
            part
            @ ("git" | "engine" | "growth" | "pages" | "browser" | "crawler" | "requests" | "memory") => {
                options.parts.push(part.to_owned())
            }
            unknown => return Err(format!("there is no {unknown}\n\n{USAGE}")),
        }
    }
    Ok(Some(options))
}

/// Clone, push and fetch, beside `git http-backend` behind a CGI server.
fn git(options: &Options, scratch: &Path) -> Result {
    let source = scratch.join("source.git");
    let objects = data::history(&source, options.commits)?;
    let lithe = Lithe::start(scratch)?;
    let peer = cgi::Server::start(&scratch.join("peer"))?;
    let name = format!("{objects} objects");

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        lithe.create(&format!("bench/push{round}"))?;
        ours.push(time(push(&source, &lithe.git_url(&format!("bench/push{round}"))))?);
        peer.create(&format!("push{round}"))?;
        theirs.push(time(push(&source, &peer.url(&format!("push{round}"))))?);
    }
    row(&format!("push, {name}"), "git http-backend", &mut ours, &mut theirs, "≤ 2");

    let (our_url, their_url) = (lithe.git_url("bench/push0"), peer.url("push0"));
    compare("clone", &name, options, "≤ 1.5", |round, is_ours| {
        let to = scratch.join(format!("clone-{is_ours}-{round}"));
        let url = if is_ours { &our_url } else { &their_url };
        let taken = time(silent("git").args(["clone", "--bare", "--quiet", url]).arg(&to));
        fs::remove_dir_all(&to).map_err(|error| error.to_string())?;
        taken
    })?;

    let (our_clone, their_clone) = (scratch.join("fetch-ours"), scratch.join("fetch-theirs"));
    for (clone, url) in [(&our_clone, &our_url), (&their_clone, &their_url)] {
        crate::run(silent("git").args(["clone", "--bare", "--quiet", url]).arg(clone))?;
    }
    let fetch = |clone: &Path, url: &str| {
        let mut command = silent("git");
        command.arg("-C").arg(clone).args(["fetch", "--quiet", url, "+refs/heads/*:refs/heads/*"]);
        command
    };
    compare("fetch with nothing new", &name, options, "", |_, is_ours| match is_ours {
        true => time(&mut fetch(&our_clone, &our_url)),
        false => time(&mut fetch(&their_clone, &their_url)),
    })?;
    compare("fetch of one commit", &name, options, "", |round, is_ours| {
        let (clone, url) = if is_ours { (&our_clone, &our_url) } else { (&their_clone, &their_url) };
        // The same new commit goes to both; it is made once a round.
        if is_ours {
            data::one_more_commit(&source, round)?;
        }
        crate::run(&mut push(&source, url))?;
        time(&mut fetch(clone, url))
    })?;

    // Most of that is the client's: its processes, its own checks. The same requests without it.
    let record = |clone: &Path, server: &str, url: &str| {
        Recording::make(server, |proxy| crate::run(&mut fetch(clone, &url.replace(server, proxy))))
    };
    let our_server = our_url.split_once('@').map_or("", |(_, rest)| rest);
    let our_server = our_server.split('/').next().unwrap_or_default();
    let their_server = their_url.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let replay = |what: &str| {
        let ours = record(&our_clone, our_server, &our_url)?;
        let theirs = record(&their_clone, their_server, &their_url)?;
        let more = Options { rounds: options.rounds * 20, parts: Vec::new(), ..*options };
        let work = format!("{what}, the server's part");
        compare(&work, &name, &more, "≤ 0.5", |_, is_ours| if is_ours { &ours } else { &theirs }.replay())
    };
    replay("fetch with nothing new")?;
    data::one_more_commit(&source, options.rounds)?;
    for url in [&our_url, &their_url] {
        crate::run(&mut push(&source, url))?;
    }
    replay("fetch of one commit")
}

/// From the start of a warm server to the first page, and the summary page.
fn pages(options: &Options, scratch: &Path) -> Result {
    let source = scratch.join("pages-source.git");
    data::history(&source, options.commits.min(2_000))?;
    let scratch = scratch.join("pages");
    fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let lithe = Lithe::start(&scratch)?;
    lithe.create("bench/pages")?;
    crate::run(&mut push(&source, &lithe.git_url("bench/pages")))?;
    let mut summary = load::latencies(&lithe.url, "/bench/pages", 500)?;
    drop(lithe);
    let mut starts = Vec::new();
    for _ in 0..options.rounds {
        let begin = Instant::now();
        let lithe = Lithe::start_again(&scratch)?;
        load::latencies(&lithe.url, "/", 1)?;
        starts.push(begin.elapsed());
    }
    single("warm start to the first page", median(&mut starts), "≤ 300 ms");
    single("summary page, median, one client", median(&mut summary), "≤ 5 ms");
    Ok(())
}

/// Requests a second of a component that answers at once, beside `wasmtime serve`.
fn requests(scratch: &Path) -> Result {
    const SECONDS: u64 = 5;
    const CLIENTS: usize = 16;
    let component = root().join("target/guests/at_once.wasm");
    let scratch = scratch.join("requests");
    fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let swap = format!("browse={}", component.display());
    let lithe = Lithe::start_with(&scratch, &["--swap", &swap])?;
    load::requests_per_second(&lithe.url, "/", CLIENTS, 1)?;
    let ours = load::requests_per_second(&lithe.url, "/", CLIENTS, SECONDS)?;
    drop(lithe);
    let Some(wasmtime) = find_program("wasmtime") else {
        println!(
            "| requests a second | `wasmtime serve` | {ours:.0} | not on the PATH: not measured | | ≥ 0.8 |"
        );
        return Ok(());
    };
    let peer = server::WasmtimeServe::start(&wasmtime, &component)?;
    load::requests_per_second(&peer.url, "/", CLIENTS, 1)?;
    let theirs = load::requests_per_second(&peer.url, "/", CLIENTS, SECONDS)?;
    println!(
        "| requests a second | `wasmtime serve` | {ours:.0} | {theirs:.0} | {:.2} | ≥ 0.8 |",
        ours / theirs
    );
    Ok(())
}

/// The server's resident memory at rest, and its peak while a large repository goes up and down.
fn memory(options: &Options, scratch: &Path) -> Result {
    let scratch = scratch.join("memory");
    fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let source = scratch.join("big.git");
    data::big(&source, options.big_mib)?;
    let lithe = Lithe::start(&scratch)?;
    load::latencies(&lithe.url, "/", 20)?;
    thread::sleep(Duration::from_secs(1));
    mebibytes("memory at rest", lithe.resident_mib()?, "≤ 100 MiB");
    lithe.create("bench/big")?;
    lithe.reset_peak()?;
    crate::run(&mut push(&source, &lithe.git_url("bench/big")))?;
    let size = options.big_mib;
    mebibytes(&format!("memory while {size} MiB are pushed"), lithe.peak_mib()?, "≤ 400 MiB");
    lithe.reset_peak()?;
    let clone = scratch.join("clone");
    let url = lithe.git_url("bench/big");
    crate::run(silent("git").args(["clone", "--bare", "--quiet", &url]).arg(&clone))?;
    mebibytes(&format!("memory while {size} MiB are cloned"), lithe.peak_mib()?, "≤ 400 MiB");
    Ok(())
}

/// Measures both in turns and prints the row.
fn compare(
    work: &str,
    name: &str,
    options: &Options,
    target: &str,
    mut measure: impl FnMut(usize, bool) -> Result<Duration>,
) -> Result {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        ours.push(measure(round, true)?);
        theirs.push(measure(round, false)?);
    }
    row(&format!("{work}, {name}"), "git http-backend", &mut ours, &mut theirs, target);
    Ok(())
}

fn row(work: &str, peer: &str, ours: &mut [Duration], theirs: &mut [Duration], target: &str) {
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("| {work} | `{peer}` | {} | {} | {ratio:.2} | {target} |", shown(ours), shown(theirs));
}

fn single(work: &str, taken: Duration, target: &str) {
    println!("| {work} | | {} | | | {target} |", shown(taken));
}

fn mebibytes(work: &str, mib: u64, target: &str) {
    println!("| {work} | | {mib} MiB | | | {target} |");
}

fn shown(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds => format!("{:.1} ms", seconds * 1e3),
    }
}

fn median(values: &mut [Duration]) -> Duration {
    values.sort();
    values[values.len() / 2]
}

fn time(mut command: impl std::borrow::BorrowMut<Command>) -> Result<Duration> {
    let begin = Instant::now();
    crate::run(command.borrow_mut())?;
    Ok(begin.elapsed())
}

fn push(source: &Path, url: &str) -> Command {
    let mut command = silent("git");
    command.arg("-C").arg(source).args(["push", "--quiet", url, "+refs/heads/*:refs/heads/*"]);
    command
}

/// A command without the machine's `git` settings, and without a terminal to ask on.
fn silent(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A directory that goes with the run.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let path = crate::target().join(format!("bench-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies below `target`.
        let _ = fs::remove_dir_all(&self.0);
    }
}
