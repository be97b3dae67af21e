//! What `.gitattributes` files say about the paths of a tree (gitattributes(5)).

use bstr::{BStr, BString, ByteSlice as _};
use gix_attributes::search::{MetadataCollection, Outcome};
use gix_attributes::{Search, StateRef};
use gix_glob::pattern::Case;
use std::path::PathBuf;

/// The name of the files.
pub const FILE_NAME: &str = ".gitattributes";

/// The attributes that decide what goes into an archive (git-archive(1), "ATTRIBUTES").
const NAMES: [&str; 2] = ["export-ignore", "export-subst"];

/// What holds for one path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// It is left out, and so is all below it.
    pub is_ignored: bool,
    /// Placeholders in it are replaced.
    pub is_substituted: bool,
}

/// The `.gitattributes` on the way from the root to one directory.
#[derive(Default)]
pub struct Attributes {
    /// Those that there are, with the directory that each is in: empty, or with a slash at its end.
    files: Vec<(BString, Search)>,
    names: MetadataCollection,
    found: Outcome,
}

impl Attributes {
    /// Adds the file with that text, in a directory below all that were added and not left.
    pub fn enter(&mut self, directory: &BStr, text: &[u8]) {
        let mut search = Search::default();
        let is_root = directory.is_empty();
        // The name stands in warnings alone. Without a root, patterns are matched with what they are
        // given, so that no path has to be one of this system's.
        let parsed = search.add_patterns_buffer(text, PathBuf::new(), None, &mut self.names, is_root);
        if parsed.is_ok() {
            self.files.push((directory.into(), search));
            self.found.initialize_with_selection(&self.names, NAMES);
        }
    }

    /// Forgets the files that are not above `directory` (with a slash at its end), or in it.
    pub fn leave_for(&mut self, directory: &BStr) {
        self.files.retain(|(of, _)| directory.starts_with(of));
    }

    /// What holds for a path below the directories that were entered.
    pub fn marks(&mut self, path: &BStr, is_directory: bool) -> Marks {
        if self.files.is_empty() {
            return Marks::default();
        }
        self.found.reset();
        for (directory, search) in self.files.iter().rev() {
            let Some(below) = path.strip_prefix(directory.as_slice()) else { continue };
            let below = below.as_bstr();
            search.pattern_matching_relative_path(
                below,
                Case::Sensitive,
                Some(is_directory),
                &mut self.found,
            );
            if self.found.is_done() {
                break;
            }
        }
        let mut marks = Marks::default();
        for found in self.found.iter_selected() {
            let is_set = found.assignment.state == StateRef::Set;
            match found.assignment.name.as_str() {
                "export-ignore" => marks.is_ignored = is_set,
                "export-subst" => marks.is_substituted = is_set,
                _ => {}
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_and_its_last_line_decide() {
        let mut attributes = Attributes::default();
        attributes.enter(
            "".into(),
            b"[attr]gone export-ignore\n*.md export-ignore\n/top gone\ndir/ export-ignore\nsub/v export-subst\n",
        );
        attributes.enter(
            "a/".into(),
            b"keep.md -export-ignore\n*.c export-ignore\nx.c !export-ignore\n/only gone\n",
        );
        let cases = [
            ("readme.md", false, true),
            ("a/readme.md", false, true),
            ("a/keep.md", false, false),
            ("a/b/keep.md", false, false),
            ("top", false, true),
            ("a/top", false, false),
            ("dir", true, true),
            ("dir", false, false),
            ("a/dir", true, true),
            ("a/y.c", false, true),
            ("a/x.c", false, false),
            ("a/only", false, true),
            ("a/b/only", false, false),
            ("other", false, false),
        ];
        for (path, is_directory, is_ignored) in cases {
            assert_eq!(attributes.marks(path.into(), is_directory).is_ignored, is_ignored, "{path}");
        }
        assert!(attributes.marks("sub/v".into(), false).is_substituted);
        attributes.leave_for("b/".into());
        assert!(!attributes.marks("a/y.c".into(), false).is_ignored);
        assert!(attributes.marks("b/y.md".into(), false).is_ignored);
    }
}
