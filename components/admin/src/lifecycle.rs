//! The life of a repository on both sides: in the store, and as a directory.
//!
//! Each step states its order, so that a crash in between leaves nothing lost; the next step, and
//! [`Lifecycle::scan`], finish what a crash left half done. There is one step at a time.

use crate::disk::{Disk, DiskError};
use crate::registry::Registry;
use lithe_access::RepoPath;
use lithe_forge::repositories::NewRepository;
use lithe_forge::types::{Error, InvalidField, Repository, RepositoryId};
use lithe_git::format::ObjectFormat;
use std::collections::BTreeSet;
use std::path::Path;

/// How a repository that borrows objects stops to.
const STAND_ALONE: &str = "first run `git repack -a -d` there and remove objects/info/alternates";
const BORROWS: &str = "it borrows objects from another repository, which it would not find from elsewhere; \
    first run `git repack -a -d` in it and remove objects/info/alternates";

/// Both sides together.
pub struct Lifecycle<'a, R> {
    pub registry: &'a R,
    pub disk: &'a Disk,
}

/// What a scan did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// The paths of repositories that were entered.
    pub entered: Vec<String>,
    /// The paths of repositories whose half-done rename or deletion was finished.
    pub finished: Vec<String>,
    /// Directories that could not be entered, and why.
    pub refused: Vec<(String, String)>,
}

impl<R: Registry> Lifecycle<'_, R> {
    /// Makes an empty repository of that object format: the directory first, then its entry.
    pub fn create(&self, new: &NewRepository, object_format: ObjectFormat) -> Result<Repository, Error> {
        let directory = directory_of("path", &new.path)?;
        self.registry.check_new(new)?;
        let _lock = self.disk.lock()?;
        self.disk.create(&directory, object_format)?;
        self.enter(new, &directory)
    }

    /// Fails as making the repository would. Nothing is changed.
    pub fn check(&self, new: &NewRepository) -> Result<(), Error> {
        directory_of("path", &new.path)?;
        self.registry.check_new(new)
    }

    /// Makes a repository of the directory that was unpacked at `incoming`.
    pub fn adopt(&self, new: &NewRepository, incoming: &Path) -> Result<Repository, Error> {
        let directory = directory_of("path", &new.path)?;
        self.registry.check_new(new)?;
        let _lock = self.disk.lock()?;
        self.disk.settle(incoming, &directory)?;
        self.enter(new, &directory)
    }

    /// Enters the repository whose directory is new, or removes that again; but not if somebody
    /// else, such as a scan, has entered it meanwhile: then the path is taken, whether or not its
    /// repository may be seen.
    fn enter(&self, new: &NewRepository, directory: &str) -> Result<Repository, Error> {
        self.registry.create(new).inspect_err(|_| {
            if !matches!(self.registry.check_new(new), Err(Error::Conflict(_) | Error::Other(_))) {
                let _ = self.disk.remove(directory);
            }
        })
    }

    /// Gives a repository a new path: the entry first, then the directory.
    pub fn rename(&self, path: &str, new_path: &str) -> Result<Repository, Error> {
        let directory = directory_of("new-path", new_path)?;
        let _lock = self.disk.lock()?;
        // Taken back it is to its own path, whichever address it was called by.
        let mut before = self.registry.open(path)?;
        let is_taken_back = before.directory == directory && self.disk.exists(&directory)?;
        if !is_taken_back && self.finish(&before)? {
            before = self.registry.open(&before.path)?;
        }
        self.check_lends_nothing(&before.directory)?;
        if self.disk.borrows(&before.directory)? {
            return Err(Error::Conflict(BORROWS.to_owned()));
        }
        let renamed = self.registry.begin_rename(&before.path, new_path)?;
        if renamed.directory == directory {
            return Ok(renamed);
        }
        match self.disk.relocate(&renamed.directory, &directory) {
            Ok(()) => self.registry.finish_rename(&renamed.path),
            Err(error) => {
                self.registry.begin_rename(&renamed.path, &before.path)?;
                Err(error.into())
            }
        }
    }

    /// Deletes a repository so that it can be restored: the entry first, then the directory.
    ///
    /// A rename that was cut short is finished before, since where the directory lies is not known
    /// from the entry any more once it says where it is to lie.
    pub fn delete(&self, path: &str) -> Result<Repository, Error> {
        let _lock = self.disk.lock()?;
        let mut before = self.registry.open(path)?;
        if self.finish(&before)? {
            before = self.registry.open(&before.path)?;
        }
        self.check_lends_nothing(&before.directory)?;
        let deleted = self.registry.delete(&before.path)?;
        match self.disk.relocate(&before.directory, &deleted.directory) {
            // Without a directory there is nothing to keep.
            Ok(()) | Err(DiskError::Missing(_)) => Ok(deleted),
            Err(error) => {
                self.registry.restore(deleted.id)?;
                Err(error.into())
            }
        }
    }

    /// Fails if others borrow objects from the repository in a directory: they would miss them.
    fn check_lends_nothing(&self, directory: &str) -> Result<(), Error> {
        match self.disk.lenders()?.borrowers(&self.disk.place(directory)?) {
            0 => Ok(()),
            1 => Err(Error::Conflict(format!("a repository borrows objects from it; {STAND_ALONE}"))),
            count => {
                Err(Error::Conflict(format!("{count} repositories borrow objects from it; {STAND_ALONE}")))
            }
        }
    }

    /// Brings a deleted repository back: the directory first, then the entry.
    pub fn restore(&self, id: RepositoryId) -> Result<Repository, Error> {
        let _lock = self.disk.lock()?;
        let deleted = self.deleted(id)?;
        let directory = directory_of("path", &deleted.path)?;
        // It is back, or was never away, where a restoration or the deletion was cut short.
        let is_back = !self.disk.exists(&deleted.directory)? && self.disk.exists(&directory)?;
        if !is_back {
            self.disk.relocate(&deleted.directory, &directory)?;
        }
        self.registry.restore(id).inspect_err(|_| {
            if !is_back {
                let _ = self.disk.relocate(&directory, &deleted.directory);
            }
        })
    }

    /// The deleted repository of that number. Who may see all of them is not shown those that were
    /// deleted before many others, and has to look further.
    fn deleted(&self, id: RepositoryId) -> Result<Repository, Error> {
        let is_it = |repository: &Repository| repository.id == id && repository.deleted.is_some();
        match self.registry.deleted()?.into_iter().find(is_it) {
            Some(repository) => Ok(repository),
            None => self.registry.all().ok().into_iter().flatten().find(is_it).ok_or(Error::NotFound),
        }
    }

    /// Forgets a deleted repository for good: the entry first, then the directory and the large files.
    pub fn purge(&self, id: RepositoryId) -> Result<Repository, Error> {
        let lock = self.disk.lock()?;
        let deleted = self.deleted(id)?;
        self.registry.purge(id)?;
        drop(lock); // Nobody else knows the directory any more, and it may be large.
        self.disk.remove(&deleted.directory)?;
        self.disk.remove_large_files(id)?;
        Ok(deleted)
    }

    /// Finishes renames and deletions that were cut short, and enters the repositories that are on
    /// disk and not known. Those are private: nobody has said yet who may read them.
    pub fn scan(&self) -> Result<Scan, Error> {
        self.disk.clear_incoming();
        let mut scan = Scan::default();
        for repository in self.registry.all()? {
            if self.is_cut_short(&repository)? {
                let _lock = self.disk.lock()?;
                // It may have been under way, and not cut short.
                let now = match self.registry.open(&format!("_{}", repository.id)) {
                    Err(Error::NotFound) => repository.deleted.is_some().then_some(repository),
                    now => Some(now?),
                };
                if let Some(repository) = now
                    && self.finish(&repository)?
                {
                    scan.finished.push(repository.path);
                }
            }
        }
        let known: BTreeSet<String> =
            self.registry.all()?.into_iter().map(|repository| repository.directory).collect();
        for directory in self.disk.unknown(&known)? {
            let path = directory.strip_suffix(".git").unwrap_or(&directory);
            let _lock = self.disk.lock()?;
            // What was being moved when it was found is somewhere else.
            if !self.disk.exists(&directory)? {
                continue;
            }
            match self.enter_found(path) {
                Ok(()) => scan.entered.push(path.to_owned()),
                Err(Error::Other(message)) => return Err(Error::Other(message)),
                Err(error) => scan.refused.push((directory, crate::words::of_error(&error))),
            }
        }
        self.scan_large_files(&mut scan)?;
        Ok(scan)
    }

    /// Removes what uploads left behind, and tells of large files that belong to no repository. They are left alone: the database may be an
    /// old one, and they somebody's only copy.
    fn scan_large_files(&self, scan: &mut Scan) -> Result<(), Error> {
        self.disk.remove_stale_uploads()?;
        // The files first: whose repository is made meanwhile is among those read afterwards.
        let numbers = self.disk.with_large_files()?;
        if numbers.is_empty() {
            return Ok(());
        }
        let known: BTreeSet<RepositoryId> = self.registry.all()?.into_iter().map(|one| one.id).collect();
        let unclaimed = numbers.into_iter().filter(|number| !known.contains(number));
        scan.refused.extend(unclaimed.map(|number| {
            (
                format!("lfs/{number}"),
                "no repository has this number; remove it if it is not needed".to_owned(),
            )
        }));
        Ok(())
    }

    fn enter_found(&self, path: &str) -> Result<(), Error> {
        directory_of("path", path)?;
        let new = NewRepository { path: path.to_owned(), description: String::new(), is_private: true };
        self.registry.create(&new).map(|_| ())
    }

    /// Whether a rename or deletion is under way or was cut short.
    fn is_cut_short(&self, repository: &Repository) -> Result<bool, Error> {
        let own = format!("{}.git", repository.path);
        if repository.deleted.is_none() {
            return Ok(repository.directory != own);
        }
        Ok(!self.disk.exists(&repository.directory)?
            && self.disk.exists(&own)?
            && matches!(self.registry.open(&repository.path), Err(Error::NotFound)))
    }

    /// Finishes a rename or deletion that was cut short. Returns whether there was one.
    fn finish(&self, repository: &Repository) -> Result<bool, Error> {
        if !self.is_cut_short(repository)? {
            return Ok(false);
        }
        let own = format!("{}.git", repository.path);
        if repository.deleted.is_some() {
            self.disk.relocate(&own, &repository.directory)?;
            return Ok(true);
        }
        if self.disk.exists(&repository.directory)? {
            self.disk.relocate(&repository.directory, &own)?;
        }
        self.registry.finish_rename(&repository.path)?;
        Ok(true)
    }
}

/// The directory of the repository at `path`; `field` is what the path was given in.
fn directory_of(field: &str, path: &str) -> Result<String, Error> {
    match RepoPath::parse(path) {
        Ok(path) => Ok(path.directory()),
        Err(error) => {
            let field = InvalidField { name: field.to_owned(), reason: error.to_string() };
            Err(Error::Invalid(field))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    /// A registry in memory. It fails at the call named by `fails_at`.
    #[derive(Default)]
    struct Memory {
        repositories: RefCell<Vec<Repository>>,
        fails_at: Cell<&'static str>,
        /// Whether somebody else enters a repository, which the caller may not see, before a call
        /// of `create` does.
        is_beaten: Cell<bool>,
        large_file_bytes: Cell<u64>,
    }

    impl Memory {
        fn fail(&self, call: &'static str) -> Result<(), Error> {
            match self.fails_at.get() == call {
                true => Err(Error::Other(format!("{call} failed"))),
                false => Ok(()),
            }
        }

        fn change(
            &self,
            find: impl Fn(&Repository) -> bool,
            change: impl Fn(&mut Repository),
        ) -> Result<Repository, Error> {
            let mut repositories = self.repositories.borrow_mut();
            let repository = repositories.iter_mut().find(|r| find(r)).ok_or(Error::NotFound)?;
            change(repository);
            Ok(repository.clone())
        }

        fn directories(&self) -> Vec<String> {
            self.repositories.borrow().iter().map(|r| r.directory.clone()).collect()
        }
    }

    impl Registry for Memory {
        fn check_new(&self, new: &NewRepository) -> Result<(), Error> {
            match self.repositories.borrow().iter().any(|r| r.path == new.path && r.deleted.is_none()) {
                true => Err(Error::Conflict("taken".into())),
                false => self.fail("check-new"),
            }
        }

        fn create(&self, new: &NewRepository) -> Result<Repository, Error> {
            self.fail("create")?;
            let repository = Repository {
                id: self.repositories.borrow().len() as u64 + 1,
                path: new.path.clone(),
                directory: format!("{}.git", new.path),
                description: String::new(),
                is_private: new.is_private,
                owner: None,
                created: 0,
                updated: 0,
                deleted: None,
            };
            self.repositories.borrow_mut().push(repository.clone());
            match self.is_beaten.get() {
                true => Err(Error::Conflict("taken".into())),
                false => Ok(repository),
            }
        }

        fn open(&self, path: &str) -> Result<Repository, Error> {
            if self.is_beaten.get() {
                return Err(Error::NotFound);
            }
            self.change(|r| (r.path == path || format!("_{}", r.id) == path) && r.deleted.is_none(), |_| ())
        }

        fn begin_rename(&self, path: &str, new_path: &str) -> Result<Repository, Error> {
            self.fail("begin-rename")?;
            self.change(|r| r.path == path, |r| r.path = new_path.to_owned())
        }

        fn finish_rename(&self, path: &str) -> Result<Repository, Error> {
            self.fail("finish-rename")?;
            self.change(|r| r.path == path, |r| r.directory = format!("{path}.git"))
        }

        fn delete(&self, path: &str) -> Result<Repository, Error> {
            self.fail("delete")?;
            self.change(
                |r| r.path == path,
                |r| {
                    r.deleted = Some(1);
                    r.directory = format!(".deleted/{}.git", r.id);
                },
            )
        }

        fn deleted(&self) -> Result<Vec<Repository>, Error> {
            let repositories = self.repositories.borrow();
            Ok(repositories.iter().filter(|r| r.deleted.is_some()).cloned().collect())
        }

        fn restore(&self, id: RepositoryId) -> Result<Repository, Error> {
            self.fail("restore")?;
            self.change(
                |r| r.id == id,
                |r| {
                    r.deleted = None;
                    r.directory = format!("{}.git", r.path);
                },
            )
        }

        fn purge(&self, id: RepositoryId) -> Result<(), Error> {
            self.fail("purge")?;
            self.repositories.borrow_mut().retain(|r| r.id != id);
            Ok(())
        }

        fn large_file_bytes(&self, _: RepositoryId) -> Result<u64, Error> {
            Ok(self.large_file_bytes.get())
        }

        fn give_back_large_files(&self, _: RepositoryId, bytes: u64) -> Result<(), Error> {
            self.large_file_bytes.set(self.large_file_bytes.get() - bytes);
            Ok(())
        }

        fn recount_large_files(&self, _: RepositoryId, used: u64, counted: u64) -> Result<(), Error> {
            assert_eq!(self.large_file_bytes.replace(counted), used);
            Ok(())
        }

        fn all(&self) -> Result<Vec<Repository>, Error> {
            Ok(self.repositories.borrow().clone())
        }
    }

    fn new(path: &str) -> NewRepository {
        NewRepository { path: path.into(), description: String::new(), is_private: false }
    }

    fn disk(root: &Path) -> Disk {
        Disk::at(root, &root.join(".lfs"))
    }

    #[track_caller]
    fn check(test: impl Fn(&Memory, &Disk, &Lifecycle<Memory>)) {
        let root = tempfile::tempdir().expect("a temporary directory");
        let (registry, disk) = (Memory::default(), disk(root.path()));
        test(&registry, &disk, &Lifecycle { registry: &registry, disk: &disk });
        registry.fails_at.set("");
        let lifecycle = Lifecycle { registry: &registry, disk: &disk };
        assert_eq!(lifecycle.scan().expect("a scan").entered, Vec::<String>::new());
        for directory in registry.directories() {
            assert!(disk.exists(&directory).expect("readable"), "{directory} is lost");
        }
    }

    #[test]
    fn a_life() {
        check(|registry, disk, lifecycle| {
            let made = lifecycle.create(&new("team/demo"), ObjectFormat::Sha1).unwrap();
            assert!(disk.exists("team/demo.git").unwrap());
            lifecycle.rename("team/demo", "other/demo").unwrap();
            assert_eq!(registry.directories(), ["other/demo.git"]);
            lifecycle.delete("other/demo").unwrap();
            assert_eq!(registry.directories(), [".deleted/1.git"]);
            lifecycle.restore(made.id).unwrap();
            assert_eq!(registry.directories(), ["other/demo.git"]);
            let large_files = disk.large_files(made.id);
            std::fs::create_dir_all(large_files.directory()).unwrap();
            lifecycle.delete("other/demo").unwrap();
            assert!(large_files.directory().is_dir());
            lifecycle.purge(made.id).unwrap();
            assert!(!disk.exists(".deleted/1.git").unwrap());
            assert!(!large_files.directory().exists());
        });
    }

    #[test]
    fn large_files_of_nobody_are_told_of_and_kept() {
        check(|_, disk, lifecycle| {
            let made = lifecycle.create(&new("demo"), ObjectFormat::Sha1).unwrap();
            for id in [made.id, 99] {
                std::fs::create_dir_all(disk.large_files(id).directory()).unwrap();
            }
            let refused = lifecycle.scan().unwrap().refused;
            assert_eq!(refused.into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["lfs/99"]);
            assert!(disk.large_files(99).directory().is_dir());
        });
    }

    #[test]
    fn a_check_counts_large_files() {
        check(|registry, disk, lifecycle| {
            let made = lifecycle.create(&new("demo"), ObjectFormat::Sha1).unwrap();
            let stray = disk.large_files(made.id).directory().join("objects/stray");
            std::fs::create_dir_all(stray.parent().unwrap()).unwrap();
            std::fs::write(stray, "abc").unwrap();
            let reply = crate::check::run(registry, disk, Some("demo")).unwrap();
            let lithe_operator::Reply::Checks { checks } = reply else { panic!("{reply:?}") };
            assert_eq!((checks[0].large_files, checks[0].large_file_bytes), (1, 3));
            assert_eq!(checks[0].problems, ["large file stray: it is no object"]);
            assert_eq!(registry.large_file_bytes.get(), 3);
        });
    }

    #[test]
    fn what_the_store_refuses_leaves_no_directory() {
        for call in ["check-new", "create"] {
            check(|registry, disk, lifecycle| {
                registry.fails_at.set(call);
                lifecycle.create(&new("a/b"), ObjectFormat::Sha1).unwrap_err();
                assert!(!disk.exists("a/b.git").unwrap(), "{call}");
            });
        }
    }

    #[test]
    fn what_somebody_else_has_entered_meanwhile_stays() {
        check(|registry, disk, lifecycle| {
            registry.is_beaten.set(true);
            assert!(matches!(lifecycle.create(&new("a"), ObjectFormat::Sha1), Err(Error::Conflict(_))));
            assert!(disk.exists("a.git").unwrap());
            registry.is_beaten.set(false);
        });
    }

    #[test]
    fn a_deletion_finds_the_directory_of_a_rename_that_was_cut_short() {
        check(|registry, disk, lifecycle| {
            lifecycle.create(&new("a"), ObjectFormat::Sha1).unwrap();
            for is_relocated in [false, true] {
                registry.begin_rename("a", "b").unwrap();
                if is_relocated {
                    disk.relocate("a.git", "b.git").unwrap();
                }
                registry.fails_at.set("delete");
                lifecycle.delete("b").unwrap_err();
                assert_eq!(registry.directories(), ["b.git"], "the entry says where it lies");
                registry.fails_at.set("");
                lifecycle.rename("b", "a").unwrap();
            }
            lifecycle.delete("a").unwrap();
            assert!(disk.exists(".deleted/1.git").unwrap() && !disk.exists("b.git").unwrap());
        });
    }

    #[test]
    fn a_rename_that_was_cut_short_is_finished_or_taken_back_by_the_next() {
        for is_relocated in [false, true] {
            for (to, expected) in [("a", "a.git"), ("b", "b.git"), ("c", "c.git")] {
                check(|registry, disk, lifecycle| {
                    lifecycle.create(&new("a"), ObjectFormat::Sha1).unwrap();
                    registry.begin_rename("a", "b").unwrap();
                    if is_relocated {
                        disk.relocate("a.git", "b.git").unwrap();
                    }
                    lifecycle.rename("b", to).unwrap();
                    assert_eq!(registry.directories(), [expected], "{is_relocated}");
                    assert_eq!(registry.open(to).unwrap().directory, expected, "{is_relocated}");
                });
            }
        }
    }

    #[test]
    fn a_restoration_goes_on_where_a_step_was_cut_short() {
        check(|registry, disk, lifecycle| {
            lifecycle.create(&new("a"), ObjectFormat::Sha1).unwrap();
            registry.delete("a").unwrap();
            lifecycle.restore(1).unwrap();
            lifecycle.delete("a").unwrap();
            disk.relocate(".deleted/1.git", "a.git").unwrap();
            lifecycle.restore(1).unwrap();
            assert_eq!(registry.directories(), ["a.git"]);
        });
    }

    #[test]
    fn a_bad_path_is_refused_before_anything_is_done() {
        check(|_, _, lifecycle| {
            for path in ["", "../x", "a/-/b", "a.git", ".deleted/1", "a//b", "a\0"] {
                assert!(
                    matches!(lifecycle.create(&new(path), ObjectFormat::Sha1), Err(Error::Invalid(_))),
                    "{path:?}"
                );
            }
            lifecycle.create(&new("a"), ObjectFormat::Sha1).unwrap();
            let refused = lifecycle.rename("a", "../b");
            assert!(matches!(refused, Err(Error::Invalid(field)) if field.name == "new-path"));
        });
    }

    #[test]
    fn a_directory_in_the_way_takes_a_rename_back() {
        check(|registry, disk, lifecycle| {
            lifecycle.create(&new("a"), ObjectFormat::Sha1).unwrap();
            std::fs::create_dir(disk.place("b.git").unwrap()).unwrap();
            for address in ["a", "_1"] {
                assert!(matches!(lifecycle.rename(address, "b"), Err(Error::Conflict(_))), "{address}");
                assert!(registry.open("a").is_ok(), "{address}");
            }
        });
    }

    #[test]
    fn a_scan_finishes_a_rename_cut_short() {
        check(|registry, disk, lifecycle| {
            lifecycle.create(&new("a"), ObjectFormat::Sha1).unwrap();
            registry.begin_rename("a", "b").unwrap();
            assert_eq!(lifecycle.scan().unwrap().finished, ["b"]);
            assert!(disk.exists("b.git").unwrap() && !disk.exists("a.git").unwrap());
            registry.fails_at.set("finish-rename");
            lifecycle.rename("b", "c").unwrap_err();
            registry.fails_at.set("");
            assert_eq!(lifecycle.scan().unwrap().finished, ["c"]);
            assert_eq!(registry.directories(), ["c.git"]);
        });
    }

    #[test]
    fn a_scan_finishes_a_deletion_cut_short() {
        check(|registry, disk, lifecycle| {
            lifecycle.create(&new("a"), ObjectFormat::Sha1).unwrap();
            registry.delete("a").unwrap();
            let scan = lifecycle.scan().unwrap();
            assert_eq!((scan.finished, scan.entered), (vec!["a".to_owned()], vec![]));
            assert!(disk.exists(".deleted/1.git").unwrap());
        });
    }

    #[test]
    fn a_restore_that_the_store_refuses_is_taken_back() {
        check(|registry, disk, lifecycle| {
            lifecycle.create(&new("a"), ObjectFormat::Sha1).unwrap();
            lifecycle.delete("a").unwrap();
            registry.fails_at.set("restore");
            lifecycle.restore(1).unwrap_err();
            assert!(disk.exists(".deleted/1.git").unwrap() && !disk.exists("a.git").unwrap());
        });
    }

    #[test]
    fn a_scan_enters_what_lies_there_as_private() {
        check(|registry, disk, lifecycle| {
            disk.create("team/found.git", ObjectFormat::Sha1).unwrap();
            disk.create("bad name.git", ObjectFormat::Sha1).unwrap();
            let scan = lifecycle.scan().unwrap();
            assert_eq!(scan.entered, ["team/found"]);
            assert_eq!(scan.refused.len(), 1);
            assert!(registry.open("team/found").unwrap().is_private);
        });
    }
}
