//! Pages in other languages: in German, against golden files, and in the tests' own, which puts what is looked up
//! in brackets, so that what never was is left over.
//!
//! `LITHE_UPDATE_GOLDEN=1 cargo test -p browse --test languages` writes the golden files anew.

mod kit;

use askama::Template;
use browse::blob::{self, Display};
use browse::commit;
use browse::commits::{self, Look};
use browse::diff::View;
use browse::refs::{self, Offsets};
use browse::summary::{self, Summary};
use browse::tree;
use html5ever::tendril::TendrilSink as _;
use kit::{Fixture, repository};
use lithe_code::revision;
use lithe_web::Language;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use std::path::PathBuf;

fn fixture() -> Fixture {
    Fixture::new(
        r#"mkdir qq && printf '1\n2\n' > qq/1.qq && printf '1\n' > 2.qq && ln -s 2.qq 3.qq
        git add . && git commit -qm '1'
        printf '3\n' >> 2.qq && chmod +x qq/1.qq && git commit -qam '2' && git tag -a -m 3 v1"#,
    )
}

/// The main pages of the repository in a language, each with a name.
fn pages(fixture: &Fixture, language: Language) -> Vec<(&'static str, String)> {
    let opened = fixture.open();
    let repository = repository(&opened);
    let mut place = fixture.place();
    place.frame.language = language;
    let at = |rest: &str| revision::resolve(repository, rest.into()).expect("readable").expect("it is there");
    let look = Look::of(&lithe_web::Fields::default(), repository.objects.format()).expect("a look");
    let Ok(Summary::Filled(summary)) = summary::page(&place, repository) else { panic!("it has commits") };
    let tree = tree::page(&place, repository, &at("main/qq"), 0).expect("a directory");
    let blob = blob::page(&place, repository, &at("main/2.qq"), Display::Best).expect("a file");
    let commits = commits::page(&place, repository, &at("main"), &look).expect("a history");
    let id = at("main").revision.commit_id;
    let commit =
        commit::page(&place, repository, id, commit::Against::FIRST, View::default()).expect("a commit");
    let refs = refs::page(&place, repository, "", Offsets::default()).expect("refs");
    vec![
        ("summary", written(&*summary, language)),
        ("tree", written(&tree, language)),
        ("blob", written(&blob, language)),
        ("commits", written(&commits, language)),
        ("commit", written(&commit, language)),
        ("refs", written(&refs, language)),
    ]
}

fn written(page: &impl Template, language: Language) -> String {
    page.render_with_values(&language).expect("the template takes its page")
}

#[test]
fn german_pages() {
    for (name, page) in pages(&fixture(), Language::German) {
        assert!(page.contains(r#"<html lang="de" dir="ltr">"#));
        let (start, end) = (page.find("<main").expect("a main part"), page.find("</main>").expect("it ends"));
        let lines = page[start..end].lines().map(str::trim).filter(|line| !line.is_empty());
        let found: String = lines.map(|line| format!("{line}\n")).collect();
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/german-{name}.html"));
        if std::env::var_os("LITHE_UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &found).expect("the source directory is writable");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, expected, "{name} differs from its golden file; see the head of this test");
    }
}

/// What the repository itself has in words, and what has the same name in all languages.
const NAMES: [&str; 17] = [
    "Ada",
    "Lovelace",
    "ada@example.org",
    "demo",
    "team",
    "main",
    "qq",
    "Lithe",
    "Deutsch",
    "English",
    "tar",
    "gz",
    "zst",
    "zip",
    "Atom",
    "RSS",
    "more",
];

#[test]
fn nothing_is_said_that_is_not_looked_up() {
    let mut left = Vec::new();
    for (name, page) in pages(&fixture(), Language::Pseudo) {
        assert!(page.contains(r#"<html lang="ar-XB" dir="rtl">"#));
        let document = html5ever::parse_document(RcDom::default(), Default::default()).one(&*page);
        let mut said = Vec::new();
        gather(&document.document, &mut said);
        let texts = said.iter().map(|text| unbracketed(text)).filter(|text| has_words(text));
        left.extend(texts.map(|text| format!("{name}: {}", text.trim())));
    }
    assert!(left.is_empty(), "{left:#?}");
}

/// A text without what stands in brackets.
fn unbracketed(text: &str) -> String {
    let mut depth = 0_usize;
    let is_outside = |character: &char| {
        match character {
            '⟦' => depth += 1,
            '⟧' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    };
    text.chars().filter(is_outside).collect()
}

/// Whether a text has a word of a language: three letters that are no name.
fn has_words(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '@' && c != '.' || c.is_ascii_digit());
    let words =
        words.flat_map(|word| if word.contains('@') { vec![word] } else { word.split('.').collect() });
    words.into_iter().any(|word| {
        let is_hexadecimal = word.chars().all(|c| c.is_ascii_hexdigit());
        word.len() > 2 && !is_hexadecimal && !NAMES.contains(&word)
    })
}

/// The texts that people read or are read to: in elements, and in the attributes that are for them.
fn gather(node: &Handle, said: &mut Vec<String>) {
    match &node.data {
        NodeData::Text { contents } => said.push(contents.borrow().to_string()),
        NodeData::Element { attrs, .. } => {
            let attributes = attrs.borrow();
            let read = ["aria-label", "title", "placeholder", "alt"];
            let read = attributes.iter().filter(|attribute| read.contains(&&*attribute.name.local));
            said.extend(read.map(|attribute| attribute.value.to_string()));
        }
        _ => {}
    }
    node.children.borrow().iter().for_each(|child| gather(child, said));
}
