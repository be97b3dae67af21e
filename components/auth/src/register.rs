//! Making one's own account, where the site allows it.

use crate::sign_in;
use askama::Template;
use http::StatusCode;
use lithe_forge::accounts::{self, NewUser};
use lithe_forge::settings::Overview;
use lithe_forge::types::{Error, InvalidField};
use lithe_forge::{identity, passwords};
use lithe_web::visit::Step;
use lithe_web::{Answer, Fields, Frame, Problem, Visit, answer, filters, t};

/// The page `/-/register`.
#[derive(Template)]
#[template(path = "register.html")]
struct RegisterPage {
    frame: Frame,
    problem: Problem,
    is_open: bool,
    name: String,
    full_name: String,
    email: String,
}

impl RegisterPage {
    fn new(frame: Frame, problem: Problem, form: &Fields) -> Self {
        Self {
            is_open: frame.is_registration_open,
            frame: frame.titled(t("Register")),
            problem,
            name: form.trimmed("name").to_owned(),
            full_name: form.trimmed("full-name").to_owned(),
            email: form.trimmed("email").to_owned(),
        }
    }
}

pub fn answer(visit: &Visit, overview: &Overview, frame: Frame) -> Answer {
    if overview.viewer.user.is_some() {
        return answer::see_other("/");
    }
    if !overview.site.registration {
        let page = RegisterPage::new(frame, Problem::none(), &Fields::default());
        return answer::page_with_status(StatusCode::NOT_FOUND, visit.language, &page);
    }
    let Step::Submit(form) = &visit.step else {
        return answer::page(visit.language, &RegisterPage::new(frame, Problem::none(), &Fields::default()));
    };
    let problem = match register(visit, form) {
        Ok(()) => return welcome(visit, form, frame),
        Err(problem) => problem,
    };
    match problem {
        Ok(problem) => problem.answer(frame.language, &RegisterPage::new(frame, problem.clone(), form)),
        Err(error) => crate::failed(&error, &frame),
    }
}

/// Makes the account, or says what is wrong with the form, or why it could not be done.
fn register(visit: &Visit, form: &Fields) -> Result<(), Result<Problem, Error>> {
    if let Some(problem) = crate::password::repetition_problem(form) {
        return Err(Ok(problem));
    }
    let register = || {
        // The password is not hashed, which takes its time, for whoever tries without end. It counts
        // as an attempt to sign in, which this becomes.
        identity::challenge(form.trimmed("name"), visit.requester.client()).map_err(|error| match error {
            Error::Unauthenticated => too_long(),
            error => error,
        })?;
        let password = passwords::seal(form.get("password"))?;
        let new_user = NewUser {
            name: form.trimmed("name").to_owned(),
            full_name: form.trimmed("full-name").to_owned(),
            email: form.trimmed("email").to_owned(),
            password,
            is_admin: false,
            must_change_password: false,
        };
        accounts::register(&new_user, visit.requester.client())
    };
    match register() {
        Ok(_) => Ok(()),
        Err(error) => Err(Problem::of_store(&error).ok_or(error)),
    }
}

/// No login is that long.
fn too_long() -> Error {
    Error::Invalid(InvalidField { name: "name".to_owned(), reason: "it is too long".to_owned() })
}

/// Signs the new user in at once.
fn welcome(visit: &Visit, form: &Fields, frame: Frame) -> Answer {
    match sign_in::sign_in(visit, form.trimmed("name"), form.get("password")) {
        Ok(session) => sign_in::begin(visit, &session, "/"),
        Err(Error::Unauthenticated | Error::Throttled(_)) => answer::see_other("/-/login"),
        Err(error) => crate::failed(&error, &frame),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    #[test]
    fn the_form_keeps_all_but_the_password() {
        let form = b"name=eve&full-name=Eve+E&email=e@x&password=sesame-sesame&repeat=sesame";
        let form = Fields::parse(form).unwrap();
        let frame = Frame { is_registration_open: true, ..Frame::bare("/-/register", Language::English) };
        let problem = crate::password::repetition_problem(&form).expect("they differ");
        let page = RegisterPage::new(frame, problem, &form).render().unwrap();
        for kept in [r#"value="eve""#, r#"value="Eve E""#, r#"value="e@x""#] {
            assert!(page.contains(kept), "{page}");
        }
        assert!(!page.contains("sesame"), "{page}");
    }

    #[test]
    fn a_closed_registration_has_no_form() {
        let frame = Frame::bare("/-/register", Language::English);
        let page = RegisterPage::new(frame, Problem::none(), &Fields::default()).render().unwrap();
        assert!(!page.contains("action=\"/-/register\""), "{page}");
    }
}
