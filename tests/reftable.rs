//! Repositories whose refs are in a reftable: read like any other, and not pushed to.
//!
//! The judge is the same repository with its refs in files.

use crate::kit::{Actor, Forge, Shell, root};
use std::fs;

/// A history with a branch that was merged, tags of two kinds and a page's worth of files.
const HISTORY: &str = r#"
git init -q work && cd work && mkdir dir && printf '# Demo\n' > README.md && seq 100 > dir/list && git add . && git commit -qm First
git switch -qc side/one && echo side > side && git add . && git commit -qm 'On the side'
git switch -q main && seq 101 > dir/list && git commit -qam Second && git merge -q --no-edit side/one
git tag light && git tag -am Annotated v1 && git push -q "$ADMIN" --all && git push -q "$ADMIN" --tags
"#;

/// What the recorded tables refer to: a commit, and a tag of it.
const RECORDED_OBJECTS: &str = r"
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE='@1700000000 +0000'
export GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org GIT_COMMITTER_DATE='@1700000000 +0000'
id=$(git commit-tree -m x $(git hash-object -t tree -w /dev/null))
printf 'object %s\ntype commit\ntag t\ntagger A <a@b> 1 +0000\n\nt\n' $id | git hash-object -t tag -w --stdin";

/// Two served repositories with the same objects and refs.
struct Twins {
    /// With refs in files,
    files: String,
    /// and in tables.
    tables: String,
    /// `$FILES` and `$TABLES` are the addresses for a stranger, `$FILES_DIR` and `$TABLES_DIR` the directories.
    shell: Shell,
}

impl Twins {
    fn new(forge: &Forge) -> Self {
        let (files, tables) = (forge.repository(&[]), forge.repository(&[]));
        let mut shell = forge.shell(&files);
        for (name, path) in [("FILES", &files), ("TABLES", &tables)] {
            shell.set(name, &forge.address(Actor::Stranger, &format!("{path}.git")));
            shell.set(&format!("{name}_DIR"), forge.directory(path).to_str().expect("text"));
        }
        shell.set("TABLES_ADMIN", &forge.address(Actor::Admin, &format!("{tables}.git")));
        Self { files, tables, shell }
    }

    /// With tables that were recorded, for which any `git` will do.
    fn recorded(forge: &Forge) -> Self {
        let twins = Self::new(forge);
        let recordings = root().join("tests/fuzz/recordings/reftable");
        let listed = root().join("components/shared/git/src/refs/reftable/recorded.txt");
        let listed = fs::read_to_string(listed).expect("it is recorded what they hold");
        let mut updates = String::new();
        for line in listed.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                [name, .., target] if target.starts_with("refs/") => {
                    updates += &format!("git symbolic-ref {name} {target}\n");
                }
                [name, id, ..] => updates += &format!("git update-ref {name} {id}\n"),
                _ => panic!("it begins with a name and an id: {line}"),
            }
        }
        twins.shell.run(&format!("cd \"$FILES_DIR\" && {RECORDED_OBJECTS}\n{updates}"));
        twins.shell.run(&format!(
            "cd \"$TABLES_DIR\" && {RECORDED_OBJECTS}
            rm -rf refs/* packed-refs && echo 'this repository uses the reftable format' > refs/heads
            echo 'ref: refs/heads/.invalid' > HEAD && mkdir reftable && cp {}/stack-*.ref reftable
            (cd reftable && ls *.ref > tables.list)
            git config -f config core.repositoryFormatVersion 1 && git config -f config extensions.refStorage reftable",
            recordings.display()
        ));
        twins
    }

    /// With a history whose tables `git` makes. None: this `git` makes none.
    fn migrated(forge: &Forge) -> Option<Self> {
        let twins = Self::new(forge);
        twins.shell.run(HISTORY);
        twins.shell.run("rm -r \"$TABLES_DIR\" && cp -a \"$FILES_DIR\" \"$TABLES_DIR\"");
        let migrated =
            twins.shell.command("git -C \"$TABLES_DIR\" refs migrate --ref-format=reftable").output();
        migrated.expect("bash starts").status.success().then_some(twins)
    }

    /// Checks that what strangers are told and get of either is the same.
    #[track_caller]
    fn check_git(&self) {
        for version in 0..=2 {
            let of = |script: &str| {
                let either = |place| script.replace("AT", place).replace("VERSION", &version.to_string());
                assert_eq!(self.shell.run(&either("TABLES")), self.shell.run(&either("FILES")), "{script}");
            };
            of("git -c protocol.version=VERSION ls-remote --symref \"$AT\"");
            of("git -c protocol.version=VERSION ls-remote \"$AT\" 'refs/tags/*' main");
            of("rm -rf clone && git -c protocol.version=VERSION clone -q --mirror \"$AT\" clone && cd clone
                git fsck --strict && git symbolic-ref HEAD && git for-each-ref && git rev-list --objects --all | sort");
        }
    }
}

#[test]
fn recorded_tables_are_served_as_files_with_the_same_refs() {
    let forge = Forge::shared();
    let twins = Twins::recorded(forge);
    twins.check_git();
    for page in ["", "/-/refs", "/-/tree/main", "/-/commits/b/11", "/-/commits/nothing"] {
        let of = |path: &str| {
            let answer = forge.get(Actor::Stranger, &format!("{path}{page}"));
            (answer.status, answer.text().replace(path, "PATH"))
        };
        let (expected, text) = of(&twins.files);
        let (status, shown) = of(&twins.tables);
        assert_eq!(status, expected, "{page}: {shown}");
        assert_eq!(words(&shown, &twins.tables), words(&text, &twins.files), "{page}");
    }
    // One ref, then the others.
    twins.shell.run(
        "git init -q --bare one && cd one && git fetch -q \"$TABLES\" main:main && git rev-parse main
        git fetch -q \"$TABLES\" '+refs/*:refs/*' && git for-each-ref > ../fetched
        git -C \"$FILES_DIR\" for-each-ref | grep -v remotes > ../expected; grep -v remotes ../fetched | diff - ../expected",
    );
}

#[test]
fn what_stock_git_changes_in_tables_is_fetched() {
    let forge = Forge::shared();
    let Some(twins) = Twins::migrated(forge) else {
        eprintln!("not tried: this git makes no reftables; those that were recorded are served");
        return;
    };
    let shell = &twins.shell;
    twins.check_git();
    let id = shell.run("git -C work rev-parse HEAD");
    for page in ["", "/-/refs", "/-/tree/main/dir", "/-/blob/v1/dir/list", "/-/commits/side/one"] {
        let answer = forge.get(Actor::Stranger, &format!("{}{page}", twins.tables));
        assert_eq!(answer.status, 200, "{page}: {}", answer.text());
    }
    assert_eq!(forge.get(Actor::Stranger, &format!("{}/-/commit/{id}", twins.tables)).status, 200);
    for version in 0..=2 {
        shell.run(&format!(
            "git clone -q \"$TABLES\" {version} && git -C {version} config protocol.version {version}"
        ));
    }
    // All kinds of changes, in both repositories alike.
    for place in ["FILES_DIR", "TABLES_DIR"] {
        shell.run(&format!(
            "cd work && git push -q --force \"${place}\" main~1:refs/heads/side/one light:refs/heads/new/branch :refs/tags/light
            GIT_COMMITTER_DATE='1700000000 +0000' GIT_AUTHOR_DATE='1700000000 +0000' git commit-tree -p main -m Third main^{{tree}} > ../third
            git push -q \"${place}\" $(cat ../third):refs/heads/main"
        ));
    }
    twins.check_git();
    for version in 0..=2 {
        shell.run(&format!("cd {version} && git fetch -q --prune --prune-tags && git merge -q --ff-only origin/main && git fsck --strict && diff <(git rev-parse main) ../third"));
        assert_eq!(
            shell.run(&format!("git -C {version} for-each-ref --format='%(objectname) %(refname:lstrip=-1)' refs/remotes/origin/side refs/remotes/origin/new")),
            shell.run("git -C \"$FILES_DIR\" for-each-ref --format='%(objectname) %(refname:lstrip=-1)' refs/heads/side refs/heads/new")
        );
    }
    forge.lithe(&["repo", "check", &twins.tables]);
    forge.lithe(&["repo", "maintain", &twins.tables, "--force"]);
    shell.run("git -C \"$TABLES_DIR\" fsck --full --strict");
    twins.check_git();
}

#[test]
fn a_push_to_tables_is_refused_with_the_way_to_migrate() {
    let forge = Forge::shared();
    let twins = Twins::recorded(forge);
    let shell = &twins.shell;
    let disk = || shell.run("cd \"$TABLES_DIR\" && find . -type f -exec md5sum {} + | sort");
    let before = disk();
    shell.run("git clone -q \"$TABLES\" clone && cd clone && git commit -q --allow-empty -m More");
    for version in 0..=2 {
        for what in
            ["main", "main:refs/heads/new", ":refs/heads/b/9", "--force main~1:main", "--atomic --mirror"]
        {
            let said = shell.fails(&format!(
                "cd clone && git -c protocol.version={version} push \"$TABLES_ADMIN\" {what}"
            ));
            assert!(
                said.contains("the repository keeps its refs in a reftable")
                    && said.contains("git refs migrate --ref-format=files"),
                "{what}: {said}"
            );
        }
    }
    assert_eq!(disk(), before, "a push that is refused changes nothing");
}

#[test]
fn a_repository_that_was_migrated_is_pushed_to() {
    let forge = Forge::shared();
    let Some(twins) = Twins::migrated(forge) else {
        eprintln!("not tried: this git makes no reftables");
        return;
    };
    let shell = &twins.shell;
    let push = "cd work && git commit -q --allow-empty -m More && git push -q \"$TABLES_ADMIN\" main";
    shell.fails(push);
    shell.run("git -C \"$TABLES_DIR\" refs migrate --ref-format=files");
    shell.run(push);
    shell.run("git -C \"$TABLES_DIR\" fsck --full --strict && git clone -q \"$TABLES\" clone");
    assert_eq!(shell.run("git -C clone rev-parse HEAD"), shell.run("git -C work rev-parse HEAD"));
}

/// What a page says, without what differs from one repository to the other.
fn words(page: &str, path: &str) -> String {
    let name = path.rsplit('/').next().expect("it has a last part");
    let document = scraper::Html::parse_document(&page.replace(name, "NAME"));
    let main = document.select(&scraper::Selector::parse("main").expect("a selector")).next();
    main.expect("a page has a main part").text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}
