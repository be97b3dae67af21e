//! Changes as pages show them, in each way there is to look at them.

mod kit;

use askama::Template as _;
use browse::commit;
use browse::diff::View;
use browse::limits::{DIFF_COLOURED_AT_ONCE_BYTES_MAX, DIFF_COLOURED_BYTES_MAX, MARKED_BYTES_MAX};
use browse::place::Failure;
use kit::{Fixture, repository};
use lithe_web::Fields;

/// The page of the latest commit, looked at in the way that a query asks for.
fn page(fixture: &Fixture, query: &str) -> String {
    browse::highlight::begin();
    let opened = fixture.open();
    let id = fixture.git("rev-parse main").parse().expect("an id");
    let view = View::of(&Fields::parse(query.as_bytes()).expect("a query"));
    let page = commit::page(&fixture.place(), repository(&opened), id, commit::Against::FIRST, view)
        .expect("a commit");
    page.render().expect("the template takes its page")
}

fn changed(before: &str, after: &str) -> Fixture {
    Fixture::new(&format!(
        "{before} && git add . && git commit -qm a\n{after} && git add -A && git commit -qm b"
    ))
}

#[test]
fn sides_stand_below_or_beside_each_other_with_their_words_marked() {
    let fixture = changed(
        "printf 'fn f() {\\n    let a = 1;\\n}\\n' > f.txt",
        "printf 'fn f() {\\n    let b = 1;\\n}\\n' > f.txt",
    );
    let unified = page(&fixture, "");
    assert!(unified.contains("    let <del>a</del> = 1;") && unified.contains("    let <ins>b</ins> = 1;"));
    assert_eq!(unified.matches("<tr class=\"diff-insert\">").count(), 1);
    assert!(unified.contains("?view=split"));
    let split = page(&fixture, "view=split");
    let row = "<td class=\"line-number diff-delete\" id=\"d1-L2\"><a href=\"#d1-L2\">2</a></td>\
        <td class=\"line-code diff-delete\">    let <del>a</del> = 1;</td>\
        <td class=\"line-number diff-insert\" id=\"d1-R2\"><a href=\"#d1-R2\">2</a></td><td class=\"line-code diff-insert\">    let <ins>b</ins> = 1;</td>";
    assert!(split.contains(row), "{split}");
}

#[test]
fn white_space_can_be_left_out() {
    let fixture = changed("printf 'a\\nb\\n' > f", "printf '  a\\nc\\n' > f");
    assert!(page(&fixture, "").contains("<span class=\"count-insert\">+2</span>"));
    assert!(page(&fixture, "w=1").contains("<span class=\"count-insert\">+1</span>"));
}

#[test]
fn more_lines_can_be_shown_around_a_change() {
    let fixture = changed("seq 1 100 > f", "sed -i 's/^50$/x/' f");
    for (query, lines, more) in [
        ("", 6, "\"?file=1&amp;context=10#file-1\""),
        ("context=10", 20, "\"?file=1&amp;context=25#file-1\""),
        ("context=11", 50, "\"?file=1&amp;context=1000#file-1\""),
        ("file=1&context=10", 20, "\"?file=1&amp;context=25#file-1\""),
        ("file=2&context=10", 6, "\"?file=1&amp;context=10#file-1\""),
        ("file=0&context=10", 20, "\"?file=1&amp;context=25#file-1\""),
        ("context=1000", 99, ""),
        ("context=1001", 99, ""),
    ] {
        let html = page(&fixture, query);
        assert_eq!(html.matches("<td class=\"diff-sign\"> </td>").count(), lines, "{query}");
        assert!(html.contains(more), "{query}");
        assert_eq!(html.contains("Show more lines"), !more.is_empty(), "{query}");
    }
}

#[test]
fn one_file_of_several_has_more_lines_and_its_part_of_the_page_is_the_same_alone() {
    let fixture = changed(
        "for f in a b c; do seq 1 100 > $f; done; printf 'a\\0' > d",
        "sed -i 's/^50$/x/' a b c; printf 'bc\\0' > d",
    );
    let context = |html: &str| html.matches("<td class=\"diff-sign\"> </td>").count();
    let html = page(&fixture, "file=2&context=10");
    let files: Vec<&str> = html.split("<details class=\"panel diff-file\"").skip(1).collect();
    assert_eq!(files.iter().map(|file| context(file)).collect::<Vec<_>>(), [6, 20, 6, 0]);
    // The others stay as they are in every link.
    assert!(html.contains("\"?view=split&#38;file=2&#38;context=10\""), "{html}");
    let part = |query: &str| {
        let opened = fixture.open();
        let id = fixture.git("rev-parse main").parse().expect("an id");
        let view = View::of(&Fields::parse(query.as_bytes()).expect("a query"));
        assert!(view.is_part, "{query}");
        commit::changes(&fixture.place(), repository(&opened), id, commit::Against::FIRST, view)
    };
    for (query, lines) in
        [("file=2&context=10&part=1", 20), ("file=2&part=1", 6), ("file=2&context=10&part=1&view=split", 0)]
    {
        let part = part(query).expect("a part");
        assert!(part.starts_with("<details class=\"panel diff-file\" id=\"file-2\" open>"), "{part}");
        assert_eq!(part.matches("<details").count(), 1);
        assert_eq!(context(&part), lines, "{query}");
        let whole = page(&fixture, &query.replace("&part=1", ""));
        assert!(whole.contains(part.trim_end()), "{query}: {part}\n{whole}");
    }
    assert_eq!(part("file=5&part=1"), Err(Failure::NotFound));
    // What is not compared has no lines, and says how large it is and was.
    assert!(part("file=4&part=1").expect("a part").contains("2 bytes → 3 bytes</span>"));
    assert!(!View::of(&Fields::parse(b"part=1").expect("a query")).is_part);
}

#[test]
fn every_line_has_an_address_on_either_side() {
    let fixture = changed("seq 1 9 > f", "sed -i '5d; 7s/7/x/' f");
    for query in ["", "view=split"] {
        let html = page(&fixture, query);
        for id in ["d1-L2", "d1-R2", "d1-L5", "d1-L7", "d1-R6", "d1-L9", "d1-R8"] {
            assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{query} {id}: {html}");
        }
        for (href, count) in [("d1-L2", 0), ("d1-R2", 1), ("d1-L5", 1), ("d1-L7", 1), ("d1-R6", 1)] {
            assert_eq!(html.matches(&format!("href=\"#{href}\"")).count(), count, "{query} {href}: {html}");
        }
    }
}

#[test]
fn many_files_are_listed_by_their_directories() {
    let files = |names: &str| {
        changed("echo 1 > x", &format!("mkdir -p s/a s/b && for f in {names}; do echo $f > $f; done"))
    };
    let html = page(&files("s/a/1 s/a/2 s/a/3 s/b/4 s/b/5 s/b/6"), "");
    assert!(html.contains("<a href=\"#file-2\">s/a/2</a>") && !html.contains("<details open>"), "{html}");
    let html = page(&files("s/a/1 s/a/2 s/a/3 s/b/4 s/b/5 s/b/6 y"), "");
    for part in [
        "<details open><summary><span class=\"mono\">s/</span> <span class=\"muted\">6 files</span></summary>",
        "<span class=\"mono\">b/</span> <span class=\"muted\">3 files</span>",
        "<a href=\"#file-4\">4</a> <span class=\"count-insert\">+1</span>",
        "<a href=\"#file-7\">y</a>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    // One file leads to the one before it and the one after it.
    for (file, links) in [(1, [false, true]), (4, [true, true]), (7, [true, false])] {
        let at = html.split(&format!("id=\"file-{file}\"")).nth(1).expect("the file");
        let at = at.split("</details>").next().expect("its part");
        let found = ["Previous file", "Next file"].map(|link| at.contains(link));
        assert_eq!(found, links, "{file}: {at}");
    }
}

#[test]
fn what_is_cut_can_be_shown_anyway() {
    let fixture = changed("seq 1 4000 > f", "seq 10001 14000 > f");
    let html = page(&fixture, "");
    assert!(html.contains("<a class=\"button\" href=\"?full=1\" rel=\"nofollow\">Show it anyway</a>"));
    let full = page(&fixture, "full=1");
    assert_eq!(full.matches("<tr class=\"diff-insert\">").count(), 4_000);
    assert!(!full.contains("Show it anyway"));
}

#[test]
fn images_are_shown_before_and_after() {
    let fixture = changed("printf 'a\\0' > i.png", "printf 'b\\0' > i.png");
    let html = page(&fixture, "");
    for revision in ["main~1", "main"] {
        let src =
            format!("<img src=\"/team/demo/-/raw/{}/i.png\"", fixture.git(&format!("rev-parse {revision}")));
        assert!(html.contains(&src), "{revision}");
    }
}

#[test]
fn a_renamed_file_says_how_much_of_it_is_the_same_and_a_hunk_names_its_function() {
    let fixture = changed("(echo 'fn f() {'; seq 1 40; echo '}') > f", "git mv f g && sed -i 's/^30$/x/' g");
    let html = page(&fixture, "");
    assert!(html.contains("f → g</h3>") && html.contains("% the same"), "{html}");
    assert!(html.contains("@@ -28,7 +28,7 @@ fn f() {"), "{html}");
}

#[test]
fn only_so_many_words_are_compared() {
    // Two lines of 512 bytes each, whose first letters differ.
    let pairs = MARKED_BYTES_MAX / 1024;
    let lines = |letter: &str, count: usize| {
        format!("yes {letter}\\ $(head -c 509 /dev/zero | tr '\\0' x) | head -n {count} > f")
    };
    for (count, marked) in [(pairs, pairs), (pairs + 1, pairs)] {
        let fixture = changed(&lines("a", count), &lines("b", count));
        assert_eq!(page(&fixture, "").matches("<ins>b</ins>").count(), marked, "{count}");
    }
}

/// The code of the changed lines of a page in the unified view, as `-` or `+` and HTML.
fn changed_lines(html: &str) -> Vec<String> {
    let rows = html.split("<tr class=\"diff-").skip(1);
    let code = |row: &str| {
        let (_, code) = row.split_once("<td class=\"line-code\">")?;
        let sign = match row {
            row if row.starts_with("delete") => '-',
            row if row.starts_with("insert") => '+',
            _ => return None,
        };
        Some(format!("{sign}{}", code.split_once("</td></tr>")?.0))
    };
    rows.filter_map(code).collect()
}

#[test]
fn each_side_has_the_colours_of_its_own_file() {
    let fixture = changed(
        "printf '/* a\\n */ int b;\\nint c;\\n' > f.c",
        // What was code is within the comment now.
        "printf '/* a\\n * int b;\\nint c;\\n*/' > f.c",
    );
    let comment = |text: &str| format!("<span class=\"hl-comment\">{text}</span>");
    let (int, end) = ("<span class=\"hl-keyword\">int</span>", "<span class=\"hl-punctuation\">;</span>");
    let html = page(&fixture, "");
    let mark = format!("<del>{}</del>", comment("/"));
    assert_eq!(
        changed_lines(&html),
        [
            format!("-{}{mark} {int} b{end}", comment(" *")),
            format!("+{}", comment(" * int b;")),
            format!("+{}<span class=\"muted\"> (no line end)</span>", comment("*/")),
        ]
    );
    // What is the same on both sides is what it is after the change.
    let same = format!("<td class=\"line-code \">{}</td>", comment("int c;"));
    assert!(html.contains(&same.replace("code \"", "code\"")), "{html}");
    assert_eq!(page(&fixture, "view=split").matches(&same).count(), 2);
    // One file's part of the page is coloured as the page is.
    let part = page(&fixture, "file=1&part=1&context=10");
    assert!(part.contains(&comment("int c;")), "{part}");
}

#[test]
fn colours_and_marks_of_words_stand_within_one_another() {
    let fixture = changed(
        "printf 'let a = \"x <b> z\";\\r\\nlet b = 1;\\r\\n' > f.rs",
        "printf 'let a = \"x <i> z\";\\r\\nlet b = 12;\\r\\n' > f.rs",
    );
    let text = |text: &str| format!("<span class=\"hl-string\">{text}</span>");
    let number = |text: &str| format!("<span class=\"hl-number\">{text}</span>");
    let start = |name: &str| {
        format!("<span class=\"hl-keyword\">let</span> {name} <span class=\"hl-operator\">=</span> ")
    };
    let end = "<span class=\"hl-punctuation\">;</span>";
    let lines = changed_lines(&page(&fixture, ""));
    let plain = |line: &String| line.replace(&start("a"), "A ").replace(&start("b"), "B ").replace(end, ";");
    assert_eq!(
        lines.iter().map(plain).collect::<Vec<_>>(),
        [
            format!("-A {}<del>{}</del>{};", text("&quot;x &lt;"), text("b"), text("&gt; z&quot;")),
            format!("-B <del>{}</del>;", number("1")),
            format!("+A {}<ins>{}</ins>{};", text("&quot;x &lt;"), text("i"), text("&gt; z&quot;")),
            format!("+B <ins>{}</ins>;", number("12")),
        ]
    );
}

#[test]
fn a_renamed_file_is_in_the_language_of_either_name() {
    let lines = "seq 1 20 | sed 's/.*/# line &/'";
    let fixture =
        changed(&format!("{lines} > f.py"), &format!("git rm -qf f.py; {lines} | sed '3s/$/ x/' > f.txt"));
    let lines = changed_lines(&page(&fixture, ""));
    assert_eq!(lines, ["-<span class=\"hl-comment\"># line 3</span>", "+# line 3<ins> x</ins>"]);
}

#[test]
fn only_so_much_is_coloured_at_once_and_more_where_that_is_asked_for() {
    let at_once = DIFF_COLOURED_AT_ONCE_BYTES_MAX;
    for (query, most) in [("", at_once), ("colours=1", DIFF_COLOURED_BYTES_MAX)] {
        // Lines of sixteen bytes; the last of both sides is shown, but nothing of the generated file is coloured.
        let count = most / 2 / 16;
        for (count, coloured) in [(count, 2), (count + 1, 0)] {
            let fixture = changed(
                &format!(
                    "yes 'let number = 11;' | cut -c1-15 | head -n {count} > f.rs && cp f.rs Cargo.lock"
                ),
                "sed -i '$ s/let/use/' f.rs Cargo.lock",
            );
            let html = page(&fixture, query);
            let lines = changed_lines(&html);
            assert_eq!(lines.len(), 4);
            let found = lines.iter().filter(|line| line.contains("hl-keyword")).count();
            assert_eq!(found, coloured, "{query} {count}");
            // A script asks for what is missing, once.
            let is_to_be_coloured = query.is_empty() && coloured == 0;
            assert_eq!(html.contains(" data-colours=\"?colours=1\""), is_to_be_coloured, "{query} {count}");
        }
    }
    // What is too much leaves the room to others.
    let fixture = changed(
        &format!("yes 'let a = 1;' | head -n {at_once} > a.rs && echo 'let a = 1;' > b.rs && cp a.rs c.txt"),
        "echo 'let b = 2;' | tee -a a.rs c.txt > b.rs",
    );
    let is_coloured = |query: &str| -> Vec<bool> {
        changed_lines(&page(&fixture, query)).iter().map(|line| line.contains("hl-keyword")).collect()
    };
    assert_eq!(is_coloured("w=1"), [false, true, true, false]);
    assert!(page(&fixture, "w=1").contains(" data-colours=\"?w=1&#38;colours=1\""));
    assert_eq!(is_coloured("colours=1"), [true, true, true, false]);
    assert!(!page(&fixture, "colours=1").contains("colours=1"));
    assert!(page(&fixture, "file=1&part=1&context=10").contains("hl-keyword"));
    // To colour Markdown takes long however little it is.
    let fixture = changed("echo '# One' > f.md", "echo '# Two' > f.md");
    assert!(!page(&fixture, "").contains("hl-") && page(&fixture, "").contains("data-colours"));
    assert_eq!(page(&fixture, "colours=1").matches("hl-heading").count(), 2);
    // Text is in no language, however long.
    let fixture = changed("seq 10000 > f.txt", "echo x >> f.txt");
    assert!(!page(&fixture, "").contains("data-colours"));
}
