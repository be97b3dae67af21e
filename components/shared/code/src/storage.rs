//! Repositories on disk, found by what the store says of them.
//!
//! To open one takes several times as long as to answer most questions about it. So the instance of a
//! component that opened one keeps it, and opens it anew when anything in it has changed. What is kept
//! is what lies on disk, under the number that the store never gives twice, and nothing of whoever asks.

use crate::limits::{
    KEPT_BASES_BYTES_MAX, KEPT_FILES_BYTES_MAX, RECENT_BYTES_MAX, REPOSITORIES_KEPT_MAX,
    UNSHARED_BASES_BYTES_MAX, UNSHARED_DELTAS_BYTES_MAX, UNSHARED_FILES_BYTES_MAX,
};
use crate::memory::Memory;
use crate::repository::{Error, Objects};
use bstr::ByteSlice as _;
use gix_hash::{ObjectId, Prefix, oid};
use gix_object::Kind;
use lithe_forge::types;
use lithe_git::commit_graph::CommitGraph;
use lithe_git::format::ObjectFormat;
use lithe_git::listing;
use lithe_git::odb::{self, Object, ObjectCache, Packed, Reader, Store};
use lithe_git::refs::{self, Hidden, RefStore, Side, Snapshot, Target};
use lithe_git::stamp::Stamp;
use lithe_git::walk::{Tag, reach};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A repository on disk, open: its objects, and its refs as they are now.
pub struct Opened {
    pub objects: RememberedObjects,
    pub refs: Snapshot,
}

/// The objects on disk, with those that were read last, but for large ones and files, in memory:
/// pages show the same commits and trees again and again.
pub struct RememberedObjects {
    store: Store,
    recent: RefCell<ObjectCache<ObjectId>>,
    memory: Memory,
    /// Whether there are refs that nobody is to see.
    hides_refs: bool,
}

/// Why a repository on disk cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no repository where it should be.
    #[error("it is not on disk")]
    Missing,
    #[error("{0}")]
    Objects(#[from] odb::Error),
    #[error("{0}")]
    Refs(#[from] refs::Error),
}

thread_local! {
    /// The repositories that were opened last, the latest first.
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// A repository that stays open.
struct Kept {
    id: u64,
    git_dir: PathBuf,
    stamp: Stamp,
    opened: Rc<Opened>,
}

/// Opens a repository below the directory `root`: where the store says it is, or else at its path,
/// since the two differ for a moment while it is moved.
pub fn open(root: &Path, record: &types::Repository) -> Result<Rc<Opened>, OpenError> {
    match open_or_kept(record.id, root.join(&record.directory)) {
        Err(OpenError::Missing) => open_or_kept(record.id, root.join(format!("{}.git", record.path))),
        answer => answer,
    }
}

/// Opens a repository for oneself alone, to be read from end to end, also after the request was answered.
pub fn open_unshared(root: &Path, record: &types::Repository) -> Result<Opened, OpenError> {
    let mut opened = match open_directory(&root.join(&record.directory)) {
        Err(OpenError::Missing) => open_directory(&root.join(format!("{}.git", record.path))),
        answer => answer,
    }?;
    let store = opened.objects.store.keeping(UNSHARED_FILES_BYTES_MAX, UNSHARED_BASES_BYTES_MAX);
    opened.objects.store = store.keeping_deltas(UNSHARED_DELTAS_BYTES_MAX);
    Ok(opened)
}

fn open_or_kept(id: u64, git_dir: PathBuf) -> Result<Rc<Opened>, OpenError> {
    let kept = KEPT.with_borrow_mut(|all| {
        let index = all.iter().position(|kept| kept.id == id && kept.git_dir == git_dir)?;
        // It goes to the front, or away.
        Some(all.remove(index))
    });
    let kept = match kept.filter(|kept| kept.stamp.holds()) {
        Some(kept) => kept,
        None => {
            // The stamp comes first: what changes after it was taken, breaks it.
            let stamp = Stamp::take(&git_dir);
            let mut opened = open_directory(&git_dir)?;
            opened.objects.store = opened.objects.store.keeping(KEPT_FILES_BYTES_MAX, KEPT_BASES_BYTES_MAX);
            let opened = Rc::new(opened);
            match stamp {
                Some(stamp) => Kept { id, git_dir, stamp, opened },
                None => return Ok(opened),
            }
        }
    };
    let opened = kept.opened.clone();
    KEPT.with_borrow_mut(|all| {
        all.insert(0, kept);
        all.truncate(REPOSITORIES_KEPT_MAX);
    });
    Ok(opened)
}

fn open_directory(git_dir: &Path) -> Result<Opened, OpenError> {
    let mut refs = match RefStore::open(git_dir) {
        Err(refs::Error::NotARepository { .. }) => return Err(OpenError::Missing),
        answer => answer?.snapshot()?,
    };
    // What a fetch may not see, no page shows.
    let hidden = Hidden::read(git_dir, Side::UploadPack)?;
    let hides_refs = !hidden.is_empty();
    if hides_refs {
        refs.refs.retain(|entry| !hidden.hides(entry.name.as_bstr()));
    }
    let objects = match Store::open(git_dir) {
        Err(odb::Error::NotARepository(_)) => return Err(OpenError::Missing),
        answer => answer?,
    };
    let recent = RefCell::new(ObjectCache::new(RECENT_BYTES_MAX));
    Ok(Opened {
        objects: RememberedObjects { store: objects, recent, memory: Memory::default(), hides_refs },
        refs,
    })
}

impl RememberedObjects {
    /// Is told of objects that will be read, as [`Store::expect`] is.
    pub fn expect<'a>(&self, ids: impl Iterator<Item = &'a oid>) {
        self.store.expect(ids);
    }
}

impl Objects for RememberedObjects {
    fn header(&self, id: &oid) -> Result<Option<(Kind, u64)>, Error> {
        if let Some(object) = self.recent.borrow_mut().get(&id.to_owned()) {
            return Ok(Some((object.kind, object.data.len() as u64)));
        }
        if let Some(known) = self.memory.header(id) {
            return Ok(Some(known));
        }
        let header = self.store.header(id)?;
        if let Some(header) = header {
            self.memory.keep_header(id, header);
        }
        Ok(header)
    }

    fn size(&self, id: &oid) -> Result<Option<u64>, Error> {
        self.store.size(id)
    }

    fn object(&self, id: &oid) -> Result<Option<Object>, Error> {
        if let Some(object) = self.recent.borrow_mut().get(&id.to_owned()) {
            return Ok(Some(object));
        }
        let object = Objects::object(&self.store, id)?;
        if let Some(object) = object.as_ref().filter(|object| object.kind != Kind::Blob) {
            self.recent.borrow_mut().put(id.to_owned(), object);
        }
        Ok(object)
    }

    fn reader(&self, id: &oid, made_bytes_max: u64) -> Result<Option<Reader>, Error> {
        Objects::reader(&self.store, id, made_bytes_max)
    }

    fn may_show(&self, commit_id: &oid, refs: &Snapshot) -> Result<bool, Error> {
        match self.hides_refs {
            true => is_reached(&self.store, commit_id, refs),
            false => self.store.may_show(commit_id, refs),
        }
    }

    fn commit_graph(&self) -> Option<&CommitGraph> {
        self.store.commit_graph()
    }

    fn format(&self) -> ObjectFormat {
        self.store.format()
    }

    fn memory(&self) -> Option<&Memory> {
        Some(&self.memory)
    }

    fn with_prefix(&self, prefix: &Prefix) -> Result<Vec<ObjectId>, Error> {
        self.store.with_prefix(prefix)
    }
}

impl Objects for Store {
    fn header(&self, id: &oid) -> Result<Option<(Kind, u64)>, Error> {
        found(self.object_header(id))
    }

    fn size(&self, id: &oid) -> Result<Option<u64>, Error> {
        found(self.object_size(id))
    }

    fn object(&self, id: &oid) -> Result<Option<Object>, Error> {
        found(Store::object(self, id))
    }

    fn reader(&self, id: &oid, made_bytes_max: u64) -> Result<Option<Reader>, Error> {
        match Store::reader(self, id, made_bytes_max) {
            Err(odb::Error::TooLarge { .. }) => Err(Error::TooLarge(id.to_owned())),
            answer => found(answer),
        }
    }

    fn may_show(&self, commit_id: &oid, refs: &Snapshot) -> Result<bool, Error> {
        if !self.is_borrowed(commit_id).map_err(read_error)? {
            return Ok(true);
        }
        is_reached(self, commit_id, refs)
    }

    fn commit_graph(&self) -> Option<&CommitGraph> {
        Store::commit_graph(self)
    }

    fn format(&self) -> ObjectFormat {
        self.object_format()
    }

    fn with_prefix(&self, prefix: &Prefix) -> Result<Vec<ObjectId>, Error> {
        let mut ids = Vec::new();
        for pack in 0..self.pack_count() {
            packed_with_prefix(self, pack, prefix, &mut ids).map_err(read_error)?;
        }
        loose_with_prefix(self, prefix, &mut ids);
        ids.sort();
        ids.dedup();
        ids.truncate(2);
        Ok(ids)
    }
}

/// Whether one of the refs reaches a commit.
fn is_reached(store: &Store, commit_id: &oid, refs: &Snapshot) -> Result<bool, Error> {
    let ids = refs.refs.iter().filter_map(|entry| match entry.target {
        Target::Id(id) => Some(id),
        Target::Symbolic(_) => None,
    });
    let mut tips = Vec::new();
    for id in ids.chain(refs.head_id().ok().flatten()) {
        // A ref that is broken reaches nothing.
        if let Ok((_, target, Kind::Commit)) = Tag::peel(store, &id) {
            tips.push(target);
        }
    }
    reach::all_reached(store, &[commit_id.to_owned()], &tips).map_err(read_error)
}

fn found<T>(answer: Result<T, odb::Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(object) => Ok(Some(object)),
        Err(odb::Error::Missing(_)) => Ok(None),
        Err(error) => Err(read_error(error)),
    }
}

fn read_error(error: odb::Error) -> Error {
    Error::Read(error.to_string())
}

/// Adds up to two objects of a pack, whose index is sorted by id.
fn packed_with_prefix(
    store: &Store,
    pack: u32,
    prefix: &Prefix,
    ids: &mut Vec<ObjectId>,
) -> Result<(), odb::Error> {
    let (mut low, mut high) = (0, store.pack_len(pack));
    while low < high {
        let position = low + (high - low) / 2;
        match prefix.cmp_oid(&store.packed_id(Packed { pack, position })?) {
            Ordering::Greater => low = position + 1,
            Ordering::Equal | Ordering::Less => high = position,
        }
    }
    for position in low..store.pack_len(pack).min(low.saturating_add(2)) {
        let id = store.packed_id(Packed { pack, position })?;
        if prefix.cmp_oid(&id) == Ordering::Equal {
            ids.push(id);
        }
    }
    Ok(())
}

/// Adds the loose objects, which lie in directories named by the first two digits.
fn loose_with_prefix(store: &Store, prefix: &Prefix, ids: &mut Vec<ObjectId>) {
    let directory = prefix.as_oid().to_hex_with_len(2).to_string();
    let files = store.directories().filter_map(|objects| listing::list(&objects.join(&directory)).ok());
    for file in files.flatten() {
        let id = file
            .name
            .to_str()
            .and_then(|name| ObjectId::from_hex(format!("{directory}{name}").as_bytes()).ok());
        let is_it =
            |id: &ObjectId| id.kind() == store.object_format() && prefix.cmp_oid(id) == Ordering::Equal;
        ids.extend(id.filter(is_it));
    }
}
