//! Packs, sound and hostile, against `git index-pack`.

use super::*;
use crate::format::ObjectFormat;
use crate::odb::entry::{EntryKind, Header};
use bstr::ByteSlice;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use gix_object::{Data, Find};
use sha1::{Digest, Sha1};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A repository that has no objects.
struct Empty;

impl Find for Empty {
    fn try_find<'a>(&self, _: &gix_hash::oid, _: &'a mut Vec<u8>) -> gix_error::Result<Option<Data<'a>>> {
        Ok(None)
    }
}

/// A repository with these blobs.
struct Blobs(Vec<Vec<u8>>);

impl Find for Blobs {
    fn try_find<'a>(
        &self,
        id: &gix_hash::oid,
        buffer: &'a mut Vec<u8>,
    ) -> gix_error::Result<Option<Data<'a>>> {
        let Some(blob) = self.0.iter().find(|blob| blob_id(blob).as_ref() == id) else {
            return Ok(None);
        };
        buffer.clone_from(blob);
        Ok(Some(Data { kind: Kind::Blob, object_hash: gix_hash::Kind::Sha1, data: buffer }))
    }
}

fn blob_id(data: &[u8]) -> ObjectId {
    gix_object::compute_hash(gix_hash::Kind::Sha1, Kind::Blob, data).expect("no attack")
}

fn git(dir: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("git");
    command.arg("-C").arg(dir).args(arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("git runs");
    let mut stdin = child.stdin.take().expect("is piped");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let _ = stdin.write_all(input);
        });
        let output = child.wait_with_output().expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", output.stderr.as_bstr());
        output.stdout
    })
}

/// A history in which files change a little from commit to commit, so that there are deltas.
fn history(dir: &Path, commits: usize) {
    history_of(ObjectFormat::Sha1, dir, commits);
}

fn history_of(format: ObjectFormat, dir: &Path, commits: usize) {
    let format = format!("--object-format={format}");
    git(dir, &["init", "-q", "--bare", "-b", "main", &format, "."], b"");
    let mut script = Vec::new();
    for commit in 0..commits {
        let message = format!("commit {commit}");
        write!(
            script,
            "commit refs/heads/main\ncommitter A <a@example.org> {} +0000\n",
            1_700_000_000 + commit
        )
        .expect("writes");
        writeln!(script, "data {}\n{message}", message.len()).expect("writes");
        for file in 0..3 {
            let mut text = String::new();
            for line in 0..200 {
                let version = if line % (file + 7) == commit % (file + 7) { commit } else { 0 };
                text.push_str(&format!("file {file} line {line} version {version}\n"));
            }
            writeln!(script, "M 100644 inline dir{file}/file{}.txt\ndata {}\n{text}", commit % 5, text.len())
                .expect("writes");
        }
    }
    git(dir, &["fast-import", "--quiet"], &script);
}

fn packed(dir: &Path, arguments: &[&str]) -> Vec<u8> {
    git(dir, &[&["pack-objects", "--all", "--stdout", "-q"], arguments].concat(), b"")
}

/// Receives a pack in pieces of `piece` bytes; returns what is known then, and the index file.
fn receive(
    pack: &[u8],
    piece: usize,
    limits: Limits,
    repository: &impl Find,
) -> Result<(Indexed, Vec<u8>, Vec<u8>), Error> {
    receive_of(ObjectFormat::Sha1, pack, piece, limits, repository)
}

fn receive_of(
    format: ObjectFormat,
    pack: &[u8],
    piece: usize,
    limits: Limits,
    repository: &impl Find,
) -> Result<(Indexed, Vec<u8>, Vec<u8>), Error> {
    let place = tempfile::tempdir().expect("a temporary directory");
    let (pack_path, index_path) = (place.path().join("pack"), place.path().join("idx"));
    let mut receiver = Receiver::create(&pack_path, format, limits, ())?;
    for piece in pack.chunks(piece) {
        receiver.write(piece)?;
    }
    let (indexed, ()) = receiver.finish(repository, &index_path)?;
    let read = |path| fs::read(path).expect("was written");
    Ok((indexed, read(&pack_path), read(&index_path)))
}

fn receive_whole(pack: &[u8]) -> Result<(Indexed, Vec<u8>, Vec<u8>), Error> {
    receive(pack, pack.len(), Limits::default(), &Empty)
}

/// The index that `git index-pack` makes.
fn git_index(format: ObjectFormat, pack: &[u8]) -> Vec<u8> {
    let place = tempfile::tempdir().expect("a temporary directory");
    fs::write(place.path().join("x.pack"), pack).expect("written");
    git(place.path(), &["index-pack", &format!("--object-format={format}"), "x.pack"], b"");
    fs::read(place.path().join("x.idx")).expect("was written")
}

/// A pack of hand-made entries.
fn pack(entries: &[(EntryKind, &[u8])]) -> Vec<u8> {
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend_from_slice(&(entries.len() as u32).to_be_bytes());
    for (kind, data) in entries {
        Header { kind: *kind, size: data.len() as u64, len: 0 }.write_to(&mut pack);
        pack.extend_from_slice(&deflated(data));
    }
    finished(pack)
}

fn finished(mut pack: Vec<u8>) -> Vec<u8> {
    let checksum = Sha1::digest(&pack);
    pack.extend_from_slice(&checksum);
    pack
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).expect("writes");
    encoder.finish().expect("writes")
}

const BLOB: EntryKind = EntryKind::Whole(Kind::Blob);

/// A delta that copies all of a base of `base` bytes and appends `byte`.
fn appending(base: u8, byte: u8) -> Vec<u8> {
    vec![base, base + 1, 0x90, base, 1, byte]
}

#[test]
fn the_index_is_the_one_that_git_makes() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        check_index(format);
    }
}

fn check_index(format: ObjectFormat) {
    let place = tempfile::tempdir().expect("a temporary directory");
    history_of(format, place.path(), 60);
    let cases: &[&[&str]] = &[
        &["--delta-base-offset", "--depth=50"],
        &["--delta-base-offset", "--depth=1"],
        &["--depth=50"],
        &["--window=0"],
    ];
    for arguments in cases {
        let pack = packed(place.path(), arguments);
        let expected = git_index(format, &pack);
        let few_bases = Limits { bases_bytes_max: 20_000, ..Limits::default() };
        for (piece, limits) in
            [(pack.len(), Limits::default()), (4096, few_bases), (7, Limits::default()), (1, few_bases)]
        {
            let received = receive_of(format, &pack, piece, limits, &Empty);
            let (indexed, written, index) = received.expect("a sound pack");
            assert!(written == pack, "{arguments:?}: the pack is written as it is");
            assert!(index == expected, "{arguments:?} by {piece}: the index differs");
            assert_eq!(indexed.pack_bytes, pack.len() as u64);
            assert!(pack.ends_with(indexed.checksum.as_slice()));
            assert!(indexed.objects.iter().all(|(id, _)| id.kind() == format));
        }
    }
}

#[test]
fn a_thin_pack_is_completed() {
    let base = b"0123456789".repeat(10);
    let mut target = base.clone();
    target.push(b'x');
    let thin = pack(&[
        (EntryKind::RefDelta(blob_id(&base)), &appending(100, b'x')),
        (BLOB, b"other"),
        (EntryKind::RefDelta(blob_id(&target)), &appending(101, b'y')),
    ]);
    let (indexed, written, index) =
        receive(&thin, 5, Limits::default(), &Blobs(vec![base.clone()])).expect("completed");
    let ids: Vec<_> = [base, target, b"other".to_vec()].iter().map(|data| blob_id(data)).collect();
    assert_eq!(indexed.objects.len(), 4);
    assert!(ids.iter().all(|id| indexed.kind(id) == Some(Kind::Blob)));
    assert!(index == git_index(ObjectFormat::Sha1, &written));
    match receive_whole(&thin) {
        Err(Error::MissingBase { count: 2, base }) => assert_eq!(base, ids[0]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_pack_is_sound() {
    let (indexed, ..) = receive(&pack(&[]), 3, Limits::default(), &Empty).expect("sound");
    assert!(indexed.objects.is_empty());
}

#[test]
fn limits_hold_at_and_past() {
    let (big, small) = (vec![1; 1000], vec![2; 10]);
    let delta = appending(10, 3);
    let entry_len = 1 + deflated(&small).len() as u64;
    let pack = pack(&[(BLOB, &small), (EntryKind::OfsDelta(entry_len), &delta), (BLOB, &big)]);
    let len = pack.len() as u64 - 20;
    let work = 10 + 6 + 11 + 1000;
    let base = Limits::default();
    let cases: &[(&str, Limits, bool)] = &[
        ("pack", Limits { pack_bytes_max: len, ..base }, true),
        ("pack", Limits { pack_bytes_max: len - 1, ..base }, false),
        ("count", Limits { objects_max: 3, ..base }, true),
        ("count", Limits { objects_max: 2, ..base }, false),
        ("blob", Limits { blob_bytes_max: 1000, ..base }, true),
        ("blob", Limits { blob_bytes_max: 999, ..base }, false),
        ("held", Limits { held_bytes_max: 11, ..base }, true),
        ("held", Limits { held_bytes_max: 10, ..base }, false),
        ("chain", Limits { chain_deltas_max: 1, ..base }, true),
        ("chain", Limits { chain_deltas_max: 0, ..base }, false),
        ("work", Limits { work_bytes_max: work, ..base }, true),
        ("work", Limits { work_bytes_max: work - 1, ..base }, false),
    ];
    for (name, limits, is_sound) in cases {
        let result = receive(&pack, 13, *limits, &Empty);
        let expected = match result {
            Ok(_) => "sound",
            Err(Error::PackTooLarge { .. }) => "pack",
            Err(Error::TooManyObjects { count: 3, limit: 2 }) => "count",
            Err(Error::ObjectTooLarge { size: 1000, limit: 999, .. }) => "blob",
            Err(Error::ObjectTooLarge { size: 11, limit: 10, .. }) => "held",
            Err(Error::ChainTooLong { limit: 0, .. }) => "chain",
            Err(Error::TooMuchWork { .. }) => "work",
            Err(other) => panic!("{other}"),
        };
        assert_eq!(expected, if *is_sound { "sound" } else { name }, "{limits:?}");
    }
}

#[test]
fn damage_is_refused() {
    let bomb = deflated(&vec![0; 10_000_000]);
    let entry = |size: u64, data: &[u8]| {
        let mut pack = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
        Header { kind: BLOB, size, len: 0 }.write_to(&mut pack);
        pack.extend_from_slice(data);
        finished(pack)
    };
    let claimed = (1 << 40, "an object of a claimed terabyte");
    let a_loop = |first: &[u8], second: &[u8]| {
        let kinds = [first, second].map(|data| EntryKind::RefDelta(blob_id(data)));
        pack(&[(kinds[0], &appending(3, 1)), (kinds[1], &appending(3, 2))])
    };
    let cases: &[(&str, Vec<u8>, &str)] = &[
        ("nothing", Vec::new(), "the pack ends too soon"),
        ("no pack", b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), "this is not a pack of version 2"),
        ("version 3", b"PACK\0\0\0\x03\0\0\0\0".to_vec(), "this is not a pack of version 2"),
        ("a count without objects", b"PACK\0\0\0\x02\0\0\0\x09".to_vec(), "the pack ends too soon"),
        ("a huge count", b"PACK\0\0\0\x02\xff\xff\xff\xff".to_vec(), "over the limit of 5000000"),
        ("a bomb", entry(10, &bomb), "it is larger than it says"),
        (claimed.1, entry(claimed.0, &deflated(b"x")), "over the limit of 4294967296"),
        ("too small", entry(3, &deflated(b"x")), "it is smaller than it says"),
        ("not zlib", entry(3, b"abcdef"), "its compressed data is broken"),
        ("a base before the pack", pack(&[(EntryKind::OfsDelta(500), &appending(3, 1))]), "it has no base"),
        ("its own base", pack(&[(EntryKind::OfsDelta(0), &appending(3, 1))]), "it has no base"),
        (
            "a base within an entry",
            pack(&[(BLOB, b"abc"), (EntryKind::OfsDelta(4), &appending(3, 1))]),
            "it has no base",
        ),
        (
            "a delta of another base",
            pack(&[(BLOB, b"abc"), (EntryKind::OfsDelta(12), &appending(9, 1))]),
            "another size",
        ),
        (
            "an empty delta",
            pack(&[(BLOB, b"abc"), (EntryKind::OfsDelta(12), b"")]),
            "the delta ends within a size",
        ),
        ("the same twice", pack(&[(BLOB, b"abc"), (BLOB, b"abc")]), "twice"),
        ("ids in a circle", a_loop(b"one", b"two"), "2 deltas without a base"),
        ("more after the end", [pack(&[]), vec![0]].concat(), "there are bytes after the pack"),
    ];
    assert_eq!(1 + deflated(b"abc").len(), 12, "the distance that the cases count on");
    for (name, pack, expected) in cases {
        for piece in [1, pack.len().max(1)] {
            let error = receive(pack, piece, Limits::default(), &Empty).expect_err(name).to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_refused() {
    let text = b"0123456789";
    let entry_len = 1 + deflated(text).len() as u64;
    let pack = pack(&[
        (BLOB, text),
        (EntryKind::OfsDelta(entry_len), &appending(10, b'x')),
        (EntryKind::RefDelta(blob_id(text)), &appending(10, b'y')),
        (BLOB, b"another"),
    ]);
    receive_whole(&pack).expect("sound as it is");
    for position in 0..pack.len() {
        for bit in 0..8 {
            let mut flipped = pack.clone();
            flipped[position] ^= 1 << bit;
            assert!(receive_whole(&flipped).is_err(), "bit {bit} flipped at {position}");
        }
        let cut = receive(&pack[..position], pack.len(), Limits::default(), &Empty);
        assert!(cut.is_err(), "cut at {position}");
    }
}

#[test]
fn long_chains_resolve_whatever_their_order() {
    const LEN: usize = 4000;
    let mut text = b"0123456789".to_vec();
    let mut entries = vec![(BLOB, text.clone())];
    for step in 0..LEN {
        let id = blob_id(&text);
        let mut delta = vec![text.len() as u8, text.len() as u8, 0x90, text.len() as u8 - 4, 4];
        delta.extend_from_slice(&(step as u32).to_be_bytes());
        text.truncate(text.len() - 4);
        text.extend_from_slice(&(step as u32).to_be_bytes());
        entries.push((EntryKind::RefDelta(id), delta));
    }
    let as_slices = |entries: &[(EntryKind, Vec<u8>)]| {
        let entries: Vec<_> = entries.iter().map(|(kind, data)| (*kind, data.as_slice())).collect();
        pack(&entries)
    };
    let limits = Limits { bases_bytes_max: 4000, ..Limits::default() };
    let (indexed, ..) = receive(&as_slices(&entries), 4096, limits, &Empty).expect("sound");
    assert_eq!(indexed.objects.len(), LEN + 1);
    entries.reverse();
    let (indexed, ..) = receive(&as_slices(&entries), 4096, limits, &Empty).expect("sound");
    assert_eq!(indexed.objects.len(), LEN + 1);
    let limits = Limits { chain_deltas_max: LEN as u32 - 1, ..limits };
    assert!(matches!(receive(&as_slices(&entries), 4096, limits, &Empty), Err(Error::ChainTooLong { .. })));
}

#[test]
fn a_blob_that_is_not_held_is_hashed_as_it_comes() {
    let data: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let limits = Limits { bases_bytes_max: 1000, held_bytes_max: 1000, ..Limits::default() };
    let pack = pack(&[(BLOB, &data)]);
    let (indexed, _, index) = receive(&pack, 999, limits, &Empty).expect("sound");
    assert_eq!(indexed.objects[0].0, blob_id(&data));
    assert!(index == git_index(ObjectFormat::Sha1, &pack));
}

#[test]
fn objects_are_inspected_once_and_may_be_refused() {
    struct Counting(Vec<(ObjectId, Kind)>, Option<usize>);
    impl Inspect for Counting {
        fn inspect(&mut self, id: &ObjectId, kind: Kind, _: &[u8]) -> Result<(), String> {
            self.0.push((*id, kind));
            if self.1 == Some(self.0.len()) { Err("not this one".to_owned()) } else { Ok(()) }
        }
    }
    let place = tempfile::tempdir().expect("a temporary directory");
    history(place.path(), 20);
    let pack = packed(place.path(), &["--delta-base-offset"]);
    let run = |refused| {
        let mut receiver = Receiver::create(
            &place.path().join(format!("{refused:?}.pack")),
            ObjectFormat::Sha1,
            Limits::default(),
            Counting(Vec::new(), refused),
        )?;
        receiver.write(&pack)?;
        receiver.finish(&Empty, &place.path().join(format!("{refused:?}.idx")))
    };
    let (indexed, Counting(mut seen, _)) = run(None).expect("sound");
    seen.sort();
    let expected: Vec<_> = indexed.objects.iter().copied().filter(|(_, kind)| *kind != Kind::Blob).collect();
    assert_eq!(seen, expected);
    assert!(matches!(run(Some(5)), Err(Error::Rejected { reason, .. }) if reason == "not this one"));
}

/// Two texts of the published attack on SHA-1 (<https://shattered.io>): what they begin with, and the
/// two blocks of each that make up for one another.
const SHATTERED: [&str; 3] = [
    "255044462d312e330a25e2e3cfd30a0a0a312030206f626a0a3c3c2f57696474682032203020522f4865696768742033203020522f\
     547970652034203020522f537562747970652035203020522f46696c7465722036203020522f436f6c6f7253706163652037203020\
     522f4c656e6774682038203020522f42697473506572436f6d706f6e656e7420383e3e0a73747265616d0affd8fffe00245348412d\
     3120697320646561642121212121852fec092339759c39b1a1c63c4c97e1fffe01",
    "7f46dc93a6b67e013b029aaa1db2560b45ca67d688c7f84b8c4c791fe02b3df614f86db1690901c56b45c1530afedfb76038e972\
     722fe7ad728f0e4904e046c230570fe9d41398abe12ef5bc942be33542a4802d98b5d70f2a332ec37fac3514e74ddc0f2cc1a874\
     cd0c78305a21566461309789606bd0bf3f98cda8044629a1",
    "7346dc9166b67e118f029ab621b2560ff9ca67cca8c7f85ba84c79030c2b3de218f86db3a90901d5df45c14f26fedfb3dc38e96a\
     c22fe7bd728f0e45bce046d23c570feb141398bb552ef5a0a82be331fea48037b8b5d71f0e332edf93ac3500eb4ddc0decc1a864\
     790c782c76215660dd309791d06bd0af3f98cda4bc4629b1",
];

#[test]
fn an_attack_on_sha1_is_noticed() {
    let bytes = |hex: &str| -> Vec<u8> {
        let digits = hex.as_bytes().chunks_exact(2).map(|pair| pair.to_str().expect("digits"));
        digits.map(|pair| u8::from_str_radix(pair, 16).expect("digits")).collect()
    };
    let [prefix, first, second] = SHATTERED.map(bytes);
    let texts = [first, second].map(|blocks| [&prefix[..], &blocks].concat());
    assert!(texts[0] != texts[1] && Sha1::digest(&texts[0]) == Sha1::digest(&texts[1]));
    for text in texts {
        let mut hasher = gix_hash::hasher(ObjectFormat::Sha1);
        text.chunks(100).for_each(|piece| hasher.update(piece));
        let refused = super::receiver::finalize(hasher).expect_err("it is an attack");
        assert!(refused.to_string().contains("f92d74e3874587aaf443d1db961d4e26dde13e9c"), "{refused}");
    }
    let mut hasher = gix_hash::hasher(ObjectFormat::Sha1);
    hasher.update(&prefix);
    super::receiver::finalize(hasher).expect("half an attack is none");
}
