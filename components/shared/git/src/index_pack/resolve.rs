//! The deltas that could not be applied as they came.

use super::entries::{Entry, NONE};
use super::receiver::{Receiver, Waiting};
use super::{Error, Inspect};
use crate::odb::entry::{EntryKind, HEADER_LEN_MAX, Header};
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use gix_hash::{ObjectId, oid};
use gix_object::Find;
use std::collections::HashMap;
use std::rc::Rc;

/// How much of the pack is read at once, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// Which deltas wait for which base.
struct Children {
    /// Base and delta, sorted.
    by_entry: Vec<(u32, u32)>,
    by_id: HashMap<ObjectId, Vec<u32>>,
    left: usize,
}

impl Children {
    fn new(waiting: &Waiting, base_of: impl Fn(u32) -> u32) -> Self {
        let mut by_entry: Vec<_> = waiting.for_entries.iter().map(|&entry| (base_of(entry), entry)).collect();
        by_entry.sort_unstable();
        let mut by_id: HashMap<ObjectId, Vec<u32>> = HashMap::new();
        for (entry, id) in &waiting.for_ids {
            by_id.entry(*id).or_default().push(*entry);
        }
        Self { left: by_entry.len() + waiting.for_ids.len(), by_entry, by_id }
    }

    /// The deltas that are based on an entry. Each is asked for once.
    fn take(&mut self, base: u32, id: &oid) -> Vec<u32> {
        let start = self.by_entry.partition_point(|&(other, _)| other < base);
        let by_entry = self.by_entry[start..].iter().take_while(|&&(other, _)| other == base);
        let mut children: Vec<u32> = by_entry.map(|&(_, child)| child).collect();
        if !self.by_id.is_empty() {
            children.extend(self.by_id.remove(id).into_iter().flatten());
        }
        self.left -= children.len();
        children
    }
}

impl<I: Inspect> Receiver<I> {
    /// Resolves every delta: first those with a base in the pack, then those with one in `repository`.
    pub(super) fn resolve(&mut self, repository: &impl Find) -> Result<(), Error> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.for_entries.is_empty() && waiting.for_ids.is_empty() {
            return Ok(());
        }
        let mut children = Children::new(&waiting, |index| self.entries.get(index).base);
        for root in self.roots(&children) {
            self.resolve_from(root, &mut children)?;
        }
        for (_, id) in &waiting.for_ids {
            if children.by_id.contains_key(id)
                && let Some(base) = self.append_base(id, repository)?
            {
                self.resolve_from(base, &mut children)?;
            }
        }
        // What waits for an entry waits for what that entry, or its base in turn, waits for: an id.
        match waiting.for_ids.iter().find(|(entry, _)| self.entries.get(*entry).kind.is_none()) {
            None => Ok(()),
            Some((_, base)) => Err(Error::MissingBase { count: children.left, base: *base }),
        }
    }

    /// The resolved entries that deltas wait for.
    fn roots(&self, children: &Children) -> Vec<u32> {
        let is_resolved = |index: &u32| self.entries.get(*index).kind.is_some();
        let mut roots: Vec<u32> =
            children.by_entry.iter().map(|&(base, _)| base).filter(is_resolved).collect();
        if !children.by_id.is_empty() {
            let all = (0..self.entries.len()).filter(is_resolved);
            roots.extend(all.filter(|&index| children.by_id.contains_key(self.entries.id(index))));
            roots.sort_unstable();
        }
        roots.dedup();
        roots
    }

    /// Resolves everything that is based on `root`, the latest made first, since that is still at hand.
    fn resolve_from(&mut self, root: u32, children: &mut Children) -> Result<(), Error> {
        let mut resolved = vec![root];
        while let Some(base) = resolved.pop() {
            let deltas = children.take(base, self.entries.id(base));
            if deltas.is_empty() {
                continue;
            }
            let data = self.object_data(base)?;
            for &index in &deltas {
                let delta = self.inflate(index)?;
                self.apply(index, base, &data, &delta)?;
            }
            resolved.extend(deltas);
        }
        Ok(())
    }

    /// The data of a resolved entry, made again from the pack if it is not at hand.
    fn object_data(&mut self, index: u32) -> Result<Rc<Vec<u8>>, Error> {
        let mut chain = Vec::new();
        let mut at = index;
        let mut data = loop {
            if let Some(data) = self.bases.get(at) {
                break data;
            }
            match self.entries.get(at).base {
                NONE => break Rc::new(self.inflate(at)?),
                base => {
                    chain.push(at);
                    at = base;
                }
            }
        };
        self.bases.put(at, data.clone());
        while let Some(next) = chain.pop() {
            let delta = self.inflate(next)?;
            let offset = self.entries.get(next).offset;
            data = Rc::new(self.patch(offset, &data, &delta)?);
            self.bases.put(next, data.clone());
        }
        Ok(data)
    }

    /// Reads what an entry holds, an object or a delta, back from the pack.
    fn inflate(&mut self, index: u32) -> Result<Vec<u8>, Error> {
        let offset = self.entries.get(index).offset;
        let damaged = |reason| Error::Damaged { offset, reason };
        let mut piece = vec![0; READ_BYTES];
        let mut filled = self.file.read_at(&mut piece, offset)?;
        let header = Header::parse(&piece[..filled], self.object_format).map_err(damaged)?;
        // A whole object was limited as a blob may be, and is to be held now.
        if header.size > self.limits.held_bytes_max {
            let limit = self.limits.held_bytes_max;
            return Err(Error::ObjectTooLarge { offset, size: header.size, limit });
        }
        self.work(header.size)?;
        let mut start = 0;
        let mut position = offset + header.len as u64;
        let file = &self.file;
        let mut first = Some(header.len..filled);
        let mut output = vec![0; header.size as usize + 1];
        let mut made = 0;
        self.inflater.start();
        loop {
            let range = match first.take() {
                Some(range) => range,
                None if start < filled => start..filled,
                None => {
                    filled = file.read_at(&mut piece, position)?;
                    0..filled
                }
            };
            let (consumed, produced, progress) =
                self.inflater.step(&piece[range.clone()], &mut output[made..]).map_err(damaged)?;
            start = range.start + consumed;
            position += consumed as u64;
            made += produced;
            if progress == crate::odb::inflate::Progress::Ended && made as u64 == header.size {
                output.truncate(made);
                return Ok(output);
            }
            if consumed == 0 && produced == 0 {
                return Err(damaged("it changed on disk"));
            }
        }
    }

    /// Appends an object of the repository to the pack, which was made thin in the expectation of it.
    fn append_base(&mut self, id: &ObjectId, repository: &impl Find) -> Result<Option<u32>, Error> {
        let mut buffer = Vec::new();
        let found = repository.try_find(id, &mut buffer);
        let Some(object) = found.map_err(|error| Error::Find(error.to_string()))? else {
            return Ok(None);
        };
        let kind = object.kind;
        let size = object.data.len() as u64;
        if size > self.limits.held_bytes_max {
            let limit = self.limits.held_bytes_max;
            return Err(Error::ObjectTooLarge { offset: self.file.len(), size, limit });
        }
        let offset = self.file.len();
        let mut packed = Vec::new();
        Header { kind: EntryKind::Whole(kind), size, len: 0 }.write_to(&mut packed);
        debug_assert!(packed.len() <= HEADER_LEN_MAX);
        deflate(object.data, &mut packed)?;
        let mut crc = Crc::new();
        crc.update(&packed);
        self.file.append(&packed)?;
        self.file.flush()?;
        let entry = Entry { offset, crc32: crc.sum(), base: NONE, depth: 0, kind: Some(kind) };
        let index = self.entries.push(entry);
        self.entries.set_id(index, id);
        self.bases.put(index, Rc::new(object.data.to_vec()));
        Ok(Some(index))
    }
}

/// Compresses `data` and appends it to `out`.
fn deflate(data: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let mut compress = Compress::new(Compression::default(), true);
    loop {
        let consumed = compress.total_in() as usize;
        out.reserve((data.len() - consumed) / 2 + 1024);
        let status = compress
            .compress_vec(&data[consumed..], out, FlushCompress::Finish)
            .map_err(std::io::Error::other)?;
        if status == Status::StreamEnd {
            return Ok(());
        }
    }
}
