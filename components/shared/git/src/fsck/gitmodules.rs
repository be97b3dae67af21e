//! `.gitmodules`: settings that would make a careless client run a command or leave the work tree.

use super::{ATTRIBUTES_BYTES_MAX, Findings, message};
use crate::config;
use bstr::ByteSlice;

pub(super) fn check(data: &[u8], found: &mut Findings) {
    if data.len() as u64 > ATTRIBUTES_BYTES_MAX {
        return found.add(&message::GITMODULES_LARGE);
    }
    let is_read = config::each_setting(data, |setting| {
        let Some(submodule) = setting.subsection.as_ref().filter(|_| setting.section == "submodule") else {
            return;
        };
        if !is_name_safe(submodule) {
            found.add(&message::GITMODULES_NAME);
        }
        let value = setting.value.as_deref().unwrap_or_default();
        match setting.key.as_str() {
            "url" if !is_url_safe(value) => found.add(&message::GITMODULES_URL),
            "path" if value.starts_with(b"-") => found.add(&message::GITMODULES_PATH),
            "update" if value.starts_with(b"!") => found.add(&message::GITMODULES_UPDATE),
            _ => {}
        }
    });
    if is_read.is_none() {
        found.add(&message::GITMODULES_PARSE);
    }
}

/// A name is also a path below `modules/`.
fn is_name_safe(name: &[u8]) -> bool {
    !name.is_empty() && name.split(|byte| b"/\\".contains(byte)).all(|part| part != b"..")
}

/// A url must not be an option, hide a line feed for a credential helper, or climb out of the
/// superproject's own host.
fn is_url_safe(url: &[u8]) -> bool {
    if url.starts_with(b"-") {
        return false;
    }
    let is_relative = url.starts_with(b"./") || url.starts_with(b"../");
    if is_relative || url.starts_with(b"git://") {
        return !decoded(url).contains(&b'\n') && !climbs_to_a_host(url);
    }
    let schemes: [&[u8]; 4] = [b"http", b"https", b"ftp", b"ftps"];
    let after_scheme =
        |text: &'_ [u8]| schemes.iter().find_map(|scheme| url.strip_prefix(&[*scheme, text].concat()[..]));
    match after_scheme(b"::").or_else(|| after_scheme(b"://").map(|_| url)) {
        None => true,
        Some(web) => {
            let host = web.find("://").map(|at| &web[at + 3..]);
            !decoded(web).contains(&b'\n')
                && host.is_some_and(|host| !host.is_empty() && !b"/:".contains(&host[0]))
        }
    }
}

/// After `../`s, a colon or slash would begin a new address.
fn climbs_to_a_host(url: &[u8]) -> bool {
    let mut rest = url;
    let mut climbs = 0;
    loop {
        if let Some(after) = rest.strip_prefix(b"./") {
            rest = after;
        } else if let Some(after) = rest.strip_prefix(b"../") {
            climbs += 1;
            rest = after;
        } else {
            return climbs > 0 && rest.first().is_some_and(|byte| b":/".contains(byte));
        }
    }
}

/// Resolves `%0a` and the like.
fn decoded(url: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(url.len());
    let mut rest = url;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| byte == b'%').and_then(|hex| hex.to_str().ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                text.push(value);
                rest = &after[2..];
            }
            None => {
                text.push(byte);
                rest = after;
            }
        }
    }
    text
}
