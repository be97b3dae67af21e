//! What goes into an archive: the entries of a tree in the order of `git archive`, counted before the
//! first byte is sent, so that one that is over a limit is refused in words.

use crate::conversion::{self, Conversion};
use crate::limits::{
    CACHED_BYTES_MAX, CONTENTS_BYTES_MAX, ENTRIES_MAX, LINK_BYTES_MAX, MADE_BYTES_MAX, NAMES_MAX,
    PATH_BYTES_MAX, PATHS_BYTES_MAX, SUBSTITUTED_SUM_BYTES_MAX, UNCONVERTED_BYTES_MIN,
};
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::ObjectId;
use gix_object::tree::EntryKind;
use lithe_code::attributes::{Attributes, FILE_NAME, State, TooMuch};
use lithe_code::limits::ATTRIBUTES_BYTES_MAX;
use lithe_code::repository::{self, Entry, Repository};
use lithe_web::{Text, t};
use std::vec;

/// The attributes that decide what goes into an archive (git-archive(1), "ATTRIBUTES").
const ATTRIBUTES: [&str; 7] = {
    let [text, crlf, eol, ident, encoding] = conversion::ATTRIBUTES;
    ["export-ignore", "export-subst", text, crlf, eol, ident, encoding]
};

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// From the root of the tree; without a slash at its end.
    pub path: BString,
    pub kind: EntryKind,
    pub id: ObjectId,
    /// Of the contents as they are stored, in bytes; 0 of a directory.
    pub size: u64,
    /// Whether placeholders in it are replaced.
    pub is_substituted: bool,
    /// What becomes of its contents before that.
    pub conversion: Conversion,
}

/// What goes into an archive.
#[derive(Debug)]
pub struct Plan {
    pub entries: Vec<Planned>,
    /// How much the files have together, before placeholders are replaced, in bytes.
    pub contents_bytes: u64,
}

/// The most that an entry takes in an archive beside its path and contents, in bytes: the records of a
/// tar file for a long path and for the entry itself, each filled up.
const ENTRY_BYTES_MAX: u64 = 5 * 512;

/// After how many entries it is said that there is progress.
const ENTRIES_PER_PROGRESS: usize = 1000;

impl Plan {
    /// Whether the archive is small enough to be kept, whatever its format.
    pub fn can_be_kept(&self) -> bool {
        let mut bytes = self.contents_bytes;
        for entry in &self.entries {
            bytes += ENTRY_BYTES_MAX + 2 * entry.path.len() as u64;
        }
        if self.entries.iter().any(|entry| entry.is_substituted) {
            bytes += SUBSTITUTED_SUM_BYTES_MAX;
        }
        bytes <= CACHED_BYTES_MAX
    }
}

/// Why there is no such archive.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.in_words())]
pub enum Error {
    /// Nothing stands at the path.
    NotFound,
    TooManyEntries,
    TooManyBytes,
    /// And it cannot be read piece by piece.
    FileTooLarge,
    LinkTooLong,
    PathTooLong,
    PathsTooLong,
    TooManyPatterns,
    Repository(#[from] repository::Error),
}

impl Error {
    /// The reason, for people: what may stand after a colon.
    pub fn in_words(&self) -> Text {
        let size = |text: Text, bytes: usize| text.with("size", Text::size(bytes as u64));
        match self {
            Self::NotFound => t("nothing stands there"),
            Self::TooManyEntries => {
                t("it has more than {count} files and directories").with("count", ENTRIES_MAX)
            }
            Self::TooManyBytes => {
                t("its files have more than {size} together").with("size", Text::size(CONTENTS_BYTES_MAX))
            }
            Self::FileTooLarge => t(
                "it has a file of more than {size} that is converted or stored as a difference from another",
            )
            .with("size", Text::size(MADE_BYTES_MAX)),
            Self::LinkTooLong => {
                t("it has a symbolic link of more than {size}").with("size", Text::size(LINK_BYTES_MAX))
            }
            Self::PathTooLong => size(t("it has a path of more than {size}"), PATH_BYTES_MAX),
            Self::PathsTooLong => size(t("its paths have more than {size} together"), PATHS_BYTES_MAX),
            Self::TooManyPatterns => t("its .gitattributes have too many patterns"),
            Self::Repository(error) => Text::verbatim(error.to_string()),
        }
    }
}

impl From<TooMuch> for Error {
    fn from(TooMuch: TooMuch) -> Self {
        Self::TooManyPatterns
    }
}

/// Whether a file of that size is converted. The largest are not, as by `git archive`.
pub fn is_converted(conversion: &Conversion, size: u64) -> bool {
    !conversion.is_none() && size < UNCONVERTED_BYTES_MIN
}

/// The entries of the tree, or of what stands at `path` in it together with the directories above.
///
/// `info` is what `info/attributes` of the repository says. `on_progress` is called now and then.
pub fn plan(
    repository: Repository<'_>,
    tree_id: ObjectId,
    path: &BStr,
    info: &[u8],
    on_progress: &dyn Fn(),
) -> Result<Plan, Error> {
    if repository.entry_at(&tree_id, path)?.is_none() {
        return Err(Error::NotFound);
    }
    let mut walk = Walk::new(repository, path, info)?;
    walk.enter(&tree_id, BString::default())?;
    let mut entries = Vec::new();
    while let Some(entry) = walk.next()? {
        if entries.len() % ENTRIES_PER_PROGRESS == ENTRIES_PER_PROGRESS - 1 {
            on_progress();
        }
        if entries.len() == ENTRIES_MAX {
            return Err(Error::TooManyEntries);
        }
        walk.count_path(entry.path.len())?;
        entries.push(entry);
    }
    Ok(Plan { entries, contents_bytes: walk.contents_bytes })
}

struct Walk<'a> {
    repository: Repository<'a>,
    attributes: Attributes,
    /// The directories from the root to where the walk is.
    levels: Vec<Level>,
    /// The names that alone are followed, by depth.
    followed: Vec<BString>,
    contents_bytes: u64,
    /// How many names stand in the directories that were entered.
    names: usize,
    /// How long these and the paths of the archive are together, in bytes.
    paths_bytes: usize,
}

struct Level {
    /// Empty for the root, else with a slash at its end.
    directory: BString,
    entries: vec::IntoIter<Entry>,
}

impl<'a> Walk<'a> {
    fn new(repository: Repository<'a>, path: &BStr, info: &[u8]) -> Result<Self, Error> {
        let followed = match path.is_empty() {
            true => Vec::new(),
            false => path.split_str("/").map(BString::from).collect(),
        };
        Ok(Self {
            repository,
            attributes: Attributes::new(&ATTRIBUTES, info)?,
            levels: Vec::new(),
            followed,
            contents_bytes: 0,
            names: 0,
            paths_bytes: 0,
        })
    }

    fn enter(&mut self, tree_id: &ObjectId, directory: BString) -> Result<(), Error> {
        let mut entries = self.repository.tree(tree_id)?;
        self.names += entries.len();
        if self.names > NAMES_MAX {
            return Err(Error::TooManyEntries);
        }
        self.count_path(entries.iter().map(|entry| entry.name.len()).sum())?;
        self.attributes.leave_for(directory.as_bstr());
        let attributes = entries.iter().find(|entry| entry.name == FILE_NAME && entry.is_blob());
        if let Some(file) = attributes
            && self.repository.header(&file.id)?.1 <= ATTRIBUTES_BYTES_MAX
        {
            let text = self.repository.blob(&file.id, ATTRIBUTES_BYTES_MAX)?;
            self.attributes.enter(directory.as_bstr(), &text)?;
        }
        if let Some(name) = self.followed.get(self.levels.len()) {
            entries.retain(|entry| entry.name == *name);
        }
        self.levels.push(Level { directory, entries: entries.into_iter() });
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Planned>, Error> {
        loop {
            let Some(level) = self.levels.last_mut() else { return Ok(None) };
            let Some(entry) = level.entries.next() else {
                self.levels.pop();
                if let Some(level) = self.levels.last() {
                    self.attributes.leave_for(level.directory.as_bstr());
                }
                continue;
            };
            // What no file can be called, an archive must not call one either.
            if matches!(entry.name.as_slice(), b"" | b"." | b"..") || entry.name.contains(&b'/') {
                continue;
            }
            let mut path = BString::new(Vec::with_capacity(level.directory.len() + entry.name.len()));
            path.extend_from_slice(&level.directory);
            path.extend_from_slice(&entry.name);
            if path.len() > PATH_BYTES_MAX {
                return Err(Error::PathTooLong);
            }
            let kind = entry.mode.kind();
            let is_directory = matches!(kind, EntryKind::Tree | EntryKind::Commit);
            let states = self.attributes.states(path.as_bstr(), is_directory)?;
            if *states.get("export-ignore") == State::Set {
                continue;
            }
            let mut conversion = Conversion::default();
            if matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable) {
                conversion = Conversion::of(&states);
            }
            let size = match kind {
                EntryKind::Tree => {
                    let mut directory = path.clone();
                    directory.push(b'/');
                    self.enter(&entry.id, directory)?;
                    0
                }
                EntryKind::Commit => 0,
                EntryKind::Link => self.count_link(&entry)?,
                EntryKind::Blob | EntryKind::BlobExecutable => self.count_file(&entry, &conversion)?,
            };
            let is_substituted = *states.get("export-subst") == State::Set;
            return Ok(Some(Planned { path, kind, id: entry.id, size, is_substituted, conversion }));
        }
    }

    fn count_path(&mut self, bytes: usize) -> Result<(), Error> {
        self.paths_bytes += bytes;
        if self.paths_bytes > PATHS_BYTES_MAX { Err(Error::PathsTooLong) } else { Ok(()) }
    }

    fn count_link(&mut self, entry: &Entry) -> Result<u64, Error> {
        let size = self.repository.size(&entry.id)?;
        if size > LINK_BYTES_MAX {
            return Err(Error::LinkTooLong);
        }
        self.count(size)?;
        Ok(size)
    }

    fn count_file(&mut self, entry: &Entry, conversion: &Conversion) -> Result<u64, Error> {
        let size = self.repository.size(&entry.id)?;
        let is_converted = is_converted(conversion, size);
        if size > MADE_BYTES_MAX {
            if is_converted {
                return Err(Error::FileTooLarge);
            }
            match self.repository.blob_reader(&entry.id, MADE_BYTES_MAX) {
                Err(repository::Error::TooLarge(_)) => return Err(Error::FileTooLarge),
                reader => drop(reader?),
            }
        }
        // Twice as long is the most that line ends or an encoding make of a text.
        self.count(if is_converted { 2 * size } else { size })?;
        Ok(size)
    }

    fn count(&mut self, bytes: u64) -> Result<(), Error> {
        self.contents_bytes += bytes;
        if self.contents_bytes > CONTENTS_BYTES_MAX { Err(Error::TooManyBytes) } else { Ok(()) }
    }
}
