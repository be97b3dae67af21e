//! Who the credentials stand for, and how a session begins and ends.

use crate::bindings::exports::lithe::forge::identity::NewSession;
use crate::failure::forbidden;
use crate::journal;
use crate::limits::{EMAIL_BYTES_MAX, KNOWN_ADDRESSES_MAX, PASSWORD_BYTES_MAX, USER_NAME_BYTES_MAX};
use crate::password;
use crate::remembered::Verified;
use crate::sealed::{Challenge, Proof};
use crate::sessions;
use crate::settings;
use crate::store::{Call, Memory, Store};
use crate::throttle;
use crate::tokens;
use crate::types::{Credentials, Error, Permission, Timestamp, Viewer};
use crate::users::{self, UserRow};
use rusqlite::{Connection, OptionalExtension as _};

/// How long a login may be: a name or an address.
const LOGIN_BYTES_MAX: usize =
    if USER_NAME_BYTES_MAX > EMAIL_BYTES_MAX { USER_NAME_BYTES_MAX } else { EMAIL_BYTES_MAX };
/// After how many seconds the last use of a known address is written again.
const KNOWN_ADDRESS_NOTED_SECONDS: i64 = 86_400;

/// Who makes a call.
#[derive(Debug, Clone)]
pub struct Principal {
    pub viewer: Viewer,
    /// The user's row; 0, which no row has, for the anonymous user and the operator.
    pub id: i64,
    /// The row of the session that the call was made in.
    pub session: Option<i64>,
}

impl Principal {
    fn anonymous() -> Self {
        Self {
            viewer: Viewer { user: None, csrf_token: String::new(), ceiling: Permission::Admin },
            id: 0,
            session: None,
        }
    }

    /// A user who has proven to be one.
    pub fn user(row: UserRow, ceiling: Permission) -> Self {
        Self {
            id: row.id,
            viewer: Viewer { user: Some(row.user), csrf_token: String::new(), ceiling },
            session: None,
        }
    }

    /// Whether it is a user or the operator.
    pub fn is_signed_in(&self) -> bool {
        self.viewer.user.is_some()
    }

    /// Whether it is a site administrator, whatever the credentials allow.
    pub fn is_site_admin(&self) -> bool {
        self.viewer.user.as_ref().is_some_and(|user| user.is_admin)
    }

    /// The name for the journal; empty for the anonymous user.
    pub fn name(&self) -> &str {
        self.viewer.user.as_ref().map_or("", |user| &user.name)
    }

    /// Fails with `error.unauthenticated` for the anonymous user.
    pub fn require_signed_in(&self) -> Result<(), Error> {
        if self.is_signed_in() { Ok(()) } else { Err(Error::Unauthenticated) }
    }

    /// Fails, unless the caller is signed in and does not use a token, which is for repositories only.
    pub fn require_no_token(&self) -> Result<(), Error> {
        self.require_signed_in()?;
        if self.viewer.ceiling < Permission::Admin {
            return Err(forbidden("an access token is not enough for this: sign in with the password"));
        }
        Ok(())
    }

    /// Fails, unless the caller is a site administrator and does not use a token.
    pub fn require_site_admin(&self) -> Result<(), Error> {
        self.require_no_token()?;
        if self.is_site_admin() { Ok(()) } else { Err(forbidden("only site administrators may do this")) }
    }
}

/// Tells who makes a call; see `identity.resolve` in wit/identity.wit.
pub fn resolve(connection: &Connection, memory: &mut Memory, call: &Call) -> Result<Principal, Error> {
    match &call.credentials {
        Credentials::Anonymous => Ok(Principal::anonymous()),
        Credentials::Session(secret) => sessions::resolve(connection, memory, secret, call.now),
        Credentials::Bearer(secret) => match memory.operator.recognise(secret) {
            Some(principal) => Ok(principal),
            None => tokens::resolve(connection, memory, secret, call.now),
        },
        Credentials::Basic(basic) if tokens::is_token(&basic.password) => {
            tokens::resolve(connection, memory, &basic.password, call.now)
        }
        Credentials::Basic(basic) => {
            resolve_password(connection, memory, &basic.login, &basic.password, call)
        }
        Credentials::Proof(proof) => resolve_proof(connection, memory, proof, call),
    }
}

fn resolve_password(
    connection: &Connection,
    memory: &mut Memory,
    login: &str,
    password: &str,
    call: &Call,
) -> Result<Principal, Error> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Error::Unauthenticated);
    }
    if let Some(verified) = memory.remembered.get(login, password, call.now)
        && let Some(row) = verified_user(connection, verified)?
        && !row.user.must_change_password
    {
        return Ok(Principal::user(row, Permission::Admin));
    }
    Err(Error::ProofRequired(challenge(connection, memory, login, call)?))
}

fn resolve_proof(
    connection: &Connection,
    memory: &mut Memory,
    proof: &[u8],
    call: &Call,
) -> Result<Principal, Error> {
    let (row, proof) = confirm(connection, memory, proof, call)?;
    if row.user.must_change_password {
        // Only the pages let somebody change it; anything else would never ask for that.
        return Err(Error::Unauthenticated);
    }
    let verified = Verified { user_id: row.id, credentials_version: row.credentials_version };
    memory.remembered.add(&proof.login, &proof.password, verified, call.now);
    Ok(Principal::user(row, Permission::Admin))
}

/// Begins a password check, which counts as an attempt.
fn challenge(
    connection: &Connection,
    memory: &mut Memory,
    login: &str,
    call: &Call,
) -> Result<Vec<u8>, Error> {
    if login.len() > LOGIN_BYTES_MAX {
        return Err(Error::Unauthenticated);
    }
    let row = users::by_login(connection, login)?.filter(|row| row.user.is_active);
    let is_known = is_known_address(connection, row.as_ref().map_or(0, |row| row.id), &call.client.address)?;
    memory.throttle.begin(login, &call.client.address, is_known, call.now).map_err(Error::Throttled)?;
    let challenge = Challenge {
        login: login.to_owned(),
        user_id: row.as_ref().map(|row| row.id),
        credentials_version: row.as_ref().map_or(0, |row| row.credentials_version),
        password_hash: row.map_or_else(password::decoy_hash, |row| row.password_hash),
    };
    Ok(memory.key.seal(&challenge, call.now))
}

/// Opens a proof and returns the user whose present password it confirms.
///
/// Fails with `error.unauthenticated` if it confirms none.
pub fn confirm(
    connection: &Connection,
    memory: &mut Memory,
    proof: &[u8],
    call: &Call,
) -> Result<(UserRow, Proof), Error> {
    let proof: Proof = memory.key.open_sealed(proof, call.now).map_err(|_| Error::Unauthenticated)?;
    let user_id = proof.user_id.ok_or(Error::Unauthenticated)?;
    let verified = Verified { user_id, credentials_version: proof.credentials_version };
    let row = verified_user(connection, verified)?.ok_or(Error::Unauthenticated)?;
    memory.throttle.succeed(&proof.login, &call.client.address);
    remember_address(connection, user_id, &call.client.address, call.now)?;
    if let Some(renewed_hash) = &proof.renewed_hash {
        connection
            .prepare_cached("UPDATE users SET password_hash = ?1 WHERE id = ?2")?
            .execute((renewed_hash, user_id))?;
    }
    Ok((row, proof))
}

/// The user of what was verified, if it still counts.
fn verified_user(connection: &Connection, verified: Verified) -> Result<Option<UserRow>, Error> {
    let row = users::by_id(connection, verified.user_id)?;
    Ok(row.filter(|row| row.user.is_active && row.credentials_version == verified.credentials_version))
}

fn is_known_address(connection: &Connection, user_id: i64, address: &str) -> Result<bool, Error> {
    let last_used: Option<Timestamp> = known_address(connection, user_id, address)?;
    Ok(last_used.is_some())
}

fn known_address(connection: &Connection, user_id: i64, address: &str) -> Result<Option<Timestamp>, Error> {
    Ok(connection
        .prepare_cached("SELECT last_used FROM known_addresses WHERE user_id = ?1 AND address = ?2")?
        .query_row((user_id, throttle::network(address)), |row| row.get(0))
        .optional()?)
}

fn remember_address(
    connection: &Connection,
    user_id: i64,
    address: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let last_used = known_address(connection, user_id, address)?;
    if last_used.is_some_and(|last_used| now - last_used < KNOWN_ADDRESS_NOTED_SECONDS) {
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT INTO known_addresses (user_id, address, last_used) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET last_used = excluded.last_used",
        )?
        .execute((user_id, throttle::network(address), now))?;
    connection
        .prepare_cached(
            "DELETE FROM known_addresses WHERE user_id = ?1 AND address IN
                 (SELECT address FROM known_addresses WHERE user_id = ?1 ORDER BY last_used DESC LIMIT -1 OFFSET ?2)",
        )?
        .execute((user_id, KNOWN_ADDRESSES_MAX))?;
    Ok(())
}

impl Store {
    pub fn resolve(&mut self, call: &Call) -> Result<Viewer, Error> {
        self.transact(call.now, |connection, memory| Ok(resolve(connection, memory, call)?.viewer))
    }

    pub fn challenge(&mut self, call: &Call, login: &str) -> Result<Vec<u8>, Error> {
        self.transact(call.now, |connection, memory| challenge(connection, memory, login, call))
    }

    pub fn sign_in(
        &mut self,
        call: &Call,
        proof: &[u8],
        replaces: Option<&str>,
    ) -> Result<NewSession, Error> {
        self.transact(call.now, |connection, memory| {
            let (row, _) = confirm(connection, memory, proof, call)?;
            if let Some(secret) = replaces {
                sessions::end(connection, secret)?;
            }
            let days = settings::site(connection)?.session_days;
            let token = sessions::begin(connection, row.id, days, call)?;
            connection
                .prepare_cached(
                    "UPDATE users SET last_sign_in = ?1, has_one_time_password = 0 WHERE id = ?2",
                )?
                .execute((call.now, row.id))?;
            memory.operator.forget_one_time_password(&row.user.name);
            let principal = Principal::user(row, Permission::Admin);
            journal::enter(connection, &principal, call, "user.sign-in", principal.name(), "")?;
            let mut user = principal.viewer.user.expect("it was made of a user");
            user.last_sign_in = Some(call.now);
            Ok(NewSession { token, expires: call.now + sessions::seconds(days), user })
        })
    }

    pub fn sign_out(&mut self, call: &Call, session: &str) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            if let Ok(principal) = sessions::resolve(connection, memory, session, call.now) {
                journal::enter(connection, &principal, call, "user.sign-out", principal.name(), "")?;
            }
            sessions::end(connection, session)
        })
    }
}
