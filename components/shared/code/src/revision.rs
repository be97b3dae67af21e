//! Which commit and file `<ref>/<path>` means. Both may hold slashes.

use crate::repository::{Error, Repository};
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_git::refs::{Head, Snapshot};

const BRANCHES: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";

/// The fewest digits of an abbreviated id, as in Git.
const ABBREVIATION_DIGITS_MIN: usize = 4;

/// What kind of name a revision has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Branch,
    Tag,
    Commit,
}

/// A commit, by the name that it was asked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    pub kind: Kind,
    /// How addresses name it: `main`, `v1.0`, `refs/tags/main` where a branch is named so too, or a full id.
    pub name: BString,
    pub commit_id: ObjectId,
}

impl Revision {
    /// A commit by its own id.
    pub fn of_commit(id: ObjectId) -> Self {
        Self { kind: Kind::Commit, name: id.to_string().into(), commit_id: id }
    }

    /// The name for people: without `refs/heads/` or `refs/tags/`, an id cut to ten digits.
    pub fn label(&self) -> String {
        match self.kind {
            Kind::Commit => self.commit_id.to_hex_with_len(10).to_string(),
            Kind::Branch | Kind::Tag => crate::text::visible(short_name(self.name.as_bstr())),
        }
    }
}

/// A revision and a path in it, which need not exist; empty for the root.
#[derive(Debug, PartialEq, Eq)]
pub struct Resolved {
    pub revision: Revision,
    pub path: BString,
}

/// Finds what `<ref>/<path>` means: the longest branch or tag that it begins with, a branch before
/// a tag of the same name; else a commit by its id or an unambiguous abbreviation. Empty, it means
/// the landing branch. None if there is no such revision.
pub fn resolve(repository: Repository<'_>, rest: &BStr) -> Result<Option<Resolved>, Error> {
    if rest.is_empty() {
        let landing = landing_branch(repository)?;
        return Ok(landing.map(|revision| Resolved { revision, path: BString::default() }));
    }
    let mut ends: Vec<usize> = rest.find_iter("/").collect();
    ends.push(rest.len());
    for end in ends.iter().rev() {
        let (name, path) = (rest[..*end].as_bstr(), rest.get(end + 1..).unwrap_or_default());
        if let Some(revision) = named(repository, name)? {
            return Ok(Some(Resolved { revision, path: path.into() }));
        }
    }
    let (name, path) = rest.split_once_str("/").unwrap_or((rest, b""));
    let id = commit_by_abbreviation(repository, name.as_bstr())?;
    Ok(id.map(|id| Resolved { revision: Revision::of_commit(id), path: path.into() }))
}

/// The branch that a repository's page shows: `HEAD`'s, else the first there is. None in an empty repository.
pub fn landing_branch(repository: Repository<'_>) -> Result<Option<Revision>, Error> {
    if let Head::Symbolic(name) = &repository.refs.head
        && name.starts_with(BRANCHES.as_bytes())
        && let Some(revision) = full_name(repository, name.as_bstr(), short_name(name.as_bstr()).into())?
    {
        return Ok(Some(revision));
    }
    if let Head::Detached(id) = repository.refs.head
        && let Some(id) = existing_commit(repository, id)?
    {
        return Ok(Some(Revision::of_commit(id)));
    }
    for branch in repository.refs.with_prefix(BRANCHES.into()) {
        let name = branch.name.as_bstr();
        if let Some(revision) = full_name(repository, name, short_name(name).into())? {
            return Ok(Some(revision));
        }
    }
    Ok(None)
}

/// The name of the landing branch, as addresses have it, by the refs alone: whether its commit is there is not looked at.
/// None where `HEAD` names a commit itself, and in an empty repository.
pub fn landing_name(refs: &Snapshot) -> Option<&BStr> {
    let first = || refs.with_prefix(BRANCHES.into()).first().map(|branch| branch.name.as_bstr());
    let name = match &refs.head {
        Head::Symbolic(name)
            if name.starts_with(BRANCHES.as_bytes()) && refs.find(name.as_bstr()).is_some() =>
        {
            Some(name.as_bstr())
        }
        Head::Detached(_) => None,
        _ => first(),
    };
    name.map(short_name)
}

/// A ref's name without `refs/heads/` or `refs/tags/`.
pub fn short_name(name: &BStr) -> &BStr {
    let short = name.strip_prefix(BRANCHES.as_bytes()).or_else(|| name.strip_prefix(TAGS.as_bytes()));
    short.map_or(name, |short| short.as_bstr())
}

/// How addresses name a branch or tag, given its full name: by the short one, unless that means another.
pub fn address_name(repository: Repository<'_>, name: &BStr) -> BString {
    let short = short_name(name);
    let is_hidden = name.starts_with(TAGS.as_bytes())
        && repository.refs.find(prefixed(BRANCHES, short).as_bstr()).is_some();
    if is_hidden { name.into() } else { short.into() }
}

fn named(repository: Repository<'_>, name: &BStr) -> Result<Option<Revision>, Error> {
    if name == "HEAD" {
        return landing_branch(repository);
    }
    if name.starts_with(BRANCHES.as_bytes()) || name.starts_with(TAGS.as_bytes()) {
        return full_name(repository, name, name.into());
    }
    for prefix in [BRANCHES, TAGS] {
        if let Some(revision) = full_name(repository, prefixed(prefix, name).as_bstr(), name.into())? {
            return Ok(Some(revision));
        }
    }
    Ok(None)
}

/// The branch or tag of that full name, to be shown in addresses as `shown`; none if there is none
/// or it leads to no commit.
fn full_name(repository: Repository<'_>, name: &BStr, shown: BString) -> Result<Option<Revision>, Error> {
    let Some(id) = repository.refs.resolve(name).map_err(|error| Error::Read(error.to_string()))? else {
        return Ok(None);
    };
    let kind = if name.starts_with(TAGS.as_bytes()) { Kind::Tag } else { Kind::Branch };
    let commit_id = repository.peel_to_commit(&id)?;
    Ok(commit_id.map(|commit_id| Revision { kind, name: shown, commit_id }))
}

fn prefixed(prefix: &str, name: &BStr) -> BString {
    let mut full = BString::from(prefix);
    full.extend_from_slice(name);
    full
}

/// The commit of that id, full or abbreviated without ambiguity; a tag object's id leads to its commit.
pub fn commit_by_abbreviation(repository: Repository<'_>, digits: &BStr) -> Result<Option<ObjectId>, Error> {
    if digits.len() < ABBREVIATION_DIGITS_MIN || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Ok(None);
    }
    // The digits of an id that begins so, with nothing but zeros after it.
    let format = repository.objects.format();
    let count = digits.len();
    let mut padded = digits.to_ascii_lowercase();
    padded.resize(format.len_in_hex().max(count), b'0');
    let Ok(first) = ObjectId::from_hex(&padded) else { return Ok(None) };
    if first.kind() != format {
        return Ok(None);
    }
    if count == format.len_in_hex() {
        return existing_commit(repository, first);
    }
    let Ok(prefix) = gix_hash::Prefix::new(&first, count) else { return Ok(None) };
    let mut commit_ids = Vec::new();
    for id in repository.objects.with_prefix(&prefix)? {
        commit_ids.extend(existing_commit(repository, id)?);
    }
    Ok(match commit_ids.as_slice() {
        [id] => Some(*id),
        _ => None,
    })
}

fn existing_commit(repository: Repository<'_>, id: ObjectId) -> Result<Option<ObjectId>, Error> {
    match repository.peel_to_commit(&id) {
        Err(Error::Missing(missing)) if missing == id => Ok(None),
        Ok(Some(commit_id)) => {
            let is_shown = repository.objects.may_show(&commit_id, repository.refs)?;
            Ok(is_shown.then_some(commit_id))
        }
        answer => answer,
    }
}
