//! Feeds of commits and tags, as programs read them.

use crate::kit::{Actor, Answer, Forge, basic};

const HISTORY: &str = r#"
git init -q -b main work && cd work && echo one > one && git add . && git commit -qm 'First <b> & "more"'
git commit -q --allow-empty -m "$(printf 'Second \001\033[31m\n\nBody ]]> </content>')" && git tag -am 'Version <1>' v1
git push -q "$ADMIN" main v1
"#;

/// Parses a feed; prints its titles.
const TITLES: &str = r#"python3 -c '
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
name = lambda element: element.tag.split("}")[-1]
for entry in root.iter():
    if name(entry) in ("entry", "item"):
        print(next(child.text for child in entry if name(child) == "title"))
'"#;

#[test]
fn feeds_tell_of_commits_and_tags() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(HISTORY);
    let commits = "Second \\u{1}\\u{1b}[31m\nFirst <b> & \"more\"";
    let cases = [
        ("main.atom", "application/atom+xml; charset=utf-8", commits),
        ("HEAD.atom", "application/atom+xml; charset=utf-8", commits),
        ("main.rss", "application/rss+xml; charset=utf-8", commits),
        ("v1.rss", "application/rss+xml; charset=utf-8", commits),
        ("main/one.atom", "application/atom+xml; charset=utf-8", "First <b> & \"more\""),
        ("tags.atom", "application/atom+xml; charset=utf-8", "v1"),
        ("tags.rss", "application/rss+xml; charset=utf-8", "v1"),
    ];
    for (address, content_type, titles) in cases {
        let answer = forge.get(Actor::Stranger, &format!("{path}/-/feed/{address}"));
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(content_type)), "{address}");
        std::fs::write(shell.path().join("feed"), &answer.body).expect("the directory is writable");
        assert_eq!(shell.run(&format!("{TITLES} feed")), titles, "{address}");
        let tag = answer.header("etag").expect("a tag").to_owned();
        let headers = [("if-none-match".to_owned(), tag)];
        let again = Answer::send("GET", &forge.url, &format!("{path}/-/feed/{address}"), &headers, None);
        assert_eq!((again.status, again.body.len()), (304, 0), "{address}");
    }
    for address in ["nothing.atom", "main", "main/nothing.atom", ".atom"] {
        assert_eq!(forge.get(Actor::Stranger, &format!("{path}/-/feed/{address}")).status, 404, "{address}");
    }
    let page = forge.get(Actor::Stranger, &path).text();
    for feed in ["HEAD.atom", "HEAD.rss", "tags.atom", "tags.rss"] {
        assert!(page.contains(&format!("href=\"/{path}/-/feed/{feed}\"")), "{feed}: {page}");
    }
    for (page, feed) in
        [("", "/-/feed/repositories"), ("team", "/team/-/feed/repositories"), ("-/activity", "/-/activity")]
    {
        let html = forge.get(Actor::Stranger, page).text();
        for form in ["atom", "rss"] {
            let announced = format!("<link rel=\"alternate\" type=\"application/{form}+xml\"");
            let link = format!("<a href=\"{feed}.{form}\" rel=\"nofollow\">");
            assert!(html.contains(&announced) && html.contains(&link), "{page} {form}: {html}");
            assert_eq!(forge.get(Actor::Stranger, &format!("{}.{form}", &feed[1..])).status, 200, "{feed}");
        }
    }
}

#[test]
fn a_private_feed_is_read_with_a_token() {
    let forge = Forge::shared();
    let path = forge.repository(&["--private"]);
    forge.shell(&path).run(HISTORY);
    let address = format!("{path}/-/feed/main.atom");
    assert_eq!(forge.get(Actor::Stranger, &address).status, 404);
    let (name, _) = Actor::Admin.login().expect("the admin signs in");
    let reply = forge.lithe(&["token", "create", name, "--json"]);
    let reply: serde_json::Value = serde_json::from_str(&reply).expect("JSON");
    let token = reply["secret"].as_str().expect("a secret");
    let headers = [("authorization".to_owned(), basic(name, token))];
    let answer = Answer::send("GET", &forge.url, &address, &headers, None);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn the_journal_tells_each_viewer_of_what_that_viewer_may_read() {
    let forge = Forge::start(&[]);
    let public = forge.repository(&[]);
    let private = forge.repository(&["--private"]);
    for path in [&public, &private] {
        forge.shell(path).run(HISTORY);
        forge.shell(path).run(
            "git clone -q \"$ADMIN\" again && cd again && git checkout -q -b 'side-\u{202e}<b>' && git commit -q --allow-empty -m 3 \
            && git push -q origin HEAD && git push -q origin --delete v1",
        );
    }
    let (name, _) = Actor::Admin.login().expect("the admin signs in");
    let reply = forge.lithe(&["token", "create", name, "--json"]);
    let reply: serde_json::Value = serde_json::from_str(&reply).expect("JSON");
    let token = reply["secret"].as_str().expect("a secret");
    let of_admin = [("authorization".to_owned(), basic(name, token))];
    let titles = |answer: &Answer| {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let shell = forge.shell(&public);
        std::fs::write(shell.path().join("feed"), &answer.body).expect("the directory is writable");
        shell.run(&format!("{TITLES} feed"))
    };
    let of = |path: &str| {
        format!(
            "{name} removed the tag v1 in {path}\n{name} made the branch side-\\u{{202e}}<b> in {path}\n\
             {name} pushed 2 branches and tags to {path}\noperator made the repository {path}"
        )
    };
    for form in ["atom", "rss"] {
        let address = format!("-/activity.{form}");
        let stranger = titles(&forge.get(Actor::Stranger, &address));
        assert_eq!(stranger, of(&public), "{form}");
        let admin = titles(&Answer::send("GET", &forge.url, &address, &of_admin, None));
        assert!(admin.contains(&private) && admin.contains(&public), "{admin}");
    }
    let page = forge.get(Actor::Stranger, "-/activity");
    let text = page.text();
    assert!(
        page.status == 200
            && text.contains("side-\\u{202e}&")
            && !text.contains("<b>")
            && !text.contains(&private),
        "{text}"
    );
    assert!(forge.get(Actor::Stranger, "").text().contains("href=\"/-/activity\""));
    let config = forge.data().join(format!("repos/{public}.git/config"));
    forge.shell(&public).run(&format!(
        "git config -f {} uploadpack.hideRefs 'refs/heads/side-\u{202e}<b>'",
        config.display()
    ));
    let hidden = forge.get(Actor::Stranger, "-/activity").text();
    assert!(hidden.contains("removed the tag") && !hidden.contains("side-"), "{hidden}");
    // What nobody may read any more is told to nobody any more.
    forge.lithe(&["repo", "delete", &public]);
    let gone = forge.get(Actor::Stranger, "-/activity").text();
    assert!(
        gone.contains("Nothing was done here lately that you may see.") && !gone.contains(&public),
        "{gone}"
    );
}
