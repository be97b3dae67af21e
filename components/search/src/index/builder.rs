//! Gathering what documents hold, until there is enough of it for a segment.

use super::segment::Writer;
use super::{TEXT, postings};
use crate::limits::GATHERED_MAX;
use crate::needs::{Trigram, trigram};
use gix_hash::ObjectId;
use std::io;
use std::path::Path;

/// The documents of a segment to be.
pub struct Builder {
    documents: Vec<ObjectId>,
    /// What three bytes occur in which document: the bytes above, the number below.
    occurrences: Vec<u64>,
    /// A bit for each three bytes that the document at hand has.
    seen: Vec<u64>,
}

impl Default for Builder {
    fn default() -> Self {
        Self { documents: Vec::new(), occurrences: Vec::new(), seen: vec![0; (1 << 24) / 64] }
    }
}

impl Builder {
    /// Adds a document; without a text, it is not searched. Lines are searched one by one, so that three
    /// bytes with a line end among them are of no use.
    pub fn add(&mut self, id: ObjectId, text: Option<&str>) {
        let document = self.documents.len() as u64;
        self.documents.push(id);
        let Some(text) = text else { return };
        self.occurrences.push(u64::from(TEXT) << 32 | document);
        let from = self.occurrences.len();
        for three in text.as_bytes().windows(3) {
            if three.contains(&b'\n') {
                continue;
            }
            let trigram = trigram([three[0], three[1], three[2]]);
            let (word, bit) = (&mut self.seen[trigram as usize / 64], 1 << (trigram % 64));
            if *word & bit == 0 {
                *word |= bit;
                self.occurrences.push(u64::from(trigram) << 32 | document);
            }
        }
        for occurrence in &self.occurrences[from..] {
            self.seen[(occurrence >> 32) as usize / 64] = 0;
        }
    }

    /// How many documents there are.
    pub fn len(&self) -> u32 {
        self.documents.len() as u32
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// Whether it is time to write a segment.
    pub fn is_full(&self) -> bool {
        self.occurrences.len() >= GATHERED_MAX
    }

    /// Writes the segment, and begins anew. Returns its size in bytes.
    pub fn write(&mut self, path: &Path) -> io::Result<u64> {
        self.occurrences.sort_unstable();
        let mut writer = Writer::new(path, &self.documents)?;
        let mut list = Vec::new();
        let bytes_of = |occurrence: &u64| (occurrence >> 32) as Trigram;
        for group in self.occurrences.chunk_by(|a, b| bytes_of(a) == bytes_of(b)) {
            list.clear();
            let mut last = None;
            for occurrence in group {
                let document = *occurrence as u32;
                postings::append(&mut list, last, document);
                last = Some(document);
            }
            writer.add(bytes_of(&group[0]), &list)?;
        }
        self.documents.clear();
        self.occurrences.clear();
        writer.finish()
    }
}
