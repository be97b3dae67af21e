//! Why a request is not served, in the protocol's own words.

use lithe_git::{odb, pkt_line, refs, walk};

/// Why a request cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request breaks the protocol.
    #[error("{0}")]
    Protocol(String),
    #[error(transparent)]
    PktLine(#[from] pkt_line::Error),
    #[error(transparent)]
    Filter(#[from] walk::FilterError),
    /// Past a limit.
    #[error("more than {limit} {what} in one request")]
    TooMany { what: &'static str, limit: usize },
    /// The object is not among what the client may have.
    #[error("upload-pack: not our ref {0}")]
    NotOurRef(gix_hash::ObjectId),
    #[error("unknown ref {0}")]
    UnknownRef(String),
    #[error(transparent)]
    Objects(#[from] odb::Error),
    #[error(transparent)]
    Refs(#[from] refs::Error),
}

impl Error {
    pub fn protocol(reason: impl Into<String>) -> Self {
        Self::Protocol(reason.into())
    }

    /// What to tell the client. Paths of the server are left out.
    pub fn message(&self) -> String {
        match self {
            Self::Objects(error) => objects_message(error),
            Self::Refs(error @ refs::Error::Unsupported(_)) => error.to_string(),
            Self::Refs(_) => UNREADABLE.into(),
            other => other.to_string(),
        }
    }
}

const UNREADABLE: &str = "the repository cannot be read at the moment";

/// What to tell the client about objects that cannot be read.
pub fn objects_message(error: &odb::Error) -> String {
    match error {
        odb::Error::Io { .. } | odb::Error::NotARepository(_) => UNREADABLE.into(),
        odb::Error::Alternate { .. } => {
            "the repository borrows objects from another one, which cannot be read".into()
        }
        other => other.to_string(),
    }
}
