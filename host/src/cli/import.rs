//! A local repository as a tar archive.
//!
//! Of the directory only what holds history goes along: objects, refs, HEAD and the list of shallow
//! commits. Configuration and hooks stay behind.

use crate::body::{Body, BodyError};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use lithe_operator::ObjectFormat;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

const FILES: [&str; 3] = ["HEAD", "packed-refs", "shallow"];
const DIRECTORIES: [&str; 2] = ["refs", "objects"];
/// Bytes of a part of the archive, and how many parts may be on their way.
const PART_BYTES: usize = 256 << 10;
const PARTS_MAX: usize = 4;
/// Directories within directories; refs may be nested, but not for ever.
const DEPTH_MAX: usize = 64;

/// Finds the repository at a path: the path itself, or `.git` in it.
pub fn find(path: &Path) -> anyhow::Result<PathBuf> {
    let is_repository = |path: &Path| {
        path.join("HEAD").is_file() && DIRECTORIES.iter().all(|directory| path.join(directory).is_dir())
    };
    let candidates = [path.to_owned(), path.join(".git")];
    let repository = candidates.into_iter().find(|path| is_repository(path));
    let Some(repository) = repository else {
        anyhow::bail!("{} is no Git repository", path.display());
    };
    if repository.join("objects/info/alternates").exists() {
        anyhow::bail!(
            "{} borrows objects from another repository; run `git repack -a -d` in it and remove \
             objects/info/alternates first",
            repository.display()
        );
    }
    Ok(repository)
}

/// What names the objects of a local repository, as its configuration says.
///
/// Fails if its refs are not in files.
pub fn object_format(repository: &Path) -> anyhow::Result<ObjectFormat> {
    let path = repository.join("config");
    let config = match fs::read(&path) {
        Ok(config) => config,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => anyhow::bail!("{}: {error}", path.display()),
    };
    if extension(&config, "refstorage").is_some_and(|storage| storage != "files") {
        anyhow::bail!(
            "{} keeps its refs in tables; run `git refs migrate --ref-format=files` in it first",
            repository.display()
        );
    }
    let Some(name) = extension(&config, "objectformat") else { return Ok(ObjectFormat::Sha1) };
    name.parse().map_err(|_| anyhow::anyhow!("{}: the object format {name} is unknown", path.display()))
}

/// The value of an extension (git-config(1), `extensions.*`); `key` is in lower case.
fn extension(config: &[u8], key: &str) -> Option<String> {
    let config = String::from_utf8_lossy(config);
    let mut is_extensions = false;
    let mut found = None;
    for line in config.lines().map(str::trim) {
        let mut setting = line;
        if let Some((section, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            is_extensions = section.trim().eq_ignore_ascii_case("extensions");
            setting = rest;
        }
        if is_extensions
            && let Some((name, value)) = setting.split_once('=')
            && name.trim().eq_ignore_ascii_case(key)
        {
            let value = value.split(['#', ';']).next().unwrap_or_default();
            found = Some(value.trim().trim_matches('"').to_owned());
        }
    }
    found
}

/// Makes a body that is the archive of a repository, written as it is read.
pub fn archive(repository: PathBuf) -> Body {
    let (sender, receiver) = mpsc::channel(PARTS_MAX);
    std::thread::spawn(move || {
        let mut parts = Parts { sender: sender.clone(), part: Vec::new() };
        if let Err(error) = write(&repository, &mut parts).and_then(|()| parts.flush()) {
            // If nobody listens any more, nobody needs to know.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let parts = futures::stream::unfold(receiver, |mut receiver| async {
        let part = receiver.recv().await?;
        Some((part.map(Frame::data).map_err(BodyError::Unreadable), receiver))
    });
    StreamBody::new(parts).boxed_unsync()
}

fn write(repository: &Path, output: &mut impl Write) -> io::Result<()> {
    let mut archive = tar::Builder::new(output);
    archive.mode(tar::HeaderMode::Deterministic);
    archive.follow_symlinks(false);
    for name in FILES {
        let file = repository.join(name);
        if file.is_file() {
            archive.append_path_with_name(&file, name)?;
        }
    }
    for name in DIRECTORIES {
        write_directory(&mut archive, &repository.join(name), Path::new(name), 0)?;
    }
    archive.finish()
}

fn write_directory(
    archive: &mut tar::Builder<impl Write>,
    directory: &Path,
    name: &Path,
    depth: usize,
) -> io::Result<()> {
    if depth > DEPTH_MAX {
        return Err(io::Error::other(format!("{} is nested too deeply", directory.display())));
    }
    let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), name.join(entry.file_name()));
        let ty = entry.file_type()?;
        if ty.is_dir() {
            write_directory(archive, &path, &name, depth + 1)?;
        } else if ty.is_file() && !is_temporary(&entry.file_name().to_string_lossy()) {
            archive.append_path_with_name(&path, &name)?;
        }
    }
    Ok(())
}

/// What a Git that runs, or that was killed, leaves beside the real files.
fn is_temporary(name: &str) -> bool {
    name.ends_with(".lock") || name.starts_with("tmp_") || name.starts_with(".tmp-")
}

/// Cuts what is written into parts and waits while enough of them are on their way.
struct Parts {
    sender: mpsc::Sender<io::Result<Bytes>>,
    part: Vec<u8>,
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.part.is_empty() {
            return Ok(());
        }
        let part = std::mem::take(&mut self.part).into();
        self.sender.blocking_send(Ok(part)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(directory: &Path) {
        for path in ["refs/heads/team", "refs/tags", "objects/ab", "objects/pack", "hooks"] {
            fs::create_dir_all(directory.join(path)).expect("made");
        }
        let files = [
            "HEAD",
            "config",
            "description",
            "packed-refs",
            "hooks/update",
            "refs/heads/main",
            "refs/heads/team/x",
            "refs/heads/main.lock",
            "objects/ab/cdef",
            "objects/ab/tmp_obj_x",
            "objects/pack/pack-1.pack",
        ];
        for file in files {
            fs::write(directory.join(file), file).expect("written");
        }
        std::os::unix::fs::symlink("/etc/passwd", directory.join("refs/heads/link")).expect("a link");
    }

    #[test]
    fn only_history_goes_along() {
        let directory = tempfile::tempdir().expect("a directory");
        repository(directory.path());
        let mut bytes = Vec::new();
        write(directory.path(), &mut bytes).expect("written");
        let mut archive = tar::Archive::new(&bytes[..]);
        let names: Vec<String> = archive
            .entries()
            .expect("an archive")
            .map(|entry| entry.expect("an entry").path().expect("a path").display().to_string())
            .collect();
        let expected = [
            "HEAD",
            "packed-refs",
            "refs/heads/main",
            "refs/heads/team/x",
            "objects/ab/cdef",
            "objects/pack/pack-1.pack",
        ];
        assert_eq!(names, expected);
    }

    #[tokio::test]
    async fn an_archive_of_many_parts_is_whole() {
        let directory = tempfile::tempdir().expect("a directory");
        repository(directory.path());
        let pack: Vec<u8> = (0..PART_BYTES * PARTS_MAX * 2).map(|index| index as u8).collect();
        fs::write(directory.path().join("objects/pack/pack-1.pack"), &pack).expect("written");
        let mut expected = Vec::new();
        write(directory.path(), &mut expected).expect("written");
        let body = archive(directory.path().to_owned()).collect().await.expect("read");
        assert!(body.to_bytes() == expected);
    }

    #[test]
    fn the_object_format_is_what_the_configuration_says() {
        let directory = tempfile::tempdir().expect("a directory");
        let of = |config: &str| {
            fs::write(directory.path().join("config"), config).expect("written");
            object_format(directory.path()).map_err(|error| error.to_string())
        };
        assert_eq!(of("[core]\n\tbare = true\n"), Ok(ObjectFormat::Sha1));
        assert_eq!(of("[extensions]\n\tobjectformat = sha256\n[core]\n\tx = y"), Ok(ObjectFormat::Sha256));
        assert_eq!(
            of("[extensions]\nrefStorage = files\nObjectFormat = \"sha1\" ; x"),
            Ok(ObjectFormat::Sha1)
        );
        let refused = of("[extensions]\nobjectformat = md5").expect_err("unknown");
        assert!(refused.ends_with("the object format md5 is unknown"), "{refused}");
        let refused = of("[extensions]\nrefstorage = reftable").expect_err("no files");
        assert!(refused.contains("keeps its refs in tables"), "{refused}");
    }

    #[test]
    fn what_is_no_repository_or_not_whole_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let error = find(directory.path()).expect_err("an empty directory").to_string();
        assert!(error.ends_with("is no Git repository"), "{error}");
        repository(&directory.path().join(".git"));
        assert_eq!(find(directory.path()).expect("found"), directory.path().join(".git"));
        fs::create_dir_all(directory.path().join(".git/objects/info")).expect("made");
        fs::write(directory.path().join(".git/objects/info/alternates"), "/x").expect("written");
        let error = find(directory.path()).expect_err("borrowed objects").to_string();
        assert!(error.contains("borrows objects"), "{error}");
    }
}
