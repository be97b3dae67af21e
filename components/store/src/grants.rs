//! Permissions given at repositories and groups.

use crate::access;
use crate::bindings::exports::lithe::forge::repositories::{Grant, Grantee};
use crate::failure::invalid;
use crate::identity;
use crate::journal;
use crate::limits::{GRANTS_MAX, USER_NAME_BYTES_MAX};
use crate::places::{self, Place, PlaceRow};
use crate::store::{Call, Store, cut};
use crate::types::{Error, Permission};
use crate::users;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

/// Whom a grant is for, by rows; both none: everyone.
#[derive(Debug, Clone, Copy, Default)]
struct GranteeRow {
    user_id: Option<i64>,
    user_group_id: Option<i64>,
}

/// Lets everyone read a repository that was just made.
pub fn let_everyone_read(connection: &Connection, repository_id: i64) -> Result<(), Error> {
    let place = PlaceRow { repository_id: Some(repository_id), group_id: None };
    give(connection, place, GranteeRow::default(), Permission::Read)
}

impl Store {
    pub fn grants(&mut self, call: &Call, path: &str) -> Result<Vec<Grant>, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Admin)?;
            list(connection, &found.place)
        })
    }

    pub fn set_grant(
        &mut self,
        call: &Call,
        path: &str,
        grantee: &Grantee,
        permission: Permission,
    ) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Admin)?;
            let (row, name) = find_grantee(connection, grantee)?;
            if matches!(grantee, Grantee::Everyone) && permission == Permission::Admin {
                return Err(invalid("permission", "everyone can be given `write` at the most"));
            }
            let place = PlaceRow::of(&found.place);
            take(connection, place, row)?;
            if permission != Permission::None {
                check_room(connection, place)?;
                give(connection, place, row, permission)?;
            }
            let details = format!("{name}: {}", places::word(permission));
            journal::enter(connection, &principal, call, "grant.set", found.place.path(), &details)
        })
    }
}

fn find_grantee(connection: &Connection, grantee: &Grantee) -> Result<(GranteeRow, String), Error> {
    match grantee {
        Grantee::Everyone => Ok((GranteeRow::default(), "everyone".into())),
        Grantee::User(name) => {
            let row = users::by_name(connection, name)?;
            let row = row.ok_or_else(|| {
                invalid("grantee", format!("there is no user {:?}", cut(name, USER_NAME_BYTES_MAX)))
            })?;
            Ok((GranteeRow { user_id: Some(row.id), user_group_id: None }, row.user.name))
        }
        Grantee::UserGroup(name) => {
            let found: Option<(i64, String)> = connection
                .prepare_cached("SELECT id, name FROM user_groups WHERE name = ?1")?
                .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let (id, name) = found.ok_or_else(|| {
                invalid("grantee", format!("there is no user group {:?}", cut(name, USER_NAME_BYTES_MAX)))
            })?;
            Ok((GranteeRow { user_id: None, user_group_id: Some(id) }, name))
        }
    }
}

fn take(connection: &Connection, place: PlaceRow, grantee: GranteeRow) -> Result<(), Error> {
    let sql = match place {
        PlaceRow { repository_id: Some(_), .. } => {
            "DELETE FROM grants WHERE repository_id = ?1 AND user_id IS ?2 AND user_group_id IS ?3"
        }
        _ => "DELETE FROM grants WHERE group_id = ?1 AND user_id IS ?2 AND user_group_id IS ?3",
    };
    let place = place.repository_id.or(place.group_id);
    connection.prepare_cached(sql)?.execute((place, grantee.user_id, grantee.user_group_id))?;
    Ok(())
}

fn give(
    connection: &Connection,
    place: PlaceRow,
    grantee: GranteeRow,
    permission: Permission,
) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT INTO grants (repository_id, group_id, user_id, user_group_id, permission) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((place.repository_id, place.group_id, grantee.user_id, grantee.user_group_id, places::number(permission)))?;
    Ok(())
}

fn check_room(connection: &Connection, place: PlaceRow) -> Result<(), Error> {
    let sql = match place {
        PlaceRow { repository_id: Some(_), .. } => "SELECT count(*) FROM grants WHERE repository_id = ?1",
        _ => "SELECT count(*) FROM grants WHERE group_id = ?1",
    };
    let place = place.repository_id.or(place.group_id);
    let count: u32 = connection.prepare_cached(sql)?.query_row([place], |row| row.get(0))?;
    if count >= GRANTS_MAX {
        return Err(invalid(
            "grantee",
            format!("there are {GRANTS_MAX} grants here already: use a user group"),
        ));
    }
    Ok(())
}

/// The grants that hold at a place: its own, then those of the groups around it, the innermost first.
fn list(connection: &Connection, place: &Place) -> Result<Vec<Grant>, Error> {
    const COLUMNS: &str = "(SELECT name FROM users WHERE users.id = grants.user_id),
        (SELECT name FROM user_groups WHERE user_groups.id = grants.user_group_id), grants.permission";
    let (repository_id, group_id) = match place {
        Place::Repository(row) => (row.id, row.group_id),
        Place::Group(row) => (0, Some(row.id)),
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, NULL AS origin FROM grants WHERE repository_id = :repository
         UNION ALL
         SELECT {COLUMNS}, groups.path
         FROM group_ancestors
             CROSS JOIN groups ON groups.id = group_ancestors.ancestor_id
             CROSS JOIN grants ON grants.group_id = groups.id
         WHERE group_ancestors.group_id = :group"
    ))?;
    let params = named_params! { ":repository": repository_id, ":group": group_id };
    let mut grants: Vec<Grant> = statement.query_map(params, read)?.collect::<Result<_, _>>()?;
    if let Place::Group(row) = place {
        for grant in &mut grants {
            grant.inherited_from.take_if(|origin| *origin == row.wire.path);
        }
    }
    grants.sort_by_key(|grant| {
        let name = match &grant.grantee {
            Grantee::Everyone => (0, String::new()),
            Grantee::UserGroup(name) => (1, name.to_lowercase()),
            Grantee::User(name) => (2, name.to_lowercase()),
        };
        let depth = grant.inherited_from.as_ref().map(|path| usize::MAX - path.len());
        (depth, name)
    });
    Ok(grants)
}

fn read(row: &Row) -> rusqlite::Result<Grant> {
    let grantee = match (row.get(0)?, row.get(1)?) {
        (Some(user), _) => Grantee::User(user),
        (None, Some(user_group)) => Grantee::UserGroup(user_group),
        (None, None) => Grantee::Everyone,
    };
    Ok(Grant { grantee, permission: places::permission(row.get(2)?), inherited_from: row.get(3)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Forge, outcome, user};

    fn lines(forge: &mut Forge, path: &str) -> Vec<String> {
        let root = forge.session("root");
        let grants = forge.store.grants(&root, path).expect("grants");
        let line = |grant: Grant| {
            let grantee = match grant.grantee {
                Grantee::Everyone => "everyone".into(),
                Grantee::User(name) => name,
                Grantee::UserGroup(name) => format!("@{name}"),
            };
            format!(
                "{grantee} {} {}",
                places::word(grant.permission),
                grant.inherited_from.unwrap_or_default()
            )
        };
        grants.into_iter().map(line).collect()
    }

    #[test]
    fn grants_are_given_changed_and_taken() {
        let mut forge = Forge::new();
        forge.sql("INSERT INTO user_groups (name, created) VALUES ('crew', 0)");
        let root = forge.session("root");
        forge.repository(&root, "a/b/demo", false);
        forge.grant("a/b/demo", user("Bert"), Permission::Read);
        forge.grant("a/b/demo", user("anna"), Permission::Read);
        forge.grant("a/b/demo", user("ANNA"), Permission::Admin);
        forge.grant("a/b/demo", Grantee::UserGroup("Crew".into()), Permission::Write);
        forge.grant("a/b", user("anna"), Permission::Read);
        forge.grant("a", Grantee::Everyone, Permission::Write);
        let own = ["everyone read ", "@crew write ", "anna admin ", "bert read "];
        assert_eq!(
            lines(&mut forge, "a/b/demo"),
            [&own[..], &["anna read a/b", "everyone write a"]].concat()
        );
        assert_eq!(lines(&mut forge, "a/b"), ["anna read ", "everyone write a"]);
        forge.grant("a/b/demo", user("bert"), Permission::None);
        forge.grant("a/b/demo", user("cara"), Permission::None);
        forge.grant("a/b/demo", Grantee::Everyone, Permission::None);
        forge.grant("a", Grantee::Everyone, Permission::None);
        assert_eq!(lines(&mut forge, "a/b/demo"), ["@crew write ", "anna admin ", "anna read a/b"]);
        let entered: String =
            forge.value("SELECT details FROM journal WHERE action = 'grant.set' ORDER BY id DESC LIMIT 1");
        assert_eq!(entered, "everyone: none");
    }

    #[test]
    fn unacceptable_grants_are_refused() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        for (grantee, permission, expected) in [
            (user("nobody"), Permission::Read, "invalid grantee"),
            (Grantee::UserGroup("none".into()), Permission::Read, "invalid grantee"),
            (Grantee::Everyone, Permission::Admin, "invalid permission"),
            (Grantee::Everyone, Permission::Write, "ok"),
        ] {
            assert_eq!(outcome(forge.store.set_grant(&root, "demo", &grantee, permission)), expected);
        }
    }

    #[test]
    fn a_place_has_a_limited_number_of_grants() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.store.create_group(&root, "team", "").expect("a group");
        forge.sql(&format!(
            "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < {GRANTS_MAX})
             INSERT INTO user_groups (name, created) SELECT 'g' || n, 0 FROM n;
             INSERT INTO grants (group_id, user_group_id, permission) SELECT 1, id, 1 FROM user_groups WHERE name <> 'g1'"
        ));
        let give = |forge: &mut Forge, grantee| {
            outcome(forge.store.set_grant(&root, "team", &grantee, Permission::Read))
        };
        assert_eq!(give(&mut forge, user("anna")), "ok");
        assert_eq!(give(&mut forge, user("bert")), "invalid grantee");
        assert_eq!(give(&mut forge, user("anna")), "ok", "one that is there can be changed");
    }
}
