//! Whether the stored objects of a repository are sound.

use crate::{Objects, Oid};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// How much of a file is read at once, in bytes.
const PIECE_BYTES: usize = 256 << 10;

/// How many problems are told one by one.
const PROBLEMS_MAX: usize = 100;

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many objects there are.
    pub objects: u64,
    /// Their sizes together, in bytes.
    pub bytes: u64,
    /// In words, and at most [`PROBLEMS_MAX`] of them and a line that says how many more.
    pub problems: Vec<String>,
}

/// Reads every object, and compares it with its name.
pub fn check(objects: &Objects) -> Report {
    let mut report = Report::default();
    let mut problems = 0;
    let mut tell = |report: &mut Report, problem: String| {
        problems += 1;
        if problems <= PROBLEMS_MAX {
            report.problems.push(problem);
        }
    };
    let mut to_visit = vec![objects.directory().join("objects")];
    while let Some(directory) = to_visit.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => {
                tell(&mut report, format!("large files: {}: {error}", directory.display()));
                continue;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                to_visit.push(path);
                continue;
            }
            report.objects += 1;
            report.bytes += entry.metadata().map_or(0, |metadata| metadata.len());
            if let Err(problem) = check_object(objects, &path) {
                tell(&mut report, format!("large file {}: {problem}", entry.file_name().display()));
            }
        }
    }
    if problems > PROBLEMS_MAX {
        report.problems.push(format!("and {} more large files", problems - PROBLEMS_MAX));
    }
    report
}

fn check_object(objects: &Objects, path: &Path) -> Result<(), String> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match Oid::parse(name) {
        Some(oid) if objects.path(&oid) == path => match digest(path) {
            Ok(found) if found == oid => Ok(()),
            Ok(found) => Err(format!("its bytes are those of {found}")),
            Err(error) => Err(error.to_string()),
        },
        _ => Err("it is no object".to_owned()),
    }
}

fn digest(path: &Path) -> io::Result<Oid> {
    let mut file = File::open(path)?;
    let (mut hasher, mut piece) = (Sha256::new(), vec![0; PIECE_BYTES]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(Oid::of_digest(&hasher.finalize())),
            length => hasher.update(&piece[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(objects: &Objects, oid: &Oid, bytes: &[u8]) {
        let place = objects.path(oid);
        fs::create_dir_all(place.parent().expect("it has one")).expect("writable");
        fs::write(place, bytes).expect("writable");
    }

    #[test]
    fn damage_is_found() {
        let root = tempfile::tempdir().expect("a directory");
        let objects = Objects::of(root.path(), 7);
        assert_eq!(check(&objects), Report::default(), "there are none");
        let large = vec![1; PIECE_BYTES + 1];
        let sound = Oid::of_digest(&Sha256::digest(&large));
        put(&objects, &sound, &large);
        assert_eq!(check(&objects), Report { objects: 1, bytes: large.len() as u64, problems: Vec::new() });
        let cut = Oid::of_digest(&Sha256::digest(b"hello"));
        put(&objects, &cut, b"hell");
        fs::write(objects.directory().join("objects/stray"), "").expect("writable");
        let mut report = check(&objects);
        report.problems.sort();
        let found = Oid::of_digest(&Sha256::digest(b"hell"));
        let expected = [
            format!("large file {cut}: its bytes are those of {found}"),
            "large file stray: it is no object".into(),
        ];
        assert_eq!((report.objects, report.problems), (3, expected.to_vec()));
    }

    #[test]
    fn many_problems_are_counted() {
        let root = tempfile::tempdir().expect("a directory");
        let objects = Objects::of(root.path(), 7);
        for index in 0..PROBLEMS_MAX + 2 {
            put(&objects, &Oid::of_digest(&Sha256::digest(index.to_le_bytes())), b"");
        }
        let problems = check(&objects).problems;
        assert_eq!(
            (problems.len(), problems[PROBLEMS_MAX].as_str()),
            (PROBLEMS_MAX + 1, "and 2 more large files")
        );
    }
}
