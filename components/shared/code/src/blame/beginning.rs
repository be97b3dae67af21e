//! The commit that the search for a file's lines begins at: the last one back to which nothing was done to the file.
//!
//! What is found from there is the same as from any commit above it, so that it can be kept by it.

use crate::limits::BLAME_PARENTS_MAX;
use crate::renames::is_file;
use crate::repository::{Error, Repository};
use crate::walk::{Budget, Node};
use bstr::BStr;
use gix_hash::{ObjectId, oid};
use lithe_git::commit_graph::PathKeys;

/// How far a file was followed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning {
    /// A commit with the very same file at the same path, and no parent with it unless the budget was spent.
    pub commit_id: ObjectId,
    /// How many commits were passed by on the way there.
    pub passed: usize,
    /// Of how many the trees were looked at.
    pub read: usize,
    /// Whether the way ends there, and not the budget.
    pub is_whole: bool,
}

/// Follows the file of that id at a path through parents that have it too, as [`super::Blame::advance`] passes all of
/// its lines on to them.
pub fn beginning(
    repository: Repository<'_>,
    commit_id: ObjectId,
    path: &BStr,
    blob_id: &oid,
    budget: Budget,
) -> Result<Beginning, Error> {
    let graph = repository.objects.commit_graph();
    let keys = PathKeys::new(path);
    let mut found = Beginning { commit_id, passed: 0, read: 0, is_whole: false };
    let mut node = Node::read(repository, &commit_id)?;
    while budget.allows(found.read, found.passed) {
        let stride = budget.stride(found.passed);
        let passed = graph.and_then(|graph| graph.pass(&found.commit_id, &[&keys], None, stride));
        if let Some(passed) = passed
            && let Some(there) = Node::find(repository, &passed.id)?
        {
            (found.commit_id, node) = (passed.id, there);
            found.passed += passed.commits;
            continue;
        }
        found.read += 1;
        let next = with_file(repository, &node, path, blob_id)?;
        let Some((id, parent)) = next else {
            found.is_whole = true;
            break;
        };
        (found.commit_id, node) = (id, parent);
        found.passed += 1;
    }
    Ok(found)
}

/// The first parent that has the file too.
fn with_file(
    repository: Repository<'_>,
    node: &Node,
    path: &BStr,
    blob_id: &oid,
) -> Result<Option<(ObjectId, Node)>, Error> {
    for id in node.parent_ids.iter().take(BLAME_PARENTS_MAX) {
        let Some(parent) = Node::find(repository, id)? else { continue };
        let entry = repository.entry_at(&parent.tree_id, path)?;
        if entry.is_some_and(|entry| is_file(entry.mode.kind()) && *entry.id == *blob_id) {
            return Ok(Some((*id, parent)));
        }
    }
    Ok(None)
}
