//! `/-/deleted`: what the viewer has deleted, or owned, and may bring back.

use crate::AdminVisit;
use crate::registry::Registry;
use askama::Template;
use lithe_forge::types::{Error, Repository};
use lithe_web::address::encode_path;
use lithe_web::time::{Time, now};
use lithe_web::{Answer, Fields, Frame, Problem, answer, filters, t};

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The page `/-/deleted`.
#[derive(Template)]
#[template(path = "restore.html")]
struct RestorePage {
    frame: Frame,
    problem: Problem,
    repositories: Vec<RestorableRow>,
}

#[derive(Debug, PartialEq, Eq)]
struct RestorableRow {
    id: u64,
    path: String,
    deleted: Time,
    /// Until when it can be restored; none: that time is over.
    until: Option<Time>,
}

pub fn answer(visit: AdminVisit) -> Answer {
    let problem = match visit.form.map(|form| restore(&visit, form)) {
        None => Problem::none(),
        Some(Ok(repository)) => {
            return answer::see_other(&format!("/{}", encode_path(&repository.path)));
        }
        Some(Err(error)) => match Problem::of_store(&error) {
            Some(problem) => problem,
            None => return visit.failed(&error),
        },
    };
    let repositories = match visit.requester().deleted() {
        Ok(repositories) => repositories,
        Err(error) => return visit.failed(&error),
    };
    let grace_days = visit.overview.site.deletion_grace_days;
    problem
        .answer(visit.frame.language, &page(visit.frame, problem.clone(), &repositories, grace_days, now()))
}

fn restore(visit: &AdminVisit, form: &Fields) -> Result<Repository, Error> {
    let id = form.get("id").parse().map_err(|_| Error::NotFound)?;
    visit.lifecycle().restore(id)
}

fn page(
    frame: Frame,
    problem: Problem,
    repositories: &[Repository],
    grace_days: u32,
    now: i64,
) -> RestorePage {
    let row = |repository: &Repository| {
        let deleted = repository.deleted.unwrap_or_default();
        let until = deleted.saturating_add(i64::from(grace_days) * DAY_SECONDS);
        RestorableRow {
            id: repository.id,
            path: repository.path.clone(),
            deleted: Time::new(deleted, now),
            until: (now < until).then(|| Time::new(until, now)),
        }
    };
    RestorePage {
        frame: frame.titled(t("Deleted repositories")),
        problem,
        repositories: repositories.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    #[test]
    fn a_repository_can_be_restored_until_its_time_is_over() {
        let deleted = |id, path: &str, deleted| Repository {
            id,
            path: path.into(),
            directory: format!(".deleted/{id}.git"),
            description: String::new(),
            is_private: true,
            owner: None,
            created: 0,
            updated: 0,
            deleted: Some(deleted),
        };
        let now = 100 * DAY_SECONDS;
        let repositories =
            [deleted(7, "team/new", now - DAY_SECONDS), deleted(8, "team/old", now - 30 * DAY_SECONDS)];
        let page =
            page(Frame::bare("/-/deleted", Language::English), Problem::none(), &repositories, 30, now);
        let until = |row: &RestorableRow| row.until.as_ref().map(|time| time.relative().to_string());
        assert_eq!(
            page.repositories.iter().map(until).collect::<Vec<_>>(),
            [Some("in 29 days".into()), None]
        );
        let html = page.render().expect("it renders");
        assert!(html.contains("team/new") && html.contains("team/old"), "{html}");
        assert!(
            html.contains(r#"name="id" value="7""#) && !html.contains(r#"name="id" value="8""#),
            "{html}"
        );
    }
}
