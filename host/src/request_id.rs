//! Names for requests, to find in the log what an answer speaks of.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes names that no two requests share, in this process or, in all likelihood, in others.
///
/// They are not secret and may be guessed.
pub struct RequestIds {
    seed: RandomState,
    count: AtomicU64,
}

impl RequestIds {
    pub fn new() -> Self {
        Self { seed: RandomState::new(), count: AtomicU64::new(0) }
    }

    /// The next name: 16 hexadecimal digits.
    pub fn next(&self) -> String {
        format!("{:016x}", self.seed.hash_one(self.count.fetch_add(1, Ordering::Relaxed)))
    }
}
