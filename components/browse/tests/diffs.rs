//! Changes against those that `git diff` finds.

mod kit;

use browse::diff::{self, Line, Origins};
use browse::limits::*;
use gix_hash::ObjectId;
use kit::{Fixture, Numbers, repository};
use std::fmt::Write as _;

fn id(fixture: &Fixture, revision: &str) -> ObjectId {
    ObjectId::from_hex(fixture.git(&format!("rev-parse '{revision}'")).as_bytes()).expect("an id")
}

/// The hunks as a patch, in the form of `git diff` without its heads.
fn patch(before: &[u8], after: &[u8]) -> String {
    let (before, after) = (diff::split_lines(before), diff::split_lines(after));
    let mut patch = String::new();
    for hunk in diff::files(&before, &after, diff::Options::default()).hunks {
        writeln!(patch, "{}", hunk.header()).expect("a string takes it");
        for line in hunk.lines {
            let (sign, text) = match line {
                Line::Context { before: index, .. } => (' ', before[index as usize]),
                Line::Removed { before: index } => ('-', before[index as usize]),
                Line::Added { after: index } => ('+', after[index as usize]),
            };
            write!(patch, "{sign}{}", String::from_utf8_lossy(text)).expect("a string takes it");
            if !text.ends_with(b"\n") {
                patch.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    patch
}

#[test]
fn git_applies_the_hunks_as_a_patch() {
    let mut numbers = Numbers(0x5eed);
    let mut pairs = Vec::new();
    for case in 0..60_u64 {
        let mut lines: Vec<String> = (0..numbers.below(80))
            .map(|_| format!("{}line {}", " ".repeat(case as usize % 3), numbers.below(30)))
            .collect();
        let before = lines.join("\n");
        for _ in 0..numbers.below(12) {
            let at = numbers.below(lines.len() as u64 + 1) as usize;
            match numbers.below(3) {
                0 if at < lines.len() => drop(lines.remove(at)),
                1 if at < lines.len() => lines[at] = format!("changed {}", numbers.below(30)),
                _ => lines.insert(at, format!("new {}", numbers.below(30))),
            }
        }
        let end = if case % 2 == 0 { "\n" } else { "" };
        pairs.push((before, lines.join("\n") + end));
    }
    let fixture = Fixture::new("");
    for (index, (before, after)) in pairs.iter().enumerate() {
        let patch = patch(before.as_bytes(), after.as_bytes());
        if before == after {
            assert_eq!(patch, "");
            continue;
        }
        let file = fixture.root().join(index.to_string());
        std::fs::write(&file, before).expect("the directory is writable");
        let head = format!("--- a/{index}\n+++ b/{index}\n");
        std::fs::write(fixture.root().join("patch"), head + &patch).expect("the directory is writable");
        if !before.is_empty() && !after.is_empty() {
            fixture.shell("git apply --unidiff-zero --whitespace=nowarn patch");
            assert_eq!(&std::fs::read_to_string(&file).expect("it was written"), after, "{patch}");
        }
    }
}

#[test]
fn hunks_are_those_of_git() {
    let numbered = |range: std::ops::Range<u32>| range.map(|n| format!("line {n}\n")).collect::<String>();
    let base = numbered(0..40);
    let cases = [
        (base.clone(), base.replace("line 20\n", "changed\n")),
        (base.clone(), base.replace("line 0\n", "").replace("line 39\n", "")),
        // Six lines between two changes are shared, seven are not.
        (base.clone(), base.replace("line 10\n", "x\n").replace("line 17\n", "y\n")),
        (base.clone(), base.replace("line 10\n", "x\n").replace("line 18\n", "y\n")),
        (base.clone(), format!("first\n{base}last\n")),
        (base.clone(), base.trim_end().to_owned()),
        (String::new(), base.clone()),
        (base.clone(), String::new()),
        ("a\n".to_owned(), "b\n".to_owned()),
        (
            "fn a() {\n    one();\n}\n\nfn c() {\n    three();\n}\n".to_owned(),
            "fn a() {\n    one();\n}\n\nfn b() {\n    two();\n}\n\nfn c() {\n    three();\n}\n".to_owned(),
        ),
    ];
    let fixture = Fixture::new("");
    for (before, after) in cases {
        std::fs::write(fixture.root().join("a"), &before).expect("the directory is writable");
        std::fs::write(fixture.root().join("b"), &after).expect("the directory is writable");
        let output = fixture.shell("git diff --no-index --histogram a b || true");
        let output = String::from_utf8(output).expect("text");
        let mut expected = String::new();
        for line in output.lines().skip_while(|line| !line.starts_with("@@")) {
            // What follows the second `@@` is the function that Git finds; it is left out.
            let end =
                line.strip_prefix("@@").and_then(|rest| rest.find("@@")).map_or(line.len(), |end| end + 4);
            let line = if line.starts_with("@@") { &line[..end] } else { line };
            writeln!(expected, "{line}").expect("a string takes it");
        }
        assert_eq!(patch(before.as_bytes(), after.as_bytes()), expected);
    }
}

#[test]
fn changed_files_are_those_of_git() {
    let fixture = Fixture::new(
        r#"mkdir -p a/b c && for f in a/b/1 a/b/2 a/3 c/4 5 6 x.y; do echo $f > $f; done && ln -s 5 link
        git add . && git commit -qm First
        git mv a/b/1 c/renamed && git mv 6 a/6 && rm c/4 && mkdir c/4 && echo in > c/4/in && chmod +x 5
        echo changed >> a/3 && echo 5 > new && rm link && echo file > link && mkdir x && echo z > x/z
        git add -A && git commit -qm Second
        git update-index --add --cacheinfo 160000,0123456789012345678901234567890123456789,sub && git commit -qm Third"#,
    );
    for (before, after) in [("main~2", "main~1"), ("main~1", "main"), ("main~2", "main"), ("main", "main~2")]
    {
        let opened = fixture.open();
        let trees = [before, after].map(|revision| id(&fixture, &format!("{revision}^{{tree}}")));
        let changes = diff::trees(repository(&opened), Some(trees[0]), trees[1], Origins::Deleted)
            .expect("it can be read");
        let mut found: Vec<String> = Vec::new();
        for change in &changes.files {
            let line = match (&change.before, &change.after) {
                (Some(old), Some(new)) if old.name != new.name => format!("R100\t{}\t{}", old.name, new.name),
                (Some(_), Some(new)) => format!("M\t{}", new.name),
                (Some(old), None) => format!("D\t{}", old.name),
                (None, Some(new)) => format!("A\t{}", new.name),
                (None, None) => panic!("one side is there"),
            };
            found.push(line);
        }
        let output = fixture.git(&format!("diff --name-status -M100% {before} {after}"));
        let mut expected: Vec<String> =
            output.lines().map(|line| line.replacen('T', "M", usize::from(line.starts_with('T')))).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{before} {after}");
        assert!(!changes.is_cut);
    }
}

/// Some lines, told apart by their numbers.
fn lines_of(numbers: &mut Numbers, count: u64) -> Vec<String> {
    (0..count).map(|_| format!("line {} of some length\n", numbers.below(100_000))).collect()
}

/// Appends a commit with these files to a stream for `git fast-import`.
fn push_commit(stream: &mut String, branch: &str, files: &[(String, Vec<String>)]) {
    *stream += &format!("commit refs/heads/{branch}\ncommitter A <a@b> 1 +0000\ndata 1\nx\ndeleteall\n");
    for (name, lines) in files {
        let contents = lines.concat();
        *stream += &format!("M 644 inline {name}\ndata {}\n{contents}\n", contents.len());
    }
}

#[test]
fn renamed_and_copied_files_are_those_of_git() {
    const CASES: usize = 40;
    let mut numbers = Numbers(0xc0de);
    let mut stream = String::new();
    for case in 0..CASES {
        let before: Vec<(String, Vec<String>)> =
            (0..6).map(|file| (format!("d{}/f{file}", file % 2), lines_of(&mut numbers, 12))).collect();
        let mut after = Vec::new();
        for (name, lines) in &before {
            match numbers.below(3) {
                0 => {}
                1 => after.push((name.clone(), lines.clone())),
                _ => after.push((name.clone(), [&lines[..], &["changed\n".to_owned()]].concat())),
            }
        }
        for file in 0..numbers.below(7) {
            let (name, lines) = &before[numbers.below(6) as usize];
            let mut lines = lines.clone();
            // From the same to hardly alike.
            for _ in 0..numbers.below(9) {
                let at = numbers.below(lines.len() as u64) as usize;
                lines[at] = format!("other {}\n", numbers.below(100_000));
            }
            let base = name.split_once('/').expect("it is in a directory").1;
            let name = if numbers.below(3) == 0 { format!("e{file}/{base}") } else { format!("new{file}") };
            after.push((name, lines));
        }
        push_commit(&mut stream, &format!("before{case}"), &before);
        push_commit(&mut stream, &format!("after{case}"), &after);
    }
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet < stream");
    let opened = fixture.open();
    let mut copies = 0;
    for case in 0..CASES {
        let [before, after] = ["before", "after"].map(|name| id(&fixture, &format!("{name}{case}^{{tree}}")));
        for (origins, option) in [(Origins::Deleted, "-M"), (Origins::Changed, "-C")] {
            let changes = diff::trees(repository(&opened), Some(before), after, origins).expect("readable");
            let line = |change: &diff::Change| match (&change.before, &change.after, change.similarity) {
                (Some(old), Some(new), Some(similarity)) => {
                    let kind = if change.is_copy { 'C' } else { 'R' };
                    format!("{kind}{similarity:03}\t{}\t{}", old.name, new.name)
                }
                (Some(_), Some(new), None) => format!("M\t{}", new.name),
                (Some(old), None, _) => format!("D\t{}", old.name),
                (None, new, _) => format!("A\t{}", new.as_ref().expect("one side is there").name),
            };
            let mut found: Vec<String> = changes.files.iter().map(line).collect();
            let output = fixture.git(&format!("diff --name-status {option} {before} {after}"));
            let mut expected: Vec<&str> = output.lines().collect();
            found.sort();
            expected.sort_unstable();
            assert_eq!(found, expected, "case {case}, {option}");
            copies += changes.files.iter().filter(|change| change.is_copy).count();
        }
    }
    assert!(copies > CASES, "there are copies to find: {copies}");
}

#[test]
fn so_many_pairs_of_files_are_compared() {
    for (sources, targets, is_found) in [(400, 250, true), (400, 251, false)] {
        assert_eq!(sources * targets <= RENAME_PAIRS_MAX, is_found);
        let mut numbers = Numbers(3);
        let old: Vec<(String, Vec<String>)> =
            (0..sources).map(|file| (format!("old{file}"), lines_of(&mut numbers, 4))).collect();
        let mut new: Vec<(String, Vec<String>)> =
            (0..targets).map(|file| (format!("new{file}"), lines_of(&mut numbers, 4))).collect();
        new[7].1 = [&old[9].1[..], &["more\n".to_owned()]].concat();
        assert_eq!(renamed(&[old, new]), is_found, "{targets}");
    }
}

/// Whether a file of the second commit is found to be one of the first that was changed.
fn renamed(commits: &[Vec<(String, Vec<String>)>; 2]) -> bool {
    let mut stream = String::new();
    push_commit(&mut stream, "before", &commits[0]);
    push_commit(&mut stream, "after", &commits[1]);
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet < stream");
    let [before, after] = ["before", "after"].map(|name| id(&fixture, &format!("{name}^{{tree}}")));
    let opened = fixture.open();
    let changes = diff::trees(repository(&opened), Some(before), after, Origins::Deleted).expect("readable");
    changes.files.iter().any(|change| change.has_origin())
}

#[test]
fn files_are_compared_up_to_a_size_to_find_renamed_ones() {
    // One file of so many bytes, renamed with another first line, of the same length.
    let file = |bytes: u64, first: char| {
        let line = format!("{}\n", "x".repeat(1_023));
        let mut lines = vec![line; (bytes / 1_024) as usize];
        lines.push("e".repeat((bytes % 1_024) as usize));
        lines[0].replace_range(..1, &first.to_string());
        lines
    };
    let one =
        |bytes: u64| [vec![("old".to_owned(), file(bytes, 'a'))], vec![("new".to_owned(), file(bytes, 'b'))]];
    assert!(renamed(&one(RENAME_FILE_BYTES_MAX)));
    assert!(!renamed(&one(RENAME_FILE_BYTES_MAX + 1)));
    // All that are left together.
    let all = |rest: u64| {
        let side = |name: &str, first: char| -> Vec<(String, Vec<String>)> {
            (0..4)
                .map(|file_number| (format!("{name}{file_number}"), file(RENAME_FILE_BYTES_MAX, first)))
                .collect()
        };
        let (mut old, new) = (side("old", 'a'), side("new", 'b'));
        if rest > 0 {
            old.push(("rest".to_owned(), file(rest, 'c')));
        }
        [old, new]
    };
    assert_eq!(8 * RENAME_FILE_BYTES_MAX, RENAME_BYTES_MAX);
    assert!(renamed(&all(0)));
    assert!(!renamed(&all(1)));
}

#[test]
fn a_list_of_files_is_cut_at_its_limit() {
    for (count, is_cut) in [(DIFF_FILES_MAX, false), (DIFF_FILES_MAX + 1, true)] {
        let fixture = Fixture::new(&format!(
            "for i in $(seq {count}); do echo $i > $i; done; git add .; git commit -qm x"
        ));
        let opened = fixture.open();
        let changes = diff::trees(repository(&opened), None, id(&fixture, "main^{tree}"), Origins::Deleted)
            .expect("it can be read");
        assert_eq!((changes.files.len(), changes.is_cut), (DIFF_FILES_MAX, is_cut));
    }
}

#[test]
fn what_lies_too_deep_is_not_left_out_in_silence() {
    // The last directory's name makes up the length.
    let long = |length: usize| {
        let above = "directory/".repeat(16) + &format!("{}/", "d".repeat(200)).repeat(19);
        let rest = length - above.len() - "/f".len();
        format!("{above}{}/f", "e".repeat(rest))
    };
    let nested = |segments: usize| format!("{}f", "d/".repeat(segments - 1));
    let cases = [
        (nested(PATH_SEGMENTS_MAX), false),
        (nested(PATH_SEGMENTS_MAX + 1), true),
        (long(PATH_BYTES_MAX), false),
        (long(PATH_BYTES_MAX + 2), true),
    ];
    for (path, is_cut) in cases {
        let fixture = Fixture::new("echo last > z && git add . && git commit -qm x");
        let stream = format!(
            "commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 1\nx\nfrom refs/heads/main^0\n\
             M 644 inline {path}\ndata 1\nx\nM 644 inline z\ndata 1\nx\n"
        );
        std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
        fixture.shell("git -C team/demo.git fast-import --quiet < stream");
        let opened = fixture.open();
        let before = id(&fixture, "main~1^{tree}");
        let changes =
            diff::trees(repository(&opened), Some(before), id(&fixture, "main^{tree}"), Origins::Deleted);
        let changes = changes.expect("it can be read");
        assert_eq!(changes.is_cut, is_cut, "{} bytes", path.len());
        assert_eq!(changes.files.len(), if is_cut { 1 } else { 2 }, "what is not too deep is listed");
    }
}

#[test]
fn only_so_much_is_compared_to_find_renamed_files() {
    // Each file has some 25,000 pieces, and those of its own tell which one it became.
    for (count, are_all_found) in [(28, true), (40, false)] {
        assert_eq!(count * count * 2 * 25_000 < RENAME_PIECES_MAX, are_all_found);
        let fixture = Fixture::new(&format!(
            "seq 100000 125000 > ../shared
            for i in $(seq {count}); do (seq -f $i-%g 200; cat ../shared) > before-$i; done
            git add . && git commit -qm Before
            for i in $(seq {count}); do git mv before-$i after-$i && echo more >> after-$i; done
            git add . && git commit -qm After"
        ));
        let opened = fixture.open();
        let before = id(&fixture, "main~1^{tree}");
        let changes =
            diff::trees(repository(&opened), Some(before), id(&fixture, "main^{tree}"), Origins::Deleted);
        let changes = changes.expect("it can be read");
        let renamed = changes.files.iter().filter(|change| change.has_origin()).count();
        assert_eq!(renamed == count, are_all_found, "{renamed} of {count}");
        assert_eq!(changes.files.len(), 2 * count - renamed, "the others were deleted and added");
    }
}
