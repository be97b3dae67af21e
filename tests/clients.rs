//! A second implementation of Git beside the first: dulwich, in Python.

use crate::kit::{Forge, Shell, root};

/// A shell in which `python` finds dulwich.
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
