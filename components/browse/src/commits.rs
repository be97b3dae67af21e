//! The pages of a history, `/-/commits/<ref>[/<path>]`.

use crate::history::{self, Cursor};
use crate::place::{CommitLine, Failure, Place, Switcher, crumbs};
use askama::Template;
use bstr::ByteSlice as _;
use lithe_code::repository::Repository;
use lithe_code::revision::Resolved;
use lithe_code::text;
use lithe_web::frame::{Breadcrumb, Frame, RepositoryHead, Tab};
use serde::Serialize;

/// A page of a history.
#[derive(Template, Serialize)]
#[template(path = "commits.html")]
#[serde(tag = "page", rename = "commits", rename_all = "kebab-case")]
pub struct CommitsPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    switcher: Switcher,
    crumbs: Vec<Breadcrumb>,
    root_href: String,
    days: Vec<Day>,
    /// Where the latest commits are; none on the first page.
    first_href: Option<String>,
    next_href: Option<String>,
    /// Whether the search for commits ended at a limit.
    is_cut: bool,
    /// A commit that could not be read.
    unreadable: Option<String>,
}

/// The commits of one day.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Day {
    date: String,
    commits: Vec<CommitLine>,
}

/// Builds the page that begins at the cursor; none: with the latest commit.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    at: &Resolved,
    cursor: Option<&Cursor>,
) -> Result<CommitsPage, Failure> {
    let (links, revision, path) = (place.links(), &at.revision, at.path.as_bstr());
    if cursor.is_some_and(|cursor| !cursor.is_of(repository.objects.format())) {
        return Err(Failure::NotFound);
    }
    for id in cursor.into_iter().flat_map(|cursor| &cursor.ids) {
        if !repository.objects.may_show(id, repository.refs)? {
            return Err(Failure::NotFound);
        }
    }
    let begin = Cursor::at(revision.commit_id);
    let history = history::page(repository, cursor.unwrap_or(&begin), path);
    if history.commits.is_empty() && history.next.is_none() && history.unreadable.is_none() {
        return Err(Failure::NotFound);
    }
    let name = revision.name.as_bstr();
    let title = if path.is_empty() { revision.label() } else { text::visible(path) };
    let address = links.commits(name, path);
    Ok(CommitsPage {
        frame: place.frame(format!("History of {title}")),
        head: place.head(Tab::Commits, Some(revision)),
        switcher: Switcher::new(repository, revision, &links, |name| links.commits(name, path)),
        crumbs: crumbs(&links, name, path),
        root_href: links.tree(name, "".into()),
        days: by_day(history.commits.iter().map(|commit| place.commit_line(commit))),
        first_href: cursor.map(|_| address.clone()),
        next_href: history.next.map(|next| format!("{address}?after={next}")),
        is_cut: history.is_cut,
        unreadable: history.unreadable.map(|id| id.to_string()),
    })
}

/// Groups commits by the day on their committer's clock.
fn by_day(commits: impl Iterator<Item = CommitLine>) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for commit in commits {
        let date = commit.time.date().to_owned();
        match days.last_mut() {
            Some(day) if day.date == date => day.commits.push(commit),
            _ => days.push(Day { date, commits: vec![commit] }),
        }
    }
    days
}
