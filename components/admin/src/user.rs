//! `/-/admin/users/…`: making and changing one user.

use crate::AdminVisit;
use crate::limits::MADE_UP_PASSWORD_CHARACTERS;
use crate::secret;
use askama::Template;
use lithe_forge::accounts::{self, NewUser, SigningKey, UserChange};
use lithe_forge::passwords;
use lithe_forge::types::{Error, User};
use lithe_web::address::encode_component;
use lithe_web::{Answer, Fields, Frame, Problem, answer, filters, t};

/// The page `/-/admin/users/new`.
#[derive(Template)]
#[template(path = "new_user.html")]
struct NewUserPage {
    frame: Frame,
    current: &'static str,
    problem: Problem,
    name: String,
    full_name: String,
    email: String,
    is_admin: bool,
}

/// The page `/-/admin/users/<name>`.
#[derive(Template)]
#[template(path = "user.html")]
struct UserPage {
    frame: Frame,
    current: &'static str,
    problem: Problem,
    href: String,
    user: User,
    /// A password that was made up, shown this once.
    secret: Option<String>,
    keys: Vec<SigningKey>,
}

pub fn create(visit: AdminVisit) -> Answer {
    let Some(form) = visit.form else {
        return answer::page(
            visit.frame.language,
            &new_page(visit.frame, Problem::none(), &Fields::default()),
        );
    };
    let (password, made_up) = password(form);
    let made = passwords::seal(&password).and_then(|password| {
        let new = NewUser {
            name: form.trimmed("name").to_owned(),
            full_name: form.trimmed("full-name").to_owned(),
            email: form.trimmed("email").to_owned(),
            password,
            is_admin: form.is_checked("is-admin"),
            must_change_password: made_up.is_some(),
        };
        visit.requester().call(|credentials, client| accounts::create(credentials, client, &new))
    });
    let error = match (made, made_up) {
        (Ok(user), None) => return answer::see_other(&format!("{}?done=made", href(&user.name))),
        (Ok(user), secret) => return show(visit, Problem::none(), user, secret),
        (Err(error), _) => error,
    };
    match Problem::of_store(&error) {
        Some(problem) => problem.answer(visit.frame.language, &new_page(visit.frame, problem.clone(), form)),
        None => visit.failed(&error),
    }
}

fn new_page(frame: Frame, problem: Problem, form: &Fields) -> NewUserPage {
    NewUserPage {
        frame: frame.titled(t("New user")),
        current: "users",
        problem,
        name: form.trimmed("name").to_owned(),
        full_name: form.trimmed("full-name").to_owned(),
        email: form.trimmed("email").to_owned(),
        is_admin: form.is_checked("is-admin"),
    }
}

pub fn edit(visit: AdminVisit, name: &str) -> Answer {
    let user = visit.requester().call(|credentials, client| accounts::get(credentials, client, name));
    let user = match user {
        Ok(user) => user,
        Err(error) => return visit.failed(&error),
    };
    let Some(form) = visit.form else {
        return show(visit, Problem::none(), user, None);
    };
    let changed = match form.get("do") {
        "password" => set_password(&visit, &user.name, form),
        "remove-key" => remove_key(&visit, &user.name, form).map(|()| None),
        _ => change(&visit, &user.name, form).map(|()| None),
    };
    match changed {
        Ok(None) => answer::see_other(&format!("{}?done=saved", href(&user.name))),
        Ok(secret) => show(visit, Problem::none(), user, secret),
        Err(error) => match Problem::of_store(&error) {
            Some(problem) => show(visit, problem, user, None),
            None => visit.failed(&error),
        },
    }
}

fn change(visit: &AdminVisit, name: &str, form: &Fields) -> Result<(), Error> {
    let change = UserChange {
        full_name: Some(form.trimmed("full-name").to_owned()),
        email: Some(form.trimmed("email").to_owned()),
        is_admin: Some(form.is_checked("is-admin")),
        is_active: Some(form.is_checked("is-active")),
        must_change_password: None,
        language: None,
    };
    visit
        .requester()
        .call(|credentials, client| accounts::update(credentials, client, name, &change))
        .map(|_| ())
}

fn remove_key(visit: &AdminVisit, name: &str, form: &Fields) -> Result<(), Error> {
    let id = form.get("id").parse().map_err(|_| Error::NotFound)?;
    visit.requester().call(|credentials, client| accounts::remove_signing_key(credentials, client, name, id))
}

/// Sets a password, and returns it if it was made up.
fn set_password(visit: &AdminVisit, name: &str, form: &Fields) -> Result<Option<String>, Error> {
    let (password, made_up) = password(form);
    let sealed = passwords::seal(&password)?;
    let requester = visit.requester();
    requester.call(|credentials, client| accounts::set_password(credentials, client, name, None, &sealed))?;
    let change = UserChange {
        full_name: None,
        email: None,
        is_admin: None,
        is_active: None,
        must_change_password: Some(true),
        language: None,
    };
    requester.call(|credentials, client| accounts::update(credentials, client, name, &change))?;
    Ok(made_up)
}

/// The password of the form, or one that is made up, and then the same to be shown.
fn password(form: &Fields) -> (String, Option<String>) {
    match form.get("password") {
        "" => {
            let password = secret::letters(MADE_UP_PASSWORD_CHARACTERS);
            (password.clone(), Some(password))
        }
        password => (password.to_owned(), None),
    }
}

fn show(visit: AdminVisit, problem: Problem, user: User, secret: Option<String>) -> Answer {
    let notice = match visit.visit.query.get("done") {
        "made" => Some(t("The user is made.")),
        "saved" => Some(t("The changes are saved.")),
        _ => None,
    };
    let is_first_look = visit.form.is_none();
    let keys =
        visit.requester().call(|credentials, client| accounts::signing_keys(credentials, client, &user.name));
    let keys = match keys {
        Ok(keys) => keys,
        Err(error) => return visit.failed(&error),
    };
    let page = UserPage {
        frame: Frame { notice: notice.filter(|_| is_first_look), ..visit.frame.titled(user.name.clone()) },
        current: "users",
        problem: problem.clone(),
        href: href(&user.name),
        user,
        secret,
        keys,
    };
    problem.answer(page.frame.language, &page)
}

fn href(name: &str) -> String {
    format!("/-/admin/users/{}", encode_component(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    #[test]
    fn a_password_is_made_up_where_none_is_typed() {
        let typed = password(&Fields::parse(b"password=sesame-sesame").unwrap());
        assert_eq!(typed, ("sesame-sesame".to_owned(), None));
        let (made_up, shown) = password(&Fields::parse(b"password=").unwrap());
        assert_eq!(made_up.len(), MADE_UP_PASSWORD_CHARACTERS);
        assert_eq!(shown, Some(made_up));
    }

    #[test]
    fn a_password_that_was_typed_is_not_shown_again() {
        let form = Fields::parse(b"name=eve&password=sesame-sesame&is-admin=true").unwrap();
        let frame = Frame::bare("/-/admin/users/new", Language::English);
        let page = new_page(frame, Problem::with_field("name", t("taken")), &form).render().unwrap();
        assert!(page.contains("value=\"eve\"") && !page.contains("sesame"), "{page}");
        assert!(page.contains("checked"), "{page}");
    }
}
