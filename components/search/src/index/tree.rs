//! The files of a tree, as what an index is of.

use super::contents::Contents;
use super::files::Files;
use super::update::Source;
use crate::limits::{FILES_MAX, PATHS_BYTES_MAX, TREE_BYTES_MAX, TREE_DEPTH_MAX, TREES_MAX};
use bstr::{BStr, BString};
use gix_hash::{ObjectId, oid};
use gix_object::tree::EntryKind;
use lithe_code::repository::{self, Repository};
use std::collections::BTreeMap;

/// The files of a repository.
pub struct Trees<'a>(pub Repository<'a>);

impl Source for Trees<'_> {
    fn name(&self) -> &'static str {
        "files"
    }

    fn root(&self, commit_id: &oid) -> Result<ObjectId, repository::Error> {
        Ok(self.0.commit(commit_id)?.tree_id)
    }

    fn list(&self, base: &Files, root_id: ObjectId) -> Result<Files, repository::Error> {
        moved(self.0, base, root_id)
    }

    fn read(&self, id: &oid) -> Result<Contents, repository::Error> {
        Contents::of_file(self.0, id)
    }
}

/// The files of a tree; of what it has in common with another, nothing is read.
fn moved(repository: Repository<'_>, files: &Files, tree_id: ObjectId) -> Result<Files, repository::Error> {
    let before = (!files.root_id.is_null()).then_some(files.root_id);
    let mut changes = Changes { repository, all: BTreeMap::new(), trees: 0, paths_bytes: 0, is_cut: false };
    let from_nothing = Files::of_root(files.root_id);
    // What was cut off before would be missing now; and what was there may be gone.
    let base = match files.is_cut || changes.between(before, Some(tree_id), &BString::default(), 0).is_err() {
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
        let mut files = Files::of_root(tree_id);
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
