//! Refs against stock `git`, on repositories that the tests make.

use super::transaction::PACKED_FROM;
use super::*;
use crate::run::Run;
use bstr::{BStr, ByteSlice};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

struct Repository {
    place: TempDir,
    /// Two commits, the second on top of the first.
    commits: [ObjectId; 2],
}

impl Repository {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a temporary directory");
        crate::init::init_bare(&place.path().join("r.git"), "main", ObjectFormat::Sha1).expect("made");
        let mut repository = Self { place, commits: [ObjectId::null(gix_hash::Kind::Sha1); 2] };
        let tree = repository.git(&["mktree"]);
        let first = repository.git(&["commit-tree", "-m", "1", &tree]);
        let second = repository.git(&["commit-tree", "-m", "2", "-p", &first, &tree]);
        repository.commits = [first, second].map(|hex| hex.parse().expect("an id"));
        repository
    }

    fn dir(&self) -> std::path::PathBuf {
        self.place.path().join("r.git")
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = command(&self.dir()).args(arguments).output().expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", output.stderr.as_bstr());
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    fn store(&self) -> RefStore {
        RefStore::open(&self.dir()).expect("a repository")
    }

    /// All refs as `git` and as the store list them, after seeing that they are the same.
    fn listing(&self) -> Vec<String> {
        let ours = self.store().snapshot().expect("readable");
        let ours: Vec<_> = ours
            .refs
            .iter()
            .map(|entry| {
                let id = ours.resolve(entry.name.as_bstr()).expect("no circle").expect("resolves");
                format!("{id} {}", entry.name)
            })
            .collect();
        let theirs = self.git(&["for-each-ref", "--format=%(objectname) %(refname)"]);
        assert_eq!(ours, theirs.lines().collect::<Vec<_>>());
        ours.into_iter().map(|line| line[41..].to_owned()).collect()
    }

    fn transact(&self, mode: Mode, updates: &[Update]) -> Vec<String> {
        let options = Options { mode, peel: None, reflog: None, witness: None };
        let results = self.store().transact(updates, &options).expect("the transaction runs");
        results
            .into_iter()
            .map(|result| match result {
                Ok(()) => "ok".to_owned(),
                Err(error) => {
                    format!("{error:?}").split([' ', '{', '(']).next().unwrap_or_default().to_owned()
                }
            })
            .collect()
    }

    /// Names of files that a transaction may not leave behind.
    fn leftovers(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut directories = vec![self.dir()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).expect("readable") {
                let entry = entry.expect("readable");
                let name = entry.file_name().into_string().expect("UTF-8");
                if name.ends_with(".lock") || name.starts_with("lithe-") || name.ends_with(".next") {
                    found.push(name);
                }
                if entry.path().is_dir() {
                    directories.push(entry.path());
                }
            }
        }
        found
    }
}

fn command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(dir).stdin(std::process::Stdio::null());
    for (key, value) in [("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "1700000000 +0000")] {
        command.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
    }
    command
}

fn set(name: &str, expected: Expected, new: ObjectId) -> Update {
    Update { name: name.into(), expected, new: Some(new) }
}

fn delete(name: &str, expected: Expected) -> Update {
    Update { name: name.into(), expected, new: None }
}

#[test]
fn a_snapshot_is_what_git_lists() {
    let repository = Repository::new();
    let [first, second] = repository.commits;
    repository.git(&["update-ref", "refs/heads/main", &first.to_string()]);
    repository.git(&["update-ref", "refs/heads/a/b/c", &first.to_string()]);
    repository.git(&["tag", "-a", "-m", "x", "v1", "main"]);
    repository.git(&["pack-refs", "--all"]);
    repository.git(&["update-ref", "refs/heads/a/b/c", &second.to_string()]);
    repository.git(&["update-ref", "refs/heads/a-b", &second.to_string()]);
    repository.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/main"]);
    assert_eq!(
        repository.listing(),
        ["refs/heads/a-b", "refs/heads/a/b/c", "refs/heads/main", "refs/remotes/origin/HEAD", "refs/tags/v1"]
    );
    let snapshot = repository.store().snapshot().expect("readable");
    let tag = snapshot.find(b"refs/tags/v1".as_bstr()).expect("is there");
    assert_eq!((tag.peeled, tag.is_peel_known), (Some(first), true));
    assert_eq!(snapshot.head, Head::Symbolic("refs/heads/main".into()));
    assert_eq!(snapshot.head_id().expect("no circle"), Some(first));
    assert_eq!(snapshot.with_prefix(b"refs/heads/a".as_bstr()).len(), 2);
    assert!(repository.store().find(b"refs/heads/a/b/c".as_bstr()).expect("valid").is_some());
    assert!(repository.store().find(b"refs/heads/a/b".as_bstr()).expect("valid").is_none());
    assert!(repository.store().find(b"../x".as_bstr()).is_err());
}

#[test]
fn damaged_refs_are_passed_over_and_links_are_not_followed() {
    let repository = Repository::new();
    let id = repository.commits[0].to_string();
    let heads = repository.dir().join("refs/heads");
    fs::write(repository.place.path().join("outside"), &id).expect("written");
    fs::create_dir(repository.place.path().join("outside-directory")).expect("made");
    fs::write(repository.place.path().join("outside-directory/x"), &id).expect("written");
    fs::write(heads.join("good"), &id).expect("written");
    fs::write(heads.join("empty"), "").expect("written");
    fs::write(heads.join("bad..name"), &id).expect("written");
    fs::write(heads.join("held.lock"), &id).expect("written");
    for (name, target) in [
        ("link", "../../../outside"),
        ("dir", "../../../outside-directory"),
        ("old-style", "refs/heads/good"),
    ] {
        std::os::unix::fs::symlink(target, heads.join(name)).expect("linked");
    }
    let snapshot = repository.store().snapshot().expect("readable");
    let names: Vec<_> = snapshot.refs.iter().map(|entry| entry.name.to_string()).collect();
    assert_eq!(names, ["refs/heads/good", "refs/heads/old-style"]);
    let broken: Vec<_> = snapshot.broken.iter().map(BString::to_string).collect();
    assert_eq!(broken, ["refs/heads/bad..name", "refs/heads/dir", "refs/heads/empty", "refs/heads/link"]);
    assert!(repository.store().find(b"refs/heads/dir/x".as_bstr()).expect("valid").is_none());
    let result =
        repository.transact(Mode::Each, &[set("refs/heads/dir/y", Expected::Any, repository.commits[0])]);
    assert_eq!(result, ["Damaged"]);
    assert!(!repository.place.path().join("outside-directory/y").exists());
}

#[test]
fn what_is_no_repository_is_refused() {
    let place = tempfile::tempdir().expect("a temporary directory");
    assert!(matches!(RefStore::open(place.path()), Err(Error::NotARepository { .. })));
    let repository = Repository::new();
    fs::write(repository.dir().join("HEAD"), "nonsense").expect("written");
    assert!(matches!(repository.store().snapshot(), Err(Error::DamagedHead)));
    fs::write(repository.dir().join("HEAD"), "ref: refs/heads/main").expect("written");
    fs::write(repository.dir().join("packed-refs"), "nonsense").expect("written");
    assert!(matches!(repository.store().snapshot(), Err(Error::DamagedPackedRefs { line_number: 1 })));
    let config = "[core]\nrepositoryformatversion = 1\n[extensions]\nrefStorage = reftable\n";
    fs::write(repository.dir().join("config"), config).expect("written");
    // Its tables are not there.
    assert!(matches!(repository.store().snapshot(), Err(Error::Io { .. })));
    fs::write(repository.dir().join("config"), config.replace("reftable", "sql")).expect("written");
    assert!(matches!(RefStore::open(&repository.dir()), Err(Error::Unsupported(_))));
}

#[test]
fn symbolic_refs_in_a_circle_end() {
    let repository = Repository::new();
    let heads = repository.dir().join("refs/heads");
    fs::write(heads.join("a"), "ref: refs/heads/b").expect("written");
    fs::write(heads.join("b"), "ref: refs/heads/a").expect("written");
    fs::write(heads.join("good"), repository.commits[0].to_string()).expect("written");
    fs::write(heads.join("c"), "ref: refs/heads/good").expect("written");
    let snapshot = repository.store().snapshot().expect("readable");
    let names: Vec<_> = snapshot.refs.iter().map(|entry| entry.name.to_string()).collect();
    assert_eq!(names, ["refs/heads/c", "refs/heads/good"]);
    assert_eq!(snapshot.broken, ["refs/heads/a", "refs/heads/b"]);
    assert_eq!(snapshot.resolve(b"refs/heads/a".as_bstr()).expect("it is passed over"), None);
    assert_eq!(repository.transact(Mode::Each, &[delete("refs/heads/a", Expected::Any)]), ["Symbolic"]);
}

#[test]
fn symbolic_refs_lead_on_up_to_a_depth() {
    let repository = Repository::new();
    let heads = repository.dir().join("refs/heads");
    fs::write(heads.join("0"), repository.commits[0].to_string()).expect("written");
    for depth in 1..=SYMBOLIC_DEPTH_MAX + 1 {
        fs::write(heads.join(depth.to_string()), format!("ref: refs/heads/{}", depth - 1)).expect("written");
    }
    let snapshot = repository.store().snapshot().expect("readable");
    let deepest = format!("refs/heads/{SYMBOLIC_DEPTH_MAX}");
    let resolved = snapshot.resolve(deepest.as_bytes().as_bstr()).expect("within the depth");
    assert_eq!(resolved, Some(repository.commits[0]));
    assert_eq!(snapshot.broken, [format!("refs/heads/{}", SYMBOLIC_DEPTH_MAX + 1)]);
}

#[test]
fn changes_compare_and_swap() {
    let repository = Repository::new();
    let [first, second] = repository.commits;
    let (main, topic) = ("refs/heads/main", "refs/heads/topic/x");
    for is_packed in [false, true] {
        let pack = || {
            if is_packed {
                repository.git(&["pack-refs", "--all"]);
            }
        };
        assert_eq!(repository.transact(Mode::Each, &[set(main, Expected::Missing, first)]), ["ok"]);
        pack();
        assert_eq!(repository.transact(Mode::Each, &[set(main, Expected::Missing, second)]), ["Changed"]);
        assert_eq!(repository.transact(Mode::Each, &[set(main, Expected::Is(second), second)]), ["Changed"]);
        assert_eq!(repository.transact(Mode::Each, &[delete(main, Expected::Is(second))]), ["Changed"]);
        let both = [set(topic, Expected::Missing, first), set(main, Expected::Is(second), second)];
        assert_eq!(repository.transact(Mode::All, &both), ["Aborted", "Changed"]);
        assert_eq!(repository.listing(), [main]);
        assert_eq!(repository.transact(Mode::Each, &both), ["ok", "Changed"]);
        assert_eq!(repository.transact(Mode::Each, &[set(main, Expected::Is(first), second)]), ["ok"]);
        pack();
        assert_eq!(repository.listing(), [main, topic]);
        let gone = [delete(main, Expected::Is(second)), delete(topic, Expected::Any)];
        assert_eq!(repository.transact(Mode::All, &gone), ["ok", "ok"]);
        assert!(repository.listing().is_empty());
        assert!(!repository.dir().join("refs/heads/topic").exists(), "empty directories go");
        assert!(repository.dir().join("refs/heads").exists());
        assert!(repository.leftovers().is_empty());
    }
}

#[test]
fn names_are_refused_before_anything_is_touched() {
    let repository = Repository::new();
    let id = repository.commits[0];
    let cases = ["HEAD", "config", "refs/../config", "refs/heads/x.lock", "objects/x", "refs/heads/"];
    for name in cases {
        assert_eq!(
            repository.transact(Mode::Each, &[set(name, Expected::Any, id)]),
            ["InvalidName"],
            "{name}"
        );
    }
    let twice = [set("refs/heads/a", Expected::Any, id), delete("refs/heads/a", Expected::Any)];
    assert_eq!(repository.transact(Mode::Each, &twice), ["Duplicate", "Duplicate"]);
    assert!(repository.listing().is_empty());
}

#[test]
fn a_ref_cannot_stand_above_another() {
    let id = Repository::new().commits[0];
    for is_packed in [false, true] {
        let repository = Repository::new();
        repository.transact(Mode::Each, &[set("refs/heads/a/b", Expected::Any, id)]);
        if is_packed {
            repository.git(&["pack-refs", "--all"]);
        }
        let conflicting = ["refs/heads/a", "refs/heads/a/b/c", "refs/heads/a/b/c/d"];
        for name in conflicting {
            assert_eq!(
                repository.transact(Mode::Each, &[set(name, Expected::Missing, id)]),
                ["Conflict"],
                "{name}"
            );
        }
        let together = [set("refs/heads/x/y", Expected::Any, id), set("refs/heads/x", Expected::Any, id)];
        assert_eq!(repository.transact(Mode::Each, &together), ["ok", "Conflict"]);
        let other_way = [set("refs/heads/z", Expected::Any, id), set("refs/heads/z/y/x", Expected::Any, id)];
        assert_eq!(repository.transact(Mode::All, &other_way), ["Aborted", "Conflict"]);
        assert_eq!(repository.listing(), ["refs/heads/a/b", "refs/heads/x/y"]);
        fs::create_dir_all(repository.dir().join("refs/heads/empty/er")).expect("made");
        assert_eq!(
            repository.transact(Mode::Each, &[set("refs/heads/empty", Expected::Missing, id)]),
            ["ok"]
        );
        assert!(repository.leftovers().is_empty());
    }
}

#[test]
fn many_changes_go_to_packed_refs_at_once() {
    let repository = Repository::new();
    let [first, second] = repository.commits;
    let name = |index: usize| format!("refs/heads/many/{index:06}");
    repository.transact(Mode::Each, &[set(&name(7), Expected::Any, first)]);
    let updates: Vec<_> =
        (0..PACKED_FROM * 4).map(|index| set(&name(index), Expected::Any, second)).collect();
    assert!(repository.transact(Mode::All, &updates).iter().all(|result| result == "ok"));
    assert_eq!(repository.listing().len(), updates.len());
    assert!(!repository.dir().join("refs/heads/many").exists());
    let gone: Vec<_> = updates
        .iter()
        .map(|update| Update { new: None, expected: Expected::Is(second), ..update.clone() })
        .collect();
    assert!(repository.transact(Mode::Each, &gone).iter().all(|result| result == "ok"));
    assert!(repository.listing().is_empty());
    assert!(repository.leftovers().is_empty());
}

#[test]
fn a_lock_that_somebody_holds_is_respected() {
    let repository = Repository::new();
    let id = repository.commits[0];
    let lock = repository.dir().join("refs/heads/main.lock");
    fs::write(&lock, "").expect("written");
    let updates = [set("refs/heads/main", Expected::Any, id), set("refs/heads/other", Expected::Any, id)];
    assert_eq!(repository.transact(Mode::All, &updates), ["Locked", "Aborted"]);
    assert_eq!(repository.transact(Mode::Each, &updates), ["Locked", "ok"]);
    fs::remove_file(&lock).expect("removed");
    fs::write(repository.dir().join("packed-refs.lock"), "").expect("written");
    let options = Options { mode: Mode::Each, peel: None, reflog: None, witness: None };
    let result = repository.store().transact(&[delete("refs/heads/other", Expected::Any)], &options);
    assert!(matches!(result, Err(Error::Locked { .. })));
    assert_eq!(repository.listing(), ["refs/heads/other"]);
}

#[test]
fn only_locks_of_the_dead_are_removed() {
    let repository = Repository::new();
    let git_lock = repository.dir().join("refs/heads/git.lock");
    let our_lock = repository.dir().join("refs/heads/ours.lock");
    fs::write(&git_lock, "").expect("written");
    fs::write(&our_lock, "").expect("written");
    let next = repository.dir().join("packed-refs.next");
    fs::write(&next, "half of it").expect("written");
    fs::write(
        repository.dir().join("lithe-locks-0"),
        "refs/heads/ours.lock\nconfig\n../../x.lock\n/x.lock\npacked-refs.next\n",
    )
    .expect("written");
    let now = SystemTime::now();
    let store = repository.store();
    assert_eq!(store.remove_stale_locks(now).expect("works"), 0);
    assert_eq!(store.remove_stale_locks(now + Duration::from_secs(601)).expect("works"), 2);
    assert!(
        !our_lock.exists() && !next.exists() && git_lock.exists() && repository.dir().join("config").exists()
    );
    assert!(!repository.dir().join("lithe-locks-0").exists());
}

#[test]
fn locks_of_another_run_are_removed_at_once() {
    let run = |began: SystemTime| {
        let began = began.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        Run::parse(&began.as_nanos().to_string()).expect("a number")
    };
    let now = SystemTime::now();
    let [earlier, later] = [now - Duration::from_secs(60), now + Duration::from_secs(2)].map(run);
    // Who wrote the list, whose run it is now, and how many files go: a lock and the half of a file.
    let cases = [
        (Some(earlier), Some(later), 2),
        (Some(later), Some(later), 0),
        // The locks are younger than the run: somebody else took them since.
        (Some(later), Some(earlier), 0),
        (Some(earlier), None, 0),
        (None, Some(later), 0),
    ];
    for (writer, current, count) in cases {
        let repository = Repository::new();
        let [lock, gits] =
            ["refs/heads/ours.lock", "refs/heads/git.lock"].map(|name| repository.dir().join(name));
        for path in [&lock, &gits, &repository.dir().join("packed-refs.next")] {
            fs::write(path, "").expect("written");
        }
        let line = writer.map(|run| format!("run {run}\n")).unwrap_or_default();
        let record = repository.dir().join("lithe-locks-0");
        fs::write(&record, line + "refs/heads/ours.lock\npacked-refs.next\n").expect("written");
        let removed = repository.store().remove_locks_of_the_dead(now, current).expect("works");
        assert_eq!(removed, count, "{writer:?} {current:?}");
        assert_eq!((lock.exists(), gits.exists()), (count == 0, true), "{writer:?} {current:?}");
    }
}

#[test]
fn head_is_set_under_its_lock() {
    let repository = Repository::new();
    repository.store().set_head(b"refs/heads/trunk".as_bstr()).expect("set");
    assert_eq!(repository.git(&["symbolic-ref", "HEAD"]), "refs/heads/trunk");
    assert!(repository.store().set_head(b"trunk".as_bstr()).is_err());
    fs::write(repository.dir().join("HEAD.lock"), "").expect("written");
    assert!(matches!(repository.store().set_head(b"refs/heads/x".as_bstr()), Err(Error::Locked { .. })));
}

#[test]
fn reflogs_that_exist_are_kept() {
    let repository = Repository::new();
    let [first, second] = repository.commits;
    let reflog = Reflog { actor: "A <a@example.org> 1700000000 +0000".into(), message: "push".into() };
    let options = Options { mode: Mode::Each, peel: None, reflog: Some(&reflog), witness: None };
    let change = |update: Update| {
        let results = repository.store().transact(&[update], &options).expect("runs");
        assert!(results[0].is_ok());
    };
    change(set("refs/heads/main", Expected::Missing, first));
    assert!(!repository.dir().join("logs").exists());
    repository.git(&[
        "-c",
        "core.logAllRefUpdates=true",
        "update-ref",
        "--create-reflog",
        "refs/heads/main",
        &first.to_string(),
    ]);
    fs::create_dir_all(repository.dir().join("logs/refs/heads")).expect("made");
    fs::write(repository.dir().join("logs/refs/heads/main"), "").expect("made");
    change(set("refs/heads/main", Expected::Is(first), second));
    assert_eq!(repository.git(&["reflog", "show", "--format=%gs", "refs/heads/main"]), "push");
    change(delete("refs/heads/main", Expected::Any));
    assert!(!repository.dir().join("logs/refs/heads/main").exists());
}

/// Our transactions and `git update-ref`, `git pack-refs` on the same refs at the same time: no
/// value is lost, because each writer adds one to a counter kept in the ref and only by compare and swap.
#[test]
fn git_and_the_store_take_turns() {
    const STEPS: usize = 60;
    let repository = Repository::new();
    let tree = repository.git(&["mktree"]);
    let mut chain: Vec<ObjectId> = vec![repository.commits[0]];
    for index in 0..STEPS * 2 {
        let id = repository.git(&["commit-tree", "-m", &format!("step {index}"), &tree]);
        chain.push(id.parse().expect("an id"));
    }
    let name: &BStr = b"refs/heads/counter".as_bstr();
    repository.transact(Mode::Each, &[set("refs/heads/counter", Expected::Missing, chain[0])]);
    let position = |id: ObjectId| chain.iter().position(|other| *other == id).expect("one of the chain");
    let dir = repository.dir();
    std::thread::scope(|scope| {
        let ours = || {
            let store = RefStore::open(&dir).expect("a repository");
            let mut done = 0;
            while done < STEPS {
                let id = store
                    .snapshot()
                    .expect("readable")
                    .resolve(name)
                    .expect("no circle")
                    .expect("always there");
                let update = set("refs/heads/counter", Expected::Is(id), chain[position(id) + 1]);
                let options = Options { mode: Mode::All, peel: None, reflog: None, witness: None };
                done += usize::from(store.transact(&[update], &options).expect("runs")[0].is_ok());
            }
        };
        let theirs = || {
            let mut done = 0;
            while done < STEPS {
                let output =
                    command(&dir).args(["rev-parse", "refs/heads/counter"]).output().expect("git runs");
                let id: ObjectId = output.stdout.trim().to_str().expect("hex").parse().expect("always there");
                let next = chain[position(id) + 1].to_string();
                let arguments = ["update-ref", "refs/heads/counter", &next, &id.to_string()];
                done +=
                    usize::from(command(&dir).args(arguments).output().expect("git runs").status.success());
            }
        };
        let [ours, theirs] = [scope.spawn(ours), scope.spawn(theirs)];
        let mut round = 0;
        while !ours.is_finished() || !theirs.is_finished() {
            round += 1;
            command(&dir).args(["pack-refs", "--all"]).output().expect("git runs");
            let side = format!("refs/heads/side/{round}");
            let options = Options { mode: Mode::All, peel: None, reflog: None, witness: None };
            let store = RefStore::open(&dir).expect("a repository");
            let id = chain[0];
            for update in [set(&side, Expected::Missing, id), delete(&side, Expected::Is(id))] {
                let _ = store.transact(&[update], &options);
            }
        }
    });
    let end = repository.store().snapshot().expect("readable").resolve(name).expect("no circle");
    assert_eq!(end, Some(chain[STEPS * 2]), "every step was made once");
    repository.listing();
    assert!(repository.leftovers().is_empty());
}

#[test]
fn nothing_is_changed_once_the_witness_has_gone() {
    let repository = Repository::new();
    let new = Some(repository.commits[0]);
    let update = |name: &str| Update { name: name.into(), expected: Expected::Missing, new };
    let updates = [update("refs/heads/one"), update("refs/heads/deep/two")];
    let witness = repository.dir().join("witness");
    for (is_there, expected) in [(false, "Moved Moved"), (true, "ok ok")] {
        if is_there {
            fs::create_dir(&witness).expect("made");
        }
        let options = Options { mode: Mode::Each, peel: None, reflog: None, witness: Some(&witness) };
        let results = repository.store().transact(&updates, &options).expect("the transaction runs");
        let words = results.iter().map(|result| match result {
            Ok(()) => "ok",
            Err(UpdateError::Moved) => "Moved",
            Err(_) => "another error",
        });
        assert_eq!(words.collect::<Vec<_>>().join(" "), expected);
    }
}
