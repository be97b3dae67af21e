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
}

impl Cursor {
    /// The beginning of the history that ends in `id`.
    pub fn at(id: ObjectId) -> Self {
        Self { ids: vec![id], skip: 0 }
    }

    /// Reads what [`Cursor`]'s `Display` writes in a repository of that format; none if it is malformed.
    pub fn parse(text: &str, format: ObjectFormat) -> Option<Self> {
        let (ids, skip) = match text.split_once('~') {
            Some((ids, skip)) => (ids, skip.parse().ok()?),
            None => (text, 0),
        };
        let ids = match ObjectId::from_hex(ids.as_bytes()) {
            Ok(id) => vec![id],
            Err(_) => many(ids, format)?,
        };
        let is_sound = ids.iter().all(|id| id.kind() == format) && skip <= CURSOR_STEPS_MAX;
        is_sound.then_some(Self { ids, skip })
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
        match self.skip {
            0 => Ok(()),
            skip => write!(f, "~{skip}"),
        }
    }
}
