//! What may be found, in the order in which it is shown, each with the number of its document: the files of
//! a tree by path, or the commits of a history by what stands in the place of a path.

use super::postings::{push, take};
use super::{Error, FORMAT};
use bstr::{BStr, ByteSlice as _};
use gix_hash::ObjectId;
use std::fs;
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: [u8; 8] = *b"lithefil";
const DAMAGED: Error = Error::Damaged("a list of files");

/// The files that may be searched, in ascending order of their paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The tree that they are in, or the commit whose history they are.
    pub root_id: ObjectId,
    /// Whether there are more than are searched.
    pub is_cut: bool,
    paths: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    path_end: u32,
    id: ObjectId,
    /// The number of the document, or [`UNKNOWN`].
    document: u32,
}

/// The number of what the index has not read.
const UNKNOWN: u32 = u32::MAX;

/// A file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    pub path: &'a BStr,
    pub id: ObjectId,
    /// None if the index has not read it.
    pub document: Option<u32>,
}

impl Files {
    /// No files, of nothing.
    pub fn empty(object_format: gix_hash::Kind) -> Self {
        Self::of_root(object_format.null())
    }

    /// A list to be filled.
    pub fn of_root(root_id: ObjectId) -> Self {
        Self { root_id, is_cut: false, paths: Vec::new(), entries: Vec::new() }
    }

    /// Adds a file whose path comes after all that were added.
    pub fn push(&mut self, path: &BStr, id: ObjectId, document: Option<u32>) {
        self.paths.extend_from_slice(path);
        let path_end = self.paths.len() as u32;
        self.entries.push(Entry { path_end, id, document: document.unwrap_or(UNKNOWN) });
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes the paths have together.
    pub fn paths_bytes(&self) -> usize {
        self.paths.len()
    }

    pub fn get(&self, index: usize) -> File<'_> {
        let entry = &self.entries[index];
        let start = index.checked_sub(1).map_or(0, |before| self.entries[before].path_end);
        File {
            path: self.paths[start as usize..entry.path_end as usize].as_bstr(),
            id: entry.id,
            document: (entry.document != UNKNOWN).then_some(entry.document),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = File<'_>> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The index of the first file whose path comes after this one.
    pub fn after(&self, path: &BStr) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).path <= path { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// How many files the index has not read.
    pub fn unknown_count(&self) -> usize {
        self.entries.iter().filter(|entry| entry.document == UNKNOWN).count()
    }

    /// Gives every file without a document the one that is known for its contents.
    pub fn number(&mut self, document_of: impl Fn(&ObjectId) -> Option<u32>) {
        for entry in self.entries.iter_mut().filter(|entry| entry.document == UNKNOWN) {
            entry.document = document_of(&entry.id).unwrap_or(UNKNOWN);
        }
    }

    /// Writes the list: of each path only what differs from the one before.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut bytes = Vec::with_capacity(self.paths.len() / 2 + self.entries.len() * 30);
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend(self.root_id.as_slice());
        bytes.push(u8::from(self.is_cut));
        push(&mut bytes, self.entries.len() as u32);
        let mut before = "".into();
        for file in self.iter() {
            let common = common_bytes(before, file.path);
            push(&mut bytes, common as u32);
            push(&mut bytes, (file.path.len() - common) as u32);
            bytes.extend_from_slice(&file.path[common..]);
            bytes.extend(file.id.as_slice());
            push(&mut bytes, file.document.map_or(0, |document| document + 1));
            before = file.path;
        }
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        fs::write(path, bytes)
    }

    /// Reads what [`Self::write`] wrote.
    pub fn read(path: &Path, object_format: gix_hash::Kind) -> Result<Self, Error> {
        let bytes = fs::read(path)?;
        let (content, checksum) = bytes.split_last_chunk::<8>().ok_or(DAMAGED)?;
        if xxh3_64(content) != u64::from_le_bytes(*checksum) {
            return Err(DAMAGED);
        }
        let mut rest = content.strip_prefix(&MAGIC).ok_or(DAMAGED)?;
        if bytes_of(&mut rest, 4)? != FORMAT.to_le_bytes() {
            return Err(DAMAGED);
        }
        let mut files = Self::of_root(id_of(&mut rest, object_format)?);
        files.is_cut = bytes_of(&mut rest, 1)? == [1];
        let count = take(&mut rest)?;
        let mut before = 0..0;
        for _ in 0..count {
            let (common, length) = (take(&mut rest)? as usize, take(&mut rest)? as usize);
            let start = files.paths.len();
            if common > before.len() {
                return Err(DAMAGED);
            }
            files.paths.extend_from_within(before.start..before.start + common);
            files.paths.extend_from_slice(bytes_of(&mut rest, length)?);
            before = start..files.paths.len();
            let id = id_of(&mut rest, object_format)?;
            let document = take(&mut rest)?.checked_sub(1).unwrap_or(UNKNOWN);
            let path_end = u32::try_from(before.end).map_err(|_| DAMAGED)?;
            files.entries.push(Entry { path_end, id, document });
        }
        if rest.is_empty() { Ok(files) } else { Err(DAMAGED) }
    }
}

fn common_bytes(a: &BStr, b: &BStr) -> usize {
    a.iter().zip(b.iter()).take_while(|(a, b)| a == b).count()
}

fn bytes_of<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Error> {
    let (bytes, more) = rest.split_at_checked(length).ok_or(DAMAGED)?;
    *rest = more;
    Ok(bytes)
}

fn id_of(rest: &mut &[u8], object_format: gix_hash::Kind) -> Result<ObjectId, Error> {
    let bytes = bytes_of(rest, object_format.len_in_bytes())?;
    ObjectId::try_from(bytes).map_err(|_| DAMAGED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        let mut files = Files::empty(gix_hash::Kind::Sha1);
        for (number, path) in ["a", "a-b", "a/b", "a/bc", "z\n\u{ff}"].into_iter().enumerate() {
            let id = ObjectId::from_bytes_or_panic(&[number as u8; 20]);
            files.push(path.into(), id, (number != 2).then_some(number as u32 * 1_000));
        }
        files
    }

    #[test]
    fn files_are_read_as_they_were_written() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("files");
        for files in [Files::empty(gix_hash::Kind::Sha1), files(), Files { is_cut: true, ..files() }] {
            files.write(&path).expect("the directory is writable");
            assert_eq!(Files::read(&path, gix_hash::Kind::Sha1).expect("it is whole"), files);
        }
        let whole = fs::read(&path).expect("it is there");
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).expect("the directory is writable");
            assert!(Files::read(&path, gix_hash::Kind::Sha1).is_err(), "at {at}");
            fs::write(&path, &whole[..at]).expect("the directory is writable");
            assert!(Files::read(&path, gix_hash::Kind::Sha1).is_err(), "cut to {at}");
        }
    }

    #[test]
    fn one_goes_on_after_a_path() {
        let files = files();
        let cases = [("", 0), ("a", 1), ("a-", 1), ("a/b", 3), ("b", 4), ("zz", 5)];
        for (path, expected) in cases {
            assert_eq!(files.after(path.into()), expected, "{path}");
        }
        assert_eq!(files.unknown_count(), 1);
        assert_eq!(files.get(3).path, "a/bc");
        assert_eq!(files.get(3).document, Some(3_000));
    }
}
