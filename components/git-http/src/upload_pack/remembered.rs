//! How the last large clone of a repository was made, and its last large bundle.
//!
//! Which objects some wants reach is decided by the ids of the wants, and where they lie by the
//! names of the packs: both are content ids. So the recipe of a pack is remembered under all of them,
//! and found again only by a request for just the same out of just the same packs. It holds no object
//! that those wants do not reach.

use super::turn::Turn;
use crate::limits::{REMEMBERED_BYTES_MAX, REMEMBERED_OBJECTS_MIN};
use lithe_git::odb::{Error, Store};
use lithe_git::pack::Recipe;
use lithe_git::walk::Request;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Read as _;
use std::path::{Path, PathBuf};

const HASH_LEN: usize = 32;
const FORMAT: &[u8] = b"lithe recipe 3\n";
/// In place of a recipe: there is none that can be kept.
const TOO_LONG: &[u8] = b"too long";

/// What a pack is made for. A repository has a recipe for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    Clone,
    Bundle,
}

/// What is remembered of a request.
pub enum Recalled {
    Recipe(Recipe),
    /// Its recipe is too long to be kept.
    TooLong,
    Nothing,
}

/// Where recipes are remembered: two files a repository, which the next large clone or bundle replaces.
pub struct Memory {
    /// Its own, and the other slot's, where the same recipe may be.
    files: [PathBuf; 2],
    /// Where turns to write a recipe are taken.
    turns: PathBuf,
    key: [u8; HASH_LEN],
    bytes_max: u64,
}

impl Memory {
    /// None: such a request is not remembered, since it depends on what the client has or asks for, or
    /// the repository is small.
    pub fn of(
        store: &Store,
        cache_dir: &Path,
        slot: Slot,
        git_dir: &Path,
        request: &Request,
        ofs_delta: bool,
    ) -> Result<Option<Self>, Error> {
        let objects: u64 = (0..store.pack_count()).map(|pack| u64::from(store.pack_len(pack))).sum();
        let is_plain_clone = objects >= REMEMBERED_OBJECTS_MIN
            && request.haves.is_empty()
            && request.boundary.is_empty()
            && request.client_shallow.is_empty()
            && request.filter.is_empty();
        if !is_plain_clone || !cache_dir.is_dir() {
            return Ok(None);
        }
        let name = Sha256::digest(git_dir.as_os_str().as_encoded_bytes());
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        let for_clones = cache_dir.join("recipes").join(&name);
        let for_bundles = cache_dir.join("recipes").join(name + "-bundle");
        let files = match slot {
            Slot::Clone => [for_clones, for_bundles],
            Slot::Bundle => [for_bundles, for_clones],
        };
        let turns = cache_dir.join("turns");
        Ok(Some(Self { files, turns, key: key(store, request, ofs_delta), bytes_max: REMEMBERED_BYTES_MAX }))
    }

    /// With another limit.
    #[cfg(test)]
    pub fn with_bytes_max(self, bytes_max: u64) -> Self {
        Self { bytes_max, ..self }
    }

    /// What is remembered and undamaged.
    pub fn recall(&self, store: &Store) -> Recalled {
        self.files.iter().find_map(|file| self.recall_from(file, store)).unwrap_or(Recalled::Nothing)
    }

    fn recall_from(&self, file: &Path, store: &Store) -> Option<Recalled> {
        let mut file = fs::File::open(file).ok()?;
        // Most are another's, which the first bytes tell.
        let mut bytes = vec![0; HASH_LEN];
        file.read_exact(&mut bytes).ok().filter(|()| bytes == self.key)?;
        file.take(self.bytes_max + 1 - HASH_LEN as u64).read_to_end(&mut bytes).ok()?;
        let (contents, checksum) = bytes.split_last_chunk::<HASH_LEN>()?;
        if Sha256::digest(contents)[..] != checksum[..] {
            return None;
        }
        match contents.strip_prefix(&self.key)? {
            TOO_LONG => Some(Recalled::TooLong),
            recipe => Recipe::from_bytes(store, recipe).map(Recalled::Recipe),
        }
    }

    /// Takes the turn to write the recipe. None: somebody else is at it.
    pub fn take_turn(&self) -> Option<Turn> {
        let name: String = self.key.iter().map(|byte| format!("{byte:02x}")).collect();
        Turn::take(&self.turns, &name)
    }

    /// Remembers a recipe, or that there is none that can be kept. That this fails is no failure of the clone.
    pub fn remember(&self, recipe: Option<&Recipe>) {
        let recipe = recipe.map(Recipe::to_bytes);
        // With the key before and the checksum behind.
        let has_room = |recipe: &Vec<u8>| (recipe.len() + 2 * HASH_LEN) as u64 <= self.bytes_max;
        let recipe = recipe.filter(has_room).unwrap_or_else(|| TOO_LONG.to_vec());
        let mut contents = [&self.key[..], &recipe].concat();
        let checksum = Sha256::digest(&contents);
        contents.extend_from_slice(&checksum);
        let _ = self.replace(&contents);
    }

    /// Remembers a recipe whose checksum has become known, unless another one is remembered by now.
    pub fn complete(&self, recipe: &Recipe) {
        let mut key = [0; HASH_LEN];
        let is_there = fs::File::open(&self.files[0]).and_then(|mut file| file.read_exact(&mut key)).is_ok();
        if is_there && key == self.key {
            self.remember(Some(recipe));
        }
    }

    fn replace(&self, contents: &[u8]) -> std::io::Result<()> {
        let file = &self.files[0];
        fs::create_dir_all(file.parent().unwrap_or(Path::new("")))?;
        let temporary = file.with_extension(format!("{:016x}", RandomState::new().hash_one(self.key)));
        let outcome = fs::write(&temporary, contents).and_then(|()| fs::rename(&temporary, file));
        if outcome.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        outcome
    }
}

/// What a pack for such a request is decided by.
pub fn key(store: &Store, request: &Request, ofs_delta: bool) -> [u8; HASH_LEN] {
    let mut hash = Sha256::new_with_prefix(FORMAT);
    hash.update([u8::from(ofs_delta)]);
    for pack in 0..store.pack_count() {
        hash.update(store.pack_name(pack));
        hash.update(b"\n");
    }
    for name in store.multi_pack_index_names() {
        hash.update(name);
        hash.update(b"\n");
    }
    let mut wants = request.wants.clone();
    wants.sort_unstable();
    wants.dedup();
    for id in &wants {
        hash.update(b"want ");
        hash.update(id.as_slice());
    }
    // What is wanted is sent anyway.
    let tags = request.tags.iter().map(|(tag, _)| *tag);
    let mut tags: Vec<_> = tags.filter(|tag| wants.binary_search(tag).is_err()).collect();
    tags.sort_unstable();
    for id in tags {
        hash.update(b"tag ");
        hash.update(id.as_slice());
    }
    hash.finalize().into()
}
