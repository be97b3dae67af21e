//! Changing refs: compare and swap under Git's lock files.
//!
//! The order, which is Git's own, so that neither a crash nor a `git` at work beside it sees a ref
//! come back from the dead or lose a value:
//!
//! 1. Every ref's lock is taken; new values are written to the locks and synced. Locks that hold
//!    nothing, because the value goes to `packed-refs`, are names of one file.
//! 2. If anything is deleted, or so many refs change that they are better packed, the lock of
//!    `packed-refs` is taken.
//! 3. Current values are read, under the locks, and compared with what is expected.
//! 4. New values: the locks are renamed over the loose files, and their directories synced.
//! 5. The new `packed-refs`, without what is deleted, is written beside the old, synced, renamed
//!    over it, and the repository's directory synced. Its lock is still held.
//! 6. Loose files of what is deleted or packed are removed, then the locks, then empty directories.

use super::files::{self, Loose};
use super::lock::{self, Lock};
use super::packed::{self, PackedRefs};
use super::record::{LockRecord, NEXT_PACKED_REFS};
use super::snapshot::{Head, Ref, Target};
use super::{Error, RefStore, is_valid_name, name};
use crate::disk;
use crate::durable;
use crate::listing;
use bstr::{BStr, BString, ByteSlice};
use gix_hash::{ObjectId, oid};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// From this many changes on, new values go to `packed-refs` instead of a file each.
pub const PACKED_FROM: usize = if cfg!(test) { 12 } else { 256 };

/// What a ref must be before it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Anything, or nothing.
    Any,
    /// No such ref.
    Missing,
    /// A ref that points to this object.
    Is(ObjectId),
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The full name, below `refs/`.
    pub name: BString,
    pub expected: Expected,
    /// None deletes the ref.
    pub new: Option<ObjectId>,
}

/// Whether changes stand and fall together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Either all or none.
    All,
    /// Each by itself.
    Each,
}

/// Tells what a tag stands for: none if the object is not a tag.
pub type Peel<'a> = &'a dyn Fn(&oid) -> io::Result<Option<ObjectId>>;

/// The line that is appended to the reflogs of refs that have one. None is created: a bare
/// repository has reflogs only where its owner made them.
#[derive(Debug, Clone)]
pub struct Reflog {
    /// `Name <mail> seconds zone`.
    pub actor: BString,
    /// One line.
    pub message: BString,
}

/// How to change refs.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    pub mode: Mode,
    /// Without it, entries that are new in `packed-refs` are not marked as peeled.
    pub peel: Option<Peel<'a>>,
    pub reflog: Option<&'a Reflog>,
    /// A directory that lies in the repository. If it is not there any more once the refs are
    /// locked, another repository may lie in the place of this one, and nothing is changed.
    pub witness: Option<&'a Path>,
}

/// Why a ref was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    #[error("the name is not valid")]
    InvalidName,
    #[error("the ref is named twice")]
    Duplicate,
    /// Another process is changing it.
    #[error("cannot lock ref: it is being changed by somebody else")]
    Locked,
    /// It is not what was expected.
    #[error("cannot lock ref: it is at {} but expected {}", text(.actual), text(.expected))]
    Changed { actual: Option<ObjectId>, expected: Option<ObjectId> },
    /// `a` and `a/b` cannot both be refs.
    #[error("cannot lock ref: `{with}` exists")]
    Conflict { with: BString },
    /// It points to another ref, which is to be changed by its own name.
    #[error("it is a symbolic ref")]
    Symbolic,
    /// Its file holds no id.
    #[error("it is damaged")]
    Damaged,
    /// The repository lies elsewhere by now.
    #[error("the repository is being moved or deleted")]
    Moved,
    /// Another change of the same transaction was refused.
    #[error("another ref could not be changed")]
    Aborted,
    #[error("{0}")]
    Io(io::Error),
}

fn text(id: &Option<ObjectId>) -> String {
    id.map_or_else(|| "nothing".to_owned(), |id| id.to_string())
}

/// What came of each change, in their order.
pub type Results = Vec<Result<(), UpdateError>>;

impl RefStore {
    /// Changes refs, and says what came of each, in their order.
    ///
    /// Fails as a whole, with nothing changed, with [`Error::Locked`] if `packed-refs` must be
    /// changed and is kept locked, if it cannot be read or written, and with [`Error::ReadOnly`].
    pub fn transact(&self, updates: &[Update], options: &Options) -> Result<Results, Error> {
        self.require_writable()?;
        let mut transaction = Transaction::new(self, updates, options);
        transaction.check_names();
        if transaction.is_over() {
            return Ok(transaction.results);
        }
        let targets = updates.iter().map(|update| &*update.name);
        let targets: Vec<_> = targets.filter(|name| is_valid_name(name.as_bstr())).collect();
        let targets: Vec<_> = targets.iter().map(|name| name::loose_path(name.as_bstr())).collect();
        let targets = targets.iter().map(PathBuf::as_path).chain([Path::new("packed-refs")]);
        let record = LockRecord::create(&self.git_dir, targets).map_err(Error::io(&self.git_dir))?;
        let results = transaction.run(&record);
        drop(record);
        results
    }

    /// Makes `HEAD` point to the ref `name`, which need not exist.
    ///
    /// Fails with [`Error::InvalidName`], [`Error::Locked`] and [`Error::ReadOnly`].
    pub fn set_head(&self, name: &BStr) -> Result<(), Error> {
        self.require_writable()?;
        if !is_valid_name(name) {
            return Err(Error::InvalidName { name: name.into() });
        }
        let path = self.git_dir.join("HEAD");
        let targets = [Path::new("HEAD")];
        let record =
            LockRecord::create(&self.git_dir, targets.into_iter()).map_err(Error::io(&self.git_dir))?;
        let contents = [b"ref: ", &**name, b"\n"].concat();
        let lock = acquire(&record, &path, &contents, lock::REF_WAIT_MS)?;
        lock.commit().map_err(Error::io(&path))?;
        durable::sync_directory(&self.git_dir).map_err(Error::io(&self.git_dir))?;
        drop(record);
        Ok(())
    }
}

fn acquire<'a>(
    record: &'a LockRecord,
    path: &Path,
    contents: &[u8],
    wait_ms: u64,
) -> Result<Lock<'a>, Error> {
    Lock::acquire(record, path, contents, wait_ms).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::Locked { path: path.into() },
        _ => Error::io(path)(error),
    })
}

struct Transaction<'a> {
    store: &'a RefStore,
    updates: &'a [Update],
    options: &'a Options<'a>,
    results: Results,
    locks: Vec<Option<Lock<'a>>>,
    /// The values under the locks.
    current: Vec<Option<ObjectId>>,
    /// Whether there is a loose file.
    is_loose: Vec<bool>,
    /// Whether there is a directory in its place.
    is_directory: Vec<bool>,
    packs_new_values: bool,
    /// The last lock that is a file of its own and holds nothing; others are names of the same file.
    empty_lock: Option<usize>,
    /// Directories of refs that are known to lie below no link.
    plain_directories: HashSet<&'a BStr>,
}

impl<'a> Transaction<'a> {
    fn new(store: &'a RefStore, updates: &'a [Update], options: &'a Options<'a>) -> Self {
        let count = updates.len();
        Self {
            store,
            updates,
            options,
            results: updates.iter().map(|_| Ok(())).collect(),
            locks: updates.iter().map(|_| None).collect(),
            current: vec![None; count],
            is_loose: vec![false; count],
            is_directory: vec![false; count],
            packs_new_values: updates.iter().filter(|update| update.new.is_some()).count() >= PACKED_FROM,
            empty_lock: None,
            plain_directories: HashSet::new(),
        }
    }

    fn run(mut self, record: &'a LockRecord) -> Result<Results, Error> {
        self.lock_refs(record);
        if self.is_over() {
            return Ok(self.finish());
        }
        let needs_packed_lock =
            self.packs_new_values || self.pending().any(|index| self.updates[index].new.is_none());
        let packed_lock = match needs_packed_lock {
            true => {
                let path = self.store.git_dir.join("packed-refs");
                Some(acquire(record, &path, b"", lock::PACKED_REFS_WAIT_MS)?)
            }
            false => None,
        };
        let packed = self.store.packed_refs()?;
        self.verify(&packed);
        if !record.is_fresh() {
            self.fail_pending(|| UpdateError::Locked);
        }
        if self.options.witness.is_some_and(|witness| !witness.is_dir()) {
            self.fail_pending(|| UpdateError::Moved);
        }
        if self.is_over() {
            return Ok(self.finish());
        }
        if !self.packs_new_values {
            self.commit_loose();
        }
        if let Some(lock) = packed_lock {
            self.rewrite_packed(packed)?;
            self.remove_loose();
            drop(lock);
        }
        self.append_reflogs();
        Ok(self.finish())
    }

    /// The changes that nothing speaks against so far.
    fn pending(&self) -> impl Iterator<Item = usize> + use<> {
        let pending: Vec<_> = (0..self.results.len()).filter(|&index| self.results[index].is_ok()).collect();
        pending.into_iter()
    }

    fn fail_pending(&mut self, error: impl Fn() -> UpdateError) {
        for index in self.pending() {
            self.results[index] = Err(error());
        }
    }

    /// Whether nothing is left to do. Where changes stand and fall together, one refusal is the end of all.
    fn is_over(&mut self) -> bool {
        if self.options.mode == Mode::All && self.results.iter().any(Result::is_err) {
            self.fail_pending(|| UpdateError::Aborted);
        }
        self.results.iter().all(Result::is_err)
    }

    fn check_names(&mut self) {
        let mut seen = HashMap::new();
        for (index, update) in self.updates.iter().enumerate() {
            if !is_valid_name(update.name.as_bstr()) {
                self.results[index] = Err(UpdateError::InvalidName);
            } else if let Some(first) = seen.insert(&update.name, index) {
                self.results[index] = Err(UpdateError::Duplicate);
                self.results[first] = Err(UpdateError::Duplicate);
            }
        }
    }

    fn lock_refs(&mut self, record: &'a LockRecord) {
        for index in self.pending() {
            match self.lock_ref(record, index) {
                Ok(lock) => self.locks[index] = Some(lock),
                Err(error) => self.results[index] = Err(error),
            }
            if self.options.mode == Mode::All && self.results[index].is_err() {
                return;
            }
        }
    }

    fn lock_ref(&mut self, record: &'a LockRecord, index: usize) -> Result<Lock<'a>, UpdateError> {
        let updates = self.updates;
        let update = &updates[index];
        let name = update.name.as_bstr();
        let relative = name::loose_path(name);
        let end = name.rfind_byte(b'/').expect("a valid name has a slash");
        if !self.plain_directories.contains(name[..end].as_bstr()) {
            if !files::has_plain_parents(&self.store.git_dir, &relative) {
                return Err(UpdateError::Damaged);
            }
            self.plain_directories.insert(name[..end].as_bstr());
        }
        let path = self.store.git_dir.join(&relative);
        let lock = match update.new {
            Some(id) if !self.packs_new_values => {
                let contents = format!("{id}\n");
                Lock::acquire(record, &path, contents.as_bytes(), lock::REF_WAIT_MS)
            }
            _ => self.acquire_empty(record, index, &path),
        };
        lock.map_err(|error| {
            // A file where a directory would be is reported differently from system to system.
            let above =
                parents(name).find(|above| self.store.git_dir.join(name::loose_path(above)).is_file());
            match (above, error.kind()) {
                (Some(above), _) => UpdateError::Conflict { with: above.into() },
                (None, io::ErrorKind::AlreadyExists) => UpdateError::Locked,
                (None, _) => UpdateError::Io(error),
            }
        })
    }

    /// Takes a lock that holds nothing. Such locks are names of few files: file systems take their
    /// time where 100,000 files are made and removed at once.
    fn acquire_empty(&mut self, record: &'a LockRecord, index: usize, path: &Path) -> io::Result<Lock<'a>> {
        if let Some(other) = self.empty_lock.and_then(|other| self.locks[other].as_ref()) {
            match other.acquire_beside(path, lock::REF_WAIT_MS) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
                // The file has all the names that it may have, or the file system knows no such names.
                Err(_) => {}
                lock => return lock,
            }
        }
        let lock = Lock::acquire(record, path, b"", lock::REF_WAIT_MS)?;
        self.empty_lock = Some(index);
        Ok(lock)
    }

    /// Reads the current values and compares.
    fn verify(&mut self, packed: &PackedRefs) {
        let mut made = BTreeSet::new();
        for index in self.pending() {
            let update = &self.updates[index];
            let verified = self.verify_one(index, packed).and_then(|()| {
                if update.new.is_some() && self.current[index].is_none() {
                    self.check_conflicts(index, packed, &made)?;
                    made.insert(update.name.as_bstr());
                }
                Ok(())
            });
            if let Err(error) = verified {
                self.results[index] = Err(error);
            }
        }
    }

    fn verify_one(&mut self, index: usize, packed: &PackedRefs) -> Result<(), UpdateError> {
        let update = &self.updates[index];
        // That no directory above is a link was seen when the lock was made in it.
        let path = self.store.git_dir.join(name::loose_path(update.name.as_bstr()));
        let loose = files::read_loose(&path, self.store.object_format).map_err(io_error)?;
        self.is_directory[index] = loose == Loose::Directory;
        self.is_loose[index] = !matches!(loose, Loose::Missing | Loose::Directory);
        let actual = match loose {
            Loose::Target(Target::Id(id)) => Some(id),
            Loose::Target(Target::Symbolic(_)) => return Err(UpdateError::Symbolic),
            Loose::Damaged if update.expected == Expected::Any => None,
            Loose::Damaged => return Err(UpdateError::Damaged),
            Loose::Missing | Loose::Directory => match packed.find(&update.name).map(|entry| &entry.target) {
                Some(Target::Id(id)) => Some(*id),
                _ => None,
            },
        };
        self.current[index] = actual;
        let expected = match update.expected {
            Expected::Any => return Ok(()),
            Expected::Missing => None,
            Expected::Is(id) => Some(id),
        };
        if actual == expected { Ok(()) } else { Err(UpdateError::Changed { actual, expected }) }
    }

    /// Whether a ref that does not exist yet would stand above or below another.
    fn check_conflicts(
        &self,
        index: usize,
        packed: &PackedRefs,
        made: &BTreeSet<&BStr>,
    ) -> Result<(), UpdateError> {
        let name = self.updates[index].name.as_bstr();
        let above = parents(name).find(|above| packed.find(above).is_some() || made.contains(above));
        if let Some(above) = above {
            return Err(UpdateError::Conflict { with: above.into() });
        }
        let prefix = BString::from([name.as_bytes(), b"/"].concat());
        let made_below = made.range(prefix.as_bstr()..).next().filter(|below| below.starts_with(&prefix));
        let packed_below = packed.find_below(name).map(|entry| entry.name.as_bstr());
        if let Some(below) = made_below.copied().or(packed_below) {
            return Err(UpdateError::Conflict { with: below.into() });
        }
        if !self.is_directory[index] {
            return Ok(());
        }
        match loose_below(&self.store.git_dir, name).map_err(UpdateError::Io)? {
            Some(below) => Err(UpdateError::Conflict { with: below }),
            None => Ok(()),
        }
    }

    fn commit_loose(&mut self) {
        let mut directories = BTreeSet::new();
        for index in self.pending() {
            if self.updates[index].new.is_none() {
                continue;
            }
            let lock = self.locks[index].take().expect("every pending ref is locked");
            directories.extend(self.changed_directories(&lock));
            if let Err(error) = lock.commit() {
                self.results[index] = Err(UpdateError::Io(error));
            }
        }
        self.sync(directories);
    }

    /// The directory of a ref, and those above it that may be as new.
    fn changed_directories(&self, lock: &Lock) -> impl Iterator<Item = PathBuf> + use<> {
        let count = if lock.has_new_directory { usize::MAX } else { 1 };
        let above = lock.target().ancestors().skip(1).take(count);
        let above = above.take_while(|directory| *directory != self.store.git_dir).map(Path::to_path_buf);
        above.collect::<Vec<_>>().into_iter()
    }

    /// A change whose directory cannot be synced may be lost with the power: it is not acknowledged.
    fn sync(&mut self, directories: BTreeSet<PathBuf>) {
        for directory in &directories {
            let kind = match durable::sync_directory(directory) {
                Ok(()) => continue,
                // It was empty, and somebody removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => error.kind(),
            };
            for index in self.pending() {
                let path = self.store.git_dir.join(name::loose_path(self.updates[index].name.as_bstr()));
                if path.starts_with(directory) {
                    self.results[index] = Err(UpdateError::Io(kind.into()));
                }
            }
        }
    }

    fn rewrite_packed(&mut self, packed: PackedRefs) -> Result<(), Error> {
        let mut changes: HashMap<&BStr, Option<Ref>> = HashMap::new();
        for index in self.pending() {
            let update = &self.updates[index];
            match update.new {
                None if packed.find(&update.name).is_some() => {
                    changes.insert(update.name.as_bstr(), None);
                }
                Some(id) if self.packs_new_values => {
                    let entry = self.packed_entry(update.name.clone(), id);
                    changes.insert(update.name.as_bstr(), Some(entry));
                }
                _ => {}
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        let unchanged = packed.refs.into_iter();
        let mut refs: Vec<_> =
            unchanged.filter(|entry| !changes.contains_key(entry.name.as_bstr())).collect();
        refs.extend(changes.into_values().flatten());
        refs.sort_by(|a, b| a.name.cmp(&b.name));
        let path = self.store.git_dir.join("packed-refs");
        let next = self.store.git_dir.join(NEXT_PACKED_REFS);
        let written = durable::write_file(&next, &packed::write(&refs))
            .and_then(|()| disk::rename(&next, &path))
            .and_then(|()| durable::sync_directory(&self.store.git_dir));
        written.map_err(|error| {
            let _ = disk::remove_file(&next);
            Error::io(path)(error)
        })
    }

    fn packed_entry(&self, name: BString, id: ObjectId) -> Ref {
        let peeled = self.options.peel.map(|peel| peel(&id));
        Ref {
            name,
            target: Target::Id(id),
            is_peel_known: matches!(peeled, Some(Ok(_))),
            peeled: peeled.and_then(Result::ok).flatten(),
        }
    }

    /// Removes the loose files that `packed-refs` speaks for now.
    fn remove_loose(&mut self) {
        let mut directories = BTreeSet::new();
        for index in self.pending() {
            let is_superseded = self.updates[index].new.is_none() || self.packs_new_values;
            if !is_superseded || !self.is_loose[index] {
                continue;
            }
            let lock = self.locks[index].as_ref().expect("every pending ref is locked");
            match disk::remove_file(lock.target()) {
                Ok(()) => directories.extend(lock.target().parent().map(Path::to_path_buf)),
                Err(error) if files::is_missing(&error) => {}
                Err(error) => self.results[index] = Err(UpdateError::Io(error)),
            }
        }
        self.sync(directories);
    }

    fn append_reflogs(&self) {
        let head = match self.options.reflog {
            Some(_) => self.store.head().ok(),
            None => None,
        };
        for index in self.pending() {
            let update = &self.updates[index];
            let Some(new) = update.new else {
                let log = self.store.git_dir.join("logs").join(name::loose_path(update.name.as_bstr()));
                // A log of a ref that is gone does no harm.
                let _ = disk::remove_file(&log);
                continue;
            };
            let Some(reflog) = self.options.reflog else {
                continue;
            };
            let old = self.current[index].unwrap_or_else(|| ObjectId::null(self.store.object_format));
            let line = format!("{old} {new} {}\t{}\n", reflog.actor, reflog.message);
            self.append_reflog(&name::loose_path(update.name.as_bstr()), &line);
            if head == Some(Head::Symbolic(update.name.clone())) {
                self.append_reflog(Path::new("HEAD"), &line);
            }
        }
    }

    /// The refs are changed by now: a log that cannot be written does not make that untrue.
    fn append_reflog(&self, relative: &Path, line: &str) {
        let logs = self.store.git_dir.join("logs");
        let path = logs.join(relative);
        let is_plain = files::has_plain_parents(&self.store.git_dir, &Path::new("logs").join(relative))
            && fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        if is_plain && let Ok(mut log) = disk::File::append(&path) {
            let _ = log.write_all(line.as_bytes());
        }
    }

    /// Lets go of all locks and removes the directories that are empty then.
    fn finish(mut self) -> Results {
        self.locks.clear();
        let mut directories = BTreeSet::new();
        for (update, result) in self.updates.iter().zip(&self.results) {
            let is_gone = update.new.is_none() || result.is_err() || self.packs_new_values;
            if is_gone
                && is_valid_name(update.name.as_bstr())
                && let Some(end) = update.name.rfind_byte(b'/')
                && directories.insert(update.name[..end].as_bstr())
            {
                remove_empty_parents(&self.store.git_dir, update.name.as_bstr());
            }
        }
        self.results
    }
}

fn io_error(error: Error) -> UpdateError {
    match error {
        Error::Io { source, .. } => UpdateError::Io(source),
        other => UpdateError::Io(io::Error::other(other)),
    }
}

/// The names above `name` that could be refs: for `refs/heads/a/b`, `refs/heads/a` and `refs/heads`.
fn parents(name: &BStr) -> impl Iterator<Item = &BStr> {
    let slashes = name.rfind_iter("/");
    slashes.map(|end| name[..end].as_bstr()).filter(|above| above.contains(&b'/'))
}

/// A loose ref below `name`, if there is one. Lock files do not count.
fn loose_below(git_dir: &Path, name: &BStr) -> io::Result<Option<BString>> {
    let mut directories = vec![name.to_str_lossy().into_owned()];
    while let Some(directory) = directories.pop() {
        let entries = match listing::list(&git_dir.join(&directory)) {
            Ok(entries) => entries,
            Err(error) if files::is_missing(&error) => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = format!("{directory}/{}", entry.name.to_string_lossy());
            if entry.is_directory {
                directories.push(path);
            } else if !path.ends_with(".lock") {
                return Ok(Some(path.into()));
            }
        }
    }
    Ok(None)
}

/// Removes empty directories above a ref, but `refs/` and what lies directly in it, as Git does.
fn remove_empty_parents(git_dir: &Path, name: &BStr) {
    for above in parents(name).filter(|above| above.find_iter("/").count() >= 2) {
        if disk::remove_dir(&git_dir.join(name::loose_path(above))).is_err() {
            break;
        }
    }
}
