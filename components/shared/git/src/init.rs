//! New repositories.

use crate::disk;
use crate::durable;
use crate::format::ObjectFormat;
use crate::refs::is_valid_name;
use bstr::{BString, ByteSlice};
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};

/// Why a repository was not made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something lies there.
    #[error("{}: exists already", path.display())]
    Exists { path: PathBuf },
    /// The default branch has no valid name.
    #[error("`{name}` is not a valid branch name")]
    InvalidBranch { name: String },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// Makes an empty bare repository of that object format at `dir`, with `HEAD` pointing to the branch `default_branch`
/// (`main`, without `refs/heads/`). Missing directories above are made.
///
/// It is made beside `dir` under a name that begins with `.lithe-init-`, synced, and then renamed:
/// after a crash there is either a whole repository or none.
///
/// Fails with [`Error::Exists`] if there is anything at `dir`, even an empty directory.
pub fn init_bare(dir: &Path, default_branch: &str, object_format: ObjectFormat) -> Result<(), Error> {
    let head = BString::from(format!("refs/heads/{default_branch}"));
    if !is_valid_name(head.as_bstr()) || default_branch.starts_with('-') || default_branch == "HEAD" {
        return Err(Error::InvalidBranch { name: default_branch.to_owned() });
    }
    refuse_existing(dir)?;
    let parent = dir.parent().unwrap_or(Path::new("."));
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::Io { path, source }
    };
    durable::create_directories(parent).map_err(failed(parent))?;
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    let temporary = parent.join(format!(".lithe-init-{random:016x}"));
    let made = fill(&temporary, &head, object_format).map_err(failed(&temporary)).and_then(|()| {
        refuse_existing(dir)?;
        disk::rename(&temporary, dir).map_err(failed(dir))
    });
    if made.is_err() {
        let _ = disk::remove_dir_all(&temporary);
    }
    made?;
    durable::sync_directory(parent).map_err(failed(parent))
}

fn refuse_existing(dir: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(dir) {
        Ok(_) => Err(Error::Exists { path: dir.to_path_buf() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::Io { path: dir.to_path_buf(), source }),
    }
}

/// The `config` that `git init --bare` writes.
fn config(object_format: ObjectFormat) -> String {
    let (version, extensions) = match object_format {
        ObjectFormat::Sha1 => (0, String::new()),
        other => (1, format!("[extensions]\n\tobjectformat = {other}\n")),
    };
    format!("[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n\tbare = true\n{extensions}")
}

fn fill(dir: &Path, head: &BString, object_format: ObjectFormat) -> io::Result<()> {
    disk::create_dir(dir)?;
    for name in ["objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags", "info"] {
        disk::create_dir(&dir.join(name))?;
    }
    durable::write_file(&dir.join("HEAD"), format!("ref: {head}\n").as_bytes())?;
    durable::write_file(&dir.join("config"), config(object_format).as_bytes())?;
    for name in ["objects", "refs", ""] {
        durable::sync_directory(&dir.join(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn git_accepts_a_new_repository() {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            check_new_repository(format);
        }
    }

    fn check_new_repository(format: ObjectFormat) {
        let place = tempfile::tempdir().expect("a temporary directory");
        let dir = place.path().join("a/b.git");
        init_bare(&dir, "trunk", format).expect("made");
        let git = |arguments: &[&str]| {
            let output = Command::new("git").arg("-C").arg(&dir).args(arguments).output();
            let output = output.expect("git runs");
            assert!(output.status.success(), "git {arguments:?}: {}", output.stderr.as_bstr());
            output.stdout.trim().to_vec()
        };
        assert_eq!(git(&["rev-parse", "--is-bare-repository"]), b"true");
        assert_eq!(git(&["symbolic-ref", "HEAD"]), b"refs/heads/trunk");
        assert_eq!(git(&["rev-parse", "--show-object-format"]), format.to_string().into_bytes());
        git(&["fsck", "--full", "--strict"]);
        let names: Vec<_> = fs::read_dir(place.path().join("a")).expect("readable").collect();
        assert_eq!(names.len(), 1, "nothing temporary stays");
    }

    #[test]
    fn what_exists_is_refused() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let cases = ["empty", "file", "made.git"];
        fs::create_dir(place.path().join("empty")).expect("made");
        fs::write(place.path().join("file"), "").expect("made");
        init_bare(&place.path().join("made.git"), "main", ObjectFormat::Sha1).expect("made");
        for name in cases {
            let result = init_bare(&place.path().join(name), "main", ObjectFormat::Sha1);
            assert!(matches!(result, Err(Error::Exists { .. })), "{name}");
        }
    }

    #[test]
    fn bad_branch_names_are_refused() {
        let place = tempfile::tempdir().expect("a temporary directory");
        for name in ["", "a..b", "-x", "HEAD", "a b", "../../x", "x.lock"] {
            let result = init_bare(&place.path().join("r.git"), name, ObjectFormat::Sha1);
            assert!(matches!(result, Err(Error::InvalidBranch { .. })), "{name:?}");
        }
    }
}
