//! Why a request is not done, and what its client is told.

use crate::limits::{BATCH_OBJECTS_MAX, REQUEST_BYTES_MAX};
use http::StatusCode;
use lithe_forge::opening::Denial;
use lithe_forge::types::Error;
use std::io;

/// Why a request is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The requester may not, or cannot at the moment.
    Denied(Denial),
    /// Nothing has that address.
    NotFound,
    /// The method is not one that the address takes.
    Method(&'static str),
    /// The body is not of the API's type.
    ContentType,
    /// The request is longer than [`REQUEST_BYTES_MAX`].
    TooLong,
    /// A batch has more than [`BATCH_OBJECTS_MAX`] objects.
    TooManyObjects,
    /// The request is not JSON.
    Malformed(String),
    /// What it asks for makes no sense.
    Invalid(String),
    /// There is no such object, or no such lock.
    Missing(&'static str),
    /// The body ended before its end.
    Cut,
    /// The body is not what its name says.
    Mismatch(String),
    /// The file is over the limit for one.
    ObjectTooLarge(String),
    /// There is no room for the file.
    NoRoom(String),
    /// The requester may not do this to a lock; in words.
    Lock(String),
    /// The disk cannot be read or written.
    Disk,
}

impl Refusal {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Denied(denial) => denial.status(),
            Self::NotFound | Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLong | Self::TooManyObjects | Self::ObjectTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed(_) | Self::Cut => StatusCode::BAD_REQUEST,
            Self::Invalid(_) | Self::Mismatch(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NoRoom(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Lock(_) => StatusCode::FORBIDDEN,
            Self::Disk => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// For whoever reads it in a terminal.
    pub fn sentence(&self) -> String {
        match self {
            Self::Denied(denial) => denial.sentence().to_owned(),
            // Not to be told from a repository that is not there.
            Self::NotFound => Denial::NotFound.sentence().to_owned(),
            Self::Method(_) => "This address takes another method.".to_owned(),
            Self::ContentType => format!("The body has to be of type {}.", crate::route::MEDIA_TYPE),
            Self::TooLong => format!("The request is over the limit of {REQUEST_BYTES_MAX} bytes."),
            Self::TooManyObjects => format!("A batch has at most {BATCH_OBJECTS_MAX} objects."),
            Self::Malformed(reason) => format!("The request cannot be read: {reason}."),
            Self::Invalid(reason) => format!("The request makes no sense: {reason}."),
            Self::Missing(what) => format!("There is no such {what}."),
            Self::Cut => "The body ended before its end.".to_owned(),
            Self::Mismatch(words) | Self::ObjectTooLarge(words) | Self::NoRoom(words) | Self::Lock(words) => {
                words.clone()
            }
            Self::Disk => {
                "The server's disk cannot be read or written. Please tell the administrator.".to_owned()
            }
        }
    }
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        eprintln!("large files cannot be read or written: {error}");
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::NoRoom("The server's disk is full. Please tell the administrator.".to_owned())
            }
            _ => Self::Disk,
        }
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        match error.classify() {
            serde_json::error::Category::Data => Self::Invalid(error.to_string()),
            _ => Self::Malformed(error.to_string()),
        }
    }
}

/// Why the store refuses something about a repository that the requester may use.
pub fn of_store(error: Error, is_anonymous: bool) -> Refusal {
    match error {
        Error::Invalid(field) => Refusal::Invalid(format!("{}: {}", field.name, field.reason)),
        Error::Forbidden(words) => Refusal::Lock(sentence(&words)),
        Error::Other(words) => {
            eprintln!("the store cannot work: {words}");
            Refusal::Denied(Denial::Unavailable)
        }
        other => Refusal::Denied(Denial::of(&other, is_anonymous)),
    }
}

/// The store's words as a sentence of their own.
pub fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_json_is_told_from_what_makes_no_sense() {
        let read =
            |text: &str| serde_json::from_str::<Vec<u8>>(text).map_err(|error| Refusal::from(error).status());
        assert_eq!(read("[1"), Err(StatusCode::BAD_REQUEST));
        assert_eq!(read("x"), Err(StatusCode::BAD_REQUEST));
        assert_eq!(read("[-1]"), Err(StatusCode::UNPROCESSABLE_ENTITY));
        assert_eq!(read("[1]"), Ok(vec![1]));
    }

    #[test]
    fn the_stores_words_are_sentences() {
        assert_eq!(sentence("a file has at most 1 MiB"), "A file has at most 1 MiB.");
        assert_eq!(sentence("überall"), "Überall.");
    }
}
