//! Tags.

use super::message::{self, Message};
use super::{Findings, check_headers, ident, take_id};
use crate::format::ObjectFormat;
use bstr::ByteSlice;
use gix_object::Kind;

pub(super) fn check(
    object_format: ObjectFormat,
    data: &[u8],
    found: &mut Findings,
) -> Result<(), &'static Message> {
    check_headers(data)?;
    let mut rest = data.strip_prefix(b"object ").ok_or(&message::MISSING_OBJECT)?;
    let object = take_id(&mut rest, object_format).ok_or(&message::BAD_OBJECT_SHA1)?;
    rest = rest.strip_prefix(b"type ").ok_or(&message::MISSING_TYPE_ENTRY)?;
    let kind = take_line(&mut rest).ok_or(&message::MISSING_TYPE)?;
    let kind = Kind::from_bytes(kind).map_err(|_| &message::BAD_TYPE)?;
    found.links.push((object, kind));
    rest = rest.strip_prefix(b"tag ").ok_or(&message::MISSING_TAG_ENTRY)?;
    let name = take_line(&mut rest).ok_or(&message::MISSING_TAG)?;
    let as_ref = [b"refs/tags/", name].concat();
    if gix_validate::reference::name(as_ref.as_bstr()).is_err() {
        found.add(&message::BAD_TAG_NAME);
    }
    match rest.strip_prefix(b"tagger ") {
        Some(after) => {
            rest = after;
            ident::take(&mut rest)?;
        }
        None => found.add(&message::MISSING_TAGGER_ENTRY),
    }
    signature(rest)
}

/// A signature in the header goes on over lines that begin with a space.
fn signature(rest: &[u8]) -> Result<(), &'static Message> {
    let begins = rest.strip_prefix(b"gpgsig ").or_else(|| rest.strip_prefix(b"gpgsig-sha256 "));
    let Some(mut rest) = begins else {
        return Ok(());
    };
    take_line(&mut rest).ok_or(&message::BAD_GPGSIG)?;
    while rest.starts_with(b" ") {
        take_line(&mut rest).ok_or(&message::BAD_HEADER_CONTINUATION)?;
    }
    Ok(())
}

fn take_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (line, after) = rest.split_once_str("\n")?;
    *rest = after;
    Some(line)
}
