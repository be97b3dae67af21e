//! The directories of repositories below the repository mount.

use crate::change_lock::ChangeLock;
use crate::limits::{INCOMING_TIME_MAX, SCAN_DEPTH_MAX, SCAN_ENTRIES_MAX};
use lithe_forge::types::{Error, RepositoryId};
use lithe_git::format::ObjectFormat;
use lithe_git::init::{self, init_bare};
use lithe_git::odb::alternates;
use lithe_lfs::Objects;
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// The branch that a new repository's `HEAD` points to.
const DEFAULT_BRANCH: &str = "main";

/// Where archives are unpacked before they become repositories.
const INCOMING: &str = ".incoming";

/// Why something was not done to a directory.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error("{0} is in the way on disk; `lithe repo scan` enters repositories that are not known")]
    Exists(String),
    #[error("{0} is missing on disk")]
    Missing(String),
    /// A name that leads out of the mount.
    #[error("{0:?} is not the name of a repository's directory")]
    Name(String),
    #[error("the directory {directory}: {source}")]
    Io { directory: String, source: io::Error },
    #[error("there are more than {SCAN_ENTRIES_MAX} files and directories to look at")]
    TooMany,
    #[error("other repositories are being changed; try again")]
    Busy,
}

impl From<DiskError> for Error {
    fn from(error: DiskError) -> Self {
        match error {
            DiskError::Exists(_) | DiskError::Missing(_) | DiskError::Busy => {
                Self::Conflict(error.to_string())
            }
            _ => Self::Other(error.to_string()),
        }
    }
}

/// Which repositories lend objects to others.
pub struct Lenders {
    /// How many borrow from each directory of objects.
    borrowers: HashMap<PathBuf, usize>,
    /// Whether it could be told of all repositories.
    is_complete: bool,
}

impl Lenders {
    /// How many repositories are known to borrow from the one at `git_dir`.
    pub fn borrowers(&self, git_dir: &Path) -> usize {
        self.borrowers.get(&git_dir.join("objects")).copied().unwrap_or_default()
    }

    /// Whether none borrows from the one at `git_dir`, for certain.
    pub fn is_no_lender(&self, git_dir: &Path) -> bool {
        self.is_complete && self.borrowers(git_dir) == 0
    }
}

/// The mount that holds the repositories.
pub struct Disk {
    root: PathBuf,
    /// The mount of the large files.
    large_files: PathBuf,
}

impl Disk {
    /// The mount of the component.
    pub fn mounted() -> Self {
        Self::at(Path::new("/repos"), Path::new("/lfs"))
    }

    /// The directories of the repositories and of their large files.
    pub fn at(root: &Path, large_files: &Path) -> Self {
        Self { root: root.to_owned(), large_files: large_files.to_owned() }
    }

    /// The directory that those of all repositories are in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The large files of a repository.
    pub fn large_files(&self, id: RepositoryId) -> Objects {
        Objects::of(&self.large_files, id)
    }

    /// Removes the large files of a repository for good.
    pub fn remove_large_files(&self, id: RepositoryId) -> Result<(), DiskError> {
        self.large_files(id)
            .remove()
            .map_err(|source| io_error(&format!("of the large files of _{id}"), source))
    }

    /// Removes what uploads of large files left behind that were killed.
    pub fn remove_stale_uploads(&self) -> Result<(), DiskError> {
        for id in self.with_large_files()? {
            self.large_files(id).remove_stale(SystemTime::now());
        }
        Ok(())
    }

    /// The numbers of the repositories that have large files.
    pub fn with_large_files(&self) -> Result<Vec<RepositoryId>, DiskError> {
        lithe_lfs::repositories(&self.large_files).map_err(|source| io_error("of the large files", source))
    }

    /// Waits for the right to change which directories there are.
    pub fn lock(&self) -> Result<ChangeLock, DiskError> {
        ChangeLock::acquire(&self.root).map_err(|source| match source.kind() {
            ErrorKind::TimedOut => DiskError::Busy,
            _ => io_error("of the repositories", source),
        })
    }

    /// The place of a repository's `directory`, `team/demo.git`.
    pub fn place(&self, directory: &str) -> Result<PathBuf, DiskError> {
        let path = Path::new(directory);
        let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !is_below || !directory.ends_with(".git") {
            return Err(DiskError::Name(directory.to_owned()));
        }
        Ok(self.root.join(path))
    }

    /// Whether there is anything at `directory`.
    pub fn exists(&self, directory: &str) -> Result<bool, DiskError> {
        let place = self.place(directory)?;
        match fs::symlink_metadata(place) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(source) => Err(io_error(directory, source)),
        }
    }

    /// Makes an empty bare repository of that object format.
    pub fn create(&self, directory: &str, object_format: ObjectFormat) -> Result<(), DiskError> {
        let place = self.place(directory)?;
        init_bare(&place, DEFAULT_BRANCH, object_format).map_err(|error| match error {
            init::Error::Exists { .. } => DiskError::Exists(directory.to_owned()),
            init::Error::Io { source, .. } => io_error(directory, source),
            init::Error::InvalidBranch { .. } => io_error(directory, io::Error::other(error.to_string())),
        })
    }

    /// Moves a repository's directory, makes the directories above its new place, and removes those
    /// above the old one that are empty then.
    ///
    /// Fails with [`DiskError::Exists`] if there is anything at the new place, and with
    /// [`DiskError::Missing`] if there is nothing at the old.
    pub fn relocate(&self, from: &str, to: &str) -> Result<(), DiskError> {
        let (old, new) = (self.place(from)?, self.place(to)?);
        if !self.exists(from)? {
            return Err(DiskError::Missing(from.to_owned()));
        }
        // A rename would replace an empty directory.
        if self.exists(to)? {
            return Err(DiskError::Exists(to.to_owned()));
        }
        let moved = fs::create_dir_all(parent(&new)).and_then(|()| fs::rename(&old, &new));
        if let Err(source) = moved {
            self.remove_empty_above(&new);
            return Err(io_error(to, source));
        }
        self.sync_above(&new);
        self.remove_empty_above(&old);
        self.sync_above(&old);
        Ok(())
    }

    /// Whether the repository in `directory` borrows objects from others.
    pub fn borrows(&self, directory: &str) -> Result<bool, DiskError> {
        let lenders = alternates::named(&self.place(directory)?.join("objects"));
        Ok(lenders.is_ok_and(|lenders| !lenders.is_empty()))
    }

    /// Which repositories lend objects to others: all are looked at.
    pub fn lenders(&self) -> Result<Lenders, DiskError> {
        let mut found = Lenders { borrowers: HashMap::new(), is_complete: true };
        for borrower in self.unknown(&BTreeSet::new())? {
            match alternates::named(&self.place(&borrower)?.join("objects")) {
                Ok(lenders) => {
                    for lender in BTreeSet::from_iter(lenders) {
                        *found.borrowers.entry(lender).or_default() += 1;
                    }
                }
                Err(_) => found.is_complete = false,
            }
        }
        Ok(found)
    }

    /// Removes a repository's directory for good. One that is not there is removed already.
    pub fn remove(&self, directory: &str) -> Result<(), DiskError> {
        let place = self.place(directory)?;
        match fs::remove_dir_all(&place) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(io_error(directory, source)),
        }
        self.remove_empty_above(&place);
        Ok(())
    }

    /// The directories of bare repositories that are not among `known`, in order.
    ///
    /// Symbolic links are not followed, and names that begin with a dot are passed over.
    pub fn unknown(&self, known: &BTreeSet<String>) -> Result<Vec<String>, DiskError> {
        let mut found = Vec::new();
        let mut seen = 0;
        let mut to_visit = vec![(String::new(), 0)];
        while let Some((below, depth)) = to_visit.pop() {
            for (name, is_directory) in self.names(&below, &mut seen)? {
                let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
                if name.starts_with('.') || !is_directory {
                    continue;
                }
                if name.ends_with(".git") {
                    if !known.contains(&path) && looks_like_repository(&self.root.join(&path)) {
                        found.push(path);
                    }
                } else if depth + 1 < SCAN_DEPTH_MAX {
                    to_visit.push((path, depth + 1));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// The names in a directory, and which are directories themselves.
    fn names(&self, below: &str, seen: &mut usize) -> Result<Vec<(String, bool)>, DiskError> {
        let mut names = Vec::new();
        let entries = fs::read_dir(self.root.join(below)).map_err(|e| io_error(below, e))?;
        for entry in entries {
            *seen += 1;
            if *seen > SCAN_ENTRIES_MAX {
                return Err(DiskError::TooMany);
            }
            let entry = entry.map_err(|e| io_error(below, e))?;
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            // A name that is not UTF-8 is no path's.
            if let Ok(name) = entry.file_name().into_string() {
                names.push((name, is_directory));
            }
        }
        Ok(names)
    }

    /// Removes what imports left behind that a crash cut short.
    pub fn clear_incoming(&self) {
        let Ok(entries) = fs::read_dir(self.root.join(INCOMING)) else { return };
        for entry in entries.flatten() {
            let modified = entry.metadata().and_then(|data| data.modified());
            let age = modified.ok().and_then(|modified| modified.elapsed().ok());
            if age.is_some_and(|age| age > INCOMING_TIME_MAX) {
                let path = entry.path();
                // Whichever of the two it is.
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
            }
        }
    }

    /// A new directory's or file's name for what is coming in.
    pub fn incoming(&self, extension: &str) -> Result<PathBuf, DiskError> {
        let directory = self.root.join(INCOMING);
        fs::create_dir_all(&directory).map_err(|source| io_error(INCOMING, source))?;
        Ok(directory.join(format!("{}.{extension}", crate::secret::letters(MADE_UP_NAME_CHARACTERS))))
    }

    /// Puts an unpacked repository in its place, as [`Self::relocate`] does.
    pub fn settle(&self, incoming: &Path, to: &str) -> Result<(), DiskError> {
        let name = incoming.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        self.relocate(&format!("{INCOMING}/{name}"), to)
    }

    fn remove_empty_above(&self, place: &Path) {
        let above = place.ancestors().skip(1).take_while(|above| *above != self.root);
        for directory in above {
            // Fails where it holds something, which is where to stop.
            if fs::remove_dir(directory).is_err() {
                break;
            }
        }
    }

    /// Makes the names on the way to a directory last. Some file systems cannot be told to.
    fn sync_above(&self, place: &Path) {
        for directory in place.ancestors().skip(1).take_while(|above| above.starts_with(&self.root)) {
            let _ = File::open(directory).and_then(|directory| directory.sync_all());
        }
    }
}

const MADE_UP_NAME_CHARACTERS: usize = 16;

fn parent(place: &Path) -> &Path {
    place.parent().expect("a place is below the root")
}

/// The object format that somebody names.
pub fn object_format(named: lithe_operator::ObjectFormat) -> ObjectFormat {
    match named {
        lithe_operator::ObjectFormat::Sha1 => ObjectFormat::Sha1,
        lithe_operator::ObjectFormat::Sha256 => ObjectFormat::Sha256,
    }
}

fn io_error(directory: &str, source: io::Error) -> DiskError {
    DiskError::Io { directory: directory.to_owned(), source }
}

fn looks_like_repository(place: &Path) -> bool {
    let kind = |name: &str| fs::symlink_metadata(place.join(name)).map(|data| data.file_type());
    kind("HEAD").is_ok_and(|kind| kind.is_file())
        && kind("objects").is_ok_and(|kind| kind.is_dir())
        && kind("refs").is_ok_and(|kind| kind.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk() -> (tempfile::TempDir, Disk) {
        let root = tempfile::tempdir().expect("a temporary directory");
        let disk = Disk::at(root.path(), &root.path().join(".lfs"));
        (root, disk)
    }

    fn names(root: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(root)
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn whoever_may_lend_objects_is_no_longer_sure_not_to() {
        let (root, disk) = disk();
        for directory in ["lender.git", "one.git", "group/two.git", "alone.git"] {
            disk.create(directory, ObjectFormat::Sha1).unwrap();
        }
        let place = |directory: &str| disk.place(directory).expect("a name");
        let lend_to = |borrower: &str, text: &str| {
            let info = root.path().join(borrower).join("objects/info");
            fs::create_dir_all(&info).expect("made");
            fs::write(info.join("alternates"), text).expect("written");
        };
        let lender = place("lender.git").join("objects");
        // Named twice, it is still one borrower.
        lend_to("one.git", &format!("{0}\n{0}\n", lender.display()));
        lend_to("group/two.git", &format!("{}\n", lender.display()));
        let found = disk.lenders().expect("readable");
        assert_eq!(
            ["lender.git", "one.git", "alone.git"].map(|name| found.borrowers(&place(name))),
            [2, 0, 0]
        );
        assert!(!found.is_no_lender(&place("lender.git")) && found.is_no_lender(&place("alone.git")));

        let unreadable = root.path().join("one.git/objects/info/alternates");
        fs::remove_file(&unreadable).and_then(|()| fs::create_dir(&unreadable)).expect("made");
        let found = disk.lenders().expect("readable");
        assert_eq!(found.borrowers(&place("lender.git")), 1);
        assert!(!found.is_no_lender(&place("alone.git")), "it may be what cannot be read of");
    }

    #[test]
    fn a_repository_moves_with_the_directories_above_it() {
        let (root, disk) = disk();
        disk.create("a/b/c.git", ObjectFormat::Sha1).unwrap();
        disk.create("a/d.git", ObjectFormat::Sha1).unwrap();
        disk.relocate("a/b/c.git", "x/y/z.git").unwrap();
        assert_eq!(names(root.path()), ["a", "x"]);
        assert_eq!(names(&root.path().join("a")), ["d.git"], "the empty group is gone");
        assert!(root.path().join("x/y/z.git/HEAD").is_file());
        disk.relocate("a/d.git", "d.git").unwrap();
        assert_eq!(names(root.path()), ["d.git", "x"]);
    }

    #[test]
    fn nothing_is_replaced_by_a_move() {
        let (root, disk) = disk();
        disk.create("a.git", ObjectFormat::Sha1).unwrap();
        fs::create_dir(root.path().join("b.git")).unwrap();
        fs::write(root.path().join("c.git"), "").unwrap();
        for taken in ["b.git", "c.git", "a.git"] {
            assert!(matches!(disk.relocate("a.git", taken), Err(DiskError::Exists(_))), "{taken}");
        }
        assert!(matches!(disk.relocate("z.git", "y.git"), Err(DiskError::Missing(_))));
        assert!(matches!(disk.create("a.git", ObjectFormat::Sha1), Err(DiskError::Exists(_))));
        assert!(root.path().join("a.git/HEAD").is_file());
    }

    #[test]
    fn a_move_that_fails_leaves_nothing_behind() {
        let (root, disk) = disk();
        disk.create("a.git", ObjectFormat::Sha1).unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        assert!(matches!(disk.relocate("a.git", "file/b.git"), Err(DiskError::Io { .. })));
        assert_eq!(names(root.path()), ["a.git", "file"]);
    }

    #[test]
    fn removal_takes_the_empty_directories_above_along() {
        let (root, disk) = disk();
        disk.create("a/b/c.git", ObjectFormat::Sha1).unwrap();
        disk.remove("a/b/c.git").unwrap();
        assert!(names(root.path()).is_empty());
        disk.remove("a/b/c.git").unwrap();
    }

    #[test]
    fn names_stay_below_the_mount() {
        let (_root, disk) = disk();
        for name in ["../a.git", "/a.git", "a/../../b.git", "a", "", "./a.git"] {
            assert!(matches!(disk.create(name, ObjectFormat::Sha1), Err(DiskError::Name(_))), "{name}");
        }
    }

    #[test]
    fn a_scan_finds_what_is_not_known() {
        let (root, disk) = disk();
        for directory in ["a.git", "team/b.git", "team/deep/c.git", ".deleted/1.git", "known.git"] {
            disk.create(directory, ObjectFormat::Sha1).unwrap();
        }
        fs::create_dir_all(root.path().join("empty.git")).unwrap();
        fs::write(root.path().join("file.git"), "").unwrap();
        std::os::unix::fs::symlink(root.path().join("a.git"), root.path().join("link.git")).unwrap();
        std::os::unix::fs::symlink(root.path(), root.path().join("loop")).unwrap();
        let known = BTreeSet::from(["known.git".to_owned()]);
        let expected = ["a.git", "team/b.git", "team/deep/c.git"];
        assert_eq!(disk.unknown(&known).unwrap(), expected);
    }

    #[test]
    fn what_imports_left_behind_is_removed_once_it_is_old() {
        let (root, disk) = disk();
        let old = std::time::SystemTime::now() - 2 * INCOMING_TIME_MAX;
        for (name, is_old) in [("old.tar", true), ("new.tar", false)] {
            fs::create_dir_all(root.path().join(INCOMING)).unwrap();
            let file = File::create(root.path().join(INCOMING).join(name)).unwrap();
            if is_old {
                file.set_modified(old).unwrap();
            }
        }
        disk.clear_incoming();
        assert_eq!(names(&root.path().join(INCOMING)), ["new.tar"]);
    }

    #[test]
    fn a_scan_has_a_depth() {
        let (_root, disk) = disk();
        let deep = |groups: usize| format!("{}r.git", "d/".repeat(groups));
        disk.create(&deep(SCAN_DEPTH_MAX - 1), ObjectFormat::Sha1).unwrap();
        disk.create(&deep(SCAN_DEPTH_MAX), ObjectFormat::Sha1).unwrap();
        assert_eq!(disk.unknown(&BTreeSet::new()).unwrap(), [deep(SCAN_DEPTH_MAX - 1)]);
    }
}
