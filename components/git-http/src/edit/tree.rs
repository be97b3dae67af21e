//! What a change of files makes of a tree: the objects that are new.

use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::{ObjectId, oid};
use gix_object::tree::{Entry, EntryKind, EntryMode};
use gix_object::{Kind, Tree, WriteTo as _};
use lithe_code::repository::{Error, Repository};
use lithe_code::text;
use lithe_web::{Text, t};
use std::collections::{BTreeMap, HashSet};

/// What becomes of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub path: BString,
    /// The file that is to be there; none: nothing is.
    pub file: Option<File>,
}

/// A file that is to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub kind: EntryKind,
    pub contents: Contents,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    Bytes(Vec<u8>),
    /// An object that the repository has.
    Stored(ObjectId),
}

/// Why files cannot be changed so.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.in_words())]
pub enum TreeError {
    NotADirectory(BString),
    IsADirectory(BString),
    Repository(#[from] Error),
}

impl TreeError {
    /// The reason, for people.
    pub fn in_words(&self) -> Text {
        match self {
            Self::NotADirectory(path) => {
                t("“{path}” is a file, so there can be nothing below it.").with("path", text::visible(path))
            }
            Self::IsADirectory(path) => t("“{path}” is a directory.").with("path", text::visible(path)),
            Self::Repository(error) => Text::verbatim(error.to_string()),
        }
    }
}

/// A tree, and the objects that have to be stored for it.
#[derive(Debug)]
pub struct Made {
    pub tree_id: ObjectId,
    pub objects: Vec<(Kind, Vec<u8>)>,
}

/// Changes files below a tree; none: there is nothing yet. A directory without files is none.
pub fn change(
    repository: Repository<'_>,
    tree_id: Option<&oid>,
    changes: &[Change],
) -> Result<Made, TreeError> {
    let mut maker = Maker { repository, objects: Vec::new(), ids: HashSet::new() };
    let leaves = changes.iter().map(|change| {
        let leaf = change.file.as_ref().map(|file| {
            let id = match &file.contents {
                Contents::Stored(id) => *id,
                Contents::Bytes(bytes) => maker.put(Kind::Blob, bytes.clone()),
            };
            (EntryMode::from(file.kind), id)
        });
        (change.path.as_bstr(), leaf)
    });
    let leaves = leaves.collect();
    let tree_id = match maker.directory(tree_id, "".into(), leaves)? {
        Some(tree_id) => tree_id,
        None => maker.put(Kind::Tree, Vec::new()),
    };
    Ok(Made { tree_id, objects: maker.objects })
}

/// The mode and id of what is to be at a path; none: nothing.
type Leaf = Option<(EntryMode, ObjectId)>;

struct Maker<'a> {
    repository: Repository<'a>,
    objects: Vec<(Kind, Vec<u8>)>,
    /// Theirs: a pack has no object twice, and two files may hold the same.
    ids: HashSet<ObjectId>,
}

impl Maker<'_> {
    fn put(&mut self, kind: Kind, data: Vec<u8>) -> ObjectId {
        let id = gix_object::compute_hash(self.repository.objects.format(), kind, &data)
            .expect("what was made here is no attack on the digest");
        if self.ids.insert(id) {
            self.objects.push((kind, data));
        }
        id
    }

    /// Changes a directory; none is left of it if no file is. `above` is its path, and ends with a slash
    /// unless it is the root.
    fn directory(
        &mut self,
        tree_id: Option<&oid>,
        above: &BStr,
        leaves: Vec<(&BStr, Leaf)>,
    ) -> Result<Option<ObjectId>, TreeError> {
        let stored = tree_id.map(|id| self.repository.tree(id)).transpose()?.unwrap_or_default();
        let mut entries: BTreeMap<BString, (EntryMode, ObjectId)> =
            stored.into_iter().map(|entry| (entry.name, (entry.mode, entry.id))).collect();
        let mut below: BTreeMap<&BStr, Vec<(&BStr, Leaf)>> = BTreeMap::new();
        // Files go before others come, so that a directory can take the place of a file.
        let (removed, put): (Vec<_>, Vec<_>) = leaves.into_iter().partition(|(_, leaf)| leaf.is_none());
        for (path, leaf) in removed.into_iter().chain(put) {
            let Some((name, rest)) = path.split_once_str("/") else {
                let name = path.to_owned();
                if entries.get(&name).is_some_and(|(mode, _)| mode.is_tree()) {
                    return Err(TreeError::IsADirectory(joined(above, path)));
                }
                match leaf {
                    Some(entry) => entries.insert(name, entry),
                    None => entries.remove(&name),
                };
                continue;
            };
            below.entry(name.as_bstr()).or_default().push((rest.as_bstr(), leaf));
        }
        for (name, leaves) in below {
            let path = joined(above, name);
            let subtree = match entries.get(name.as_bytes().as_bstr()) {
                None => None,
                Some((mode, id)) if mode.is_tree() => Some(*id),
                Some(_) => return Err(TreeError::NotADirectory(path)),
            };
            let above = [path.as_bytes(), b"/"].concat();
            match self.directory(subtree.as_deref(), above.as_bstr(), leaves)? {
                Some(id) => entries.insert(name.to_owned(), (EntryKind::Tree.into(), id)),
                None => entries.remove(name.as_bytes().as_bstr()),
            };
        }
        Ok(self.tree(entries))
    }

    fn tree(&mut self, entries: BTreeMap<BString, (EntryMode, ObjectId)>) -> Option<ObjectId> {
        let entry = |(filename, (mode, oid))| Entry { mode, filename, oid };
        let mut tree = Tree { entries: entries.into_iter().map(entry).collect() };
        if tree.entries.is_empty() {
            return None;
        }
        tree.entries.sort();
        let mut data = Vec::new();
        tree.write_to(&mut data).expect("names come from a tree or were checked, and memory takes them");
        Some(self.put(Kind::Tree, data))
    }
}

fn joined(above: &BStr, name: &BStr) -> BString {
    [above.as_bytes(), name.as_bytes()].concat().into()
}
