//! Objects kept in memory for the deltas that are based on them.

use lru::LruCache;
use std::rc::Rc;

/// Keeps what was used last, up to a number of bytes.
pub(super) struct Bases {
    kept: LruCache<u32, Rc<Vec<u8>>>,
    bytes: usize,
    bytes_max: usize,
}

/// What one kept object takes besides its data, about, in bytes.
const OVERHEAD_BYTES: usize = 128;

impl Bases {
    pub fn new(bytes_max: usize) -> Self {
        Self { kept: LruCache::unbounded(), bytes: 0, bytes_max }
    }

    pub fn get(&mut self, index: u32) -> Option<Rc<Vec<u8>>> {
        self.kept.get(&index).cloned()
    }

    /// Keeps an object, unless it alone would push out most others.
    pub fn put(&mut self, index: u32, data: Rc<Vec<u8>>) {
        let cost = data.capacity() + OVERHEAD_BYTES;
        if cost > self.bytes_max / 4 {
            return;
        }
        self.bytes += cost;
        if let Some(replaced) = self.kept.put(index, data) {
            self.bytes -= replaced.capacity() + OVERHEAD_BYTES;
        }
        while self.bytes > self.bytes_max {
            let Some((_, removed)) = self.kept.pop_lru() else {
                return;
            };
            self.bytes -= removed.capacity() + OVERHEAD_BYTES;
        }
    }
}
