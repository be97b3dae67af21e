//! Which files of a repository hold what: the index, in a directory of its own that may be deleted at any
//! time.
//!
//! It knows texts by the ids of what holds them, so that what does not change is read once: `contents`, the
//! files of a `tree` or the messages of a `history`. `segment` is a file of it, which never changes; `files`
//! lists what may be found at one commit; `state` names those that belong together; `update` brings all of
//! it up to a commit. Whatever is damaged is as good as
//! missing: it is made anew, and until then files are looked into without.

pub mod builder;
pub mod contents;
pub mod files;
pub mod history;
pub mod merge;
pub mod postings;
pub mod segment;
pub mod state;
pub mod tree;
pub mod update;

use crate::limits::{FILES_KEPT_MAX, INDEXES_KEPT_MAX};
use crate::needs::{Needs, Trigram};
use files::Files;
use gix_hash::ObjectId;
use segment::Segment;
use state::{Directory, State};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::rc::Rc;

/// Tells the files of this build from those of others: to be counted up when the format or what goes in
/// changes.
pub const FORMAT: u32 = 1;

/// What stands in the place of three bytes for the list of all documents that are searched.
pub const TEXT: Trigram = 1 << 24;

/// Why a file of an index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0} is damaged")]
    Damaged(&'static str),
}

/// An index as it was at a moment: what it names stays there while it is used.
pub struct Index {
    pub state: State,
    pub files: Rc<Files>,
    segments: Vec<Segment>,
}

thread_local! {
    /// The indexes that were used last, the latest first, by the text of their state, which names files that
    /// never change.
    static KEPT: RefCell<Vec<(Vec<u8>, Rc<Index>)>> = const { RefCell::new(Vec::new()) };
}

impl Index {
    /// An index of nothing.
    pub fn empty(object_format: gix_hash::Kind) -> Self {
        Self {
            state: State::empty(object_format),
            files: Rc::new(Files::empty(object_format)),
            segments: Vec::new(),
        }
    }

    /// Opens the index in a directory; none if there is none that can be used.
    pub fn open(directory: &Path, object_format: gix_hash::Kind) -> Option<Rc<Self>> {
        let directory = Directory::new(directory);
        // What somebody replaces meanwhile is looked for once more.
        for _ in 0..2 {
            let bytes = directory.state()?;
            let kept = KEPT.with_borrow_mut(|all| {
                let index = all.iter().position(|(known, _)| *known == bytes)?;
                let kept = all.remove(index);
                all.insert(0, kept.clone());
                Some(kept.1)
            });
            if let Some(index) = kept.filter(|index| index.state.object_format == object_format) {
                return Some(index);
            }
            let state = State::parse(&bytes).filter(|state| state.object_format == object_format)?;
            if let Ok(index) = Self::read(&directory, state) {
                let index = Rc::new(index);
                index.keep(bytes);
                return Some(index);
            }
        }
        None
    }

    fn keep(self: &Rc<Self>, bytes: Vec<u8>) {
        if self.files.len() > FILES_KEPT_MAX {
            return;
        }
        KEPT.with_borrow_mut(|all| {
            all.insert(0, (bytes, self.clone()));
            all.truncate(INDEXES_KEPT_MAX);
            let mut sum = 0;
            all.retain(|(_, index)| {
                sum += index.files.len();
                sum <= FILES_KEPT_MAX
            });
        });
    }

    fn read(directory: &Directory, state: State) -> Result<Self, Error> {
        let files = Files::read(&directory.path(&state.files), state.object_format)?;
        let segments = state
            .segments
            .iter()
            .map(|named| Segment::open(&directory.path(&named.name), state.object_format, named.documents))
            .collect::<Result<_, _>>()?;
        Ok(Self { files: Rc::new(files), segments, state })
    }

    /// The number of every document by its id.
    pub fn documents(&self) -> Result<HashMap<ObjectId, u32>, Error> {
        let mut numbers = HashMap::new();
        let mut base = 0;
        for segment in &self.segments {
            for (number, document) in segment.documents()?.into_iter().enumerate() {
                numbers.insert(document, base + number as u32);
            }
            base += segment.len();
        }
        Ok(numbers)
    }

    /// The documents that have what is needed.
    pub fn candidates(&self, needs: &Needs) -> Result<Candidates, Error> {
        let mut set = vec![0u64; (self.state.documents() as usize).div_ceil(64)];
        let mut base = 0;
        for segment in &self.segments {
            let mut lookup = Lookup { segment, known: HashMap::new() };
            let documents = match lookup.evaluate(needs)? {
                Some(documents) => documents,
                None => postings::decode(&lookup.postings(TEXT)?)?,
            };
            for number in documents {
                let number = (base + number) as usize;
                let word = set.get_mut(number / 64).ok_or(Error::Damaged("a segment"))?;
                *word |= 1 << (number % 64);
            }
            base += segment.len();
        }
        Ok(Candidates { set })
    }
}

/// Which documents may match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// A bit for each document.
    set: Vec<u64>,
}

impl Candidates {
    /// Whatever there is.
    pub const ALL: Self = Self { set: Vec::new() };

    /// Whether a document is among them; what the index does not know is.
    pub fn has(&self, document: Option<u32>) -> bool {
        let bit = |number: u32| {
            self.set.get(number as usize / 64).is_none_or(|word| word >> (number % 64) & 1 == 1)
        };
        document.is_none_or(bit)
    }
}

/// Looking up what is needed in one segment.
struct Lookup<'a> {
    segment: &'a Segment,
    known: HashMap<Trigram, Rc<[u8]>>,
}

impl Lookup<'_> {
    fn postings(&mut self, trigram: Trigram) -> Result<Rc<[u8]>, Error> {
        if let Some(known) = self.known.get(&trigram) {
            return Ok(known.clone());
        }
        let postings: Rc<[u8]> = self.segment.postings(trigram)?.unwrap_or_default().into();
        self.known.insert(trigram, postings.clone());
        Ok(postings)
    }

    /// The documents in ascending order; none: any may be.
    fn evaluate(&mut self, needs: &Needs) -> Result<Option<Vec<u32>>, Error> {
        match needs {
            Needs::Anything => Ok(None),
            Needs::One(trigram) => Ok(Some(postings::decode(&self.postings(*trigram)?)?)),
            Needs::Any(any) => {
                let mut all = Vec::new();
                for needs in any {
                    match self.evaluate(needs)? {
                        Some(documents) => all.extend(documents),
                        None => return Ok(None),
                    }
                }
                all.sort_unstable();
                all.dedup();
                Ok(Some(all))
            }
            Needs::All(all) => {
                // The rarest first: the others have to be looked through only for what is left.
                let mut lists = Vec::new();
                for needs in all {
                    if let Needs::One(trigram) = needs {
                        lists.push(self.postings(*trigram)?);
                    }
                }
                lists.sort_by_key(|list| list.len());
                let mut left: Option<Vec<u32>> = None;
                for list in lists {
                    left = Some(match left {
                        None => postings::decode(&list)?,
                        Some(left) if left.is_empty() => return Ok(Some(left)),
                        Some(left) => postings::intersect(&left, &list)?,
                    });
                }
                for needs in all.iter().filter(|needs| !matches!(needs, Needs::One(_))) {
                    if left.as_ref().is_some_and(Vec::is_empty) {
                        break;
                    }
                    if let Some(documents) = self.evaluate(needs)? {
                        left = Some(match left {
                            None => documents,
                            Some(left) => {
                                left.into_iter().filter(|one| documents.binary_search(one).is_ok()).collect()
                            }
                        });
                    }
                }
                Ok(left)
            }
        }
    }
}
