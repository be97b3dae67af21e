//! Fingerprints what decides how texts are rendered, so that the cache forgets what an older build made.

use sha2::{Digest as _, Sha256};
use std::fs;

/// The code that renders, and the versions of the libraries that it uses.
const SOURCES: [&str; 16] = [
    "src/cache.rs",
    "src/diff/lines.rs",
    "src/diff/mail.rs",
    "src/diff/patch.rs",
    "src/diff/renames.rs",
    "src/diff/trees.rs",
    "src/diff/view.rs",
    "src/diff/words.rs",
    "templates/_changes.html",
    "src/highlight.rs",
    "src/limits.rs",
    "src/markdown.rs",
    "../shared/code/src/limits.rs",
    "../shared/code/src/links.rs",
    "../shared/code/src/text.rs",
    "../../Cargo.lock",
];

fn main() {
    let mut digest = Sha256::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        digest.update(fs::read(source).unwrap_or_else(|error| panic!("{source}: {error}")));
    }
    let fingerprint: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("cargo::rustc-env=RENDERING_FINGERPRINT={fingerprint}");
}
