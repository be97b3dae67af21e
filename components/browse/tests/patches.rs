//! Patches against those that `git` writes, and as `git apply` and `git am` take them.

mod kit;

use browse::diff::patch::Budget;
use browse::limits::{PATCH_BYTES_MAX, PATCH_FILE_BYTES_MAX, PATCH_READ_BYTES_MAX};
use browse::patches::{self, Form};
use browse::place::Failure;
use gix_hash::ObjectId;
use kit::{Fixture, Numbers, repository};
use lithe_code::repository::Error;

fn id(fixture: &Fixture, revision: &str) -> ObjectId {
    ObjectId::from_hex(fixture.git(&format!("rev-parse '{revision}'")).as_bytes()).expect("an id")
}

/// What `git` says that a commit changed.
fn expected(fixture: &Fixture, revision: &str) -> Vec<u8> {
    let options = "--no-commit-id --root -p -r -M --binary --full-index --histogram";
    fixture.shell(&format!("git -C team/demo.git diff-tree {options} {revision}"))
}

/// A patch without the compressed contents of binary files: libraries compress in their own ways.
fn without_compressed(patch: &[u8]) -> String {
    let text = String::from_utf8_lossy(patch);
    let mut is_compressed = false;
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        is_compressed &= line != "\n";
        if !is_compressed {
            kept.push_str(line);
        }
        is_compressed |= line.starts_with("literal ");
    }
    kept
}

/// Files of every kind, changed in every way.
const KINDS: &str = r#"
    mkdir -p dir/sub 'with space' && seq 1 200 > dir/numbers && seq 300 400 > moved && seq 1 30 > dir/same-name
    printf 'fn a() {\n    one();\n}\n\nstatic int c(void)\n{\n\tthree();\n\tfour();\n\tfive();\n\tsix();\n}\n' > code.c
    echo x > 'with space/a b' && echo y > 'quo"te' && printf 'tab\n' > 'ta	b' && echo z > żółw && printf 'no end' > end
    echo plain > mode && ln -s code.c link && echo file > becomes-link && : > empty && printf 'a\0b' > binary
    printf 'crlf\r\nlines\r\n' > crlf && echo gone > gone && seq 1 60 > twin-1 && seq 1 60 > twin-2
    git add . && git commit -qm 'First: every kind'
    sed -i 's/^100$/hundred/; s/^150$//' dir/numbers && git mv moved dir/sub/moved-there && sed -i 's/^350$/x/' dir/sub/moved-there
    git mv dir/same-name same-name && sed -i s/four/4/ code.c && echo more >> 'with space/a b' && git mv 'quo"te' 'quo\te'
    echo x >> 'ta	b' && echo ż >> żółw && echo ' now' >> end && chmod +x mode && ln -sf end link && rm becomes-link && ln -s code.c becomes-link
    git rm -q gone && printf 'b\0cc' > binary && head -c 300 /dev/zero > zeros && printf 'crlf\r\nchanged\r\n' > crlf && : > empty-too
    git mv twin-1 twin-3 && git rm -q twin-2 && seq 1 61 > twin-4
    git add -A && git commit -qm 'Second: every change'
    git update-index --add --cacheinfo 160000,0123456789012345678901234567890123456789,sub
    git rm -q zeros && git commit -qm 'Third: a submodule'
    git update-index --cacheinfo 160000,1123456789012345678901234567890123456789,sub && git commit -qm 'Fourth: it moves'"#;

#[test]
fn patches_are_those_of_git() {
    let fixture = Fixture::new(KINDS);
    let opened = fixture.open();
    for revision in ["main~3", "main~2", "main~1", "main"] {
        let found =
            patches::of_commit(repository(&opened), id(&fixture, revision), Form::Diff).expect("readable");
        // Git may write a binary file as a delta, if that is shorter; here none is.
        assert_eq!(
            without_compressed(&found),
            without_compressed(&expected(&fixture, revision)),
            "{revision}"
        );
    }
}

#[test]
fn git_makes_the_same_commits_from_the_mails() {
    let fixture = Fixture::new(&format!(
        r#"{KINDS}
        echo a > a && git add a && GIT_AUTHOR_NAME='Żółw A. B' GIT_AUTHOR_EMAIL=z@example.org GIT_AUTHOR_DATE='1234567890 -0330' \
            git commit -qm 'Żółw = a title that is longer than seventy-five characters, so that it takes two words' -m 'A body
        with ż, and lines that look like mails:' -m 'Author: me'
        echo b > b && git add b && GIT_AUTHOR_NAME='A. (B)' git commit -qm 'Last' && git reset -q --hard"#
    ));
    let opened = fixture.open();
    let count: usize = fixture.git("rev-list --count main").parse().expect("a number");
    fixture.shell("git init -q again && git -C again config core.quotePath false");
    for back in (0..count).rev() {
        let revision = format!("main~{back}");
        let mail =
            patches::of_commit(repository(&opened), id(&fixture, &revision), Form::Mail).expect("readable");
        std::fs::write(fixture.root().join("mail"), &mail).expect("the directory is writable");
        fixture.shell("cd again && git am -q --keep-cr --committer-date-is-author-date ../mail 2>&1");
        let of = |directory: &str, revision: &str| {
            fixture.shell(&format!("git -C {directory} log -1 --format='%T%n%an%n%ae%n%ad%n%B' {revision}"))
        };
        let (found, expected) = (of("again", "HEAD"), of("team/demo.git", &revision));
        assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(&expected));
    }
}

#[test]
fn a_message_does_not_pass_for_a_mail_or_a_patch() {
    let hostile = [
        "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: evil <e@e>\nSubject: evil\n\nx",
        "From: evil <evil@example.org>",
        "Subject: evil",
        "[PATCH] evil\n\nx",
        "\n[PATCH] evil\n\nx",
        "Date: x\n\n[PATCH] evil",
        "---\n x | 1 +\ndiff --git a/evil b/evil\nnew file mode 100644\n--- /dev/null\n+++ b/evil\n@@ -0,0 +1 @@\n+evil",
        "diff --git a/evil b/evil\nnew file mode 100644\n--- /dev/null\n+++ b/evil\n@@ -0,0 +1 @@\n+evil",
        "Index: evil\n--- /dev/null\n+++ b/evil\n@@ -0,0 +1 @@\n+evil",
    ];
    for message in hostile {
        let fixture = Fixture::new("");
        std::fs::write(fixture.root().join("message"), format!("Title\n\n{message}\n")).expect("writable");
        fixture.shell(
            "cd work && echo a > a && git add a && git commit -q -F ../message && git push -q origin main",
        );
        let opened = fixture.open();
        let mail =
            patches::of_commit(repository(&opened), id(&fixture, "main"), Form::Mail).expect("readable");
        std::fs::write(fixture.root().join("mail"), &mail).expect("writable");
        fixture.shell("git init -q again && cd again && git am -q ../mail");
        let made = fixture.shell("cd again && git log --format='%T %an %s'");
        let tree = fixture.git("rev-parse 'main^{tree}'");
        assert_eq!(String::from_utf8_lossy(&made), format!("{tree} Ada Lovelace Title\n"), "{message}");
    }
}

#[test]
fn patches_of_random_histories_are_those_of_git() {
    let mut numbers = Numbers(0xd1ff);
    let fixture = Fixture::new("");
    let work = fixture.root().join("work");
    let mut files: Vec<(String, Vec<String>)> = Vec::new();
    let mut name = 0;
    for commit in 0..40 {
        for _ in 0..1 + numbers.below(6) {
            let count = files.len() as u64;
            match numbers.below(6) {
                0 | 1 if count < 30 => {
                    name += 1;
                    let lines = (0..numbers.below(120)).map(|n| {
                        format!("{}word {n} {}", " ".repeat(numbers.below(9) as usize), numbers.below(50))
                    });
                    let lines = lines.collect();
                    files.push((format!("d{}/f{name}", numbers.below(4)), lines));
                }
                2 if count > 0 => drop(files.remove(numbers.below(count) as usize)),
                3 if count > 0 => {
                    name += 1;
                    let at = numbers.below(count) as usize;
                    let base = files[at].0.rsplit('/').next().expect("a name").to_owned();
                    let base = if numbers.below(2) == 0 { base } else { format!("f{name}") };
                    let moved = format!("d{}/{base}", 4 + numbers.below(4));
                    if files.iter().all(|(path, _)| *path != moved) {
                        files[at].0 = moved;
                    }
                }
                _ if count > 0 => {
                    let lines = &mut files[numbers.below(count) as usize].1;
                    for _ in 0..1 + numbers.below(12) {
                        let at = numbers.below(lines.len() as u64 + 1) as usize;
                        match numbers.below(3) {
                            0 if at < lines.len() => drop(lines.remove(at)),
                            1 if at < lines.len() => lines[at] = format!("changed {}", numbers.below(30)),
                            _ => lines.insert(at, format!("new {}", numbers.below(30))),
                        }
                    }
                }
                _ => {}
            }
        }
        fixture.shell("cd work && git rm -rq --ignore-unmatch . && rm -rf d*");
        for (path, lines) in &files {
            let path = work.join(path);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("writable");
            std::fs::write(path, lines.iter().map(|line| format!("{line}\n")).collect::<String>())
                .expect("writable");
        }
        fixture.shell(&format!("cd work && git add -A && git commit -q --allow-empty -m {commit}"));
    }
    fixture.shell("cd work && git push -q origin main");
    let opened = fixture.open();
    for revision in fixture.git("rev-list main").lines() {
        let found =
            patches::of_commit(repository(&opened), id(&fixture, revision), Form::Diff).expect("readable");
        assert_eq!(
            String::from_utf8_lossy(&found),
            String::from_utf8_lossy(&expected(&fixture, revision)),
            "{revision}"
        );
    }
}

/// What is sent of the latest commit; none: it is too large.
fn sent(fixture: &Fixture, form: Form) -> Option<Vec<u8>> {
    let opened = fixture.open();
    match patches::of_commit(repository(&opened), id(fixture, "main"), form) {
        Ok(bytes) => Some(bytes),
        Err(Failure::Repository(Error::TooLarge(_))) => None,
        Err(failure) => panic!("{failure:?}"),
    }
}

#[test]
fn a_file_past_the_limit_is_not_sent() {
    for (bytes, is_sent) in [(PATCH_FILE_BYTES_MAX, true), (PATCH_FILE_BYTES_MAX + 1, false)] {
        let fixture =
            Fixture::new(&format!("head -c {bytes} /dev/zero > large && git add . && git commit -qm Large"));
        assert_eq!(sent(&fixture, Form::Diff).is_some(), is_sent, "{bytes}");
    }
}

#[test]
fn only_so_much_is_read_for_one_request() {
    // Each commit reads a file of the largest size once, to remove it.
    let files = PATCH_READ_BYTES_MAX / PATCH_FILE_BYTES_MAX;
    for (count, is_sent) in [(files, true), (files + 1, false)] {
        let fixture = Fixture::new(&format!(
            "for i in $(seq {count}); do (head -c {} /dev/zero; echo $i) | tail -c {PATCH_FILE_BYTES_MAX} > $i; done
            git add . && git commit -qm Large
            for i in $(seq {count}); do git rm -q $i && git commit -qm $i; done",
            PATCH_FILE_BYTES_MAX
        ));
        let opened = fixture.open();
        let repository = repository(&opened);
        let tree = |revision: &str| id(&fixture, &format!("{revision}^{{tree}}"));
        let whole =
            patches::between(repository, None, tree(&format!("main~{count}")), &mut Budget::default());
        assert_eq!(whole.is_ok(), is_sent, "one patch of {count} files");
        let commits: Vec<_> = (0..count)
            .rev()
            .map(|back| repository.commit(&id(&fixture, &format!("main~{back}"))).expect("readable"))
            .collect();
        assert_eq!(patches::series(repository, &commits).is_ok(), is_sent, "{count} mails");
    }
}

#[test]
fn a_patch_is_sent_up_to_a_length() {
    // Seven files of the largest size, and one that makes up the length; the last is as long in digits.
    let sent_with = |last: usize| {
        let fixture = Fixture::new(&format!(
            "for i in 1 2 3 4 5 6 7; do {{ echo $i; head -c {} /dev/zero | tr '\\0' x; }} > f$i; done
            head -c {last} /dev/zero | tr '\\0' y > last && git add . && git commit -qm x",
            PATCH_FILE_BYTES_MAX - 2
        ));
        sent(&fixture, Form::Diff).map(|patch| patch.len())
    };
    let short = 1_000_000;
    let length = sent_with(short).expect("it is short enough");
    let last = short + PATCH_BYTES_MAX - length;
    assert_eq!(sent_with(last), Some(PATCH_BYTES_MAX));
    assert_eq!(sent_with(last + 1), None);
}
