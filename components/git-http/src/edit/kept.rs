//! Files that were uploaded to be looked at, and wait to be committed.
//!
//! They lie in the cache, outside the repository, as a file for each upload, below the number of whoever
//! uploaded it. Its name is a digest of what it holds and of who may use it where: so a form that carries the
//! name gets the very bytes that its preview showed, and a name is of no use to anybody else, or in another
//! repository. Nothing breaks where they are gone: files are then chosen once more.

use super::limits::{KEPT_BYTES_MAX, KEPT_OF_ONE_BYTES_MAX, KEPT_OF_ONE_MAX, KEPT_SECONDS_MAX};
use bytes::{Buf as _, Bytes};
use lithe_forge::types::{RepositoryId, UserId};
use lithe_web::multipart::File;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, iter};

const FORMAT: &[u8] = b"lithe upload 1\n";

/// The digits of a digest.
const NAME_LEN: usize = 64;

/// Where one user's uploads to one repository wait.
pub struct Kept<'a> {
    /// Of all users.
    pub directory: &'a Path,
    pub user: UserId,
    pub repository: RepositoryId,
}

impl Kept<'_> {
    /// Keeps files, and returns the name to find them by. Uploads that are too old go, and as many of the
    /// oldest as there has to be room for.
    pub fn keep(&self, files: &[File], now: SystemTime) -> io::Result<String> {
        let contents = write(files);
        let name = self.name_of(&contents);
        sweep(self.directory, now);
        let own = self.directory.join(self.user.to_string());
        let room = KEPT_OF_ONE_BYTES_MAX.saturating_sub(contents.len() as u64);
        make_room(uploads_in(&own), room, KEPT_OF_ONE_MAX - 1);
        let room = KEPT_BYTES_MAX.saturating_sub(contents.len() as u64);
        make_room(uploads(self.directory), room, usize::MAX);
        fs::create_dir_all(&own)?;
        let temporary = own.join(format!("{:016x}", RandomState::new().hash_one(&name)));
        let written = fs::File::create(&temporary).and_then(|mut file| file.write_all(&contents));
        let outcome = written.and_then(|()| fs::rename(&temporary, own.join(&name)));
        if outcome.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        outcome.map(|()| name)
    }

    /// The files of that name; none: they are not there any more, or were never this user's here.
    pub fn find(&self, name: &str, now: SystemTime) -> Option<Vec<File>> {
        let path = self.path(name)?;
        if is_over(&fs::metadata(&path).ok()?, now) {
            return None;
        }
        let contents = fs::read(&path).ok().filter(|contents| self.name_of(contents) == name)?;
        read(contents.into())
    }

    /// Removes the files of that name.
    pub fn remove(&self, name: &str) {
        if let Some(path) = self.path(name) {
            let _ = fs::remove_file(path);
        }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        let is_digest = name.len() == NAME_LEN && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| self.directory.join(self.user.to_string()).join(name))
    }

    fn name_of(&self, contents: &[u8]) -> String {
        let mut digest = Sha256::new();
        digest.update(self.user.to_be_bytes());
        digest.update(self.repository.to_be_bytes());
        digest.update(contents);
        digest.finalize().iter().fold(String::new(), |mut name, byte| {
            write!(name, "{byte:02x}").expect("a string takes it");
            name
        })
    }
}

/// Removes what has waited for too long.
pub fn sweep(directory: &Path, now: SystemTime) {
    for upload in uploads(directory) {
        if upload.is_over(now) {
            let _ = fs::remove_file(&upload.path);
        }
    }
    for own in directories(directory) {
        // That of who has nothing there any more; others are not empty, and stay.
        let _ = fs::remove_dir(own);
    }
}

/// An upload that waits, or a part of one whose writer was stopped.
struct Upload {
    path: PathBuf,
    bytes: u64,
    kept: SystemTime,
}

impl Upload {
    fn is_over(&self, now: SystemTime) -> bool {
        // The clock may have been set back.
        let age = now.duration_since(self.kept).or_else(|_| self.kept.duration_since(now));
        age.unwrap_or_default() > Duration::from_secs(KEPT_SECONDS_MAX)
    }
}

fn is_over(metadata: &fs::Metadata, now: SystemTime) -> bool {
    let kept = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    Upload { path: PathBuf::new(), bytes: 0, kept }.is_over(now)
}

fn uploads(directory: &Path) -> Vec<Upload> {
    directories(directory).flat_map(|own| uploads_in(&own)).collect()
}

fn directories(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(directory).ok().into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir())
}

fn uploads_in(own: &Path) -> Vec<Upload> {
    let entries = fs::read_dir(own).ok().into_iter().flatten().flatten();
    let uploads = entries.filter_map(|entry| {
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        let kept = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Some(Upload { path: entry.path(), bytes: metadata.len(), kept })
    });
    uploads.collect()
}

/// Removes the oldest until the rest has at most so many bytes, in so many uploads.
fn make_room(mut uploads: Vec<Upload>, bytes_max: u64, count_max: usize) {
    uploads.sort_by_key(|upload| std::cmp::Reverse(upload.kept));
    let mut bytes: u64 = uploads.iter().map(|upload| upload.bytes).sum();
    while bytes > bytes_max || uploads.len() > count_max {
        let Some(oldest) = uploads.pop() else { return };
        bytes -= oldest.bytes;
        let _ = fs::remove_file(oldest.path);
    }
}

/// The files behind each other, each with the lengths of its name and of itself before it.
fn write(files: &[File]) -> Vec<u8> {
    let bytes: usize = files.iter().map(|file| 12 + file.name.len() + file.bytes.len()).sum();
    let mut contents = Vec::with_capacity(FORMAT.len() + bytes);
    contents.extend(FORMAT);
    for file in files {
        let name_len = u32::try_from(file.name.len()).expect("a form with its names is far smaller");
        contents.extend(name_len.to_be_bytes());
        contents.extend((file.bytes.len() as u64).to_be_bytes());
        contents.extend(file.name.as_bytes());
        contents.extend(&file.bytes[..]);
    }
    contents
}

fn read(mut contents: Bytes) -> Option<Vec<File>> {
    if !contents.starts_with(FORMAT) {
        return None;
    }
    contents.advance(FORMAT.len());
    let file = |contents: &mut Bytes| {
        let name_len = usize::try_from(contents.try_get_u32().ok()?).ok()?;
        let len = usize::try_from(contents.try_get_u64().ok()?).ok()?;
        if contents.len() < name_len.checked_add(len)? {
            return None;
        }
        let name = String::from_utf8(contents.split_to(name_len).to_vec()).ok()?;
        Some(File { field: "files".to_owned(), name, bytes: contents.split_to(len) })
    };
    iter::from_fn(|| (!contents.is_empty()).then(|| file(&mut contents))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_fuzz::fuzz;

    fn file(name: &str, bytes: &[u8]) -> File {
        File { field: "files".into(), name: name.into(), bytes: Bytes::copy_from_slice(bytes) }
    }

    fn kept(directory: &Path, user: UserId, repository: RepositoryId) -> Kept<'_> {
        Kept { directory, user, repository }
    }

    fn later(seconds: u64) -> SystemTime {
        SystemTime::now() + Duration::from_secs(seconds)
    }

    #[test]
    fn files_come_back_as_they_were_and_to_their_owner_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let files = [file("a \"b\"\n", b"\0\r\n\xff"), file("empty", b""), file("ż/é", b"x")];
        let own = kept(directory.path(), 1, 2);
        let name = own.keep(&files, SystemTime::now()).expect("there is room");
        assert_eq!(own.find(&name, SystemTime::now()).as_deref(), Some(&files[..]));
        for other in [kept(directory.path(), 2, 2), kept(directory.path(), 1, 3)] {
            assert_eq!(other.find(&name, SystemTime::now()), None);
            // Not even where one user's file comes to lie in another's place.
            let place = directory.path().join(other.user.to_string());
            fs::create_dir_all(&place).expect("a directory");
            if other.user != 1 {
                fs::copy(directory.path().join("1").join(&name), place.join(&name)).expect("a copy");
            }
            assert_eq!(other.find(&name, SystemTime::now()), None);
        }
        for wrong in ["", "../1", &name[1..], &format!("../1/{}", &name[5..]), &"0".repeat(NAME_LEN)] {
            assert_eq!(own.find(wrong, SystemTime::now()), None, "{wrong}");
            own.remove(wrong);
        }
        own.remove(&name);
        assert_eq!(own.find(&name, SystemTime::now()), None);
    }

    #[test]
    fn damage_is_noticed() {
        let directory = tempfile::tempdir().expect("a directory");
        let own = kept(directory.path(), 1, 2);
        let name = own.keep(&[file("a", b"contents")], SystemTime::now()).expect("there is room");
        let path = directory.path().join("1").join(&name);
        let whole = fs::read(&path).expect("it is there");
        for damaged in [&whole[..whole.len() - 1], b"", &[&whole[..], b"x"].concat()] {
            fs::write(&path, damaged).expect("it is written");
            assert_eq!(own.find(&name, SystemTime::now()), None);
        }
    }

    #[test]
    fn what_waits_for_too_long_goes() {
        let directory = tempfile::tempdir().expect("a directory");
        let own = kept(directory.path(), 1, 2);
        let name = own.keep(&[file("a", b"a")], SystemTime::now()).expect("there is room");
        assert!(own.find(&name, later(KEPT_SECONDS_MAX - 10)).is_some());
        assert!(own.find(&name, later(KEPT_SECONDS_MAX + 10)).is_none());
        sweep(directory.path(), later(KEPT_SECONDS_MAX - 10));
        assert!(own.find(&name, SystemTime::now()).is_some());
        sweep(directory.path(), later(KEPT_SECONDS_MAX + 10));
        assert_eq!(fs::read_dir(directory.path()).expect("the directory").count(), 0);
        // Where nothing was kept yet, there is nothing to sweep.
        sweep(&directory.path().join("none"), SystemTime::now());
    }

    #[test]
    fn one_user_and_all_have_so_much_room() {
        let directory = tempfile::tempdir().expect("a directory");
        let half = vec![b'x'; KEPT_OF_ONE_BYTES_MAX as usize / 2 - 100];
        let keep = |user: UserId, name: &str| {
            kept(directory.path(), user, 9).keep(&[file(name, &half)], SystemTime::now()).expect("room")
        };
        let is_there =
            |user, name: &String| kept(directory.path(), user, 9).find(name, SystemTime::now()).is_some();
        let names = [keep(1, "a"), keep(1, "b"), keep(1, "c")];
        assert_eq!(names.iter().filter(|name| is_there(1, name)).count(), 2);
        assert!(is_there(1, &names[2]));
        // Others' room is their own, until all of it is taken.
        let others = [keep(2, "a"), keep(2, "b")];
        assert!(is_there(1, &names[2]) && others.iter().all(|name| is_there(2, name)));
        let last = keep(3, "a");
        assert!(is_there(3, &last));
        assert_eq!(uploads(directory.path()).len(), 4);
    }

    #[test]
    fn one_user_has_so_many() {
        let directory = tempfile::tempdir().expect("a directory");
        let own = kept(directory.path(), 1, 2);
        let keep = |number: usize| {
            own.keep(&[file(&number.to_string(), b"")], SystemTime::now()).expect("there is room")
        };
        let names: Vec<String> = (0..=KEPT_OF_ONE_MAX).map(keep).collect();
        assert_eq!(uploads(directory.path()).len(), KEPT_OF_ONE_MAX);
        assert!(own.find(&names[KEPT_OF_ONE_MAX], SystemTime::now()).is_some());
    }

    #[test]
    fn any_bytes_are_files_or_none() {
        fuzz("kept-upload", |bytes| {
            let contents = [FORMAT, bytes].concat();
            if let Some(files) = read(contents.clone().into()) {
                assert_eq!(write(&files), contents);
            }
        });
    }
}
