//! Changes as pages show them, in each way there is to look at them.

mod kit;

use askama::Template as _;
use browse::commit;
use browse::diff::View;
use browse::limits::MARKED_BYTES_MAX;
use browse::place::Failure;
use kit::{Fixture, repository};
use lithe_web::Fields;

/// The page of the latest commit, looked at in the way that a query asks for.
fn page(fixture: &Fixture, query: &str) -> String {
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
        "printf 'fn f() {\\n    let a = 1;\\n}\\n' > f",
        "printf 'fn f() {\\n    let b = 1;\\n}\\n' > f",
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
