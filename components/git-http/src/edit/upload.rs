//! Files that are uploaded: what becomes of each, before anything is changed.

use super::limits::{COMPARED_BYTES_MAX, IMAGE_BYTES_MAX, PREVIEW_LINES_MAX, TEXT_BYTES_MAX};
use super::page::Typed;
use super::path;
use super::preview::Preview;
use super::tree::TreeError;
use super::wanted::{Refusal, read_path};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::{BStr, BString, ByteSlice as _};
use bytes::Bytes;
use gix_hash::ObjectId;
use gix_object::Kind;
use gix_object::tree::EntryKind;
use http::StatusCode;
use lithe_code::links::Links;
use lithe_code::media::image_type;
use lithe_code::repository::{Entry, Error, Repository};
use lithe_code::text::visible;
use lithe_web::multipart::File;
use lithe_web::{Problem, Text, t, tn};
use std::collections::BTreeSet;

/// A file that was uploaded, and what is to become of it.
#[derive(Debug, Clone)]
pub struct Uploaded {
    pub path: BString,
    pub bytes: Bytes,
    /// What there is at its path; of a refused one too, where that is known.
    pub there: Option<Entry>,
    pub fate: Fate,
}

/// What is to become of a file that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    New,
    /// It takes the place of what is there.
    Replaces,
    /// Just that is there.
    Unchanged,
    /// It is refused with that status, for a reason in words.
    Refused(StatusCode, Text),
}

impl Uploaded {
    fn refused(path: impl Into<BString>, bytes: Bytes, status: StatusCode, why: Text) -> Self {
        Self { path: path.into(), bytes, there: None, fate: Fate::Refused(status, why) }
    }

    pub fn is_refused(&self) -> bool {
        matches!(self.fate, Fate::Refused(..))
    }

    /// The mode that the file is to have: that of the one that it replaces, if that is a file.
    pub fn kind(&self) -> EntryKind {
        match self.there.as_ref().map(|entry| entry.mode.kind()) {
            Some(kind @ (EntryKind::Blob | EntryKind::BlobExecutable)) => kind,
            _ => EntryKind::Blob,
        }
    }
}

/// Looks at files that are to go into the directory that a form names, beside what there is in a tree.
///
/// Fails with a problem for no file at all, and for something that cannot be a directory.
pub fn judge(
    repository: Repository<'_>,
    tree_id: Option<&ObjectId>,
    typed: &Typed,
    files: &[File],
) -> Result<Vec<Uploaded>, Refusal> {
    if files.is_empty() {
        return Err(Problem::with_field("files", t("No file was chosen.")).into());
    }
    let directory = match typed.path.trim().trim_matches('/') {
        "" => BString::default(),
        directory => read_path(directory, "".into())?,
    };
    let mut paths = BTreeSet::new();
    let mut uploaded = Vec::new();
    for file in files {
        let bytes = file.bytes.clone();
        let name = match path::parse(&file.name) {
            Ok(name) => name,
            Err(error) => {
                let message = t("“{name}”: {problem}").with("name", visible(file.name.as_bytes()));
                let why = message.with("problem", error.in_words());
                uploaded.push(Uploaded::refused(file.name.as_str(), bytes, StatusCode::BAD_REQUEST, why));
                continue;
            }
        };
        let path: BString = match directory.is_empty() {
            true => name,
            false => [directory.as_bytes(), b"/", name.as_bytes()].concat().into(),
        };
        if let Some(why) = clash(&paths, path.as_bstr()) {
            uploaded.push(Uploaded::refused(path, bytes, StatusCode::BAD_REQUEST, why));
            continue;
        }
        paths.insert(path.clone());
        uploaded.push(one(repository, tree_id, typed, path, bytes)?);
    }
    Ok(uploaded)
}

/// Why a path cannot stand beside the others that are uploaded.
fn clash(paths: &BTreeSet<BString>, path: &BStr) -> Option<Text> {
    if paths.contains(path) {
        return Some(t("There are two files called “{path}”.").with("path", visible(path)));
    }
    let mut above = path.find_iter("/").map(|end| path[..end].as_bstr());
    if let Some(file) = above.find(|above| paths.contains(*above)) {
        return Some(TreeError::NotADirectory(file.to_owned()).in_words());
    }
    let below = BString::from([path.as_bytes(), b"/"].concat());
    let is_directory =
        paths.range::<BString, _>(&below..).next().is_some_and(|other| other.starts_with(&below));
    is_directory.then(|| TreeError::IsADirectory(path.to_owned()).in_words())
}

fn one(
    repository: Repository<'_>,
    tree_id: Option<&ObjectId>,
    typed: &Typed,
    path: BString,
    bytes: Bytes,
) -> Result<Uploaded, Error> {
    let conflict = |path: BString, bytes, why| Uploaded::refused(path, bytes, StatusCode::CONFLICT, why);
    let at = |path: &BStr| -> Result<Option<Entry>, Error> {
        Ok(tree_id.map(|id| repository.entry_at(id, path)).transpose()?.flatten())
    };
    for end in path.find_iter("/") {
        let above = path[..end].as_bstr();
        match at(above)? {
            None => break,
            Some(entry) if entry.is_tree() => {}
            Some(_) => {
                let why = TreeError::NotADirectory(above.to_owned()).in_words();
                return Ok(conflict(path, bytes, why));
            }
        }
    }
    let there = at(path.as_bstr())?;
    let fate = match &there {
        None => Fate::New,
        Some(entry) if entry.is_tree() => {
            let why = TreeError::IsADirectory(path.clone()).in_words();
            return Ok(conflict(path, bytes, why));
        }
        Some(entry) if is_same(repository, entry, &bytes) => Fate::Unchanged,
        Some(_) if typed.replaces => Fate::Replaces,
        Some(_) => {
            let why = t("“{path}” is there already.").with("path", visible(&path));
            Fate::Refused(StatusCode::CONFLICT, why)
        }
    };
    Ok(Uploaded { path, bytes, there, fate })
}

fn is_same(repository: Repository<'_>, entry: &Entry, bytes: &[u8]) -> bool {
    entry.is_blob()
        && entry.mode.kind() != EntryKind::Link
        && gix_object::compute_hash(repository.objects.format(), Kind::Blob, bytes)
            .is_ok_and(|id| id == entry.id)
}

/// A file that was uploaded, as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub path: String,
    /// What becomes of it, in a word or two.
    pub label: Text,
    /// How the label looks.
    pub class: &'static str,
    /// The size, or the one before and the one after.
    pub size: Text,
    /// Why it is refused, or what else there is to say.
    pub note: Option<Text>,
    /// What is different; none where there is nothing to compare.
    pub preview: Option<Preview>,
    /// Where the images before and after are.
    pub images: Option<(Option<String>, Option<String>)>,
}

/// Makes the rows of a preview: each file beside the one that there is at that commit.
pub struct Showing<'a> {
    repository: Repository<'a>,
    links: &'a Links,
    /// How the commit is called in addresses.
    commit: String,
    lines_left: usize,
    compared_left: u64,
    images_left: usize,
}

impl<'a> Showing<'a> {
    pub fn new(repository: Repository<'a>, links: &'a Links, commit: String) -> Self {
        Self {
            repository,
            links,
            commit,
            lines_left: PREVIEW_LINES_MAX,
            compared_left: COMPARED_BYTES_MAX,
            images_left: IMAGE_BYTES_MAX,
        }
    }

    pub fn show(&mut self, file: &Uploaded) -> Result<Shown, Error> {
        let old_size = match file.there.as_ref().filter(|entry| entry.is_blob()) {
            Some(entry) => Some(self.repository.header(&entry.id)?.1),
            None => None,
        };
        let (label, class) = match file.fate {
            Fate::New => (t("New"), "badge-good"),
            Fate::Replaces => (t("Replaces"), "badge-accent"),
            Fate::Unchanged => (t("Unchanged"), ""),
            Fate::Refused(..) => (t("Refused"), "badge-bad"),
        };
        let size = Text::size(file.bytes.len() as u64);
        let differs = !matches!(file.fate, Fate::New | Fate::Unchanged);
        let mut shown = Shown {
            path: visible(&file.path),
            label,
            class,
            size: match old_size.filter(|_| differs) {
                Some(old) => Text::joined(" → ", [Text::size(old), size]),
                None => size,
            },
            note: match &file.fate {
                Fate::Refused(_, why) => Some(why.clone()),
                _ => file.there.as_ref().and_then(|entry| place_of(entry.mode.kind())),
            },
            preview: None,
            images: None,
        };
        match (&file.fate, &file.there) {
            (Fate::New, _) => shown.images = self.images(file, None),
            (Fate::Replaces | Fate::Refused(..), Some(entry)) if entry.is_blob() => {
                shown.images = self.images(file, Some(entry));
                if shown.images.is_none() && entry.mode.kind() != EntryKind::Link {
                    shown.preview = Some(self.difference(file, entry, old_size.unwrap_or_default())?);
                }
            }
            _ => {}
        }
        Ok(shown)
    }

    fn difference(&mut self, file: &Uploaded, entry: &Entry, old_size: u64) -> Result<Preview, Error> {
        let bytes = old_size + file.bytes.len() as u64;
        if old_size.max(file.bytes.len() as u64) > TEXT_BYTES_MAX || bytes > self.compared_left {
            return Ok(Preview::only(t("Too much to be compared here.")));
        }
        self.compared_left -= bytes;
        let before = self.repository.blob(&entry.id, TEXT_BYTES_MAX)?;
        Ok(Preview::within(&before, &file.bytes, &mut self.lines_left))
    }

    /// Where an image before and after is; none if it is not one, or there is no room for it on the page.
    fn images(
        &mut self,
        file: &Uploaded,
        before: Option<&Entry>,
    ) -> Option<(Option<String>, Option<String>)> {
        let content_type = image_type(file.path.as_bstr())?;
        self.images_left = self.images_left.checked_sub(file.bytes.len())?;
        // A page loads nothing but images from such an address, and an image runs no script.
        let after = format!("data:{content_type};base64,{}", STANDARD.encode(&file.bytes));
        let before = before.map(|_| self.links.raw(self.commit.as_str().into(), file.path.as_bstr()));
        Some((before, Some(after)))
    }
}

/// What it means that a file takes the place of something else than a file; none: it is one.
fn place_of(kind: EntryKind) -> Option<Text> {
    match kind {
        EntryKind::Link => Some(t("It takes the place of a symbolic link.")),
        EntryKind::Commit => Some(t("It takes the place of a submodule.")),
        EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Tree => None,
    }
}

/// How many files there are of each kind.
pub fn summary(files: &[Uploaded]) -> Text {
    let count = |is: fn(&Fate) -> bool| files.iter().filter(|file| is(&file.fate)).count();
    let new = count(|fate| *fate == Fate::New);
    let replaced = count(|fate| *fate == Fate::Replaces);
    let unchanged = count(|fate| *fate == Fate::Unchanged);
    let refused = count(|fate| matches!(fate, Fate::Refused(..)));
    let counts = [
        (new, tn("{n} new file", "{n} new files", new)),
        (replaced, tn("{n} file replaced", "{n} files replaced", replaced)),
        (unchanged, tn("{n} file unchanged", "{n} files unchanged", unchanged)),
        (refused, tn("{n} file refused", "{n} files refused", refused)),
    ];
    Text::joined(", ", counts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text))
}
