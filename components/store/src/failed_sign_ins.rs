//! Failed sign-ins on their way into the journal.
//!
//! A failure undoes the transaction that it happens in, so it is noted here and entered after it.
//! There are as many as strangers like, so the journal takes a number of them in an hour.

use crate::journal;
use crate::limits::FAILED_SIGN_INS_PER_HOUR_MAX;
use crate::store::Call;
use crate::types::{Error, Timestamp};
use crate::users;
use rusqlite::Connection;

const HOUR_SECONDS: i64 = 3_600;
const ACTION: &str = "user.sign-in-failed";

/// Counts failed sign-ins, and holds the one that is still to be entered.
#[derive(Default)]
pub struct FailedSignIns {
    unwritten: Option<FailedSignIn>,
    hour_began: Timestamp,
    in_this_hour: u32,
}

/// A sign-in that failed.
pub struct FailedSignIn {
    at: Timestamp,
    login: String,
    address: String,
    is_last_of_hour: bool,
}

impl FailedSignIns {
    /// Notes that somebody gave a wrong password for `login`, or that there is no such login.
    pub fn note(&mut self, login: &str, call: &Call) {
        // An hour from the future is left from before the clock was set back.
        if !(0..HOUR_SECONDS).contains(&call.now.saturating_sub(self.hour_began)) {
            (self.hour_began, self.in_this_hour) = (call.now, 0);
        }
        if self.in_this_hour >= FAILED_SIGN_INS_PER_HOUR_MAX {
            return;
        }
        self.in_this_hour += 1;
        self.unwritten = Some(FailedSignIn {
            at: call.now,
            login: login.to_owned(),
            address: call.client.address.clone(),
            is_last_of_hour: self.in_this_hour == FAILED_SIGN_INS_PER_HOUR_MAX,
        });
    }

    /// What is still to be entered.
    pub fn take(&mut self) -> Option<FailedSignIn> {
        self.unwritten.take()
    }
}

impl FailedSignIn {
    /// Enters it. A login that is nobody's is left out: it may be a password in the wrong field.
    pub fn enter(&self, connection: &Connection) -> Result<(), Error> {
        let name = users::by_login(connection, &self.login)?.map(|row| row.user.name);
        let more = if self.is_last_of_hour { "; more within this hour are not entered" } else { "" };
        let details = match name {
            Some(_) => format!("wrong password or not active{more}"),
            None => format!("there is no such user{more}"),
        };
        let name = name.unwrap_or_default();
        journal::write(connection, self.at, ["", &self.address, ACTION, &name, &details])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ADDRESS, Forge, outcome};
    use crate::types::{Credentials, Error, Page};

    /// The journal's newest failures, a line each.
    fn entered(forge: &mut Forge, limit: u32) -> Vec<String> {
        let root = forge.session("root");
        let page = Page { offset: 0, limit };
        let list = forge.store.journal(&root, ACTION, page).expect("entries").entries;
        list.iter().map(|e| format!("{}|{}|{}|{}", e.actor, e.address, e.subject, e.details)).collect()
    }

    #[test]
    fn failures_are_entered_without_what_was_typed() {
        let mut forge = Forge::new();
        forge.sql("UPDATE users SET is_active = 0 WHERE name = 'cara'");
        for login in ["ANNA", "bert@example.org", "cara", "my secret password"] {
            assert_eq!(outcome(forge.sign_in(login, "wrong-password")), "unauthenticated", "{login}");
        }
        forge.sign_in("anna", "anna-password").expect("a session");
        let (known, unknown) = ("wrong password or not active", "there is no such user");
        let expected = [
            format!("|{ADDRESS}||{unknown}"),
            format!("|{ADDRESS}|cara|{known}"),
            format!("|{ADDRESS}|bert|{known}"),
            format!("|{ADDRESS}|anna|{known}"),
        ];
        assert_eq!(entered(&mut forge, 10), expected);
    }

    #[test]
    fn wrong_passwords_of_git_clients_are_entered_too() {
        let mut forge = Forge::new();
        let call = forge.basic("anna", "wrong-password");
        let Err(Error::ProofRequired(challenge)) = forge.store.open_place(&call, "team/demo") else {
            panic!("a password has to be proven");
        };
        let proof = forge.prove(&challenge, "wrong-password");
        let call = forge.call(Credentials::Proof(proof));
        for _ in 0..3 {
            assert_eq!(outcome(forge.store.open_place(&call, "team/demo")), "unauthenticated");
        }
        assert_eq!(entered(&mut forge, 10).len(), 1, "once for each password");
    }

    #[test]
    fn an_hour_has_a_limited_number_of_entries() {
        let mut forge = Forge::new();
        let fail = |forge: &mut Forge| {
            let call = forge.anonymous();
            let now = forge.now;
            let fail = |_: &Connection, memory: &mut crate::store::Memory| {
                memory.failed_sign_ins.note("anna", &call);
                Err::<(), _>(Error::Unauthenticated)
            };
            assert_eq!(outcome(forge.store.transact(now, fail)), "unauthenticated");
        };
        for _ in 0..FAILED_SIGN_INS_PER_HOUR_MAX + 5 {
            fail(&mut forge);
        }
        let lines = entered(&mut forge, 1_000);
        assert_eq!(lines.len(), FAILED_SIGN_INS_PER_HOUR_MAX as usize);
        assert!(lines[0].ends_with("not entered") && !lines[1].ends_with("not entered"), "{lines:?}");
        forge.now += HOUR_SECONDS;
        fail(&mut forge);
        assert_eq!(entered(&mut forge, 1_000).len(), lines.len() + 1);
    }
}
