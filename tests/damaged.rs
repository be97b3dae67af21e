//! Repositories that are damaged on disk: every way to look at them is answered in words, the server
//! serves on, and nothing on disk is made worse.

use crate::kit::{Actor, Forge, Shell};

/// Where refs or objects cannot be read at all.
const UNREADABLE: &str = "the repository cannot be read at the moment";
/// The same, of the refs that a push begins with.
const NO_REFS: &str = "The repository's refs cannot be read.";
/// Where there is no repository.
const NOT_THERE: &str = "The repository is missing on disk.";

/// What is said of a repository whose alternates are not to be had.
const BORROWED: &str = "the repository borrows objects from another one, which cannot be read";

/// Ways to damage a repository: scripts that run in its directory, in which `$pack` and `$index` are
/// its one pack and the index of that, and `$blob` a loose object. Then what a clone is told, and
/// what a push; nothing: it works.
const DAMAGES: &[(&str, &str, &str, &str)] = &[
    ("pack cut", "truncate -s -100 $pack", "it does not end as its index says", ""),
    ("pack cut to its head", "truncate -s 12 $pack", "it is too short for a pack", ""),
    ("pack empty", ": > $pack", "it is too short for a pack", ""),
    ("pack of garbage", "head -c 5000 /dev/zero | tr '\\0' x > $pack", "it does not begin as a pack", ""),
    (
        "pack with damage within",
        "printf xxxxxxxxxxxxxxxx | dd of=$pack bs=1 seek=60 conv=notrunc status=none",
        "its compressed data is broken",
        "",
    ),
    ("pack gone", "rm $pack", "remote error: ", ""),
    ("index cut", "truncate -s -30 $index", "its length does not fit", "its length does not fit"),
    ("index empty", ": > $index", "it is too short for an index", "it is too short for an index"),
    (
        "index of garbage",
        "head -c 5000 /dev/zero | tr '\\0' x > $index",
        "pack index of version 1",
        "pack index of version 1",
    ),
    (
        "index that lies about places",
        "tail -c 100 $pack | dd of=$index bs=1 seek=1200 conv=notrunc status=none",
        "remote error: ",
        "",
    ),
    ("index gone", "rm $index", "remote error: ", ""),
    (
        "loose object of garbage",
        "head -c 500 /dev/zero | tr '\\0' x > $blob",
        "its compressed data is broken",
        "",
    ),
    ("loose object empty", ": > $blob", "its compressed data ends too soon", ""),
    ("loose object gone", "rm $blob", "is missing", ""),
    ("loose object a directory", "rm $blob && mkdir $blob", "is missing", ""),
    (
        "loose object of another id",
        "printf other | git hash-object -w --stdin > name && mv objects/$(cut -c1-2 name)/$(cut -c3- name) $blob",
        "fatal: ",
        "",
    ),
    ("packs a file", "rm -r objects/pack && : > objects/pack", UNREADABLE, UNREADABLE),
    ("no packs", "rm -r objects/pack", "remote error: ", ""),
    ("no objects", "rm -r objects", UNREADABLE, "cannot read or write the pack"),
    ("objects a file", "rm -r objects && : > objects", UNREADABLE, "cannot read or write the pack"),
    (
        "objects a link that leads out",
        "rm -r objects && ln -s /etc objects",
        UNREADABLE,
        "cannot read or write the pack",
    ),
    ("pack a link that leads out", "rm $pack && ln -s /etc/passwd $pack", UNREADABLE, ""),
    ("loose object a link that leads out", "rm $blob && ln -s /etc/passwd $blob", "is missing", ""),
    ("alternates that lead nowhere", "echo /nowhere > objects/info/alternates", BORROWED, BORROWED),
    ("alternates that lead out", "echo /etc > objects/info/alternates", BORROWED, BORROWED),
    ("alternates of garbage", "printf '\\0\\377' > objects/info/alternates", BORROWED, BORROWED),
    ("HEAD that leads nowhere", "echo 'ref: refs/heads/none' > HEAD", "", ""),
    ("HEAD of garbage", "printf '\\377\\0' > HEAD", UNREADABLE, NO_REFS),
    ("HEAD empty", ": > HEAD", UNREADABLE, NO_REFS),
    ("HEAD of an id that is missing", "echo 1111111111111111111111111111111111111111 > HEAD", "", ""),
    ("HEAD a directory", "rm HEAD && mkdir HEAD", "", ""),
    ("HEAD a link that leads out", "rm HEAD && ln -s /etc/passwd HEAD", UNREADABLE, NO_REFS),
    ("HEAD gone", "rm HEAD", UNREADABLE, NO_REFS),
    ("ref of garbage", "printf '\\377\\0' > refs/heads/main", "", "it is damaged"),
    (
        "ref of an id that is missing",
        "echo 1111111111111111111111111111111111111111 > refs/heads/main",
        "remote error: ",
        "fetch first",
    ),
    ("ref of a blob", "git rev-parse main:file > refs/heads/blob", "", ""),
    ("ref to itself", "echo 'ref: refs/heads/main' > refs/heads/main", "", "failed to update ref"),
    (
        "ref a link that leads out",
        "rm -f refs/heads/main && ln -s /etc/passwd refs/heads/main",
        "",
        "it is damaged",
    ),
    ("refs a link that leads out", "rm -r refs && ln -s /etc refs", UNREADABLE, NO_REFS),
    ("no refs", "rm -r refs", UNREADABLE, NO_REFS),
    ("packed-refs of garbage", "printf '\\377\\0' > packed-refs", UNREADABLE, NO_REFS),
    ("packed-refs a directory", "rm -f packed-refs && mkdir packed-refs", UNREADABLE, NO_REFS),
    (
        "packed-refs a link that leads out",
        "rm -f packed-refs && ln -s /etc/passwd packed-refs",
        UNREADABLE,
        NO_REFS,
    ),
    ("config of garbage", "printf '\\377\\0[[[' > config", UNREADABLE, NO_REFS),
    ("config a directory", "rm config && mkdir config", UNREADABLE, NO_REFS),
    (
        "config of another format",
        "printf '[core]\\n\\trepositoryformatversion = 1\\n[extensions]\\n\\tobjectFormat = sha256\\n' > config",
        UNREADABLE,
        NO_REFS,
    ),
    ("shallow of garbage", "echo garbage > shallow", "shallow is damaged", "shallow is damaged"),
    ("an empty directory", "rm -r $PWD/*", UNREADABLE, NO_REFS),
    ("a file", "cd .. && rm -r $OLDPWD && : > $OLDPWD", NOT_THERE, NOT_THERE),
    ("nothing", "cd .. && rm -r $OLDPWD", NOT_THERE, NOT_THERE),
    ("a link that leads out", "cd .. && rm -r $OLDPWD && ln -s /etc $OLDPWD", NOT_THERE, NOT_THERE),
];

/// A history in one pack and a few loose objects, with loose refs and packed ones.
const HISTORY: &str = r#"
export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
git init -q work && cd work && mkdir dir && seq 300 > dir/list && echo 1 > file && git add . && git commit -qm One
seq 301 > dir/list && git commit -qam Two && git tag -am v1 v1 && git push -q "$ADMIN" main v1
git -C "$SERVED" -c repack.writeBitmaps=false -c gc.writeCommitGraph=false gc -q && git config --global --add safe.directory '*'
echo loose > loose && git add . && git commit -qm Three && git push -q "file://$SERVED" main
cp -a "$SERVED" ../whole && git commit -q --allow-empty -m Four
"#;

/// Puts the repository back as it was, then damages it.
fn damage(shell: &Shell, script: &str) {
    shell.run("rm -rf \"$SERVED\" && cp -a whole \"$SERVED\"");
    shell.run(&format!(
        r#"cd "$SERVED" && chmod -R u+w . && pack=$(echo objects/pack/*.pack) index=$(echo objects/pack/*.idx)
        id=$(git rev-parse main:loose) && blob=objects/${{id:0:2}}/${{id:2}}
        {script}"#
    ));
}

/// All that lies on disk, links not followed.
fn disk(shell: &Shell) -> String {
    shell.run(
        "if [ -e \"$SERVED\" ]; then
            find \"$SERVED\" -printf '%y %P %l\\n' | sort; find \"$SERVED\" -type f -exec md5sum {} + | sort
        fi",
    )
}

#[test]
fn every_look_at_a_damaged_repository_is_answered_in_words() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(HISTORY);
    let commit = format!("/-/commit/{}", shell.run("git -C work rev-parse main~1"));
    let pages = [
        "",
        "/-/tree/main/dir",
        "/-/blob/main/dir/list",
        "/-/blob/main/loose",
        "/-/raw/main/loose",
        "/-/commits/main",
        &commit,
        "/-/refs",
    ];
    let mut wrong = Vec::new();
    for (what, script, clone, push) in DAMAGES {
        damage(&shell, script);
        let before = disk(&shell);
        for page in pages {
            let answer = forge.get(Actor::Stranger, &format!("{path}{page}"));
            let text = answer.text();
            let is_in_words = match answer.status {
                200 | 404 => true,
                500 | 503 => text.contains("<h2>This ") && text.contains("<p>"),
                _ => false,
            };
            if !is_in_words || text.contains("root:") {
                wrong.push(format!("{what}: {page}: {} {text}", answer.status));
            }
        }
        for version in [0, 2] {
            let script = format!(
                "rm -rf clone && git -c protocol.version={version} clone -q --bare \"$STRANGER\" clone && git -C clone rev-list --objects --all > list"
            );
            wrong.extend(
                judge(&shell, &script, clone).map(|said| format!("{what}: version {version}: {said}")),
            );
        }
        assert_eq!(disk(&shell), before, "{what}: looking changes nothing");
        wrong.extend(
            judge(&shell, "git -C work push \"$ADMIN\" main main:new", push)
                .map(|said| format!("{what}: {said}")),
        );
        let is_untouched = [UNREADABLE, NO_REFS, NOT_THERE].contains(push) || push.starts_with("cannot read");
        if is_untouched && disk(&shell) != before {
            wrong.push(format!("{what}: a push changed something:\n{before}\n{}", disk(&shell)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    damage(&shell, "true");
    shell.run("git clone -q \"$STRANGER\" whole-again && git -C work push -q \"$ADMIN\" main");
}

/// Runs a script that is expected to say something and fail, or to work where that is nothing;
/// returns what it says if it does otherwise.
fn judge(shell: &Shell, script: &str, expected: &str) -> Option<String> {
    let output = shell.command(script).output().expect("bash starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_as_expected = output.status.success() == expected.is_empty() && said.contains(expected);
    (!is_as_expected || said.contains("/repos/")).then_some(said)
}

/// A hundred and fifty commits that were served and maintained; `old` is a clone of the first third of them.
const LONG_HISTORY: &str = r#"
git init -q work && cd work && for i in $(seq 150); do
    printf 'commit refs/heads/main\nmark :%d\ncommitter A <a@example.org> %d +0000\ndata 1\nx\n' $i $((1700000000 + i))
    printf 'M 644 inline dir%d/file%d\ndata 4\n%04d\n' $((i % 3)) $((i % 7)) $i
done | git fast-import --quiet && git push -q "$ADMIN" main~100:refs/heads/main && cd ..
git clone -q --bare "$STRANGER" old && git -C work push -q "$ADMIN" main && git -C work switch -q main
git config --global --add safe.directory '*'
"#;

/// Ways to have the files that only save work, and those of them that a way is tried for, by their last words.
const SHORTCUTS: &[(&str, &[&str])] = &[
    ("git repack -adq --no-write-bitmap-index && rm -f objects/pack/*.rev", &[]),
    (
        "git -c pack.writeReverseIndex=true repack -adq --write-bitmap-index && git commit-graph write --reachable --changed-paths",
        &[".bitmap", ".rev", "commit-graph"],
    ),
    (
        "git repack -adq --no-write-bitmap-index && git multi-pack-index write --bitmap",
        &["multi-pack-index", ".bitmap"],
    ),
    (
        "git repack -adq --no-write-bitmap-index && git rev-parse main~50 | git commit-graph write --split=no-merge --stdin-commits --changed-paths && git commit-graph write --reachable --split=no-merge --changed-paths",
        &[".graph"],
    ),
];

/// Where to change a byte: of a file in chunks in each of them, and in its head and table of contents; of
/// another at regular distances.
fn places(file: &[u8]) -> Vec<usize> {
    let head = match &file[..4] {
        b"CGPH" => 8,
        b"MIDX" => 12,
        _ => return (0..12).map(|part| 5 + part * (file.len() - 10) / 12).collect(),
    };
    let chunks = usize::from(file[6]);
    let begin = |chunk: usize| {
        let at = head + chunk * 12 + 4;
        u64::from_be_bytes(file[at..at + 8].try_into().expect("eight bytes")) as usize
    };
    let middles = (0..chunks).map(|chunk| begin(chunk).midpoint(begin(chunk + 1)));
    [5, 6, head + 1, head + 10, file.len() - 3].into_iter().chain(middles).collect()
}

#[test]
fn damage_to_what_only_saves_work_costs_time_only() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(LONG_HISTORY);
    let page = |path: &str| {
        let answer = forge.get(Actor::Stranger, path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text()
    };
    let history = format!("{path}/-/commits/main/dir1/file1");
    let expected_page = page(&history);
    let expected = shell.run("git -C work rev-list --objects main | cut -d' ' -f1 | sort");
    // A commit that is pushed makes a pack and a ref, which go again.
    let look = "rm -rf new fetched pushed
        git clone -q --bare \"$STRANGER\" new && git -C new rev-list --objects main | cut -d' ' -f1 | sort
        cp -r old fetched && git -C fetched fetch -q origin main:main && git -C fetched fsck --strict
        git -C fetched rev-list --objects main | cut -d' ' -f1 | sort | diff - <(git -C new rev-list --objects main | cut -d' ' -f1 | sort)
        git -C new push -q \"$ADMIN\" $(git -C new commit-tree -p main -m More main^{tree}):refs/heads/more
        git -C new push -q \"$ADMIN\" :refs/heads/more";
    for (script, kinds) in SHORTCUTS {
        shell.run(&format!("cd \"$SERVED\" && chmod -R u+w . && rm -rf objects/info/commit-graph* objects/pack/multi-pack-index* && {script} && chmod -R u+w ."));
        assert_eq!(shell.run(look), expected, "{script}");
        for kind in *kinds {
            let name =
                shell.run(&format!("cd \"$SERVED\" && find objects -name '*{kind}' | sort | tail -n 1"));
            let file = forge.directory(&path).join(&name);
            let sound = std::fs::read(&file).expect("readable");
            let flips = places(&sound).into_iter().map(|at| {
                let mut bytes = sound.clone();
                bytes[at] ^= 0x21;
                (format!("byte {at}"), bytes)
            });
            let cuts = [0, 3, sound.len() / 2, sound.len() - 1]
                .map(|len| (format!("cut to {len}"), sound[..len].to_vec()));
            for (damage, bytes) in flips.chain(cuts) {
                std::fs::write(&file, bytes).expect("writable");
                assert_eq!(shell.run(look), expected, "{name}: {damage}");
                assert!(page(&history) == expected_page, "{name}: {damage}");
            }
            let base = name.rsplit('/').next().expect("it has a last part");
            let (code, said) = forge.try_lithe(&["repo", "check", &path, "--json"]);
            // Where the command does the work, its log follows on the answer, a line of JSON.
            let named = said.lines().next().unwrap_or_default().matches(base).count();
            assert!(code == Some(1) && named == 2, "among the problems, and in its health: {code:?} {said}");
            let log = std::fs::read_to_string(forge.data().join("server.log")).expect("there is a log");
            assert!(log.contains(&format!("{base} is damaged")), "{name}");
            std::fs::write(&file, &sound).expect("writable");
            forge.lithe(&["repo", "check", &path]);
        }
    }
    // Maintenance removes what is damaged, and makes it anew.
    shell.run("cd \"$SERVED\" && git repack -adq --write-bitmap-index && git commit-graph write --reachable && chmod -R u+w objects");
    shell.run("cd \"$SERVED\"/objects && for f in pack/*.bitmap pack/*.rev info/commit-graph; do printf x | dd of=$f bs=1 seek=40 conv=notrunc status=none; done");
    let said = forge.lithe(&["repo", "maintain", &path]);
    assert!(
        said.contains("3 damaged files removed that only save work") && said.contains("bitmaps written"),
        "{said}"
    );
    shell.run(
        "cd \"$SERVED\" && git fsck --strict && git commit-graph verify && git rev-list --test-bitmap main",
    );
    forge.lithe(&["repo", "check", &path]);
    assert_eq!(shell.run(look), expected);
}
