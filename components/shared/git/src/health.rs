//! How well a repository is set to be served, at a glance: what its files say, with no object read.

use crate::maintenance::{Error, Plan, Settings, Survey};
use crate::odb::Store;
use crate::refs::RefStore;
use std::path::Path;
use std::time::SystemTime;

/// What a repository consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// What packs, their indexes and loose objects take on disk, in bytes.
    pub bytes: u64,
    pub packs: u64,
    /// Objects in packs; one that lies in two of them counts twice.
    pub packed_objects: u64,
    pub loose_objects: u64,
    pub refs: u64,
    /// Refs that are files of their own.
    pub loose_refs: u64,
    /// Commits whose reachable objects are known without a walk; 0: there are no bitmaps.
    pub bitmaps: u64,
    /// Objects in the pack, or packs, that the bitmaps are of.
    pub bitmap_objects: u64,
    /// Commits in the commit-graph; 0: there is none.
    pub graph_commits: u64,
    /// The names of files that only save work, such as bitmaps, and are damaged: they are passed over.
    pub damaged: Vec<String>,
    /// What a clone of everything sends, about, in bytes.
    pub clone_bytes: u64,
    /// What maintenance would do now.
    pub is_maintenance_due: bool,
}

impl Health {
    /// Looks at the bare repository at `git_dir`.
    pub fn of(git_dir: &Path, now: SystemTime) -> Result<Self, Error> {
        let survey = Survey::of(git_dir)?;
        let store = Store::open(git_dir)?;
        let refs = RefStore::open(git_dir)?;
        let cruft: u64 = survey.packs.iter().filter(|pack| pack.is_cruft).map(|pack| pack.bytes).sum();
        let packs: u64 = survey.packs.iter().map(|pack| pack.bytes).sum();
        Ok(Self {
            bytes: survey.bytes,
            packs: store.pack_count().into(),
            packed_objects: (0..store.pack_count()).map(|pack| u64::from(store.pack_len(pack))).sum(),
            loose_objects: survey.loose.len() as u64,
            refs: refs.snapshot()?.refs.len() as u64,
            loose_refs: refs.loose_ids()?.len() as u64,
            bitmaps: store.bitmaps().map_or(0, |bitmaps| bitmaps.len() as u64),
            bitmap_objects: store.bitmaps().map_or(0, |bitmaps| bitmaps.numbering().len().into()),
            graph_commits: store.commit_graph().map_or(0, |graph| graph.len().into()),
            clone_bytes: packs - cruft + survey.loose_bytes,
            damaged: survey.damaged.clone(),
            is_maintenance_due: survey.plan(&Settings::default(), now) != Plan::Nothing,
        })
    }
}
