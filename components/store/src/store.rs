//! The open store: the database, and what is kept in memory beside it.

use crate::answers::{Answer, Answers, Question};
use crate::database::{Database, Sharing};
use crate::failed_sign_ins::FailedSignIns;
use crate::failure::invalid;
use crate::limits::{ADDRESS_BYTES_MAX, FILTER_BYTES_MAX, PAGE_ENTRIES_MAX, USER_AGENT_BYTES_MAX};
use crate::operator::Operator;
use crate::remembered::Remembered;
use crate::sealed::SealingKey;
use crate::spent::Spent;
use crate::throttle::Throttle;
use crate::types::{Client, Credentials, Error, Page, Timestamp};
use rusqlite::Connection;
use std::path::Path;
use std::rc::Rc;

/// The open store. Each call of an interface is one method, and one transaction.
pub struct Store {
    database: Database,
    memory: Memory,
    answers: Answers,
}

/// What lasts as long as the store is open.
pub struct Memory {
    pub key: Rc<SealingKey>,
    /// For the secrets of forms, which must outlast the instance.
    pub csrf_key: [u8; 32],
    pub throttle: Throttle,
    pub spent: Spent,
    pub remembered: Remembered,
    pub operator: Operator,
    /// Written down after the transaction that noticed it.
    pub unwritten_use: Option<Use>,
    /// Likewise.
    pub failed_sign_ins: FailedSignIns,
}

/// A session or access token that was used, by its row.
pub enum Use {
    Session(i64),
    Token(i64),
}

/// Who calls, from where and when.
pub struct Call {
    pub credentials: Credentials,
    pub client: Client,
    pub now: Timestamp,
}

impl Use {
    fn write(self, connection: &Connection, now: Timestamp) -> Result<(), Error> {
        let (sql, id) = match self {
            Self::Session(id) => ("UPDATE sessions SET last_used = ?1 WHERE id = ?2", id),
            Self::Token(id) => ("UPDATE tokens SET last_used = ?1 WHERE id = ?2", id),
        };
        connection.prepare_cached(sql)?.execute((now, id))?;
        Ok(())
    }
}

impl Call {
    /// Takes the client's own words only up to their limits.
    pub fn new(credentials: Credentials, client: Client, now: Timestamp) -> Self {
        let client = Client {
            address: cut(&client.address, ADDRESS_BYTES_MAX).to_owned(),
            user_agent: cut(&client.user_agent, USER_AGENT_BYTES_MAX).to_owned(),
        };
        Self { credentials, client, now }
    }
}

impl Store {
    /// Opens the store whose database lies in `directory`.
    pub fn open(directory: &Path, sharing: Sharing, key: Rc<SealingKey>) -> Result<Self, Error> {
        Ok(Self::new(Database::open(directory, sharing)?, key))
    }

    pub fn new(database: Database, key: Rc<SealingKey>) -> Self {
        let memory = Memory {
            csrf_key: key.derived("csrf"),
            key,
            throttle: Throttle::new(),
            spent: Spent::default(),
            remembered: Remembered::new(),
            operator: Operator::new(),
            unwritten_use: None,
            failed_sign_ins: FailedSignIns::default(),
        };
        Self { database, memory, answers: Answers::default() }
    }

    /// Runs `work` in one transaction: everything it changes in the database is kept if it
    /// succeeds, nothing if it fails.
    pub fn transact<T>(
        &mut self,
        now: Timestamp,
        work: impl FnOnce(&Connection, &mut Memory) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Self { database, memory, .. } = self;
        let result = database.transact(|connection| work(connection, memory));
        if let Some(used) = memory.unwritten_use.take() {
            // In a transaction of its own, and no loss if it fails: pages can still be read when
            // the disk is full.
            let _ = database.transact(|connection| used.write(connection, now));
        }
        if let Some(failed) = memory.failed_sign_ins.take() {
            // The transaction that it failed in is undone.
            let _ = database.transact(|connection| failed.enter(connection));
        }
        result
    }

    /// Answers by what was answered to strangers before, if a stranger asks and that still counts; else by `work`.
    pub fn answer(
        &mut self,
        call: &Call,
        question: impl FnOnce() -> Question,
        work: impl FnOnce(&mut Self) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let Some(changes) = self.database.changes().filter(|_| call.credentials == Credentials::Anonymous)
        else {
            return work(self);
        };
        let question = question();
        if let Some(answer) = self.answers.find(&question, changes) {
            return Ok(answer);
        }
        let answer = match work(self) {
            Err(Error::NotFound) => Answer::NotFound,
            answer => answer?,
        };
        // Nothing that a stranger asks for changes anything; if it did, this would be an answer of before.
        self.answers.keep(question, answer.clone(), changes);
        Ok(answer)
    }

    #[cfg(test)]
    pub fn database(&mut self) -> &mut Database {
        &mut self.database
    }

    /// What is kept in memory.
    pub fn memory(&mut self) -> &mut Memory {
        &mut self.memory
    }
}

/// The beginning of a text, of at most `bytes_max` bytes.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// Checks a text for the field `name`: not too long, and nothing that a line of text does not hold.
pub fn check_text(name: &str, text: &str, bytes_max: usize) -> Result<(), Error> {
    if text.len() > bytes_max {
        return Err(invalid(name, format!("it has at most {bytes_max} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(name, "it is one line, without control characters"));
    }
    Ok(())
}

/// Checks a page, and returns its offset and limit.
pub fn check_page(page: Page) -> Result<(u32, u32), Error> {
    if page.limit == 0 || page.limit > PAGE_ENTRIES_MAX {
        return Err(invalid("limit", format!("a page has 1 to {PAGE_ENTRIES_MAX} entries")));
    }
    Ok((page.offset, page.limit))
}

/// A filter as a pattern for `LIKE … ESCAPE '\'` that finds it anywhere.
pub fn pattern(filter: &str) -> Result<String, Error> {
    if filter.len() > FILTER_BYTES_MAX {
        return Err(invalid("filter", format!("it has at most {FILTER_BYTES_MAX} bytes")));
    }
    let mut pattern = String::from("%");
    for character in filter.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    Ok(pattern)
}

/// A number of the interfaces as one of the database's; none is that large there.
pub fn row_id(id: u64) -> Result<i64, Error> {
    i64::try_from(id).map_err(|_| Error::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::exports::lithe::forge::locks::LockFilter;
    use crate::testing::{Forge, new_repository, plans, user};
    use crate::types::Permission;

    /// Tables that grow with use.
    const LARGE: &[&str] = &[
        "users",
        "emails",
        "sessions",
        "tokens",
        "known_addresses",
        "user_groups",
        "user_group_members",
        "groups",
        "group_ancestors",
        "repositories",
        "paths",
        "grants",
        "journal",
        "locks",
        "push_checks",
        "ref_rules",
        "ref_rule_users",
        "signing_keys",
        "signing_key_names",
    ];

    /// The plans that read a large table from one end to the other.
    fn scans(forge: &mut Forge, work: impl FnOnce(&mut Forge)) -> Vec<String> {
        let reads_all = |line: &String| {
            line.strip_prefix("SCAN ")
                .is_some_and(|rest| LARGE.contains(&rest.split(' ').next().unwrap_or_default()))
        };
        let plans = plans(forge, work);
        assert!(!plans.is_empty());
        plans
            .into_iter()
            .filter(|(_, plan)| plan.iter().any(reads_all))
            .map(|(sql, plan)| format!("{sql}: {plan:?}"))
            .collect()
    }

    #[test]
    fn no_page_and_no_push_reads_a_whole_table() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let id = forge.repository(&root, "team/demo", false).id;
        let gone = forge.repository(&root, "team/gone", false).id;
        forge.store.delete_repository(&root, "team/gone").expect("it is deleted");
        let calls = [forge.anonymous(), forge.session("anna"), forge.token("anna", Permission::Read), root];
        for call in &calls {
            let found = scans(&mut forge, |forge| {
                let store = &mut forge.store;
                let first = Page { offset: 0, limit: 50 };
                let _ = store.resolve(call);
                let _ = store.settings(call);
                for path in ["team/demo", "team", "missing", &format!("_{id}"), &format!("_{gone}")] {
                    let _ = store.open_place(call, path);
                }
                let _ = store.children(call, None, "", first);
                let _ = store.children(call, Some("team"), "", first);
                let _ = store.children(call, Some("team"), "filter", first);
                let _ = store.record_push(call, "team/demo", "");
                let _ = store.activity(call, None, 50);
                let _ = store.activity(call, Some(2), 50);
                let _ = store.quota(call, "team/demo");
                let _ = store.take_quota(call, "team/demo", 0);
                let _ = store.take_lock(call, "team/demo", "file");
                let none = LockFilter { id: None, path: None };
                let _ = store.locks(call, "team/demo", &none, 0, 50);
                let _ = store.release_lock(call, "team/demo", 1, true);
                let _ = store.check_new(call, &new_repository("team/new", false));
                let _ = store.grants(call, "team/demo");
                let _ = store.set_grant(call, "team/demo", &user("bert"), Permission::Read);
                let _ = store.push_rules_in_force(call, "team/demo");
                let _ = store.push_rules(call, "team/demo");
                let _ = store.known_addresses(call, "team/demo", &["anna@example.org".to_owned()]);
                let _ = store.find_signers(call, "team/demo", &["x".into()], &["x@y".into()]);
                let _ = store.signing_keys(call, "anna");
                let _ = store.deleted(call);
                let _ = store.user(call, "anna");
                let _ = store.sessions(call, "anna");
                let _ = store.tokens(call, "anna");
                let _ = store.journal(call, "", first);
                let _ = store.challenge(call, "anna");
                let _ = store.challenge(call, "anna@example.org");
            });
            assert_eq!(found, [""; 0]);
        }
        let sign_in = scans(&mut forge, |forge| {
            forge.sign_in("anna", "anna-password").expect("a session");
        });
        assert_eq!(sign_in, [""; 0]);
        let search = scans(&mut forge, |forge| {
            let _ = forge.store.children(&calls[0], None, "filter", Page { offset: 0, limit: 1 });
        });
        assert_eq!(search.len(), 1, "this notices them: a search over the whole site does");
    }

    #[test]
    fn texts_are_cut_at_characters() {
        for (text, bytes, expected) in
            [("abc", 2, "ab"), ("größe", 3, "gr"), ("größe", 4, "grö"), ("a", 9, "a"), ("", 0, "")]
        {
            assert_eq!(cut(text, bytes), expected);
        }
        let client = Client { address: "1".repeat(65), user_agent: "é".repeat(129) };
        let call = Call::new(Credentials::Anonymous, client, 0);
        assert_eq!((call.client.address.len(), call.client.user_agent.len()), (64, 256));
    }

    #[test]
    fn pages_have_limits() {
        for (limit, accepted) in [(0, false), (1, true), (1_000, true), (1_001, false), (u32::MAX, false)] {
            assert_eq!(check_page(Page { offset: 7, limit }).is_ok(), accepted, "{limit}");
        }
    }

    #[test]
    fn filters_are_found_as_they_are() {
        assert_eq!(pattern(r"50%_\"), Ok(r"%50\%\_\\%".into()));
        assert!(pattern(&"a".repeat(400)).is_ok());
        assert!(pattern(&"a".repeat(401)).is_err());
    }

    #[test]
    fn texts_are_one_line() {
        for (text, accepted) in [
            ("", true),
            ("grüße", true),
            ("12345678", true),
            ("123456789", false),
            ("a\nb", false),
            ("\0", false),
        ] {
            assert_eq!(check_text("title", text, 8).is_ok(), accepted, "{text:?}");
        }
    }
}
