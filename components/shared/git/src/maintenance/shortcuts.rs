//! What saves work and holds nothing that is not in the objects: bitmaps, orders of entries, the commit-graph, and an
//! index over several packs.

use super::survey::Survey;
use super::{Error, Run, Stage, clean, pack};
use crate::bitmap::{self, BitmapFile, Encoded, Known, Selected};
use crate::commit_graph;
use crate::disk;
use crate::durable::{self, TEMPORARY_PREFIX};
use crate::odb::multi_pack_index::{self, Merged};
use crate::odb::{Numbers, Store};
use crate::walk::Tag;
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;

impl Run<'_> {
    /// Writes the order of the largest pack, bitmaps, and the commit-graph.
    ///
    /// The bitmaps are of the largest pack if it has everything that refs reach; and if much lies beside it, of all
    /// packs by an index over them.
    pub(super) fn index(&mut self, survey: &Survey) -> Result<(), Error> {
        // What the old ones say is not believed.
        let store = Store::open(self.git_dir)?.without_shortcuts();
        let tips = self.tips(&store)?;
        let number = |name: &str| (0..store.pack_count()).find(|pack| store.pack_name(*pack) == name);
        let Some(main) = survey.main_pack().and_then(number) else { return Ok(()) };
        write_order(&store, main)?;
        if disk::exists(&self.git_dir.join("shallow"))? {
            return Ok(());
        }
        self.tell(Stage::WritingBitmaps, 0, 0)?;
        let covers_several = survey.has_much_beside_main(self.settings);
        // Where most bitmaps are going to be of all packs, those of the largest are there to be taken over.
        if !covers_several || !disk::exists(&path_beside(&store, main, "bitmap"))? {
            self.report.bitmaps = self.write_bitmaps(&store, main, &tips)?;
        }
        if covers_several {
            let packs: Vec<u32> = survey.packs_to_index().filter_map(number).collect();
            let written = self.write_multi_pack_index(&store, &packs, main, &tips)?;
            self.report.bitmaps = self.report.bitmaps.max(written);
        }
        self.write_commit_graph(&store, &tips)
    }

    /// The commits that refs and reflogs name.
    fn tips(&self, store: &Store) -> Result<Vec<ObjectId>, Error> {
        let mut tips = Vec::new();
        for id in pack::tips(self.git_dir)? {
            if let Ok((_, target, Kind::Commit)) = Tag::peel(store, &id) {
                tips.push(target);
            }
        }
        tips.sort_unstable();
        tips.dedup();
        Ok(tips)
    }

    /// Writes the bitmaps of a pack; returns of how many commits they are. 0: something that refs reach lies
    /// elsewhere, and nothing was written.
    fn write_bitmaps(&mut self, store: &Store, pack: u32, tips: &[ObjectId]) -> Result<u64, Error> {
        let selected = Selected::of(store, tips, store.pack_len(pack), None)?;
        let numbers = Numbers::of_pack(store, pack)?;
        let Some(file) = self.encode(store, &numbers, &store.pack_checksum(pack)?, &selected)? else {
            return Ok(0);
        };
        durable::replace_file(&path_beside(store, pack, "bitmap"), &file)?;
        Ok(selected.len() as u64)
    }

    /// Writes an index over some packs, and bitmaps by it; returns of how many commits they are. 0: something that
    /// refs reach lies elsewhere, and nothing was written.
    fn write_multi_pack_index(
        &mut self,
        store: &Store,
        packs: &[u32],
        main: u32,
        tips: &[ObjectId],
    ) -> Result<u64, Error> {
        let merged = Merged::of(store, packs, main)?;
        let directory = store.objects_dir().join("pack");
        let random = RandomState::new().hash_one(packs.len());
        let temporary = Temporary(directory.join(format!("{TEMPORARY_PREFIX}{random:016x}_midx")));
        let checksum = merged.write(&temporary.0)?;
        let file = BitmapFile::open(
            &path_beside(store, main, "bitmap"),
            &store.pack_checksum(main)?,
            store.pack_len(main),
        );
        let known = file.map(|file| Known { file, pack: main });
        let selected = Selected::of(store, tips, merged.numbers().len(), known)?;
        let Some(file) = self.encode(store, merged.numbers(), &checksum, &selected)? else { return Ok(0) };
        let stem = multi_pack_index::stem(&checksum);
        // Nobody looks for bitmaps whose index is not there. With them, the names of the packs are on disk.
        durable::replace_file(&directory.join(&stem).with_extension("bitmap"), &file)?;
        disk::rename(&temporary.0, &directory.join(multi_pack_index::FILE_NAME))?;
        durable::sync_directory(&directory)?;
        clean::remove_what_belongs_to_other_indexes(self.git_dir, &stem)?;
        // Stock git may have made one pack of some meanwhile.
        for pack in packs {
            if !disk::exists(&path_beside(store, *pack, "idx"))? {
                clean::remove_multi_pack_index(self.git_dir)?;
                return Ok(0);
            }
        }
        Ok(selected.len() as u64)
    }

    /// None: there is nothing to be told, or something that refs reach lies elsewhere.
    fn encode(
        &mut self,
        store: &Store,
        numbers: &Numbers,
        checksum: &oid,
        selected: &Selected,
    ) -> Result<Option<Vec<u8>>, Error> {
        if selected.is_empty() {
            return Ok(None);
        }
        let mut on_progress = |done, total| self.tell(Stage::WritingBitmaps, done, total).is_ok();
        match bitmap::encode(store, numbers, checksum, selected, &mut on_progress)? {
            Encoded::File(file) => Ok(Some(file)),
            Encoded::Incomplete => Ok(None),
            Encoded::Stopped => Err(Error::Stopped),
        }
    }

    fn write_commit_graph(&mut self, store: &Store, tips: &[ObjectId]) -> Result<(), Error> {
        self.tell(Stage::WritingCommitGraph, 0, 0)?;
        let mut on_progress = |done, total| self.tell(Stage::WritingCommitGraph, done, total).is_ok();
        let written = commit_graph::write(store, store.object_format(), tips, &mut on_progress);
        let written = written.map_err(|error| match error {
            commit_graph::Error::Store(error) => Error::Store(error),
            commit_graph::Error::Io(error) => Error::Io(error),
            commit_graph::Error::Stopped => Error::Stopped,
        })?;
        if let commit_graph::Written::Graph { commits } = written {
            self.report.graph_commits = commits.into();
        }
        Ok(())
    }
}

/// Writes the order in which the entries of a pack lie.
fn write_order(store: &Store, pack: u32) -> Result<(), Error> {
    let checksum = store.pack_checksum(pack)?;
    let mut file = store.pack_order(pack)?.to_bytes(&checksum)?;
    durable::append_checksum(&mut file, store.object_format())?;
    Ok(durable::replace_file(&path_beside(store, pack, "rev"), &file)?)
}

/// The file of another kind that belongs to a pack.
fn path_beside(store: &Store, pack: u32, extension: &str) -> PathBuf {
    store.objects_dir().join("pack").join(store.pack_name(pack)).with_extension(extension)
}

/// A file under a name that nobody reads. Dropping it removes it, if it is still there.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = disk::remove_file(&self.0);
    }
}
