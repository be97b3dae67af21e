//! One file of a commit-graph.

use super::filter::Filters;
use crate::chunks::Chunks;
use crate::odb::{File, Table, index};
use crate::shortcut;
use gix_hash::{ObjectId, oid};
use std::path::Path;
use std::sync::Arc;

const HEAD_LEN: u64 = 8;
const FANOUT_LEN: u64 = 256 * 4;
/// What a commit's row holds beside the id of its tree: two parents, generation and date.
const ROW_REST_LEN: usize = 16;
pub(super) const NO_PARENT: u32 = 0x7000_0000;
pub(super) const IS_LIST: u32 = 1 << 31;
pub(super) const IS_OVERFLOW: u32 = 1 << 31;
pub(super) const DATE_BITS: u32 = 34;

/// A file of the graph: its commits are numbered from `first` on.
pub(super) struct Layer {
    file: Arc<File>,
    hash: gix_hash::Kind,
    first: u32,
    count: u32,
    bases: usize,
    fanout: Box<[u32; 256]>,
    ids: Table,
    rows: Table,
    edges: Option<Table>,
    generations: Option<Table>,
    large_generations: Option<Table>,
    filters: Option<Filters>,
}

/// What a commit's row says.
pub(super) struct Row {
    pub tree: ObjectId,
    pub parents: [ParentRef; 2],
    pub date: i64,
}

/// How a row names a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParentRef {
    None,
    /// A number of a commit of the whole graph.
    Position(u32),
    /// The second and all further parents are in the list of edges, from this place on.
    List(u32),
}

impl Layer {
    /// Opens a file whose commits are numbered from `first` on. None: it cannot be read, or is damaged.
    pub fn open(path: &Path, hash: gix_hash::Kind, first: u32) -> Option<Self> {
        let file = shortcut::open(path, hash)?;
        let mut head = [0; HEAD_LEN as usize];
        file.read_exact_at(&mut head, 0).ok()?;
        if head[..4] != *b"CGPH" || head[4] != 1 || head[5] != hash_version(hash) {
            return None;
        }
        let hash_len = hash.len_in_bytes() as u64;
        let chunks = Chunks::read(file.clone(), HEAD_LEN, head[6].into(), hash_len)?;
        let fanout = fanout(&chunks.get_of_len(b"OIDF", FANOUT_LEN)?)?;
        let count = fanout[255];
        let rows = u64::from(count);
        let end = first.checked_add(count)?;
        let filters = chunks.get_of_len(b"BIDX", rows * 4).zip(chunks.get(b"BDAT"));
        Some(Self {
            file,
            hash,
            first,
            count,
            bases: head[7].into(),
            fanout,
            ids: chunks.get_of_len(b"OIDL", rows * hash_len)?,
            rows: chunks.get_of_len(b"CDAT", rows * (hash_len + ROW_REST_LEN as u64))?,
            edges: chunks.get(b"EDGE"),
            generations: chunks.get_of_len(b"GDA2", rows * 4),
            large_generations: chunks.get(b"GDO2"),
            filters: filters.and_then(|(ends, data)| Filters::open(ends, data)),
        })
        .filter(|_| end < NO_PARENT)
    }

    pub fn first(&self) -> u32 {
        self.first
    }

    /// One past the number of its last commit.
    pub fn end(&self) -> u32 {
        self.first + self.count
    }

    /// How many files come before it, by its own word.
    pub fn bases(&self) -> usize {
        self.bases
    }

    pub fn has_generations(&self) -> bool {
        self.generations.is_some()
    }

    /// Which paths its commits may have changed, if it says.
    pub fn filters(&self) -> Option<&Filters> {
        self.filters.as_ref()
    }

    /// Whether the file ends with the checksum of what is in it.
    pub fn is_intact(&self) -> bool {
        shortcut::is_intact(&self.file, self.hash).is_ok_and(|is_intact| is_intact)
    }

    /// Where a commit is within this file.
    pub fn position(&self, id: &oid) -> Option<u32> {
        index::search(&self.fanout, &self.ids, id).ok().flatten()
    }

    /// The id at a place within this file.
    pub fn id(&self, position: u32) -> Option<ObjectId> {
        Some(match self.hash {
            gix_hash::Kind::Sha1 => ObjectId::Sha1(self.ids.entry(position.into()).ok()?),
            _ => ObjectId::Sha256(self.ids.entry(position.into()).ok()?),
        })
    }

    /// What is known of the commit at a place within this file.
    pub fn row(&self, position: u32) -> Option<Row> {
        let (tree, rest): (ObjectId, [u8; ROW_REST_LEN]) = match self.hash {
            gix_hash::Kind::Sha1 => {
                let (tree, rest) =
                    halves::<20, { 20 + ROW_REST_LEN }>(self.rows.entry(position.into()).ok()?);
                (ObjectId::Sha1(tree), rest)
            }
            _ => {
                let (tree, rest) =
                    halves::<32, { 32 + ROW_REST_LEN }>(self.rows.entry(position.into()).ok()?);
                (ObjectId::Sha256(tree), rest)
            }
        };
        let number = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().expect("four bytes"));
        let parents = [parent(number(0)), second_parent(number(4))];
        let date = u64::from_be_bytes(rest[8..].try_into().expect("eight bytes")) & ((1 << DATE_BITS) - 1);
        Some(Row { tree, parents, date: date as i64 })
    }

    /// The number of the first parent of the commit at a place within this file, if it has one.
    pub fn first_parent(&self, position: u32) -> Option<u32> {
        let hash_len = self.hash.len_in_bytes() as u64;
        let at = u64::from(position) * (hash_len + ROW_REST_LEN as u64) + hash_len;
        match parent(u32::from_be_bytes(self.rows.at(at).ok()?)) {
            ParentRef::Position(number) => Some(number),
            ParentRef::None | ParentRef::List(_) => None,
        }
    }

    /// The parents from a place in the list of edges on, at most `max`.
    pub fn edges(&self, mut index: u32, max: usize) -> Option<Vec<u32>> {
        let edges = self.edges.as_ref()?;
        let mut parents = Vec::new();
        loop {
            let edge = u32::from_be_bytes(edges.entry(index.into()).ok()?);
            parents.push(edge & !IS_LIST);
            if edge & IS_LIST != 0 {
                return Some(parents);
            }
            if parents.len() == max {
                return None;
            }
            index += 1;
        }
    }

    /// The corrected commit date of the commit at a place within this file.
    pub fn generation(&self, position: u32, date: i64) -> Option<u64> {
        let offset = u32::from_be_bytes(self.generations.as_ref()?.entry(position.into()).ok()?);
        let offset = match offset & IS_OVERFLOW {
            0 => u64::from(offset),
            _ => {
                let index = u64::from(offset & !IS_OVERFLOW);
                u64::from_be_bytes(self.large_generations.as_ref()?.entry(index).ok()?)
            }
        };
        (date as u64).checked_add(offset)
    }
}

/// Takes a row apart: the id of the tree, and the rest.
fn halves<const ID: usize, const ROW: usize>(row: [u8; ROW]) -> ([u8; ID], [u8; ROW_REST_LEN]) {
    let (tree, rest) = row.split_at(ID);
    (tree.try_into().expect("it is that long"), rest.try_into().expect("it is that long"))
}

/// How a file names a hash function.
pub(super) fn hash_version(hash: gix_hash::Kind) -> u8 {
    if hash.len_in_bytes() == 20 { 1 } else { 2 }
}

fn parent(number: u32) -> ParentRef {
    if number == NO_PARENT { ParentRef::None } else { ParentRef::Position(number) }
}

fn second_parent(number: u32) -> ParentRef {
    match number & IS_LIST {
        0 => parent(number),
        _ => ParentRef::List(number & !IS_LIST),
    }
}

fn fanout(table: &Table) -> Option<Box<[u32; 256]>> {
    let mut fanout = Box::new([0; 256]);
    for (index, entry) in fanout.iter_mut().enumerate() {
        *entry = u32::from_be_bytes(table.entry(index as u64).ok()?);
    }
    fanout.is_sorted().then_some(fanout)
}
