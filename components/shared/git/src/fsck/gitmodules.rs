//! `.gitmodules`: settings that would make a careless client run a command or leave the work tree.

use super::{ATTRIBUTES_BYTES_MAX, Findings, message};
use bstr::ByteSlice;

pub(super) fn check(data: &[u8], found: &mut Findings) {
    if data.len() as u64 > ATTRIBUTES_BYTES_MAX {
        return found.add(&message::GITMODULES_LARGE);
    }
    let is_read = Parser { rest: data }.each(|setting| {
        if !is_name_safe(&setting.submodule) {
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

/// `submodule.<submodule>.<key> = <value>`
struct Setting {
    submodule: Vec<u8>,
    /// In lower case.
    key: String,
    /// None: the key stands alone.
    value: Option<Vec<u8>>,
}

/// Reads the syntax of git-config(1), "Syntax".
struct Parser<'a> {
    rest: &'a [u8],
}

impl Parser<'_> {
    /// Calls `visit` with every setting of a submodule; none if the file cannot be read to its end.
    fn each(mut self, mut visit: impl FnMut(&Setting)) -> Option<()> {
        self.rest = self.rest.strip_prefix("\u{feff}".as_bytes()).unwrap_or(self.rest);
        let mut submodule = None;
        loop {
            self.skip(|byte| byte.is_ascii_whitespace());
            match self.rest.first() {
                None => return Some(()),
                Some(b'#' | b';') => self.skip(|byte| byte != b'\n'),
                Some(b'[') => submodule = self.section()?,
                Some(_) => {
                    let (key, value) = self.setting()?;
                    if let Some(submodule) = &submodule {
                        visit(&Setting { submodule: Vec::clone(submodule), key, value });
                    }
                }
            }
        }
    }

    fn skip(&mut self, while_: impl Fn(u8) -> bool) {
        let len = self.rest.iter().take_while(|byte| while_(**byte)).count();
        self.rest = &self.rest[len..];
    }

    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    /// Reads `[section]` or `[section "name"]`; returns the name if the section is `submodule`.
    fn section(&mut self) -> Option<Option<Vec<u8>>> {
        self.next();
        let start = self.rest;
        self.skip(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        let section = &start[..start.len() - self.rest.len()];
        match self.next()? {
            // The old form `[submodule.name]`.
            b']' => {
                let dotted =
                    section.split_once_str(".").filter(|(name, _)| name.eq_ignore_ascii_case(b"submodule"));
                return Some(dotted.map(|(_, name)| name.to_ascii_lowercase()));
            }
            b' ' | b'\t' => {}
            _ => return None,
        }
        self.skip(|byte| b" \t".contains(&byte));
        if self.next()? != b'"' {
            return None;
        }
        let mut name = Vec::new();
        loop {
            match self.next()? {
                b'"' => break,
                b'\n' => return None,
                b'\\' => name.push(self.next().filter(|byte| *byte != b'\n')?),
                byte => name.push(byte),
            }
        }
        (self.next()? == b']').then(|| section.eq_ignore_ascii_case(b"submodule").then_some(name))
    }

    fn setting(&mut self) -> Option<(String, Option<Vec<u8>>)> {
        let start = self.rest;
        self.skip(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let key = start[..start.len() - self.rest.len()].to_str().ok()?.to_ascii_lowercase();
        if !key.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return None;
        }
        self.skip(|byte| b" \t".contains(&byte));
        match self.rest.first() {
            None | Some(b'\n') => Some((key, None)),
            Some(b'=') => {
                self.next();
                Some((key, Some(self.value()?)))
            }
            Some(_) => None,
        }
    }

    fn value(&mut self) -> Option<Vec<u8>> {
        self.skip(|byte| b" \t".contains(&byte));
        let mut value = Vec::new();
        // What is in quotes is kept; spaces at the end outside of them are not.
        let mut kept = 0;
        let mut is_quoted = false;
        loop {
            match self.next() {
                None | Some(b'\n') if is_quoted => return None,
                None | Some(b'\n') => break,
                Some(b'\r') if !is_quoted && self.rest.first().is_none_or(|byte| *byte == b'\n') => {}
                Some(b'#' | b';') if !is_quoted => self.skip(|byte| byte != b'\n'),
                Some(b'"') => {
                    is_quoted = !is_quoted;
                    kept = value.len();
                }
                Some(b'\\') => {
                    match self.next()? {
                        b'\n' => continue,
                        b't' => value.push(b'\t'),
                        b'n' => value.push(b'\n'),
                        b'b' => value.push(8),
                        byte @ (b'"' | b'\\') => value.push(byte),
                        _ => return None,
                    }
                    kept = value.len();
                }
                Some(byte) => {
                    value.push(byte);
                    if is_quoted || !byte.is_ascii_whitespace() {
                        kept = value.len();
                    }
                }
            }
        }
        value.truncate(kept);
        Some(value)
    }
}
