//! `auth`: signing in and out, registration, passwords, tokens and sessions.

use crate::kit::{Actor, Browser, Forge};

/// Signs the user in and out again, in a browser.
pub fn sign_in(forge: &Forge) {
    let (name, password) = Actor::User.login().expect("the user signs in");
    let browser = Browser::signed_in(forge, name, password);
    assert!(browser.get("/").text().contains(name));
    let session = browser.cookie("lithe_session").expect("a session cookie");
    let answer = browser.submit("/", "/-/logout", &[]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let headers = [("cookie".to_owned(), format!("lithe_session={session}"))];
    let after = crate::kit::Answer::send("GET", &forge.url, "/-/account", &headers, None);
    assert_ne!(after.status, 200, "the session has ended for good");
}

#[test]
fn sign_in_and_out() {
    sign_in(Forge::shared());
}

#[test]
fn a_wrong_password_is_answered_like_an_unknown_name() {
    let forge = Forge::start(&[]);
    let browser = Browser::new(&forge);
    let wrong = browser.submit("/-/login", "", &[("login", "bob"), ("password", "not it at all")]);
    let unknown = browser.submit("/-/login", "", &[("login", "eve"), ("password", "not it at all")]);
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert_eq!(wrong.text().replace("bob", "eve"), unknown.text());
    assert_eq!(browser.cookie("lithe_session"), None);
}

#[test]
fn the_cookie_cannot_be_read_by_scripts_or_sent_by_other_sites() {
    let forge = Forge::shared();
    let (name, password) = Actor::User.login().expect("the user signs in");
    let browser = Browser::new(forge);
    let answer = browser.submit("/-/login", "", &[("login", name), ("password", password)]);
    let cookies: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "set-cookie").collect();
    let (_, cookie) =
        cookies.iter().find(|(_, value)| value.starts_with("lithe_session=")).expect("a session");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
}

#[test]
fn return_addresses_stay_on_this_site() {
    let forge = Forge::shared();
    let (name, password) = Actor::User.login().expect("the user signs in");
    let cases = [
        ("/team", "/team"),
        ("//example.org", "/"),
        ("https://example.org/", "/"),
        ("/\\example.org", "/"),
        ("javascript:alert(1)", "/"),
    ];
    for (wanted, expected) in cases {
        let browser = Browser::new(forge);
        let answer =
            browser.submit("/-/login", "", &[("login", name), ("password", password), ("return", wanted)]);
        assert_eq!(answer.header("location"), Some(expected), "{wanted}");
    }
}
