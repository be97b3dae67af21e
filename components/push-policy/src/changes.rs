//! What a commit changes.

use crate::Error;
use crate::limits::{PARENTS_COMPARED_MAX, PATH_BYTES_MAX};
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use lithe_git::proposed::Objects;
use lithe_git::walk::{Commit, Entries};
use std::collections::HashMap;

/// A file, symbolic link or submodule that is added or changed.
pub struct Added<'a> {
    pub path: &'a [u8],
    pub id: ObjectId,
    /// Whether it is a submodule, whose commit lies elsewhere.
    pub is_submodule: bool,
}

/// Calls `visit` for everything in a commit that none of its parents has in the same place, until
/// that returns false.
pub fn of_commit(
    objects: &Objects,
    id: &oid,
    visit: &mut dyn FnMut(Added) -> Result<bool, Error>,
) -> Result<(), Error> {
    let Commit { tree, parents, .. } = objects.commit(id)?;
    let mut before = Vec::new();
    for parent in parents.iter().take(PARENTS_COMPARED_MAX) {
        // Where a shallow repository ends there is nothing to compare with.
        if let Ok(parent) = objects.commit(parent) {
            before.push(parent.tree);
        }
    }
    of_tree(objects, id, tree, before, visit)
}

/// As [`of_commit`], for a tree; `root` is for errors.
pub fn of_tree(
    objects: &Objects,
    root: &oid,
    tree: ObjectId,
    before: Vec<ObjectId>,
    visit: &mut dyn FnMut(Added) -> Result<bool, Error>,
) -> Result<(), Error> {
    let mut left = vec![(Vec::new(), tree, before)];
    while let Some((prefix, tree, before)) = left.pop() {
        if before.contains(&tree) {
            continue;
        }
        let former =
            before.iter().map(|tree| entries_by_name(objects, tree)).collect::<Result<Vec<_>, _>>()?;
        let data = objects.object_of(&tree, Kind::Tree)?;
        for entry in Entries::new(&tree, &data) {
            let entry = entry?;
            let id = ObjectId::from(entry.id);
            let same_name = former.iter().filter_map(|entries| entries.get(entry.name));
            if same_name.clone().any(|before| *before == (entry.mode, id)) {
                continue;
            }
            let mut path = prefix.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(entry.name);
            if path.len() > PATH_BYTES_MAX {
                return Err(Error::PathTooLong { commit: root.to_string() });
            }
            if entry.is_tree() {
                let before = same_name.filter(|(mode, _)| is_tree(*mode)).map(|(_, id)| *id).collect();
                left.push((path, id, before));
            } else if !visit(Added { path: &path, id, is_submodule: entry.is_gitlink() })? {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn is_tree(mode: u32) -> bool {
    mode & 0o170_000 == 0o040_000
}

fn entries_by_name(objects: &Objects, tree: &oid) -> Result<HashMap<Vec<u8>, (u32, ObjectId)>, Error> {
    let data = objects.object_of(tree, Kind::Tree)?;
    let entries = Entries::new(tree, &data);
    entries
        .map(|entry| {
            let entry = entry?;
            Ok((entry.name.to_vec(), (entry.mode, ObjectId::from(entry.id))))
        })
        .collect()
}
