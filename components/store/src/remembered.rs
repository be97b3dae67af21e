//! Verified passwords, remembered for minutes: Git sends them with every request, and a check
//! costs tens of milliseconds.
//!
//! What is kept is a keyed hash under a key that exists only in this memory, and the version of
//! the user's credentials: whatever changes them makes what is remembered worthless at once.

use crate::limits::{REMEMBERED_MAX, REMEMBERED_SECONDS_MAX};
use crate::secret;
use crate::types::Timestamp;
use std::collections::{HashMap, VecDeque};

/// Whose password it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    pub user_id: i64,
    pub credentials_version: i64,
}

/// The remembered pairs of login and password.
pub struct Remembered {
    key: [u8; 32],
    pairs: HashMap<[u8; 32], (Verified, Timestamp)>,
    /// The hashes in the order in which they were added, with the time; the oldest goes first.
    order: VecDeque<([u8; 32], Timestamp)>,
}

impl Remembered {
    /// Nothing is remembered.
    pub fn new() -> Self {
        Self { key: secret::random(), pairs: HashMap::new(), order: VecDeque::new() }
    }

    /// Remembers a pair that was just verified.
    pub fn add(&mut self, login: &str, password: &str, verified: Verified, now: Timestamp) {
        while self.order.len() >= REMEMBERED_MAX {
            let (oldest, added) = self.order.pop_front().expect("it is not empty");
            // A pair that was added again stays, under its later time.
            if self.pairs.get(&oldest).is_some_and(|(_, at)| *at == added) {
                self.pairs.remove(&oldest);
            }
        }
        let hash = self.hash(login, password);
        self.pairs.insert(hash, (verified, now));
        self.order.push_back((hash, now));
    }

    /// Whose password it is, if the pair was verified within the last minutes.
    pub fn get(&self, login: &str, password: &str, now: Timestamp) -> Option<Verified> {
        let (verified, added) = self.pairs.get(&self.hash(login, password))?;
        let age = now.saturating_sub(*added);
        (0..=REMEMBERED_SECONDS_MAX).contains(&age).then_some(*verified)
    }

    fn hash(&self, login: &str, password: &str) -> [u8; 32] {
        secret::keyed_hash(&self.key, &[login.to_lowercase().as_bytes(), password.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = 1_000_000;
    const ANNA: Verified = Verified { user_id: 7, credentials_version: 1 };

    #[test]
    fn a_pair_is_remembered_for_minutes() {
        let mut remembered = Remembered::new();
        remembered.add("anna", "pass", ANNA, NOW);
        let cases = [
            ("anna", "pass", NOW + 600, Some(ANNA)),
            ("ANNA", "pass", NOW, Some(ANNA)),
            ("anna", "pass", NOW + 601, None),
            ("anna", "pass", NOW - 1, None),
            ("anna", "Pass", NOW, None),
            ("annap", "ass", NOW, None),
        ];
        for (login, password, at, expected) in cases {
            assert_eq!(remembered.get(login, password, at), expected, "{login} {password} {at}");
        }
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes() {
        let mut remembered = Remembered::new();
        remembered.add("first", "", ANNA, NOW);
        remembered.add("again", "", ANNA, NOW);
        for n in 0..REMEMBERED_MAX {
            if n == REMEMBERED_MAX - 3 {
                remembered.add("again", "", ANNA, NOW + 1);
            }
            remembered.add(&n.to_string(), "", ANNA, NOW);
            assert!(remembered.pairs.len() <= REMEMBERED_MAX && remembered.order.len() <= REMEMBERED_MAX);
        }
        assert_eq!(remembered.get("first", "", NOW), None);
        assert_eq!(remembered.get("again", "", NOW + 1), Some(ANNA));
    }
}
