//! Bringing an index up to a commit: which files it has, and what those hold that were not read before.

use super::builder::Builder;
use super::contents::Contents;
use super::files::Files;
use super::state::{Directory, Named};
use super::{Error, Index, merge, segment};
use crate::limits::{
    CATCH_UP_BYTES_MAX, CATCH_UP_TIME_MAX, HASTY_SEGMENT_BYTES_MAX, INDEX_BYTES_MAX, MERGED_SEGMENTS,
    SEGMENT_BYTES_MAX, SEGMENTS_MAX,
};
use gix_hash::{ObjectId, oid};
use lithe_code::repository;
use std::collections::HashMap;
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

/// What an index is of.
pub trait Source {
    /// What its indexes are called.
    fn name(&self) -> &'static str;

    /// What there is at a commit: a tree, or the commit itself.
    fn root(&self, commit_id: &oid) -> Result<ObjectId, repository::Error>;

    /// What may be found at the root; what it has in common with `base` keeps its number.
    fn list(&self, base: &Files, root_id: ObjectId) -> Result<Files, repository::Error>;

    /// What one of those holds.
    fn read(&self, id: &oid) -> Result<Contents, repository::Error>;
}

/// What may be found at a root, numbered as far as the index knows what it holds.
pub fn files_at(
    source: &dyn Source,
    index: &Index,
    root_id: ObjectId,
) -> Result<Rc<Files>, repository::Error> {
    if index.files.root_id == root_id {
        return Ok(index.files.clone());
    }
    let mut files = source.list(&index.files, root_id)?;
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
    source: &dyn Source,
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
    let root_id = source.root(&commit_id)?;
    let mut files = Rc::unwrap_or_clone(files_at(source, &index, root_id)?);
    let place = Directory::new(directory);
    place.create().map_err(Error::from)?;
    let mut state = index.state.clone();
    state.commit_id = commit_id;
    if is_wasteful(state.documents(), &files) {
        // Most of what the index knows is gone: to begin anew costs little more than to go on.
        state.segments.clear();
        files = renumbered(files);
    }
    let added = add(source, &place, &mut state.segments, &files, allowance)?;
    if !added.is_empty() {
        files.number(|id| added.get(id).copied());
    }
    merge_small(&place, &mut state.segments, index.state.object_format, allowance)?;
    state.unknown = files.unknown_count();
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
    let mut anew = Files::of_root(files.root_id);
    anew.is_cut = files.is_cut;
    for file in files.iter() {
        anew.push(file.path, file.id, None);
    }
    anew
}

/// Reads files that the index does not know, and writes what they hold. Returns their numbers.
fn add(
    source: &dyn Source,
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
        let contents = source.read(&file.id)?;
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
