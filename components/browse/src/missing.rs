//! What is said of a path that a revision does not have: where it went, and where it still is.

use crate::limits::{LAST_COMMITS_PASSED_MAX, LAST_COMMITS_READ_MAX, MISSING_TIME_MAX};
use crate::place::{CommitLine, Place, Switcher};
use crate::route::Page;
use crate::submodules::Submodules;
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use gix_object::tree::EntryKind;
use lithe_code::last_commits::LastCommits;
use lithe_code::renames;
use lithe_code::repository::{Commit, Entry, Error, Repository};
use lithe_code::revision::{self, Resolved, Revision};
use lithe_code::text;
use lithe_code::walk::Budget;
use lithe_web::frame::{Breadcrumb, Frame, RepositoryHead, Tab};
use lithe_web::{filters, t};
use serde::Serialize;

/// The page of a path that is not there.
#[derive(Template, Serialize)]
#[template(path = "missing.html")]
#[serde(tag = "page", rename = "missing", rename_all = "kebab-case")]
pub struct MissingPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    switcher: Switcher,
    root_href: String,
    path: String,
    label: String,
    /// Whether what the address begins with is no branch, tag or commit.
    is_revision_unknown: bool,
    /// The submodule that stands there.
    submodule: Option<Submodule>,
    gone: Option<Gone>,
    /// The landing branch and the path there, if it is there.
    elsewhere: Option<Breadcrumb>,
}

/// A submodule in the place of a file.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Submodule {
    commit: String,
    /// Where it comes from, if a link may lead there.
    href: Option<String>,
}

/// What became of it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Gone {
    commit: CommitLine,
    /// What it was renamed to, or where most of a directory went, and where that is.
    renamed: Option<Breadcrumb>,
    is_directory: bool,
    /// Where it is as it was last.
    before_href: String,
    history_href: String,
}

/// The page of an address that begins with no branch, tag or commit; none where there are none at all.
fn of_no_revision(place: &Place<'_>, repository: Repository<'_>, rest: &BStr) -> Option<MissingPage> {
    let landing = revision::landing_branch(repository).ok()??;
    if rest.is_empty() || revision::resolve(repository, rest).ok()?.is_some() {
        return None;
    }
    let links = place.links();
    Some(MissingPage {
        frame: place.frame(t("Not found")),
        head: place.head(Tab::Code, Some(&landing)),
        switcher: Switcher::new(repository, &landing, &links, |name| links.tree(name, "".into())),
        root_href: links.tree(landing.name.as_bstr(), "".into()),
        path: text::visible(rest),
        label: landing.label(),
        is_revision_unknown: true,
        submodule: None,
        gone: None,
        elsewhere: None,
    })
}

/// The submodule at the path, if there is one.
fn submodule(
    place: &Place<'_>,
    repository: Repository<'_>,
    at: &Resolved,
) -> Result<Option<Submodule>, Error> {
    let commit = repository.commit(&at.revision.commit_id)?;
    let entry = repository.entry_at(&commit.tree_id, at.path.as_bstr())?;
    Ok(entry.filter(|entry| entry.mode.kind() == EntryKind::Commit).map(|entry| Submodule {
        commit: entry.id.to_string(),
        href: Submodules::read(repository, &at.revision, &place.record.path).href(at.path.as_bstr()),
    }))
}

/// Builds the page; none if there is nothing to say.
pub fn page(place: &Place<'_>, repository: Repository<'_>, page: &Page) -> Option<MissingPage> {
    let rest = match page {
        Page::Tree(rest) | Page::Blob(rest) | Page::Blame(rest) | Page::Commits(rest) => rest,
        Page::Commit(rest) | Page::Find(rest) | Page::Statistics(rest) => {
            return of_no_revision(place, repository, rest.as_bstr());
        }
        Page::Summary | Page::Raw(_) | Page::Compare(_) | Page::Refs | Page::Feed(_) => return None,
    };
    let Some(at) = revision::resolve(repository, rest.as_bstr()).ok()? else {
        return of_no_revision(place, repository, rest.as_bstr());
    };
    let (links, path) = (place.links(), at.path.as_bstr());
    if path.is_empty() {
        return None;
    }
    let submodule = submodule(place, repository, &at).ok().flatten();
    let gone = gone(place, repository, &at).ok().flatten().filter(|_| submodule.is_none());
    let elsewhere = on_landing_branch(repository, &at).ok().flatten();
    Some(MissingPage {
        frame: place.frame(t("Not found")),
        head: place.head(Tab::Code, Some(&at.revision)),
        switcher: Switcher::new(repository, &at.revision, &links, |name| links.tree(name, path)),
        root_href: links.tree(at.revision.name.as_bstr(), "".into()),
        path: text::visible(path),
        label: at.revision.label(),
        is_revision_unknown: false,
        submodule,
        gone,
        elsewhere: elsewhere.map(|(branch, entry)| Breadcrumb {
            name: branch.label(),
            href: address(place, branch.name.as_bstr(), path, &entry),
        }),
    })
}

fn address(place: &Place<'_>, revision: &BStr, path: &BStr, entry: &Entry) -> String {
    let links = place.links();
    if entry.is_tree() { links.tree(revision, path) } else { links.blob(revision, path) }
}

fn entry_at(repository: Repository<'_>, commit: &Commit, path: &BStr) -> Result<Option<Entry>, Error> {
    let entry = repository.entry_at(&commit.tree_id, path)?;
    Ok(entry.filter(|entry| entry.is_tree() || entry.is_blob()))
}

fn on_landing_branch(repository: Repository<'_>, at: &Resolved) -> Result<Option<(Revision, Entry)>, Error> {
    let Some(landing) = revision::landing_branch(repository)? else { return Ok(None) };
    let commit = repository.commit(&landing.commit_id)?;
    Ok(entry_at(repository, &commit, at.path.as_bstr())?.map(|entry| (landing, entry)))
}

/// Looks for the commit that removed the path.
fn gone(place: &Place<'_>, repository: Repository<'_>, at: &Resolved) -> Result<Option<Gone>, Error> {
    let path = at.path.as_bstr();
    let (directory, name) = match path.rsplit_once_str("/") {
        Some((directory, name)) => (directory.as_bstr(), name.as_bstr()),
        None => ("".into(), path),
    };
    let mut search = LastCommits::new(at.revision.commit_id);
    search.ask(repository, std::iter::once(name))?;
    let budget = Budget {
        commits_read: LAST_COMMITS_READ_MAX,
        commits_passed: LAST_COMMITS_PASSED_MAX,
        until: place.until(MISSING_TIME_MAX),
    };
    search.advance(repository, directory, None, budget)?;
    let Some((id, _)) = search.get(name) else { return Ok(None) };
    let commit = repository.commit(&id)?;
    for parent_id in &commit.parent_ids {
        let parent = repository.commit(parent_id)?;
        let Some(entry) = entry_at(repository, &parent, path)? else { continue };
        return Ok(Some(Gone {
            renamed: renamed(place, repository, at, &parent, &commit, &entry)?,
            is_directory: entry.is_tree(),
            before_href: address(place, parent_id.to_string().as_str().into(), path, &entry),
            history_href: place.links().commits(at.revision.name.as_bstr(), path),
            commit: place.commit_line(&commit),
        }));
    }
    Ok(None)
}

/// What the commit renamed the path to, or the directory that most of one went to: at the revision if it is there still, else at that commit.
fn renamed(
    place: &Place<'_>,
    repository: Repository<'_>,
    at: &Resolved,
    parent: &Commit,
    commit: &Commit,
    entry: &Entry,
) -> Result<Option<Breadcrumb>, Error> {
    let path = at.path.as_bstr();
    let found = match entry.is_tree() {
        true => renames::directory(repository, &parent.tree_id, &commit.tree_id, &entry.id)?,
        // Looked at backwards: which file, gone in the parent, became this one?
        false => renames::source(repository, &commit.tree_id, &parent.tree_id, path, &entry.id)?
            .map(|(path, _)| path),
    };
    let Some(path) = found else { return Ok(None) };
    let name = if path.is_empty() { "/".to_owned() } else { text::visible(&path) };
    let present = repository.commit(&at.revision.commit_id)?;
    let id = commit.id.to_string();
    let is_there = path.is_empty() || entry_at(repository, &present, path.as_bstr())?.is_some();
    let revision = if is_there { at.revision.name.as_bstr() } else { id.as_str().into() };
    Ok(Some(Breadcrumb { name, href: address(place, revision, path.as_bstr(), entry) }))
}
