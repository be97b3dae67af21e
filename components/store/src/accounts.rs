//! Users and what is theirs.

use crate::bindings::exports::lithe::forge::accounts::{
    NewToken, NewUser, Session, SigningKey, Token, UserChange, UserList,
};
use crate::failure::{conflict, forbidden, invalid};
use crate::identity::{self, Principal};
use crate::journal;
use crate::limits::FULL_NAME_BYTES_MAX;
use crate::sealed::NewPassword;
use crate::sessions;
use crate::settings;
use crate::signing_keys;
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
    let principal = identity::recognise(connection, memory, call)?;
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
    principal.require_own_password()?;
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
            let (principal, row) = account(connection, memory, call, name)?;
            principal.require_no_token()?;
            if principal.id == row.id {
                let proof = current.ok_or(Error::Unauthenticated)?;
                let (proven, _) = identity::confirm(connection, memory, proof, call)?;
                if proven.id != row.id {
                    return Err(Error::Unauthenticated);
                }
            } else {
                principal.require_own_password()?;
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

    pub fn signing_keys(&mut self, call: &Call, name: &str) -> Result<Vec<SigningKey>, Error> {
        self.transact(call.now, |connection, memory| {
            let (_, row) = own_account(connection, memory, call, name)?;
            signing_keys::list(connection, row.id)
        })
    }

    pub fn add_signing_key(
        &mut self,
        call: &Call,
        name: &str,
        title: &str,
        public_key: &str,
    ) -> Result<SigningKey, Error> {
        self.transact(call.now, |connection, memory| {
            let (principal, row) = own_account(connection, memory, call, name)?;
            let key = signing_keys::add(connection, row.id, title, public_key, call.now)?;
            let details = format!("{} {}", key.algorithm, key.fingerprint);
            journal::enter(connection, &principal, call, "user.key-add", &row.user.name, &details)?;
            Ok(key)
        })
    }

    pub fn remove_signing_key(&mut self, call: &Call, name: &str, id: u64) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let (principal, row) = own_account(connection, memory, call, name)?;
            let fingerprint = signing_keys::remove(connection, row.id, row_id(id)?)?;
            journal::enter(connection, &principal, call, "user.key-remove", &row.user.name, &fingerprint)
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
    let language = change.language.as_deref().unwrap_or(&user.language);
    users::check_language(language)?;
    connection
        .prepare_cached(
            "UPDATE users SET full_name = :full_name, is_admin = :is_admin, is_active = :is_active,
                 must_change_password = :must_change_password, language = :language WHERE id = :id",
        )?
        .execute(named_params! {
            ":full_name": full_name,
            ":is_admin": is_admin,
            ":is_active": is_active,
            ":must_change_password": change.must_change_password.unwrap_or(user.must_change_password),
            ":language": language,
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
    if change.language.as_ref().is_some_and(|new| *new != user.language) {
        words.push("language");
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{REGISTRATIONS_PER_HOUR_MAX, TOKENS_MAX};
    use crate::password;
    use crate::testing::{Forge, NOW, client, outcome, page};
    use crate::types::Credentials;

    fn sealed(forge: &Forge, password: &str) -> Vec<u8> {
        password::seal(&forge.key, password, forge.now).expect("a password")
    }

    /// A user whose password is `quick-password`, sealed without hashing it anew for each.
    fn new_user(forge: &Forge, name: &str, email: &str) -> NewUser {
        let password = NewPassword { password_hash: crate::testing::quick_hash("quick-password") };
        NewUser {
            name: name.into(),
            full_name: "Some Body".into(),
            email: email.into(),
            password: forge.key.seal(&password, forge.now),
            is_admin: false,
            must_change_password: false,
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
    fn registration_is_by_setting_and_never_of_administrators() {
        let mut forge = Forge::new();
        let call = forge.anonymous();
        let wanted = NewUser { is_admin: true, must_change_password: true, ..new_user(&forge, "dora", "") };
        assert_eq!(outcome(forge.store.register(&call, &wanted)), "forbidden");
        forge.sql("UPDATE settings SET registration = 1");
        let made = forge.store.register(&call, &wanted).expect("a user");
        assert_eq!(
            (&*made.name, made.is_admin, made.must_change_password, made.is_active),
            ("dora", false, false, true)
        );
        assert_eq!(outcome(forge.sign_in("dora", "quick-password")), "ok");
        for n in 1..REGISTRATIONS_PER_HOUR_MAX {
            assert_eq!(outcome(forge.store.register(&call, &new_user(&forge, &format!("u{n}"), ""))), "ok");
        }
        let one_more = new_user(&forge, "one-more", "");
        assert_eq!(outcome(forge.store.register(&call, &one_more)), "throttled 3601");
        let elsewhere = Call::new(Credentials::Anonymous, client("198.51.100.1"), NOW);
        assert_eq!(outcome(forge.store.register(&elsewhere, &one_more)), "ok");
    }

    #[test]
    fn new_users_are_checked() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let good = new_user(&forge, "dora", "dora@example.com");
        let cases = [
            (NewUser { name: "ANNA".into(), ..good.clone() }, "conflict"),
            (NewUser { email: "Anna@Example.org".into(), ..good.clone() }, "conflict"),
            (NewUser { name: "do ra".into(), ..good.clone() }, "invalid name"),
            (NewUser { email: "dora".into(), ..good.clone() }, "invalid email"),
            (NewUser { full_name: "a".repeat(201), ..good.clone() }, "invalid full-name"),
            (NewUser { password: b"plain".to_vec(), ..good.clone() }, "invalid password"),
            (NewUser { full_name: "é".repeat(100), ..good.clone() }, "ok"),
        ];
        for (new_user, expected) in cases {
            assert_eq!(outcome(forge.store.create_user(&root, &new_user)), expected, "{new_user:?}");
        }
        let calls = [forge.anonymous(), forge.session("anna"), forge.token("root", Permission::Write)];
        let outcomes = calls.each_ref().map(|call| outcome(forge.store.create_user(call, &good)));
        assert_eq!(outcomes, ["unauthenticated", "forbidden", "forbidden"]);
        forge.now += 61;
        let late = forge.call(root.credentials.clone());
        let other = NewUser { name: "emil".into(), email: String::new(), ..good };
        assert_eq!(
            outcome(forge.store.create_user(&late, &other)),
            "invalid password",
            "the password is too old"
        );
    }

    #[test]
    fn an_account_is_its_users_and_the_administrators() {
        let mut forge = Forge::new();
        let calls = [
            forge.anonymous(),
            forge.session("bert"),
            forge.token("anna", Permission::Write),
            forge.session("anna"),
            forge.token("root", Permission::Write),
            forge.session("root"),
        ];
        let table = calls.each_ref().map(|call| {
            let store = &mut forge.store;
            [
                outcome(store.user(call, "Anna")),
                outcome(store.user(call, "nobody")),
                outcome(store.update_user(call, "anna", &change())),
                outcome(store.sessions(call, "anna")),
                outcome(store.tokens(call, "anna")),
                outcome(store.revoke_session(call, "anna", 9_999)),
                outcome(store.revoke_token(call, "anna", u64::MAX)),
                outcome(store.create_token(call, "anna", "x", Permission::Read, None)),
                outcome(store.users(call, "", page())),
            ]
            .join(" ")
        });
        assert_eq!(
            table,
            [
                ["unauthenticated"; 9].join(" "),
                ["forbidden"; 9].join(" "),
                "ok forbidden forbidden forbidden forbidden forbidden forbidden forbidden forbidden".into(),
                "ok forbidden ok ok ok not-found not-found ok forbidden".into(),
                "ok not-found forbidden forbidden forbidden forbidden forbidden forbidden forbidden".into(),
                "ok not-found ok ok ok not-found not-found ok ok".into(),
            ]
        );
    }

    #[test]
    fn users_change_what_is_theirs_and_administrators_the_rest() {
        let mut forge = Forge::new();
        let (anna, root) = (forge.session("anna"), forge.session("root"));
        let own =
            UserChange { full_name: Some("Anna A.".into()), email: Some("a@example.com".into()), ..change() };
        let changed = forge.store.update_user(&anna, "anna", &own).expect("a change");
        assert_eq!((&*changed.full_name, &*changed.email), ("Anna A.", "a@example.com"));
        assert_eq!(outcome(forge.sign_in("a@example.com", "anna-password")), "ok");
        assert_eq!(outcome(forge.sign_in("anna@example.org", "anna-password")), "unauthenticated");
        let emptied = UserChange { email: Some(String::new()), ..change() };
        assert_eq!(forge.store.update_user(&anna, "anna", &emptied).expect("a change").email, "");
        let cases = [
            (UserChange { is_active: Some(true), ..change() }, "forbidden", "ok"),
            (UserChange { must_change_password: Some(false), ..change() }, "forbidden", "ok"),
            (UserChange { email: Some("bert@example.org".into()), ..change() }, "conflict", "conflict"),
            (UserChange { email: Some("x".into()), ..change() }, "invalid email", "invalid email"),
            (UserChange { language: Some("de-AT".into()), ..change() }, "ok", "ok"),
            (UserChange { language: Some("d_e".into()), ..change() }, "invalid language", "invalid language"),
            (
                UserChange { full_name: Some("\0".into()), ..change() },
                "invalid full-name",
                "invalid full-name",
            ),
        ];
        for (change, by_user, by_root) in cases {
            assert_eq!(outcome(forge.store.update_user(&anna, "anna", &change)), by_user, "{change:?}");
            assert_eq!(outcome(forge.store.update_user(&root, "anna", &change)), by_root, "{change:?}");
        }
    }

    #[test]
    fn the_last_administrator_stays() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let no_admin = UserChange { is_admin: Some(false), ..change() };
        let inactive = UserChange { is_active: Some(false), ..change() };
        let admin = UserChange { is_admin: Some(true), ..change() };
        assert_eq!(outcome(forge.store.update_user(&root, "root", &no_admin)), "conflict");
        assert_eq!(outcome(forge.store.update_user(&root, "root", &inactive)), "conflict");
        assert_eq!(outcome(forge.store.update_user(&root, "anna", &admin)), "ok");
        assert_eq!(outcome(forge.store.update_user(&root, "anna", &inactive)), "ok");
        assert_eq!(
            outcome(forge.store.update_user(&root, "root", &no_admin)),
            "conflict",
            "anna is not active"
        );
        let active = UserChange { is_active: Some(true), ..change() };
        assert_eq!(outcome(forge.store.update_user(&root, "anna", &active)), "ok");
        assert_eq!(outcome(forge.store.update_user(&root, "root", &no_admin)), "ok");
    }

    #[test]
    fn a_deactivated_user_is_out_at_once() {
        let mut forge = Forge::new();
        let calls = [forge.session("anna"), forge.token("anna", Permission::Read)];
        let root = forge.session("root");
        let inactive = UserChange { is_active: Some(false), ..change() };
        forge.store.update_user(&root, "anna", &inactive).expect("a change");
        for call in &calls {
            assert_eq!(outcome(forge.store.resolve(call)), "unauthenticated");
        }
        assert_eq!(outcome(forge.sign_in("anna", "anna-password")), "unauthenticated");
        let active = UserChange { is_active: Some(true), ..change() };
        forge.store.update_user(&root, "anna", &active).expect("a change");
        assert_eq!(outcome(forge.store.resolve(&calls[0])), "unauthenticated", "the session has ended");
        assert_eq!(outcome(forge.store.resolve(&calls[1])), "ok", "the token works again");
    }

    #[test]
    fn the_own_password_needs_the_present_one() {
        let mut forge = Forge::new();
        let (anna, other) = (forge.session("anna"), forge.session("anna"));
        let anyone = forge.anonymous();
        let proof = |forge: &mut Forge, login: &str, password: &str| {
            let challenge = forge.store.challenge(&anyone, login).expect("a challenge");
            forge.prove(&challenge, password)
        };
        let new = sealed(&forge, "new-secret");
        let wrong = proof(&mut forge, "anna", "wrong-password");
        let berts = proof(&mut forge, "bert", "bert-password");
        for current in [None, Some(&*wrong), Some(&*berts), Some(b"forged")] {
            assert_eq!(outcome(forge.store.set_password(&anna, "anna", current, &new)), "unauthenticated");
        }
        let right = proof(&mut forge, "anna", "anna-password");
        assert_eq!(
            outcome(forge.store.set_password(&anna, "anna", Some(&right), b"forged")),
            "invalid password"
        );
        assert_eq!(outcome(forge.store.set_password(&anna, "anna", Some(&right), &new)), "ok");
        assert_eq!(outcome(forge.store.resolve(&anna)), "ok", "the session that asked goes on");
        assert_eq!(outcome(forge.store.resolve(&other)), "unauthenticated");
        assert_eq!(outcome(forge.sign_in("anna", "anna-password")), "unauthenticated");
        assert_eq!(outcome(forge.sign_in("anna", "new-secret")), "ok");
        assert_eq!(
            outcome(forge.store.sign_in(&anyone, &right, None)),
            "unauthenticated",
            "an old proof counts no more"
        );
    }

    #[test]
    fn administrators_set_the_password_of_others() {
        let mut forge = Forge::new();
        forge.sql("UPDATE users SET must_change_password = 1 WHERE name = 'anna'");
        let (anna, root) = (forge.session("anna"), forge.session("root"));
        let new = sealed(&forge, "new-secret");
        assert_eq!(outcome(forge.store.set_password(&root, "nobody", None, &new)), "not-found");
        assert_eq!(
            outcome(forge.store.set_password(&root, "root", None, &new)),
            "unauthenticated",
            "the own one needs a proof"
        );
        assert_eq!(outcome(forge.store.set_password(&root, "anna", None, &new)), "ok");
        assert_eq!(outcome(forge.store.resolve(&anna)), "unauthenticated", "every session has ended");
        let again = forge.sign_in("anna", "new-secret").expect("a session");
        assert!(!forge.store.user(&again, "anna").expect("a user").must_change_password);
    }

    #[test]
    fn sessions_are_listed_and_revoked() {
        let mut forge = Forge::new();
        let first = forge.session("anna");
        forge.now += 10;
        let second = forge.session("anna");
        let list = forge.store.sessions(&second, "anna").expect("sessions");
        let shown: Vec<_> = list.iter().map(|s| (s.created, s.is_current, &*s.user_agent)).collect();
        assert_eq!(shown, [(NOW + 10, true, "test"), (NOW, false, "test")]);
        let bert = forge.session("bert");
        let others = forge.store.sessions(&bert, "bert").expect("sessions")[0].id;
        assert_eq!(outcome(forge.store.revoke_session(&second, "anna", others)), "not-found");
        assert_eq!(outcome(forge.store.revoke_session(&second, "anna", list[1].id)), "ok");
        assert_eq!(outcome(forge.store.resolve(&first)), "unauthenticated");
        assert_eq!(outcome(forge.store.resolve(&bert)), "ok");
    }

    #[test]
    fn tokens_are_made_listed_used_and_revoked() {
        let mut forge = Forge::new();
        let anna = forge.session("anna");
        let cases = [
            ("", Permission::Read, None, "invalid description"),
            (" ", Permission::Read, None, "invalid description"),
            (&*"a".repeat(201), Permission::Read, None, "invalid description"),
            ("ci", Permission::None, None, "invalid scope"),
            ("ci", Permission::Admin, None, "invalid scope"),
            ("ci", Permission::Read, Some(NOW), "invalid expires"),
            ("ci", Permission::Write, Some(NOW + 10), "ok"),
            (&*"a".repeat(200), Permission::Read, None, "ok"),
        ];
        for (description, scope, expires, expected) in cases {
            let made = forge.store.create_token(&anna, "anna", description, scope, expires);
            assert_eq!(outcome(made), expected, "{description:.9}");
        }
        let made = forge
            .store
            .create_token(&anna, "anna", "laptop", Permission::Read, Some(NOW + 1_000))
            .expect("a token");
        let mut call = forge.call(Credentials::Bearer(made.secret.clone()));
        assert_eq!((&*made.token.description, made.token.last_used), ("laptop", None));
        let last_used = |forge: &mut Forge| forge.store.tokens(&anna, "anna").expect("tokens")[0].last_used;
        for (at, expected, noted) in [
            (NOW, "ok", NOW),
            (NOW + 299, "ok", NOW),
            (NOW + 300, "ok", NOW + 300),
            (NOW + 999, "ok", NOW + 999),
            (NOW + 1_000, "unauthenticated", NOW + 999),
        ] {
            call.now = at;
            assert_eq!(outcome(forge.store.resolve(&call)), expected, "{at}");
            assert_eq!(last_used(&mut forge), Some(noted), "{at}");
        }
        call.now = NOW;
        assert_eq!(outcome(forge.store.revoke_token(&anna, "anna", made.token.id)), "ok");
        assert_eq!(outcome(forge.store.resolve(&call)), "unauthenticated");
        assert_eq!(forge.store.tokens(&anna, "anna").expect("tokens").len(), 2);
        assert_eq!(
            forge.value::<i64>(&format!(
                "SELECT count(*) FROM tokens WHERE CAST(secret_hash AS TEXT) LIKE '%{}%'",
                made.secret
            )),
            0
        );
    }

    #[test]
    fn a_user_has_a_limited_number_of_tokens() {
        let mut forge = Forge::new();
        let anna = forge.session("anna");
        for _ in 0..TOKENS_MAX {
            forge.store.create_token(&anna, "anna", "x", Permission::Read, None).expect("a token");
        }
        let past = forge.store.create_token(&anna, "anna", "x", Permission::Read, None);
        assert_eq!(outcome(past), "invalid description");
    }

    #[test]
    fn users_are_listed_by_name() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let names = |forge: &mut Forge, filter: &str, offset, limit| {
            let list = forge.store.users(&root, filter, Page { offset, limit }).expect("users");
            (list.total, list.users.into_iter().map(|user| user.name).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names(&mut forge, "", 0, 10), (4, "anna bert cara root".into()));
        assert_eq!(names(&mut forge, "", 1, 2), (4, "bert cara".into()));
        assert_eq!(names(&mut forge, "A@EX", 0, 10), (2, "anna cara".into()));
        assert_eq!(names(&mut forge, "%", 0, 10), (0, String::new()));
    }
}
