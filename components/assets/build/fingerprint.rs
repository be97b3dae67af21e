//! The static files and their addresses, for the build scripts of `assets`, which serves them,
//! and of `lithe-web`, which links them.

use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// How many hexadecimal digits of the SHA-256 of the contents an address carries.
const FINGERPRINT_DIGITS: usize = 16;

/// A static file at build time.
#[allow(dead_code, reason = "each of the two build scripts uses its part")]
pub struct StaticFile {
    /// `lithe.css`.
    pub name: String,
    pub contents: Vec<u8>,
    fingerprint: String,
}

#[allow(dead_code, reason = "each of the two build scripts uses its part")]
impl StaticFile {
    /// `lithe.<fingerprint>.css`.
    pub fn public_name(&self) -> String {
        let (stem, extension) = self.name.rsplit_once('.').expect("`files` checks it");
        format!("{stem}.{}.{extension}", self.fingerprint)
    }

    /// `/-/static/lithe.<fingerprint>.css`.
    pub fn address(&self) -> String {
        format!("/-/static/{}", self.public_name())
    }

    /// `LITHE_CSS`.
    pub fn constant_name(&self) -> String {
        self.name.to_uppercase().replace(['.', '-'], "_")
    }
}

/// Every file of the directory, by name. A directory in it is one file, `lithe.css`: the files in
/// that, joined in the order of their names.
pub fn files(directory: &Path) -> Vec<StaticFile> {
    sorted_paths(directory).into_iter().map(static_file).collect()
}

fn sorted_paths(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the static files are in the source tree");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable source tree").path()).collect();
    paths.sort();
    paths
}

fn static_file(path: PathBuf) -> StaticFile {
    let parts = if path.is_dir() { sorted_paths(&path) } else { vec![path.clone()] };
    let contents: Vec<_> = parts.iter().map(|part| fs::read(part).expect("a readable static file")).collect();
    let contents = contents.join(&b'\n');
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.expect("a UTF-8 name").to_owned();
    assert!(name.contains('.'), "{name} has no extension to tell its type by");
    let mut fingerprint: String =
        Sha256::digest(&contents).iter().map(|byte| format!("{byte:02x}")).collect();
    fingerprint.truncate(FINGERPRINT_DIGITS);
    StaticFile { name, contents, fingerprint }
}
