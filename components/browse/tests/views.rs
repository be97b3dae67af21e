//! Changes as pages show them, in each way there is to look at them.

mod kit;

use askama::Template as _;
use browse::commit;
use browse::diff::View;
use browse::limits::MARKED_BYTES_MAX;
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
    let row = "<td class=\"line-number diff-delete\">2</td><td class=\"line-code diff-delete\">    let <del>a</del> = 1;</td>\
        <td class=\"line-number diff-insert\">2</td><td class=\"line-code diff-insert\">    let <ins>b</ins> = 1;</td>";
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
        ("", 6, "context=10#file-1"),
        ("context=10", 20, "context=25#file-1"),
        ("context=11", 50, "context=1000#file-1"),
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
