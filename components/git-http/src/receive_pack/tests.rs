//! Pushes as `git` makes them, judged by `git`.

use super::*;
use bstr::ByteSlice;
use lithe_git::format::ObjectFormat;
use lithe_git::{init, pkt_line};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

mod faults;
mod small;

/// A server's repository, empty at first, and a client's.
struct Place {
    place: TempDir,
}

const NULL: &str = "0000000000000000000000000000000000000000";

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a temporary directory");
        init::init_bare(&place.path().join("server.git"), "main", ObjectFormat::Sha1).expect("made");
        let new = Self { place };
        new.git("init -q -b main client");
        new
    }

    fn server(&self) -> PathBuf {
        self.place.path().join("server.git")
    }

    /// Runs `git` with words that are separated by spaces, in the client's repository.
    fn client(&self, words: &str) -> String {
        self.git(&format!("-C client {words}"))
    }

    fn git(&self, words: &str) -> String {
        let output = self.run(words, b"");
        assert!(output.status.success(), "git {words}: {}", output.stderr.as_bstr());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn run(&self, words: &str, input: &[u8]) -> std::process::Output {
        let mut command = Command::new("git");
        command.current_dir(self.place.path()).args(words.split_whitespace());
        for (key, value) in [("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "1700000000 +0000")] {
            command.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
        }
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("git runs");
        let mut stdin = child.stdin.take().expect("is piped");
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let _ = stdin.write_all(input);
            });
            child.wait_with_output().expect("git runs")
        })
    }

    /// Makes a commit of one file in the client's repository; returns its id.
    fn commit(&self, path: &str, text: &str) -> String {
        let file = self.place.path().join("client").join(path);
        fs::create_dir_all(file.parent().expect("lies in a directory")).expect("made");
        fs::write(file, text).expect("written");
        self.client("add -A");
        self.client("commit -q -m x");
        self.client("rev-parse HEAD")
    }

    /// The pack that a client sends for `new` if the server has `old`.
    fn pack(&self, new: &[&str], old: &[&str]) -> Vec<u8> {
        let mut revisions = String::new();
        for id in new {
            revisions += &format!("{id}\n");
        }
        for id in old {
            revisions += &format!("^{id}\n");
        }
        let words = "-C client pack-objects --revs --thin --stdout --delta-base-offset -q";
        let output = self.run(words, revisions.as_bytes());
        assert!(output.status.success(), "{}", output.stderr.as_bstr());
        output.stdout
    }

    fn push(
        &self,
        commands: &[(&str, &str, &str)],
        capabilities: &str,
        pack: &[u8],
    ) -> (Outcome, Vec<String>) {
        self.send(&request(commands, capabilities, pack))
    }

    /// Sends a body; returns the outcome and the lines of the report.
    fn send(&self, body: &[u8]) -> (Outcome, Vec<String>) {
        let outcome = self.try_send(body, &Policy::default()).expect("an answer");
        let lines = report_lines(&outcome.body);
        self.check();
        (outcome, lines)
    }

    fn try_send(&self, body: &[u8], policy: &Policy) -> Result<Outcome, Error> {
        let pieces = body.chunks(1000).map(|piece| Ok::<_, ()>(Bytes::copy_from_slice(piece)));
        let server = self.server();
        futures::executor::block_on(receive(&server, futures::stream::iter(pieces), policy))
            .and_then(|push| push.finish(&mut ()))
    }

    /// Whatever happened, the server's repository is sound and nothing temporary is in it.
    fn check(&self) {
        let fsck = self.run("-C server.git fsck --full --strict --no-dangling", b"");
        assert!(fsck.status.success(), "{}{}", fsck.stdout.as_bstr(), fsck.stderr.as_bstr());
        let files = files(&self.server());
        let is_left = |name: &String| {
            let left = ["tmp_", ".lock", ".keep", "lithe-", "incoming", ".next"];
            left.iter().any(|part| name.contains(part))
        };
        let left: Vec<_> = files.iter().filter(|name| is_left(name)).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    fn server_refs(&self) -> Vec<String> {
        let refs = self.git("-C server.git for-each-ref --format=%(objectname):%(refname)");
        refs.lines().map(str::to_owned).collect()
    }
}

fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_path_buf()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).expect("readable") {
            let entry = entry.expect("readable");
            if entry.path().is_dir() {
                directories.push(entry.path());
            }
            found
                .push(entry.path().strip_prefix(directory).expect("is below").to_string_lossy().into_owned());
        }
    }
    found
}

fn request(commands: &[(&str, &str, &str)], capabilities: &str, pack: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (index, (old, new, name)) in commands.iter().enumerate() {
        let end = if index == 0 { format!("\0 report-status {capabilities}") } else { String::new() };
        pkt_line::write_text(&mut body, format_args!("{old} {new} {name}{end}"));
    }
    pkt_line::flush(&mut body);
    body.extend_from_slice(pack);
    body
}

fn report_lines(body: &[u8]) -> Vec<String> {
    let mut lines = pkt_line::Lines::new(body);
    let mut report = Vec::new();
    while let Some(line) = lines.line().expect("sound") {
        report.extend(line.text().map(|text| String::from_utf8_lossy(text).into_owned()));
    }
    report
}

#[test]
fn an_empty_repository_is_advertised_by_its_capabilities() {
    let place = Place::new();
    let body = advertise(&place.server()).expect("readable");
    let text = String::from_utf8_lossy(&body);
    assert!(text.starts_with("001f# service=git-receive-pack\n0000"), "{text}");
    assert!(text.contains(&format!("{NULL} capabilities^{{}}\0report-status")), "{text}");
    assert!(text.ends_with("\n0000"), "{text}");
}

#[test]
fn refs_are_advertised_and_hidden_ones_are_not() {
    let place = Place::new();
    let first = place.commit("a", "1");
    place.push(&[(NULL, &first, "refs/heads/main")], "", &place.pack(&[&first], &[]));
    place.git(&format!("-C server.git update-ref refs/lithe/x {first}"));
    let lines = report_lines(&advertise(&place.server()).expect("readable"));
    assert_eq!(lines.len(), 2);
    assert!(lines[1].starts_with(&format!("{first} refs/heads/main\0")));
}

#[test]
fn refs_in_tables_are_not_pushed_to_and_the_pusher_hears_why() {
    let place = Place::new();
    place.git("-C server.git config core.repositoryFormatVersion 1");
    place.git("-C server.git config extensions.refStorage reftable");
    let body = advertise(&place.server()).expect("readable");
    let text = String::from_utf8_lossy(&body);
    assert!(text.contains("ERR the repository keeps its refs in a reftable"), "{text}");
    let refused = Push::new(&place.server(), &Policy::default()).map(|_| ());
    assert!(matches!(refused, Err(Error::Refs(lithe_git::refs::Error::ReadOnly))));
}

#[test]
fn pushes_build_on_one_another() {
    let place = Place::new();
    let first = place.commit("dir/a", &"line\n".repeat(1000));
    let (outcome, lines) = place.push(&[(NULL, &first, "refs/heads/main")], "", &place.pack(&[&first], &[]));
    assert_eq!(lines, ["unpack ok", "ok refs/heads/main"]);
    assert_eq!(outcome.changes.len(), 1);
    let second = place.commit("dir/a", &("line\n".repeat(1000) + "more\n"));
    place.client("tag -a -m v1 v1");
    let tag = place.client("rev-parse v1");
    let commands = [
        (&*first, &*second, "refs/heads/main"),
        (NULL, &*tag, "refs/tags/v1"),
        (NULL, &*first, "refs/heads/a/b"),
    ];
    let (_, lines) = place.push(&commands, "atomic", &place.pack(&[&second, &tag], &[&first]));
    assert_eq!(lines, ["unpack ok", "ok refs/heads/main", "ok refs/tags/v1", "ok refs/heads/a/b"]);
    let commands = [(&*first, NULL, "refs/heads/a/b"), (NULL, &*second, "refs/heads/a")];
    let (_, lines) = place.push(&commands, "", &place.pack(&[&second], &[&second]));
    assert_eq!(lines, ["unpack ok", "ok refs/heads/a/b", "ok refs/heads/a"]);
    assert_eq!(
        place.server_refs(),
        [
            format!("{second}:refs/heads/a"),
            format!("{second}:refs/heads/main"),
            format!("{tag}:refs/tags/v1")
        ]
    );
    assert_eq!(place.git("-C server.git rev-parse HEAD"), second);
}

#[test]
fn commands_that_are_not_to_be_had_are_refused_by_themselves() {
    let place = Place::new();
    let first = place.commit("a", "1");
    let tree = place.client("rev-parse HEAD^{tree}");
    let unknown = "1234567890123456789012345678901234567890";
    let pack = place.pack(&[&first], &[]);
    place.push(&[(NULL, &first, "refs/heads/main")], "", &pack);
    let cases = [
        (&*first, NULL, "refs/heads/main", "deletion of the current branch prohibited"),
        (NULL, &*first, "refs/heads/../../config", "funny refname"),
        (NULL, &*first, "HEAD", "funny refname"),
        (NULL, &*first, "refs/heads/a..b", "funny refname"),
        (NULL, &*first, "refs/lithe/x", "deny updating a hidden ref"),
        (NULL, &*first, "refs/heads/main", "failed to update ref"),
        (NULL, &*first, "refs/heads/main/below", "failed to update ref"),
        (&*first, NULL, "refs/heads/absent", "failed to update ref"),
        (NULL, unknown, "refs/heads/new", "missing necessary objects"),
        (NULL, &*tree, "refs/heads/tree", "failed to update ref: a branch points to a commit, not to a tree"),
    ];
    for (old, new, name, why) in cases {
        let (outcome, lines) = place.push(&[(old, new, name), (NULL, &first, "refs/heads/x")], "", &pack);
        assert_eq!(lines, ["unpack ok".to_owned(), format!("ng {name} {why}"), "ok refs/heads/x".to_owned()]);
        assert_eq!(outcome.changes.len(), 1, "{name}");
        let (_, lines) = place.push(&[(old, new, name), (NULL, &first, "refs/heads/y")], "atomic", &pack);
        assert!(lines[2].starts_with("ng refs/heads/y atomic push failure"), "{lines:?}");
        place.push(&[(&first, NULL, "refs/heads/x")], "", b"");
        assert_eq!(place.server_refs(), [format!("{first}:refs/heads/main")]);
    }
    let twice = [(NULL, &*first, "refs/heads/x"), (NULL, &*first, "refs/heads/x")];
    let (_, lines) = place.push(&twice, "", &pack);
    assert_eq!(lines[1], "ng refs/heads/x multiple updates for ref not allowed");
}

#[test]
fn the_first_push_points_head_to_a_branch_that_exists() {
    let cases: &[(&[&str], &str)] = &[
        (&["refs/heads/main", "refs/heads/a"], "refs/heads/main"),
        (&["refs/heads/trunk", "refs/heads/master"], "refs/heads/master"),
        (&["refs/heads/z", "refs/heads/b"], "refs/heads/b"),
        (&["refs/tags/t"], "refs/heads/main"),
    ];
    for (names, head) in cases {
        let place = Place::new();
        let first = place.commit("a", "1");
        let commands: Vec<_> = names.iter().map(|name| (NULL, &*first, *name)).collect();
        place.push(&commands, "", &place.pack(&[&first], &[]));
        assert_eq!(place.git("-C server.git symbolic-ref HEAD"), *head);
        place.push(&[(NULL, &first, "refs/heads/later")], "", &place.pack(&[&first], &[]));
        let expected = if head == &"refs/heads/main" && names.len() == 1 { "refs/heads/later" } else { head };
        assert_eq!(place.git("-C server.git symbolic-ref HEAD"), expected);
    }
}

#[test]
fn what_the_new_refs_reach_must_be_there() {
    let place = Place::new();
    let first = place.commit("dir/a", "1");
    let second = place.commit("dir/b", "2");
    let third = place.commit("dir/c", "3");
    let without = |objects: &[&str]| {
        let all = place.client(&format!("rev-list --objects {second}"));
        let ids = all.lines().map(|line| &line[..40]).filter(|id| !objects.contains(id));
        let list: String = ids.map(|id| format!("{id}\n")).collect();
        place.run("-C client pack-objects --stdout -q", list.as_bytes()).stdout
    };
    let blob = place.client(&format!("rev-parse {second}:dir/b"));
    let tree = place.client(&format!("rev-parse {second}:dir"));
    let root = place.client(&format!("rev-parse {second}^{{tree}}"));
    for missing in [&blob, &tree, &root, &first, &second] {
        let (_, lines) = place.push(&[(NULL, &second, "refs/heads/main")], "", &without(&[missing]));
        assert_eq!(lines, ["unpack ok", "ng refs/heads/main missing necessary objects"], "{missing}");
        assert!(place.server_refs().is_empty());
    }
    // Objects that lie there already do not help if what they reach is missing.
    let stray = without(&[&blob]);
    let path = place.place.path().join("stray.pack");
    fs::write(&path, &stray).expect("written");
    let unpacked = place.run("-C server.git unpack-objects -q", &stray);
    assert!(unpacked.status.success());
    let pack = place.pack(&[&third], &[&second]);
    let (_, lines) = {
        let outcome =
            place.try_send(&request(&[(NULL, &third, "refs/heads/main")], "", &pack), &Policy::default());
        let outcome = outcome.expect("an answer");
        let lines = report_lines(&outcome.body);
        (outcome, lines)
    };
    assert_eq!(lines[1], "ng refs/heads/main missing necessary objects");
    // And if it is not, they do.
    let (_, lines) = place.push(&[(NULL, &third, "refs/heads/main")], "", &place.pack(&[&third], &[]));
    assert_eq!(lines[1], "ok refs/heads/main");
}

#[test]
fn a_broken_body_leaves_nothing() {
    let place = Place::new();
    let first = place.commit("a", "1");
    let base = place.commit("a", &"text\n".repeat(500));
    place.push(&[(NULL, &first, "refs/heads/main")], "", &place.pack(&[&first], &[]));
    let before = files(&place.server());
    let pack = place.pack(&[&base], &[&first]);
    let body = request(&[(&first, &base, "refs/heads/main")], "", &pack);
    for cut in 0..body.len() {
        match place.try_send(&body[..cut], &Policy::default()) {
            Ok(outcome) => {
                assert!(outcome.changes.is_empty(), "cut at {cut}");
                let lines = report_lines(&outcome.body);
                assert_eq!(lines[..], ["unpack the pack ends too soon", "ng refs/heads/main unpacker error"]);
            }
            Err(error) => assert!(matches!(error, Error::Request(_)), "cut at {cut}: {error}"),
        }
    }
    let pack_start = body.len() - pack.len();
    for position in pack_start..body.len() {
        let mut flipped = body.clone();
        flipped[position] ^= 1 << (position % 8);
        let outcome = place.try_send(&flipped, &Policy::default()).expect("an answer");
        assert!(outcome.changes.is_empty(), "flipped at {position}");
    }
    assert_eq!(files(&place.server()), before);
    place.check();
}

#[test]
fn objects_that_git_would_refuse_are_refused() {
    let place = Place::new();
    let blob = place.client("hash-object -w --stdin");
    let write = |kind: &str, data: &[u8]| {
        let words = format!("-C client hash-object --literally -t {kind} -w --stdin");
        String::from_utf8_lossy(&place.run(&words, data).stdout).trim().to_owned()
    };
    let raw = |hex: &str| ObjectId::from_hex(hex.as_bytes()).expect("an id").as_slice().to_vec();
    let entry =
        |mode: &str, name: &str| [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &raw(&blob)].concat();
    let ident = "A <a@example.org> 1700000000 +0000";
    let commit_of = |tree: &str, author: &str| {
        write("commit", format!("tree {tree}\nauthor {author}\ncommitter {ident}\n\nx\n").as_bytes())
    };
    let tree_cases = [
        ("100644", ".git", "hasDotgit"),
        ("0100644", "a", "zeroPaddedFilemode"),
        ("100644", "..", "hasDotdot"),
    ];
    let mut cases: Vec<(String, &str)> = tree_cases
        .iter()
        .map(|(mode, name, id)| (commit_of(&write("tree", &entry(mode, name)), ident), *id))
        .collect();
    let good = write("tree", &entry("100644", "a"));
    cases.push((commit_of(&good, "A <a@example.org>1700000000 +0000"), "missingSpaceBeforeDate"));
    let evil = write("blob", b"[submodule \"x\"]\n\tpath = x\n\turl = --upload-pack=evil\n");
    let evil = write("tree", &[b"100644 .gitmodules\0".as_slice(), &raw(&evil)].concat());
    cases.push((commit_of(&evil, ident), "gitmodulesUrl"));
    for (commit, id) in cases {
        let (_, lines) = place.push(&[(NULL, &commit, "refs/heads/main")], "", &place.pack(&[&commit], &[]));
        assert!(lines[0].contains(id), "{id}: {lines:?}");
        assert_eq!(lines[1], "ng refs/heads/main unpacker error");
    }
    let commit = commit_of(&good, ident);
    let (_, lines) = place.push(&[(NULL, &commit, "refs/heads/main")], "", &place.pack(&[&commit], &[]));
    assert_eq!(lines[0], "unpack ok");
}

#[test]
fn a_hundred_thousand_refs_go_in_one_push() {
    let place = Place::new();
    let first = place.commit("a", "1");
    let names: Vec<_> = (0..100_000).map(|index| format!("refs/heads/many/{index:06}")).collect();
    let commands: Vec<_> = names.iter().map(|name| (NULL, &*first, name.as_str())).collect();
    let (outcome, lines) = place.push(&commands, "side-band-64k atomic", &place.pack(&[&first], &[]));
    assert_eq!(outcome.changes.len(), names.len());
    assert!(!lines.is_empty());
    assert_eq!(place.server_refs().len(), names.len());
}

#[test]
fn a_client_that_only_asks_is_answered_with_nothing() {
    let (outcome, _) = Place::new().send(b"0000");
    assert!(outcome.body.is_empty() && outcome.changes.is_empty());
}

#[test]
fn limits_of_packs_are_named_in_the_answer() {
    let place = Place::new();
    let first = place.commit("a", &"1".repeat(1000));
    let limits = index_pack::Limits { blob_bytes_max: 999, ..Default::default() };
    let body = request(&[(NULL, &first, "refs/heads/main")], "", &place.pack(&[&first], &[]));
    let outcome = place.try_send(&body, &Policy { limits, ..Policy::default() }).expect("an answer");
    let lines = report_lines(&outcome.body);
    assert!(lines[0].ends_with("is of 1000 bytes, over the limit of 999"), "{lines:?}");
    place.check();
}

#[test]
fn a_place_that_cannot_be_written_is_named_and_left_as_it_is() {
    let place = Place::new();
    let first = place.commit("a", "1");
    let body = request(&[(NULL, &first, "refs/heads/main")], "", &place.pack(&[&first], &[]));
    // Pushing is refused wherever the way ends: at the quarantine, at the packs, at the ref.
    for obstacle in ["objects", "objects/pack", "refs/heads"] {
        let path = place.server().join(obstacle);
        fs::rename(&path, place.place.path().join("aside")).expect("moved");
        fs::write(&path, "").expect("written");
        let outcome = place.try_send(&body, &Policy::default()).expect("an answer");
        assert!(outcome.changes.is_empty(), "{obstacle}");
        let lines = report_lines(&outcome.body);
        assert!(lines[1].starts_with("ng refs/heads/main "), "{obstacle}: {lines:?}");
        fs::remove_file(&path).expect("removed");
        fs::rename(place.place.path().join("aside"), &path).expect("moved");
        place.check();
        assert!(place.server_refs().is_empty(), "{obstacle}");
    }
    let (_, lines) = place.send(&body);
    assert_eq!(lines[1], "ok refs/heads/main");
}

#[test]
fn two_pushes_to_one_ref_have_one_winner() {
    let place = Place::new();
    let first = place.commit("a", "1");
    place.push(&[(NULL, &first, "refs/heads/main")], "", &place.pack(&[&first], &[]));
    let rivals: Vec<String> = (0..4)
        .map(|index| {
            place.client(&format!("reset -q --hard {first}"));
            place.commit("a", &format!("rival {index}"))
        })
        .collect();
    let bodies: Vec<_> = rivals
        .iter()
        .map(|rival| request(&[(&first, rival, "refs/heads/main")], "", &place.pack(&[rival], &[&first])))
        .collect();
    let outcomes = std::thread::scope(|scope| {
        let threads: Vec<_> = bodies
            .iter()
            .map(|body| scope.spawn(|| place.try_send(body, &Policy::default()).expect("an answer")))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    let winners: Vec<_> = outcomes.iter().filter(|outcome| !outcome.changes.is_empty()).collect();
    assert_eq!(winners.len(), 1);
    for outcome in outcomes.iter().filter(|outcome| outcome.changes.is_empty()) {
        let line = &report_lines(&outcome.body)[1];
        assert!(line.ends_with("failed to update ref") || line.ends_with("cannot lock ref"), "{line}");
    }
    place.check();
}

#[test]
fn a_repository_that_is_moved_during_a_push_is_not_mixed_up_with_another() {
    for is_replaced in [false, true] {
        let place = Place::new();
        let first = place.commit("a", "1");
        place.push(&[(NULL, &first, "refs/heads/main")], "", &place.pack(&[&first], &[]));
        let second = place.commit("a", "2");
        let bodies = [
            request(&[(&first, &second, "refs/heads/main")], "", &place.pack(&[&second], &[&first])),
            // The objects are there, and only the ref is new.
            request(&[(NULL, &first, "refs/heads/deep/er")], "", &place.pack(&[], &[])),
        ];
        let policy = Policy::default();
        let server = place.server();
        let pushes = bodies.map(|body| {
            let pieces = futures::stream::iter([Ok::<_, ()>(Bytes::from(body))]);
            futures::executor::block_on(receive(&server, pieces, &policy)).expect("it is understood")
        });
        fs::rename(&server, place.place.path().join("moved.git")).expect("renamed");
        if is_replaced {
            init::init_bare(&server, "other", ObjectFormat::Sha1).expect("made");
        }
        let before = is_replaced.then(|| files(&server));
        for push in pushes {
            let outcome = push.finish(&mut ()).expect("an answer");
            assert!(outcome.changes.is_empty(), "{outcome:?}");
        }
        assert_eq!(is_replaced.then(|| files(&server)), before);
        assert_eq!(server.exists(), is_replaced, "nothing was made in its place");
        if is_replaced {
            assert_eq!(fs::read(server.join("HEAD")).expect("readable"), b"ref: refs/heads/other\n");
        }
        assert_eq!(place.git("-C moved.git rev-parse main"), first);
    }
}

#[test]
fn a_refused_push_is_read_up_to_a_limit() {
    use limits::DRAINED_BYTES_MAX;
    let place = Place::new();
    let first = place.commit("a", "1");
    let policy = Policy::default();
    let mut push = Push::new(&place.server(), &policy).expect("a repository");
    push.write(&request(&[(NULL, &first, "refs/lithe/hidden")], "", b"")).expect("sound");
    let piece = vec![0; 1 << 20];
    for _ in 0..DRAINED_BYTES_MAX / piece.len() as u64 {
        push.write(&piece).expect("it is passed over");
    }
    assert!(!push.has_enough());
    push.write(&piece[..1]).expect("it is passed over");
    assert!(push.has_enough());
    let lines = report_lines(&push.finish(&mut ()).expect("an answer").body);
    assert_eq!(lines, ["unpack ok", "ng refs/lithe/hidden deny updating a hidden ref"]);
}

#[test]
fn so_many_messages_are_shown() {
    use limits::MESSAGES_MAX;
    let place = Place::new();
    let first = place.commit("a", "1");
    let pack = place.pack(&[&first], &[]);
    let missing: Vec<_> =
        (1..=MESSAGES_MAX + 2).map(|n| (format!("{n:040x}"), format!("refs/heads/{n}"))).collect();
    let shown = |count: usize| {
        let commands = missing[..count].iter().map(|(id, name)| (NULL, id.as_str(), name.as_str()));
        let commands: Vec<_> = commands.chain([(NULL, &*first, "refs/heads/main")]).collect();
        let outcome = place.try_send(&request(&commands, "side-band-64k", &pack), &Policy::default());
        let lines = report_lines(&outcome.expect("an answer").body);
        place.push(&[(&first, NULL, "refs/heads/main")], "", b"");
        lines.into_iter().filter(|line| line.starts_with('\u{2}')).collect::<Vec<_>>()
    };
    assert_eq!(shown(MESSAGES_MAX).len(), MESSAGES_MAX);
    let cut = shown(MESSAGES_MAX + 2);
    assert_eq!(cut.len(), MESSAGES_MAX + 1);
    assert_eq!(cut.last().map(String::as_str), Some("\u{2}… and 2 more"));
}

#[test]
fn a_ref_leads_through_up_to_so_many_tags() {
    use lithe_git::limits::TAGS_NESTED_MAX;
    let place = Place::new();
    let mut id = place.commit("a", "1");
    let mut nest = |count: usize| {
        for _ in 0..count {
            let kind = place.client(&format!("cat-file -t {id}"));
            let text =
                format!("object {id}\ntype {kind}\ntag x\ntagger A <a@example.org> 1700000000 +0000\n\nx\n");
            let made = place.run("-C client hash-object -t tag -w --stdin", text.as_bytes());
            id = String::from_utf8_lossy(&made.stdout).trim().to_owned();
        }
        id.clone()
    };
    let most = nest(TAGS_NESTED_MAX);
    let (_, lines) = place.push(&[(NULL, &most, "refs/tags/most")], "", &place.pack(&[&most], &[]));
    assert_eq!(lines, ["unpack ok", "ok refs/tags/most"]);
    // One more, whether the others come along or are there already.
    let more = nest(1);
    for has in [&[][..], &[most.as_str()]] {
        let (_, lines) = place.push(&[(NULL, &more, "refs/tags/more")], "", &place.pack(&[&more], has));
        assert_eq!(lines[1], "ng refs/tags/more failed to update ref: it leads through more than 100 tags");
    }
}
