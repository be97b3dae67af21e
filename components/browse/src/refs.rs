//! The page of all branches and tags, `/-/refs`.

use crate::limits::{BRANCH_COMMITS_MAX, REFS_PER_PAGE};
use crate::place::{CommitLine, Failure, Place};
use crate::version;
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_code::links::Links;
use lithe_code::relation::{self, Relation};
use lithe_code::repository::Repository;
use lithe_code::revision;
use lithe_code::text;
use lithe_git::refs::{Head, Ref};
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::size::counted;
use serde::Serialize;
use std::cell::Cell;

/// The page of all branches and tags.
#[derive(Template, Serialize)]
#[template(path = "refs.html")]
#[serde(tag = "page", rename = "refs", rename_all = "kebab-case")]
pub struct RefsPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    branches: Section,
    tags: Section,
    compare_href: String,
}

/// A page of the branches, or of the tags.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Section {
    count: String,
    rows: Vec<Row>,
    previous_href: Option<String>,
    next_href: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    name: String,
    href: String,
    commits_href: String,
    is_landing: bool,
    /// None if the ref leads to no commit that can be read.
    commit: Option<CommitLine>,
    /// How far a branch is from the default branch.
    distance: Option<Distance>,
}

/// How far a branch is from the default branch.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Distance {
    /// `2 ahead, 1 behind`, or that it was merged.
    words: String,
    compare_href: String,
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
    let landing_id = revision::landing_branch(repository)?.map(|landing| landing.commit_id);
    let commits_left = Cell::new(BRANCH_COMMITS_MAX);
    let section = |refs: &[&Ref], words: (&str, &str), offset: usize, at: &dyn Fn(usize) -> String| Section {
        count: counted(refs.len() as u64, words.0, words.1),
        rows: refs
            .iter()
            .skip(offset)
            .take(REFS_PER_PAGE)
            .map(|entry| {
                let mut left = commits_left.get();
                let row = row(place, repository, &links, entry, landing.zip(landing_id), &mut left);
                commits_left.set(left);
                row
            })
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
        compare_href: links.compare("".into(), "", "".into()),
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
    landing: Option<(&BStr, ObjectId)>,
    commits_left: &mut usize,
) -> Row {
    let name = revision::address_name(repository, entry.name.as_bstr());
    let commit = repository.refs.resolve(entry.name.as_bstr()).ok().flatten().and_then(|id| {
        let commit_id = repository.peel_to_commit(&id).ok()??;
        repository.commit(&commit_id).ok()
    });
    let is_landing = landing.is_some_and(|(landing, _)| entry.name == landing);
    let is_branch = entry.name.starts_with(b"refs/heads/");
    let distance = match (&commit, landing) {
        (Some(commit), Some((_, landing_id))) if is_branch && !is_landing => {
            relation::relation_within(repository, landing_id, commit.id, commits_left).ok().and_then(
                |relation| {
                    let compare_href = links.compare("".into(), "...", name.as_bstr());
                    Some(Distance { words: words(&relation)?, compare_href })
                },
            )
        }
        _ => None,
    };
    Row {
        name: text::visible(revision::short_name(entry.name.as_bstr())),
        href: links.tree(name.as_bstr(), "".into()),
        commits_href: links.commits(name.as_bstr(), "".into()),
        is_landing,
        commit: commit.map(|commit| place.commit_line(&commit)),
        distance,
    }
}

/// None if it is not known.
fn words(relation: &Relation) -> Option<String> {
    match (relation.ahead.len(), relation.behind) {
        _ if relation.is_cut => None,
        (0, 0) => Some("the same".to_owned()),
        (0, behind) => Some(format!("merged, {behind} behind")),
        (ahead, 0) => Some(format!("{ahead} ahead")),
        (ahead, behind) => Some(format!("{ahead} ahead, {behind} behind")),
    }
}
