//! All packs of a repository, and reading objects out of them.

use super::bases::Bases;
use super::delta;
use super::entry::{EntryKind, Header};
use super::error::Error;
use super::inflate::Inflater;
use super::order::Order;
use super::pack::Pack;
use super::window::Windows;
use super::{Object, Packed, object_bytes_max};
use crate::bitmap::PackBitmaps;
use crate::format::ObjectFormat;
use crate::limits::{BASES_BYTES_MAX, DELTA_CHAIN_DELTAS_MAX, OBJECT_BYTES_MAX, PACKS_MAX};
use crate::listing;
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The packs of a repository with what is cached of them.
pub struct Packs {
    /// The directories that packs lie in; the first is the repository's own.
    dirs: Vec<PathBuf>,
    object_format: ObjectFormat,
    packs: Vec<Pack>,
    /// The indexes that are open, by directory and file name.
    known: HashSet<(usize, OsString)>,
    windows: Windows,
    bases: Bases,
    inflater: Inflater,
}

impl Packs {
    /// Opens every pack in the directories, the first of which is the repository's own; where there is no
    /// directory, there are none.
    pub fn scan(dirs: Vec<PathBuf>, object_format: ObjectFormat) -> Result<Self, Error> {
        let mut packs = Self::none(dirs, object_format);
        packs.rescan()?;
        Ok(packs)
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
            known: HashSet::new(),
            windows: Windows::new(),
            bases: Bases::new(BASES_BYTES_MAX),
            inflater: Inflater::new(),
        }
    }

    /// Opens the packs that are new in the directories. Those that vanished stay open where they are.
    pub fn rescan(&mut self) -> Result<(), Error> {
        (0..self.dirs.len()).try_for_each(|dir| self.rescan_directory(dir))
    }

    fn rescan_directory(&mut self, dir: usize) -> Result<(), Error> {
        let path = self.dirs[dir].clone();
        let mut names = Vec::new();
        let mut with_bitmaps = HashSet::new();
        let entries = match listing::list(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::io(path)(error)),
        };
        for entry in entries {
            let name = entry.name;
            with_bitmaps
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
        self.open(dir, names, &with_bitmaps)
    }

    fn open(
        &mut self,
        dir: usize,
        mut names: Vec<OsString>,
        with_bitmaps: &HashSet<String>,
    ) -> Result<(), Error> {
        names.sort_unstable();
        let mut opened = Vec::new();
        for name in names {
            let number = (self.packs.len() + opened.len()) as u32;
            match Pack::open(&self.dirs[dir].join(&name), number, self.object_format) {
                Ok(mut pack) => {
                    pack.is_borrowed = dir > 0;
                    opened.push(pack);
                }
                // Gone since the directory was read.
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            }
            self.known.insert((dir, name));
        }
        // Most of what is looked for is where most objects are. But what bitmaps tell is told of their
        // own pack, which has to be the one where an object is found that several packs have.
        opened.sort_by_key(|pack| {
            let stem = pack.name.strip_suffix(".pack").unwrap_or(&pack.name);
            (!with_bitmaps.contains(stem), std::cmp::Reverse(pack.index.len()))
        });
        self.packs.append(&mut opened);
        Ok(())
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

    /// Whether a pack lies in a directory that is not the repository's own.
    pub fn is_borrowed(&self, pack: u32) -> bool {
        self.packs[pack as usize].is_borrowed
    }

    /// The bitmaps beside a pack, if there are some that can be used.
    pub fn bitmaps(&mut self, pack: u32) -> Option<PackBitmaps> {
        let pack = &mut self.packs[pack as usize];
        let path = pack.sibling("bitmap");
        if !path.is_file() || !pack.ensure_open().ok()? {
            return None;
        }
        PackBitmaps::open(&path, pack.checksum().ok()?.as_slice(), pack.index.len())
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

    /// Finds an object in the first pack that has it and is still there.
    pub fn locate(&mut self, id: &oid) -> Result<Option<Packed>, Error> {
        for (number, pack) in self.packs.iter_mut().enumerate() {
            if let Some(position) = pack.index.position(id)?
                && pack.ensure_open()?
            {
                return Ok(Some(Packed { pack: number as u32, position }));
            }
        }
        Ok(None)
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
        pack.order()
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
            self.bases.put(packed.pack, at, &object);
            object = self.apply(packed.pack, offset, &header, &object)?;
            at = offset;
        }
        // Trees are mostly based on the tree that was read just before.
        if object.kind == Kind::Tree {
            self.bases.put(packed.pack, at, &object);
        }
        Ok(object)
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
            if size.is_none() {
                let mut head = [0; 2 * 10];
                let len =
                    pack.inflate_start(&mut self.windows, &mut self.inflater, offset, &header, &mut head)?;
                let sizes = delta::sizes(&head[..len]).map_err(|reason| pack.damaged(offset, reason))?;
                size = Some(sizes.result);
            }
            let base = pack.base_offset(offset, header.kind)?;
            offset = base.expect("a delta has a base");
        }
        Err(self.packs[packed.pack as usize].damaged(start, CHAIN_TOO_LONG))
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
            if let Some(object) = self.bases.get(pack_number, offset) {
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
        let pack = &self.packs[pack as usize];
        let delta = pack.inflate(&mut self.windows, &mut self.inflater, offset, header)?;
        let damaged = |reason| pack.damaged(offset, reason);
        let sizes = delta::sizes(&delta).map_err(damaged)?;
        check_size(sizes.result, object_bytes_max(base.kind))?;
        let mut data = Vec::new();
        delta::apply(&base.data, &delta, &mut data).map_err(damaged)?;
        Ok(Object { kind: base.kind, data: Arc::new(data) })
    }
}

const CHAIN_TOO_LONG: &str = "its chain of deltas is longer than the limit, or a loop";

fn check_size(size: u64, limit: u64) -> Result<(), Error> {
    if size > limit { Err(Error::TooLarge { size, limit }) } else { Ok(()) }
}
