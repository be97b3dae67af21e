//! Git's wire protocol: what stock `git` gets from Lithe, held against what stock `git` gets from
//! itself on the same repository, object by object.

use crate::kit::{Answer, Forge, Shell};
use lithe_git::pkt_line::{self, Line, Lines};

/// What Lithe offers of its own accord, and `git` only where its configuration says so.
const PEER: &str = r#"
git config --global uploadpack.allowFilter true
git config --global uploadpack.allowReachableSHA1InWant true
git config --global transfer.advertiseObjectInfo true
git config --global receive.advertiseAtomic true
git config --global receive.advertisePushOptions true
git config --global protocol.allow always
git config --global gc.auto 0
"#;

/// Twelve commits a day apart on two branches that meet twice, files on either side of a kilobyte,
/// directories three deep, and tags: of a commit, of a tag, of a tree and of a blob that nothing else has.
const HISTORY: &str = r#"
git init -q work && cd work
day() { export GIT_COMMITTER_DATE="$((1700000000 + 86400 * $1)) +0000" GIT_AUTHOR_DATE="$((1700000000 + 86400 * $1)) +0000"; }
for n in 1 2 3 4 5 6; do day $n
    mkdir -p one/two/three && seq $n 400 > one/two/list && seq $n > one/two/three/short && echo $n > file$n
    git add . && git commit -qm "Day $n"
done
git tag -am First v1 main~3 && git tag -am Again v1-again v1 && git tag light main~1
git switch -qc side main~2
for n in 7 8 9; do day $n; seq $n 900 > one/side && git add . && git commit -qm "Day $n"; done
git switch -q main && day 10 && git merge -q -m Merge side~1
day 11 && echo 11 > file1 && git commit -qam 'Day 11' && git merge -q -m 'Merge again' side && day 12
git tag -am Tree tree-tag $(git ls-tree main one/two | git mktree) && git tag -am Blob blob-tag $(echo apart | git hash-object -w --stdin)
cd ..
"#;

/// A served repository with [`HISTORY`]; `file://$SERVED` is the same by `git` alone.
fn served(forge: &Forge) -> Shell {
    served_at(forge, &forge.repository(&[]))
}

fn served_at(forge: &Forge, path: &str) -> Shell {
    let shell = forge.shell(path);
    shell.run(PEER);
    shell.run(HISTORY);
    shell.run("cd work && git push -q \"$ADMIN\" --all && git push -q \"$ADMIN\" --tags");
    shell
}

/// Everything that a fetch can leave in a clone: refs, where history is cut, and objects.
const STATE: &str = r#"
state() {
    git -C $1 for-each-ref --format='%(objectname) %(refname) %(symref)'
    echo shallow: && sort "$(git -C $1 rev-parse --absolute-git-dir)/shallow" 2> /dev/null || true
    echo objects: && git -C $1 cat-file --batch-all-objects --batch-check
}
"#;

/// Compares the clones `lithe` and `peer`, and has `git` check them.
#[track_caller]
fn assert_alike(shell: &Shell, what: &str) {
    let [lithe, peer] = ["lithe", "peer"].map(|clone| shell.run(&format!("{STATE}\nstate {clone}")));
    assert_eq!(lithe, peer, "{what}");
    shell.run("git -C lithe fsck --full --strict --connectivity-only && git -C lithe fsck --full --strict");
}

/// The versions of the protocol that differ in more than how they begin.
const VERSIONS: [u8; 2] = [0, 2];

#[test]
fn clones_are_those_of_git() {
    let forge = Forge::shared();
    let shell = served(forge);
    for version in VERSIONS {
        for options in [
            "--mirror",
            "--single-branch --branch side",
            "--single-branch --no-tags",
            "--branch v1",
            "--depth=1",
            "--depth=3 --no-single-branch",
            "--depth=100",
            "--shallow-since='2023-11-21 00:00 +0000' --no-single-branch",
            "--shallow-exclude=v1",
            "--shallow-exclude=side --shallow-exclude=v1",
            "--filter=blob:none",
            "--filter=blob:limit=1k",
            "--filter=tree:0",
            "--filter=tree:2",
            "--filter=object:type=commit",
            "--filter=object:type=tag",
            "--filter=combine:tree:3+blob:limit=1k",
            "--depth=2 --filter=blob:none",
        ] {
            let clone = |url: &str, name: &str| {
                format!(
                    "rm -rf {name} && git -c protocol.version={version} clone -q --no-checkout {options} {url} {name}"
                )
            };
            shell.run(&clone("\"$STRANGER\"", "lithe"));
            shell.run(&clone("\"file://$SERVED\"", "peer"));
            assert_alike(&shell, &format!("{version} {options}"));
        }
    }
}

#[test]
fn history_is_deepened_as_git_deepens_it() {
    let forge = Forge::shared();
    let shell = served(forge);
    for version in VERSIONS {
        shell.run("rm -rf lithe peer");
        let both = |arguments: &str| {
            for (name, url) in [("lithe", "\"$STRANGER\""), ("peer", "\"file://$SERVED\"")] {
                let git = format!("git -c protocol.version={version}");
                shell.run(&match arguments {
                    "clone" => format!("{git} clone -q --bare --depth=1 --no-single-branch {url} {name}"),
                    _ => format!("{git} -C {name} fetch -q {arguments} {url} '+refs/*:refs/*'"),
                });
            }
            assert_alike(&shell, &format!("{version} {arguments}"));
        };
        for arguments in [
            "clone",
            "--deepen=1",
            "--deepen=2",
            "--depth=2",
            "--shallow-since='2023-11-20 00:00 +0000'",
            "--shallow-exclude=refs/tags/v1",
            "--deepen=1",
            "--unshallow",
        ] {
            both(arguments);
        }
        assert_eq!(
            shell.run("git -C lithe rev-list --objects --all --no-object-names | sort"),
            shell.run("git -C work rev-list --objects --all --no-object-names | sort")
        );
    }
}

#[test]
fn what_a_partial_clone_lacks_comes_when_it_is_needed() {
    let forge = Forge::shared();
    let shell = served(forge);
    let log = shell.run("git -C work log -p --all");
    for version in VERSIONS {
        for filter in
            ["blob:none", "blob:limit=1k", "tree:0", "object:type=commit", "combine:tree:2+blob:none"]
        {
            shell.run(&format!(
                "rm -rf lithe && git -c protocol.version={version} clone -q --no-checkout --filter={filter} \"$STRANGER\" lithe"
            ));
            let missing = "git -C lithe rev-list --objects --all --missing=print | grep -c '^?' || true";
            assert_ne!(shell.run(missing), "0", "{version} {filter}");
            assert_eq!(shell.run("git -C lithe log -p --all"), log, "{version} {filter}");
            shell.run("git -C lithe checkout -q side && git -C lithe fsck --full --strict");
        }
        let refused = shell.fails(&format!(
            "git -c protocol.version={version} clone -q --filter=sparse:oid=$(git -C work rev-parse main:file2) \"$STRANGER\" sparse"
        ));
        assert!(refused.contains("sparse"), "{refused}");
    }
}

#[test]
fn a_fetch_with_much_that_the_server_lacks_takes_rounds_and_ends() {
    let forge = Forge::shared();
    let shell = served(forge);
    // A thousand commits of one's own, newer than all that is in common, are named first.
    shell.run(
        r#"git clone -q --bare "$STRANGER" start
        (for n in $(seq 1000); do
            printf 'commit refs/heads/own%d\ncommitter A <a@example.org> %d +0000\ndata 1\nm\n' $((n % 3)) $((1800000000 + n))
            test $n -le 3 && echo 'from refs/heads/main^0' || true
        done) | git -C start fast-import --quiet
        cd work && echo more > more && git add . && git commit -qm More && git push -q "$ADMIN" main"#,
    );
    for version in VERSIONS {
        for algorithm in ["consecutive", "skipping"] {
            let git = format!("git -c protocol.version={version} -c fetch.negotiationAlgorithm={algorithm}");
            shell.run(&format!(
                r#"rm -rf lithe peer && cp -r start lithe && cp -r start peer
                GIT_TRACE_CURL="$PWD/trace" {git} -C lithe fetch -q "$STRANGER" '+refs/heads/main:refs/heads/main'
                {git} -C peer fetch -q "file://$SERVED" '+refs/heads/main:refs/heads/main'"#
            ));
            assert_alike(&shell, &format!("{version} {algorithm}"));
            let posts = shell.run("grep -c 'Send header: POST' trace; rm trace");
            let posts: u32 = posts.parse().expect("grep counts");
            if algorithm == "consecutive" {
                assert!(posts >= 4, "{version}: {posts} requests");
            }
        }
    }
}

/// What upload-pack answers: the lines before the pack, and the objects of that.
#[derive(Debug, PartialEq, Eq)]
struct Answered {
    lines: Vec<String>,
    objects: Vec<String>,
}

/// Lines of a request, parted by ` / `; `{main~1}` stands for the id of that revision, `{1}` for an id
/// that nothing has, `0000` and `0001` for themselves.
fn request(shell: &Shell, spec: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in spec.split(" / ").filter(|line| !line.is_empty()) {
        match line {
            "0000" => pkt_line::flush(&mut bytes),
            "0001" => pkt_line::delimiter(&mut bytes),
            line => {
                let mut text = String::new();
                for (index, part) in line.split(['{', '}']).enumerate() {
                    match part {
                        digit if index % 2 == 1 && digit.len() == 1 => text.push_str(&digit.repeat(40)),
                        revision if index % 2 == 1 => {
                            text.push_str(&shell.run(&format!("git -C \"$SERVED\" rev-parse '{revision}'")));
                        }
                        part => text.push_str(part),
                    }
                }
                pkt_line::write_text(&mut bytes, format_args!("{text}\n"));
            }
        }
    }
    bytes
}

/// Asks upload-pack, as a stranger.
fn ask(forge: &Forge, path: &str, version: u8, body: Vec<u8>) -> Answer {
    Answer::git(&forge.url, None, path, "upload-pack", version, body)
}

/// Takes an answer apart, and has `git` check the pack.
fn take_apart(shell: &Shell, bytes: &[u8]) -> Answered {
    let (mut lines, mut pack) = (Vec::new(), Vec::new());
    let mut rest = Lines::new(bytes);
    loop {
        if rest.rest().starts_with(b"PACK") {
            pack.extend_from_slice(rest.rest());
            break;
        }
        match rest.line().expect("sound pkt-lines") {
            Some(Line::Data([1, data @ ..])) => pack.extend_from_slice(data),
            Some(Line::Data([2, ..])) => {}
            Some(Line::Data(data)) => lines.push(String::from_utf8_lossy(data).trim_end().to_owned()),
            Some(other) => lines.push(format!("{other:?}")),
            None => break,
        }
    }
    // The order in which commits are named where history is cut means nothing.
    lines.sort_by_key(|line| !line.starts_with("shallow "));
    let cut = lines.iter().take_while(|line| line.starts_with("shallow ")).count();
    lines[..cut].sort();
    if pack.is_empty() {
        return Answered { lines, objects: Vec::new() };
    }
    std::fs::write(shell.path().join("pack"), pack).expect("the directory is writable");
    let objects = shell.run(
        "rm -rf scratch && git init -q --bare scratch && cd scratch && git index-pack --stdin < ../pack > name
        git show-index < objects/pack/*.idx | cut -d' ' -f2 | sort",
    );
    Answered { lines, objects: objects.lines().map(str::to_owned).collect() }
}

#[test]
fn requests_are_answered_as_git_answers_them() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = served_at(forge, &path);
    shell.run("git -C \"$SERVED\" symbolic-ref refs/heads/alias refs/heads/main");
    let unknown: String = (0..9).map(|digit| format!(" / have {{{digit}}}").replace("{0}", "{a}")).collect();
    let version_0 = [
        // Nothing but the first have in common is acknowledged.
        "want {main} ofs-delta / 0000 / done",
        "want {main} ofs-delta / 0000 / have {1} / have {main~2} / have {main~5} / done",
        "want {main} / want {side} / 0000 / have {1} / have {2} / done",
        "want {main} / 0000 / have {1} / 0000",
        "want {main} / 0000 / have {main~3} / have {1} / 0000",
        // In every form of acknowledgement, with and without enough in common.
        "want {main} multi_ack side-band ofs-delta / 0000 / have {1} / have {main~3} / have {2} / 0000",
        "want {main} multi_ack side-band ofs-delta / 0000 / have {1} / have {main~3} / have {2} / done",
        "want {main} multi_ack / want {side} / 0000 / have {side~4} / have {1} / have {main~1} / done",
        "want {main} multi_ack_detailed side-band-64k / 0000 / have {1} / have {2} / 0000",
        "want {main} multi_ack_detailed side-band-64k / 0000 / have {1} / have {main~3} / 0000",
        "want {main} multi_ack_detailed side-band-64k / 0000 / have {main~3} / have {main~4} / 0000",
        "want {main} multi_ack_detailed side-band-64k / 0000 / have {main~3} / have {1} / done",
        "want {main} multi_ack_detailed no-done side-band-64k / 0000 / have {main~3} / 0000",
        "want {main} multi_ack_detailed no-done side-band-64k / 0000 / have {1} / have {main~3} / have {2} / 0000",
        "want {main} multi_ack_detailed no-done side-band-64k / want {blob-tag} / 0000 / have {main~3} / 0000",
        "want {v1-again} multi_ack_detailed side-band-64k include-tag / 0000 / have {v1} / done",
        "want {main} multi_ack_detailed side-band-64k include-tag ofs-delta / 0000 / done",
        // History that is cut.
        "want {main} side-band-64k / deepen 1 / 0000",
        "want {main} side-band-64k / deepen 2 / 0000 / done",
        "want {main} side-band-64k / want {side} / deepen 3 / 0000 / done",
        "want {main} side-band-64k / deepen-since 1700500000 / 0000 / done",
        "want {main} side-band-64k / deepen-not v1 / 0000 / done",
        "want {main} side-band-64k deepen-relative / shallow {main~2} / deepen 1 / 0000 / have {main} / done",
        "want {main} side-band-64k / shallow {main~2} / deepen 2147483647 / 0000 / have {main} / done",
        "want {main} side-band-64k / shallow {main~1} / 0000 / have {main~1} / done",
        // Filters, and objects that are no tips.
        "want {main} side-band-64k filter / filter blob:none / 0000 / done",
        "want {main} side-band-64k filter / filter combine:tree:2+blob:limit=1k / 0000 / done",
        "want {main~2} side-band-64k / 0000 / done",
        "want {main:file2} side-band-64k / 0000 / done",
        "want {main:one} side-band-64k filter / filter tree:0 / 0000 / done",
        "0000",
    ];
    let version_2 = [
        "command=ls-refs / 0001 / 0000",
        "command=ls-refs / agent=x / object-format=sha1 / 0001 / peel / symrefs / unborn / 0000",
        "command=ls-refs / server-option=x / 0001 / symrefs / ref-prefix HEAD / ref-prefix refs/heads/a / 0000",
        "command=ls-refs / 0001 / peel / ref-prefix refs/tags/v1 / ref-prefix none / 0000",
        "command=fetch / 0001 / want {main} / done / 0000",
        "command=fetch / 0001 / want {main} / want {main} / ofs-delta / include-tag / done / 0000",
        "command=fetch / 0001 / want {main} / have {1} / have {2} / 0000",
        "command=fetch / 0001 / want {main} / have {1} / have {main~3} / 0000",
        "command=fetch / 0001 / want {main} / want {side} / have {main~1} / have {1} / 0000",
        "command=fetch / 0001 / want {main} / want {tree-tag} / have {main~3} / 0000",
        "command=fetch / 0001 / want {main} / have {main~3} / wait-for-done / 0000",
        "command=fetch / 0001 / have {main~3} / have {1} / wait-for-done / 0000",
        "command=fetch / 0001 / want {main} / have {main~3} / wait-for-done / done / 0000",
        "command=fetch / 0001 / want {main} / deepen 2 / done / 0000",
        "command=fetch / 0001 / want {main} / want {side} / deepen-since 1700500000 / done / 0000",
        "command=fetch / 0001 / want {main} / deepen-not v1 / deepen-not refs/heads/side / done / 0000",
        "command=fetch / 0001 / want {main} / shallow {main~2} / have {main} / deepen 1 / deepen-relative / done / 0000",
        "command=fetch / 0001 / want {main} / shallow {main~2} / have {main} / deepen 2147483647 / done / 0000",
        "command=fetch / 0001 / want {main} / filter tree:2 / done / 0000",
        "command=fetch / 0001 / want {main} / filter object:type=commit / done / 0000",
        "command=fetch / 0001 / want {main:one/side} / filter blob:none / done / 0000",
        "command=object-info / 0001 / size / oid {main} / oid {main:one/side} / 0000",
        "0000",
    ];
    let with_unknown = [
        format!("want {{main}} multi_ack_detailed side-band-64k / 0000{unknown} / 0000"),
        format!(
            "want {{main}} multi_ack_detailed side-band-64k / 0000{unknown} / have {{main~4}} / have {{b}} / 0000"
        ),
    ];
    let cases = version_0.into_iter().chain(with_unknown.iter().map(String::as_str)).map(|spec| (0, spec));
    let mut differing = Vec::new();
    for (version, spec) in cases.chain(version_2.into_iter().map(|spec| (2, spec))) {
        let body = request(&shell, spec);
        std::fs::write(shell.path().join("request"), &body).expect("the directory is writable");
        let lithe = ask(forge, &path, version, body);
        assert_eq!(lithe.status, 200, "{spec}");
        shell.run(&format!(
            "GIT_PROTOCOL=version={version} git upload-pack --stateless-rpc \"$SERVED\" < request > answer"
        ));
        let peer = std::fs::read(shell.path().join("answer")).expect("it was just written");
        let (lithe, peer) = (take_apart(&shell, &lithe.body), take_apart(&shell, &peer));
        if lithe != peer {
            differing.push(format!("version {version}: {spec}\n{lithe:?}\n{peer:?}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n\n"));
}

#[test]
fn what_no_ref_reaches_cannot_be_had_by_its_id() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = served_at(forge, &path);
    let [stray, blob] = [
        "git -C \"$SERVED\" commit-tree -m Stray main^{tree}",
        "printf secret | git -C \"$SERVED\" hash-object -w --stdin",
    ]
    .map(|script| shell.run(script));
    for id in [&stray, &blob] {
        for ending in ["", " / want {main}"] {
            let spec = format!("want {id} side-band-64k{ending} / 0000 / done");
            let answer = ask(forge, &path, 0, request(&shell, &spec));
            assert!(
                answer.text().contains(&format!("ERR upload-pack: not our ref {id}")),
                "{}",
                answer.text()
            );
        }
    }
    for (version, spec) in [
        (2, "command=fetch / 0001 / want {1} / done / 0000"),
        (2, "command=fetch / 0001 / want-ref refs/heads/gone / done / 0000"),
        (0, "want {1} / 0000 / done"),
    ] {
        let answer = ask(forge, &path, version, request(&shell, spec));
        assert!(answer.text().contains("ERR "), "{spec}: {}", answer.text());
    }
    shell.run("git clone -q --no-checkout \"$STRANGER\" clone && git -C clone fetch -q origin $(git -C work rev-parse main~2)");
}

#[test]
fn refs_can_be_wanted_by_name() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = served_at(forge, &path);
    // A branch that moved since it was listed is fetched as it is now.
    let spec =
        "command=fetch / 0001 / want-ref refs/heads/side / want-ref HEAD / have {main~3} / done / 0000";
    let body = request(&shell, spec);
    shell.run("cd work && git switch -q side && echo late > late && git add . && git commit -qm Late && git push -q \"$ADMIN\" side");
    let answered = take_apart(&shell, &ask(forge, &path, 2, body).body);
    let [side, main] = ["side", "main"].map(|name| shell.run(&format!("git -C work rev-parse {name}")));
    let wanted = ["wanted-refs".to_owned(), format!("{side} refs/heads/side"), format!("{main} HEAD")];
    assert_eq!(answered.lines[..3], wanted);
    assert!(answered.objects.contains(&side) && answered.objects.contains(&main));
    // Stock git asks so by itself.
    let trace = shell.run("GIT_TRACE_PACKET=1 git clone -q --depth 2 --no-checkout \"$STRANGER\" clone 2>&1");
    assert!(trace.contains("> want-ref refs/heads/main"), "{trace}");
    shell.run("git -C clone fsck --full --strict");
}

#[test]
fn what_is_in_common_can_be_asked_for_alone() {
    let forge = Forge::shared();
    let shell = served(forge);
    shell
        .run("git clone -q --no-checkout \"$STRANGER\" clone && git -C clone commit -q --allow-empty -m Own");
    let common = shell.run("git -C clone fetch --negotiate-only --negotiation-tip=HEAD origin");
    let main = shell.run("git -C work rev-list main");
    assert!(common.lines().any(|id| main.starts_with(id)), "{common}");
    assert!(common.lines().all(|id| main.contains(id)), "{common}");
}

#[test]
fn tags_come_along_in_the_same_pack() {
    let forge = Forge::shared();
    let shell = served(forge);
    for version in 0..=2 {
        let posts = shell.run(&format!(
            r#"rm -rf clone && git -c protocol.version={version} clone -q --no-tags --no-checkout --single-branch "$STRANGER" clone
            cd work && echo {version} > more && git add . && git commit -qm {version} && git tag -am New new{version} && git push -q "$ADMIN" main new{version}
            cd ../clone && git config --unset remote.origin.tagOpt
            GIT_TRACE_CURL=1 git -c protocol.version={version} fetch -q 2>&1 | grep -c 'Send header: POST.*upload-pack'
            git rev-parse -q --verify new{version}^{{tag}} > /dev/null"#
        ));
        // By version 2 refs are listed by a request, and the old tags are wanted too, which takes one more.
        assert_eq!(posts, if version == 2 { "3" } else { "1" }, "{version}");
    }
}

#[test]
fn pushes_from_shallow_clones() {
    let forge = Forge::shared();
    let shell = served(forge);
    for version in 0..=2 {
        shell.run(&format!(
            r#"rm -rf shallow && git -c protocol.version={version} clone -q --depth 2 "$ADMIN" shallow && cd shallow
            echo {version} > from-shallow && git add . && git commit -qm 'From {version}' && git push -q origin main main:refs/heads/new{version}"#
        ));
        shell.run("git -C \"$SERVED\" fsck --full --strict && test ! -e \"$SERVED/shallow\"");
        assert_eq!(
            shell.run("git -C \"$SERVED\" rev-parse main"),
            shell.run("git -C shallow rev-parse main")
        );
    }
    // What lies below the cut is nowhere to be had by the other repository.
    let other = forge.shell(&forge.repository(&[]));
    let refused = other.fails(&format!("cd {}/shallow && git push \"$ADMIN\" main", shell.path().display()));
    assert!(refused.contains("shallow update not allowed"), "{refused}");
    assert_eq!(other.run("git -C \"$SERVED\" for-each-ref"), "");
}

#[test]
fn pushes_send_deltas_against_what_is_there() {
    let forge = Forge::shared();
    let shell = forge.shell(&forge.repository(&[]));
    shell.run(
        r#"git init -q work && cd work && head -c 400000 /dev/urandom | base64 > large && git add . && git commit -qm One && git push -q "$ADMIN" main
        sed -i '100s/.*/changed/' large && git commit -qam Two"#,
    );
    let trace = shell.run("cd work && GIT_TRACE_CURL=1 git push \"$ADMIN\" main 2>&1");
    let lengths = trace.lines().filter_map(|line| line.split_once("Send header: Content-Length: "));
    let longest = lengths.filter_map(|(_, length)| length.trim().parse::<u32>().ok()).max();
    assert!(longest.is_some_and(|bytes| bytes < 4_000), "{longest:?}");
    // The pack that was thin on the way is whole on disk.
    shell.run("cd \"$SERVED\" && git fsck --full --strict && for pack in objects/pack/*.idx; do git verify-pack $pack; done");
    assert_eq!(
        shell.run("git -C \"$SERVED\" cat-file blob main:large | md5sum"),
        shell.run("md5sum < work/large")
    );
}

#[test]
fn bodies_come_compressed_and_in_pieces() {
    let forge = Forge::shared();
    let shell = served(forge);
    shell.run("git clone -q --mirror \"$STRANGER\" clone && cd work && for n in $(seq 80); do git commit -q --allow-empty -m $n; done && git push -q \"$ADMIN\" main");
    // Eighty wants are more than a kilobyte, which is what git compresses from.
    shell.run("cd work && git log --format=%H main -80 | while read id; do echo \"create refs/heads/c/$id $id\"; done | git update-ref --stdin && git -C \"$SERVED\" fetch -q $PWD 'refs/heads/c/*:refs/heads/c/*'");
    for version in 0..=2 {
        let trace = shell.run(&format!("rm -rf copy && cp -r clone copy && cd copy && GIT_TRACE_CURL=1 git -c protocol.version={version} fetch 2>&1"));
        assert!(trace.contains("Send header: Content-Encoding: gzip"), "{version}");
        assert_eq!(
            shell.run("git -C copy rev-list --all | wc -l"),
            shell.run("git -C \"$SERVED\" rev-list --all | wc -l")
        );
    }
    let trace = shell.run(
        "cd work && head -c 300000 /dev/urandom > big && git add . && git commit -qm Big && GIT_TRACE_CURL=1 git -c http.postBuffer=65536 push \"$ADMIN\" main 2>&1",
    );
    assert!(trace.contains("Send header: Transfer-Encoding: chunked"), "in pieces");
    shell.run("git -C \"$SERVED\" fsck --full --strict");
}

#[test]
fn pushes_are_reported_as_asked() {
    let forge = Forge::shared();
    let shell = served(forge);
    let loud = shell.run("cd work && git commit -q --allow-empty -m a && GIT_TRACE_PACKET=1 git push --progress -o one -o two=three \"$ADMIN\" main 2>&1");
    for word in
        ["report-status-v2", "push-options", "> one", "> two=three", "< unpack ok", "< ok refs/heads/main"]
    {
        assert!(loud.contains(word), "{word}: {loud}");
    }
    let quiet = shell.run("cd work && git commit -q --allow-empty -m b && GIT_TRACE_PACKET=1 git push -q \"$ADMIN\" main 2>&1 | grep -v packet: || true");
    assert_eq!(quiet, "");
    let trace = shell.run(
        "cd work && git commit -q --allow-empty -m c && GIT_TRACE_PACKET=1 git push -q \"$ADMIN\" main 2>&1",
    );
    assert!(trace.contains(" quiet"), "{trace}");
    let heard = shell.run("git clone --progress --no-checkout \"$STRANGER\" clone 2>&1");
    assert!(heard.contains("remote: Enumerating objects: ") && heard.contains("done."), "{heard}");
    let refs = shell.run("git -C \"$SERVED\" for-each-ref");
    // One that cannot be had is the end of all, if they are to stand together, and else of itself.
    let bad = "main:refs/lithe/hidden main:refs/heads/good :refs/heads/side";
    let refused = shell.fails(&format!("cd work && git push --atomic --porcelain \"$ADMIN\" {bad}"));
    assert_eq!(refused.matches("atomic push fail").count(), 2, "{refused}");
    assert_eq!(shell.run("git -C \"$SERVED\" for-each-ref"), refs);
    let refused = shell.fails(&format!("cd work && git push --porcelain \"$ADMIN\" {bad}"));
    assert!(refused.contains("deny updating a hidden ref"), "{refused}");
    assert_eq!(shell.run("git -C \"$SERVED\" rev-parse good"), shell.run("git -C work rev-parse main"));
    shell.fails("git -C \"$SERVED\" rev-parse -q --verify refs/heads/side");
    // Many may go at once, but not the branch that HEAD stands for.
    let refused =
        shell.fails("cd work && git push \"$ADMIN\" :refs/heads/good :refs/tags/v1 :refs/heads/main");
    assert!(refused.contains("deletion of the current branch prohibited"), "{refused}");
    let names = shell.run("git -C \"$SERVED\" for-each-ref --format='%(refname)'");
    assert_eq!(
        names,
        "refs/heads/main\nrefs/tags/blob-tag\nrefs/tags/light\nrefs/tags/tree-tag\nrefs/tags/v1-again"
    );
}

#[test]
fn refs_are_advertised_as_git_advertises_them() {
    let forge = Forge::shared();
    let (full_path, empty_path) = (forge.repository(&[]), forge.repository(&[]));
    let full = served_at(forge, &full_path);
    full.run(
        "cd \"$SERVED\" && git symbolic-ref refs/heads/alias refs/heads/main && git symbolic-ref refs/heads/dangling refs/heads/none
        git update-ref refs/notes/commits main && git pack-refs --all && git update-ref refs/heads/late side && git update-ref refs/tags/v1-late v1",
    );
    let empty = forge.shell(&empty_path);
    for (shell, path) in [(&full, &full_path), (&empty, &empty_path)] {
        for version in [0, 1] {
            let lithe =
                Answer::get(&forge.url, None, &format!("{path}.git/info/refs?service=git-upload-pack"));
            shell.run(&format!(
                "GIT_PROTOCOL=version={version} git upload-pack --http-backend-info-refs \"$SERVED\" > answer"
            ));
            let peer = std::fs::read(shell.path().join("answer")).expect("it was just written");
            let refs = |bytes: &[u8]| {
                let lines = take_apart(shell, bytes).lines;
                let without_capabilities =
                    lines.into_iter().map(|line| line.split('\0').next().unwrap_or_default().to_owned());
                without_capabilities.filter(|line| line.len() > 40).collect::<Vec<_>>()
            };
            assert_eq!(refs(&lithe.body), refs(&peer), "version {version}");
        }
        for words in [
            "symrefs / peel / unborn",
            "symrefs / unborn / ref-prefix HEAD",
            "peel / ref-prefix refs/tags/",
            "unborn",
        ] {
            let body = request(shell, &format!("command=ls-refs / 0001 / {words} / 0000"));
            std::fs::write(shell.path().join("request"), &body).expect("the directory is writable");
            shell
                .run("GIT_PROTOCOL=version=2 git upload-pack --stateless-rpc \"$SERVED\" < request > answer");
            let peer = std::fs::read(shell.path().join("answer")).expect("it was just written");
            let lithe = ask(forge, path, 2, body).body;
            assert_eq!(take_apart(shell, &lithe), take_apart(shell, &peer), "{words}");
        }
    }
}
