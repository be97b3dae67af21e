//! From a path to a repository that the requester may use, for what Git's clients ask for.

use crate::types::{Error, Permission, Repository};
use crate::{Requester, access};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// How a client is to say who makes a request (RFC 7617).
pub const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"Lithe\", charset=\"UTF-8\"");

/// A repository that the requester may use.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    pub repository: Repository,
    /// The most that the requester may do there, and that the credentials allow.
    pub permission: Permission,
    is_anonymous: bool,
}

/// Why the requester may not use a repository, or cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// There is nothing, or nothing without credentials, or they are wrong: all alike.
    Unauthenticated,
    NotFound,
    /// It may be read and not written.
    ReadOnly,
    /// Too many tries; the seconds to wait.
    Throttled(u32),
    /// It is known and its directory is not there.
    MissingOnDisk,
    /// The store cannot answer.
    Unavailable,
}

/// Opens the repository at `path` for whoever makes the request.
pub fn open(requester: &Requester, path: &str, needed: Permission) -> Result<Opened, Denial> {
    let is_anonymous = requester.is_anonymous();
    let opened = requester.call(|credentials, client| access::open(credentials, client, path));
    let opened = opened.map_err(|error| Denial::of(&error, is_anonymous))?;
    let access::Place::Repository(repository) = opened.place else {
        return Err(Denial::of(&Error::NotFound, is_anonymous));
    };
    let permission = opened.permission.min(opened.overview.viewer.ceiling);
    if permission < Permission::Read {
        return Err(Denial::of(&Error::NotFound, is_anonymous));
    }
    let opened = Opened { repository, permission, is_anonymous };
    opened.require(needed).map(|()| opened)
}

impl Opened {
    /// Fails if the requester may do less than is needed.
    pub fn require(&self, needed: Permission) -> Result<(), Denial> {
        match self.permission >= needed {
            true => Ok(()),
            false if self.is_anonymous => Err(Denial::Unauthenticated),
            false => Err(Denial::ReadOnly),
        }
    }
}

impl Denial {
    /// Whoever brings no credentials is asked for them, whether there is something or not.
    pub fn of(error: &Error, is_anonymous: bool) -> Self {
        match error {
            Error::NotFound | Error::Unauthenticated if is_anonymous => Self::Unauthenticated,
            Error::Unauthenticated | Error::ProofRequired(_) => Self::Unauthenticated,
            Error::NotFound | Error::Invalid(_) => Self::NotFound,
            Error::Forbidden(_) => Self::ReadOnly,
            Error::Throttled(seconds) => Self::Throttled(*seconds),
            Error::Conflict(_) | Error::Other(_) => Self::Unavailable,
        }
    }

    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::ReadOnly => StatusCode::FORBIDDEN,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::MissingOnDisk | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// For whoever reads it in a terminal.
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "Please sign in with your name and a password or token.",
            Self::NotFound => "There is no such repository.",
            Self::ReadOnly => "You may read this repository, and not write to it.",
            Self::Throttled(_) => "Too many failed tries: please wait.",
            Self::MissingOnDisk => "The repository is missing on disk. Please tell the administrator.",
            Self::Unavailable => "The server cannot work at the moment.",
        }
    }

    /// Adds what tells a client how to go on.
    pub fn add_headers(&self, headers: &mut HeaderMap) {
        match self {
            Self::Unauthenticated => headers.insert(header::WWW_AUTHENTICATE, CHALLENGE),
            Self::Throttled(seconds) => headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds)),
            _ => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_cannot_tell_private_from_missing() {
        let cases = [
            (Error::NotFound, true, Denial::Unauthenticated),
            (Error::Unauthenticated, true, Denial::Unauthenticated),
            (Error::Unauthenticated, false, Denial::Unauthenticated),
            (Error::NotFound, false, Denial::NotFound),
            (Error::Throttled(7), true, Denial::Throttled(7)),
            (Error::Other("disk full".into()), false, Denial::Unavailable),
        ];
        for (error, is_anonymous, expected) in cases {
            assert_eq!(Denial::of(&error, is_anonymous), expected, "{error:?} {is_anonymous}");
        }
    }

    #[test]
    fn a_denial_says_how_to_go_on() {
        let cases = [
            (Denial::Unauthenticated, 401, Some("www-authenticate")),
            (Denial::NotFound, 404, None),
            (Denial::ReadOnly, 403, None),
            (Denial::Throttled(7), 429, Some("retry-after")),
            (Denial::MissingOnDisk, 503, None),
            (Denial::Unavailable, 503, None),
        ];
        for (denial, status, name) in cases {
            let mut headers = HeaderMap::new();
            denial.add_headers(&mut headers);
            assert_eq!(denial.status(), status, "{denial:?}");
            assert_eq!(headers.keys().next().map(http::HeaderName::as_str), name, "{denial:?}");
        }
    }
}
