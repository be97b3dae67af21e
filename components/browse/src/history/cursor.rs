//! Where a page of a history begins, as an address says it.

use crate::limits::{CURSOR_IDS_MAX, CURSOR_STEPS_MAX};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gix_hash::ObjectId;
use lithe_git::format::ObjectFormat;
use std::fmt;

/// Where a page of a history begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The open ends, not yet walked.
    pub ids: Vec<ObjectId>,
    /// How many commits from there were walked already.
    pub skip: usize,
    /// What was walked before the open ends; none: nothing, or it is not told.
    pub walked: Option<Walked>,
}

/// What a walk came by on the pages before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// The commit that the history begins with.
    pub start: ObjectId,
    /// How many commits from there were walked.
    pub steps: usize,
    pub bounds: Bounds,
}

/// What all commits that were walked have in common, so that most others are seen to be none of them.
///
/// Where clocks go right, a walk never comes by a commit that is later than one that it has come by. Where
/// they do not, the corrected dates of the commit-graph tell most of those that were walked from the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The earliest date of those that the commit-graph did not know.
    pub dated: Option<i64>,
    /// The earliest date and the least corrected date of those that it knew.
    pub known: Option<(i64, u64)>,
}

impl Bounds {
    /// Adds a commit that was walked.
    pub fn add(&mut self, seconds: i64, corrected: Option<u64>) {
        match corrected {
            Some(corrected) => {
                let (earliest, least) = self.known.unwrap_or((seconds, corrected));
                self.known = Some((earliest.min(seconds), least.min(corrected)));
            }
            None => self.dated = Some(self.dated.map_or(seconds, |earliest| earliest.min(seconds))),
        }
    }

    /// Those of both.
    pub fn with(mut self, others: Self) -> Self {
        if let Some(earliest) = others.dated {
            self.add(earliest, None);
        }
        if let Some((earliest, least)) = others.known {
            self.add(earliest, Some(least));
        }
        self
    }

    /// Whether a commit may be one of those.
    pub fn may_have(&self, seconds: i64, corrected: Option<u64>) -> bool {
        let is_known = |(earliest, least): (i64, u64)| {
            seconds >= earliest && corrected.is_none_or(|corrected| corrected >= least)
        };
        self.dated.is_some_and(|earliest| seconds >= earliest) || self.known.is_some_and(is_known)
    }
}

impl Cursor {
    /// The beginning of the history that ends in `id`.
    pub fn at(id: ObjectId) -> Self {
        Self { ids: vec![id], skip: 0, walked: None }
    }

    /// The commit that the history begins with, if that is known.
    pub fn start(&self) -> Option<ObjectId> {
        match (&self.walked, self.ids.as_slice()) {
            (Some(walked), _) => Some(walked.start),
            (None, [id]) => Some(*id),
            (None, _) => None,
        }
    }

    /// Every commit that it names.
    pub fn commit_ids(&self) -> impl Iterator<Item = &ObjectId> {
        self.ids.iter().chain(self.walked.as_ref().map(|walked| &walked.start))
    }

    /// Reads what [`Cursor`]'s `Display` writes in a repository of that format; none if it is malformed.
    pub fn parse(text: &str, format: ObjectFormat) -> Option<Self> {
        let (text, walked) = match text.split_once('.') {
            Some((text, walked)) => (text, Some(Walked::parse(walked, format)?)),
            None => (text, None),
        };
        let (ids, skip) = match text.split_once('~') {
            Some((ids, skip)) => (ids, skip.parse().ok()?),
            None => (text, 0),
        };
        let ids = match ObjectId::from_hex(ids.as_bytes()) {
            Ok(id) => vec![id],
            Err(_) => many(ids, format)?,
        };
        let is_sound = ids.iter().all(|id| id.kind() == format) && skip <= CURSOR_STEPS_MAX;
        is_sound.then_some(Self { ids, skip, walked })
    }
}

impl Walked {
    fn parse(text: &str, format: ObjectFormat) -> Option<Self> {
        let mut parts = text.split('.');
        let mut next = || parts.next();
        let start = ObjectId::from_hex(next()?.as_bytes()).ok().filter(|start| start.kind() == format)?;
        let steps = next()?.parse().ok()?;
        let dated = number(next()?)?;
        let known = match (number(next()?)?, next()?) {
            (Some(earliest), least) => Some((earliest, least.parse().ok()?)),
            (None, "") => None,
            (None, _) => return None,
        };
        let bounds = Bounds { dated, known };
        next().is_none().then_some(Self { start, steps, bounds })
    }
}

/// A number, or nothing; none if it is neither.
fn number(text: &str) -> Option<Option<i64>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

impl fmt::Display for Walked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, steps, bounds: Bounds { dated, known } } = self;
        let dated = dated.map(|seconds| seconds.to_string()).unwrap_or_default();
        let known = known.map_or(".".to_owned(), |(earliest, least)| format!("{earliest}.{least}"));
        write!(f, "{start}.{steps}.{dated}.{known}")
    }
}

/// The ids in an address that has several.
fn many(text: &str, format: ObjectFormat) -> Option<Vec<ObjectId>> {
    let id_bytes = format.len_in_bytes();
    if text.len() > (CURSOR_IDS_MAX * id_bytes * 4).div_ceil(3) {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let ids = bytes.chunks_exact(id_bytes);
    let is_whole = ids.remainder().is_empty() && ids.len() > 1;
    is_whole.then(|| ids.map(ObjectId::from_bytes_or_panic).collect())
}

/// One id in hexadecimal; several, with their bytes after one another, in Base64 for addresses, which is
/// two thirds as long.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ids.as_slice() {
            [id] => write!(f, "{id}")?,
            ids => {
                let bytes: Vec<u8> = ids.iter().flat_map(|id| id.as_bytes()).copied().collect();
                f.write_str(&URL_SAFE_NO_PAD.encode(bytes))?;
            }
        }
        if self.skip > 0 {
            write!(f, "~{}", self.skip)?;
        }
        self.walked.as_ref().map_or(Ok(()), |walked| write!(f, ".{walked}"))
    }
}
