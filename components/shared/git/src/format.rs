//! How a repository stores objects and refs, as its `config` says (gitrepository-layout(5);
//! git-config(1), `core.repositoryFormatVersion` and `extensions.*`).

use crate::disk;
use crate::limits::CONFIG_BYTES_MAX;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The digest that object ids are made by: `sha1` or `sha256`.
pub use gix_hash::Kind as ObjectFormat;

/// How refs are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefStorage {
    /// Loose files and `packed-refs`.
    #[default]
    Files,
    /// Tables (gitformat-reftable).
    Reftable,
}

/// What a repository's `config` says of its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    pub objects: ObjectFormat,
    pub refs: RefStorage,
    /// Whether no object may ever be dropped (`extensions.preciousObjects`).
    pub keeps_all_objects: bool,
}

/// Why a repository's format is not known, or not one that is understood.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the repository uses {0}, which is not supported")]
    Unsupported(String),
}

impl Default for Format {
    fn default() -> Self {
        Self { objects: ObjectFormat::Sha1, refs: RefStorage::Files, keeps_all_objects: false }
    }
}

impl Format {
    /// Reads the `config` of the repository at `git_dir`; without one, the format is the first one.
    ///
    /// Fails with [`Error::Unsupported`] for a version or an extension that is unknown: each is a
    /// change of the format.
    pub fn of(git_dir: &Path) -> Result<Self, Error> {
        Self::parse(&read_config(git_dir)?)
    }

    fn parse(config: &[u8]) -> Result<Self, Error> {
        let config = String::from_utf8_lossy(config);
        let mut format = Self::default();
        let mut version = 0;
        let mut section = String::new();
        for line in config.lines().map(str::trim) {
            let mut setting = line;
            if let Some(header) = line.strip_prefix('[') {
                let (name, rest) = header.split_once(']').unwrap_or((header, ""));
                section = name.trim().to_ascii_lowercase();
                setting = rest.trim();
            }
            if setting.is_empty() || setting.starts_with(['#', ';']) {
                continue;
            }
            let (key, value) = setting.split_once('=').unwrap_or((setting, "true"));
            let (key, value) = (key.trim().to_ascii_lowercase(), plain_value(value));
            match (section.as_str(), key.as_str()) {
                ("core", "repositoryformatversion") => version = known_version(&value)?,
                ("extensions", key) => format.extend(key, &value)?,
                _ => {}
            }
        }
        if version == 0 && (format.objects, format.refs) != (ObjectFormat::Sha1, RefStorage::Files) {
            // Git refuses it too: older versions of it would take the repository for another.
            return Err(Error::Unsupported("extensions in a repository of format version 0".into()));
        }
        Ok(format)
    }

    /// Takes an extension into account.
    fn extend(&mut self, key: &str, value: &str) -> Result<(), Error> {
        match (key, value) {
            ("objectformat", "sha1") => self.objects = ObjectFormat::Sha1,
            ("objectformat", "sha256") => self.objects = ObjectFormat::Sha256,
            ("refstorage", "files") => self.refs = RefStorage::Files,
            ("refstorage", "reftable") => self.refs = RefStorage::Reftable,
            ("objectformat", other) => {
                return Err(Error::Unsupported(format!("the object format {other}")));
            }
            ("refstorage", other) => return Err(Error::Unsupported(format!("the ref storage {other}"))),
            // What is not clearly false keeps objects.
            ("preciousobjects", value) => {
                let is_false = ["false", "no", "off", "0", ""].contains(&value.to_ascii_lowercase().as_str());
                self.keeps_all_objects = !is_false;
            }
            ("noop" | "worktreeconfig" | "partialclone" | "relativeworktrees", _) => {}
            (other, _) => return Err(Error::Unsupported(format!("the extension {other}"))),
        }
        Ok(())
    }
}

fn known_version(value: &str) -> Result<u32, Error> {
    let version = value.parse().ok().filter(|version| *version <= 1);
    version.ok_or_else(|| Error::Unsupported(format!("the repository format version {value}")))
}

/// A value without its quotes and what is said about it in a comment.
fn plain_value(text: &str) -> String {
    let mut is_quoted = false;
    let mut value = String::new();
    for character in text.trim().chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            '#' | ';' if !is_quoted => break,
            other => value.push(other),
        }
    }
    value.trim_end().to_owned()
}

pub(crate) fn read_config(git_dir: &Path) -> Result<Vec<u8>, Error> {
    let path = git_dir.join("config");
    let file = match disk::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::Io { path, source }),
    };
    let mut bytes = Vec::new();
    file.take(CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|source| Error::Io { path, source })?;
    // What is past the limit could be an extension.
    match bytes.len() as u64 > CONFIG_BYTES_MAX {
        true => Err(Error::Unsupported(format!("a config of more than {CONFIG_BYTES_MAX} bytes"))),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_config_is_read_up_to_the_limit() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let with = |len: u64| {
            let text = format!("[core]\n\tbare = true\n{}", ";".repeat(len as usize));
            fs::write(place.path().join("config"), &text[..len as usize]).expect("written");
            Format::of(place.path())
        };
        assert!(matches!(with(CONFIG_BYTES_MAX), Ok(_)));
        assert!(matches!(with(CONFIG_BYTES_MAX + 1), Err(Error::Unsupported(_))));
    }

    #[test]
    fn only_formats_that_are_understood_are_accepted() {
        use ObjectFormat::{Sha1, Sha256};
        use RefStorage::{Files, Reftable};
        let ok = |objects, refs| Ok(Format { objects, refs, keeps_all_objects: false });
        let precious = |keeps_all_objects| Ok(Format { keeps_all_objects, ..Format::default() });
        let cases = [
            ("", ok(Sha1, Files)),
            ("[core]\n\tbare = true\n", ok(Sha1, Files)),
            ("[core]\n\trepositoryformatversion = 1\n", ok(Sha1, Files)),
            ("[extensions]\n\tobjectFormat = sha1\n", ok(Sha1, Files)),
            (
                "[core]\nrepositoryformatversion=1\n[Extensions] objectformat = sha256 ; new",
                ok(Sha256, Files),
            ),
            (
                "[extensions]\n # x\n\trefStorage = \"reftable\"\n[Core]\nRepositoryFormatVersion = 1",
                ok(Sha1, Reftable),
            ),
            ("[extensions]\npreciousObjects = true", precious(true)),
            ("[extensions]\nPreciousObjects", precious(true)),
            ("[extensions]\npreciousobjects = off", precious(false)),
            ("[extensions]\n[core]\nobjectformat = sha256", ok(Sha1, Files)),
            ("[extensions \"x\"]\nobjectformat = sha256", ok(Sha1, Files)),
            ("[extensions]\nobjectformat = sha256", Err("extensions in a repository of format version 0")),
            ("[extensions]\nobjectformat = md5", Err("the object format md5")),
            ("[extensions]\nrefStorage = sql", Err("the ref storage sql")),
            ("[extensions]\nlater = 1\n[core]\nx=1", Err("the extension later")),
            ("[extensions]\ncompatObjectFormat = sha1", Err("the extension compatobjectformat")),
            ("[core]\nrepositoryformatversion = 2", Err("the repository format version 2")),
            ("[core]\nrepositoryformatversion = x", Err("the repository format version x")),
        ];
        for (config, expected) in cases {
            let parsed = Format::parse(config.as_bytes()).map_err(|error| match error {
                Error::Unsupported(what) => what,
                Error::Io { .. } => unreachable!("nothing is read"),
            });
            assert_eq!(parsed, expected.map_err(str::to_owned), "{config}");
        }
    }
}
