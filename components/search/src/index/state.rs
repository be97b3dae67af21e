//! What an index consists of, and its directory.

use super::FORMAT;
use crate::limits::LEFT_SECONDS;
use gix_hash::ObjectId;
use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use xxhash_rust::xxh3::xxh3_64;

/// The file that names all others.
const STATE: &str = "state";

/// Which files belong together, and what they are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub object_format: gix_hash::Kind,
    /// The commit that was indexed last; null if none was.
    pub commit_id: ObjectId,
    /// How many of its files the index has not read.
    pub unknown: usize,
    /// The file with the list of its files; empty if there is none.
    pub files: String,
    /// In the order of the numbers of their documents.
    pub segments: Vec<Named>,
}

/// A segment by the name of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub documents: u32,
    pub bytes: u64,
}

impl State {
    /// The state of an index of nothing.
    pub fn empty(object_format: gix_hash::Kind) -> Self {
        let (commit_id, files) = (object_format.null(), String::new());
        Self { object_format, commit_id, unknown: 0, files, segments: Vec::new() }
    }

    /// How many documents there are.
    pub fn documents(&self) -> u32 {
        self.segments.iter().map(|segment| segment.documents).sum()
    }

    /// How much the segments take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Writes it as lines of text, the last a checksum of those before.
    fn text(&self) -> String {
        let Self { commit_id, unknown, files, .. } = self;
        let mut text =
            format!("lithe-search {FORMAT}\ncommit {commit_id}\nunknown {unknown}\nfiles {files}\n");
        for Named { name, documents, bytes } in &self.segments {
            text.push_str(&format!("segment {name} {documents} {bytes}\n"));
        }
        let checksum = xxh3_64(text.as_bytes());
        text.push_str(&format!("checksum {checksum:016x}\n"));
        text
    }

    /// Reads what [`Directory::replace`] wrote; none if it is damaged, or another build's.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (content, checksum) = text.split_at_checked(text.rfind("checksum ")?)?;
        if checksum != format!("checksum {:016x}\n", xxh3_64(content.as_bytes())) {
            return None;
        }
        let mut lines = content.lines();
        if lines.next()? != format!("lithe-search {FORMAT}") {
            return None;
        }
        let commit_id = ObjectId::from_hex(lines.next()?.strip_prefix("commit ")?.as_bytes()).ok()?;
        let unknown = lines.next()?.strip_prefix("unknown ")?.parse().ok()?;
        let files = lines.next()?.strip_prefix("files ")?.to_owned();
        let segment = |line: &str| {
            let mut words = line.strip_prefix("segment ")?.split(' ');
            let name = words.next()?.to_owned();
            Some(Named { name, documents: words.next()?.parse().ok()?, bytes: words.next()?.parse().ok()? })
        };
        let segments = lines.map(segment).collect::<Option<Vec<_>>>()?;
        segments.iter().try_fold(0u32, |sum, segment| sum.checked_add(segment.documents))?;
        Some(Self { object_format: commit_id.kind(), commit_id, unknown, files, segments })
    }
}

/// The directory of one index.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The file of that name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The bytes of the state; none if there is none.
    pub fn state(&self) -> Option<Vec<u8>> {
        fs::read(self.path(STATE)).ok()
    }

    /// The state, and when it was written; none if there is none that can be used.
    pub fn written(&self) -> Option<(State, SystemTime)> {
        let modified = fs::metadata(self.path(STATE)).and_then(|metadata| metadata.modified()).ok()?;
        Some((State::parse(&self.state()?)?, modified))
    }

    /// Has everything made anew.
    pub fn forget(&self) {
        let _ = fs::remove_file(self.path(STATE));
    }

    /// A name that no file has.
    pub fn new_name(&self, kind: &str) -> String {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("{kind}-{:016x}", RandomState::new().hash_one(since.as_nanos()))
    }

    /// Makes the directory, if it is not there.
    pub fn create(&self) -> io::Result<()> {
        fs::create_dir_all(&self.path)
    }

    /// Puts a state in the place of the one before, at once and whole, and clears away what nothing names.
    pub fn replace(&self, state: &State) -> io::Result<()> {
        let new = self.path(&self.new_name("new"));
        fs::write(&new, state.text())?;
        fs::rename(&new, self.path(STATE))?;
        self.clear_away(state, Duration::from_secs(LEFT_SECONDS))
    }

    /// Removes what the state does not name once it is so old that nobody reads or writes it any more.
    fn clear_away(&self, state: &State, age_min: Duration) -> io::Result<()> {
        let names = state.segments.iter().map(|segment| segment.name.as_str());
        let named: HashSet<&str> = names.chain([STATE, state.files.as_str()]).collect();
        for entry in fs::read_dir(&self.path)?.flatten() {
            if entry.file_name().to_str().is_some_and(|name| named.contains(name)) {
                continue;
            }
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|modified| modified.elapsed().ok()).unwrap_or_default();
            if age >= age_min {
                // Somebody else may have removed it by now.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let segment = |name: &str| Named { name: name.into(), documents: 3, bytes: 100 };
        State {
            unknown: 7,
            files: "files-1".into(),
            segments: vec![segment("segment-1"), segment("segment-2")],
            ..State::empty(gix_hash::Kind::Sha1)
        }
    }

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let directory = Directory::new(&directory.path().join("1"));
        assert!(directory.state().is_none());
        directory.create().expect("the directory is writable");
        directory.replace(&state()).expect("the directory is writable");
        let bytes = directory.state().expect("it is there");
        assert_eq!(State::parse(&bytes), Some(state()));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(State::parse(&damaged), None, "at {at}");
            assert_eq!(State::parse(&bytes[..at]), None, "cut to {at}");
        }
        let other = String::from_utf8(bytes).expect("text").replace("search 1", "search 2");
        assert_eq!(State::parse(other.as_bytes()), None);
    }

    #[test]
    fn what_nothing_names_is_cleared_away_in_time() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let index = Directory::new(directory.path());
        for name in ["files-1", "segment-1", "segment-2", "segment-3", "files-0", "new-1"] {
            fs::write(directory.path().join(name), "x").expect("the directory is writable");
        }
        index.replace(&state()).expect("the directory is writable");
        let count = || fs::read_dir(directory.path()).expect("it is there").count();
        assert_eq!(count(), 7, "what was written just now stays");
        index.clear_away(&state(), Duration::ZERO).expect("the directory is writable");
        assert_eq!(count(), 4);
    }
}
