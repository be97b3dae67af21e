//! Challenges that were answered with a wrong password. Each stands for one attempt: whoever
//! carries it could otherwise answer it again and again, past the throttle.

use crate::limits::{SEALED_SECONDS_MAX, SPENT_MAX};
use crate::types::Timestamp;
use std::collections::HashMap;

/// What a challenge and its proofs are known by.
pub type Serial = [u8; 16];

/// The spent challenges that are not too old to count anyway.
#[derive(Default)]
pub struct Spent(HashMap<Serial, Timestamp>);

impl Spent {
    /// Notes that a challenge was answered with a wrong password.
    pub fn add(&mut self, serial: Serial, now: Timestamp) {
        if self.0.len() >= SPENT_MAX {
            self.0.retain(|_, at| (0..=SEALED_SECONDS_MAX).contains(&now.saturating_sub(*at)));
        }
        if self.0.len() < SPENT_MAX {
            self.0.insert(serial, now);
        }
    }

    /// Whether a challenge was answered with a wrong password before.
    pub fn contains(&self, serial: &Serial) -> bool {
        self.0.contains_key(serial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let mut spent = Spent::default();
        let serial = |n: usize| (n as u128).to_le_bytes();
        (0..SPENT_MAX + 10).for_each(|n| spent.add(serial(n), 100));
        assert_eq!(spent.0.len(), SPENT_MAX);
        assert!(spent.contains(&serial(0)) && !spent.contains(&serial(SPENT_MAX)));
        spent.add(serial(SPENT_MAX), 100 + SEALED_SECONDS_MAX + 1);
        assert_eq!(spent.0.len(), 1, "those that are too old are forgotten");
    }
}
