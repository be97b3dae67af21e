//! A bounded cache of objects that deltas are based on.

use super::Object;
use lru::LruCache;

/// Objects by pack and offset, the least recently used of them dropped first.
pub struct Bases {
    objects: LruCache<(u32, u64), Object>,
    bytes: usize,
    bytes_max: usize,
}

impl Bases {
    pub fn new(bytes_max: usize) -> Self {
        Self { objects: LruCache::unbounded(), bytes: 0, bytes_max }
    }

    pub fn get(&mut self, pack: u32, offset: u64) -> Option<Object> {
        self.objects.get(&(pack, offset)).cloned()
    }

    pub fn put(&mut self, pack: u32, offset: u64, object: &Object) {
        let cost = cost(object);
        if cost > self.bytes_max / 4 {
            return;
        }
        if let Some(old) = self.objects.put((pack, offset), object.clone()) {
            self.bytes -= self::cost(&old);
        }
        self.bytes += cost;
        while self.bytes > self.bytes_max {
            let Some((_, old)) = self.objects.pop_lru() else { break };
            self.bytes -= self::cost(&old);
        }
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.objects.clear();
        self.bytes = 0;
    }
}

/// About what it takes to remember an object beside its contents, in bytes.
pub const OBJECT_BYTES: usize = 128;

/// The bytes of the object and what it takes to remember it.
fn cost(object: &Object) -> usize {
    object.data.len() + OBJECT_BYTES
}
