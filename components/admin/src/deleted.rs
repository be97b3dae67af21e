//! `/-/admin/repositories/deleted`: bringing deleted repositories back, or forgetting them.

use crate::AdminVisit;
use crate::registry::Registry;
use askama::Template;
use lithe_forge::types::{Error, Repository};
use lithe_web::time::{Time, now};
use lithe_web::{Answer, Fields, Frame, Problem, answer, filters, t};

/// The page `/-/admin/repositories/deleted`.
#[derive(Template)]
#[template(path = "deleted.html")]
struct DeletedPage {
    frame: Frame,
    current: &'static str,
    problem: Problem,
    repositories: Vec<DeletedRow>,
    grace_days: u32,
}

struct DeletedRow {
    id: u64,
    path: String,
    deleted: Time,
}

pub fn answer(visit: AdminVisit) -> Answer {
    let problem = match visit.form.map(|form| act(&visit, form)) {
        None => Problem::none(),
        Some(Ok(done)) => {
            return answer::see_other(&format!("/-/admin/repositories/deleted?done={done}"));
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
    let notice = match visit.visit.query.get("done") {
        "restored" => Some(t("The repository is back at its path.")),
        "purged" => Some(t("The repository is gone for good.")),
        _ => None,
    };
    let is_first_look = visit.form.is_none();
    let page = DeletedPage {
        current: "repositories",
        problem: problem.clone(),
        repositories: repositories.iter().map(|repository| row(repository, now())).collect(),
        grace_days: visit.overview.site.deletion_grace_days,
        frame: Frame {
            notice: notice.filter(|_| is_first_look),
            ..visit.frame.titled(t("Deleted repositories"))
        },
    };
    problem.answer(page.frame.language, &page)
}

/// Does what the form says, and returns the word for it.
fn act(visit: &AdminVisit, form: &Fields) -> Result<&'static str, Error> {
    let id = form.get("id").parse().map_err(|_| Error::NotFound)?;
    match form.get("do") {
        "restore" => visit.lifecycle().restore(id).map(|_| "restored"),
        "purge" => visit.lifecycle().purge(id).map(|_| "purged"),
        _ => Err(Error::NotFound),
    }
}

fn row(repository: &Repository, now: i64) -> DeletedRow {
    DeletedRow {
        id: repository.id,
        path: repository.path.clone(),
        deleted: Time::new(repository.deleted.unwrap_or_default(), now),
    }
}
