//! Feeds parsers of what strangers send with damaged copies of recorded bytes: none may panic, and
//! none may take memory or time out of proportion.
//!
//! `recordings/TARGET/*` are the recordings. A run is seeded, so that a failure repeats; the input
//! that failed is left at `target/fuzz/TARGET` and, once understood, becomes a recording itself.
//! With `LITHE_TEST_LONG` set (`cargo xtask test --long`) a run is a thousand times as long.

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

/// Damaged copies a target in a bounded run.
const ROUNDS: u64 = 4_000;

/// Feeds `target` with the recordings of `name` and damaged copies of them.
///
/// # Panics
///
/// If `target` does, after leaving the input at `target/fuzz`.
#[track_caller]
pub fn fuzz(name: &str, target: impl Fn(&[u8])) {
    let recordings = recordings(name);
    let mut random = Random(0x11_7E);
    let rounds = if std::env::var_os("LITHE_TEST_LONG").is_some() { ROUNDS * 1_000 } else { ROUNDS };
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
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/fuzz");
        fs::create_dir_all(&directory).expect("target is writable");
        fs::write(directory.join(name), input).expect("target is writable");
        panic!("{name} panicked; the input is at target/fuzz/{name}");
    }
}

fn recordings(name: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings").join(name);
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
