//! Archives, with the real `git` as the judge.

use archive::contents::Contents;
use archive::format::Format;
use archive::limits::{
    CACHED_BYTES_MAX, CONTENTS_BYTES_MAX, ENTRIES_MAX, LINK_BYTES_MAX, MADE_BYTES_MAX, PATHS_BYTES_MAX,
    UNCONVERTED_BYTES_MIN,
};
use archive::plan::{Error, Plan, plan};
use bstr::BStr;
use gix_hash::ObjectId;
use lithe_code::repository::Repository;
use lithe_code::storage::{self, Opened};
use lithe_forge::types;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A bare repository `demo.git` beside its working tree `work`.
struct Scratch(TempDir);

/// Every kind of entry, and names that leave a tar header no room.
const HISTORY: &str = r#"
git init -q -b main work && cd work
mkdir -p src/deep empty-but-ignored docs/sub
echo plain > plain && echo run > run && chmod +x run && : > empty && ln -s plain link
seq 100000 > large && head -c 512 large > block && head -c 300000 /dev/urandom > binary
ln -s "$(printf 'target/%.0s' $(seq 20))end" long-link && ln -s "$(printf 'x%.0s' $(seq 100))" full-link
long=$(printf 'n%.0s' $(seq 99)) && mkdir -p "src/deep/$long/$long" && echo a > "src/deep/$long/$long/$long" && echo b > "src/$long"
wide=$(printf 'w%.0s' $(seq 180)) && mkdir "src/$wide" && echo c > "src/$wide/file" && echo d > "src/$wide$wide.txt" || true
echo é > "src/caf$(printf '\351')" && echo é > src/żółw && echo '<b>' > 'src/a "quoted" <b>'
echo one > docs/one.md && echo two > docs/two.txt && echo kept > docs/sub/kept.md && echo left > empty-but-ignored/left
cat > .gitattributes <<'END'
[attr]gone export-ignore
*.md export-ignore
/docs/sub/kept.md -export-ignore
empty-but-ignored/left gone
version export-subst
.gitattributes export-ignore
END
echo 'two.txt export-ignore' > docs/.gitattributes
cat > version <<'END'
$Format:%H %h %T %t %P|%p|%an <%ae> %al %ad|%aD|%ai|%aI|%at|%as$ $Format:%cn <%ce> %cl %cd|%cD|%ci|%cI|%ct|%cs$
$Format:%s$ $Format:%f$ [$Format:%b$] [$Format:%B$] $Format:%%|%x41|%n|%e|%zz|%$ $Format: not closed
$Id$ $Format$ $Format:$
END
git add . && git update-index --add --cacheinfo 160000,1234567890123456789012345678901234567890,module
git commit -qm 'First: the "subject"...  of
two lines

And a body.

  With a second part.' && echo more >> plain && git commit -qam 'Second' && git tag -am v1 v1
git clone -q --bare . ../demo.git
"#;

impl Scratch {
    fn new(script: &str) -> Self {
        let scratch = Self(tempfile::tempdir().expect("a directory"));
        scratch.sh(script);
        scratch
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a script, every line of which has to succeed; returns what it prints, trimmed.
    #[track_caller]
    fn sh(&self, script: &str) -> String {
        let mut command = Command::new("bash");
        command.arg("-ec").arg(script).current_dir(self.path());
        for (key, value) in
            [("NAME", "A U Thor"), ("EMAIL", "author@example.org"), ("DATE", "@1700000001 +0130")]
        {
            command.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
        }
        let output = command.env("TZ", "UTC").output().expect("bash runs");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    fn open(&self) -> Opened {
        let record = types::Repository {
            id: 1,
            path: "demo".into(),
            directory: "demo.git".into(),
            description: String::new(),
            is_private: false,
            owner: None,
            created: 0,
            updated: 0,
            deleted: None,
        };
        storage::open_unshared(self.path(), &record).expect("it opens")
    }

    /// The repository's own attributes.
    fn info(&self) -> Vec<u8> {
        fs::read(self.path().join("demo.git/info/attributes")).unwrap_or_default()
    }

    fn id(&self, revision: &str) -> ObjectId {
        let id = self.sh(&format!("git -C demo.git rev-parse '{revision}^{{commit}}'"));
        ObjectId::from_hex(id.as_bytes()).expect("an id")
    }

    /// The archive of a path in a revision.
    fn archive(&self, revision: &str, path: &str, format: Format) -> Result<Vec<u8>, Error> {
        let opened = self.open();
        let repository = Repository { objects: &opened.objects, refs: &opened.refs };
        let commit = repository.commit(&self.id(revision))?;
        let planned = plan(repository, commit.tree_id, BStr::new(path), &self.info(), &|| ())?;
        let mut contents =
            Contents::new(opened, commit, planned.entries, b"demo-x", format).expect("it begins");
        let mut bytes = Vec::new();
        while let Some(piece) = contents.next_piece().expect("a piece") {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// Writes the archive to a file.
    fn write(&self, name: &str, revision: &str, path: &str, format: Format) {
        fs::write(self.path().join(name), self.archive(revision, path, format).expect("an archive"))
            .expect("written");
    }
}

#[test]
fn a_tar_file_is_the_one_of_git_archive_to_the_byte() {
    let scratch = Scratch::new(HISTORY);
    for revision in ["main", "v1", "main~1"] {
        for path in ["", "src", "plain", "docs/sub", "link"] {
            scratch.write("ours.tar", revision, path, Format::Tar);
            scratch.sh(&format!(
                "git -C demo.git archive --prefix=demo-x/ {revision} {path} > theirs.tar
                 cmp ours.tar theirs.tar || {{ diff <(tar tvf ours.tar) <(tar tvf theirs.tar); false; }} >&2
                 test $(git get-tar-commit-id < ours.tar) = $(git -C demo.git rev-parse '{revision}^{{commit}}')"
            ));
        }
    }
}

#[test]
fn compressed_tar_files_hold_the_same_tar_file() {
    let scratch = Scratch::new(HISTORY);
    scratch.write("a.tar", "main", "", Format::Tar);
    scratch.write("a.tar.gz", "main", "", Format::TarGz);
    scratch.sh("gzip -dc a.tar.gz | cmp - a.tar");
    let zst = scratch.archive("main", "", Format::TarZst).expect("an archive");
    assert_eq!(
        zstd::decode_all(zst.as_slice()).expect("Zstandard"),
        fs::read(scratch.path().join("a.tar")).unwrap()
    );
}

#[test]
fn a_zip_file_unpacks_to_the_same_files() {
    let scratch = Scratch::new(HISTORY);
    scratch.write("ours.zip", "main", "", Format::Zip);
    scratch.write("docs.zip", "main", "docs", Format::Zip);
    fs::write(scratch.path().join("compare.py"), COMPARE_ZIP).expect("written");
    scratch.sh("git -C demo.git archive --format=zip --prefix=demo-x/ main > theirs.zip
         git -C demo.git archive --format=zip --prefix=demo-x/ main docs > their-docs.zip
         python3 compare.py ours.zip theirs.zip && python3 compare.py docs.zip their-docs.zip");
}

/// Compares the entries of two zip files: names as bytes, modes, times, contents, and the comment.
const COMPARE_ZIP: &str = r#"
import sys, zipfile
def entries(name):
    with zipfile.ZipFile(name) as file:
        assert file.testzip() is None
        seconds = lambda info: [info.extra[at + 5:at + 9] for at in [info.extra.find(b'UT')]]
        raw = lambda info: info.filename.encode('utf-8' if info.flag_bits & 0x800 else 'cp437')
        mode = lambda info: info.external_attr >> 16
        kept = lambda info: mode(info) if mode(info) & 0o170000 == 0o120000 or mode(info) & 0o111 else 0
        return file.comment, {raw(i): (i.is_dir(), bool(mode(i) & 0o100) and not i.is_dir(), mode(i) & 0o170000 == 0o120000, seconds(i), file.read(i)) for i in file.infolist()}
ours, theirs = entries(sys.argv[1]), entries(sys.argv[2])
assert ours[0] == theirs[0], (ours[0], theirs[0])
assert ours[1].keys() == theirs[1].keys(), set(ours[1]) ^ set(theirs[1])
for name in ours[1]:
    assert ours[1][name] == theirs[1][name], (name, ours[1][name][:4], theirs[1][name][:4])
"#;

#[test]
fn the_same_commit_gives_the_same_bytes() {
    let scratch = Scratch::new(HISTORY);
    for format in Format::ALL {
        let first = scratch.archive("main", "", format).expect("an archive");
        scratch.sh("git -C demo.git gc -q --prune=now");
        let second = scratch.archive("v1", "", format).expect("an archive");
        assert_eq!(first, second, "{format:?}");
    }
}

#[test]
fn what_does_not_exist_has_no_archive() {
    let scratch = Scratch::new(HISTORY);
    for path in ["nothing", "plain/below", "src/nothing", "module/inside"] {
        let answer = scratch.archive("main", path, Format::Tar);
        assert!(matches!(answer, Err(Error::NotFound)), "{path}");
    }
}

fn plan_of(scratch: &Scratch, revision: &str) -> Result<Plan, Error> {
    let opened = scratch.open();
    let repository = Repository { objects: &opened.objects, refs: &opened.refs };
    plan(
        repository,
        repository.commit(&scratch.id(revision))?.tree_id,
        BStr::new(""),
        &scratch.info(),
        &|| (),
    )
}

#[test]
fn files_are_read_piece_by_piece_and_give_the_same_bytes() {
    let scratch = Scratch::new(
        "git init -q -b main work && cd work && head -c 3000001 /dev/urandom > a && seq 500000 > b && head -c 9000000 /dev/zero > c
         git add . && git commit -qm one && seq 500001 > b && git commit -qam two && git clone -q --bare . ../demo.git",
    );
    let loose = Format::ALL.map(|format| scratch.archive("main", "", format).expect("an archive"));
    scratch.sh("git -C demo.git repack -adq --window=0");
    let packed = Format::ALL.map(|format| scratch.archive("main", "", format).expect("an archive"));
    assert!(loose == packed);
    scratch.sh("git -C demo.git repack -adfq");
    let deltas = Format::ALL.map(|format| scratch.archive("main~1", "", format).expect("an archive"));
    scratch.sh("git -C demo.git repack -adfq --window=0");
    let whole = Format::ALL.map(|format| scratch.archive("main~1", "", format).expect("an archive"));
    assert!(deltas == whole);
    scratch.write("ours.tar", "main", "", Format::Tar);
    scratch.sh("git -C demo.git archive --prefix=demo-x/ main | cmp - ours.tar");
}

#[test]
fn no_archive_is_made_past_a_limit() {
    let scratch = Scratch::new("git init -q --bare demo.git");
    let commit = |name: &str, script: &str| {
        scratch.sh(&format!("cd demo.git && tree=$({script}) && git update-ref refs/heads/{name} $(git commit-tree -m x $tree)"));
    };
    let blob = |bytes: u64| {
        format!("head -c {bytes} /dev/zero | git -c core.looseCompression=1 hash-object -w --stdin")
    };
    let tree_of =
        |mode: &str, bytes: u64| format!("printf '{mode} blob %s\\tx\\n' $({}) | git mktree", blob(bytes));
    let converted = |bytes: u64| {
        format!(
            "{{ printf '100644 blob %s\\t.gitattributes\\n' $(echo 'x text eol=crlf' | git hash-object -w --stdin)
                printf '100644 blob %s\\tx\\n' $({}); }} | git mktree",
            blob(bytes)
        )
    };
    commit("file", &tree_of("100644", MADE_BYTES_MAX + 1));
    commit("converted-at", &converted(MADE_BYTES_MAX));
    commit("converted-past", &converted(MADE_BYTES_MAX + 1));
    // So large a file is not converted.
    commit("unconverted", &converted(UNCONVERTED_BYTES_MIN));
    commit("link-at", &tree_of("120000", LINK_BYTES_MAX));
    commit("link-past", &tree_of("120000", LINK_BYTES_MAX + 1));
    // Ten times the same tree in a tree, six levels deep.
    commit(
        "bomb",
        "t=$(printf '100644 blob %s\\tx\\n' $(echo x | git hash-object -w --stdin) | git mktree)
         for level in 1 2 3 4 5 6; do t=$(for n in 0 1 2 3 4 5 6 7 8 9; do printf '040000 tree %s\\t%s\\n' $t $n; done | git mktree); done; echo $t",
    );
    // Names of 250 bytes, each of them in 1,000 directories and in their paths.
    commit(
        "long-names",
        "blob=$(echo x | git hash-object -w --stdin)
         t=$(for n in $(seq 200); do printf '100644 blob %s\\t%0250d\\n' $blob $n; done | git mktree)
         for n in $(seq 1000); do printf '040000 tree %s\\t%0250d\\n' $t $n; done | git mktree",
    );
    let times = |count: u64| {
        format!(
            "blob=$({}); for n in $(seq {count}); do printf '100644 blob %s\\t%s\\n' $blob $n; done | git mktree",
            blob(MADE_BYTES_MAX)
        )
    };
    commit("files", &times(CACHED_BYTES_MAX / MADE_BYTES_MAX));
    commit("more-files", &times(CACHED_BYTES_MAX / MADE_BYTES_MAX + 1));
    commit("most-files", &times(CONTENTS_BYTES_MAX / MADE_BYTES_MAX));
    commit("too-many-files", &times(CONTENTS_BYTES_MAX / MADE_BYTES_MAX + 1));
    commit(
        "patterns",
        "blob=$(echo x | git hash-object -w --stdin)
         lines=$(for n in $(seq 30000); do echo \"*a*$n export-ignore\"; done | git hash-object -w --stdin)
         { printf '100644 blob %s\\t.gitattributes\\n' $lines
           for n in $(seq 5000); do printf '100644 blob %s\\t%s\\n' $blob $n; done; } | git mktree",
    );
    let planned = |name: &str| plan_of(&scratch, name).map(|planned| planned.entries.len());
    assert!(matches!(planned("file"), Ok(1)), "it is read piece by piece");
    assert!(matches!(planned("converted-at"), Ok(2)));
    assert!(matches!(planned("converted-past"), Err(Error::FileTooLarge)));
    assert!(matches!(planned("unconverted"), Ok(2)));
    assert!(matches!(planned("most-files"), Ok(_)));
    assert!(matches!(planned("too-many-files"), Err(Error::TooManyBytes)));
    assert!(matches!(planned("link-at"), Ok(1)));
    assert!(matches!(planned("link-past"), Err(Error::LinkTooLong)));
    assert!(matches!(planned("bomb"), Err(Error::TooManyEntries)), "more than {ENTRIES_MAX}");
    assert!(matches!(planned("long-names"), Err(Error::PathsTooLong)), "more than {PATHS_BYTES_MAX}");
    // Whether its archive can be kept shows before it is made.
    for (name, can_be_kept) in [("file", true), ("files", true), ("more-files", false)] {
        assert_eq!(plan_of(&scratch, name).expect(name).can_be_kept(), can_be_kept, "{name}");
    }
    assert!(matches!(planned("patterns"), Err(Error::TooManyPatterns)));
}

#[test]
fn files_are_converted_as_git_archive_does() {
    let scratch = Scratch::new(
        r#"git init -q -b main work && cd work && git config core.autocrlf false
        write() { printf "$2" > "$1"; }
        for suffix in set auto autolf unset eol crlf old input; do
            write "plain.$suffix" 'one\ntwo\n' && write "mixed.$suffix" 'one\r\ntwo\nthree' && write "alone.$suffix" 'one\rtwo\n'
            write "null.$suffix" 'one\000two\n' && write "control.$suffix" '\001\002\003\n' && write "dos.$suffix" 'one\ntwo\n\032'
            write "empty.$suffix" '' && write "none.$suffix" 'one' && write "only.$suffix" '\n' && write "pairs.$suffix" 'a\r\nb\r\n'
            write "tabs.$suffix" '\t\b\f\033\n\n'
        done
        write 1.id '$Id$ a $Id: x$ b $Id: x $ c $Id: x y $ d $Id\n$ e $Id: no end\n' && write 2.id '$Id: \n$ $Id$$Id$ $id$ $I$ $Id' && write 3.id '$$Id: 1$' && write 4.id 'none'
        write both.idcrlf '$Id$\n' && write subst.format '$Format:%%H$ $Id$\n'
        write u.utf16 'a\303\251\360\237\230\200\n' && write u.utf16le 'a\303\251\n' && write u.utf16be 'a\n' && write u.bom 'a\n'
        write u.latin1 'caf\303\251\n' && write u.latin2 'za\305\274\303\263\305\202\n' && write u.sjis '\343\203\206\n' && write u.utf16crlf 'a\nb\n'
        cat > .gitattributes <<'END'
*.set text
*.auto text=auto eol=crlf
*.autolf text=auto eol=lf
*.unset -text eol=crlf
*.eol eol=crlf
*.crlf text eol=crlf
*.old crlf eol=crlf
*.input crlf=input eol=crlf
*.id ident
*.idcrlf ident eol=crlf
*.format ident export-subst
*.utf16 working-tree-encoding=UTF-16
*.utf16le working-tree-encoding=UTF-16LE
*.utf16be working-tree-encoding=UTF-16BE
*.bom working-tree-encoding=UTF-16LE-BOM
*.latin1 working-tree-encoding=ISO-8859-1
*.latin2 working-tree-encoding=ISO-8859-2
*.sjis working-tree-encoding=SHIFT-JIS
*.utf16crlf working-tree-encoding=UTF-16LE eol=crlf
END
        # The files are put in as they stand here, whatever the attributes say of their way in.
        for file in $(ls -A | grep -v '^.git$'); do
            git update-index --add --cacheinfo "100644,$(git hash-object -w --no-filters "$file"),$file"
        done
        git commit -qm One && git clone -q --bare . ../demo.git"#,
    );
    let check = |what: &str| {
        scratch.sh("rm -rf theirs ours && mkdir theirs ours && git -C demo.git archive --prefix=demo-x/ main > theirs.tar && tar -xf theirs.tar -C theirs");
        scratch.write("ours.tar", "main", "", Format::Tar);
        scratch.sh(&format!(
            "tar -xf ours.tar -C ours && diff -r theirs ours >&2 || {{ echo {what} >&2; exit 1; }}"
        ));
        scratch.sh("cmp ours.tar theirs.tar");
    };
    check("attributes");
    // What the repository's own attributes say comes first.
    scratch.sh("mkdir -p demo.git/info && printf '*.crlf -text\\n[attr]gone export-ignore\\n*.bom gone\\n*.set eol=crlf\\n' > demo.git/info/attributes");
    check("attributes-of-the-repository");
}
