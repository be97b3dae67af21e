//! Who the credentials stand for, and how a session begins and ends.

use crate::bindings::exports::lithe::forge::identity::NewSession;
use crate::failure::forbidden;
use crate::journal;
use crate::limits::{EMAIL_BYTES_MAX, KNOWN_ADDRESSES_MAX, PASSWORD_BYTES_MAX, USER_NAME_BYTES_MAX};
use crate::password;
use crate::remembered::Verified;
use crate::sealed::{Challenge, Proof};
use crate::secret;
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

    /// Fails for a session that was begun with a password which others know, and which has to be
    /// changed first.
    pub fn require_own_password(&self) -> Result<(), Error> {
        let must_change = self.viewer.user.as_ref().is_some_and(|user| user.must_change_password);
        if must_change && self.session.is_some() {
            return Err(forbidden("change your password first"));
        }
        Ok(())
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

/// Tells who makes a call that does something.
///
/// Fails as [`recognise`], and with `error.forbidden` for a session whose user has to change the
/// password first.
pub fn resolve(connection: &Connection, memory: &mut Memory, call: &Call) -> Result<Principal, Error> {
    let principal = recognise(connection, memory, call)?;
    principal.require_own_password()?;
    Ok(principal)
}

/// Tells who makes a call; see `identity.resolve` in wit/identity.wit.
pub fn recognise(connection: &Connection, memory: &mut Memory, call: &Call) -> Result<Principal, Error> {
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
        serial: secret::random(),
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
    if memory.spent.contains(&proof.serial) {
        return Err(Error::Unauthenticated);
    }
    let Some(user_id) = proof.user_id else {
        memory.spent.add(proof.serial, call.now);
        memory.failed_sign_ins.note(&proof.login, call);
        return Err(Error::Unauthenticated);
    };
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
        self.transact(call.now, |connection, memory| Ok(recognise(connection, memory, call)?.viewer))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::exports::lithe::forge::accounts::UserChange;
    use crate::testing::{ADDRESS, Forge, NOW, client, outcome};
    use crate::types::Page;

    /// What `resolve` says: the name and ceiling, or the error.
    fn resolved(forge: &mut Forge, call: &Call) -> String {
        match forge.store.resolve(call) {
            Ok(viewer) => {
                let name = viewer.user.map_or("anonymous".into(), |user| user.name);
                format!(
                    "{name} {:?} {}",
                    viewer.ceiling,
                    if viewer.csrf_token.is_empty() { "" } else { "csrf" }
                )
            }
            error => outcome(error),
        }
    }

    /// Resolves a login and password as features do: with a proof where one is asked for.
    fn with_proof(forge: &mut Forge, login: &str, password: &str) -> String {
        let call = forge.basic(login, password);
        match forge.store.resolve(&call) {
            Err(Error::ProofRequired(challenge)) => {
                let proof = forge.prove(&challenge, password);
                let call = forge.call(Credentials::Proof(proof));
                format!("proof, {}", resolved(forge, &call))
            }
            _ => resolved(forge, &call),
        }
    }

    fn change() -> UserChange {
        UserChange {
            full_name: None,
            email: None,
            is_admin: None,
            is_active: None,
            must_change_password: None,
            language: None,
        }
    }

    #[test]
    fn every_kind_of_credentials_is_recognised() {
        let mut forge = Forge::new();
        let operator = Credentials::Bearer(forge.store.operator_token());
        let read = forge.token("anna", Permission::Read).credentials;
        let write = forge.token("anna", Permission::Write).credentials;
        let Credentials::Bearer(secret) = read.clone() else { panic!("tokens are bearers") };
        let in_password_place = forge.basic("whoever", &secret).credentials;
        let wrong_token = format!("lithe_{}", "a".repeat(32));
        let cases = [
            (Credentials::Anonymous, "anonymous Permission::Admin "),
            (forge.session("anna").credentials, "anna Permission::Admin csrf"),
            (Credentials::Session(String::new()), "unauthenticated"),
            (Credentials::Session("wrong".into()), "unauthenticated"),
            (read, "anna Permission::Read "),
            (write, "anna Permission::Write "),
            (in_password_place, "anna Permission::Read "),
            (Credentials::Bearer(String::new()), "unauthenticated"),
            (Credentials::Bearer(wrong_token.clone()), "unauthenticated"),
            (forge.basic("anna", &wrong_token).credentials, "unauthenticated"),
            (forge.basic("anna", &"a".repeat(1_025)).credentials, "unauthenticated"),
            (forge.basic(&"a".repeat(255), "password").credentials, "unauthenticated"),
            (operator, "operator Permission::Admin "),
            (forge.basic("anna", "anna-password").credentials, "proof-required"),
            (forge.basic("nobody", "password").credentials, "proof-required"),
            (Credentials::Proof(b"forged".to_vec()), "unauthenticated"),
        ];
        for (credentials, expected) in cases {
            let call = forge.call(credentials.clone());
            assert_eq!(resolved(&mut forge, &call), expected, "{credentials:?}");
        }
    }

    #[test]
    fn a_proven_password_is_remembered_for_ten_minutes() {
        let mut forge = Forge::new();
        assert_eq!(with_proof(&mut forge, "anna", "anna-password"), "proof, anna Permission::Admin ");
        assert_eq!(with_proof(&mut forge, "ANNA", "anna-password"), "anna Permission::Admin ");
        assert_eq!(
            with_proof(&mut forge, "anna@example.org", "anna-password"),
            "proof, anna Permission::Admin "
        );
        assert_eq!(with_proof(&mut forge, "anna", "other-password"), "proof, unauthenticated");
        assert_eq!(with_proof(&mut forge, "nobody", "other-password"), "proof, unauthenticated");
        forge.now += 601;
        assert_eq!(with_proof(&mut forge, "anna", "anna-password"), "proof, anna Permission::Admin ");
    }

    #[test]
    fn a_remembered_password_is_forgotten_when_it_no_longer_counts() {
        let deactivated = UserChange { is_active: Some(false), ..change() };
        let must_change = UserChange { must_change_password: Some(true), ..change() };
        let other_address = UserChange { email: Some("new@example.org".into()), ..change() };
        for (change, expected) in [
            (deactivated, "proof, unauthenticated"),
            (must_change, "proof, unauthenticated"),
            (other_address, "proof, anna Permission::Admin "),
        ] {
            let mut forge = Forge::new();
            with_proof(&mut forge, "anna", "anna-password");
            let root = forge.session("root");
            forge.store.update_user(&root, "anna", &change).expect("a change");
            assert_eq!(with_proof(&mut forge, "anna", "anna-password"), expected, "{change:?}");
        }
        let mut forge = Forge::new();
        with_proof(&mut forge, "anna", "anna-password");
        let root = forge.session("root");
        let sealed = password::seal(&forge.key, "new-secret", NOW).expect("a password");
        forge.store.set_password(&root, "anna", None, &sealed).expect("a change");
        assert_eq!(with_proof(&mut forge, "anna", "anna-password"), "proof, unauthenticated");
        assert_eq!(with_proof(&mut forge, "anna", "new-secret"), "proof, anna Permission::Admin ");
    }

    #[test]
    fn a_hash_of_other_parameters_is_renewed_at_the_next_proof() {
        let mut forge = Forge::new();
        let hash = "SELECT password_hash FROM users WHERE name = 'anna'";
        assert!(forge.value::<String>(hash).contains("m=8,"));
        with_proof(&mut forge, "anna", "wrong-password");
        assert!(forge.value::<String>(hash).contains("m=8,"));
        with_proof(&mut forge, "anna", "anna-password");
        assert!(forge.value::<String>(hash).contains("m=19456,t=2,p=1"));
        forge.now += 601;
        assert_eq!(with_proof(&mut forge, "anna", "anna-password"), "proof, anna Permission::Admin ");
    }

    #[test]
    fn proofs_and_challenges_are_of_their_kind_and_time() {
        let mut forge = Forge::new();
        let call = forge.anonymous();
        let challenge = forge.store.challenge(&call, "anna").expect("a challenge");
        let proof = forge.prove(&challenge, "anna-password");
        assert_eq!(outcome(forge.store.sign_in(&call, &challenge, None)), "unauthenticated");
        forge.now += 61;
        let later = forge.anonymous();
        assert_eq!(outcome(forge.store.sign_in(&later, &proof, None)), "unauthenticated");
    }

    #[test]
    fn a_challenge_stands_for_one_attempt() {
        let mut forge = Forge::new();
        let call = forge.anonymous();
        let challenge = forge.store.challenge(&call, "anna").expect("a challenge");
        let right = forge.prove(&challenge, "anna-password");
        assert_eq!(outcome(forge.store.sign_in(&call, &right, None)), "ok");
        assert_eq!(
            outcome(forge.store.sign_in(&call, &right, None)),
            "ok",
            "calls of one request share a proof"
        );
        let wrong = forge.prove(&challenge, "wrong-password");
        assert_eq!(outcome(forge.store.sign_in(&call, &wrong, None)), "unauthenticated");
        assert_eq!(outcome(forge.store.sign_in(&call, &right, None)), "unauthenticated", "it is spent");
    }

    #[test]
    fn a_challenge_for_an_unknown_login_looks_the_same() {
        let mut forge = Forge::new();
        forge.add_user("dora", false);
        forge.sql(&format!(
            "UPDATE users SET password_hash = '{}' WHERE name = 'dora'",
            password::decoy_hash()
        ));
        let call = forge.anonymous();
        let known = forge.store.challenge(&call, "dora").expect("a challenge");
        let unknown = forge.store.challenge(&call, "emil").expect("a challenge");
        // The row's number and the version are a few digits in place of a `null` and a zero, and each
        // of the serial's 16 random bytes is one to three digits.
        let difference = known.len().abs_diff(unknown.len());
        assert!(difference <= 4 + 2 * 16, "{} and {}", known.len(), unknown.len());
        let proof = forge.prove(&unknown, "emil-password");
        assert_eq!(outcome(forge.store.sign_in(&call, &proof, None)), "unauthenticated");
    }

    #[test]
    fn signing_in_begins_a_session_and_ends_the_one_before() {
        let mut forge = Forge::new();
        let first = forge.sign_in("Anna", "anna-password").expect("a session");
        let Credentials::Session(secret) = &first.credentials else { panic!("it is a session") };
        let call = forge.anonymous();
        let challenge = forge.store.challenge(&call, "anna@EXAMPLE.org").expect("a challenge");
        let proof = forge.prove(&challenge, "anna-password");
        let second = forge.store.sign_in(&call, &proof, Some(secret)).expect("a session");
        assert_eq!((second.user.name.as_str(), second.user.last_sign_in), ("anna", Some(NOW)));
        assert_eq!(second.expires, NOW + 30 * 86_400);
        assert_eq!(resolved(&mut forge, &first), "unauthenticated");
        let second = forge.call(Credentials::Session(second.token));
        assert_eq!(resolved(&mut forge, &second), "anna Permission::Admin csrf");
        let Credentials::Session(secret) = &second.credentials else { panic!("it is a session") };
        forge.store.sign_out(&call, secret).expect("it ends");
        forge.store.sign_out(&call, secret).expect("ending it again is a success");
        assert_eq!(resolved(&mut forge, &second), "unauthenticated");
        let hashes: i64 = forge.value(&format!(
            "SELECT count(*) FROM sessions WHERE CAST(secret_hash AS TEXT) LIKE '%{secret}%'"
        ));
        assert_eq!(hashes, 0);
    }

    #[test]
    fn wrong_passwords_unknown_and_inactive_accounts_do_not_sign_in() {
        let mut forge = Forge::new();
        forge.sql("UPDATE users SET is_active = 0 WHERE name = 'bert'");
        for (login, password) in
            [("anna", "wrong"), ("anna", ""), ("nobody", "x"), ("bert", "bert-password"), ("", "")]
        {
            assert_eq!(outcome(forge.sign_in(login, password)), "unauthenticated", "{login}");
        }
    }

    #[test]
    fn sessions_slide_and_end() {
        let mut forge = Forge::new();
        let mut call = forge.session("anna");
        let day = 86_400;
        let last_used = "SELECT last_used FROM sessions";
        for (at, expected, noted) in [
            (NOW + 299, "anna Permission::Admin csrf", NOW),
            (NOW + 300, "anna Permission::Admin csrf", NOW + 300),
            (NOW + 300 + 30 * day - 1, "anna Permission::Admin csrf", NOW + 300 + 30 * day - 1),
            (NOW + 300 + 60 * day, "unauthenticated", NOW + 300 + 30 * day - 1),
        ] {
            call.now = at;
            assert_eq!(resolved(&mut forge, &call), expected, "at {at}");
            assert_eq!(forge.value::<i64>(last_used), noted);
        }
        forge.sql("UPDATE settings SET session_days = 3650");
        assert_eq!(resolved(&mut forge, &call), "anna Permission::Admin csrf", "the setting holds at once");
        forge.sql("UPDATE users SET is_active = 0");
        assert_eq!(resolved(&mut forge, &call), "unauthenticated");
    }

    #[test]
    fn a_user_has_a_limited_number_of_sessions() {
        let mut forge = Forge::new();
        let first = forge.session("anna");
        for _ in 0..crate::limits::SESSIONS_MAX - 1 {
            forge.now += 1;
            forge.session("anna");
        }
        assert_eq!(resolved(&mut forge, &first), "anna Permission::Admin csrf");
        forge.now += 1;
        forge.session("anna");
        assert_eq!(resolved(&mut forge, &first), "unauthenticated");
        forge.now += 40 * 86_400;
        forge.session("bert");
        assert_eq!(forge.value::<i64>("SELECT count(*) FROM sessions"), 1, "those that are over are removed");
    }

    #[test]
    fn the_secret_of_forms_belongs_to_the_session() {
        let mut forge = Forge::new();
        let (one, two) = (forge.session("anna"), forge.session("anna"));
        let csrf = |forge: &mut Forge, call| forge.store.resolve(call).expect("a viewer").csrf_token;
        assert_eq!(csrf(&mut forge, &one), csrf(&mut forge, &one));
        assert_ne!(csrf(&mut forge, &one), csrf(&mut forge, &two));
        let Credentials::Session(secret) = &one.credentials else { panic!("it is a session") };
        assert_ne!(&csrf(&mut forge, &one), secret);
    }

    #[test]
    fn a_stranger_slows_only_themselves_down() {
        let mut forge = Forge::new();
        let session = forge.sign_in("anna", "anna-password").expect("a session");
        with_proof(&mut forge, "bert", "bert-password");
        let stranger = Call::new(Credentials::Anonymous, client("203.0.113.9"), NOW);
        let attempts = (0..100).take_while(|_| forge.store.challenge(&stranger, "anna").is_ok()).count();
        assert_eq!(attempts, 10);
        assert_eq!(outcome(forge.store.challenge(&stranger, "anna")), "throttled 1");
        for n in 0..10 {
            let other = Call::new(Credentials::Anonymous, client(&format!("198.51.100.{n}")), NOW);
            while forge.store.challenge(&other, "anna").is_ok() {}
        }
        let elsewhere = Call::new(Credentials::Anonymous, client("192.0.2.99"), NOW);
        assert_eq!(outcome(forge.store.challenge(&elsewhere, "anna")), "throttled 1");
        assert_eq!(resolved(&mut forge, &session), "anna Permission::Admin csrf");
        assert_eq!(with_proof(&mut forge, "bert", "bert-password"), "bert Permission::Admin ");
        let from_home = forge.sign_in("anna", "anna-password");
        assert_eq!(outcome(from_home), "ok", "from {ADDRESS}, where she signed in before");
    }

    #[test]
    fn known_addresses_are_few() {
        let mut forge = Forge::new();
        for n in 0..=KNOWN_ADDRESSES_MAX {
            forge.now += 1;
            let call = Call::new(Credentials::Anonymous, client(&format!("192.0.2.{n}")), forge.now);
            let challenge = forge.store.challenge(&call, "anna").expect("a challenge");
            let proof = forge.prove(&challenge, "anna-password");
            forge.store.sign_in(&call, &proof, None).expect("a session");
        }
        assert_eq!(forge.value::<u32>("SELECT count(*) FROM known_addresses"), KNOWN_ADDRESSES_MAX);
        assert_eq!(forge.value::<i64>("SELECT count(*) FROM known_addresses WHERE address = '192.0.2.0'"), 0);
    }

    #[test]
    fn who_must_change_the_password_does_it_in_the_pages() {
        let mut forge = Forge::new();
        forge.sql("UPDATE users SET must_change_password = 1 WHERE name = 'anna'");
        assert_eq!(with_proof(&mut forge, "anna", "anna-password"), "proof, unauthenticated");
        let token = forge.token("anna", Permission::Read);
        assert_eq!(resolved(&mut forge, &token), "anna Permission::Read ");
        let session = forge.sign_in("anna", "anna-password").expect("a session");
        let viewer = forge.store.resolve(&session).expect("a viewer");
        assert!(viewer.user.expect("a user").must_change_password);
    }

    #[test]
    fn until_the_password_is_changed_a_session_serves_for_nothing_else() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.sql("UPDATE users SET must_change_password = 1 WHERE name = 'root'");
        let (session, token) = (forge.session("root"), forge.token("root", Permission::Read));
        let sealed = password::seal(&forge.key, "chosen-secret", NOW).expect("a password");
        let page = Page { offset: 0, limit: 1 };
        let calls = |forge: &mut Forge, call: &Call| {
            let site = forge.store.settings(call).expect("settings").site;
            let store = &mut forge.store;
            [
                outcome(store.resolve(call)),
                outcome(store.user(call, "root")),
                outcome(store.open_place(call, "demo")),
                outcome(store.children(call, None, "", page)),
                outcome(store.check_new(call, &crate::testing::new_repository("new", false))),
                outcome(store.update_settings(call, &site)),
                outcome(store.journal(call, "", page)),
                outcome(store.tokens(call, "root")),
                outcome(store.create_token(call, "root", "x", Permission::Write, None)),
                outcome(store.update_user(call, "root", &change())),
                outcome(store.set_password(call, "anna", None, &sealed)),
            ]
            .join(" ")
        };
        let refused = format!("ok ok{}", " forbidden".repeat(9));
        assert_eq!(calls(&mut forge, &session), refused);
        assert_eq!(
            outcome(forge.store.open_place(&token, "demo")),
            "ok",
            "a token has nothing to do with the password"
        );
        let challenge = forge.store.challenge(&session, "root").expect("a challenge");
        let proof = forge.prove(&challenge, "root-password");
        forge.store.set_password(&session, "root", Some(&proof), &sealed).expect("it is changed");
        assert_eq!(calls(&mut forge, &session), "ok".to_owned() + &" ok".repeat(10));
    }

    #[test]
    fn what_happens_is_entered() {
        let mut forge = Forge::new();
        let session = forge.sign_in("anna", "anna-password").expect("a session");
        let Credentials::Session(secret) = &session.credentials else { panic!("it is a session") };
        forge.store.sign_out(&session, secret).expect("it ends");
        let root = forge.session("root");
        let entries =
            forge.store.journal(&root, "anna", Page { offset: 0, limit: 10 }).expect("entries").entries;
        let actions: Vec<_> =
            entries.iter().map(|entry| (&*entry.action, &*entry.actor, &*entry.address)).collect();
        assert_eq!(actions, [("user.sign-out", "anna", ADDRESS), ("user.sign-in", "anna", ADDRESS)]);
    }
}
