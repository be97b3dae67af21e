//! The locking API (Git LFS, docs/api/locking.md). The store holds the locks: taking one is one
//! transaction of its, so that of several clients at once, whichever instances answer them, one gets
//! it; and whose a lock is, is the store's own word.

use crate::answer::{self, Answer};
use crate::json;
use crate::limits::{LOCKS_DEFAULT, LOCKS_MAX};
use crate::refusal::{self, Refusal};
use crate::visit::Visit;
use http::StatusCode;
use lithe_forge::locks::{self, Lock, LockFilter};
use lithe_forge::types::{Error, Permission};
use lithe_web::Fields;
use lithe_web::time::Time;
use serde::{Deserialize, Serialize};

/// A lock, as the API writes it.
#[derive(Debug, Serialize)]
struct LockAnswer {
    id: String,
    path: String,
    /// RFC 3339.
    locked_at: String,
    owner: Owner,
}

#[derive(Debug, Serialize)]
struct Owner {
    name: String,
}

/// One lock, with words where it was in the way.
#[derive(Debug, Serialize)]
struct OneLock {
    lock: LockAnswer,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Debug, Serialize)]
struct Locks {
    locks: Vec<LockAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Locks by whether they are the requester's.
#[derive(Debug, Serialize)]
struct SortedLocks {
    ours: Vec<LockAnswer>,
    theirs: Vec<LockAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Of the `ref` in any of these nothing depends here, so it is passed over.
#[derive(Debug, Deserialize)]
struct TakeRequest {
    path: String,
}

#[derive(Debug, Default, Deserialize)]
struct VerifyRequest {
    cursor: Option<String>,
    limit: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
struct ReleaseRequest {
    #[serde(default)]
    force: Option<bool>,
}

/// Which part of a longer list is wanted.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    /// The number of the last lock before it.
    after: u64,
    limit: u32,
}

/// Takes a lock.
pub fn take(visit: &Visit, body: &[u8]) -> Result<Answer, Refusal> {
    visit.repository.require(Permission::Write)?;
    let request: TakeRequest = json::read(body)?;
    let attempt = visit
        .requester
        .call(|credentials, client| locks::take(credentials, client, &visit.permanent_path(), &request.path));
    let attempt = match attempt {
        Err(Error::Conflict(words)) => return Err(Refusal::NoRoom(refusal::sentence(&words))),
        attempt => attempt.map_err(|error| visit.refusal(error))?,
    };
    if attempt.is_new {
        let taken = OneLock { lock: attempt.lock.into(), message: None };
        return Ok(answer::json(StatusCode::CREATED, &taken));
    }
    let message = match attempt.lock.is_own {
        true => "You have locked this file already.".to_owned(),
        false => format!("{} has locked this file.", attempt.lock.owner),
    };
    let in_the_way = OneLock { lock: attempt.lock.into(), message: Some(message) };
    Ok(answer::json(StatusCode::CONFLICT, &in_the_way))
}

/// Lists locks, or finds one, by the parameters of a query.
pub fn list(visit: &Visit, query: &str) -> Result<Answer, Refusal> {
    let query =
        Fields::parse(query.as_bytes()).map_err(|_| Refusal::Invalid("the query is malformed".to_owned()))?;
    let given = |name: &str| Some(query.get(name).to_owned()).filter(|value| !value.is_empty());
    let limit = given("limit").map(|limit| limit.parse()).transpose();
    let limit = limit.map_err(|_| Refusal::Invalid("`limit` is no number".to_owned()))?;
    let part = Part::new(given("cursor").as_deref(), limit)?;
    // A number that no lock has is not an error: there is no such lock.
    let id = given("id").map(|id| id.parse().unwrap_or(0));
    let found = fetch(visit, &LockFilter { id, path: given("path") }, &part)?;
    let locks = found.locks.into_iter().map(LockAnswer::from).collect();
    Ok(answer::json(StatusCode::OK, &Locks { locks, next_cursor: found.next.map(|next| next.to_string()) }))
}

/// Lists locks for whoever is about to push: theirs, and those that are in the way.
pub fn verify(visit: &Visit, body: &[u8]) -> Result<Answer, Refusal> {
    visit.repository.require(Permission::Write)?;
    let request: VerifyRequest = if body.is_empty() { VerifyRequest::default() } else { json::read(body)? };
    let part = Part::new(request.cursor.as_deref().filter(|cursor| !cursor.is_empty()), request.limit)?;
    let found = fetch(visit, &LockFilter { id: None, path: None }, &part)?;
    let (ours, theirs): (Vec<_>, Vec<_>) = found.locks.into_iter().partition(|lock| lock.is_own);
    let answers = |locks: Vec<Lock>| locks.into_iter().map(LockAnswer::from).collect();
    let sorted = SortedLocks {
        ours: answers(ours),
        theirs: answers(theirs),
        next_cursor: found.next.map(|next| next.to_string()),
    };
    Ok(answer::json(StatusCode::OK, &sorted))
}

/// Gives a lock back.
pub fn release(visit: &Visit, id: Option<u64>, body: &[u8]) -> Result<Answer, Refusal> {
    visit.repository.require(Permission::Write)?;
    let request: ReleaseRequest = if body.is_empty() { ReleaseRequest::default() } else { json::read(body)? };
    let missing = Refusal::Missing("lock");
    let Some(id) = id else { return Err(missing) };
    let force = request.force.unwrap_or(false);
    let released = visit
        .requester
        .call(|credentials, client| locks::release(credentials, client, &visit.permanent_path(), id, force));
    match released {
        Ok(lock) => Ok(answer::json(StatusCode::OK, &OneLock { lock: lock.into(), message: None })),
        Err(Error::NotFound) => Err(missing),
        Err(error) => Err(visit.refusal(error)),
    }
}

fn fetch(visit: &Visit, filter: &LockFilter, part: &Part) -> Result<locks::LockList, Refusal> {
    visit
        .requester
        .call(|credentials, client| {
            locks::list(credentials, client, &visit.permanent_path(), filter, part.after, part.limit)
        })
        .map_err(|error| visit.refusal(error))
}

impl Part {
    /// A cursor is the number of the last lock before. More than there can be in one answer is as
    /// much as there can be.
    fn new(cursor: Option<&str>, limit: Option<i64>) -> Result<Self, Refusal> {
        let after = cursor.map(str::parse).transpose();
        let after = after.map_err(|_| Refusal::Invalid("the cursor is none of this server".to_owned()))?;
        let limit = match limit {
            None | Some(0) => LOCKS_DEFAULT,
            Some(limit) => u32::try_from(limit.clamp(1, i64::from(LOCKS_MAX))).expect("it is clamped"),
        };
        Ok(Self { after: after.unwrap_or(0), limit })
    }
}

impl From<Lock> for LockAnswer {
    fn from(lock: Lock) -> Self {
        let locked_at = Time::new(lock.locked_at, lock.locked_at).datetime();
        Self { id: lock.id.to_string(), path: lock.path, locked_at, owner: Owner { name: lock.owner } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lock_is_written_as_the_api_says() {
        let lock = Lock {
            id: 7,
            path: "a/b.psd".into(),
            locked_at: 1_463_500_146,
            owner: "ann".into(),
            is_own: true,
        };
        let one = OneLock { lock: lock.into(), message: None };
        let expected = json!({
            "lock": {"id": "7", "path": "a/b.psd", "locked_at": "2016-05-17T15:49:06Z", "owner": {"name": "ann"}},
        });
        assert_eq!(serde_json::to_value(one).expect("JSON"), expected);
        let none = Locks { locks: Vec::new(), next_cursor: None };
        assert_eq!(
            serde_json::to_value(none).expect("JSON"),
            json!({"locks": []}),
            "an empty list, not none"
        );
    }

    #[test]
    fn parts_have_limits() {
        let part = |cursor, limit| Part::new(cursor, limit);
        let ok = |after, limit| Ok(Part { after, limit });
        assert_eq!(part(None, None), ok(0, LOCKS_DEFAULT));
        assert_eq!(part(Some("7"), Some(1)), ok(7, 1));
        assert_eq!(part(None, Some(1_000)), ok(0, LOCKS_MAX));
        assert_eq!(part(None, Some(1_001)), ok(0, LOCKS_MAX));
        assert_eq!(part(None, Some(-5)), ok(0, 1));
        for cursor in ["x", "-1", "1.5", "99999999999999999999999"] {
            assert!(matches!(part(Some(cursor), None), Err(Refusal::Invalid(_))), "{cursor}");
        }
    }
}
