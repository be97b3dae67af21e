//! What `git fsck --strict` says about single objects, as pure functions over their bytes.
//!
//! The messages and their severity are those of git-fsck(1), "fsck messages", as `--strict` and
//! `receive.fsckObjects` apply them: what Git calls an error or a warning is refused, what it calls
//! information is let through.

mod commit;
mod disguise;
mod gitmodules;
mod ident;
mod message;
mod tag;
mod tree;

use crate::format::ObjectFormat;
use gix_hash::ObjectId;
use gix_object::Kind;

pub use message::{Message, Severity};

/// What was found in one object.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Findings {
    pub messages: Vec<&'static Message>,
    /// The objects that it names, but those of submodules, with the kind that they have to be of.
    pub links: Vec<(ObjectId, Kind)>,
    /// Blobs that a tree calls `.gitmodules`: to be checked with [`gitmodules`].
    pub gitmodules: Vec<ObjectId>,
    /// Blobs that a tree calls `.gitattributes`: to be checked with [`gitattributes`].
    pub gitattributes: Vec<ObjectId>,
}

impl Findings {
    /// The first message for which the object is to be refused.
    pub fn refusal(&self) -> Option<&'static Message> {
        self.messages.iter().copied().find(|message| message.severity == Severity::Error)
    }

    /// Forgets what was found, but not the room that it took.
    pub fn clear(&mut self) {
        self.messages.clear();
        self.links.clear();
        self.gitmodules.clear();
        self.gitattributes.clear();
    }

    fn add(&mut self, message: &'static Message) {
        if !self.messages.contains(&message) {
            self.messages.push(message);
        }
    }
}

/// Checks an object of a repository of that format, and adds what is found. Any bytes are a blob:
/// nothing is found in one.
pub fn check(object_format: ObjectFormat, kind: Kind, data: &[u8], found: &mut Findings) {
    match kind {
        Kind::Blob => {}
        Kind::Tree => tree::check(object_format, data, found),
        Kind::Commit => {
            if let Err(message) = commit::check(object_format, data, found) {
                found.add(message);
            }
        }
        Kind::Tag => {
            if let Err(message) = tag::check(object_format, data, found) {
                found.add(message);
            }
        }
    }
}

/// The largest `.gitmodules` and `.gitattributes`, in bytes, as in Git.
pub const ATTRIBUTES_BYTES_MAX: u64 = 100 * 1024 * 1024;
/// The longest line of `.gitattributes`, in bytes, as in Git.
const ATTRIBUTES_LINE_BYTES_MAX: usize = 2048;

/// Checks a blob that a tree calls `.gitmodules`.
pub fn gitmodules(data: &[u8]) -> Findings {
    let mut found = Findings::default();
    gitmodules::check(data, &mut found);
    found
}

/// Checks a blob that a tree calls `.gitattributes`.
pub fn gitattributes(data: &[u8]) -> Findings {
    let mut found = Findings::default();
    if data.len() as u64 > ATTRIBUTES_BYTES_MAX {
        found.add(&message::GITATTRIBUTES_LARGE);
    } else if data.split(|&byte| byte == b'\n').any(|line| line.len() >= ATTRIBUTES_LINE_BYTES_MAX) {
        found.add(&message::GITATTRIBUTES_LINE_LENGTH);
    }
    found
}

/// Reads the header lines of a commit or tag: they hold no NUL and end with an empty line, or at the end.
fn check_headers(data: &[u8]) -> Result<(), &'static Message> {
    for (index, &byte) in data.iter().enumerate() {
        match byte {
            0 => return Err(&message::NUL_IN_HEADER),
            b'\n' if data.get(index + 1) == Some(&b'\n') => return Ok(()),
            _ => {}
        }
    }
    if data.ends_with(b"\n") { Ok(()) } else { Err(&message::UNTERMINATED_HEADER) }
}

/// Takes an id and the line feed after it from the front of `rest`.
fn take_id(rest: &mut &[u8], object_format: ObjectFormat) -> Option<ObjectId> {
    let (hex, after) = rest.split_at_checked(object_format.len_in_hex())?;
    let after = after.strip_prefix(b"\n")?;
    let id = ObjectId::from_hex(hex).ok()?;
    *rest = after;
    Some(id)
}

#[cfg(test)]
mod tests;
