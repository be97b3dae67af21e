//! Bringing an index up to a commit: which files it has, and what those hold that were not read before.

use super::builder::Builder;
use super::files::Files;
use super::state::{Directory, Named};
use super::{Error, Index, merge, segment};
use crate::limits::{
    CATCH_UP_BYTES_MAX, CATCH_UP_TIME_MAX, FILE_BYTES_MAX, FILES_MAX, HASTY_SEGMENT_BYTES_MAX,
    INDEX_BYTES_MAX, MERGED_SEGMENTS, PATHS_BYTES_MAX, SEGMENT_BYTES_MAX, SEGMENTS_MAX, TREE_BYTES_MAX,
    TREE_DEPTH_MAX, TREES_MAX,
};
use bstr::{BStr, BString};
use gix_hash::{ObjectId, oid};
use gix_object::tree::EntryKind;
use lithe_code::repository::{self, Repository};
use lithe_code::text;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

/// How much is added to an index at once.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// When to stop, after one file at least.
    pub until: Option<Instant>,
    /// The most bytes of files that are read.
    pub bytes_max: u64,
    /// The largest segment that others are merged into, in bytes.
    pub segment_bytes_max: u64,
}

impl Allowance {
    /// What a request adds that somebody waits for.
    pub fn of_request() -> Self {
        Self {
            until: Some(Instant::now() + CATCH_UP_TIME_MAX),
            bytes_max: CATCH_UP_BYTES_MAX,
            segment_bytes_max: HASTY_SEGMENT_BYTES_MAX,
        }
    }

    /// What is done while nobody waits.
    pub fn in_background(until: Instant) -> Self {
        Self { until: Some(until), bytes_max: u64::MAX, segment_bytes_max: SEGMENT_BYTES_MAX }
    }

    /// Everything.
    pub const ALL: Self = Self { until: None, bytes_max: u64::MAX, segment_bytes_max: SEGMENT_BYTES_MAX };

    fn is_used_up(&self, bytes: u64) -> bool {
        bytes >= self.bytes_max || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// The files of a tree, numbered as far as the index knows what they hold.
pub fn files_at(repository: Repository<'_>, index: &Index, tree_id: ObjectId) -> Result<Rc<Files>, Failure> {
    if index.files.tree_id == tree_id {
        return Ok(index.files.clone());
    }
    let mut files = moved(repository, &index.files, tree_id)?;
    if files.unknown_count() > 0 {
        // An index that cannot be read has numbered nothing.
        let numbers = index.documents().unwrap_or_default();
        files.number(|id| numbers.get(id).copied());
    }
    Ok(Rc::new(files))
}

/// Why an index was not brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Repository(#[from] repository::Error),
    #[error("{0}")]
    Index(#[from] Error),
}

/// Brings the index in a directory up to a commit, as far as is allowed, and returns it.
///
/// Several may do this at once: each writes files of its own, and the last one to name its files wins.
pub fn update(
    repository: Repository<'_>,
    directory: &Path,
    index: Rc<Index>,
    commit_id: ObjectId,
    allowance: Allowance,
) -> Result<Rc<Index>, Failure> {
    let is_here = index.state.commit_id == commit_id;
    let is_full = index.state.bytes() >= INDEX_BYTES_MAX || index.state.segments.len() >= SEGMENTS_MAX;
    if is_here && (is_full || index.files.unknown_count() == 0) {
        return Ok(index);
    }
    let tree_id = repository.commit(&commit_id)?.tree_id;
    let mut files = Rc::unwrap_or_clone(files_at(repository, &index, tree_id)?);
    let place = Directory::new(directory);
    place.create().map_err(Error::from)?;
    let mut state = index.state.clone();
    state.commit_id = commit_id;
    if is_wasteful(state.documents(), &files) {
        // Most of what the index knows is gone: to begin anew costs little more than to go on.
        state.segments.clear();
        files = renumbered(files);
    }
    let added = add(repository, &place, &mut state.segments, &files, allowance)?;
    if !added.is_empty() {
        files.number(|id| added.get(id).copied());
    }
    merge_small(&place, &mut state.segments, index.state.object_format, allowance)?;
    state.files = place.new_name("files");
    files.write(&place.path(&state.files)).map_err(Error::from)?;
    place.replace(&state).map_err(Error::from)?;
    let object_format = index.state.object_format;
    Ok(Index::open(directory, object_format).ok_or(Error::Damaged("what was written just now"))?)
}

/// Whether far more documents are known than files are there.
fn is_wasteful(documents: u32, files: &Files) -> bool {
    documents as usize > 4 * files.len() + 10_000
}

fn renumbered(files: Files) -> Files {
    let mut anew = Files::of_tree(files.tree_id);
    anew.is_cut = files.is_cut;
    for file in files.iter() {
        anew.push(file.path, file.id, None);
    }
    anew
}

/// Reads files that the index does not know, and writes what they hold. Returns their numbers.
fn add(
    repository: Repository<'_>,
    place: &Directory,
    segments: &mut Vec<Named>,
    files: &Files,
    allowance: Allowance,
) -> Result<HashMap<ObjectId, u32>, Failure> {
    let mut added = HashMap::new();
    let mut builder = Builder::default();
    let mut next: u32 = segments.iter().map(|segment| segment.documents).sum();
    let mut room = INDEX_BYTES_MAX.saturating_sub(segments.iter().map(|segment| segment.bytes).sum());
    let mut read = 0;
    for file in files.iter().filter(|file| file.document.is_none()) {
        if added.contains_key(&file.id) {
            continue;
        }
        let contents = Contents::read(repository, &file.id)?;
        read += contents.bytes_count();
        builder.add(file.id, contents.text().as_deref());
        added.insert(file.id, next);
        next += 1;
        let is_over = allowance.is_used_up(read);
        if builder.is_full() || is_over {
            room = room.saturating_sub(write(place, &mut builder, segments)?);
        }
        if is_over || room == 0 || segments.len() >= SEGMENTS_MAX {
            break;
        }
    }
    if !builder.is_empty() {
        write(place, &mut builder, segments)?;
    }
    Ok(added)
}

fn write(place: &Directory, builder: &mut Builder, segments: &mut Vec<Named>) -> Result<u64, Error> {
    let (name, documents) = (place.new_name("segment"), builder.len());
    let bytes = builder.write(&place.path(&name))?;
    segments.push(Named { name, documents, bytes });
    Ok(bytes)
}

/// Makes one of the last segments where there are several of a size.
fn merge_small(
    place: &Directory,
    segments: &mut Vec<Named>,
    object_format: gix_hash::Kind,
    allowance: Allowance,
) -> Result<(), Error> {
    while let Some(from) = to_be_merged(segments, allowance.segment_bytes_max) {
        let merged = segments.split_off(from);
        let open =
            |named: &Named| segment::Segment::open(&place.path(&named.name), object_format, named.documents);
        let opened = merged.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let name = place.new_name("segment");
        let bytes = merge::merge(&opened, &place.path(&name))?;
        let documents = merged.iter().map(|named| named.documents).sum();
        segments.push(Named { name, documents, bytes });
        if allowance.until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
    }
    Ok(())
}

/// From which segment on all are to become one: the last ones, if they are many and none of them is much
/// larger than those behind it.
fn to_be_merged(segments: &[Named], bytes_max: u64) -> Option<usize> {
    let (mut from, mut sum) = (segments.len(), 0);
    while let Some(before) = from.checked_sub(1) {
        let bytes = segments[before].bytes;
        let is_large = segments.len() - from >= MERGED_SEGMENTS && bytes > sum;
        if is_large || sum + bytes > bytes_max {
            break;
        }
        sum += bytes;
        from = before;
    }
    (segments.len() - from >= MERGED_SEGMENTS).then_some(from)
}

/// What a file holds.
pub enum Contents {
    Text(std::sync::Arc<Vec<u8>>),
    /// It is not searched: it is no text, too large, or not there.
    Other,
}

impl Contents {
    /// Reads a file, if it is searched.
    pub fn read(repository: Repository<'_>, id: &oid) -> Result<Self, repository::Error> {
        match repository.blob(id, FILE_BYTES_MAX) {
            Ok(bytes) if !text::is_binary(&bytes) => Ok(Self::Text(bytes)),
            // What is missing or damaged keeps nobody from finding what is not.
            Ok(_) => Ok(Self::Other),
            Err(
                repository::Error::TooLarge(_)
                | repository::Error::Missing(_)
                | repository::Error::Damaged(_),
            ) => Ok(Self::Other),
            Err(error) => Err(error),
        }
    }

    /// The text; none if it is not searched.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        let Self::Text(bytes) = self else { return None };
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text))),
            Err(_) => text::decode(bytes).map(|text| Cow::Owned(text.text)),
        }
    }

    /// How many bytes were read.
    pub fn bytes_count(&self) -> u64 {
        match self {
            Self::Text(bytes) => bytes.len() as u64,
            Self::Other => 0,
        }
    }
}

/// The files of another tree: of what both have in common nothing is read.
fn moved(repository: Repository<'_>, files: &Files, tree_id: ObjectId) -> Result<Files, repository::Error> {
    let mut changes = Changes { repository, all: BTreeMap::new(), trees: 0, paths_bytes: 0, is_cut: false };
    let from_nothing = Files::of_tree(files.tree_id);
    // What was cut off before would be missing now; and what was there may be gone.
    let base = match files.is_cut
        || changes.between(Some(files.tree_id), Some(tree_id), &BString::default(), 0).is_err()
    {
        true => {
            changes = Changes { repository, all: BTreeMap::new(), trees: 0, paths_bytes: 0, is_cut: false };
            changes.between(None, Some(tree_id), &BString::default(), 0)?;
            &from_nothing
        }
        false => files,
    };
    Ok(changes.applied(base, tree_id))
}

/// What differs between two trees, by path.
struct Changes<'a> {
    repository: Repository<'a>,
    /// The file that stands there now; none if none does.
    all: BTreeMap<BString, Option<ObjectId>>,
    trees: usize,
    paths_bytes: usize,
    is_cut: bool,
}

impl Changes<'_> {
    fn between(
        &mut self,
        before: Option<ObjectId>,
        now: Option<ObjectId>,
        directory: &BString,
        depth: usize,
    ) -> Result<(), repository::Error> {
        if before == now {
            return Ok(());
        }
        self.trees += 2;
        let is_much =
            self.trees > 2 * TREES_MAX || self.all.len() > FILES_MAX || self.paths_bytes > PATHS_BYTES_MAX;
        if is_much || depth > TREE_DEPTH_MAX {
            self.is_cut = true;
            return Ok(());
        }
        let (before, now) = (self.tree(before)?, self.tree(now)?);
        let mut names: BTreeMap<&BStr, [Option<(EntryKind, ObjectId)>; 2]> = BTreeMap::new();
        for (side, entries) in [&before, &now].into_iter().enumerate() {
            for entry in entries {
                names.entry(entry.name.as_ref()).or_default()[side] = Some((entry.mode.kind(), entry.id));
            }
        }
        for (name, [before, now]) in names {
            if before == now {
                continue;
            }
            let mut path = directory.clone();
            path.extend_from_slice(name);
            let file = |entry: Option<(EntryKind, ObjectId)>| {
                entry
                    .filter(|(kind, _)| matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable))
                    .map(|(_, id)| id)
            };
            let tree = |entry: Option<(EntryKind, ObjectId)>| {
                entry.filter(|(kind, _)| *kind == EntryKind::Tree).map(|(_, id)| id)
            };
            if file(before) != file(now) {
                self.paths_bytes += path.len();
                self.all.insert(path.clone(), file(now));
            }
            path.push(b'/');
            self.between(tree(before), tree(now), &path, depth + 1)?;
        }
        Ok(())
    }

    /// What a directory holds; nothing, if that is too much.
    fn tree(&mut self, id: Option<ObjectId>) -> Result<Vec<repository::Entry>, repository::Error> {
        let Some(id) = id else { return Ok(Vec::new()) };
        let is_empty = id == ObjectId::empty_tree(id.kind());
        if !is_empty && self.repository.header(&id)?.1 > TREE_BYTES_MAX {
            self.is_cut = true;
            return Ok(Vec::new());
        }
        self.repository.tree(&id)
    }

    /// The files with these changes made.
    fn applied(self, base: &Files, tree_id: ObjectId) -> Files {
        let mut files = Files::of_tree(tree_id);
        files.is_cut = self.is_cut;
        let mut changes = self.all.into_iter().peekable();
        let mut kept = base.iter().peekable();
        loop {
            let is_change = match (changes.peek(), kept.peek()) {
                (None, None) => return files,
                (Some((path, _)), Some(file)) if *path == file.path => {
                    kept.next();
                    true
                }
                (Some((path, _)), Some(file)) => AsRef::<BStr>::as_ref(path) < file.path,
                (change, _) => change.is_some(),
            };
            if files.len() >= FILES_MAX || files.paths_bytes() >= PATHS_BYTES_MAX {
                files.is_cut = true;
                return files;
            }
            if is_change {
                if let Some((path, Some(id))) = changes.next() {
                    files.push(path.as_ref(), id, None);
                }
            } else if let Some(file) = kept.next() {
                files.push(file.path, file.id, file.document);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_a_size_become_one() {
        let from = |sizes: &[u64], bytes_max| {
            let named = |bytes: &u64| Named { name: String::new(), documents: 1, bytes: *bytes };
            to_be_merged(&sizes.iter().map(named).collect::<Vec<_>>(), bytes_max)
        };
        assert_eq!(from(&[1; 7], 1_000), None);
        assert_eq!(from(&[1; 8], 1_000), Some(0));
        assert_eq!(from(&[100, 1, 1, 1, 1, 1, 1, 1, 1], 1_000), Some(1));
        assert_eq!(from(&[8, 1, 1, 1, 1, 1, 1, 1, 1], 1_000), Some(0));
        assert_eq!(from(&[100; 9], 850), Some(1));
        assert_eq!(from(&[100; 9], 750), None);
    }
}
