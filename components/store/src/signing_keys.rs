//! The public keys of users, with which commits and tags are signed.

use crate::bindings::exports::lithe::forge::accounts::SigningKey;
use crate::failure::{conflict, invalid};
use crate::limits::{KEY_TITLE_BYTES_MAX, SIGNING_KEYS_MAX};
use crate::store::check_text;
use crate::types::{Error, KeyKind, Timestamp};
use lithe_signatures::{Kind, PublicKey};
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

const COLUMNS: &str = "id, title, kind, algorithm, fingerprint, created";

/// Adds a key, or replaces what was known of it; see `accounts.add-signing-key`.
pub fn add(
    connection: &Connection,
    user_id: i64,
    title: &str,
    text: &str,
    now: Timestamp,
) -> Result<SigningKey, Error> {
    check_text("title", title, KEY_TITLE_BYTES_MAX)?;
    if title.trim().is_empty() {
        return Err(invalid("title", "say which key this is"));
    }
    let key = PublicKey::parse(text).map_err(|error| invalid("public-key", error.to_string()))?;
    let former: Option<(i64, i64)> = connection
        .prepare_cached("SELECT id, user_id FROM signing_keys WHERE fingerprint = ?1")?
        .query_row([&key.fingerprint], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let id = match former {
        Some((id, owner)) if owner == user_id => replace(connection, id, title, &key)?,
        Some(_) => {
            return Err(conflict("another account has this key: an administrator can take it from there"));
        }
        None => insert(connection, user_id, title, &key, now)?,
    };
    let mut name = connection
        .prepare_cached("INSERT OR IGNORE INTO signing_key_names (name, signing_key_id) VALUES (?1, ?2)")?;
    for text in &key.names {
        name.execute((text, id))?;
    }
    let sql = format!("SELECT {COLUMNS} FROM signing_keys WHERE id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id], read)?)
}

fn insert(
    connection: &Connection,
    user_id: i64,
    title: &str,
    key: &PublicKey,
    now: Timestamp,
) -> Result<i64, Error> {
    let count: u32 = connection
        .prepare_cached("SELECT count(*) FROM signing_keys WHERE user_id = ?1")?
        .query_row([user_id], |row| row.get(0))?;
    if count >= SIGNING_KEYS_MAX {
        return Err(invalid("title", format!("there are {SIGNING_KEYS_MAX} keys already: remove one first")));
    }
    connection
        .prepare_cached(
            "INSERT INTO signing_keys (user_id, title, kind, algorithm, fingerprint, public_key, created)
             VALUES (:user, :title, :kind, :algorithm, :fingerprint, :key, :now)",
        )?
        .execute(named_params! {
            ":user": user_id,
            ":title": title,
            ":kind": kind_number(key.kind),
            ":algorithm": key.algorithm,
            ":fingerprint": key.fingerprint,
            ":key": key.bytes,
            ":now": now,
        })?;
    Ok(connection.last_insert_rowid())
}

/// The new names are still to be entered.
fn replace(connection: &Connection, id: i64, title: &str, key: &PublicKey) -> Result<i64, Error> {
    connection
        .prepare_cached("UPDATE signing_keys SET title = ?1, algorithm = ?2, public_key = ?3 WHERE id = ?4")?
        .execute((title, &key.algorithm, &key.bytes, id))?;
    connection.prepare_cached("DELETE FROM signing_key_names WHERE signing_key_id = ?1")?.execute([id])?;
    Ok(id)
}

/// Takes a key from the user and returns its fingerprint.
///
/// Fails with `error.not-found`.
pub fn remove(connection: &Connection, user_id: i64, id: i64) -> Result<String, Error> {
    connection
        .prepare_cached("DELETE FROM signing_keys WHERE id = ?1 AND user_id = ?2 RETURNING fingerprint")?
        .query_row((id, user_id), |row| row.get(0))
        .optional()?
        .ok_or(Error::NotFound)
}

/// The keys of the user, the latest first.
pub fn list(connection: &Connection, user_id: i64) -> Result<Vec<SigningKey>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM signing_keys WHERE user_id = ?1 ORDER BY id DESC");
    let mut statement = connection.prepare_cached(&sql)?;
    let keys = statement.query_map([user_id], read)?;
    Ok(keys.collect::<Result<_, _>>()?)
}

fn read(row: &Row) -> rusqlite::Result<SigningKey> {
    let id: i64 = row.get(0)?;
    Ok(SigningKey {
        id: id.cast_unsigned(),
        title: row.get(1)?,
        kind: kind(row.get(2)?),
        algorithm: row.get(3)?,
        fingerprint: row.get(4)?,
        created: row.get(5)?,
    })
}

fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Ssh => 0,
        Kind::OpenPgp => 1,
    }
}

/// As the database has it; the schema's checks allow no other numbers.
pub fn kind(number: i64) -> KeyKind {
    if number == 0 { KeyKind::Ssh } else { KeyKind::Openpgp }
}
