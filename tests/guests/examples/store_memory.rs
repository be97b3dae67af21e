//! In the place of `store`: everything in memory, one administrator `alice` and no database.
//!
//! It knows just enough for Git and for looking at pages: repositories exist as soon as they are
//! created, and everybody may read and write them.

use std::cell::RefCell;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../wit",
        world: "store",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq],
        generate_all,
    });
    use super::Memory;
    export!(Memory);
}

use bindings::exports::lithe::forge::{
    access, accounts, identity, issue_links, journal, locks, operator, passwords, push_rules, quotas,
    repositories, settings, signers, types,
};
use types::{Client, Credentials, Error, Group, Page, Permission, Repository, User, Viewer};

thread_local! {
    static REPOSITORIES: RefCell<Vec<Repository>> = const { RefCell::new(Vec::new()) };
}

struct Memory;

fn alice() -> User {
    User {
        id: 1,
        name: "alice".to_owned(),
        full_name: "Alice in Memory".to_owned(),
        email: String::new(),
        is_admin: true,
        is_active: true,
        must_change_password: false,
        created: 0,
        last_sign_in: None,
        language: String::new(),
    }
}

/// Everybody is alice; who came by a session gets the secret for its forms.
fn viewer(credentials: &Credentials) -> Viewer {
    let csrf_token = match credentials {
        Credentials::Session(_) => "memory".to_owned(),
        _ => String::new(),
    };
    Viewer { user: Some(alice()), csrf_token, ceiling: Permission::Admin }
}

/// Who looks, and the settings that the pages show.
fn overview(credentials: &Credentials) -> settings::Overview {
    let site = settings::Site {
        title: "Lithe in memory".to_owned(),
        registration: false,
        anonymous_access: true,
        public_by_default: true,
        top_level_creation: true,
        deletion_grace_days: 0,
        session_days: 1,
        lfs_object_mib_max: 1,
        lfs_repository_mib_max: 1,
    };
    settings::Overview { viewer: viewer(credentials), site }
}

fn not_in_memory<T>() -> Result<T, Error> {
    Err(Error::Other("the store in memory does not do this".to_owned()))
}

fn find(path: &str) -> Result<Repository, Error> {
    let path = path.strip_suffix(".git").unwrap_or(path);
    let is_it = |repository: &&Repository| repository.path == path || format!("_{}", repository.id) == path;
    REPOSITORIES.with_borrow(|all| all.iter().find(is_it).cloned()).ok_or(Error::NotFound)
}

impl identity::Guest for Memory {
    fn resolve(credentials: Credentials, _: Client) -> Result<Viewer, Error> {
        Ok(viewer(&credentials))
    }
    fn challenge(login: String, _: Client) -> Result<Vec<u8>, Error> {
        Ok(login.into_bytes())
    }
    fn sign_in(_: Vec<u8>, _: Option<String>, _: Client) -> Result<identity::NewSession, Error> {
        Ok(identity::NewSession { token: "memory".to_owned(), expires: i64::MAX, user: alice() })
    }
    fn sign_out(_: String, _: Client) -> Result<(), Error> {
        Ok(())
    }
}

impl passwords::Guest for Memory {
    fn prove(challenge: Vec<u8>, _: String) -> Result<Vec<u8>, Error> {
        Ok(challenge)
    }
    fn seal(password: String) -> Result<Vec<u8>, Error> {
        Ok(password.into_bytes())
    }
}

impl access::Guest for Memory {
    fn open(credentials: Credentials, _: Client, path: String) -> Result<access::Opened, Error> {
        Ok(access::Opened {
            overview: overview(&credentials),
            place: access::Place::Repository(find(&path)?),
            permission: Permission::Admin,
            is_moved: false,
            issue_links: Vec::new(),
        })
    }
    fn children(
        credentials: Credentials,
        _: Client,
        _: Option<String>,
        _: String,
        _: Page,
    ) -> Result<access::Listing, Error> {
        let entries: Vec<_> = REPOSITORIES.with_borrow(|all| {
            all.iter()
                .map(|repository| access::Listed {
                    place: access::Place::Repository(repository.clone()),
                    permission: Permission::Admin,
                    updated: Some(repository.updated),
                })
                .collect()
        });
        Ok(access::Listing { overview: overview(&credentials), total: entries.len() as u32, entries })
    }
    fn activity(
        credentials: Credentials,
        _: Client,
        _: Option<u64>,
        _: u32,
    ) -> Result<access::EventList, Error> {
        Ok(access::EventList { overview: overview(&credentials), events: Vec::new(), next: None })
    }
}

impl accounts::Guest for Memory {
    fn register(_: accounts::NewUser, _: Client) -> Result<User, Error> {
        not_in_memory()
    }
    fn create(_: Credentials, _: Client, _: accounts::NewUser) -> Result<User, Error> {
        Ok(alice())
    }
    fn get(_: Credentials, _: Client, name: String) -> Result<User, Error> {
        Some(alice()).filter(|user| user.name == name).ok_or(Error::NotFound)
    }
    fn list(_: Credentials, _: Client, _: String, _: Page) -> Result<accounts::UserList, Error> {
        Ok(accounts::UserList { users: vec![alice()], total: 1 })
    }
    fn update(_: Credentials, _: Client, _: String, _: accounts::UserChange) -> Result<User, Error> {
        Ok(alice())
    }
    fn set_password(
        _: Credentials,
        _: Client,
        _: String,
        _: Option<Vec<u8>>,
        _: Vec<u8>,
    ) -> Result<(), Error> {
        Ok(())
    }
    fn sessions(_: Credentials, _: Client, _: String) -> Result<Vec<accounts::Session>, Error> {
        Ok(Vec::new())
    }
    fn revoke_session(_: Credentials, _: Client, _: String, _: u64) -> Result<(), Error> {
        not_in_memory()
    }
    fn tokens(_: Credentials, _: Client, _: String) -> Result<Vec<accounts::Token>, Error> {
        Ok(Vec::new())
    }
    fn create_token(
        _: Credentials,
        _: Client,
        _: String,
        _: String,
        _: Permission,
        _: Option<i64>,
    ) -> Result<accounts::NewToken, Error> {
        not_in_memory()
    }
    fn revoke_token(_: Credentials, _: Client, _: String, _: u64) -> Result<(), Error> {
        not_in_memory()
    }
    fn signing_keys(_: Credentials, _: Client, _: String) -> Result<Vec<accounts::SigningKey>, Error> {
        Ok(Vec::new())
    }
    fn add_signing_key(
        _: Credentials,
        _: Client,
        _: String,
        _: String,
        _: String,
    ) -> Result<accounts::SigningKey, Error> {
        not_in_memory()
    }
    fn remove_signing_key(_: Credentials, _: Client, _: String, _: u64) -> Result<(), Error> {
        not_in_memory()
    }
}

impl signers::Guest for Memory {
    fn find(
        _: Credentials,
        _: Client,
        _: String,
        _: Vec<String>,
        _: Vec<String>,
    ) -> Result<Vec<signers::KnownKey>, Error> {
        Ok(Vec::new())
    }
}

impl repositories::Guest for Memory {
    fn check_new(_: Credentials, _: Client, new: repositories::NewRepository) -> Result<(), Error> {
        match find(&new.path) {
            Ok(_) => Err(Error::Conflict("it exists".to_owned())),
            Err(_) => Ok(()),
        }
    }
    fn create(_: Credentials, _: Client, new: repositories::NewRepository) -> Result<Repository, Error> {
        REPOSITORIES.with_borrow_mut(|all| {
            let repository = Repository {
                id: all.len() as u64 + 1,
                directory: format!("{}.git", new.path),
                path: new.path,
                description: new.description,
                is_private: new.is_private,
                owner: Some("alice".to_owned()),
                created: 0,
                updated: 0,
                deleted: None,
            };
            all.push(repository.clone());
            Ok(repository)
        })
    }
    fn create_group(_: Credentials, _: Client, _: String, _: String) -> Result<Group, Error> {
        not_in_memory()
    }
    fn update_group(_: Credentials, _: Client, _: String, _: String) -> Result<Group, Error> {
        not_in_memory()
    }
    fn delete_group(_: Credentials, _: Client, _: String) -> Result<(), Error> {
        not_in_memory()
    }
    fn update(
        _: Credentials,
        _: Client,
        path: String,
        _: repositories::RepositoryChange,
    ) -> Result<Repository, Error> {
        find(&path)
    }
    fn begin_rename(_: Credentials, _: Client, _: String, _: String) -> Result<Repository, Error> {
        not_in_memory()
    }
    fn finish_rename(_: Credentials, _: Client, _: String) -> Result<Repository, Error> {
        not_in_memory()
    }
    fn delete(_: Credentials, _: Client, _: String) -> Result<Repository, Error> {
        not_in_memory()
    }
    fn deleted(_: Credentials, _: Client) -> Result<Vec<Repository>, Error> {
        Ok(Vec::new())
    }
    fn restore(_: Credentials, _: Client, _: u64) -> Result<Repository, Error> {
        not_in_memory()
    }
    fn purge(_: Credentials, _: Client, _: u64) -> Result<(), Error> {
        not_in_memory()
    }
    fn all(_: Credentials, _: Client, _: Page) -> Result<Vec<Repository>, Error> {
        Ok(REPOSITORIES.with_borrow(Vec::clone))
    }
    fn grants(_: Credentials, _: Client, _: String) -> Result<Vec<repositories::Grant>, Error> {
        Ok(Vec::new())
    }
    fn set_grant(
        _: Credentials,
        _: Client,
        _: String,
        _: repositories::Grantee,
        _: Permission,
    ) -> Result<(), Error> {
        not_in_memory()
    }
}

impl settings::Guest for Memory {
    fn get(credentials: Credentials, _: Client) -> Result<settings::Overview, Error> {
        Ok(overview(&credentials))
    }
    fn update(_: Credentials, _: Client, _: settings::Site) -> Result<(), Error> {
        not_in_memory()
    }
}

impl locks::Guest for Memory {
    fn take(_: Credentials, _: Client, _: String, _: String) -> Result<locks::Attempt, Error> {
        not_in_memory()
    }
    fn list(
        _: Credentials,
        _: Client,
        _: String,
        _: locks::LockFilter,
        _: u64,
        _: u32,
    ) -> Result<locks::LockList, Error> {
        Ok(locks::LockList { locks: Vec::new(), next: None })
    }
    fn release(_: Credentials, _: Client, _: String, _: u64, _: bool) -> Result<locks::Lock, Error> {
        Err(Error::NotFound)
    }
}

impl quotas::Guest for Memory {
    fn get(_: Credentials, _: Client, path: String) -> Result<quotas::Quota, Error> {
        let limits = quotas::OwnLimits { object_mib_max: None, repository_mib_max: None };
        let quota = quotas::Quota { object_bytes_max: 0, repository_bytes_max: 0, used_bytes: 0, limits };
        find(&path).map(|_| quota)
    }
    fn take(_: Credentials, _: Client, _: String, _: u64) -> Result<(), Error> {
        not_in_memory()
    }
    fn give_back(_: Credentials, _: Client, _: String, _: u64) -> Result<(), Error> {
        not_in_memory()
    }
    fn recount(_: Credentials, _: Client, _: String, _: u64, _: u64) -> Result<(), Error> {
        not_in_memory()
    }
    fn set_limits(_: Credentials, _: Client, _: String, _: quotas::OwnLimits) -> Result<(), Error> {
        not_in_memory()
    }
}

impl journal::Guest for Memory {
    fn record_push(_: Credentials, _: Client, path: String, _: String) -> Result<(), Error> {
        find(&path).map(drop)
    }
    fn record_action(_: Credentials, _: Client, _: String, _: String, _: String) -> Result<(), Error> {
        Ok(())
    }
    fn list(_: Credentials, _: Client, _: String, _: Page) -> Result<journal::EntryList, Error> {
        Ok(journal::EntryList { entries: Vec::new(), total: 0 })
    }
}

impl issue_links::Guest for Memory {
    fn list(_: Credentials, _: Client, _: String) -> Result<Vec<issue_links::PlaceLinks>, Error> {
        Ok(Vec::new())
    }
    fn set(_: Credentials, _: Client, _: String, _: Vec<types::IssueLink>) -> Result<(), Error> {
        Ok(())
    }
}

impl push_rules::Guest for Memory {
    fn in_force(_: Credentials, _: Client, path: String) -> Result<push_rules::Terms, Error> {
        find(&path)?;
        let pusher = push_rules::Pusher {
            name: alice().name,
            full_name: alice().full_name,
            addresses: Vec::new(),
            permission: Permission::Admin,
        };
        Ok(push_rules::Terms { pusher, rules: Vec::new() })
    }
    fn list(_: Credentials, _: Client, _: String) -> Result<Vec<push_rules::Rules>, Error> {
        Ok(Vec::new())
    }
    fn set_checks(_: Credentials, _: Client, _: String, _: push_rules::Checks) -> Result<(), Error> {
        not_in_memory()
    }
    fn protect(_: Credentials, _: Client, _: String, _: push_rules::RefRule) -> Result<(), Error> {
        not_in_memory()
    }
    fn unprotect(
        _: Credentials,
        _: Client,
        _: String,
        _: push_rules::RefKind,
        _: String,
    ) -> Result<(), Error> {
        not_in_memory()
    }
    fn known_addresses(
        _: Credentials,
        _: Client,
        _: String,
        addresses: Vec<String>,
    ) -> Result<Vec<String>, Error> {
        Ok(addresses)
    }
}

impl operator::Guest for Memory {
    fn token() -> Result<String, Error> {
        Ok("memory".to_owned())
    }
    fn first_administrator() -> Result<Option<operator::OneTimePassword>, Error> {
        Ok(None)
    }
}
