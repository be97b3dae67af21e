//! Bitmaps that Git wrote are read, and Git reads those that are written here.

use super::*;
use crate::odb::{Numbers, Packed, Store};
use crate::testing::{Scratch, sealed};
use gix_hash::ObjectId;
use gix_object::Kind;
use std::collections::BTreeSet;
use std::fs;
use std::ops::Deref;
use std::path::PathBuf;

struct Repository(Scratch);

impl Deref for Repository {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.0
    }
}

impl Repository {
    /// Thirty commits of files in directories, some of them merges, all in one pack.
    fn new() -> Self {
        let repository = Self(Scratch::new());
        repository.sh(
            "git init -q -b main && for i in $(seq 15); do mkdir -p d$((i % 3))/e && seq $i > d$((i % 3))/e/f &&
            git add . && git commit -q -m $i && git checkout -q -b b$i HEAD~$((i > 2 ? 2 : 0)) && seq $i > g$i &&
            git add . && git commit -q -m b$i && git checkout -q main && git merge -q -m m$i b$i && git tag -m t t$i; done",
        );
        repository
    }

    fn store(&self) -> Store {
        Store::open(&self.0.path().join(".git")).expect("readable")
    }

    fn ids(&self, script: &str) -> Vec<ObjectId> {
        self.sh(script).lines().map(|line| line[..40].parse().expect("an id")).collect()
    }

    fn bitmap_path(&self) -> PathBuf {
        let name = self.sh("ls .git/objects/pack/*.idx");
        self.0.path().join(name).with_extension("bitmap")
    }

    fn checksum(&self) -> ObjectId {
        let pack = fs::read(self.bitmap_path().with_extension("pack")).expect("readable");
        ObjectId::try_from(&pack[pack.len() - 20..]).expect("an id")
    }

    fn open(&self) -> Option<BitmapFile> {
        let objects = self.store().pack_len(0);
        BitmapFile::open(&self.bitmap_path(), &self.checksum(), objects)
    }

    /// Checks every bitmap against what Git lists.
    fn check(&self, bitmaps: &BitmapFile) {
        let store = self.store();
        let order = store.pack_order(0).expect("an order");
        let ids_of = |bits: &Bits| -> BTreeSet<ObjectId> {
            let packed = |rank| Packed { pack: 0, position: order.entry(rank as usize).expect("an entry").1 };
            bits.iter().map(|rank| store.packed_id(packed(rank)).expect("an id")).collect()
        };
        let mut count = 0;
        for id in self.ids("git rev-list --all") {
            let position = store.locate_in_pack(0, &id).expect("readable").expect("packed");
            let Some(bits) = bitmaps.get(position) else { continue };
            assert!(bitmaps.contains(position));
            let expected = self.ids(&format!("git rev-list --objects {id}"));
            assert_eq!(ids_of(&bits), expected.into_iter().collect(), "{id}");
            count += 1;
        }
        assert_eq!(count, bitmaps.len());
        for kind in [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag] {
            let listed = format!(
                "git cat-file --batch-all-objects --batch-check='%(objectname) %(objecttype)' | grep {kind}"
            );
            let expected: BTreeSet<_> = self.ids(&listed).into_iter().collect();
            assert_eq!(ids_of(&bitmaps.of_kind(kind).expect("a set")), expected, "{kind}");
        }
    }

    /// The file that is written here.
    fn encoded(&self) -> Vec<u8> {
        let store = self.store();
        let tips = self.ids("git rev-list --all");
        let selected = Selected::of(&store, &tips, store.pack_len(0), None).expect("readable");
        assert_eq!(selected.len(), tips.len(), "every tip is selected");
        let numbers = Numbers::of_pack(&store, 0).expect("readable");
        match encode(&store, &numbers, &self.checksum(), &selected, &mut |_, _| true) {
            Ok(Encoded::File(file)) => file,
            other => panic!("the pack has everything: {other:?}"),
        }
    }
}

#[test]
fn what_git_wrote_is_read() {
    for (lookup, cache) in [("true", "true"), ("false", "true"), ("true", "false")] {
        let repository = Repository::new();
        repository.sh(&format!(
            "git -c pack.writeBitmapLookupTable={lookup} -c pack.writeBitmapHashCache={cache} repack -adbq"
        ));
        let bitmaps = repository.open().expect("bitmaps");
        assert!(!bitmaps.is_empty());
        repository.check(&bitmaps);
    }
}

#[test]
fn what_is_written_here_is_read_by_git_and_here() {
    let repository = Repository::new();
    repository.sh("git repack -adq");
    assert!(repository.open().is_none());
    fs::write(repository.bitmap_path(), repository.encoded()).expect("written");
    repository.check(&repository.open().expect("bitmaps"));
    for revision in ["main", "b7", "b15~2"] {
        repository.sh(&format!("git rev-list --test-bitmap {revision}"));
    }
    assert_eq!(
        repository.sh("git rev-list --use-bitmap-index --count --objects --all"),
        repository.sh("git rev-list --count --objects --all")
    );
}

#[test]
fn a_pack_without_all_that_is_reached_gets_none() {
    let repository = Repository::new();
    let half = repository.ids("git rev-list --objects main~5");
    let list: String = half.iter().map(|id| format!("{id}\n")).collect();
    fs::write(repository.0.path().join("list"), list).expect("written");
    repository.sh("git pack-objects -q .git/objects/pack/pack < list");
    let store = repository.store();
    let head = repository.ids("git rev-parse main");
    let selected = Selected::of(&store, &head, store.pack_len(0), None).expect("readable");
    let numbers = Numbers::of_pack(&store, 0).expect("readable");
    let encoded = encode(&store, &numbers, &repository.checksum(), &selected, &mut |_, _| true);
    assert!(matches!(encoded, Ok(Encoded::Incomplete)));
}

#[test]
fn damaged_bitmaps_are_none_or_wrong_and_harmless() {
    let repository = Repository::new();
    repository.sh("git repack -adq");
    let sound = repository.encoded();
    let (path, checksum, objects) =
        (repository.bitmap_path(), repository.checksum(), repository.store().pack_len(0));
    let change = |bytes: &[u8]| {
        // What has the right checksum may have been made so.
        for bytes in [bytes, &sealed(bytes, checksum.kind())] {
            fs::write(&path, bytes).expect("written");
            if let Some(bitmaps) = BitmapFile::open(&path, &checksum, objects) {
                (0..objects).for_each(|commit| drop(bitmaps.get(commit)));
            }
        }
    };
    for at in (0..sound.len()).step_by(3) {
        change(&sound[..at]);
        let mut bytes = sound.clone();
        bytes[at] ^= if at % 2 == 0 { 0x81 } else { 0xff };
        change(&bytes);
    }
    fs::write(&path, &sound).expect("written");
    let other = ObjectId::null(gix_hash::Kind::Sha1);
    assert!(BitmapFile::open(&path, &other, objects).is_none(), "it is another pack's");
}
