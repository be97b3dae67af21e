//! Signing in and out.

use askama::Template;
use http::{StatusCode, header};
use lithe_forge::identity::{self, NewSession};
use lithe_forge::passwords;
use lithe_forge::settings::Overview;
use lithe_forge::types::Error;
use lithe_web::address::{encode_component, return_address};
use lithe_web::visit::Step;
use lithe_web::{
    Answer, Fields, Frame, Problem, Visit, answer, change_password, cookie, failure, filters, t, time,
};

/// The page `/-/login`.
#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    frame: Frame,
    problem: Problem,
    login: String,
    return_to: String,
}

impl LoginPage {
    fn new(frame: Frame, problem: Problem, login: &str, return_to: &str) -> Self {
        let return_to = return_address(return_to).unwrap_or_default().to_owned();
        // The link to sign in stands on this very page: it leads nowhere new.
        let frame = Frame { address: return_to.clone(), ..frame.titled(t("Sign in")) };
        Self { frame, problem, login: login.to_owned(), return_to }
    }
}

pub fn answer(visit: &Visit, overview: &Overview, frame: Frame) -> Answer {
    match &visit.step {
        Step::Submit(form) => submit(visit, form, frame),
        _ if overview.viewer.user.is_some() => crate::lead_back(visit.query.get("return")),
        _ => {
            let page = LoginPage::new(frame, Problem::none(), "", visit.query.get("return"));
            answer::page(visit.language, &page)
        }
    }
}

fn submit(visit: &Visit, form: &Fields, frame: Frame) -> Answer {
    let (login, return_to) = (form.trimmed("login"), form.get("return"));
    let problem = match sign_in(visit, login, form.get("password")) {
        Ok(session) => return begin(visit, &session, return_to),
        Err(Error::Unauthenticated) => wrong_login(),
        Err(error) => match Problem::of_store(&error) {
            Some(problem) => problem,
            None => return crate::failed(&error, &frame),
        },
    };
    problem.answer(frame.language, &LoginPage::new(frame, problem.clone(), login, return_to))
}

fn wrong_login() -> Problem {
    let message = t("The name or the password is wrong.");
    Problem::with_status(StatusCode::UNAUTHORIZED, "password", message)
}

/// Begins a session in place of the present one, if the password is right.
pub fn sign_in(visit: &Visit, login: &str, password: &str) -> Result<NewSession, Error> {
    let client = visit.requester.client();
    let challenge = identity::challenge(login, client)?;
    let proof = passwords::prove(&challenge, password).map_err(|error| match error {
        // No account has a password that long.
        Error::Invalid(_) => Error::Unauthenticated,
        error => error,
    })?;
    identity::sign_in(&proof, visit.requester.session().as_deref(), client)
}

/// Hands the session to the browser, and leads to where it wanted to go; a password that has to be
/// changed comes first.
pub fn begin(visit: &Visit, session: &NewSession, return_to: &str) -> Answer {
    let now = time::now();
    let value = cookie::begin_session(&session.token, session.expires, now, visit.is_https);
    let Some(value) = value else {
        return failure::internal(&Frame::bare("/-/login", visit.language));
    };
    let mut answer = match session.user.must_change_password {
        true => answer::see_other(&change_password::address(return_to)),
        false => crate::lead_back(return_to),
    };
    answer.headers_mut().insert(header::SET_COOKIE, value);
    answer
}

/// `/-/logout`: ends the session. By POST only, so that no foreign link can do it.
pub fn sign_out(visit: &Visit, overview: &Overview, frame: Frame) -> Answer {
    let Step::Submit(form) = &visit.step else {
        return failure::method_not_allowed(&frame, "POST");
    };
    if let (Some(session), Some(_)) = (visit.requester.session(), &overview.viewer.user) {
        if let Err(error) = form.check_csrf(&overview.viewer) {
            return failure::of_form(error, &frame);
        }
        if let Err(error) = identity::sign_out(&session, visit.requester.client()) {
            return crate::failed(&error, &frame);
        }
    }
    let mut answer = answer::see_other("/");
    answer.headers_mut().insert(header::SET_COOKIE, cookie::end_session(visit.is_https));
    answer
}

/// The sign-in page's address, coming back to `address` from there.
pub fn address(return_to: &str) -> String {
    format!("/-/login?return={}", encode_component(return_to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    fn render(problem: Problem, login: &str, return_to: &str) -> String {
        LoginPage::new(Frame::bare("/-/login", Language::English), problem, login, return_to)
            .render()
            .unwrap()
    }

    #[test]
    fn the_form_keeps_the_name_and_the_way_back() {
        let page = render(wrong_login(), "bob\"><b>", "/team?x=1");
        assert!(page.contains(r#"value="bob&#34;&#62;&#60;b&#62;""#), "{page}");
        assert!(page.contains(r#"name="return" value="/team?x=1""#), "{page}");
        assert!(page.contains(r#"role="alert""#) && page.contains(r#"aria-invalid="true""#));
    }

    #[test]
    fn a_foreign_way_back_is_dropped() {
        let page = render(Problem::none(), "", "//evil.example");
        assert!(!page.contains("evil"), "{page}");
    }
}
