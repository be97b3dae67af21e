//! What is known about repositories besides their contents.

use crate::access;
use crate::bindings::exports::lithe::forge::repositories::{NewRepository, RepositoryChange};
use crate::failure::{conflict, forbidden, invalid};
use crate::grants;
use crate::groups::{self, check_ancestors, check_free, enter_path, make_missing, parse};
use crate::identity::{self, Principal};
use crate::journal;
use crate::limits::{DELETED_SHOWN_MAX, DESCRIPTION_BYTES_MAX, FORMER_PATHS_MAX, USER_NAME_BYTES_MAX};
use crate::places::{self, Found, Place, RepositoryRow};
use crate::sessions;
use crate::settings;
use crate::store::{Call, Memory, Store, check_page, check_text, cut, row_id};
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
    Ok(places::repository(connection, id)?.expect("the transaction has just seen it").wire)
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
            let about = (id, path.as_str());
            journal::enter_event(connection, &principal, call, "repository.create", about, details)?;
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
            if is_rename_under_way(&row) {
                return Err(rename_under_way());
            }
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
            let ids = access::restorable(connection, &principal, DELETED_SHOWN_MAX)?;
            ids.into_iter().map(|id| load(connection, id)).collect()
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
            if row.group_id.is_none() && path.parent().is_some() {
                // The group is gone that it was made in. What stands there now is another, or
                // would be made anew: that takes the right to make something there.
                groups::check_new(connection, &principal, &path, Some(row.id))?;
            } else {
                check_ancestors(connection, &path)?;
                check_free(connection, &path, Some(row.id))?;
            }
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

/// Whether the directory of a repository that is not deleted still lies, or may lie, at a former path.
fn is_rename_under_way(row: &RepositoryRow) -> bool {
    row.wire.directory != format!("{}.git", row.wire.path)
}

fn rename_under_way() -> Error {
    conflict("a rename of this repository is under way: finish it or take it back first")
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
        let owner = owner.ok_or_else(|| {
            invalid("owner", format!("there is no user {:?}", cut(name, USER_NAME_BYTES_MAX)))
        })?;
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
    let is_taken_back = row.wire.directory == new_path.directory();
    let changes_case_only = old_path.eq_ignore_ascii_case(new_path.as_str());
    if is_rename_under_way(row) && !is_taken_back {
        return Err(rename_under_way());
    }
    if !is_taken_back && !changes_case_only {
        groups::check_new(connection, principal, new_path, Some(row.id))?;
    }
    check_ancestors(connection, new_path)?;
    let group_id = make_missing(connection, principal, new_path, now)?;
    if is_taken_back || changes_case_only {
        connection
            .prepare_cached("DELETE FROM paths WHERE repository_id = ?1 AND is_former = 0")?
            .execute([row.id])?;
    } else {
        connection
            .prepare_cached(
                "UPDATE paths SET is_former = 1, since = ?1 WHERE repository_id = ?2 AND is_former = 0",
            )?
            .execute((now, row.id))?;
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::exports::lithe::forge::repositories::Grantee;
    use crate::testing::{Forge, NOW, new_repository, outcome, page, user};

    fn change() -> RepositoryChange {
        RepositoryChange { description: None, is_private: None, owner: None }
    }

    #[test]
    fn who_may_create_where() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.store.create_group(&root, "open", "").expect("a group");
        forge.store.create_group(&root, "shown", "").expect("a group");
        forge.store.create_group(&root, "hidden", "").expect("a group");
        forge.repository(&root, "shown/taken", false);
        forge.repository(&root, "hidden/taken", true);
        forge.grant("open", user("anna"), Permission::Write);
        let table = |forge: &mut Forge| {
            let calls = [
                ("nobody", forge.anonymous()),
                ("anna", forge.session("anna")),
                ("reader", forge.token("anna", Permission::Read)),
                ("root", forge.session("root")),
            ];
            let mut table = Vec::new();
            for path in [
                "top",
                "open/new",
                "open/sub/new",
                "shown/new",
                "shown/taken",
                "hidden/new",
                "hidden/taken",
                "missing/new",
            ] {
                let cells = calls
                    .iter()
                    .map(|(_, call)| outcome(forge.store.check_new(call, &new_repository(path, false))));
                table.push(format!("{path}: {}", cells.collect::<Vec<_>>().join(" ")));
            }
            table
        };
        assert_eq!(
            table(&mut forge),
            [
                "top: unauthenticated forbidden forbidden ok",
                "open/new: unauthenticated ok forbidden ok",
                "open/sub/new: unauthenticated ok forbidden ok",
                "shown/new: unauthenticated forbidden forbidden ok",
                "shown/taken: unauthenticated forbidden forbidden conflict",
                "hidden/new: unauthenticated forbidden forbidden ok",
                "hidden/taken: unauthenticated forbidden forbidden conflict",
                "missing/new: unauthenticated forbidden forbidden ok",
            ]
        );
        forge.sql("UPDATE settings SET top_level_creation = 1");
        assert_eq!(
            table(&mut forge),
            [
                "top: unauthenticated ok forbidden ok",
                "open/new: unauthenticated ok forbidden ok",
                "open/sub/new: unauthenticated ok forbidden ok",
                "shown/new: unauthenticated forbidden forbidden ok",
                "shown/taken: unauthenticated forbidden forbidden conflict",
                "hidden/new: unauthenticated conflict forbidden ok",
                "hidden/taken: unauthenticated conflict forbidden conflict",
                "missing/new: unauthenticated ok forbidden ok",
            ]
        );
    }

    #[test]
    fn paths_are_taken_without_regard_to_case_and_kind() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "Team/Demo", false);
        forge.repository(&root, "Team/moved", false);
        forge.store.begin_rename(&root, "Team/moved", "Team/here").expect("a rename");
        for (path, expected) in [
            ("Team/demo", "conflict"),
            ("Team", "conflict"),
            ("TEAM", "conflict"),
            ("team/new", "conflict"),
            ("Team/Demo/inner", "conflict"),
            ("Team/moved", "conflict"),
            ("Team/moved/inner", "conflict"),
            ("Team/new", "ok"),
            ("Team/demo.git", "invalid path"),
            ("_1", "invalid path"),
            ("a/../b", "invalid path"),
            ("", "invalid path"),
        ] {
            assert_eq!(
                outcome(forge.store.check_new(&root, &new_repository(path, false))),
                expected,
                "{path}"
            );
            let made = forge.store.create_group(&root, path, "");
            assert_eq!(outcome(made), expected, "group {path}");
        }
        let mut long = new_repository("x", false);
        long.description = "a".repeat(DESCRIPTION_BYTES_MAX);
        assert_eq!(outcome(forge.store.check_new(&root, &long)), "ok");
        long.description.push('a');
        assert_eq!(outcome(forge.store.check_new(&root, &long)), "invalid description");
    }

    #[test]
    fn a_new_repository_belongs_to_its_maker() {
        let mut forge = Forge::new();
        forge.sql("UPDATE settings SET top_level_creation = 1");
        let anna = forge.session("anna");
        let made = forge.repository(&anna, "a/b/demo", false);
        assert_eq!(
            (&*made.path, &*made.directory, made.owner.as_deref()),
            ("a/b/demo", "a/b/demo.git", Some("anna"))
        );
        assert_eq!((made.created, made.updated, made.deleted, made.is_private), (NOW, NOW, None, false));
        let groups: String = forge.value("SELECT group_concat(path, ' ') FROM groups");
        assert_eq!(groups, "a a/b");
        let everyone = |forge: &mut Forge, path| {
            let grants = forge.store.grants(&anna, path).expect("grants");
            grants.iter().any(|grant| grant.grantee == Grantee::Everyone)
        };
        forge.repository(&anna, "a/private", true);
        assert!(everyone(&mut forge, "a/b/demo") && !everyone(&mut forge, "a/private"));
        forge.sql("UPDATE settings SET public_by_default = 0");
        forge.repository(&anna, "a/quiet", false);
        assert!(!everyone(&mut forge, "a/quiet"));
        let operator = crate::types::Credentials::Bearer(forge.store.operator_token());
        let operator = forge.call(operator);
        assert_eq!(forge.repository(&operator, "by-operator", false).owner, None);
    }

    #[test]
    fn changing_needs_admin() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.repository(&root, "hidden", true);
        forge.grant("demo", user("anna"), Permission::Write);
        forge.grant("demo", user("bert"), Permission::Admin);
        let described = RepositoryChange { description: Some("words".into()), ..change() };
        let calls = [
            forge.anonymous(),
            forge.session("cara"),
            forge.session("anna"),
            forge.session("bert"),
            forge.token("bert", Permission::Write),
        ];
        let mut table = Vec::new();
        for call in &calls {
            let store = &mut forge.store;
            table.push(
                [
                    outcome(store.update_repository(call, "demo", &described)),
                    outcome(store.grants(call, "demo")),
                    outcome(store.record_action(call, "demo", "repository.check", "")),
                    outcome(store.record_push(call, "demo", "main")),
                    outcome(store.update_repository(call, "hidden", &described)),
                    outcome(store.delete_repository(call, "nothing")),
                ]
                .join(" "),
            );
        }
        assert_eq!(
            table,
            [
                "unauthenticated unauthenticated unauthenticated unauthenticated not-found not-found",
                "forbidden forbidden forbidden forbidden not-found not-found",
                "forbidden forbidden forbidden ok not-found not-found",
                "ok ok ok ok not-found not-found",
                "forbidden forbidden forbidden ok not-found not-found",
            ]
        );
    }

    #[test]
    fn every_field_can_be_changed() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        let all = RepositoryChange {
            description: Some("words".into()),
            is_private: Some(true),
            owner: Some("ANNA".into()),
        };
        let changed = forge.store.update_repository(&root, "demo", &all).expect("a change");
        assert_eq!(
            (&*changed.description, changed.is_private, changed.owner.as_deref()),
            ("words", true, Some("anna"))
        );
        let same = forge.store.update_repository(&root, "demo", &change()).expect("no change");
        assert_eq!(same, changed);
        for (change, expected) in [
            (RepositoryChange { owner: Some("nobody".into()), ..change() }, "invalid owner"),
            (RepositoryChange { description: Some("a\nb".into()), ..change() }, "invalid description"),
            (RepositoryChange { description: Some("a".repeat(2_001)), ..change() }, "invalid description"),
        ] {
            assert_eq!(outcome(forge.store.update_repository(&root, "demo", &change)), expected);
        }
        let details: String = forge.value("SELECT details FROM journal WHERE action = 'repository.update'");
        assert_eq!(details, "description, made private, owner: anna");
    }

    /// Path and directory.
    fn places(repository: Result<Repository, Error>) -> (String, String) {
        let repository = repository.expect("it works");
        (repository.path, repository.directory)
    }

    fn pair(path: &str, directory: &str) -> (String, String) {
        (path.into(), directory.into())
    }

    #[test]
    fn a_rename_is_begun_and_finished() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let id = forge.repository(&root, "a/demo", false).id;
        let begun = forge.store.begin_rename(&root, "a/demo", "b/c/new");
        assert_eq!(places(begun), pair("b/c/new", "a/demo.git"));
        let again = forge.store.begin_rename(&root, "b/c/new", "elsewhere");
        assert_eq!(outcome(again), "conflict", "one at a time");
        let deleted = forge.store.delete_repository(&root, "b/c/new");
        assert_eq!(outcome(deleted), "conflict", "nobody would know where the directory lies");
        let finished = forge.store.finish_rename(&root, "b/c/new");
        assert_eq!(places(finished), pair("b/c/new", "b/c/new.git"));
        let opened = forge.store.open_place(&root, "a/demo").expect("the former path");
        assert!(opened.is_moved);
        assert_eq!(forge.paths(&root, Some("b/c"), ""), ["b/c/new"]);
        let back = forge.store.begin_rename(&root, &format!("_{id}"), "a/demo");
        assert_eq!(places(back), pair("a/demo", "b/c/new.git"));
        let finished = forge.store.finish_rename(&root, "a/demo");
        assert_eq!(places(finished), pair("a/demo", "a/demo.git"));
        assert!(forge.store.open_place(&root, "b/c/new").expect("the former path").is_moved);
    }

    #[test]
    fn a_rename_is_taken_back() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.store.begin_rename(&root, "demo", "new").expect("a rename");
        let back = forge.store.begin_rename(&root, "new", "demo");
        assert_eq!(places(back), pair("demo", "demo.git"));
        assert_eq!(outcome(forge.store.open_place(&root, "new")), "not-found", "it never was there");
        assert_eq!(outcome(forge.store.check_new(&root, &new_repository("new", false))), "ok");
    }

    #[test]
    fn a_rename_may_change_the_case_only() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        let begun = forge.store.begin_rename(&root, "demo", "Demo");
        assert_eq!(places(begun), pair("Demo", "demo.git"));
        assert_eq!(places(forge.store.finish_rename(&root, "Demo")), pair("Demo", "Demo.git"));
    }

    #[test]
    fn a_rename_respects_what_is_there() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let demo = forge.repository(&root, "demo", false);
        forge.repository(&root, "team/other", false);
        forge.grant("demo", user("anna"), Permission::Admin);
        let anna = forge.session("anna");
        for (call, path, expected) in [
            (&root, "team/other", "conflict"),
            (&root, "team", "conflict"),
            (&root, "Team/new", "conflict"),
            (&root, "team/other/new", "conflict"),
            (&root, "demo/inner", "conflict"),
            (&root, "-", "invalid new-path"),
            (&anna, "team/new", "forbidden"),
            (&anna, "new", "forbidden"),
            (&root, "demo", "ok"),
        ] {
            assert_eq!(outcome(forge.store.begin_rename(call, "demo", path)), expected, "{path}");
        }
        assert_eq!(
            outcome(forge.store.begin_rename(&root, "team", "x")),
            "not-found",
            "groups are not renamed"
        );
        let present = forge.store.open_place(&root, "demo").expect("it is where it was");
        assert_eq!(present.place, crate::bindings::exports::lithe::forge::access::Place::Repository(demo));
    }

    #[test]
    fn former_paths_are_few() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "r0", false);
        for n in 0..=FORMER_PATHS_MAX {
            let call = forge.call(root.credentials.clone());
            forge.store.begin_rename(&call, &format!("r{n}"), &format!("r{}", n + 1)).expect("a rename");
            forge.store.finish_rename(&call, &format!("r{}", n + 1)).expect("a rename");
            forge.now += 1;
        }
        assert_eq!(outcome(forge.store.open_place(&root, "r0")), "not-found");
        assert_eq!(outcome(forge.store.open_place(&root, "r1")), "ok");
    }

    #[test]
    fn deleted_repositories_can_be_restored() {
        let mut forge = Forge::new();
        forge.sql("UPDATE settings SET top_level_creation = 1");
        let (anna, bert, root) = (forge.session("anna"), forge.session("bert"), forge.session("root"));
        let id = forge.repository(&anna, "team/was", false).id;
        forge.store.begin_rename(&anna, "team/was", "team/demo").expect("a rename");
        forge.store.finish_rename(&anna, "team/demo").expect("a rename");
        let deleted = forge.store.delete_repository(&anna, "team/demo").expect("it is deleted");
        assert_eq!((deleted.directory, deleted.deleted), (format!(".deleted/{id}.git"), Some(NOW)));
        for path in ["team/demo", "team/was", &format!("_{id}")] {
            assert_eq!(outcome(forge.store.open_place(&anna, path)), "not-found", "{path}");
        }
        assert_eq!(forge.paths(&anna, Some("team"), ""), [""; 0]);
        let ids = |list: Result<Vec<Repository>, Error>| {
            list.expect("a list").into_iter().map(|r| r.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(forge.store.deleted(&anna)), [id]);
        assert_eq!(ids(forge.store.deleted(&root)), [id]);
        assert_eq!(ids(forge.store.deleted(&bert)), [0; 0]);
        assert_eq!(ids(forge.store.all_repositories(&root, page())), [id]);
        assert_eq!(outcome(forge.store.restore(&bert, id)), "forbidden");
        assert_eq!(outcome(forge.store.restore(&forge.anonymous(), id)), "unauthenticated");
        assert_eq!(outcome(forge.store.restore(&anna, id + 1)), "not-found");
        assert_eq!(outcome(forge.store.restore(&anna, u64::MAX)), "not-found");
        forge.store.delete_group(&anna, "team").expect("it is empty");
        let restored = forge.store.restore(&anna, id);
        assert_eq!(places(restored), pair("team/demo", "team/demo.git"));
        assert!(forge.store.open_place(&anna, "team/was").expect("the former path").is_moved);
        assert_eq!(outcome(forge.store.restore(&anna, id)), "not-found", "it is not deleted");
    }

    #[test]
    fn a_deleted_repository_is_not_in_the_way() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let old = forge.repository(&root, "demo", false).id;
        forge.store.begin_rename(&root, "demo", "demo2").expect("a rename");
        forge.store.finish_rename(&root, "demo2").expect("a rename");
        forge.store.delete_repository(&root, "demo2").expect("it is deleted");
        let new = forge.repository(&root, "demo2", false).id;
        let at_former = forge.repository(&root, "demo", false).id;
        assert_eq!([new, at_former], [old + 1, old + 2], "numbers are never reused");
        assert_eq!(outcome(forge.store.restore(&root, old)), "conflict");
        forge.store.delete_repository(&root, "demo2").expect("it is deleted");
        assert_eq!(outcome(forge.store.restore(&root, old)), "ok");
    }

    #[test]
    fn restoring_makes_no_group_that_one_may_not_make() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.store.create_group(&root, "team", "").expect("a group");
        forge.grant("team", user("anna"), Permission::Write);
        let anna = forge.session("anna");
        let id = forge.repository(&anna, "team/demo", false).id;
        forge.store.delete_repository(&anna, "team/demo").expect("it is deleted");
        forge.store.delete_group(&root, "team").expect("it holds nothing");
        assert_eq!(outcome(forge.store.restore(&anna, id)), "forbidden", "it would make a group of hers");
        forge.store.create_group(&root, "team", "").expect("another group");
        assert_eq!(outcome(forge.store.restore(&anna, id)), "forbidden", "it has nothing to do with her");
        forge.grant("team", user("anna"), Permission::Write);
        let restored = forge.store.restore(&anna, id).expect("she may make something there");
        assert_eq!((&*restored.path, restored.owner.as_deref()), ("team/demo", Some("anna")));
        assert_eq!(forge.paths(&root, Some("team"), ""), ["team/demo"]);
    }

    #[test]
    fn a_list_of_deleted_repositories_ends() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.sql(&format!(
            "WITH RECURSIVE n (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n < {DELETED_SHOWN_MAX})
             INSERT INTO repositories (path, directory, description, is_private, created, updated, deleted)
             SELECT 'r' || n, '.deleted/r.git', '', 0, 0, 0, n FROM n"
        ));
        let list = forge.store.deleted(&root).expect("a list");
        assert_eq!((list.len(), &*list[0].path), (1_000, "r1000"));
    }

    #[test]
    fn purging_waits_for_the_grace_time() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let [first, second, third] = ["one", "two", "three"].map(|path| {
            forge.repository(&root, path, false);
            forge.grant(path, user("anna"), Permission::Admin);
            let anna = forge.session("anna");
            forge.store.delete_repository(&anna, path).expect("it is deleted").id
        });
        let mut anna = forge.session("anna");
        assert_eq!(outcome(forge.store.purge(&anna, first)), "forbidden");
        assert_eq!(outcome(forge.store.purge(&root, second)), "ok");
        anna.now += 30 * 86_400 - 1;
        assert_eq!(outcome(forge.store.purge(&anna, first)), "forbidden");
        forge.sql("UPDATE sessions SET last_used = last_used + 86400");
        anna.now += 1;
        assert_eq!(outcome(forge.store.restore(&anna, third)), "forbidden", "the time is over");
        assert_eq!(outcome(forge.store.purge(&anna, first)), "ok");
        assert_eq!(
            outcome(forge.store.restore(&root, third)),
            "ok",
            "administrators may as long as it is there"
        );
        assert_eq!(outcome(forge.store.purge(&root, third)), "not-found", "only what is deleted");
        assert_eq!(forge.value::<i64>("SELECT count(*) FROM repositories"), 1);
        assert_eq!(forge.value::<i64>("SELECT count(*) FROM grants"), 2, "those of the restored one");
    }
}
