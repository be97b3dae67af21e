//! The page of a commit, `/-/commit/<id>`: its message, who made it, and what it changed.

use crate::containing::{self, ContainingView, ObjectIdText};
use crate::diff::view::Point;
use crate::diff::{self, View, combined};
use crate::downloads::Downloads;
use crate::labels::{self, Labels};
use crate::limits::PARENTS_SHOWN_MAX;
use crate::message;
use crate::place::{Failure, Place};
use crate::signature::SignatureView;
use askama::Template;
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use lithe_code::repository::{Commit, Error, Repository};
use lithe_code::revision::Revision;
use lithe_code::{notes, text};
use lithe_web::Fields;
use lithe_web::filters;
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::time::Time;
use serde::Serialize;

/// The page of a commit.
#[derive(Template, Serialize)]
#[template(path = "commit.html")]
#[serde(tag = "page", rename = "commit", rename_all = "kebab-case")]
pub struct CommitPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    id: String,
    title: String,
    /// The title, with links to the issues that it names.
    #[serde(skip)]
    title_html: String,
    /// The message below its first line, as HTML; empty if there is none.
    #[serde(rename = "body-html")]
    body: String,
    author: Person,
    /// Who committed it, if that was somebody else or at another time.
    committer: Option<Person>,
    signature: Option<SignatureView>,
    labels: Labels,
    parents: Vec<ObjectIdText>,
    /// How many more parents there are.
    parents_left_out: usize,
    containing: ContainingView,
    /// What was noted about it afterwards, as HTML; none: nothing.
    #[serde(rename = "note-html")]
    note: Option<String>,
    tree_href: String,
    /// Archives of its files.
    #[serde(flatten)]
    downloads: Downloads,
    /// The commit's own address, to which `.diff` and `.patch` are added.
    href: String,
    /// For a merge: what it is compared with; none: with all parents at once, or it is none.
    compared_with: Option<String>,
    /// For a merge of not too many parents that is compared with one: where it is compared with all of them.
    combined_href: Option<&'static str>,
    /// Whether it is compared with all parents at once.
    is_combined: bool,
    /// Whether the parent is not there: the repository is shallow.
    is_parent_unknown: bool,
    /// What it changed, as HTML.
    #[serde(rename = "changes-html")]
    changes: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Person {
    name: String,
    email: String,
    time: Time,
}

/// With what a commit is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Its parent of that number, counted from 1.
    Parent(usize),
    /// All parents of a merge at once.
    All,
}

impl Against {
    /// As pages are without being asked for anything else.
    pub const FIRST: Self = Self::Parent(1);

    /// Reads `?parent=2` or `?combined=1`.
    pub fn of(query: &Fields) -> Self {
        match query.get("combined") {
            "1" => Self::All,
            _ => Self::Parent(query.get("parent").parse().unwrap_or(1).max(1)),
        }
    }
}

/// Builds the page.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    commit_id: ObjectId,
    against: Against,
    view: View,
) -> Result<CommitPage, Failure> {
    let commit = repository.commit(&commit_id)?;
    let can_be_combined = combined::is_for(&commit);
    let Changes { changes, compared_with, is_parent_unknown } =
        compared(place, repository, &commit, against, view)?;
    let links = place.links();
    let is_combined = against == Against::All;
    let own = Revision::of_commit(commit_id);
    let parents = commit.parent_ids.iter().take(PARENTS_SHOWN_MAX);
    Ok(CommitPage {
        frame: place.frame(commit.title()),
        head: place.head(Tab::Commits, None),
        id: commit_id.to_string(),
        title_html: place.issues.html(&commit.title()),
        title: commit.title(),
        body: message::html(repository, &links, &place.issues, &body(&commit)),
        author: person_view(place, &commit.author),
        committer: (commit.committer != commit.author).then(|| person_view(place, &commit.committer)),
        signature: None,
        labels: labels::of(place, repository, [commit_id]).remove(&commit_id).unwrap_or_default(),
        parents: parents.map(|id| ObjectIdText::of(place, id)).collect(),
        parents_left_out: commit.parent_ids.len().saturating_sub(PARENTS_SHOWN_MAX),
        containing: containing::look(place, repository, commit_id),
        note: note(place, repository, &commit_id)?,
        href: links.commit(&commit_id),
        tree_href: links.tree(own.name.as_bstr(), "".into()),
        downloads: Downloads::of_revision(&links, own.name.as_bstr(), own.label()),
        compared_with,
        combined_href: (can_be_combined && !is_combined).then_some("?combined=1"),
        is_combined,
        is_parent_unknown,
        changes,
    })
}

/// What a commit changed, as HTML, or the part of it that the view asks for.
pub fn changes(
    place: &Place<'_>,
    repository: Repository<'_>,
    commit_id: ObjectId,
    against: Against,
    view: View,
) -> Result<String, Failure> {
    let commit = repository.commit(&commit_id)?;
    Ok(compared(place, repository, &commit, against, view)?.changes)
}

/// What a commit changed, and since when.
#[derive(Default)]
struct Changes {
    /// As HTML.
    changes: String,
    compared_with: Option<String>,
    is_parent_unknown: bool,
}

fn compared(
    place: &Place<'_>,
    repository: Repository<'_>,
    commit: &Commit,
    against: Against,
    view: View,
) -> Result<Changes, Failure> {
    match against {
        Against::Parent(parent) => against_parent(place, repository, commit, parent, view),
        Against::All if !combined::is_for(commit) => Err(Failure::NotFound),
        Against::All => match combined::render(place, repository, commit, view) {
            Ok(changes) => Ok(Changes { changes, ..Changes::default() }),
            Err(Failure::Repository(Error::Missing(_))) => {
                Ok(Changes { is_parent_unknown: true, ..Changes::default() })
            }
            Err(failure) => Err(failure),
        },
    }
}

fn against_parent(
    place: &Place<'_>,
    repository: Repository<'_>,
    commit: &Commit,
    parent: usize,
    view: View,
) -> Result<Changes, Failure> {
    let before = match commit.parent_ids.get(parent - 1) {
        Some(parent_id) => match repository.commit(parent_id) {
            Ok(parent) => Before::Commit(Point { commit_id: parent.id, tree_id: parent.tree_id }),
            Err(Error::Missing(_)) => Before::Unknown,
            Err(error) => return Err(error.into()),
        },
        None if parent > 1 => return Err(Failure::NotFound),
        None => Before::Nothing,
    };
    let after = Point { commit_id: commit.id, tree_id: commit.tree_id };
    let query = if parent > 1 { format!("parent={parent}") } else { String::new() };
    let changes = |before| diff::view::render(place, repository, (before, after), &query, view);
    Ok(Changes {
        compared_with: (commit.parent_ids.len() > 1)
            .then(|| commit.parent_ids[parent - 1].to_hex_with_len(10).to_string()),
        is_parent_unknown: before == Before::Unknown,
        changes: match before {
            Before::Commit(before) => changes(Some(before))?,
            Before::Nothing => changes(None)?,
            Before::Unknown => String::new(),
        },
    })
}

impl CommitPage {
    /// The page with what is known of the commit's signature.
    pub fn with_signature(self, signature: Option<SignatureView>) -> Self {
        Self { signature, ..self }
    }
}

/// What a commit is compared with.
#[derive(PartialEq, Eq)]
enum Before {
    Commit(Point),
    /// It is the first commit.
    Nothing,
    /// The parent is not there: the repository is shallow.
    Unknown,
}

fn person_view(place: &Place<'_>, signature: &lithe_code::repository::Signature) -> Person {
    let named = place.mailmap.resolve(signature);
    Person { name: named.display_name(), email: text::visible(&named.email), time: place.time(signature) }
}

/// The message without its first line.
fn body(commit: &Commit) -> String {
    let message = commit.text();
    let message = message.trim_start();
    let body = message.split_once('\n').map_or("", |(_, body)| body);
    body.trim_matches('\n').trim_end().to_owned()
}

fn note(
    place: &Place<'_>,
    repository: Repository<'_>,
    commit_id: &ObjectId,
) -> Result<Option<String>, Failure> {
    let Some(note) = notes::of(repository, commit_id)? else { return Ok(None) };
    let text = text::decode(&note).map(|decoded| decoded.text);
    Ok(text.map(|text| message::html(repository, &place.links(), &place.issues, text.trim_end())))
}
