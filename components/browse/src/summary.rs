//! A repository's own page: what it is, how to clone it, its files and README. And the page of one
//! that nothing was pushed to yet.

use crate::downloads::Downloads;
use crate::extent;
use crate::history;
use crate::languages::Languages;
use crate::licence;
use crate::limits::{LOG_TIME_MAX, SUMMARY_COMMITS_MAX, SUMMARY_ENTRIES_MAX};
use crate::place::{Additions, CommitLine, Failure, Place, Switcher};
use crate::readme::{Body, Readme};
use crate::tree::{Listing, further};
use askama::Template;
use bstr::ByteSlice as _;
use lithe_code::repository::Repository;
use lithe_code::revision::{self, Revision};
use lithe_code::walk::Budget;
use lithe_forge::types::Permission;
use lithe_git::format::ObjectFormat;
use lithe_git::refs::Head;
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::{Text, filters, tn};
use serde::Serialize;

/// The page of a repository that has commits.
#[derive(Template, Serialize)]
#[template(path = "summary.html")]
#[serde(tag = "page", rename = "summary", rename_all = "kebab-case")]
pub struct SummaryPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    switcher: Switcher,
    refs_href: String,
    commits_href: String,
    find_href: String,
    statistics_href: String,
    #[serde(flatten)]
    downloads: Downloads,
    additions: Option<Additions>,
    /// How many commits there are, and how many people made them, where that is known.
    commit_count: Option<Text>,
    contributor_count: Option<Text>,
    branch_count: Text,
    tag_count: Text,
    clone_url: String,
    permanent_clone_url: String,
    latest: CommitLine,
    /// The latest commits, that one first.
    commits: Vec<CommitLine>,
    languages: Languages,
    licences: Vec<Licence>,
    listing: Listing,
    readme: Option<Readme>,
}

/// A licence, and the file that has it.
#[derive(Serialize)]
struct Licence {
    /// Its identifier in the SPDX License List.
    name: &'static str,
    href: String,
}

/// The page of a repository without commits.
#[derive(Template, Serialize)]
#[template(path = "empty.html")]
#[serde(tag = "page", rename = "empty", rename_all = "kebab-case")]
pub struct EmptyPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    clone_url: String,
    permanent_clone_url: String,
    /// The branch that `HEAD` names.
    branch: String,
    may_push: bool,
    new_href: String,
    upload_href: String,
    is_sha256: bool,
}

/// A repository's own page, of one kind or the other.
pub enum Summary {
    Filled(Box<SummaryPage>),
    Empty(Box<EmptyPage>),
}

/// Builds a repository's own page, for its landing branch.
pub fn page(place: &Place<'_>, repository: Repository<'_>) -> Result<Summary, Failure> {
    match revision::landing_branch(repository)? {
        Some(revision) => filled(place, repository, &revision).map(|page| Summary::Filled(Box::new(page))),
        None => Ok(Summary::Empty(Box::new(empty(place, repository)))),
    }
}

fn filled(
    place: &Place<'_>,
    repository: Repository<'_>,
    revision: &Revision,
) -> Result<SummaryPage, Failure> {
    let (links, name) = (place.links(), revision.name.as_bstr());
    let commit = repository.commit(&revision.commit_id)?;
    let entries = repository.tree(&commit.tree_id)?;
    let readme = Readme::find(place, repository, (&commit, &entries), revision, "".into())?;
    let licences = licence::find(repository, &entries).into_iter().map(|(name, entry)| Licence {
        name,
        href: links.blob(revision.name.as_bstr(), entry.name.as_bstr()),
    });
    let licences = licences.collect();
    let mut listing = Listing::new(place, repository, entries, revision, "".into(), 0, SUMMARY_ENTRIES_MAX);
    listing.next_href = listing.next_href.map(|_| links.tree(name, "".into()));
    listing.again_href = listing.again_href.map(|_| further(links.summary()));
    let budget = Budget { until: place.until(LOG_TIME_MAX), ..history::BUDGET };
    let latest = history::latest(repository, revision.commit_id, SUMMARY_COMMITS_MAX, budget);
    let extent = extent::look(place, repository, revision);
    let count = |prefix: &str| repository.refs.with_prefix(prefix.into()).len() as u64;
    Ok(SummaryPage {
        frame: place.frame(Text::EMPTY),
        head: place.head(Tab::Code, None),
        switcher: Switcher::new(repository, revision, &links, |name| links.tree(name, "".into())),
        refs_href: links.refs(),
        commits_href: links.commits(name, "".into()),
        find_href: links.find(name),
        statistics_href: links.statistics(name),
        downloads: Downloads::of_repository(&links, name, revision.label()),
        additions: place.additions(revision, "".into()),
        commit_count: extent.commits.map(|count| tn("{n} commit", "{n} commits", count)),
        contributor_count: extent.contributors.map(|count| tn("{n} contributor", "{n} contributors", count)),
        branch_count: tn("{n} branch", "{n} branches", count("refs/heads/")),
        tag_count: tn("{n} tag", "{n} tags", count("refs/tags/")),
        clone_url: place.clone_url(),
        permanent_clone_url: place.permanent_clone_url(),
        latest: place.commit_line(&commit),
        commits: latest.iter().map(|commit| place.commit_line(commit)).collect(),
        languages: Languages::find(place.cache, repository, &commit.tree_id)?,
        licences,
        listing,
        readme,
    })
}

fn empty(place: &Place<'_>, repository: Repository<'_>) -> EmptyPage {
    let branch = match &repository.refs.head {
        Head::Symbolic(name) => lithe_code::text::visible(revision::short_name(name.as_bstr())),
        Head::Detached(_) | Head::Missing => "main".to_owned(),
    };
    let edit = |action| place.links().edit(branch.as_bytes().as_bstr(), "".into(), action);
    EmptyPage {
        new_href: edit("new"),
        upload_href: edit("upload"),
        frame: place.frame(Text::EMPTY),
        head: place.head(Tab::Code, None),
        clone_url: place.clone_url(),
        permanent_clone_url: place.permanent_clone_url(),
        branch,
        may_push: matches!(place.permission, Permission::Write | Permission::Admin),
        is_sha256: repository.objects.format() == ObjectFormat::Sha256,
    }
}
