//! What an address asks for.

use lithe_web::Address;
use lithe_web::address::encode_path;

/// What an address asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Route {
    /// In all repositories.
    Site,
    /// In the repository at the path.
    Repository(String),
    /// Bringing indexes up to date.
    Sweep,
    NotFound,
}

impl Route {
    /// Reads the path of an address, percent-encoded as it came.
    pub fn parse(path: &str) -> Self {
        let Ok(Address { path, page, rest }) = Address::parse(path) else { return Self::NotFound };
        match (path.is_empty(), page.as_deref(), rest.as_slice()) {
            (true, Some("search"), b"files") => Self::Site,
            (true, Some("search"), b"index") => Self::Sweep,
            (false, Some("search"), b"") => Self::Repository(path),
            _ => Self::NotFound,
        }
    }
}

/// The address of the search in all repositories.
pub const SITE: &str = "/-/search/files";

/// The address of the search in the repository at a path.
pub fn address(path: &str) -> String {
    format!("/{}/-/search", encode_path(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let cases = [
            ("/-/search/files", Route::Site),
            ("/-/search", Route::NotFound),
            ("/-/search/index", Route::Sweep),
            ("/-/search/x", Route::NotFound),
            ("/demo/-/search", Route::Repository("demo".into())),
            ("/team/a%20b/-/search", Route::Repository("team/a b".into())),
            ("/demo/-/search/x", Route::NotFound),
            ("/demo/-/search/index", Route::NotFound),
            ("/demo/-/tree", Route::NotFound),
            ("/demo", Route::NotFound),
            ("/../-/search", Route::NotFound),
        ];
        for (path, expected) in cases {
            assert_eq!(Route::parse(path), expected, "{path}");
        }
        assert_eq!(address("team/a b"), "/team/a%20b/-/search");
    }
}
