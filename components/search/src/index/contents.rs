//! Texts that are searched.

use crate::limits::FILE_BYTES_MAX;
use gix_hash::oid;
use lithe_code::repository::{self, Repository};
use lithe_code::text;
use std::borrow::Cow;
use std::sync::Arc;

/// What is read of a file or commit.
pub enum Contents {
    Text(Arc<Vec<u8>>),
    /// It is not searched: it is no text, too large, or not there.
    Other,
}

impl Contents {
    /// Reads a file, if it is searched.
    pub fn of_file(repository: Repository<'_>, id: &oid) -> Result<Self, repository::Error> {
        match repository.blob(id, FILE_BYTES_MAX) {
            Ok(bytes) if !text::is_binary(&bytes) => Ok(Self::Text(bytes)),
            // What is missing or damaged keeps nobody from finding what is not.
            Ok(_) => Ok(Self::Other),
            Err(
                repository::Error::TooLarge(_)
                | repository::Error::Missing(_)
                | repository::Error::Damaged(_),
            ) => Ok(Self::Other),
            Err(error) => Err(error),
        }
    }

    /// The text; none if it is not searched.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        let Self::Text(bytes) = self else { return None };
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text))),
            Err(_) => text::decode(bytes).map(|text| Cow::Owned(text.text)),
        }
    }

    /// How many bytes were read.
    pub fn bytes_count(&self) -> u64 {
        match self {
            Self::Text(bytes) => bytes.len() as u64,
            Self::Other => 0,
        }
    }
}
