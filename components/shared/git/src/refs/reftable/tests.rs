//! Tables that `git` wrote: recorded ones, and, where it can, new ones.

use super::*;
use crate::refs::RefStore;
use crate::testing::Scratch;
use std::fs;
use std::ops::Deref;
use std::process::{Command, Stdio};

struct Repository(Scratch);

impl Deref for Repository {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.0
    }
}

impl Repository {
    /// What the script makes in a bare repository with a commit in `$id` and a tag of it in `$tag`.
    /// None: this `git` makes no tables.
    fn new(init: &str, script: &str) -> Option<Self> {
        let repository = Self(Scratch::new());
        let mut made = Command::new("git");
        made.args(["init", "-q", "--bare", "--ref-format=reftable"]).args(init.split_whitespace()).arg(".");
        made.current_dir(repository.0.path()).stderr(Stdio::null());
        if !made.status().expect("git runs").success() {
            return None;
        }
        repository.sh(&format!(
            "id=$(git commit-tree -m x $(git hash-object -t tree -w /dev/null))
             tag=$(printf 'object %s\\ntype commit\\ntag t\\ntagger A <a@b> 1 +0000\\n\\nt\\n' $id | git hash-object -t tag -w --stdin)
             {script}"
        ));
        Some(repository)
    }

    fn store(&self) -> RefStore {
        RefStore::open(self.0.path()).expect("readable")
    }

    /// Compares the snapshot with what `git` lists, and each ref with what is found of it alone.
    fn check(&self) {
        let store = self.store();
        let snapshot = store.snapshot().expect("readable");
        let format = "%(refname) %(objectname) %(*objectname) %(symref)";
        let expected = self.sh(&format!("git for-each-ref --format='{format}'"));
        let listed: Vec<String> = snapshot.refs.iter().map(|entry| line(&snapshot, entry)).collect();
        let expected: Vec<&str> = expected.lines().map(str::trim_end).collect();
        assert_eq!(listed, expected);
        for entry in &snapshot.refs {
            assert_eq!(store.find(entry.name.as_bstr()).expect("readable").as_ref(), Some(entry));
            let longer = [&**entry.name, b"0"].concat();
            if snapshot.find(longer.as_bstr()).is_none() {
                assert_eq!(store.find(longer.as_bstr()).expect("readable"), None);
            }
        }
        assert_eq!(store.find("refs/a".into()).expect("readable"), None);
        assert_eq!(store.find("refs/zzz".into()).expect("readable"), None);
        assert_eq!(store.head().expect("readable"), snapshot.head);
        let head = self.sh("git symbolic-ref -q HEAD || git rev-parse HEAD");
        let expected = match head.parse() {
            Ok(id) => Head::Detached(id),
            Err(_) => Head::Symbolic(head.into()),
        };
        assert_eq!(snapshot.head, expected);
    }
}

/// A ref as `git for-each-ref` lists it here.
fn line(snapshot: &Snapshot, entry: &Ref) -> String {
    let id = snapshot.resolve(entry.name.as_bstr()).expect("no circle").expect("it leads somewhere");
    let symbolic = match &entry.target {
        Target::Symbolic(name) => name.to_string(),
        Target::Id(_) => String::new(),
    };
    let peeled = entry.peeled.map(|id| id.to_string()).unwrap_or_default();
    format!("{} {id} {peeled} {symbolic}", entry.name).trim_end().to_owned()
}

/// Refs of all kinds in several tables, with some that are deleted and some that change.
const SCRIPT: &str = "
    export GIT_TEST_REFTABLE_AUTOCOMPACTION=false
    git update-ref refs/heads/main $id && git update-ref refs/tags/t $tag
    git symbolic-ref refs/remotes/origin/HEAD refs/heads/main
    for i in 1 2 3; do for j in $(seq 40); do echo create refs/heads/b$i/$j $id; done; done | git update-ref --stdin
    for j in $(seq 1 3 40); do echo delete refs/heads/b2/$j; done | git update-ref --stdin
    for j in $(seq 1 6 40); do echo update refs/heads/b2/$j $tag; done | sed 's,heads/b2,tags/b2,' | git update-ref --stdin
    git update-ref refs/tags/t $id && git update-ref -d refs/heads/b1/7";

#[test]
fn refs_in_tables_are_those_that_git_lists() {
    for init in ["", "--object-format=sha256"] {
        for (config, after) in [
            ("", ""),
            ("git config reftable.blockSize 256", ""),
            ("git config reftable.blockSize 256 && git config core.logAllRefUpdates always", ""),
            ("git config reftable.blockSize 300 && git config reftable.restartInterval 2", "git pack-refs"),
            ("git config reftable.indexObjects false", "git pack-refs && git update-ref refs/x/y $id"),
            ("git config core.logAllRefUpdates always", "git update-ref --no-deref HEAD $id"),
        ] {
            let script = format!("{config}\n{SCRIPT}\n{after}");
            let Some(repository) = Repository::new(init, &script) else {
                eprintln!("not tried: this git makes no reftables; those that were recorded are read");
                return;
            };
            repository.check();
        }
    }
}

#[test]
fn a_large_table_is_read_by_its_index() {
    let script = "git config reftable.blockSize 256
        for i in $(seq 3000); do echo create refs/heads/branch-$i $id; done | git update-ref --stdin";
    let Some(repository) = Repository::new("", script) else { return };
    repository.check();
}

/// The recorded tables, and what `git` listed of them.
fn recorded() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a directory");
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fuzz/recordings/reftable");
    let directory = place.path().join("reftable");
    fs::create_dir(&directory).expect("made");
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(recordings).expect("there are recordings") {
        let entry = entry.expect("it can be listed");
        names.push(entry.file_name().into_string().expect("a name"));
        fs::copy(entry.path(), directory.join(entry.file_name())).expect("copied");
    }
    names.retain(|name| name.starts_with("stack-"));
    names.sort();
    fs::write(directory.join("tables.list"), names.join("\n") + "\n").expect("written");
    place
}

#[test]
fn recorded_tables_are_read() {
    let place = recorded();
    let stack = Stack::open(place.path(), ObjectFormat::Sha1).expect("readable");
    let snapshot = stack.snapshot().expect("readable");
    let listed: String = snapshot.refs.iter().map(|entry| line(&snapshot, entry) + "\n").collect();
    assert_eq!(listed, include_str!("recorded.txt"));
    assert_eq!(snapshot.head, Head::Symbolic("refs/heads/main".into()));
}

#[test]
fn a_damaged_table_is_said_to_be_one_or_has_other_refs() {
    let place = recorded();
    let directory = place.path().join("reftable");
    let names = names(&directory).expect("readable");
    for name in names {
        let path = directory.join(&name);
        let sound = fs::read(&path).expect("readable");
        let check = |bytes: &[u8]| {
            fs::write(&path, bytes).expect("written");
            let outcome = Stack::open(place.path(), ObjectFormat::Sha1);
            let outcome = outcome.and_then(|stack| {
                stack.find("refs/heads/main".into())?;
                stack.snapshot()
            });
            assert!(matches!(outcome, Ok(_) | Err(Error::DamagedReftable { .. })));
        };
        for at in (0..sound.len()).step_by(3) {
            check(&sound[..at]);
            let mut bytes = sound.clone();
            bytes[at] ^= if at % 2 == 0 { 0x81 } else { 0xff };
            check(&bytes);
        }
        fs::write(&path, &sound).expect("written");
    }
}

#[test]
fn a_list_that_names_what_is_not_there_is_damaged() {
    let place = recorded();
    let directory = place.path().join("reftable");
    let list = fs::read_to_string(directory.join("tables.list")).expect("readable");
    for (text, is_read) in [
        (list.clone(), true),
        (String::new(), true),
        (format!("{list}missing.ref\n"), false),
        ("../reftable/x.ref\n".to_owned(), false),
        ("\n".to_owned(), false),
        ("x.ref\n".repeat(REFTABLES_MAX + 1), false),
    ] {
        fs::write(directory.join("tables.list"), &text).expect("written");
        let opened = Stack::open(place.path(), ObjectFormat::Sha1);
        assert_eq!(opened.is_ok(), is_read, "{}", text.len());
    }
    fs::write(directory.join("tables.list"), &list).expect("written");
    let other = Stack::open(place.path(), ObjectFormat::Sha256);
    assert!(matches!(other.map(|_| ()), Err(Error::DamagedReftable { .. })), "ids of another format");
}

#[test]
fn refs_in_tables_are_not_changed() {
    let Some(repository) = Repository::new("", "git update-ref refs/heads/main $id") else { return };
    let store = repository.store();
    assert!(matches!(store.set_head("refs/heads/x".into()), Err(Error::ReadOnly)));
    let options =
        crate::refs::Options { mode: crate::refs::Mode::All, peel: None, reflog: None, witness: None };
    let update =
        crate::refs::Update { name: "refs/heads/x".into(), expected: crate::refs::Expected::Any, new: None };
    assert!(matches!(store.transact(&[update], &options), Err(Error::ReadOnly)));
}
