//! What a push would make of a repository: its objects together with those of the push that are
//! still in quarantine, and the commits that would be new.

use crate::odb::{Error, Object, Store};
use crate::refs::{Snapshot, Target};
use crate::walk::{Commit, Tag};
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Commits may be dated wrongly: a walk goes on for so long before the oldest that it looks for.
const CLOCK_SKEW_SECONDS: i64 = 24 * 60 * 60;

/// The objects of a repository, and those of a push.
pub struct Objects {
    repository: Store,
    arrived: Option<Store>,
}

impl Objects {
    /// Opens the objects of the bare repository at `git_dir`, and those in quarantine.
    pub fn open(git_dir: &Path, quarantine: Option<PathBuf>) -> Result<Self, Error> {
        let repository = Store::open(git_dir)?;
        let open = |directory| Store::of_objects_dir(directory, repository.object_format());
        let arrived = quarantine.map(open).transpose()?;
        Ok(Self { repository, arrived })
    }

    /// Reads an object whole.
    pub fn object(&self, id: &oid) -> Result<Object, Error> {
        self.store_of(id)?.object(id)
    }

    /// Reads an object that has to be of one kind.
    pub fn object_of(&self, id: &oid, kind: Kind) -> Result<Arc<Vec<u8>>, Error> {
        self.store_of(id)?.object_of(id, kind)
    }

    /// Reads the kind and the size in bytes of an object.
    pub fn header(&self, id: &oid) -> Result<(Kind, u64), Error> {
        self.store_of(id)?.object_header(id)
    }

    /// Reads what a walk needs of a commit.
    pub fn commit(&self, id: &oid) -> Result<Commit, Error> {
        Commit::read(self.store_of(id)?, id)
    }

    /// Like [`Self::commit`]; none where a shallow repository ends, and its history with it.
    fn commit_or_end(&self, id: &oid) -> Result<Option<Commit>, Error> {
        match self.commit(id) {
            Err(Error::Missing(_)) => Ok(None),
            commit => commit.map(Some),
        }
    }

    /// Follows tags from `id` on to what they stand for in the end.
    pub fn peel(&self, id: &oid) -> Result<(ObjectId, Kind), Error> {
        let mut id = id.to_owned();
        for _ in 0..=crate::limits::TAGS_NESTED_MAX {
            let (kind, _) = self.header(&id)?;
            if kind != Kind::Tag {
                return Ok((id, kind));
            }
            let data = self.object_of(&id, Kind::Tag)?;
            let damaged = Error::DamagedObject { id, reason: "it is not a tag" };
            id = Tag::parse(&data, id.kind()).ok_or(damaged)?.target;
        }
        Err(Error::DamagedObject { id, reason: "it is a tag of too many tags" })
    }

    /// Where an object is to be read: among those that arrived, if it is there.
    fn store_of(&self, id: &oid) -> Result<&Store, Error> {
        match &self.arrived {
            Some(arrived) if arrived.contains(id)? => Ok(arrived),
            _ => Ok(&self.repository),
        }
    }

    /// Whether `descendant` is `ancestor` or reaches it, both of them commits.
    ///
    /// Looks at the commits that one of the two reaches and the other does not, and is right
    /// whatever the dates say.
    pub fn is_ancestor(&self, ancestor: ObjectId, descendant: ObjectId) -> Result<bool, Error> {
        const OLD: u8 = 1;
        const NEW: u8 = 2;
        let mut paint: HashMap<ObjectId, u8> = HashMap::new();
        let mut queue = BinaryHeap::new();
        // How many commits in the queue only one of the two is known to reach.
        let mut one_sided = 0_usize;
        for (id, side) in [(ancestor, OLD), (descendant, NEW)] {
            *paint.entry(id).or_default() |= side;
            queue.push((self.commit(&id)?.date, id, side));
            one_sided += 1;
        }
        while one_sided > 0
            && let Some((_, id, queued)) = queue.pop()
        {
            let sides = paint[&id];
            one_sided -= usize::from(queued != OLD | NEW);
            if paint[&ancestor] & NEW != 0 {
                return Ok(true);
            }
            for parent in self.commit(&id)?.parents {
                let Some(commit) = self.commit_or_end(&parent)? else { continue };
                let before = paint.entry(parent).or_default();
                let after = *before | sides;
                if after != *before {
                    *before = after;
                    queue.push((commit.date, parent, after));
                    one_sided += usize::from(after != OLD | NEW);
                }
            }
        }
        Ok(paint[&ancestor] & NEW != 0)
    }

    /// The commits that `tips` reach and `known` do not, in no particular order. Both are objects of
    /// any kind; what of `known` cannot be read reaches nothing.
    ///
    /// Wrong dates can make commits count as new that are not.
    pub fn new_commits(&self, tips: &[ObjectId], known: &HashSet<ObjectId>) -> Result<Vec<ObjectId>, Error> {
        let mut new = HashSet::new();
        let mut boundary = HashSet::new();
        let mut left: Vec<ObjectId> = Vec::new();
        for tip in tips {
            if let (id, Kind::Commit) = self.peel(tip)? {
                left.push(id);
            }
        }
        // What is not in the repository is new; nothing else has to be known about most pushes.
        while let Some(id) = left.pop() {
            if known.contains(&id) || new.contains(&id) {
                continue;
            }
            if self.repository.contains(&id)? {
                boundary.insert(id);
            } else if let Some(commit) = self.commit_or_end(&id)? {
                new.insert(id);
                left.extend(commit.parents);
            }
        }
        if !boundary.is_empty() {
            new.extend(self.unknown_among(&boundary, known)?);
        }
        Ok(new.into_iter().collect())
    }

    /// The commits that `starts` reach and `known` do not, found by a walk back in time from both.
    fn unknown_among(
        &self,
        starts: &HashSet<ObjectId>,
        known: &HashSet<ObjectId>,
    ) -> Result<Vec<ObjectId>, Error> {
        let mut is_known: HashMap<ObjectId, bool> = HashMap::new();
        let mut queue = BinaryHeap::new();
        let mut unknown_queued = 0_usize;
        for id in starts {
            is_known.insert(*id, false);
            queue.push((self.commit(id)?.date, *id, false));
            unknown_queued += 1;
        }
        for id in known {
            // A ref that is broken already reaches nothing.
            let Ok((id, Kind::Commit)) = self.peel(id) else { continue };
            let Ok(commit) = self.commit(&id) else { continue };
            if is_known.insert(id, true) != Some(true) {
                queue.push((commit.date, id, true));
            }
        }
        let mut oldest_unknown = i64::MAX;
        while let Some((date, id, was_known)) = queue.pop() {
            if unknown_queued == 0 && date < oldest_unknown.saturating_sub(CLOCK_SKEW_SECONDS) {
                break;
            }
            unknown_queued -= usize::from(!was_known);
            let known = is_known[&id];
            if !known {
                oldest_unknown = oldest_unknown.min(date);
            } else if !was_known {
                // It was queued again when it turned out to be known.
                continue;
            }
            for parent in self.commit(&id)?.parents {
                let before = is_known.get(&parent).copied();
                if before == Some(true) || before == Some(known) {
                    continue;
                }
                if let Some(commit) = self.commit_or_end(&parent)? {
                    is_known.insert(parent, known);
                    queue.push((commit.date, parent, known));
                    unknown_queued += usize::from(!known);
                }
            }
        }
        Ok(is_known.into_iter().filter(|(_, known)| !known).map(|(id, _)| id).collect())
    }
}

/// What the refs point to.
pub fn tips(refs: &Snapshot) -> HashSet<ObjectId> {
    let ids = refs.refs.iter().flat_map(|entry| {
        let id = match entry.target {
            Target::Id(id) => Some(id),
            Target::Symbolic(_) => None,
        };
        id.into_iter().chain(entry.peeled)
    });
    ids.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refs::RefStore;
    use std::process::Command;

    /// A repository, and a directory beside its objects in which those of a push lie.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            let place = Self(tempfile::tempdir().expect("a temporary directory"));
            place.git("init -q --bare -b main .", false);
            std::fs::create_dir_all(place.quarantine().join("pack")).expect("made");
            place
        }

        fn quarantine(&self) -> PathBuf {
            self.0.path().join("objects/tmp_objdir-incoming-test")
        }

        fn git(&self, words: &str, is_push: bool) -> String {
            let mut command = Command::new("git");
            command.arg("-C").arg(self.0.path()).args(words.split(' '));
            for (key, value) in [("NAME", "A"), ("EMAIL", "a@example.org")] {
                command.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
            }
            if is_push {
                command.env("GIT_OBJECT_DIRECTORY", self.quarantine());
                command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", self.0.path().join("objects"));
            }
            let output = command.output().expect("git runs");
            assert!(output.status.success(), "git {words}: {output:?}");
            String::from_utf8(output.stdout).expect("text").trim().to_owned()
        }

        /// Makes a commit with these parents and that date.
        fn commit(&self, parents: &[ObjectId], seconds: i64, is_push: bool) -> ObjectId {
            let tree = self.git("hash-object -w -t tree /dev/null", is_push);
            let mut commit = format!("tree {tree}\n");
            for parent in parents {
                commit += &format!("parent {parent}\n");
            }
            commit += &format!(
                "author A <a@b> {seconds} +0000\ncommitter A <a@b> {seconds} +0000\n\n{parents:?}\n"
            );
            std::fs::write(self.0.path().join("commit"), commit).expect("written");
            self.git("hash-object -w -t commit --literally commit", is_push).parse().expect("an id")
        }

        fn objects(&self) -> Objects {
            Objects::open(self.0.path(), Some(self.quarantine())).expect("readable")
        }

        fn tips(&self) -> HashSet<ObjectId> {
            tips(&RefStore::open(self.0.path()).and_then(|refs| refs.snapshot()).expect("readable"))
        }
    }

    /// Pseudorandom numbers below a bound (xorshift).
    fn random(state: &mut u64, below: usize) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        usize::try_from(*state >> 33).expect("31 bits") % below
    }

    #[test]
    fn what_is_new_and_what_reaches_what_is_as_git_says() {
        for seed in 1..=6 {
            let state = &mut (seed * 0x9e37_79b9);
            let place = Place::new();
            let mut commits: Vec<ObjectId> = Vec::new();
            for number in 0..40 {
                let is_push = number >= 25;
                let parents: HashSet<_> = (0..random(state, 3).min(commits.len()))
                    .map(|_| commits[commits.len() - 1 - random(state, commits.len().min(8))])
                    .collect();
                // Some clocks are wrong by hours.
                let skew = i64::try_from(random(state, 10_000)).expect("small");
                let parents: Vec<_> = parents.into_iter().collect();
                commits.push(place.commit(&parents, 1_700_000_000 + number * 1_000 + skew, is_push));
            }
            for number in 0..4 {
                let id = commits[random(state, 25)];
                place.git(&format!("update-ref refs/heads/b{number} {id}"), false);
            }
            let tagged = commits[random(state, 25)];
            place.git(&format!("-c user.name=A -c user.email=a@b tag -a -m T t {tagged}"), false);
            let (objects, known) = (place.objects(), place.tips());
            for _ in 0..12 {
                let [one, other] = [0, 0].map(|_| commits[random(state, 40)]);
                let listed = place.git(&format!("rev-list {one} {other} --not --all"), true);
                let expected: HashSet<ObjectId> =
                    listed.lines().map(|id| id.parse().expect("an id")).collect();
                let new = objects.new_commits(&[one, other], &known).expect("readable");
                assert_eq!(new.into_iter().collect::<HashSet<_>>(), expected, "seed {seed}: {one} {other}");
                let reached = place.git(&format!("rev-list {other}"), true);
                let expected = reached.lines().any(|id| id == one.to_string());
                assert_eq!(objects.is_ancestor(one, other).expect("readable"), expected, "{one} {other}");
            }
        }
    }

    #[test]
    fn dates_do_not_matter_for_what_reaches_what() {
        let place = Place::new();
        let root = place.commit(&[], 900_000_000, false);
        let old = place.commit(&[root], 2_000_000_000, false);
        let middle = place.commit(&[old], 1, true);
        let new = place.commit(&[middle], 800_000_000, true);
        let apart = place.commit(&[root], 5, true);
        let objects = place.objects();
        for (ancestor, descendant, expected) in
            [(old, new, true), (root, new, true), (new, old, false), (old, old, true), (old, apart, false)]
        {
            assert_eq!(objects.is_ancestor(ancestor, descendant).expect("readable"), expected);
        }
    }

    #[test]
    fn what_the_repository_has_and_no_ref_reaches_is_new() {
        let place = Place::new();
        let known = place.commit(&[], 1, false);
        let lost = place.commit(&[known], 2, false);
        place.git(&format!("update-ref refs/heads/main {known}"), false);
        let objects = place.objects();
        assert_eq!(objects.new_commits(&[lost], &place.tips()).expect("readable"), [lost]);
        assert!(objects.new_commits(&[known], &place.tips()).expect("readable").is_empty());
        let new = place.commit(&[lost], 3, true);
        let mut found = objects.new_commits(&[new], &place.tips()).expect("readable");
        found.sort();
        let mut expected = [lost, new];
        expected.sort();
        assert_eq!(found, expected);
    }
}
