//! What `.gitattributes` files say about the paths of a tree (gitattributes(5)).

use crate::limits::{
    ATTRIBUTE_NAMES_MAX, ATTRIBUTES_LINE_BYTES_MAX, ATTRIBUTES_SUM_BYTES_MAX, DOUBLE_STARS_MAX,
    MATCHING_STEPS_MAX,
};
use bstr::{BStr, BString, ByteSlice as _};
use gix_attributes::parse::Kind;
use gix_attributes::search::{MetadataCollection, Outcome};
use gix_attributes::{Search, StateRef};
use gix_glob::Pattern;
use gix_glob::pattern::Case;
use std::collections::HashSet;
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

/// The files say more than is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuch;

/// The `.gitattributes` on the way from the root to one directory.
#[derive(Default)]
pub struct Attributes {
    files: Vec<File>,
    /// What macros in the root's file are called.
    macros: HashSet<String>,
    names: MetadataCollection,
    names_count: usize,
    found: Outcome,
    /// How much matching has taken.
    steps: u64,
}

/// What matters of one `.gitattributes`.
struct File {
    /// Where it is: empty, or with a slash at its end.
    directory: BString,
    search: Search,
    cost: Cost,
}

/// What matching one path with patterns takes at most, in steps.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    /// The bytes of the lines.
    lines_bytes: u64,
    /// For every byte of the path.
    per_byte: u64,
}

impl Cost {
    fn add(&mut self, line: &[u8], pattern: &Pattern) {
        self.lines_bytes += line.len() as u64;
        if pattern.first_wildcard_pos.is_some() {
            self.per_byte += (pattern.text.len() as u64) << double_stars(&pattern.text);
        }
    }

    fn of(self, path: &BStr) -> u64 {
        self.lines_bytes + self.per_byte * path.len() as u64
    }
}

/// How often two or more stars stand side by side.
fn double_stars(pattern: &[u8]) -> usize {
    pattern.split(|byte| *byte != b'*').filter(|stars| stars.len() > 1).count()
}

impl Attributes {
    /// Adds the file with that text, in a directory below all that were added and not left.
    pub fn enter(&mut self, directory: &BStr, text: &[u8]) -> Result<(), TooMuch> {
        let is_root = directory.is_empty();
        if is_root {
            self.macros = macros(text);
        }
        let (lines, cost) = self.lines(text, is_root);
        if lines.is_empty() {
            return Ok(());
        }
        let mut search = Search::default();
        // The name stands in warnings alone. Without a root, patterns are matched with what they are
        // given, so that no path has to be one of this system's.
        let parsed = search.add_patterns_buffer(&lines, PathBuf::new(), None, &mut self.names, is_root);
        if parsed.is_ok() {
            self.names_count = self.names.iter().count();
            let bytes = self.files.iter().map(|file| file.cost.lines_bytes).sum::<u64>() + cost.lines_bytes;
            if self.names_count > ATTRIBUTE_NAMES_MAX || bytes > ATTRIBUTES_SUM_BYTES_MAX {
                return Err(TooMuch);
            }
            self.files.push(File { directory: directory.into(), search, cost });
            self.found.initialize_with_selection(&self.names, NAMES);
        }
        self.charge(self.names_count as u64 + lines.len() as u64)
    }

    /// The lines of a file that decide what goes into an archive, and what it takes to match a path.
    fn lines(&self, text: &[u8], is_root: bool) -> (Vec<u8>, Cost) {
        let mut lines = Vec::new();
        let mut cost = Cost::default();
        for line in text.lines_with_terminator() {
            match parse(line) {
                Some((Kind::Macro(_), _)) if is_root => cost.lines_bytes += line.len() as u64,
                Some((Kind::Pattern(pattern), assigned))
                    if double_stars(&pattern.text) <= DOUBLE_STARS_MAX
                        && assigned.iter().any(|name| self.is_wanted(name)) =>
                {
                    cost.add(line, &pattern);
                }
                _ => continue,
            }
            lines.extend_from_slice(line);
        }
        (lines, cost)
    }

    fn is_wanted(&self, name: &str) -> bool {
        NAMES.contains(&name) || self.macros.contains(name)
    }

    fn charge(&mut self, steps: u64) -> Result<(), TooMuch> {
        self.steps += steps;
        if self.steps > MATCHING_STEPS_MAX { Err(TooMuch) } else { Ok(()) }
    }

    /// Forgets the files that are not above `directory` (with a slash at its end), or in it.
    pub fn leave_for(&mut self, directory: &BStr) {
        self.files.retain(|file| directory.starts_with(&file.directory));
    }

    /// What holds for a path below the directories that were entered.
    pub fn marks(&mut self, path: &BStr, is_directory: bool) -> Result<Marks, TooMuch> {
        if self.files.is_empty() {
            return Ok(Marks::default());
        }
        let steps = self.files.iter().map(|file| file.cost.of(path)).sum::<u64>();
        self.charge(self.names_count as u64 + steps)?;
        self.found.reset();
        for File { directory, search, .. } in self.files.iter().rev() {
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
        Ok(marks)
    }
}

/// What a line assigns to what; none if it has no such form or is too long.
fn parse(line: &[u8]) -> Option<(Kind, Vec<String>)> {
    let line = line.trim_end_with(|end| matches!(end, '\r' | '\n'));
    if line.len() > ATTRIBUTES_LINE_BYTES_MAX {
        return None;
    }
    let (kind, assigned, _) = gix_attributes::parse(line).next()?.ok()?;
    let assigned = assigned.map(|assigned| assigned.map(|assigned| assigned.name.as_str().to_owned()));
    Some((kind, assigned.collect::<Result<_, _>>().ok()?))
}

/// What macros a file defines.
fn macros(text: &[u8]) -> HashSet<String> {
    let kinds = text.lines_with_terminator().filter_map(parse).map(|(kind, _)| kind);
    let name = |kind| match kind {
        Kind::Macro(name) => Some(name.as_str().to_owned()),
        Kind::Pattern(_) => None,
    };
    kinds.filter_map(name).collect()
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
        ).unwrap();
        attributes
            .enter(
                "a/".into(),
                b"keep.md -export-ignore\n*.c export-ignore\nx.c !export-ignore\n/only gone\n",
            )
            .unwrap();
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
            assert_eq!(attributes.marks(path.into(), is_directory).unwrap().is_ignored, is_ignored, "{path}");
        }
        assert!(attributes.marks("sub/v".into(), false).unwrap().is_substituted);
        attributes.leave_for("b/".into());
        assert!(!attributes.marks("a/y.c".into(), false).unwrap().is_ignored);
        assert!(attributes.marks("b/y.md".into(), false).unwrap().is_ignored);
    }

    #[test]
    fn patterns_and_lines_past_a_limit_are_passed_over() {
        let path = format!("{}zzz", "d/".repeat(45));
        let stars = |count| format!("{}zzz", "**/".repeat(count));
        let long = |bytes| format!("*{} export-ignore", " ".repeat(bytes - "* export-ignore".len()));
        let cases = [
            (format!("{} export-ignore", stars(DOUBLE_STARS_MAX)), true),
            (format!("{} export-ignore", stars(DOUBLE_STARS_MAX + 1)), false),
            (format!("{} export-ignore", stars(40).replace("zzz", "yyy")), false),
            // In quotes, stars can be written by number.
            (format!("\"{}\" export-ignore", stars(DOUBLE_STARS_MAX + 1).replace('*', "\\052")), false),
            (long(ATTRIBUTES_LINE_BYTES_MAX), true),
            (long(ATTRIBUTES_LINE_BYTES_MAX + 1), false),
        ];
        for (text, is_ignored) in cases {
            let mut attributes = Attributes::default();
            attributes.enter("".into(), text.as_bytes()).unwrap();
            assert_eq!(
                attributes.marks(path.as_str().into(), false).unwrap().is_ignored,
                is_ignored,
                "{text}"
            );
        }
    }

    #[test]
    fn only_lines_that_matter_cost_anything() {
        let mut attributes = Attributes::default();
        attributes.enter("".into(), b"*.c text\n*.h diff=c\n".repeat(1000).as_slice()).unwrap();
        attributes.marks("a.c".into(), false).unwrap();
        assert_eq!(attributes.steps, 0);
    }

    #[test]
    fn matching_ends_at_its_limits() {
        let mut attributes = Attributes::default();
        attributes.enter("".into(), b"ab*c export-ignore\n").unwrap();
        let before = attributes.steps;
        attributes.marks("0123456789".into(), false).unwrap();
        let steps = attributes.steps - before;
        assert!(steps >= 4 * 10);
        attributes.steps = MATCHING_STEPS_MAX - steps;
        assert_eq!(attributes.marks("0123456789".into(), false), Ok(Marks::default()));
        assert_eq!(attributes.marks("0123456789".into(), false), Err(TooMuch));

        // `export-ignore` is one of the names.
        let names = |count: usize| -> String {
            (0..count).map(|number| format!("[attr]n{number} export-ignore\n")).collect()
        };
        let enter = |text: &str| Attributes::default().enter("".into(), text.as_bytes());
        assert_eq!(enter(&names(ATTRIBUTE_NAMES_MAX - 1)), Ok(()));
        assert_eq!(enter(&names(ATTRIBUTE_NAMES_MAX)), Err(TooMuch));

        let mut attributes = Attributes::default();
        let line = b"0123456789abcdef export-ignore-not export-ignore\n";
        let file = line.repeat((ATTRIBUTES_SUM_BYTES_MAX / 4) as usize / line.len());
        for directory in ["", "a/", "a/b/", "a/b/c/"] {
            assert_eq!(attributes.enter(directory.into(), &file), Ok(()), "{directory}");
        }
        assert_eq!(attributes.enter("a/b/c/d/".into(), &file), Err(TooMuch));
    }
}
