//! The command `object-info`.

use super::error::Error;
use super::repository::Repository;
use super::request::object_id;
use super::select;
use crate::limits::OBJECT_INFO_IDS_MAX;
use lithe_git::{odb, pkt_line};

/// Tells the sizes of objects; of one that is not there, nothing.
pub fn serve<'a>(
    repository: &Repository,
    arguments: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, Error> {
    let mut is_size_asked = false;
    let mut ids = Vec::new();
    for argument in arguments {
        match argument.strip_prefix(b"oid ") {
            Some(_) if ids.len() == OBJECT_INFO_IDS_MAX => {
                return Err(Error::TooMany { what: "objects", limit: OBJECT_INFO_IDS_MAX });
            }
            Some(id) => ids.push(object_id(id, repository.object_format())?),
            None if argument == b"size" => is_size_asked = true,
            None => return Err(Error::protocol("object-info: unexpected argument")),
        }
    }
    // Of what others may not know of, not even the size is told; to say of each whether it is, a walk
    // through all history would be needed for each.
    if repository.has_hidden_refs() {
        select::check_reachable(repository, &ids)?;
    }
    let mut out = Vec::new();
    if is_size_asked {
        pkt_line::write(&mut out, b"size");
    }
    for id in ids {
        let header = match repository.store()?.is_borrowed(&id)? && !repository.has(&id)? {
            true => Err(odb::Error::Missing(id)),
            false => repository.store()?.object_header(&id),
        };
        let size = match header {
            Ok((_, size)) => size.to_string(),
            Err(odb::Error::Missing(_)) => String::new(),
            Err(error) => return Err(error.into()),
        };
        match is_size_asked {
            true => pkt_line::write_text(&mut out, format_args!("{id} {size}")),
            false => pkt_line::write_text(&mut out, format_args!("{id}")),
        }
    }
    pkt_line::flush(&mut out);
    Ok(out)
}
