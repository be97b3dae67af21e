//! What merges have that none of their parents has, against `git diff-tree --cc`.

mod kit;

use askama::Template;
use browse::commit::{self, Against};
use browse::diff::combined::{self, Combined};
use browse::diff::{Options, View, split_lines};
use browse::place::Failure;
use gix_hash::ObjectId;
use kit::{Fixture, Numbers, repository};
use lithe_code::diff::combined::{Line, PARENTS_MAX, hunks};
use lithe_code::repository::Repository;
use std::fmt::Write as _;

/// The files that Git lists, and what it writes of each from its first hunk on.
fn of_git(fixture: &Fixture, merge: &str) -> Vec<(String, String)> {
    let text = fixture.git(&format!("-c diff.algorithm=histogram diff-tree --cc -M --no-commit-id {merge}"));
    let mut files: Vec<(String, String)> = Vec::new();
    let mut is_in_hunk = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("diff --cc ") {
            files.push((name.to_owned(), String::new()));
            is_in_hunk = false;
        } else if let Some((_, hunks)) = files.last_mut() {
            is_in_hunk |= line.starts_with("@@@");
            if is_in_hunk {
                writeln!(hunks, "{line}").expect("a string takes it");
            }
        }
    }
    files
}

/// The same of the page's own comparison.
fn own(repository: Repository<'_>, merge: &ObjectId) -> Vec<(String, String)> {
    let commit = repository.commit(merge).expect("a merge");
    let tree = |id: &ObjectId| repository.commit(id).expect("a parent").tree_id;
    let trees: Vec<ObjectId> = commit.parent_ids.iter().map(tree).collect();
    let (files, is_cut) = combined::files(repository, &trees, commit.tree_id).expect("readable");
    assert!(!is_cut);
    files.iter().filter_map(|file| Some((file.path().to_string(), text(repository, file)?))).collect()
}

/// The hunks of a file as Git writes them; none if it does not write the file.
fn text(repository: Repository<'_>, file: &Combined) -> Option<String> {
    let mut text = String::new();
    let mode = |side: &Option<browse::diff::Side>| side.as_ref().map(|side| side.mode);
    let is_of_other_mode = file.before.iter().any(|before| mode(before) != mode(&file.after));
    let Some(after) = &file.after else { return Some(text) };
    let read = |id: &ObjectId| repository.blob(id, 1 << 20).expect("a blob").to_vec();
    let before: Vec<Vec<u8>> =
        file.before.iter().map(|side| side.as_ref().map(|side| read(&side.id)).unwrap_or_default()).collect();
    let parents: Vec<Vec<&[u8]>> = before.iter().map(|bytes| split_lines(bytes)).collect();
    let after = read(&after.id);
    let hunks = hunks(&parents, &split_lines(&after), Options::default()).expect("not too much");
    if hunks.is_empty() && !is_of_other_mode {
        return None;
    }
    for hunk in hunks {
        // Git leaves out the last letter.
        let function = hunk.function.split_last().map_or(&[][..], |(_, function)| function);
        let function = String::from_utf8_lossy(function);
        let space = if function.is_empty() { "" } else { " " };
        writeln!(text, "{}{space}{function}", hunk.header()).expect("a string takes it");
        for line in hunk.lines {
            let (meant, sign, line) = match line {
                Line::Kept { text, new_for, .. } => (new_for, '+', text),
                Line::Lost { text, by } => (by, '-', text),
            };
            let sign = |parent: usize| if meant & (1 << parent) != 0 { sign } else { ' ' };
            let signs: String = (0..parents.len()).map(sign).collect();
            writeln!(text, "{signs}{}", String::from_utf8_lossy(line)).expect("a string takes it");
        }
    }
    Some(text)
}

fn id(fixture: &Fixture, revision: &str) -> ObjectId {
    fixture.git(&format!("rev-parse '{revision}'")).parse().expect("an id")
}

/// Lines of which many are alike, so that there is more than one way to compare them.
fn changed(numbers: &mut Numbers, lines: &[String]) -> Vec<String> {
    let mut lines = lines.to_vec();
    for _ in 0..numbers.below(5) {
        let at = numbers.below(lines.len() as u64 + 1) as usize;
        let new = match numbers.below(4) {
            0 => format!("fn new_{}() {{\n", numbers.below(6)),
            1 => "}\n".to_owned(),
            _ => format!("    new {};\n", numbers.below(9)),
        };
        match numbers.below(3) {
            0 => lines.insert(at, new),
            1 if at < lines.len() => lines[at] = new,
            _ if at < lines.len() => {
                drop(lines.drain(at..lines.len().min(at + 1 + numbers.below(4) as usize)))
            }
            _ => {}
        }
    }
    lines
}

/// A stream of a merge of so many parents, each with some of the changes of the base, and resolved by hand.
fn push_merge(stream: &mut String, numbers: &mut Numbers, (case, parents): (usize, u64)) {
    let base: Vec<String> = (0..20 + numbers.below(30))
        .map(|line| match line % 7 {
            0 => format!("fn old_{line}() {{\n"),
            6 => "}\n".to_owned(),
            _ => format!("    line {line};\n"),
        })
        .collect();
    let commit = |stream: &mut String, branch: &str, heads: &[String], files: &[(&str, String)]| {
        *stream += &format!(
            "reset refs/heads/{branch}\ncommit refs/heads/{branch}\ncommitter A <a@b> 1 +0000\ndata 1\nx\n"
        );
        for (number, head) in heads.iter().enumerate() {
            *stream += &format!("{} refs/heads/{head}\n", if number == 0 { "from" } else { "merge" });
        }
        *stream += "deleteall\n";
        for (name, contents) in files {
            *stream += &format!("M 644 inline {name}\ndata {}\n{contents}\n", contents.len());
        }
    };
    let mut sides = Vec::new();
    let mut heads = Vec::new();
    for parent in 0..parents {
        let side = changed(numbers, &base);
        let head = format!("c{case}p{parent}");
        // Some call it otherwise, and some do not have it.
        let name = if numbers.below(8) == 0 { "renamed" } else { "file" };
        let mut files = vec![("other", format!("{parent}\n")), (name, side.concat())];
        if numbers.below(9) == 0 {
            files.pop();
        }
        commit(stream, &head, &[], &files);
        heads.push(head);
        sides.push(side);
    }
    // The result is a side, or lines of some of them, or new.
    let taken = &sides[numbers.below(parents) as usize];
    let other = &sides[numbers.below(parents) as usize];
    let half = numbers.below(taken.len().min(other.len()) as u64 + 1) as usize;
    let mixed = [&taken[..half], &other[half..]].concat();
    let result = match numbers.below(4) {
        0 => taken.clone(),
        1 => mixed,
        _ => changed(numbers, &mixed),
    };
    let mut text = result.concat();
    if numbers.below(5) == 0 {
        text.truncate(text.trim_end().len());
    }
    commit(stream, &format!("c{case}"), &heads, &[("other", "merged\n".to_owned()), ("file", text)]);
}

#[test]
fn what_merges_decided_is_what_git_says() {
    const CASES: usize = 150;
    let mut numbers = Numbers(0x5eed_0f_c0de);
    let mut stream = String::new();
    for case in 0..CASES {
        let parents = if case % 3 == 0 { 3 + numbers.below(5) } else { 2 };
        push_merge(&mut stream, &mut numbers, (case, parents));
    }
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet --force < stream");
    let opened = fixture.open();
    let mut shown = 0;
    for case in 0..CASES {
        let merge = format!("c{case}");
        let (found, expected) = (own(repository(&opened), &id(&fixture, &merge)), of_git(&fixture, &merge));
        assert_eq!(found, expected, "{merge}");
        shown += found.len();
    }
    assert!(shown > CASES, "there is something to see: {shown}");
}

/// A merge of two branches with a conflict that was resolved by hand, and a file taken from each.
fn conflict() -> Fixture {
    Fixture::new(
        r#"seq 1 30 > f && echo a > g && echo b > h && printf 'x\0' > binary && git add . && git commit -qm Base
        git checkout -q -b side && sed -i 's/^15$/fifteen <side>/; s/^2$/two/' f && echo side > h && printf 'y\0' > binary && git commit -qam Side
        git checkout -q main && sed -i 's/^15$/fifteen here/; s/^29$/29!/' f && echo main > g && printf 'z\0' > binary && git commit -qam Main
        git merge -q side || true
        sed -i '/^<<<<<<<\|^=======\|^>>>>>>>/d; s/^fifteen here$/both of them/; /fifteen/d' f && printf 'm\0' > binary && git add . && git commit -qm 'Merge side'"#,
    )
}

fn page(fixture: &Fixture, revision: &str, against: Against) -> Result<String, Failure> {
    let opened = fixture.open();
    let page =
        commit::page(&fixture.place(), repository(&opened), id(fixture, revision), against, View::default());
    page.map(|page| page.render().expect("the template takes its page"))
}

#[test]
fn a_merge_shows_how_a_conflict_was_resolved() {
    let fixture = conflict();
    let first = page(&fixture, "main", Against::FIRST).expect("a page");
    assert!(first.contains("<a href=\"?combined=1\" rel=\"nofollow\">Compare with all parents at once</a>"));
    let html = page(&fixture, "main", Against::All).expect("a page");
    assert!(html.contains("2 files differ from all parents") && html.contains("Binary file."), "{html}");
    for part in [
        "@@@ -12,7 -12,7 +12,7 @@@",
        "<tr class=\"diff-delete\"><td class=\"line-number\"></td><td class=\"diff-sign\">- </td><td class=\"line-code\">fifteen here</td></tr>",
        "<td class=\"diff-sign\"> -</td><td class=\"line-code\">fifteen &lt;side&gt;</td>",
        "<tr class=\"diff-insert\"><td class=\"line-number\" id=\"d2-R15\"><a href=\"#d2-R15\">15</a></td><td class=\"diff-sign\">++</td><td class=\"line-code\">both of them</td></tr>",
        "<a class=\"diff-more\" href=\"?combined=1&amp;file=2&amp;context=10#file-2\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    // What was taken from one side is no decision.
    for part in [">two<", "29!", "\"?combined=1&#38;view=split"] {
        assert!(!html.contains(part), "{part}: {html}");
    }
    let query = |text: &str| Against::of(&lithe_web::Fields::parse(text.as_bytes()).expect("a query"));
    assert_eq!(
        ["", "parent=2", "parent=0", "combined=1", "combined=1&parent=2"].map(query),
        [Against::Parent(1), Against::Parent(2), Against::Parent(1), Against::All, Against::All]
    );
}

#[test]
fn so_many_parents_are_compared_at_once() {
    let merge_of = |parents: usize| {
        let heads: String =
            (0..parents).map(|head| format!(" -p $(echo {head} | git commit-tree $tree)")).collect();
        Fixture::new(&format!(
            "echo x > f && git add . && tree=$(git write-tree)
            echo y > f && git add . && git reset -q --soft $(git commit-tree -m x{heads} $(git write-tree))"
        ))
    };
    let (most, more) = (merge_of(PARENTS_MAX), merge_of(PARENTS_MAX + 1));
    assert!(page(&most, "main", Against::All).expect("a page").contains(&"+".repeat(PARENTS_MAX)));
    assert_eq!(page(&more, "main", Against::All), Err(Failure::NotFound));
    assert!(!page(&more, "main", Against::FIRST).expect("a page").contains("combined=1"));
    // What is no merge has no other parents.
    let alone = Fixture::new("git commit -q --allow-empty -m x");
    assert_eq!(page(&alone, "main", Against::All), Err(Failure::NotFound));
}

#[test]
fn what_is_lost_in_great_amounts_is_not_brought_together() {
    let many =
        |letter: char, count: usize| (0..count).map(|line| format!("{letter}{line}\n")).collect::<Vec<_>>();
    let compared = |count: usize| {
        let sides = [many('a', count), many('b', count)];
        let parents: Vec<Vec<&[u8]>> =
            sides.iter().map(|side| side.iter().map(|line| line.as_bytes()).collect()).collect();
        hunks(&parents, &[b"x\n"], Options::default()).is_some()
    };
    assert_eq!([2_000, 2_001].map(compared), [true, false]);
}
