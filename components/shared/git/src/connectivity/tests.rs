//! Objects that are complete, and objects that only seem so.

use super::*;
use crate::refs::RefStore;
use bstr::ByteSlice;
use std::fs;
use std::process::Command;
use tempfile::TempDir;

/// A history of commits with directories, the last of which no ref reaches.
struct Repository {
    place: TempDir,
    commits: Vec<String>,
}

impl Repository {
    fn new() -> Self {
        let mut repository =
            Self { place: tempfile::tempdir().expect("a temporary directory"), commits: Vec::new() };
        repository.git("init -q -b main");
        for step in 0..6 {
            let directory = repository.place.path().join(format!("d{}/e", step % 2));
            fs::create_dir_all(&directory).expect("made");
            fs::write(directory.join("file"), format!("{step}\n")).expect("written");
            repository.git("add -A");
            repository.git("commit -q -m x");
            repository.commits.push(repository.git("rev-parse HEAD"));
        }
        repository.git("update-ref refs/heads/main HEAD~2");
        repository
    }

    fn git(&self, words: &str) -> String {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.place.path()).args(words.split(' '));
        for (key, value) in [("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "1700000000 +0000")] {
            command.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
        }
        let output = command.output().expect("git runs");
        assert!(output.status.success(), "git {words}: {}", output.stderr.as_bstr());
        output.stdout.trim().to_str_lossy().into_owned()
    }

    fn id(&self, revision: &str) -> ObjectId {
        self.git(&format!("rev-parse {revision}")).parse().expect("an id")
    }

    fn remove(&self, revision: &str) {
        let id = self.git(&format!("rev-parse {revision}"));
        let path = self.place.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
        fs::remove_file(path).expect("was loose");
    }

    /// Checks objects of the repository; in words what came of it.
    fn check(&self, objects: &[(ObjectId, Kind)]) -> String {
        let git_dir = self.place.path().join(".git");
        let store = Store::open(&git_dir).expect("readable");
        let refs = RefStore::open(&git_dir).and_then(|refs| refs.snapshot()).expect("readable");
        let result =
            Connectivity::new(&git_dir, &store, &refs).expect("it is whole").check(Outside(objects.to_vec()));
        result.map_or_else(|error| error.to_string(), |()| "complete".to_owned())
    }
}

#[test]
fn what_a_ref_reaches_is_complete() {
    let repository = Repository::new();
    let cases = [
        ("main", Kind::Commit),
        ("main~2", Kind::Commit),
        ("main^{tree}", Kind::Tree),
        ("main:d0", Kind::Tree),
        ("main:d0/e/file", Kind::Blob),
    ];
    for (revision, kind) in cases {
        assert_eq!(repository.check(&[(repository.id(revision), kind)]), "complete", "{revision}");
    }
}

#[test]
fn what_no_ref_reaches_is_walked_to_its_end() {
    let repository = Repository::new();
    let last: ObjectId = repository.commits[5].parse().expect("an id");
    assert_eq!(repository.check(&[(last, Kind::Commit)]), "complete");
    let last = last.to_string();
    for missing in
        [format!("{last}^"), format!("{last}^^{{tree}}"), format!("{last}^:d0"), format!("{last}:d1/e/file")]
    {
        let repository = Repository::new();
        let id = repository.id(&missing);
        repository.remove(&missing);
        let tip = last.parse().expect("the same in every repository");
        assert_eq!(repository.check(&[(tip, Kind::Commit)]), format!("object {id} is missing"), "{missing}");
    }
}

#[test]
fn trees_are_looked_up_in_commits_that_are_complete() {
    let repository = Repository::new();
    let main = repository.id("main");
    let known = repository.id("main:d1");
    // The blob in it is missing, but the ref that reaches it vouches for it.
    repository.remove("main:d1/e/file");
    assert_eq!(repository.check(&[(main, Kind::Commit), (known, Kind::Tree)]), "complete");
    let stray = repository.id(&format!("{}:d1", repository.commits[5]));
    let blob = repository.id(&format!("{}:d1/e/file", repository.commits[5]));
    repository.remove(&blob.to_string());
    assert_eq!(
        repository.check(&[(main, Kind::Commit), (stray, Kind::Tree)]),
        format!("object {blob} is missing")
    );
}

#[test]
fn kinds_are_compared() {
    let repository = Repository::new();
    let tree = repository.id("main^{tree}");
    let blob = repository.id("main:d0/e/file");
    assert_eq!(
        repository.check(&[(tree, Kind::Commit)]),
        format!("object {tree} is a tree where a commit has to be")
    );
    assert_eq!(
        repository.check(&[(blob, Kind::Tree)]),
        format!("object {blob} is a blob where a tree has to be")
    );
}

#[test]
fn history_may_be_cut_off_where_the_repository_says_so() {
    let repository = Repository::new();
    let last = repository.commits[5].clone();
    repository.remove(&repository.commits[4]);
    repository.remove(&repository.commits[3]);
    fs::write(repository.place.path().join(".git/shallow"), format!("{last}\n")).expect("written");
    assert_eq!(repository.check(&[(last.parse().expect("an id"), Kind::Commit)]), "complete");
}

#[test]
fn a_failed_check_does_not_vouch_for_anything() {
    let repository = Repository::new();
    let (last, before) = (repository.commits[5].clone(), repository.commits[4].clone());
    let blob = repository.id(&format!("{before}:d0/e/file"));
    repository.remove(&blob.to_string());
    let git_dir = repository.place.path().join(".git");
    let store = Store::open(&git_dir).expect("readable");
    let refs = RefStore::open(&git_dir).and_then(|refs| refs.snapshot()).expect("readable");
    let mut connectivity = Connectivity::new(&git_dir, &store, &refs).expect("it is whole");
    for commit in [&last, &last, &before] {
        let outside = Outside(vec![(commit.parse().expect("an id"), Kind::Commit)]);
        assert!(matches!(connectivity.check(outside), Err(Error::Missing { id }) if id == blob), "{commit}");
    }
}

/// A repository of so many commits, maintained, and two pushes since.
fn long(commits: usize) -> Repository {
    let repository =
        Repository { place: tempfile::tempdir().expect("a temporary directory"), commits: Vec::new() };
    repository.git("init -q -b main");
    let commit = |number: usize| {
        format!(
            "commit refs/heads/main\ncommitter A <a@example.org> {} +0000\ndata 1\nx\n",
            1_600_000_000 + number * 60
        )
    };
    let import = |text: String| {
        let path = repository.place.path().join("stream");
        fs::write(&path, text).expect("written");
        let mut command = Command::new("git");
        command.arg("-C").arg(repository.place.path()).args(["fast-import", "--quiet", "--force"]);
        let status = command.stdin(fs::File::open(path).expect("is there")).status().expect("git runs");
        assert!(status.success());
    };
    import((0..commits).map(commit).collect());
    repository.git("repack -adbq");
    for number in [commits, commits + 1] {
        import(commit(number).replacen("\ndata 1\nx\n", "\ndata 1\nx\nfrom refs/heads/main^0\n", 1));
    }
    repository
}

#[test]
fn a_check_costs_what_is_new_however_long_the_history_is() {
    let cases = [("main~2", 3), ("main~1", 3), ("main~500", 3), ("main~2^{tree}", 1)];
    for commits in [1_000, 100_000] {
        let repository = long(commits);
        let git_dir = repository.place.path().join(".git");
        for (revision, looked_at_max) in cases {
            let store = Store::open(&git_dir).expect("readable");
            let refs = RefStore::open(&git_dir).and_then(|refs| refs.snapshot()).expect("readable");
            let mut connectivity = Connectivity::new(&git_dir, &store, &refs).expect("it is whole");
            let id = repository.id(revision);
            let kind = store.object_header(&id).expect("is there").0;
            connectivity.check(Outside(vec![(id, kind)])).expect("complete");
            let seen = connectivity.history.as_ref().map_or(0, |history| history.seen.len());
            let looked_at = seen + connectivity.complete.len();
            assert!(looked_at <= looked_at_max + 2, "{revision} of {commits}: {looked_at}");
        }
    }
}
