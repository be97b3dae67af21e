//! Fingerprints what decides how texts are rendered, so that the cache forgets what an older build made.

use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::Path;

/// The code that renders and finds out what is kept, and the versions of the libraries that it uses.
const SOURCES: [&str; 4] = ["src", "templates", "../shared/code/src", "../../Cargo.lock"];

fn main() {
    let mut digest = Sha256::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        add(Path::new(source), &mut digest);
    }
    let fingerprint: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("cargo::rustc-env=RENDERING_FINGERPRINT={fingerprint}");
}

/// Adds a file, or all that lies in a directory.
fn add(path: &Path, digest: &mut Sha256) {
    if !path.is_dir() {
        let contents = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return digest.update(contents);
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable source tree").path()).collect();
    paths.sort();
    paths.iter().for_each(|path| add(path, digest));
}
