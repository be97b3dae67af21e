//! All packs of a repository, and reading objects out of them.

use super::bases::{Bases, OBJECT_BYTES};
use super::delta;
use super::entry::{EntryKind, Header};
use super::error::Error;
use super::inflate::Inflater;
use super::multi_pack_index::{self, MultiPackIndex};
use super::numbering::Numbering;
use super::order::Order;
use super::pack::Pack;
use super::reader::Reader;
use super::window::Windows;
use super::{Object, Packed, object_bytes_max};
use crate::bitmap::{BitmapFile, Bitmaps};
use crate::format::ObjectFormat;
use crate::limits::{
    BASES_BYTES_MAX, DELTA_CHAIN_DELTAS_MAX, DELTA_KEPT_BYTES_MAX, EXPECTED_ENTRIES_MAX, OBJECT_BYTES_MAX,
    PACKS_MAX, STREAMED_OBJECT_BYTES_MIN, WINDOWS_BYTES_MAX,
};
use crate::listing;
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// How often a directory is listed again because packs went meanwhile.
const LOOKS_MAX: usize = 5;

/// The packs of a repository with what is cached of them.
pub struct Packs {
    /// The directories that packs lie in; the first is the repository's own.
    dirs: Vec<PathBuf>,
    object_format: ObjectFormat,
    packs: Vec<Pack>,
    /// The indexes over several of them, by directory.
    multi: Vec<Multi>,
    /// Whether the orders of entries are taken from files beside the packs.
    uses_stored_orders: bool,
    /// The indexes that are open, by directory and file name.
    known: HashSet<(usize, OsString)>,
    windows: Windows,
    bases: Bases,
    deltas: Deltas,
    /// How often entries are needed still for what will be read, by pack and offset; nothing is known of others.
    needs: HashMap<(u32, u64), u32>,
    inflater: Inflater,
}

/// Deltas that were inflated for the size at their head, until the object is asked for, by pack and offset.
#[derive(Default)]
struct Deltas {
    held: HashMap<(u32, u64), Vec<u8>>,
    bytes: usize,
    bytes_max: usize,
}

impl Deltas {
    /// Keeps a delta. Where there is no room, the others make some.
    fn put(&mut self, place: (u32, u64), delta: Vec<u8>) {
        let cost = delta.len() + OBJECT_BYTES;
        if self.bytes + cost > self.bytes_max {
            self.held.clear();
            self.bytes = 0;
        }
        self.bytes += cost;
        if let Some(former) = self.held.insert(place, delta) {
            self.bytes -= former.len() + OBJECT_BYTES;
        }
    }

    /// The delta at a place, which is not kept any longer.
    fn take(&mut self, place: (u32, u64)) -> Option<Vec<u8>> {
        let delta = self.held.remove(&place)?;
        self.bytes -= delta.len() + OBJECT_BYTES;
        Some(delta)
    }
}

/// An index over several packs of a directory.
struct Multi {
    index: Arc<MultiPackIndex>,
    /// The packs by their numbers in the index; none: it was gone already.
    packs: Vec<Option<u32>>,
    /// Its packs, and others of the directory, are numbered from here on.
    first_pack: u32,
    /// Whether the first of them is asked before it, as there are bitmaps of that pack.
    comes_second: bool,
    directory: PathBuf,
}

impl Packs {
    /// Opens every pack in the directories, the first of which is the repository's own; where there is no
    /// directory, there are none.
    pub fn scan(dirs: Vec<PathBuf>, object_format: ObjectFormat) -> Result<Self, Error> {
        let mut packs = Self::none(dirs, object_format);
        for dir in 0..packs.dirs.len() {
            let first_pack = packs.len();
            let listed = packs.rescan_directory(dir)?;
            packs.open_multi(dir, first_pack, &listed);
        }
        Ok(packs)
    }

    /// Opens the index over several of the packs of a directory, if there is one.
    fn open_multi(&mut self, dir: usize, first_pack: u32, listed: &Listed) {
        let directory = &self.dirs[dir];
        let open = || MultiPackIndex::open(directory, self.object_format);
        let Some(index) = listed.has_multi_pack_index.then(open).flatten() else { return };
        let numbers = self.packs.iter().zip(0..).skip(first_pack as usize);
        let numbers: HashMap<&str, u32> = numbers.map(|(pack, number)| (pack.stem(), number)).collect();
        let number = |name: &String| numbers.get(name.strip_suffix(".idx").unwrap_or(name)).copied();
        let packs = index.packs().iter().map(number).collect();
        let has_bitmaps = index.has_order() && listed.with_bitmaps.contains(&index.stem());
        let first = self.packs.get(first_pack as usize);
        let comes_second =
            !has_bitmaps && first.is_some_and(|pack| listed.with_bitmaps.contains(pack.stem()));
        let (index, directory) = (Arc::new(index), directory.clone());
        self.multi.push(Multi { index, packs, first_pack, comes_second, directory });
    }

    /// Has everything told by the packs and their own indexes alone.
    pub fn without_shortcuts(&mut self) {
        self.multi.clear();
        self.uses_stored_orders = false;
        self.packs.iter_mut().for_each(Pack::forget_order);
    }

    /// Opens the packs of these names, `pack-….pack`, of the repository's own; those that are gone are
    /// passed over.
    pub fn named(dir: PathBuf, object_format: ObjectFormat, names: &[String]) -> Result<Self, Error> {
        let mut packs = Self::none(vec![dir], object_format);
        let indexes = names.iter().map(|name| OsString::from(name.replace(".pack", ".idx")));
        packs.open(0, indexes.collect(), &HashSet::new())?;
        Ok(packs)
    }

    fn none(dirs: Vec<PathBuf>, object_format: ObjectFormat) -> Self {
        Self {
            dirs,
            object_format,
            packs: Vec::new(),
            multi: Vec::new(),
            uses_stored_orders: true,
            known: HashSet::new(),
            windows: Windows::new(WINDOWS_BYTES_MAX),
            bases: Bases::new(BASES_BYTES_MAX),
            deltas: Deltas::default(),
            needs: HashMap::new(),
            inflater: Inflater::new(),
        }
    }

    /// Keeps at most so many bytes of files, and of objects that deltas are based on, from now on.
    pub fn keep_at_most(&mut self, files_bytes: usize, bases_bytes: usize) {
        self.windows = Windows::new(files_bytes);
        self.bases = Bases::new(bases_bytes);
    }

    /// Keeps so many bytes of deltas whose head was asked for; at first, none.
    pub fn keep_deltas(&mut self, bytes_max: usize) {
        self.deltas = Deltas { bytes_max, ..Deltas::default() };
    }

    /// How much is kept of deltas, in bytes.
    #[cfg(test)]
    pub fn delta_bytes(&self) -> usize {
        assert_eq!(
            self.deltas.bytes,
            self.deltas.held.values().map(|delta| delta.len() + OBJECT_BYTES).sum()
        );
        self.deltas.bytes
    }

    /// How much is kept of objects, in bytes, and how many entries are needed still.
    #[cfg(test)]
    pub fn kept(&self) -> (usize, usize) {
        (self.bases.bytes(), self.needs.len())
    }

    /// Opens the packs that are new in the directories. Those that vanished stay open where they are.
    pub fn rescan(&mut self) -> Result<(), Error> {
        (0..self.dirs.len()).try_for_each(|dir| self.rescan_directory(dir).map(drop))
    }

    /// Opens the packs that are new in a directory. What is gone between the look and that was packed anew,
    /// and lies where the look did not see it: so there is another.
    fn rescan_directory(&mut self, dir: usize) -> Result<Listed, Error> {
        let mut looks = 1;
        loop {
            let (listed, gone) = self.look(dir)?;
            if gone == 0 || looks == LOOKS_MAX {
                return Ok(listed);
            }
            looks += 1;
        }
    }

    /// What lies in a directory, and how many of the packs were gone by then.
    fn look(&mut self, dir: usize) -> Result<(Listed, usize), Error> {
        let path = self.dirs[dir].clone();
        let mut names = Vec::new();
        let mut listed = Listed::default();
        let entries = match listing::list(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((listed, 0)),
            Err(error) => return Err(Error::io(path)(error)),
        };
        for entry in entries {
            let name = entry.name;
            listed.has_multi_pack_index |= name == multi_pack_index::FILE_NAME;
            listed
                .with_bitmaps
                .extend(name.to_str().and_then(|name| name.strip_suffix(".bitmap")).map(str::to_owned));
            let is_index =
                name.to_str().is_some_and(|name| name.starts_with("pack-") && name.ends_with(".idx"));
            if is_index && !self.known.contains(&(dir, name.clone())) {
                names.push(name);
            }
        }
        if self.packs.len() + names.len() > PACKS_MAX {
            return Err(Error::Unsupported(format!("more than {PACKS_MAX} packs (`git gc` makes them one)")));
        }
        let gone = self.open(dir, names, &listed.with_bitmaps)?;
        Ok((listed, gone))
    }

    /// Opens packs; returns how many were gone.
    fn open(
        &mut self,
        dir: usize,
        mut names: Vec<OsString>,
        with_bitmaps: &HashSet<String>,
    ) -> Result<usize, Error> {
        names.sort_unstable();
        let mut opened = Vec::new();
        let mut gone = 0;
        for name in names {
            let number = (self.packs.len() + opened.len()) as u32;
            match Pack::open(&self.dirs[dir].join(&name), number, self.object_format) {
                Ok(mut pack) => {
                    pack.is_borrowed = dir > 0;
                    opened.push(pack);
                }
                // Gone since the directory was read.
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    gone += 1;
                    continue;
                }
                Err(error) => return Err(error),
            }
            self.known.insert((dir, name));
        }
        // Most of what is looked for is where most objects are. But what bitmaps tell is told of their
        // own pack, which has to be the one where an object is found that several packs have.
        opened.sort_by_key(|pack| (!with_bitmaps.contains(pack.stem()), std::cmp::Reverse(pack.index.len())));
        self.packs.append(&mut opened);
        Ok(gone)
    }

    /// Drops the objects that are kept for the deltas based on them.
    pub fn forget_objects(&mut self) {
        self.bases.clear();
        self.keep_deltas(self.deltas.bytes_max);
    }

    pub fn len(&self) -> u32 {
        self.packs.len() as u32
    }

    pub fn pack_len(&self, pack: u32) -> u32 {
        self.packs[pack as usize].index.len()
    }

    pub fn name(&self, pack: u32) -> &str {
        &self.packs[pack as usize].name
    }

    /// The names of the indexes over several packs, which decide in which pack an object is found that
    /// more than one has.
    pub fn multi_names(&self) -> Vec<String> {
        self.multi.iter().map(|multi| multi.index.stem()).collect()
    }

    /// Whether a pack lies in a directory that is not the repository's own.
    pub fn is_borrowed(&self, pack: u32) -> bool {
        self.packs[pack as usize].is_borrowed
    }

    /// The bitmaps that there are, if they can be used: of the packs that one index is over, or of the
    /// first pack.
    pub fn bitmaps(&mut self) -> Option<Bitmaps> {
        match self.multi.first() {
            Some(multi) if multi.first_pack == 0 && !multi.comes_second => self.multi_bitmaps(),
            _ => self.pack_bitmaps(),
        }
    }

    fn pack_bitmaps(&mut self) -> Option<Bitmaps> {
        let pack = self.packs.first_mut()?;
        let path = pack.sibling("bitmap");
        if !path.is_file() || !pack.ensure_open().ok()? {
            return None;
        }
        let file = BitmapFile::open(&path, &pack.checksum().ok()?, pack.index.len())?;
        Some(Bitmaps::new(Numbering::of_pack(0, pack.order(self.uses_stored_orders).ok()?), file))
    }

    fn multi_bitmaps(&mut self) -> Option<Bitmaps> {
        let multi = self.multi.first()?;
        let path = multi.directory.join(multi.index.stem()).with_extension("bitmap");
        let (index, numbers) = (multi.index.clone(), multi.packs.clone());
        let file = BitmapFile::open(&path, index.checksum(), index.len())?;
        let mut orders = Vec::with_capacity(numbers.len());
        for number in numbers {
            // What bitmaps tell of may be in any of the packs.
            let pack = &mut self.packs[number? as usize];
            if !pack.ensure_open().ok()? {
                return None;
            }
            orders.push((number?, pack.order(self.uses_stored_orders).ok()?));
        }
        Some(Bitmaps::new(Numbering::of_packs(index, orders)?, file))
    }

    pub fn bytes(&mut self, pack: u32) -> Result<u64, Error> {
        let pack = &mut self.packs[pack as usize];
        pack.ensure_open()?;
        pack.bytes()
    }

    pub fn checksum(&mut self, pack: u32) -> Result<ObjectId, Error> {
        let pack = &mut self.packs[pack as usize];
        pack.ensure_open()?;
        pack.checksum()
    }

    /// Finds an object in the first pack that has it and is still there; of the packs of a directory,
    /// the one that an index over several names comes first.
    pub fn locate(&mut self, id: &oid) -> Result<Option<Packed>, Error> {
        let mut next = 0;
        for index in 0..self.multi.len() {
            let Multi { first_pack, comes_second, .. } = self.multi[index];
            let end = first_pack + u32::from(comes_second);
            if let Some(found) = self.locate_among(next..end, id)? {
                return Ok(Some(found));
            }
            if let Some(found) = self.locate_by_multi(index, id)? {
                return Ok(Some(found));
            }
            next = end;
        }
        // Those of the index too: should it be damaged, or a pack be gone, others may have the object.
        self.locate_among(next..self.len(), id)
    }

    fn locate_among(&mut self, packs: Range<u32>, id: &oid) -> Result<Option<Packed>, Error> {
        for pack in packs {
            if let Some(position) = self.locate_in(pack, id)? {
                return Ok(Some(Packed { pack, position }));
            }
        }
        Ok(None)
    }

    fn locate_by_multi(&mut self, index: usize, id: &oid) -> Result<Option<Packed>, Error> {
        let multi = &self.multi[index];
        let entry = multi.index.position(id).and_then(|position| multi.index.entry(position));
        let Some(pack) = entry.and_then(|(pack, _)| multi.packs[pack as usize]) else { return Ok(None) };
        self.locate_among(pack..pack + 1, id)
    }

    /// Finds an object in one pack.
    pub fn locate_in(&mut self, pack: u32, id: &oid) -> Result<Option<u32>, Error> {
        let pack = &mut self.packs[pack as usize];
        match pack.index.position(id)? {
            Some(position) if pack.ensure_open()? => Ok(Some(position)),
            _ => Ok(None),
        }
    }

    pub fn id(&mut self, packed: Packed) -> Result<ObjectId, Error> {
        self.packs[packed.pack as usize].index.id(packed.position)
    }

    pub fn order(&mut self, pack: u32) -> Result<Arc<Order>, Error> {
        let pack = &mut self.packs[pack as usize];
        pack.ensure_open()?;
        pack.order(self.uses_stored_orders)
    }

    pub fn header(&mut self, pack: u32, offset: u64) -> Result<Header, Error> {
        self.packs[pack as usize].header(&mut self.windows, offset)
    }

    pub fn base_offset(&mut self, pack: u32, offset: u64, header: &Header) -> Result<Option<u64>, Error> {
        self.packs[pack as usize].base_offset(offset, header.kind)
    }

    pub fn append_stored(
        &mut self,
        pack: u32,
        offset: u64,
        count: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.packs[pack as usize].append_stored(&mut self.windows, offset, count, out)
    }

    /// Reads an object whole. Deltas are applied from the nearest base that is in the cache.
    pub fn object(&mut self, packed: Packed) -> Result<Object, Error> {
        let offset = self.offset(packed)?;
        let (mut object, mut deltas, mut at) = self.chain(packed.pack, offset)?;
        while let Some((offset, header)) = deltas.pop() {
            let base = object;
            object = self.apply(packed.pack, offset, &header, &base)?;
            self.keep((packed.pack, at), &base, true);
            at = offset;
        }
        // Trees are mostly based on the tree that was read just before.
        let is_tree = object.kind == Kind::Tree;
        self.keep((packed.pack, at), &object, is_tree);
        Ok(object)
    }

    /// Keeps an object that was used for as long as it is needed; where that is not known, if it may be a base again.
    fn keep(&mut self, place: (u32, u64), object: &Object, may_be_base: bool) {
        let is_kept = match self.needs.get_mut(&place) {
            None => may_be_base,
            Some(left) => {
                *left -= 1;
                let is_needed = *left > 0;
                if !is_needed {
                    self.needs.remove(&place);
                    self.bases.remove(&place);
                }
                is_needed
            }
        };
        if is_kept {
            self.bases.put(place, object);
        }
    }

    /// Counts how often entries are needed for objects that will be read. An entry that cannot be read says so when
    /// it is.
    pub fn expect<'a>(&mut self, ids: impl Iterator<Item = &'a oid>) {
        self.needs.clear();
        for id in ids {
            let Ok(Some(packed)) = self.locate(id) else { continue };
            let mut next = self.offset(packed).ok();
            while let Some(offset) = next {
                let needs = self.needs.entry((packed.pack, offset)).or_default();
                *needs += 1;
                // What it is based on is counted once.
                if *needs > 1 {
                    break;
                }
                let pack = &self.packs[packed.pack as usize];
                let header = pack.header(&mut self.windows, offset);
                next = header.and_then(|header| pack.base_offset(offset, header.kind)).ok().flatten();
            }
            if self.needs.len() > EXPECTED_ENTRIES_MAX {
                return self.needs.clear();
            }
        }
        // What was read before is of no use for them otherwise.
        self.bases.retain(|place| self.needs.contains_key(place));
    }

    /// Opens an object to be read piece by piece. Fails with `TooLarge` for a delta that makes more than
    /// `delta_bytes_max`.
    pub fn reader(&mut self, packed: Packed, delta_bytes_max: u64) -> Result<Reader, Error> {
        let offset = self.offset(packed)?;
        let header = self.header(packed.pack, offset)?;
        match header.kind {
            EntryKind::Whole(kind) if header.size >= STREAMED_OBJECT_BYTES_MIN => {
                let entry = self.packs[packed.pack as usize].entry(offset, &header)?;
                return Ok(Reader::of_packed(kind, header.size, entry));
            }
            EntryKind::Whole(_) => {}
            EntryKind::OfsDelta(_) | EntryKind::RefDelta(_) => {
                check_size(self.object_header(packed)?.1, delta_bytes_max)?;
            }
        }
        self.object(packed).map(Reader::of_object)
    }

    /// Reads the kind and the size of an object: of a delta, only the head is inflated.
    pub fn object_header(&mut self, packed: Packed) -> Result<(Kind, u64), Error> {
        let start = self.offset(packed)?;
        let mut offset = start;
        let mut size = None;
        for _ in 0..=DELTA_CHAIN_DELTAS_MAX {
            let pack = &self.packs[packed.pack as usize];
            let header = pack.header(&mut self.windows, offset)?;
            if let EntryKind::Whole(kind) = header.kind {
                return Ok((kind, size.unwrap_or(header.size)));
            }
            let base = pack.base_offset(offset, header.kind)?;
            if size.is_none() {
                size = Some(self.delta_size(packed.pack, offset, &header)?);
            }
            offset = base.expect("a delta has a base");
        }
        Err(self.packs[packed.pack as usize].damaged(start, CHAIN_TOO_LONG))
    }

    /// Reads the size of an object.
    pub fn object_size(&mut self, packed: Packed) -> Result<u64, Error> {
        let offset = self.offset(packed)?;
        let header = self.header(packed.pack, offset)?;
        match header.kind {
            EntryKind::Whole(_) => Ok(header.size),
            EntryKind::OfsDelta(_) | EntryKind::RefDelta(_) => self.delta_size(packed.pack, offset, &header),
        }
    }

    /// Reads the size of what a delta makes. Only its head is inflated, unless deltas are kept.
    fn delta_size(&mut self, number: u32, offset: u64, header: &Header) -> Result<u64, Error> {
        let pack = &self.packs[number as usize];
        let sizes = |delta: &[u8]| delta::sizes(delta).map_err(|reason| pack.damaged(offset, reason));
        if self.deltas.bytes_max > 0 && header.size <= DELTA_KEPT_BYTES_MAX {
            let delta = pack.inflate(&mut self.windows, &mut self.inflater, offset, header)?;
            let size = sizes(&delta)?.result;
            self.deltas.put((number, offset), delta);
            return Ok(size);
        }
        let mut head = [0; 2 * 10];
        let len = pack.inflate_start(&mut self.windows, &mut self.inflater, offset, header, &mut head)?;
        Ok(sizes(&head[..len])?.result)
    }

    pub fn offset(&mut self, packed: Packed) -> Result<u64, Error> {
        self.packs[packed.pack as usize].index.offset(packed.position)
    }

    /// Follows a delta chain down to a whole object or to one in the cache; returns that, the deltas
    /// to be applied, the last one first, and the offset of the object.
    #[expect(clippy::type_complexity, reason = "used once, and taken apart at once")]
    fn chain(&mut self, pack_number: u32, start: u64) -> Result<(Object, Vec<(u64, Header)>, u64), Error> {
        let mut deltas = Vec::new();
        let mut offset = start;
        loop {
            if let Some(object) = self.bases.get(&(pack_number, offset)) {
                return Ok((object, deltas, offset));
            }
            let pack = &self.packs[pack_number as usize];
            let header = pack.header(&mut self.windows, offset)?;
            if let EntryKind::Whole(kind) = header.kind {
                check_size(header.size, object_bytes_max(kind))?;
                let data = pack.inflate(&mut self.windows, &mut self.inflater, offset, &header)?;
                return Ok((Object { kind, data: Arc::new(data) }, deltas, offset));
            }
            if deltas.len() == DELTA_CHAIN_DELTAS_MAX {
                return Err(pack.damaged(start, CHAIN_TOO_LONG));
            }
            deltas.push((offset, header));
            let base = pack.base_offset(offset, header.kind)?;
            offset = base.expect("a delta has a base");
        }
    }

    fn apply(&mut self, pack: u32, offset: u64, header: &Header, base: &Object) -> Result<Object, Error> {
        check_size(header.size, OBJECT_BYTES_MAX)?;
        let kept = self.deltas.take((pack, offset));
        let pack = &self.packs[pack as usize];
        let delta = match kept {
            Some(delta) => delta,
            None => pack.inflate(&mut self.windows, &mut self.inflater, offset, header)?,
        };
        let damaged = |reason| pack.damaged(offset, reason);
        let sizes = delta::sizes(&delta).map_err(damaged)?;
        check_size(sizes.result, object_bytes_max(base.kind))?;
        let mut data = Vec::new();
        delta::apply(&base.data, &delta, &mut data).map_err(damaged)?;
        Ok(Object { kind: base.kind, data: Arc::new(data) })
    }
}

/// What the listing of a directory says beside its packs.
#[derive(Default)]
struct Listed {
    /// The names of files of bitmaps, without their extension.
    with_bitmaps: HashSet<String>,
    has_multi_pack_index: bool,
}

const CHAIN_TOO_LONG: &str = "its chain of deltas is longer than the limit, or a loop";

fn check_size(size: u64, limit: u64) -> Result<(), Error> {
    if size > limit { Err(Error::TooLarge { size, limit }) } else { Ok(()) }
}
