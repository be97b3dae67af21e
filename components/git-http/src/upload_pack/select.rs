//! From a request to the objects that answer it.

use super::Reply;
use super::body::{Framing, PackBody, SecondTry};
use super::error::Error;
use super::making::Making;
use super::remembered::{Memory, Slot};
use super::repository::Repository;
use super::request::Fetch;
use bstr::ByteSlice;
use gix_hash::ObjectId;
use gix_object::Kind;
use lithe_git::odb::{self, Store};
use lithe_git::walk::reach::Common;
use lithe_git::walk::shallow::{Boundary, Deepen, deepen};
use lithe_git::walk::{self, Commit, Tag};
use std::collections::HashSet;
use std::path::Path;

/// Tells how the client's history is to be cut.
pub fn boundary(repository: &Repository, fetch: &Fetch) -> Result<Boundary, Error> {
    let server_shallow = repository.shallow()?;
    if !fetch.deepens() {
        let mut shallow: Vec<_> = server_shallow.difference(&fetch.shallow).copied().collect();
        shallow.sort_unstable();
        return Ok(Boundary { shallow, unshallow: Vec::new() });
    }
    if fetch.depth == Some(u32::MAX) && server_shallow.is_empty() {
        return Ok(Boundary { shallow: Vec::new(), unshallow: cut_no_more(repository, &fetch.shallow)? });
    }
    let store = repository.store()?;
    let how = match fetch.depth {
        Some(depth) if fetch.is_depth_relative => Deepen::Relative(depth),
        Some(depth) => Deepen::Depth(depth),
        None => Deepen::Since { since: fetch.since, not: excluded(repository, &fetch.not)? },
    };
    let wants = commits(store, &fetch.wants)?;
    let boundary = deepen(store, &wants, &fetch.shallow, &server_shallow, &how)?;
    boundary.ok_or_else(|| Error::protocol("no commits selected for shallow requests"))
}

/// Where a client's history is cut, of which it wants all: wherever it may have the rest, whether what
/// it wants besides leads there or not.
fn cut_no_more(repository: &Repository, shallow: &HashSet<ObjectId>) -> Result<Vec<ObjectId>, Error> {
    let mut unshallow = Vec::new();
    if shallow.is_empty() {
        return Ok(unshallow);
    }
    for id in shallow {
        let is_reached = repository.reached_commits()?.contains(id);
        if is_reached || !repository.has_hidden_refs() && is_whole(repository, id)? {
            unshallow.push(*id);
        }
    }
    unshallow.sort_unstable();
    Ok(unshallow)
}

/// Whether a commit that no ref reaches any more is still here, with all that it reaches.
fn is_whole(repository: &Repository, id: &ObjectId) -> Result<bool, Error> {
    let store = repository.store()?;
    if !repository.has(id)? || store.object_header(id)?.0 != Kind::Commit {
        return Ok(false);
    }
    match walk::reach::objects(store, &[*id], HashSet::new()) {
        Ok(_) => Ok(true),
        Err(odb::Error::Missing(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Begins the response that ends in the pack; `head` is what comes before.
pub fn pack(
    repository: Repository,
    cache_dir: &Path,
    fetch: &Fetch,
    boundary: &Boundary,
    head: Vec<u8>,
    framing: Framing,
) -> Result<Reply, Error> {
    let body = pack_body(repository, (cache_dir, Slot::Clone), fetch, boundary, head, framing)?;
    Ok(Reply::Pack(Box::new(body)))
}

/// As [`pack`], remembering how it is made in that slot of a cache.
pub fn pack_body(
    repository: Repository,
    (cache_dir, slot): (&Path, Slot),
    fetch: &Fetch,
    boundary: &Boundary,
    head: Vec<u8>,
    framing: Framing,
) -> Result<PackBody, Error> {
    let store = repository.store()?;
    let request = walk_request(&repository, fetch, boundary)?;
    let ofs_delta = fetch.options.ofs_delta;
    let memory = Memory::of(store, cache_dir, slot, repository.git_dir(), &request, ofs_delta)?;
    // What a bundle consists of has been told by its tag.
    let has_second_try = slot == Slot::Clone && repository.has_shortcuts();
    let second_try = has_second_try.then(|| SecondTry::new(repository.git_dir(), &request));
    let making = Making::of(store, request, memory)?;
    let store = repository.into_store()?;
    Ok(PackBody::new(store, making, fetch, head, framing).with_second_try(second_try))
}

/// What is to be walked through to answer.
pub fn walk_request(
    repository: &Repository,
    fetch: &Fetch,
    boundary: &Boundary,
) -> Result<walk::Request, Error> {
    let store = repository.store()?;
    let mut wants = fetch.wants.clone();
    for id in &boundary.unshallow {
        wants.extend(Commit::read(store, id)?.parents);
    }
    let mut cut: HashSet<ObjectId> = fetch.shallow.iter().chain(&boundary.shallow).copied().collect();
    for id in &boundary.unshallow {
        cut.remove(id);
    }
    cut.extend(repository.shallow()?);
    Ok(walk::Request {
        wants,
        haves: fetch.haves.clone(),
        boundary: cut,
        client_shallow: fetch.shallow.clone(),
        filter: fetch.filter.clone(),
        tags: if fetch.options.include_tag { repository.tags() } else { Vec::new() },
    })
}

/// Turns the names of wanted refs into wants; returns each with its object.
pub fn resolve_want_refs(
    repository: &Repository,
    fetch: &mut Fetch,
) -> Result<Vec<(ObjectId, String)>, Error> {
    let mut resolved = Vec::new();
    for name in std::mem::take(&mut fetch.want_refs) {
        let id = repository.resolve(name.as_bytes().as_bstr())?;
        let id = id.ok_or_else(|| Error::UnknownRef(name.clone()))?;
        fetch.wants.push(id);
        resolved.push((id, name));
    }
    Ok(resolved)
}

/// Checks that every object is there, and not only borrowed. Where there are hidden refs, it has to be
/// reached from one that is not.
pub fn check_allowed(repository: &Repository, ids: &[ObjectId]) -> Result<(), Error> {
    if repository.has_hidden_refs() {
        return check_reachable(repository, ids);
    }
    for id in ids {
        repository.store()?.require(id).map_err(|error| not_our_ref(error, id))?;
        if !repository.has(id)? {
            return Err(Error::NotOurRef(*id));
        }
    }
    Ok(())
}

/// Checks that every object is what a ref points to, or is reached from it. Hidden refs do not count.
pub fn check_reachable(repository: &Repository, ids: &[ObjectId]) -> Result<(), Error> {
    let tips = repository.tips()?;
    let mut others: Vec<ObjectId> = ids.iter().filter(|id| !tips.contains(*id)).copied().collect();
    others.sort_unstable();
    others.dedup();
    if others.is_empty() {
        return Ok(());
    }
    let store = repository.store()?;
    let (mut wanted_commits, mut wanted_others) = (Vec::new(), Vec::new());
    for id in others {
        match store.object_header(&id).map_err(|error| not_our_ref(error, &id))? {
            (Kind::Commit, _) => wanted_commits.push(id),
            _ => wanted_others.push(id),
        }
    }
    let tips: Vec<ObjectId> = tips.into_iter().collect();
    if !walk::reach::all_reached(store, &wanted_commits, &commits(store, &tips)?)? {
        return Err(Error::NotOurRef(wanted_commits[0]));
    }
    if let Some(first) = wanted_others.first()
        && !walk::reach::all_objects_reached(store, &wanted_others, &tips, repository.shallow()?)?
    {
        return Err(Error::NotOurRef(*first));
    }
    Ok(())
}

/// The haves that are here.
pub fn common(repository: &Repository, haves: &[ObjectId]) -> Result<Vec<ObjectId>, Error> {
    let mut common = Vec::new();
    for id in haves {
        if repository.has(id)? {
            common.push(*id);
        }
    }
    Ok(common)
}

/// What is in common in a negotiation. Found out as the client names what it has.
pub struct Negotiation<'a> {
    store: &'a Store,
    /// None: nothing yet.
    common: Option<Common>,
}

impl<'a> Negotiation<'a> {
    pub fn new(store: &'a Store) -> Self {
        Self { store, common: None }
    }

    /// Adds an object that both have, to those that `wants` may reach.
    pub fn add(&mut self, wants: &[ObjectId], id: ObjectId) -> Result<(), Error> {
        let common = match &mut self.common {
            Some(common) => common,
            none => none.insert(Common::new(commits(self.store, wants)?)),
        };
        for commit in commits(self.store, &[id])? {
            common.add(self.store, commit)?;
        }
        Ok(())
    }

    /// Whether enough is in common: every want reaches something of it.
    pub fn is_ready(&mut self) -> Result<bool, Error> {
        match &mut self.common {
            Some(common) => Ok(common.is_enough(self.store)?),
            None => Ok(false),
        }
    }
}

/// The commits that objects stand for; trees and blobs are passed over.
fn commits(store: &Store, ids: &[ObjectId]) -> Result<Vec<ObjectId>, Error> {
    let mut commits = Vec::new();
    for id in ids {
        let (_, target, kind) = Tag::peel(store, id)?;
        if kind == Kind::Commit {
            commits.push(target);
        }
    }
    Ok(commits)
}

fn excluded(repository: &Repository, names: &[String]) -> Result<Vec<ObjectId>, Error> {
    let mut ids = Vec::new();
    for name in names {
        let candidates =
            [name.clone(), format!("refs/{name}"), format!("refs/tags/{name}"), format!("refs/heads/{name}")];
        let mut found = None;
        for candidate in &candidates {
            found = match found {
                None => repository.resolve(candidate.as_bytes().as_bstr())?,
                found => found,
            };
        }
        ids.push(
            found.ok_or_else(|| {
                Error::protocol(format!("git upload-pack: deepen-not is not a ref: {name}"))
            })?,
        );
    }
    commits(repository.store()?, &ids)
}

fn not_our_ref(error: odb::Error, id: &ObjectId) -> Error {
    match error {
        odb::Error::Missing(_) => Error::NotOurRef(*id),
        other => other.into(),
    }
}
