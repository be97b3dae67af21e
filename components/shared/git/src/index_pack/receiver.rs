//! The stream of a pack, taken apart as it arrives.

use super::bases::Bases;
use super::entries::{Entries, Entry, NONE};
use super::file::PackFile;
use super::{Error, Indexed, Inspect, Limits, index};
use crate::format::ObjectFormat;
use crate::odb::delta;
use crate::odb::entry::{EntryKind, HEADER_LEN_MAX, Header};
use crate::odb::inflate::{Inflater, Progress};
use flate2::Crc;
use gix_hash::{ObjectId, hasher};
use gix_object::{Find, Kind};
use std::path::Path;
use std::rc::Rc;

/// The length of the pack's own header, in bytes.
const PACK_HEADER_LEN: usize = 12;
/// The room for inflated data grows from here with what is really there, in bytes.
const ROOM_BYTES_FIRST: u64 = 1024 * 1024;
/// The room for what is hashed and not held, in bytes.
const STREAM_BYTES: usize = 128 * 1024;

/// Receives one pack.
pub struct Receiver<I> {
    pub(super) limits: Limits,
    pub(super) object_format: ObjectFormat,
    pub(super) file: PackFile,
    pub(super) entries: Entries,
    /// Deltas that wait for their base.
    pub(super) waiting: Waiting,
    pub(super) bases: Bases,
    pub(super) inflater: Inflater,
    pub(super) inspector: I,
    /// What was inflated and made so far, in bytes.
    pub(super) work_bytes: u64,
    state: State,
    /// Objects that the header promises and that have not begun.
    remaining: u32,
}

/// Deltas that are not resolved, by their indexes.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Those whose base is an entry, their `base`.
    pub for_entries: Vec<u32>,
    /// Those whose base is known by its id.
    pub for_ids: Vec<(u32, ObjectId)>,
}

enum State {
    PackHeader(Vec<u8>),
    /// The beginning of an entry's head, if it came in pieces.
    Head(Vec<u8>),
    Data(Box<Data>),
    Checksum(Vec<u8>),
    Ended,
    Failed,
}

/// An entry whose data is arriving.
struct Data {
    offset: u64,
    kind: EntryKind,
    size: u64,
    made: u64,
    crc: Crc,
    output: Output,
}

enum Output {
    Held(Vec<u8>),
    /// A large blob.
    Hashed(Box<gix_hash::Hasher>, Vec<u8>),
}

impl<I: Inspect> Receiver<I> {
    /// Begins a pack of objects of that format in the file at `path`, which must not exist.
    pub fn create(
        path: &Path,
        object_format: ObjectFormat,
        limits: Limits,
        inspector: I,
    ) -> Result<Self, Error> {
        let file = PackFile::create(path, object_format, limits.pack_bytes_max)?;
        Ok(Self::with_file(file, object_format, limits, inspector))
    }

    pub(super) fn with_file(
        file: PackFile,
        object_format: ObjectFormat,
        limits: Limits,
        inspector: I,
    ) -> Self {
        Self {
            limits,
            object_format,
            file,
            entries: Entries::new(object_format),
            waiting: Waiting::default(),
            bases: Bases::new(limits.bases_bytes_max),
            inflater: Inflater::new(),
            inspector,
            work_bytes: 0,
            state: State::PackHeader(Vec::with_capacity(PACK_HEADER_LEN)),
            remaining: 0,
        }
    }

    /// Takes the next bytes of the pack. After an error there is no going on.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let used = match self.step(bytes) {
                Ok(used) => used,
                Err(error) => {
                    self.state = State::Failed;
                    return Err(error);
                }
            };
            bytes = &bytes[used..];
        }
        Ok(())
    }

    /// Whether the pack is complete, its checksum included. Bytes after it are an error.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Resolves what is left, writes the index to `index_path`, and syncs both files.
    ///
    /// `repository` has the bases that a thin pack lacks. What inspected the objects is handed back.
    ///
    /// Fails with [`Error::Truncated`] if the pack is not complete.
    pub fn finish(mut self, repository: &impl Find, index_path: &Path) -> Result<(Indexed, I), Error> {
        let (order, checksum) = self.complete(repository)?;
        let pack_bytes = self.file.close(&checksum)?;
        index::write(index_path, &self.entries, &order, &checksum)?;
        let objects = order.iter().map(|&index| {
            let entry = self.entries.get(index);
            (self.entries.id(index).to_owned(), entry.kind.expect("every delta is resolved"))
        });
        let indexed = Indexed { checksum, pack_bytes, objects: objects.collect() };
        Ok((indexed, self.inspector))
    }

    /// Resolves what is left; returns the indexes of the entries, sorted by id, and the checksum.
    pub(super) fn complete(&mut self, repository: &impl Find) -> Result<(Vec<u32>, ObjectId), Error> {
        if !self.is_complete() {
            return Err(Error::Truncated);
        }
        let received = self.entries.len();
        self.file.flush()?;
        self.resolve(repository)?;
        if self.entries.len() != received {
            self.file.set_object_count(self.entries.len())?;
        }
        let order = self.entries.by_id();
        for pair in order.windows(2) {
            let id = self.entries.id(pair[0]);
            if id == self.entries.id(pair[1]) {
                return Err(Error::Duplicate { id: id.to_owned() });
            }
        }
        let checksum = self.file.checksum()?;
        Ok((order, checksum))
    }

    fn step(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::PackHeader(held) => self.pack_header(held, bytes),
            State::Head(held) => self.head(held, bytes),
            State::Data(data) => self.data(data, bytes),
            State::Checksum(held) => self.checksum(held, bytes),
            State::Ended => Err(Error::TrailingBytes),
            State::Failed => Err(Error::Truncated),
        }
    }

    fn pack_header(&mut self, mut held: Vec<u8>, bytes: &[u8]) -> Result<usize, Error> {
        let used = fill(&mut held, bytes, PACK_HEADER_LEN);
        if held.len() < PACK_HEADER_LEN {
            self.state = State::PackHeader(held);
            return Ok(used);
        }
        if held[..8] != *b"PACK\0\0\0\x02" {
            return Err(Error::BadHeader);
        }
        let count = u32::from_be_bytes(held[8..].try_into().expect("the header has twelve bytes"));
        if count > self.limits.objects_max {
            return Err(Error::TooManyObjects { count, limit: self.limits.objects_max });
        }
        self.file.append(&held)?;
        self.remaining = count;
        self.next_entry();
        Ok(used)
    }

    fn next_entry(&mut self) {
        self.state = match self.remaining {
            0 => State::Checksum(Vec::new()),
            _ => State::Head(Vec::new()),
        };
    }

    fn head(&mut self, mut held: Vec<u8>, bytes: &[u8]) -> Result<usize, Error> {
        let offset = self.file.len();
        if held.is_empty() && bytes.len() >= HEADER_LEN_MAX {
            let header = Header::parse(bytes, self.object_format)
                .map_err(|reason| Error::Damaged { offset, reason })?;
            self.begin(header, &bytes[..header.len])?;
            return Ok(header.len);
        }
        for (index, &byte) in bytes.iter().enumerate() {
            held.push(byte);
            match Header::parse(&held, self.object_format) {
                Ok(header) => {
                    self.begin(header, &held)?;
                    return Ok(index + 1);
                }
                Err(reason) if held.len() >= HEADER_LEN_MAX => return Err(Error::Damaged { offset, reason }),
                Err(_) => {}
            }
        }
        self.state = State::Head(held);
        Ok(bytes.len())
    }

    fn begin(&mut self, header: Header, head: &[u8]) -> Result<(), Error> {
        let offset = self.file.len();
        let size = header.size;
        let is_blob = header.kind == EntryKind::Whole(Kind::Blob);
        let limit = match header.kind {
            EntryKind::Whole(Kind::Blob) => self.limits.blob_bytes_max,
            EntryKind::Whole(_) => self.limits.structured_bytes_max,
            EntryKind::OfsDelta(_) | EntryKind::RefDelta(_) => self.limits.held_bytes_max,
        };
        if size > limit {
            return Err(Error::ObjectTooLarge { offset, size, limit });
        }
        // A blob that would not be kept as a base need not be held.
        let output = if is_blob && size > self.limits.bases_bytes_max as u64 / 8 {
            let mut hasher = hasher(self.object_format);
            hasher.update(&gix_object::encode::loose_header(Kind::Blob, size));
            Output::Hashed(Box::new(hasher), vec![0; STREAM_BYTES])
        } else {
            // One byte more than needed shows data that goes on.
            Output::Held(vec![0; (size + 1).min(ROOM_BYTES_FIRST) as usize])
        };
        let mut crc = Crc::new();
        crc.update(head);
        self.file.append(head)?;
        self.inflater.start();
        self.state = State::Data(Box::new(Data { offset, kind: header.kind, size, made: 0, crc, output }));
        Ok(())
    }

    fn data(&mut self, mut data: Box<Data>, bytes: &[u8]) -> Result<usize, Error> {
        let offset = data.offset;
        let damaged = |reason| Error::Damaged { offset, reason };
        let mut used = 0;
        let ended = loop {
            let room = data.room();
            let (consumed, produced, progress) = self.inflater.step(&bytes[used..], room).map_err(damaged)?;
            used += consumed;
            data.take(produced);
            self.work(produced as u64)?;
            if data.made > data.size {
                return Err(damaged("it is larger than it says"));
            }
            match progress {
                Progress::Ended => break true,
                Progress::Going if consumed == 0 && produced == 0 => break false,
                Progress::Going => {}
            }
        };
        data.crc.update(&bytes[..used]);
        self.file.append(&bytes[..used])?;
        if ended {
            if data.made != data.size {
                return Err(damaged("it is smaller than it says"));
            }
            self.end(*data)?;
        } else if used < bytes.len() {
            return Err(damaged("its compressed data is broken"));
        } else {
            self.state = State::Data(data);
        }
        Ok(used)
    }

    /// The data of an entry is complete.
    fn end(&mut self, data: Data) -> Result<(), Error> {
        let mut entry =
            Entry { offset: data.offset, crc32: data.crc.sum(), base: NONE, depth: 0, kind: None };
        match (data.kind, data.output) {
            (EntryKind::Whole(kind), Output::Hashed(hasher, _)) => {
                entry.kind = Some(kind);
                let index = self.entries.push(entry);
                self.entries.set_id(index, &finalize(*hasher)?);
            }
            (EntryKind::Whole(kind), Output::Held(mut object)) => {
                object.truncate(data.size as usize);
                let index = self.entries.push(entry);
                self.object(index, kind, Rc::new(object))?;
            }
            (EntryKind::OfsDelta(distance), Output::Held(mut delta)) => {
                delta.truncate(data.size as usize);
                let base = data.offset.checked_sub(distance).and_then(|base| self.entries.at_offset(base));
                entry.base = base.ok_or(Error::Damaged { offset: data.offset, reason: "it has no base" })?;
                let index = self.entries.push(entry);
                self.delta(index, &delta)?;
            }
            (EntryKind::RefDelta(id), Output::Held(_)) => {
                let entry = self.entries.push(entry);
                self.waiting.for_ids.push((entry, id));
            }
            (_, Output::Hashed(..)) => unreachable!("only blobs are not held"),
        }
        self.remaining -= 1;
        self.next_entry();
        Ok(())
    }

    /// Applies a delta at once if its base is at hand.
    fn delta(&mut self, index: u32, delta: &[u8]) -> Result<(), Error> {
        let base = self.entries.get(index).base;
        let at_hand = self.entries.get(base).kind.and_then(|_| self.bases.get(base));
        match at_hand {
            Some(data) => self.apply(index, base, &data, delta).map(|_| ()),
            None => {
                self.waiting.for_entries.push(index);
                Ok(())
            }
        }
    }

    /// Makes the object of a delta, and enters it.
    pub(super) fn apply(
        &mut self,
        index: u32,
        base: u32,
        base_data: &[u8],
        delta: &[u8],
    ) -> Result<Rc<Vec<u8>>, Error> {
        let base_entry = *self.entries.get(base);
        let offset = self.entries.get(index).offset;
        let depth = u32::from(base_entry.depth) + 1;
        if depth > self.limits.chain_deltas_max.min(u16::MAX.into()) {
            return Err(Error::ChainTooLong { offset, limit: self.limits.chain_deltas_max });
        }
        let object = Rc::new(self.patch(offset, base_data, delta)?);
        let entry = self.entries.get_mut(index);
        entry.base = base;
        entry.depth = depth as u16;
        let kind = base_entry.kind.expect("a base is resolved before what is based on it");
        self.object(index, kind, object.clone())?;
        Ok(object)
    }

    /// Applies a delta within the limits.
    pub(super) fn patch(&mut self, offset: u64, base: &[u8], delta: &[u8]) -> Result<Vec<u8>, Error> {
        let damaged = |reason| Error::Damaged { offset, reason };
        let size = delta::sizes(delta).map_err(damaged)?.result;
        if size > self.limits.held_bytes_max {
            return Err(Error::ObjectTooLarge { offset, size, limit: self.limits.held_bytes_max });
        }
        self.work(size)?;
        let mut object = Vec::new();
        delta::apply(base, delta, &mut object).map_err(damaged)?;
        Ok(object)
    }

    /// Enters a whole object: its id and kind are known now.
    pub(super) fn object(&mut self, index: u32, kind: Kind, data: Rc<Vec<u8>>) -> Result<(), Error> {
        let mut hasher = hasher(self.object_format);
        hasher.update(&gix_object::encode::loose_header(kind, data.len() as u64));
        hasher.update(&data);
        let id = finalize(hasher)?;
        self.entries.set_id(index, &id);
        let entry = self.entries.get_mut(index);
        entry.kind = Some(kind);
        if kind != Kind::Blob {
            let (offset, size, limit) = (entry.offset, data.len() as u64, self.limits.structured_bytes_max);
            if size > limit {
                return Err(Error::ObjectTooLarge { offset, size, limit });
            }
            self.inspector.inspect(&id, kind, &data).map_err(|reason| Error::Rejected { id, reason })?;
        }
        self.bases.put(index, data);
        Ok(())
    }

    pub(super) fn work(&mut self, bytes: u64) -> Result<(), Error> {
        self.work_bytes += bytes;
        if self.work_bytes > self.limits.work_bytes_max {
            return Err(Error::TooMuchWork { limit: self.limits.work_bytes_max });
        }
        Ok(())
    }

    fn checksum(&mut self, mut held: Vec<u8>, bytes: &[u8]) -> Result<usize, Error> {
        let len = self.object_format.len_in_bytes();
        let used = fill(&mut held, bytes, len);
        self.state = if held.len() < len {
            State::Checksum(held)
        } else if held[..] == *self.file.checksum()?.as_slice() {
            State::Ended
        } else {
            return Err(Error::Checksum);
        };
        Ok(used)
    }
}

impl Data {
    /// Where inflated data goes next.
    fn room(&mut self) -> &mut [u8] {
        let (made, size) = (self.made as usize, self.size);
        match &mut self.output {
            Output::Held(object) => {
                if made == object.len() {
                    let wanted = (made as u64 * 2).min(size + 1) as usize;
                    object.resize(wanted, 0);
                }
                &mut object[made..]
            }
            Output::Hashed(_, room) => room,
        }
    }

    fn take(&mut self, produced: usize) {
        self.made += produced as u64;
        if let Output::Hashed(hasher, room) = &mut self.output {
            hasher.update(&room[..produced]);
        }
    }
}

/// The id of what was hashed.
///
/// Fails with [`Error::Collision`] if it was made so that something else has the same id.
pub(super) fn finalize(hasher: gix_hash::Hasher) -> Result<ObjectId, Error> {
    hasher.try_finalize().map_err(|error| Error::Collision { words: error.to_string() })
}

/// Moves bytes to `held` until it has `len`; returns how many.
fn fill(held: &mut Vec<u8>, bytes: &[u8], len: usize) -> usize {
    let count = bytes.len().min(len - held.len());
    held.extend_from_slice(&bytes[..count]);
    count
}
