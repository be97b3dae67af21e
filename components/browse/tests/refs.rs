//! The page of branches and tags: what tags say of themselves, and finding some of many.

mod kit;

use askama::Template as _;
use browse::limits::TAG_MESSAGE_BYTES_MAX;
use browse::refs::{self, Offsets};
use browse::signature::SignatureView;
use kit::{Fixture, repository};
use lithe_web::Text;

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
