//! The archives that were made already, as files named by a digest of what they follow from. Nothing
//! in them depends on who asked.
//!
//! One that is being made lies there too, and whoever else asks for it reads it as it grows ([`Growing`]).
//! Those who serve them share nothing but these files: each is an instance of its own, which may be stopped
//! at any moment. So there is no lock. Who begins an archive makes a file of its own for it and looks whether
//! somebody has begun before; at worst two make the same, to the byte.

use crate::growing::Growing;
use crate::limits::{
    ABANDONED_SECONDS, CACHE_BYTES_MAX, CACHED_BYTES_MAX, MADE_AT_ONCE_MAX, PLACE_HELD_SECONDS_MAX,
    PLACE_POLL_MS, PLACE_SECONDS_MAX, SILENT_SECONDS_MAX, UNFINISHED_BYTES_MAX,
};
use std::cmp::Reverse;
use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// What an archive is called while it is made.
const UNFINISHED: &str = ".part";

/// The archives that are kept in a directory.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: PathBuf,
}

impl Cache {
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// An archive that was made already, and its size in bytes.
    pub fn find(&self, key: &str) -> Option<(File, u64)> {
        let file = File::open(self.directory.join(key)).ok()?;
        let size = file.metadata().ok()?.len();
        // What is asked for stays longer. Where the disk does not take the time, what is oldest goes first.
        let _ = file.set_modified(SystemTime::now());
        Some((file, size))
    }

    /// The size of an archive that was made already, in bytes.
    pub fn size(&self, key: &str) -> Option<u64> {
        fs::metadata(self.directory.join(key)).ok().map(|metadata| metadata.len())
    }

    /// Begins an archive, or finds one that somebody else has begun and is at work on, but for those that
    /// were `given_up` on.
    pub fn begin(&self, key: &str, given_up: &[PathBuf]) -> Turn {
        let mine = self.begin_beside(key, UNFINISHED_BYTES_MAX);
        match self.begun_by_others(key, mine.as_ref(), given_up) {
            Some((path, file)) => Turn::Others(Growing::new(self.clone(), key, path, file)),
            None => mine.map_or(Turn::Unkept, Turn::Mine),
        }
    }

    /// As [`Self::begin`], and waits until few others are being made.
    pub fn begin_in_turn(&self, key: &str, given_up: &[PathBuf]) -> Turn {
        let turn = self.begin(key, given_up);
        if let Turn::Mine(entry) = &turn {
            entry.wait_for_place();
        }
        turn
    }

    /// What others have begun and are at work on: the most of it that there is, else what was begun first.
    fn begun_by_others(
        &self,
        key: &str,
        mine: Option<&Entry>,
        given_up: &[PathBuf],
    ) -> Option<(PathBuf, File)> {
        let mine = mine.map(|entry| &entry.path);
        let mut begun = Vec::new();
        for entry in fs::read_dir(&self.directory).ok()?.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let is_of_key =
                name.to_str().is_some_and(|name| name.starts_with(key) && name.ends_with(UNFINISHED));
            if !is_of_key || Some(&path) == mine || given_up.contains(&path) {
                continue;
            }
            let Ok(metadata) = entry.metadata() else { continue };
            // Of those who have only begun, the first goes on.
            if is_at_work(&metadata) && (metadata.len() > 0 || mine.is_none_or(|mine| path < *mine)) {
                begun.push((Reverse(metadata.len()), path));
            }
        }
        let (_, path) = begun.into_iter().min()?;
        let file = File::open(&path).ok()?;
        Some((path, file))
    }

    fn begin_beside(&self, key: &str, unfinished_bytes_max: u64) -> Option<Entry> {
        fs::create_dir_all(&self.directory).ok()?;
        if self.make_room(CACHE_BYTES_MAX).ok()? > unfinished_bytes_max {
            return None;
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let path = self.directory.join(format!("{key}.{:020}{UNFINISHED}", since.as_nanos()));
        let file = File::create_new(&path).ok()?;
        Some(Entry { cache: self.clone(), key: key.to_owned(), path, file: Some(file), bytes: 0 })
    }

    /// Removes what nobody goes on with, and then what is oldest until all takes no more than `bytes_max`.
    /// Returns how much of it is unfinished, in bytes.
    ///
    /// An instance that was stopped does not remove what it had begun, so others have to.
    fn make_room(&self, bytes_max: u64) -> io::Result<u64> {
        let mut kept = Vec::new();
        let mut unfinished_bytes = 0;
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            // Another request may have removed or finished it by now.
            let Ok(metadata) = entry.metadata() else { continue };
            let age = age(&metadata);
            if !entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
                kept.push((age, metadata.len(), entry.path()));
            } else if age > Duration::from_secs(ABANDONED_SECONDS) {
                remove(&entry.path())?;
            } else {
                unfinished_bytes += metadata.len();
            }
        }
        kept.sort_unstable();
        let mut sum = unfinished_bytes;
        for (_, bytes, path) in kept {
            sum += bytes;
            if sum > bytes_max {
                remove(&path)?;
            }
        }
        Ok(unfinished_bytes)
    }
}

/// Who makes an archive.
pub enum Turn {
    /// Who asked.
    Mine(Entry),
    /// Somebody who began before.
    Others(Growing),
    /// Who asked, and it cannot be kept.
    Unkept,
}

impl Turn {
    /// Says that whoever makes it is at work, though nothing is added to it yet.
    pub fn go_on(&self) {
        if let Self::Mine(entry) = self {
            entry.go_on();
        }
    }
}

/// How long ago a file was written to. A time in the future is now.
fn age(metadata: &Metadata) -> Duration {
    metadata.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or_default()
}

/// Whether somebody goes on with what is being made.
pub fn is_at_work(metadata: &Metadata) -> bool {
    age(metadata) <= Duration::from_secs(SILENT_SECONDS_MAX)
}

/// An archive that is kept as it is made. Dropped before it is finished, nothing is left of it.
pub struct Entry {
    cache: Cache,
    key: String,
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
}

impl Entry {
    /// Adds the next piece. Where that fails, or the archive is too large to be kept, it is not kept.
    pub fn add(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        let is_added = self.bytes <= CACHED_BYTES_MAX
            && self.file.as_mut().is_some_and(|file| file.write_all(piece).is_ok());
        // Nobody is to wait for what does not come.
        if !is_added && self.file.take().is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Waits until few others are being made that were begun before, but not for ever.
    pub fn wait_for_place(&self) {
        let begun = Instant::now();
        let mut before = self.begun_before();
        while before.len() >= MADE_AT_ONCE_MAX && begun.elapsed() < Duration::from_secs(PLACE_SECONDS_MAX) {
            thread::sleep(Duration::from_millis(PLACE_POLL_MS));
            self.go_on();
            // What was begun before only becomes less.
            before.retain(|path| fs::metadata(path).is_ok_and(|metadata| is_at_work(&metadata)));
        }
    }

    /// Says that somebody is at work on it, though nothing is added to it yet: nobody is to begin the same anew.
    pub fn go_on(&self) {
        if let Some(file) = &self.file {
            let _ = file.set_modified(SystemTime::now());
        }
    }

    /// What was begun before, lately, and is being worked on. Where that cannot be told, there is nothing.
    ///
    /// Who makes an archive goes at a client's pace: one that takes long keeps others from theirs for a while only.
    fn begun_before(&self) -> Vec<PathBuf> {
        let Some(mine) = time_begun(&self.path) else { return Vec::new() };
        let lately = mine.saturating_sub(Duration::from_secs(PLACE_HELD_SECONDS_MAX).as_nanos());
        let others = fs::read_dir(&self.cache.directory).into_iter().flatten().flatten();
        let is_before = |path: &Path| {
            time_begun(path).is_some_and(|time| time >= lately && (time, path) < (mine, &self.path))
        };
        others
            .filter(|other| is_before(&other.path()))
            .filter(|other| other.metadata().is_ok_and(|metadata| is_at_work(&metadata)))
            .map(|other| other.path())
            .collect()
    }

    /// Keeps the archive, which is whole now.
    pub fn finish(mut self) {
        if self.file.take().is_none() {
            return;
        }
        let room = self.cache.make_room(CACHE_BYTES_MAX);
        let kept = room.and_then(|_| fs::rename(&self.path, self.cache.directory.join(&self.key)));
        if let Err(error) = kept {
            eprintln!("archive: the cache: {error}");
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // Once it is kept, there is nothing by that name.
        let _ = fs::remove_file(&self.path);
    }
}

/// When what is being made at a path was begun, in nanoseconds since the epoch, as its name says; none: it is not in
/// the making.
fn time_begun(path: &Path) -> Option<u128> {
    let stem = path.file_name()?.to_str()?.strip_suffix(UNFINISHED)?;
    stem.rsplit('.').next()?.parse().ok()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    fn keep(cache: &Cache, key: &str, bytes: &[u8]) {
        let mut entry = begin(cache, key);
        entry.add(bytes);
        entry.finish();
    }

    fn begin(cache: &Cache, key: &str) -> Entry {
        match cache.begin(key, &[]) {
            Turn::Mine(entry) => entry,
            Turn::Others(_) | Turn::Unkept => {
                panic!("nobody else makes {key}, and the directory is writable")
            }
        }
    }

    fn names(directory: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(name).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_was_finished_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path().join("archives"));
        assert!(cache.find("a").is_none());
        keep(&cache, "a", b"whole");
        let (mut file, size) = cache.find("a").expect("it was kept");
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), size), ("whole", 5));
        let mut broken_off = begin(&cache, "b");
        broken_off.add(b"half");
        drop(broken_off);
        assert_eq!(names(&directory.path().join("archives")), ["a"]);
    }

    #[test]
    fn few_are_made_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let [first, second, third, fourth] = ["d", "c", "b", "a"].map(|key| begin(&cache, key));
        first.wait_for_place();
        second.wait_for_place();
        let before = |entry: &Entry| entry.begun_before().len();
        assert_eq!([&first, &second, &third, &fourth].map(before), [0, 1, 2, 3]);
        // The third goes on when the first is done, though both before it are at work to the end.
        thread::scope(|scope| {
            let waits = scope.spawn(|| third.wait_for_place());
            for _ in 0..15 {
                thread::sleep(Duration::from_millis(PLACE_POLL_MS));
                first.go_on();
                second.go_on();
            }
            assert!(!waits.is_finished());
            first.finish();
            while !waits.is_finished() {
                thread::sleep(Duration::from_millis(1));
                second.go_on();
            }
        });
        assert_eq!(before(&third), 1);
    }

    #[test]
    fn what_nobody_goes_on_with_and_what_takes_long_keeps_no_place() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let begun = ["a", "b", "c"].map(|key| begin(&cache, key));
        let last = begin(&cache, "d");
        set_age(&begun[1].path, SILENT_SECONDS_MAX + 60);
        assert_eq!(last.begun_before().len(), 2);
        let since = SystemTime::now() - Duration::from_secs(PLACE_HELD_SECONDS_MAX + 1);
        let nanos = since.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        fs::rename(&begun[0].path, directory.path().join(format!("a.{nanos:020}.part"))).unwrap();
        assert_eq!(last.begun_before(), [begun[2].path.clone()]);
    }

    #[test]
    fn nobody_waits_for_a_place_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let begun = ["a", "b"].map(|key| begin(&cache, key));
        let last = begin(&cache, "c");
        thread::scope(|scope| {
            let waits = scope.spawn(|| last.wait_for_place());
            while !waits.is_finished() {
                thread::sleep(Duration::from_millis(PLACE_POLL_MS));
                begun.iter().for_each(Entry::go_on);
            }
        });
        assert_eq!(last.begun_before().len(), MADE_AT_ONCE_MAX);
    }

    #[test]
    fn whoever_follows_waits_as_long_as_the_maker_waits_for_a_place() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let mut entry = begin(&cache, "a");
        let Turn::Others(growing) = cache.begin("a", &[]) else { panic!("it is being made") };
        let reader = thread::spawn(|| read(growing));
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2 * SILENT_SECONDS_MAX) {
            thread::sleep(Duration::from_millis(PLACE_POLL_MS));
            entry.go_on();
        }
        entry.add(b"whole");
        entry.finish();
        assert_eq!(reader.join().unwrap().as_deref(), Some(&b"whole"[..]));
    }

    #[test]
    fn the_oldest_goes_first() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        for (key, age_seconds) in [
            ("old", 300),
            ("older", 400),
            ("new", 1),
            ("x.1.part", ABANDONED_SECONDS + 60),
            ("y.1.part", ABANDONED_SECONDS - 60),
        ] {
            fs::write(directory.path().join(key), b"1234").unwrap();
            set_age(&directory.path().join(key), age_seconds);
        }
        assert_eq!(cache.make_room(12).unwrap(), 4);
        assert_eq!(names(directory.path()), ["new", "old", "y.1.part"]);
        assert_eq!(cache.make_room(11).unwrap(), 4);
        assert_eq!(names(directory.path()), ["new", "y.1.part"]);
    }

    #[test]
    fn nothing_is_begun_beside_too_much_that_is_unfinished() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let stopped = directory.path().join("x.1.part");
        fs::write(&stopped, b"1234").unwrap();
        assert!(cache.begin_beside("a", 4).is_some());
        assert!(cache.begin_beside("a", 3).is_none());
        set_age(&stopped, ABANDONED_SECONDS + 60);
        assert!(cache.begin_beside("a", 3).is_some());
        assert!(names(directory.path()).is_empty());
    }

    /// Reads what somebody else makes to its end; none if it is given up on.
    fn read(mut growing: Growing) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(piece) = growing.next_piece().ok()? {
            bytes.extend_from_slice(&piece);
        }
        Some(bytes)
    }

    #[test]
    fn whoever_asks_while_an_archive_is_made_reads_it_as_it_grows() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let mut entry = begin(&cache, "a");
        let readers: Vec<_> = ["before the first byte", "after it"]
            .into_iter()
            .map(|when| {
                let Turn::Others(growing) = cache.begin("a", &[]) else { panic!("{when}, it is being made") };
                entry.add(b"one ");
                thread::spawn(|| read(growing))
            })
            .collect();
        assert!(matches!(cache.begin("b", &[]), Turn::Mine(_)), "another archive is nobody's");
        for piece in 0..20 {
            entry.add(format!("{piece} ").as_bytes());
            thread::sleep(Duration::from_millis(3));
        }
        entry.finish();
        let whole = fs::read(directory.path().join("a")).unwrap();
        for reader in readers {
            assert_eq!(reader.join().unwrap().as_ref(), Some(&whole));
        }
        assert_eq!(names(directory.path()), ["a"]);
    }

    #[test]
    fn nobody_waits_for_who_has_stopped() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        // It is given up, as when a client goes away.
        let entry = begin(&cache, "a");
        let Turn::Others(growing) = cache.begin("a", &[]) else { panic!("it is being made") };
        drop(entry);
        assert_eq!(read(growing), None);
        // Its maker was killed, and leaves a file behind.
        let mut killed = begin(&cache, "a");
        killed.add(b"half");
        let path = killed.path.clone();
        let Turn::Others(growing) = cache.begin("a", &[]) else { panic!("it is being made") };
        std::mem::forget(killed);
        assert!(matches!(cache.begin("a", std::slice::from_ref(&path)), Turn::Mine(_)), "given up on");
        set_age(&path, SILENT_SECONDS_MAX + 1);
        assert!(matches!(cache.begin("a", &[]), Turn::Mine(_)), "it is silent");
        assert_eq!(read(growing), None);
    }

    #[test]
    fn of_many_who_ask_at_once_few_make_it() {
        let directory = tempfile::tempdir().unwrap();
        let barrier = Barrier::new(8);
        let makers = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let cache = Cache::new(directory.path());
                    barrier.wait();
                    let bytes = match cache.begin("a", &[]) {
                        Turn::Mine(mut entry) => {
                            makers.fetch_add(1, Ordering::Relaxed);
                            // All have looked by then.
                            barrier.wait();
                            entry.add(b"whole");
                            entry.finish();
                            Some(b"whole".to_vec())
                        }
                        Turn::Others(growing) => {
                            barrier.wait();
                            read(growing)
                        }
                        Turn::Unkept => panic!("the directory is writable"),
                    };
                    // Who followed the one of two makers that has lost goes on with the other.
                    assert!(bytes.is_none_or(|bytes| bytes == b"whole"));
                });
            }
        });
        let makers = makers.into_inner();
        assert!((1..=3).contains(&makers), "{makers} make it");
    }

    fn set_age(path: &Path, seconds: u64) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }
}
