//! Which file of a parent was renamed to a file that the parent does not have.

use crate::limits::{
    BLAME_FILE_BYTES_MAX, RENAME_BYTES_MAX, RENAME_CANDIDATES_MAX, RENAME_TREES_MAX, RENAMED_PATH_BYTES_MAX,
    RENAMED_PATH_SEGMENTS_MAX,
};
use crate::repository::{Entry, Error, Repository};
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::{ObjectId, oid};
use gix_object::tree::EntryKind;
use std::collections::{BTreeMap, HashMap, HashSet};

/// How similar a renamed file has to be, in hundredths of the larger one: as for `git diff -M`.
const SIMILARITY_MIN: u64 = 50;

/// How similar the only candidate of the same name has to be to be taken without a look at others.
const SAME_NAME_SIMILARITY_MIN: u64 = 75;

/// The longest piece of a line that is compared, in bytes.
const PIECE_BYTES_MAX: usize = 64;

/// The path and id of the file that was renamed to `path` between two trees; none if it is new.
///
/// Only files that are gone in the later tree count. One with the same contents wins, then the only
/// one of the same name, then the most similar. What is past a limit is not looked at.
pub fn source(
    repository: Repository<'_>,
    before: &oid,
    after: &oid,
    path: &BStr,
    blob_id: &oid,
) -> Result<Option<(BString, ObjectId)>, Error> {
    let Some(gone) = Gone::find(repository, before, after)? else { return Ok(None) };
    let name = file_name(path);
    let same = gone.iter().filter(|(_, id)| **id == *blob_id);
    if let Some(found) = same.max_by_key(|(path, _)| file_name(path.as_bstr()) == name) {
        return Ok(Some(found.clone()));
    }
    let Some(target) = Pieces::read(repository, blob_id)? else { return Ok(None) };
    let similarity = |id: &oid, minimum: u64| -> Result<u64, Error> {
        let size = repository.header(id)?.1;
        if !target.may_be_similar(size, minimum) {
            return Ok(0);
        }
        Ok(Pieces::read(repository, id)?.map_or(0, |source| target.similarity(&source)))
    };
    let mut of_same_name = gone.iter().filter(|(path, _)| file_name(path.as_bstr()) == name);
    if let (Some(only), None) = (of_same_name.next(), of_same_name.next())
        && similarity(&only.1, SAME_NAME_SIMILARITY_MIN)? >= SAME_NAME_SIMILARITY_MIN
    {
        return Ok(Some(only.clone()));
    }
    let mut best: Option<((u64, bool), &(BString, ObjectId))> = None;
    let mut bytes = 0;
    for candidate in &gone {
        bytes += repository.header(&candidate.1)?.1.min(BLAME_FILE_BYTES_MAX);
        if bytes > RENAME_BYTES_MAX {
            break;
        }
        let score = (similarity(&candidate.1, SIMILARITY_MIN)?, file_name(candidate.0.as_bstr()) == name);
        if score.0 >= SIMILARITY_MIN && best.is_none_or(|(best, _)| score > best) {
            best = Some((score, candidate));
        }
    }
    Ok(best.map(|(_, found)| found.clone()))
}

/// The path of the directory that most of a directory's files went to between two trees; none if they went nowhere, or
/// not to one place. The directory is one of the earlier tree; `id` is what it has there.
///
/// Files are known by their contents, which tell where they went; those of the same name there count too. What is past a
/// limit is not looked at.
pub fn directory(
    repository: Repository<'_>,
    before: &oid,
    after: &oid,
    id: &oid,
) -> Result<Option<BString>, Error> {
    let nothing = ObjectId::empty_tree(id.kind());
    let Some(files) = Gone::find(repository, id, &nothing)? else { return Ok(None) };
    // What is in the later tree alone.
    let Some(new) = Gone::find(repository, after, before)? else { return Ok(None) };
    Ok(destination(&files, &new))
}

/// The directory that has more than half of the files, by their paths in a directory that is gone.
fn destination(files: &[(BString, ObjectId)], new: &[(BString, ObjectId)]) -> Option<BString> {
    let mut by_id: HashMap<&oid, Vec<&BStr>> = HashMap::new();
    for (path, id) in files {
        by_id.entry(id).or_default().push(path.as_bstr());
    }
    let mut votes: BTreeMap<&BStr, usize> = BTreeMap::new();
    for (path, id) in new {
        let Some(paths) = by_id.get(id.as_ref() as &oid) else { continue };
        let directory = paths.iter().find_map(|own| above(path.as_bstr(), own));
        *votes.entry(directory.unwrap_or_else(|| parent(path.as_bstr()))).or_default() += 1;
    }
    // Of several, the first by name.
    let (directory, _) = votes.into_iter().rev().max_by_key(|(_, votes)| *votes)?;
    let own: HashSet<&BStr> = files.iter().map(|(path, _)| path.as_bstr()).collect();
    let is_there = |(path, id): &&(BString, ObjectId)| {
        let below = match directory.is_empty() {
            true => Some(path.as_slice()),
            false => path.strip_prefix(directory.as_bytes()).and_then(|rest| rest.strip_prefix(b"/")),
        };
        below.is_some_and(|below| own.contains(below.as_bstr()) || by_id.contains_key(id.as_ref() as &oid))
    };
    let count = new.iter().filter(is_there).count();
    (2 * count > files.len()).then(|| directory.to_owned())
}

/// What is above a path that ends in another; none if it does not.
fn above<'a>(path: &'a BStr, end: &BStr) -> Option<&'a BStr> {
    match path.strip_suffix(end.as_bytes())? {
        b"" => Some(b"".as_bstr()),
        directory => directory.strip_suffix(b"/").map(|directory| directory.as_bstr()),
    }
}

fn parent(path: &BStr) -> &BStr {
    path.rsplit_once_str("/").map_or(b"".as_bstr(), |(directory, _)| directory.as_bstr())
}

/// Whether it is an ordinary file.
pub(crate) fn is_file(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable)
}

fn file_name(path: &BStr) -> &BStr {
    path.rsplit_once_str("/").map_or(path, |(_, name)| name.as_bstr())
}

/// The files that are in one tree and not in another.
struct Gone<'a> {
    repository: Repository<'a>,
    files: Vec<(BString, ObjectId)>,
    trees: usize,
}

impl<'a> Gone<'a> {
    /// None: there are too many.
    fn find(
        repository: Repository<'a>,
        before: &oid,
        after: &oid,
    ) -> Result<Option<Vec<(BString, ObjectId)>>, Error> {
        let mut gone = Self { repository, files: Vec::new(), trees: 0 };
        let mut open = vec![(BString::default(), before.to_owned(), Some(after.to_owned()))];
        while let Some((path, before, after)) = open.pop() {
            gone.trees += 1;
            if gone.trees > RENAME_TREES_MAX || gone.files.len() > RENAME_CANDIDATES_MAX {
                return Ok(None);
            }
            gone.directory(&path, &before, after.as_deref(), &mut open)?;
        }
        gone.files.sort();
        Ok(Some(gone.files))
    }

    fn directory(
        &mut self,
        path: &BString,
        before: &oid,
        after: Option<&oid>,
        open: &mut Vec<(BString, ObjectId, Option<ObjectId>)>,
    ) -> Result<(), Error> {
        let after = after.map(|id| self.repository.tree(id)).transpose()?.unwrap_or_default();
        let after: HashMap<&BStr, &Entry> = after.iter().map(|entry| (entry.name.as_bstr(), entry)).collect();
        for entry in self.repository.tree(before)? {
            let other = after.get(entry.name.as_bstr());
            if other.is_some_and(|other| other.id == entry.id && other.is_tree() == entry.is_tree()) {
                continue;
            }
            let mut below = path.clone();
            if !below.is_empty() {
                below.push(b'/');
            }
            below.extend_from_slice(&entry.name);
            let segments = below.split_str("/").count();
            if below.len() > RENAMED_PATH_BYTES_MAX || segments > RENAMED_PATH_SEGMENTS_MAX {
                continue;
            }
            if entry.is_tree() {
                open.push((below, entry.id, other.filter(|other| other.is_tree()).map(|other| other.id)));
            } else if is_file(entry.mode.kind()) && other.is_none_or(|other| other.is_tree()) {
                self.files.push((below, entry.id));
            }
        }
        Ok(())
    }
}

/// How many bytes of a file are in each different piece: a line, or a part of a long one.
struct Pieces {
    size: u64,
    bytes: HashMap<Vec<u8>, u64>,
}

impl Pieces {
    /// Reads a file; none if it is too large to be compared.
    fn read(repository: Repository<'_>, id: &oid) -> Result<Option<Self>, Error> {
        match repository.blob(id, BLAME_FILE_BYTES_MAX) {
            Ok(data) => Ok(Some(Self::of(&data))),
            Err(Error::TooLarge(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn of(data: &[u8]) -> Self {
        let is_text = !data[..data.len().min(8_000)].contains(&0);
        let mut bytes: HashMap<Vec<u8>, u64> = HashMap::new();
        for line in data.split_inclusive(|byte| *byte == b'\n') {
            let line = match line.strip_suffix(b"\r\n") {
                Some(start) if is_text => [start, b"\n"].concat(),
                _ => line.to_vec(),
            };
            for piece in line.chunks(PIECE_BYTES_MAX) {
                *bytes.entry(piece.to_vec()).or_default() += piece.len() as u64;
            }
        }
        Self { size: data.len() as u64, bytes }
    }

    /// Whether a file of that many bytes can be similar enough.
    fn may_be_similar(&self, size: u64, minimum: u64) -> bool {
        self.size.max(size) * (100 - minimum) >= self.size.abs_diff(size) * 100 && size > 0 && self.size > 0
    }

    /// How many hundredths of the larger file the two have in common.
    fn similarity(&self, source: &Self) -> u64 {
        let common =
            |(piece, bytes): (&Vec<u8>, &u64)| self.bytes.get(piece).map_or(0, |own| *own.min(bytes));
        let common: u64 = source.bytes.iter().map(common).sum();
        common * 100 / self.size.max(source.size).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files as `path=letter`, where the letter stands for the contents.
    fn files(text: &str) -> Vec<(BString, ObjectId)> {
        let file = |word: &str| {
            let (path, contents) = word.split_once('=').expect("a path and contents");
            let mut id = ObjectId::null(gix_hash::Kind::Sha1);
            id.as_mut_slice()[0] = contents.as_bytes()[0];
            (path.into(), id)
        };
        text.split_whitespace().map(file).collect()
    }

    #[test]
    fn a_directory_went_where_most_of_its_files_went() {
        let cases = [
            ("a=1 b=2", "x/y/a=1 x/y/b=2", Some("x/y")),
            ("s/a=1 s/b=2 c=3", "x/s/a=1 x/s/b=2 x/c=3 z=4", Some("x")),
            // Changed by the way, but called the same.
            ("a=1 b=2 c=3", "x/a=1 x/b=4 q=5", Some("x")),
            // Renamed by the way, but the same.
            ("a=1 b=2", "x/c=1 x/d=2", Some("x")),
            // Half is not most.
            ("a=1 b=2 c=3 d=4", "x/a=1 x/b=2", None),
            ("a=1 b=2 c=3", "x/a=1 x/b=2 y/c=3", Some("x")),
            ("a=1 b=2 c=3", "x/a=1 y/b=2 z/c=3", None),
            // Nothing has its contents.
            ("a=1", "x/a=2", None),
            ("a=1 b=2", "a=1 b=2", Some("")),
            // Several files are the same.
            ("s/e=0 t/e=0", "x/s/e=0 x/t/e=0", Some("x")),
            ("a=1", "", None),
        ];
        for (gone, new, expected) in cases {
            let found = destination(&files(gone), &files(new));
            assert_eq!(found.as_ref().map(|path| path.to_string()).as_deref(), expected, "{gone} -> {new}");
        }
    }
}
