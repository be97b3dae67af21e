//! The page of a directory, `/-/tree/<ref>/<path>`, and the listing that the summary shares.

use crate::downloads::Downloads;
use crate::last_commits::{Known, LastCommit};
use crate::limits::{TREE_ENTRIES_MAX, TREE_NAMES_BYTES_MAX, TREE_SIZES_MAX};
use crate::place::{Additions, CommitLine, Failure, Place, Switcher, crumbs};
use crate::readme::{Body, Readme};
use crate::route;
use crate::submodules::Submodules;
use askama::Template;
use bstr::{BStr, BString, ByteSlice as _};
use gix_object::tree::EntryKind;
use lithe_code::links::Links;
use lithe_code::repository::{Entry, Repository};
use lithe_code::revision::{Resolved, Revision};
use lithe_code::text;
use lithe_web::frame::{Breadcrumb, Frame, RepositoryHead, Tab};
use lithe_web::{Text, filters, t};
use serde::Serialize;

/// The page of a directory.
#[derive(Template, Serialize)]
#[template(path = "tree.html")]
#[serde(tag = "page", rename = "tree", rename_all = "kebab-case")]
pub struct TreePage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    switcher: Switcher,
    crumbs: Vec<Breadcrumb>,
    root_href: String,
    commits_href: String,
    find_href: String,
    additions: Option<Additions>,
    /// Archives of the directory.
    #[serde(flatten)]
    downloads: Option<Downloads>,
    latest: CommitLine,
    listing: Listing,
    readme: Option<Readme>,
}

/// Builds the page of the directory, beginning with the entry at `offset`.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    at: &Resolved,
    offset: usize,
) -> Result<TreePage, Failure> {
    let (links, revision, path) = (place.links(), &at.revision, at.path.as_bstr());
    let commit = repository.commit(&revision.commit_id)?;
    let tree = repository.entry_at(&commit.tree_id, path)?.ok_or(Failure::NotFound)?;
    if tree.is_blob() {
        return Err(Failure::Elsewhere(links.blob(revision.name.as_bstr(), path)));
    }
    if !tree.is_tree() {
        return Err(Failure::NotFound);
    }
    let entries = repository.tree(&tree.id)?;
    let readme = if offset == 0 {
        Readme::find(place, repository, (&commit, &entries), revision, path)?
    } else {
        None
    };
    let title = if path.is_empty() { revision.label() } else { text::visible(path) };
    let name = revision.name.as_bstr();
    Ok(TreePage {
        frame: place.frame(title),
        head: place.head(Tab::Code, Some(revision)),
        switcher: Switcher::new(repository, revision, &links, |name| links.tree(name, path)),
        crumbs: crumbs(&links, name, path),
        root_href: links.tree(name, "".into()),
        commits_href: links.commits(name, path),
        find_href: links.find(name),
        additions: place.additions(revision, path),
        downloads: Downloads::of_directory(&links, name, revision.label(), path),
        latest: place.commit_line(&commit),
        listing: Listing::new(place, repository, entries, revision, path, offset, TREE_ENTRIES_MAX),
        readme,
    })
}

/// The entries of a directory, or a part of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Listing {
    pub rows: Vec<Row>,
    /// The directory above; none at the root.
    pub parent_href: Option<String>,
    /// Which of how many entries these are.
    pub range: Text,
    /// Where the entries before and after these are.
    pub previous_href: Option<String>,
    pub next_href: Option<String>,
    /// Where more is known of what changed these last; none: all is, or as much as can be.
    pub again_href: Option<String>,
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    pub name: String,
    /// None for a submodule, whose contents are elsewhere, and for a path that is too long for an address.
    pub href: Option<String>,
    /// For the style sheet: `directory`, `file`, `link`, `submodule`.
    pub class: &'static str,
    /// What it is, in words, unless it is a directory or an ordinary file.
    pub kind: Text,
    /// The size of a file; empty if it was not looked up.
    pub size: Text,
    /// The commit of a submodule.
    pub detail: Option<String>,
    /// Where a submodule comes from, if a link may lead there.
    pub submodule_href: Option<String>,
    /// The commit that changed it last; none if that is not known yet.
    pub last: Option<LastCommit>,
}

impl Listing {
    /// At most `rows_max` of the entries, from `offset` on; directories first.
    pub fn new(
        place: &Place<'_>,
        repository: Repository<'_>,
        mut entries: Vec<Entry>,
        revision: &Revision,
        path: &BStr,
        offset: usize,
        rows_max: usize,
    ) -> Self {
        entries.sort_by_key(|entry| !entry.is_tree());
        let (links, name) = (&place.links(), revision.name.as_bstr());
        let at = |offset: usize| match offset {
            0 => links.tree(name, path),
            offset => format!("{}?from={offset}", links.tree(name, path)),
        };
        let total = entries.len();
        let shown: Vec<Entry> = entries.into_iter().skip(offset).take(rows_max).collect();
        let shown = within(shown, TREE_NAMES_BYTES_MAX);
        let next = offset.saturating_add(shown.len());
        let has_submodules = shown.iter().any(|entry| entry.mode.kind() == EntryKind::Commit);
        let submodules = match has_submodules {
            true => Submodules::read(repository, revision, &place.record.path),
            false => Submodules::default(),
        };
        let known = Known::look(place, repository, revision, path, &shown);
        let parent = path.rfind_byte(b'/').map_or(b"".as_bstr(), |end| path[..end].as_bstr());
        Self {
            range: range(offset, shown.len(), total),
            previous_href: (offset > 0).then(|| at(offset.saturating_sub(rows_max))),
            next_href: (total > next).then(|| at(next)),
            again_href: known.goes_on().then(|| further(at(offset))),
            parent_href: (!path.is_empty()).then(|| links.tree(name, parent)),
            rows: shown
                .iter()
                .enumerate()
                .map(|(index, entry)| Row {
                    last: known.get(place, entry.name.as_bstr()),
                    submodule_href: submodules.href(joined(path, entry.name.as_bstr()).as_bstr()),
                    ..row(entry, links, name, path, index < TREE_SIZES_MAX, repository)
                })
                .collect(),
        }
    }
}

/// The address where more is looked for.
pub(crate) fn further(address: String) -> String {
    let separator = if address.contains('?') { '&' } else { '?' };
    format!("{address}{separator}look=further")
}

/// As many of the entries as have names of so many bytes, and one at the least.
fn within(mut entries: Vec<Entry>, mut bytes: usize) -> Vec<Entry> {
    let has_room = |entry: &Entry| {
        let left = bytes.checked_sub(entry.name.len());
        bytes = left.unwrap_or(0);
        left.is_some()
    };
    let count = entries.iter().map(has_room).take_while(|has_room| *has_room).count();
    entries.truncate(count.max(1));
    entries
}

/// `Entries 1 to 1,000 of 2,500`.
fn range(offset: usize, count: usize, total: usize) -> Text {
    let (first, last) = (offset.saturating_add(1), offset.saturating_add(count).min(total));
    t("Entries {first} to {last} of {total}")
        .with("first", first.min(last))
        .with("last", last)
        .with("total", total)
}

fn row(
    entry: &Entry,
    links: &Links,
    revision: &BStr,
    directory: &BStr,
    with_size: bool,
    repository: Repository<'_>,
) -> Row {
    let path = joined(directory, entry.name.as_bstr());
    let path = path.as_bstr();
    let blob = || Some(links.blob(revision, path));
    let (class, kind, href) = match entry.mode.kind() {
        EntryKind::Tree => ("directory", Text::EMPTY, Some(links.tree(revision, path))),
        EntryKind::Blob => ("file", Text::EMPTY, blob()),
        EntryKind::BlobExecutable => ("file", t("executable"), blob()),
        EntryKind::Link => ("link", t("symbolic link"), blob()),
        EntryKind::Commit => ("submodule", t("submodule"), None),
    };
    let leads = href.as_deref().is_none_or(route::leads);
    let (kind, href) = if leads { (kind, href) } else { (t("path too long for an address"), None) };
    let is_sized = with_size && class == "file";
    let size =
        if is_sized { repository.header(&entry.id).ok().map(|(_, bytes)| Text::size(bytes)) } else { None };
    let detail = (entry.mode.kind() == EntryKind::Commit).then(|| entry.id.to_hex_with_len(10).to_string());
    Row {
        name: text::visible(&entry.name),
        href,
        class,
        kind,
        size: size.unwrap_or_default(),
        detail,
        submodule_href: None,
        last: None,
    }
}

/// The path of an entry of a directory.
pub fn joined(directory: &BStr, name: &BStr) -> BString {
    if directory.is_empty() { name.into() } else { bstr::join("/", [directory, name]).into() }
}
