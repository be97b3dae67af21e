//! The file that is edited, as it was when the form was made.

use super::limits::TEXT_BYTES_MAX;
use super::text::Stored;
use bstr::BStr;
use gix_hash::ObjectId;
use gix_object::tree::EntryKind;
use lithe_code::marks::Marks;
use lithe_code::repository::{Entry, Error, Repository};
use lithe_code::text::Legacy;
use lithe_lfs::{POINTER_BYTES_MAX, Pointer};
use lithe_web::t;
use std::sync::Arc;

/// A file that is there.
#[derive(Debug, Clone)]
pub struct Original {
    pub entry: Entry,
    pub text: Text,
}

/// Whether a file can be edited as text.
#[derive(Debug, Clone)]
pub enum Text {
    Editable {
        bytes: Arc<Vec<u8>>,
        stored: Stored,
    },
    /// It cannot; why, in words.
    Not(lithe_web::Text),
}

impl Original {
    /// Finds the file at `path` below a tree; none if there is none.
    pub fn find(
        repository: Repository<'_>,
        tree_id: Option<&ObjectId>,
        path: &BStr,
    ) -> Result<Option<Self>, Error> {
        let Some(tree_id) = tree_id else { return Ok(None) };
        let Some(entry) = repository.entry_at(tree_id, path)?.filter(Entry::is_blob) else { return Ok(None) };
        let said = Marks::of(repository, tree_id, path)?.encoding;
        Ok(Some(Self { text: Text::read(repository, &entry, said)?, entry }))
    }

    pub fn kind(&self) -> EntryKind {
        self.entry.mode.kind()
    }
}

impl Text {
    /// Reads a file that `.gitattributes` may say to be in an encoding.
    fn read(repository: Repository<'_>, entry: &Entry, said: Option<Legacy>) -> Result<Self, Error> {
        if entry.mode.kind() == EntryKind::Link {
            return Ok(Self::Not(t("This is a symbolic link. Only its name can be changed here.")));
        }
        let size = repository.header(&entry.id)?.1;
        if size > TEXT_BYTES_MAX {
            return Ok(Self::Not(t("This file is too large to be edited here. Its name can be changed.")));
        }
        let bytes = repository.blob(&entry.id, TEXT_BYTES_MAX)?;
        if size < POINTER_BYTES_MAX && Pointer::parse(&bytes).is_some() {
            return Ok(Self::Not(t("This file is in Git LFS. Only its name can be changed here.")));
        }
        Ok(match Stored::read(&bytes, said) {
            Some(stored) => Self::Editable { bytes, stored },
            None => Self::Not(t(
                "This file is binary, or text that a form would not leave as it is. Only its name can be changed here.",
            )),
        })
    }
}
