//! The page of branches and tags: what tags say of themselves, and finding some of many.

mod kit;

use askama::Template as _;
use browse::limits::{BRANCH_COMMITS_MAX, BRANCHES_SORTED_MAX, TAG_MESSAGE_BYTES_MAX};
use browse::refs::{self, Offsets, Order};
use browse::signature::SignatureView;
use kit::{Fixture, repository};
use lithe_web::{Fields, Text};

fn page(fixture: &Fixture, words: &str) -> String {
    let opened = fixture.open();
    let page = refs::page(&fixture.place(), repository(&opened), words, Offsets::default());
    page.expect("readable").render().expect("the template takes its page")
}

#[test]
fn tags_say_what_was_written_in_them() {
    let fixture = Fixture::new(
        r#"git commit -q --allow-empty -m 'A commit' && git tag light
        git -c user.name='Grace <b>' tag -a -m 'Version <1>' -m 'What is new: <script>' v1 && git tag -a -m Short v2"#,
    );
    let html = page(&fixture, "");
    assert_eq!(fixture.git("tag -n1 -l v1"), "v1              Version <1>");
    for shown in ["Version &#60;1&#62;", "What is new: &lt;script&gt;", "Short", "A commit"] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    // A tag of one line has no more to say.
    assert_eq!(html.matches("<details class=\"tag-note\">").count(), 1);
}

#[test]
fn a_tags_message_is_shown_up_to_a_length() {
    for (len, count) in [
        (TAG_MESSAGE_BYTES_MAX - 2, TAG_MESSAGE_BYTES_MAX - 2),
        (2 * TAG_MESSAGE_BYTES_MAX, TAG_MESSAGE_BYTES_MAX - 2),
    ] {
        let fixture = Fixture::new("git commit -q --allow-empty -m x");
        fixture.shell(&format!(
            "(echo T; echo; head -c {len} /dev/zero | tr '\\0' '#') > message
            git -C team/demo.git tag -a --cleanup=verbatim -F $PWD/message v1 main"
        ));
        let html = page(&fixture, "");
        let shown = html.matches('#').count() - page(&fixture, "main").matches('#').count();
        assert!((count - 2..=count).contains(&shown), "{len}: {shown}");
    }
}

#[test]
fn signed_tags_are_judged_at_once_and_their_signatures_not_shown_as_text() {
    let fixture = Fixture::new("git commit -q --allow-empty -m x && git tag -a -m plain v0");
    for name in ["v1", "v2"] {
        fixture.shell(&format!(
            r#"cd team/demo.git && (git cat-file tag v0 | sed s/v0/{name}/ && printf -- '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n') > ../tag
            git update-ref refs/tags/{name} $(git hash-object -t tag -w ../tag)"#
        ));
    }
    let opened = fixture.open();
    let page = refs::page(&fixture.place(), repository(&opened), "", Offsets::default()).expect("readable");
    let page = page.with_signatures(|signed| {
        assert_eq!(signed.len(), 2);
        vec![
            SignatureView {
                badge: Text::verbatim("Judged"),
                class: "badge-good",
                words: Text::verbatim("By somebody.")
            };
            2
        ]
    });
    let html = page.render().expect("the template takes its page");
    assert_eq!(html.matches(">Judged</span>").count(), 2);
    assert_eq!(html.matches("By somebody.").count(), 2);
    assert!(!html.contains("SSH SIGNATURE"));
}

#[test]
fn branches_come_by_name_or_by_their_last_change() {
    let at = |name: &str, day: u32| {
        format!(
            "git checkout -q -b {name} main~0 && GIT_COMMITTER_DATE='2025-01-{day:02} 12:00 +0000' git commit -q --allow-empty -m x"
        )
    };
    let script = [at("a", 3), at("b", 9), at("c", 6)].join("\n");
    let fixture = Fixture::new(&format!("git commit -q --allow-empty -m x\n{script}"));
    let opened = fixture.open();
    let names = |order: &str| {
        let order = Order::of(&Fields::parse(order.as_bytes()).expect("a query"));
        let page =
            refs::page(&fixture.place(), repository(&opened), "", Offsets { order, ..Offsets::default() });
        let html = page.expect("readable").render().expect("the template takes its page");
        let other = html.contains("?sort=changed&#38;branches=0");
        let names = html.split("class=\"name\"><a href=\"/team/demo/-/tree/").skip(1);
        (names.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect::<Vec<_>>(), other)
    };
    // The default branch comes first.
    assert_eq!(names(""), (["main", "a", "b", "c"].map(str::to_owned).to_vec(), true));
    assert_eq!(names("sort=changed"), (["main", "b", "c", "a"].map(str::to_owned).to_vec(), false));
}

#[test]
fn only_so_many_branches_are_put_in_order_of_their_changes() {
    for (count, is_offered) in [(BRANCHES_SORTED_MAX, true), (BRANCHES_SORTED_MAX + 1, false)] {
        let fixture = Fixture::with_commits("sha1", 1);
        let refs: String =
            (1..count).map(|n| format!("create refs/heads/b{n:05} refs/heads/main\n")).collect();
        std::fs::write(fixture.root().join("refs"), refs).expect("the directory is writable");
        fixture
            .shell("git -C team/demo.git update-ref --stdin < refs && git -C team/demo.git pack-refs --all");
        assert_eq!(page(&fixture, "").contains("By last change"), is_offered, "{count}");
    }
}

#[test]
fn branches_too_far_from_the_default_one_to_be_counted_say_so() {
    for (count, is_far) in [(BRANCH_COMMITS_MAX - 10, false), (BRANCH_COMMITS_MAX + 10, true)] {
        let fixture = Fixture::new("");
        let commit = "committer A <a@b> 1750000000 +0000\ndata 1\nx\n";
        let mut stream = format!("commit refs/heads/old\n{commit}");
        stream += &format!("commit refs/heads/main\n{commit}from refs/heads/old\n");
        stream += &format!("commit refs/heads/main\n{commit}").repeat(count);
        std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
        fixture.shell("git -C team/demo.git fast-import --quiet < stream");
        let html = page(&fixture, "");
        assert_eq!(html.matches("title=\"Too far from the default branch").count(), usize::from(is_far));
        assert_eq!(html.contains("merged, "), !is_far, "{html}");
    }
}

#[test]
fn some_of_many_are_found_by_their_names() {
    let fixture = Fixture::new(
        "git commit -q --allow-empty -m x && for name in Fix/a fix/b other; do git branch $name; git tag t-$name; done",
    );
    let html = page(&fixture, "FIX/");
    assert!(
        html.contains("<h2 id=\"branches\">2 branches</h2>") && html.contains("<h2 id=\"tags\">2 tags</h2>")
    );
    assert!(!html.contains("/-/tree/other") && html.contains("value=\"FIX/\""));
    let none = page(&fixture, "<refs/heads>");
    assert!(
        none.contains("<h2 id=\"branches\">0 branches</h2>")
            && none.contains("value=\"&#60;refs/heads&#62;\"")
    );
}
