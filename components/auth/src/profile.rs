//! `/-/account`: the own name and address.

use crate::account::{AccountVisit, notice};
use askama::Template;
use lithe_forge::accounts::{self, UserChange};
use lithe_web::{Answer, Frame, Problem, answer, filters, t};

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
                frame: Frame {
                    notice: notice(account.visit.query.get("done")),
                    ..account.frame.titled(t("Account"))
                },
            },
        );
    };
    let change = UserChange {
        full_name: Some(form.trimmed("full-name").to_owned()),
        email: Some(form.trimmed("email").to_owned()),
        is_admin: None,
        is_active: None,
        must_change_password: None,
    };
    let updated = account
        .visit
        .requester
        .call(|credentials, client| accounts::update(credentials, client, &account.user.name, &change));
    let error = match updated {
        Ok(_) => return answer::see_other("/-/account?done=profile"),
        Err(error) => error,
    };
    match Problem::of_store(&error) {
        Some(problem) => problem.answer(
            account.frame.language,
            &ProfilePage {
                current: "",
                problem: problem.clone(),
                name: account.user.name.clone(),
                full_name: form.trimmed("full-name").to_owned(),
                email: form.trimmed("email").to_owned(),
                frame: account.frame.titled(t("Account")),
            },
        ),
        None => crate::failed(&error, &account.frame),
    }
}
