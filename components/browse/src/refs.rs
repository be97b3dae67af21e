//! The page of all branches and tags, `/-/refs`.

use crate::limits::REFS_PER_PAGE;
use crate::place::{CommitLine, Failure, Place};
use crate::version;
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use lithe_code::links::Links;
use lithe_code::repository::Repository;
use lithe_code::revision;
use lithe_code::text;
use lithe_git::refs::{Head, Ref};
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::size::counted;

/// The page of all branches and tags.
#[derive(Template)]
#[template(path = "refs.html")]
pub struct RefsPage {
    frame: Frame,
    head: RepositoryHead,
    branches: Section,
    tags: Section,
}

/// A page of the branches, or of the tags.
struct Section {
    count: String,
    rows: Vec<Row>,
    previous_href: Option<String>,
    next_href: Option<String>,
}

struct Row {
    name: String,
    href: String,
    commits_href: String,
    is_landing: bool,
    /// None if the ref leads to no commit that can be read.
    commit: Option<CommitLine>,
}

/// Which of the branches, and which of the tags, the page begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offsets {
    pub branches: usize,
    pub tags: usize,
}

/// Builds the page.
pub fn page(place: &Place<'_>, repository: Repository<'_>, from: Offsets) -> Result<RefsPage, Failure> {
    let links = place.links();
    let landing = match &repository.refs.head {
        Head::Symbolic(name) => Some(name.as_bstr()),
        Head::Detached(_) | Head::Missing => None,
    };
    let mut branches: Vec<&Ref> = repository.refs.with_prefix("refs/heads/".into()).iter().collect();
    branches.sort_by_key(|branch| Some(branch.name.as_bstr()) != landing);
    let mut tags: Vec<&Ref> = repository.refs.with_prefix("refs/tags/".into()).iter().collect();
    tags.sort_by(|a, b| version::compare(&b.name, &a.name));
    let section = |refs: &[&Ref], words: (&str, &str), offset: usize, at: &dyn Fn(usize) -> String| Section {
        count: counted(refs.len() as u64, words.0, words.1),
        rows: refs
            .iter()
            .skip(offset)
            .take(REFS_PER_PAGE)
            .map(|entry| row(place, repository, &links, entry, landing))
            .collect(),
        previous_href: (offset > 0).then(|| at(offset.saturating_sub(REFS_PER_PAGE))),
        next_href: (refs.len().saturating_sub(offset) > REFS_PER_PAGE).then(|| at(offset + REFS_PER_PAGE)),
    };
    let address = |offsets: Offsets, anchor: &str| {
        format!("{}?branches={}&tags={}#{anchor}", links.refs(), offsets.branches, offsets.tags)
    };
    Ok(RefsPage {
        frame: place.frame("Branches and tags"),
        head: place.head(Tab::Refs, None),
        branches: section(&branches, ("branch", "branches"), from.branches, &|branches| {
            address(Offsets { branches, ..from }, "branches")
        }),
        tags: section(&tags, ("tag", "tags"), from.tags, &|tags| address(Offsets { tags, ..from }, "tags")),
    })
}

fn row(
    place: &Place<'_>,
    repository: Repository<'_>,
    links: &Links,
    entry: &Ref,
    landing: Option<&BStr>,
) -> Row {
    let name = revision::address_name(repository, entry.name.as_bstr());
    let commit = repository.refs.resolve(entry.name.as_bstr()).ok().flatten().and_then(|id| {
        let commit_id = repository.peel_to_commit(&id).ok()??;
        repository.commit(&commit_id).ok()
    });
    Row {
        name: text::visible(revision::short_name(entry.name.as_bstr())),
        href: links.tree(name.as_bstr(), "".into()),
        commits_href: links.commits(name.as_bstr(), "".into()),
        is_landing: Some(entry.name.as_bstr()) == landing,
        commit: commit.map(|commit| place.commit_line(&commit)),
    }
}
