//! How a pack was made: which stretches of which stored packs it consists of, and what lies between.
//!
//! A pack that is made by its recipe again costs what it takes to copy it: nothing is looked up, and
//! its checksum is known, once it was made to the end.

use crate::checksum::Checksum;
use crate::odb::{Error, Store};

/// How many bytes a recipe may hold itself.
pub const RECIPE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How many parts a recipe may have.
pub const RECIPE_PARTS_MAX: usize = 200_000;

const OWN: u8 = 0;
const STORED: u8 = 1;

/// The recipe of one pack, good for a store with the same packs in the same order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipe {
    objects: u64,
    /// Whether the checksum at the end is among the parts.
    has_checksum: bool,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Own(Vec<u8>),
    Stored { pack: u32, offset: u64, len: u64 },
}

impl Part {
    /// How many bytes of the pack it is.
    fn len(&self) -> u64 {
        match self {
            Self::Own(own) => own.len() as u64,
            Self::Stored { len, .. } => *len,
        }
    }
}

/// A recipe that is written down while a pack is made.
#[derive(Default)]
pub(super) struct Recorder {
    recipe: Recipe,
    own_bytes: usize,
    is_too_long: bool,
}

impl Recorder {
    /// Notes bytes that are nowhere stored as they are.
    pub fn own(&mut self, bytes: &[u8]) {
        self.own_bytes += bytes.len();
        if let Some(Part::Own(before)) = self.recipe.parts.last_mut() {
            before.extend_from_slice(bytes);
        } else {
            self.recipe.parts.push(Part::Own(bytes.to_vec()));
        }
        self.check();
    }

    /// Notes bytes that are stored.
    pub fn stored(&mut self, pack: u32, offset: u64, count: u64) {
        match self.recipe.parts.last_mut() {
            Some(Part::Stored { pack: before, offset: begin, len })
                if *before == pack && *begin + *len == offset =>
            {
                *len += count;
            }
            _ => self.recipe.parts.push(Part::Stored { pack, offset, len: count }),
        }
        self.check();
    }

    fn check(&mut self) {
        if self.own_bytes > RECIPE_BYTES_MAX || self.recipe.parts.len() > RECIPE_PARTS_MAX {
            self.is_too_long = true;
            (self.recipe, self.own_bytes) = Default::default();
        }
    }

    /// Whether more was noted than is kept.
    pub fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    /// The recipe of a pack of so many objects; none: it is too long to be kept.
    pub fn finish(self, objects: u64, has_checksum: bool) -> Option<Recipe> {
        (!self.is_too_long).then_some(Recipe { objects, has_checksum, ..self.recipe })
    }
}

impl Recipe {
    /// How many objects the pack has.
    pub fn objects(&self) -> u64 {
        self.objects
    }

    /// How many bytes the pack has.
    pub fn pack_len(&self) -> u64 {
        self.parts.iter().map(Part::len).sum()
    }

    /// Whether the checksum at the end of the pack is known.
    pub fn has_checksum(&self) -> bool {
        self.has_checksum
    }

    /// The recipe as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.objects.to_le_bytes().to_vec();
        bytes.push(self.has_checksum.into());
        for part in &self.parts {
            match part {
                Part::Own(own) => {
                    bytes.push(OWN);
                    bytes.extend_from_slice(&(own.len() as u64).to_le_bytes());
                    bytes.extend_from_slice(own);
                }
                Part::Stored { pack, offset, len } => {
                    bytes.push(STORED);
                    bytes.extend_from_slice(&pack.to_le_bytes());
                    bytes.extend_from_slice(&offset.to_le_bytes());
                    bytes.extend_from_slice(&len.to_le_bytes());
                }
            }
        }
        bytes
    }

    /// The recipe that was written by [`Self::to_bytes`]. None: it is damaged, or not of this store.
    pub fn from_bytes(store: &Store, bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let objects = u64::from_le_bytes(take(&mut rest)?);
        let has_checksum = match take(&mut rest)? {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        let mut recipe = Self { objects, has_checksum, parts: Vec::new() };
        while let Some((kind, after)) = rest.split_first() {
            rest = after;
            match *kind {
                OWN => {
                    let len = usize::try_from(u64::from_le_bytes(take(&mut rest)?)).ok()?;
                    let (own, after) = rest.split_at_checked(len)?;
                    rest = after;
                    recipe.parts.push(Part::Own(own.to_vec()));
                }
                STORED => {
                    let pack = u32::from_le_bytes(take(&mut rest)?);
                    let (offset, len) =
                        (u64::from_le_bytes(take(&mut rest)?), u64::from_le_bytes(take(&mut rest)?));
                    // The pack is opened here, so that it can be read even if it is removed meanwhile.
                    let is_there = pack < store.pack_count()
                        && offset
                            .checked_add(len)
                            .is_some_and(|end| store.pack_bytes(pack).is_ok_and(|all| end <= all));
                    is_there.then_some(())?;
                    recipe.parts.push(Part::Stored { pack, offset, len });
                }
                _ => return None,
            }
        }
        Some(recipe)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

/// A pack that is made by its recipe.
pub struct Replay {
    recipe: Recipe,
    part: usize,
    /// How much of the part is done, in bytes.
    within: u64,
    /// Of what was made so far, where the recipe has none.
    checksum: Option<Checksum>,
}

impl Replay {
    /// A pack of objects of that store.
    pub fn new(store: &Store, recipe: Recipe) -> Self {
        let checksum = (!recipe.has_checksum).then(|| Checksum::new(store.object_format()));
        Self { recipe, part: 0, within: 0, checksum }
    }

    /// The recipe with the checksum, once the pack is complete.
    pub fn into_recipe(self) -> Recipe {
        self.recipe
    }

    /// How many objects the pack has.
    pub fn objects(&self) -> u64 {
        self.recipe.objects
    }

    /// How many bytes the pack has. None: that is not all known yet.
    pub fn len(&self) -> Option<u64> {
        self.recipe.has_checksum.then(|| self.recipe.pack_len())
    }

    /// Goes on at that many bytes from the beginning of a pack whose length is known.
    pub fn seek(&mut self, offset: u64) {
        (self.part, self.within) = (0, offset);
        while let Some(part) = self.recipe.parts.get(self.part).filter(|part| part.len() <= self.within) {
            self.within -= part.len();
            self.part += 1;
        }
    }

    /// Fills `out` up to `len` bytes; false: the pack is complete.
    ///
    /// Fails if what is stored cannot be read.
    pub fn fill(&mut self, store: &Store, out: &mut Vec<u8>, len: usize) -> Result<bool, Error> {
        while out.len() < len {
            let Some(part) = self.recipe.parts.get(self.part) else {
                match self.checksum.take() {
                    None => return Ok(false),
                    Some(checksum) => self.recipe.parts.push(Part::Own(checksum.finish().as_slice().into())),
                }
                self.recipe.has_checksum = true;
                continue;
            };
            let before = out.len();
            let room = (len - out.len()) as u64;
            let all = match part {
                Part::Own(own) => {
                    let from = self.within as usize;
                    let to = own.len().min(from + room as usize);
                    out.extend_from_slice(&own[from..to]);
                    self.within = to as u64;
                    own.len() as u64
                }
                Part::Stored { pack, offset, len } => {
                    let count = room.min(len - self.within);
                    store.append_stored(*pack, offset + self.within, count as usize, out)?;
                    self.within += count;
                    *len
                }
            };
            if let Some(checksum) = &mut self.checksum {
                checksum.update(&out[before..]);
            }
            if self.within == all {
                self.part += 1;
                self.within = 0;
            }
        }
        Ok(true)
    }
}
