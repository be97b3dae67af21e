//! How bitmaps number objects (gitformat-bitmap; gitformat-pack, "multi-pack-index reverse indexes").

use super::error::Error;
use super::multi_pack_index::{self, MultiPackIndex};
use super::order::Order;
use super::{Packed, Store};
use gix_hash::oid;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The numbers of the objects of one pack, or of several that one index is over.
pub enum Numbering {
    OfPack(OfPack),
    OfPacks(OfPacks),
}

/// As they lie.
pub struct OfPack {
    pack: u32,
    order: Arc<Order>,
}

/// Pack by pack, the preferred one first, and as they lie in each.
pub struct OfPacks {
    index: Arc<MultiPackIndex>,
    /// Number in the store and order of each pack, by its number in the index.
    packs: Vec<(u32, Arc<Order>)>,
    preferred: u32,
}

impl Numbering {
    /// Of one pack.
    pub(super) fn of_pack(pack: u32, order: Arc<Order>) -> Self {
        Self::OfPack(OfPack { pack, order })
    }

    /// Of several, which are told by their numbers in the index. None: it has nothing, or is damaged.
    pub(super) fn of_packs(index: Arc<MultiPackIndex>, packs: Vec<(u32, Arc<Order>)>) -> Option<Self> {
        let (preferred, _) = index.entry(index.ordered(0)?)?;
        Some(Self::OfPacks(OfPacks { index, packs, preferred }))
    }

    /// How many objects are numbered.
    pub fn len(&self) -> u32 {
        match self {
            Self::OfPack(one) => one.order.len() as u32,
            Self::OfPacks(several) => several.index.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the objects of a pack are numbered, unless they lie in another such pack too.
    pub fn is_of_pack(&self, pack: u32) -> bool {
        match self {
            Self::OfPack(one) => one.pack == pack,
            Self::OfPacks(several) => several.packs.iter().any(|(other, _)| *other == pack),
        }
    }

    /// The number of an object; none: it has none.
    pub fn number(&self, at: Packed) -> Result<Option<u32>, Error> {
        match self {
            Self::OfPack(one) if one.pack != at.pack => Ok(None),
            Self::OfPack(one) => {
                let rank = one.order.rank(one.order.offset(at.position)?)?;
                Ok(rank.map(|rank| rank as u32))
            }
            Self::OfPacks(several) => several.number(at),
        }
    }

    /// Where a commit is in the table of ids by which bitmaps name it; none: it is not there.
    pub(crate) fn row(&self, id: &oid, at: Packed) -> Option<u32> {
        match self {
            Self::OfPack(one) => (one.pack == at.pack).then_some(at.position),
            Self::OfPacks(several) => several.index.position(id),
        }
    }

    /// Finds the objects with these numbers.
    ///
    /// Fails if the files that tell where they are are damaged, or with `Missing`.
    pub fn places(
        &self,
        store: &Store,
        numbers: impl Iterator<Item = u32>,
        mut found: impl FnMut(Packed),
    ) -> Result<(), Error> {
        match self {
            Self::OfPack(OfPack { pack, order }) => {
                for number in numbers {
                    found(Packed { pack: *pack, position: order.position(number as usize)? });
                }
            }
            Self::OfPacks(several) => {
                // Numbers mostly ascend, and with them the offsets in each pack.
                let mut next_ranks = vec![0; several.packs.len()];
                for number in numbers {
                    found(several.place(store, number, &mut next_ranks)?);
                }
            }
        }
        Ok(())
    }
}

impl OfPacks {
    fn number(&self, at: Packed) -> Result<Option<u32>, Error> {
        let Some(pack) = self.packs.iter().position(|(number, _)| *number == at.pack) else {
            return Ok(None);
        };
        let offset = self.packs[pack].1.offset(at.position)?;
        let key = |(pack, offset): (u32, u64)| (pack != self.preferred, pack, offset);
        let wanted = key((pack as u32, offset));
        let (mut low, mut high) = (0, self.index.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.index.ordered(middle).and_then(|position| self.index.entry(position));
            match key(entry.ok_or_else(damaged)?).cmp(&wanted) {
                Ordering::Equal => return Ok(Some(middle)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    fn place(&self, store: &Store, number: u32, next_ranks: &mut [usize]) -> Result<Packed, Error> {
        let position = self.index.ordered(number).ok_or_else(damaged)?;
        let (pack, offset) = self.index.entry(position).ok_or_else(damaged)?;
        let (pack_number, order) = &self.packs[pack as usize];
        let next_rank = &mut next_ranks[pack as usize];
        if let Some(rank) = order.rank_from(*next_rank, offset)? {
            *next_rank = rank + 1;
            return Ok(Packed { pack: *pack_number, position: order.position(rank)? });
        }
        // The pack is not what it was when it was indexed: its own index tells.
        let id = self.index.id(position).ok_or_else(damaged)?;
        store.locate_packed(&id)?.ok_or(Error::Missing(id))
    }
}

/// The numbers of all objects at once, for whoever writes bitmaps of them. An object that several of the packs
/// have has its number in each.
pub struct Numbers {
    /// The packs, by their numbers in the store, with the numbers of their objects by position in the index.
    packs: BTreeMap<u32, Vec<u32>>,
    /// By number, where each object is in the table of ids by which bitmaps name commits.
    rows: Vec<u32>,
}

impl Numbers {
    /// Of one pack.
    pub fn of_pack(store: &Store, pack: u32) -> Result<Self, Error> {
        let order = store.pack_order(pack)?;
        let mut numbers = vec![0; order.len()];
        let mut rows = Vec::with_capacity(order.len());
        for rank in 0..order.len() {
            let position = order.position(rank)?;
            numbers[position as usize] = rank as u32;
            rows.push(position);
        }
        Ok(Self::new([(pack, numbers)].into(), rows))
    }

    pub(super) fn new(packs: BTreeMap<u32, Vec<u32>>, rows: Vec<u32>) -> Self {
        Self { packs, rows }
    }

    /// How many objects are numbered.
    pub fn len(&self) -> u32 {
        self.rows.len() as u32
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The packs, by their numbers in the store, with the numbers of their objects by position in the index.
    pub fn packs(&self) -> impl Iterator<Item = (u32, &[u32])> {
        self.packs.iter().map(|(pack, numbers)| (*pack, numbers.as_slice()))
    }

    /// The object's place in one of the packs, and its number. It may be known to be `at` some place, in
    /// whichever pack. None: no pack of these has it.
    pub fn find(&self, store: &Store, id: &oid, at: Option<Packed>) -> Result<Option<(Packed, u32)>, Error> {
        let number = |at: Packed| Some((at, *self.packs.get(&at.pack)?.get(at.position as usize)?));
        if let Some(found) = at.and_then(number) {
            return Ok(Some(found));
        }
        for pack in self.packs.keys() {
            if let Some(position) = store.locate_in_pack(*pack, id)? {
                return Ok(number(Packed { pack: *pack, position }));
            }
        }
        Ok(None)
    }

    /// Where the object with a number is in the table of ids by which bitmaps name commits.
    pub fn row(&self, number: u32) -> u32 {
        self.rows[number as usize]
    }
}

fn damaged() -> Error {
    Error::DamagedFile {
        file: multi_pack_index::FILE_NAME.into(),
        reason: "it tells of objects that it has not",
    }
}
