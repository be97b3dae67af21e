//! A pack that is made piece by piece.
//!
//! Entries are sent as they are stored, in the order in which they lie; a delta whose base is not
//! sent is the only thing that is compressed anew.

use super::recipe::{Recipe, Recorder};
use crate::checksum::Checksum;
use crate::format::ObjectFormat;
use crate::limits::{DELTA_CHAIN_DELTAS_MAX, OBJECT_BYTES_MAX};
use crate::odb::entry::{EntryKind, Header};
use crate::odb::loose::Loose;
use crate::odb::{Error, Order, PACK_HEADER_LEN, Packed, Store};
use crate::walk::{Located, ObjectSet, Selection};
use flate2::{Compress, Compression, FlushCompress, Status};
use gix_hash::ObjectId;
use std::sync::Arc;

/// What the receiver understands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Deltas may name their base by its distance.
    pub ofs_delta: bool,
    /// Deltas may be based on objects that the receiver has and the pack has not.
    pub thin: bool,
    /// How many deltas may lie between an object and the whole one it is based on; where there would
    /// be more, the object is stored whole. None: as many as there are.
    pub chain_deltas_max: Option<u16>,
}

/// A pack under way. It owns no file: the store is passed to every step.
pub struct Output {
    send: ObjectSet,
    had: ObjectSet,
    options: Options,
    stage: Stage,
    checksum: Checksum,
    made: u64,
    /// How many objects were begun.
    objects: u64,
    loose: Vec<ObjectId>,
    /// Bytes that are ready to be sent, from `ready_at` on.
    ready: Vec<u8>,
    ready_at: usize,
    /// Stored bytes that are to be copied next.
    copy: Option<Copy>,
    /// A loose object that is being compressed.
    stream: Option<Stream>,
    chains: Chains,
    /// What is made is a stored pack as it lies, its checksum included.
    is_verbatim: bool,
    /// None: nobody wants the recipe.
    recorder: Option<Recorder>,
}

/// How many deltas each packed object that was sent is away from a whole one, and one more; 0: it was
/// not sent. By pack and position in its index, as far as anybody asks.
#[derive(Default)]
struct Chains(Vec<Vec<u16>>);

enum Stage {
    Head,
    /// The pack of this number is next.
    Pack(u32),
    Entries(Box<Entries>),
    Loose,
    Trailer,
    Done,
}

/// The entries of one pack, of which some are sent.
struct Entries {
    pack: u32,
    order: Arc<Order>,
    /// The rank of the entry after the one whose end was asked for last.
    rank: usize,
    /// Offset and position in the index of those that are sent, in the order in which they lie.
    sent: Vec<(u64, u32)>,
    next: usize,
    /// Those of `sent` that wait for the one that they are based on.
    waiting: Vec<usize>,
    /// Where in the output each of `sent` begins; 0: nowhere yet.
    begins: Vec<u64>,
}

struct Copy {
    pack: u32,
    offset: u64,
    end: u64,
}

struct Stream {
    loose: Loose,
    input: Vec<u8>,
    consumed: usize,
    is_at_end: bool,
    compress: Compress,
}

/// Room for the head of an entry.
const HEAD_LEN_MAX: usize = 64;
/// How much of a loose object is read at once, in bytes.
const INPUT_LEN: usize = 32 * 1024;

impl Output {
    /// A pack of objects of one repository, whose object format that is.
    pub fn new(object_format: ObjectFormat, selection: Selection, options: Options) -> Self {
        let mut loose: Vec<ObjectId> = selection.send.loose().copied().collect();
        loose.sort_unstable();
        Self {
            send: selection.send,
            had: selection.had,
            options,
            stage: Stage::Head,
            checksum: Checksum::new(object_format),
            made: 0,
            objects: 0,
            loose,
            ready: Vec::new(),
            ready_at: 0,
            copy: None,
            stream: None,
            chains: Chains::default(),
            is_verbatim: false,
            recorder: None,
        }
    }

    /// Has the recipe written down.
    pub fn record(&mut self) {
        self.recorder = Some(Recorder::default());
    }

    /// The recipe, once the pack is complete. None: it was not asked for, or is too long to be kept.
    pub fn into_recipe(self) -> Option<Recipe> {
        let objects = self.len();
        self.recorder?.finish(objects)
    }

    /// How many objects were begun so far.
    pub fn objects_begun(&self) -> u64 {
        self.objects
    }

    /// How many objects the pack has.
    pub fn len(&self) -> u64 {
        self.send.len()
    }

    /// Whether the pack has no objects.
    pub fn is_empty(&self) -> bool {
        self.send.is_empty()
    }

    /// How many bytes were made so far.
    pub fn bytes_made(&self) -> u64 {
        self.made
    }

    /// Fills `out` up to `len` bytes, or a little less; false: the pack is complete.
    ///
    /// Fails if what is stored cannot be read; what was made so far is then no pack.
    pub fn fill(&mut self, store: &Store, out: &mut Vec<u8>, len: usize) -> Result<bool, Error> {
        while len.saturating_sub(out.len()) >= HEAD_LEN_MAX {
            let before = out.len();
            if self.pour(store, out, len)? {
                if !self.is_verbatim {
                    self.checksum.update(&out[before..]);
                }
                self.made += (out.len() - before) as u64;
            } else if matches!(self.stage, Stage::Done) {
                return Ok(false);
            } else {
                self.step(store)?;
            }
        }
        Ok(true)
    }

    /// Moves what is ready to `out`; false: nothing is.
    fn pour(&mut self, store: &Store, out: &mut Vec<u8>, len: usize) -> Result<bool, Error> {
        let room = len - out.len();
        if self.ready_at < self.ready.len() {
            let count = room.min(self.ready.len() - self.ready_at);
            let own = &self.ready[self.ready_at..self.ready_at + count];
            out.extend_from_slice(own);
            if let Some(recorder) = &mut self.recorder {
                recorder.own(own);
            }
            self.ready_at += count;
            return Ok(true);
        }
        self.ready.clear();
        self.ready_at = 0;
        if let Some(copy) = &mut self.copy {
            let count = (copy.end - copy.offset).min(room as u64) as usize;
            store.append_stored(copy.pack, copy.offset, count, out)?;
            if let Some(recorder) = &mut self.recorder {
                recorder.stored(copy.pack, copy.offset, count as u64);
            }
            copy.offset += count as u64;
            if copy.offset == copy.end {
                self.copy = None;
            }
            return Ok(true);
        }
        if let Some(stream) = &mut self.stream {
            let before = out.len();
            if !stream.compress_to(out, room)? {
                self.stream = None;
            }
            if let Some(recorder) = &mut self.recorder {
                recorder.own(&out[before..]);
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Takes the next thing to be sent in hand. There is nothing left to be poured.
    fn step(&mut self, store: &Store) -> Result<(), Error> {
        match &mut self.stage {
            Stage::Head => {
                if let Some(whole) = self.one_stored_pack(store)? {
                    self.copy = Some(whole);
                    self.objects = self.send.len();
                    self.is_verbatim = true;
                    self.stage = Stage::Done;
                    return Ok(());
                }
                let count = u32::try_from(self.send.len())
                    .map_err(|_| Error::Unsupported("a pack of more than 4,294,967,295 objects".into()))?;
                self.ready.extend_from_slice(b"PACK\0\0\0\x02");
                self.ready.extend_from_slice(&count.to_be_bytes());
                self.stage = Stage::Pack(0);
            }
            Stage::Pack(number) => {
                let number = *number;
                self.stage = self.begin_pack(store, number)?;
            }
            Stage::Entries(_) => self.next_entry(store)?,
            Stage::Loose => match self.loose.pop() {
                Some(id) => self.begin_loose(store, &id)?,
                None => self.stage = Stage::Trailer,
            },
            Stage::Trailer => {
                self.ready.extend_from_slice(self.checksum.clone().finish().as_slice());
                self.stage = Stage::Done;
            }
            Stage::Done => {}
        }
        Ok(())
    }

    /// All of a stored pack, if just its objects are sent.
    fn one_stored_pack(&self, store: &Store) -> Result<Option<Copy>, Error> {
        let is_plain = self.options.ofs_delta && self.options.chain_deltas_max.is_none();
        let whole = (0..store.pack_count()).find(|pack| {
            let count = self.send.pack_len(*pack);
            count == self.send.len() && count == u64::from(store.pack_len(*pack))
        });
        match whole.filter(|_| is_plain && !self.send.is_empty()) {
            Some(pack) => Ok(Some(Copy { pack, offset: 0, end: store.pack_bytes(pack)? })),
            None => Ok(None),
        }
    }

    fn begin_pack(&mut self, store: &Store, number: u32) -> Result<Stage, Error> {
        if number == store.pack_count() {
            return Ok(Stage::Loose);
        }
        let count = self.send.pack_len(number);
        if count == 0 {
            return Ok(Stage::Pack(number + 1));
        }
        let is_plain = self.options.ofs_delta && self.options.chain_deltas_max.is_none();
        if count == u64::from(store.pack_len(number)) && is_plain {
            // All of it: every base is sent too, at the same distance.
            let trailer_len = store.object_format().len_in_bytes() as u64;
            let end = store.pack_bytes(number)? - trailer_len;
            self.copy = Some(Copy { pack: number, offset: PACK_HEADER_LEN, end });
            self.objects += count;
            return Ok(Stage::Pack(number + 1));
        }
        let mut sent = Vec::with_capacity(count as usize);
        for position in self.send.of_pack(number) {
            sent.push((store.packed_offset(Packed { pack: number, position })?, position));
        }
        sent.sort_unstable();
        Ok(Stage::Entries(Box::new(Entries {
            pack: number,
            order: store.pack_order(number)?,
            rank: 0,
            begins: vec![0; sent.len()],
            sent,
            next: 0,
            waiting: Vec::new(),
        })))
    }

    fn next_entry(&mut self, store: &Store) -> Result<(), Error> {
        let Stage::Entries(entries) = &mut self.stage else { return Ok(()) };
        let pack = entries.pack;
        let Some(index) = entries.next(store)? else {
            self.stage = Stage::Pack(pack + 1);
            return Ok(());
        };
        let (offset, position) = entries.sent[index];
        entries.begins[index] = self.made;
        self.objects += 1;
        let header = store.entry_header(pack, offset)?;
        let base = entries.base(store, offset, &header)?;
        let kind = match &base {
            None => Some(header.kind),
            Some(base) => entries.stored_delta(&self.send, &self.had, self.options, base, self.made),
        };
        let packed = Packed { pack, position };
        let is_within = match self.options.chain_deltas_max {
            None => true,
            Some(max) => self.chains.enter(store, packed, base.as_ref().map(|base| base.at), max)?,
        };
        let Some(kind) = kind.filter(|_| is_within) else {
            let object = store.packed_object(packed)?;
            return self.compress(object.kind, &object.data);
        };
        Header { kind, ..header }.write_to(&mut self.ready);
        let Stage::Entries(entries) = &mut self.stage else { return Ok(()) };
        let end = entries.end(store, offset)?;
        let start = offset + header.len as u64;
        if start > end {
            return Err(Error::DamagedEntry {
                pack: store.pack_name(pack),
                offset,
                reason: "it ends within its head",
            });
        }
        self.copy = (start < end).then_some(Copy { pack, offset: start, end });
        Ok(())
    }

    /// Makes an entry of an object in memory.
    fn compress(&mut self, kind: gix_object::Kind, data: &[u8]) -> Result<(), Error> {
        Header { kind: EntryKind::Whole(kind), size: data.len() as u64, len: 0 }.write_to(&mut self.ready);
        let mut compress = Compress::new(Compression::fast(), true);
        let mut consumed = 0;
        loop {
            self.ready.reserve(data.len() / 2 + HEAD_LEN_MAX);
            let before = compress.total_in();
            let status = compress
                .compress_vec(&data[consumed..], &mut self.ready, FlushCompress::Finish)
                .expect("compressing from memory to memory does not fail");
            consumed += (compress.total_in() - before) as usize;
            if status == Status::StreamEnd {
                return Ok(());
            }
        }
    }

    fn begin_loose(&mut self, store: &Store, id: &ObjectId) -> Result<(), Error> {
        self.objects += 1;
        let loose = match store.loose(id) {
            // It was packed since it was selected.
            Err(Error::Missing(_)) => {
                let object = store.object(id)?;
                return self.compress(object.kind, &object.data);
            }
            loose => loose?,
        };
        Header { kind: EntryKind::Whole(loose.kind()), size: loose.size(), len: 0 }.write_to(&mut self.ready);
        self.stream = Some(Stream {
            loose,
            input: Vec::new(),
            consumed: 0,
            is_at_end: false,
            compress: Compress::new(Compression::fast(), true),
        });
        Ok(())
    }
}

impl Chains {
    fn length(&self, packed: Packed) -> Option<u16> {
        let length = self.0.get(packed.pack as usize)?.get(packed.position as usize)?;
        length.checked_sub(1)
    }

    /// Notes how many deltas an object is away from a whole one, if it stays a delta based on
    /// `base`; false: those would be more than `max`, and it has to be stored whole.
    fn enter(
        &mut self,
        store: &Store,
        packed: Packed,
        base: Option<Packed>,
        max: u16,
    ) -> Result<bool, Error> {
        let length = match base {
            None => 0,
            Some(base) => self.length(base).map_or(u16::MAX, |length| length.saturating_add(1)),
        };
        // What is too large to be made anew stays as it is.
        let stays = length <= max || store.packed_header(packed)?.1 > OBJECT_BYTES_MAX;
        let pack = packed.pack as usize;
        if self.0.len() <= pack {
            self.0.resize_with(pack + 1, Vec::new);
        }
        let lengths = &mut self.0[pack];
        lengths.resize(store.pack_len(packed.pack) as usize, 0);
        lengths[packed.position as usize] = if stays { length.saturating_add(1) } else { 1 };
        Ok(stays)
    }
}

impl Entries {
    /// Which of `sent` is to be sent next: each after the one that it is based on. None: all are sent.
    fn next(&mut self, store: &Store) -> Result<Option<usize>, Error> {
        let mut index = match self.waiting.pop() {
            Some(index) => index,
            None => {
                let rest = self.next..self.sent.len();
                let Some(index) = rest.clone().find(|index| self.begins[*index] == 0) else {
                    return Ok(None);
                };
                self.next = index + 1;
                index
            }
        };
        // Most are based on what lies before them; what names its base by its id need not be.
        loop {
            let offset = self.sent[index].0;
            let header = store.entry_header(self.pack, offset)?;
            let base = store.entry_base(self.pack, offset, &header)?.and_then(|base| self.index_of(base));
            let Some(base) = base.filter(|base| self.begins[*base] == 0) else { return Ok(Some(index)) };
            if self.waiting.len() == DELTA_CHAIN_DELTAS_MAX {
                let reason = "its chain of deltas is longer than the limit, or a loop";
                return Err(damaged(store, self.pack, offset, reason));
            }
            self.waiting.push(index);
            index = base;
        }
    }

    /// Which of `sent` lies at an offset.
    fn index_of(&self, offset: u64) -> Option<usize> {
        self.sent.binary_search_by_key(&offset, |entry| entry.0).ok()
    }

    /// Where the entry at an offset ends.
    fn end(&mut self, store: &Store, offset: u64) -> Result<u64, Error> {
        // Where many are sent, it is mostly the one after the last.
        let is_next = self.rank < self.order.len() && self.order.entry(self.rank)?.0 == offset;
        let rank = if is_next { Some(self.rank) } else { self.order.rank(offset)? };
        let rank = rank.ok_or_else(|| damaged(store, self.pack, offset, "no entry begins there"))?;
        self.rank = rank + 1;
        self.order.end(rank)
    }

    /// What the entry at an offset is based on. An earlier pack may have it too: then it is sent from
    /// there, and never on account of this one.
    fn base(&self, store: &Store, offset: u64, header: &Header) -> Result<Option<Base>, Error> {
        let Some(base_offset) = store.entry_base(self.pack, offset, header)? else { return Ok(None) };
        let index = self.index_of(base_offset);
        let position = match index {
            Some(index) => self.sent[index].1,
            None => match self.order.rank(base_offset)? {
                Some(rank) => self.order.entry(rank)?.1,
                None => {
                    return Err(damaged(store, self.pack, offset, "its base is not an entry of the pack"));
                }
            },
        };
        let id = store.packed_id(Packed { pack: self.pack, position })?;
        match Located::require(store, &id)? {
            Located::Packed(at) => Ok(Some(Base { index, id, at })),
            Located::Loose(id) => Err(Error::Missing(id)),
        }
    }

    /// How a delta that begins at `begin` of the output can be sent as it is stored; none: it cannot,
    /// since its base is neither sent nor had.
    fn stored_delta(
        &self,
        send: &ObjectSet,
        had: &ObjectSet,
        options: Options,
        base: &Base,
        begin: u64,
    ) -> Option<EntryKind> {
        let base_begin = base.index.map_or(0, |index| self.begins[index]);
        if base_begin != 0 && base_begin < begin && options.ofs_delta {
            return Some(EntryKind::OfsDelta(begin - base_begin));
        }
        let at = Located::Packed(base.at);
        (send.contains(at) || options.thin && had.contains(at)).then_some(EntryKind::RefDelta(base.id))
    }
}

/// What a delta is based on.
struct Base {
    /// Among those sent of the delta's own pack.
    index: Option<usize>,
    id: ObjectId,
    /// Where it is sent from, if it is.
    at: Packed,
}

fn damaged(store: &Store, pack: u32, offset: u64, reason: &'static str) -> Error {
    Error::DamagedEntry { pack: store.pack_name(pack), offset, reason }
}

impl Stream {
    /// Appends at most `room` bytes of compressed data to `out`; false: that was all.
    fn compress_to(&mut self, out: &mut Vec<u8>, room: usize) -> Result<bool, Error> {
        let end = out.len() + room;
        while out.len() < end {
            if self.consumed == self.input.len() && !self.is_at_end {
                self.input.resize(INPUT_LEN, 0);
                let count = self.loose.read(&mut self.input)?;
                self.input.truncate(count);
                self.consumed = 0;
                self.is_at_end = count == 0;
            }
            let flush = if self.is_at_end { FlushCompress::Finish } else { FlushCompress::None };
            let (at, before_in, before_out) =
                (out.len(), self.compress.total_in(), self.compress.total_out());
            out.resize(end, 0);
            let status = self
                .compress
                .compress(&self.input[self.consumed..], &mut out[at..], flush)
                .expect("compressing from memory to memory does not fail");
            self.consumed += (self.compress.total_in() - before_in) as usize;
            out.truncate(at + (self.compress.total_out() - before_out) as usize);
            if status == Status::StreamEnd {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
