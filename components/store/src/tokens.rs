//! The rows of access tokens.

use crate::bindings::exports::lithe::forge::accounts::{NewToken, Token};
use crate::failure::invalid;
use crate::identity::Principal;
use crate::limits::{TOKEN_DESCRIPTION_BYTES_MAX, TOKENS_MAX, USE_NOTED_SECONDS};
use crate::places;
use crate::secret::{self, TOKEN_PREFIX};
use crate::store::{Memory, Use, check_text};
use crate::types::{Error, Permission, Timestamp};
use crate::users::{self, UserRow};
use rusqlite::{Connection, OptionalExtension as _, Row};

const TOKEN_BYTES: usize = TOKEN_PREFIX.len() + 32;
const COLUMNS: &str = "id, description, scope, created, expires, last_used";

/// Whether something given as a password has the form of a token.
pub fn is_token(text: &str) -> bool {
    text.len() == TOKEN_BYTES && text.starts_with(TOKEN_PREFIX)
}

/// The times of a token.
struct Times {
    expires: Option<Timestamp>,
    last_used: Option<Timestamp>,
}

/// Whose token it is. Counts as a use of it.
///
/// Fails with `error.unauthenticated` if there is none, it has expired, or the account is not active.
pub fn resolve(
    connection: &Connection,
    memory: &mut Memory,
    secret: &str,
    now: Timestamp,
) -> Result<Principal, Error> {
    let sql = format!(
        "SELECT {}, tokens.id, tokens.scope, tokens.expires, tokens.last_used
         FROM tokens JOIN users ON users.id = tokens.user_id WHERE tokens.secret_hash = ?1",
        users::COLUMNS
    );
    let found = connection
        .prepare_cached(&sql)?
        .query_row([secret::hash(secret)], |row| {
            let scope = places::permission(row.get(13)?);
            Ok((
                UserRow::read(row)?,
                row.get::<_, i64>(12)?,
                scope,
                Times { expires: row.get(14)?, last_used: row.get(15)? },
            ))
        })
        .optional()?;
    let (row, id, scope, Times { expires, last_used }) = found.ok_or(Error::Unauthenticated)?;
    if !row.user.is_active || expires.is_some_and(|expires| expires <= now) {
        return Err(Error::Unauthenticated);
    }
    if last_used.is_none_or(|last_used| now.saturating_sub(last_used) >= USE_NOTED_SECONDS) {
        memory.unwritten_use = Some(Use::Token(id));
    }
    Ok(Principal::user(row, scope))
}

/// Makes a token; see `accounts.create-token`.
pub fn create(
    connection: &Connection,
    user_id: i64,
    description: &str,
    scope: Permission,
    expires: Option<Timestamp>,
    now: Timestamp,
) -> Result<NewToken, Error> {
    check_text("description", description, TOKEN_DESCRIPTION_BYTES_MAX)?;
    if description.trim().is_empty() {
        return Err(invalid("description", "say what the token is for"));
    }
    if !matches!(scope, Permission::Read | Permission::Write) {
        return Err(invalid("scope", "the scope of a token is `read` or `write`"));
    }
    if expires.is_some_and(|expires| expires <= now) {
        return Err(invalid("expires", "the expiry is in the past"));
    }
    let count: u32 = connection
        .prepare_cached("SELECT count(*) FROM tokens WHERE user_id = ?1")?
        .query_row([user_id], |row| row.get(0))?;
    if count >= TOKENS_MAX {
        return Err(invalid(
            "description",
            format!("there are {TOKENS_MAX} tokens already: revoke one first"),
        ));
    }
    let secret = secret::token();
    connection
        .prepare_cached(
            "INSERT INTO tokens (secret_hash, user_id, description, scope, created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((secret::hash(&secret), user_id, description, places::number(scope), now, expires))?;
    let sql = format!("SELECT {COLUMNS} FROM tokens WHERE id = ?1");
    let token = connection.prepare_cached(&sql)?.query_row([connection.last_insert_rowid()], read)?;
    Ok(NewToken { token, secret })
}

/// Ends a token of the user and returns its description.
///
/// Fails with `error.not-found`.
pub fn revoke(connection: &Connection, user_id: i64, id: i64) -> Result<String, Error> {
    connection
        .prepare_cached("DELETE FROM tokens WHERE id = ?1 AND user_id = ?2 RETURNING description")?
        .query_row((id, user_id), |row| row.get(0))
        .optional()?
        .ok_or(Error::NotFound)
}

/// The tokens of the user, the latest first, expired ones included.
pub fn list(connection: &Connection, user_id: i64) -> Result<Vec<Token>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM tokens WHERE user_id = ?1 ORDER BY id DESC");
    let mut statement = connection.prepare_cached(&sql)?;
    let tokens = statement.query_map([user_id], read)?;
    Ok(tokens.collect::<Result<_, _>>()?)
}

fn read(row: &Row) -> rusqlite::Result<Token> {
    let id: i64 = row.get(0)?;
    Ok(Token {
        id: id.cast_unsigned(),
        description: row.get(1)?,
        scope: places::permission(row.get(2)?),
        created: row.get(3)?,
        expires: row.get(4)?,
        last_used: row.get(5)?,
    })
}
