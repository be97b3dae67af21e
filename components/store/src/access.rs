//! What a viewer may see and do: the rows that [`lithe_access::decide`] needs, and the listings.

use crate::answers::{Answer, Question};
use crate::bindings::exports::lithe::forge::access::{Listed, Listing, Opened, Place as WirePlace};
use crate::bindings::exports::lithe::forge::settings::Overview;
use crate::failure::forbidden;
use crate::identity::{self, Principal};
use crate::issue_links;
use crate::places::{self, Found, Place};
use crate::settings;
use crate::store::{Call, Store, check_page, pattern};
use crate::types::{Error, Page, Permission, Timestamp};
use lithe_access::{Actor, Address, Claim, RepoPath, decide};
use rusqlite::{Connection, ToSql, named_params};

/// The most that is granted at a repository (or none, 0) and the groups around it (the group
/// itself and those that it stands in), to everyone and to the user, and whether the user owns one
/// of the groups.
const REACH: &str = "
    SELECT ifnull(max(CASE WHEN user_id IS NULL AND user_group_id IS NULL THEN permission END), 0),
           ifnull(max(CASE WHEN user_id = :user
                             OR user_group_id IN (SELECT user_group_id FROM user_group_members WHERE user_id = :user)
                           THEN permission END), 0),
           EXISTS (SELECT 1 FROM group_ancestors CROSS JOIN groups ON groups.id = group_ancestors.ancestor_id
                   WHERE group_ancestors.group_id = :group AND groups.owner_id = :user)
    FROM (SELECT user_id, user_group_id, permission FROM grants WHERE repository_id = :repository
          UNION ALL
          SELECT user_id, user_group_id, permission
          FROM group_ancestors CROSS JOIN grants ON grants.group_id = group_ancestors.ancestor_id
          WHERE group_ancestors.group_id = :group)";

/// Whether the viewer may see the group `candidates.id` because of something in it: a group or
/// repository below it that is theirs, or granted to them or, unless it is private, to everyone.
const SEES_BELOW: &str = "
    (EXISTS (SELECT 1 FROM group_ancestors AS below CROSS JOIN groups AS inner ON inner.id = below.group_id
             WHERE below.ancestor_id = candidates.id
               AND (inner.owner_id = :user
                    OR EXISTS (SELECT 1 FROM grants
                               WHERE grants.group_id = inner.id
                                 AND (user_id = :user
                                      OR user_group_id IN
                                          (SELECT user_group_id FROM user_group_members WHERE user_id = :user)
                                      OR (:everyone_cap > 0 AND user_id IS NULL AND user_group_id IS NULL)))))
     OR EXISTS (SELECT 1 FROM group_ancestors AS below
                    CROSS JOIN repositories AS leaf ON leaf.group_id = below.group_id AND leaf.deleted IS NULL
                WHERE below.ancestor_id = candidates.id
                  AND (leaf.owner_id = :user
                       OR EXISTS (SELECT 1 FROM grants
                                  WHERE grants.repository_id = leaf.id
                                    AND (user_id = :user
                                         OR user_group_id IN
                                             (SELECT user_group_id FROM user_group_members WHERE user_id = :user)
                                         OR (:everyone_cap > 0 AND leaf.is_private = 0
                                             AND user_id IS NULL AND user_group_id IS NULL))))))";

/// What the viewer may do at one of `candidates`, by the rule of `lithe_access::decide`, which the tests
/// hold it to.
const RANK: &str = "
    CASE WHEN :is_admin OR owner_id = :user
           OR EXISTS (SELECT 1 FROM group_ancestors CROSS JOIN groups ON groups.id = group_ancestors.ancestor_id
                      WHERE group_ancestors.group_id = candidates.group_id AND groups.owner_id = :user)
    THEN 3
    ELSE max(
        CASE WHEN is_private THEN 0 ELSE min(:everyone_cap, max(
            ifnull((SELECT max(permission) FROM grants
                    WHERE repository_id = candidates.repository_id AND user_id IS NULL AND user_group_id IS NULL), 0),
            ifnull((SELECT max(permission)
                    FROM group_ancestors CROSS JOIN grants ON grants.group_id = group_ancestors.ancestor_id
                    WHERE group_ancestors.group_id = candidates.group_id
                      AND user_id IS NULL AND user_group_id IS NULL), 0))) END,
        ifnull((SELECT max(permission) FROM grants
                WHERE repository_id = candidates.repository_id
                  AND (user_id = :user OR user_group_id IN
                       (SELECT user_group_id FROM user_group_members WHERE user_id = :user))), 0),
        ifnull((SELECT max(permission)
                FROM group_ancestors CROSS JOIN grants ON grants.group_id = group_ancestors.ancestor_id
                WHERE group_ancestors.group_id = candidates.group_id
                  AND (user_id = :user OR user_group_id IN
                       (SELECT user_group_id FROM user_group_members WHERE user_id = :user))), 0))
    END";

/// Whether the viewer may read the repository that is one of `candidates`, by the same rule; what is so for most is asked
/// first.
const READS: &str = "
    (:is_admin
     OR (:everyone_cap > 0 AND NOT is_private
         AND (EXISTS (SELECT 1 FROM grants WHERE repository_id = candidates.repository_id
                        AND user_id IS NULL AND user_group_id IS NULL)
              OR EXISTS (SELECT 1 FROM group_ancestors CROSS JOIN grants ON grants.group_id = group_ancestors.ancestor_id
                         WHERE group_ancestors.group_id = candidates.group_id
                           AND user_id IS NULL AND user_group_id IS NULL)))
     OR owner_id = :user
     OR EXISTS (SELECT 1 FROM grants
                WHERE repository_id = candidates.repository_id
                  AND (user_id = :user OR user_group_id IN
                       (SELECT user_group_id FROM user_group_members WHERE user_id = :user)))
     OR EXISTS (SELECT 1 FROM group_ancestors CROSS JOIN groups ON groups.id = group_ancestors.ancestor_id
                WHERE group_ancestors.group_id = candidates.group_id AND groups.owner_id = :user)
     OR EXISTS (SELECT 1 FROM group_ancestors CROSS JOIN grants ON grants.group_id = group_ancestors.ancestor_id
                WHERE group_ancestors.group_id = candidates.group_id
                  AND (user_id = :user OR user_group_id IN
                       (SELECT user_group_id FROM user_group_members WHERE user_id = :user))))";

/// The direct children of a group, or of the top level.
const DIRECT: &str = "
    SELECT 0 AS kind, id, path, owner_id, 0 AS is_private, id AS group_id, NULL AS repository_id
    FROM groups WHERE parent_id IS :parent
    UNION ALL
    SELECT 1, id, path, owner_id, is_private, group_id, id
    FROM repositories WHERE group_id IS :parent AND deleted IS NULL";

/// Everything below a group.
const BELOW: &str = r"
    SELECT 0 AS kind, id, path, owner_id, 0 AS is_private, id AS group_id, NULL AS repository_id
    FROM groups
    WHERE id IN (SELECT group_id FROM group_ancestors WHERE ancestor_id = :parent) AND id <> :parent
      AND (path LIKE :pattern ESCAPE '\' OR description LIKE :pattern ESCAPE '\')
    UNION ALL
    SELECT 1, id, path, owner_id, is_private, group_id, id
    FROM repositories
    WHERE group_id IN (SELECT group_id FROM group_ancestors WHERE ancestor_id = :parent) AND deleted IS NULL
      AND (path LIKE :pattern ESCAPE '\' OR description LIKE :pattern ESCAPE '\')";

/// Everything. A search reads every path and description, as there is no index of what they contain.
const EVERYWHERE: &str = r"
    SELECT 0 AS kind, id, path, owner_id, 0 AS is_private, id AS group_id, NULL AS repository_id
    FROM groups
    WHERE path LIKE :pattern ESCAPE '\' OR description LIKE :pattern ESCAPE '\'
    UNION ALL
    SELECT 1, id, path, owner_id, is_private, group_id, id
    FROM repositories
    WHERE deleted IS NULL AND (path LIKE :pattern ESCAPE '\' OR description LIKE :pattern ESCAPE '\')";

/// Everything that is deleted.
const DELETED: &str = "
    SELECT 1 AS kind, id, path, owner_id, is_private, group_id, id AS repository_id
    FROM repositories WHERE deleted IS NOT NULL";

/// What everyone's grants are worth to the viewer, 0 to 3: nothing to the anonymous user where
/// anonymous access is off, else `read`.
fn everyone_cap(principal: &Principal, anonymous_access: bool) -> i64 {
    match (principal.is_signed_in(), anonymous_access) {
        (true, _) => 3,
        (false, true) => 1,
        (false, false) => 0,
    }
}

/// Decides what the principal may do at a place that is there, or (with none) does the same work
/// for nothing.
pub fn permission(
    connection: &Connection,
    principal: &Principal,
    place: Option<&Place>,
) -> Result<Permission, Error> {
    let site = settings::site(connection)?;
    let (repository_id, group_id, owner_id, is_private) = match place {
        Some(Place::Repository(row)) => {
            (row.id, row.group_id.unwrap_or(0), row.owner_id, row.wire.is_private)
        }
        Some(Place::Group(row)) => (0, row.id, row.owner_id, false),
        None => (0, 0, None, false),
    };
    let (everyone, explicit, owns_group): (i64, i64, bool) = connection.prepare_cached(REACH)?.query_row(
        named_params! { ":user": principal.id, ":repository": repository_id, ":group": group_id },
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let is_owner = principal.id != 0 && (owns_group || owner_id == Some(principal.id));
    let actor = match principal {
        _ if !principal.is_signed_in() => Actor::Anonymous,
        _ if principal.is_site_admin() => Actor::Admin,
        _ if is_owner => Actor::Owner,
        _ => Actor::User,
    };
    let decided = decide(&Claim {
        actor,
        is_private,
        anonymous_access: site.anonymous_access,
        everyone: level(everyone),
        explicit: level(explicit),
        ceiling: level(places::number(principal.viewer.ceiling)),
    });
    let decided = wire_permission(decided);
    if decided != Permission::None {
        return Ok(if place.is_some() { decided } else { Permission::None });
    }
    // A group shows itself to whoever may see something in it. What is not there, or is a
    // repository, costs the same question.
    let group_id = if repository_id == 0 { group_id } else { 0 };
    let sees_below =
        sees_below(connection, principal, group_id, everyone_cap(principal, site.anonymous_access))?;
    Ok(if sees_below { Permission::Read } else { Permission::None })
}

fn wire_permission(permission: lithe_access::Permission) -> Permission {
    match permission {
        lithe_access::Permission::None => Permission::None,
        lithe_access::Permission::Read => Permission::Read,
        lithe_access::Permission::Write => Permission::Write,
        lithe_access::Permission::Admin => Permission::Admin,
    }
}

/// A permission of the database.
fn level(number: i64) -> lithe_access::Permission {
    match places::permission(number) {
        Permission::None => lithe_access::Permission::None,
        Permission::Read => lithe_access::Permission::Read,
        Permission::Write => lithe_access::Permission::Write,
        Permission::Admin => lithe_access::Permission::Admin,
    }
}

fn sees_below(
    connection: &Connection,
    principal: &Principal,
    group_id: i64,
    everyone_cap: i64,
) -> Result<bool, Error> {
    let sql = format!("WITH candidates AS (SELECT :group AS id) SELECT {SEES_BELOW} FROM candidates");
    let mut statement = connection.prepare_cached(&sql)?;
    let params = named_params! { ":user": principal.id, ":everyone_cap": everyone_cap, ":group": group_id };
    Ok(statement.query_row(params, |row| row.get(0))?)
}

/// What is visible of some candidates, groups first, by path.
fn listing_sql(candidates: &str) -> String {
    format!(
        "WITH candidates AS ({candidates}), ranked AS MATERIALIZED (SELECT kind, id, path, {RANK} AS permission FROM candidates)
         SELECT kind, id, min(:ceiling, CASE WHEN permission > 0 THEN permission ELSE 1 END)
         FROM ranked AS candidates
         WHERE permission > 0 OR (kind = 0 AND {SEES_BELOW})
         ORDER BY kind, path"
    )
}

/// The last change below a group. In each of those inside, the newest repositories are looked at first, up to one that
/// may be read: no other tells anything, and thousands of them are no more work than a few.
fn updated_below_sql() -> String {
    format!(
        "SELECT max((SELECT updated
                     FROM (SELECT id AS repository_id, group_id, owner_id, is_private, updated
                           FROM repositories INDEXED BY repositories_by_change
                           WHERE repositories.group_id = below.group_id AND deleted IS NULL) AS candidates
                     WHERE {READS}
                     ORDER BY updated DESC LIMIT 1))
         FROM group_ancestors AS below WHERE below.ancestor_id = :group"
    )
}

/// Finds what stands at `path` and what the principal may do there.
///
/// Fails with `error.not-found` alike, and after the same work, if there is nothing, or nothing
/// that the principal may read.
pub fn open(
    connection: &Connection,
    principal: &Principal,
    path: &str,
) -> Result<(Found, Permission), Error> {
    let address = Address::parse(path).ok();
    let found = match &address {
        Some(address) => places::find(connection, address)?,
        None => None,
    };
    let permission = permission(connection, principal, found.as_ref().map(|found| &found.place))?;
    match found {
        Some(found) if permission != Permission::None => Ok((found, permission)),
        _ => Err(Error::NotFound),
    }
}

/// As [`open`], for something that needs a permission.
///
/// Fails besides with `error.forbidden` if the principal may read the place and not do this, and
/// with `error.unauthenticated` if that principal is anonymous.
pub fn require(
    connection: &Connection,
    principal: &Principal,
    path: &str,
    needed: Permission,
) -> Result<(Found, Permission), Error> {
    let (found, permission) = open(connection, principal, path)?;
    if permission < needed {
        principal.require_signed_in()?;
        return Err(forbidden("you may see this and not do that to it"));
    }
    Ok((found, permission))
}

/// The numbers of the deleted repositories that the principal may administer, the latest first, up
/// to a number of them.
pub fn restorable(
    connection: &Connection,
    principal: &Principal,
    number_max: u32,
) -> Result<Vec<i64>, Error> {
    if principal.viewer.ceiling < Permission::Admin {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(&format!(
        "WITH candidates AS ({DELETED}), ranked AS (SELECT id, {RANK} AS permission FROM candidates)
         SELECT ranked.id FROM ranked CROSS JOIN repositories ON repositories.id = ranked.id
         WHERE permission = 3 ORDER BY deleted DESC, ranked.id DESC LIMIT :number_max"
    ))?;
    let anonymous_access = settings::site(connection)?.anonymous_access;
    let ids = statement.query_map(
        named_params! {
            ":user": principal.id,
            ":is_admin": principal.is_site_admin(),
            ":everyone_cap": everyone_cap(principal, anonymous_access),
            ":number_max": number_max,
        },
        |row| row.get(0),
    )?;
    Ok(ids.collect::<Result<_, _>>()?)
}

impl Store {
    pub fn open_place(&mut self, call: &Call, path: &str) -> Result<Opened, Error> {
        let question = || Question::Open(path.to_owned());
        match self.answer(call, question, |store| store.found_place(call, path).map(Answer::Opened))? {
            Answer::Opened(opened) => Ok(opened),
            Answer::NotFound | Answer::Listing(_) => Err(Error::NotFound),
        }
    }

    fn found_place(&mut self, call: &Call, path: &str) -> Result<Opened, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, permission) = open(connection, &principal, path)?;
            let issue_links = match &found.place {
                Place::Repository(row) => issue_links::in_force(connection, row)?,
                Place::Group(_) => Vec::new(),
            };
            let place = wire(found.place);
            let overview = Overview { viewer: principal.viewer, site: settings::site(connection)? };
            Ok(Opened { overview, place, permission, is_moved: found.is_moved, issue_links })
        })
    }

    pub fn children(
        &mut self,
        call: &Call,
        parent: Option<&str>,
        filter: &str,
        page: Page,
    ) -> Result<Listing, Error> {
        let question = || Question::children(parent, filter, page);
        let listed = |store: &mut Self| store.listed(call, parent, filter, page).map(Answer::Listing);
        match self.answer(call, question, listed)? {
            Answer::Listing(listing) => Ok(listing),
            Answer::NotFound | Answer::Opened(_) => Err(Error::NotFound),
        }
    }

    fn listed(
        &mut self,
        call: &Call,
        parent: Option<&str>,
        filter: &str,
        page: Page,
    ) -> Result<Listing, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (offset, limit) = check_page(page)?;
            let parent = parent.map(|path| parent_group(connection, &principal, path)).transpose()?;
            let visible = visible(connection, &principal, parent, filter)?;
            let shown = visible.iter().skip(offset as usize).take(limit as usize);
            let site = settings::site(connection)?;
            let everyone_cap = everyone_cap(&principal, site.anonymous_access);
            let entries = shown
                .map(|line| line.read(connection, &principal, everyone_cap))
                .collect::<Result<_, _>>()?;
            let total = u32::try_from(visible.len()).unwrap_or(u32::MAX);
            let overview = Overview { viewer: principal.viewer, site };
            Ok(Listing { overview, entries, total })
        })
    }
}

/// A line of a listing, before its place is read.
struct Line {
    is_repository: bool,
    id: i64,
    permission: Permission,
}

impl Line {
    fn read(
        &self,
        connection: &Connection,
        principal: &Principal,
        everyone_cap: i64,
    ) -> Result<Listed, Error> {
        let seen = "the transaction has seen it a moment ago";
        let (place, updated) = if self.is_repository {
            let row = places::repository(connection, self.id)?.expect(seen);
            let updated = row.wire.updated;
            (Place::Repository(row), Some(updated))
        } else {
            let updated = updated_below(connection, principal, self.id, everyone_cap)?;
            (Place::Group(places::group(connection, self.id)?.expect(seen)), updated)
        };
        Ok(Listed { place: wire(place), permission: self.permission, updated })
    }
}

/// When those repositories in the group that the principal may read were changed last; none: there are none.
fn updated_below(
    connection: &Connection,
    principal: &Principal,
    group_id: i64,
    everyone_cap: i64,
) -> Result<Option<Timestamp>, Error> {
    let params = named_params! {
        ":user": principal.id,
        ":is_admin": principal.is_site_admin(),
        ":everyone_cap": everyone_cap,
        ":group": group_id,
    };
    Ok(connection.prepare_cached(&updated_below_sql())?.query_row(params, |row| row.get(0))?)
}

/// Everything of a listing that the principal may read, in order.
fn visible(
    connection: &Connection,
    principal: &Principal,
    parent: Option<i64>,
    filter: &str,
) -> Result<Vec<Line>, Error> {
    let anonymous_access = settings::site(connection)?.anonymous_access;
    let everyone_cap = everyone_cap(principal, anonymous_access);
    let (is_admin, ceiling) = (principal.is_site_admin(), places::number(principal.viewer.ceiling));
    let pattern = pattern(filter)?;
    let mut params: Vec<(&str, &dyn ToSql)> = vec![
        (":user", &principal.id),
        (":is_admin", &is_admin),
        (":everyone_cap", &everyone_cap),
        (":ceiling", &ceiling),
    ];
    let candidates = match (filter.is_empty(), &parent) {
        (true, _) => DIRECT,
        (false, Some(_)) => BELOW,
        (false, None) => EVERYWHERE,
    };
    if !filter.is_empty() {
        params.push((":pattern", &pattern));
    }
    if filter.is_empty() || parent.is_some() {
        params.push((":parent", &parent));
    }
    let mut statement = connection.prepare_cached(&listing_sql(candidates))?;
    let lines = statement.query_map(&*params, |row| {
        let is_repository = row.get::<_, i64>(0)? == 1;
        Ok(Line { is_repository, id: row.get(1)?, permission: places::permission(row.get(2)?) })
    })?;
    Ok(lines.collect::<Result<_, _>>()?)
}

fn parent_group(connection: &Connection, principal: &Principal, path: &str) -> Result<i64, Error> {
    // Only its own path: a listing does not stand at a repository's permanent id.
    RepoPath::parse(path).map_err(|_| Error::NotFound)?;
    match open(connection, principal, path)? {
        (Found { place: Place::Group(group), .. }, _) => Ok(group.id),
        _ => Err(Error::NotFound),
    }
}

fn wire(place: Place) -> WirePlace {
    match place {
        Place::Repository(row) => WirePlace::Repository(row.wire),
        Place::Group(row) => WirePlace::Group(row.wire),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::exports::lithe::forge::repositories::Grantee;
    use crate::bindings::exports::lithe::forge::settings::Site;
    use crate::testing::{Forge, NOW, outcome, page, user};
    use std::collections::HashMap;

    /// What `open` says: the path and permission, with `moved` where it is, or the error.
    fn opened(forge: &mut Forge, call: &Call, path: &str) -> String {
        match forge.store.open_place(call, path) {
            Ok(Opened { place, permission, is_moved, .. }) => {
                let path = match place {
                    WirePlace::Repository(repository) => repository.path,
                    WirePlace::Group(group) => format!("{}/", group.path),
                };
                format!("{path} {}{}", places::word(permission), if is_moved { " moved" } else { "" })
            }
            error => outcome(error),
        }
    }

    fn set(forge: &mut Forge, change: impl FnOnce(&mut Site)) {
        let root = forge.session("root");
        let mut site = forge.store.settings(&root).expect("settings").site;
        change(&mut site);
        forge.store.update_settings(&root, &site).expect("a change");
    }

    /// Makes a repository for each way in which permissions can be given: `g<n>/r`.
    fn make_every_combination(forge: &mut Forge) -> Vec<(String, Claim, bool)> {
        forge.sql(
            "INSERT INTO user_groups (id, name, created) VALUES (1, 'team', 0);
             INSERT INTO user_group_members SELECT id, 1 FROM users WHERE name = 'anna';",
        );
        let root = forge.session("root");
        let anna: i64 = forge.value("SELECT id FROM users WHERE name = 'anna'");
        let mut made = Vec::new();
        for combination in 0..2 * 3 * 3 * 4 * 4 * 3 {
            let mut rest = combination;
            let mut digit = |base: i64| {
                let digit = rest % base;
                rest /= base;
                digit
            };
            let (is_private, everyone, everyone_above) = (digit(2) == 1, digit(3), digit(3));
            let (explicit, explicit_above, owned) = (digit(4), digit(4), digit(3));
            let path = format!("g{combination}/sub/r");
            let id = forge.repository(&root, &path, is_private).id;
            let group = format!("(SELECT id FROM groups WHERE path = 'g{combination}')");
            let grant = |place: &str, whom: &str, permission: i64| match permission {
                0 => String::new(),
                _ => format!("INSERT INTO grants ({place}) VALUES ({whom}, {permission});"),
            };
            forge.sql(&format!(
                "DELETE FROM grants WHERE repository_id = {id}; {} {} {} {}
                 UPDATE repositories SET owner_id = {anna} WHERE id = {id} AND {owned} = 1;
                 UPDATE groups SET owner_id = {anna} WHERE id = {group} AND {owned} = 2;",
                grant("repository_id, permission", &id.to_string(), everyone),
                grant("group_id, permission", &group, everyone_above),
                grant("repository_id, user_id, permission", &format!("{id}, {anna}"), explicit),
                grant("group_id, user_group_id, permission", &format!("{group}, 1"), explicit_above),
            ));
            let claim = Claim {
                actor: Actor::User,
                is_private,
                anonymous_access: true,
                everyone: level(everyone.max(everyone_above)),
                explicit: level(explicit.max(explicit_above)),
                ceiling: lithe_access::Permission::Admin,
            };
            made.push((path, claim, owned != 0));
        }
        made
    }

    #[test]
    fn every_combination_is_decided_by_the_one_rule() {
        let mut forge = Forge::new();
        let made = make_every_combination(&mut forge);
        let calls = [
            (forge.anonymous(), Actor::Anonymous, Permission::Admin),
            (forge.session("anna"), Actor::User, Permission::Admin),
            (forge.token("anna", Permission::Read), Actor::User, Permission::Read),
            (forge.token("anna", Permission::Write), Actor::User, Permission::Write),
            (forge.session("root"), Actor::Admin, Permission::Admin),
            (forge.token("root", Permission::Read), Actor::Admin, Permission::Read),
        ];
        for anonymous_access in [true, false] {
            set(&mut forge, |site| site.anonymous_access = anonymous_access);
            for (call, actor, ceiling) in &calls {
                let listing = forge.store.children(call, None, "/r", page()).expect("a listing");
                let groups = forge.store.children(call, None, "", page()).expect("a listing").entries;
                let mut changed: HashMap<String, Option<Timestamp>> = groups
                    .into_iter()
                    .map(|line| match line.place {
                        WirePlace::Group(group) => (group.path, line.updated),
                        WirePlace::Repository(repository) => panic!("{} is no group", repository.path),
                    })
                    .collect();
                let mut listed: HashMap<String, Permission> = listing
                    .entries
                    .into_iter()
                    .map(|line| match line.place {
                        WirePlace::Repository(repository) => (repository.path, line.permission),
                        WirePlace::Group(group) => panic!("{} is no repository", group.path),
                    })
                    .collect();
                for (path, claim, is_owned) in &made {
                    let actor = if *actor == Actor::User && *is_owned { Actor::Owner } else { *actor };
                    let ceiling = level(places::number(*ceiling));
                    let claim = Claim { actor, anonymous_access, ceiling, ..*claim };
                    let expected = wire_permission(decide(&claim));
                    let opened = forge
                        .store
                        .open_place(call, path)
                        .map_or(Permission::None, |opened| opened.permission);
                    assert_eq!(opened, expected, "open {path} {claim:?}");
                    let listed = listed.remove(path).unwrap_or(Permission::None);
                    assert_eq!(listed, expected, "list {path} {claim:?}");
                    let sub = path.strip_suffix("/r").expect("the name of each");
                    let sees_sub = forge
                        .store
                        .children(call, Some(sub), "", page())
                        .is_ok_and(|listing| listing.total == 1);
                    assert_eq!(sees_sub, expected != Permission::None, "children {path} {claim:?}");
                    let group = path.strip_suffix("/sub/r").expect("the path of each");
                    let changed = changed.remove(group).flatten();
                    let expected = (expected != Permission::None).then_some(NOW);
                    assert_eq!(changed, expected, "the last change below {group} {claim:?}");
                }
                assert!(listed.is_empty(), "{listed:?}");
            }
        }
    }

    #[test]
    fn places_are_opened_by_every_address_they_have() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let id = forge.repository(&root, "Team/demo", false).id;
        forge.store.begin_rename(&root, "Team/demo", "Team/new").expect("a rename");
        let anyone = forge.anonymous();
        let cases = [
            ("Team/new".to_owned(), "Team/new read"),
            ("Team/new.git".into(), "Team/new read"),
            ("team/NEW".into(), "Team/new read moved"),
            ("Team/demo".into(), "Team/new read moved"),
            ("team/demo.git".into(), "Team/new read moved"),
            (format!("_{id}"), "Team/new read moved"),
            (format!("_{id}.git"), "Team/new read moved"),
            ("Team".into(), "Team/ read"),
            ("_99".into(), "not-found"),
            ("Team/other".into(), "not-found"),
            (String::new(), "not-found"),
            ("Team/../Team/new".into(), "not-found"),
            ("/Team/new".into(), "not-found"),
            ("\0".into(), "not-found"),
            ("a".repeat(10_000), "not-found"),
        ];
        for (path, expected) in cases {
            assert_eq!(opened(&mut forge, &anyone, &path), expected, "{path:.40}");
        }
    }

    #[test]
    fn what_may_not_be_read_is_not_there() {
        let mut forge = Forge::new();
        let (anna, bert, root) = (forge.session("anna"), forge.session("bert"), forge.session("root"));
        set(&mut forge, |site| site.top_level_creation = true);
        let id = forge.repository(&anna, "anna/secret/plan", true).id;
        let anyone = forge.anonymous();
        let wrong = forge.call(crate::types::Credentials::Session("wrong".into()));
        for path in ["anna/secret/plan", "anna/secret", "anna", &format!("_{id}")] {
            let [a, b] = [&anyone, &bert].map(|call| opened(&mut forge, call, path));
            assert_eq!([&*a, &*b], ["not-found"; 2], "{path}");
            assert_eq!(outcome(forge.store.open_place(&wrong, path)), "unauthenticated");
            assert_ne!(opened(&mut forge, &anna, path), "not-found");
            assert_ne!(opened(&mut forge, &root, path), "not-found");
        }
        assert_eq!(forge.paths(&bert, None, ""), [""; 0]);
        assert_eq!(forge.paths(&bert, None, "plan"), [""; 0]);
        assert_eq!(outcome(forge.store.children(&bert, Some("anna"), "", page())), "not-found");
        assert_eq!(forge.paths(&anna, None, ""), ["anna/"]);
    }

    #[test]
    fn a_group_shows_itself_to_who_may_see_something_in_it() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        for path in ["a/deep/down/private", "b/other", "c/deep/grant"] {
            forge.repository(&root, path, true);
        }
        forge.repository(&root, "d/open", false);
        forge.store.create_group(&root, "e/empty", "").expect("a group");
        forge.grant("a/deep/down/private", user("bert"), Permission::Write);
        forge.grant("c/deep", user("bert"), Permission::Read);
        let (bert, cara, anyone) = (forge.session("bert"), forge.session("cara"), forge.anonymous());
        assert_eq!(forge.paths(&root, None, ""), ["a/", "b/", "c/", "d/", "e/"]);
        assert_eq!(forge.paths(&bert, None, ""), ["a/", "c/", "d/"]);
        assert_eq!(forge.paths(&cara, None, ""), ["d/"]);
        assert_eq!(forge.paths(&anyone, None, ""), ["d/"]);
        assert_eq!(forge.paths(&bert, Some("a/deep"), ""), ["a/deep/down/"]);
        assert_eq!(forge.paths(&bert, Some("c"), "g"), ["c/deep/grant"]);
        for (path, expected) in [
            ("a", "a/ read"),
            ("a/deep/down/private", "a/deep/down/private write"),
            ("c", "c/ read"),
            ("c/deep/grant", "c/deep/grant read"),
            ("b", "not-found"),
            ("e/empty", "not-found"),
        ] {
            assert_eq!(opened(&mut forge, &bert, path), expected);
        }
        forge.grant("e/empty", Grantee::Everyone, Permission::Write);
        assert_eq!(opened(&mut forge, &bert, "e/empty"), "e/empty/ write");
        assert_eq!(opened(&mut forge, &anyone, "e/empty"), "e/empty/ read");
        assert_eq!(opened(&mut forge, &anyone, "e"), "e/ read");
        set(&mut forge, |site| site.anonymous_access = false);
        assert_eq!(opened(&mut forge, &anyone, "e"), "not-found");
        assert_eq!(opened(&mut forge, &anyone, "d/open"), "not-found");
        assert_eq!(forge.paths(&anyone, None, ""), [""; 0]);
        assert_eq!(opened(&mut forge, &cara, "d/open"), "d/open read");
    }

    #[test]
    fn a_group_tells_of_the_last_change_that_may_be_known() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        for (path, is_private, updated) in [
            ("team/old", false, 10),
            ("team/tools/open", false, 20),
            ("team/tools/deep/down/granted", true, 30),
            ("team/tools/deep/secret", true, 40),
            ("team/gone", false, 50),
            ("other/secret", true, 60),
        ] {
            let id = forge.repository(&root, path, is_private).id;
            forge.sql(&format!("UPDATE repositories SET updated = {updated} WHERE id = {id}"));
        }
        forge.store.delete_repository(&root, "team/gone").expect("it is deleted");
        forge.store.create_group(&root, "open", "").expect("a group");
        forge.grant("open", Grantee::Everyone, Permission::Read);
        forge.grant("team/tools/deep/down/granted", user("anna"), Permission::Read);
        let (stranger, anna) = (forge.anonymous(), forge.session("anna"));
        let mut changed = |call: &Call, parent: Option<&str>| -> Vec<(String, Option<Timestamp>)> {
            let listing = forge.store.children(call, parent, "", page()).expect("a listing");
            let line = |line: Listed| match line.place {
                WirePlace::Group(group) => (group.path, line.updated),
                WirePlace::Repository(repository) => (repository.path, line.updated),
            };
            listing.entries.into_iter().map(line).collect()
        };
        let line = |path: &str, updated: i64| (path.to_owned(), (updated > 0).then_some(updated));
        assert_eq!(changed(&stranger, None), [line("open", 0), line("team", 20)]);
        assert_eq!(changed(&anna, None), [line("open", 0), line("team", 30)]);
        assert_eq!(changed(&root, None), [line("open", 0), line("other", 60), line("team", 40)]);
        assert_eq!(changed(&stranger, Some("team")), [line("team/tools", 20), line("team/old", 10)]);
        assert_eq!(changed(&anna, Some("team/tools/deep")), [line("team/tools/deep/down", 30)]);
    }

    #[test]
    fn listings_are_ordered_filtered_and_paged() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        for path in ["zoo", "Beta", "alpha", "group/one", "group/sub/two", "100%", "100x"] {
            if path != "100%" {
                forge.repository(&root, path, false);
            }
        }
        forge.sql("UPDATE repositories SET description = 'all about ANTS: 50%' WHERE path = 'zoo'");
        let anyone = forge.anonymous();
        assert_eq!(forge.paths(&anyone, None, ""), ["group/", "100x", "alpha", "Beta", "zoo"]);
        assert_eq!(
            forge.paths(&anyone, None, "O"),
            ["group/", "group/sub/", "group/one", "group/sub/two", "zoo"]
        );
        assert_eq!(forge.paths(&anyone, Some("group"), "o"), ["group/sub/", "group/one", "group/sub/two"]);
        assert_eq!(forge.paths(&anyone, None, "ants"), ["zoo"]);
        assert_eq!(forge.paths(&anyone, None, "0%"), ["zoo"]);
        assert_eq!(forge.paths(&anyone, None, "_"), [""; 0]);
        let listing =
            forge.store.children(&anyone, None, "", Page { offset: 3, limit: 1 }).expect("a listing");
        assert_eq!((listing.total, listing.entries.len()), (5, 1));
        let past =
            forge.store.children(&anyone, None, "", Page { offset: u32::MAX, limit: 9 }).expect("a listing");
        assert_eq!((past.total, past.entries.len()), (5, 0));
        for (parent, filter, limit, expected) in [
            (None, "", 0, "invalid limit"),
            (None, "", 1_001, "invalid limit"),
            (None, &*"a".repeat(401), 9, "invalid filter"),
            (Some("zoo"), "", 9, "not-found"),
            (Some("nothing"), "", 9, "not-found"),
            (Some("_1"), "", 9, "not-found"),
        ] {
            let listing = forge.store.children(&anyone, parent, filter, Page { offset: 0, limit });
            assert_eq!(outcome(listing), expected, "{parent:?} {filter:.9} {limit}");
        }
    }
}
