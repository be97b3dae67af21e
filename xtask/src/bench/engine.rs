//! The Git engine on a repository that is maintained, beside `git http-backend` on one that
//! `git repack` gave bitmaps and a commit-graph.
//!
//! Mostly the server's part alone: the client's recorded requests, said again without it.

use super::server::Lithe;
use super::wire::Recording;
use super::{Options, cgi, compare, data, mebibytes, push, row, silent, time};
use crate::Result;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How many clone at once.
const CROWD: usize = 10;

/// Both servers with the same repository in them.
struct Both {
    scratch: PathBuf,
    source: PathBuf,
    lithe: Lithe,
    peer: cgi::Server,
    our_url: String,
    their_url: String,
}

pub fn run(options: &Options, scratch: &Path) -> Result {
    let scratch = scratch.join("engine");
    fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let source = scratch.join("source.git");
    let objects = data::history(&source, options.commits)?;
    let name = format!("{objects} objects");
    let both = Both::start(&scratch, &source)?;
    let more = Options { rounds: options.rounds * 4, parts: Vec::new(), ..*options };

    let clone = |filter: &[&str]| {
        both.record(|url, to| {
            let mut command = silent("git");
            command.args(["clone", "--bare", "--quiet"]).args(filter).arg(url).arg(to);
            command
        })
    };
    let whole = clone(&[])?;
    compare("clone with nothing in the cache, the server's part", &name, &more, "≤ 1", |_, is_ours| {
        both.lithe.empty_cache("git-http")?;
        if is_ours { &whole.0 } else { &whole.1 }.replay()
    })?;
    compare("later clone, the server's part", &name, &more, "≤ 0.4", |_, is_ours| {
        if is_ours { &whole.0 } else { &whole.1 }.replay()
    })?;
    both.cpu("later clone, the server's CPU", &name, &more, &whole)?;
    compare("later clone, the client's work included", &name, options, "", |round, is_ours| {
        let to = scratch.join(format!("clone-{is_ours}-{round}"));
        let url = if is_ours { &both.our_url } else { &both.their_url };
        let taken = time(silent("git").args(["clone", "--bare", "--quiet", url]).arg(&to));
        fs::remove_dir_all(&to).map_err(|error| error.to_string())?;
        taken
    })?;
    both.crowd(&name, options, &whole)?;
    for (what, filter) in
        [("clone of depth 1", ["--depth=1"]), ("clone with `blob:none`", ["--filter=blob:none"])]
    {
        let recorded = clone(&filter)?;
        compare(&format!("{what}, the server's part"), &name, &more, "≤ 1", |_, is_ours| {
            if is_ours { &recorded.0 } else { &recorded.1 }.replay()
        })?;
    }
    for (commits, target) in [(1, "≤ 0.5"), (100, "≤ 0.7"), (10_000, "≤ 1"), (0, "≤ 0.3")] {
        if commits >= options.commits {
            continue;
        }
        let recorded = both.record_fetch(commits)?;
        let what = match commits {
            0 => "fetch with nothing new, the server's part".to_owned(),
            commits => format!("fetch of {commits} commits, the server's part"),
        };
        compare(&what, &name, &more, target, |_, is_ours| {
            if is_ours { &recorded.0 } else { &recorded.1 }.replay()
        })?;
    }
    compare("push of one commit, the client's work included", &name, &more, "", |round, is_ours| {
        if is_ours {
            data::one_more_commit(&source, round)?;
        }
        time(&mut push(&source, if is_ours { &both.our_url } else { &both.their_url }))
    })?;
    // A push can be said but once: it is recorded with one repository, and said to another that is like it.
    let record = (both.another("record", true)?, both.another("record", false)?);
    crate::run(&mut push(&source, &record.0))?;
    crate::run(&mut push(&source, &record.1))?;
    compare("push of one commit, the server's part", &name, &more, "≤ 0.5", |round, is_ours| {
        if is_ours {
            data::one_more_commit(&source, more.rounds + round)?;
        }
        let pushed = recording(if is_ours { &record.0 } else { &record.1 }, |url| push(&source, url))?;
        pushed.to_another("/record.git/", "/engine.git/").replay()
    })?;
    for url in [&both.our_url, &both.their_url] {
        // Nothing is left to be pushed, unless what was said was refused.
        let mut said = push(&source, url);
        said.args(["--porcelain", "--verbose"]).stdout(std::process::Stdio::piped());
        let said = crate::output(&mut said).unwrap_or_default();
        if !said.lines().any(|line| line.starts_with('=')) {
            return Err(format!("a recorded push was refused: {said}"));
        }
    }
    // All those commits came since the last maintenance.
    let whole = clone(&[])?;
    compare("first clone after pushes, the server's part", &name, &more, "≤ 1", |_, is_ours| {
        both.lithe.empty_cache("git-http")?;
        if is_ours { &whole.0 } else { &whole.1 }.replay()
    })?;
    compare("later clone after pushes, the server's part", &name, &more, "≤ 0.4", |_, is_ours| {
        if is_ours { &whole.0 } else { &whole.1 }.replay()
    })?;
    compare("push of the whole history", &name, options, "≤ 1.2", |round, is_ours| {
        time(&mut push(&source, &both.another(&format!("whole-{round}"), is_ours)?))
    })
}

impl Both {
    fn start(scratch: &Path, source: &Path) -> Result<Self> {
        let lithe = Lithe::start(scratch)?;
        let peer = cgi::Server::start(&scratch.join("peer"))?;
        lithe.create("bench/engine")?;
        peer.create("engine")?;
        let (our_url, their_url) = (lithe.git_url("bench/engine"), peer.url("engine"));
        for url in [&our_url, &their_url] {
            crate::run(&mut push(source, url))?;
        }
        lithe.maintain("bench/engine")?;
        let repository = scratch.join("peer/engine.git");
        for arguments in [&["repack", "-adbq"][..], &["commit-graph", "write", "--reachable"]] {
            crate::run(silent("git").arg("-C").arg(&repository).args(arguments))?;
        }
        let (scratch, source) = (scratch.to_owned(), source.to_owned());
        Ok(Self { scratch, source, lithe, peer, our_url, their_url })
    }

    /// The address of an empty repository on one of the servers.
    fn another(&self, name: &str, is_ours: bool) -> Result<String> {
        if is_ours {
            let path = format!("bench/{name}");
            self.lithe.create(&path)?;
            return Ok(self.lithe.git_url(&path));
        }
        self.peer.create(name)?;
        Ok(self.peer.url(name))
    }

    /// Records what a client says to each server in a command that is given the address and a place.
    fn record(
        &self,
        command: impl Fn(&str, &Path) -> std::process::Command,
    ) -> Result<(Recording, Recording)> {
        let record = |url: &str| {
            let to = self.scratch.join("recorded");
            let recorded = recording(url, |url| command(url, &to));
            fs::remove_dir_all(&to).map_err(|error| error.to_string())?;
            recorded
        };
        Ok((record(&self.our_url)?, record(&self.their_url)?))
    }

    /// Records a fetch by a client that lacks so many commits.
    fn record_fetch(&self, commits: usize) -> Result<(Recording, Recording)> {
        let behind = self.scratch.join("behind.git");
        let revision = format!("main~{commits}");
        let id = crate::output(
            silent("git")
                .arg("-C")
                .arg(&self.source)
                .args(["rev-parse", &revision])
                .stdout(std::process::Stdio::piped()),
        );
        let id = id.ok_or("git rev-parse says nothing")?;
        crate::run(silent("git").args(["clone", "--bare", "--quiet"]).arg(&self.source).arg(&behind))?;
        crate::run(silent("git").arg("-C").arg(&behind).args(["update-ref", "refs/heads/main", id.trim()]))?;
        crate::run(silent("git").arg("-C").arg(&behind).args(["-c", "gc.auto=0", "repack", "-adq"]))?;
        crate::run(silent("git").arg("-C").arg(&behind).args(["prune", "--expire=now"]))?;
        let recorded = self.record(|url, to| {
            let mut script = silent("sh");
            script.args([
                "-ec",
                "cp -a \"$0\" \"$1\" && git -C \"$1\" fetch --quiet \"$2\" +refs/heads/main:refs/heads/main",
            ]);
            script.arg(&behind).arg(to).arg(url);
            script
        });
        fs::remove_dir_all(&behind).map_err(|error| error.to_string())?;
        recorded
    }

    /// The time that the processor spends for each server.
    fn cpu(&self, work: &str, name: &str, options: &Options, recorded: &(Recording, Recording)) -> Result {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            let before = self.lithe.cpu()?;
            recorded.0.replay()?;
            ours.push(self.lithe.cpu()?.saturating_sub(before));
            let before = cgi::Server::cpu()?;
            recorded.1.replay()?;
            // The program is waited for after its answer.
            thread::sleep(Duration::from_millis(50));
            theirs.push(cgi::Server::cpu()?.saturating_sub(before));
        }
        row(&format!("{work}, {name}"), "git http-backend", &mut ours, &mut theirs, "≤ 0.2");
        Ok(())
    }

    /// How long it takes until all of a crowd have their clone, and what memory that takes here.
    fn crowd(&self, name: &str, options: &Options, recorded: &(Recording, Recording)) -> Result {
        let all = |recording: &Recording| -> Result<Duration> {
            let begin = Instant::now();
            thread::scope(|scope| {
                let clones: Vec<_> = (0..CROWD).map(|_| scope.spawn(|| recording.replay())).collect();
                let ended =
                    clones.into_iter().map(|clone| clone.join().map_err(|_| "a clone panicked".to_owned()));
                ended.flatten().collect::<Result<Vec<_>>>()
            })?;
            Ok(begin.elapsed())
        };
        self.lithe.reset_peak()?;
        let work = format!("{CROWD} clones at once, the server's part");
        compare(&work, name, options, "≤ 0.3", |_, is_ours| {
            all(if is_ours { &recorded.0 } else { &recorded.1 })
        })?;
        mebibytes("memory meanwhile", self.lithe.peak_mib()?, "≤ 250 MiB");
        Ok(())
    }
}

/// Records what a client says to the server of an address in a command that is given the address.
fn recording(url: &str, command: impl Fn(&str) -> std::process::Command) -> Result<Recording> {
    let server = url.split_once('@').map_or_else(|| url.trim_start_matches("http://"), |(_, rest)| rest);
    let server = server.split('/').next().unwrap_or_default();
    Recording::make(server, |proxy| crate::run(&mut command(&url.replace(server, proxy))))
}
