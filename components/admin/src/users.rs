//! `/-/admin/users`: the list of users.

use crate::AdminVisit;
use crate::limits::PAGE_ENTRIES;
use askama::Template;
use lithe_forge::accounts;
use lithe_forge::types::{Page, User};
use lithe_web::address::encode_component;
use lithe_web::pagination::Position;
use lithe_web::time::{Time, now};
use lithe_web::{Answer, Frame, Pagination, answer, filters, t};

/// The page `/-/admin/users`.
#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    frame: Frame,
    current: &'static str,
    filter: String,
    users: Vec<UserRow>,
    pagination: Pagination,
}

struct UserRow {
    name: String,
    href: String,
    full_name: String,
    email: String,
    is_admin: bool,
    is_active: bool,
    last_sign_in: Option<Time>,
}

pub fn answer(visit: AdminVisit) -> Answer {
    let query = &visit.visit.query;
    let filter = query.trimmed("q");
    let position = Position::parse(query.get("page"), PAGE_ENTRIES);
    let page = Page { offset: position.offset(), limit: position.entries };
    let list =
        visit.requester().call(|credentials, client| accounts::list(credentials, client, filter, page));
    let list = match list {
        Ok(list) => list,
        Err(error) => return visit.failed(&error),
    };
    answer::page(
        visit.frame.language,
        &UsersPage {
            frame: visit.frame.titled(t("Users")),
            current: "users",
            filter: filter.to_owned(),
            pagination: Pagination::new(
                position,
                list.users.len(),
                u64::from(list.total),
                "/-/admin/users",
                filter,
            ),
            users: list.users.iter().map(|user| row(user, now())).collect(),
        },
    )
}

fn row(user: &User, now: i64) -> UserRow {
    UserRow {
        name: user.name.clone(),
        href: format!("/-/admin/users/{}", encode_component(&user.name)),
        full_name: user.full_name.clone(),
        email: user.email.clone(),
        is_admin: user.is_admin,
        is_active: user.is_active,
        last_sign_in: user.last_sign_in.map(|at| Time::new(at, now)),
    }
}
