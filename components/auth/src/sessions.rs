//! `/-/account/sessions`: where one is signed in.

use crate::account::{AccountVisit, notice};
use askama::Template;
use http::header;
use lithe_forge::accounts::{self, Session};
use lithe_forge::types::Error;
use lithe_web::time::{Time, now};
use lithe_web::{Answer, Fields, Frame, Text, answer, cookie, failure, filters, t};

/// The page `/-/account/sessions`.
#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    frame: Frame,
    current: &'static str,
    sessions: Vec<SessionRow>,
}

struct SessionRow {
    id: u64,
    device: Text,
    user_agent: String,
    address: String,
    created: Time,
    last_used: Time,
    is_current: bool,
}

pub fn answer(account: AccountVisit) -> Answer {
    let sessions = account
        .visit
        .requester
        .call(|credentials, client| accounts::sessions(credentials, client, &account.user.name));
    let sessions = match sessions {
        Ok(sessions) => sessions,
        Err(error) => return crate::failed(&error, &account.frame),
    };
    match account.form {
        Some(form) => revoke(&account, form, &sessions),
        None => {
            let notice = notice(account.visit.query.get("done"));
            answer::page(account.visit.language, &page(Frame { notice, ..account.frame }, &sessions, now()))
        }
    }
}

fn revoke(account: &AccountVisit, form: &Fields, sessions: &[Session]) -> Answer {
    let Ok(id) = form.get("id").parse::<u64>() else {
        return failure::bad_request(&account.frame, t("There is no such session."));
    };
    let revoked = account
        .visit
        .requester
        .call(|credentials, client| accounts::revoke_session(credentials, client, &account.user.name, id));
    match revoked {
        // Gone already is as good as ended.
        Ok(()) | Err(Error::NotFound) => {}
        Err(error) => return crate::failed(&error, &account.frame),
    }
    if !sessions.iter().any(|session| session.id == id && session.is_current) {
        return answer::see_other("/-/account/sessions?done=session");
    }
    let mut answer = answer::see_other("/-/login");
    let cookie = cookie::end_session(account.visit.is_https);
    answer.headers_mut().insert(header::SET_COOKIE, cookie);
    answer
}

fn page(frame: Frame, sessions: &[Session], now: i64) -> SessionsPage {
    let row = |session: &Session| SessionRow {
        id: session.id,
        device: device(&session.user_agent),
        user_agent: session.user_agent.clone(),
        address: session.address.clone(),
        created: Time::new(session.created, now),
        last_used: Time::new(session.last_used, now),
        is_current: session.is_current,
    };
    SessionsPage {
        frame: frame.titled(t("Sessions")),
        current: "sessions",
        sessions: sessions.iter().map(row).collect(),
    }
}

/// The program and system that a `User-Agent` names, roughly: enough to know one's own again.
fn device(user_agent: &str) -> Text {
    // The order matters: browsers name those they want to be taken for too.
    const PROGRAMS: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&PROGRAMS), find(&SYSTEMS)) {
        (Some(program), Some(system)) => {
            t("{program} on {system}").with("program", program.to_owned()).with("system", system.to_owned())
        }
        (Some(name), None) | (None, Some(name)) => Text::verbatim(name),
        (None, None) => t("Unknown program"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    #[test]
    fn devices_have_a_name() {
        let cases = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/128.0.0.0 Safari/537.36 Edg/128.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/128.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "curl"),
            ("", "Unknown program"),
        ];
        for (user_agent, expected) in cases {
            assert_eq!(device(user_agent).to_string(), expected, "{user_agent}");
        }
    }

    #[test]
    fn the_present_session_is_marked() {
        let session = |id, is_current| Session {
            id,
            created: 0,
            last_used: 0,
            address: "192.0.2.7".into(),
            user_agent: "<script>".into(),
            is_current,
        };
        let frame = Frame::bare("/-/account/sessions", Language::English);
        let page = page(frame, &[session(1, true), session(2, false)], 100).render().unwrap();
        assert_eq!(page.matches("This one").count(), 1, "{page}");
        assert!(!page.contains("<script>"));
    }
}
