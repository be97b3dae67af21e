//! Filters of changed paths against what `git` says that commits changed.

use super::*;
use std::collections::{BTreeSet, HashMap};
use std::io::Write as _;
use std::process::Stdio;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

/// Names that become files and directories by turns, some of them with bytes of 0x80 and above.
const NAMES: [&str; 8] =
    ["a", "b", "a.b", "a-", "\u{e4}", "caf\u{e9}s", "\u{65e5}\u{672c}\u{8a9e}", "long-name.txt"];

/// A history as a stream for `git fast-import`: files come, change, go, become directories, links and
/// submodules; some commits change nothing, and some more than a filter has room for.
fn history(seed: u64, commits: usize) -> Vec<u8> {
    let mut random = Random(seed);
    let mut stream = Vec::new();
    for mark in 1..=commits {
        let branch = random.below(3);
        let date = 1_700_000_000 + mark * 60;
        let head =
            format!("commit refs/heads/b{branch}\nmark :{mark}\ncommitter A <a@b> {date} +0000\ndata 1\nx\n");
        stream.extend_from_slice(head.as_bytes());
        if mark > 1 && random.below(4) > 0 {
            stream.extend_from_slice(
                format!("from :{}\n", mark - 1 - random.below(3.min(mark - 1))).as_bytes(),
            );
        }
        if mark > 4 && random.below(5) == 0 {
            stream.extend_from_slice(format!("merge :{}\n", mark - 4).as_bytes());
        }
        let many = if random.below(15) == 0 { 500 + random.below(20) } else { 0 };
        for number in 0..many {
            stream.extend_from_slice(
                format!("M 644 inline many/{number}\ndata 2\n{:02}\n", mark % 100).as_bytes(),
            );
        }
        for _ in 0..random.below(5) {
            let path: Vec<&str> = (0..=random.below(4)).map(|_| NAMES[random.below(NAMES.len())]).collect();
            let path = path.join("/");
            let contents = random.below(10);
            let change = match random.below(8) {
                0 => format!("D {path}\n"),
                1 => format!("M 120000 inline {path}\ndata 1\n{contents}\n"),
                2 => format!("M 755 inline {path}\ndata 1\n{contents}\n"),
                3 => format!("M 160000 {:040x} {path}\n", contents + 1),
                _ => format!("M 644 inline {path}\ndata 1\n{contents}\n"),
            };
            stream.extend_from_slice(change.as_bytes());
        }
        stream.push(b'\n');
    }
    stream
}

impl Repository {
    fn of_stream(init: &str, stream: &[u8]) -> Self {
        let repository = Self(tempfile::tempdir().expect("a directory"));
        repository.git(0, &format!("init -q -b main{init}"));
        let mut command = Command::new("git");
        command.arg("-C").arg(repository.0.path()).args(["fast-import", "--quiet", "--force"]);
        let mut import = command.stdin(Stdio::piped()).spawn().expect("git runs");
        import.stdin.take().expect("it is piped").write_all(stream).expect("it is read");
        assert!(import.wait().expect("it ends").success());
        repository
    }

    /// What each commit changed against its first parent, directories included.
    fn changed(&self) -> HashMap<ObjectId, BTreeSet<String>> {
        let ids = self.git(0, "rev-list --all");
        let listed = |id: &str| {
            let names = self.git(
                0,
                &format!(
                    "log -1 --diff-merges=first-parent --no-renames -r -t -z --name-only --format= {id}"
                ),
            );
            names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        ids.lines().map(|id| (id.parse().expect("an id"), listed(id))).collect()
    }

    fn write(&self, hash: gix_hash::Kind) {
        let store = Store::of_objects_dir(self.objects(), hash).expect("readable");
        let tips: Vec<ObjectId> = self
            .git(0, "for-each-ref --format=%(objectname)")
            .lines()
            .map(|id| id.parse().expect("an id"))
            .collect();
        let written = write(&store, hash, &tips, &mut |_, _| true).expect("written");
        assert!(matches!(written, Written::Graph { .. }));
    }

    fn graph_file(&self) -> Vec<u8> {
        fs::read(self.objects().join("info/commit-graph")).expect("readable")
    }

    /// Checks that nothing that was changed is denied; returns how often what was not changed was not.
    fn check_filters(&self, hash: gix_hash::Kind) -> (usize, usize) {
        let graph = CommitGraph::open(&self.objects(), hash).expect("a graph");
        assert_eq!(graph.filters(), graph.len());
        let changed = self.changed();
        let mut paths: BTreeSet<&str> = changed.values().flatten().map(String::as_str).collect();
        paths.extend(["never", "a/never", "many/never/x"]);
        let (mut wrong, mut asked) = (0, 0);
        for path in paths {
            let keys = PathKeys::new(path.as_bytes());
            for (id, changed) in &changed {
                match (changed.contains(path), graph.may_have_changed(id, &keys)) {
                    (true, answer) => assert!(answer, "{id} changed {path}"),
                    // One that has no room for what was changed says yes to everything.
                    (false, _) if changed.len() > 512 => {}
                    (false, answer) => {
                        asked += 1;
                        wrong += usize::from(answer);
                    }
                }
            }
        }
        (wrong, asked)
    }

    /// Checks that a way along first parents ends where going step by step ends.
    fn check_ways(&self, hash: gix_hash::Kind) {
        let graph = CommitGraph::open(&self.objects(), hash).expect("a graph");
        let changed = self.changed();
        let paths: BTreeSet<&str> = changed.values().flatten().map(String::as_str).collect();
        let keys: Vec<PathKeys> = paths.iter().map(|path| PathKeys::new(path.as_bytes())).collect();
        let mut way_max = 0;
        for first in changed.keys() {
            for (pair, commits_max) in keys.windows(2).zip([1, 3, usize::MAX].into_iter().cycle()) {
                let paths = [&pair[0], &pair[1]];
                let mut way = vec![*first];
                while way.len() <= commits_max {
                    let last = way.last().expect("it has one");
                    let may_change = paths.iter().any(|keys| graph.may_have_changed(last, keys));
                    let parent = graph.get(last).expect("it is there").parents.first().copied();
                    match parent.filter(|_| !may_change) {
                        Some(parent) => way.push(parent),
                        None => break,
                    }
                }
                way_max = way_max.max(way.len());
                let check = |end: Option<&oid>, way: &[ObjectId]| {
                    let passed = graph.pass(first, &paths, end, commits_max);
                    let last = *way.last().expect("it has one");
                    let date = graph.get(&last).expect("it is there").date;
                    let expected = Passed { id: last, date, commits: way.len() - 1 };
                    assert_eq!(passed, (way.len() > 1).then_some(expected), "{first}, {end:?}");
                };
                check(None, &way);
                let middle = way.len() / 2;
                check(Some(&way[middle]), &way[..=middle]);
                check(Some(&ObjectId::null(hash)), &way);
            }
        }
        assert!(way_max > 3, "no way is long: {way_max}");
        assert_eq!(graph.pass(&ObjectId::null(hash), &[&keys[0]], None, 9), None);
    }
}

#[test]
fn filters_are_those_that_git_writes_and_deny_nothing_that_was_changed() {
    for (seed, format) in [(1, "sha1"), (2, "sha1"), (3, "sha256"), (4, "sha1")] {
        let hash = if format == "sha1" { SHA1 } else { gix_hash::Kind::Sha256 };
        let mut stream = history(seed, 90);
        if format == "sha256" {
            stream = String::from_utf8(stream)
                .expect("text")
                .replace("M 160000 ", &format!("M 160000 {}", "0".repeat(24)))
                .into_bytes();
        }
        let repository = Repository::of_stream(&format!(" --object-format={format}"), &stream);
        repository.git(0, "commit-graph write --reachable --changed-paths");
        let theirs = repository.graph_file();
        let (wrong, asked) = repository.check_filters(hash);
        assert!(asked > 5_000 && wrong * 50 < asked, "{wrong} of {asked}");
        repository.check_ways(hash);
        // What is there could be taken over.
        fs::remove_file(repository.objects().join("info/commit-graph")).expect("removed");
        repository.write(hash);
        assert!(repository.graph_file() == theirs, "seed {seed}");
        repository.git(0, "commit-graph verify");
    }
}

#[test]
fn filters_of_commits_that_are_known_are_taken_over_if_the_file_is_intact() {
    let repository = Repository::of_stream("", &history(5, 40));
    repository.git(0, "commit-graph write --reachable --changed-paths");
    let sound = repository.graph_file();
    let path = repository.objects().join("info/commit-graph");
    // The last filter says that its commit changed everything.
    let mut marked = sound.clone();
    let end = marked.len() - 20;
    marked[end - 1] = 0xff;
    let _ = fs::remove_file(&path);
    fs::write(&path, &marked).expect("written");
    repository.write(SHA1);
    assert!(repository.graph_file() == sound, "a damaged file gives nothing");
    marked.truncate(end);
    durable::append_checksum(&mut marked, SHA1).expect("hashed");
    fs::write(&path, &marked).expect("written");
    repository.write(SHA1);
    assert!(repository.graph_file() == marked, "an intact one gives its filters");
}

#[test]
fn filters_of_the_second_version_stay_what_they_are() {
    let repository = Repository::of_stream("", &history(6, 60));
    repository.write(SHA1);
    let first = repository.graph_file();
    // Its version of the hash is not known to every git: the files are compared where it is.
    let graph = "-c commitGraph.changedPathsVersion=2 commit-graph write --reachable --changed-paths";
    repository.git(0, graph);
    let theirs = repository.graph_file();
    if theirs == first {
        return;
    }
    repository.check_filters(SHA1);
    repository.write(SHA1);
    assert!(repository.graph_file() == theirs);
}

#[test]
fn a_chain_may_have_filters_in_some_of_its_files() {
    let repository = Repository::new();
    repository.git(0, "commit-graph write --reachable --split=no-merge --no-changed-paths");
    repository.git(1_700_001_000, "commit -q --allow-empty -m more");
    repository.git(0, "commit-graph write --reachable --split=no-merge --changed-paths");
    let graph = CommitGraph::open(&repository.objects(), SHA1).expect("a graph");
    assert_eq!((graph.len(), graph.filters()), (11, 1));
    let head = repository.git(0, "rev-parse HEAD").parse::<ObjectId>().expect("an id");
    let before = repository.git(0, "rev-parse HEAD~1").parse::<ObjectId>().expect("an id");
    let path = PathKeys::new(b"file");
    assert!(!graph.may_have_changed(&head, &path), "it is an empty commit");
    assert!(graph.may_have_changed(&before, &path), "nothing is known of it");
    assert!(graph.may_have_changed(&head, &PathKeys::new(b"")), "the tree as a whole");
    let passed = graph.pass(&head, &[&path], None, usize::MAX).map(|passed| (passed.id, passed.commits));
    assert_eq!(passed, Some((before, 1)), "the way ends where nothing is known");
}

#[test]
fn writing_can_be_stopped() {
    let repository = Repository::of_stream("", &history(7, 10));
    let store = Store::of_objects_dir(repository.objects(), SHA1).expect("readable");
    let tip = repository.git(0, "rev-parse b0").parse().expect("an id");
    assert!(matches!(write(&store, SHA1, &[tip], &mut |_, _| false), Err(Error::Stopped)));
    assert!(CommitGraph::open(&repository.objects(), SHA1).is_none());
}
