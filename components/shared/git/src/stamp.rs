//! Whether a repository still is as it was when it was read, by the times and sizes of the files and
//! directories that say what it holds: what costs a dozen looks then spares reading all of them.
//!
//! As with Git's index (`Documentation/technical/racy-git`), a file that was changed a moment before it
//! was looked at may be changed again without its time telling. So a stamp is taken only where
//! everything has been left alone for a while.

use crate::limits::{STAMP_FILES_MAX, STAMP_SETTLED};
use crate::listing;
use crate::watched::{Mark, Watched, mark_at};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The directories whose entries say what there is besides the refs. Files that are replaced by renaming,
/// as Git does, and what comes anew, change the time of the directory; one that is not there yet, that of
/// the directory above.
const DIRECTORIES: [&str; 6] =
    [".", "objects", "objects/pack", "objects/info", "objects/info/commit-graphs", "reftable"];

/// The files that somebody may write in place.
const FILES: [&str; 5] = ["HEAD", "config", "packed-refs", "shallow", "reftable/tables.list"];

/// A repository as it was at one moment.
#[derive(Debug)]
pub struct Stamp {
    git_dir: PathBuf,
    /// Of the directory, by its path: another one may have taken its place.
    mark: Mark,
    /// Open, since that is looked at in a fraction of the time that it takes by its path.
    files: Vec<(Watched, Mark)>,
}

impl Stamp {
    /// Looks at the repository at `git_dir`. What is read of it afterwards is good for as long as the
    /// stamp [holds](Self::holds).
    ///
    /// None if no stamp could tell: something was changed within [`STAMP_SETTLED`], there are more than
    /// [`STAMP_FILES_MAX`] files to look at, or objects are borrowed from other repositories.
    pub fn take(git_dir: &Path) -> Option<Self> {
        let settled = SystemTime::now().checked_sub(STAMP_SETTLED)?;
        let mut paths: Vec<PathBuf> =
            DIRECTORIES.iter().chain(&FILES).map(|name| git_dir.join(name)).collect();
        add_tree(git_dir.join("refs"), &mut paths)?;
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let file = match Watched::open(&path) {
                Ok(file) => file,
                Err(error) if is_missing(&error) => continue,
                Err(_) => return None,
            };
            let mark = file.mark().ok()?;
            if mark.modified > settled {
                return None;
            }
            files.push((file, mark));
        }
        let borrows = fs::symlink_metadata(git_dir.join("objects/info/alternates")).is_ok();
        let mark = mark_at(git_dir).ok()?;
        (!borrows).then(|| Self { git_dir: git_dir.to_owned(), mark, files })
    }

    /// Whether nothing has changed since.
    pub fn holds(&self) -> bool {
        let is_as = |now: io::Result<Mark>, before: &Mark| now.is_ok_and(|now| now == *before);
        is_as(mark_at(&self.git_dir), &self.mark)
            && self.files.iter().all(|(file, before)| is_as(file.mark(), before))
    }
}

/// Adds a directory and all that lies in it; none if that is too much, or cannot be listed.
fn add_tree(directory: PathBuf, paths: &mut Vec<PathBuf>) -> Option<()> {
    let entries = listing::list(&directory).ok()?;
    if paths.len() + entries.len() > STAMP_FILES_MAX {
        return None;
    }
    for entry in entries {
        let path = directory.join(&entry.name);
        if entry.is_directory { add_tree(path, paths)? } else { paths.push(path) }
    }
    paths.push(directory);
    (paths.len() <= STAMP_FILES_MAX).then_some(())
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::Duration;

    /// A repository with a branch, a tag and a pack, all of it an hour old.
    fn repository() -> tempfile::TempDir {
        let place = tempfile::tempdir().expect("a temporary directory");
        run(
            place.path(),
            "git init -q --bare -b main . && tree=$(git mktree </dev/null) &&
             git update-ref refs/heads/main $(git commit-tree -m one $tree) &&
             git update-ref refs/heads/deep/er/topic main && git tag v1 main && git pack-refs --all &&
             git update-ref refs/heads/loose main && git repack -adq && git commit-graph write --reachable",
        );
        run(place.path(), AGE);
        place
    }

    /// Makes everything an hour old.
    const AGE: &str = "find . -exec touch -h -d '1 hour ago' {} +";

    fn run(directory: &Path, script: &str) {
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", script]).current_dir(directory);
        shell.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        for (role, name) in [("AUTHOR", "A"), ("COMMITTER", "C")] {
            shell.env(format!("GIT_{role}_NAME"), name).env(format!("GIT_{role}_EMAIL"), "a@example.org");
        }
        assert!(shell.status().expect("a shell").success(), "{script}");
    }

    #[test]
    fn whatever_git_changes_breaks_the_stamp() {
        let changes = [
            "git update-ref refs/heads/loose $(git commit-tree -m two $(git mktree </dev/null))",
            "git update-ref refs/heads/main $(git commit-tree -m two $(git mktree </dev/null))",
            "git update-ref refs/heads/other main",
            "git update-ref refs/heads/deep/er/other main",
            "git update-ref -d refs/heads/loose",
            "git update-ref -d refs/tags/v1",
            "git pack-refs --all",
            "git symbolic-ref HEAD refs/heads/loose",
            "git config transfer.hideRefs refs/x",
            "git rev-parse main >shallow",
            "git commit-tree -m more $(git mktree </dev/null) | git pack-objects -q objects/pack/pack",
            "git repack -adqF && touch objects/pack",
            "git commit-graph write --reachable --split=replace",
            "echo >>refs/heads/loose",
            "mkdir objects/info/commit-graphs",
            "echo ref: refs/heads/loose >HEAD",
            "mv refs elsewhere && cp -a elsewhere refs",
        ];
        for change in changes {
            let place = repository();
            let stamp = Stamp::take(place.path()).expect("an hour is long enough");
            assert!(stamp.holds(), "before {change}");
            run(place.path(), change);
            assert!(!stamp.holds(), "{change}");
        }
    }

    #[test]
    fn reading_does_not_break_the_stamp() {
        let place = repository();
        let stamp = Stamp::take(place.path()).expect("an hour is long enough");
        run(
            place.path(),
            "git log --all >/dev/null && git for-each-ref >/dev/null && git fsck >/dev/null 2>&1",
        );
        assert!(stamp.holds());
    }

    #[test]
    fn there_is_no_stamp_of_what_was_changed_just_now_or_depends_on_others() {
        for change in [
            "git update-ref refs/heads/new main",
            "touch HEAD",
            "touch -d '+1 hour' packed-refs",
            "touch objects/pack",
        ] {
            let place = repository();
            run(place.path(), change);
            assert!(Stamp::take(place.path()).is_none(), "{change}");
        }
        let place = repository();
        run(place.path(), &format!("echo /nowhere >objects/info/alternates; {AGE}"));
        assert!(Stamp::take(place.path()).is_none(), "alternates");
        assert!(Stamp::take(&place.path().join("nowhere")).is_none(), "no repository");
    }

    #[test]
    fn another_repository_in_its_place_breaks_the_stamp() {
        let (place, other) = (repository(), repository());
        let git_dir = place.path().join("r.git");
        let put = |from: &Path| run(from, &format!("cp -a . {}", git_dir.display()));
        put(other.path());
        let stamp = Stamp::take(&git_dir).expect("an hour is long enough");
        fs::rename(&git_dir, place.path().join("former.git")).expect("it is there");
        assert!(!stamp.holds(), "gone");
        run(other.path(), "touch -d '2 hours ago' .");
        put(other.path());
        assert!(!stamp.holds(), "another");
    }

    #[test]
    fn there_is_no_stamp_past_the_limit_of_files() {
        let place = repository();
        // What is looked for without the tags: the names above, and `refs` with what lies in it now.
        let files = DIRECTORIES.len() + FILES.len() + 4;
        let loose = |count: usize| {
            run(
                place.path(),
                &format!("for n in $(seq {count}); do git update-ref refs/tags/t$n main; done; {AGE}"),
            );
            Stamp::take(place.path())
        };
        assert!(loose(STAMP_FILES_MAX - files).is_some());
        assert!(loose(STAMP_FILES_MAX - files + 1).is_none());
    }

    #[test]
    fn what_is_settled_is_older_than_the_times_of_file_systems_are_exact() {
        // FAT has two seconds, and none that is in use has more.
        assert!(STAMP_SETTLED >= Duration::from_secs(2));
    }
}
