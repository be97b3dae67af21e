//! Trees.

use super::disguise::{self, GITATTRIBUTES, GITIGNORE, GITMODULES, MAILMAP};
use super::{Findings, message};
use crate::format::ObjectFormat;
use gix_hash::ObjectId;
use gix_object::Kind;
use std::cmp::Ordering;

const NAME_BYTES_MAX: usize = 4096;
const TREE: u32 = 0o040000;
const LINK: u32 = 0o120000;
const SUBMODULE: u32 = 0o160000;
const TYPE_MASK: u32 = 0o170000;

struct Entry<'a> {
    mode: u32,
    has_zero_padding: bool,
    name: &'a [u8],
    id: ObjectId,
}

pub(super) fn check(object_format: ObjectFormat, data: &[u8], found: &mut Findings) {
    let mut rest = data;
    let mut order = Order::default();
    while !rest.is_empty() {
        let Some(entry) = take_entry(&mut rest, object_format) else {
            return found.add(&message::BAD_TREE);
        };
        check_entry(&entry, found);
        order.check(&entry, found);
    }
}

fn take_entry<'a>(rest: &mut &'a [u8], object_format: ObjectFormat) -> Option<Entry<'a>> {
    let space = rest.iter().position(|&byte| byte == b' ').filter(|&at| at > 0)?;
    let (digits, after) = (&rest[..space], &rest[space + 1..]);
    let mut mode = 0_u32;
    for digit in digits {
        let value = digit.checked_sub(b'0').filter(|value| *value < 8)?;
        mode = mode.checked_mul(8)? + u32::from(value);
    }
    let nul = after.iter().position(|&byte| byte == 0)?;
    let (name, after) = (&after[..nul], &after[nul + 1..]);
    let (id, after) = after.split_at_checked(object_format.len_in_bytes())?;
    *rest = after;
    Some(Entry { mode, has_zero_padding: digits[0] == b'0', name, id: ObjectId::from_bytes_or_panic(id) })
}

fn check_entry(entry: &Entry, found: &mut Findings) {
    let name = entry.name;
    let is_link = entry.mode & TYPE_MASK == LINK;
    let mut add_if = |wrong: bool, message| {
        if wrong {
            found.add(message);
        }
    };
    add_if(entry.id.is_null(), &message::NULL_SHA1);
    add_if(name.contains(&b'/'), &message::FULL_PATHNAME);
    // Git reports an empty name as a tree that cannot be read.
    add_if(name.is_empty(), &message::BAD_TREE);
    add_if(name.is_empty(), &message::EMPTY_NAME);
    add_if(name == b".", &message::HAS_DOT);
    add_if(name == b"..", &message::HAS_DOTDOT);
    add_if(entry.has_zero_padding, &message::ZERO_PADDED_FILEMODE);
    add_if(name.len() > NAME_BYTES_MAX, &message::LARGE_PATHNAME);
    let is_known = matches!(entry.mode, 0o100644 | 0o100755 | LINK | TREE | SUBMODULE);
    add_if(!is_known, &message::BAD_FILEMODE);
    if disguise::is_suspicious(name) {
        check_special_names(entry, is_link, found);
    }
    match entry.mode & TYPE_MASK {
        SUBMODULE => {}
        TREE => found.links.push((entry.id, Kind::Tree)),
        _ => found.links.push((entry.id, Kind::Blob)),
    }
}

fn check_special_names(entry: &Entry, is_link: bool, found: &mut Findings) {
    // To Windows, each part after a backslash is a name of its own.
    let parts = entry.name.iter().enumerate().filter(|(_, byte)| **byte == b'\\');
    let after_backslash = || parts.clone().map(|(at, _)| &entry.name[at + 1..]);
    if disguise::is_dotgit(entry.name) || after_backslash().any(disguise::is_ntfs_dotgit) {
        found.add(&message::HAS_DOTGIT);
    }
    if GITMODULES.is(entry.name) || after_backslash().any(|name| GITMODULES.is_ntfs(name)) {
        if is_link {
            found.add(&message::GITMODULES_SYMLINK);
        } else {
            found.gitmodules.push(entry.id);
        }
    }
    if GITATTRIBUTES.is(entry.name) {
        if is_link {
            found.add(&message::GITATTRIBUTES_SYMLINK);
        } else {
            found.gitattributes.push(entry.id);
        }
    }
    if is_link && GITIGNORE.is(entry.name) {
        found.add(&message::GITIGNORE_SYMLINK);
    }
    if is_link && MAILMAP.is(entry.name) {
        found.add(&message::MAILMAP_SYMLINK);
    }
}

/// Entries are sorted as if directories ended with a slash; so a file and a directory of the same
/// name can be apart, with names between them that begin with theirs.
#[derive(Default)]
struct Order<'a> {
    last: Option<(&'a [u8], bool)>,
    /// Files whose name all names since begin with: each begins with the one before.
    files: Vec<&'a [u8]>,
}

impl<'a> Order<'a> {
    fn check(&mut self, entry: &Entry<'a>, found: &mut Findings) {
        let is_tree = entry.mode & TYPE_MASK == TREE;
        if let Some((last, last_is_tree)) = self.last {
            if last == entry.name {
                found.add(&message::DUPLICATE_ENTRIES);
            } else if compare(last, last_is_tree, entry.name, is_tree) == Ordering::Greater {
                found.add(&message::TREE_NOT_SORTED);
            }
        }
        while self.files.last().is_some_and(|file| !entry.name.starts_with(file)) {
            self.files.pop();
        }
        if self.files.last() == Some(&entry.name) {
            found.add(&message::DUPLICATE_ENTRIES);
        }
        if !is_tree {
            self.files.push(entry.name);
        }
        self.last = Some((entry.name, is_tree));
    }
}

fn compare(a: &[u8], a_is_tree: bool, b: &[u8], b_is_tree: bool) -> Ordering {
    let common = a.len().min(b.len());
    let next = |name: &[u8], is_tree: bool| match name.get(common) {
        Some(&byte) => byte,
        None if is_tree => b'/',
        None => 0,
    };
    a[..common].cmp(&b[..common]).then_with(|| next(a, a_is_tree).cmp(&next(b, b_is_tree)))
}
