//! Who did what, and from where.

use crate::access;
use crate::bindings::exports::lithe::forge::journal::{Entry, EntryList};
use crate::failure::invalid;
use crate::identity::{self, Principal};
use crate::limits::{ACTION_BYTES_MAX, DETAILS_BYTES_MAX, JOURNAL_ENTRIES_MAX, JOURNAL_TRIM_ENTRIES};
use crate::places::Place;
use crate::store::{Call, Store, check_page, check_text, cut, pattern};
use crate::types::{Error, Page, Permission, Timestamp};
use rusqlite::{Connection, named_params};

/// The entries that a filter finds.
const MATCHES: &str =
    r"actor LIKE :pattern ESCAPE '\' OR action LIKE :pattern ESCAPE '\' OR subject LIKE :pattern ESCAPE '\'";

/// Enters what `principal` did, and removes the oldest entries past the limit now and then.
pub fn enter(
    connection: &Connection,
    principal: &Principal,
    call: &Call,
    action: &str,
    subject: &str,
    details: &str,
) -> Result<(), Error> {
    let details = cut(details, DETAILS_BYTES_MAX);
    write(connection, call.now, [principal.name(), &call.client.address, action, subject, details])
}

/// As [`enter`], of what whoever may read the repository may read of too.
pub fn enter_event(
    connection: &Connection,
    principal: &Principal,
    call: &Call,
    action: &str,
    (repository_id, path): (i64, &str),
    details: &str,
) -> Result<(), Error> {
    enter(connection, principal, call, action, path, details)?;
    connection
        .prepare_cached("UPDATE journal SET repository_id = ?1 WHERE id = ?2")?
        .execute((repository_id, connection.last_insert_rowid()))?;
    Ok(())
}

/// Writes an entry: actor, address, action, subject and details.
pub fn write(connection: &Connection, at: Timestamp, texts: [&str; 5]) -> Result<(), Error> {
    let [actor, address, action, subject, details] = texts;
    connection
        .prepare_cached("INSERT INTO journal (at, actor, address, action, subject, details) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute((at, actor, address, action, subject, details))?;
    trim(connection, connection.last_insert_rowid(), JOURNAL_ENTRIES_MAX)
}

fn trim(connection: &Connection, newest: i64, entries_max: i64) -> Result<(), Error> {
    if newest % JOURNAL_TRIM_ENTRIES == 0 {
        connection.prepare_cached("DELETE FROM journal WHERE id <= ?1")?.execute([newest - entries_max])?;
    }
    Ok(())
}

impl Store {
    pub fn record_push(&mut self, call: &Call, path: &str, details: &str) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Write)?;
            let Place::Repository(repository) = found.place else {
                return Err(Error::NotFound);
            };
            connection
                .prepare_cached("UPDATE repositories SET updated = ?1 WHERE id = ?2")?
                .execute((call.now, repository.id))?;
            let about = (repository.id, repository.wire.path.as_str());
            enter_event(connection, &principal, call, "push", about, details)
        })
    }

    pub fn record_action(
        &mut self,
        call: &Call,
        path: &str,
        action: &str,
        details: &str,
    ) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Admin)?;
            check_text("action", action, ACTION_BYTES_MAX)?;
            if action.is_empty() {
                return Err(invalid("action", "it cannot be empty"));
            }
            enter(connection, &principal, call, action, found.place.path(), details)
        })
    }

    pub fn journal(&mut self, call: &Call, filter: &str, page: Page) -> Result<EntryList, Error> {
        self.transact(call.now, |connection, memory| {
            identity::resolve(connection, memory, call)?.require_site_admin()?;
            let (offset, limit) = check_page(page)?;
            if filter.is_empty() {
                everything(connection, offset, limit)
            } else {
                matching(connection, filter, offset, limit)
            }
        })
    }
}

/// A page of all entries. Numbers have no gaps, so that neither the total nor the place of the
/// page has to be counted.
fn everything(connection: &Connection, offset: u32, limit: u32) -> Result<EntryList, Error> {
    let (oldest, newest): (i64, i64) = connection
        .prepare_cached(
            "SELECT ifnull((SELECT min(id) FROM journal), 1), ifnull((SELECT max(id) FROM journal), 0)",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut statement = connection.prepare_cached(
        "SELECT at, actor, address, action, subject, details FROM journal WHERE id <= ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let entries = statement.query_map((newest - i64::from(offset), limit), read)?;
    Ok(EntryList {
        entries: entries.collect::<Result<_, _>>()?,
        total: (newest - oldest + 1).max(0).cast_unsigned(),
    })
}

fn matching(connection: &Connection, filter: &str, offset: u32, limit: u32) -> Result<EntryList, Error> {
    let pattern = pattern(filter)?;
    let total: i64 = connection
        .prepare_cached(&format!("SELECT count(*) FROM journal WHERE {MATCHES}"))?
        .query_row(named_params! { ":pattern": pattern }, |row| row.get(0))?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT at, actor, address, action, subject, details FROM journal WHERE {MATCHES} ORDER BY id DESC LIMIT :limit OFFSET :offset"
    ))?;
    let entries = statement
        .query_map(named_params! { ":pattern": pattern, ":limit": limit, ":offset": offset }, read)?;
    Ok(EntryList { entries: entries.collect::<Result<_, _>>()?, total: total.cast_unsigned() })
}

fn read(row: &rusqlite::Row) -> rusqlite::Result<Entry> {
    Ok(Entry {
        at: row.get(0)?,
        actor: row.get(1)?,
        address: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        details: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ADDRESS, Forge, NOW, outcome};

    fn entries(forge: &mut Forge, filter: &str, offset: u32, limit: u32) -> (u64, Vec<String>) {
        let root = forge.session("root");
        let list = forge.store.journal(&root, filter, Page { offset, limit }).expect("entries");
        let line =
            |entry: Entry| format!("{} {} {} {}", entry.actor, entry.action, entry.subject, entry.details);
        (list.total, list.entries.into_iter().map(line).collect())
    }

    #[test]
    fn pushes_and_actions_are_entered() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.now += 100;
        let push = forge.call(root.credentials.clone());
        forge.store.record_push(&push, "demo.git", "refs/heads/main").expect("an entry");
        forge.store.record_action(&push, "demo", "repository.check", "sound").expect("an entry");
        assert_eq!(forge.value::<i64>("SELECT updated FROM repositories"), NOW + 100);
        let (total, lines) = entries(&mut forge, "", 0, 10);
        assert_eq!(total, 3);
        assert_eq!(
            lines,
            [
                "root repository.check demo sound",
                "root push demo refs/heads/main",
                "root repository.create demo "
            ]
        );
        assert_eq!(forge.value::<String>("SELECT address FROM journal LIMIT 1"), ADDRESS);
        for (path, action, expected) in [
            ("demo", "", "invalid action"),
            ("demo", &*"a".repeat(64), "ok"),
            ("demo", &*"a".repeat(65), "invalid action"),
            ("demo", "a\nb", "invalid action"),
            ("nothing", "a", "not-found"),
        ] {
            assert_eq!(outcome(forge.store.record_action(&push, path, action, "")), expected);
        }
    }

    #[test]
    fn everyone_may_push_where_everyone_may_write_but_the_anonymous() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        let everyone = crate::bindings::exports::lithe::forge::repositories::Grantee::Everyone;
        forge.grant("demo", everyone, Permission::Write);
        let calls = [forge.anonymous(), forge.session("cara"), forge.token("cara", Permission::Read)];
        let outcomes = calls.each_ref().map(|call| outcome(forge.store.record_push(call, "demo", "")));
        assert_eq!(outcomes, ["unauthenticated", "ok", "forbidden"]);
    }

    #[test]
    fn entries_are_listed_by_page_and_filter() {
        let mut forge = Forge::new();
        assert_eq!(entries(&mut forge, "", 0, 10), (0, vec![]));
        let root = forge.session("root");
        for path in ["one", "two", "three"] {
            forge.repository(&root, path, false);
        }
        let line = |path: &str| format!("root repository.create {path} ");
        assert_eq!(entries(&mut forge, "", 0, 2), (3, vec![line("three"), line("two")]));
        assert_eq!(entries(&mut forge, "", 2, 2), (3, vec![line("one")]));
        assert_eq!(entries(&mut forge, "", 9, 2), (3, vec![]));
        assert_eq!(entries(&mut forge, "T", 0, 10), (3, vec![line("three"), line("two"), line("one")]));
        assert_eq!(entries(&mut forge, "TW", 0, 10), (1, vec![line("two")]));
        assert_eq!(entries(&mut forge, "t%", 0, 10), (0, vec![]));
        let calls = [forge.anonymous(), forge.session("anna"), forge.token("root", Permission::Write)];
        let outcomes =
            calls.each_ref().map(|call| outcome(forge.store.journal(call, "", Page { offset: 0, limit: 1 })));
        assert_eq!(outcomes, ["unauthenticated", "forbidden", "forbidden"]);
    }

    #[test]
    fn long_details_are_cut_and_the_oldest_entries_go() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.store.record_push(&root, "demo", &"é".repeat(3_000)).expect("an entry");
        assert_eq!(forge.value::<i64>("SELECT max(length(CAST(details AS BLOB))) FROM journal"), 4_096);
        forge.sql(
            "WITH RECURSIVE n (n) AS (VALUES (3) UNION ALL SELECT n + 1 FROM n WHERE n < 2000)
             INSERT INTO journal SELECT n, 0, '', '', '', '', '', NULL FROM n",
        );
        for (newest, entries_max, left) in [(1_999, 500, 2_000), (2_000, 500, 500), (2_000, 0, 0)] {
            forge.store.transact(NOW, |connection, _| trim(connection, newest, entries_max)).expect("a trim");
            assert_eq!(entries(&mut forge, "", 0, 1).0, left);
        }
    }
}
