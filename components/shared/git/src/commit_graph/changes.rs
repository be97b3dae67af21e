//! Which paths a commit changed.

use super::filter::CHANGED_PATHS_MAX;
use crate::odb::{Error, Store};
use crate::walk::{Entries, Entry};
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

/// The files that differ between two trees, and the directories above them; without a tree before,
/// all files of the second one. None: there are more than [`CHANGED_PATHS_MAX`].
pub(super) fn between(
    store: &Store,
    before: Option<&oid>,
    after: &oid,
) -> Result<Option<HashSet<Vec<u8>>>, Error> {
    let mut changes = Changes { store, files: 0, paths: HashSet::new() };
    let mut directories =
        vec![Pair { path: Vec::new(), before: before.map(ObjectId::from), after: Some(after.into()) }];
    while let Some(pair) = directories.pop() {
        changes.compare(pair, &mut directories)?;
        if changes.files > CHANGED_PATHS_MAX {
            return Ok(None);
        }
    }
    Ok((changes.paths.len() <= CHANGED_PATHS_MAX).then_some(changes.paths))
}

/// A directory that differs.
struct Pair {
    path: Vec<u8>,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
}

struct Changes<'a> {
    store: &'a Store,
    files: usize,
    paths: HashSet<Vec<u8>>,
}

impl Changes<'_> {
    /// Takes the files of one directory into account, and leaves those below it for later.
    fn compare(&mut self, pair: Pair, directories: &mut Vec<Pair>) -> Result<(), Error> {
        let Pair { path, before, after } = pair;
        let (before_data, after_data) = (self.tree(before.as_deref())?, self.tree(after.as_deref())?);
        let mut before = SortedEntries::new(before.as_deref(), before_data.as_deref());
        let mut after = SortedEntries::new(after.as_deref(), after_data.as_deref());
        while self.files <= CHANGED_PATHS_MAX {
            let (old, new) = match (before.peek()?, after.peek()?) {
                (None, None) => break,
                (old, None) => (old, None),
                (None, new) => (None, new),
                (Some(old), Some(new)) => match order(&old, &new) {
                    Ordering::Less => (Some(old), None),
                    Ordering::Equal => (Some(old), Some(new)),
                    Ordering::Greater => (None, Some(new)),
                },
            };
            before.next_if(old.is_some());
            after.next_if(new.is_some());
            self.entry(&path, old, new, directories);
        }
        Ok(())
    }

    fn entry(
        &mut self,
        directory: &[u8],
        old: Option<Entry>,
        new: Option<Entry>,
        directories: &mut Vec<Pair>,
    ) {
        let Some(entry) = new.or(old) else { return };
        if old.is_some_and(|old| new.is_some_and(|new| is_same(&old, &new))) {
            return;
        }
        let mut path = directory.to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(entry.name);
        if entry.is_tree() {
            let id = |entry: Option<Entry>| entry.map(|entry| entry.id.to_owned());
            directories.push(Pair { path, before: id(old), after: id(new) });
        } else {
            self.add(path);
        }
    }

    /// Adds a file and the directories above it.
    fn add(&mut self, mut path: Vec<u8>) {
        self.files += 1;
        loop {
            let end = path.iter().rposition(|byte| *byte == b'/');
            let above = end.map(|end| path[..end].to_vec());
            if !self.paths.insert(path) {
                return;
            }
            match above {
                Some(above) => path = above,
                None => return,
            }
        }
    }

    fn tree(&self, id: Option<&oid>) -> Result<Option<Arc<Vec<u8>>>, Error> {
        let is_empty = |id: &&oid| **id == *ObjectId::empty_tree(id.kind());
        id.filter(|id| !is_empty(id)).map(|id| self.store.object_of(id, Kind::Tree)).transpose()
    }
}

/// The entries of a tree, or of none, with a look at the next one.
struct SortedEntries<'a> {
    entries: Option<Entries<'a>>,
    next: Option<Entry<'a>>,
}

impl<'a> SortedEntries<'a> {
    fn new(id: Option<&'a oid>, data: Option<&'a Vec<u8>>) -> Self {
        let entries = id.zip(data).map(|(id, data)| Entries::new(id, data));
        Self { entries, next: None }
    }

    fn peek(&mut self) -> Result<Option<Entry<'a>>, Error> {
        if self.next.is_none()
            && let Some(entries) = &mut self.entries
        {
            self.next = entries.next().transpose()?;
        }
        Ok(self.next)
    }

    fn next_if(&mut self, is_wanted: bool) {
        if is_wanted {
            self.next = None;
        }
    }
}

fn is_same(old: &Entry, new: &Entry) -> bool {
    old.id == new.id && canonical(old.mode) == canonical(new.mode)
}

/// Git knows two kinds of files: those that can be executed, and others.
fn canonical(mode: u32) -> u32 {
    match mode & 0o170_000 {
        0o100_000 if mode & 0o100 != 0 => 0o100_755,
        0o100_000 => 0o100_644,
        kind => kind,
    }
}

/// The order of entries in a tree: that of their names, with a slash after those of directories.
fn order(a: &Entry, b: &Entry) -> Ordering {
    if a.name == b.name && a.is_tree() == b.is_tree() {
        return Ordering::Equal;
    }
    bytes(a).cmp(bytes(b))
}

fn bytes<'a>(entry: &Entry<'a>) -> impl Iterator<Item = u8> + use<'a> {
    entry.name.iter().copied().chain(entry.is_tree().then_some(b'/'))
}
