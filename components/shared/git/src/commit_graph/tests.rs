//! Graphs that Git wrote are read, and those that are written here are what Git would have said.

mod filters;

use super::*;
use crate::durable;
use crate::odb::Store;
use crate::testing::sealed;
use std::process::Command;

const SHA1: gix_hash::Kind = gix_hash::Kind::Sha1;

struct Repository(tempfile::TempDir);

impl Repository {
    /// A history with a merge of two, one of four, and a clock that went wrong for a commit.
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().expect("a directory"));
        repository.git(1_700_000_000, "init -q -b main");
        for (second, commands) in [
            "commit -q --allow-empty -m one;branch a;branch b;branch c",
            "commit -q --allow-empty -m two;checkout -q a",
            "commit -q --allow-empty -m three;checkout -q b",
            "commit -q --allow-empty -m four;checkout -q c",
            "commit -q --allow-empty -m five;checkout -q main",
            "merge -q --no-ff -m six a",
            "merge -q -s ours --no-ff -m seven b c",
        ]
        .iter()
        .enumerate()
        {
            for command in commands.split(';') {
                repository.git(1_700_000_000 + second as i64, command);
            }
        }
        repository.git(1_600_000_000, "commit -q --allow-empty -m late");
        repository.git(3_000_000_000, "commit -q --allow-empty -m early");
        repository.git(100, "commit -q --allow-empty -m very-late");
        repository
    }

    fn git(&self, date: i64, words: &str) -> String {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.0.path()).args(words.split(' '));
        let date = format!("@{date} +0000");
        for (key, value) in [("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", &date)] {
            command.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
        }
        let output = command.output().expect("git runs");
        assert!(output.status.success(), "git {words}: {output:?}");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    fn objects(&self) -> std::path::PathBuf {
        self.0.path().join(".git/objects")
    }

    /// Every commit as the objects themselves have it.
    fn commits(&self) -> Vec<(ObjectId, crate::walk::Commit)> {
        let store = Store::of_objects_dir(self.objects(), SHA1).expect("readable");
        let ids = self.git(0, "rev-list --all");
        let ids = ids.lines().map(|id| id.parse().expect("an id"));
        ids.map(|id: ObjectId| (id, crate::walk::Commit::read(&store, &id).expect("read"))).collect()
    }

    fn check(&self, graph: &CommitGraph, expected: usize) {
        let mut generations = std::collections::HashMap::new();
        let mut known = 0;
        for (id, commit) in self.commits().into_iter().rev() {
            let Some(node) = graph.get(&id) else { continue };
            known += 1;
            assert_eq!((node.tree, &node.parents, node.date), (commit.tree, &commit.parents, commit.date));
            generations.insert(id, node.generation.expect("there are corrected dates"));
        }
        assert_eq!((known, graph.len()), (expected, expected as u32));
        for (id, commit) in self.commits() {
            for parent in commit.parents {
                if let (Some(above), Some(below)) = (generations.get(&id), generations.get(&parent)) {
                    assert!(above > below, "{id} {parent}");
                }
            }
        }
    }
}

#[test]
fn what_git_wrote_is_read() {
    let repository = Repository::new();
    repository.git(0, "commit-graph write --reachable");
    repository.check(&CommitGraph::open(&repository.objects(), SHA1).expect("a graph"), 10);
}

#[test]
fn a_chain_that_git_wrote_is_read() {
    let repository = Repository::new();
    repository.git(0, "commit-graph write --reachable --split=no-merge");
    repository.git(1_700_001_000, "commit -q --allow-empty -m more");
    repository.git(0, "commit-graph write --reachable --split=no-merge");
    repository.git(1_700_001_001, "commit -q --allow-empty -m not-in-the-graph");
    let graph = CommitGraph::open(&repository.objects(), SHA1).expect("a graph");
    assert_eq!(graph.layers.len(), 2);
    repository.check(&graph, 11);
}

#[test]
fn git_finds_nothing_wrong_with_what_is_written_here() {
    let repository = Repository::new();
    let store = Store::of_objects_dir(repository.objects(), SHA1).expect("readable");
    let head = repository.git(0, "rev-parse HEAD").parse().expect("an id");
    assert_eq!(
        write(&store, SHA1, &[head], &mut |_, _| true).expect("written"),
        Written::Graph { commits: 10 }
    );
    repository.git(0, "commit-graph verify");
    let ours = CommitGraph::open(&repository.objects(), SHA1).expect("a graph");
    repository.check(&ours, 10);
    let git = Repository::new();
    git.git(0, "commit-graph write --reachable --changed-paths");
    let [ours, theirs] = [&repository, &git]
        .map(|repository| fs::read(repository.objects().join("info/commit-graph")).expect("readable"));
    assert!(ours == theirs, "they are the same to the byte");
}

#[test]
fn dates_that_the_format_has_no_room_for_are_left_to_the_commits() {
    let repository = Repository::new();
    repository.git(1 << 34, "commit -q --allow-empty -m far");
    let store = Store::of_objects_dir(repository.objects(), SHA1).expect("readable");
    let head = repository.git(0, "rev-parse HEAD").parse().expect("an id");
    assert_eq!(write(&store, SHA1, &[head], &mut |_, _| true).expect("no failure"), Written::NotExpressible);
    assert!(CommitGraph::open(&repository.objects(), SHA1).is_none());
}

#[test]
fn a_damaged_graph_is_no_graph_or_lacks_commits() {
    let repository = Repository::new();
    repository.git(0, "commit-graph write --reachable --changed-paths");
    let path = repository.objects().join("info/commit-graph");
    let sound = fs::read(&path).expect("readable");
    let ids: Vec<_> = repository.commits().into_iter().map(|(id, _)| id).collect();
    let change = |bytes: &[u8]| {
        for bytes in [bytes, &sealed(bytes, SHA1)] {
            let _ = fs::remove_file(&path);
            fs::write(&path, bytes).expect("written");
            // What is left of it may be wrong; reading it neither fails nor goes on for ever.
            let Some(graph) = CommitGraph::open(&repository.objects(), SHA1) else { continue };
            let keys = PathKeys::new(b"some/path");
            ids.iter().for_each(|id| {
                drop((graph.get(id), graph.may_have_changed(id, &keys), graph.filter(id, HashVersion::One)))
            });
        }
    };
    for len in 0..sound.len() {
        change(&sound[..len]);
        let mut bytes = sound.clone();
        for value in [0, 0xff, bytes[len] ^ 0x80] {
            bytes[len] = value;
            change(&bytes);
        }
    }
}
