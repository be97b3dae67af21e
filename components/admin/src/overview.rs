//! `/-/admin/`: the site at a glance.

use crate::AdminVisit;
use crate::journal::{JournalRow, rows};
use crate::registry::Registry;
use askama::Template;
use lithe_forge::types::{Error, Page};
use lithe_forge::{accounts, journal};
use lithe_web::time::now;
use lithe_web::{Answer, Frame, Text, answer, filters, t};

/// Entries of the journal that are shown.
const ENTRIES_SHOWN: u32 = 10;

/// The page `/-/admin/`.
#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    current: &'static str,
    users: Text,
    deleted: Text,
    is_registration_open: bool,
    entries: Vec<JournalRow>,
}

pub fn answer(visit: AdminVisit) -> Answer {
    match page(&visit) {
        Ok(page) => answer::page(page.frame.language, &page),
        Err(error) => visit.failed(&error),
    }
}

fn page(visit: &AdminVisit) -> Result<OverviewPage, Error> {
    let requester = visit.requester();
    let users = requester
        .call(|credentials, client| accounts::list(credentials, client, "", Page { offset: 0, limit: 1 }))?;
    let journal = requester.call(|credentials, client| {
        journal::list(credentials, client, "", Page { offset: 0, limit: ENTRIES_SHOWN })
    })?;
    Ok(OverviewPage {
        frame: visit.frame.clone().titled(t("Administration")),
        current: "",
        users: Text::number(users.total),
        deleted: Text::number(requester.deleted()?.len()),
        is_registration_open: visit.overview.site.registration,
        entries: rows(&journal.entries, now()),
    })
}
