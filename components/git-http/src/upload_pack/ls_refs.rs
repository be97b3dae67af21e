//! The command `ls-refs`.

use super::error::Error;
use super::repository::Repository;
use crate::limits::REF_PREFIXES_MAX;
use lithe_git::pkt_line;
use lithe_git::refs::Head;
use std::io::Write as _;

/// Lists refs as the arguments ask.
pub fn serve<'a>(
    repository: &Repository,
    arguments: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, Error> {
    let (mut peels, mut symrefs, mut unborn) = (false, false, false);
    let mut prefixes = Some(Vec::new());
    for argument in arguments {
        match argument {
            b"peel" => peels = true,
            b"symrefs" => symrefs = true,
            b"unborn" => unborn = true,
            other => {
                let prefix = other.strip_prefix(b"ref-prefix ").ok_or_else(|| unexpected(other))?;
                // So many prefixes are worse than none.
                prefixes = prefixes.filter(|prefixes| prefixes.len() < REF_PREFIXES_MAX);
                if let Some(prefixes) = &mut prefixes {
                    prefixes.push(prefix);
                }
            }
        }
    }
    let prefixes = prefixes.unwrap_or_default();
    let is_listed =
        |name: &[u8]| prefixes.is_empty() || prefixes.iter().any(|prefix| name.starts_with(prefix));
    let mut out = Vec::new();
    // Without `symrefs` there would be nothing to say of it.
    if unborn
        && symrefs
        && is_listed(b"HEAD")
        && let Head::Symbolic(target) = &repository.refs.head
        && repository.refs.head_id()?.is_none()
    {
        let line = [b"unborn HEAD symref-target:", &target[..], b"\n"].concat();
        pkt_line::write(&mut out, &line);
    }
    for entry in repository.advertised(is_listed)? {
        let mut line = Vec::with_capacity(128);
        let _ = write!(line, "{} ", entry.id);
        line.extend_from_slice(&entry.name);
        if let Some(target) = entry.symref_target.filter(|_| symrefs) {
            line.extend_from_slice(b" symref-target:");
            line.extend_from_slice(&target);
        }
        if let Some(peeled) = entry.peeled.filter(|_| peels) {
            let _ = write!(line, " peeled:{peeled}");
        }
        line.push(b'\n');
        pkt_line::write(&mut out, &line);
    }
    pkt_line::flush(&mut out);
    Ok(out)
}

fn unexpected(argument: &[u8]) -> Error {
    Error::protocol(format!("unexpected line: '{}'", String::from_utf8_lossy(argument)))
}
