//! The parsers of what strangers send to Git's server side, fed with damaged recordings.

use gix_object::Kind;
use lithe_fuzz::fuzz;
use lithe_git::format::ObjectFormat;
use lithe_git::refs::RefStore;
use lithe_git::{fsck, index_pack, init, odb, pkt_line, walk};
use std::fs;

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
