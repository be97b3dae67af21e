//! `/-/account/keys`: public keys, with which the own commits and tags are signed.

use crate::account::{AccountVisit, notice};
use crate::limits::KEY_TITLE_CHARACTERS_MAX;
use askama::Template;
use lithe_forge::accounts::{self, SigningKey};
use lithe_forge::types::{Error, KeyKind};
use lithe_web::time::{Time, now};
use lithe_web::{Answer, Fields, Frame, Problem, answer, filters, t};

/// The page `/-/account/keys`.
#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    frame: Frame,
    current: &'static str,
    problem: Problem,
    keys: Vec<KeyRow>,
    title: String,
    public_key: String,
}

struct KeyRow {
    id: u64,
    title: String,
    kind: &'static str,
    algorithm: String,
    fingerprint: String,
    created: Time,
}

pub fn answer(account: AccountVisit) -> Answer {
    let Some(form) = account.form else {
        return show(account, Problem::none(), &Fields::default());
    };
    let done = match form.get("do") {
        "remove" => remove(&account, form),
        _ => add(&account, form),
    };
    match done {
        Ok(word) => answer::see_other(&format!("/-/account/keys?done={word}")),
        Err(error) => match Problem::of_store(&error) {
            Some(problem) => show(account, problem, form),
            None => crate::failed(&error, &account.frame),
        },
    }
}

fn add(account: &AccountVisit, form: &Fields) -> Result<&'static str, Error> {
    let (name, title, text) = (&account.user.name, form.trimmed("title"), form.trimmed("public-key"));
    account
        .visit
        .requester
        .call(|credentials, client| accounts::add_signing_key(credentials, client, name, title, text))?;
    Ok("key-added")
}

fn remove(account: &AccountVisit, form: &Fields) -> Result<&'static str, Error> {
    let id = form.get("id").parse().map_err(|_| Error::NotFound)?;
    let removed = account.visit.requester.call(|credentials, client| {
        accounts::remove_signing_key(credentials, client, &account.user.name, id)
    });
    match removed {
        // Gone already is as good as removed.
        Ok(()) | Err(Error::NotFound) => Ok("key-removed"),
        Err(error) => Err(error),
    }
}

fn show(account: AccountVisit, problem: Problem, form: &Fields) -> Answer {
    let keys = account
        .visit
        .requester
        .call(|credentials, client| accounts::signing_keys(credentials, client, &account.user.name));
    let keys = match keys {
        Ok(keys) => keys,
        Err(error) => return crate::failed(&error, &account.frame),
    };
    let notice = notice(account.visit.query.get("done")).filter(|_| account.form.is_none());
    let frame = Frame { notice, ..account.frame };
    problem.answer(frame.language, &page(frame, problem.clone(), form, &keys, now()))
}

fn page(frame: Frame, problem: Problem, form: &Fields, keys: &[SigningKey], now: i64) -> KeysPage {
    KeysPage {
        frame: frame.titled(t("Signing keys")),
        current: "keys",
        problem,
        keys: keys.iter().map(|key| row(key, now)).collect(),
        title: form.trimmed("title").to_owned(),
        // A private key is nothing to send over the network once more.
        public_key: Some(form.trimmed("public-key"))
            .filter(|text| !text.contains("PRIVATE KEY"))
            .unwrap_or_default()
            .to_owned(),
    }
}

fn row(key: &SigningKey, now: i64) -> KeyRow {
    KeyRow {
        id: key.id,
        title: key.title.clone(),
        kind: match key.kind {
            KeyKind::Ssh => "SSH",
            KeyKind::Openpgp => "OpenPGP",
        },
        algorithm: key.algorithm.clone(),
        fingerprint: key.fingerprint.clone(),
        created: Time::new(key.created, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    #[test]
    fn the_page_shows_keys_and_keeps_what_was_typed() {
        let key = SigningKey {
            id: 7,
            title: "laptop <b>".into(),
            kind: KeyKind::Openpgp,
            algorithm: "RSA 3072".into(),
            fingerprint: "0123456789ABCDEF".into(),
            created: 0,
        };
        let form = Fields::parse(b"title=old&public-key=no+key").unwrap();
        let problem = Problem::with_field("public-key", t("no key"));
        let frame = Frame::bare("/-/account/keys", Language::English);
        let page = page(frame, problem, &form, &[key], 100).render().unwrap();
        for part in [
            "laptop &#60;b&#62;",
            "OpenPGP, RSA 3072",
            "0123456789ABCDEF",
            "value=\"old\"",
            ">no key</textarea>",
        ] {
            assert!(page.contains(part), "{part} is missing:\n{page}");
        }
    }
}
