//! Taking an object in.
//!
//! The order, each step of which may be the last one before a kill or a loss of power:
//!
//! 1. The bytes are written to `<id>/incoming/<random>` as they arrive, and hashed on the way. Until
//!    here, whatever happens leaves a file that nobody reads, removed at once or by
//!    [`Objects::remove_stale`].
//! 2. Once they are as many as announced and have the name that they came by, the file is synced.
//! 3. It gets its place by a hard link, which of several uploads of one object at once only the first
//!    can make, and loses its name in `incoming`.
//! 4. The directories on the way to its place are synced, and the upload is acknowledged.

use crate::limits::WRITE_BYTES;
use crate::refusal::Refusal;
use lithe_git::durable::sync_directory;
use lithe_lfs::{Objects, Oid};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::path::PathBuf;
use std::time::SystemTime;

/// An object that is coming in. Dropping it removes what came.
#[derive(Debug)]
pub struct Upload {
    path: PathBuf,
    file: BufWriter<File>,
    hasher: Sha256,
    size: u64,
}

impl Upload {
    /// Begins an upload, and removes what earlier ones left behind.
    pub fn begin(objects: &Objects) -> io::Result<Self> {
        let incoming = objects.incoming();
        fs::create_dir_all(&incoming)?;
        objects.remove_stale(SystemTime::now());
        let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
        let path = incoming.join(format!("{random:016x}"));
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        let file = BufWriter::with_capacity(WRITE_BYTES, file);
        Ok(Self { path, file, hasher: Sha256::new(), size: 0 })
    }

    /// Takes the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// How many bytes came.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Makes sure that what came is `oid`, has as many bytes as announced, and is on disk.
    pub fn verify(&mut self, oid: &Oid, announced: Option<u64>) -> Result<(), Refusal> {
        if announced.is_some_and(|announced| announced != self.size) {
            return Err(Refusal::Cut);
        }
        let found = Oid::of_digest(&std::mem::take(&mut self.hasher).finalize());
        if found != *oid {
            return Err(Refusal::Mismatch(format!("The bytes that came are those of object {found}.")));
        }
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok(())
    }

    /// Puts a verified object in its place. Returns whether it was not there yet.
    pub fn keep(self, objects: &Objects, oid: &Oid) -> io::Result<bool> {
        let place = objects.path(oid);
        let directory = place.parent().expect("an object lies in a directory");
        fs::create_dir_all(directory)?;
        let is_new = match fs::hard_link(&self.path, &place) {
            Ok(()) => true,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
            // The disk knows no links.
            Err(_) if !place.exists() => fs::rename(&self.path, &place).map(|()| true)?,
            Err(error) => return Err(error),
        };
        for above in directory.ancestors().take_while(|above| above.starts_with(objects.directory())) {
            sync_directory(above)?;
        }
        Ok(is_new)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // What cannot be removed now is found by `Objects::remove_stale`.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn objects() -> (tempfile::TempDir, Objects) {
        let root = tempfile::tempdir().expect("a directory");
        let objects = Objects::of(root.path(), 7);
        (root, objects)
    }

    fn name(bytes: &[u8]) -> Oid {
        Oid::of_digest(&Sha256::digest(bytes))
    }

    fn upload(
        objects: &Objects,
        oid: &Oid,
        pieces: &[&[u8]],
        announced: Option<u64>,
    ) -> Result<bool, Refusal> {
        let mut upload = Upload::begin(objects)?;
        for piece in pieces {
            upload.write(piece)?;
        }
        upload.verify(oid, announced)?;
        Ok(upload.keep(objects, oid)?)
    }

    /// Every file of the repository, by its path below the mount.
    fn files(root: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut to_visit = vec![root.to_owned()];
        while let Some(directory) = to_visit.pop() {
            for entry in fs::read_dir(directory).expect("readable") {
                let path = entry.expect("readable").path();
                match path.is_dir() {
                    true => to_visit.push(path),
                    false => found.push(path.strip_prefix(root).expect("below").display().to_string()),
                }
            }
        }
        found
    }

    #[test]
    fn an_object_gets_its_place() {
        let (root, objects) = objects();
        let oid = name(b"hello");
        assert_eq!(upload(&objects, &oid, &[b"hel", b"lo"], Some(5)), Ok(true));
        let place = format!("7/objects/{}/{}/{oid}", &oid.as_str()[..2], &oid.as_str()[2..4]);
        assert_eq!(files(root.path()), [place]);
        assert_eq!(objects.size(&oid).expect("readable"), Some(5));
        assert_eq!(fs::read(objects.path(&oid)).expect("readable"), b"hello");
        assert_eq!(upload(&objects, &oid, &[b"hello"], None), Ok(false), "it is there already");
        assert_eq!(files(root.path()).len(), 1);
        assert_eq!(upload(&objects, &name(b""), &[], Some(0)), Ok(true));
    }

    #[test]
    fn what_is_wrong_or_cut_leaves_nothing_behind() {
        let (root, objects) = objects();
        let oid = name(b"hello");
        let refused = upload(&objects, &oid, &[b"hullo"], Some(5));
        assert!(matches!(refused, Err(Refusal::Mismatch(_))), "{refused:?}");
        assert_eq!(upload(&objects, &oid, &[b"hel"], Some(5)), Err(Refusal::Cut));
        assert_eq!(upload(&objects, &oid, &[b"hello"], Some(4)), Err(Refusal::Cut));
        let mut cut = Upload::begin(&objects).expect("begun");
        cut.write(b"hel").expect("written");
        drop(cut);
        assert_eq!(files(root.path()), [""; 0]);
        assert_eq!(objects.size(&oid).expect("readable"), None);
    }

    #[test]
    fn of_several_at_once_one_is_new() {
        let (_root, objects) = objects();
        let bytes = vec![7; 100_000];
        let oid = name(&bytes);
        let new = std::thread::scope(|scope| {
            let uploads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| upload(&objects, &oid, &[&bytes], None).expect("it is taken")))
                .collect();
            uploads.into_iter().map(|one| usize::from(one.join().expect("it ends"))).sum::<usize>()
        });
        assert_eq!(new, 1);
        assert_eq!(objects.size(&oid).expect("readable"), Some(100_000));
    }
}
