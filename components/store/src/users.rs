//! The rows of users.

use crate::failure::{conflict, invalid};
use crate::limits::{EMAIL_BYTES_MAX, FULL_NAME_BYTES_MAX, LANGUAGE_BYTES_MAX, USER_NAME_BYTES_MAX};
use crate::store::check_text;
use crate::types::{Error, Timestamp, User};
use rusqlite::{Connection, OptionalExtension as _, Params, Row, named_params};

/// Names that stand for somebody else in the journal.
const RESERVED: &[&str] = &["operator", "anonymous", "everyone"];

/// What is selected of a user, for [`UserRow::read`]: columns 0 to 11.
pub const COLUMNS: &str = "users.id, users.name, users.full_name, \
     ifnull((SELECT email FROM emails WHERE emails.user_id = users.id AND emails.is_main = 1), ''), \
     users.is_admin, users.is_active, users.must_change_password, users.created, users.last_sign_in, \
     users.password_hash, users.credentials_version, users.language";

/// A user, with what nobody else sees.
#[derive(Debug, Clone)]
pub struct UserRow {
    pub id: i64,
    pub user: User,
    pub password_hash: String,
    pub credentials_version: i64,
}

/// A user to be added, checked.
pub struct Draft<'a> {
    pub name: &'a str,
    pub full_name: &'a str,
    pub email: &'a str,
    pub password_hash: &'a str,
    pub is_admin: bool,
    pub must_change_password: bool,
}

impl UserRow {
    /// Reads [`COLUMNS`], the first columns of the row.
    pub fn read(row: &Row) -> rusqlite::Result<Self> {
        let id: i64 = row.get(0)?;
        Ok(Self {
            id,
            user: User {
                id: id.cast_unsigned(),
                name: row.get(1)?,
                full_name: row.get(2)?,
                email: row.get(3)?,
                is_admin: row.get(4)?,
                is_active: row.get(5)?,
                must_change_password: row.get(6)?,
                created: row.get(7)?,
                last_sign_in: row.get(8)?,
                language: row.get(11)?,
            },
            password_hash: row.get(9)?,
            credentials_version: row.get(10)?,
        })
    }
}

pub fn by_id(connection: &Connection, id: i64) -> Result<Option<UserRow>, Error> {
    one(connection, &format!("SELECT {COLUMNS} FROM users WHERE id = ?1"), [id])
}

/// The user of that name, without regard to case.
pub fn by_name(connection: &Connection, name: &str) -> Result<Option<UserRow>, Error> {
    one(connection, &format!("SELECT {COLUMNS} FROM users WHERE name = ?1"), [name])
}

/// The user who signs in as `login`: by name, or by any of their e-mail addresses.
pub fn by_login(connection: &Connection, login: &str) -> Result<Option<UserRow>, Error> {
    // No name contains `@`, so nobody can take another's address for a name.
    if login.contains('@') {
        let sql = format!(
            "SELECT {COLUMNS} FROM emails JOIN users ON users.id = emails.user_id WHERE emails.email = ?1"
        );
        one(connection, &sql, [login])
    } else {
        by_name(connection, login)
    }
}

/// Adds a user.
///
/// Fails with `error.invalid` for an unacceptable field, and `error.conflict` if the name or
/// address is taken.
pub fn add(connection: &Connection, draft: &Draft, now: Timestamp) -> Result<UserRow, Error> {
    check_name(draft.name)?;
    check_text("full-name", draft.full_name, FULL_NAME_BYTES_MAX)?;
    if by_name(connection, draft.name)?.is_some() {
        return Err(conflict(format!("the name {} is taken", draft.name)));
    }
    connection
        .prepare_cached(
            "INSERT INTO users (name, full_name, password_hash, is_admin, must_change_password, created)
             VALUES (:name, :full_name, :password_hash, :is_admin, :must_change_password, :now)",
        )?
        .execute(named_params! {
            ":name": draft.name,
            ":full_name": draft.full_name,
            ":password_hash": draft.password_hash,
            ":is_admin": draft.is_admin,
            ":must_change_password": draft.must_change_password,
            ":now": now,
        })?;
    let id = connection.last_insert_rowid();
    set_email(connection, id, draft.email)?;
    Ok(by_id(connection, id)?.expect("it was just added"))
}

/// Replaces the main e-mail address of a user; empty: removes it.
///
/// Fails as `add`.
pub fn set_email(connection: &Connection, user_id: i64, email: &str) -> Result<(), Error> {
    check_email(email)?;
    let taken: Option<i64> = connection
        .prepare_cached("SELECT user_id FROM emails WHERE email = ?1 AND user_id <> ?2")?
        .query_row((email, user_id), |row| row.get(0))
        .optional()?;
    if taken.is_some() {
        return Err(conflict(format!("the address {email} is taken")));
    }
    connection.prepare_cached("DELETE FROM emails WHERE user_id = ?1 AND is_main = 1")?.execute([user_id])?;
    if !email.is_empty() {
        connection
            .prepare_cached(
                "INSERT INTO emails (email, user_id, is_main) VALUES (?1, ?2, 1) ON CONFLICT (email) DO UPDATE SET is_main = 1",
            )?
            .execute((email, user_id))?;
    }
    Ok(())
}

/// Makes everything worthless that was once proven about the user.
pub fn bump_credentials(connection: &Connection, user_id: i64) -> Result<(), Error> {
    connection
        .prepare_cached("UPDATE users SET credentials_version = credentials_version + 1 WHERE id = ?1")?
        .execute([user_id])?;
    Ok(())
}

fn one(connection: &Connection, sql: &str, params: impl Params) -> Result<Option<UserRow>, Error> {
    Ok(connection.prepare_cached(sql)?.query_row(params, UserRow::read).optional()?)
}

/// Refuses what cannot be the tag of a language (RFC 5646, section 2.1): subtags of letters and digits.
pub fn check_language(tag: &str) -> Result<(), Error> {
    let is_subtag = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    match tag.is_empty() || (tag.len() <= LANGUAGE_BYTES_MAX && tag.split('-').all(is_subtag)) {
        true => Ok(()),
        false => Err(invalid("language", "that is not the tag of a language")),
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let refused = |reason: &str| Err(invalid("name", reason));
    if name.is_empty() {
        return refused("a name cannot be empty");
    }
    if name.len() > USER_NAME_BYTES_MAX {
        return refused(&format!("a name has at most {USER_NAME_BYTES_MAX} characters"));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
        return refused("a name consists of the letters a to z, digits, `-`, `_` and `.`");
    }
    if !name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return refused("a name begins with a letter or a digit");
    }
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return refused("this name is reserved");
    }
    Ok(())
}

/// Checks that it could be an address: only sending to it tells more.
fn check_email(email: &str) -> Result<(), Error> {
    if email.is_empty() {
        return Ok(());
    }
    check_text("email", email, EMAIL_BYTES_MAX)?;
    let is_plausible = !email.contains(char::is_whitespace)
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !email.contains(['<', '>', ',', ';'])
        });
    if is_plausible { Ok(()) } else { Err(invalid("email", "this is not an e-mail address")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let longest = "a".repeat(USER_NAME_BYTES_MAX);
        let too_long = "a".repeat(USER_NAME_BYTES_MAX + 1);
        let cases = [
            ("anna", true),
            ("Anna.B-c_9", true),
            ("7", true),
            (&longest, true),
            (&too_long, false),
            ("", false),
            ("anna@home", false),
            ("jürgen", false),
            ("-a", false),
            (".a", false),
            ("_1", false),
            ("a b", false),
            ("a/b", false),
            ("Operator", false),
            ("anonymous", false),
            ("a\0", false),
        ];
        for (name, accepted) in cases {
            assert_eq!(check_name(name).is_ok(), accepted, "{name:?}");
        }
    }

    #[test]
    fn emails() {
        let cases = [
            ("", true),
            ("a@b", true),
            ("anna.b+c@example.org", true),
            ("änna@exämple.org", true),
            ("a", false),
            ("@b", false),
            ("a@", false),
            ("a@b@c", false),
            ("a b@c", false),
            ("<a@b>", false),
            ("a@b\n", false),
        ];
        for (email, accepted) in cases {
            assert_eq!(check_email(email).is_ok(), accepted, "{email:?}");
        }
    }
}
