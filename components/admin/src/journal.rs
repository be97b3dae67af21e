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
    pub action: Text,
    /// The name of the action, by which entries are found.
    pub action_name: String,
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
        action: in_words(&entry.action),
        action_name: entry.action.clone(),
        subject: entry.subject.clone(),
        details: entry.details.clone(),
    };
    entries.iter().map(row).collect()
}

/// What was done, in words; an action that has none is its name.
fn in_words(action: &str) -> Text {
    match action {
        "push" => t("Pushed"),
        "user.register" => t("Registered"),
        "user.create" => t("Made a user"),
        "user.update" => t("Changed a user"),
        "user.password" => t("Set a password"),
        "user.sign-in" => t("Signed in"),
        "user.sign-in-failed" => t("Failed to sign in"),
        "user.sign-out" => t("Signed out"),
        "user.session-revoke" => t("Ended a session"),
        "user.token-create" => t("Made an access token"),
        "user.token-revoke" => t("Ended an access token"),
        "user.key-add" => t("Added a signing key"),
        "user.key-remove" => t("Removed a signing key"),
        "settings.update" => t("Changed the settings"),
        "repository.create" => t("Made a repository"),
        "repository.update" => t("Changed a repository"),
        "repository.rename" => t("Renamed a repository"),
        "repository.delete" => t("Deleted a repository"),
        "repository.restore" => t("Restored a repository"),
        "repository.purge" => t("Removed a repository for good"),
        "repository.quota" => t("Set the room of a repository"),
        "repository.check" => t("Checked a repository"),
        "group.create" => t("Made a group"),
        "group.update" => t("Changed a group"),
        "group.delete" => t("Deleted a group"),
        "grant.set" => t("Set a permission"),
        "push-rules.set" => t("Set the rules for pushes"),
        "push-rules.protect" => t("Protected branches or tags"),
        "push-rules.unprotect" => t("Ended a protection"),
        "lock.break" => t("Broke a lock"),
        "issue-links.set" => t("Set the links of issues"),
        other => Text::verbatim(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;
    use std::collections::BTreeSet;
    use std::path::Path;

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
        assert!(page.contains(">Pushed</span>") && page.contains("<code>push</code>"), "{page}");
    }

    #[test]
    fn every_action_of_the_store_has_words() {
        let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/src");
        let mut actions = BTreeSet::new();
        for entry in std::fs::read_dir(store).expect("the store's sources") {
            let code = std::fs::read_to_string(entry.expect("an entry").path()).unwrap_or_default();
            let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let named = |part: &str| part.split('"').next().unwrap_or_default().to_owned();
            actions.extend(code.split("call, \"").skip(1).map(named).filter(|name| name.contains('.')));
        }
        assert!(actions.len() > 20, "{actions:?}");
        for action in actions {
            assert_ne!(in_words(&action), Text::verbatim(action.clone()), "{action}");
        }
    }
}
