//! The page of a commit, `/-/commit/<id>`: its message, who made it, and what it changed.

use crate::diff::{self, Change, Line, Side};
use crate::limits::{
    DIFF_BYTES_MAX, DIFF_FILE_BYTES_MAX, DIFF_FILE_LINES_MAX, DIFF_LINES_MAX, MESSAGE_BYTES_MAX,
};
use crate::place::{Failure, Place};
use crate::signature::SignatureView;
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use gix_hash::ObjectId;
use gix_object::tree::{EntryKind, EntryMode};
use lithe_code::links::Links;
use lithe_code::repository::{Commit, Error, Repository};
use lithe_code::text;
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::size::counted;
use lithe_web::time::Time;

/// The page of a commit.
#[derive(Template)]
#[template(path = "commit.html")]
pub struct CommitPage {
    frame: Frame,
    head: RepositoryHead,
    id: String,
    title: String,
    /// The message below its first line, as HTML; empty if there is none.
    body: String,
    author: Person,
    /// Who committed it, if that was somebody else or at another time.
    committer: Option<Person>,
    signature: Option<SignatureView>,
    parents: Vec<Parent>,
    tree_href: String,
    /// The commit's own address, to which `.diff` and `.patch` are added.
    href: String,
    /// For a merge: what it is compared with.
    compared_with: Option<String>,
    file_count: String,
    added: u32,
    removed: u32,
    files: Vec<FileView>,
    notices: Vec<&'static str>,
}

struct Person {
    name: String,
    email: String,
    time: Time,
}

struct Parent {
    short_id: String,
    href: String,
}

/// A changed file.
struct FileView {
    path: String,
    /// The path before, of a renamed file.
    before_path: Option<String>,
    /// `added`, `deleted`, `renamed`, `modified`: in words and for the style sheet.
    kind: &'static str,
    /// The file after the change; none if it was deleted.
    href: Option<String>,
    /// None if the lines were not compared.
    counts: Option<(u32, u32)>,
    mode_change: Option<String>,
    hunks: Vec<HunkView>,
    /// Why there are no hunks, or not all.
    note: Option<&'static str>,
}

struct HunkView {
    header: String,
    lines: Vec<LineView>,
}

struct LineView {
    /// For the style sheet: `diff-insert`, `diff-delete`; empty for context.
    class: &'static str,
    sign: &'static str,
    before: Option<u32>,
    after: Option<u32>,
    html: String,
    has_no_end: bool,
}

/// Builds the page. A merge is compared with its parent number `parent`, counted from 1.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    commit_id: ObjectId,
    parent: usize,
) -> Result<CommitPage, Failure> {
    let links = place.links();
    let commit = repository.commit(&commit_id)?;
    let before = match commit.parent_ids.get(parent - 1) {
        Some(parent_id) => match repository.commit(parent_id) {
            Ok(parent) => Before::Tree(parent.tree_id),
            Err(Error::Missing(_)) => Before::Unknown,
            Err(error) => return Err(error.into()),
        },
        None if parent > 1 => return Err(Failure::NotFound),
        None => Before::Nothing,
    };
    let changes = match before {
        Before::Tree(tree_id) => diff::trees(repository, Some(tree_id), commit.tree_id)?,
        Before::Nothing => diff::trees(repository, None, commit.tree_id)?,
        Before::Unknown => diff::Changes::default(),
    };
    let mut budget = Budget::default();
    let mut files = Vec::new();
    for change in &changes.files {
        files.push(file_view(repository, &links, commit_id, change, &mut budget)?);
    }
    let mut notices = Vec::new();
    if before == Before::Unknown {
        notices.push(
            "The parent of this commit is not in this repository, so there is nothing to compare it with.",
        );
    }
    if changes.is_cut {
        notices.push("This commit changes more files than are listed here.");
    }
    if budget.is_spent {
        notices.push("This commit changes more than is shown here: the lines of some files are left out.");
    }
    let total =
        |count: fn(&(u32, u32)) -> u32| files.iter().filter_map(|file| file.counts.as_ref()).map(count).sum();
    let (added, removed) = (total(|counts| counts.0), total(|counts| counts.1));
    Ok(CommitPage {
        frame: place.frame(commit.title()),
        head: place.head(Tab::Commits, None),
        id: commit_id.to_string(),
        title: commit.title(),
        body: body(&commit),
        author: person_view(place, &commit.author),
        committer: (commit.committer != commit.author).then(|| person_view(place, &commit.committer)),
        signature: None,
        parents: parents(&links, &commit),
        href: links.commit(&commit_id),
        tree_href: links.tree(BStr::new(&commit_id.to_string()), "".into()),
        compared_with: (commit.parent_ids.len() > 1)
            .then(|| commit.parent_ids[parent - 1].to_hex_with_len(10).to_string()),
        file_count: counted(files.len() as u64, "file", "files"),
        added,
        removed,
        files,
        notices,
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
    Tree(ObjectId),
    /// It is the first commit.
    Nothing,
    /// The parent is not there: the repository is shallow.
    Unknown,
}

fn person_view(place: &Place<'_>, signature: &lithe_code::repository::Signature) -> Person {
    Person {
        name: signature.display_name(),
        email: text::visible(&signature.email),
        time: place.time(signature),
    }
}

fn parents(links: &Links, commit: &Commit) -> Vec<Parent> {
    let parent =
        |id: &ObjectId| Parent { short_id: id.to_hex_with_len(10).to_string(), href: links.commit(id) };
    commit.parent_ids.iter().map(parent).collect()
}

/// The message without its first line.
fn body(commit: &Commit) -> String {
    let message = commit.text();
    let message = message.trim_start();
    let body = message.split_once('\n').map_or("", |(_, body)| body).trim_matches('\n').trim_end();
    let mut html = String::new();
    let shown = &body[..body.floor_char_boundary(MESSAGE_BYTES_MAX)];
    text::push_html(&mut html, shown);
    if shown.len() < body.len() {
        html.push('…');
    }
    html
}

/// What may still be read and shown.
struct Budget {
    lines: usize,
    bytes: u64,
    is_spent: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self { lines: DIFF_LINES_MAX, bytes: DIFF_BYTES_MAX, is_spent: false }
    }
}

impl Budget {
    /// Takes the bytes of a file, if there are as many left.
    fn take_bytes(&mut self, bytes: u64) -> bool {
        let has_room = bytes <= self.bytes && self.lines > 0;
        match has_room {
            true => self.bytes -= bytes,
            false => self.is_spent = true,
        }
        has_room
    }
}

fn file_view(
    repository: Repository<'_>,
    links: &Links,
    commit_id: ObjectId,
    change: &Change,
    budget: &mut Budget,
) -> Result<FileView, Failure> {
    let revision = commit_id.to_string();
    let kind = match (&change.before, &change.after) {
        (None, _) => "added",
        (_, None) => "deleted",
        _ if change.is_rename() => "renamed",
        _ => "modified",
    };
    let after = change.after.as_ref().filter(|side| side.is_blob());
    let mut view = FileView {
        path: text::visible(change.path()),
        before_path: change
            .before
            .as_ref()
            .filter(|_| change.is_rename())
            .map(|side| text::visible(&side.name)),
        kind,
        href: after.map(|side| links.blob(BStr::new(&revision), side.name.as_bstr())),
        counts: None,
        mode_change: mode_change(change),
        hunks: Vec::new(),
        note: None,
    };
    let (before, after) = match (
        contents(repository, change.before.as_ref(), budget)?,
        contents(repository, change.after.as_ref(), budget)?,
    ) {
        (Contents::Text(before), Contents::Text(after)) => (before, after),
        (Contents::Binary, _) | (_, Contents::Binary) => {
            view.note = Some("Binary file");
            return Ok(view);
        }
        _ => {
            view.note = Some("Too large to be compared here");
            return Ok(view);
        }
    };
    compare(&mut view, &before, &after, budget);
    Ok(view)
}

fn compare(view: &mut FileView, before: &[u8], after: &[u8], budget: &mut Budget) {
    let (before, after) = (diff::split_lines(before), diff::split_lines(after));
    let difference = diff::files(&before, &after, diff::Options::default());
    view.counts = Some((difference.added, difference.removed));
    if difference.hunks.is_empty() {
        view.note = Some(if after.is_empty() { "The file is empty" } else { "The contents are the same" });
    }
    let mut room = DIFF_FILE_LINES_MAX.min(budget.lines);
    for hunk in difference.hunks {
        if room < hunk.lines.len() && room < budget.lines {
            view.note = Some("The rest of this file’s changes is too long to be shown here");
        } else if room < hunk.lines.len() {
            budget.is_spent = true;
            view.note = Some("The rest is left out");
        }
        let lines: Vec<_> =
            hunk.lines.iter().take(room).map(|line| line_view(*line, &before, &after)).collect();
        room -= lines.len();
        budget.lines -= lines.len();
        if !lines.is_empty() {
            view.hunks.push(HunkView { header: hunk.header(), lines });
        }
        if view.note.is_some() {
            break;
        }
    }
}

fn line_view(line: Line, before: &[&[u8]], after: &[&[u8]]) -> LineView {
    let (class, sign, before_index, after_index) = match line {
        Line::Context { before, after } => ("", " ", Some(before), Some(after)),
        Line::Removed { before } => ("diff-delete", "-", Some(before), None),
        Line::Added { after } => ("diff-insert", "+", None, Some(after)),
    };
    let bytes = match (before_index, after_index) {
        (_, Some(index)) => after[index as usize],
        (Some(index), None) => before[index as usize],
        (None, None) => b"",
    };
    let decoded = text::decode(bytes).map_or_else(|| text::visible(bytes), |decoded| decoded.text);
    let mut html = String::with_capacity(decoded.len());
    text::push_line_html(&mut html, text::without_line_end(&decoded));
    let number = |index: Option<u32>| index.map(|index| index + 1);
    LineView {
        class,
        sign,
        before: number(before_index),
        after: number(after_index),
        html,
        has_no_end: !bytes.ends_with(b"\n"),
    }
}

enum Contents {
    Text(Vec<u8>),
    Binary,
    TooLarge,
}

/// The contents of one side of a change; nothing if the file is not there, and a line that names
/// the commit of a submodule.
fn contents(
    repository: Repository<'_>,
    side: Option<&Side>,
    budget: &mut Budget,
) -> Result<Contents, Failure> {
    let Some(side) = side else { return Ok(Contents::Text(Vec::new())) };
    if side.mode.kind() == EntryKind::Commit {
        return Ok(Contents::Text(format!("Subproject commit {}\n", side.id).into_bytes()));
    }
    let size = repository.header(&side.id)?.1;
    if size > DIFF_FILE_BYTES_MAX || !budget.take_bytes(size) {
        return Ok(Contents::TooLarge);
    }
    let bytes = repository.blob(&side.id, DIFF_FILE_BYTES_MAX)?;
    match text::decode(&bytes) {
        None => Ok(Contents::Binary),
        Some(decoded) if matches!(decoded.encoding, text::Encoding::Utf16Le | text::Encoding::Utf16Be) => {
            Ok(Contents::Text(decoded.text.into_bytes()))
        }
        Some(_) => Ok(Contents::Text(bytes.to_vec())),
    }
}

/// How a file's mode changed, in Git's numbers.
fn mode_change(change: &Change) -> Option<String> {
    let (before, after) = (change.before.as_ref()?.mode, change.after.as_ref()?.mode);
    let number = |mode: EntryMode| mode.kind().as_octal_str();
    (before.kind() != after.kind()).then(|| format!("{} → {}", number(before), number(after)))
}
