//! The linear memory that all instances have together.
//!
//! A component's `memory-mib-max` and `requests-max` bound it alone; this bounds their sum, so that
//! a crowd cannot have the system end the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much there is, and how much of it is in use.
pub struct Memory {
    used: AtomicUsize,
    bytes_max: usize,
}

/// A part of it, in use until it is dropped.
pub struct Part {
    memory: Arc<Memory>,
    bytes: usize,
    was_refused: bool,
}

impl Memory {
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), bytes_max })
    }

    /// Whether more than half is in use, so that none should lie idle.
    pub fn is_scarce(&self) -> bool {
        self.used() > self.bytes_max / 2
    }

    /// How much is in use, in bytes.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// A part of nothing, to grow.
    pub fn part(self: &Arc<Self>) -> Part {
        Part { memory: self.clone(), bytes: 0, was_refused: false }
    }
}

impl Part {
    /// Takes so much more, if there is.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let memory = &self.memory;
        let grown = memory.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(bytes).filter(|used| *used <= memory.bytes_max)
        });
        match grown {
            Ok(_) => self.bytes += bytes,
            Err(_) => self.was_refused = true,
        }
        grown.is_ok()
    }

    /// In bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether it ever was to grow and there was no memory left.
    pub fn was_refused(&self) -> bool {
        self.was_refused
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_share_what_there_is() {
        let memory = Memory::new(100);
        let (mut one, mut other) = (memory.part(), memory.part());
        assert!(one.grow(50) && !memory.is_scarce());
        assert!(other.grow(50) && memory.is_scarce());
        assert!(!one.grow(1) && one.was_refused() && !other.was_refused());
        assert!(!other.grow(usize::MAX));
        assert_eq!((one.bytes(), other.bytes(), memory.used()), (50, 50, 100));
        drop(one);
        assert!(!memory.is_scarce());
        assert!(other.grow(50) && !other.grow(1));
    }
}
