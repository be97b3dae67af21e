//! Locks on files of a repository.

use crate::access;
use crate::bindings::exports::lithe::forge::locks::{Attempt, Lock, LockFilter, LockList};
use crate::failure::{conflict, forbidden, invalid};
use crate::identity::{self, Principal};
use crate::journal;
use crate::limits::{LOCK_PATH_BYTES_MAX, LOCKS_MAX};
use crate::places::RepositoryRow;
use crate::store::{Call, Store, check_page, check_text, row_id};
use crate::types::{Error, Page, Permission};
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

const COLUMNS: &str = "locks.id, locks.path, locks.locked_at, users.name, locks.user_id = :user";

impl Store {
    pub fn take_lock(&mut self, call: &Call, path: &str, file: &str) -> Result<Attempt, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (row, _) = require(connection, &principal, path, Permission::Write)?;
            if principal.id == 0 {
                return Err(forbidden("a lock belongs to a user"));
            }
            check_text("path", file, LOCK_PATH_BYTES_MAX)?;
            if file.is_empty() {
                return Err(invalid("path", "say which file"));
            }
            if let Some(lock) = by_path(connection, &principal, row.id, file)? {
                return Ok(Attempt { lock, is_new: false });
            }
            check_number(connection, row.id, LOCKS_MAX)?;
            connection
                .prepare_cached(
                    "INSERT INTO locks (repository_id, path, user_id, locked_at) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((row.id, file, principal.id, call.now))?;
            let lock = by_id(connection, &principal, row.id, connection.last_insert_rowid())?;
            Ok(Attempt { lock: lock.expect("it was just entered"), is_new: true })
        })
    }

    pub fn locks(
        &mut self,
        call: &Call,
        path: &str,
        filter: &LockFilter,
        after: u64,
        limit: u32,
    ) -> Result<LockList, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (row, _) = require(connection, &principal, path, Permission::Read)?;
            let (_, limit) = check_page(Page { offset: 0, limit })?;
            let mut locks = match filter {
                LockFilter { id: Some(id), path } => {
                    let lock = by_id(connection, &principal, row.id, row_id(*id).unwrap_or(0))?;
                    let is_meant = |lock: &Lock| path.as_ref().is_none_or(|path| *path == lock.path);
                    lock.into_iter().filter(|lock| is_meant(lock) && lock.id > after).collect()
                }
                LockFilter { id: None, path: Some(path) } => {
                    let lock = by_path(connection, &principal, row.id, path)?;
                    lock.into_iter().filter(|lock| lock.id > after).collect()
                }
                LockFilter { id: None, path: None } => {
                    following(connection, &principal, row.id, after, limit + 1)?
                }
            };
            let is_cut = locks.len() > limit as usize;
            locks.truncate(limit as usize);
            Ok(LockList { next: locks.last().filter(|_| is_cut).map(|lock| lock.id), locks })
        })
    }

    pub fn release_lock(&mut self, call: &Call, path: &str, id: u64, force: bool) -> Result<Lock, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (row, permission) = require(connection, &principal, path, Permission::Write)?;
            let lock = by_id(connection, &principal, row.id, row_id(id)?)?.ok_or(Error::NotFound)?;
            if !lock.is_own {
                check_may_break(&lock, permission, force)?;
                let details = format!("{}, locked by {}", lock.path, lock.owner);
                journal::enter(connection, &principal, call, "lock.break", &row.wire.path, &details)?;
            }
            connection.prepare_cached("DELETE FROM locks WHERE id = ?1")?.execute([lock.id.cast_signed()])?;
            Ok(lock)
        })
    }
}

/// Whether somebody with that permission may give back another's lock.
fn check_may_break(lock: &Lock, permission: Permission, force: bool) -> Result<(), Error> {
    match (permission, force) {
        (Permission::Admin, true) => Ok(()),
        (Permission::Admin, false) => {
            Err(forbidden(&format!("the lock is held by {}; force it to break it", lock.owner)))
        }
        _ => Err(forbidden(&format!(
            "the lock is held by {}; only who may administer the repository can break it",
            lock.owner
        ))),
    }
}

fn require(
    connection: &Connection,
    principal: &Principal,
    path: &str,
    needed: Permission,
) -> Result<(RepositoryRow, Permission), Error> {
    let (found, permission) = access::require(connection, principal, path, needed)?;
    Ok((found.place.repository()?, permission))
}

fn check_number(connection: &Connection, repository_id: i64, locks_max: u32) -> Result<(), Error> {
    let count: u32 = connection
        .prepare_cached("SELECT count(*) FROM locks WHERE repository_id = ?1")?
        .query_row([repository_id], |row| row.get(0))?;
    match count < locks_max {
        true => Ok(()),
        false => Err(conflict(format!("a repository has at most {locks_max} locks"))),
    }
}

fn by_id(
    connection: &Connection,
    principal: &Principal,
    repository_id: i64,
    id: i64,
) -> Result<Option<Lock>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM locks JOIN users ON users.id = locks.user_id
         WHERE locks.id = :id AND locks.repository_id = :repository"
    );
    let params = named_params! { ":user": principal.id, ":repository": repository_id, ":id": id };
    Ok(connection.prepare_cached(&sql)?.query_row(params, read).optional()?)
}

fn by_path(
    connection: &Connection,
    principal: &Principal,
    repository_id: i64,
    path: &str,
) -> Result<Option<Lock>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM locks JOIN users ON users.id = locks.user_id
         WHERE locks.repository_id = :repository AND locks.path = :path"
    );
    let params = named_params! { ":user": principal.id, ":repository": repository_id, ":path": path };
    Ok(connection.prepare_cached(&sql)?.query_row(params, read).optional()?)
}

fn following(
    connection: &Connection,
    principal: &Principal,
    repository_id: i64,
    after: u64,
    limit: u32,
) -> Result<Vec<Lock>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM locks CROSS JOIN users ON users.id = locks.user_id
         WHERE locks.repository_id = :repository AND locks.id > :after ORDER BY locks.id LIMIT :limit"
    );
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let params = named_params! {
        ":user": principal.id, ":repository": repository_id, ":after": after, ":limit": limit
    };
    let mut statement = connection.prepare_cached(&sql)?;
    let locks = statement.query_map(params, read)?;
    Ok(locks.collect::<Result<_, _>>()?)
}

fn read(row: &Row) -> rusqlite::Result<Lock> {
    Ok(Lock {
        id: row.get::<_, i64>(0)?.unsigned_abs(),
        path: row.get(1)?,
        locked_at: row.get(2)?,
        owner: row.get(3)?,
        is_own: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Forge, NOW, outcome, user};

    const ALL: LockFilter = LockFilter { id: None, path: None };

    /// A repository `demo` that anna and bert write to and cara administers.
    fn forge() -> Forge {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.repository(&root, "hidden", true);
        forge.grant("demo", user("anna"), Permission::Write);
        forge.grant("demo", user("bert"), Permission::Write);
        forge.grant("demo", user("cara"), Permission::Admin);
        forge
    }

    fn paths(list: &LockList) -> Vec<&str> {
        list.locks.iter().map(|lock| lock.path.as_str()).collect()
    }

    #[test]
    fn one_gets_the_lock() {
        let mut forge = forge();
        let (anna, bert) = (forge.session("anna"), forge.session("bert"));
        let taken = forge.store.take_lock(&anna, "demo", "a b/ü.psd").expect("a lock");
        let lock =
            Lock { id: 1, path: "a b/ü.psd".into(), locked_at: NOW, owner: "anna".into(), is_own: true };
        assert_eq!(taken, Attempt { lock: lock.clone(), is_new: true });
        let again = forge.store.take_lock(&anna, "demo", "a b/ü.psd").expect("an answer");
        assert_eq!(again, Attempt { lock: lock.clone(), is_new: false }, "not even its holder gets it twice");
        let others = forge.store.take_lock(&bert, "demo", "a b/ü.psd").expect("an answer");
        assert_eq!(others, Attempt { lock: Lock { is_own: false, ..lock }, is_new: false });
        let other_case = forge.store.take_lock(&bert, "demo", "a b/Ü.psd").expect("a lock");
        assert!(other_case.is_new);
    }

    #[test]
    fn who_may_do_what() {
        let mut forge = forge();
        let anna = forge.session("anna");
        let operator = crate::types::Credentials::Bearer(forge.store.operator_token());
        let calls = [
            forge.anonymous(),
            forge.session("anna"),
            forge.token("anna", Permission::Read),
            forge.token("anna", Permission::Write),
            forge.call(operator),
        ];
        let table = calls.each_ref().map(|call| {
            let store = &mut forge.store;
            store.take_lock(&anna, "demo", "own").expect("a lock");
            let id = store.locks(&anna, "demo", &ALL, 0, 9).expect("locks").locks[0].id;
            [
                outcome(store.take_lock(call, "demo", "own")),
                outcome(store.locks(call, "demo", &ALL, 0, 9)),
                outcome(store.release_lock(call, "demo", id, false)),
                outcome(store.take_lock(call, "hidden", "file")),
                outcome(store.locks(call, "hidden", &ALL, 0, 9)),
            ]
            .join(" ")
        });
        assert_eq!(
            table,
            [
                "unauthenticated ok unauthenticated not-found not-found",
                "ok ok ok not-found not-found",
                "forbidden ok forbidden not-found not-found",
                "ok ok ok not-found not-found",
                "forbidden ok forbidden forbidden ok",
            ]
        );
    }

    #[test]
    fn anothers_lock_is_broken_by_force_and_by_administrators() {
        let mut forge = forge();
        let anna = forge.session("anna");
        let id = forge.store.take_lock(&anna, "demo", "file").expect("a lock").lock.id;
        let (bert, cara) = (forge.session("bert"), forge.session("cara"));
        let mut release = |call: &Call, force| outcome(forge.store.release_lock(call, "demo", id, force));
        assert_eq!(release(&bert, false), "forbidden");
        assert_eq!(release(&bert, true), "forbidden");
        assert_eq!(release(&cara, false), "forbidden");
        assert_eq!(release(&cara, true), "ok");
        assert_eq!(release(&cara, true), "not-found");
        let details: String =
            forge.value("SELECT actor || ': ' || details FROM journal WHERE action = 'lock.break'");
        assert_eq!(details, "cara: file, locked by anna");
    }

    #[test]
    fn locks_of_one_repository_are_not_anothers() {
        let mut forge = forge();
        let root = forge.session("root");
        let id = forge.store.take_lock(&root, "hidden", "file").expect("a lock").lock.id;
        let anna = forge.session("anna");
        assert_eq!(outcome(forge.store.release_lock(&anna, "demo", id, true)), "not-found");
        let found = forge.store.locks(&anna, "demo", &LockFilter { id: Some(id), path: None }, 0, 9);
        assert_eq!(found.expect("a list").locks, []);
    }

    #[test]
    fn locks_are_listed_page_by_page_and_found() {
        let mut forge = forge();
        let anna = forge.session("anna");
        for file in ["c", "a", "b"] {
            forge.store.take_lock(&anna, "demo", file).expect("a lock");
        }
        let mut list = |filter: &LockFilter, after, limit| {
            forge.store.locks(&anna, "demo", filter, after, limit).expect("a list")
        };
        let first = list(&ALL, 0, 2);
        assert_eq!((paths(&first), first.next), (vec!["c", "a"], Some(2)));
        let second = list(&ALL, 2, 2);
        assert_eq!((paths(&second), second.next), (vec!["b"], None));
        let whole = list(&ALL, 0, 3);
        assert_eq!((whole.locks.len(), whole.next), (3, None));
        assert_eq!(paths(&list(&ALL, u64::MAX, 3)), [""; 0]);
        let find = |id: Option<u64>, path: Option<&str>| LockFilter { id, path: path.map(Into::into) };
        for (filter, expected) in [
            (find(None, Some("a")), vec!["a"]),
            (find(None, Some("A")), vec![]),
            (find(Some(3), None), vec!["b"]),
            (find(Some(3), Some("b")), vec!["b"]),
            (find(Some(3), Some("a")), vec![]),
            (find(Some(u64::MAX), None), vec![]),
        ] {
            assert_eq!(paths(&list(&filter, 0, 9)), expected, "{filter:?}");
        }
    }

    #[test]
    fn paths_pages_and_numbers_have_limits() {
        let mut forge = forge();
        let anna = forge.session("anna");
        for (file, expected) in [
            ("a".repeat(LOCK_PATH_BYTES_MAX), "ok"),
            ("a".repeat(LOCK_PATH_BYTES_MAX + 1), "invalid path"),
            (String::new(), "invalid path"),
            ("a\nb".into(), "invalid path"),
            ("a\0".into(), "invalid path"),
        ] {
            assert_eq!(outcome(forge.store.take_lock(&anna, "demo", &file)), expected);
        }
        for (limit, expected) in [(0, "invalid limit"), (1, "ok"), (1_000, "ok"), (1_001, "invalid limit")] {
            assert_eq!(outcome(forge.store.locks(&anna, "demo", &ALL, 0, limit)), expected, "{limit}");
        }
        let mut number = |locks_max| {
            outcome(forge.store.transact(NOW, |connection, _| check_number(connection, 1, locks_max)))
        };
        assert_eq!((number(2), number(1)), ("ok".into(), "conflict".into()));
    }

    #[test]
    fn locks_stay_with_a_deleted_repository_and_go_with_a_purged_one() {
        let mut forge = forge();
        let root = forge.session("root");
        let id = forge.store.open_place(&root, "demo").map(|opened| match opened.place {
            crate::bindings::exports::lithe::forge::access::Place::Repository(repository) => repository.id,
            _ => unreachable!("it is a repository"),
        });
        let id = id.expect("it is there");
        forge.store.take_lock(&root, "demo", "file").expect("a lock");
        forge.store.delete_repository(&root, "demo").expect("deleted");
        forge.store.restore(&root, id).expect("restored");
        assert_eq!(forge.value::<i64>("SELECT count(*) FROM locks"), 1);
        forge.store.delete_repository(&root, "demo").expect("deleted");
        forge.store.purge(&root, id).expect("purged");
        assert_eq!(forge.value::<i64>("SELECT count(*) FROM locks"), 0);
    }
}
