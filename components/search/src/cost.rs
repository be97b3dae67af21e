//! What searches cost those who are not signed in, in points of about ten milliseconds of a processor;
//! `lithe_web::budget` says what comes of them.

use crate::searching::Kind;

/// A search in one repository.
pub const REPOSITORY: u32 = 10;

/// A search for paths, which reads no file.
pub const PATHS: u32 = 3;

/// A search in all repositories.
pub const SITE: u32 = 25;

/// What a search costs; one that asks for nothing costs nothing.
pub fn of_search(kind: Kind, is_of_site: bool) -> u32 {
    match (is_of_site, kind) {
        (true, _) => SITE,
        (false, Kind::Paths) => PATHS,
        (false, Kind::Content | Kind::Commits) => REPOSITORY,
    }
}
