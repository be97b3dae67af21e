//! What was done to repositories, for whoever may read them.

use crate::access;
use crate::bindings::exports::lithe::forge::access::{Event, EventList};
use crate::bindings::exports::lithe::forge::settings::Overview;
use crate::identity;
use crate::limits::EVENTS_READ_MAX;
use crate::places::{self, Place};
use crate::settings;
use crate::store::{Call, Store, check_page};
use crate::types::{Error, Page, Permission, Repository, Timestamp};
use rusqlite::Connection;
use std::collections::HashMap;

/// An entry of the journal that is about a repository.
struct Entry {
    id: i64,
    at: Timestamp,
    actor: String,
    action: String,
    repository_id: i64,
    details: String,
}

impl Store {
    pub fn activity(&mut self, call: &Call, before: Option<u64>, limit: u32) -> Result<EventList, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (_, limit) = check_page(Page { offset: 0, limit })?;
            let entries = entries(connection, before)?;
            let mut readable: HashMap<i64, Option<Repository>> = HashMap::new();
            let (mut events, mut next) = (Vec::new(), None);
            for (index, entry) in entries.iter().enumerate() {
                if events.len() >= limit as usize || index == EVENTS_READ_MAX {
                    next = entries.get(index.saturating_sub(1)).map(|last| last.id.cast_unsigned());
                    break;
                }
                let repository = match readable.get(&entry.repository_id) {
                    Some(known) => known.clone(),
                    None => {
                        let row = places::repository(connection, entry.repository_id)?;
                        let row = row.filter(|row| row.wire.deleted.is_none());
                        let place = row.clone().map(Place::Repository);
                        let permission = access::permission(connection, &principal, place.as_ref())?;
                        let repository = row.map(|row| row.wire).filter(|_| permission != Permission::None);
                        readable.insert(entry.repository_id, repository.clone());
                        repository
                    }
                };
                events.extend(repository.map(|repository| Event {
                    id: entry.id.cast_unsigned(),
                    at: entry.at,
                    actor: entry.actor.clone(),
                    action: entry.action.clone(),
                    repository,
                    details: entry.details.clone(),
                }));
            }
            let overview = Overview { viewer: principal.viewer, site: settings::site(connection)? };
            Ok(EventList { overview, events, next })
        })
    }
}

/// The entries about repositories before one, the latest first: one more than are looked at.
fn entries(connection: &Connection, before: Option<u64>) -> Result<Vec<Entry>, Error> {
    let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(
        "SELECT id, at, actor, action, repository_id, details FROM journal INDEXED BY journal_events
         WHERE repository_id IS NOT NULL AND id < ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let entries = statement.query_map((before, (EVENTS_READ_MAX + 1) as i64), |row| {
        Ok(Entry {
            id: row.get(0)?,
            at: row.get(1)?,
            actor: row.get(2)?,
            action: row.get(3)?,
            repository_id: row.get(4)?,
            details: row.get(5)?,
        })
    })?;
    Ok(entries.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::exports::lithe::forge::repositories::Grantee;
    use crate::testing::{Forge, outcome};

    fn events(forge: &mut Forge, call: &Call, before: Option<u64>, limit: u32) -> (Vec<String>, Option<u64>) {
        let activity = forge.store.activity(call, before, limit).expect("events");
        let line = |event: &Event| {
            format!("{} {} {} {}", event.actor, event.action, event.repository.path, event.details)
        };
        (activity.events.iter().map(line).collect(), activity.next)
    }

    #[test]
    fn each_viewer_is_told_of_what_that_viewer_may_read_now() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "open", false);
        forge.repository(&root, "closed", true);
        forge.store.record_push(&root, "open", "refs/heads/main").expect("an entry");
        forge.store.record_push(&root, "closed", "refs/heads/secret").expect("an entry");
        let public = ["root push open refs/heads/main", "root repository.create open "];
        let all = [
            "root push closed refs/heads/secret",
            "root push open refs/heads/main",
            "root repository.create closed private",
            "root repository.create open ",
        ];
        let (stranger, anna) = (forge.anonymous(), forge.session("anna"));
        assert_eq!(events(&mut forge, &stranger, None, 10).0, public);
        assert_eq!(events(&mut forge, &anna, None, 10).0, public);
        assert_eq!(events(&mut forge, &root, None, 10).0, all);
        forge.grant("closed", Grantee::User("anna".into()), Permission::Read);
        assert_eq!(events(&mut forge, &anna, None, 10).0, all);
        let token = forge.token("anna", Permission::Read);
        assert_eq!(events(&mut forge, &token, None, 10).0, all);
        forge.grant("closed", Grantee::User("anna".into()), Permission::None);
        assert_eq!(events(&mut forge, &anna, None, 10).0, public);
        // What is deleted is gone, and another repository at its path has no part in its past.
        forge.store.delete_repository(&root, "closed").expect("it is deleted");
        forge.repository(&root, "closed", false);
        assert_eq!(events(&mut forge, &stranger, None, 1).0, ["root repository.create closed "]);
        assert_eq!(events(&mut forge, &stranger, None, 10).0[1..], public);
    }

    #[test]
    fn events_come_page_by_page_and_few_are_looked_at() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "open", false);
        forge.repository(&root, "closed", true);
        for number in 0..3 {
            forge.store.record_push(&root, "open", &number.to_string()).expect("an entry");
        }
        let stranger = forge.anonymous();
        let (first, next) = events(&mut forge, &stranger, None, 2);
        assert_eq!(first, ["root push open 2", "root push open 1"]);
        assert_eq!(
            events(&mut forge, &stranger, next, 2),
            (vec!["root push open 0".into(), "root repository.create open ".into()], None)
        );
        let closed = forge.value::<i64>("SELECT id FROM repositories WHERE path = 'closed'");
        forge.sql(&format!(
            "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < {EVENTS_READ_MAX})
             INSERT INTO journal (at, actor, address, action, subject, details, repository_id)
             SELECT 0, '', '', 'push', 'closed', '', {closed} FROM n"
        ));
        let (none, next) = events(&mut forge, &stranger, None, 2);
        assert!(none.is_empty() && next.is_some());
        assert_eq!(events(&mut forge, &stranger, next, 2).0, first);
        let page_too_large = outcome(forge.store.activity(&stranger, None, u32::MAX));
        assert!(page_too_large.starts_with("invalid"), "{page_too_large}");
    }
}
