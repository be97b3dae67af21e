//! `auth`: signing in and out, registration, passwords, tokens and sessions.

use crate::kit::{Actor, Answer, Browser, Forge};

/// Signs the user in and out again, in a browser.
pub fn sign_in(forge: &Forge) {
    let (name, password) = Actor::User.login().expect("the user signs in");
    let browser = Browser::signed_in(forge, name, password);
    assert!(browser.get("/").text().contains(name));
    let session = browser.cookie("lithe_session").expect("a session cookie");
    let answer = browser.submit("/", "/-/logout", &[]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let headers = [("cookie".to_owned(), format!("lithe_session={session}"))];
    let after = Answer::send("GET", &forge.url, "/-/account", &headers, None);
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
fn over_https_the_cookie_is_for_https_and_this_host_alone() {
    let forge = Forge::start(&["--trusted-proxy", "127.0.0.1"]);
    let (name, password) = Actor::User.login().expect("the user signs in");
    let login = [("login", name), ("password", password)];
    let browser = Browser::over_https(&forge);
    let answer = browser.submit("/-/login", "", &login);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let (_, cookie) = answer
        .headers
        .iter()
        .find(|(_, value)| value.starts_with("__Host-lithe_session="))
        .expect("a session");
    for attribute in ["; Secure", "; Path=/", "; HttpOnly"] {
        assert!(cookie.contains(attribute) && !cookie.contains("Domain"), "{cookie}");
    }
    assert!(browser.get("/").text().contains(name));
    // Plain http could have been given the cookie by anybody on the way; there it is none.
    let session = browser.cookie("__Host-lithe_session").expect("a session");
    let cookie = |name: &str| ("cookie".to_owned(), format!("{name}={session}"));
    let https = ("x-forwarded-proto".to_owned(), "https".to_owned());
    let account = |headers: &[_]| Answer::send("GET", &forge.url, "/-/account", headers, None).status;
    assert_eq!(account(&[https.clone(), cookie("__Host-lithe_session")]), 200);
    assert_ne!(account(&[https, cookie("lithe_session")]), 200);
    assert_ne!(account(&[cookie("__Host-lithe_session")]), 200);

    // Whoever is no trusted proxy does not get to say what the connection is.
    let plain = Browser::over_https(Forge::shared()).get("/-/login");
    assert!(plain.headers.iter().all(|(_, value)| !value.starts_with("__Host-")), "{:?}", plain.headers);
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

#[test]
fn a_form_from_another_site_is_refused_whatever_it_says_of_the_address() {
    let forge = Forge::shared();
    let (name, password) = Actor::User.login().expect("the user signs in");
    let form =
        [("login", name), ("password", password)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let evil = "http://evil.example";
    for forged in ["x-nothing", "spin-full-url", "x-forwarded-host"] {
        let headers = [("origin", evil), (forged, "http://evil.example/-/login")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let answer = Answer::send("POST", &forge.url, "/-/login", &headers, Some(&form));
        assert_eq!(answer.status, 403, "{forged}: {}", answer.text());
    }
}

#[test]
fn the_first_start_makes_an_administrator_with_a_password_for_once() {
    let forge = Forge::first_start();
    let line = forge.says("Password");
    let password = line.split_whitespace().rfind(|word| word.contains('-')).expect("a password").to_owned();
    let browser = Browser::new(&forge);
    let fields = [("login", "admin"), ("password", password.as_str())];
    let answer = browser.submit("/-/login", "", &fields);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let change = answer.header("location").expect("it leads on").to_owned();
    assert!(change.contains("password"), "{change}");
    // Until it is changed, Git does not take it either.
    let refs = "team/x.git/info/refs?service=git-receive-pack";
    let with_password = |password: &str| Answer::get(&forge.url, Some(("admin", password)), refs).status;
    assert_eq!(with_password(&password), 401);
    let new = "something-longer-and-better";
    let fields = [("current", password.as_str()), ("password", new), ("repeat", new)];
    let changed = browser.submit(&change, "password", &fields);
    assert_eq!(changed.status, 303, "{}", changed.text());
    assert_eq!(with_password(new), 404);
    assert_eq!(with_password(&password), 401);
}

#[test]
fn tokens_do_what_their_scope_says_until_they_are_revoked() {
    let forge = Forge::start(&[]);
    let path = forge.repository(&["--private"]);
    let mut shell = forge.shell(&path);
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main",
    );
    let host = forge.url.trim_start_matches("http://").to_owned();
    for (name, options) in [("READ", &[][..]), ("WRITE", &["--write"][..])] {
        let create = [&["token", "create", "alice", "--description", name, "--json"], options].concat();
        let reply: serde_json::Value = serde_json::from_str(&forge.lithe(&create)).expect("JSON");
        let secret = reply["secret"].as_str().expect("a secret");
        shell.set(name, &format!("http://alice:{secret}@{host}/{path}.git"));
    }
    shell.run("git clone -q \"$READ\" by-read && git clone -q \"$WRITE\" by-write");
    shell.fails("git -C work push -q \"$READ\" main:other");
    shell.run("git -C work push -q \"$WRITE\" main:other");
    let listed: serde_json::Value =
        serde_json::from_str(&forge.lithe(&["token", "list", "alice", "--json"])).expect("JSON");
    for token in listed["tokens"].as_array().expect("tokens") {
        assert!(token["last-used"].is_i64(), "{token}");
        forge.lithe(&["token", "revoke", "alice", &token["id"].to_string()]);
    }
    shell.fails("git ls-remote \"$READ\"");
    shell.fails("git ls-remote \"$WRITE\"");
}

#[test]
fn a_disabled_user_is_out_at_once() {
    let forge = Forge::start(&[]);
    let (name, password) = Actor::User.login().expect("the user signs in");
    let browser = Browser::signed_in(&forge, name, password);
    assert_eq!(browser.get("/-/account").status, 200);
    forge.lithe(&["user", "disable", name]);
    assert_eq!(browser.get("/-/account").status, 303);
    let again = Browser::new(&forge).submit("/-/login", "", &[("login", name), ("password", password)]);
    assert_eq!(again.status, 401);
    forge.lithe(&["user", "enable", name]);
    Browser::signed_in(&forge, name, password);
}

#[test]
fn forms_without_the_sessions_secret_change_nothing() {
    let forge = Forge::shared();
    let (name, password) = Actor::User.login().expect("the user signs in");
    let browser = Browser::signed_in(forge, name, password);
    for (page, field) in [("/-/account/profile", "full-name"), ("/-/account/tokens", "description")] {
        let form = [(field.to_owned(), "forged".to_owned())];
        let answer = browser.post(page, &form);
        assert!((400..500).contains(&answer.status), "{page}: {}", answer.status);
    }
    assert!(!browser.get("/-/account").text().contains("forged"));
}

#[test]
fn a_password_that_somebody_else_set_is_changed_before_anything_else() {
    let forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    let reply = forge.lithe(&["user", "passwd", "bob", "--json"]);
    let reply: serde_json::Value = serde_json::from_str(&reply).expect("JSON");
    let password = reply["secret"].as_str().expect("a password").to_owned();
    let browser = Browser::signed_in(&forge, "bob", &password);
    let change = |page: &str| format!("/-/account/password?return={}", page.replace('/', "%2F"));
    let settings = format!("/{path}/-/settings");
    let pages = [
        &format!("/{path}"),
        "/-/new/repository",
        "/-/admin/",
        "/-/deleted",
        "/-/account",
        "/-/account/tokens",
        &settings,
    ];
    for page in pages {
        assert_eq!(browser.get(page).header("location"), Some(&*change(page)), "{page}");
    }
    assert_eq!(browser.get("/").header("location"), Some("/-/account/password"));
    let refs = format!("{path}.git/info/refs?service=git-upload-pack");
    assert_eq!(Answer::get(&forge.url, Some(("bob", &password)), &refs).status, 401);
    let new = "something-longer-and-better";
    let fields = [("current", password.as_str()), ("password", new), ("repeat", new)];
    let changed = browser.submit(&change("/-/account"), "password", &fields);
    assert_eq!(changed.header("location"), Some("/-/account"), "{}", changed.text());
    assert_eq!(browser.get(&format!("/{path}")).status, 200);
    assert_eq!(Answer::get(&forge.url, Some(("bob", new)), &refs).status, 200);
}

#[test]
fn failed_sign_ins_are_in_the_journal() {
    let forge = Forge::start(&[]);
    let stranger = Browser::new(&forge);
    stranger.submit("/-/login", "", &[("login", "bob"), ("password", "not it at all")]);
    stranger.submit("/-/login", "", &[("login", "a-password-in-the-wrong-field"), ("password", "x")]);
    Answer::get(&forge.url, Some(("alice", "not hers")), "/");
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let admin = Browser::signed_in(&forge, name, password);
    let journal = admin.get("/-/admin/journal?q=user.sign-in-failed").text();
    for word in ["bob", "alice", "there is no such user", "127.0.0.1"] {
        assert!(journal.contains(word), "{word}: {journal}");
    }
    assert_eq!(journal.matches("127.0.0.1").count(), 3, "{journal}");
    assert!(!journal.contains("wrong-field"), "{journal}");
}

#[test]
fn registrations_without_end_are_slowed_before_a_password_is_hashed() {
    let forge = Forge::start(&[]);
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let admin = Browser::signed_in(&forge, name, password);
    let answer = admin.submit("/-/admin/settings", "settings", &[("registration", "true")]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let register = |name: &str, password: &str| {
        let fields = [("name", name), ("password", password), ("repeat", password)];
        Browser::new(&forge).submit("/-/register", "", &fields).status
    };
    assert_eq!(register("eve", "sesame-open-wide"), 303);
    let refused = (0..100).take_while(|number| register(&format!("eve{number}"), "short") == 400).count();
    assert_eq!((refused, register("late", "sesame-open-wide")), (50, 429));
    assert_eq!(register(&"e".repeat(300), "sesame-open-wide"), 400);
}
