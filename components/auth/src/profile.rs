//! `/-/account`: the own name, address and language.

use crate::account::{AccountVisit, notice};
use askama::Template;
use lithe_forge::accounts::{self, UserChange};
use lithe_forge::types::Error;
use lithe_web::{Answer, Fields, Frame, Language, Problem, answer, filters, t};

/// The page `/-/account`.
#[derive(Template)]
#[template(path = "profile.html")]
struct ProfilePage {
    frame: Frame,
    current: &'static str,
    problem: Problem,
    name: String,
    full_name: String,
    email: String,
    /// The tag of the language of pages; empty: whichever the browser asks for.
    language: String,
}

pub fn answer(account: AccountVisit) -> Answer {
    let Some(form) = account.form else {
        let user = account.user;
        return answer::page(
            account.frame.language,
            &ProfilePage {
                current: "",
                problem: Problem::none(),
                name: user.name.clone(),
                full_name: user.full_name.clone(),
                email: user.email.clone(),
                language: user.language.clone(),
                frame: Frame {
                    notice: notice(account.visit.query.get("done")),
                    ..account.frame.titled(t("Account"))
                },
            },
        );
    };
    let problem = match update(&account, form) {
        Ok(()) => return answer::see_other("/-/account?done=profile"),
        Err(Refusal::Form(problem)) => problem,
        Err(Refusal::Store(error)) => match Problem::of_store(&error) {
            Some(problem) => problem,
            None => return crate::failed(&error, &account.frame),
        },
    };
    problem.answer(
        account.frame.language,
        &ProfilePage {
            current: "",
            problem: problem.clone(),
            name: account.user.name.clone(),
            full_name: form.trimmed("full-name").to_owned(),
            email: form.trimmed("email").to_owned(),
            language: form.trimmed("language").to_owned(),
            frame: account.frame.titled(t("Account")),
        },
    )
}

/// Why an account was not changed.
enum Refusal {
    Form(Problem),
    Store(Error),
}

fn update(account: &AccountVisit, form: &Fields) -> Result<(), Refusal> {
    let language = form.trimmed("language");
    if !language.is_empty() && Language::of_tag(language).is_none() {
        return Err(Refusal::Form(Problem::with_field("language", t("There is no such language."))));
    }
    let change = UserChange {
        full_name: Some(form.trimmed("full-name").to_owned()),
        email: Some(form.trimmed("email").to_owned()),
        is_admin: None,
        is_active: None,
        must_change_password: None,
        language: form.find("language").map(|tag| tag.trim().to_owned()),
    };
    let name = &account.user.name;
    let updated = account
        .visit
        .requester
        .call(|credentials, client| accounts::update(credentials, client, name, &change));
    updated.map(drop).map_err(Refusal::Store)
}
