//! Groups of repositories: made on the way to what stands in them, or by themselves.

use crate::access;
use crate::failure::{conflict, forbidden, invalid};
use crate::identity::{self, Principal};
use crate::journal;
use crate::limits::DESCRIPTION_BYTES_MAX;
use crate::places::{self, Found, GroupRow, Place, Standing};
use crate::settings;
use crate::store::{Call, Store, check_text};
use crate::types::{Error, Group, Permission, Timestamp};
use lithe_access::RepoPath;
use rusqlite::Connection;

/// Parses a path for something new.
pub fn parse(field: &str, path: &str) -> Result<RepoPath, Error> {
    RepoPath::parse(path).map_err(|error| invalid(field, error.to_string()))
}

/// Checks that the principal may make something at `path` and that nothing is in the way.
/// `own`: a repository whose former paths are not in its own way.
///
/// Who may: site administrators anywhere, who has `write` on the innermost group that is there
/// already, and, where there is none, users if the settings let them.
pub fn check_new(
    connection: &Connection,
    principal: &Principal,
    path: &RepoPath,
    own: Option<i64>,
) -> Result<(), Error> {
    principal.require_signed_in()?;
    let innermost = innermost_group(connection, path)?;
    let permission = match &innermost {
        Some(group) => access::permission(connection, principal, Some(&Place::Group(group.clone())))?,
        None => Permission::None,
    };
    let may = match permission {
        // Not to be told from a group that is not there: that it is in the way is said below.
        Permission::None => may_make_at_top(connection, principal)?,
        Permission::Read => false,
        Permission::Write | Permission::Admin => true,
    };
    if !may {
        return Err(forbidden("you may not create anything there"));
    }
    if permission == Permission::None && innermost.is_some() {
        return Err(taken(path));
    }
    check_ancestors(connection, path)?;
    check_free(connection, path, own)
}

fn may_make_at_top(connection: &Connection, principal: &Principal) -> Result<bool, Error> {
    let may_write = principal.viewer.ceiling >= Permission::Write;
    Ok(may_write && (principal.is_site_admin() || settings::site(connection)?.top_level_creation))
}

/// The innermost group around `path` that there is.
fn innermost_group(connection: &Connection, path: &RepoPath) -> Result<Option<GroupRow>, Error> {
    let ancestors: Vec<_> = path.ancestors().collect();
    for ancestor in ancestors.into_iter().rev() {
        if let Some(Standing { group_id: Some(id), .. }) = places::at(connection, ancestor)? {
            return places::group(connection, id);
        }
    }
    Ok(None)
}

/// Checks that what stands around `path` are groups, written the same.
pub fn check_ancestors(connection: &Connection, path: &RepoPath) -> Result<(), Error> {
    for ancestor in path.ancestors() {
        match places::at(connection, ancestor)? {
            None => return Ok(()),
            Some(Standing { group_id: Some(id), .. }) => {
                let group = places::group(connection, id)?;
                // Directories bear the names of groups, and tell upper from lower case.
                if let Some(group) = group.filter(|group| group.wire.path != ancestor) {
                    return Err(conflict(format!(
                        "there is a group {}: write it like that",
                        group.wire.path
                    )));
                }
            }
            Some(Standing { repository_id: Some(id), is_former: true, .. })
                if is_deleted(connection, id)? => {}
            Some(_) => {
                return Err(conflict(format!("{ancestor} is the path of a repository, not of a group")));
            }
        }
    }
    Ok(())
}

/// Checks that nothing stands at `path`. The former paths of deleted repositories do not count.
pub fn check_free(connection: &Connection, path: &RepoPath, own: Option<i64>) -> Result<(), Error> {
    match places::at(connection, path.as_str())? {
        None => Ok(()),
        Some(Standing { repository_id: Some(id), is_former: true, .. })
            if own == Some(id) || is_deleted(connection, id)? =>
        {
            Ok(())
        }
        Some(_) => Err(taken(path)),
    }
}

fn taken(path: &RepoPath) -> Error {
    conflict(format!("the path {path} is taken"))
}

fn is_deleted(connection: &Connection, repository_id: i64) -> Result<bool, Error> {
    Ok(places::repository(connection, repository_id)?.is_none_or(|row| row.wire.deleted.is_some()))
}

/// Enters what stands at a path that is free, in place of a former path.
pub fn enter_path(
    connection: &Connection,
    path: &str,
    repository_id: Option<i64>,
    group_id: Option<i64>,
    now: Timestamp,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO paths (path, repository_id, group_id, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET path = excluded.path, repository_id = excluded.repository_id,
                 group_id = excluded.group_id, is_former = 0, since = excluded.since WHERE is_former = 1",
        )?
        .execute((path, repository_id, group_id, now))?;
    Ok(())
}

/// Makes the groups around `path` that are missing, owned by the principal, and returns the row of
/// the innermost; none at the top level.
pub fn make_missing(
    connection: &Connection,
    principal: &Principal,
    path: &RepoPath,
    now: Timestamp,
) -> Result<Option<i64>, Error> {
    let mut parent = None;
    for ancestor in path.ancestors() {
        parent = match places::at(connection, ancestor)? {
            Some(Standing { group_id: Some(id), .. }) => Some(id),
            _ => Some(make(connection, principal, ancestor, parent, "", now)?),
        };
    }
    Ok(parent)
}

fn make(
    connection: &Connection,
    principal: &Principal,
    path: &str,
    parent: Option<i64>,
    description: &str,
    now: Timestamp,
) -> Result<i64, Error> {
    let owner = (principal.id != 0).then_some(principal.id);
    connection
        .prepare_cached("INSERT INTO groups (parent_id, path, description, owner_id, created) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((parent, path, description, owner, now))?;
    let id = connection.last_insert_rowid();
    connection
        .prepare_cached(
            "INSERT INTO group_ancestors (group_id, ancestor_id)
             SELECT ?1, ancestor_id FROM group_ancestors WHERE group_id = ?2 UNION ALL SELECT ?1, ?1",
        )?
        .execute((id, parent))?;
    enter_path(connection, path, None, Some(id), now)?;
    Ok(id)
}

/// The group at `path`, which the principal may administer.
fn require_group(connection: &Connection, principal: &Principal, path: &str) -> Result<GroupRow, Error> {
    match access::require(connection, principal, path, Permission::Admin)? {
        (Found { place: Place::Group(group), .. }, _) => Ok(group),
        _ => Err(Error::NotFound),
    }
}

impl Store {
    pub fn create_group(&mut self, call: &Call, path: &str, description: &str) -> Result<Group, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            principal.require_signed_in()?;
            let path = parse("path", path)?;
            check_text("description", description, DESCRIPTION_BYTES_MAX)?;
            check_new(connection, &principal, &path, None)?;
            let parent = make_missing(connection, &principal, &path, call.now)?;
            let id = make(connection, &principal, path.as_str(), parent, description, call.now)?;
            journal::enter(connection, &principal, call, "group.create", path.as_str(), "")?;
            Ok(places::group(connection, id)?.expect("it was just made").wire)
        })
    }

    pub fn update_group(&mut self, call: &Call, path: &str, description: &str) -> Result<Group, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let mut group = require_group(connection, &principal, path)?;
            check_text("description", description, DESCRIPTION_BYTES_MAX)?;
            connection
                .prepare_cached("UPDATE groups SET description = ?1 WHERE id = ?2")?
                .execute((description, group.id))?;
            journal::enter(connection, &principal, call, "group.update", &group.wire.path, "description")?;
            group.wire.description = description.to_owned();
            Ok(group.wire)
        })
    }

    pub fn delete_group(&mut self, call: &Call, path: &str) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let group = require_group(connection, &principal, path)?;
            let holds_something: bool = connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM groups WHERE parent_id = ?1)
                         OR EXISTS (SELECT 1 FROM repositories WHERE group_id = ?1 AND deleted IS NULL)",
                )?
                .query_row([group.id], |row| row.get(0))?;
            if holds_something {
                return Err(conflict("the group still holds something"));
            }
            connection.prepare_cached("DELETE FROM groups WHERE id = ?1")?.execute([group.id])?;
            journal::enter(connection, &principal, call, "group.delete", &group.wire.path, "")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Forge, outcome, user};

    #[test]
    fn groups_are_made_with_those_around_them() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let made = forge.store.create_group(&root, "a/b/c", "words").expect("a group");
        assert_eq!(
            (&*made.path, &*made.description, made.owner.as_deref()),
            ("a/b/c", "words", Some("root"))
        );
        let pairs: String = forge.value(
            "SELECT group_concat(pair, ' ') FROM (SELECT g.path || '<' || a.path AS pair FROM group_ancestors
                 JOIN groups AS g ON g.id = group_id JOIN groups AS a ON a.id = ancestor_id ORDER BY pair)",
        );
        assert_eq!(pairs, "a/b/c<a a/b/c<a/b a/b/c<a/b/c a/b<a a/b<a/b a<a");
        assert_eq!(forge.paths(&root, Some("a/b"), ""), ["a/b/c/"]);
        let changed = forge.store.update_group(&root, "a/b", "more words").expect("a change");
        assert_eq!((&*changed.path, &*changed.description), ("a/b", "more words"));
    }

    #[test]
    fn only_empty_groups_are_deleted() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "a/b/demo", false);
        for (path, expected) in
            [("a", "conflict"), ("a/b", "conflict"), ("a/b/demo", "not-found"), ("x", "not-found")]
        {
            assert_eq!(outcome(forge.store.delete_group(&root, path)), expected, "{path}");
        }
        forge.store.delete_repository(&root, "a/b/demo").expect("it is deleted");
        for (path, expected) in [("a", "conflict"), ("a/b", "ok"), ("a", "ok"), ("a", "not-found")] {
            assert_eq!(outcome(forge.store.delete_group(&root, path)), expected, "{path}");
        }
    }

    #[test]
    fn changing_a_group_needs_admin() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.store.create_group(&root, "team", "").expect("a group");
        forge.grant("team", user("anna"), Permission::Write);
        forge.grant("team", user("bert"), Permission::Admin);
        let calls = [forge.anonymous(), forge.session("cara"), forge.session("anna"), forge.session("bert")];
        let outcomes = calls.each_ref().map(|call| outcome(forge.store.update_group(call, "team", "x")));
        assert_eq!(outcomes, ["not-found", "not-found", "forbidden", "ok"]);
        let outcomes = calls.each_ref().map(|call| outcome(forge.store.create_group(call, "team/sub", "x")));
        assert_eq!(outcomes, ["unauthenticated", "forbidden", "ok", "conflict"]);
    }
}
