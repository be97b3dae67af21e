//! Unpacking the archive of a repository that is imported (POSIX ustar and pax, GNU long names).
//!
//! Only what holds history is taken: `HEAD`, `packed-refs`, `shallow`, loose refs, loose objects
//! and packs with their indexes. Derived files below `objects` are passed over; everything else
//! (configuration, hooks, links, names that lead elsewhere) is refused.

use crate::limits::{
    IMPORT_BYTES_MAX, IMPORT_ENTRIES_MAX, IMPORT_LIST_BYTES_MAX, IMPORT_SMALL_FILE_BYTES_MAX,
};
use bstr::ByteSlice;
use lithe_git::refs::is_valid_name;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use tar::{Archive, EntryType};

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("the archive is damaged: {0}")]
    Damaged(io::Error),
    #[error("the archive holds {0:?}, which is no part of a bare repository's history")]
    Unexpected(String),
    #[error("{0:?} in the archive is larger than {1} bytes")]
    TooLarge(String, u64),
    #[error("the archive has more than {IMPORT_ENTRIES_MAX} entries")]
    TooMany,
    #[error("{0} cannot be written: {1}")]
    Write(String, io::Error),
}

/// What becomes of an entry.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// A file to keep, and how many bytes it has at the most.
    Keep(u64),
    /// Derived from the rest: left out.
    Derived,
    /// No part of a repository.
    Unexpected,
}

/// Unpacks an archive into the bare repository at `directory`, which exists and is empty.
///
/// What is there then may be damaged or not a repository at all: check it next.
pub fn unpack(archive: impl Read, directory: &Path) -> Result<(), ArchiveError> {
    let mut archive = Archive::new(archive);
    let entries = archive.entries().map_err(ArchiveError::Damaged)?;
    let mut count = 0;
    for entry in entries {
        let entry = entry.map_err(ArchiveError::Damaged)?;
        count += 1;
        if count > IMPORT_ENTRIES_MAX {
            return Err(ArchiveError::TooMany);
        }
        unpack_entry(entry, directory)?;
    }
    Ok(())
}

fn unpack_entry(mut entry: tar::Entry<impl Read>, directory: &Path) -> Result<(), ArchiveError> {
    let name = entry.path_bytes().to_str_lossy().into_owned();
    let bytes_max = match (entry.header().entry_type(), part(&name)) {
        (EntryType::Directory, _) => return Ok(()),
        (EntryType::Regular, Part::Keep(bytes_max)) => bytes_max,
        (EntryType::Regular, Part::Derived) => return Ok(()),
        _ => return Err(ArchiveError::Unexpected(name)),
    };
    if entry.size() > bytes_max {
        return Err(ArchiveError::TooLarge(name, bytes_max));
    }
    let place = directory.join(&name);
    let size = entry.size();
    let parent = place.parent().expect("a name is below the directory");
    let failed = |error| ArchiveError::Write(name.clone(), error);
    fs::create_dir_all(parent).map_err(failed)?;
    let mut file = File::create(&place).map_err(failed)?;
    let copied = io::copy(&mut entry, &mut file).map_err(failed)?;
    if copied != size {
        return Err(ArchiveError::Damaged(io::ErrorKind::UnexpectedEof.into()));
    }
    file.sync_all().map_err(failed)
}

fn part(name: &str) -> Part {
    match name {
        "HEAD" => return Part::Keep(IMPORT_SMALL_FILE_BYTES_MAX),
        "packed-refs" | "shallow" => return Part::Keep(IMPORT_LIST_BYTES_MAX),
        _ => {}
    }
    if let Some(name) = name.strip_prefix("objects/") {
        return object_part(name);
    }
    if name.starts_with("refs/") && is_valid_name(name.as_bytes().as_bstr()) {
        return Part::Keep(IMPORT_SMALL_FILE_BYTES_MAX);
    }
    Part::Unexpected
}

/// What a file below `objects` is.
fn object_part(name: &str) -> Part {
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let Some((directory, file)) = name.split_once('/') else {
        return Part::Unexpected;
    };
    if file.is_empty() || file.contains(['/', '\\', '\0']) || file.starts_with('.') {
        return match directory {
            // Such as the parts of a split commit graph.
            "info" if !name.split('/').any(|part| part == ".." || part.is_empty()) => Part::Derived,
            _ => Part::Unexpected,
        };
    }
    match directory {
        "pack" if file.starts_with("pack-") && file.ends_with(".pack") => Part::Keep(IMPORT_BYTES_MAX),
        "pack" if file.starts_with("pack-") && file.ends_with(".idx") => Part::Keep(IMPORT_BYTES_MAX),
        "pack" => Part::Derived,
        // Borrowed objects would be missing here.
        "info" if file.contains("alternates") => Part::Unexpected,
        "info" => Part::Derived,
        _ if directory.len() == 2 && is_hex(directory) && matches!(file.len(), 38 | 62) && is_hex(file) => {
            Part::Keep(IMPORT_BYTES_MAX)
        }
        _ => Part::Unexpected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tar::{Builder, Header};

    const OBJECT: &str = "objects/ab/cdef0000000000000000000000000000000000";

    #[test]
    fn only_history_is_taken() {
        let cases = [
            ("HEAD", Part::Keep(IMPORT_SMALL_FILE_BYTES_MAX)),
            ("packed-refs", Part::Keep(IMPORT_LIST_BYTES_MAX)),
            ("shallow", Part::Keep(IMPORT_LIST_BYTES_MAX)),
            ("refs/heads/main", Part::Keep(IMPORT_SMALL_FILE_BYTES_MAX)),
            ("refs/heads/a/b/c", Part::Keep(IMPORT_SMALL_FILE_BYTES_MAX)),
            (OBJECT, Part::Keep(IMPORT_BYTES_MAX)),
            (&format!("{OBJECT}000000000000000000000000"), Part::Keep(IMPORT_BYTES_MAX)),
            (&format!("{OBJECT}0"), Part::Unexpected),
            ("objects/pack/pack-1.pack", Part::Keep(IMPORT_BYTES_MAX)),
            ("objects/pack/pack-1.idx", Part::Keep(IMPORT_BYTES_MAX)),
            ("objects/pack/pack-1.rev", Part::Derived),
            ("objects/pack/multi-pack-index", Part::Derived),
            ("objects/info/packs", Part::Derived),
            ("objects/info/commit-graphs/graph-1.graph", Part::Derived),
            ("objects/info/alternates", Part::Unexpected),
            ("objects/info/http-alternates", Part::Unexpected),
            ("objects/info/../../config", Part::Unexpected),
            ("objects/../config", Part::Unexpected),
            ("objects/ab/../../../x", Part::Unexpected),
            ("objects/pack/../../config", Part::Unexpected),
            ("objects/AB/cdef0000000000000000000000000000000000", Part::Unexpected),
            ("objects/x", Part::Unexpected),
            ("refs/heads/../../config", Part::Unexpected),
            ("refs/heads/main.lock", Part::Unexpected),
            ("refs/", Part::Unexpected),
            ("config", Part::Unexpected),
            ("hooks/post-receive", Part::Unexpected),
            ("/HEAD", Part::Unexpected),
            ("../HEAD", Part::Unexpected),
            ("./HEAD", Part::Unexpected),
            ("", Part::Unexpected),
        ];
        for (name, expected) in cases {
            assert_eq!(part(name), expected, "{name}");
        }
    }

    fn header(kind: EntryType, size: u64) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o777);
        header
    }

    fn archive(entries: &[(EntryType, &str, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (kind, name, contents) in entries {
            let mut header = header(*kind, contents.len() as u64);
            if kind.is_symlink() {
                header.set_link_name("/etc/passwd").expect("a short name");
            }
            builder.append_data(&mut header, name, *contents).expect("memory takes it");
        }
        builder.into_inner().expect("memory takes it")
    }

    fn unpack_all(archive: &[u8]) -> (tempfile::TempDir, Result<(), ArchiveError>) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let result = unpack(archive, directory.path());
        (directory, result)
    }

    #[test]
    fn files_are_written_where_they_belong() {
        let long = format!("refs/heads/{}", "x".repeat(150));
        let (directory, result) = unpack_all(&archive(&[
            (EntryType::Directory, "refs", b""),
            (EntryType::Regular, "HEAD", b"ref: refs/heads/main\n"),
            (EntryType::Regular, &long, b"1"),
            (EntryType::Regular, OBJECT, b"object"),
            (EntryType::Regular, "objects/info/packs", b"P"),
        ]));
        result.expect("unpacked");
        let read = |name: &str| fs::read(directory.path().join(name)).expect("written");
        assert_eq!(read("HEAD"), b"ref: refs/heads/main\n");
        assert_eq!(read(&long), b"1");
        assert_eq!(read(OBJECT), b"object");
        assert!(!directory.path().join("objects/info").exists());
    }

    #[test]
    fn links_and_devices_are_refused() {
        for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo] {
            let (_directory, result) = unpack_all(&archive(&[(kind, "HEAD", b"")]));
            assert!(matches!(result, Err(ArchiveError::Unexpected(_))), "{kind:?}");
        }
    }

    #[test]
    fn small_files_have_a_largest_size() {
        let largest = vec![b'x'; IMPORT_SMALL_FILE_BYTES_MAX as usize];
        let (_directory, result) = unpack_all(&archive(&[(EntryType::Regular, "HEAD", &largest)]));
        assert!(result.is_ok());
        let larger = [&largest[..], b"x"].concat();
        let (_directory, result) = unpack_all(&archive(&[(EntryType::Regular, "HEAD", &larger)]));
        assert!(matches!(result, Err(ArchiveError::TooLarge(..))));
    }

    #[test]
    fn damaged_archives_are_told() {
        let whole = archive(&[(EntryType::Regular, OBJECT, &[b'x'; 2_000])]);
        for length in [100, 512, 1_000, 2_000] {
            let (_directory, result) = unpack_all(&whole[..length]);
            assert!(matches!(result, Err(ArchiveError::Damaged(_))), "{length}: {result:?}");
        }
        let (_directory, result) = unpack_all(&[b'x'; 2_048]);
        assert!(matches!(result, Err(ArchiveError::Damaged(_))));
    }
}
