//! Names of files as people type them.

use super::limits::{PATH_BYTES_MAX, PATH_SEGMENTS_MAX, SEGMENT_BYTES_MAX};
use bstr::{BString, ByteSlice as _};
use gix_validate::path::component;
use lithe_code::text;
use lithe_web::{Text, t};

/// Why a name cannot be a file's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    Empty,
    TooLong,
    NameTooLong,
    EmptyName,
    Dots,
    Invisible,
    Backslash,
    Reserved,
}

impl PathError {
    /// The reason, for people.
    pub fn in_words(self) -> Text {
        match self {
            Self::Empty => t("A file needs a name."),
            Self::TooLong => t("The path is longer than {bytes} bytes or {directories} directories.")
                .with("bytes", PATH_BYTES_MAX)
                .with("directories", PATH_SEGMENTS_MAX),
            Self::NameTooLong => {
                t("A name in the path is longer than {bytes} bytes.").with("bytes", SEGMENT_BYTES_MAX)
            }
            Self::EmptyName => t("The path has an empty name in it."),
            Self::Dots => t("“.” and “..” cannot be names in the path."),
            Self::Invisible => t("Names cannot have control characters or characters that nobody sees."),
            Self::Backslash => t("Names cannot have a backslash, which separates names on Windows."),
            Self::Reserved => t("Git, or a file system, takes a name in the path for its own “.git”."),
        }
    }
}

/// Reads a path from the root of the tree. White space around it, and a slash before it, are not part of it.
pub fn parse(typed: &str) -> Result<BString, PathError> {
    let path = typed.trim();
    let path = path.strip_prefix('/').unwrap_or(path);
    match path {
        "" => return Err(PathError::Empty),
        path if path.len() > PATH_BYTES_MAX => return Err(PathError::TooLong),
        path if path.split('/').count() > PATH_SEGMENTS_MAX => return Err(PathError::TooLong),
        _ => {}
    }
    path.split('/').try_for_each(check_name)?;
    Ok(path.into())
}

fn check_name(name: &str) -> Result<(), PathError> {
    let is_invisible = |character: char| character.is_control() || text::is_deceptive(character);
    match name {
        "" => Err(PathError::EmptyName),
        "." | ".." => Err(PathError::Dots),
        name if name.len() > SEGMENT_BYTES_MAX => Err(PathError::NameTooLong),
        name if name.contains(is_invisible) => Err(PathError::Invisible),
        name if name.contains('\\') => Err(PathError::Backslash),
        name => {
            let options =
                component::Options { protect_windows: false, protect_hfs: true, protect_ntfs: true };
            gix_validate::path::component(name.as_bytes().as_bstr(), None, options)
                .map(drop)
                .map_err(|_| PathError::Reserved)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_or_refused_in_words() {
        let long_name = "n".repeat(SEGMENT_BYTES_MAX);
        let deep = vec!["d"; PATH_SEGMENTS_MAX].join("/");
        let long =
            format!("{}/x", vec![long_name.as_str(); PATH_BYTES_MAX / (SEGMENT_BYTES_MAX + 1)].join("/"));
        let taken = [
            ("README.md", "README.md"),
            (" src/a b.rs ", "src/a b.rs"),
            ("/src/żółw", "src/żółw"),
            (".gitignore", ".gitignore"),
            (".github/x", ".github/x"),
            ("git", "git"),
            ("CON", "CON"),
            ("-", "-"),
            (long_name.as_str(), long_name.as_str()),
            (deep.as_str(), deep.as_str()),
        ];
        for (typed, path) in taken {
            assert_eq!(parse(typed), Ok(path.into()), "{typed}");
        }
        let too_deep = format!("{deep}/d");
        let too_long_name = format!("{long_name}n");
        let too_long = format!("{long}{}", "x".repeat(PATH_BYTES_MAX));
        let refused = [
            ("", PathError::Empty),
            ("  ", PathError::Empty),
            ("/", PathError::Empty),
            ("a//b", PathError::EmptyName),
            ("a/", PathError::EmptyName),
            ("../a", PathError::Dots),
            ("a/./b", PathError::Dots),
            ("a/..", PathError::Dots),
            (".git", PathError::Reserved),
            ("a/.GIT/config", PathError::Reserved),
            ("git~1", PathError::Reserved),
            (".git ", PathError::Reserved),
            (".git . /x", PathError::Reserved),
            (".g\u{200c}it/x", PathError::Invisible),
            ("a\nb", PathError::Invisible),
            ("a\u{202e}b", PathError::Invisible),
            ("a\u{1b}[2J", PathError::Invisible),
            ("a\\b", PathError::Backslash),
            (too_deep.as_str(), PathError::TooLong),
            (too_long_name.as_str(), PathError::NameTooLong),
            (too_long.as_str(), PathError::TooLong),
        ];
        for (typed, error) in refused {
            assert_eq!(parse(typed), Err(error), "{typed:?}");
        }
    }
}
