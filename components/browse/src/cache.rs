//! Rendered texts, kept by what they were made from, so that the same text is rendered once.
//!
//! The cache on disk is a fixed number of slots, so it needs no clearing up: a key has one slot,
//! and what is put there replaces what was. It holds nothing that depends on who asks, and may be
//! deleted at any time.

use crate::limits::{CACHE_ENTRY_BYTES_MAX, CACHE_SLOTS, RECENT_TEXT_BYTES_MAX};
use lru::LruCache;
use sha2::{Digest as _, Sha256};
use std::cell::{Cell, RefCell};
use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What a rendered text was made from, digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of everything that decides the result; this build of the component is among it.
    pub fn new(parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        digest.update(env!("RENDERING_FINGERPRINT"));
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    fn slot(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d]) % CACHE_SLOTS
    }
}

/// Where rendered texts are kept.
pub trait Cache {
    /// What was put under the key, if it is still there.
    fn get(&self, key: &Key) -> Option<String>;

    /// Keeps a text, if that is possible.
    fn put(&self, key: &Key, text: &str);

    /// Is told that more may be found next time, although nothing is kept of what was found.
    fn is_unfinished(&self) {}
}

/// Keeps nothing.
pub struct NoCache;

impl Cache for NoCache {
    fn get(&self, _: &Key) -> Option<String> {
        None
    }

    fn put(&self, _: &Key, _: &str) {}
}

/// Another cache, of which it is noted whether anything was put there, as more is known then than what was read, or
/// could have been.
pub struct Noted<C> {
    cache: C,
    knows_more: Cell<bool>,
}

impl<C> Noted<C> {
    pub fn new(cache: C) -> Self {
        Self { cache, knows_more: Cell::new(false) }
    }

    /// Whether the same page may have more next time.
    pub fn knows_more(&self) -> bool {
        self.knows_more.get()
    }
}

impl<C: Cache> Cache for Noted<C> {
    fn get(&self, key: &Key) -> Option<String> {
        self.cache.get(key)
    }

    fn put(&self, key: &Key, text: &str) {
        self.knows_more.set(true);
        self.cache.put(key, text);
    }

    fn is_unfinished(&self) {
        self.knows_more.set(true);
    }
}

/// Keeps texts in files, one for each slot. Whatever goes wrong with them counts as nothing kept.
pub struct Directory {
    path: PathBuf,
}

/// The bytes before the text in a slot's file: the key, and the length of the text.
const HEAD_BYTES: usize = 32 + 8;

impl Directory {
    /// Keeps texts in the directory at `path`, which is made when it is needed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn file(&self, key: &Key) -> PathBuf {
        self.path.join(format!("{:03x}", key.slot()))
    }

    /// Writes a new file, so that readers see the old one or the new one, whole.
    fn write(&self, file: &Path, contents: &[u8]) -> std::io::Result<()> {
        let unique = RandomState::new().hash_one(contents.len());
        let new = self.path.join(format!("new-{unique:016x}"));
        let written = fs::write(&new, contents).and_then(|()| fs::rename(&new, file));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written
    }
}

impl Cache for Directory {
    fn get(&self, key: &Key) -> Option<String> {
        let mut file = File::open(self.file(key)).ok()?;
        let mut head = [0; HEAD_BYTES];
        file.read_exact(&mut head).ok()?;
        let (of, length) = head.split_at(32);
        let length = usize::try_from(u64::from_be_bytes(length.try_into().ok()?)).ok()?;
        if *of != key.0 || length > CACHE_ENTRY_BYTES_MAX {
            return None;
        }
        let mut text = Vec::with_capacity(length);
        file.read_to_end(&mut text).ok()?;
        (text.len() == length).then(|| String::from_utf8(text).ok())?
    }

    fn put(&self, key: &Key, text: &str) {
        if text.len() > CACHE_ENTRY_BYTES_MAX {
            return;
        }
        let contents = [&key.0[..], &(text.len() as u64).to_be_bytes(), text.as_bytes()].concat();
        let file = self.file(key);
        if self.write(&file, &contents).is_err() {
            // The directory may have been deleted; if it cannot be made either, nothing is kept.
            let _ = fs::create_dir_all(&self.path).and_then(|()| self.write(&file, &contents));
        }
    }
}

thread_local! {
    /// The texts that were asked for last.
    static RECENT: RefCell<Recent> = RefCell::new(Recent::new(RECENT_TEXT_BYTES_MAX));
}

/// Another cache, with the texts that were asked for last in memory. What others put there since may be newer.
pub struct Remembered<C>(pub C);

impl<C: Cache> Cache for Remembered<C> {
    fn get(&self, key: &Key) -> Option<String> {
        if let Some(text) = RECENT.with_borrow_mut(|recent| recent.get(key)) {
            return Some(text);
        }
        let text = self.0.get(key)?;
        RECENT.with_borrow_mut(|recent| recent.put(*key, &text));
        Some(text)
    }

    fn put(&self, key: &Key, text: &str) {
        RECENT.with_borrow_mut(|recent| recent.put(*key, text));
        self.0.put(key, text);
    }
}

/// So many bytes of texts, of which those go that were asked for longest ago.
struct Recent {
    texts: LruCache<Key, String>,
    bytes: usize,
    bytes_max: usize,
}

impl Recent {
    fn new(bytes_max: usize) -> Self {
        Self { texts: LruCache::unbounded(), bytes: 0, bytes_max }
    }

    fn get(&mut self, key: &Key) -> Option<String> {
        self.texts.get(key).cloned()
    }

    fn put(&mut self, key: Key, text: &str) {
        if let Some(old) = self.texts.pop(&key) {
            self.bytes -= cost(&old);
        }
        let text = text.to_owned();
        self.bytes += cost(&text);
        self.texts.put(key, text);
        while self.bytes > self.bytes_max {
            let Some((_, old)) = self.texts.pop_lru() else { break };
            self.bytes -= cost(&old);
        }
    }
}

/// The bytes of a text and what it takes to remember it.
fn cost(text: &str) -> usize {
    text.len() + 128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_is_remembered_and_what_was_asked_for_longest_ago_goes() {
        let key = |number: u8| Key::new(&[&[number]]);
        let text = "x".repeat(872);
        let mut recent = Recent::new(3_000);
        for number in 0..3 {
            recent.put(key(number), &text);
        }
        recent.put(key(0), &text);
        assert!((0..3).all(|number| recent.get(&key(number)).is_some()), "{} bytes", recent.bytes);
        recent.put(key(3), "");
        let kept: Vec<u8> = (0..4).filter(|number| recent.get(&key(*number)).is_some()).collect();
        assert_eq!((kept, recent.bytes), (vec![1, 2, 3], 2_128));
    }

    #[test]
    fn what_is_remembered_needs_no_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let cache = Remembered(Directory::new(directory.path().join("texts")));
        let key = Key::new(&[b"remembered"]);
        Directory::new(directory.path().join("texts")).put(&key, "first");
        assert_eq!(cache.get(&key).as_deref(), Some("first"));
        fs::remove_dir_all(directory.path().join("texts")).expect("it is there");
        assert_eq!(cache.get(&key).as_deref(), Some("first"));
        cache.put(&key, "second");
        assert_eq!(cache.get(&key).as_deref(), Some("second"));
        assert_eq!(cache.0.get(&key).as_deref(), Some("second"));
    }

    #[test]
    fn what_was_put_is_found_under_its_key_alone() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let cache = Directory::new(directory.path().join("not/there/yet"));
        let keys = [Key::new(&[b"a", b"b"]), Key::new(&[b"ab"]), Key::new(&[b"ab", b""])];
        for (index, key) in keys.iter().enumerate() {
            assert_eq!(cache.get(key), None);
            cache.put(key, &index.to_string());
            assert_eq!(cache.get(key), Some(index.to_string()));
        }
        assert!(keys[0] != keys[1] && keys[1] != keys[2]);
        fs::remove_dir_all(directory.path().join("not")).expect("it is there");
        cache.put(&keys[0], "again");
        assert_eq!(cache.get(&keys[0]).as_deref(), Some("again"));
    }

    #[test]
    fn a_slot_holds_the_last_text_and_there_are_only_so_many() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let cache = Directory::new(directory.path());
        for number in 0..3 * CACHE_SLOTS {
            cache.put(&Key::new(&[&number.to_be_bytes()]), "x");
        }
        let count = fs::read_dir(directory.path()).expect("it is there").count();
        assert!(count <= CACHE_SLOTS as usize, "{count}");
    }

    #[test]
    fn damage_counts_as_nothing() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let cache = Directory::new(directory.path());
        let key = Key::new(&[b"a"]);
        cache.put(&key, "text");
        let whole = fs::read(cache.file(&key)).expect("it was put");
        for length in 0..whole.len() {
            fs::write(cache.file(&key), &whole[..length]).expect("the directory is writable");
            assert_eq!(cache.get(&key), None, "cut to {length} bytes");
        }
        let mut foreign = whole.clone();
        foreign[0] ^= 1;
        fs::write(cache.file(&key), &foreign).expect("the directory is writable");
        assert_eq!(cache.get(&key), None);
    }

    #[test]
    fn a_text_past_the_limit_is_not_kept() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let cache = Directory::new(directory.path());
        let key = Key::new(&[b"a"]);
        cache.put(&key, &"x".repeat(CACHE_ENTRY_BYTES_MAX + 1));
        assert_eq!(cache.get(&key), None);
        cache.put(&key, &"x".repeat(CACHE_ENTRY_BYTES_MAX));
        assert!(cache.get(&key).is_some());
    }
}
