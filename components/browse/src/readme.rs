//! The README of a directory, rendered below its entries. That of a repository may stand in its `docs`.

use crate::blob::Decoded;
use crate::markdown::Origin;
use crate::markup::Markup;
use crate::place::{Failure, Place};
use crate::route;
use crate::tree::joined;
use bstr::{BStr, BString, ByteSlice as _};
use gix_object::tree::EntryKind;
use lithe_code::marks::Marks;
use lithe_code::repository::{Commit, Entry, Error, Repository};
use lithe_code::revision::Revision;
use lithe_code::{symlinks, text};
use serde::Serialize;

/// A directory's README, rendered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Readme {
    pub name: String,
    pub href: String,
    pub body: Body,
}

/// How a README is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "kebab-case")]
pub enum Body {
    /// Sanitised HTML.
    #[serde(rename = "rendered-html")]
    Html(String),
    Text(String),
}

/// The largest README that is shown below a directory, in bytes.
const README_BYTES_MAX: u64 = 256 << 10;

/// The level of a README's highest headings: the page's own are above.
const HEADING_LEVEL: u8 = 3;

/// Where the README of a repository may be that has none at its root.
const ELSEWHERE: &str = "docs";

/// The most READMEs of one directory that are looked at to find one that leads to a file.
const TRIED_MAX: usize = 8;

/// What a README is called, in small letters; the first that there is is shown.
const NAMES: [&str; 12] = [
    "readme.md",
    "readme.markdown",
    "readme.mdown",
    "readme.mkdn",
    "readme.mkd",
    "readme.rst",
    "readme.rest",
    "readme.org",
    "readme",
    "readme.txt",
    "readme.text",
    "readme.adoc",
];

/// A file with the text of a README.
struct File {
    /// Where it is: somewhere else than its name says, if that is a symbolic link.
    path: BString,
    entry: Entry,
}

impl Readme {
    /// Finds and renders the README of the directory at `path`, which has these entries in a commit; none if there is
    /// none that is text and of a size that is shown.
    pub fn find(
        place: &Place<'_>,
        repository: Repository<'_>,
        (commit, entries): (&Commit, &[Entry]),
        revision: &Revision,
        path: &BStr,
    ) -> Result<Option<Self>, Failure> {
        if let Some(found) = in_directory(repository, commit, entries, path)? {
            return shown(place, repository, (commit, revision), found);
        }
        let docs = entries.iter().find(|entry| entry.name == ELSEWHERE && entry.is_tree());
        let Some(docs) = docs.filter(|_| path.is_empty()) else { return Ok(None) };
        let entries = repository.tree(&docs.id)?;
        match in_directory(repository, commit, &entries, ELSEWHERE.into())? {
            Some(found) => shown(place, repository, (commit, revision), found),
            None => Ok(None),
        }
    }
}

/// The README among the entries of a directory: what it is called there, and the file.
fn in_directory(
    repository: Repository<'_>,
    commit: &Commit,
    entries: &[Entry],
    directory: &BStr,
) -> Result<Option<(BString, File)>, Error> {
    let mut ranked: Vec<(usize, &Entry)> =
        entries.iter().filter_map(|entry| Some((rank(entry)?, entry))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.truncate(TRIED_MAX);
    for (_, entry) in ranked {
        let path = joined(directory, entry.name.as_bstr());
        let file = match entry.mode.kind() {
            EntryKind::Link => symlinks::follow(repository, &commit.tree_id, path.as_bstr())?,
            _ => Some((path, entry.clone())),
        };
        if let Some((path, found)) = file.filter(|(_, found)| found.is_blob()) {
            return Ok(Some((entry.name.clone(), File { path, entry: found })));
        }
    }
    Ok(None)
}

fn shown(
    place: &Place<'_>,
    repository: Repository<'_>,
    (commit, revision): (&Commit, &Revision),
    (name, file): (BString, File),
) -> Result<Option<Readme>, Failure> {
    let File { path, entry } = file;
    let (links, revision) = (place.links(), revision.name.as_bstr());
    let href = links.blob(revision, path.as_bstr());
    if repository.header(&entry.id)?.1 > README_BYTES_MAX || !route::leads(&href) {
        return Ok(None);
    }
    let marks = Marks::of(repository, &commit.tree_id, path.as_bstr())?;
    let Some(text) = Decoded::new(&repository.blob(&entry.id, README_BYTES_MAX)?, &marks) else {
        return Ok(None);
    };
    let origin = Origin { links, revision: revision.into(), file: path };
    // What a symbolic link is called says as much as what it leads to.
    let markup = Markup::of(entry.name.as_bstr()).or_else(|| Markup::of(name.as_bstr()));
    let html = markup.and_then(|markup| {
        let language = place.frame.language;
        markup.render_cached(place.cache, &entry.id, &text.text, &origin, HEADING_LEVEL, language)
    });
    let body = html.map_or(Body::Text(text.text), Body::Html);
    Ok(Some(Readme { name: text::visible(&name), href, body }))
}

/// Which of several READMEs is shown: the lowest. None: it is no README.
fn rank(entry: &Entry) -> Option<usize> {
    if !entry.is_blob() {
        return None;
    }
    let name = entry.name.to_ascii_lowercase();
    NAMES.iter().position(|readme| name == readme.as_bytes())
}
