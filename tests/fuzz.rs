//! Parsers of what strangers send, fed with damaged copies of recorded bytes: none may panic, and
//! none may take memory or time out of proportion.
//!
//! `tests/fuzz/TARGET/*` are the recordings. The run is seeded, so that a failure repeats; the input
//! that failed is left at `target/fuzz/TARGET` and, once understood, becomes a recording itself.
//! `cargo xtask test --long` runs a thousand times as many.

use crate::kit::{is_long, root};
use gix_object::Kind;
use lithe_git::refs::RefStore;
use lithe_git::{fsck, index_pack, init, odb, pkt_line, walk};
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

/// Damaged copies a target in a bounded run.
const ROUNDS: u64 = 4_000;

/// Feeds `target` with damaged copies of its recordings.
#[track_caller]
fn fuzz(name: &str, target: impl Fn(&[u8])) {
    let recordings = recordings(name);
    let mut random = Random(0x11_7E);
    let rounds = if is_long() { ROUNDS * 1_000 } else { ROUNDS };
    for recording in &recordings {
        run_one(name, &target, recording);
    }
    for _ in 0..rounds {
        let input = damaged(&recordings, &mut random);
        run_one(name, &target, &input);
    }
}

#[track_caller]
fn run_one(name: &str, target: &impl Fn(&[u8]), input: &[u8]) {
    if panic::catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        let directory = root().join("target/fuzz");
        fs::create_dir_all(&directory).expect("target is writable");
        fs::write(directory.join(name), input).expect("target is writable");
        panic!("{name} panicked; the input is at target/fuzz/{name}");
    }
}

fn recordings(name: &str) -> Vec<Vec<u8>> {
    let directory = root().join("tests/fuzz").join(name);
    let mut paths: Vec<_> = fs::read_dir(&directory)
        .expect("every target has recordings")
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", directory.display());
    paths.iter().map(|path| fs::read(path).expect("it can be read")).collect()
}

/// A recording with one to eight changes of the kinds that parsers trip over.
fn damaged(recordings: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    const TELLING: [u8; 10] = [0, 1, 0x0a, 0x20, 0x2f, 0x30, 0x66, 0x7f, 0x80, 0xff];
    let mut bytes = recordings[random.below(recordings.len())].clone();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(64)).min(bytes.len());
        match random.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = TELLING[random.below(TELLING.len())],
            2 => bytes.insert(at, TELLING[random.below(TELLING.len())]),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let copied = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copied);
            }
            5 => bytes.truncate(at),
            6 => {
                let other = &recordings[random.below(recordings.len())];
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
            }
            _ => bytes.splice(at..end, std::iter::repeat_n(0xff, end - at)).for_each(drop),
        }
    }
    bytes
}

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
    let store = odb::Store::of_objects_dir(scratch.path().join("objects")).expect("it is empty");
    fuzz("pack", |bytes| {
        let pack = scratch.path().join("fuzzed.pack");
        let received = index_pack::Receiver::create(&pack, index_pack::Limits::default(), ());
        let mut receiver = received.expect("the directory is writable");
        let written = bytes.chunks(7).try_for_each(|chunk| receiver.write(chunk));
        let _ = written.and_then(|()| receiver.finish(&store, &scratch.path().join("fuzzed.idx")).map(drop));
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
        for kind in [Kind::Commit, Kind::Tree, Kind::Tag, Kind::Blob] {
            let mut findings = fsck::Findings::default();
            fsck::check(kind, bytes, &mut findings);
        }
        let _ = (fsck::gitmodules(bytes), fsck::gitattributes(bytes));
        let _ = (walk::Commit::parse(bytes), walk::Tag::parse(bytes));
    });
}

#[test]
fn packed_refs() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let repository = scratch.path().join("fuzzed.git");
    init::init_bare(&repository, "main").expect("the directory is writable");
    fuzz("packed-refs", |bytes| {
        fs::write(repository.join("packed-refs"), bytes).expect("the directory is writable");
        let snapshot = RefStore::open(&repository).and_then(|store| store.snapshot());
        assert!(
            snapshot.is_ok_and(|found| found.refs.is_sorted_by(|a, b| a.name < b.name)) || !bytes.is_empty()
        );
    });
}

#[test]
fn manifests() {
    fuzz("manifest", |bytes| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            let parsed = lithe::manifest::Manifest::parse(text, Path::new("spin.toml"), Path::new("data"));
            if let Err(error) = parsed {
                assert!(!error.to_string().is_empty());
            }
        }
    });
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}
