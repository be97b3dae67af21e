//! Pages in the language of who reads them: the browser's, or the one that was chosen at a page's foot.

use crate::kit::{Answer, Browser, Forge};

fn in_languages(forge: &Forge, path: &str, accept: &str) -> Answer {
    Answer::send("GET", &forge.url, path, &[("accept-language".to_owned(), accept.to_owned())], None)
}

#[test]
fn the_browser_asks_for_a_language() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    for page in [
        "/".to_owned(),
        "/-/login".to_owned(),
        format!("/{path}"),
        format!("/{path}/-/search"),
        "/no/such".to_owned(),
    ] {
        let german = in_languages(forge, &page, "de-AT, en;q=0.5");
        assert!(german.text().contains(r#"<html lang="de" dir="ltr">"#), "{page}");
        assert!(german.text().contains(">Anmelden<"), "{page}");
        assert_eq!(german.header("content-language"), Some("de"), "{page}");
        assert!(german.header("vary").is_some_and(|vary| vary.contains("Accept-Language")), "{page}");
        let english = in_languages(forge, &page, "fr, en;q=0.1");
        assert!(
            english.text().contains(r#"<html lang="en" dir="ltr">"#) && english.text().contains(">Sign in<"),
            "{page}"
        );
        assert_ne!(german.header("etag").or(Some("de")), english.header("etag").or(Some("en")), "{page}");
    }
}

#[test]
fn a_choice_is_remembered_by_the_browser() {
    let forge = Forge::shared();
    let browser = Browser::new(forge);
    let answer = browser.submit("/-/login?return=/team", "/-/language", &[("language", "de")]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(browser.cookie("lithe_language").as_deref(), Some("de"));
    assert!(browser.get("/").text().contains(">Anmelden<"));
    browser.submit("/", "/-/language", &[("language", "en")]);
    assert!(browser.get("/").text().contains(">Sign in<"));
    let unknown = browser.post("/-/language", &[("language".to_owned(), "tlh".to_owned())]);
    assert_eq!(unknown.status, 400);
    assert_eq!(browser.get("/-/language").status, 405);
}

#[test]
fn other_sites_choose_no_language() {
    let forge = Forge::shared();
    let headers = [("origin".to_owned(), "https://evil.example".to_owned())];
    let form = [("language".to_owned(), "de".to_owned())];
    let answer = Answer::send("POST", &forge.url, "/-/language", &headers, Some(&form));
    assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
}

#[test]
fn programs_are_told_in_english() {
    let forge = Forge::shared();
    let answer = in_languages(forge, "/no/such?format=json", "de");
    assert!(answer.text().contains("Not found"), "{}", answer.text());
}
