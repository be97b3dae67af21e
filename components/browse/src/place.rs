//! What every page about a repository has in common: the frame, the head, the links, and the
//! choice of another branch or tag.

use crate::cache::Cache;
use crate::issues::Issues;
use crate::labels::Labels;
use crate::limits::CRUMBS_MAX;
use bstr::{BStr, ByteSlice as _};
use lithe_code::links::Links;
use lithe_code::mailmap::Mailmap;
use lithe_code::repository::{Commit, Error, Repository, Signature};
use lithe_code::revision::{self, Kind, Revision};
use lithe_code::text;
use lithe_code::version;
use lithe_forge::types;
use lithe_git::refs::Ref;
use lithe_web::Fields;
use lithe_web::address::encode_path;
use lithe_web::budget::Spent;
use lithe_web::frame::{Breadcrumb, Frame, RepositoryHead, Tab};
use lithe_web::time::Time;
use lithe_web::{Text, t};
use serde::Serialize;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How many branches, and how many tags, can be chosen without going to the page of all.
const CHOICES_MAX: usize = 20;

/// A repository that the viewer may read, and what a page about it needs to know of the request.
pub struct Place<'a> {
    pub frame: Frame,
    pub record: &'a types::Repository,
    pub permission: types::Permission,
    /// The site's address as the client asked for it, `http://localhost:8000`.
    pub site: String,
    /// The present, in seconds since the epoch.
    pub now: i64,
    /// Where rendered texts are kept.
    pub cache: &'a dyn Cache,
    /// The names that people want to be called by.
    pub mailmap: Rc<Mailmap>,
    /// What finds issues in messages.
    pub issues: Issues,
    /// Whether more time may be taken for what was not found at first.
    pub looks_further: bool,
    /// Whether work that has a time for it ends with that. Tests whose answers must not depend on how busy the
    /// machine is let it come to its other limits.
    pub is_hurried: bool,
}

impl Place<'_> {
    /// The end of work that begins now and may take so long; none: it has no end.
    pub fn until(&self, limit: Duration) -> Option<Instant> {
        self.is_hurried.then(|| Instant::now() + limit)
    }

    pub fn links(&self) -> Links {
        Links::new(&self.record.path)
    }

    /// The address to clone from.
    pub fn clone_url(&self) -> String {
        format!("{}{}", self.site, self.links().clone_path())
    }

    /// The address to clone from that stays the same wherever the repository is moved.
    pub fn permanent_clone_url(&self) -> String {
        format!("{}/_{}.git", self.site, self.record.id)
    }

    /// The frame of a page of this title, below the repository's groups.
    pub fn frame(&self, title: impl Into<Text>) -> Frame {
        let (path, title) = (&self.record.path, title.into());
        let own = Text::verbatim(path.clone());
        let title = if title.is_empty() { own } else { Text::joined(" · ", [title, own]) };
        self.frame.clone().below(path).titled(title)
    }

    /// The head of a page under the tab; its links keep to the revision.
    pub fn head(&self, tab: Tab, revision: Option<&Revision>) -> RepositoryHead {
        let name = revision.map(|revision| encode_path(&revision.name)).unwrap_or_default();
        RepositoryHead::new(self.record, self.permission, Some(tab), &name)
    }

    /// Whether the viewer may commit to what a page shows: to a branch, and not to a tag or a commit.
    pub fn may_edit(&self, revision: &Revision) -> bool {
        self.permission >= types::Permission::Write && revision.kind == Kind::Branch
    }

    /// Where files can be added to a directory, by who may do that.
    pub fn additions(&self, revision: &Revision, directory: &BStr) -> Option<Additions> {
        let edit = |action| self.links().edit(revision.name.as_bstr(), directory, action);
        self.may_edit(revision).then(|| Additions { new_href: edit("new"), upload_href: edit("upload") })
    }

    /// A time on somebody's clock.
    pub fn time(&self, signature: &Signature) -> Time {
        Time::with_offset(signature.seconds, signature.offset, self.now)
    }

    /// What somebody wants to be called.
    pub fn name(&self, signature: &Signature) -> String {
        self.mailmap.resolve(signature).display_name()
    }

    /// A commit on one line, without labels.
    pub fn commit_line(&self, commit: &Commit) -> CommitLine {
        self.commit_line_of(&self.links(), commit)
    }

    /// A commit on one line, of the repository that the links lead to.
    pub fn commit_line_of(&self, links: &Links, commit: &Commit) -> CommitLine {
        let (title, href) = (commit.title(), links.commit(&commit.id));
        CommitLine {
            title_html: self.issues.title_html(&title, &href),
            title,
            href,
            tree_href: links.tree(BStr::new(&commit.id.to_string()), "".into()),
            id: commit.id.to_string(),
            short_id: commit.id.to_hex_with_len(10).to_string(),
            author: self.name(&commit.author),
            time: self.time(&commit.committer),
            labels: Labels::default(),
        }
    }
}

/// Where files can be added to a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Additions {
    pub new_href: String,
    pub upload_href: String,
}

/// A commit on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CommitLine {
    pub title: String,
    /// The title, which leads to the commit, with links to the issues that it names.
    #[serde(skip)]
    pub title_html: String,
    pub href: String,
    /// The files as they were then.
    pub tree_href: String,
    /// The whole id, which the address has too.
    #[serde(skip)]
    pub id: String,
    pub short_id: String,
    pub author: String,
    pub time: Time,
    /// The branches and tags that point to it, where a page shows them.
    pub labels: Labels,
}

/// The directories and the file of a path, each with its page; the last is where one is. Of a deep path, the
/// uppermost are left out.
pub fn crumbs(links: &Links, revision: &BStr, path: &BStr) -> Vec<Breadcrumb> {
    let ends: Vec<usize> = path.find_iter("/").chain([path.len()]).filter(|end| *end > 0).collect();
    ends[ends.len().saturating_sub(CRUMBS_MAX)..]
        .iter()
        .copied()
        .map(|end| {
            let above = path[..end].as_bstr();
            let name = above.rsplit_str("/").next().unwrap_or_default();
            Breadcrumb { name: text::visible(name), href: links.tree(revision, above) }
        })
        .collect()
}

/// Which revision a page shows, and which others it could show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Switcher {
    pub kind: Text,
    pub label: String,
    pub branches: Vec<Choice>,
    pub tags: Vec<Choice>,
    /// Where all branches and tags are.
    pub all_href: String,
    /// The same page of this very commit, whatever a branch does.
    pub permanent_href: String,
    /// Where a form asks for another one by its name: the page itself.
    pub action: String,
    /// What is in the query of that, which a form leaves out of the address.
    #[serde(skip)]
    pub fields: Vec<(String, String)>,
}

/// A branch or tag to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Choice {
    pub name: String,
    pub href: String,
    pub is_current: bool,
}

impl Switcher {
    /// The choice on a page whose address for another revision is `href` of its name.
    pub fn new(
        repository: Repository<'_>,
        current: &Revision,
        links: &Links,
        href: impl Fn(&BStr) -> String,
    ) -> Self {
        let choices = |refs: &[&Ref]| {
            let choice = |entry: &&Ref| {
                let name = revision::address_name(repository, entry.name.as_bstr());
                Choice {
                    name: text::visible(revision::short_name(entry.name.as_bstr())),
                    href: href(name.as_bstr()),
                    is_current: name == current.name,
                }
            };
            refs.iter().map(choice).collect()
        };
        let branches: Vec<&Ref> =
            repository.refs.with_prefix("refs/heads/".into()).iter().take(CHOICES_MAX).collect();
        let mut tags = version::tags_latest_first(repository);
        tags.truncate(CHOICES_MAX);
        let own = href(current.name.as_bstr());
        let fields = own.split_once('?').and_then(|(_, query)| Fields::parse(query.as_bytes()).ok());
        let fields = fields.unwrap_or_default();
        Self {
            kind: match current.kind {
                Kind::Branch => t("Branch"),
                Kind::Tag => t("Tag"),
                Kind::Commit => t("Commit"),
            },
            label: current.label(),
            branches: choices(&branches),
            tags: choices(&tags),
            all_href: links.refs(),
            permanent_href: href(current.commit_id.to_string().as_str().into()),
            action: own.split('?').next().unwrap_or_default().to_owned(),
            fields: fields.names().map(|name| (name.to_owned(), fields.get(name).to_owned())).collect(),
        }
    }
}

/// Why a page about a repository cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// There is no such revision, file or commit.
    NotFound,
    /// A page of another address shows it.
    Elsewhere(String),
    /// Who asks has to wait with what costs something.
    OverBudget(Spent),
    Repository(Error),
}

impl From<Spent> for Failure {
    fn from(spent: Spent) -> Self {
        Self::OverBudget(spent)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Repository(error)
    }
}
