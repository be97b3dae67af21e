//! New packs out of what a repository has.

use super::{Error, Run, Stage};
use crate::disk;
use crate::durable::{self, TEMPORARY_PREFIX};
use crate::index_pack::{Indexed, Limits, Nothing, Receiver};
use crate::listing;
use crate::odb::{Packed, Store};
use crate::pack::{self, Options, Output};
use crate::refs::{Head, RefStore, Target};
use crate::walk::{Had, Located, ObjectSet, Request, Selection, Walk, shallow};
use gix_hash::ObjectId;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};

/// How many commits and trees are opened between two words on progress.
const WALK_STEPS: usize = 4_096;
/// How much of a pack is made between two words on progress, in bytes.
const PIECE_BYTES: usize = 256 * 1024;
/// How many deltas may lie between an object and the whole one it is based on, as in `git repack`.
const CHAIN_DELTAS_MAX: u16 = 50;

/// A pack in its place.
pub struct Made {
    pub indexed: Indexed,
    path: PathBuf,
}

impl Made {
    /// `pack-….pack`.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The file of another kind that belongs to the pack.
    pub fn sibling(&self, extension: &str) -> PathBuf {
        self.path.with_extension(extension)
    }
}

/// Every object of the packs of a store, and these loose ones.
pub fn everything_in(store: &Store, loose: &[ObjectId]) -> Result<ObjectSet, Error> {
    let mut all = ObjectSet::default();
    for pack in 0..store.pack_count() {
        for position in 0..store.pack_len(pack) {
            // One that several packs have is always found in the same.
            let id = store.packed_id(Packed { pack, position })?;
            if let Some(packed) = store.locate_packed(&id)? {
                all.insert(Located::Packed(packed));
            }
        }
    }
    for id in loose {
        if let Some(at) = Located::find(store, id)? {
            all.insert(at);
        }
    }
    Ok(all)
}

/// Everything that the repository's refs and reflogs reach.
pub fn reached(run: &mut Run, store: &Store) -> Result<ObjectSet, Error> {
    let refs: HashSet<ObjectId> = refs(run.git_dir)?.into_iter().collect();
    let mut wants = Vec::new();
    for id in tips(run.git_dir)? {
        // What only a reflog names may be gone.
        if refs.contains(&id) || store.contains(&id)? {
            wants.push(id);
        }
    }
    let boundary = shallow::of_repository(run.git_dir, store.object_format())?;
    let request = Request { wants, boundary, ..Request::default() };
    let mut walk = Walk::new(store, request)?;
    while walk.advance(store, WALK_STEPS)? {
        run.tell(Stage::Enumerating, walk.len(), 0)?;
    }
    Ok(walk.finish(store)?.send)
}

/// Every object that a ref or a reflog names, each once.
pub fn tips(git_dir: &Path) -> Result<Vec<ObjectId>, Error> {
    let mut ids = refs(git_dir)?;
    reflogs(&git_dir.join("logs"), &mut ids)?;
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn refs(git_dir: &Path) -> Result<Vec<ObjectId>, Error> {
    let snapshot = RefStore::open(git_dir)?.snapshot()?;
    let mut ids: Vec<ObjectId> = snapshot
        .refs
        .iter()
        .filter_map(|entry| match &entry.target {
            Target::Id(id) => Some(*id),
            Target::Symbolic(_) => None,
        })
        .collect();
    if let Head::Detached(id) = snapshot.head {
        ids.push(id);
    }
    Ok(ids)
}

/// Collects the ids in reflogs: the first two words of each line.
fn reflogs(directory: &Path, ids: &mut Vec<ObjectId>) -> Result<(), Error> {
    let entries = match listing::list(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for entry in entries {
        let path = directory.join(&entry.name);
        if entry.is_directory {
            reflogs(&path, ids)?;
            continue;
        }
        let log = match disk::read(&path) {
            // The ref was deleted meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            log => log?,
        };
        for line in log.split(|byte| *byte == b'\n') {
            let words = line.split(|byte| *byte == b' ').take(2);
            ids.extend(words.filter_map(|word| ObjectId::from_hex(word).ok()).filter(|id| !id.is_null()));
        }
    }
    Ok(())
}

/// Makes a pack of some objects, checks it to the last byte, and puts it in its place, durably.
/// None: there are no objects.
pub fn write(run: &mut Run, store: &Store, objects: ObjectSet) -> Result<Option<Made>, Error> {
    if objects.is_empty() {
        return Ok(None);
    }
    let directory = store.objects_dir().join("pack");
    durable::create_directories(&directory)?;
    let random = RandomState::new().hash_one(objects.len());
    let temporary = |kind: &str| directory.join(format!("{TEMPORARY_PREFIX}{random:016x}_{kind}"));
    let temporary = Temporary { pack: temporary("pack"), index: temporary("idx") };
    let indexed = fill(run, store, objects, &temporary)?;
    let path = directory.join(format!("pack-{}.pack", indexed.checksum));
    // The name is the checksum of the contents: what is there already is the same.
    if !path.is_file() || !path.with_extension("idx").is_file() {
        disk::rename(&temporary.pack, &path)?;
        disk::rename(&temporary.index, &path.with_extension("idx"))?;
    }
    durable::sync_directory(&directory)?;
    Ok(Some(Made { indexed, path }))
}

fn fill(run: &mut Run, store: &Store, objects: ObjectSet, temporary: &Temporary) -> Result<Indexed, Error> {
    let limits = Limits::of_what_is_there();
    // The entries are copied as they lie.
    store.forget_objects();
    let mut receiver = Receiver::create(&temporary.pack, store.object_format(), limits, ())?;
    let total = objects.len();
    let mut is_stopped = false;
    let found = pack::search(store, &objects, CHAIN_DELTAS_MAX, &mut |done| {
        is_stopped = run.tell(Stage::SearchingDeltas, done, 0).is_err();
        !is_stopped
    })?;
    if is_stopped {
        return Err(Error::Stopped);
    }
    let selection = Selection { send: objects, had: Had::default(), versions: Vec::new() };
    let options = Options { ofs_delta: true, thin: false, chain_deltas_max: Some(CHAIN_DELTAS_MAX) };
    let mut output = Output::new(store.object_format(), selection, options).with_deltas(found);
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    loop {
        let goes_on = output.fill(store, &mut piece, PIECE_BYTES)?;
        receiver.write(&piece)?;
        piece.clear();
        run.tell(Stage::Packing, output.objects_begun().min(total), total)?;
        if !goes_on {
            break;
        }
    }
    let (indexed, ()) = receiver.finish(&Nothing, &temporary.index)?;
    Ok(indexed)
}

/// A pack and its index under names that nobody reads: Git opens whatever ends in `.idx`. Dropping it
/// removes what is still there.
struct Temporary {
    pack: PathBuf,
    index: PathBuf,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = disk::remove_file(&self.pack);
        let _ = disk::remove_file(&self.index);
    }
}
