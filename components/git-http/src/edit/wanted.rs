//! What a form asks to be done to files.

use super::original::{Original, Text};
use super::page::Typed;
use super::path;
use super::preview::Preview;
use super::spot::Action;
use super::text::{Stored, Unencodable};
use super::tree::{Change, Contents, File};
use super::upload::{Fate, Uploaded};
use bstr::{BStr, BString, ByteSlice as _};
use gix_object::tree::EntryKind;
use lithe_code::repository::Error;
use lithe_code::text::visible;
use lithe_web::Problem;
use lithe_web::t;

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
pub fn read_path(typed: &str, original: &BStr) -> Result<BString, Problem> {
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
            let preview = Preview::of_texts(stored.text(), &stored.edited(&typed.text), **bytes == new);
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

/// Files are uploaded; one that is there already keeps its mode. Nothing is, where one is refused that is not to
/// be left out.
pub fn upload(typed: &Typed, files: &[Uploaded]) -> Result<Wanted, Refusal> {
    let refused = files.iter().find_map(|file| match &file.fate {
        Fate::Refused(status, why) => Some((*status, why.clone())),
        Fate::New | Fate::Replaces | Fate::Unchanged => None,
    });
    if let Some((status, why)) = refused.filter(|_| !typed.leaves_out) {
        return Err(Problem::with_status(status, "files", why).into());
    }
    let files: Vec<&Uploaded> = files.iter().filter(|file| !file.is_refused()).collect();
    let is_new = files.iter().any(|file| file.fate == Fate::New);
    let usual_title = match files.as_slice() {
        [] => return Err(Problem::with_field("files", t("No file is left.")).into()),
        [one] if is_new => usual_title(Action::Create, "".into(), one.path.as_bstr()),
        [one] => usual_title(Action::Change, one.path.as_bstr(), one.path.as_bstr()),
        _ if is_new => format!("Add {} files", files.len()),
        _ => format!("Change {} files", files.len()),
    };
    let changes = files.into_iter().map(|file| {
        let contents = Contents::Bytes(file.bytes.to_vec());
        Change { path: file.path.clone(), file: Some(File { kind: file.kind(), contents }) }
    });
    Ok(Wanted {
        changes: changes.collect(),
        usual_title,
        preview: None,
        preview_name: String::new(),
        shown: None,
    })
}

/// A file is deleted.
pub fn delete(path: &BStr, original: &Original) -> Wanted {
    let preview = match &original.text {
        Text::Editable { stored, .. } => Some(Preview::of_texts(stored.text(), "", stored.text().is_empty())),
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
