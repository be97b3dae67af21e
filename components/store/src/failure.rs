//! How things fail: every cause becomes one case of the interfaces' `error`, in words.

use crate::types::{Error, InvalidField};
use rusqlite::ErrorCode;

/// An argument is not acceptable.
pub fn invalid(name: &str, reason: impl Into<String>) -> Error {
    Error::Invalid(InvalidField { name: name.to_owned(), reason: reason.into() })
}

/// The viewer may see it and not do this.
pub fn forbidden(reason: &str) -> Error {
    Error::Forbidden(reason.to_owned())
}

/// It exists already, or has changed meanwhile.
pub fn conflict(reason: impl Into<String>) -> Error {
    Error::Conflict(reason.into())
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let advice = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => "the disk that holds the database is full",
            Some(ErrorCode::ReadOnly) => "the database cannot be written: its disk or file is read-only",
            Some(ErrorCode::CannotOpen) => {
                "the database file cannot be opened: check that the database directory exists and may be written"
            }
            Some(ErrorCode::PermissionDenied) => {
                "the database file may not be accessed: check its owner and mode"
            }
            Some(ErrorCode::DatabaseCorrupt) => {
                "the database is damaged: stop the server and restore lithe.db from a backup"
            }
            Some(ErrorCode::NotADatabase) => "lithe.db is not a database: restore it from a backup",
            Some(ErrorCode::SystemIoFailure) => "the disk that holds the database fails",
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "the database is in use by another process"
            }
            Some(ErrorCode::OperationInterrupted) => "a query took too long and was stopped",
            _ => "the database refused a query",
        };
        Self::Other(format!("{advice} ({error})"))
    }
}
