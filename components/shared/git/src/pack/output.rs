//! A pack that is made piece by piece.
//!
//! Entries are sent as they are stored, in the order in which they lie; a delta whose base is not
//! sent is the only thing that is compressed anew.

use super::entries::{Chains, Entries, Entry, Form};
use super::recipe::{Recipe, Recorder};
use super::search::Found;
use super::stream::{Stream, compress};
use crate::checksum::Checksum;
use crate::format::ObjectFormat;
use crate::odb::entry::{EntryKind, Header};
use crate::odb::{Error, PACK_HEADER_LEN, Store};
use crate::walk::{Had, Located, ObjectSet, Selection};
use gix_hash::ObjectId;

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
    object_format: ObjectFormat,
    send: ObjectSet,
    had: Had,
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
    /// Deltas for objects that are stored whole.
    found: Found,
    /// What is made is a stored pack as it lies, its checksum included.
    is_verbatim: bool,
    /// None: nobody wants the recipe.
    recorder: Option<Recorder>,
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

struct Copy {
    pack: u32,
    offset: u64,
    end: u64,
}

/// Room for the head of an entry.
pub(super) const HEAD_LEN_MAX: usize = 64;
/// How much of a loose object is compressed at once where a pack is planned, in bytes.
const STREAM_LEN: usize = 64 * 1024;

impl Output {
    /// A pack of objects of one repository, whose object format that is.
    pub fn new(object_format: ObjectFormat, selection: Selection, options: Options) -> Self {
        let mut loose: Vec<ObjectId> = selection.send.loose().copied().collect();
        loose.sort_unstable();
        Self {
            object_format,
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
            found: Found::default(),
            is_verbatim: false,
            recorder: None,
        }
    }

    /// Has objects stored as these deltas, of which every base is in the pack too, or had.
    pub fn with_deltas(self, found: Found) -> Self {
        Self { found, ..self }
    }

    /// Has the recipe written down.
    pub fn record(&mut self) {
        self.recorder = Some(Recorder::default());
    }

    /// The recipe, once the pack is complete or planned.
    ///
    /// Fails if it was not asked for or is too long to be kept, with the same pack from its beginning.
    pub fn into_recipe_or_again(mut self) -> Result<Recipe, Self> {
        let (objects, has_checksum) = (self.len(), matches!(self.stage, Stage::Done));
        let recorder = self.recorder.take();
        recorder.and_then(|recorder| recorder.finish(objects, has_checksum)).ok_or_else(|| {
            let selection = Selection { send: self.send, had: self.had, versions: Vec::new() };
            Self::new(self.object_format, selection, self.options)
        })
    }

    /// Plans a pack whose recipe is asked for: finds out what it consists of, and reads nothing of what is
    /// only to be copied. Takes at most so many steps; false: it is planned, or the recipe too long.
    ///
    /// Fails if what is stored cannot be read.
    pub fn plan(&mut self, store: &Store, steps: usize) -> Result<bool, Error> {
        for _ in 0..steps {
            let Some(recorder) = &mut self.recorder else { return Ok(false) };
            if !self.ready.is_empty() {
                recorder.own(&self.ready);
                self.made += self.ready.len() as u64;
                self.ready.clear();
            } else if let Some(copy) = self.copy.take() {
                recorder.stored(copy.pack, copy.offset, copy.end - copy.offset);
                self.made += copy.end - copy.offset;
            } else if let Some(stream) = &mut self.stream {
                if !stream.compress_to(&mut self.ready, STREAM_LEN)? {
                    self.stream = None;
                }
            } else if matches!(self.stage, Stage::Trailer | Stage::Done) || recorder.is_too_long() {
                return Ok(false);
            } else {
                self.step(store)?;
            }
        }
        Ok(true)
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
        let mut before = out.len();
        let mut hashed = before;
        let outcome = loop {
            if len.saturating_sub(out.len()) < HEAD_LEN_MAX {
                break true;
            }
            if self.pour(store, out, len)? {
                self.made += (out.len() - before) as u64;
                before = out.len();
                continue;
            }
            match self.stage {
                Stage::Done => break false,
                Stage::Trailer => {
                    self.checksum.update(&out[hashed..]);
                    hashed = before;
                }
                _ => {}
            }
            self.step(store)?;
        };
        if !self.is_verbatim {
            self.checksum.update(&out[hashed..]);
        }
        Ok(outcome)
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
        let is_plain = self.is_plain();
        let whole = (0..store.pack_count()).find(|pack| {
            let count = self.send.pack_len(*pack);
            count == self.send.len() && count == u64::from(store.pack_len(*pack))
        });
        match whole.filter(|_| is_plain && !self.send.is_empty()) {
            Some(pack) => Ok(Some(Copy { pack, offset: 0, end: store.pack_bytes(pack)? })),
            None => Ok(None),
        }
    }

    /// Whether whole packs can be sent as they lie.
    fn is_plain(&self) -> bool {
        self.options.ofs_delta && self.options.chain_deltas_max.is_none() && self.found.is_empty()
    }

    fn begin_pack(&mut self, store: &Store, number: u32) -> Result<Stage, Error> {
        if number == store.pack_count() {
            return Ok(Stage::Loose);
        }
        let count = self.send.pack_len(number);
        if count == 0 {
            return Ok(Stage::Pack(number + 1));
        }
        let is_plain = self.is_plain();
        if count == u64::from(store.pack_len(number)) && is_plain {
            // All of it: every base is sent too, at the same distance.
            let trailer_len = store.object_format().len_in_bytes() as u64;
            let end = store.pack_bytes(number)? - trailer_len;
            self.copy = Some(Copy { pack: number, offset: PACK_HEADER_LEN, end });
            self.objects += count;
            return Ok(Stage::Pack(number + 1));
        }
        Ok(Stage::Entries(Box::new(Entries::new(store, number, &self.send)?)))
    }

    fn next_entry(&mut self, store: &Store) -> Result<(), Error> {
        let Stage::Entries(entries) = &mut self.stage else { return Ok(()) };
        let pack = entries.pack;
        let Some(entry) = entries.next(store)? else {
            self.stage = Stage::Pack(pack + 1);
            return Ok(());
        };
        let begin = self.made;
        entries.begin(&entry, begin);
        self.objects += 1;
        let packed = entries.packed(&entry);
        if let Some(delta) = self.found.take(Located::Packed(packed)) {
            self.chains.set(store, packed, delta.depth);
            compress(EntryKind::RefDelta(delta.base), &delta.bytes, &mut self.ready);
            return Ok(());
        }
        let form = entries.form(store, &self.send, &self.had, self.options, &entry, begin)?;
        let is_within = match self.options.chain_deltas_max {
            None => true,
            Some(max) => {
                let base = entries.base(store, &entry)?.map(|(_, at)| at);
                self.chains.enter(store, packed, base, max)?
            }
        };
        let start = match form {
            Form::Verbatim if is_within => entry.offset,
            Form::Headed(kind) if is_within => {
                Header { kind, ..entry.header }.write_to(&mut self.ready);
                entry.offset + entry.header.len as u64
            }
            _ => {
                let object = store.packed_object(packed)?;
                compress(EntryKind::Whole(object.kind), &object.data, &mut self.ready);
                return Ok(());
            }
        };
        self.copy_from(store, &entry, start)
    }

    /// Copies an entry from `start` on, and with it those after it that can be sent as they lie.
    fn copy_from(&mut self, store: &Store, entry: &Entry, start: u64) -> Result<(), Error> {
        let Stage::Entries(entries) = &mut self.stage else { return Ok(()) };
        let mut end = entries.end(store, entry)?;
        // How long chains get is told one by one.
        if self.options.chain_deltas_max.is_none() && self.found.is_empty() {
            let begin = self.made + self.ready.len() as u64;
            let (count, run_end) = entries.extend_run(store, self.options, (start, end), begin)?;
            self.objects += count;
            end = run_end;
        }
        self.copy = (start < end).then_some(Copy { pack: entries.pack, offset: start, end });
        Ok(())
    }

    fn begin_loose(&mut self, store: &Store, id: &ObjectId) -> Result<(), Error> {
        self.objects += 1;
        if let Some(delta) = self.found.take(Located::Loose(*id)) {
            compress(EntryKind::RefDelta(delta.base), &delta.bytes, &mut self.ready);
            return Ok(());
        }
        let loose = match store.loose(id) {
            // It was packed since it was selected.
            Err(Error::Missing(_)) => {
                let object = store.object(id)?;
                compress(EntryKind::Whole(object.kind), &object.data, &mut self.ready);
                return Ok(());
            }
            loose => loose?,
        };
        self.stream = Some(Stream::new(loose, &mut self.ready));
        Ok(())
    }
}
