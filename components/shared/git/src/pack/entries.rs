//! The entries of one stored pack, some of which are sent.

use super::output::Options;
use crate::limits::{DELTA_CHAIN_DELTAS_MAX, OBJECT_BYTES_MAX};
use crate::odb::entry::{EntryKind, Header};
use crate::odb::{Error, Order, Packed, Store};
use crate::walk::{Had, Located, ObjectSet};
use gix_hash::ObjectId;
use std::sync::Arc;

/// If more than one in so many entries of a pack is sent, they are found by going through all of them;
/// else they are sorted.
const DENSE_PART: u64 = 16;
/// How many stored bytes are copied at once at the most, unless one entry has more.
const RUN_BYTES_MAX: u64 = 256 * 1024;

/// The entries of one pack, of which some are sent.
pub struct Entries {
    pub pack: u32,
    order: Arc<Order>,
    /// Offset and position in the index of those that are sent, in the order in which they lie.
    sent: Vec<(u64, u32)>,
    /// Where in the output each of `sent` begins; 0: nowhere yet.
    begins: Vec<u64>,
    /// Before this one of `sent`, all are sent.
    next: usize,
    /// Those of `sent` that wait for the one that they are based on.
    waiting: Vec<usize>,
    /// The offset and the rank of the entry after the one whose end was asked for last.
    after: (u64, usize),
}

/// One entry that is to be sent.
pub struct Entry {
    /// Among those sent.
    index: usize,
    pub offset: u64,
    pub header: Header,
    /// The offset of what it is based on.
    base_offset: Option<u64>,
    /// Which of those sent it is based on.
    base: Option<usize>,
}

/// How an entry is sent.
pub enum Form {
    /// As it is stored, its head included.
    Verbatim,
    /// With another head.
    Headed(EntryKind),
    /// Its base is neither sent nor had: the object has to be stored in another way.
    Anew,
}

impl Entries {
    /// Finds those entries of a pack that `send` has.
    pub fn new(store: &Store, pack: u32, send: &ObjectSet) -> Result<Self, Error> {
        let order = store.pack_order(pack)?;
        let count = send.pack_len(pack);
        let mut sent = Vec::with_capacity(count as usize);
        if count * DENSE_PART > order.len() as u64 {
            for rank in 0..order.len() {
                let position = order.position(rank)?;
                if send.contains(Located::Packed(Packed { pack, position })) {
                    sent.push((order.offset(position)?, position));
                }
            }
        }
        // An order that was stored may be damaged.
        if sent.len() as u64 != count || !sent.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            sent.clear();
            for position in send.of_pack(pack) {
                sent.push((order.offset(position)?, position));
            }
            sent.sort_unstable();
        }
        Ok(Self {
            pack,
            order,
            begins: vec![0; sent.len()],
            sent,
            next: 0,
            waiting: Vec::new(),
            after: (0, 0),
        })
    }

    /// Which entry is to be sent next: each after the one that it is based on. None: all are sent.
    pub fn next(&mut self, store: &Store) -> Result<Option<Entry>, Error> {
        let mut index = match self.waiting.pop() {
            Some(index) => index,
            None => {
                while self.begins.get(self.next).is_some_and(|begin| *begin != 0) {
                    self.next += 1;
                }
                if self.next == self.sent.len() {
                    return Ok(None);
                }
                self.next
            }
        };
        // Most are based on what lies before them; what names its base by its id need not be.
        loop {
            let entry = self.entry(store, index)?;
            let Some(base) = entry.base.filter(|base| self.begins[*base] == 0) else {
                return Ok(Some(entry));
            };
            if self.waiting.len() == DELTA_CHAIN_DELTAS_MAX {
                let reason = "its chain of deltas is longer than the limit, or a loop";
                return Err(self.damaged(store, entry.offset, reason));
            }
            self.waiting.push(index);
            index = base;
        }
    }

    fn entry(&self, store: &Store, index: usize) -> Result<Entry, Error> {
        let offset = self.sent[index].0;
        let header = store.entry_header(self.pack, offset)?;
        let base_offset = store.entry_base(self.pack, offset, &header)?;
        let base = base_offset.and_then(|base| self.sent.binary_search_by_key(&base, |entry| entry.0).ok());
        Ok(Entry { index, offset, header, base_offset, base })
    }

    /// Notes that an entry begins at `begin` of the output.
    pub fn begin(&mut self, entry: &Entry, begin: u64) {
        self.begins[entry.index] = begin;
    }

    /// Where the object is that an entry stores.
    pub fn packed(&self, entry: &Entry) -> Packed {
        Packed { pack: self.pack, position: self.sent[entry.index].1 }
    }

    /// Tells how an entry that begins at `begin` of the output can be sent.
    pub fn form(
        &self,
        store: &Store,
        send: &ObjectSet,
        had: &Had,
        options: Options,
        entry: &Entry,
        begin: u64,
    ) -> Result<Form, Error> {
        if entry.base_offset.is_none() {
            return Ok(Form::Verbatim);
        }
        if let Some(base) = entry.base.filter(|_| options.ofs_delta) {
            let distance = EntryKind::OfsDelta(begin - self.begins[base]);
            return Ok(if entry.header.kind == distance { Form::Verbatim } else { Form::Headed(distance) });
        }
        let (id, at) = self.base(store, entry)?.expect("what has the offset of a base has a base");
        let at = Located::Packed(at);
        let is_there = send.contains(at) || options.thin && had.contains(at)?;
        Ok(if is_there { Form::Headed(EntryKind::RefDelta(id)) } else { Form::Anew })
    }

    /// What an entry is based on. Another pack may have that too: it is sent from where it is found, and
    /// never on account of this one.
    pub fn base(&self, store: &Store, entry: &Entry) -> Result<Option<(ObjectId, Packed)>, Error> {
        let Some(base_offset) = entry.base_offset else { return Ok(None) };
        let position = match entry.base {
            Some(base) => self.sent[base].1,
            None => match self.order.rank(base_offset)? {
                Some(rank) => self.order.position(rank)?,
                None => {
                    return Err(self.damaged(store, entry.offset, "its base is not an entry of the pack"));
                }
            },
        };
        let id = store.packed_id(Packed { pack: self.pack, position })?;
        match Located::require(store, &id)? {
            Located::Packed(at) => Ok(Some((id, at))),
            Located::Loose(id) => Err(Error::Missing(id)),
        }
    }

    /// Where an entry that was to be sent next ends.
    pub fn end(&mut self, store: &Store, entry: &Entry) -> Result<u64, Error> {
        // Where many are sent, it is mostly the one after the last.
        let rank = match self.after {
            (offset, rank) if offset == entry.offset => Some(rank),
            _ => self.order.rank(entry.offset)?,
        };
        let rank = rank.ok_or_else(|| self.damaged(store, entry.offset, "no entry begins there"))?;
        let end = self.order.end(rank)?;
        if entry.offset + entry.header.len as u64 > end {
            return Err(self.damaged(store, entry.offset, "it ends within its head"));
        }
        self.after = (end, rank + 1);
        Ok(end)
    }

    /// Notes as sent those entries that follow the stored bytes from `start` to `end`, which are sent as
    /// they lie from `begin` of the output on, and can be sent so with them; returns how many there are
    /// and where the last of them ends.
    pub fn extend_run(
        &mut self,
        store: &Store,
        options: Options,
        (start, mut end): (u64, u64),
        begin: u64,
    ) -> Result<(u64, u64), Error> {
        let mut count = 0;
        while self.waiting.is_empty() && end - start < RUN_BYTES_MAX {
            while self.begins.get(self.next).is_some_and(|begin| *begin != 0) {
                self.next += 1;
            }
            if self.sent.get(self.next).is_none_or(|(offset, _)| *offset != end) {
                break;
            }
            let entry = self.entry(store, self.next)?;
            let begins = begin + (end - start);
            let is_verbatim = match (entry.header.kind, entry.base) {
                (EntryKind::Whole(_), _) => true,
                (EntryKind::OfsDelta(distance), Some(base)) if options.ofs_delta => {
                    self.begins[base] != 0 && begins - self.begins[base] == distance
                }
                _ => false,
            };
            if !is_verbatim {
                break;
            }
            end = self.end(store, &entry)?;
            self.begin(&entry, begins);
            count += 1;
        }
        Ok((count, end))
    }

    fn damaged(&self, store: &Store, offset: u64, reason: &'static str) -> Error {
        Error::DamagedEntry { pack: store.pack_name(self.pack), offset, reason }
    }
}

/// How many deltas each packed object that was sent is away from a whole one, and one more; 0: it was
/// not sent. By pack and position in its index, as far as anybody asks.
#[derive(Default)]
pub struct Chains(Vec<Vec<u16>>);

impl Chains {
    fn length(&self, packed: Packed) -> Option<u16> {
        let length = self.0.get(packed.pack as usize)?.get(packed.position as usize)?;
        length.checked_sub(1)
    }

    /// Notes how many deltas an object is away from a whole one, if it stays a delta based on
    /// `base`; false: those would be more than `max`, and it has to be stored whole.
    pub fn enter(
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
        self.set(store, packed, if stays { length } else { 0 });
        Ok(stays)
    }

    /// Notes how many deltas an object is away from a whole one.
    pub fn set(&mut self, store: &Store, packed: Packed, length: u16) {
        let pack = packed.pack as usize;
        if self.0.len() <= pack {
            self.0.resize_with(pack + 1, Vec::new);
        }
        let lengths = &mut self.0[pack];
        lengths.resize(store.pack_len(packed.pack) as usize, 0);
        lengths[packed.position as usize] = length.saturating_add(1);
    }
}
