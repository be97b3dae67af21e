//! `/-/admin/journal`: who did what, and from where.

use crate::AdminVisit;
use crate::limits::PAGE_ENTRIES;
use askama::Template;
use lithe_forge::journal::{self, Entry};
use lithe_forge::types::Page;
use lithe_web::pagination::Position;
use lithe_web::time::{Time, now};
use lithe_web::{Answer, Frame, Pagination, Text, answer, filters, t};

/// The page `/-/admin/journal`.
#[derive(Template)]
#[template(path = "journal.html")]
struct JournalPage {
    frame: Frame,
    current: &'static str,
    filter: String,
    entries: Vec<JournalRow>,
    pagination: Pagination,
}

/// An entry as a page shows it.
#[derive(Debug, PartialEq, Eq)]
pub struct JournalRow {
    pub at: Time,
    pub actor: Text,
    pub address: String,
    pub action: String,
    pub subject: String,
    pub details: String,
}

pub fn answer(visit: AdminVisit) -> Answer {
    let query = &visit.visit.query;
    let filter = query.trimmed("q");
    let position = Position::parse(query.get("page"), PAGE_ENTRIES);
    let page = Page { offset: position.offset(), limit: position.entries };
    let list = visit.requester().call(|credentials, client| journal::list(credentials, client, filter, page));
    let list = match list {
        Ok(list) => list,
        Err(error) => return visit.failed(&error),
    };
    let entries = rows(&list.entries, now());
    let pagination = Pagination::new(position, entries.len(), list.total, "/-/admin/journal", filter);
    answer::page(
        visit.frame.language,
        &JournalPage {
            current: "journal",
            filter: filter.to_owned(),
            entries,
            pagination,
            frame: visit.frame.titled(t("Journal")),
        },
    )
}

/// Entries as a page shows them.
pub fn rows(entries: &[Entry], now: i64) -> Vec<JournalRow> {
    let row = |entry: &Entry| JournalRow {
        at: Time::new(entry.at, now),
        actor: match entry.actor.as_str() {
            "" => t("(anonymous)"),
            actor => Text::verbatim(actor.to_owned()),
        },
        address: entry.address.clone(),
        action: entry.action.clone(),
        subject: entry.subject.clone(),
        details: entry.details.clone(),
    };
    entries.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    #[test]
    fn entries_are_shown_as_text() {
        let entry = Entry {
            at: 0,
            actor: String::new(),
            address: "192.0.2.1".into(),
            action: "push".into(),
            subject: "<b>".into(),
            details: "main\nside".into(),
        };
        let page = JournalPage {
            frame: Frame::bare("/-/admin/journal", Language::English).titled(t("Journal")),
            current: "journal",
            filter: "\"".into(),
            entries: rows(&[entry], 60),
            pagination: Pagination::new(Position::parse("", 50), 1, 1, "/", ""),
        };
        let page = page.render().unwrap();
        assert!(page.contains("(anonymous)") && page.contains("&#60;b&#62;"), "{page}");
        assert!(page.contains("1 minute ago"));
    }
}
