//! The refs of a repository in tables (Git's `Documentation/technical/reftable`), for reading.
//!
//! `reftable/tables.list` names a stack of tables, the oldest first. A newer table's word on a ref
//! counts, be it that the ref is no more. Tables never change; when some are made one, the list names
//! that, and the old ones go: whoever finds one gone reads the list again.

mod block;
mod table;

#[cfg(test)]
mod tests;

use super::snapshot::{Head, Ref, Snapshot, Target};
use super::{Error, is_valid_name};
use crate::disk;
use crate::format::ObjectFormat;
use crate::limits::{REFTABLE_BYTES_MAX, REFTABLE_NAMES_BYTES_MAX, REFTABLES_MAX};
use bstr::{BStr, BString, ByteSlice};
use gix_hash::ObjectId;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use table::Table;

const HEAD: &[u8] = b"HEAD";
/// How often the list is read again when a table that it names is gone.
const ATTEMPTS_MAX: usize = 5;

/// What a table says of a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// It is no more.
    Deleted,
    Id(ObjectId),
    /// A tag, and what it stands for.
    Peeled(ObjectId, ObjectId),
    Symbolic(BString),
}

/// The tables of a repository, the oldest first.
pub(super) struct Stack {
    tables: Vec<Table>,
    path: PathBuf,
}

impl Stack {
    /// Opens the tables of the repository at `git_dir`.
    ///
    /// Fails with [`Error::DamagedReftable`].
    pub fn open(git_dir: &Path, object_format: ObjectFormat) -> Result<Self, Error> {
        let directory = git_dir.join("reftable");
        let mut before = None;
        for _ in 0..ATTEMPTS_MAX {
            let names = names(&directory)?;
            match open_all(&directory, &names, object_format)? {
                Some(tables) => return Ok(Self { tables, path: directory }),
                None if before.as_ref() == Some(&names) => break,
                None => before = Some(names),
            }
        }
        Err(damaged(&directory.join("tables.list")))
    }

    /// Reads `HEAD` and all refs.
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        let mut entries: Vec<(BString, Value)> = Vec::new();
        let mut bytes_left = REFTABLE_NAMES_BYTES_MAX;
        for table in self.tables.iter().rev() {
            table.each(|name, value| {
                bytes_left = bytes_left.checked_sub(name.len())?;
                entries.push((name.into(), value));
                Some(())
            })?;
        }
        // What is said of a ref by the newest table stays the first.
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.dedup_by(|later, first| later.0 == first.0);
        let mut snapshot = Snapshot::default();
        for (name, value) in entries {
            if name == HEAD {
                snapshot.head = self.head_of(Some(value))?;
            } else if name.starts_with(b"refs/") && value != Value::Deleted {
                match entry(name, value) {
                    Ok(entry) => snapshot.refs.push(entry),
                    Err(name) => snapshot.broken.push(name),
                }
            }
        }
        snapshot.pass_over_endless();
        Ok(snapshot)
    }

    /// Reads `HEAD`.
    pub fn head(&self) -> Result<Head, Error> {
        self.head_of(self.find_value(HEAD.as_bstr())?)
    }

    /// Reads one ref; none: there is none of that name.
    pub fn find(&self, name: &BStr) -> Result<Option<Ref>, Error> {
        let value = self.find_value(name)?.filter(|value| *value != Value::Deleted);
        Ok(value.and_then(|value| entry(name.into(), value).ok()))
    }

    fn find_value(&self, name: &BStr) -> Result<Option<Value>, Error> {
        for table in self.tables.iter().rev() {
            if let Some(value) = table.find(name)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn head_of(&self, value: Option<Value>) -> Result<Head, Error> {
        match value {
            None | Some(Value::Deleted) => Ok(Head::Missing),
            Some(Value::Id(id) | Value::Peeled(id, _)) => Ok(Head::Detached(id)),
            Some(Value::Symbolic(name)) if is_valid_name(name.as_bstr()) => Ok(Head::Symbolic(name)),
            Some(Value::Symbolic(_)) => Err(damaged(&self.path)),
        }
    }
}

/// A ref as a snapshot has it; its name, if that is not one that is accepted.
fn entry(name: BString, value: Value) -> Result<Ref, BString> {
    if !is_valid_name(name.as_bstr()) {
        return Err(name);
    }
    let (target, peeled) = match value {
        Value::Id(id) if !id.is_null() => (Target::Id(id), None),
        Value::Peeled(id, peeled) if !id.is_null() => (Target::Id(id), Some(peeled)),
        Value::Symbolic(target) if is_valid_name(target.as_bstr()) => (Target::Symbolic(target), None),
        _ => return Err(name),
    };
    let is_peel_known = matches!(target, Target::Id(_));
    Ok(Ref { name, target, peeled, is_peel_known })
}

/// The names in the list, the oldest table first.
fn names(directory: &Path) -> Result<Vec<String>, Error> {
    let path = directory.join("tables.list");
    let mut text = String::new();
    let file = disk::open(&path).map_err(Error::io(&path))?;
    file.take(REFTABLES_MAX as u64 * 256).read_to_string(&mut text).map_err(Error::io(&path))?;
    let names: Vec<String> = text.lines().map(str::to_owned).collect();
    let is_name =
        |name: &String| !name.is_empty() && !name.contains(['/', '\0']) && name != ".." && name != ".";
    match names.len() <= REFTABLES_MAX && names.iter().all(is_name) {
        true => Ok(names),
        false => Err(damaged(&path)),
    }
}

/// Opens tables. None: one is gone.
fn open_all(directory: &Path, names: &[String], format: ObjectFormat) -> Result<Option<Vec<Table>>, Error> {
    let mut tables = Vec::with_capacity(names.len());
    let mut bytes_left = REFTABLE_BYTES_MAX;
    for name in names {
        let path = directory.join(name);
        match Table::open(&path, format) {
            Ok(table) => {
                bytes_left = bytes_left.checked_sub(table.len()).ok_or_else(|| damaged(&path))?;
                tables.push(table);
            }
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(tables))
}

fn damaged(path: &Path) -> Error {
    Error::DamagedReftable { path: path.to_owned() }
}
