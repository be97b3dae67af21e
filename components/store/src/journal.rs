//! Who did what, and from where.

use crate::access;
use crate::bindings::exports::lithe::forge::journal::{Entry, EntryList};
use crate::failure::invalid;
use crate::identity::{self, Principal};
use crate::limits::{ACTION_BYTES_MAX, DETAILS_BYTES_MAX, JOURNAL_ENTRIES_MAX, JOURNAL_TRIM_ENTRIES};
use crate::places::Place;
use crate::store::{Call, Store, check_page, check_text, cut, pattern};
use crate::types::{Error, Page, Permission};
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
    connection
        .prepare_cached("INSERT INTO journal (at, actor, address, action, subject, details) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute((call.now, principal.name(), &call.client.address, action, subject, cut(details, DETAILS_BYTES_MAX)))?;
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
            enter(connection, &principal, call, "push", &repository.wire.path, details)
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
