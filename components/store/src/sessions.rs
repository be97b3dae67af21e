//! The rows of sessions.

use crate::bindings::exports::lithe::forge::accounts::Session;
use crate::identity::Principal;
use crate::limits::{SESSIONS_MAX, USE_NOTED_SECONDS};
use crate::secret;
use crate::settings;
use crate::store::{Call, Memory, Use};
use crate::types::{Error, Permission, Timestamp};
use crate::users::{self, UserRow};
use rusqlite::{Connection, OptionalExtension as _};

const DAY_SECONDS: i64 = 86_400;

/// Days in seconds.
pub fn seconds(days: u32) -> i64 {
    i64::from(days) * DAY_SECONDS
}

/// Whose session it is. Counts as a use of it.
///
/// Fails with `error.unauthenticated` if there is none, it has ended, or the account is not active.
pub fn resolve(
    connection: &Connection,
    memory: &mut Memory,
    secret: &str,
    now: Timestamp,
) -> Result<Principal, Error> {
    let sql = format!(
        "SELECT {}, sessions.id, sessions.last_used FROM sessions JOIN users ON users.id = sessions.user_id
         WHERE sessions.secret_hash = ?1",
        users::COLUMNS
    );
    let found: Option<(UserRow, i64, Timestamp)> = connection
        .prepare_cached(&sql)?
        .query_row([secret::hash(secret)], |row| Ok((UserRow::read(row)?, row.get(12)?, row.get(13)?)))
        .optional()?;
    let (row, id, last_used) = found.ok_or(Error::Unauthenticated)?;
    let days = settings::site(connection)?.session_days;
    if !row.user.is_active || now.saturating_sub(last_used) >= seconds(days) {
        return Err(Error::Unauthenticated);
    }
    if now.saturating_sub(last_used) >= USE_NOTED_SECONDS {
        memory.unwritten_use = Some(Use::Session(id));
    }
    let mut principal = Principal::user(row, Permission::Admin);
    principal.session = Some(id);
    principal.viewer.csrf_token = secret::text(&secret::keyed_hash(&memory.csrf_key, &[secret.as_bytes()]));
    Ok(principal)
}

/// Begins a session and returns its secret. Ends those that are over, and the user's least used
/// past the limit.
pub fn begin(connection: &Connection, user_id: i64, days: u32, call: &Call) -> Result<String, Error> {
    connection
        .prepare_cached("DELETE FROM sessions WHERE last_used <= ?1")?
        .execute([call.now - seconds(days)])?;
    connection
        .prepare_cached(
            "DELETE FROM sessions WHERE id IN
                 (SELECT id FROM sessions WHERE user_id = ?1 ORDER BY last_used DESC LIMIT -1 OFFSET ?2)",
        )?
        .execute((user_id, SESSIONS_MAX - 1))?;
    let secret = secret::session();
    connection
        .prepare_cached(
            "INSERT INTO sessions (secret_hash, user_id, created, last_used, address, user_agent) VALUES (?1, ?2, ?3, ?3, ?4, ?5)",
        )?
        .execute((secret::hash(&secret), user_id, call.now, &call.client.address, &call.client.user_agent))?;
    Ok(secret)
}

/// Ends a session, if there is one of that secret.
pub fn end(connection: &Connection, secret: &str) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM sessions WHERE secret_hash = ?1")?
        .execute([secret::hash(secret)])?;
    Ok(())
}

/// Ends a session of the user.
///
/// Fails with `error.not-found`.
pub fn end_by_id(connection: &Connection, user_id: i64, id: i64) -> Result<(), Error> {
    let ended = connection
        .prepare_cached("DELETE FROM sessions WHERE id = ?1 AND user_id = ?2")?
        .execute((id, user_id))?;
    if ended == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Ends every session of the user but one.
pub fn end_others(connection: &Connection, user_id: i64, kept: Option<i64>) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND id IS NOT ?2")?
        .execute((user_id, kept))?;
    Ok(())
}

/// The sessions of the user that are not over, the latest first.
pub fn list(
    connection: &Connection,
    user_id: i64,
    current: Option<i64>,
    now: Timestamp,
) -> Result<Vec<Session>, Error> {
    let days = settings::site(connection)?.session_days;
    let mut statement = connection.prepare_cached(
        "SELECT id, created, last_used, address, user_agent FROM sessions
         WHERE user_id = ?1 AND last_used > ?2 ORDER BY last_used DESC, id DESC",
    )?;
    let sessions = statement.query_map((user_id, now - seconds(days)), |row| {
        let id: i64 = row.get(0)?;
        Ok(Session {
            id: id.cast_unsigned(),
            created: row.get(1)?,
            last_used: row.get(2)?,
            address: row.get(3)?,
            user_agent: row.get(4)?,
            is_current: current == Some(id),
        })
    })?;
    Ok(sessions.collect::<Result<_, _>>()?)
}
