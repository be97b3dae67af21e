//! What the page of a file says beside the file: who changed it last, where it leads, how else it can be seen and had.

mod kit;

use askama::Template as _;
use browse::blob::{self, BlobPage, Display};
use browse::place::Place;
use browse::{commit, refs, tree};
use kit::{Fixture, Kept, repository};
use lithe_code::revision;
use serde_json::Value;

fn told(place: &Place<'_>, fixture: &Fixture, rest: &str, display: Display) -> (Value, String) {
    let opened = fixture.open();
    let at = revision::resolve(repository(&opened), rest.into()).expect("readable").expect("there");
    let page: BlobPage = blob::page(place, repository(&opened), &at, display).expect("a file");
    let json = serde_json::to_value(&page).expect("a page can be written");
    (json, page.render().expect("the template takes its page"))
}

#[test]
fn the_last_commit_of_a_file_is_that_of_git_log() {
    let fixture = Fixture::new(
        r#"mkdir dir && echo 1 > a && echo 1 > dir/a && echo 1 > dir/b && git add . && git commit -qm One
        echo 2 > dir/a && git commit -qam Two && echo 3 > dir/b && git commit -qam Three
        git checkout -q -b side HEAD~1 && echo side > a && git commit -qam Side && git checkout -q main
        git merge -q --no-ff -m Merge side && git commit -q --allow-empty -m Nothing"#,
    );
    for graph in ["", "commit-graph write --reachable --changed-paths"] {
        if !graph.is_empty() {
            fixture.git(graph);
        }
        for path in ["a", "dir/a", "dir/b"] {
            let expected = fixture.git(&format!("log -1 --format=%H main -- {path}"));
            let (page, html) = told(&fixture.place(), &fixture, &format!("main/{path}"), Display::Best);
            assert_eq!(page["last"]["href"], format!("/team/demo/-/commit/{expected}"), "{path}");
            assert_eq!(page["last"]["author"], "Ada Lovelace");
            assert!(html.contains("latest-commit"), "{html}");
        }
    }
}

#[test]
fn what_a_directory_has_found_its_files_know_and_the_other_way_round() {
    let fixture = Fixture::new(
        r#"mkdir dir && echo 1 > dir/a && echo 1 > 'dir/b c' && git add . && git commit -qm One
        echo 2 > dir/a && git commit -qam Two"#,
    );
    let kept = Kept::default();
    let place = Place { cache: &kept, ..fixture.place() };
    let title = |path: &str| {
        let (page, _) = told(&place, &fixture, &format!("main/dir/{path}"), Display::Source);
        page["last"]["title"].clone()
    };
    assert_eq!(title("b c"), "One");
    let opened = fixture.open();
    let at = revision::resolve(repository(&opened), "main/dir".into()).expect("readable").expect("there");
    tree::page(&place, repository(&opened), &at, 0).expect("a directory");
    // The texts of both files are kept from here on, too.
    assert_eq!((title("a"), title("b c")), ("Two".into(), "One".into()));
    kept.puts();
    assert_eq!((title("a"), title("b c")), ("Two".into(), "One".into()));
    assert_eq!(kept.puts(), 0);
}

#[test]
fn a_symbolic_link_leads_to_what_it_points_to() {
    let fixture = Fixture::new(
        r#"mkdir dir && echo x > dir/file && echo x > top && ln -s dir/file a && ln -s dir b && ln -s ../top dir/c
        ln -s a d && ln -s .. dir/up && ln -s nothing e && ln -s /etc/passwd f && ln -s ../top g && ln -s h h
        ln -s top picture.png && ln -s top text.md && git add . && git commit -qm One"#,
    );
    let cases = [
        ("a", Some("blob/main/dir/file")),
        ("b", Some("tree/main/dir")),
        ("dir/c", Some("blob/main/top")),
        ("d", Some("blob/main/dir/file")),
        ("dir/up", Some("tree/main")),
        ("picture.png", Some("blob/main/top")),
        ("text.md", Some("blob/main/top")),
        ("e", None),
        ("f", None),
        ("g", None),
        ("h", None),
    ];
    for (path, target) in cases {
        let (page, html) = told(&fixture.place(), &fixture, &format!("main/{path}"), Display::Best);
        assert_eq!(page["content"]["kind"], "link", "{path}");
        let expected = target.map(|target| format!("/team/demo/-/{target}"));
        assert_eq!(page["target-href"].as_str(), expected.as_deref(), "{path}");
        assert!(html.contains("symbolic link points to"), "{path}");
        assert_eq!(page["other-view"], Value::Null, "{path}");
    }
}

#[test]
fn an_image_that_is_text_is_shown_as_either() {
    let fixture = Fixture::new(
        r#"printf '<svg xmlns="http://www.w3.org/2000/svg"/>\n' > a.svg && printf 'a\0b' > b.png && git add . && git commit -qm One"#,
    );
    let see = |path: &str, display| told(&fixture.place(), &fixture, &format!("main/{path}"), display);
    let (image, html) = see("a.svg", Display::Best);
    assert_eq!(image["content"]["kind"], "image");
    assert_eq!(image["other-view"]["href"], "/team/demo/-/blob/main/a.svg?display=source");
    assert!(html.contains("<img src=\"/team/demo/-/raw/main/a.svg\""), "{html}");
    let (source, html) = see("a.svg", Display::Source);
    assert_eq!(source["content"]["kind"], "lines-html");
    let view = &source["other-view"];
    assert_eq!((&view["name"], &view["href"]), (&"Image".into(), &"/team/demo/-/blob/main/a.svg".into()));
    assert!(html.contains("&lt;") && !html.contains("<img src=\"/team/"), "{html}");
    assert_eq!(see("b.png", Display::Best).0["other-view"], Value::Null);
}

#[test]
fn a_file_can_be_saved_and_its_text_and_path_copied() {
    let fixture = Fixture::new(
        r#"mkdir 'a "b' && echo x > 'a "b/text' && printf 'a\0b' > binary && printf x > "$(printf 'bad\377')"
        printf x > "$(printf 'new\nline')"
        git add . && git commit -qm One"#,
    );
    let see = |path: &str| told(&fixture.place(), &fixture, &format!("main/{path}"), Display::Best);
    let (page, html) = see("a \"b/text");
    assert_eq!(page["download-href"], "/team/demo/-/raw/main/a%20%22b/text?download=1");
    assert!(html.contains("data-copy-from=\"/team/demo/-/raw/main/a%20%22b/text\""), "{html}");
    assert!(html.contains("data-text=\"a &#34;b/text\""), "{html}");
    let (_, html) = see("binary");
    assert!(!html.contains("data-copy-from") && html.contains("data-text=\"binary\""), "{html}");
    assert!(!see("new\nline").1.contains("data-text"));
    let opened = fixture.open();
    let at = revision::resolve(repository(&opened), b"main/bad\xff".as_slice().into());
    let at = at.expect("readable").expect("there");
    let page = blob::page(&fixture.place(), repository(&opened), &at, Display::Best).expect("a file");
    assert!(!page.render().expect("it renders").contains("data-text"));
}

#[test]
fn archives_are_offered_of_what_a_page_shows() {
    let fixture = Fixture::new(
        r#"mkdir -p 'a b' && echo x > 'a b/x' && mkdir "$(printf 'bad\377')" && echo x > "$(printf 'bad\377')/x"
        git add . && git commit -qm One && git tag v1 && git branch side"#,
    );
    let opened = fixture.open();
    let repository = repository(&opened);
    let place = fixture.place();
    let first = |page: Value| page["downloads"][0]["href"].as_str().map(str::to_owned);
    let of_directory = |rest: &[u8]| {
        let at = revision::resolve(repository, rest.into()).expect("readable").expect("there");
        let page = tree::page(&place, repository, &at, 0).expect("a directory");
        first(serde_json::to_value(&page).expect("a page can be written"))
    };
    let archive = |rest: &str| Some(format!("/team/demo/-/archive/{rest}"));
    assert_eq!(of_directory(b"main"), archive("main.tar.gz"));
    assert_eq!(of_directory(b"v1/a b"), archive("v1.tar.gz?path=a%20b"));
    // What is asked for has to be text.
    assert_eq!(of_directory(b"main/bad\xff"), None);
    let id = revision::landing_branch(repository).expect("readable").expect("there").commit_id;
    let against = commit::Against::FIRST;
    let page =
        commit::page(&place, repository, id, against, browse::diff::View::default()).expect("a commit");
    assert_eq!(
        first(serde_json::to_value(&page).expect("a page can be written")),
        archive(&format!("{id}.tar.gz"))
    );
    let page = refs::page(&place, repository, "", refs::Offsets::default()).expect("refs");
    let page = serde_json::to_value(&page).expect("a page can be written");
    let formats = |section: &str, row: usize| page[section]["rows"][row]["downloads"].clone();
    assert_eq!(formats("tags", 0)[0]["href"].as_str().map(str::to_owned), archive("v1.tar.gz"));
    assert_eq!(formats("tags", 0)[1]["href"].as_str().map(str::to_owned), archive("v1.zip"));
    assert_eq!(formats("branches", 0), Value::Array(Vec::new()));
}
