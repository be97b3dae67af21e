//! How the last large clone of a repository was made.
//!
//! Which objects some wants reach is decided by the ids of the wants, and where they lie by the
//! names of the packs: both are content ids. So the recipe of a pack is remembered under all of them,
//! and found again only by a request for just the same out of just the same packs. It holds no object
//! that those wants do not reach.

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
const FORMAT: &[u8] = b"lithe recipe 1\n";

/// Where one recipe is remembered: a file a repository, which the next large clone replaces.
pub struct Memory {
    file: PathBuf,
    key: [u8; HASH_LEN],
    bytes_max: u64,
}

impl Memory {
    /// None: such a request is not remembered, since it depends on what the client has or asks for.
    pub fn of(
        store: &Store,
        cache_dir: &Path,
        git_dir: &Path,
        request: &Request,
        ofs_delta: bool,
    ) -> Result<Option<Self>, Error> {
        let is_plain_clone = request.haves.is_empty()
            && request.boundary.is_empty()
            && request.client_shallow.is_empty()
            && request.filter.is_empty();
        if !is_plain_clone || !cache_dir.is_dir() {
            return Ok(None);
        }
        let name = Sha256::digest(git_dir.as_os_str().as_encoded_bytes());
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        let file = cache_dir.join("recipes").join(name);
        Ok(Some(Self { file, key: key(store, request, ofs_delta), bytes_max: REMEMBERED_BYTES_MAX }))
    }

    /// With another limit.
    #[cfg(test)]
    pub fn with_bytes_max(self, bytes_max: u64) -> Self {
        Self { bytes_max, ..self }
    }

    /// The recipe, if it is the one that is remembered and undamaged.
    pub fn recall(&self, store: &Store) -> Option<Recipe> {
        let mut bytes = Vec::new();
        fs::File::open(&self.file).ok()?.take(self.bytes_max + 1).read_to_end(&mut bytes).ok()?;
        let (contents, checksum) = bytes.split_last_chunk::<HASH_LEN>()?;
        if Sha256::digest(contents)[..] != checksum[..] {
            return None;
        }
        Recipe::from_bytes(store, contents.strip_prefix(&self.key)?)
    }

    /// Remembers a recipe if it is worth it. That this fails is no failure of the clone.
    pub fn remember(&self, recipe: &Recipe) {
        if recipe.objects() < REMEMBERED_OBJECTS_MIN {
            return;
        }
        let mut contents = [&self.key[..], &recipe.to_bytes()].concat();
        let checksum = Sha256::digest(&contents);
        contents.extend_from_slice(&checksum);
        if contents.len() as u64 <= self.bytes_max {
            let _ = self.replace(&contents);
        }
    }

    fn replace(&self, contents: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(self.file.parent().unwrap_or(Path::new("")))?;
        let temporary = self.file.with_extension(format!("{:016x}", RandomState::new().hash_one(self.key)));
        let outcome = fs::write(&temporary, contents).and_then(|()| fs::rename(&temporary, &self.file));
        if outcome.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        outcome
    }
}

fn key(store: &Store, request: &Request, ofs_delta: bool) -> [u8; HASH_LEN] {
    let mut hash = Sha256::new_with_prefix(FORMAT);
    hash.update([u8::from(ofs_delta)]);
    for pack in 0..store.pack_count() {
        hash.update(store.pack_name(pack));
        hash.update(b"\n");
    }
    let mut wants = request.wants.clone();
    wants.sort_unstable();
    for id in wants {
        hash.update(b"want ");
        hash.update(id.as_slice());
    }
    let mut tags: Vec<_> = request.tags.iter().map(|(tag, _)| *tag).collect();
    tags.sort_unstable();
    for id in tags {
        hash.update(b"tag ");
        hash.update(id.as_slice());
    }
    hash.finalize().into()
}
