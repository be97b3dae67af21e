//! How much room the large files of a repository may take, and how much they do.

use crate::access;
use crate::bindings::exports::lithe::forge::quotas::{OwnLimits, Quota};
use crate::failure::{conflict, invalid};
use crate::identity;
use crate::journal;
use crate::limits::LFS_MIB_MAX;
use crate::store::{Call, Store};
use crate::types::{Error, Permission};
use rusqlite::Connection;

/// Bytes of a MiB.
const MIB: u64 = 1 << 20;

impl Store {
    pub fn quota(&mut self, call: &Call, path: &str) -> Result<Quota, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::open(connection, &principal, path)?;
            quota(connection, found.place.repository()?.id)
        })
    }

    pub fn take_quota(&mut self, call: &Call, path: &str, bytes: u64) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Write)?;
            let row = found.place.repository()?;
            let quota = quota(connection, row.id)?;
            if bytes > quota.object_bytes_max {
                return Err(conflict(format!(
                    "a file has at most {} MiB here",
                    quota.object_bytes_max / MIB
                )));
            }
            let used = quota.used_bytes.saturating_add(bytes);
            if used > quota.repository_bytes_max {
                let mib_max = quota.repository_bytes_max / MIB;
                return Err(conflict(format!(
                    "all files of this repository together have at most {mib_max} MiB"
                )));
            }
            enter(connection, row.id, used)
        })
    }

    pub fn give_back_quota(&mut self, call: &Call, path: &str, bytes: u64) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Write)?;
            let row = found.place.repository()?;
            let used = quota(connection, row.id)?.used_bytes.saturating_sub(bytes);
            enter(connection, row.id, used)
        })
    }

    pub fn recount_quota(&mut self, call: &Call, path: &str, used: u64, counted: u64) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Admin)?;
            let row = found.place.repository()?;
            if quota(connection, row.id)?.used_bytes != used {
                return Err(conflict("files came or went meanwhile: count again"));
            }
            enter(connection, row.id, counted)
        })
    }

    pub fn set_quota_limits(&mut self, call: &Call, path: &str, limits: OwnLimits) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Admin)?;
            principal.require_site_admin()?;
            let row = found.place.repository()?;
            for (field, limit) in
                [("object-mib-max", limits.object_mib_max), ("repository-mib-max", limits.repository_mib_max)]
            {
                limit.map_or(Ok(()), |limit| check_mib(field, limit))?;
            }
            let old = quota(connection, row.id)?.limits;
            connection
                .prepare_cached(
                    "UPDATE repositories SET lfs_object_mib_max = ?1, lfs_repository_mib_max = ?2 WHERE id = ?3",
                )?
                .execute((limits.object_mib_max, limits.repository_mib_max, row.id))?;
            let details = difference(old, limits);
            journal::enter(connection, &principal, call, "repository.quota", &row.wire.path, &details)
        })
    }
}

/// Checks a limit of the site or of a repository.
pub fn check_mib(field: &str, mib: u32) -> Result<(), Error> {
    match (1..=LFS_MIB_MAX).contains(&mib) {
        true => Ok(()),
        false => Err(invalid(field, format!("1 to {LFS_MIB_MAX} MiB"))),
    }
}

fn quota(connection: &Connection, repository_id: i64) -> Result<Quota, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT repositories.lfs_object_mib_max, repositories.lfs_repository_mib_max, lfs_bytes,
                settings.lfs_object_mib_max, settings.lfs_repository_mib_max
         FROM settings CROSS JOIN repositories WHERE repositories.id = ?1 AND settings.id = 1",
    )?;
    Ok(statement.query_row([repository_id], |row| {
        let limits = OwnLimits { object_mib_max: row.get(0)?, repository_mib_max: row.get(1)? };
        let bytes = |own: Option<u32>, of_site: u32| u64::from(own.unwrap_or(of_site)) * MIB;
        Ok(Quota {
            object_bytes_max: bytes(limits.object_mib_max, row.get(3)?),
            repository_bytes_max: bytes(limits.repository_mib_max, row.get(4)?),
            used_bytes: row.get::<_, i64>(2)?.unsigned_abs(),
            limits,
        })
    })?)
}

fn enter(connection: &Connection, repository_id: i64, used: u64) -> Result<(), Error> {
    let used = i64::try_from(used).map_err(|_| invalid("bytes", "there are not so many"))?;
    connection
        .prepare_cached("UPDATE repositories SET lfs_bytes = ?1 WHERE id = ?2")?
        .execute((used, repository_id))?;
    Ok(())
}

/// What changed, in words.
fn difference(old: OwnLimits, new: OwnLimits) -> String {
    let words = |limit: Option<u32>| limit.map_or("the site's".to_owned(), |mib| format!("{mib} MiB"));
    let lines = [
        ("largest file", old.object_mib_max, new.object_mib_max),
        ("all files", old.repository_mib_max, new.repository_mib_max),
    ];
    let changed = lines.iter().filter(|(_, old, new)| old != new);
    let lines: Vec<_> =
        changed.map(|(name, old, new)| format!("{name}: {} → {}", words(*old), words(*new))).collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Forge, outcome, user};

    fn own(object: Option<u32>, repository: Option<u32>) -> OwnLimits {
        OwnLimits { object_mib_max: object, repository_mib_max: repository }
    }

    #[test]
    fn room_is_taken_up_to_the_limits() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.store.set_quota_limits(&root, "demo", own(Some(2), Some(3))).expect("limits");
        let mut take = |bytes: u64| outcome(forge.store.take_quota(&root, "demo", bytes));
        assert_eq!(take(2 * MIB + 1), "conflict", "past the largest file");
        assert_eq!(take(2 * MIB), "ok");
        assert_eq!(take(MIB + 1), "conflict", "past all files");
        assert_eq!(take(MIB), "ok");
        assert_eq!(take(1), "conflict");
        assert_eq!(take(u64::MAX), "conflict");
        forge.store.give_back_quota(&root, "demo", MIB).expect("room");
        assert_eq!(forge.store.quota(&root, "demo").expect("a quota").used_bytes, 2 * MIB);
        forge.store.give_back_quota(&root, "demo", u64::MAX).expect("room");
        assert_eq!(forge.store.quota(&root, "demo").expect("a quota").used_bytes, 0);
    }

    #[test]
    fn a_repository_has_the_sites_limits_or_its_own() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        let quota = forge.store.quota(&root, "demo").expect("a quota");
        let expected = Quota {
            object_bytes_max: 4096 * MIB,
            repository_bytes_max: 32_768 * MIB,
            used_bytes: 0,
            limits: own(None, None),
        };
        assert_eq!(quota, expected);
        forge.store.set_quota_limits(&root, "demo", own(None, Some(7))).expect("limits");
        let quota = forge.store.quota(&root, "demo").expect("a quota");
        assert_eq!((quota.object_bytes_max, quota.repository_bytes_max), (4096 * MIB, 7 * MIB));
        for (mib, expected) in [
            (0, "invalid object-mib-max"),
            (1, "ok"),
            (LFS_MIB_MAX, "ok"),
            (LFS_MIB_MAX + 1, "invalid object-mib-max"),
        ] {
            let set = forge.store.set_quota_limits(&root, "demo", own(Some(mib), None));
            assert_eq!(outcome(set), expected, "{mib}");
        }
        let details: String =
            forge.value("SELECT details FROM journal WHERE action = 'repository.quota' ORDER BY id LIMIT 1");
        assert_eq!(details, "all files: the site's → 7 MiB");
    }

    #[test]
    fn who_may_do_what() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.repository(&root, "hidden", true);
        forge.grant("demo", user("anna"), Permission::Write);
        forge.grant("demo", user("bert"), Permission::Admin);
        let calls = [
            forge.anonymous(),
            forge.session("cara"),
            forge.session("anna"),
            forge.token("anna", Permission::Read),
            forge.session("bert"),
            forge.session("root"),
        ];
        let table = calls.each_ref().map(|call| {
            let store = &mut forge.store;
            [
                outcome(store.quota(call, "demo")),
                outcome(store.take_quota(call, "demo", 0)),
                outcome(store.give_back_quota(call, "demo", 0)),
                outcome(store.recount_quota(call, "demo", 0, 0)),
                outcome(store.set_quota_limits(call, "demo", own(None, None))),
                outcome(store.quota(call, "hidden")),
            ]
            .join(" ")
        });
        assert_eq!(
            table,
            [
                "ok unauthenticated unauthenticated unauthenticated unauthenticated not-found",
                "ok forbidden forbidden forbidden forbidden not-found",
                "ok ok ok forbidden forbidden not-found",
                "ok forbidden forbidden forbidden forbidden not-found",
                "ok ok ok ok forbidden not-found",
                "ok ok ok ok ok ok",
            ]
        );
    }

    #[test]
    fn a_count_that_was_overtaken_is_refused() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.store.take_quota(&root, "demo", 5).expect("room");
        assert_eq!(outcome(forge.store.recount_quota(&root, "demo", 4, 9)), "conflict");
        assert_eq!(outcome(forge.store.recount_quota(&root, "demo", 5, 9)), "ok");
        assert_eq!(forge.store.quota(&root, "demo").expect("a quota").used_bytes, 9);
        assert_eq!(outcome(forge.store.recount_quota(&root, "demo", 9, u64::MAX)), "invalid bytes");
    }
}
