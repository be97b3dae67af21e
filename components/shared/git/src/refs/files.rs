//! Single files of a repository: read without following links, written durably.

use super::snapshot::Target;
use super::{Error, is_valid_name, parse_id};
use crate::disk;
use crate::format::ObjectFormat;
use bstr::{BString, ByteSlice};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// More than any ref file holds: `ref: `, a name, white space.
const LOOSE_BYTES_MAX: u64 = 8192;

/// What a loose ref file, or `HEAD`, holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Loose {
    /// There is no such file.
    Missing,
    /// There is none, but a directory, in which there may be refs.
    Directory,
    Target(Target),
    Damaged,
}

/// Reads the loose ref at `path`; the directory that it lies in has been checked for links.
pub(super) fn read_loose(path: &Path, object_format: ObjectFormat) -> Result<Loose, Error> {
    let kind = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if is_missing(&error) => return Ok(Loose::Missing),
        Err(error) => return Err(Error::io(path)(error)),
    };
    if kind.is_dir() {
        return Ok(Loose::Directory);
    }
    if kind.is_symlink() {
        return read_link(path);
    }
    if !kind.is_file() {
        return Ok(Loose::Damaged);
    }
    let mut text = Vec::new();
    let read = disk::open(path).and_then(|file| file.take(LOOSE_BYTES_MAX).read_to_end(&mut text));
    match read {
        Ok(_) => Ok(parse_loose(&text, object_format)),
        Err(error) if is_missing(&error) => Ok(Loose::Missing),
        Err(error) => Err(Error::io(path)(error)),
    }
}

/// A symbolic link as old versions of Git made it: its text is the ref's name.
fn read_link(path: &Path) -> Result<Loose, Error> {
    let target = match fs::read_link(path) {
        Ok(target) => target,
        Err(error) if is_missing(&error) => return Ok(Loose::Missing),
        Err(_) => return Ok(Loose::Damaged),
    };
    let name = target.to_str().map(BString::from);
    Ok(match name.filter(|name| is_valid_name(name.as_bstr())) {
        Some(name) => Loose::Target(Target::Symbolic(name)),
        None => Loose::Damaged,
    })
}

/// Reads the contents of a loose ref or of `HEAD`.
pub(super) fn parse_loose(text: &[u8], object_format: ObjectFormat) -> Loose {
    let target = match text.strip_prefix(b"ref:") {
        Some(rest) => {
            let name = rest.trim().as_bstr();
            is_valid_name(name).then(|| Target::Symbolic(name.into()))
        }
        None => parse_id(text, object_format).map(Target::Id),
    };
    target.map_or(Loose::Damaged, Loose::Target)
}

/// Whether the error says that there is no such file: none at all, or a file where a directory would be.
pub(super) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether every directory from `root` down to `relative`'s parent is a directory and not a link.
///
/// True also where one is missing: then nothing can be read there.
pub(super) fn has_plain_parents(root: &Path, relative: &Path) -> bool {
    let mut path = root.to_path_buf();
    let parents = relative.parent().map(Path::components).into_iter().flatten();
    for part in parents {
        path.push(part);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.file_type().is_symlink() => return false,
            Ok(_) => {}
            Err(_) => return true,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_read_as_git_reads_them() {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            check_contents(format);
        }
    }

    fn check_contents(format: ObjectFormat) {
        let a = "a".repeat(format.len_in_hex());
        let other = "a".repeat(104 - a.len());
        let id = || Loose::Target(Target::Id(a.parse().expect("an id")));
        let main = || Loose::Target(Target::Symbolic("refs/heads/main".into()));
        let cases: &[(&str, Loose)] = &[
            (&format!("{a}\n"), id()),
            (&a, id()),
            (&format!("{a}\trest"), id()),
            (&other, Loose::Damaged),
            ("ref: refs/heads/main\n", main()),
            ("ref:refs/heads/main", main()),
            ("ref: \t refs/heads/main  \n", main()),
            (&format!("{a}0\n"), Loose::Damaged),
            (&a[1..], Loose::Damaged),
            ("", Loose::Damaged),
            ("ref: ../../etc/passwd", Loose::Damaged),
            ("ref: ", Loose::Damaged),
            (&"0".repeat(a.len()), Loose::Damaged),
        ];
        for (text, expected) in cases {
            assert_eq!(&parse_loose(text.as_bytes(), format), expected, "{text:?}");
        }
    }
}
