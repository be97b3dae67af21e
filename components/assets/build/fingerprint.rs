//! The static files and their addresses, for the build scripts of `assets`, which serves them,
//! and of `lithe-web`, which links them.

use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// How many hexadecimal digits of the SHA-256 of the contents an address carries.
const FINGERPRINT_DIGITS: usize = 16;

/// A static file at build time.
pub struct StaticFile {
    /// Where it lies, relative to the package that builds.
    pub path: PathBuf,
    /// `lithe.css`.
    pub name: String,
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

/// Every file of the directory, by name.
pub fn files(directory: &Path) -> Vec<StaticFile> {
    let entries = fs::read_dir(directory).expect("the static files are in the source tree");
    let mut files: Vec<_> =
        entries.map(|entry| static_file(entry.expect("a readable source tree").path())).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

fn static_file(path: PathBuf) -> StaticFile {
    let contents = fs::read(&path).expect("a readable static file");
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.expect("a UTF-8 name").to_owned();
    assert!(name.contains('.'), "{name} has no extension to tell its type by");
    let mut fingerprint: String =
        Sha256::digest(&contents).iter().map(|byte| format!("{byte:02x}")).collect();
    fingerprint.truncate(FINGERPRINT_DIGITS);
    StaticFile { path, name, fingerprint }
}
