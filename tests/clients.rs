//! Other implementations of Git beside the first: dulwich, in Python; libgit2, in C, by pygit2;
//! isomorphic-git, in JavaScript; gitoxide, in Rust; JGit, in Java.

use crate::kit::{Actor, Forge, Shell, basic, root};

/// A shell in which `python` finds dulwich and pygit2.
fn python(forge: &Forge, repository: &str) -> Shell {
    let mut shell = forge.shell(repository);
    shell.set("PYTHONPATH", root().join("target/test-tools/python").to_str().expect("text"));
    shell
}

#[test]
fn dulwich_pushes_clones_and_fetches() {
    let forge = Forge::shared();
    let shell = python(forge, &forge.repository(&[]));
    shell.run(
        r#"python3 - <<'END'
import os
from dulwich import porcelain
repo = porcelain.init("work")
for number in range(30):
    with open(f"work/file{number % 5}", "a") as file:
        file.write(f"line {number}\n" * 50)
    porcelain.add(repo, [f"work/file{number % 5}"])
    porcelain.commit(repo, message=b"Change %d" % number, author=b"A <a@example.org>", committer=b"A <a@example.org>")
porcelain.tag_create(repo, b"v1", message=b"Tagged", annotated=True, author=b"A <a@example.org>")
head = repo.refs.follow(b"HEAD")[0][-1]
porcelain.push(repo, os.environ["ADMIN"], [head + b":refs/heads/main", b"refs/tags/v1:refs/tags/v1"])
porcelain.clone(os.environ["STRANGER"], "clone", bare=True).close()
END"#,
    );
    shell.run("git -C \"$SERVED\" fsck --full --strict");
    let objects = "rev-list --objects --all --no-object-names | sort";
    assert_eq!(
        shell.run(&format!("git -C clone {objects}")),
        shell.run(&format!("git -C \"$SERVED\" {objects}"))
    );
    shell.run("git clone -q \"$ADMIN\" other && cd other && git commit -q --allow-empty -m More && git push -q origin main");
    shell.run(
        r#"python3 - <<'END'
import os
from dulwich import porcelain
from dulwich.repo import Repo
porcelain.fetch(Repo("clone"), os.environ["STRANGER"])
assert os.environ["NEW"].encode() in Repo("clone").object_store
END"#
            .replace("os.environ[\"NEW\"]", &format!("\"{}\"", shell.run("git -C other rev-parse HEAD")))
            .as_str(),
    );
}

/// What a clone by one of them has, and what is served.
fn assert_same_objects(shell: &Shell, clone: &str) {
    let objects = "rev-list --objects --all --no-object-names | sort";
    assert_eq!(
        shell.run(&format!("git -C {clone} {objects}")),
        shell.run(&format!("git -C \"$SERVED\" {objects}")),
        "{clone}"
    );
}

#[test]
fn libgit2_pushes_clones_deepens_and_fetches() {
    let forge = Forge::shared();
    let shell = python(forge, &forge.repository(&[]));
    shell.run(
        r#"python3 - <<'END'
import os, pygit2
who = pygit2.Signature("A U Thor", "author@example.org", 1700000000, 0)
work = pygit2.init_repository("work", initial_head="main")

def commit(repo, number):
    os.makedirs("work/sub", exist_ok=True)
    with open(f"work/sub/file{number % 5}", "a") as file:
        file.write(f"line {number}\n" * 50)
    repo.index.add_all()
    parents = [] if repo.head_is_unborn else [repo.head.target]
    return repo.create_commit("HEAD", who, who, f"Change {number}", repo.index.write_tree(), parents)

for number in range(30):
    last = commit(work, number)
work.create_tag("v1", last, pygit2.enums.ObjectType.COMMIT, who, "Tagged")
up = work.remotes.create("up", os.environ["ADMIN"])
up.push(["refs/heads/main", "refs/tags/v1", "refs/heads/main:refs/heads/other"])

clone = pygit2.clone_repository(os.environ["STRANGER"], "clone", bare=True)
assert clone.revparse_single("v1").type == pygit2.enums.ObjectType.TAG
shallow = pygit2.clone_repository(os.environ["STRANGER"], "shallow", bare=True, depth=3)
assert len(list(shallow.walk(shallow.head.target))) == 3

last = commit(work, 30)
up.push(["refs/heads/main", ":refs/heads/other"])
clone.remotes["origin"].fetch(["+refs/heads/*:refs/heads/*"], prune=pygit2.enums.FetchPrune.PRUNE)
assert clone.references["refs/heads/main"].target == last
shallow.remotes["origin"].fetch(["+refs/heads/main:refs/heads/main"], depth=5)
assert len(list(shallow.walk(last))) == 5

def refused(remote, refspec):
    try:
        remote.push([refspec])
    except pygit2.GitError:
        return True
    return False

assert refused(work.remotes.create("stranger", os.environ["STRANGER"]), "refs/heads/main:refs/heads/x")
work.reset(work.revparse_single("HEAD~2").id, pygit2.enums.ResetMode.HARD)
assert refused(up, "refs/heads/main")
up.push(["+refs/heads/main"])
END"#,
    );
    shell.run("git -C \"$SERVED\" fsck --full --strict && git -C shallow fsck && git -C clone fetch -q --prune \"$STRANGER\" '+refs/*:refs/*'");
    assert_same_objects(&shell, "clone");
    assert_eq!(
        shell.run("git -C \"$SERVED\" for-each-ref --format='%(refname)'"),
        "refs/heads/main\nrefs/tags/v1"
    );
}

#[test]
fn isomorphic_git_pushes_clones_deepens_and_fetches() {
    let forge = Forge::shared();
    let shell = forge.shell(&forge.repository(&[]));
    let script = root().join("tests/clients/roundtrip.mjs");
    let said = shell.run(&format!("node {}", script.display()));
    let said: serde_json::Value = serde_json::from_str(&said).expect("it tells what it made");
    shell.run("git -C \"$SERVED\" fsck --full --strict && git -C clone fsck && git -C shallow fsck");
    assert_eq!(Some(&*shell.run("git -C \"$SERVED\" rev-parse main")), said["last"].as_str());
    assert_eq!(
        shell.run("git -C \"$SERVED\" for-each-ref --format='%(refname)'"),
        "refs/heads/main\nrefs/tags/v1"
    );
}

/// Merges, tags of tags, and files that grow, in `work`; pushed as far as the last commit but one.
const HISTORY: &str = r#"
git init -q work && cd work
for n in $(seq 20); do seq $n $((n * 30)) > list && echo $n > file$((n % 5)) && git add . && git commit -qm $n; done
git tag -am one v1 HEAD~4 && git tag -am again v1-again v1 && git branch side HEAD~7
git switch -q side && echo side > side && git add . && git commit -qm side && git switch -q main && git merge -qm merge side
git commit -q --allow-empty -m last && git push -q "$ADMIN" HEAD~1:refs/heads/main side --tags
"#;

/// gitoxide has no push of its own yet.
#[test]
fn gitoxide_clones_deepens_and_fetches() {
    let forge = Forge::shared();
    for options in [&[][..], &["--private"]] {
        let mut shell = forge.shell(&forge.repository(options));
        shell.set("GIX", root().join("target/test-tools/gix/debug/gix-client").to_str().expect("text"));
        shell.run(HISTORY);
        if options.is_empty() {
            shell.run("$GIX clone \"$STRANGER\" open");
            assert_same_objects(&shell, "open");
        } else {
            shell.fails("$GIX clone \"$STRANGER\" closed");
        }
        let (name, password) = Actor::Admin.login().expect("the admin signs in");
        shell.set("AUTHORIZATION", &basic(name, password));
        shell.run("$GIX clone \"$STRANGER\" clone && git -C clone fsck --full --strict");
        assert_same_objects(&shell, "clone");
        let first_parents = "rev-list --count --first-parent main";
        shell.run("$GIX clone \"$STRANGER\" shallow 3 && git -C shallow fsck");
        assert_eq!(shell.run(&format!("git -C shallow {first_parents}")), "3");
        shell.run("git -C work push -q \"$ADMIN\" main main:refs/heads/new");
        shell.run("$GIX fetch clone && git -C clone fsck --full --strict");
        assert_same_objects(&shell, "clone");
        shell.run("$GIX fetch shallow 5 && git -C shallow fsck");
        assert_eq!(shell.run(&format!("git -C shallow {first_parents}")), "5");
        shell.run("$GIX fetch clone | grep NoPackReceived");
    }
}

/// Debian's package does not name all the jars that it needs. It takes passwords from `.netrc` alone.
#[test]
fn jgit_pushes_clones_and_fetches() {
    let forge = Forge::shared();
    let mut shell = forge.shell(&forge.repository(&[]));
    shell.set("JGIT_CLASSPATH", "/usr/share/java/*");
    let options = format!("-Duser.home={} -Djava.awt.headless=true", shell.path().display());
    shell.set("JAVA_TOOL_OPTIONS", &options);
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    shell.run(&format!("echo 'machine 127.0.0.1 login {name} password {password}' > .netrc"));
    let (history, _) = HISTORY.split_once("git push").expect("it ends by a push");
    let refs = "HEAD~1:refs/heads/main refs/heads/side refs/tags/v1 refs/tags/v1-again";
    shell.run(&format!("{history} jgit push \"$STRANGER\" {refs}"));
    shell.run("git -C \"$SERVED\" fsck --full --strict");
    shell.run("jgit clone \"$STRANGER\" clone && git -C clone fsck --full --strict");
    assert_same_objects(&shell, "clone");
    shell.run("cd work && jgit push \"$STRANGER\" refs/heads/main:refs/heads/main refs/heads/main:refs/heads/new :refs/heads/side");
    shell.run("cd clone && jgit fetch origin && git fsck --full --strict");
    assert_eq!(shell.run("git -C clone rev-parse origin/main"), shell.run("git -C work rev-parse main"));
    assert_eq!(
        shell.run("git -C \"$SERVED\" for-each-ref --format='%(refname:short)' | xargs"),
        "main new v1 v1-again"
    );
    shell.run(
        "cd work && git commit -q --amend --allow-empty -m rewritten
         jgit push \"$STRANGER\" refs/heads/main:refs/heads/main 2>&1 | grep -i 'rejected'
         jgit push -f \"$STRANGER\" refs/heads/main:refs/heads/main
         test $(git -C \"$SERVED\" rev-parse main) = $(git rev-parse main)
         rm ../.netrc
         { jgit push \"$STRANGER\" refs/heads/main:refs/heads/strange || true; }
         ! git -C \"$SERVED\" rev-parse -q --verify strange",
    );
}
