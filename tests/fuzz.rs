//! The parsers of what strangers send to Git's server side, fed with damaged recordings.

use gix_hash::ObjectId;
use gix_object::Kind;
use lithe_fuzz::fuzz;
use lithe_git::bitmap::BitmapFile;
use lithe_git::commit_graph::{CommitGraph, PathKeys};
use lithe_git::format::ObjectFormat;
use lithe_git::maintenance::{Settings, Survey};
use lithe_git::refs::RefStore;
use lithe_git::{fsck, index_pack, init, odb, pkt_line, walk};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

#[test]
fn pkt_lines() {
    fuzz("pkt-line", |bytes| {
        let mut lines = pkt_line::Lines::new(bytes);
        let mut rest = bytes.len();
        while let Ok(Some(line)) = lines.line() {
            let _ = line.text();
            assert!(lines.rest().len() < rest, "a parser that does not move never ends");
            rest = lines.rest().len();
        }
    });
}

#[test]
fn packs() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir_all(scratch.path().join("objects/pack")).expect("it is writable");
    let store =
        odb::Store::of_objects_dir(scratch.path().join("objects"), ObjectFormat::Sha1).expect("it is empty");
    fuzz("pack", |bytes| {
        let (pack, index) = (scratch.path().join("fuzzed.pack"), scratch.path().join("fuzzed.idx"));
        for left in [&pack, &index] {
            let _ = fs::remove_file(left); // There is none where the last input was refused.
        }
        let received =
            index_pack::Receiver::create(&pack, ObjectFormat::Sha1, index_pack::Limits::default(), ());
        let mut receiver = received.expect("the directory is writable");
        let written = bytes.chunks(7).try_for_each(|chunk| receiver.write(chunk));
        let _ = written.and_then(|()| receiver.finish(&store, &index).map(drop));
    });
}

#[test]
fn deltas() {
    let base: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    fuzz("delta", |delta| {
        let mut result = Vec::new();
        if odb::delta::sizes(delta).is_ok_and(|sizes| sizes.result <= 1 << 20)
            && odb::delta::apply(&base, delta, &mut result).is_ok()
        {
            assert!(result.len() <= 1 << 20);
        }
    });
}

#[test]
fn objects() {
    fuzz("object", |bytes| {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            for kind in [Kind::Commit, Kind::Tree, Kind::Tag, Kind::Blob] {
                let mut findings = fsck::Findings::default();
                fsck::check(format, kind, bytes, &mut findings);
            }
            let _ = (walk::Commit::parse(bytes, format), walk::Tag::parse(bytes, format));
        }
        let _ = (fsck::gitmodules(bytes), fsck::gitattributes(bytes));
    });
}

#[test]
fn packed_refs() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let repository = scratch.path().join("fuzzed.git");
    init::init_bare(&repository, "main", ObjectFormat::Sha1).expect("the directory is writable");
    fuzz("packed-refs", |bytes| {
        fs::write(repository.join("packed-refs"), bytes).expect("the directory is writable");
        let snapshot = RefStore::open(&repository).and_then(|store| store.snapshot());
        assert!(
            snapshot.is_ok_and(|found| found.refs.is_sorted_by(|a, b| a.name < b.name)) || !bytes.is_empty()
        );
    });
}

#[test]
fn configs() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let repository = scratch.path().join("fuzzed.git");
    init::init_bare(&repository, "main", ObjectFormat::Sha1).expect("the directory is writable");
    fuzz("config", |bytes| {
        fs::write(repository.join("config"), bytes).expect("the directory is writable");
        if let Err(error) = odb::Store::open(&repository) {
            assert!(matches!(error, odb::Error::Unsupported(_)), "{error}");
        }
    });
}

/// A repository with the two packs of `tests/fuzz/packs`, without anything that says more about them.
fn repository_with_packs() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    init::init_bare(&scratch.path().join("r.git"), "main", ObjectFormat::Sha1)
        .expect("the directory is writable");
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/packs");
    for entry in fs::read_dir(packs).expect("the packs are there") {
        let entry = entry.expect("it can be listed");
        fs::create_dir_all(scratch.path().join("r.git/objects/pack")).expect("the directory is writable");
        fs::copy(entry.path(), scratch.path().join("r.git/objects/pack").join(entry.file_name()))
            .expect("it can be copied");
    }
    scratch
}

/// Every object of the packs of a store.
fn packed_ids(store: &odb::Store) -> Vec<ObjectId> {
    let all = (0..store.pack_count())
        .flat_map(|pack| (0..store.pack_len(pack)).map(move |position| odb::Packed { pack, position }));
    all.map(|packed| store.packed_id(packed).expect("the index is sound")).collect()
}

/// The same bytes with the right checksum at their end: what has another is looked at no further.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let body = &bytes[..bytes.len().saturating_sub(20)];
    let mut hasher = gix_hash::hasher(ObjectFormat::Sha1);
    hasher.update(body);
    [body, hasher.try_finalize().expect("nobody attacks it").as_slice()].concat()
}

#[test]
fn commit_graphs() {
    let scratch = repository_with_packs();
    let git_dir = scratch.path().join("r.git");
    let ids = packed_ids(&odb::Store::open(&git_dir).expect("it is sound"));
    fs::create_dir_all(git_dir.join("objects/info")).expect("the directory is writable");
    let paths = ["d", "d/f", "s", ""].map(|path| PathKeys::new(path.as_bytes()));
    fuzz("commit-graph", |bytes| {
        for bytes in [bytes, &sealed(bytes)] {
            fs::write(git_dir.join("objects/info/commit-graph"), bytes).expect("the directory is writable");
            let Some(graph) = CommitGraph::open(&git_dir.join("objects"), ObjectFormat::Sha1) else {
                continue;
            };
            for id in &ids {
                let _ = graph.get(id);
                for path in &paths {
                    let _ = graph.may_have_changed(id, path);
                }
            }
        }
    });
}

#[test]
fn bitmaps() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let path = scratch.path().join("fuzzed.bitmap");
    fuzz("bitmap", |bytes| {
        let bytes = &sealed(bytes);
        fs::write(&path, bytes).expect("the directory is writable");
        // Where the checksum of what the bitmaps are of lies.
        let Some(checksum) = bytes.get(12..32) else { return };
        let checksum = &ObjectId::try_from(checksum).expect("it is as long as one");
        for objects in [0, 1, 35, 38] {
            let Some(bitmaps) = BitmapFile::open(&path, checksum, objects) else { continue };
            for commit in 0..64 {
                let numbers =
                    bitmaps.get(commit).into_iter().flat_map(|bits| bits.iter().collect::<Vec<_>>());
                assert!(numbers.max().is_none_or(|last| last < objects));
            }
            let _ = [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag].map(|kind| bitmaps.of_kind(kind));
        }
    });
}

#[test]
fn orders_of_packs() {
    let scratch = repository_with_packs();
    let git_dir = scratch.path().join("r.git");
    fuzz("rev", |bytes| {
        let store = odb::Store::open(&git_dir).expect("it is sound");
        for pack in 0..store.pack_count() {
            let path = git_dir.join("objects/pack").join(store.pack_name(pack)).with_extension("rev");
            fs::write(path, sealed(bytes)).expect("the directory is writable");
            let order = store.pack_order(pack).expect("it is made where it is not told");
            for rank in 0..order.len() {
                if let Ok((offset, _)) = order.entry(rank) {
                    let _ = (order.rank(offset), order.rank_from(rank, offset), order.end(rank));
                }
            }
        }
    });
}

#[test]
fn times_of_unreachable_objects() {
    let scratch = repository_with_packs();
    let git_dir = scratch.path().join("r.git");
    let store = odb::Store::open(&git_dir).expect("it is sound");
    let path = git_dir.join("objects/pack").join(store.pack_name(0)).with_extension("mtimes");
    fuzz("mtimes", |bytes| {
        fs::write(&path, sealed(bytes)).expect("the directory is writable");
        let survey = Survey::of(&git_dir).expect("it is sound");
        let _ = survey.plan(&Settings::default(), SystemTime::now());
    });
}

#[test]
fn multi_pack_indexes() {
    let scratch = repository_with_packs();
    let git_dir = scratch.path().join("r.git");
    let ids = packed_ids(&odb::Store::open(&git_dir).expect("it is sound"));
    let bitmaps = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/recordings/bitmap/several-packs");
    let bitmaps = fs::read(bitmaps).expect("it is recorded");
    fuzz("multi-pack-index", |bytes| {
        let pack_dir = git_dir.join("objects/pack");
        let bytes = sealed(bytes);
        fs::write(pack_dir.join("multi-pack-index"), &bytes).expect("the directory is writable");
        // The bitmaps are always those of this index.
        let checksum = &bytes[bytes.len() - 20..];
        let bitmaps = sealed(&[&bitmaps[..12], checksum, &bitmaps[32..]].concat());
        let checksum = ObjectId::try_from(checksum).expect("it is as long as one");
        let path = pack_dir.join(format!("multi-pack-index-{checksum}.bitmap"));
        fs::write(&path, bitmaps).expect("the directory is writable");
        let store = odb::Store::open(&git_dir).expect("it is sound");
        for id in &ids {
            let found = store.locate_packed(id).expect("the packs are sound");
            let packed = found.expect("no table hides an object");
            assert_eq!(store.packed_id(packed).expect("it is there"), *id);
            let Some(bitmaps) = store.bitmaps() else { continue };
            let _ = bitmaps.numbering().number(packed);
            let Some(reached) = bitmaps.reached(id, packed) else { continue };
            let _ = bitmaps.numbering().places(&store, reached.iter(), drop);
        }
        fs::remove_file(path).expect("it was written");
    });
}

#[test]
fn reftables() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        let repository = scratch.path().join(format!("{format}.git"));
        init::init_bare(&repository, "main", format).expect("the directory is writable");
        let config = format!(
            "[core]\nrepositoryFormatVersion = 1\n[extensions]\nobjectFormat = {format}\nrefStorage = reftable\n"
        );
        fs::write(repository.join("config"), config).expect("the directory is writable");
        fs::create_dir(repository.join("reftable")).expect("the directory is writable");
        fs::write(repository.join("reftable/tables.list"), "fuzzed.ref\n")
            .expect("the directory is writable");
    }
    let read = |format: ObjectFormat, table: &[u8]| {
        let repository = scratch.path().join(format!("{format}.git"));
        fs::write(repository.join("reftable/fuzzed.ref"), table).expect("the directory is writable");
        let store = RefStore::open(&repository).expect("the config is sound");
        let _ = store.find("refs/heads/b/9".into());
        if let Ok(snapshot) = store.snapshot() {
            assert!(snapshot.refs.is_sorted_by(|a, b| a.name < b.name));
        }
    };
    fuzz("reftable", |bytes| {
        let (format, footer_len) = match bytes.get(4) {
            Some(2) => (ObjectFormat::Sha256, 72),
            _ => (ObjectFormat::Sha1, 68),
        };
        read(format, bytes);
        // With the right checksum at its end, what is damaged further up is looked at too.
        if let Some((begin, end)) = bytes.len().checked_sub(footer_len).zip(bytes.len().checked_sub(4)) {
            let mut crc = flate2::Crc::new();
            crc.update(&bytes[begin..end]);
            read(format, &[&bytes[..end], &crc.sum().to_be_bytes()].concat());
        }
    });
}
