//! Commits.

use super::message::{self, Message};
use super::{Findings, check_headers, ident, take_id};
use crate::format::ObjectFormat;
use gix_object::Kind;

pub(super) fn check(
    object_format: ObjectFormat,
    data: &[u8],
    found: &mut Findings,
) -> Result<(), &'static Message> {
    check_headers(data)?;
    let mut rest = data.strip_prefix(b"tree ").ok_or(&message::MISSING_TREE)?;
    let tree = take_id(&mut rest, object_format).ok_or(&message::BAD_TREE_SHA1)?;
    found.links.push((tree, Kind::Tree));
    while let Some(after) = rest.strip_prefix(b"parent ") {
        rest = after;
        let parent = take_id(&mut rest, object_format).ok_or(&message::BAD_PARENT_SHA1)?;
        found.links.push((parent, Kind::Commit));
    }
    let mut authors = 0;
    while let Some(after) = rest.strip_prefix(b"author ") {
        rest = after;
        authors += 1;
        ident::take(&mut rest)?;
    }
    match authors {
        0 => return Err(&message::MISSING_AUTHOR),
        1 => {}
        _ => return Err(&message::MULTIPLE_AUTHORS),
    }
    rest = rest.strip_prefix(b"committer ").ok_or(&message::MISSING_COMMITTER)?;
    ident::take(&mut rest)?;
    if rest.contains(&0) { Err(&message::NUL_IN_COMMIT) } else { Ok(()) }
}
