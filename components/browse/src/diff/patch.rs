//! Changes as Git writes them: `git diff --binary --full-index --histogram`.
//!
//! Ids are written in full, so that a patch stays the same however many objects come to a repository.
//! Binary files are written whole, never as a delta.

use super::lines::{self, FileDiff, Functions, Line, Options};
use super::trees::{Change, Side};
use crate::limits::{PATCH_BYTES_MAX, PATCH_FILE_BYTES_MAX, PATCH_READ_BYTES_MAX};
use bstr::{BStr, ByteSlice as _};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use gix_hash::ObjectId;
use gix_object::tree::{EntryKind, EntryMode};
use lithe_code::marks::{Diff, FileMarks};
use lithe_code::repository::{Error, Repository};
use std::io::Write as _;
use std::sync::Arc;

/// How many bytes at the beginning of a file Git looks at to tell text from binary.
const BINARY_PROBE_BYTES: usize = 8_000;

/// How many bytes are on one line of a binary patch.
const BINARY_LINE_BYTES: usize = 52;

/// The digits of Git's base 85.
const DIGITS: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// Whether Git takes a file for binary: there is a NUL at its beginning.
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(BINARY_PROBE_BYTES)].contains(&0)
}

/// How many bytes of files may still be read for the patches of one request.
#[derive(Debug)]
pub struct Budget {
    bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: PATCH_READ_BYTES_MAX }
    }
}

impl Budget {
    fn take(&mut self, bytes: u64) -> bool {
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.unwrap_or(0);
        left.is_some()
    }
}

/// A patch that is being written.
#[derive(Debug, Default)]
pub struct Patch {
    pub bytes: Vec<u8>,
    pub files: u32,
    pub added: u32,
    pub removed: u32,
}

impl Patch {
    /// Adds the changed files; `marks` are those of the tree after the change.
    ///
    /// Fails with [`Error::TooLarge`] past [`PATCH_BYTES_MAX`], if one file is larger than
    /// [`PATCH_FILE_BYTES_MAX`], and if the budget is spent.
    pub fn push(
        &mut self,
        (repository, marks): (Repository<'_>, &mut FileMarks<'_>),
        changes: &[Change],
        options: Options,
        budget: &mut Budget,
    ) -> Result<(), Error> {
        for change in changes {
            self.files += 1;
            match (&change.before, &change.after) {
                // What is no longer of the same kind is deleted and made anew.
                (Some(before), Some(after)) if is_other_kind(before.mode, after.mode) => {
                    let (before, after) = (before.clone(), after.clone());
                    let deleted =
                        Change { before: Some(before), after: None, similarity: None, is_copy: false };
                    let added = Change { before: None, after: Some(after), similarity: None, is_copy: false };
                    self.file((repository, &mut *marks), &deleted, options, budget)?;
                    self.file((repository, &mut *marks), &added, options, budget)?;
                }
                _ => self.file((repository, &mut *marks), change, options, budget)?,
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        (repository, marks): (Repository<'_>, &mut FileMarks<'_>),
        change: &Change,
        options: Options,
        budget: &mut Budget,
    ) -> Result<(), Error> {
        self.head(change);
        let [before, after] = [&change.before, &change.after];
        let id = |side: &Option<Side>| side.as_ref().map(|side| side.id);
        if id(before) == id(after) {
            return self.check(change);
        }
        let mut read = |side: &Option<Side>| contents(repository, side.as_ref(), budget);
        let (before, after) = (read(before)?, read(after)?);
        let is_binary = match marks.of(change.path().as_bstr())?.diff {
            Diff::Binary => true,
            Diff::Text => false,
            Diff::Detected => is_binary(&before) || is_binary(&after),
        };
        if is_binary {
            self.bytes.extend_from_slice(b"GIT binary patch\n");
            push_binary(&mut self.bytes, &after);
            push_binary(&mut self.bytes, &before);
            return self.check(change);
        }
        let (before, after) = (lines::split_lines(&before), lines::split_lines(&after));
        let difference = lines::files(&before, &after, options);
        self.added += difference.added;
        self.removed += difference.removed;
        if !difference.hunks.is_empty() {
            let name =
                |side: &Option<Side>, prefix| side.as_ref().map(|side| quoted(prefix, side.name.as_bstr()));
            for (sign, name) in [("---", name(&change.before, "a/")), ("+++", name(&change.after, "b/"))] {
                let name = name.unwrap_or_else(|| b"/dev/null".to_vec());
                let tab: &[u8] = if name.contains(&b' ') { b"\t" } else { b"" };
                self.line(&[sign.as_bytes(), b" ", &name, tab]);
            }
            self.hunks(&difference, &before, &after);
        }
        self.check(change)
    }

    fn head(&mut self, change: &Change) {
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        let old = before.or(after).expect("one side is there");
        let new = after.or(before).expect("one side is there");
        let (old_name, new_name) = (old.name.as_bstr(), new.name.as_bstr());
        self.line(&[b"diff --git ", &quoted("a/", old_name), b" ", &quoted("b/", new_name)]);
        match (before, after) {
            (None, Some(_)) => self.line(&[b"new file mode ", mode(new)]),
            (Some(_), None) => self.line(&[b"deleted file mode ", mode(old)]),
            _ if mode(old) != mode(new) => {
                self.line(&[b"old mode ", mode(old)]);
                self.line(&[b"new mode ", mode(new)]);
            }
            _ => {}
        }
        if let Some(similarity) = change.similarity {
            self.line(&[format!("similarity index {similarity}%").as_bytes()]);
            let (from, to): (&[u8], &[u8]) = match change.is_copy {
                true => (b"copy from ", b"copy to "),
                false => (b"rename from ", b"rename to "),
            };
            self.line(&[from, &quoted("", old_name)]);
            self.line(&[to, &quoted("", new_name)]);
        }
        let none = ObjectId::null(old.id.kind());
        let ids = [before, after].map(|side| side.map_or(none, |side| side.id));
        if ids[0] != ids[1] {
            let index = format!("index {}..{}", ids[0], ids[1]);
            match before.is_some() && after.is_some() && mode(old) == mode(new) {
                true => self.line(&[index.as_bytes(), b" ", mode(old)]),
                false => self.line(&[index.as_bytes()]),
            }
        }
    }

    fn hunks(&mut self, difference: &FileDiff, before: &[&[u8]], after: &[&[u8]]) {
        let mut functions = Functions::default();
        for hunk in &difference.hunks {
            match functions.of(hunk, before) {
                b"" => self.line(&[hunk.header().as_bytes()]),
                function => self.line(&[hunk.header().as_bytes(), b" ", function]),
            }
            for line in &hunk.lines {
                let (sign, text) = match *line {
                    Line::Context { after: index, .. } => (b' ', after[index as usize]),
                    Line::Removed { before: index } => (b'-', before[index as usize]),
                    Line::Added { after: index } => (b'+', after[index as usize]),
                };
                self.bytes.push(sign);
                self.bytes.extend_from_slice(text);
                if !text.ends_with(b"\n") {
                    self.bytes.extend_from_slice(b"\n\\ No newline at end of file\n");
                }
            }
        }
    }

    fn line(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.bytes.push(b'\n');
    }

    fn check(&self, change: &Change) -> Result<(), Error> {
        let side = change.after.as_ref().or(change.before.as_ref()).expect("one side is there");
        if self.bytes.len() > PATCH_BYTES_MAX { Err(Error::TooLarge(side.id)) } else { Ok(()) }
    }
}

/// A mode as Git writes it.
fn mode(side: &Side) -> &'static [u8] {
    match side.mode.kind() {
        EntryKind::Blob => b"100644",
        EntryKind::BlobExecutable => b"100755",
        EntryKind::Link => b"120000",
        EntryKind::Commit => b"160000",
        EntryKind::Tree => b"040000",
    }
}

/// Whether one is a file and the other a link or a submodule.
fn is_other_kind(a: EntryMode, b: EntryMode) -> bool {
    let kind = |mode: EntryMode| match mode.kind() {
        EntryKind::BlobExecutable => EntryKind::Blob,
        kind => kind,
    };
    kind(a) != kind(b)
}

/// One side of a change as it is compared: nothing if it is not there, and a line that names the commit of a
/// submodule.
fn contents(
    repository: Repository<'_>,
    side: Option<&Side>,
    budget: &mut Budget,
) -> Result<Arc<Vec<u8>>, Error> {
    match side {
        None => Ok(Arc::default()),
        Some(side) if side.mode.kind() == EntryKind::Commit => {
            Ok(Arc::new(format!("Subproject commit {}\n", side.id).into_bytes()))
        }
        Some(side) if !budget.take(repository.header(&side.id)?.1) => Err(Error::TooLarge(side.id)),
        Some(side) => repository.blob(&side.id, PATCH_FILE_BYTES_MAX),
    }
}

/// A path with its prefix, in quotes and with escapes if it has other characters than printable ASCII
/// (git-config(1), `core.quotePath`).
pub fn quoted(prefix: &str, path: &BStr) -> Vec<u8> {
    let is_plain = path.iter().all(|byte| matches!(byte, 0x20..=0x7e) && !matches!(byte, b'"' | b'\\'));
    if is_plain {
        return [prefix.as_bytes(), path].concat();
    }
    let mut quoted = vec![b'"'];
    quoted.extend_from_slice(prefix.as_bytes());
    for byte in path.iter().copied() {
        let letter = match byte {
            0x07 => b'a',
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0b => b'v',
            0x0c => b'f',
            b'\r' => b'r',
            b'"' | b'\\' => byte,
            0x20..=0x7e => {
                quoted.push(byte);
                continue;
            }
            _ => {
                write!(quoted, "\\{byte:03o}").expect("memory takes it");
                continue;
            }
        };
        quoted.extend_from_slice(&[b'\\', letter]);
    }
    quoted.push(b'"');
    quoted
}

/// One direction of a binary patch: the whole contents, compressed.
fn push_binary(patch: &mut Vec<u8>, contents: &[u8]) {
    writeln!(patch, "literal {}", contents.len()).expect("memory takes it");
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(contents).expect("memory takes it");
    let packed = encoder.finish().expect("memory takes it");
    for line in packed.chunks(BINARY_LINE_BYTES) {
        let length = line.len() as u8;
        patch.push(if length <= 26 { b'A' + length - 1 } else { b'a' + length - 27 });
        for group in line.chunks(4) {
            let mut four = [0; 4];
            four[..group.len()].copy_from_slice(group);
            let mut number = u32::from_be_bytes(four);
            let mut five = [0; 5];
            for digit in five.iter_mut().rev() {
                *digit = DIGITS[(number % 85) as usize];
                number /= 85;
            }
            patch.extend_from_slice(&five);
        }
        patch.push(b'\n');
    }
    patch.push(b'\n');
}
