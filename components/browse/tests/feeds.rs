//! Feeds of repositories made by the real `git`.

mod kit;

use browse::feed::{self, Form};
use kit::{Fixture, repository};

const HISTORY: &str = "
echo one > one && git add . && git commit -qm 'First <b> & more'
git commit -q --allow-empty -m 'Second' -m 'With a body ]]> </content>'
git tag light HEAD~1 && git tag -am 'Version one' v1 && git tag -am 'tree' of-tree HEAD^{tree}";

fn text(fixture: &Fixture, name: &str, form: Form) -> Option<String> {
    let opened = fixture.open();
    let feed = feed::feed(&fixture.place(), repository(&opened), name.into(), form).ok()?;
    Some(feed.render(form).expect("the template takes its feed"))
}

#[test]
fn a_feed_has_the_latest_commits_first() {
    let fixture = Fixture::new(HISTORY);
    let text = text(&fixture, "main", Form::Atom).expect("a feed");
    let second = text.find("<title>Second</title>").expect("the second");
    let first = text.find("<title>First &#60;b&#62; &#38; more</title>").expect("the first");
    assert!(second < first, "{text}");
    assert!(text.contains("<updated>2025-06-15T15:06:40Z</updated>"), "{text}");
    assert!(text.contains("<link rel=\"self\" type=\"application/atom+xml\" href=\"http://localhost:8000/team/demo/-/feed/main.atom\"/>"));
}

#[test]
fn a_feed_of_tags_has_those_of_commits() {
    let fixture = Fixture::new(HISTORY);
    let text = text(&fixture, "tags", Form::Rss).expect("a feed");
    assert!(text.contains("<title>v1</title>") && text.contains("<title>light</title>"), "{text}");
    assert!(text.contains("<description>Version one</description>"), "{text}");
    assert!(!text.contains("of-tree"), "{text}");
}

#[test]
fn an_empty_repository_has_no_feed_of_commits() {
    let fixture = Fixture::new("");
    assert!(text(&fixture, "HEAD", Form::Atom).is_none());
    assert!(text(&fixture, "tags", Form::Atom).is_some());
}
