//! Bundles: refs and a pack with all that they reach, in one file (gitformat-bundle).

use super::body::{Framing, PackBody};
use super::error::Error;
use super::remembered::{self, Slot};
use super::repository::{Advertised, Repository};
use super::request::Fetch;
use super::select;
use bstr::{BStr, BString, ByteSlice as _};
use lithe_git::format::ObjectFormat;
use lithe_git::walk::shallow::Boundary;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

/// What the bytes of a bundle depend on beside its refs and the packs.
const MADE_BY: &[u8] = concat!("lithe bundle 1 ", env!("CARGO_PKG_VERSION"), "\n").as_bytes();

/// A bundle that can be made.
pub struct Bundle {
    repository: Repository,
    /// All up to the pack.
    header: Vec<u8>,
    fetch: Fetch,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum NoBundle {
    /// The repository has no ref that may be shown.
    #[error("The repository has no branches and tags yet, so there is nothing to put into a bundle.")]
    Empty,
    #[error("The repository has no branch or tag of that name.")]
    UnknownRef,
    /// "the Git bundle v2 format cannot represent a shallow clone repository"; neither can v3.
    #[error("The repository's own history is cut off, which a bundle cannot tell.")]
    Shallow,
    #[error("{}", .0.message())]
    Repository(#[from] Error),
}

impl Bundle {
    /// The bundle of every ref that clients may know of, or of the one of that name.
    pub fn of(git_dir: &Path, name: Option<&BStr>) -> Result<Self, NoBundle> {
        let repository = Repository::open(git_dir)?;
        let refs = match name {
            None => repository.advertised(|_| true)?,
            Some(name) => one(&repository, name)?,
        };
        if refs.is_empty() {
            return Err(if name.is_some() { NoBundle::UnknownRef } else { NoBundle::Empty });
        }
        if !repository.shallow()?.is_empty() {
            return Err(NoBundle::Shallow);
        }
        let mut fetch = Fetch::new(repository.object_format());
        let wants: BTreeSet<_> = refs.iter().map(|entry| entry.id).collect();
        fetch.wants = wants.into_iter().collect();
        fetch.options.ofs_delta = true;
        let header = header(repository.object_format(), &refs);
        Ok(Self { repository, header, fetch })
    }

    /// What the bytes are decided by, as an entity tag: the same tag, the same bytes.
    pub fn etag(&self) -> Result<String, Error> {
        let request = select::walk_request(&self.repository, &self.fetch, &Boundary::default())?;
        let mut hash = Sha256::new_with_prefix(MADE_BY);
        hash.update(&self.header);
        hash.update(remembered::key(self.repository.store()?, &request, self.fetch.options.ofs_delta));
        let digest = hash.finalize();
        let digits: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("\"{digits}\""))
    }

    /// The bytes, made as they are read.
    pub fn into_body(self, cache_dir: &Path) -> Result<PackBody, Error> {
        let Self { repository, header, fetch } = self;
        let memory = (cache_dir, Slot::Bundle);
        select::pack_body(repository, memory, &fetch, &Boundary::default(), header, Framing::None)
    }
}

/// The branch of that name, else the tag, else the ref whose full name it is; with `HEAD`, if that
/// stands for it. Empty: there is none, or clients may not know of it.
fn one(repository: &Repository, name: &BStr) -> Result<Vec<Advertised>, Error> {
    let mut candidates: Vec<BString> =
        [&b"refs/heads/"[..], b"refs/tags/"].map(|prefix| [prefix, name].concat().into()).into();
    if name.starts_with(b"refs/") || name == "HEAD" {
        candidates.insert(0, name.into());
    }
    for full_name in &candidates {
        if repository.resolve(full_name.as_bstr())?.is_none() {
            continue;
        }
        let mut refs = repository.advertised(|listed| listed == &full_name[..] || listed == b"HEAD")?;
        let stands_for_it = |entry: &Advertised| entry.symref_target.as_deref() == Some(&full_name[..]);
        refs.retain(|entry| entry.name == full_name[..] || stands_for_it(entry));
        if refs.iter().any(|entry| entry.name == full_name[..]) {
            return Ok(refs);
        }
    }
    Ok(Vec::new())
}

/// Writes the header. Version 2 is what every `git` reads; it has no word for another object format.
fn header(object_format: ObjectFormat, refs: &[Advertised]) -> Vec<u8> {
    let mut out = Vec::new();
    match object_format {
        ObjectFormat::Sha1 => out.extend_from_slice(b"# v2 git bundle\n"),
        other => {
            let _ = writeln!(out, "# v3 git bundle\n@object-format={other}");
        }
    }
    // A bundle cannot say which branch `HEAD` stands for. Of several at the same commit `git clone`
    // takes the one that is listed last.
    let landing =
        refs.iter().find(|entry| entry.name == b"HEAD").and_then(|head| head.symref_target.as_ref());
    let is_last = |entry: &Advertised| entry.name == b"HEAD" || Some(&entry.name) == landing;
    let (last, first): (Vec<_>, Vec<_>) = refs.iter().partition(|entry| is_last(entry));
    for entry in first.into_iter().chain(last) {
        let _ = write!(out, "{} ", entry.id);
        out.extend_from_slice(&entry.name);
        out.push(b'\n');
    }
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use gix_hash::ObjectId;

    fn listed(name: &str, id: ObjectId, symref_target: Option<&str>) -> Advertised {
        let symref_target = symref_target.map(|name| name.as_bytes().to_vec());
        Advertised { name: name.into(), id, symref_target, peeled: None }
    }

    #[test]
    fn a_header_lists_the_landing_branch_last() {
        let [one, two] = ["1", "2"].map(|digit| digit.repeat(40).parse().expect("an id"));
        let refs = [
            listed("HEAD", one, Some("refs/heads/b")),
            listed("refs/heads/a", one, None),
            listed("refs/heads/b", one, None),
            listed("refs/tags/v1", two, None),
        ];
        let expected = format!(
            "# v2 git bundle\n{one} refs/heads/a\n{two} refs/tags/v1\n{one} HEAD\n{one} refs/heads/b\n\n"
        );
        assert_eq!(header(ObjectFormat::Sha1, &refs).as_bstr(), expected);
    }

    #[test]
    fn another_object_format_is_named() {
        let id: ObjectId = "3".repeat(64).parse().expect("an id");
        let expected = format!("# v3 git bundle\n@object-format=sha256\n{id} refs/heads/a\n\n");
        assert_eq!(header(ObjectFormat::Sha256, &[listed("refs/heads/a", id, None)]).as_bstr(), expected);
    }
}
