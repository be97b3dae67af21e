//! Removing objects that nothing names any more.
//!
//! A client uploads an object first, and pushes what names it afterwards; and for an object that is
//! here already it asks just before a push whether it is. So an object stays for [`COLLECT_AFTER`] since
//! it came or was last asked for: [`Objects::renew`] notes that, and collection looks at the note once
//! more when the object is out of everybody's reach, before it removes it.

use crate::{Objects, Oid};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// How long an object stays that nothing names: as long as what no ref reaches in a repository.
pub const COLLECT_AFTER: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What lies in a repository's directory, and what became of it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Collected {
    /// The objects that nothing names and that stay for now, and their bytes.
    pub unnamed: u64,
    pub unnamed_bytes: u64,
    /// Those that were removed, and their bytes.
    pub removed: u64,
    pub removed_bytes: u64,
}

/// The objects that there are.
#[derive(Debug)]
pub struct Unnamed<'a> {
    objects: &'a Objects,
    sizes: HashMap<Oid, u64>,
}

impl Objects {
    /// Notes that a client counts on an object. Returns its size in bytes; none if it is not there.
    pub fn renew(&self, oid: &Oid, now: SystemTime) -> io::Result<Option<u64>> {
        match File::options().write(true).open(self.path(oid)) {
            Ok(file) => {
                file.set_modified(now)?;
                self.size(oid)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the objects: those left are unnamed that [`Unnamed::name`] is not called with.
    pub fn unnamed(&self) -> io::Result<Unnamed<'_>> {
        self.put_back()?;
        let mut sizes = HashMap::new();
        let mut to_visit = vec![(0, self.directory().join("objects"))];
        while let Some((depth, directory)) = to_visit.pop() {
            for entry in entries(&directory)? {
                if depth < 2 && entry.file_type()?.is_dir() {
                    to_visit.push((depth + 1, entry.path()));
                } else if let Some(oid) = entry.file_name().to_str().and_then(Oid::parse)
                    && self.path(&oid) == entry.path()
                {
                    sizes.insert(oid, entry.metadata()?.len());
                }
            }
        }
        Ok(Unnamed { objects: self, sizes })
    }

    /// Where objects lie that are about to be removed.
    fn leaving(&self) -> PathBuf {
        self.directory().join("leaving")
    }

    /// Puts back what a collection that was killed had moved aside.
    fn put_back(&self) -> io::Result<()> {
        for entry in entries(&self.leaving())? {
            if let Some(oid) = entry.file_name().to_str().and_then(Oid::parse) {
                self.restore(&oid)?;
            }
        }
        Ok(())
    }

    /// Moves an object back from where it was about to be removed, unless it has come anew.
    fn restore(&self, oid: &Oid) -> io::Result<()> {
        let (aside, place) = (self.leaving().join(oid.as_str()), self.path(oid));
        match place.exists() {
            true => fs::remove_file(aside),
            false => fs::rename(aside, place),
        }
    }
}

impl Unnamed<'_> {
    /// Whether there is an object that might be removed.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// Says that something names an object.
    pub fn name(&mut self, oid: &Oid) {
        self.sizes.remove(oid);
    }

    /// Removes those that nothing names and that have been there for long enough at `now`.
    pub fn remove(self, now: SystemTime) -> io::Result<Collected> {
        let mut collected = Collected::default();
        for (oid, size) in &self.sizes {
            if self.objects.remove_old(oid, now)? {
                collected.removed += 1;
                collected.removed_bytes += size;
            } else {
                collected.unnamed += 1;
                collected.unnamed_bytes += size;
            }
        }
        Ok(collected)
    }
}

impl Objects {
    /// Removes an object that nobody has counted on for long enough; returns whether it is gone.
    fn remove_old(&self, oid: &Oid, now: SystemTime) -> io::Result<bool> {
        let place = self.path(oid);
        if !is_old(&place, now)? {
            return Ok(false);
        }
        let aside = self.leaving().join(oid.as_str());
        fs::create_dir_all(self.leaving())?;
        fs::rename(&place, &aside)?;
        // Whoever asks from here on is told that it is not there, and uploads it again. Whoever asked
        // before has renewed it.
        match is_old(&aside, now)? {
            true => fs::remove_file(&aside).map(|()| true),
            false => self.restore(oid).map(|()| false),
        }
    }
}

fn is_old(path: &std::path::Path, now: SystemTime) -> io::Result<bool> {
    let modified = fs::metadata(path)?.modified()?;
    Ok(now.duration_since(modified).is_ok_and(|age| age >= COLLECT_AFTER))
}

/// What is in a directory, which may not be there.
fn entries(directory: &std::path::Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A repository with objects of 10 bytes and such ages.
    fn with(ages: &[(u8, Duration)], now: SystemTime) -> (tempfile::TempDir, Objects) {
        let root = tempfile::tempdir().expect("a directory");
        let objects = Objects::of(root.path(), 7);
        for (name, age) in ages {
            let place = objects.path(&oid(*name));
            fs::create_dir_all(place.parent().expect("it has one")).expect("writable");
            fs::write(&place, [0; 10]).expect("writable");
            let file = File::options().write(true).open(place).expect("it is there");
            file.set_modified(now - *age).expect("set");
        }
        (root, objects)
    }

    fn oid(name: u8) -> Oid {
        Oid::of_digest(&[name; 32])
    }

    fn is_there(objects: &Objects, name: u8) -> bool {
        objects.size(&oid(name)).expect("readable").is_some()
    }

    #[test]
    fn what_nothing_names_goes_once_it_is_old() {
        let now = SystemTime::now();
        let ages =
            [(1, 2 * COLLECT_AFTER), (2, COLLECT_AFTER), (3, COLLECT_AFTER - SECOND), (4, 9 * COLLECT_AFTER)];
        let (_root, objects) = with(&ages, now);
        let mut unnamed = objects.unnamed().expect("readable");
        unnamed.name(&oid(4));
        unnamed.name(&oid(5));
        let collected = unnamed.remove(now).expect("removed");
        let expected = Collected { unnamed: 1, unnamed_bytes: 10, removed: 2, removed_bytes: 20 };
        assert_eq!(collected, expected);
        assert_eq!([1, 2, 3, 4].map(|name| is_there(&objects, name)), [false, false, true, true]);
        assert_eq!(objects.unnamed().expect("readable").remove(now).expect("removed").removed, 1);
    }

    #[test]
    fn what_somebody_counts_on_stays() {
        let now = SystemTime::now();
        let (_root, objects) = with(&[(1, 2 * COLLECT_AFTER)], now);
        let unnamed = objects.unnamed().expect("readable");
        assert_eq!(objects.renew(&oid(1), now).expect("renewed"), Some(10));
        assert_eq!(objects.renew(&oid(2), now).expect("asked"), None);
        assert_eq!(
            unnamed.remove(now).expect("removed"),
            Collected { unnamed: 1, unnamed_bytes: 10, ..Default::default() }
        );
        assert!(is_there(&objects, 1));
    }

    #[test]
    fn what_a_killed_collection_moved_aside_is_put_back() {
        let now = SystemTime::now();
        let (_root, objects) = with(&[(1, COLLECT_AFTER), (2, COLLECT_AFTER)], now);
        fs::create_dir_all(objects.leaving()).expect("writable");
        for name in [1, 2] {
            fs::rename(objects.path(&oid(name)), objects.leaving().join(oid(name).as_str())).expect("moved");
        }
        // One has come anew meanwhile.
        fs::write(objects.path(&oid(2)), [1; 10]).expect("writable");
        drop(objects.unnamed().expect("readable"));
        assert_eq!(fs::read(objects.path(&oid(1))).expect("it is back"), [0; 10]);
        assert_eq!(fs::read(objects.path(&oid(2))).expect("it is there"), [1; 10]);
        assert_eq!(entries(&objects.leaving()).expect("readable").len(), 0);
    }

    #[test]
    fn where_there_is_nothing_nothing_goes() {
        let root = tempfile::tempdir().expect("a directory");
        let objects = Objects::of(root.path(), 7);
        let unnamed = objects.unnamed().expect("readable");
        assert!(unnamed.is_empty());
        assert_eq!(unnamed.remove(SystemTime::now()).expect("nothing"), Collected::default());
        assert!(!objects.directory().exists());
    }
}
