//! Object directories that a repository borrows from (gitrepository-layout(5),
//! `objects/info/alternates`).
//!
//! Only what lies below the same top directory as the repository is borrowed from: in the sandbox that
//! is the mount of all repositories. A relative path, which counts from the directory `objects` that
//! names it, means the same inside and outside of the sandbox; an absolute one seldom does.

use super::error::Error;
use crate::disk;
use crate::format::{Format, ObjectFormat};
use crate::limits::{ALTERNATES_BYTES_MAX, ALTERNATES_DEPTH_MAX, ALTERNATES_MAX};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

/// Finds all object directories that `objects_dir` borrows from, the nearest first, and those that these
/// borrow from in turn. Each is named once.
///
/// Fails with [`Error::Alternate`] if one of them cannot be borrowed from.
pub fn find(objects_dir: &Path, object_format: ObjectFormat) -> Result<Vec<PathBuf>, Error> {
    let mut search = Search { object_format, found: Vec::new(), chain: vec![normal(objects_dir)] };
    search.follow(objects_dir)?;
    Ok(search.found)
}

/// The object directories that the file in `objects_dir` names, whether or not they are there.
///
/// Fails with [`Error::Alternate`] if one of them lies elsewhere.
pub fn named(objects_dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let text = read(objects_dir)?;
    let lines = text.lines().map(|line| line.trim_end_matches('\r'));
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| place(objects_dir, line))
        .collect()
}

struct Search {
    object_format: ObjectFormat,
    found: Vec<PathBuf>,
    /// From the repository's own directory to the one whose file is being followed.
    chain: Vec<PathBuf>,
}

impl Search {
    fn follow(&mut self, objects_dir: &Path) -> Result<(), Error> {
        for path in named(objects_dir)? {
            if self.chain.contains(&path) {
                return Err(refused(&path, "it borrows from those that borrow from it"));
            }
            if self.found.contains(&path) {
                continue;
            }
            if self.chain.len() > ALTERNATES_DEPTH_MAX {
                return Err(refused(&path, "it is borrowed through too many others"));
            }
            if self.found.len() == ALTERNATES_MAX {
                return Err(refused(&path, "too many others are borrowed from already"));
            }
            if !path.is_dir() {
                return Err(refused(&path, "there is no such directory"));
            }
            if self.format(&path)? != self.object_format {
                return Err(refused(&path, "its objects are of another format"));
            }
            self.found.push(path.clone());
            self.chain.push(path.clone());
            self.follow(&path)?;
            self.chain.pop();
        }
        Ok(())
    }

    /// The format of the repository that an object directory belongs to.
    fn format(&self, objects_dir: &Path) -> Result<ObjectFormat, Error> {
        match objects_dir.parent() {
            Some(git_dir) if git_dir.join("config").is_file() => Ok(Format::of(git_dir)?.objects),
            _ => Ok(self.object_format),
        }
    }
}

/// Where an entry of the file leads, without `.` and `..`.
fn place(objects_dir: &Path, entry: &str) -> Result<PathBuf, Error> {
    if entry.starts_with('"') {
        return Err(refused(Path::new(entry), "quoted paths are not understood"));
    }
    let path = normal(&objects_dir.join(entry));
    let top =
        |path: &Path| path.components().take(2).map(|part| part.as_os_str().to_owned()).collect::<Vec<_>>();
    match top(&path) == top(&normal(objects_dir)) {
        true => Ok(path),
        false => {
            Err(refused(&path, "it lies outside of the repositories; give its path relative to `objects`"))
        }
    }
}

/// The path without `.` and `..`, which stop at its root.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

/// The text of the file; empty if there is none.
fn read(objects_dir: &Path) -> Result<String, Error> {
    let path = objects_dir.join("info/alternates");
    let file = match disk::open(&path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(String::new());
        }
        Err(error) => return Err(Error::io(path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(ALTERNATES_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(Error::io(&path))?;
    if bytes.len() as u64 > ALTERNATES_BYTES_MAX {
        return Err(refused(&path, "the file is too long"));
    }
    String::from_utf8(bytes).map_err(|_| refused(&path, "the file is not UTF-8"))
}

fn refused(path: &Path, reason: &'static str) -> Error {
    Error::Alternate { path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Directories `a` to `z`, each with what its `info/alternates` says.
    fn directories(alternates: &[(&str, &str)]) -> tempfile::TempDir {
        let place = tempfile::tempdir().expect("a temporary directory");
        for (name, text) in alternates {
            let info = place.path().join(name).join("objects/info");
            fs::create_dir_all(&info).expect("made");
            fs::write(info.join("alternates"), text).expect("written");
        }
        place
    }

    /// What the first directory borrows from, by name, or why it cannot.
    fn found(place: &tempfile::TempDir, first: &str) -> Result<Vec<String>, &'static str> {
        let found = find(&place.path().join(first).join("objects"), ObjectFormat::Sha1);
        let name = |path: &PathBuf| {
            let name = path.parent().and_then(Path::file_name).expect("it has a name");
            name.to_string_lossy().into_owned()
        };
        match found {
            Ok(found) => Ok(found.iter().map(name).collect()),
            Err(Error::Alternate { reason, .. }) => Err(reason),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn what_is_borrowed_from_is_found_or_refused() {
        let up = |name: &str| format!("../../{name}/objects\n");
        let ok = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect());
        type Case<'a> = (Vec<(&'a str, String)>, Result<Vec<String>, &'static str>);
        let cases: Vec<Case> = vec![
            (vec![("a", String::new())], ok(&[])),
            (vec![("a", format!("# lenders\n\n{}", up("b"))), ("b", String::new())], ok(&["b"])),
            (vec![("a", up("b")), ("b", up("c")), ("c", String::new())], ok(&["b", "c"])),
            // Two ways to one directory are no loop.
            (
                vec![("a", up("b") + &up("c")), ("b", up("d")), ("c", up("d")), ("d", String::new())],
                ok(&["b", "d", "c"]),
            ),
            (vec![("a", up("a"))], Err("it borrows from those that borrow from it")),
            (vec![("a", up("b")), ("b", up("a"))], Err("it borrows from those that borrow from it")),
            (vec![("a", up("b"))], Err("there is no such directory")),
            (vec![("a", "\"../b\"\n".into())], Err("quoted paths are not understood")),
            (
                vec![("a", "/nowhere/objects\n".into())],
                Err("it lies outside of the repositories; give its path relative to `objects`"),
            ),
            (
                vec![("a", "../../../../../../../../etc\n".into())],
                Err("it lies outside of the repositories; give its path relative to `objects`"),
            ),
        ];
        for (directories, expected) in cases {
            let texts: Vec<(&str, &str)> =
                directories.iter().map(|(name, text)| (*name, text.as_str())).collect();
            let place = self::directories(&texts);
            assert_eq!(found(&place, "a"), expected, "{directories:?}");
        }
    }

    #[test]
    fn an_absolute_path_among_the_repositories_is_followed() {
        let place = directories(&[("a", ""), ("b", "")]);
        let absolute = place.path().join("b/objects");
        fs::write(place.path().join("a/objects/info/alternates"), absolute.to_str().expect("text"))
            .expect("written");
        assert_eq!(found(&place, "a"), Ok(vec!["b".to_owned()]));
    }

    #[test]
    fn a_lender_of_another_format_is_refused() {
        let place = directories(&[("a", "../../b/objects\n")]);
        crate::init::init_bare(&place.path().join("b"), "main", ObjectFormat::Sha256).expect("made");
        assert_eq!(found(&place, "a"), Err("its objects are of another format"));
    }

    #[test]
    fn depth_number_and_size_are_limited() {
        let name = |index: usize| format!("r{index}");
        let chain = |len: usize| {
            let texts: Vec<_> = (0..=len)
                .map(|index| {
                    (
                        name(index),
                        if index < len { format!("../../r{}/objects", index + 1) } else { String::new() },
                    )
                })
                .collect();
            let texts: Vec<(&str, &str)> =
                texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            found(&directories(&texts), "r0")
        };
        assert_eq!(chain(ALTERNATES_DEPTH_MAX).map(|found| found.len()), Ok(ALTERNATES_DEPTH_MAX));
        assert_eq!(chain(ALTERNATES_DEPTH_MAX + 1), Err("it is borrowed through too many others"));
        let star = |count: usize| {
            let names: Vec<_> = (0..count).map(name).collect();
            let all: String = names.iter().map(|name| format!("../../{name}/objects\n")).collect();
            let mut texts = vec![("a", all.as_str())];
            texts.extend(names.iter().map(|name| (name.as_str(), "")));
            found(&directories(&texts), "a").map(|found| found.len())
        };
        assert_eq!(star(ALTERNATES_MAX), Ok(ALTERNATES_MAX));
        assert_eq!(star(ALTERNATES_MAX + 1), Err("too many others are borrowed from already"));
        let sized = |bytes: u64| found(&directories(&[("a", &"#".repeat(bytes as usize))]), "a");
        assert_eq!(sized(ALTERNATES_BYTES_MAX), Ok(Vec::new()));
        assert_eq!(sized(ALTERNATES_BYTES_MAX + 1), Err("the file is too long"));
    }
}
