//! Whether a directory is a bare repository that can be read.

use super::error::Error;
use crate::limits::CONFIG_BYTES_MAX;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

/// Checks for `HEAD`, `objects` and `refs`, and that nothing changes how objects are stored.
pub fn check(git_dir: &Path) -> Result<(), Error> {
    let is_repository =
        git_dir.join("objects").is_dir() && git_dir.join("refs").is_dir() && git_dir.join("HEAD").exists();
    if !is_repository {
        return Err(Error::NotARepository(git_dir.to_owned()));
    }
    let alternates = git_dir.join("objects/info/alternates");
    if alternates.metadata().is_ok_and(|metadata| metadata.len() > 0) {
        return Err(Error::Unsupported("object alternates (`git repack -a -d` makes it stand alone)".into()));
    }
    check_config(&read_config(git_dir)?)
}

fn read_config(git_dir: &Path) -> Result<Vec<u8>, Error> {
    let path = git_dir.join("config");
    let file = match fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    // What is past the limit could be an extension.
    match bytes.len() as u64 > CONFIG_BYTES_MAX {
        true => Err(Error::Unsupported(format!("a config of more than {CONFIG_BYTES_MAX} bytes"))),
        false => Ok(bytes),
    }
}

/// Looks at the section `extensions` (gitformat-repository-version): each key there is a change of
/// the format, and an unknown one must be refused.
fn check_config(config: &[u8]) -> Result<(), Error> {
    let config = String::from_utf8_lossy(config);
    let mut is_extensions = false;
    for line in config.lines().map(str::trim) {
        let mut setting = line;
        if let Some(header) = line.strip_prefix('[') {
            let (name, rest) = header.split_once(']').unwrap_or((header, ""));
            is_extensions = name.trim().eq_ignore_ascii_case("extensions");
            setting = rest.trim();
        }
        if is_extensions && !setting.is_empty() && !setting.starts_with(['#', ';']) {
            let (key, value) = setting.split_once('=').unwrap_or((setting, "true"));
            check_extension(key.trim(), value.trim().trim_matches('"'))?;
        }
    }
    Ok(())
}

fn check_extension(key: &str, value: &str) -> Result<(), Error> {
    let unsupported = |what: String| Err(Error::Unsupported(what));
    match (key.to_ascii_lowercase().as_str(), value) {
        ("objectformat", "sha1") | ("refstorage", "files") => Ok(()),
        ("objectformat", format) => unsupported(format!("the object format {format}")),
        ("refstorage", storage) => unsupported(format!("the ref storage {storage}")),
        ("noop" | "preciousobjects" | "worktreeconfig" | "partialclone" | "relativeworktrees", _) => Ok(()),
        (other, _) => unsupported(format!("the extension {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_is_read_up_to_the_limit() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let with = |len: u64| {
            let text = format!("[core]\n\tbare = true\n{}", ";".repeat(len as usize));
            fs::write(place.path().join("config"), &text[..len as usize]).expect("written");
            read_config(place.path()).map(|bytes| bytes.len() as u64)
        };
        assert!(matches!(with(CONFIG_BYTES_MAX), Ok(CONFIG_BYTES_MAX)));
        assert!(matches!(with(CONFIG_BYTES_MAX + 1), Err(Error::Unsupported(_))));
    }

    #[test]
    fn only_extensions_that_are_understood_are_accepted() {
        let cases = [
            ("[core]\n\tbare = true\n", None),
            ("[extensions]\n\tobjectFormat = sha1\n", None),
            ("[Extensions] objectformat = sha256", Some("the object format sha256")),
            (
                "[core]\n bare = true\n[extensions]\n # x\n\trefStorage = \"reftable\"\n",
                Some("the ref storage reftable"),
            ),
            ("[extensions]\nlater = 1\n[core]\nx=1", Some("the extension later")),
            ("[extensions]\n[core]\nobjectformat = sha256", None),
        ];
        for (config, expected) in cases {
            let refused = match check_config(config.as_bytes()) {
                Err(Error::Unsupported(what)) => Some(what),
                _ => None,
            };
            assert_eq!(refused.as_deref(), expected, "{config}");
        }
    }
}
