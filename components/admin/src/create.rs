//! `/-/new/…`: making repositories and groups.

use crate::AdminVisit;
use askama::Template;
use lithe_forge::repositories::{self, NewRepository};
use lithe_git::format::ObjectFormat;
use lithe_web::address::encode_path;
use lithe_web::{Answer, Fields, Frame, Problem, answer, filters, t};

/// The page `/-/new/repository`.
#[derive(Template)]
#[template(path = "new_repository.html")]
struct NewRepositoryPage {
    frame: Frame,
    problem: Problem,
    path: String,
    description: String,
    is_private: bool,
    is_public_by_default: bool,
    is_sha256: bool,
}

/// The page `/-/new/group`.
#[derive(Template)]
#[template(path = "new_group.html")]
struct NewGroupPage {
    frame: Frame,
    problem: Problem,
    path: String,
    description: String,
}

pub fn repository(visit: AdminVisit) -> Answer {
    let is_public_by_default = visit.overview.site.public_by_default;
    let Some(form) = visit.form else {
        let form = Fields::default();
        let path = below(visit.visit.query.trimmed("group"));
        let page = repository_page(visit.frame, Problem::none(), path, &form, is_public_by_default);
        return answer::page(page.frame.language, &page);
    };
    let new = NewRepository {
        path: plain_path(form.get("path")),
        description: form.trimmed("description").to_owned(),
        is_private: form.is_checked("is-private"),
    };
    let object_format = match form.is_checked("is-sha256") {
        true => ObjectFormat::Sha256,
        false => ObjectFormat::Sha1,
    };
    let error = match visit.lifecycle().create(&new, object_format) {
        Ok(made) => return answer::see_other(&format!("/{}", encode_path(&made.path))),
        Err(error) => error,
    };
    match Problem::of_store(&error) {
        Some(problem) => problem.answer(
            visit.frame.language,
            &repository_page(visit.frame, problem.clone(), new.path, form, is_public_by_default),
        ),
        None => visit.failed(&error),
    }
}

fn repository_page(
    frame: Frame,
    problem: Problem,
    path: String,
    form: &Fields,
    is_public_by_default: bool,
) -> NewRepositoryPage {
    NewRepositoryPage {
        frame: frame.titled(t("New repository")),
        problem,
        path,
        description: form.trimmed("description").to_owned(),
        is_private: form.is_checked("is-private"),
        is_public_by_default,
        is_sha256: form.is_checked("is-sha256"),
    }
}

pub fn group(visit: AdminVisit) -> Answer {
    let Some(form) = visit.form else {
        let path = below(visit.visit.query.trimmed("group"));
        return answer::page(
            visit.frame.language,
            &group_page(visit.frame, Problem::none(), path, &Fields::default()),
        );
    };
    let path = plain_path(form.get("path"));
    let description = form.trimmed("description");
    let made = visit
        .requester()
        .call(|credentials, client| repositories::create_group(credentials, client, &path, description));
    let error = match made {
        Ok(made) => return answer::see_other(&format!("/{}", encode_path(&made.path))),
        Err(error) => error,
    };
    match Problem::of_store(&error) {
        Some(problem) => {
            problem.answer(visit.frame.language, &group_page(visit.frame, problem.clone(), path, form))
        }
        None => visit.failed(&error),
    }
}

fn group_page(frame: Frame, problem: Problem, path: String, form: &Fields) -> NewGroupPage {
    let description = form.trimmed("description").to_owned();
    NewGroupPage { frame: frame.titled(t("New group")), problem, path, description }
}

/// The beginning of a path in a group, for the field of a new path.
fn below(group: &str) -> String {
    match lithe_access::RepoPath::parse(group) {
        Ok(group) => format!("{group}/"),
        Err(_) => String::new(),
    }
}

/// A path as people type it, without slashes and white space at its ends.
pub fn plain_path(text: &str) -> String {
    text.trim().trim_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    #[test]
    fn paths_are_taken_as_they_are_typed() {
        assert_eq!(plain_path(" /team/demo/ "), "team/demo");
        assert_eq!(below("team"), "team/");
        assert_eq!(below(""), "");
        assert_eq!(below("../x"), "");
    }

    #[test]
    fn the_form_keeps_what_was_typed() {
        let form = Fields::parse(b"description=D+%3Cb%3E&is-private=true").unwrap();
        let problem = Problem::with_field("path", t("taken"));
        let frame = Frame::bare("/-/new/repository", Language::English);
        let page = repository_page(frame, problem, "a/b".into(), &form, true).render().unwrap();
        crate::place_settings::golden("new_repository", &page);
    }
}
