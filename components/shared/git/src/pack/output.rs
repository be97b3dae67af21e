//! A pack that is made piece by piece.
//!
//! Entries are sent as they are stored, in the order in which they lie; a delta whose base is not
//! sent is the only thing that is compressed anew.

use crate::checksum::Checksum;
use crate::format::ObjectFormat;
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
}

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
    rank: usize,
    /// Where in the output each entry sent so far begins, by rank; 0: nowhere.
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
        }
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
                self.checksum.update(&out[before..]);
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
            out.extend_from_slice(&self.ready[self.ready_at..self.ready_at + count]);
            self.ready_at += count;
            return Ok(true);
        }
        self.ready.clear();
        self.ready_at = 0;
        if let Some(copy) = &mut self.copy {
            let count = (copy.end - copy.offset).min(room as u64) as usize;
            store.append_stored(copy.pack, copy.offset, count, out)?;
            copy.offset += count as u64;
            if copy.offset == copy.end {
                self.copy = None;
            }
            return Ok(true);
        }
        if let Some(stream) = &mut self.stream {
            if !stream.compress_to(out, room)? {
                self.stream = None;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Takes the next thing to be sent in hand. There is nothing left to be poured.
    fn step(&mut self, store: &Store) -> Result<(), Error> {
        match &mut self.stage {
            Stage::Head => {
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

    fn begin_pack(&mut self, store: &Store, number: u32) -> Result<Stage, Error> {
        if number == store.pack_count() {
            return Ok(Stage::Loose);
        }
        let count = self.send.pack_len(number);
        if count == 0 {
            return Ok(Stage::Pack(number + 1));
        }
        let order = store.pack_order(number)?;
        if count == order.len() as u64 && self.options.ofs_delta {
            // All of it: every base is sent too, at the same distance.
            let end = order.end(order.len() - 1);
            self.copy = Some(Copy { pack: number, offset: PACK_HEADER_LEN, end });
            self.objects += count;
            return Ok(Stage::Pack(number + 1));
        }
        let begins = vec![0; order.len()];
        Ok(Stage::Entries(Box::new(Entries { pack: number, order, rank: 0, begins })))
    }

    fn next_entry(&mut self, store: &Store) -> Result<(), Error> {
        let Stage::Entries(entries) = &mut self.stage else { return Ok(()) };
        let pack = entries.pack;
        let is_sent = |send: &ObjectSet, position| send.contains(Located::Packed(Packed { pack, position }));
        while entries.rank < entries.order.len() && !is_sent(&self.send, entries.order.entry(entries.rank).1)
        {
            entries.rank += 1;
        }
        if entries.rank == entries.order.len() {
            self.stage = Stage::Pack(pack + 1);
            return Ok(());
        }
        let rank = entries.rank;
        let (offset, position) = entries.order.entry(rank);
        entries.rank += 1;
        entries.begins[rank] = self.made;
        self.objects += 1;
        let header = store.entry_header(pack, offset)?;
        let Some(kind) =
            entries.stored_kind(store, &self.send, &self.had, self.options, (offset, &header), self.made)?
        else {
            let object = store.packed_object(Packed { pack, position })?;
            return self.compress(object.kind, &object.data);
        };
        Header { kind, ..header }.write_to(&mut self.ready);
        let end = entries.order.end(rank);
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

impl Entries {
    /// How an entry that begins at `begin` of the output can be sent as it is stored; none: it cannot,
    /// since its base is neither sent nor had.
    fn stored_kind(
        &self,
        store: &Store,
        send: &ObjectSet,
        had: &ObjectSet,
        options: Options,
        (offset, header): (u64, &Header),
        begin: u64,
    ) -> Result<Option<EntryKind>, Error> {
        let pack = self.pack;
        let Some(base_offset) = store.entry_base(pack, offset, header)? else {
            return Ok(Some(header.kind));
        };
        let damaged = |reason| Error::DamagedEntry { pack: store.pack_name(pack), offset, reason };
        let base_rank =
            self.order.rank(base_offset).ok_or_else(|| damaged("its base is not an entry of the pack"))?;
        let base = Packed { pack, position: self.order.entry(base_rank).1 };
        let base_begin = self.begins[base_rank];
        if base_begin != 0 && base_begin < begin && options.ofs_delta {
            return Ok(Some(EntryKind::OfsDelta(begin - base_begin)));
        }
        let base_id = store.packed_id(base)?;
        // An earlier pack may have it too: then it is sent from there, and never on account of this one.
        let base_at = Located::require(store, &base_id)?;
        let is_there = send.contains(base_at) || options.thin && had.contains(base_at);
        Ok(is_there.then_some(EntryKind::RefDelta(base_id)))
    }
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
