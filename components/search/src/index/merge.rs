//! Making one segment of several that follow one another. Every document keeps its number in the index.

use super::Error;
use super::postings::{append, decode};
use super::segment::{Segment, Writer};
use std::path::Path;

/// Merges the segments into a new one; returns its size in bytes.
pub fn merge(segments: &[Segment], path: &Path) -> Result<u64, Error> {
    let mut documents = Vec::new();
    let mut sources = Vec::new();
    for segment in segments {
        let mut lists = segment.lists();
        let next = lists.next()?;
        sources.push((documents.len() as u32, lists, next));
        documents.extend(segment.documents()?);
    }
    let mut writer = Writer::new(path, &documents)?;
    let mut merged = Vec::new();
    loop {
        let heads = sources.iter().filter_map(|(_, _, next)| next.as_ref().map(|(trigram, _)| *trigram));
        let Some(trigram) = heads.min() else { return Ok(writer.finish()?) };
        merged.clear();
        let mut last = None;
        for (base, lists, next) in &mut sources {
            if next.as_ref().is_none_or(|(head, _)| *head != trigram) {
                continue;
            }
            if let Some((_, list)) = std::mem::replace(next, lists.next()?) {
                for document in decode(&list)? {
                    append(&mut merged, last, *base + document);
                    last = Some(*base + document);
                }
            }
        }
        writer.add(trigram, &merged)?;
    }
}
