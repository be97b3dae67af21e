//! Where symbolic links lead within a tree, as an operating system would follow them, and never out of it.

use crate::limits::{SYMLINK_BYTES_MAX, SYMLINK_SEGMENTS_MAX, SYMLINKS_FOLLOWED_MAX};
use crate::repository::{Entry, Error, Repository};
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::{ObjectId, oid};
use gix_object::tree::EntryKind;
use std::collections::VecDeque;

/// What stands at a path below a tree once every symbolic link on the way, and at its end, was followed: its own path,
/// and the entry, which is a file or a directory. None if that is nothing, or outside of the tree, or if the links go in
/// circles or are too many.
pub fn follow(
    repository: Repository<'_>,
    tree_id: &oid,
    path: &BStr,
) -> Result<Option<(BString, Entry)>, Error> {
    let root = Entry { name: BString::default(), mode: EntryKind::Tree.into(), id: tree_id.to_owned() };
    let mut left: VecDeque<BString> = path.split_str("/").map(BString::from).collect();
    let mut above: Vec<Entry> = vec![root];
    let mut followed = 0;
    while let Some(segment) = left.pop_front() {
        if left.len() > SYMLINK_SEGMENTS_MAX {
            return Ok(None);
        }
        match segment.as_slice() {
            b"" | b"." => continue,
            // The root has nothing above it.
            b".." if above.len() == 1 => return Ok(None),
            b".." => {
                above.pop();
                continue;
            }
            _ => {}
        }
        let directory = above.last().expect("the root stays").id;
        let Some(entry) = repository.entry_at(&directory, segment.as_bstr())? else { return Ok(None) };
        match entry.mode.kind() {
            EntryKind::Tree => above.push(entry),
            EntryKind::Blob | EntryKind::BlobExecutable if left.is_empty() => {
                above.push(entry);
                break;
            }
            EntryKind::Link if followed < SYMLINKS_FOLLOWED_MAX => {
                followed += 1;
                let Some(target) = target(repository, &entry.id)? else { return Ok(None) };
                for segment in target.rsplit_str("/") {
                    left.push_front(segment.into());
                }
            }
            EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link | EntryKind::Commit => {
                return Ok(None);
            }
        }
    }
    let path = bstr::join("/", above.iter().skip(1).map(|entry| &entry.name));
    Ok(above.pop().map(|entry| (path.into(), entry)))
}

/// The path that a symbolic link holds, from where it stands; none if it begins at the root of a file system.
fn target(repository: Repository<'_>, id: &ObjectId) -> Result<Option<BString>, Error> {
    match repository.blob(id, SYMLINK_BYTES_MAX) {
        Ok(target) if target.is_empty() || target.starts_with(b"/") => Ok(None),
        Ok(target) => Ok(Some(target.as_slice().into())),
        Err(Error::TooLarge(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
