//! `/-/admin/repositories`: every repository, and what lies on disk besides.

use crate::AdminVisit;
use crate::lifecycle::Scan;
use crate::limits::PAGE_ENTRIES;
use askama::Template;
use lithe_forge::repositories;
use lithe_forge::types::{Page, Repository};
use lithe_web::address::encode_path;
use lithe_web::pagination::Position;
use lithe_web::time::{Time, now};
use lithe_web::{Answer, Frame, Pagination, answer, filters, t};

/// The page `/-/admin/repositories`.
#[derive(Template)]
#[template(path = "repositories.html")]
struct RepositoriesPage {
    frame: Frame,
    current: &'static str,
    repositories: Vec<RepositoryRow>,
    /// What the scan did, if there was one.
    scan: Option<Scan>,
    pagination: Pagination,
}

struct RepositoryRow {
    path: String,
    href: String,
    owner: Option<String>,
    is_private: bool,
    is_deleted: bool,
    updated: Time,
}

pub fn answer(visit: AdminVisit) -> Answer {
    let scan = match visit.form.map(|_| visit.lifecycle().scan()) {
        None => None,
        Some(Ok(scan)) => Some(scan),
        Some(Err(error)) => return visit.failed(&error),
    };
    let position = Position::parse(visit.visit.query.get("page"), PAGE_ENTRIES);
    // One more than is shown says whether there is a next page.
    let page = Page { offset: position.offset(), limit: position.entries + 1 };
    let mut repositories =
        match visit.requester().call(|credentials, client| repositories::all(credentials, client, page)) {
            Ok(repositories) => repositories,
            Err(error) => return visit.failed(&error),
        };
    let has_next = repositories.len() > PAGE_ENTRIES as usize;
    repositories.truncate(PAGE_ENTRIES as usize);
    answer::page(
        visit.frame.language,
        &RepositoriesPage {
            frame: visit.frame.titled(t("Repositories")),
            current: "repositories",
            repositories: repositories.iter().map(|repository| row(repository, now())).collect(),
            scan,
            pagination: Pagination::open(position, has_next, "/-/admin/repositories", ""),
        },
    )
}

fn row(repository: &Repository, now: i64) -> RepositoryRow {
    RepositoryRow {
        path: repository.path.clone(),
        href: format!("/{}", encode_path(&repository.path)),
        owner: repository.owner.clone(),
        is_private: repository.is_private,
        is_deleted: repository.deleted.is_some(),
        updated: Time::new(repository.updated, now),
    }
}
