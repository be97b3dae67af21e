//! Clones and fetches by gitoxide, over a transport of plain HTTP:
//!
//! ```text
//! gix-client clone URL DIRECTORY [DEPTH]
//! gix-client fetch DIRECTORY [DEPTH]
//! ```
//!
//! A clone is bare, with the server's branches and tags. DEPTH cuts history there.

mod http;

use gix::remote::{Direction, fetch};
use std::error::Error;
use std::num::NonZeroU32;
use std::sync::atomic::AtomicBool;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["clone", url, directory, ref depth @ ..] => {
            let repository = gix::init_bare(directory)?;
            std::fs::write(repository.git_dir().join("from"), url)?;
            receive(&repository, url, depth)
        }
        ["fetch", directory, ref depth @ ..] => {
            let repository = gix::open(directory)?;
            let url = std::fs::read_to_string(repository.git_dir().join("from"))?;
            receive(&repository, &url, depth)
        }
        _ => Err("usage: gix-client clone URL DIRECTORY [DEPTH] | fetch DIRECTORY [DEPTH]".into()),
    }
}

fn receive(repository: &gix::Repository, url: &str, depth: &[&str]) -> Result<(), Box<dyn Error>> {
    let shallow = match depth {
        [depth] => fetch::Shallow::DepthAtRemote(depth.parse::<NonZeroU32>()?),
        _ => fetch::Shallow::NoChange,
    };
    let refs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    let remote = repository.remote_at(url)?.with_refspecs(refs, Direction::Fetch)?;
    let connection = remote.to_connection_with_transport(http::transport(url)?);
    let prepared = connection.prepare_fetch(gix::progress::Discard, Default::default())?;
    let outcome = prepared.with_shallow(shallow).receive(gix::progress::Discard, &AtomicBool::new(false))?;
    println!("{:?}", outcome.status);
    Ok(())
}
