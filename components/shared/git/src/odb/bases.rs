//! Bounded caches of objects: those that deltas are based on, and those that are asked for again.

use super::Object;
use lru::LruCache;
use std::hash::Hash;

/// The bases of deltas, by pack and offset.
pub type Bases = ObjectCache<(u32, u64)>;

/// Objects by some key, the least recently used of them dropped first.
pub struct ObjectCache<K: Hash + Eq> {
    objects: LruCache<K, Object>,
    bytes: usize,
    bytes_max: usize,
}

impl<K: Hash + Eq> ObjectCache<K> {
    /// Keeps so many bytes; no object of more than a quarter of them.
    pub fn new(bytes_max: usize) -> Self {
        Self { objects: LruCache::unbounded(), bytes: 0, bytes_max }
    }

    pub fn get(&mut self, key: &K) -> Option<Object> {
        self.objects.get(key).cloned()
    }

    pub fn put(&mut self, key: K, object: &Object) {
        let cost = cost(object);
        if cost > self.bytes_max / 4 {
            return;
        }
        if let Some(old) = self.objects.put(key, object.clone()) {
            self.bytes -= self::cost(&old);
        }
        self.bytes += cost;
        while self.bytes > self.bytes_max {
            let Some((_, old)) = self.objects.pop_lru() else { break };
            self.bytes -= self::cost(&old);
        }
    }

    /// How much is kept, in bytes.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops an object.
    pub fn remove(&mut self, key: &K) {
        if let Some(old) = self.objects.pop(key) {
            self.bytes -= cost(&old);
        }
    }

    /// Drops the objects that are not wanted.
    pub fn retain(&mut self, is_wanted: impl Fn(&K) -> bool)
    where
        K: Clone,
    {
        let unwanted: Vec<K> =
            self.objects.iter().map(|(key, _)| key).filter(|key| !is_wanted(key)).cloned().collect();
        unwanted.iter().for_each(|key| self.remove(key));
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
