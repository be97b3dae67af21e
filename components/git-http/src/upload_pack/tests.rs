//! Clones and fetches of repositories that `git` made, judged by `git`.

mod faults;

use super::remembered::Slot;
use super::*;
use lithe_git::pkt_line::{self, Line, Lines};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Merges, a submodule, a symbolic link, tags of tags, a tagged tree and blob, and a side branch.
const HISTORY: &str = "
set -e
git init -q -b main work && cd work
for n in 1 2 3 4 5 6 7 8; do
    mkdir -p dir/deep && seq $n 400 > dir/deep/list && echo $n > file$n && ln -sf file$n link
    git add . && git commit -qm $n
done
git tag -am one v1 main~2 && git tag -am again v1-again v1
git checkout -qb side main~4 && seq 7 900 > dir/other && git add . && git commit -qm side
git checkout -q main && git merge -q -m merge side
git update-index --add --cacheinfo 160000,$(git rev-parse main~1),module && git commit -qm module
git tag -am tree tree-tag main^{tree} && git tag -am blob blob-tag main:file1
cd .. && git clone -q --bare work server.git
";

struct Place {
    root: TempDir,
}

/// What came back for a fetch: the lines before the pack, and the pack.
struct Fetched {
    lines: Vec<String>,
    pack: Vec<u8>,
}

impl Place {
    fn new(storage: &str) -> Self {
        let place = Self { root: tempfile::tempdir().expect("a directory") };
        place.shell("mkdir cache");
        place.shell(HISTORY);
        place.shell(storage);
        place
    }

    fn shell(&self, script: &str) -> String {
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(self.root.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        for (key, value) in [("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "1700000000 +0000")] {
            command.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
        }
        let output = command.output().expect("a shell");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// The object that a revision of the server names.
    fn id(&self, revision: &str) -> String {
        self.shell(&format!("git -C server.git rev-parse '{revision}'"))
    }

    fn rev_list(&self, arguments: &str) -> BTreeSet<String> {
        let script = format!("git -C server.git rev-list --objects --no-object-names {arguments}");
        self.shell(&script).lines().filter(|line| !line.starts_with('~')).map(str::to_owned).collect()
    }

    fn serve(&self, version: Version, request: &[u8]) -> Vec<u8> {
        match super::serve(
            &self.root.path().join("server.git"),
            &self.root.path().join("cache"),
            version,
            request,
        ) {
            Reply::Bytes(bytes) => bytes,
            Reply::Pack(mut body) => {
                let mut bytes = Vec::new();
                while let Some(piece) = body.next_piece().expect("the repository is sound") {
                    bytes.extend_from_slice(&piece);
                }
                bytes
            }
        }
    }

    /// Fetches by version 2, and takes the response apart.
    fn fetch(&self, arguments: &[String]) -> Fetched {
        Fetched::from_response(&self.serve(Version::V2, &v2_request("fetch", arguments)))
    }

    /// Lets `git` check and complete a pack in an own repository with the objects of `has`; returns
    /// the objects of the completed pack.
    fn index(&self, pack: &[u8], has: &str) -> BTreeSet<String> {
        self.try_index(pack, has).expect("git takes the pack")
    }

    /// As [`Self::index`]; none: `git` does not take the pack.
    fn try_index(&self, pack: &[u8], has: &str) -> Option<BTreeSet<String>> {
        self.shell("rm -rf client.git && git init -q --bare client.git");
        if !has.is_empty() {
            self.shell(&format!("git -C server.git pack-objects --revs --stdout <<E | git -C client.git index-pack --stdin\n{has}\nE"));
        }
        let mut child = Command::new("git")
            .args(["-C", "client.git", "index-pack", "--stdin", "--fix-thin", "-o", "it.idx", "it.pack"])
            .current_dir(self.root.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("git runs");
        // Of what it does not take, it does not read all.
        let _ = child.stdin.take().expect("is piped").write_all(pack);
        if !child.wait().expect("git ends").success() {
            return None;
        }
        let ids = self.shell("git -C client.git show-index < client.git/it.idx | cut -d' ' -f2");
        Some(ids.lines().map(str::to_owned).collect())
    }
}

impl Fetched {
    /// Takes a response of version 2 apart.
    fn from_response(response: &[u8]) -> Self {
        let mut fetched = Fetched { lines: Vec::new(), pack: Vec::new() };
        let mut lines = Lines::new(response);
        let mut is_pack = false;
        while let Some(line) = lines.line().expect("sound pkt-lines") {
            match line {
                Line::Data([1, data @ ..]) if is_pack => fetched.pack.extend_from_slice(data),
                Line::Data([2, ..]) if is_pack => {}
                Line::Data(b"packfile\n") => is_pack = true,
                line => fetched
                    .lines
                    .push(line.text().map_or_else(String::new, |text| String::from_utf8_lossy(text).into())),
            }
        }
        fetched
    }
}

fn v2_request(command: &str, arguments: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    pkt_line::write_text(&mut out, format_args!("command={command}\n"));
    pkt_line::write(&mut out, b"object-format=sha1");
    pkt_line::delimiter(&mut out);
    for argument in arguments {
        pkt_line::write_text(&mut out, format_args!("{argument}\n"));
    }
    pkt_line::flush(&mut out);
    out
}

fn arguments(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The ways in which the same objects may be stored.
const STORAGES: &[&str] = &[
    // One pack.
    "git -C server.git gc -q",
    // All loose.
    "true",
    // A pack, and the rest loose.
    "cd server.git && git rev-list --objects --no-object-names main~5 | git pack-objects -q objects/pack/pack && git prune-packed",
    // Two packs that overlap.
    "cd server.git && git rev-list --objects --no-object-names main~5 | git pack-objects -q objects/pack/pack &&
     git rev-list --objects --no-object-names --all | git pack-objects -q --window=20 objects/pack/pack && git prune-packed",
    // Deltas that name their base by its id.
    "git -C server.git -c repack.useDeltaBaseOffset=false repack -adfq",
    // Bitmaps and a commit-graph of everything.
    WITH_BITMAPS,
    // Bitmaps and a commit-graph of what there was before the last commits.
    "rm -rf server.git &&
     git -C work update-ref refs/heads/old main~3 && git clone -q --bare --single-branch -b old work server.git &&
     git -C server.git repack -adbq && git -C server.git commit-graph write --reachable &&
     git -C work push -q ../server.git --all && git -C work push -q ../server.git --tags && git -C server.git symbolic-ref HEAD refs/heads/main",
];

const WITH_BITMAPS: &str =
    "git -C server.git repack -adbq && git -C server.git commit-graph write --reachable";

#[test]
fn a_clone_has_every_object_however_it_is_stored() {
    for storage in STORAGES {
        let place = Place::new(storage);
        let mut words = arguments(&["ofs-delta", "thin-pack", "done"]);
        words.extend(place.shell("git -C server.git rev-parse --all").lines().map(|id| format!("want {id}")));
        for words in [&words[..], &words[1..]] {
            let fetched = place.fetch(words);
            assert_eq!(place.index(&fetched.pack, ""), place.rev_list("--all"), "{storage}");
        }
    }
}

#[test]
fn a_fetch_has_what_is_missing() {
    for storage in [STORAGES[0], WITH_BITMAPS] {
        a_fetch_has_what_is_missing_in(&Place::new(storage));
    }
}

fn a_fetch_has_what_is_missing_in(place: &Place) {
    let cases: &[(&str, &str)] = &[
        ("main", "main~1"),
        ("main", "side"),
        ("main", "main~5"),
        ("side", "main"),
        ("v1-again", "main~3"),
        ("main", "main"),
        ("main~3", "main~7"),
    ];
    for (want, have) in cases {
        let words =
            [format!("want {}", place.id(want)), format!("have {}", place.id(&format!("{have}^{{commit}}")))];
        for options in
            [&["done", "ofs-delta"][..], &["done", "thin-pack", "ofs-delta"], &["done", "thin-pack"]]
        {
            let fetched = place.fetch(&[&words[..], &arguments(options)].concat());
            let got = place.index(&fetched.pack, have);
            let needed = place.rev_list(&format!("{want} --not {have}"));
            assert!(got.is_superset(&needed), "{want} {have} {options:?}: {:?}", needed.difference(&got));
            if !options.contains(&"thin-pack") {
                assert!(needed.is_superset(&got), "{want} {have}: {:?}", got.difference(&needed));
            }
        }
    }
}

/// Trees that come, change and come back are each told from the one before.
#[test]
fn a_fetch_has_what_was_taken_back() {
    let place = Place::new(STORAGES[0]);
    place.shell(
        "cd work && at() { GIT_COMMITTER_DATE=\"@17000010$1 +0000\" git commit -qam $1; } &&
         mkdir -p back/deep/er && echo kept > back/deep/er/file && echo 1 > back/changes && git add . && at 01 &&
         echo 2 > back/changes && at 02 && echo 1 > back/changes && at 03 && git push -q ../server.git main",
    );
    let [want, have] = ["main", "main~3"].map(|revision| place.id(revision));
    let fetched = place.fetch(&[format!("want {want}"), format!("have {have}"), "done".into()]);
    assert_eq!(place.index(&fetched.pack, "main~3"), place.rev_list("main --not main~3"));
}

#[test]
fn filters_leave_out_what_git_leaves_out() {
    for storage in [STORAGES[0], WITH_BITMAPS] {
        filters_leave_out_what_git_leaves_out_of(&Place::new(storage));
    }
}

fn filters_leave_out_what_git_leaves_out_of(place: &Place) {
    for filter in [
        "blob:none",
        "blob:limit=300",
        "tree:0",
        "tree:1",
        "tree:2",
        "tree:3",
        "object:type=commit",
        "object:type=tree",
        "object:type=blob",
        "combine:blob:none+tree:3",
    ] {
        let fetched = place.fetch(&[
            format!("want {}", place.id("main")),
            format!("filter {filter}"),
            "ofs-delta".into(),
            "done".into(),
        ]);
        let expected = place.rev_list(&format!("--filter={filter} main"));
        assert_eq!(place.index(&fetched.pack, ""), expected, "{filter}");
    }
}

#[test]
fn history_is_cut_where_git_cuts_it() {
    for storage in [STORAGES[0], WITH_BITMAPS] {
        history_is_cut_where_git_cuts_it_in(&Place::new(storage));
    }
}

fn history_is_cut_where_git_cuts_it_in(place: &Place) {
    place.shell("git -C server.git config uploadpack.allowFilter true");
    for (index, depth) in
        ["--depth=1", "--depth=2", "--depth=4", "--depth=100", "--shallow-exclude=side"].iter().enumerate()
    {
        let argument = match depth.split_once('=') {
            Some(("--depth", depth)) => format!("deepen {depth}"),
            _ => "deepen-not refs/heads/side".into(),
        };
        let clone = format!("cut{index}");
        place.shell(&format!(
            "git clone -q --bare --single-branch --no-tags {depth} file://$PWD/server.git {clone}"
        ));
        let expected: BTreeSet<String> = place
            .shell(&format!("cat {clone}/shallow 2>/dev/null || true"))
            .lines()
            .map(|line| format!("shallow {line}"))
            .collect();
        let objects: BTreeSet<String> = place
            .shell(&format!("git -C {clone} rev-list --objects --no-object-names main"))
            .lines()
            .map(str::to_owned)
            .collect();
        let fetched =
            place.fetch(&[format!("want {}", place.id("main")), argument, "ofs-delta".into(), "done".into()]);
        let cut: BTreeSet<String> =
            fetched.lines.iter().filter(|line| line.starts_with("shallow ")).cloned().collect();
        assert_eq!(cut, expected, "{depth}");
        assert_eq!(place.index(&fetched.pack, ""), objects, "{depth}");
    }
}

#[test]
fn a_shallow_clone_is_completed() {
    let place = Place::new(STORAGES[0]);
    let (main, tip) = (place.id("main"), place.id("main~1"));
    let request = [
        format!("want {main}"),
        format!("shallow {tip}"),
        format!("have {main}"),
        "deepen 2147483647".into(),
        "done".into(),
    ];
    let fetched = place.fetch(&request);
    assert!(fetched.lines.contains(&format!("unshallow {tip}")), "{:?}", fetched.lines);
    let got = place.index(&fetched.pack, "main");
    assert!(got.is_superset(
        &place.rev_list("main --not main~1").difference(&place.rev_list("main")).cloned().collect()
    ));
    assert!(got.contains(&place.id("main~2")));
}

#[test]
fn refs_are_listed_as_asked() {
    let place = Place::new(STORAGES[0]);
    let list = |words: &[&str]| {
        let response = place.serve(Version::V2, &v2_request("ls-refs", &arguments(words)));
        let mut lines = Lines::new(&response);
        std::iter::from_fn(|| lines.line().expect("sound pkt-lines"))
            .filter_map(|line| line.text().map(|text| String::from_utf8_lossy(text).into_owned()))
            .collect::<Vec<_>>()
    };
    let (main, v1, peeled) = (place.id("main"), place.id("v1"), place.id("v1^{}"));
    assert_eq!(list(&["symrefs", "ref-prefix HEAD"]), [format!("{main} HEAD symref-target:refs/heads/main")]);
    let expected = [
        format!("{v1} refs/tags/v1 peeled:{peeled}"),
        format!("{} refs/tags/v1-again peeled:{peeled}", place.id("v1-again")),
    ];
    assert_eq!(list(&["peel", "ref-prefix refs/tags/v1"]), expected);
    assert_eq!(list(&[]).len(), 7);
}

#[test]
fn requests_that_make_no_sense_are_answered_in_the_protocols_form() {
    let place = Place::new(STORAGES[0]);
    let unknown = "1".repeat(40);
    let cases: Vec<(Version, Vec<u8>, &str)> = vec![
        (Version::V2, b"zzzz".to_vec(), "ERR a pkt-line's length"),
        (Version::V2, b"0010comm".to_vec(), "ERR a pkt-line is cut off"),
        (Version::V2, v2_request("push", &[]), "ERR invalid command 'push'"),
        (Version::V2, v2_request("fetch", &arguments(&["wish x"])), "ERR unexpected line: 'wish x'"),
        (Version::V2, v2_request("fetch", &arguments(&["want x"])), "ERR \"x\" is not an object id"),
        (
            Version::V2,
            v2_request("fetch", &[format!("want {unknown}"), "done".into()]),
            "ERR upload-pack: not our ref 1111",
        ),
        (
            Version::V2,
            v2_request("fetch", &arguments(&["want-ref refs/heads/no", "done"])),
            "ERR unknown ref refs/heads/no",
        ),
        (
            Version::V2,
            v2_request("fetch", &arguments(&["filter sparse:oid=x"])),
            "ERR filter 'sparse' not supported",
        ),
        (Version::V2, v2_request("fetch", &arguments(&["deepen 0"])), "ERR a depth has to be positive"),
        (
            Version::V2,
            v2_request("fetch", &arguments(&["deepen 1", "deepen-since 1"])),
            "ERR deepen and deepen-since",
        ),
        (Version::V0, b"0008wish0000".to_vec(), "ERR expected 'want', got 'wish'"),
    ];
    for (version, request, expected) in cases {
        let response = place.serve(version, &request);
        let line = Lines::new(&response).line().expect("a sound pkt-line").and_then(|line| line.text());
        let text = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
        assert!(text.starts_with(expected), "{text}");
    }
    assert!(place.serve(Version::V2, b"0000").is_empty());
}

#[test]
fn damaged_objects_cut_the_response_off_after_a_word() {
    let place = Place::new(STORAGES[0]);
    // With those, nothing is read that need not be, and it is the client who finds what is wrong.
    place.shell("rm -r server.git/objects/info && rm -f server.git/objects/pack/*.bitmap");
    place.shell("p=$(ls server.git/objects/pack/*.pack) && chmod +w $p && printf 'xxxxxxxxxxxxxxxxxxxxxxxx' | dd of=$p bs=1 seek=700 conv=notrunc 2>/dev/null");
    let request = v2_request("fetch", &[format!("want {}", place.id("main")), "done".into()]);
    match super::serve(
        &place.root.path().join("server.git"),
        &place.root.path().join("cache"),
        Version::V2,
        &request,
    ) {
        Reply::Bytes(bytes) => {
            assert!(bytes[4..].starts_with(b"ERR "), "{}", String::from_utf8_lossy(&bytes))
        }
        Reply::Pack(mut body) => {
            let mut bytes = Vec::new();
            let failure = loop {
                match body.next_piece() {
                    Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                    Ok(None) => panic!("a damaged repository was served"),
                    Err(failure) => break failure,
                }
            };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(text.contains("\u{3}lithe: "), "{failure}: {text}");
        }
    }
}

#[test]
fn objects_may_be_packed_while_they_are_selected_and_sent() {
    let repack = "git -C server.git repack -adq && git -C server.git prune-packed";
    for pieces_before in 0..3 {
        let place = Place::new(STORAGES[1]);
        let wants = [place.id("main"), place.id("main~1")].map(|id| format!("want {id}"));
        let request = v2_request("fetch", &[&wants[..], &["done".into()]].concat());
        let git_dir = place.root.path().join("server.git");
        let Reply::Pack(mut body) = super::serve(&git_dir, Path::new("none"), Version::V2, &request) else {
            panic!("a pack is sent")
        };
        let mut bytes = Vec::new();
        for _ in 0..pieces_before {
            bytes.extend(body.next_piece().expect("the repository is sound").expect("it is not all"));
        }
        place.shell(repack);
        while let Some(piece) = body.next_piece().expect("the repository is sound") {
            bytes.extend_from_slice(&piece);
        }
        let fetched = Fetched::from_response(&bytes);
        assert_eq!(place.index(&fetched.pack, ""), place.rev_list("main"), "{pieces_before}");
    }
}

#[test]
fn objects_of_two_packs_are_sent_once() {
    let place = Place::new(STORAGES[0]);
    // All of the history in a pack with bitmaps, most of it in a larger one, and some in a third.
    place.shell(
        "cd server.git && git repack -adq --write-bitmap-index && cp -r . ../other.git && cd ../other.git
         for n in 1 2 3 4 5 6 7 8 9; do echo $n | git hash-object -w --stdin; done > ids
         (git rev-list --objects --no-object-names main; cat ids) | git pack-objects -q ../server.git/objects/pack/pack
         git rev-list --objects --no-object-names main~1 | git pack-objects -q ../server.git/objects/pack/pack",
    );
    let fetched = place.fetch(&[format!("want {}", place.id("main")), "done".into()]);
    assert_eq!(place.index(&fetched.pack, ""), place.rev_list("main"));
}

#[test]
fn a_damaged_tag_is_in_the_way_of_nobody_else() {
    let place = Place::new(STORAGES[1]);
    let (main, v1) = (place.id("main"), place.id("v1"));
    // Loose refs do not say what they stand for.
    place.shell(&format!(
        "cd server.git && rm packed-refs && git update-ref refs/heads/main {main} && git update-ref refs/tags/v1 {v1}
         f=objects/{}/{} && chmod +w $f && echo garbage > $f",
        &v1[..2],
        &v1[2..]
    ));
    let listed = place.serve(Version::V2, &v2_request("ls-refs", &arguments(&["peel"])));
    let listed = String::from_utf8(listed).expect("text");
    assert!(listed.contains(&format!("{v1} refs/tags/v1\n")), "{listed}");
    let fetched = place.fetch(&[format!("want {main}"), "include-tag".into(), "done".into()]);
    assert!(place.index(&fetched.pack, "").is_superset(&place.rev_list("main")));
    let refused = place.serve(Version::V2, &v2_request("fetch", &[format!("want {v1}"), "done".into()]));
    assert!(refused[4..].starts_with(format!("ERR the loose object {v1} is damaged").as_bytes()));
}

#[test]
fn limits_hold() {
    use crate::limits::{DEEPEN_NOT_MAX, OBJECT_INFO_IDS_MAX, WANTS_MAX};
    let place = Place::new(STORAGES[0]);
    let id = place.id("main");
    let cases = [
        ("fetch", format!("want {id}"), WANTS_MAX, "wants"),
        ("fetch", "deepen-not main".to_owned(), DEEPEN_NOT_MAX, "refs to be left out"),
        ("object-info", format!("oid {id}"), OBJECT_INFO_IDS_MAX, "objects"),
    ];
    for (command, argument, limit, what) in cases {
        let serve = |count| place.serve(Version::V2, &v2_request(command, &vec![argument.clone(); count]));
        let refused = format!("ERR more than {limit} {what} in one request");
        assert!(serve(limit + 1)[4..].starts_with(refused.as_bytes()), "{what}");
        if command == "object-info" {
            assert!(!serve(limit)[4..].starts_with(b"ERR"), "{what}");
        }
    }
}

#[test]
fn with_too_many_prefixes_everything_is_listed() {
    use crate::limits::REF_PREFIXES_MAX;
    let place = Place::new(STORAGES[0]);
    let listed = |count: usize| {
        let prefixes = vec!["ref-prefix refs/heads/none".to_owned(); count];
        let response = place.serve(Version::V2, &v2_request("ls-refs", &prefixes));
        let mut lines = Lines::new(&response);
        std::iter::from_fn(|| lines.line().expect("sound pkt-lines"))
            .filter(|line| line.text().is_some())
            .count()
    };
    assert_eq!(listed(REF_PREFIXES_MAX), 0);
    assert_eq!(listed(REF_PREFIXES_MAX + 1), 7);
}

#[test]
fn a_repository_has_up_to_so_many_refs() {
    use crate::limits::REFS_MAX;
    let place = Place::new(STORAGES[0]);
    let id = place.id("main");
    let mut packed = String::from("# pack-refs with: peeled fully-peeled sorted \n");
    // `HEAD` is no ref of its own.
    for number in 0..REFS_MAX {
        packed += &format!("{id} refs/heads/{number:07}\n");
    }
    let git_dir = place.root.path().join("server.git");
    std::fs::write(git_dir.join("packed-refs"), &packed).expect("written");
    assert_eq!(Repository::open(&git_dir).map(|repository| repository.refs.refs.len()).ok(), Some(REFS_MAX));
    packed += &format!("{id} refs/heads/more\n");
    std::fs::write(git_dir.join("packed-refs"), &packed).expect("written");
    let refused = String::from_utf8(advertise(&git_dir, Version::V2)).expect("text");
    assert!(refused[4..].starts_with("ERR more than 1000000 refs"), "{refused}");
}

#[test]
fn small_clones_and_very_long_recipes_are_not_remembered() {
    use crate::limits::{REMEMBERED_BYTES_MAX, REMEMBERED_OBJECTS_MIN};
    let place = Place::new(STORAGES[0]);
    // Three objects, and a tag more each time.
    place.shell(
        "git -C server.git update-ref refs/tags/0 $(git -C server.git commit-tree -m x main:dir/deep)",
    );
    for number in 1..8 {
        place.shell(&format!("git -C server.git tag -am x {number} {}", number - 1));
    }
    // Only what is packed is remembered.
    place.shell(STORAGES[0]);
    let remembered = |tag: u64| {
        place.fetch(&[format!("want {}", place.id(&tag.to_string())), "done".into()]);
        std::fs::read_dir(place.root.path().join("cache/recipes")).map_or(0, Iterator::count)
    };
    let objects = |tag: u64| place.rev_list(&tag.to_string()).len() as u64;
    let least = (0..8).find(|tag| objects(*tag) == REMEMBERED_OBJECTS_MIN).expect("it is among them");
    assert_eq!((remembered(least - 1), remembered(least)), (0, 1));
    let file = place.shell("ls cache/recipes/*");
    for (less, is_remembered) in [(0, true), (1, false)] {
        place.shell("rm -f cache/recipes/*");
        let git_dir = place.root.path().join("server.git");
        let repository = Repository::open(&git_dir).expect("it is sound");
        let store = repository.store().expect("it is sound");
        let want = place.id(&least.to_string()).parse().expect("an id");
        let request = lithe_git::walk::Request { wants: vec![want], ..Default::default() };
        let memory = remembered::Memory::of(
            store,
            &place.root.path().join("cache"),
            Slot::Clone,
            &git_dir,
            &request,
            false,
        );
        let mut walk = lithe_git::walk::Walk::new(store, request).expect("it is sound");
        while walk.advance(store, 100).expect("it is sound") {}
        let selection = walk.finish(store).expect("it is sound");
        let options = lithe_git::pack::Options::default();
        let mut output = lithe_git::pack::Output::new(store.object_format(), selection, options);
        output.record();
        let mut pack = Vec::new();
        while output.fill(store, &mut pack, usize::MAX).expect("it is sound") {}
        let recipe = output.into_recipe_or_again().ok().expect("it is short");
        // With a key before and a checksum behind.
        let len = recipe.to_bytes().len() as u64 + 64;
        assert!(len < REMEMBERED_BYTES_MAX);
        let memory = memory.expect("it is sound").expect("a clone").with_bytes_max(len - less);
        memory.remember(Some(&recipe));
        assert!(place.root.path().join(&file).exists());
        let is_recalled = matches!(memory.recall(store), remembered::Recalled::Recipe(_));
        assert_eq!(is_recalled, is_remembered);
        assert!(is_recalled || matches!(memory.recall(store), remembered::Recalled::TooLong));
    }
}

#[test]
fn a_remembered_recipe_is_used_for_the_same_objects_only() {
    let place = Place::new(STORAGES[0]);
    let walk = |words: &[String]| place.index(&place.fetch(words).pack, "");
    let clone =
        |revision: &str| vec![format!("want {}", place.id(revision)), "ofs-delta".into(), "done".into()];
    let remembered = || std::fs::read_dir(place.root.path().join("cache/recipes")).map_or(0, Iterator::count);
    let (main, side) = (place.rev_list("main"), place.rev_list("side"));
    assert_eq!((walk(&clone("main")), remembered()), (main.clone(), 1));
    assert_eq!((walk(&clone("main")), remembered()), (main.clone(), 1));
    assert_eq!((walk(&clone("side")), remembered()), (side.clone(), 1));
    let file = place.shell("ls cache/recipes/*");
    for damage in [
        format!("printf x >> {file}"),
        format!("truncate -s 9 {file}"),
        format!("printf 'xxxx' | dd of={file} bs=1 seek=70 conv=notrunc 2>/dev/null"),
    ] {
        place.shell(&damage);
        assert_eq!(walk(&clone("side")), side, "{damage}");
    }
    place.shell("git -C server.git repack -adfq --window=1");
    assert_eq!(walk(&clone("side")), side);
}

/// A clone of `main` that is not read yet.
fn begin_clone(place: &Place) -> Box<PackBody> {
    let arguments = [format!("want {}", place.id("main")), "ofs-delta".into(), "done".into()];
    let request = v2_request("fetch", &arguments);
    let (git_dir, cache_dir) = (place.root.path().join("server.git"), place.root.path().join("cache"));
    match super::serve(&git_dir, &cache_dir, Version::V2, &request) {
        Reply::Pack(body) => body,
        Reply::Bytes(bytes) => panic!("{}", String::from_utf8_lossy(&bytes)),
    }
}

/// Reads a clone to its end.
fn end_clone(mut body: Box<PackBody>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next_piece().expect("the repository is sound") {
        bytes.extend_from_slice(&piece);
    }
    Fetched::from_response(&bytes).pack
}

#[test]
fn whoever_wants_the_same_clone_waits_for_one_to_be_prepared() {
    let place = Place::new(STORAGES[0]);
    let first = begin_clone(&place);
    assert_eq!(first.stage(), "building");
    let others: Vec<_> = (0..5).map(|_| begin_clone(&place)).collect();
    assert!(others.iter().all(|body| body.stage() == "waiting"));
    let pack = end_clone(first);
    assert_eq!(place.index(&pack, ""), place.rev_list("main"));
    for other in others {
        assert_eq!(end_clone(other), pack);
    }
    assert_eq!(begin_clone(&place).stage(), "replaying");
    place.shell("rm -rf cache");
    let alone = begin_clone(&place);
    assert_eq!((alone.stage(), end_clone(alone)), ("making", pack));
}

#[test]
fn a_recipe_is_there_before_its_first_client_has_all() {
    let place = Place::new(STORAGES[0]);
    place.shell(
        "cd work && head -c 1000000 /dev/urandom > large && git add . && git commit -qm large &&
         git push -q ../server.git main",
    );
    place.shell(STORAGES[0]);
    let mut first = begin_clone(&place);
    while first.stage() == "building" {
        first.next_piece().expect("the repository is sound");
    }
    assert_eq!(first.stage(), "replaying");
    let second = end_clone(begin_clone(&place));
    assert_eq!(place.index(&second, ""), place.rev_list("main"));
    // The second one's checksum is known by now, and both are of the same bytes.
    let third = begin_clone(&place);
    drop(first);
    assert_eq!((third.stage(), end_clone(third)), ("replaying", second));
}

#[test]
fn nobody_waits_for_a_dead_preparation_or_for_ever() {
    let place = Place::new(STORAGES[0]);
    let main = place.rev_list("main");
    let dies = |stop: &str| {
        let mut first = begin_clone(&place);
        assert_eq!(first.stage(), "building");
        first.next_piece().expect("the repository is sound");
        // Its instance is stopped: nothing of it runs any more.
        std::mem::forget(first);
        place.shell(stop);
    };
    dies("touch -d '1 minute ago' cache/turns/*");
    let second = begin_clone(&place);
    assert_eq!(second.stage(), "building");
    assert_eq!(place.index(&end_clone(second), ""), main);
    for stop in ["rm -rf cache/*", "rm -rf cache", "rm -rf cache/turns && touch cache/turns"] {
        place.shell("rm -rf cache/* && mkdir -p cache");
        dies(stop);
        let second = begin_clone(&place);
        assert_ne!(second.stage(), "waiting", "{stop}");
        assert_eq!(place.index(&end_clone(second), ""), main, "{stop}");
    }
    place.shell("rm -rf cache && mkdir cache");
    dies("true");
    // It might still be at work.
    let second = begin_clone(&place);
    assert_eq!(second.stage(), "waiting");
    assert_eq!(place.index(&end_clone(second), ""), main);
    // A client that goes away ends its turn.
    place.shell("rm -rf cache && mkdir cache");
    drop(begin_clone(&place));
    assert_eq!(begin_clone(&place).stage(), "building");
}

#[test]
fn a_changed_text_is_sent_as_its_difference_however_it_is_stored() {
    for storage in ["true", "repack -dq --window=0", "repack -adq --window=0", "gc -q"] {
        let place = Place::new("true");
        place.shell(
            "cd work && for i in $(seq 4000); do echo $i-$((i * 7919 % 104729))-$((i * i * 31 % 999983)); done > text &&
             git add . && git commit -qm text && git tag before && sed -i 's/^3000-.*/changed/' text && git commit -qam changed &&
             sed -i 's/^30-.*/changed too/' text && git commit -qam again && git push -q ../server.git main before",
        );
        place.shell(&format!(
            "git -C server.git {}",
            if storage == "true" { "count-objects" } else { storage }
        ));
        let expected = place.rev_list("main ^before");
        let fetch = |words: &[&str]| {
            let mut arguments =
                vec![format!("want {}", place.id("main")), format!("have {}", place.id("before"))];
            arguments.extend(words.iter().map(|word| (*word).to_owned()).chain(["done".to_owned()]));
            place.fetch(&arguments).pack
        };
        let thin = fetch(&["thin-pack", "ofs-delta"]);
        assert!(thin.len() < 3_000, "{} bytes, {storage}", thin.len());
        assert!(place.index(&thin, "before").is_superset(&expected), "{storage}");
        let whole = fetch(&["ofs-delta"]);
        assert!(whole.len() > 10_000, "{} bytes, {storage}", whole.len());
        assert!(place.index(&whole, "before").is_superset(&expected), "{storage}");
    }
}

/// Whoever wants all of history gets it wherever theirs is cut, and nothing of what is hidden or gone.
#[test]
fn all_of_history_is_given_back_wherever_it_is_cut() {
    let place = Place::new(STORAGES[0]);
    place.shell(
        "cd work && git switch -qc tagged main~5 && git commit -q --allow-empty -m 1 && git commit -q --allow-empty -m 2 &&
         git tag only && git switch -qc hidden main~6 && git commit -q --allow-empty -m 3 && git commit -q --allow-empty -m 4 &&
         git switch -qc gone main~7 && git commit -q --allow-empty -m 5 && git commit -q --allow-empty -m 6 &&
         git push -q ../server.git only hidden gone && git -C ../server.git update-ref -d refs/heads/gone",
    );
    let ids = ["only", "hidden", "gone"].map(|name| place.shell(&format!("git -C work rev-parse {name}")));
    let given_back = || {
        let mut words = vec![format!("want {}", place.id("main")), "deepen 2147483647".into(), "done".into()];
        words.extend(ids.iter().map(|id| format!("shallow {id}")));
        let fetched = place.fetch(&words);
        let mut lines: Vec<_> = fetched.lines.into_iter().filter(|line| line.contains("shallow ")).collect();
        lines.sort();
        let got = place.index(&fetched.pack, "");
        (lines, ids.clone().map(|id| got.contains(&place.shell(&format!("git -C work rev-parse {id}^")))))
    };
    let [only, hidden, gone] = ids.clone().map(|id| format!("unshallow {id}"));
    let mut all = vec![only.clone(), hidden, gone];
    all.sort();
    assert_eq!(given_back(), (all.clone(), [true, true, true]));

    place.shell("git -C server.git config transfer.hideRefs refs/heads/hidden");
    assert_eq!(given_back(), (vec![only.clone()], [true, false, false]));

    let parent = place.shell("git -C work rev-parse gone^");
    place.shell(&format!(
        "git -C server.git config --unset transfer.hideRefs && git -C server.git repack -adq && git -C server.git prune --expire=now &&
         git -C work cat-file commit gone | git -C server.git hash-object -t commit -w --stdin &&
         ! git -C server.git cat-file -e {parent}"
    ));
    all.retain(|line| !line.contains(&ids[2]));
    assert_eq!(given_back(), (all, [true, true, false]));
}
