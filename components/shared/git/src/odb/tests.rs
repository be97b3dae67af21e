//! Every limit of reading, at it and past it.

use super::entry::{EntryKind, Header};
use super::*;
use crate::index_pack::{Limits, Receiver};
use crate::init::init_bare;
use crate::limits::{
    BASES_BYTES_MAX, DELTA_CHAIN_DELTAS_MAX, PACK_OBJECTS_MAX, PACKS_MAX, WINDOW_BYTES, WINDOWS_BYTES_MAX,
};
use crate::testing::Scratch;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use sha1::{Digest, Sha1};
use std::fs;
use std::io::Write as _;
use tempfile::TempDir;

fn repository() -> TempDir {
    let place = tempfile::tempdir().expect("a temporary directory");
    init_bare(&place.path().join("r.git"), "main", ObjectFormat::Sha1).expect("made");
    place
}

fn objects_dir(place: &TempDir) -> PathBuf {
    place.path().join("r.git/objects")
}

fn open(place: &TempDir) -> Result<Store, Error> {
    Store::open(&place.path().join("r.git"))
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// A loose object that says that it is of that size, and is shorter.
fn claim(place: &TempDir, kind: &str, size: u64) -> ObjectId {
    let id = gix_object::compute_hash(gix_hash::Kind::Sha1, Kind::Blob, format!("{kind}{size}").as_bytes());
    let id = id.expect("no attack");
    let path = loose::path(&objects_dir(place), &id);
    fs::create_dir_all(path.parent().expect("it lies in a directory")).expect("made");
    fs::write(path, deflated(format!("{kind} {size}\0short").as_bytes())).expect("written");
    id
}

#[test]
fn objects_are_read_up_to_a_size() {
    let place = repository();
    for (kind, limit) in [
        ("blob", OBJECT_BYTES_MAX),
        ("commit", STRUCTURED_OBJECT_BYTES_MAX),
        ("tree", STRUCTURED_OBJECT_BYTES_MAX),
        ("tag", STRUCTURED_OBJECT_BYTES_MAX),
    ] {
        // At the limit it is read, and found to be shorter than it says.
        let at = open(&place).expect("opens").object(&claim(&place, kind, limit));
        assert!(matches!(at, Err(Error::DamagedLoose { .. })), "{kind}: {at:?}");
        let past = open(&place).expect("opens").object(&claim(&place, kind, limit + 1));
        assert!(matches!(past, Err(Error::TooLarge { size, .. }) if size == limit + 1), "{kind}: {past:?}");
    }
}

/// A pack of a blob and `count` deltas, each based on the one before; returns the last object.
fn write_chain(place: &TempDir, count: usize) -> ObjectId {
    let mut pack = [b"PACK\0\0\0\x02".as_slice(), &(count as u32 + 1).to_be_bytes()].concat();
    let text = |step: usize| format!("{step:08}").into_bytes();
    let mut offset = pack.len();
    let entry = |pack: &mut Vec<u8>, kind, data: &[u8]| {
        let start = pack.len();
        Header { kind, size: data.len() as u64, len: 0 }.write_to(pack);
        pack.extend(deflated(data));
        start
    };
    entry(&mut pack, EntryKind::Whole(Kind::Blob), &text(0));
    for step in 1..=count {
        let delta = [&[8, 8, 8][..], &text(step)].concat();
        let distance = (pack.len() - offset) as u64;
        offset = entry(&mut pack, EntryKind::OfsDelta(distance), &delta);
    }
    pack.extend_from_slice(&Sha1::digest(&pack));
    let path = objects_dir(place).join("pack/pack-chain.pack");
    let limits = Limits { chain_deltas_max: u32::MAX, ..Limits::default() };
    let mut receiver = Receiver::create(&path, ObjectFormat::Sha1, limits, ()).expect("writable");
    receiver.write(&pack).expect("sound");
    let empty = Store::of_objects_dir(place.path().join("none"), ObjectFormat::Sha1).expect("opens");
    receiver.finish(&empty, &path.with_extension("idx")).expect("sound");
    gix_object::compute_hash(gix_hash::Kind::Sha1, Kind::Blob, &text(count)).expect("no attack")
}

#[test]
fn chains_of_deltas_are_followed_up_to_a_length() {
    for (count, is_read) in [(DELTA_CHAIN_DELTAS_MAX, true), (DELTA_CHAIN_DELTAS_MAX + 1, false)] {
        let place = repository();
        let id = write_chain(&place, count);
        let store = open(&place).expect("opens");
        assert_eq!(store.object_header(&id).is_ok(), is_read, "{count}");
        match store.object(&id) {
            Ok(object) => assert!(is_read && *object.data == format!("{count:08}").into_bytes()),
            Err(error) => {
                assert!(!is_read && error.to_string().contains("longer than the limit"), "{error}")
            }
        }
    }
}

#[test]
fn a_repository_has_up_to_so_many_packs() {
    let place = repository();
    for number in 0..PACKS_MAX {
        fs::write(objects_dir(&place).join(format!("pack/pack-{number}.idx")), "").expect("written");
    }
    // So many are opened, and the first is no index.
    assert!(matches!(open(&place).err(), Some(Error::DamagedFile { .. })));
    fs::write(objects_dir(&place).join("pack/pack-more.idx"), "").expect("written");
    assert!(matches!(open(&place).err(), Some(Error::Unsupported(what)) if what.contains("10000 packs")));
}

#[test]
fn a_pack_has_up_to_so_many_objects() {
    let place = repository();
    for (count, reason) in [
        (PACK_OBJECTS_MAX, "its length does not fit its number of objects"),
        (PACK_OBJECTS_MAX + 1, "it has more objects than the limit"),
    ] {
        let mut index = [0xff, b't', b'O', b'c', 0, 0, 0, 2].to_vec();
        index.extend(std::iter::repeat_n(count.to_be_bytes(), 256).flatten());
        index.extend([0; 40]);
        fs::write(objects_dir(&place).join("pack/pack-0.idx"), index).expect("written");
        let refused = open(&place).err();
        assert!(
            matches!(&refused, Some(Error::DamagedFile { reason: actual, .. }) if *actual == reason),
            "{refused:?}"
        );
    }
}

#[test]
fn caches_hold_so_much_and_no_more() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("file");
    let sparse = fs::File::create(&path).expect("writable");
    let count = WINDOWS_BYTES_MAX / WINDOW_BYTES;
    sparse.set_len(((count + 1) * WINDOW_BYTES) as u64).expect("writable");
    let file = File::open(&path).expect("readable");
    let mut windows = window::Windows::new(WINDOWS_BYTES_MAX);
    for index in 0..=count {
        windows.at(0, &file, (index * WINDOW_BYTES) as u64).expect("readable");
        assert_eq!(windows.len(), (index + 1).min(count));
    }
    let object = |len: usize| Object { kind: Kind::Blob, data: Arc::new(vec![0; len]) };
    let mut bases = bases::Bases::new(BASES_BYTES_MAX);
    let quarter = BASES_BYTES_MAX / 4 - bases::OBJECT_BYTES;
    for offset in 0..5 {
        bases.put((0, offset), &object(quarter));
    }
    // Four fit, and the first made way for the fifth. What is larger than a quarter is not kept.
    assert!(bases.get(&(0, 0)).is_none() && (1..5).all(|offset| bases.get(&(0, offset)).is_some()));
    bases.put((0, 5), &object(quarter + 1));
    assert!(bases.get(&(0, 5)).is_none() && bases.get(&(0, 4)).is_some());
}

/// A file of 3 MiB in three versions, of which one lies whole in a pack and two are deltas, a small one, and an
/// empty one; `git` says which.
const VERSIONS: &str = "git init -q work && cd work && git config core.compression 1
    seq 460000 | head -c 3145728 > large && : > empty && echo small > small && git add . && git commit -qm one
    for n in 1 2; do echo $n >> large && git add . && git commit -qm $n; done";

/// Reads an object piece by piece.
fn pieces(store: &Store, id: &oid, skipped: u64, piece_bytes: usize) -> Result<Vec<u8>, Error> {
    let mut reader = store.reader(id, u64::MAX)?;
    reader.skip(skipped)?;
    let mut bytes = Vec::new();
    loop {
        let piece = reader.next_piece(piece_bytes)?;
        bytes.extend_from_slice(&piece);
        if piece.len() < piece_bytes {
            return Ok(bytes);
        }
    }
}

#[test]
fn objects_are_read_piece_by_piece_wherever_they_lie() {
    let scratch = Scratch::new();
    scratch.sh(VERSIONS);
    for packed in ["", "git -C work repack -adq", "git -C work repack -adq --window=0"] {
        scratch.sh(packed);
        let store = Store::open(&scratch.path().join("work/.git")).expect("it opens");
        for name in ["main:large", "main~1:large", "main~2:large", "main:small", "main:empty"] {
            let id = scratch.sh(&format!("git -C work rev-parse {}", name.replace("main", "HEAD")));
            let id = ObjectId::from_hex(id.as_bytes()).expect("an id");
            let whole = store.object(&id).expect("it is there").data;
            let reader = store.reader(&id, u64::MAX).expect("it opens");
            assert_eq!((reader.kind(), reader.size()), (Kind::Blob, whole.len() as u64), "{name}");
            for (skipped, piece_bytes) in
                [(0, 1 << 20), (0, 100_001), (1, 65_536), (3_000_000, 7), (9 << 20, 10)]
            {
                let skipped_here = skipped.min(whole.len() as u64) as usize;
                let read = pieces(&store, &id, skipped, piece_bytes).expect("it can be read");
                assert!(read == whole[skipped_here..], "{name} from {skipped} by {piece_bytes}, {packed}");
            }
        }
    }
}

#[test]
fn deltas_are_made_in_memory_up_to_a_size() {
    let scratch = Scratch::new();
    scratch.sh(VERSIONS);
    scratch.sh("git -C work repack -adq");
    let store = Store::open(&scratch.path().join("work/.git")).expect("it opens");
    let mut deltas = 0;
    for name in ["HEAD:large", "HEAD~1:large", "HEAD~2:large"] {
        let id = scratch.sh(&format!("git -C work rev-parse {name}"));
        let base = scratch.sh(&format!("echo {id} | git -C work cat-file --batch-check='%(deltabase)'"));
        let id = ObjectId::from_hex(id.as_bytes()).expect("an id");
        let size = store.object_header(&id).expect("it is there").1;
        assert!(store.reader(&id, size).is_ok(), "{name}");
        let past = store.reader(&id, size - 1);
        if base.bytes().all(|digit| digit == b'0') {
            assert!(past.is_ok(), "{name} lies whole");
        } else {
            assert!(matches!(past, Err(Error::TooLarge { .. })), "{name}");
            deltas += 1;
        }
    }
    assert_eq!(deltas, 2);
}

/// Twenty small files in ten versions each, packed as deltas; returns their ids, those of the newest first.
fn small_files(scratch: &Scratch) -> Vec<ObjectId> {
    scratch.sh("git init -q work && cd work
         for n in $(seq 10); do
             for file in $(seq 20); do (seq $((file * 1000)) $((file * 1000 + 90)); echo $n) > $file; done
             git add . && git commit -qm $n
         done
         git repack -adqf --depth=50");
    let ids =
        scratch.sh("cd work && for n in $(seq 0 9); do git ls-tree --format='%(objectname)' HEAD~$n; done");
    let ids: Vec<_> = ids.lines().map(|id| ObjectId::from_hex(id.as_bytes()).expect("an id")).collect();
    assert_eq!(ids.len(), 200);
    ids
}

#[test]
fn sizes_are_those_of_what_is_read_whatever_is_kept_of_deltas() {
    let scratch = Scratch::new();
    let ids = small_files(&scratch);
    let open = || Store::open(&scratch.path().join("work/.git")).expect("it opens");
    let plain = open();
    for bytes_max in [0, 1_000, 1 << 20] {
        let store = open().keeping_deltas(bytes_max);
        let sizes: Vec<_> = ids.iter().map(|id| store.object_size(id).expect("it is there")).collect();
        for (id, size) in ids.iter().zip(sizes) {
            let object = store.object(id).expect("it is there");
            assert_eq!((object.kind, object.data.len() as u64), (Kind::Blob, size), "{id}, {bytes_max}");
            assert_eq!(object.data, plain.object(id).expect("it is there").data, "{id}, {bytes_max}");
            assert_eq!(store.object_header(id).expect("it is there"), (Kind::Blob, size));
        }
        assert!(store.packs.borrow().delta_bytes() <= bytes_max);
    }
}

#[test]
fn bases_are_kept_as_long_as_what_is_expected_needs_them() {
    let scratch = Scratch::new();
    let ids = small_files(&scratch);
    let open = || Store::open(&scratch.path().join("work/.git")).expect("it opens");
    let plain = open();
    // As they are named, the other way round, every third of them, and some twice.
    let orders: [Vec<&ObjectId>; 4] = [
        ids.iter().collect(),
        ids.iter().rev().collect(),
        ids.iter().step_by(3).collect(),
        ids[..50].iter().chain(&ids[20..70]).collect(),
    ];
    for (number, order) in orders.iter().enumerate() {
        let store = open();
        store.expect(order.iter().map(|id| id.as_ref()));
        assert!(store.packs.borrow().kept().1 > 0);
        for id in order {
            let object = store.object(id).expect("it is there");
            assert_eq!(object.data, plain.object(id).expect("it is there").data, "{id}, order {number}");
        }
        // Nothing is left once all has been read, and what nobody has announced can be read as ever.
        assert_eq!(store.packs.borrow().kept(), (0, 0), "order {number}");
        for id in ids.iter().chain(order.iter().copied()) {
            let object = store.object(id).expect("it is there");
            assert_eq!(
                object.data,
                plain.object(id).expect("it is there").data,
                "{id}, after order {number}"
            );
        }
    }
    // A store that keeps nothing makes every base anew.
    let store = open().keeping(0, 0);
    store.expect(ids.iter().map(|id| id.as_ref()));
    for id in &ids {
        assert_eq!(
            store.object(id).expect("it is there").data,
            plain.object(id).expect("it is there").data,
            "{id}"
        );
    }
}

#[test]
fn what_is_damaged_is_no_end() {
    let place = repository();
    let claimed = claim(&place, "blob", 6);
    let store = open(&place).expect("opens");
    assert!(
        matches!(pieces(&store, &claimed, 0, 4), Err(Error::DamagedLoose { .. })),
        "it is shorter than it says"
    );
    let claimed = claim(&place, "blob", 4);
    assert!(
        matches!(pieces(&store, &claimed, 0, 9), Err(Error::DamagedLoose { .. })),
        "it is longer than it says"
    );
    let scratch = Scratch::new();
    scratch.sh(VERSIONS);
    scratch.sh("git -C work repack -adq --window=0 && chmod u+w work/.git/objects/pack/*.pack");
    let id = scratch.sh("git -C work rev-parse HEAD:large");
    let id = ObjectId::from_hex(id.as_bytes()).expect("an id");
    // Some bytes in the midst of it.
    scratch.sh(
        "pack=$(ls work/.git/objects/pack/*.pack); offset=$(git -C work verify-pack -v $pack | grep ^$(git -C work rev-parse HEAD:large) | cut -d' ' -f5)
         head -c 2000 /dev/zero | dd of=$pack bs=1 seek=$((offset + 100000)) conv=notrunc status=none",
    );
    let store = Store::open(&scratch.path().join("work/.git")).expect("it opens");
    let read = pieces(&store, &id, 0, 10_000);
    assert!(matches!(read, Err(Error::DamagedEntry { .. })), "{:?}", read.map(|bytes| bytes.len()));
}
