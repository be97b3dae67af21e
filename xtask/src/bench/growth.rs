//! What a fetch of one commit takes of the server as the repository grows.

use super::server::Lithe;
use super::wire::Recording;
use super::{Options, data, row, silent};
use crate::Result;
use std::fs;
use std::path::{Path, PathBuf};

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
    Ok(())
}

struct Growth {
    lithe: Lithe,
    scratch: PathBuf,
}

impl Growth {
    /// Makes a maintained repository with so many commits, and records how a client that lacks the last
    /// of them fetches it.
    fn fetch_of_one_commit(&self, commits: usize) -> Result<Recording> {
        let name = format!("bench/grown-{commits}");
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
