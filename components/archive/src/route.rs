//! What an address asks for: `/<path>/-/archive/<ref>.<format>`, with `?path=` of one directory or file.

use crate::format::Format;
use crate::limits::PATH_BYTES_MAX;
use bstr::{BStr, BString, ByteSlice as _};
use lithe_web::Address;
use lithe_web::address::{encode_component, encode_path};

/// The archive that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The repository's path or permanent address.
    pub repository: String,
    /// The name of a branch or tag, or a commit's id.
    pub revision: BString,
    pub format: Format,
}

impl Route {
    /// Reads the path of an address, percent-encoded as it came.
    pub fn parse(path: &str) -> Option<Self> {
        let Address { path: repository, page, rest } = Address::parse(path).ok()?;
        if repository.is_empty() || page.as_deref() != Some("archive") {
            return None;
        }
        let format = Format::ALL.into_iter().find(|format| rest.ends_with(format.extension().as_bytes()))?;
        let revision = rest.strip_suffix(format.extension().as_bytes())?;
        let is_name = !revision.is_empty() && revision.len() <= PATH_BYTES_MAX;
        is_name.then(|| Self { repository, revision: revision.into(), format })
    }

    /// The same archive's address where the repository is at another path.
    pub fn address(&self, repository: &str) -> String {
        let (revision, extension) = (encode_path(&self.revision), self.format.extension());
        format!("/{}/-/archive/{revision}{extension}", encode_path(repository))
    }
}

/// The path within a tree that a query names, without slashes around it; none if it is none.
pub fn path_of_query(path: &str) -> Option<BString> {
    let path = path.trim_matches('/');
    let is_path = path.len() <= PATH_BYTES_MAX
        && (path.is_empty() || path.split('/').all(|segment| !matches!(segment, "" | "." | "..")));
    is_path.then(|| path.into())
}

/// What the files of an archive stand below, and what the archive is called without its extension:
/// `demo-main`, or `demo-feature-x` of the branch `feature/x`.
pub fn name(repository: &str, revision: &BStr) -> BString {
    let last = repository.rsplit('/').next().unwrap_or(repository);
    let mut name = BString::from(last);
    name.push(b'-');
    name.extend(revision.iter().map(|byte| if *byte == b'/' { b'-' } else { *byte }));
    name
}

/// What the download is called: with the path, where it is not of everything.
pub fn file_name(name: &BStr, path: &BStr, format: Format) -> String {
    let separator = if path.is_empty() { "" } else { "-" };
    let path = path.to_str_lossy().replace('/', "-");
    format!("{}{separator}{path}{}", name.to_str_lossy(), format.extension())
}

/// The query that asks for a path; empty where that is.
pub fn query(path: &BStr) -> String {
    if path.is_empty() { String::new() } else { format!("?path={}", encode_component(path)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let route = |repository: &str, revision: &str, format| {
            Some(Route { repository: repository.into(), revision: revision.into(), format })
        };
        let cases = [
            ("/demo/-/archive/main.tar", route("demo", "main", Format::Tar)),
            ("/a/b/-/archive/v1.0.tar.gz", route("a/b", "v1.0", Format::TarGz)),
            ("/_7/-/archive/feature/x.tar.zst", route("_7", "feature/x", Format::TarZst)),
            ("/demo/-/archive/a%20b.zip", route("demo", "a b", Format::Zip)),
            ("/demo/-/archive/v1.zip.zip", route("demo", "v1.zip", Format::Zip)),
            ("/demo/-/archive/main", None),
            ("/demo/-/archive/.zip", None),
            ("/demo/-/archive/main.rar", None),
            ("/demo/-/archive", None),
            ("/demo/-/tree/main.zip", None),
            ("/-/archive/main.zip", None),
            ("/../-/archive/main.zip", None),
        ];
        for (path, expected) in cases {
            let parsed = Route::parse(path);
            assert_eq!(parsed, expected, "{path}");
            if let Some(route) = parsed {
                assert_eq!(route.address(&route.repository), path);
            }
        }
    }

    #[test]
    fn an_archive_is_named_by_what_it_is_of() {
        let cases = [
            ("demo", "main", "", "demo-main", "demo-main.zip"),
            ("a/b/demo", "feature/x", "", "demo-feature-x", "demo-feature-x.zip"),
            ("demo", "v1", "src/lib", "demo-v1", "demo-v1-src-lib.zip"),
        ];
        for (repository, revision, path, expected, expected_file) in cases {
            let name = name(repository, revision.into());
            assert_eq!(name, expected);
            assert_eq!(file_name(name.as_bstr(), path.into(), Format::Zip), expected_file);
        }
    }

    #[test]
    fn a_path_lies_within_the_tree() {
        let cases = [
            ("", Some("")),
            ("/", Some("")),
            ("src", Some("src")),
            ("/src/lib/", Some("src/lib")),
            ("..", None),
            ("a/../b", None),
            ("a//b", None),
            ("./a", None),
        ];
        for (path, expected) in cases {
            assert_eq!(path_of_query(path), expected.map(BString::from), "{path}");
        }
        assert_eq!(path_of_query(&"a".repeat(PATH_BYTES_MAX)).map(|path| path.len()), Some(PATH_BYTES_MAX));
        assert_eq!(path_of_query(&"a".repeat(PATH_BYTES_MAX + 1)), None);
    }
}
