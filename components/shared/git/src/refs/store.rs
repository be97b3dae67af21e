//! Reading refs.

use super::files::{self, Loose};
use super::packed::PackedRefs;
use super::reftable::Stack;
use super::snapshot::{Head, Ref, Snapshot, Target};
use super::{Error, is_valid_name, name};
use crate::disk;
use crate::format::{Format, ObjectFormat, RefStorage};
use crate::listing;
use bstr::{BStr, BString, ByteSlice};
use gix_hash::ObjectId;
use std::fs;
use std::path::{Path, PathBuf};

/// The refs of one repository. Holds nothing but the path and the format; every call reads anew.
#[derive(Debug, Clone)]
pub struct RefStore {
    pub(super) git_dir: PathBuf,
    pub(super) object_format: ObjectFormat,
    storage: RefStorage,
}

impl RefStore {
    /// Opens the refs of the bare repository at `git_dir`.
    ///
    /// Fails with [`Error::NotARepository`] if there is no `HEAD` or no `refs/`, and with
    /// [`Error::Unsupported`] if the format is unknown.
    pub fn open(git_dir: &Path) -> Result<Self, Error> {
        let is_directory =
            |name: &str| fs::symlink_metadata(git_dir.join(name)).is_ok_and(|metadata| metadata.is_dir());
        if !is_directory("refs") || fs::symlink_metadata(git_dir.join("HEAD")).is_err() {
            return Err(Error::NotARepository { path: git_dir.to_path_buf() });
        }
        let format = Format::of(git_dir)?;
        Ok(Self { git_dir: git_dir.to_path_buf(), object_format: format.objects, storage: format.refs })
    }

    /// Whether the refs, and their logs, are in tables.
    pub fn is_in_tables(&self) -> bool {
        self.storage == RefStorage::Reftable
    }

    /// Whether refs can be changed.
    ///
    /// Fails with [`Error::ReadOnly`].
    pub fn require_writable(&self) -> Result<(), Error> {
        if self.is_in_tables() { Err(Error::ReadOnly) } else { Ok(()) }
    }

    /// The tables that the refs are in; none: they are in files.
    fn tables(&self) -> Result<Option<Stack>, Error> {
        self.is_in_tables().then(|| Stack::open(&self.git_dir, self.object_format)).transpose()
    }

    /// The digest that the ids are made by.
    pub fn object_format(&self) -> ObjectFormat {
        self.object_format
    }

    /// Reads `HEAD` and all refs. Loose refs are read before `packed-refs`, so that a ref that is
    /// packed in the meantime is found in one or the other.
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        if let Some(tables) = self.tables()? {
            return tables.snapshot();
        }
        let head = self.head()?;
        let (mut loose, mut broken) = self.loose_refs()?;
        let packed = self.packed_refs()?;
        broken.extend(packed.broken);
        loose.sort_by(|a, b| a.name.cmp(&b.name));
        broken.sort();
        let mut snapshot = Snapshot { head, refs: merge(loose, packed.refs, &broken), broken };
        snapshot.pass_over_endless();
        Ok(snapshot)
    }

    /// Reads `HEAD`.
    ///
    /// Fails with [`Error::DamagedHead`].
    pub fn head(&self) -> Result<Head, Error> {
        if let Some(tables) = self.tables()? {
            return tables.head();
        }
        match files::read_loose(&self.git_dir.join("HEAD"), self.object_format)? {
            Loose::Missing | Loose::Directory => Ok(Head::Missing),
            Loose::Target(Target::Id(id)) => Ok(Head::Detached(id)),
            Loose::Target(Target::Symbolic(name)) => Ok(Head::Symbolic(name)),
            Loose::Damaged => Err(Error::DamagedHead),
        }
    }

    /// Reads the ref of that full name; none if there is none or it is damaged.
    ///
    /// Fails with [`Error::InvalidName`].
    pub fn find(&self, name: &BStr) -> Result<Option<Ref>, Error> {
        if !is_valid_name(name) {
            return Err(Error::InvalidName { name: name.into() });
        }
        if let Some(tables) = self.tables()? {
            return tables.find(name);
        }
        match self.read_loose(name)? {
            Loose::Target(target) => {
                Ok(Some(Ref { name: name.into(), target, peeled: None, is_peel_known: false }))
            }
            Loose::Damaged => Ok(None),
            Loose::Missing | Loose::Directory => Ok(self.packed_refs()?.find(name).cloned()),
        }
    }

    /// The names of all loose refs that hold an id, with the ids, in no order.
    pub fn loose_ids(&self) -> Result<Vec<(BString, ObjectId)>, Error> {
        if self.is_in_tables() {
            return Ok(Vec::new());
        }
        let (loose, _) = self.loose_refs()?;
        let ids = loose.into_iter().filter_map(|entry| match entry.target {
            Target::Id(id) => Some((entry.name, id)),
            Target::Symbolic(_) => None,
        });
        Ok(ids.collect())
    }

    pub(super) fn read_loose(&self, name: &BStr) -> Result<Loose, Error> {
        let relative = name::loose_path(name);
        if !files::has_plain_parents(&self.git_dir, &relative) {
            return Ok(Loose::Missing);
        }
        files::read_loose(&self.git_dir.join(relative), self.object_format)
    }

    pub(super) fn packed_refs(&self) -> Result<PackedRefs, Error> {
        let path = self.git_dir.join("packed-refs");
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(Error::DamagedPackedRefs { line_number: 0 }),
            Err(error) if files::is_missing(&error) => return Ok(PackedRefs::default()),
            Err(error) => return Err(Error::io(path)(error)),
        }
        match disk::read(&path) {
            Ok(bytes) => PackedRefs::parse(&bytes, self.object_format),
            Err(error) if files::is_missing(&error) => Ok(PackedRefs::default()),
            Err(error) => Err(Error::io(path)(error)),
        }
    }

    /// All loose refs, in no order, and the names of those that are damaged.
    fn loose_refs(&self) -> Result<(Vec<Ref>, Vec<BString>), Error> {
        let (mut refs, mut broken) = (Vec::new(), Vec::new());
        let mut directories = vec!["refs".to_owned()];
        while let Some(directory) = directories.pop() {
            let path = self.git_dir.join(&directory);
            let entries = match listing::list(&path) {
                Ok(entries) => entries,
                // It was emptied and removed in the meantime.
                Err(error) if files::is_missing(&error) && directory != "refs" => continue,
                Err(error) => return Err(Error::io(path)(error)),
            };
            for entry in entries {
                let Ok(file_name) = entry.name.clone().into_string() else {
                    broken.push(format!("{directory}/{}", entry.name.to_string_lossy()).into());
                    continue;
                };
                let name = format!("{directory}/{file_name}");
                if entry.is_directory {
                    directories.push(name);
                    continue;
                }
                if file_name.ends_with(".lock") {
                    continue;
                }
                let name = BString::from(name);
                let loose = match is_valid_name(name.as_bstr()) {
                    true => files::read_loose(&path.join(&entry.name), self.object_format)?,
                    false => Loose::Damaged,
                };
                match loose {
                    Loose::Target(target) => {
                        refs.push(Ref { name, target, peeled: None, is_peel_known: false })
                    }
                    Loose::Damaged => broken.push(name),
                    Loose::Missing | Loose::Directory => {}
                }
            }
        }
        Ok((refs, broken))
    }
}

/// Merges two sorted lists; a loose ref hides the packed one of its name, even if it is broken.
fn merge(loose: Vec<Ref>, packed: Vec<Ref>, broken: &[BString]) -> Vec<Ref> {
    let mut merged = Vec::with_capacity(loose.len() + packed.len());
    let mut loose = loose.into_iter().peekable();
    for entry in packed {
        while let Some(before) = loose.next_if(|next| next.name < entry.name) {
            merged.push(before);
        }
        if let Some(over) = loose.next_if(|next| next.name == entry.name) {
            // What is known about the tag holds for the loose ref too, if it points to the same.
            merged.push(if over.target == entry.target { entry } else { over });
        } else if broken.binary_search(&entry.name).is_err() {
            merged.push(entry);
        }
    }
    merged.extend(loose);
    merged
}
