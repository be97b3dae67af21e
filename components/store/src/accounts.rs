//! Users and what is theirs.

use crate::bindings::exports::lithe::forge::accounts::{
    NewToken, NewUser, Session, Token, UserChange, UserList,
};
use crate::failure::{conflict, forbidden, invalid};
use crate::identity::{self, Principal};
use crate::journal;
use crate::limits::FULL_NAME_BYTES_MAX;
use crate::sealed::NewPassword;
use crate::sessions;
use crate::settings;
use crate::store::{Call, Memory, Store, check_page, check_text, pattern, row_id};
use crate::tokens;
use crate::types::{Error, Page, Permission, Timestamp, User};
use crate::users::{self, Draft, UserRow};
use rusqlite::{Connection, named_params};

/// The caller and the account `name`, which is the caller's own or the caller a site administrator.
///
/// Fails with `error.unauthenticated`, `error.forbidden` (whether or not there is such an account)
/// and, for site administrators, `error.not-found`.
fn account(
    connection: &Connection,
    memory: &mut Memory,
    call: &Call,
    name: &str,
) -> Result<(Principal, UserRow), Error> {
    let principal = identity::resolve(connection, memory, call)?;
    principal.require_signed_in()?;
    if !principal.is_site_admin() && !principal.name().eq_ignore_ascii_case(name) {
        return Err(forbidden("this is somebody else's account"));
    }
    let row = users::by_name(connection, name)?.ok_or(Error::NotFound)?;
    Ok((principal, row))
}

/// As [`account`], to change it or see its secrets: not for callers who use an access token.
fn own_account(
    connection: &Connection,
    memory: &mut Memory,
    call: &Call,
    name: &str,
) -> Result<(Principal, UserRow), Error> {
    let (principal, row) = account(connection, memory, call, name)?;
    principal.require_no_token()?;
    Ok((principal, row))
}

/// The hash of a password from `passwords.seal`.
fn open_password(memory: &Memory, sealed: &[u8], now: Timestamp) -> Result<String, Error> {
    let password: NewPassword = memory
        .key
        .open_sealed(sealed, now)
        .map_err(|_| invalid("password", "this took too long: enter the password again"))?;
    Ok(password.password_hash)
}

fn add(connection: &Connection, memory: &Memory, call: &Call, new_user: &NewUser) -> Result<UserRow, Error> {
    let draft = Draft {
        name: &new_user.name,
        full_name: &new_user.full_name,
        email: &new_user.email,
        password_hash: &open_password(memory, &new_user.password, call.now)?,
        is_admin: new_user.is_admin,
        must_change_password: new_user.must_change_password,
    };
    users::add(connection, &draft, call.now)
}

impl Store {
    pub fn register(&mut self, call: &Call, new_user: &NewUser) -> Result<User, Error> {
        self.transact(call.now, |connection, memory| {
            if !settings::site(connection)?.registration {
                return Err(forbidden("registration is off: ask the administrator for an account"));
            }
            memory.throttle.begin_registration(&call.client.address, call.now).map_err(Error::Throttled)?;
            let new_user = NewUser { is_admin: false, must_change_password: false, ..new_user.clone() };
            let row = add(connection, memory, call, &new_user)?;
            let principal = Principal::user(row.clone(), Permission::Admin);
            journal::enter(connection, &principal, call, "user.register", &row.user.name, "")?;
            Ok(row.user)
        })
    }

    pub fn create_user(&mut self, call: &Call, new_user: &NewUser) -> Result<User, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            principal.require_site_admin()?;
            let row = add(connection, memory, call, new_user)?;
            let details = if row.user.is_admin { "site administrator" } else { "" };
            journal::enter(connection, &principal, call, "user.create", &row.user.name, details)?;
            Ok(row.user)
        })
    }

    pub fn user(&mut self, call: &Call, name: &str) -> Result<User, Error> {
        self.transact(call.now, |connection, memory| Ok(account(connection, memory, call, name)?.1.user))
    }

    pub fn users(&mut self, call: &Call, filter: &str, page: Page) -> Result<UserList, Error> {
        self.transact(call.now, |connection, memory| {
            identity::resolve(connection, memory, call)?.require_site_admin()?;
            let (offset, limit) = check_page(page)?;
            list(connection, &pattern(filter)?, offset, limit)
        })
    }

    pub fn update_user(&mut self, call: &Call, name: &str, change: &UserChange) -> Result<User, Error> {
        self.transact(call.now, |connection, memory| {
            let (principal, row) = own_account(connection, memory, call, name)?;
            update(connection, &principal, &row, change)?;
            let details = describe(&row.user, change);
            if !details.is_empty() {
                journal::enter(connection, &principal, call, "user.update", &row.user.name, &details)?;
            }
            Ok(users::by_id(connection, row.id)?.expect("it was just changed").user)
        })
    }

    /// See `accounts.set-password`. What the user had to change is changed by this; whoever sets
    /// another's password and wants it changed says so by `update` afterwards.
    pub fn set_password(
        &mut self,
        call: &Call,
        name: &str,
        current: Option<&[u8]>,
        new_password: &[u8],
    ) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let (principal, row) = own_account(connection, memory, call, name)?;
            if principal.id == row.id {
                let proof = current.ok_or(Error::Unauthenticated)?;
                let (proven, _) = identity::confirm(connection, memory, proof, call)?;
                if proven.id != row.id {
                    return Err(Error::Unauthenticated);
                }
            }
            let password_hash = open_password(memory, new_password, call.now)?;
            connection
                .prepare_cached(
                    "UPDATE users SET password_hash = ?1, must_change_password = 0, has_one_time_password = 0 WHERE id = ?2",
                )?
                .execute((password_hash, row.id))?;
            users::bump_credentials(connection, row.id)?;
            sessions::end_others(connection, row.id, principal.session.filter(|_| principal.id == row.id))?;
            memory.operator.forget_one_time_password(&row.user.name);
            journal::enter(connection, &principal, call, "user.password", &row.user.name, "")
        })
    }

    pub fn sessions(&mut self, call: &Call, name: &str) -> Result<Vec<Session>, Error> {
        self.transact(call.now, |connection, memory| {
            let (principal, row) = own_account(connection, memory, call, name)?;
            sessions::list(connection, row.id, principal.session, call.now)
        })
    }

    pub fn revoke_session(&mut self, call: &Call, name: &str, id: u64) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let (principal, row) = own_account(connection, memory, call, name)?;
            sessions::end_by_id(connection, row.id, row_id(id)?)?;
            journal::enter(connection, &principal, call, "user.session-revoke", &row.user.name, "")
        })
    }

    pub fn tokens(&mut self, call: &Call, name: &str) -> Result<Vec<Token>, Error> {
        self.transact(call.now, |connection, memory| {
            let (_, row) = own_account(connection, memory, call, name)?;
            tokens::list(connection, row.id)
        })
    }

    pub fn create_token(
        &mut self,
        call: &Call,
        name: &str,
        description: &str,
        scope: Permission,
        expires: Option<Timestamp>,
    ) -> Result<NewToken, Error> {
        self.transact(call.now, |connection, memory| {
            let (principal, row) = own_account(connection, memory, call, name)?;
            let token = tokens::create(connection, row.id, description, scope, expires, call.now)?;
            journal::enter(connection, &principal, call, "user.token-create", &row.user.name, description)?;
            Ok(token)
        })
    }

    pub fn revoke_token(&mut self, call: &Call, name: &str, id: u64) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let (principal, row) = own_account(connection, memory, call, name)?;
            let description = tokens::revoke(connection, row.id, row_id(id)?)?;
            journal::enter(connection, &principal, call, "user.token-revoke", &row.user.name, &description)
        })
    }
}

fn list(connection: &Connection, pattern: &str, offset: u32, limit: u32) -> Result<UserList, Error> {
    const MATCHES: &str = r"(name LIKE :pattern ESCAPE '\' OR full_name LIKE :pattern ESCAPE '\'
        OR EXISTS (SELECT 1 FROM emails WHERE emails.user_id = users.id AND emails.email LIKE :pattern ESCAPE '\'))";
    let total = connection
        .prepare_cached(&format!("SELECT count(*) FROM users WHERE {MATCHES}"))?
        .query_row(named_params! { ":pattern": pattern }, |row| row.get(0))?;
    let sql = format!(
        "SELECT {} FROM users WHERE {MATCHES} ORDER BY name LIMIT :limit OFFSET :offset",
        users::COLUMNS
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let params = named_params! { ":pattern": pattern, ":limit": limit, ":offset": offset };
    let users = statement.query_map(params, |row| Ok(UserRow::read(row)?.user))?;
    Ok(UserList { users: users.collect::<Result<_, _>>()?, total })
}

fn update(
    connection: &Connection,
    principal: &Principal,
    row: &UserRow,
    change: &UserChange,
) -> Result<(), Error> {
    let changes_rank =
        change.is_admin.is_some() || change.is_active.is_some() || change.must_change_password.is_some();
    if changes_rank {
        principal.require_site_admin()?;
    }
    let user = &row.user;
    let is_admin = change.is_admin.unwrap_or(user.is_admin);
    let is_active = change.is_active.unwrap_or(user.is_active);
    if user.is_admin && user.is_active && !(is_admin && is_active) && is_last_admin(connection, row.id)? {
        return Err(conflict("this is the last active site administrator"));
    }
    let full_name = change.full_name.as_deref().unwrap_or(&user.full_name);
    check_text("full-name", full_name, FULL_NAME_BYTES_MAX)?;
    connection
        .prepare_cached(
            "UPDATE users SET full_name = :full_name, is_admin = :is_admin, is_active = :is_active,
                 must_change_password = :must_change_password WHERE id = :id",
        )?
        .execute(named_params! {
            ":full_name": full_name,
            ":is_admin": is_admin,
            ":is_active": is_active,
            ":must_change_password": change.must_change_password.unwrap_or(user.must_change_password),
            ":id": row.id,
        })?;
    if let Some(email) = &change.email {
        users::set_email(connection, row.id, email)?;
    }
    if !is_active {
        sessions::end_others(connection, row.id, None)?;
    }
    if is_active != user.is_active || change.email.is_some() {
        users::bump_credentials(connection, row.id)?;
    }
    Ok(())
}

fn is_last_admin(connection: &Connection, user_id: i64) -> Result<bool, Error> {
    let others: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM users WHERE is_admin = 1 AND is_active = 1 AND id <> ?1)",
        [user_id],
        |row| row.get(0),
    )?;
    Ok(!others)
}

/// What a change changes, in words.
fn describe(user: &User, change: &UserChange) -> String {
    let mut words = Vec::new();
    let mut flag = |new: Option<bool>, old: bool, yes: &'static str, no: &'static str| match new {
        Some(new) if new != old => words.push(if new { yes } else { no }),
        _ => {}
    };
    flag(change.is_admin, user.is_admin, "made site administrator", "no longer site administrator");
    flag(change.is_active, user.is_active, "activated", "deactivated");
    flag(
        change.must_change_password,
        user.must_change_password,
        "must change the password",
        "need not change the password",
    );
    if change.full_name.as_ref().is_some_and(|new| *new != user.full_name) {
        words.push("full name");
    }
    if change.email.as_ref().is_some_and(|new| *new != user.email) {
        words.push("e-mail address");
    }
    words.join(", ")
}
