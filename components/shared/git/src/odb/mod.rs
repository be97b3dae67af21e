//! The objects of an ordinary bare repository, read by positioned reads in bounded memory.
//!
//! A [`Store`] finds objects in packs (index version 2) and as loose objects, and reads them whole,
//! their heads only, or as they are stored, in repositories of either object format. What a repository
//! borrows from others is found too; whoever serves it has to see to it that only what the repository's
//! own refs reach gets out (see [`Store::is_borrowed`]).

pub mod alternates;
mod bases;
pub mod delta;
pub mod entry;
mod error;
mod file;
mod gix;
pub(crate) mod index;
pub mod inflate;
pub mod loose;
pub(crate) mod multi_pack_index;
mod numbering;
mod order;
mod pack;
mod packs;
mod reader;
mod repository;
mod stream;
mod table;
mod window;

#[cfg(test)]
mod tests;

pub use bases::ObjectCache;
pub use error::Error;
pub use file::File;
pub use numbering::{Numbering, Numbers};
pub use order::Order;
pub use pack::PACK_HEADER_LEN;
pub use reader::Reader;
pub use table::Table;

use crate::bitmap::Bitmaps;
use crate::commit_graph::CommitGraph;
use crate::disk;
use crate::format::ObjectFormat;
use crate::limits::{OBJECT_BYTES_MAX, STRUCTURED_OBJECT_BYTES_MAX};
use entry::EntryKind;
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use packs::Packs;
use std::cell::{OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An object in memory.
#[derive(Debug, Clone)]
pub struct Object {
    pub kind: Kind,
    pub data: Arc<Vec<u8>>,
}

/// Where a packed object is: the number of the pack within the store, and the position in its index.
///
/// An object that several packs have is always found in the same one. The numbers hold for the
/// life of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Packed {
    pub pack: u32,
    pub position: u32,
}

/// Where an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Packed(Packed),
    Loose,
}

/// The objects of one repository.
pub struct Store {
    objects_dir: PathBuf,
    /// The object directories of others.
    borrowed: Vec<PathBuf>,
    object_format: ObjectFormat,
    packs: RefCell<Packs>,
    commit_graph: OnceCell<Option<CommitGraph>>,
    bitmaps: OnceCell<Option<Bitmaps>>,
    has_commit_graph: bool,
    has_bitmaps: bool,
}

impl Store {
    /// Opens the objects of the bare repository at `git_dir`.
    ///
    /// Fails with `NotARepository` if it is none, with `Unsupported` for extensions that are not known,
    /// and with `Alternate` if what it borrows from is not to be had.
    pub fn open(git_dir: &Path) -> Result<Self, Error> {
        let format = repository::check(git_dir)?;
        let objects_dir = git_dir.join("objects");
        let borrowed = alternates::find(&objects_dir, format.objects)?;
        let pack_dirs = [&objects_dir].into_iter().chain(&borrowed).map(|dir| dir.join("pack"));
        let packs = Packs::scan(pack_dirs.collect(), format.objects)?;
        let mut store = Self::new(objects_dir, borrowed, format.objects, packs);
        // Where history is cut, the graph may tell of parents that are not there.
        let shallow = git_dir.join("shallow");
        store.has_commit_graph = !disk::exists(&shallow).map_err(Error::io(&shallow))?;
        Ok(store)
    }

    /// Opens an object directory by itself, such as a quarantine.
    pub fn of_objects_dir(objects_dir: PathBuf, object_format: ObjectFormat) -> Result<Self, Error> {
        let packs = Packs::scan(vec![objects_dir.join("pack")], object_format)?;
        Ok(Self::new(objects_dir, Vec::new(), object_format, packs))
    }

    fn new(objects_dir: PathBuf, borrowed: Vec<PathBuf>, object_format: ObjectFormat, packs: Packs) -> Self {
        Self {
            objects_dir,
            borrowed,
            object_format,
            packs: RefCell::new(packs),
            commit_graph: OnceCell::new(),
            bitmaps: OnceCell::new(),
            has_commit_graph: false,
            has_bitmaps: true,
        }
    }

    /// Opens some of the packs of the repository at `git_dir`, by their names `pack-….pack`, and its
    /// loose objects.
    pub fn of_packs(git_dir: &Path, names: &[String]) -> Result<Self, Error> {
        let format = repository::check(git_dir)?;
        let objects_dir = git_dir.join("objects");
        let borrowed = alternates::find(&objects_dir, format.objects)?;
        let packs = Packs::named(git_dir.join("objects/pack"), format.objects, names)?;
        Ok(Self::new(objects_dir, borrowed, format.objects, packs).without_shortcuts())
    }

    /// Has everything read from the objects and the packs' own indexes, and nothing from bitmaps, the
    /// commit-graph, an index over several packs or stored orders of entries.
    pub fn without_shortcuts(self) -> Self {
        self.packs.borrow_mut().without_shortcuts();
        let (commit_graph, bitmaps) = (OnceCell::new(), OnceCell::new());
        Self { commit_graph, bitmaps, has_commit_graph: false, has_bitmaps: false, ..self }
    }

    /// Keeps at most so many bytes of files, and of objects that deltas are based on, in memory, where
    /// [`WINDOWS_BYTES_MAX`](crate::limits::WINDOWS_BYTES_MAX) and
    /// [`BASES_BYTES_MAX`](crate::limits::BASES_BYTES_MAX) are too much.
    pub fn keeping(self, files_bytes: usize, bases_bytes: usize) -> Self {
        self.packs.borrow_mut().keep_at_most(files_bytes, bases_bytes);
        self
    }

    /// Keeps deltas too that were inflated only for the size at their head, so many bytes of them: for whoever
    /// asks for the sizes of objects first, and then for the objects.
    pub fn keeping_deltas(self, bytes_max: usize) -> Self {
        self.packs.borrow_mut().keep_deltas(bytes_max);
        self
    }

    /// Is told of objects that will be read, each once for every time that it is named, in about that order. So the
    /// bases that they share are kept as long as they are needed, and no other is.
    pub fn expect<'a>(&self, ids: impl Iterator<Item = &'a oid>) {
        self.packs.borrow_mut().expect(ids);
    }

    /// The digest that ids are made by here. No object has an id of another format.
    pub fn object_format(&self) -> ObjectFormat {
        self.object_format
    }

    /// The directory `objects`.
    pub fn objects_dir(&self) -> &Path {
        &self.objects_dir
    }

    /// The commit-graph, if the repository has one that can be used.
    pub fn commit_graph(&self) -> Option<&CommitGraph> {
        let open = || CommitGraph::open(&self.objects_dir, self.object_format);
        self.commit_graph.get_or_init(|| self.has_commit_graph.then(open).flatten()).as_ref()
    }

    /// The bitmaps, if the repository has some that can be used. Every object that they have a number for
    /// is found in the pack that they are of, even if other packs have it too.
    pub fn bitmaps(&self) -> Option<&Bitmaps> {
        let open = || self.has_bitmaps.then(|| self.packs.borrow_mut().bitmaps()).flatten();
        self.bitmaps.get_or_init(open).as_ref()
    }

    /// Whether an object lies in packs of the repository's own with all that it reaches: bitmaps are of
    /// packs only that lack nothing that their objects reach (gitformat-bitmap, `BITMAP_OPT_FULL_DAG`).
    pub fn is_closed_at(&self, id: &oid) -> Result<bool, Error> {
        let Some(bitmaps) = self.bitmaps() else { return Ok(false) };
        let packed = self.locate_packed(id)?.filter(|packed| !self.is_borrowed_pack(packed.pack));
        Ok(packed.is_some_and(|packed| bitmaps.numbering().is_of_pack(packed.pack)))
    }

    /// Tells where an object is; none: it is not there.
    pub fn locate(&self, id: &oid) -> Result<Option<Place>, Error> {
        if let Some(packed) = self.locate_packed(id)? {
            return Ok(Some(Place::Packed(packed)));
        }
        for dir in self.directories() {
            if loose::is_there(dir, id)? {
                return Ok(Some(Place::Loose));
            }
        }
        Ok(None)
    }

    /// Its own directory of objects, and those that it borrows from.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        [&self.objects_dir].into_iter().chain(&self.borrowed).map(PathBuf::as_path)
    }

    /// Whether it borrows objects from other repositories.
    pub fn borrows(&self) -> bool {
        !self.borrowed.is_empty()
    }

    /// Whether a pack is another repository's.
    pub fn is_borrowed_pack(&self, pack: u32) -> bool {
        self.packs.borrow().is_borrowed(pack)
    }

    /// Whether an object lies in other repositories alone. What is borrowed may be more than the readers
    /// of this repository may see: none of it is theirs but what a ref of this repository reaches.
    pub fn is_borrowed(&self, id: &oid) -> Result<bool, Error> {
        if !self.borrows() {
            return Ok(false);
        }
        match self.locate(id)? {
            None => Ok(false),
            Some(Place::Packed(packed)) if !self.is_borrowed_pack(packed.pack) => Ok(false),
            Some(_) => Ok(!loose::is_there(&self.objects_dir, id)?),
        }
    }

    /// Tells where in the packs an object is, loose objects left aside.
    pub fn locate_packed(&self, id: &oid) -> Result<Option<Packed>, Error> {
        self.packs.borrow_mut().locate(id)
    }

    /// Tells where in the index of one pack an object is.
    pub fn locate_in_pack(&self, pack: u32, id: &oid) -> Result<Option<u32>, Error> {
        self.packs.borrow_mut().locate_in(pack, id)
    }

    /// Like [`Self::locate`], for an object that must be there: if it is not, packs that appeared
    /// meanwhile are looked for.
    ///
    /// Fails with `Missing`.
    pub fn require(&self, id: &oid) -> Result<Place, Error> {
        if let Some(place) = self.locate(id)? {
            return Ok(place);
        }
        self.packs.borrow_mut().rescan()?;
        self.locate(id)?.ok_or_else(|| Error::Missing(id.to_owned()))
    }

    /// Whether the object is there.
    pub fn contains(&self, id: &oid) -> Result<bool, Error> {
        Ok(self.locate(id)?.is_some())
    }

    /// Reads an object whole.
    ///
    /// Fails with `Missing`, with `TooLarge` past `limits::OBJECT_BYTES_MAX`, or by what is damaged.
    pub fn object(&self, id: &oid) -> Result<Object, Error> {
        match self.require(id)? {
            Place::Packed(packed) => self.packed_object(packed),
            Place::Loose => {
                let loose = self.loose(id)?;
                let limit = object_bytes_max(loose.kind());
                Ok(Object { kind: loose.kind(), data: Arc::new(loose.into_bytes(limit)?) })
            }
        }
    }

    /// Reads an object that has to be of one kind.
    pub fn object_of(&self, id: &oid, kind: Kind) -> Result<Arc<Vec<u8>>, Error> {
        let object = self.object(id)?;
        if object.kind != kind {
            return Err(Error::WrongKind { id: id.to_owned(), actual: object.kind, expected: kind });
        }
        Ok(object.data)
    }

    /// Reads the kind and the size in bytes of an object, without making it.
    pub fn object_header(&self, id: &oid) -> Result<(Kind, u64), Error> {
        match self.require(id)? {
            Place::Packed(packed) => self.packed_header(packed),
            Place::Loose => {
                let loose = self.loose(id)?;
                Ok((loose.kind(), loose.size()))
            }
        }
    }

    /// Reads the size of an object in bytes, for whom its kind does not matter: that of a delta may take a long way
    /// to be found.
    pub fn object_size(&self, id: &oid) -> Result<u64, Error> {
        match self.require(id)? {
            Place::Packed(packed) => self.packs.borrow_mut().object_size(packed),
            Place::Loose => Ok(self.loose(id)?.size()),
        }
    }

    /// Opens an object to be read piece by piece, whatever its size. One that is stored as a delta is made
    /// whole in memory.
    ///
    /// Fails with `Missing`, or with `TooLarge` where one that is stored as a delta has more than
    /// `delta_bytes_max`. (`git` stores none as deltas that are larger than `core.bigFileThreshold`.)
    pub fn reader(&self, id: &oid, delta_bytes_max: u64) -> Result<Reader, Error> {
        match self.require(id)? {
            Place::Packed(packed) => self.packs.borrow_mut().reader(packed, delta_bytes_max),
            Place::Loose => self.loose(id).map(Reader::of_loose),
        }
    }

    /// Opens a loose object, to be read piece by piece.
    pub fn loose(&self, id: &oid) -> Result<loose::Loose, Error> {
        for dir in self.directories() {
            if let Some(loose) = loose::Loose::open(dir, id)? {
                return Ok(loose);
            }
        }
        Err(Error::Missing(id.to_owned()))
    }

    /// Reads a packed object whole.
    pub fn packed_object(&self, packed: Packed) -> Result<Object, Error> {
        self.packs.borrow_mut().object(packed)
    }

    /// Reads the kind and the size of a packed object.
    pub fn packed_header(&self, packed: Packed) -> Result<(Kind, u64), Error> {
        self.packs.borrow_mut().object_header(packed)
    }

    /// Where the entry of a packed object begins.
    pub fn packed_offset(&self, packed: Packed) -> Result<u64, Error> {
        self.packs.borrow_mut().offset(packed)
    }

    /// The id of a packed object.
    pub fn packed_id(&self, packed: Packed) -> Result<ObjectId, Error> {
        self.packs.borrow_mut().id(packed)
    }

    /// How many packs there are; they are numbered from 0.
    pub fn pack_count(&self) -> u32 {
        self.packs.borrow().len()
    }

    /// How many objects a pack has.
    pub fn pack_len(&self, pack: u32) -> u32 {
        self.packs.borrow().pack_len(pack)
    }

    /// The file name of a pack, `pack-….pack`.
    pub fn pack_name(&self, pack: u32) -> String {
        self.packs.borrow().name(pack).to_owned()
    }

    /// The names of the multi-pack-indexes. With those of the packs, in their order, they decide where an
    /// object is found.
    pub fn multi_pack_index_names(&self) -> Vec<String> {
        self.packs.borrow().multi_names()
    }

    /// The length of a pack, in bytes.
    pub fn pack_bytes(&self, pack: u32) -> Result<u64, Error> {
        self.packs.borrow_mut().bytes(pack)
    }

    /// The checksum at the end of a pack.
    pub fn pack_checksum(&self, pack: u32) -> Result<ObjectId, Error> {
        self.packs.borrow_mut().checksum(pack)
    }

    /// The kinds of all objects of a pack, by position in its index.
    pub fn pack_kinds(&self, pack: u32) -> Result<Vec<Kind>, Error> {
        let order = self.pack_order(pack)?;
        let mut by_rank: Vec<Kind> = Vec::with_capacity(order.len());
        let mut kinds = vec![Kind::Blob; order.len()];
        for rank in 0..order.len() {
            let (offset, position) = order.entry(rank)?;
            let header = self.entry_header(pack, offset)?;
            let before = match (header.kind, self.entry_base(pack, offset, &header)?) {
                (EntryKind::Whole(kind), _) => Some(kind),
                (_, Some(base)) => order.rank(base)?.and_then(|base| by_rank.get(base).copied()),
                (_, None) => None,
            };
            let kind = match before {
                Some(kind) => kind,
                None => self.packed_header(Packed { pack, position })?.0,
            };
            by_rank.push(kind);
            kinds[position as usize] = kind;
        }
        Ok(kinds)
    }

    /// The order in which the entries of a pack lie.
    pub fn pack_order(&self, pack: u32) -> Result<Arc<Order>, Error> {
        self.packs.borrow_mut().order(pack)
    }

    /// The head of the entry at an offset of a pack.
    pub fn entry_header(&self, pack: u32, offset: u64) -> Result<entry::Header, Error> {
        self.packs.borrow_mut().header(pack, offset)
    }

    /// The offset of the entry that the delta at `offset` is based on; none: it is a whole object.
    pub fn entry_base(&self, pack: u32, offset: u64, header: &entry::Header) -> Result<Option<u64>, Error> {
        self.packs.borrow_mut().base_offset(pack, offset, header)
    }

    /// Appends stored bytes of a pack as they are.
    pub fn append_stored(
        &self,
        pack: u32,
        offset: u64,
        count: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.packs.borrow_mut().append_stored(pack, offset, count, out)
    }

    /// Frees the memory of the objects that are kept for the deltas based on them.
    pub fn forget_objects(&self) {
        self.packs.borrow_mut().forget_objects();
    }

    /// Looks for packs that appeared since the store was opened.
    pub fn rescan(&self) -> Result<(), Error> {
        self.packs.borrow_mut().rescan()
    }
}

/// The largest object of a kind that is read into memory, in bytes.
pub fn object_bytes_max(kind: Kind) -> u64 {
    if kind == Kind::Blob { OBJECT_BYTES_MAX } else { STRUCTURED_OBJECT_BYTES_MAX }
}
