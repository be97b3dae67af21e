//! Indexes over several packs, and bitmaps of them, that `git` wrote.

use super::*;
use crate::bitmap::Bits;
use crate::odb::{Packed, Place, Store};
use crate::testing::{Scratch, sealed};
use crate::walk::{ObjectSet, Request, Walk};
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
    /// Twenty commits, some of them merges, in four packs, some objects of which lie in two of them.
    fn new(format: &str) -> Self {
        let repository = Self(Scratch::new());
        repository.sh(&format!(
            "git init -q -b main --object-format={format} && for i in $(seq 1 10); do
               mkdir -p d$((i % 3))/e && seq $i > d$((i % 3))/e/f && git add . && git commit -q -m $i &&
               git checkout -q -b b$i HEAD~$((i > 2 ? 2 : 0)) && seq $i > g$i && git add . && git commit -q -m b$i &&
               git checkout -q main && git merge -q -m m$i b$i && git tag -m t t$i
               if [ $((i % 3)) = 0 ]; then git repack -dq; fi
             done; git repack -dq
             git rev-list --objects main~4 | cut -d' ' -f1 | git pack-objects -q .git/objects/pack/pack"
        ));
        repository
    }

    fn ids(&self, script: &str) -> BTreeSet<ObjectId> {
        let lines = self.sh(script);
        let id = |line: &str| line.split(' ').next().expect("a word").parse().expect("an id");
        lines.lines().map(id).collect()
    }

    fn all(&self) -> BTreeSet<ObjectId> {
        self.ids("git cat-file --batch-all-objects --batch-check='%(objectname)'")
    }

    fn pack_dir(&self) -> PathBuf {
        self.0.path().join(".git/objects/pack")
    }

    fn store(&self) -> Store {
        Store::open(&self.0.path().join(".git")).expect("readable")
    }

    fn index(&self, store: &Store) -> MultiPackIndex {
        MultiPackIndex::open(&self.pack_dir(), store.object_format()).expect("readable")
    }

    /// Checks that every object is found, and where the index says if it is in there.
    fn check_places(&self) {
        let store = self.store();
        let index = self.index(&store);
        for id in self.all() {
            let place = store.locate(&id).expect("readable").expect("it is there");
            let entry = index.position(&id).map(|position| index.entry(position).expect("readable"));
            assert_eq!(
                entry.is_some(),
                index.position(&id).and_then(|position| index.id(position)) == Some(id)
            );
            if let (Some((pack, offset)), Place::Packed(packed)) = (entry, place) {
                let name = store.pack_name(packed.pack).replace(".pack", ".idx");
                assert_eq!(name, index.packs()[pack as usize]);
                assert_eq!(store.packed_offset(packed).expect("readable"), offset);
            }
            assert!(store.object(&id).is_ok());
        }
    }

    /// Checks every bitmap against what Git lists, and the numbers of all objects.
    fn check_bitmaps(&self) {
        let store = self.store();
        let bitmaps = store.bitmaps().expect("there are bitmaps");
        assert_eq!(bitmaps.numbering().len(), self.index(&store).len());
        let places = |bits: &Bits| {
            let mut places = Vec::new();
            let listed = bitmaps.numbering().places(&store, bits.iter(), |packed| places.push(packed));
            listed.expect("readable");
            places
        };
        let ids = |bits: &Bits| -> BTreeSet<ObjectId> {
            places(bits).into_iter().map(|packed| store.packed_id(packed).expect("readable")).collect()
        };
        let mut count = 0;
        for id in self.ids("git rev-list --all") {
            let Some(Place::Packed(at)) = store.locate(&id).expect("readable") else { continue };
            let Some(bits) = bitmaps.reached(&id, at) else { continue };
            assert_eq!(ids(&bits), self.ids(&format!("git rev-list --objects {id}")), "{id}");
            count += 1;
        }
        assert!(count > 0 && count == bitmaps.len());
        let mut numbered = 0;
        for kind in [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag] {
            let bits = bitmaps.of_kind(kind).expect("a set");
            for (number, packed) in bits.iter().zip(places(&bits)) {
                assert_eq!(bitmaps.numbering().number(packed).expect("readable"), Some(number));
                assert_eq!(
                    store.locate_packed(&store.packed_id(packed).expect("readable")).expect("readable"),
                    Some(packed)
                );
                assert_eq!(store.packed_header(packed).expect("readable").0, kind);
                numbered += 1;
            }
        }
        assert_eq!(numbered, bitmaps.numbering().len());
    }

    /// What a clone of everything gets.
    fn selected(&self, store: &Store) -> BTreeSet<ObjectId> {
        let wants = self.ids("git for-each-ref --format='%(objectname)'").into_iter().collect();
        let mut walk = Walk::new(store, Request { wants, ..Request::default() }).expect("readable");
        while walk.advance(store, 100).expect("readable") {}
        ids_of(store, &walk.finish(store).expect("readable").send)
    }
}

fn ids_of(store: &Store, set: &ObjectSet) -> BTreeSet<ObjectId> {
    let mut ids: BTreeSet<ObjectId> = set.loose().copied().collect();
    for pack in 0..store.pack_count() {
        let of_pack = set.of_pack(pack).map(|position| crate::odb::Packed { pack, position });
        ids.extend(of_pack.map(|packed| store.packed_id(packed).expect("readable")));
    }
    ids
}

#[test]
fn objects_are_where_the_index_says() {
    for format in ["sha1", "sha256"] {
        let repository = Repository::new(format);
        repository.sh("git multi-pack-index write");
        repository.check_places();
        // What came since is not in it.
        repository.sh("echo more > more && git add . && git commit -qm more && git repack -dq && echo loose | git hash-object -w --stdin");
        repository.check_places();
        assert!(repository.store().bitmaps().is_none());
    }
}

#[test]
fn bitmaps_of_several_packs_are_those_of_git() {
    let ways = [
        "git multi-pack-index write --bitmap",
        "git multi-pack-index write --bitmap --preferred-pack=$(cd .git/objects/pack && ls *.idx | tail -n 1)",
        "git -c pack.writeBitmapLookupTable=true multi-pack-index write --bitmap",
        "GIT_TEST_MIDX_WRITE_REV=1 git multi-pack-index write --bitmap",
        "git repack -dq --geometric=2 --write-midx --write-bitmap-index",
    ];
    for format in ["sha1", "sha256"] {
        for way in ways {
            let repository = Repository::new(format);
            repository.sh(way);
            repository.check_places();
            repository.check_bitmaps();
            let expected = repository.ids("git rev-list --objects --all");
            assert_eq!(repository.selected(&repository.store()), expected, "{way}");
            // What came since is found by walking.
            repository.sh("echo more > more && git add . && git commit -qm more && git repack -dq");
            let expected = repository.ids("git rev-list --objects --all");
            assert_eq!(repository.selected(&repository.store()), expected, "{way}");
        }
    }
}

#[test]
fn what_is_written_here_is_what_git_says() {
    for format in ["sha1", "sha256"] {
        let repository = Repository::new(format);
        let path = repository.pack_dir().join(FILE_NAME);
        let every_pack = |store: &Store| (0..store.pack_count()).collect::<Vec<_>>();
        // As large packs have them, some offsets get eight bytes.
        for (offset_max, large_min) in [(u64::MAX, 0), (0, 0), (0, 200), (1_000_000, 0)] {
            for preferred in every_pack(&repository.store()) {
                let store = repository.store().without_shortcuts();
                let merged = Merged::of(&store, &every_pack(&store), preferred).expect("readable");
                let _ = fs::remove_file(&path);
                let checksum = merged.write_with(&path, offset_max, large_min).expect("written");
                repository.sh("git multi-pack-index verify");
                repository.check_places();
                let index = repository.index(&store);
                assert_eq!((index.len(), *index.checksum()), (merged.numbers().len(), checksum));
                assert!(index.has_order());
                let (first, _) = index.entry(index.ordered(0).expect("an object")).expect("readable");
                assert_eq!(
                    index.packs()[first as usize],
                    store.pack_name(preferred).replace(".pack", ".idx")
                );
                // Every copy of an object has its number.
                for (pack, numbers) in merged.numbers().packs() {
                    for (position, number) in (0..).zip(numbers) {
                        let id = store.packed_id(Packed { pack, position }).expect("readable");
                        let row = index.ordered(*number).expect("readable");
                        assert_eq!((index.id(row), merged.numbers().row(*number)), (Some(id), row));
                    }
                }
            }
        }
    }
}

#[test]
fn packs_with_an_index_out_of_order_are_not_merged() {
    let repository = Repository::new("sha1");
    let name = repository.sh("cd .git/objects/pack && ls *.idx | head -n 1");
    let path = repository.pack_dir().join(name);
    let mut bytes = fs::read(&path).expect("readable");
    let ids = 8 + 4 * 256;
    let (first, second) = bytes[ids..ids + 40].split_at_mut(20);
    first.swap_with_slice(second);
    fs::remove_file(&path).expect("removed");
    fs::write(&path, bytes).expect("written");
    let store = repository.store();
    let packs: Vec<u32> = (0..store.pack_count()).collect();
    assert!(matches!(Merged::of(&store, &packs, 0), Err(crate::odb::Error::DamagedFile { .. })));
}

#[test]
fn a_file_of_the_order_does_where_the_index_has_none() {
    let repository = Repository::new("sha1");
    repository.sh("git multi-pack-index write --bitmap");
    let store = repository.store();
    let index = repository.index(&store);
    // Without its name, the chunk is one that nobody knows.
    let path = repository.pack_dir().join(FILE_NAME);
    let mut bytes = fs::read(&path).expect("readable");
    let name = bytes.windows(4).position(|name| name == b"RIDX").expect("there is an order");
    bytes[name..name + 4].copy_from_slice(b"rest");
    let bytes = sealed(&bytes, ObjectFormat::Sha1);
    let checksum = ObjectId::try_from(&bytes[bytes.len() - 20..]).expect("an id");
    fs::remove_file(&path).expect("removed");
    fs::write(&path, bytes).expect("written");
    let mut order = b"RIDX\0\0\0\x01\0\0\0\x01".to_vec();
    for number in 0..index.len() {
        order.extend_from_slice(&index.ordered(number).expect("readable").to_be_bytes());
    }
    order.extend_from_slice(checksum.as_slice());
    crate::durable::append_checksum(&mut order, ObjectFormat::Sha1).expect("hashed");
    let sibling = |checksum, extension| {
        repository.pack_dir().join(format!("{FILE_NAME}-{checksum}")).with_extension(extension)
    };
    fs::write(sibling(&checksum, "rev"), order).expect("written");
    let mut bitmaps = fs::read(sibling(index.checksum(), "bitmap")).expect("readable");
    bitmaps[12..32].copy_from_slice(checksum.as_slice());
    fs::write(sibling(&checksum, "bitmap"), sealed(&bitmaps, ObjectFormat::Sha1)).expect("written");
    assert!(repository.index(&store).has_order());
    repository.check_bitmaps();
}

#[test]
fn packs_that_are_gone_and_packs_that_came_do_no_harm() {
    let repository = Repository::new("sha1");
    repository.sh("git multi-pack-index write --bitmap");
    let before = repository.store();
    let expected = repository.ids("git rev-list --objects --all");
    // The index stays, and names packs that are no more.
    repository.sh("cp .git/objects/pack/multi-pack-index* . && git repack -adq && cp multi-pack-index* .git/objects/pack");
    let after = repository.store();
    assert!(after.bitmaps().is_none());
    for store in [&before, &after] {
        assert_eq!(repository.selected(store), expected);
        for id in &expected {
            assert!(store.object(id).is_ok());
        }
    }
}

#[test]
fn what_borrows_finds_its_own_first() {
    let repository = Repository::new("sha1");
    repository.sh("git multi-pack-index write --bitmap && git clone -q --bare -s . fork.git");
    let fork = Store::open(&repository.0.path().join("fork.git")).expect("readable");
    let all = repository.all();
    assert!(all.iter().all(|id| fork.is_borrowed(id).expect("readable")));
    assert!(fork.bitmaps().is_some(), "those of what it borrows from");
    repository.sh("cd fork.git && git rev-list --objects main~6 | cut -d' ' -f1 | git pack-objects -q objects/pack/pack");
    let fork = Store::open(&repository.0.path().join("fork.git")).expect("readable");
    let own = repository.ids("git rev-list --objects main~6");
    for id in &all {
        assert_eq!(fork.is_borrowed(id).expect("readable"), !own.contains(id));
    }
    assert!(fork.bitmaps().is_none());
}

#[test]
fn a_damaged_index_hides_no_object() {
    let repository = Repository::new("sha1");
    repository.sh("git multi-pack-index write");
    let path = repository.pack_dir().join(FILE_NAME);
    let sound = fs::read(&path).expect("readable");
    let all = repository.all();
    fs::remove_file(&path).expect("removed");
    let check = |bytes: &[u8]| {
        for bytes in [bytes, &sealed(bytes, ObjectFormat::Sha1)] {
            fs::write(&path, bytes).expect("written");
            let store = repository.store();
            assert!(all.iter().all(|id| store.contains(id).expect("readable")));
        }
    };
    for at in (0..sound.len()).step_by(5) {
        check(&sound[..at]);
        let mut bytes = sound.clone();
        bytes[at] ^= if at % 2 == 0 { 0x81 } else { 0xff };
        check(&bytes);
    }
}
