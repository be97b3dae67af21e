//! What `.gitattributes` files say about the paths of a tree (gitattributes(5)).

use crate::limits::{
    ATTRIBUTE_NAMES_MAX, ATTRIBUTES_BYTES_MAX, ATTRIBUTES_LINE_BYTES_MAX, ATTRIBUTES_SUM_BYTES_MAX,
    DOUBLE_STARS_MAX, MATCHING_STEPS_MAX,
};
use crate::repository::{self, Repository};
use bstr::{BStr, BString, ByteSlice as _};
use gix_attributes::parse::Kind;
use gix_attributes::search::{MetadataCollection, Outcome};
use gix_attributes::{Search, StateRef};
use gix_glob::Pattern;
use gix_glob::pattern::Case;
use gix_hash::{ObjectId, oid};
use std::collections::HashSet;
use std::path::PathBuf;

/// The name of the files.
pub const FILE_NAME: &str = ".gitattributes";

/// The macro that every repository has.
const BUILT_IN: &[u8] = b"[attr]binary -diff -merge -text\n";

/// What it is about.
const BUILT_IN_NAMES: [&str; 4] = ["binary", "diff", "merge", "text"];

/// What is said of one attribute of a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum State {
    #[default]
    Unspecified,
    Set,
    Unset,
    Value(BString),
}

impl State {
    /// Whether it says yes or no; `=true` and `=false` do too. None: neither.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Set => Some(true),
            Self::Unset => Some(false),
            Self::Value(value) if value == "true" => Some(true),
            Self::Value(value) if value == "false" => Some(false),
            Self::Unspecified | Self::Value(_) => None,
        }
    }
}

/// What is said of the attributes of a path that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct States {
    names: &'static [&'static str],
    /// As many as names; or none, if nothing is said of any.
    states: Vec<State>,
}

impl States {
    /// What is said of an attribute.
    pub fn get(&self, name: &str) -> &State {
        let index = self.names.iter().position(|own| *own == name);
        index.and_then(|index| self.states.get(index)).unwrap_or(&State::Unspecified)
    }
}

/// The files say more than is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuch;

/// The `.gitattributes` on the way from the root to one directory, and `info/attributes`, which comes before them.
pub struct Attributes {
    /// What is asked for.
    wanted: &'static [&'static str],
    files: Vec<File>,
    info: Option<File>,
    info_text: Vec<u8>,
    /// What macros there are.
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
    /// Of the attributes of these names, with what `info/attributes` of the repository says.
    pub fn new(wanted: &'static [&'static str], info: &[u8]) -> Result<Self, TooMuch> {
        let mut attributes = Self {
            wanted,
            files: Vec::new(),
            info: None,
            info_text: info.to_vec(),
            macros: macros(BUILT_IN).chain(macros(info)).collect(),
            names: MetadataCollection::default(),
            names_count: 0,
            found: Outcome::default(),
            steps: 0,
        };
        if wanted.iter().any(|name| BUILT_IN_NAMES.contains(name)) {
            attributes.read("".into(), BUILT_IN, true);
        }
        attributes.read_info()?;
        Ok(attributes)
    }

    /// Adds the file with that text, in a directory below all that were added and not left.
    pub fn enter(&mut self, directory: &BStr, text: &[u8]) -> Result<(), TooMuch> {
        let is_root = directory.is_empty();
        if is_root {
            self.macros.extend(macros(text));
        }
        let Some(file) = self.read(directory, text, is_root) else { return Ok(()) };
        let lines_bytes = file.cost.lines_bytes;
        self.files.push(file);
        self.check()?;
        if is_root {
            // The macros of `info/attributes` count, where both have one of a name.
            self.read_info()?;
        }
        self.charge(self.names_count as u64 + lines_bytes)
    }

    fn read_info(&mut self) -> Result<(), TooMuch> {
        let text = std::mem::take(&mut self.info_text);
        self.info = self.read("".into(), &text, true);
        self.info_text = text;
        self.check()
    }

    /// Reads what matters of a file; none if nothing does.
    fn read(&mut self, directory: &BStr, text: &[u8], has_macros: bool) -> Option<File> {
        let (lines, cost) = self.lines(text, has_macros);
        if lines.is_empty() {
            return None;
        }
        let mut search = Search::default();
        // The name stands in warnings alone. Without a root, patterns are matched with what they are
        // given, so that no path has to be one of this system's.
        search.add_patterns_buffer(&lines, PathBuf::new(), None, &mut self.names, has_macros).ok()?;
        self.names_count = self.names.iter().count();
        // What was found is made anew: it would keep the macros as they were.
        self.found = Outcome::default();
        self.found.initialize_with_selection(&self.names, self.wanted);
        Some(File { directory: directory.into(), search, cost })
    }

    /// Whether the names and lines are within their limits.
    fn check(&self) -> Result<(), TooMuch> {
        let bytes = self.all().map(|file| file.cost.lines_bytes).sum::<u64>();
        let is_too_much = self.names_count > ATTRIBUTE_NAMES_MAX || bytes > ATTRIBUTES_SUM_BYTES_MAX;
        if is_too_much { Err(TooMuch) } else { Ok(()) }
    }

    /// All files, those first whose lines count most.
    fn all(&self) -> impl Iterator<Item = &File> {
        self.info.iter().chain(self.files.iter().rev())
    }

    /// Whether no path can have any of the attributes.
    pub fn is_empty(&self) -> bool {
        self.info.is_none() && self.files.is_empty()
    }

    /// The lines of a file that decide what is asked for, and what it takes to match a path.
    fn lines(&self, text: &[u8], has_macros: bool) -> (Vec<u8>, Cost) {
        let mut lines = Vec::new();
        let mut cost = Cost::default();
        for line in text.lines_with_terminator() {
            match parse(line) {
                Some((Kind::Macro(_), _)) if has_macros => cost.lines_bytes += line.len() as u64,
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
        self.wanted.contains(&name) || self.macros.contains(name)
    }

    fn charge(&mut self, steps: u64) -> Result<(), TooMuch> {
        self.steps += steps;
        if self.steps > MATCHING_STEPS_MAX { Err(TooMuch) } else { Ok(()) }
    }

    /// Forgets the files that are not above `directory` (with a slash at its end), or in it.
    pub fn leave_for(&mut self, directory: &BStr) {
        self.files.retain(|file| directory.starts_with(&file.directory));
    }

    /// What is said of a path below the directories that were entered.
    pub fn states(&mut self, path: &BStr, is_directory: bool) -> Result<States, TooMuch> {
        if self.is_empty() {
            return Ok(States::default());
        }
        let steps = self.all().map(|file| file.cost.of(path)).sum::<u64>();
        self.charge(self.names_count as u64 + steps)?;
        self.found.reset();
        for File { directory, search, .. } in self.info.iter().chain(self.files.iter().rev()) {
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
        let state = |state: StateRef<'_>| match state {
            StateRef::Unspecified => State::Unspecified,
            StateRef::Set => State::Set,
            StateRef::Unset => State::Unset,
            StateRef::Value(value) => State::Value(value.as_bstr().into()),
        };
        let states = self.found.iter_selected().map(|found| state(found.assignment.state)).collect();
        Ok(States { names: self.wanted, states })
    }
}

/// The attributes of the files of a tree, whichever are asked for: the files that say something about one are read
/// when it is asked for. Where they say more than is matched, they say nothing.
pub struct TreeAttributes<'a> {
    repository: Repository<'a>,
    attributes: Attributes,
    /// The directories on the way to the path that was asked for last, with a slash at the end, and their trees; none
    /// where there is no directory.
    entered: Vec<(BString, Option<ObjectId>)>,
    is_given_up: bool,
}

impl<'a> TreeAttributes<'a> {
    /// Of the attributes of these names, in that tree.
    pub fn new(
        repository: Repository<'a>,
        tree_id: &oid,
        wanted: &'static [&'static str],
    ) -> Result<Self, repository::Error> {
        let attributes = Attributes::new(wanted, &[]).expect("nothing is said yet");
        let mut tree = Self { repository, attributes, entered: Vec::new(), is_given_up: false };
        tree.enter(BString::default(), Some(tree_id.to_owned()))?;
        Ok(tree)
    }

    /// What is said of the file at a path.
    pub fn of(&mut self, path: &BStr) -> Result<States, repository::Error> {
        while self.entered.last().is_some_and(|(directory, _)| !path.starts_with(directory)) {
            self.entered.pop();
        }
        let (last, _) = self.entered.last().expect("every path is below the root");
        self.attributes.leave_for(last.as_bstr());
        while let Some((above, tree_id)) = self.entered.last()
            && let Some(length) = path[above.len()..].find_byte(b'/')
        {
            let name = path[above.len()..above.len() + length].as_bstr();
            let entry = match tree_id {
                Some(tree_id) => self.repository.entry_at(tree_id, name)?,
                None => None,
            };
            let tree_id = entry.filter(|entry| entry.is_tree()).map(|entry| entry.id);
            self.enter(path[..above.len() + length + 1].into(), tree_id)?;
        }
        if self.is_given_up {
            return Ok(States::default());
        }
        let states = self.attributes.states(path, false);
        Ok(states.unwrap_or_else(|TooMuch| {
            self.is_given_up = true;
            States::default()
        }))
    }

    fn enter(&mut self, directory: BString, tree_id: Option<ObjectId>) -> Result<(), repository::Error> {
        if let Some(tree_id) = tree_id
            && !self.is_given_up
            && let Some(text) = text_in(self.repository, &tree_id)?
        {
            self.is_given_up = self.attributes.enter(directory.as_bstr(), &text).is_err();
        }
        self.entered.push((directory, tree_id));
        Ok(())
    }
}

/// The text of the file in a directory; none if there is none, or it is too large.
pub fn text_in(
    repository: Repository<'_>,
    tree_id: &oid,
) -> Result<Option<std::sync::Arc<Vec<u8>>>, repository::Error> {
    let file = repository.entry_at(tree_id, FILE_NAME.into())?;
    let Some(file) = file.filter(|file| file.is_blob()) else { return Ok(None) };
    match repository.header(&file.id)?.1 <= ATTRIBUTES_BYTES_MAX {
        true => repository.blob(&file.id, ATTRIBUTES_BYTES_MAX).map(Some),
        false => Ok(None),
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
fn macros(text: &[u8]) -> impl Iterator<Item = String> {
    let kinds = text.lines_with_terminator().filter_map(parse).map(|(kind, _)| kind);
    let name = |kind| match kind {
        Kind::Macro(name) => Some(name.as_str().to_owned()),
        Kind::Pattern(_) => None,
    };
    kinds.filter_map(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archived() -> Attributes {
        Attributes::new(&["export-ignore", "export-subst"], &[]).expect("it says nothing")
    }

    #[test]
    fn the_nearest_file_and_its_last_line_decide() {
        let mut attributes = archived();
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
            assert_eq!(
                attributes.states(path.into(), is_directory).unwrap().get("export-ignore") == &State::Set,
                is_ignored,
                "{path}"
            );
        }
        assert!(attributes.states("sub/v".into(), false).unwrap().get("export-subst") == &State::Set);
        attributes.leave_for("b/".into());
        assert!(attributes.states("a/y.c".into(), false).unwrap().get("export-ignore") != &State::Set);
        assert!(attributes.states("b/y.md".into(), false).unwrap().get("export-ignore") == &State::Set);
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
            let mut attributes = archived();
            attributes.enter("".into(), text.as_bytes()).unwrap();
            assert_eq!(
                attributes.states(path.as_str().into(), false).unwrap().get("export-ignore") == &State::Set,
                is_ignored,
                "{text}"
            );
        }
    }

    #[test]
    fn only_lines_that_matter_cost_anything() {
        let mut attributes = archived();
        attributes.enter("".into(), b"*.c text\n*.h diff=c\n".repeat(1000).as_slice()).unwrap();
        attributes.states("a.c".into(), false).unwrap();
        assert_eq!(attributes.steps, 0);
    }

    #[test]
    fn matching_ends_at_its_limits() {
        let mut attributes = archived();
        attributes.enter("".into(), b"ab*c export-ignore\n").unwrap();
        let before = attributes.steps;
        attributes.states("0123456789".into(), false).unwrap();
        let steps = attributes.steps - before;
        assert!(steps >= 4 * 10);
        attributes.steps = MATCHING_STEPS_MAX - steps;
        assert!(attributes.states("0123456789".into(), false).is_ok());
        assert_eq!(attributes.states("0123456789".into(), false), Err(TooMuch));

        // `export-ignore` is one of the names.
        let names = |count: usize| -> String {
            (0..count).map(|number| format!("[attr]n{number} export-ignore\n")).collect()
        };
        let enter = |text: &str| archived().enter("".into(), text.as_bytes());
        assert_eq!(enter(&names(ATTRIBUTE_NAMES_MAX - 1)), Ok(()));
        assert_eq!(enter(&names(ATTRIBUTE_NAMES_MAX)), Err(TooMuch));

        let mut attributes = archived();
        let line = b"0123456789abcdef export-ignore-not export-ignore\n";
        let file = line.repeat((ATTRIBUTES_SUM_BYTES_MAX / 4) as usize / line.len());
        for directory in ["", "a/", "a/b/", "a/b/c/"] {
            assert_eq!(attributes.enter(directory.into(), &file), Ok(()), "{directory}");
        }
        assert_eq!(attributes.enter("a/b/c/d/".into(), &file), Err(TooMuch));
    }
}
