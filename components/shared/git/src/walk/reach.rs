//! Questions about what commits reach.

use super::commit::Commit;
use super::selection::{Request, Walk};
use super::set::{Located, ObjectSet};
use crate::odb::{Error, Store};
use gix_hash::ObjectId;
use std::collections::{BinaryHeap, HashSet};

/// How many commits are looked at over a whole negotiation to tell whether it may end. Past it, it
/// goes on until the client has named all that it has.
pub const NEGOTIATION_COMMITS_MAX: usize = 100_000;

/// What a client wants and what it has in common with the server, as a negotiation finds it out.
///
/// A client may ask after every object that it names whether that is enough. So no question is
/// answered twice, and all answers together look at so many commits only.
pub struct Common {
    /// The wants that are not known to reach something in common.
    wants: Vec<ObjectId>,
    commits: HashSet<ObjectId>,
    /// The date of the oldest of `commits`.
    oldest: i64,
    /// Whether a commit came since the last answer.
    is_changed: bool,
    commits_left: usize,
}

impl Common {
    /// Nothing is in common yet; `wants` are commits.
    pub fn new(wants: Vec<ObjectId>) -> Self {
        Self {
            wants,
            commits: HashSet::new(),
            oldest: i64::MAX,
            is_changed: false,
            commits_left: NEGOTIATION_COMMITS_MAX,
        }
    }

    /// Adds a commit that both have.
    pub fn add(&mut self, store: &Store, id: ObjectId) -> Result<(), Error> {
        if self.commits.insert(id) {
            self.oldest = self.oldest.min(Commit::read(store, &id)?.date);
            self.is_changed = true;
        }
        Ok(())
    }

    /// Whether every want reaches something in common, so that nothing older needs to be
    /// negotiated. False also if that takes too long to tell.
    pub fn is_enough(&mut self, store: &Store) -> Result<bool, Error> {
        if std::mem::take(&mut self.is_changed) {
            while let Some(want) = self.wants.last().copied()
                && self.reaches_any(store, want)?
            {
                self.wants.pop();
            }
        }
        Ok(self.wants.is_empty() && !self.commits.is_empty())
    }

    fn reaches_any(&mut self, store: &Store, want: ObjectId) -> Result<bool, Error> {
        let mut seen = HashSet::new();
        let mut queue = BinaryHeap::from([(i64::MAX, want)]);
        while let Some((_, id)) = queue.pop() {
            if self.commits.contains(&id) {
                return Ok(true);
            }
            if self.commits_left == 0 {
                return Ok(false);
            }
            self.commits_left -= 1;
            for parent in Commit::read(store, &id)?.parents {
                if self.commits.contains(&parent) {
                    return Ok(true);
                }
                if seen.insert(parent) {
                    // A repository that is shallow itself lacks what lies before its cuts.
                    let date = match Commit::read(store, &parent) {
                        Err(Error::Missing(_)) => continue,
                        commit => commit?.date,
                    };
                    if date >= self.oldest {
                        queue.push((date, parent));
                    }
                }
            }
        }
        Ok(false)
    }
}

/// Whether `ids`, all of them commits, are reached from `tips`, all of them commits.
pub fn all_reached(store: &Store, ids: &[ObjectId], tips: &[ObjectId]) -> Result<bool, Error> {
    let mut missing: HashSet<ObjectId> = ids.iter().copied().collect();
    let floor = generation_of_lowest(store, ids)?;
    let mut seen: HashSet<ObjectId> = tips.iter().copied().collect();
    let mut stack: Vec<ObjectId> = seen.iter().copied().collect();
    while let Some(id) = stack.pop() {
        missing.remove(&id);
        if missing.is_empty() {
            return Ok(true);
        }
        let commit = match Commit::read(store, &id) {
            Err(Error::Missing(_)) => continue,
            commit => commit?,
        };
        if commit.generation.is_some_and(|generation| generation < floor) {
            continue;
        }
        for parent in commit.parents {
            if seen.insert(parent) {
                stack.push(parent);
            }
        }
    }
    Ok(missing.is_empty())
}

/// A commit of a lower generation reaches none of `ids`; 0 if the commit-graph does not know them all.
fn generation_of_lowest(store: &Store, ids: &[ObjectId]) -> Result<u64, Error> {
    let mut lowest = u64::MAX;
    for id in ids {
        lowest = lowest.min(Commit::read(store, id)?.generation.unwrap_or(0));
    }
    Ok(lowest)
}

/// Everything that `tips` reach, whose history ends at `shallow`. Opens every commit and tree there is,
/// unless bitmaps tell.
pub fn objects(store: &Store, tips: &[ObjectId], shallow: HashSet<ObjectId>) -> Result<ObjectSet, Error> {
    let request = Request { wants: tips.to_vec(), boundary: shallow, ..Request::default() };
    let mut walk = Walk::new(store, request)?;
    while walk.advance(store, usize::MAX)? {}
    Ok(walk.finish(store)?.send)
}

/// All commits that `tips`, all of them commits, reach, whose history ends at `shallow`.
pub fn commits(
    store: &Store,
    tips: &[ObjectId],
    shallow: &HashSet<ObjectId>,
) -> Result<HashSet<ObjectId>, Error> {
    let mut reached: HashSet<ObjectId> = tips.iter().copied().collect();
    let mut stack = tips.to_vec();
    while let Some(id) = stack.pop() {
        if shallow.contains(&id) {
            continue;
        }
        stack.extend(Commit::read(store, &id)?.parents.into_iter().filter(|parent| reached.insert(*parent)));
    }
    Ok(reached)
}

/// Whether `ids`, objects of any kind, are reached from `tips`, whose history ends at `shallow`. Opens
/// every commit and tree there is, unless bitmaps tell.
pub fn all_objects_reached(
    store: &Store,
    ids: &[ObjectId],
    tips: &[ObjectId],
    shallow: HashSet<ObjectId>,
) -> Result<bool, Error> {
    let reached = objects(store, tips, shallow)?;
    for id in ids {
        if !Located::find(store, id)?.is_some_and(|at| reached.contains(at)) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Six commits in a row, `HEAD`, and one `apart` from them.
    struct Repository(tempfile::TempDir);

    impl Repository {
        fn new() -> Self {
            let repository = Self(tempfile::tempdir().expect("a temporary directory"));
            repository.git("init -q -b main");
            for date in 0..6 {
                repository.git(&format!("commit -q --allow-empty -m x --date={date}"));
            }
            let apart = repository.git("commit-tree -m apart HEAD^{tree}");
            repository.git(&format!("update-ref refs/heads/apart {apart}"));
            repository
        }

        fn git(&self, words: &str) -> String {
            let mut command = Command::new("git");
            command.arg("-C").arg(self.0.path()).args(words.split(' '));
            for (key, value) in [("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "1700000000 +0000")] {
                command.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
            }
            let output = command.output().expect("git runs");
            assert!(output.status.success(), "git {words}: {output:?}");
            String::from_utf8(output.stdout).expect("text").trim().to_owned()
        }

        fn id(&self, revision: &str) -> ObjectId {
            self.git(&format!("rev-parse {revision}")).parse().expect("an id")
        }

        fn store(&self) -> Store {
            Store::open(&self.0.path().join(".git")).expect("readable")
        }
    }

    #[test]
    fn enough_is_in_common_once_every_want_reaches_something_of_it() {
        let repository = Repository::new();
        let store = repository.store();
        let [head, middle, apart] = ["HEAD", "HEAD~3", "apart"].map(|revision| repository.id(revision));
        let mut common = Common::new(vec![head, apart]);
        for (added, expected) in [(None, false), (Some(apart), false), (Some(middle), true), (None, true)] {
            if let Some(id) = added {
                common.add(&store, id).expect("it is there");
            }
            assert_eq!(common.is_enough(&store).expect("readable"), expected, "{added:?}");
        }
    }

    #[test]
    fn asking_again_looks_at_nothing_again() {
        let repository = Repository::new();
        let store = repository.store();
        let mut common = Common::new(vec![repository.id("HEAD")]);
        common.add(&store, repository.id("apart")).expect("it is there");
        assert!(!common.is_enough(&store).expect("readable"));
        let left = common.commits_left;
        assert_eq!(left, NEGOTIATION_COMMITS_MAX - 6);
        common.add(&store, repository.id("apart")).expect("it is there");
        assert!(!common.is_enough(&store).expect("readable"));
        assert_eq!(common.commits_left, left);
    }

    #[test]
    fn a_negotiation_looks_at_so_many_commits_only() {
        let repository = Repository::new();
        let store = repository.store();
        for (commits_left, expected) in [(3, true), (2, false)] {
            let mut common = Common { commits_left, ..Common::new(vec![repository.id("HEAD")]) };
            common.add(&store, repository.id("HEAD~3")).expect("it is there");
            assert_eq!(common.is_enough(&store).expect("readable"), expected, "{commits_left}");
        }
    }
}
