//! `/-/account/password`: changing the own password.

use crate::account::AccountVisit;
use askama::Template;
use http::StatusCode;
use lithe_forge::types::Error;
use lithe_forge::{accounts, identity, passwords};
use lithe_web::address::return_address;
use lithe_web::{Answer, Fields, Frame, Problem, answer, filters, t};

/// The page `/-/account/password`.
#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage {
    frame: Frame,
    current: &'static str,
    problem: Problem,
    /// For password managers, which want to know whose password it is.
    name: String,
    is_forced: bool,
    return_to: String,
}

pub fn answer(account: AccountVisit) -> Answer {
    let Some(form) = account.form else {
        let return_to = account.visit.query.get("return").to_owned();
        let notice = crate::account::notice(account.visit.query.get("done"));
        let mut page = page(account, Problem::none(), &return_to);
        page.frame.notice = notice;
        return answer::page(page.frame.language, &page);
    };
    let problem = match repetition_problem(form) {
        Some(problem) => problem,
        None => match change(&account, form) {
            Ok(()) => return done(form.get("return")),
            Err(Error::Unauthenticated) => wrong_password(),
            Err(error) => match Problem::of_store(&error) {
                Some(problem) => problem,
                None => return crate::failed(&error, &account.frame),
            },
        },
    };
    problem.answer(account.frame.language, &page(account, problem.clone(), form.get("return")))
}

fn page(account: AccountVisit, problem: Problem, return_to: &str) -> PasswordPage {
    PasswordPage {
        frame: account.frame.titled(t("Password")),
        current: "password",
        problem,
        name: account.user.name.clone(),
        is_forced: account.user.must_change_password,
        return_to: return_address(return_to).unwrap_or_default().to_owned(),
    }
}

fn done(return_to: &str) -> Answer {
    answer::see_other(return_address(return_to).unwrap_or("/-/account/password?done=password"))
}

fn wrong_password() -> Problem {
    let message = t("The present password is wrong.");
    Problem::with_status(StatusCode::FORBIDDEN, "current", message)
}

/// What is wrong if the new password was typed in two ways, or not at all.
pub fn repetition_problem(form: &Fields) -> Option<Problem> {
    let (password, repeat) = (form.get("password"), form.get("repeat"));
    (password != repeat).then(|| Problem::with_field("repeat", t("The two passwords are not the same.")))
}

fn change(account: &AccountVisit, form: &Fields) -> Result<(), Error> {
    let requester = &account.visit.requester;
    let name = &account.user.name;
    let challenge = identity::challenge(name, requester.client())?;
    let proof = passwords::prove(&challenge, form.get("current")).map_err(|error| match error {
        // No account has a password that long.
        Error::Invalid(_) => Error::Unauthenticated,
        error => error,
    })?;
    let sealed = passwords::seal(form.get("password"))?;
    requester
        .call(|credentials, client| accounts::set_password(credentials, client, name, Some(&proof), &sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_kept_if_it_is_of_this_site() {
        assert_eq!(done("/team").headers()["location"], "/team");
        assert_eq!(done("//evil").headers()["location"], "/-/account/password?done=password");
    }

    #[test]
    fn the_new_password_has_to_be_typed_twice() {
        let problem = |form: &[u8]| repetition_problem(&Fields::parse(form).unwrap()).is_some();
        assert!(!problem(b"password=a&repeat=a"));
        assert!(problem(b"password=a&repeat=b"));
        assert!(problem(b"password=a"));
    }
}
