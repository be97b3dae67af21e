//! Whoever runs the server: the command line's token, and the first administrator.

use crate::bindings::exports::lithe::forge::operator::OneTimePassword;
use crate::identity::Principal;
use crate::password;
use crate::secret;
use crate::store::Store;
use crate::types::{Error, Permission, Timestamp, User, Viewer};
use crate::users::{self, Draft};
use rusqlite::Connection;

/// The name of the administrator that the store makes.
const FIRST_ADMINISTRATOR: &str = "admin";
/// The operator's name in the journal. No user can have it.
const OPERATOR: &str = "operator";

/// What is kept for the operator until the store stops.
pub struct Operator {
    token: String,
    token_hash: [u8; 32],
    one_time_password: Option<OneTimePassword>,
}

impl Operator {
    pub fn new() -> Self {
        let token = secret::operator_token();
        Self { token_hash: secret::hash(&token), token, one_time_password: None }
    }

    /// The operator, if the secret is the operator's token. Hashes are compared, so that the time
    /// says nothing about the token.
    pub fn recognise(&self, secret: &str) -> Option<Principal> {
        (secret::hash(secret) == self.token_hash).then(principal)
    }

    /// Forgets the one-time password, once it was used or replaced.
    pub fn forget_one_time_password(&mut self, name: &str) {
        self.one_time_password.take_if(|password| password.name == name);
    }
}

fn principal() -> Principal {
    let user = User {
        id: 0,
        name: OPERATOR.into(),
        full_name: String::new(),
        email: String::new(),
        is_admin: true,
        is_active: true,
        must_change_password: false,
        created: 0,
        last_sign_in: None,
        language: String::new(),
    };
    Principal {
        viewer: Viewer { user: Some(user), csrf_token: String::new(), ceiling: Permission::Admin },
        id: 0,
        session: None,
    }
}

impl Store {
    pub fn operator_token(&mut self) -> String {
        self.memory().operator.token.clone()
    }

    /// See `operator.first-administrator`. Only a hash of the password is stored: if the store was
    /// stopped before it was used, there is a new one, so that it can always be shown.
    pub fn first_administrator(&mut self, now: Timestamp) -> Result<Option<OneTimePassword>, Error> {
        if let Some(password) = &self.memory().operator.one_time_password {
            return Ok(Some(password.clone()));
        }
        let password = self.transact(now, |connection, _| {
            let is_due = !has_users(connection)? || has_one_time_password(connection)?;
            is_due.then(|| set_one_time_password(connection, now)).transpose()
        })?;
        self.memory().operator.one_time_password = password.clone();
        Ok(password)
    }
}

fn has_users(connection: &Connection) -> Result<bool, Error> {
    Ok(connection.query_row("SELECT EXISTS (SELECT 1 FROM users)", [], |row| row.get(0))?)
}

fn has_one_time_password(connection: &Connection) -> Result<bool, Error> {
    Ok(connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM users WHERE name = ?1 AND has_one_time_password = 1)",
        [FIRST_ADMINISTRATOR],
        |row| row.get(0),
    )?)
}

fn set_one_time_password(connection: &Connection, now: Timestamp) -> Result<OneTimePassword, Error> {
    let password = secret::one_time_password();
    let password_hash = &*password::hash(&password)?;
    if !has_users(connection)? {
        let draft = Draft {
            name: FIRST_ADMINISTRATOR,
            full_name: "",
            email: "",
            password_hash,
            is_admin: true,
            must_change_password: true,
        };
        users::add(connection, &draft, now)?;
    }
    connection.execute(
        "UPDATE users SET password_hash = ?1, has_one_time_password = 1, credentials_version = credentials_version + 1
         WHERE name = ?2",
        (password_hash, FIRST_ADMINISTRATOR),
    )?;
    Ok(OneTimePassword { name: FIRST_ADMINISTRATOR.into(), password })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Forge, NOW, outcome};

    #[test]
    fn the_first_administrator_is_made_once_and_shown_until_used() {
        let mut forge = Forge::empty();
        let shown = forge.store.first_administrator(NOW).expect("an answer").expect("a password");
        assert_eq!(shown.name, "admin");
        let again = forge.store.first_administrator(NOW).expect("an answer").expect("a password");
        assert_eq!(again.password, shown.password);
        let session = forge.sign_in("admin", &shown.password).expect("a session");
        let user = forge.store.resolve(&session).expect("a viewer").user.expect("a user");
        assert!(user.is_admin && user.must_change_password);
        assert_eq!(forge.store.first_administrator(NOW), Ok(None));
    }

    #[test]
    fn a_restart_before_the_first_sign_in_makes_a_new_password() {
        let mut forge = Forge::empty();
        let lost = forge.store.first_administrator(NOW).expect("an answer").expect("a password");
        forge.store.memory().operator = Operator::new();
        let shown = forge.store.first_administrator(NOW).expect("an answer").expect("a password");
        assert_ne!(shown.password, lost.password);
        assert_eq!(outcome(forge.sign_in("admin", &lost.password)), "unauthenticated");
        assert_eq!(outcome(forge.sign_in("admin", &shown.password)), "ok");
        forge.store.memory().operator = Operator::new();
        assert_eq!(forge.store.first_administrator(NOW), Ok(None));
    }

    #[test]
    fn where_there_are_users_none_is_made() {
        let mut forge = Forge::new();
        assert_eq!(forge.store.first_administrator(NOW), Ok(None));
        assert_eq!(forge.value::<i64>("SELECT count(*) FROM users WHERE name = 'admin'"), 0);
    }

    #[test]
    fn a_password_set_by_the_operator_replaces_the_one_shown() {
        let mut forge = Forge::empty();
        forge.store.first_administrator(NOW).expect("an answer").expect("a password");
        let operator = crate::types::Credentials::Bearer(forge.store.operator_token());
        let operator = forge.call(operator);
        let sealed = password::seal(&forge.key, "chosen-secret", NOW).expect("a password");
        forge.store.set_password(&operator, "admin", None, &sealed).expect("it is set");
        assert_eq!(forge.store.first_administrator(NOW), Ok(None));
        assert_eq!(outcome(forge.sign_in("admin", "chosen-secret")), "ok");
    }
}
