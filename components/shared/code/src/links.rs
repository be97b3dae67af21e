//! The addresses of a repository's pages, made from the raw bytes of refs and file names.

use crate::limits::BLOB_LINES_MAX;
use crate::text;
use bstr::{BStr, ByteSlice as _};
use lithe_lfs::Oid;
use lithe_web::address::{encode_component, encode_path};
use std::fmt::Write as _;

/// The pages of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    base: String,
}

impl Links {
    /// The pages of the repository or group at `path`, `team/demo`.
    pub fn new(path: &str) -> Self {
        Self { base: format!("/{}", encode_path(path)) }
    }

    /// Its own page.
    pub fn summary(&self) -> String {
        self.base.clone()
    }

    /// The address to clone from, below the site's.
    pub fn clone_path(&self) -> String {
        format!("{}.git", self.base)
    }

    pub fn tree(&self, revision: &BStr, path: &BStr) -> String {
        self.file("tree", revision, path)
    }

    pub fn blob(&self, revision: &BStr, path: &BStr) -> String {
        self.file("blob", revision, path)
    }

    pub fn blame(&self, revision: &BStr, path: &BStr) -> String {
        self.file("blame", revision, path)
    }

    /// Where a file is edited; `action` is `new` or `upload` for a directory, `delete` for a file, else empty.
    pub fn edit(&self, revision: &BStr, path: &BStr, action: &str) -> String {
        let address = self.file("edit", revision, path);
        if action.is_empty() { address } else { format!("{address}?{action}") }
    }

    pub fn find(&self, revision: &BStr) -> String {
        self.file("find", revision, "".into())
    }

    pub fn raw(&self, revision: &BStr, path: &BStr) -> String {
        self.file("raw", revision, path)
    }

    /// A file as it is, to be saved whatever it is.
    pub fn download(&self, revision: &BStr, path: &BStr) -> String {
        format!("{}?download=1", self.raw(revision, path))
    }

    pub fn commits(&self, revision: &BStr, path: &BStr) -> String {
        self.file("commits", revision, path)
    }

    pub fn commit(&self, id: &gix_hash::oid) -> String {
        format!("{}/-/commit/{id}", self.base)
    }

    /// What `to` has that `from` lacks; without names, where to choose them. `dots` are `...` for what was
    /// done since the two parted, and `..` for all that differs.
    pub fn compare(&self, from: &BStr, dots: &str, to: &BStr) -> String {
        match (from.is_empty(), to.is_empty()) {
            (true, true) => format!("{}/-/compare", self.base),
            _ => format!("{}/-/compare/{}{dots}{}", self.base, encode_path(from), encode_path(to)),
        }
    }

    /// A large file, to be saved by that name.
    pub fn large_file(&self, oid: &Oid, name: &BStr) -> String {
        format!("{}.git/info/lfs/objects/{oid}?name={}", self.base, encode_component(text::visible(name)))
    }

    pub fn refs(&self) -> String {
        format!("{}/-/refs", self.base)
    }

    /// What there is to count in the history of a revision.
    pub fn statistics(&self, revision: &BStr) -> String {
        self.file("stats", revision, "".into())
    }

    /// Every branch and tag in one file.
    pub fn bundle(&self) -> String {
        format!("{}/-/bundle", self.base)
    }

    /// The files of a revision, or of what stands at a path of it, in one file of a format, `tar.gz`.
    pub fn archive(&self, revision: &BStr, path: &BStr, format: &str) -> String {
        let address = format!("{}/-/archive/{}.{format}", self.base, encode_path(revision));
        if path.is_empty() { address } else { format!("{address}?path={}", encode_component(path)) }
    }

    pub fn settings(&self) -> String {
        format!("{}/-/settings", self.base)
    }

    fn file(&self, page: &str, revision: &BStr, path: &BStr) -> String {
        let mut address = format!("{}/-/{page}/{}", self.base, encode_path(revision));
        if !path.is_empty() {
            write!(address, "/{}", encode_path(path)).expect("writing to a string succeeds");
        }
        address
    }
}

/// The path that a link in the file at `file` leads to, from the root of the tree: `relative` may
/// begin with `/` (the root), and hold `.` and `..`, which stop at the root.
pub fn resolved(file: &BStr, relative: &[u8]) -> Vec<u8> {
    let mut segments: Vec<&[u8]> = match relative.strip_prefix(b"/") {
        Some(_) => Vec::new(),
        None => file.rfind_byte(b'/').map_or_else(Vec::new, |end| file[..end].split_str("/").collect()),
    };
    for segment in relative.split_str("/") {
        match segment {
            b"" | b"." => {}
            b".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    bstr::join("/", segments)
}

/// The address of a line, counted from 1, of a file whose pages, of [`BLOB_LINES_MAX`] lines each, are at an
/// address.
pub fn line(pages: &str, number: usize) -> String {
    match number.saturating_sub(1) / BLOB_LINES_MAX * BLOB_LINES_MAX {
        0 => format!("{pages}#L{number}"),
        from => format!("{}#L{number}", part(pages, from)),
    }
}

/// The address of the part of a file that begins with a line, counted from 0.
pub fn part(pages: &str, from: usize) -> String {
    match (from, pages.contains('?')) {
        (0, _) => pages.to_owned(),
        (from, false) => format!("{pages}?from={from}"),
        (from, true) => format!("{pages}&from={from}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_links_stay_in_the_tree() {
        let cases = [
            ("README.md", "doc/a.md", "doc/a.md"),
            ("doc/README.md", "a.md", "doc/a.md"),
            ("doc/README.md", "../a.md", "a.md"),
            ("doc/README.md", "/a.md", "a.md"),
            ("doc/README.md", "../../../etc/passwd", "etc/passwd"),
            ("doc/README.md", "./x/../y//z/", "doc/y/z"),
            ("doc/README.md", "..", ""),
        ];
        for (file, relative, expected) in cases {
            assert_eq!(resolved(file.into(), relative.as_bytes()).as_bstr(), expected, "{file} {relative}");
        }
    }

    #[test]
    fn pages_have_addresses() {
        let links = Links::new("team/demo");
        assert_eq!(links.summary(), "/team/demo");
        assert_eq!(links.tree("feature/x".into(), "".into()), "/team/demo/-/tree/feature/x");
        assert_eq!(links.blob("main".into(), "a b/c#.rs".into()), "/team/demo/-/blob/main/a%20b/c%23.rs");
        for (number, expected) in
            [(1, "/f#L1"), (3_000, "/f#L3000"), (3_001, "/f?from=3000#L3001"), (9_000, "/f?from=6000#L9000")]
        {
            assert_eq!(line("/f", number), expected);
        }
        assert_eq!(part("/f?w=1", 3_000), "/f?w=1&from=3000");
    }
}
