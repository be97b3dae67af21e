//! The component `push-policy`: applies the rules that the settings of repositories and groups have
//! for pushes. A site can put one of its own in its place.
//!
//! | module | rules |
//! |---|---|
//! | `refs` | who may create, advance, force and delete which branches and tags |
//! | `signed` | what has to be signed |
//! | `sizes` | packs, repositories, numbers of refs |
//! | `commits` | files, paths, messages and authors of new commits |
//!
//! Every rule of every place holds. A rule about refs refuses these refs, any other the whole push.

mod bindings;
mod changes;
mod commits;
pub mod limits;
mod refs;
mod repository;
mod signed;
mod sizes;

use bindings::exports::lithe::policy::push_policy as wit;
use repository::Opened;
use std::path::Path;
use wit::{Needs, Push, Pusher, RefusedRef, Repository, Rules, Signing, Verdict};

/// Where the repositories are mounted.
const REPOSITORIES_DIR: &str = "/repos";

/// Why no verdict can be given, in words for the pusher.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a rule of {place} cannot be applied: `{pattern}`: {error}")]
    Pattern { place: String, pattern: String, error: lithe_rules::PatternError },
    #[error("an id in the push is none")]
    Id,
    #[error("the objects cannot be read: {0}")]
    Objects(#[from] lithe_git::odb::Error),
    #[error("the refs cannot be read")]
    Refs(#[from] lithe_git::refs::Error),
    #[error("commit {commit} has a path of more than {} bytes", limits::PATH_BYTES_MAX)]
    PathTooLong { commit: String },
}

/// What answers the calls.
pub struct Component;

impl wit::Guest for Component {
    fn prepare(_: Repository, _: Pusher, rules: Vec<Rules>) -> Result<Needs, String> {
        Ok(needs(&rules))
    }

    fn check(push: Push, rules: Vec<Rules>) -> Result<Verdict, String> {
        check(Path::new(REPOSITORIES_DIR), &push, &rules).map_err(|error| error.to_string())
    }
}

fn needs(rules: &[Rules]) -> Needs {
    let mut needs = Needs::empty();
    needs.set(Needs::CHECK, !rules.is_empty());
    needs.set(Needs::REPOSITORY_BYTES, rules.iter().any(|rules| rules.repository_bytes_max.is_some()));
    needs.set(Needs::KNOWN_ADDRESSES, rules.iter().any(|rules| rules.known_authors));
    let wants_verified = |rules: &Rules| rules.refs.iter().any(|rule| rule.signing == Signing::Verified);
    needs.set(Needs::SIGNATURES, rules.iter().any(wants_verified));
    needs
}

/// Judges a push to a repository below `repositories_dir`.
fn check(repositories_dir: &Path, push: &Push, rules: &[Rules]) -> Result<Verdict, Error> {
    let mut verdict = Verdict { refusal: None, refused_refs: Vec::new(), messages: Vec::new() };
    refs::check(push, rules, &mut verdict)?;
    // Nothing is read for a push of which nothing is left.
    let is_left = |verdict: &Verdict| push.updates.iter().any(|update| !is_refused(verdict, &update.name));
    if !is_left(&verdict) {
        return Ok(verdict);
    }
    let opened = Opened::open(repositories_dir, push)?;
    sizes::check(push, rules, &opened, &mut verdict);
    if verdict.refusal.is_none() {
        signed::check(push, rules, &opened, &mut verdict)?;
    }
    if verdict.refusal.is_none() && is_left(&verdict) {
        commits::check(push, rules, &opened, &mut verdict)?;
    }
    Ok(verdict)
}

fn is_refused(verdict: &Verdict, name: &str) -> bool {
    verdict.refused_refs.iter().any(|refused| refused.name == name)
}

fn refuse(verdict: &mut Verdict, name: &str, reason: String) {
    if !is_refused(verdict, name) {
        verdict.refused_refs.push(RefusedRef { name: name.to_owned(), reason });
    }
}

// Elsewhere the exports' names are none that a linker takes.
#[cfg(target_family = "wasm")]
bindings::export!(Component with_types_in bindings);

#[cfg(test)]
mod tests;
