//! The page of a file, `/-/blob/<ref>/<path>`.

use crate::blob_part::{self, Part};
use crate::highlight::{self, Extent};
use crate::last_commits;
use crate::limits::{BLOB_BYTES_MAX, BLOB_LINES_MAX, PARTS_BYTES_MAX};
use crate::markdown::Origin;
use crate::markup::Markup;
use crate::place::{CommitLine, Failure, Place, Switcher, crumbs};
use crate::raw;
use crate::route;
use askama::Template;
use bstr::ByteSlice as _;
use gix_object::tree::EntryKind;
use lithe_code::limits::LINE_BYTES_MAX;
use lithe_code::links::Links;
use lithe_code::marks::Marks;
use lithe_code::repository::{Commit, Entry, Repository};
use lithe_code::revision::{Resolved, Revision};
use lithe_code::symlinks;
use lithe_code::text::{self, Encoding};
use lithe_lfs::{POINTER_BYTES_MAX, Pointer};
use lithe_web::frame::{Breadcrumb, Frame, RepositoryHead, Tab};
use lithe_web::{Text, filters, t, tn};
use serde::Serialize;

/// The page of a file.
#[derive(Template, Serialize)]
#[template(path = "blob.html")]
#[serde(tag = "page", rename = "blob", rename_all = "kebab-case")]
pub struct BlobPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    switcher: Switcher,
    crumbs: Vec<Breadcrumb>,
    root_href: String,
    name: String,
    commits_href: String,
    find_href: String,
    /// Where its lines come from; none for what has no lines.
    blame_href: Option<String>,
    raw_href: String,
    /// Where it is saved whatever it is.
    download_href: String,
    /// The commit that changed it last; none if that is not known.
    last: Option<CommitLine>,
    /// What a symbolic link leads to in the end; none if that is nothing, or outside of the tree.
    target_href: Option<String>,
    /// The path, to be copied; none if it cannot be shown as it is.
    #[serde(skip)]
    path: Option<String>,
    /// The same file at this very commit, whatever the branch does.
    permanent_href: String,
    /// Where the file can be edited and deleted, by who may do that.
    edit: Option<Edit>,
    /// The other view of a text that can be rendered, or is an image.
    other_view: Option<View>,
    /// What is known about the file, in words: `12 lines`, `1.50 KiB`, `Rust`.
    facts: Vec<Text>,
    notices: Vec<Text>,
    content: Content,
    /// Where the lines before these and after these are, if not all of them are shown.
    previous_href: Option<String>,
    next_href: Option<String>,
}

/// Where a file can be edited and deleted.
#[derive(Serialize)]
struct Edit {
    href: String,
    delete_href: String,
}

/// Another view of the same file.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct View {
    name: Text,
    href: String,
}

/// What of a file is shown.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "kebab-case")]
enum Content {
    /// HTML, a string for each line.
    #[serde(rename = "lines-html")]
    Lines(Vec<String>),
    /// Some lines of many.
    #[serde(rename = "part-html")]
    Part(Part),
    /// Sanitised HTML.
    #[serde(rename = "rendered-html")]
    Rendered(String),
    Image,
    Link(String),
    /// It is elsewhere, and stands here as a pointer only: its size in words, and where to get it.
    LargeFile {
        size: Text,
        href: String,
    },
    /// There is nothing to see; why, in words.
    Nothing(Text),
}

impl Content {
    /// Whether there is text to be copied.
    fn is_text(&self) -> bool {
        matches!(self, Self::Lines(_) | Self::Part(_) | Self::Rendered(_))
    }

    /// Where the part before this one begins; none: this is the first, or all.
    fn lines_before(&self) -> Option<usize> {
        match self {
            Self::Part(part) => (part.first > 0).then(|| part.first.saturating_sub(part.lines_max)),
            _ => None,
        }
    }
}

/// Which view of a file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// Rendered, if it is of a kind that can be.
    Best,
    Source,
    /// The source from a line on, counted from 0.
    Part(usize),
}

/// Builds the page of the file.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    at: &Resolved,
    display: Display,
) -> Result<BlobPage, Failure> {
    let (links, revision, path) = (place.links(), &at.revision, at.path.as_bstr());
    let commit = repository.commit(&revision.commit_id)?;
    let entry = repository.entry_at(&commit.tree_id, path)?.ok_or(Failure::NotFound)?;
    let name = revision.name.as_bstr();
    if entry.is_tree() {
        return Err(Failure::Elsewhere(links.tree(name, path)));
    }
    if !entry.is_blob() {
        return Err(Failure::NotFound);
    }
    let file_name = entry.name.as_bstr();
    let origin = Origin { links: links.clone(), revision: revision.name.clone(), file: at.path.clone() };
    let marks = Marks::of(repository, &commit.tree_id, path)?;
    let shown = show(place, repository, (&entry, &marks), &origin, display)?;
    let permanent = Revision::of_commit(commit.id);
    Ok(BlobPage {
        frame: place.frame(text::visible(path)),
        head: place.head(Tab::Code, Some(revision)),
        switcher: Switcher::new(repository, revision, &links, |name| links.blob(name, path)),
        crumbs: crumbs(&links, name, path),
        root_href: links.tree(name, "".into()),
        name: text::visible(file_name),
        commits_href: links.commits(name, path),
        find_href: links.find(name),
        blame_href: shown.content.is_text().then(|| links.blame(name, path)),
        raw_href: links.raw(name, path),
        permanent_href: links.blob(permanent.name.as_bstr(), path),
        edit: place.may_edit(revision).then(|| Edit {
            href: links.edit(name, path, ""),
            delete_href: links.edit(name, path, "delete"),
        }),
        other_view: rendered_name(&entry, &shown.content).map(|rendered| match display {
            Display::Best => {
                View { name: t("Source"), href: format!("{}?display=source", links.blob(name, path)) }
            }
            Display::Source | Display::Part(_) => View { name: rendered, href: links.blob(name, path) },
        }),
        download_href: match &shown.content {
            // What is saved is the large file, and not the pointer to it.
            Content::LargeFile { href, .. } => href.clone(),
            _ => links.download(name, path),
        },
        last: last_commits::of_file(place, repository, revision, path),
        target_href: match &shown.content {
            Content::Link(_) => target(repository, &commit, &links, at)?,
            _ => None,
        },
        path: path.to_str().ok().filter(|name| text::visible(path) == *name).map(str::to_owned),
        previous_href: shown
            .content
            .lines_before()
            .map(|from| format!("{}?from={from}", links.blob(name, path))),
        next_href: shown.next.map(|from| format!("{}?from={from}", links.blob(name, path))),
        facts: shown.facts,
        notices: shown.notices,
        content: shown.content,
    })
}

/// What the rendered view of a file is called; none if it has none.
fn rendered_name(entry: &Entry, content: &Content) -> Option<Text> {
    let name = entry.name.as_bstr();
    match content {
        Content::LargeFile { .. } | Content::Link(_) => None,
        _ if Markup::of(name).is_some() => Some(t("Rendered")),
        // Of the images, this one is text.
        _ if raw::image_type(name) == Some("image/svg+xml") => Some(t("Image")),
        _ => None,
    }
}

/// Where what a symbolic link leads to has its page.
fn target(
    repository: Repository<'_>,
    commit: &Commit,
    links: &Links,
    at: &Resolved,
) -> Result<Option<String>, Failure> {
    let found = symlinks::follow(repository, &commit.tree_id, at.path.as_bstr())?;
    let name = at.revision.name.as_bstr();
    let href = found.map(|(path, entry)| match entry.is_tree() {
        true => links.tree(name, path.as_bstr()),
        false => links.blob(name, path.as_bstr()),
    });
    Ok(href.filter(|href| route::leads(href)))
}

struct Shown {
    facts: Vec<Text>,
    notices: Vec<Text>,
    content: Content,
    /// The line that a page leaves off at, counted from 0; none if it shows the last.
    next: Option<usize>,
}

fn show(
    place: &Place<'_>,
    repository: Repository<'_>,
    (entry, marks): (&Entry, &Marks),
    origin: &Origin,
    display: Display,
) -> Result<Shown, Failure> {
    let bytes_count = repository.header(&entry.id)?.1;
    let size_fact = Text::size(bytes_count);
    let nothing = |reason| Shown {
        facts: vec![size_fact.clone()],
        notices: Vec::new(),
        content: Content::Nothing(reason),
        next: None,
    };
    if let Some(pointer) = pointer(repository, entry, bytes_count)? {
        let size = Text::size(pointer.size);
        let href = place.links().large_file(&pointer.oid, entry.name.as_bstr());
        let facts = vec![Text::verbatim("Git LFS"), size.clone()];
        return Ok(Shown {
            facts,
            notices: Vec::new(),
            content: Content::LargeFile { size, href },
            next: None,
        });
    }
    let is_link = entry.mode.kind() == EntryKind::Link;
    if !is_link && raw::image_type(entry.name.as_bstr()).is_some() && display == Display::Best {
        return Ok(Shown {
            facts: vec![size_fact],
            notices: Vec::new(),
            content: Content::Image,
            next: None,
        });
    }
    if bytes_count > PARTS_BYTES_MAX {
        return Ok(nothing(t("This file is too large to be shown here.")));
    }
    let bytes = repository.blob(&entry.id, PARTS_BYTES_MAX)?;
    if is_link {
        let facts = vec![t("Symbolic link")];
        return Ok(Shown {
            facts,
            notices: Vec::new(),
            content: Content::Link(text::visible(&bytes)),
            next: None,
        });
    }
    if bytes.is_empty() {
        return Ok(nothing(t("This file is empty.")));
    }
    if text::is_pdf(&bytes) {
        return Ok(nothing(t("This is a PDF document.")));
    }
    let from = match display {
        Display::Part(from) => from,
        Display::Best | Display::Source => 0,
    };
    if bytes_count > BLOB_BYTES_MAX && !text::is_binary(&bytes) {
        return Ok(match blob_part::part(&bytes, from) {
            Some(part) => {
                let facts = vec![tn("{n} line", "{n} lines", part.total), size_fact];
                let notices = vec![t("This file is large: it is shown in parts, and not highlighted.")];
                Shown { facts, notices, next: part.next, content: Content::Part(part) }
            }
            None => nothing(t("This file is too large to be shown here.")),
        });
    }
    match Decoded::new(&bytes, marks) {
        Some(text) => Ok(show_text(place, (entry, marks), &text, size_fact, origin, display)),
        None => Ok(nothing(t("This is a binary file."))),
    }
}

/// What the file says of a large file in whose place it stands, if that is what it is.
fn pointer(repository: Repository<'_>, entry: &Entry, bytes_count: u64) -> Result<Option<Pointer>, Failure> {
    if bytes_count >= POINTER_BYTES_MAX || entry.mode.kind() == EntryKind::Link {
        return Ok(None);
    }
    Ok(Pointer::parse(&repository.blob(&entry.id, POINTER_BYTES_MAX)?))
}

/// A file's text, and how it was encoded if that does not go without saying.
pub(crate) struct Decoded {
    pub text: String,
    pub encoding: Option<Text>,
}

impl Decoded {
    /// None if the file is binary.
    pub fn new(bytes: &[u8], marks: &Marks) -> Option<Self> {
        let said = marks.encoding.and_then(|encoding| Some((encoding, text::decode_as(bytes, encoding)?)));
        if let Some((encoding, text)) = said {
            let encoding = (encoding.name() != "UTF-8").then(|| Text::verbatim(encoding.name()));
            return Some(Self { text, encoding });
        }
        let decoded = text::decode(bytes)?;
        let encoding = decoded.encoding.badge().map(|name| match decoded.encoding {
            Encoding::Legacy(_) => t("{encoding}, guessed").with("encoding", name.to_owned()),
            _ => Text::verbatim(name),
        });
        Some(Self { text: decoded.text, encoding })
    }
}

fn show_text(
    place: &Place<'_>,
    (entry, marks): (&Entry, &Marks),
    decoded: &Decoded,
    size_fact: Text,
    origin: &Origin,
    display: Display,
) -> Shown {
    let line_count = text::lines(&decoded.text).count();
    let mut facts = vec![tn("{n} line", "{n} lines", line_count), size_fact];
    facts.extend(decoded.encoding.clone());
    facts.extend(marks.is_generated.then(|| t("Generated")));
    facts.extend(marks.is_vendored.then(|| t("Vendored")));
    if entry.mode.kind() == EntryKind::BlobExecutable {
        facts.push(t("Executable"));
    }
    let mut notices = Vec::new();
    if text::has_bidirectional_control(&decoded.text) {
        notices.push(t("This file has characters that change the direction of the text around them; they are shown by their numbers."));
    }
    if display == Display::Best
        && let Some(markup) = Markup::of(entry.name.as_bstr())
        && let Some(html) =
            markup.render_cached(place.cache, &entry.id, &decoded.text, origin, 2, place.frame.language)
    {
        return Shown { facts, notices, content: Content::Rendered(html), next: None };
    }
    let highlighted =
        highlight::file_cached(place.cache, &entry.id, (marks, &text::visible(&entry.name)), &decoded.text);
    let said = marks.language.filter(|_| marks.is_language_said).map(|language| language.name.to_owned());
    facts.extend(said.or(highlighted.language).map(Text::verbatim));
    let lines = highlighted.lines;
    match highlighted.extent {
        Extent::All => {}
        Extent::Cut => {
            notices.push(t("This file is too large, or has lines too long, to be highlighted in full."));
        }
        Extent::Failed => notices.push(t("This file cannot be highlighted at the moment.")),
    }
    if decoded.text.lines().any(|line| line.len() > LINE_BYTES_MAX) {
        notices.push(t("Lines of more than {count} bytes are cut.").with("count", LINE_BYTES_MAX));
    }
    let from = if let Display::Part(from) = display { from } else { 0 };
    if from == 0 && lines.len() <= BLOB_LINES_MAX {
        return Shown { facts, notices, content: Content::Lines(lines), next: None };
    }
    notices.push(t("This file is long: it is shown in parts."));
    let part = Part::of(lines, from);
    Shown { facts, notices, next: part.next, content: Content::Part(part) }
}
