use super::*;
use lithe_git::refs::{RefStore, Snapshot};
use std::path::PathBuf;
use std::process::Command as Process;

/// A repository in which everything is there already, as far as a push is concerned.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary directory"));
        place.git("git init -q -b main .");
        place
    }

    fn git(&self, script: &str) -> String {
        let mut process = Process::new("sh");
        process.current_dir(self.0.path()).args(["-ec", script]);
        for (key, value) in [("NAME", "A"), ("EMAIL", "Author@example.org"), ("DATE", "1700000000 +0000")] {
            process.env(format!("GIT_AUTHOR_{key}"), value);
        }
        for (key, value) in [("NAME", "C"), ("EMAIL", "committer@example.org"), ("DATE", "1700000000 +0000")]
        {
            process.env(format!("GIT_COMMITTER_{key}"), value);
        }
        let output = process.output().expect("sh runs");
        assert!(output.status.success(), "{script}: {}", output.stderr.as_bstr());
        output.stdout.trim().to_str().expect("text").to_owned()
    }

    fn id(&self, revision: &str) -> Option<ObjectId> {
        match revision {
            "" => None,
            revision => Some(self.git(&format!("git rev-parse {revision}")).parse().expect("an id")),
        }
    }

    fn git_dir(&self) -> PathBuf {
        self.0.path().join(".git")
    }

    fn objects(&self) -> Objects {
        Objects::open(&self.git_dir(), None).expect("readable")
    }

    fn refs(&self) -> Snapshot {
        RefStore::open(&self.git_dir()).and_then(|refs| refs.snapshot()).expect("readable")
    }
}

fn with_proposal<T>(place: &Place, commands: &[Command], work: impl FnOnce(&Proposal) -> T) -> T {
    let (git_dir, refs) = (place.git_dir(), place.refs());
    work(&Proposal {
        git_dir: &git_dir,
        refs: &refs,
        commands: commands.iter().collect(),
        arrived: None,
        options: &[],
    })
}

#[test]
fn what_becomes_of_a_ref_is_told_apart() {
    let place = Place::new();
    place.git(
        "git commit -q --allow-empty -m 1; git commit -q --allow-empty -m 2; git tag -a -m t t;
         git switch -q --orphan other; git commit -q --allow-empty -m 3; git switch -q main",
    );
    let cases = [
        ("refs/heads/main", "", "main", Change::Create),
        ("refs/heads/main", "main", "", Change::Delete),
        ("refs/heads/main", "main~1", "main", Change::Advance),
        ("refs/heads/main", "main", "main~1", Change::Force),
        ("refs/heads/main", "main", "other", Change::Force),
        ("refs/notes/x", "main~1", "main", Change::Advance),
        ("refs/notes/x", "main~1", "t", Change::Force),
        ("refs/notes/x", "main^{tree}", "main", Change::Force),
        ("refs/tags/t", "main~1", "main", Change::Force),
        ("refs/heads/main", "1111111111111111111111111111111111111111", "main", Change::Force),
    ];
    for (name, old, new, expected) in cases {
        let command = Command { old: place.id(old), new: place.id(new), name: name.into() };
        let found = with_proposal(&place, &[command], |proposal| updates(proposal, &place.objects()));
        assert_eq!(found.expect("readable")[0].change, expected, "{name} {old} {new}");
    }
}

#[test]
fn what_cannot_be_told_refuses_the_push() {
    let place = Place::new();
    let delete = |name: &[u8]| Command { old: None, new: None, name: name.into() };
    let judge = |commands: &[Command]| {
        with_proposal(&place, commands, |proposal| {
            updates(proposal, &place.objects()).map(|updates| updates.len())
        })
    };
    let many = vec![delete(b"refs/heads/x"); UPDATES_JUDGED_MAX + 1];
    assert_eq!(judge(&many[1..]).expect("at the limit"), UPDATES_JUDGED_MAX);
    assert!(matches!(judge(&many), Err(error @ FactError::TooManyUpdates) if error.is_for_pusher()));
    assert!(
        matches!(judge(&[delete(b"refs/heads/\xff")]), Err(error @ FactError::Name(_)) if error.is_for_pusher())
    );
}

#[test]
fn addresses_are_those_of_new_commits() {
    let place = Place::new();
    place.git(
        "git commit -q --allow-empty --author='Old <old@example.org>' -m 1; git branch kept;
         git commit -q --allow-empty --author='New <New@Example.org>' -m 2; git branch new; git reset -q --hard kept",
    );
    let new = Command { old: None, new: place.id("new"), name: "refs/heads/x".into() };
    place.git("git update-ref -d refs/heads/new");
    let found = with_proposal(&place, &[new], |proposal| addresses(proposal, &place.objects()));
    let mut found = found.expect("readable");
    found.sort();
    assert_eq!(found, ["committer@example.org", "new@example.org"]);
}

#[test]
fn the_size_of_a_repository_leaves_pushes_under_way_aside() {
    let place = Place::new();
    place.git("git commit -q --allow-empty -m 1; git repack -q -d; git commit -q --allow-empty -m 2");
    let expected = place.git("find .git/objects -type f -printf '%s\\n' | awk '{ n += $1 } END { print n }'");
    place.git("mkdir .git/objects/tmp_objdir-incoming-x; echo more > .git/objects/tmp_objdir-incoming-x/file; git gc -q --no-prune 2> /dev/null || true; git count-objects > /dev/null");
    let found = objects_bytes(&place.git_dir()).expect("readable");
    assert!(found > 0 && !expected.is_empty());
    let again = place.git(
        "find .git/objects/pack .git/objects/?? -type f -printf '%s\\n' | awk '{ n += $1 } END { print n }'",
    );
    assert_eq!(found.to_string(), again);
}
