//! Keeping a repository fast to serve: few packs, bitmaps, a commit-graph, packed refs.
//!
//! The order of a run, each step of which may be the last one before a kill or a loss of power. Stock
//! `git`, pushes and fetches go on beside it.
//!
//! 1. A lock is taken: one run a repository at a time. What dead pushes and dead runs left behind is
//!    removed once it is old enough that nothing alive can use it.
//!    So is what only saves work, such as bitmaps, and is damaged.
//! 2. Loose refs are packed if there are many, by the same compare and swap as a push.
//! 3. New packs are written under names that nobody reads, checked to the last object as if they
//!    arrived from outside, and synced. Then they are renamed to their places, index last, and the
//!    directory synced: from here on their objects can be read there.
//! 4. Bitmaps and the commit-graph are written beside and renamed. They hold nothing that is not in
//!    the objects. Where much lies in other packs than the largest, bitmaps are of all of them, by an
//!    index over these, which is renamed to its place once its bitmaps and the names of its packs are on
//!    disk; and it is removed, on disk, before the first of its packs.
//! 5. Only then are the packs and loose objects removed that were there when the run began, are not
//!    marked to be kept, and are wholly in the new ones. A reader that has them open reads on; one
//!    that comes later finds the new ones.
//!
//! Nothing is dropped but what no ref reaches, and that only after [`Settings::unreachable_for`] since
//! a run first noticed: until then it is kept in a pack of its own, with the time (gitformat-pack,
//! "Cruft packs"). So no push in flight can lose an object that it found in the repository.

mod clean;
mod cruft;
mod gather;
mod lock;
mod pack;
mod shortcuts;
mod survey;

#[cfg(test)]
mod tests;

pub use gather::{GATHERED_PACKS, SMALL_PACKS_MAX, gather};
pub use survey::{Plan, Survey};

use crate::odb::{self, Store};
use crate::refs::{self, RefStore};
use crate::walk::Tag;
use gix_hash::ObjectId;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What a run may do.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long what no ref reaches is kept after that was first noticed; none: for ever.
    pub unreachable_for: Option<Duration>,
    /// Everything is packed anew, whether or not it needs to be.
    pub is_forced: bool,
    /// How many objects may lie in packs without bitmaps before there are bitmaps over several packs.
    pub objects_without_bitmaps_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            unreachable_for: Some(Duration::from_secs(14 * 24 * 60 * 60)),
            is_forced: false,
            objects_without_bitmaps_max: OBJECTS_WITHOUT_BITMAPS_MAX,
        }
    }
}

/// What comes after the largest pack has to be walked by whoever clones, or fetches more than a few commits: of so
/// many objects, which are some 700 commits, that takes as long as all else together. Bitmaps over several packs
/// spare it, but take some time themselves, so that it would not pay to write them after each push.
pub const OBJECTS_WITHOUT_BITMAPS_MAX: u64 = 5_000;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub stage: Stage,
    /// Objects, of `total`; 0 of 0 where they are not counted.
    pub done: u64,
    pub total: u64,
}

/// What a run is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Surveying,
    PackingRefs,
    Enumerating,
    SearchingDeltas,
    Packing,
    WritingBitmaps,
    WritingCommitGraph,
    Removing,
}

impl Stage {
    /// In words, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Surveying => "looking at what is there",
            Self::PackingRefs => "packing refs",
            Self::Enumerating => "enumerating objects",
            Self::SearchingDeltas => "searching for deltas",
            Self::Packing => "packing objects",
            Self::WritingBitmaps => "writing bitmaps",
            Self::WritingCommitGraph => "writing the commit-graph",
            Self::Removing => "removing what is packed",
        }
    }
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many packs were made one, or made anew.
    pub packs_replaced: u64,
    pub loose_objects_packed: u64,
    pub refs_packed: u64,
    /// Objects that no ref reaches and that are kept for now.
    pub unreachable_kept: u64,
    /// Objects that no ref reached for long enough.
    pub unreachable_removed: u64,
    /// Commits that the new bitmaps are of; 0: none were written.
    pub bitmaps: u64,
    /// Commits of the new commit-graph; 0: none was written.
    pub graph_commits: u64,
    /// Files that only save work, such as bitmaps, that were damaged.
    pub damaged_removed: u64,
}

/// Why a run ended before its time. The repository is as sound as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "another run of maintenance is at work, or was killed: it gave its last sign of life {} seconds ago. \
         {} minutes after the last one a run counts as dead, and the next one begins; whoever knows that none is at \
         work may remove the file {} in the repository before",
        quiet_for.as_secs(), lock::STALE_AFTER.as_secs() / 60, lock::NAME
    )]
    Locked { quiet_for: Duration },
    #[error("the repository is incomplete or damaged: {0}")]
    Store(#[from] odb::Error),
    #[error(transparent)]
    Refs(#[from] refs::Error),
    #[error("the new pack is not sound: {0}")]
    Pack(#[from] crate::index_pack::Error),
    #[error("cannot read or write: {0}")]
    Io(#[from] io::Error),
    #[error("it was stopped")]
    Stopped,
}

/// Hears of progress at least every few thousand objects; false stops the run.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress) -> bool;

/// Does what the repository at `git_dir` needs.
pub fn run(
    git_dir: &Path,
    settings: &Settings,
    now: SystemTime,
    on_progress: OnProgress,
) -> Result<Report, Error> {
    let lock = lock::Lock::acquire(git_dir, now)?;
    let mut run = Run { git_dir, settings, now, on_progress, lock, report: Report::default() };
    run.tell(Stage::Surveying, 0, 0)?;
    clean::remove_leftovers(git_dir, now)?;
    run.pack_refs()?;
    run.report.damaged_removed = clean::remove_damaged_shortcuts(git_dir)? as u64;
    let survey = Survey::of(git_dir)?;
    let plan = match survey.plan(settings, now) {
        _ if settings.is_forced => Plan::Everything,
        Plan::Nothing if run.report.damaged_removed > 0 => Plan::Shortcuts,
        plan => plan,
    };
    match plan {
        Plan::Nothing => {}
        Plan::Shortcuts => run.index(&survey)?,
        Plan::RollUp(packs) => run.roll_up(&survey, &packs)?,
        Plan::Everything => run.everything(&survey)?,
    }
    Ok(run.report)
}

struct Run<'a> {
    git_dir: &'a Path,
    settings: &'a Settings,
    now: SystemTime,
    on_progress: OnProgress<'a>,
    lock: lock::Lock,
    report: Report,
}

/// Below so many loose refs, packing them is not worth it.
const LOOSE_REFS_MIN: usize = refs::PACKED_FROM;
/// How many refs are packed at once: so many are locked for the moment.
const REFS_AT_ONCE: usize = 2_000;

impl Run<'_> {
    fn tell(&mut self, stage: Stage, done: u64, total: u64) -> Result<(), Error> {
        self.lock.refresh();
        match (self.on_progress)(Progress { stage, done, total }) {
            true => Ok(()),
            false => Err(Error::Stopped),
        }
    }

    fn pack_refs(&mut self) -> Result<(), Error> {
        let refs = RefStore::open(self.git_dir)?;
        let loose = refs.loose_ids()?;
        if loose.len() < LOOSE_REFS_MIN {
            return Ok(());
        }
        let store = Store::open(self.git_dir)?;
        let peel = |id: &gix_hash::oid| -> io::Result<Option<ObjectId>> {
            let (tags, target, _) = Tag::peel(&store, id).map_err(io::Error::other)?;
            Ok((!tags.is_empty()).then_some(target))
        };
        let options =
            refs::Options { mode: refs::Mode::Each, peel: Some(&peel), reflog: None, witness: None };
        for chunk in loose.chunks(REFS_AT_ONCE).filter(|chunk| chunk.len() >= LOOSE_REFS_MIN) {
            self.tell(Stage::PackingRefs, self.report.refs_packed, loose.len() as u64)?;
            let updates: Vec<_> = chunk
                .iter()
                .map(|(name, id)| refs::Update {
                    name: name.clone(),
                    expected: refs::Expected::Is(*id),
                    new: Some(*id),
                })
                .collect();
            // Who is changed meanwhile stays loose.
            let results = refs.transact(&updates, &options)?;
            self.report.refs_packed += results.iter().filter(|result| result.is_ok()).count() as u64;
        }
        Ok(())
    }

    /// Makes one pack of some packs and of all loose objects, whatever reaches them.
    fn roll_up(&mut self, survey: &Survey, packs: &[String]) -> Result<(), Error> {
        let store = Store::of_packs(self.git_dir, packs)?;
        // What lies in a pack that stays need not be in another.
        let all = Store::open(self.git_dir)?;
        let mut loose = Vec::new();
        for id in &survey.loose {
            if all.locate_packed(id)?.is_none() {
                loose.push(*id);
            }
        }
        let objects = pack::everything_in(&store, &loose)?;
        let made = pack::write(self, &store, objects)?;
        let new = made.map(|made| made.name());
        self.tell(Stage::Removing, 0, 0)?;
        self.remove(packs.iter().filter(|name| new.as_ref() != Some(*name)), &survey.loose)?;
        drop((store, all));
        let survey = Survey::of(self.git_dir)?;
        match survey.plan(self.settings, self.now) {
            Plan::Shortcuts => self.index(&survey),
            _ => Ok(()),
        }
    }

    /// Makes one pack of everything that is reached, and one of the rest as long as that is kept.
    fn everything(&mut self, survey: &Survey) -> Result<(), Error> {
        let store = Store::open(self.git_dir)?.without_shortcuts();
        let mut reached = pack::reached(self, &store)?;
        let rest = cruft::of(self, survey, &store, &reached)?;
        // Packs that are to be kept, and those that came since, stay as they are.
        for pack in 0..store.pack_count() {
            if !survey.has_pack(&store.pack_name(pack)) {
                reached.remove_pack(pack);
            }
        }
        if self.settings.is_forced || !survey.is_one_pack() || !rest.is_unchanged() {
            let made = pack::write(self, &store, reached)?;
            let kept = cruft::write(self, &store, rest)?;
            let new: Vec<String> = [made, kept].iter().flatten().map(pack::Made::name).collect();
            let old: Vec<String> = survey.packs.iter().map(|pack| pack.name.clone()).collect();
            self.tell(Stage::Removing, 0, 0)?;
            self.remove(old.iter().filter(|name| !new.contains(name)), &survey.loose)?;
        }
        // What it keeps in memory is not of the new pack.
        drop(store);
        self.index(&Survey::of(self.git_dir)?)
    }

    /// Removes packs and loose objects that are in new packs by now.
    fn remove<'b>(
        &mut self,
        packs: impl Iterator<Item = &'b String>,
        loose: &[ObjectId],
    ) -> Result<(), Error> {
        // Whatever pack an object is found in by now: of its name nothing is certain yet.
        crate::durable::sync_directory(&self.git_dir.join("objects/pack"))?;
        clean::remove_multi_pack_index(self.git_dir)?;
        let packs: Vec<&String> = packs.collect();
        self.report.packs_replaced = clean::remove_packs(self.git_dir, &packs)?;
        self.report.loose_objects_packed = clean::remove_loose(self.git_dir, loose)?;
        Ok(())
    }
}
