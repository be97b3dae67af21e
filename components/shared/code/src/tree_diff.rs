//! Which entries differ between two trees.

use crate::repository::{Entry, Error, Repository};
use bstr::{BString, ByteSlice as _};
use gix_hash::{ObjectId, oid};
use gix_object::TreeRefIter;
use gix_object::tree::EntryRef;
use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::sync::Arc;

/// How much is compared at the most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many trees are read.
    pub trees: usize,
    /// The longest path of a directory that is looked into, in bytes.
    pub path_bytes: usize,
    /// The deepest path that is looked at, in segments. It bounds the recursion.
    pub path_segments: usize,
}

/// What came of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    pub trees_read: usize,
    /// Whether something was left out, be it past a limit or because whoever was told wanted no more.
    pub is_cut: bool,
}

/// What stands at a path before and after, directories left out. Never both none.
pub struct Difference {
    pub path: BString,
    pub before: Option<Entry>,
    pub after: Option<Entry>,
}

/// Compares two trees, none being the empty one, and tells of each path at which something other than a directory
/// differs, in Git's order, until it is told to stop.
pub fn compare(
    repository: Repository<'_>,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
    limits: Limits,
    tell: &mut dyn FnMut(Difference) -> ControlFlow<()>,
) -> Result<Compared, Error> {
    let mut comparison = Comparison { repository, limits, tell, compared: Compared::default() };
    // What ended it is said by `is_cut`.
    let _ = comparison.directory(b"", before, after)?;
    Ok(comparison.compared)
}

struct Comparison<'a> {
    repository: Repository<'a>,
    limits: Limits,
    tell: &'a mut dyn FnMut(Difference) -> ControlFlow<()>,
    compared: Compared,
}

impl Comparison<'_> {
    fn tree(&mut self, id: Option<&oid>) -> Result<Arc<Vec<u8>>, Error> {
        self.compared.trees_read += 1;
        id.map_or_else(|| Ok(Arc::default()), |id| self.repository.stored_tree(id))
    }

    /// Whether all files in a directory have longer paths than are looked at.
    fn is_too_deep(&self, directory: &[u8]) -> bool {
        let slashes = directory.iter().filter(|byte| **byte == b'/').count();
        directory.len() >= self.limits.path_bytes || slashes + 1 >= self.limits.path_segments
    }

    fn directory(
        &mut self,
        path: &[u8],
        before: Option<ObjectId>,
        after: Option<ObjectId>,
    ) -> Result<ControlFlow<()>, Error> {
        if before == after {
            return Ok(ControlFlow::Continue(()));
        }
        if self.is_too_deep(path) {
            self.compared.is_cut = true;
            return Ok(ControlFlow::Continue(()));
        }
        if self.compared.trees_read >= self.limits.trees {
            self.compared.is_cut = true;
            return Ok(ControlFlow::Break(()));
        }
        let (stored_before, stored_after) = (self.tree(before.as_deref())?, self.tree(after.as_deref())?);
        let (mut before, mut after) = (Rest::of(before, &stored_before), Rest::of(after, &stored_after));
        loop {
            before.pass_common(&mut after);
            let (a, b) = (before.first()?, after.first()?);
            let order = match (&a, &b) {
                (None, None) => return Ok(ControlFlow::Continue(())),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => {
                    let is_tree = |entry: &EntryRef<'_>| entry.mode.is_tree();
                    gix_object::tree::name_order(a.filename, is_tree(a), b.filename, is_tree(b))
                }
            };
            let old = a.filter(|_| order.is_le()).inspect(|_| before.pass());
            let new = b.filter(|_| order.is_ge()).inspect(|_| after.pass());
            if self.entry(path, old.map(owned), new.map(owned))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }

    /// Two entries of one name and kind, or one that is only on one side.
    fn entry(
        &mut self,
        directory: &[u8],
        old: Option<Entry>,
        new: Option<Entry>,
    ) -> Result<ControlFlow<()>, Error> {
        if old == new {
            return Ok(ControlFlow::Continue(()));
        }
        let name = &old.as_ref().or(new.as_ref()).expect("one side is there").name;
        let path: BString =
            if directory.is_empty() { name.clone() } else { bstr::join("/", [directory, name]).into() };
        let (old_tree, before) = split_by_kind(old);
        let (new_tree, after) = split_by_kind(new);
        if before.is_some() || after.is_some() {
            let told = (self.tell)(Difference { path: path.clone(), before, after });
            if told.is_break() {
                self.compared.is_cut = true;
                return Ok(told);
            }
        }
        self.directory(&path, old_tree, new_tree)
    }
}

fn owned(EntryRef { mode, filename, oid }: EntryRef<'_>) -> Entry {
    Entry { name: filename.into(), mode, id: oid.to_owned() }
}

/// What is left of a tree, as it is stored: `<mode> <name>\0<id>` for each entry.
struct Rest<'a> {
    tree_id: Option<ObjectId>,
    stored: &'a [u8],
}

impl<'a> Rest<'a> {
    fn of(tree_id: Option<ObjectId>, stored: &'a [u8]) -> Self {
        Self { tree_id, stored }
    }

    /// Where the first entry after so many bytes ends; none if there is none, or no whole one.
    fn entry_end(&self, start: usize) -> Option<usize> {
        let end = start + self.stored[start..].find_byte(0)? + 1 + self.tree_id?.kind().len_in_bytes();
        (end <= self.stored.len()).then_some(end)
    }

    /// Passes by the entries that both go on with: of two versions of a tree nearly all, which are not taken apart.
    fn pass_common(&mut self, other: &mut Self) {
        let common = common_len(self.stored, other.stored);
        let mut start = 0;
        while let Some(end) = self.entry_end(start)
            && end <= common
        {
            start = end;
        }
        self.stored = &self.stored[start..];
        other.stored = &other.stored[start..];
    }

    fn first(&self) -> Result<Option<EntryRef<'a>>, Error> {
        let Some(tree_id) = self.tree_id.filter(|_| !self.stored.is_empty()) else { return Ok(None) };
        let first = TreeRefIter::from_bytes(self.stored, tree_id.kind()).next().transpose();
        first.map_err(|_| Error::Damaged(tree_id))
    }

    fn pass(&mut self) {
        self.stored = self.entry_end(0).map_or(&[], |end| &self.stored[end..]);
    }
}

/// How many bytes two texts begin with alike: compared by words, since in a guest the system's comparison
/// goes byte by byte.
fn common_len(a: &[u8], b: &[u8]) -> usize {
    const WORD: usize = size_of::<u64>();
    let words = a.chunks_exact(WORD).zip(b.chunks_exact(WORD)).take_while(|(a, b)| a == b).count() * WORD;
    words + a[words..].iter().zip(&b[words..]).take_while(|(a, b)| a == b).count()
}

/// The id of a tree, or what else stands there.
fn split_by_kind(entry: Option<Entry>) -> (Option<ObjectId>, Option<Entry>) {
    match entry {
        Some(entry) if entry.is_tree() => (Some(entry.id), None),
        other => (None, other),
    }
}
