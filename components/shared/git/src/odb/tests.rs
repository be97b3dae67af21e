//! Every limit of reading, at it and past it.

use super::entry::{EntryKind, Header};
use super::*;
use crate::index_pack::{Limits, Receiver};
use crate::init::init_bare;
use crate::limits::{
    BASES_BYTES_MAX, DELTA_CHAIN_DELTAS_MAX, PACK_OBJECTS_MAX, PACKS_MAX, WINDOW_BYTES, WINDOWS_BYTES_MAX,
};
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
    let mut windows = window::Windows::new();
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
