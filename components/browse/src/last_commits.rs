//! The last commit of each entry of a directory, looked for a little with each view of it.
//!
//! What is found is kept by branch and directory, and taken over by the branch's next commits.

use crate::cache::Key;
use crate::limits::{
    LAST_COMMITS_FIRST_TIME_MAX, LAST_COMMITS_PASSED_MAX, LAST_COMMITS_READ_MAX, LAST_COMMITS_TIME_MAX,
};
use crate::place::{CommitLine, Place};
use bstr::{BStr, ByteSlice as _};
use lithe_code::last_commits::LastCommits;
use lithe_code::repository::{Entry, Error, Repository};
use lithe_code::revision::{Kind, Revision};
use lithe_code::walk::Budget;
use lithe_web::time::Time;
use serde::Serialize;

/// The last commit of an entry, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LastCommit {
    pub title: String,
    /// The title, which leads to the commit, with links to the issues that it names.
    #[serde(skip)]
    pub title_html: String,
    pub href: String,
    pub time: Time,
}

/// The last commits of a directory's entries, as far as they are known.
pub struct Known {
    found: Option<LastCommits>,
    goes_on: bool,
}

impl Known {
    /// Looks for those of the entries of the directory at `path`. Where the history cannot be read,
    /// nothing is known.
    pub fn look(
        place: &Place<'_>,
        repository: Repository<'_>,
        revision: &Revision,
        path: &BStr,
        entries: &[Entry],
    ) -> Self {
        let names = entries.iter().map(|entry| entry.name.as_bstr());
        let key = key(place, revision, path);
        let kept = Kept { text: place.cache.get(&key), key, is_begun: place.looks_further };
        match looked(place, repository, revision, path, names, kept) {
            Ok((found, goes_on)) => Self { found: Some(found), goes_on },
            Err(_) => Self { found: None, goes_on: false },
        }
    }

    /// Whether the next view of the directory knows more.
    pub fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// That of an entry.
    pub fn get(&self, place: &Place<'_>, name: &BStr) -> Option<LastCommit> {
        let (id, told) = self.found.as_ref()?.get(name)?;
        let href = place.links().commit(&id);
        Some(LastCommit {
            title_html: place.issues.title_html(&told.title, &href),
            title: told.title.clone(),
            href,
            time: Time::with_offset(told.seconds, told.offset, place.now),
        })
    }
}

/// The commit that changed a file last, if that is known or found in a moment, with the other entries of its directory
/// that are not found yet.
pub fn of_file(
    place: &Place<'_>,
    repository: Repository<'_>,
    revision: &Revision,
    path: &BStr,
) -> Option<CommitLine> {
    let (directory, name) = match path.rsplit_once_str("/") {
        Some((directory, name)) => (directory.as_bstr(), name.as_bstr()),
        None => ("".into(), path),
    };
    let key = key(place, revision, directory);
    let text = place.cache.get(&key);
    let known = text.as_deref().and_then(|text| LastCommits::find_in(text, revision.commit_id, name));
    let id = known.or_else(|| {
        let names = std::iter::once(name);
        let kept = Kept { text, key, is_begun: true };
        let (found, _) = looked(place, repository, revision, directory, names, kept).ok()?;
        Some(found.get(name)?.0)
    })?;
    Some(place.commit_line(&repository.commit(&id).ok()?))
}

/// Where the last commits of a directory's entries are kept.
fn key(place: &Place<'_>, revision: &Revision, path: &BStr) -> Key {
    match revision.kind {
        Kind::Branch => {
            Key::new(&[b"last commits of a branch", &place.record.id.to_be_bytes(), &revision.name, path])
        }
        Kind::Tag | Kind::Commit => Key::new(&[b"last commits", revision.commit_id.as_bytes(), path]),
    }
}

/// What was kept of a directory.
struct Kept {
    text: Option<String>,
    key: Key,
    /// Whether a search from a permanent address is kept that is not at its end, for the next view to go on with it.
    is_begun: bool,
}

/// What is known now, and whether the next view knows more.
fn looked<'n>(
    place: &Place<'_>,
    repository: Repository<'_>,
    revision: &Revision,
    path: &BStr,
    names: impl Iterator<Item = &'n BStr>,
    kept: Kept,
) -> Result<(LastCommits, bool), Error> {
    let commit_id = revision.commit_id;
    let Kept { text, key, is_begun } = kept;
    let kept = text.and_then(|text| LastCommits::parse(&text));
    let is_kept = kept.is_some();
    let (mut search, earlier) = match kept {
        Some(kept) if kept.commit_id() == commit_id => (kept, None),
        earlier => (LastCommits::new(commit_id), earlier),
    };
    // Of permanent addresses there are as many as commits, and most are asked for once.
    let is_first_time = matches!(revision.kind, Kind::Tag | Kind::Commit) && !is_kept && !place.looks_further;
    let time_max = if is_first_time { LAST_COMMITS_FIRST_TIME_MAX } else { LAST_COMMITS_TIME_MAX };
    search.ask(repository, names)?;
    if search.is_complete() {
        return Ok((search, false));
    }
    let budget = Budget {
        commits_read: LAST_COMMITS_READ_MAX,
        commits_passed: LAST_COMMITS_PASSED_MAX,
        until: place.until(time_max),
    };
    // What was found before an object that cannot be read is shown all the same.
    let is_readable = search.advance(repository, path, earlier.as_ref(), budget).is_ok();
    let goes_on = is_readable && !search.is_complete();
    // To keep what was found in a moment takes longer than to find it again.
    if !is_first_time || goes_on && is_begun {
        place.cache.put(&key, &search.to_text());
    } else if goes_on {
        place.cache.is_unfinished();
    }
    Ok((search, goes_on))
}
