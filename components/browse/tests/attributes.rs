//! What `.gitattributes` say of files, with `git check-attr` as the judge, and what pages make of it.

mod kit;

use askama::Template as _;
use browse::diff::View;
use browse::languages::{Languages, Tally};
use browse::patches::{self, Form};
use browse::place::Place;
use browse::{blame, blob, commit, tree};
use gix_hash::ObjectId;
use kit::{Fixture, repository};
use lithe_code::attributes::{State, TreeAttributes};
use lithe_code::blame::Whitespace;
use lithe_code::marks::{self, Diff, Marks};
use lithe_code::revision;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Attributes in files of several directories, by macros, with values, and taken back.
const SAID: &str = r#"
    mkdir -p a/b/c vendor/lib docs gen 'with space'
    cat > .gitattributes <<'END'
# A comment
[attr]ours linguist-vendored=false -linguist-generated
[attr]shown diff linguist-detectable
[attr]nested shown encoding=latin2
*.rs linguist-language=Rust
*.odd linguist-language=C++ linguist-detectable
gen/** linguist-generated
/gen/kept.c -linguist-generated
vendor/lib/*.c ours
docs/ linguist-documentation
docs/** linguist-documentation=true
*.bin binary
a/**/deep.txt nested
**/c/*.txt -diff
"with space/*.txt" diff=words
*.lock !linguist-generated
x.both diff -diff
y.both -diff diff
END
    printf '*.rs linguist-language=Python\n*.bin diff\n[attr]ours linguist-generated\nm.txt ours\n' > a/.gitattributes
    printf '*.rs !linguist-language\ndeep.txt -shown encoding=utf-8\n' > a/b/.gitattributes
    for file in main.rs a/x.rs a/b/y.rs a/b/c/z.rs one.odd gen/made.c gen/kept.c vendor/lib/l.c vendor/lib/l.h docs/d.c \
        top.bin a/in.bin a/b/deep.txt a/b/c/deep.txt a/m.txt 'with space/w.txt' Cargo.lock x.both y.both m.txt; do
        printf 'one\ntwo\n' > "$file"
    done
    git add -f . && git commit -qm Files
"#;

#[test]
fn each_attribute_of_each_file_is_what_git_says() {
    let fixture = Fixture::new(SAID);
    let listed = fixture.shell("cd work && git ls-files | git check-attr --stdin -z -a; git ls-files | tr '\\n' '\\0' | git check-attr --stdin -z linguist-language linguist-generated linguist-vendored linguist-documentation linguist-detectable diff binary encoding");
    let fields: Vec<&str> = std::str::from_utf8(&listed).expect("text").split('\0').collect();
    let opened = fixture.open();
    let tree_id: ObjectId = fixture.git("rev-parse main^{tree}").parse().expect("an id");
    let mut attributes =
        TreeAttributes::new(repository(&opened), &tree_id, &marks::ATTRIBUTES).expect("it can be read");
    let mut checked = 0;
    // Whichever comes first: directories are entered and left.
    let mut said: Vec<_> =
        fields.chunks_exact(3).filter(|said| marks::ATTRIBUTES.contains(&said[1])).collect();
    for _ in 0..2 {
        for said in &said {
            let expected = match said[2] {
                "unspecified" => State::Unspecified,
                "set" => State::Set,
                "unset" => State::Unset,
                value => State::Value(value.into()),
            };
            let states = attributes.of(said[0].into()).expect("it can be read");
            assert_eq!(states.get(said[1]), &expected, "{} {}", said[0], said[1]);
            checked += 1;
        }
        said.reverse();
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn files_are_of_a_language_and_made_by_somebody() {
    let fixture = Fixture::new(SAID);
    let opened = fixture.open();
    let tree_id: ObjectId = fixture.git("rev-parse main^{tree}").parse().expect("an id");
    let marks = |path: &str| Marks::of(repository(&opened), &tree_id, path.into()).expect("it can be read");
    let cases = [
        ("main.rs", Some("Rust"), true),
        ("a/x.rs", Some("Python"), true),
        ("a/b/y.rs", Some("Rust"), true),
        ("one.odd", Some("C++"), true),
        ("gen/made.c", Some("C"), false),
        ("gen/kept.c", Some("C"), true),
        ("vendor/lib/l.c", Some("C"), true),
        ("vendor/lib/l.h", Some("C"), false),
        ("docs/d.c", Some("C"), false),
        ("Cargo.lock", None, false),
        ("not/there.go", Some("Go"), true),
    ];
    for (path, language, is_counted) in cases {
        let marks = marks(path);
        assert_eq!(
            (marks.language.map(|language| language.name), marks.is_counted),
            (language, is_counted),
            "{path}"
        );
    }
    assert_eq!(marks("top.bin").diff, Diff::Binary);
    assert_eq!((marks("a/in.bin").diff, marks("with space/w.txt").diff), (Diff::Text, Diff::Detected));
    assert_eq!(marks("m.txt").encoding, None);
}

#[test]
fn the_bar_of_languages_counts_what_the_attributes_leave() {
    let fixture = Fixture::new(SAID);
    let opened = fixture.open();
    let tree_id: ObjectId = fixture.git("rev-parse main^{tree}").parse().expect("an id");
    let languages =
        Languages::find(&browse::cache::NoCache, repository(&opened), &tree_id).expect("it can be read");
    let parts: BTreeMap<_, _> =
        languages.parts.iter().map(|part| (part.name.to_string(), part.bytes)).collect();
    // Directories of others are not looked into.
    let expected = [("C", 8), ("C++", 8), ("Python", 8), ("Rust", 24)];
    assert_eq!(parts, BTreeMap::from(expected.map(|(name, bytes)| (name.to_owned(), bytes))));
}

/// The bytes of each language at a revision, counted from nothing.
fn counted(fixture: &Fixture, revision: &str) -> BTreeMap<String, u64> {
    tally(
        fixture,
        Tally::of_tree(&fixture.git(&format!("rev-parse {revision}^{{tree}}")).parse().expect("an id")),
    )
}

/// Goes on to the end, a directory at a time.
fn tally(fixture: &Fixture, mut tally: Tally) -> BTreeMap<String, u64> {
    let opened = fixture.open();
    while !tally.is_done() {
        tally.advance(repository(&opened), Instant::now()).expect("it can be read");
    }
    tally.bytes.retain(|_, bytes| *bytes > 0);
    tally.bytes
}

#[test]
fn what_differs_between_two_trees_leads_from_the_languages_of_one_to_those_of_the_other() {
    let fixture = Fixture::new(&format!(
        "{SAID}
        git rm -q a/.gitattributes && git mv main.rs moved.py && git commit -qam Two
        printf '*.rs -linguist-detectable\\n' > .gitattributes && echo more >> a/x.rs && git commit -qam Three
        git rm -rq a gen && echo x > a && git add a && git commit -qm Four"
    ));
    let revisions = ["main~3", "main~2", "main~1", "main"];
    for from in revisions {
        for to in revisions {
            let tree =
                |revision| fixture.git(&format!("rev-parse {revision}^{{tree}}")).parse().expect("an id");
            let between = Tally::between(counted(&fixture, from), Some(tree(from)), &tree(to));
            assert_eq!(tally(&fixture, between), counted(&fixture, to), "from {from} to {to}");
        }
    }
    let opened = fixture.open();
    let mut whole = Tally::of_tree(&fixture.git("rev-parse main^{tree}").parse().expect("an id"));
    whole.advance(repository(&opened), Instant::now() + Duration::from_secs(60)).expect("it can be read");
    assert!(whole.is_done() && !whole.is_cut);
}

fn json(place: &Place<'_>, fixture: &Fixture, path: &str) -> Value {
    let opened = fixture.open();
    let at =
        revision::resolve(repository(&opened), path.into()).expect("it can be read").expect("it is there");
    let page = blob::page(place, repository(&opened), &at, blob::Display::Best).ok().expect("a page");
    serde_json::to_value(&page).expect("JSON")
}

#[test]
fn a_file_is_shown_in_its_language_and_encoding() {
    let fixture = Fixture::new(
        r"printf '*.odd linguist-language=Rust linguist-generated\n*.l2 encoding=iso-8859-2\n' > .gitattributes
        printf 'fn main() {}\n' > a.odd && printf 'za\277\363\263\346\n' > b.l2 && mkdir vendor && echo x > vendor/c.txt
        git add -f . && git commit -qm Files",
    );
    let place = fixture.place();
    let odd = json(&place, &fixture, "main/a.odd");
    assert_eq!(odd["facts"], serde_json::json!(["1 line", "13 bytes", "Generated", "Rust"]));
    assert!(odd["content"]["value"][0].as_str().is_some_and(|line| line.contains("hl-keyword")), "{odd}");
    let latin = json(&place, &fixture, "main/b.l2");
    assert_eq!(latin["content"]["value"][0], "zażółć");
    assert_eq!(latin["facts"], serde_json::json!(["1 line", "7 bytes", "ISO-8859-2"]));
    assert_eq!(json(&place, &fixture, "main/vendor/c.txt")["facts"][2], "Vendored");
}

#[test]
fn lines_and_readme_files_are_shown_in_the_encoding_that_attributes_say() {
    let fixture = Fixture::new(
        r#"printf '*.l2 encoding=iso-8859-2\nREADME.md encoding=iso-8859-2\n*.wide encoding=utf-16le\n' > .gitattributes
        printf 'za\277\363\263\346\n' > b.l2 && printf '# za\277\363\263\346\n' > README.md
        text() { printf "$1" | iconv -f UTF-8 -t $2; }
        # U+0A0A has the byte of a line end twice.
        text 'one\n\340\250\212\nthree\n' UTF-16 > a.txt && text 'one\ntwo\n' UTF-16LE > a.wide
        git add . && git commit -qm First
        text 'one\n\340\250\212\nnew\nthree\n' UTF-16 > a.txt && text 'one\ntwo\nthree\n' UTF-16LE > a.wide
        git add . && git commit -qm Second
        # The same in another encoding is the same.
        text 'one\n\340\250\212\nnew\nthree\n' UTF-8 > a.txt && git add . && git commit -qm Third
        text '0\none\n\340\250\212\nnew\nthree\n' UTF-16 > a.txt && git add . && git commit -qm Fourth"#,
    );
    let opened = fixture.open();
    let place = fixture.place();
    let lines = |path: &str| {
        let at = revision::resolve(repository(&opened), path.into()).expect("readable").expect("there");
        let page = blame::page(&place, repository(&opened), &at, Whitespace::Counts, 0).expect("a page");
        let page = serde_json::to_value(&page).expect("JSON");
        let mut lines = Vec::new();
        for group in page["groups"].as_array().expect("groups") {
            let title = group["commit"]["title"].as_str().expect("a commit").to_owned();
            for line in group["lines"].as_array().expect("lines") {
                lines.push((title.clone(), line["line-html"].as_str().expect("HTML").to_owned()));
            }
        }
        lines
    };
    let expected = |lines: &[(&str, &str)]| -> Vec<(String, String)> {
        lines.iter().map(|(title, line)| ((*title).to_owned(), (*line).to_owned())).collect()
    };
    assert_eq!(lines("main/b.l2"), expected(&[("First", "zażółć")]));
    assert_eq!(
        lines("main/a.txt"),
        expected(&[
            ("Fourth", "0"),
            ("First", "one"),
            ("First", "\u{a0a}"),
            ("Second", "new"),
            ("First", "three")
        ])
    );
    assert_eq!(lines("main/a.wide"), expected(&[("First", "one"), ("First", "two"), ("Second", "three")]));
    let at = revision::resolve(repository(&opened), "main".into()).expect("readable").expect("there");
    let tree = tree::page(&place, repository(&opened), &at, 0).ok().expect("a page");
    assert!(tree.render().expect("it renders").contains("zażółć"));
}

#[test]
fn changes_are_folded_left_out_or_forced_as_attributes_say() {
    let fixture = Fixture::new(
        r"printf '*.gen linguist-generated\n*.no -diff\n*.bin binary\n*.nul diff\n*.l2 encoding=iso-8859-2\n' > .gitattributes
        for name in a.gen b.no c.bin d.txt Cargo.lock; do echo one > $name; done
        printf 'a\0b\n' > e.nul && printf '\277\n' > f.l2 && git add . && git commit -qm One
        for name in a.gen b.no c.bin d.txt Cargo.lock; do echo two > $name; done
        printf 'c\0d\n' > e.nul && printf '\263\n' > f.l2 && git commit -qam Two",
    );
    let opened = fixture.open();
    let id = fixture.git("rev-parse main");
    let place = fixture.place();
    let commit_id = id.parse().expect("an id");
    let page = commit::page(&place, repository(&opened), commit_id, commit::Against::FIRST, View::default())
        .expect("a commit");
    let html = page.render().expect("it renders");
    let file = |name: &str| {
        let start = html.find(&format!("<h3 class=\"mono\">{name}</h3>")).expect(name);
        let open = html[..start].rfind("<details").expect("its element");
        let end = html[start..].find("</details>").expect("its end") + start;
        html[open..end].to_owned()
    };
    for (name, is_open, has_lines) in [
        ("a.gen", false, true),
        ("Cargo.lock", false, true),
        ("b.no", true, false),
        ("c.bin", true, false),
        ("d.txt", true, true),
        ("e.nul", true, true),
        ("f.l2", true, true),
    ] {
        let file = file(name);
        assert_eq!(file.contains(" open>"), is_open, "{file}");
        assert_eq!(file.contains("diff-insert"), has_lines, "{file}");
    }
    assert!(file("f.l2").contains('ł') && file("b.no").contains(".gitattributes say"));
    // Git compares the lines of the same files.
    let compared = |patch: &str| {
        let names = patch.lines().filter_map(|line| line.strip_prefix("+++ b/"));
        names.map(|name| name.trim().to_owned()).collect::<Vec<_>>()
    };
    let made = patches::of_commit(repository(&opened), commit_id, Form::Diff).expect("readable");
    let git = fixture.shell("cd work && git diff --binary --full-index HEAD~ HEAD");
    let [git, ours] = [&git, &made].map(|patch| String::from_utf8_lossy(patch).into_owned());
    assert_eq!(compared(&ours), compared(&git));
    assert_eq!(compared(&ours), ["Cargo.lock", "a.gen", "d.txt", "e.nul", "f.l2"]);
    std::fs::write(fixture.root().join("patch"), &made).expect("the directory is writable");
    let tree = fixture.git("rev-parse main^{tree}");
    let applied =
        fixture.shell("cd work && git checkout -q HEAD~ && git apply --index ../patch && git write-tree");
    assert_eq!(String::from_utf8_lossy(&applied).trim(), tree);
}
