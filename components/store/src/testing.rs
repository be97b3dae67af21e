//! What the tests of several modules share: a store in memory with a few users, and a clock.

use crate::bindings::exports::lithe::forge::repositories::{Grantee, NewRepository};
use crate::database::Database;
use crate::password;
use crate::sealed::SealingKey;
use crate::sessions;
use crate::store::{Call, Store};
use crate::tokens;
use crate::types::{BasicCredentials, Client, Credentials, Error, Permission, Repository, Timestamp};
use crate::users::{self, Draft};
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use std::rc::Rc;

/// When the tests begin.
pub const NOW: Timestamp = 1_800_000_000;
/// The address that calls come from, unless a test says otherwise.
pub const ADDRESS: &str = "192.0.2.1";

/// A store in memory. Its site administrator is `root`; `anna`, `bert` and `cara` are users.
/// Everybody's password is `<name>-password`.
pub struct Forge {
    pub store: Store,
    pub key: Rc<SealingKey>,
    pub now: Timestamp,
}

impl Forge {
    pub fn new() -> Self {
        let mut forge = Self::empty();
        forge.add_user("root", true);
        for name in ["anna", "bert", "cara"] {
            forge.add_user(name, false);
        }
        forge
    }

    /// Without a user.
    pub fn empty() -> Self {
        let key = Rc::new(SealingKey::random());
        Self { store: Store::new(Database::in_memory(), Rc::clone(&key)), key, now: NOW }
    }

    pub fn add_user(&mut self, name: &str, is_admin: bool) {
        let draft = Draft {
            name,
            full_name: "",
            email: &format!("{name}@example.org"),
            password_hash: &quick_hash(&format!("{name}-password")),
            is_admin,
            must_change_password: false,
        };
        let now = self.now;
        self.store.transact(now, |connection, _| users::add(connection, &draft, now)).expect("a user");
    }

    pub fn call(&self, credentials: Credentials) -> Call {
        Call::new(credentials, client(ADDRESS), self.now)
    }

    pub fn anonymous(&self) -> Call {
        self.call(Credentials::Anonymous)
    }

    /// A call by the user in a new session.
    pub fn session(&mut self, name: &str) -> Call {
        let call = self.anonymous();
        let secret = self.store.transact(self.now, |connection, _| {
            let row = users::by_name(connection, name)?.expect("the user");
            sessions::begin(connection, row.id, 30, &call)
        });
        self.call(Credentials::Session(secret.expect("a session")))
    }

    /// A call by the user with a new access token.
    pub fn token(&mut self, name: &str, scope: Permission) -> Call {
        let now = self.now;
        let token = self.store.transact(now, |connection, _| {
            let row = users::by_name(connection, name)?.expect("the user");
            tokens::create(connection, row.id, "test", scope, None, now)
        });
        self.call(Credentials::Bearer(token.expect("a token").secret))
    }

    /// A call with a login and a password.
    pub fn basic(&self, login: &str, password: &str) -> Call {
        self.call(Credentials::Basic(BasicCredentials { login: login.into(), password: password.into() }))
    }

    /// Makes the check that a challenge asks for.
    pub fn prove(&self, challenge: &[u8], password: &str) -> Vec<u8> {
        password::prove(&self.key, challenge, password.into(), self.now).expect("a proof")
    }

    /// Signs in with a login and a password, and returns a call in the new session.
    pub fn sign_in(&mut self, login: &str, password: &str) -> Result<Call, Error> {
        let call = self.anonymous();
        let challenge = self.store.challenge(&call, login)?;
        let proof = self.prove(&challenge, password);
        let session = self.store.sign_in(&call, &proof, None)?;
        Ok(self.call(Credentials::Session(session.token)))
    }

    /// Makes a repository as the caller.
    pub fn repository(&mut self, call: &Call, path: &str, is_private: bool) -> Repository {
        self.store.create_repository(call, &new_repository(path, is_private)).expect("a repository")
    }

    /// Gives a permission as the site administrator.
    pub fn grant(&mut self, path: &str, grantee: Grantee, permission: Permission) {
        let root = self.session("root");
        self.store.set_grant(&root, path, &grantee, permission).expect("a grant");
    }

    /// Changes the database directly.
    pub fn sql(&mut self, sql: &str) {
        let now = self.now;
        self.store.transact(now, |connection, _| Ok(connection.execute_batch(sql)?)).expect("a change");
    }

    /// Reads one value from the database directly.
    pub fn value<T: rusqlite::types::FromSql>(&mut self, sql: &str) -> T {
        let now = self.now;
        self.store
            .transact(now, |connection, _| Ok(connection.query_row(sql, [], |row| row.get(0))?))
            .expect("a value")
    }

    /// The paths that the caller sees: direct children of `parent`, or what `filter` finds.
    pub fn paths(&mut self, call: &Call, parent: Option<&str>, filter: &str) -> Vec<String> {
        use crate::bindings::exports::lithe::forge::access::Place;
        let listing = self.store.children(call, parent, filter, page()).expect("a listing");
        assert_eq!(listing.total as usize, listing.entries.len());
        let path = |place| match place {
            Place::Repository(repository) => repository.path,
            Place::Group(group) => format!("{}/", group.path),
        };
        listing.entries.into_iter().map(|entry| path(entry.place)).collect()
    }
}

/// The first and largest page.
pub fn page() -> crate::types::Page {
    crate::types::Page { offset: 0, limit: 1_000 }
}

pub fn client(address: &str) -> Client {
    Client { address: address.into(), user_agent: "test".into() }
}

pub fn new_repository(path: &str, is_private: bool) -> NewRepository {
    NewRepository { path: path.into(), description: String::new(), is_private }
}

pub fn user(name: &str) -> Grantee {
    Grantee::User(name.into())
}

/// A hash that takes no time.
pub fn quick_hash(password: &str) -> String {
    let params = Params::new(8, 1, 1, None).expect("in range");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_with_salt(password.as_bytes(), &[7; 16]).expect("a hash").to_string()
}

/// The name of an error's case, with its words where they are for users.
pub fn outcome<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(Error::NotFound) => "not-found".into(),
        Err(Error::Unauthenticated) => "unauthenticated".into(),
        Err(Error::ProofRequired(_)) => "proof-required".into(),
        Err(Error::Forbidden(_)) => "forbidden".into(),
        Err(Error::Invalid(field)) => format!("invalid {}", field.name),
        Err(Error::Conflict(_)) => "conflict".into(),
        Err(Error::Throttled(seconds)) => format!("throttled {seconds}"),
        Err(Error::Other(words)) => format!("other: {words}"),
    }
}

/// What SQLite says about how it will run the statements of one call.
pub fn plans(forge: &mut Forge, work: impl FnOnce(&mut Forge)) -> Vec<(String, Vec<String>)> {
    use rusqlite::trace::{TraceEvent, TraceEventCodes};
    let statements = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&statements);
    let collect = move |event: TraceEvent| {
        if let TraceEvent::Stmt(statement, _) = event {
            seen.lock().expect("one thread").push(statement.sql().to_string());
        }
    };
    forge
        .store
        .database()
        .connection_mut()
        .trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(collect))
        .expect("a trace");
    work(forge);
    forge
        .store
        .database()
        .connection_mut()
        .trace_v2(TraceEventCodes::empty(), None::<fn(TraceEvent)>)
        .expect("no trace");
    let mut statements = std::mem::take(&mut *statements.lock().expect("one thread"));
    statements.sort();
    statements.dedup();
    statements.retain(|sql| !["BEGIN", "COMMIT", "ROLLBACK"].contains(&&**sql));
    let connection = forge.store.database().connection_mut();
    let plan = |sql: &String| {
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a plan");
        let lines = explain.raw_query().mapped(|row| row.get(3)).collect::<Result<Vec<String>, _>>();
        (sql.clone(), lines.expect("a plan"))
    };
    statements.iter().map(plan).collect()
}
