//! What a form asks to be done to files.

use super::original::{Original, Text};
use super::page::Typed;
use super::path;
use super::preview::Preview;
use super::spot::Action;
use super::text::{Stored, Unencodable};
use super::tree::{Change, Contents, File};
use bstr::{BStr, BString, ByteSlice as _};
use gix_object::tree::EntryKind;
use http::StatusCode;
use lithe_code::repository::{Error, Repository};
use lithe_code::text::visible;
use lithe_web::Problem;
use lithe_web::multipart;
use lithe_web::t;
use std::collections::HashSet;

/// Changes of files, and what is to be said about them.
pub struct Wanted {
    pub changes: Vec<Change>,
    pub usual_title: String,
    /// How the changes are shown before they are made; none for uploads.
    pub preview: Option<Preview>,
    pub preview_name: String,
    /// The file to show afterwards; none: the directory that it was in.
    pub shown: Option<BString>,
}

/// Why a form's changes cannot be made.
pub enum Refusal {
    Problem(Problem),
    Repository(Error),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Repository(error)
    }
}

/// What stands for the title of a commit where none is typed.
pub fn usual_title(action: Action, before: &BStr, after: &BStr) -> String {
    let (before, after) = (visible(before), visible(after));
    match action {
        Action::Change if before != after => format!("Rename {before} to {after}"),
        Action::Change => format!("Change {before}"),
        Action::Create => format!("Add {after}"),
        Action::Upload => "Add files".to_owned(),
        Action::Delete => format!("Delete {before}"),
    }
}

/// Reads a path; the one that there is, as pages show it, stands for itself, whatever its bytes.
fn read_path(typed: &str, original: &BStr) -> Result<BString, Problem> {
    if !original.is_empty() && typed.trim() == visible(original).trim() {
        return Ok(original.to_owned());
    }
    path::parse(typed).map_err(|error| Problem::with_field("path", error.in_words()))
}

/// A file is changed, or its name is.
pub fn change(typed: &Typed, path: &BStr, original: &Original) -> Result<Wanted, Refusal> {
    let new_path = read_path(&typed.path, path)?;
    let (contents, preview) = match &original.text {
        Text::Not(_) => (Contents::Stored(original.entry.id), None),
        Text::Editable { bytes, stored } => {
            let new = write(stored.clone(), typed)?;
            let preview = Preview::between(bytes, &new);
            (Contents::Bytes(new), Some(preview))
        }
    };
    let file = File { kind: original.kind(), contents };
    let mut changes = vec![Change { path: new_path.clone(), file: Some(file) }];
    if new_path != path {
        changes.push(Change { path: path.to_owned(), file: None });
    }
    Ok(Wanted {
        changes,
        usual_title: usual_title(Action::Change, path, new_path.as_bstr()),
        preview_name: match new_path == path {
            true => visible(path),
            false => format!("{} → {}", visible(path), visible(&new_path)),
        },
        preview,
        shown: Some(new_path),
    })
}

/// What was typed, as it is stored.
fn write(stored: Stored, typed: &Typed) -> Result<Vec<u8>, Problem> {
    let stored = if typed.is_to_be_utf8 { stored.into_utf8() } else { stored };
    let encoding = stored.encoding;
    stored.write(&typed.text).map_err(|Unencodable(character)| {
        let name = encoding.badge().unwrap_or("UTF-8");
        let character = visible(character.encode_utf8(&mut [0; 4]).as_bytes());
        let message = t(
            "The file is in {encoding}, which has no character “{character}”: store it in UTF-8, or take another character.",
        );
        Problem::with_field("text", message.with("encoding", name.to_owned()).with("character", character))
    })
}

/// A file is made.
pub fn create(typed: &Typed) -> Result<Wanted, Refusal> {
    let path = read_path(&typed.path, "".into())?;
    let mut text = typed.text.clone();
    if !text.is_empty() && !text.ends_with('\n') {
        // Git, and most tools, want a line end at the end.
        text.push('\n');
    }
    let bytes = write(Stored::nothing(), &Typed { text, ..typed.clone() })?;
    Ok(Wanted {
        usual_title: usual_title(Action::Create, "".into(), path.as_bstr()),
        preview: Some(Preview::between(b"", &bytes)),
        preview_name: visible(&path),
        changes: vec![Change {
            path: path.clone(),
            file: Some(File { kind: EntryKind::Blob, contents: Contents::Bytes(bytes) }),
        }],
        shown: Some(path),
    })
}

/// Files are uploaded to the directory that the form names. One that is there already keeps its mode.
pub fn upload(
    repository: Repository<'_>,
    base_tree_id: Option<&gix_hash::ObjectId>,
    typed: &Typed,
    files: Vec<multipart::File>,
) -> Result<Wanted, Refusal> {
    if files.is_empty() {
        return Err(Problem::with_field("files", t("No file was chosen.")).into());
    }
    let directory = match typed.path.trim().trim_matches('/') {
        "" => BString::default(),
        directory => read_path(directory, "".into())?,
    };
    let mut changes = Vec::new();
    let mut names = HashSet::new();
    for file in files {
        let name = path::parse(&file.name).map_err(|error| {
            let name = visible(file.name.as_bytes());
            let message = t("“{name}”: {problem}").with("name", name).with("problem", error.in_words());
            Problem::with_field("files", message)
        })?;
        let path: BString = match directory.is_empty() {
            true => name,
            false => [directory.as_bytes(), b"/", name.as_bytes()].concat().into(),
        };
        if !names.insert(path.clone()) {
            let message = t("There are two files called “{path}”.").with("path", visible(&path));
            return Err(Problem::with_field("files", message).into());
        }
        let there = base_tree_id.map(|id| repository.entry_at(id, path.as_bstr())).transpose()?.flatten();
        let kind = match there.as_ref().map(|entry| entry.mode.kind()) {
            Some(_) if !typed.replaces => {
                let message = t("“{path}” is there already.").with("path", visible(&path));
                return Err(Problem::with_status(StatusCode::CONFLICT, "files", message).into());
            }
            Some(kind @ (EntryKind::Blob | EntryKind::BlobExecutable)) => kind,
            _ => EntryKind::Blob,
        };
        let contents = Contents::Bytes(file.bytes.to_vec());
        changes.push(Change { path, file: Some(File { kind, contents }) });
    }
    let usual_title = match changes.as_slice() {
        [one] => usual_title(Action::Create, "".into(), one.path.as_bstr()),
        _ => format!("Add {} files", changes.len()),
    };
    Ok(Wanted { changes, usual_title, preview: None, preview_name: String::new(), shown: None })
}

/// A file is deleted.
pub fn delete(path: &BStr, original: &Original) -> Wanted {
    let preview = match &original.text {
        Text::Editable { bytes, .. } => Some(Preview::between(bytes, b"")),
        Text::Not(_) => None,
    };
    Wanted {
        changes: vec![Change { path: path.to_owned(), file: None }],
        usual_title: usual_title(Action::Delete, path, "".into()),
        preview,
        preview_name: visible(path),
        shown: None,
    }
}
