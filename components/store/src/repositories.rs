//! What is known about repositories besides their contents.

use crate::access;
use crate::bindings::exports::lithe::forge::repositories::{NewRepository, RepositoryChange};
use crate::failure::{conflict, forbidden, invalid};
use crate::grants;
use crate::groups::{self, check_ancestors, check_free, enter_path, make_missing, parse};
use crate::identity::{self, Principal};
use crate::journal;
use crate::limits::{DELETED_SHOWN_MAX, DESCRIPTION_BYTES_MAX, FORMER_PATHS_MAX};
use crate::places::{self, Found, Place, RepositoryRow};
use crate::sessions;
use crate::settings;
use crate::store::{Call, Memory, Store, check_page, check_text, row_id};
use crate::types::{Error, Page, Permission, Repository, RepositoryId, Timestamp};
use crate::users;
use lithe_access::RepoPath;
use rusqlite::{Connection, named_params};

/// Checks a new repository and returns who makes it and where.
fn check(
    connection: &Connection,
    memory: &mut Memory,
    call: &Call,
    new: &NewRepository,
) -> Result<(Principal, RepoPath), Error> {
    let principal = identity::resolve(connection, memory, call)?;
    principal.require_signed_in()?;
    let path = parse("path", &new.path)?;
    check_text("description", &new.description, DESCRIPTION_BYTES_MAX)?;
    groups::check_new(connection, &principal, &path, None)?;
    Ok((principal, path))
}

/// The repository at `path`, which the principal may administer.
fn require(connection: &Connection, principal: &Principal, path: &str) -> Result<RepositoryRow, Error> {
    match access::require(connection, principal, path, Permission::Admin)? {
        (Found { place: Place::Repository(repository), .. }, _) => Ok(repository),
        _ => Err(Error::NotFound),
    }
}

/// The deleted repository of that number, which the principal may administer.
fn require_deleted(
    connection: &Connection,
    principal: &Principal,
    id: RepositoryId,
) -> Result<RepositoryRow, Error> {
    let row = places::repository(connection, row_id(id)?)?.filter(|row| row.wire.deleted.is_some());
    let place = row.map(Place::Repository);
    let permission = access::permission(connection, principal, place.as_ref())?;
    match place {
        Some(Place::Repository(row)) if permission == Permission::Admin => Ok(row),
        Some(_) if permission != Permission::None => {
            principal.require_signed_in()?;
            Err(forbidden("only who administers the repository may do this"))
        }
        _ => Err(Error::NotFound),
    }
}

fn load(connection: &Connection, id: i64) -> Result<Repository, Error> {
    Ok(places::repository(connection, id)?.expect("the transaction has just changed it").wire)
}

impl Store {
    pub fn check_new(&mut self, call: &Call, new: &NewRepository) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| check(connection, memory, call, new).map(|_| ()))
    }

    pub fn create_repository(&mut self, call: &Call, new: &NewRepository) -> Result<Repository, Error> {
        self.transact(call.now, |connection, memory| {
            let (principal, path) = check(connection, memory, call, new)?;
            let group_id = make_missing(connection, &principal, &path, call.now)?;
            connection
                .prepare_cached(
                    "INSERT INTO repositories (group_id, path, directory, description, is_private, owner_id, created, updated)
                     VALUES (:group_id, :path, :directory, :description, :is_private, :owner_id, :now, :now)",
                )?
                .execute(named_params! {
                    ":group_id": group_id,
                    ":path": path.as_str(),
                    ":directory": path.directory(),
                    ":description": new.description,
                    ":is_private": new.is_private,
                    ":owner_id": (principal.id != 0).then_some(principal.id),
                    ":now": call.now,
                })?;
            let id = connection.last_insert_rowid();
            enter_path(connection, path.as_str(), Some(id), None, call.now)?;
            if !new.is_private && settings::site(connection)?.public_by_default {
                grants::let_everyone_read(connection, id)?;
            }
            let details = if new.is_private { "private" } else { "" };
            journal::enter(connection, &principal, call, "repository.create", path.as_str(), details)?;
            load(connection, id)
        })
    }

    pub fn update_repository(
        &mut self,
        call: &Call,
        path: &str,
        change: &RepositoryChange,
    ) -> Result<Repository, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let row = require(connection, &principal, path)?;
            let details = update(connection, &row, change)?;
            if !details.is_empty() {
                journal::enter(connection, &principal, call, "repository.update", &row.wire.path, &details)?;
            }
            load(connection, row.id)
        })
    }

    pub fn begin_rename(&mut self, call: &Call, path: &str, new_path: &str) -> Result<Repository, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let row = require(connection, &principal, path)?;
            let new_path = parse("new-path", new_path)?;
            if new_path.as_str() != row.wire.path {
                rename(connection, &principal, &row, &new_path, call.now)?;
                let details = format!("from {}", row.wire.path);
                journal::enter(
                    connection,
                    &principal,
                    call,
                    "repository.rename",
                    new_path.as_str(),
                    &details,
                )?;
            }
            load(connection, row.id)
        })
    }

    pub fn finish_rename(&mut self, call: &Call, path: &str) -> Result<Repository, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let row = require(connection, &principal, path)?;
            connection
                .prepare_cached("UPDATE repositories SET directory = path || '.git' WHERE id = ?1")?
                .execute([row.id])?;
            load(connection, row.id)
        })
    }

    pub fn delete_repository(&mut self, call: &Call, path: &str) -> Result<Repository, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let row = require(connection, &principal, path)?;
            connection
                .prepare_cached("UPDATE repositories SET deleted = ?1, directory = ?2 WHERE id = ?3")?
                .execute((call.now, format!(".deleted/{}.git", row.id), row.id))?;
            // Its former paths stay: they lead to it again once it is restored.
            connection
                .prepare_cached("DELETE FROM paths WHERE repository_id = ?1 AND is_former = 0")?
                .execute([row.id])?;
            let details = format!("_{}", row.id);
            journal::enter(connection, &principal, call, "repository.delete", &row.wire.path, &details)?;
            load(connection, row.id)
        })
    }

    pub fn deleted(&mut self, call: &Call) -> Result<Vec<Repository>, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            principal.require_signed_in()?;
            let mut restorable = Vec::new();
            for row in places::deleted(connection)? {
                let place = Place::Repository(row);
                let is_restorable =
                    access::permission(connection, &principal, Some(&place))? == Permission::Admin;
                if let (true, Place::Repository(row)) = (is_restorable, place) {
                    restorable.push(row.wire);
                }
                if restorable.len() == DELETED_SHOWN_MAX as usize {
                    break;
                }
            }
            Ok(restorable)
        })
    }

    /// See `repositories.restore`. Site administrators may restore it as long as it is there.
    pub fn restore(&mut self, call: &Call, id: RepositoryId) -> Result<Repository, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let row = require_deleted(connection, &principal, id)?;
            if !principal.is_site_admin() && is_grace_over(connection, &row, call.now)? {
                return Err(forbidden("the time to restore this repository is over: ask a site administrator"));
            }
            let path = parse("path", &row.wire.path)?;
            check_ancestors(connection, &path)?;
            check_free(connection, &path, Some(row.id))?;
            let group_id = make_missing(connection, &principal, &path, call.now)?;
            connection
                .prepare_cached(
                    "UPDATE repositories SET deleted = NULL, directory = path || '.git', group_id = ?1 WHERE id = ?2",
                )?
                .execute((group_id, row.id))?;
            enter_path(connection, path.as_str(), Some(row.id), None, call.now)?;
            journal::enter(connection, &principal, call, "repository.restore", path.as_str(), "")?;
            load(connection, row.id)
        })
    }

    pub fn purge(&mut self, call: &Call, id: RepositoryId) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let row = require_deleted(connection, &principal, id)?;
            if !principal.is_site_admin() && !is_grace_over(connection, &row, call.now)? {
                return Err(forbidden("only site administrators may do this before the grace time is over"));
            }
            connection.prepare_cached("DELETE FROM repositories WHERE id = ?1")?.execute([row.id])?;
            let details = format!("_{}", row.id);
            journal::enter(connection, &principal, call, "repository.purge", &row.wire.path, &details)
        })
    }

    pub fn all_repositories(&mut self, call: &Call, page: Page) -> Result<Vec<Repository>, Error> {
        self.transact(call.now, |connection, memory| {
            identity::resolve(connection, memory, call)?.require_site_admin()?;
            let (offset, limit) = check_page(page)?;
            let rows = places::all(connection, offset, limit)?;
            Ok(rows.into_iter().map(|row| row.wire).collect())
        })
    }
}

fn is_grace_over(connection: &Connection, row: &RepositoryRow, now: Timestamp) -> Result<bool, Error> {
    let grace = sessions::seconds(settings::site(connection)?.deletion_grace_days);
    Ok(row.wire.deleted.is_some_and(|deleted| now.saturating_sub(deleted) >= grace))
}

/// Changes a repository and says in words what changed.
fn update(connection: &Connection, row: &RepositoryRow, change: &RepositoryChange) -> Result<String, Error> {
    let mut details = Vec::new();
    if let Some(description) = change.description.as_ref().filter(|new| **new != row.wire.description) {
        check_text("description", description, DESCRIPTION_BYTES_MAX)?;
        connection
            .prepare_cached("UPDATE repositories SET description = ?1 WHERE id = ?2")?
            .execute((description, row.id))?;
        details.push("description".to_owned());
    }
    if let Some(is_private) = change.is_private.filter(|new| *new != row.wire.is_private) {
        connection
            .prepare_cached("UPDATE repositories SET is_private = ?1 WHERE id = ?2")?
            .execute((is_private, row.id))?;
        details.push(if is_private { "made private" } else { "no longer private" }.to_owned());
    }
    if let Some(name) = &change.owner {
        let owner = users::by_name(connection, name)?;
        let owner = owner.ok_or_else(|| invalid("owner", format!("there is no user {name:?}")))?;
        if row.owner_id != Some(owner.id) {
            connection
                .prepare_cached("UPDATE repositories SET owner_id = ?1 WHERE id = ?2")?
                .execute((owner.id, row.id))?;
            details.push(format!("owner: {}", owner.user.name));
        }
    }
    Ok(details.join(", "))
}

/// Gives a repository another path, and keeps the present one as a former path, unless the
/// repository never got there.
fn rename(
    connection: &Connection,
    principal: &Principal,
    row: &RepositoryRow,
    new_path: &RepoPath,
    now: Timestamp,
) -> Result<(), Error> {
    let old_path = &row.wire.path;
    let is_under_way = row.wire.directory != format!("{old_path}.git");
    let is_taken_back = row.wire.directory == new_path.directory();
    let changes_case_only = old_path.eq_ignore_ascii_case(new_path.as_str());
    if is_under_way && !is_taken_back {
        return Err(conflict("a rename of this repository is under way: finish it or take it back first"));
    }
    if !is_taken_back && !changes_case_only {
        groups::check_new(connection, principal, new_path, Some(row.id))?;
    }
    check_ancestors(connection, new_path)?;
    let group_id = make_missing(connection, principal, new_path, now)?;
    let leave = if is_taken_back || changes_case_only {
        "DELETE FROM paths WHERE repository_id = ?1 AND is_former = 0 AND ?2 = ?2"
    } else {
        "UPDATE paths SET is_former = 1, since = ?2 WHERE repository_id = ?1 AND is_former = 0"
    };
    connection.prepare_cached(leave)?.execute((row.id, now))?;
    enter_path(connection, new_path.as_str(), Some(row.id), None, now)?;
    forget_oldest_paths(connection, row.id)?;
    connection
        .prepare_cached("UPDATE repositories SET path = ?1, group_id = ?2 WHERE id = ?3")?
        .execute((new_path.as_str(), group_id, row.id))?;
    Ok(())
}

fn forget_oldest_paths(connection: &Connection, repository_id: i64) -> Result<(), Error> {
    connection
        .prepare_cached(
            "DELETE FROM paths WHERE path IN
                 (SELECT path FROM paths WHERE repository_id = ?1 AND is_former = 1 ORDER BY since DESC LIMIT -1 OFFSET ?2)",
        )?
        .execute((repository_id, FORMER_PATHS_MAX))?;
    Ok(())
}
