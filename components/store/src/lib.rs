//! The component `store`: accounts, permissions and everything else in the database `/db/lithe.db`.
//!
//! | interface | module | what it holds |
//! |---|---|---|
//! | `identity` | `identity` | who the credentials stand for; sign-in and sessions |
//! | `passwords` | `password` | the slow checks, beside everything else |
//! | `access` | `access` | what stands at a path, and what the viewer may do there |
//! | `accounts` | `accounts` | users, their sessions, tokens and signing keys |
//! | `repositories` | `repositories`, `groups`, `grants` | what is known about repositories besides their contents |
//! | `settings` | `settings` | the site's settings |
//! | `locks` | `locks` | locks on files |
//! | `quotas` | `quotas` | how much room large files may take, and do |
//! | `journal` | `journal` | who did what |
//! | `push-rules` | `push_rules` | what a push has to keep to |
//! | `issue-links` | `issue_links` | what messages call issues, and where those are |
//! | `signers` | `signers` | the keys that signatures are verified by |
//! | `operator` | `operator` | the command line's way in |
//!
//! This file answers the calls; the modules do the work on a [`store::Store`], and know nothing of WASI.

mod access;
mod accounts;
mod activity;
mod answers;
mod bindings;
mod database;
mod failed_sign_ins;
mod failure;
mod grants;
mod groups;
mod identity;
mod issue_links;
mod journal;
mod limits;
mod lock;
mod locks;
mod operator;
mod password;
mod places;
mod push_rules;
mod quotas;
mod ref_rules;
mod remembered;
mod repositories;
mod schema;
mod sealed;
mod secret;
mod sessions;
mod settings;
mod signers;
mod signing_keys;
mod spent;
mod store;
#[cfg(test)]
mod testing;
mod throttle;
mod tokens;
mod users;

use bindings::exports::lithe::forge as wit;
use database::Sharing;
use sealed::SealingKey;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};
use store::{Call, Store};
use types::{
    Client, Credentials, Error, Group, Page, Permission, Repository, RepositoryId, Timestamp, User, Viewer,
};

/// The values that the interfaces share.
mod types {
    pub use crate::bindings::exports::lithe::forge::types::*;
}

/// Where the database directory is mounted.
const DIRECTORY: &str = "/db";
/// Set to `exclusive` by a host that runs one instance only, and to `reclaimed` by one that knows
/// that no such host is left.
const SHARING_VARIABLE: &str = "LITHE_DATABASE";

thread_local! {
    /// Opened at the first call that needs it, and kept.
    static STORE: RefCell<Option<Store>> = const { RefCell::new(None) };
    static KEY: RefCell<Option<Rc<SealingKey>>> = const { RefCell::new(None) };
}

/// Runs `work` on the open store.
fn with_store<T>(work: impl FnOnce(&mut Store, Timestamp) -> Result<T, Error>) -> Result<T, Error> {
    STORE.with_borrow_mut(|store| {
        if store.is_none() {
            let sharing = match std::env::var(SHARING_VARIABLE).as_deref() {
                Ok("exclusive") => Sharing::Exclusive,
                Ok("reclaimed") => Sharing::Reclaimed,
                _ => Sharing::Shared,
            };
            *store = Some(Store::open(Path::new(DIRECTORY), sharing, key()?)?);
        }
        work(store.as_mut().expect("it was just opened"), now())
    })
}

fn key() -> Result<Rc<SealingKey>, Error> {
    KEY.with_borrow_mut(|key| {
        if key.is_none() {
            *key = Some(Rc::new(SealingKey::open(Path::new(DIRECTORY))?));
        }
        Ok(Rc::clone(key.as_ref().expect("it was just read")))
    })
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::try_from(since.as_secs()).unwrap_or(Timestamp::MAX)
}

/// Runs `work` on the open store for a caller.
fn with_call<T>(
    credentials: Credentials,
    client: Client,
    work: impl FnOnce(&mut Store, &Call) -> Result<T, Error>,
) -> Result<T, Error> {
    with_store(|store, now| work(store, &Call::new(credentials, client, now)))
}

/// What answers the calls.
pub struct Component;

impl wit::identity::Guest for Component {
    fn resolve(credentials: Credentials, client: Client) -> Result<Viewer, Error> {
        with_call(credentials, client, |store, call| store.resolve(call))
    }

    fn challenge(login: String, client: Client) -> Result<Vec<u8>, Error> {
        with_call(Credentials::Anonymous, client, |store, call| store.challenge(call, &login))
    }

    fn sign_in(
        proof: Vec<u8>,
        replaces: Option<String>,
        client: Client,
    ) -> Result<wit::identity::NewSession, Error> {
        with_call(Credentials::Anonymous, client, |store, call| {
            store.sign_in(call, &proof, replaces.as_deref())
        })
    }

    fn sign_out(session: String, client: Client) -> Result<(), Error> {
        with_call(Credentials::Anonymous, client, |store, call| store.sign_out(call, &session))
    }
}

impl wit::passwords::Guest for Component {
    fn prove(challenge: Vec<u8>, password: String) -> Result<Vec<u8>, Error> {
        password::prove(&*key()?, &challenge, password, now())
    }

    fn seal(password: String) -> Result<Vec<u8>, Error> {
        password::seal(&*key()?, &password, now())
    }
}

impl wit::access::Guest for Component {
    fn open(credentials: Credentials, client: Client, path: String) -> Result<wit::access::Opened, Error> {
        with_call(credentials, client, |store, call| store.open_place(call, &path))
    }

    fn children(
        credentials: Credentials,
        client: Client,
        parent: Option<String>,
        filter: String,
        page: Page,
    ) -> Result<wit::access::Listing, Error> {
        with_call(credentials, client, |store, call| store.children(call, parent.as_deref(), &filter, page))
    }

    fn activity(
        credentials: Credentials,
        client: Client,
        before: Option<u64>,
        limit: u32,
    ) -> Result<wit::access::EventList, Error> {
        with_call(credentials, client, |store, call| store.activity(call, before, limit))
    }
}

impl wit::accounts::Guest for Component {
    fn register(new_user: wit::accounts::NewUser, client: Client) -> Result<User, Error> {
        with_call(Credentials::Anonymous, client, |store, call| store.register(call, &new_user))
    }

    fn create(
        credentials: Credentials,
        client: Client,
        new_user: wit::accounts::NewUser,
    ) -> Result<User, Error> {
        with_call(credentials, client, |store, call| store.create_user(call, &new_user))
    }

    fn get(credentials: Credentials, client: Client, name: String) -> Result<User, Error> {
        with_call(credentials, client, |store, call| store.user(call, &name))
    }

    fn list(
        credentials: Credentials,
        client: Client,
        filter: String,
        page: Page,
    ) -> Result<wit::accounts::UserList, Error> {
        with_call(credentials, client, |store, call| store.users(call, &filter, page))
    }

    fn update(
        credentials: Credentials,
        client: Client,
        name: String,
        change: wit::accounts::UserChange,
    ) -> Result<User, Error> {
        with_call(credentials, client, |store, call| store.update_user(call, &name, &change))
    }

    fn set_password(
        credentials: Credentials,
        client: Client,
        name: String,
        current: Option<Vec<u8>>,
        new_password: Vec<u8>,
    ) -> Result<(), Error> {
        with_call(credentials, client, |store, call| {
            store.set_password(call, &name, current.as_deref(), &new_password)
        })
    }

    fn sessions(
        credentials: Credentials,
        client: Client,
        name: String,
    ) -> Result<Vec<wit::accounts::Session>, Error> {
        with_call(credentials, client, |store, call| store.sessions(call, &name))
    }

    fn revoke_session(credentials: Credentials, client: Client, name: String, id: u64) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.revoke_session(call, &name, id))
    }

    fn tokens(
        credentials: Credentials,
        client: Client,
        name: String,
    ) -> Result<Vec<wit::accounts::Token>, Error> {
        with_call(credentials, client, |store, call| store.tokens(call, &name))
    }

    fn create_token(
        credentials: Credentials,
        client: Client,
        name: String,
        description: String,
        scope: Permission,
        expires: Option<Timestamp>,
    ) -> Result<wit::accounts::NewToken, Error> {
        with_call(credentials, client, |store, call| {
            store.create_token(call, &name, &description, scope, expires)
        })
    }

    fn revoke_token(credentials: Credentials, client: Client, name: String, id: u64) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.revoke_token(call, &name, id))
    }

    fn signing_keys(
        credentials: Credentials,
        client: Client,
        name: String,
    ) -> Result<Vec<wit::accounts::SigningKey>, Error> {
        with_call(credentials, client, |store, call| store.signing_keys(call, &name))
    }

    fn add_signing_key(
        credentials: Credentials,
        client: Client,
        name: String,
        title: String,
        public_key: String,
    ) -> Result<wit::accounts::SigningKey, Error> {
        with_call(credentials, client, |store, call| store.add_signing_key(call, &name, &title, &public_key))
    }

    fn remove_signing_key(
        credentials: Credentials,
        client: Client,
        name: String,
        id: u64,
    ) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.remove_signing_key(call, &name, id))
    }
}

impl wit::repositories::Guest for Component {
    fn check_new(
        credentials: Credentials,
        client: Client,
        new_repository: wit::repositories::NewRepository,
    ) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.check_new(call, &new_repository))
    }

    fn create(
        credentials: Credentials,
        client: Client,
        new_repository: wit::repositories::NewRepository,
    ) -> Result<Repository, Error> {
        with_call(credentials, client, |store, call| store.create_repository(call, &new_repository))
    }

    fn create_group(
        credentials: Credentials,
        client: Client,
        path: String,
        description: String,
    ) -> Result<Group, Error> {
        with_call(credentials, client, |store, call| store.create_group(call, &path, &description))
    }

    fn update_group(
        credentials: Credentials,
        client: Client,
        path: String,
        description: String,
    ) -> Result<Group, Error> {
        with_call(credentials, client, |store, call| store.update_group(call, &path, &description))
    }

    fn delete_group(credentials: Credentials, client: Client, path: String) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.delete_group(call, &path))
    }

    fn update(
        credentials: Credentials,
        client: Client,
        path: String,
        change: wit::repositories::RepositoryChange,
    ) -> Result<Repository, Error> {
        with_call(credentials, client, |store, call| store.update_repository(call, &path, &change))
    }

    fn begin_rename(
        credentials: Credentials,
        client: Client,
        path: String,
        new_path: String,
    ) -> Result<Repository, Error> {
        with_call(credentials, client, |store, call| store.begin_rename(call, &path, &new_path))
    }

    fn finish_rename(credentials: Credentials, client: Client, path: String) -> Result<Repository, Error> {
        with_call(credentials, client, |store, call| store.finish_rename(call, &path))
    }

    fn delete(credentials: Credentials, client: Client, path: String) -> Result<Repository, Error> {
        with_call(credentials, client, |store, call| store.delete_repository(call, &path))
    }

    fn deleted(credentials: Credentials, client: Client) -> Result<Vec<Repository>, Error> {
        with_call(credentials, client, |store, call| store.deleted(call))
    }

    fn restore(credentials: Credentials, client: Client, id: RepositoryId) -> Result<Repository, Error> {
        with_call(credentials, client, |store, call| store.restore(call, id))
    }

    fn purge(credentials: Credentials, client: Client, id: RepositoryId) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.purge(call, id))
    }

    fn all(credentials: Credentials, client: Client, page: Page) -> Result<Vec<Repository>, Error> {
        with_call(credentials, client, |store, call| store.all_repositories(call, page))
    }

    fn grants(
        credentials: Credentials,
        client: Client,
        path: String,
    ) -> Result<Vec<wit::repositories::Grant>, Error> {
        with_call(credentials, client, |store, call| store.grants(call, &path))
    }

    fn set_grant(
        credentials: Credentials,
        client: Client,
        path: String,
        grantee: wit::repositories::Grantee,
        permission: Permission,
    ) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.set_grant(call, &path, &grantee, permission))
    }
}

impl wit::settings::Guest for Component {
    fn get(credentials: Credentials, client: Client) -> Result<wit::settings::Overview, Error> {
        with_call(credentials, client, |store, call| store.settings(call))
    }

    fn update(credentials: Credentials, client: Client, site: wit::settings::Site) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.update_settings(call, &site))
    }
}

impl wit::locks::Guest for Component {
    fn take(
        credentials: Credentials,
        client: Client,
        path: String,
        file: String,
    ) -> Result<wit::locks::Attempt, Error> {
        with_call(credentials, client, |store, call| store.take_lock(call, &path, &file))
    }

    fn list(
        credentials: Credentials,
        client: Client,
        path: String,
        filter: wit::locks::LockFilter,
        after: u64,
        limit: u32,
    ) -> Result<wit::locks::LockList, Error> {
        with_call(credentials, client, |store, call| store.locks(call, &path, &filter, after, limit))
    }

    fn release(
        credentials: Credentials,
        client: Client,
        path: String,
        id: u64,
        force: bool,
    ) -> Result<wit::locks::Lock, Error> {
        with_call(credentials, client, |store, call| store.release_lock(call, &path, id, force))
    }
}

impl wit::quotas::Guest for Component {
    fn get(credentials: Credentials, client: Client, path: String) -> Result<wit::quotas::Quota, Error> {
        with_call(credentials, client, |store, call| store.quota(call, &path))
    }

    fn take(credentials: Credentials, client: Client, path: String, bytes: u64) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.take_quota(call, &path, bytes))
    }

    fn give_back(credentials: Credentials, client: Client, path: String, bytes: u64) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.give_back_quota(call, &path, bytes))
    }

    fn recount(
        credentials: Credentials,
        client: Client,
        path: String,
        used: u64,
        counted: u64,
    ) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.recount_quota(call, &path, used, counted))
    }

    fn set_limits(
        credentials: Credentials,
        client: Client,
        path: String,
        limits: wit::quotas::OwnLimits,
    ) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.set_quota_limits(call, &path, limits))
    }
}

impl wit::journal::Guest for Component {
    fn record_push(
        credentials: Credentials,
        client: Client,
        path: String,
        details: String,
    ) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.record_push(call, &path, &details))
    }

    fn record_action(
        credentials: Credentials,
        client: Client,
        path: String,
        action: String,
        details: String,
    ) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.record_action(call, &path, &action, &details))
    }

    fn list(
        credentials: Credentials,
        client: Client,
        filter: String,
        page: Page,
    ) -> Result<wit::journal::EntryList, Error> {
        with_call(credentials, client, |store, call| store.journal(call, &filter, page))
    }
}

impl wit::push_rules::Guest for Component {
    fn in_force(
        credentials: Credentials,
        client: Client,
        path: String,
    ) -> Result<wit::push_rules::Terms, Error> {
        with_call(credentials, client, |store, call| store.push_rules_in_force(call, &path))
    }

    fn list(
        credentials: Credentials,
        client: Client,
        path: String,
    ) -> Result<Vec<wit::push_rules::Rules>, Error> {
        with_call(credentials, client, |store, call| store.push_rules(call, &path))
    }

    fn set_checks(
        credentials: Credentials,
        client: Client,
        path: String,
        checks: wit::push_rules::Checks,
    ) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.set_push_checks(call, &path, &checks))
    }

    fn protect(
        credentials: Credentials,
        client: Client,
        path: String,
        rule: wit::push_rules::RefRule,
    ) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.protect(call, &path, &rule))
    }

    fn unprotect(
        credentials: Credentials,
        client: Client,
        path: String,
        kind: wit::push_rules::RefKind,
        pattern: String,
    ) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.unprotect(call, &path, kind, &pattern))
    }

    fn known_addresses(
        credentials: Credentials,
        client: Client,
        path: String,
        addresses: Vec<String>,
    ) -> Result<Vec<String>, Error> {
        with_call(credentials, client, |store, call| store.known_addresses(call, &path, &addresses))
    }
}

impl wit::issue_links::Guest for Component {
    fn list(
        credentials: Credentials,
        client: Client,
        path: String,
    ) -> Result<Vec<wit::issue_links::PlaceLinks>, Error> {
        with_call(credentials, client, |store, call| store.issue_links(call, &path))
    }

    fn set(
        credentials: Credentials,
        client: Client,
        path: String,
        links: Vec<types::IssueLink>,
    ) -> Result<(), Error> {
        with_call(credentials, client, |store, call| store.set_issue_links(call, &path, &links))
    }
}

impl wit::signers::Guest for Component {
    fn find(
        credentials: Credentials,
        client: Client,
        path: String,
        names: Vec<String>,
        addresses: Vec<String>,
    ) -> Result<Vec<wit::signers::KnownKey>, Error> {
        with_call(credentials, client, |store, call| store.find_signers(call, &path, &names, &addresses))
    }
}

impl wit::operator::Guest for Component {
    fn token() -> Result<String, Error> {
        with_store(|store, _| Ok(store.operator_token()))
    }

    fn first_administrator() -> Result<Option<wit::operator::OneTimePassword>, Error> {
        with_store(|store, now| store.first_administrator(now))
    }
}

// Elsewhere the exports' names are none that a linker takes.
#[cfg(target_family = "wasm")]
bindings::export!(Component with_types_in bindings);
