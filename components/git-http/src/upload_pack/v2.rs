//! Protocol version 2 (gitprotocol-v2).

use super::body::Framing;
use super::error::Error;
use super::repository::Repository;
use super::request::Fetch;
use super::{Reply, agent, bundle_uri, ls_refs, object_info, select};
use gix_hash::ObjectId;
use lithe_git::format::ObjectFormat;
use lithe_git::pkt_line::{self, Line, Lines};
use lithe_git::walk::shallow::Boundary;
use std::path::Path;

/// The capabilities of a repository, each with its line in the advertisement.
pub fn capabilities(repository: &Repository) -> Result<Vec<u8>, Error> {
    let (agent, object_format) = (agent(), format!("object-format={}", repository.object_format()));
    let mut lines = vec![
        "version 2",
        &agent,
        "ls-refs=unborn",
        "fetch=shallow wait-for-done filter ref-in-want",
        "server-option",
        &object_format,
        "object-info",
    ];
    lines.extend(bundle_uri::is_advertised(repository)?.then_some("bundle-uri"));
    let mut out = Vec::new();
    for line in lines {
        pkt_line::write_text(&mut out, format_args!("{line}\n"));
    }
    pkt_line::flush(&mut out);
    Ok(out)
}

/// Carries out one command.
pub fn serve(repository: Repository, cache_dir: &Path, request: &[u8]) -> Result<Reply, Error> {
    let object_format = repository.object_format();
    let Some((command, arguments)) = parse(request, object_format)? else {
        return Ok(Reply::Bytes(Vec::new()));
    };
    let arguments = arguments.into_iter();
    match command {
        b"ls-refs" => ls_refs::serve(&repository, arguments).map(Reply::Bytes),
        b"bundle-uri" if bundle_uri::is_advertised(&repository)? => {
            bundle_uri::serve(&repository, arguments).map(Reply::Bytes)
        }
        b"object-info" => object_info::serve(&repository, arguments).map(Reply::Bytes),
        b"fetch" => fetch(repository, cache_dir, parse_fetch(arguments, object_format)?),
        other => Err(Error::protocol(format!("invalid command '{}'", String::from_utf8_lossy(other)))),
    }
}

type Command<'a> = (&'a [u8], Vec<&'a [u8]>);

/// Reads a request: the command and its capabilities, then its arguments. None: only a flush.
fn parse(request: &[u8], object_format: ObjectFormat) -> Result<Option<Command<'_>>, Error> {
    let mut lines = Lines::new(request);
    // Who does not name the format has not heard of any but the first.
    let mut client_format = "sha1".to_owned();
    let mut command = None;
    let has_arguments = loop {
        let line = match lines.line()? {
            Some(line @ Line::Data(_)) => line.text().unwrap_or_default(),
            Some(Line::Delimiter) => break true,
            Some(Line::Flush) | None => break false,
            Some(Line::ResponseEnd) => return Err(Error::protocol("unexpected response end")),
        };
        if let Some(name) = line.strip_prefix(b"command=") {
            if command.replace(name).is_some() {
                return Err(Error::protocol("more than one command in a request"));
            }
        } else {
            check_capability(line, &mut client_format)?;
        }
    };
    if command.is_some() && client_format != object_format.to_string() {
        return Err(Error::protocol(format!(
            "mismatched object format: server {object_format}; client {client_format}"
        )));
    }
    let mut arguments = Vec::new();
    if has_arguments {
        loop {
            match lines.line()? {
                Some(line @ Line::Data(_)) => arguments.push(line.text().unwrap_or_default()),
                Some(Line::Flush) | None => break,
                Some(_) => return Err(Error::protocol("expected flush after the arguments")),
            }
        }
    }
    match command {
        Some(command) => Ok(Some((command, arguments))),
        None if !has_arguments => Ok(None),
        None => Err(Error::protocol("no command requested")),
    }
}

fn check_capability(line: &[u8], client_format: &mut String) -> Result<(), Error> {
    if let Some(format) = line.strip_prefix(b"object-format=") {
        *client_format = String::from_utf8_lossy(format).into_owned();
        return Ok(());
    }
    let is_known =
        [&b"agent="[..], b"server-option=", b"session-id="].iter().any(|key| line.starts_with(key));
    if is_known {
        Ok(())
    } else {
        Err(Error::protocol(format!("unknown capability '{}'", String::from_utf8_lossy(line))))
    }
}

fn parse_fetch<'a>(
    arguments: impl Iterator<Item = &'a [u8]>,
    object_format: ObjectFormat,
) -> Result<Fetch, Error> {
    let mut fetch = Fetch::new(object_format);
    for argument in arguments {
        let space = argument.iter().position(|byte| *byte == b' ').unwrap_or(argument.len());
        let (key, value) = argument.split_at(space);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match key {
            b"want" => fetch.want(value)?,
            b"want-ref" => fetch.want_ref(value)?,
            b"have" => fetch.have(value)?,
            b"shallow" => fetch.shallow(value)?,
            b"deepen" => fetch.deepen(value)?,
            b"deepen-since" => fetch.deepen_since(value)?,
            b"deepen-not" => fetch.deepen_not(value)?,
            b"filter" => fetch.filter(value)?,
            b"done" => fetch.is_done = true,
            b"wait-for-done" => fetch.wait_for_done = true,
            b"deepen-relative" => fetch.is_depth_relative = true,
            b"thin-pack" => fetch.options.thin = true,
            b"ofs-delta" => fetch.options.ofs_delta = true,
            b"include-tag" => fetch.options.include_tag = true,
            b"no-progress" => fetch.options.no_progress = true,
            _ => {
                let argument = String::from_utf8_lossy(argument);
                return Err(Error::protocol(format!("unexpected line: '{argument}'")));
            }
        }
    }
    fetch.check()?;
    Ok(fetch)
}

/// Answers a fetch: with what is in common, with a pack, or with one after the other.
fn fetch(repository: Repository, cache_dir: &Path, mut fetch: Fetch) -> Result<Reply, Error> {
    let wanted_refs = select::resolve_want_refs(&repository, &mut fetch)?;
    if fetch.wants.is_empty() && !fetch.wait_for_done {
        return Ok(Reply::Bytes(Vec::new()));
    }
    select::check_allowed(&repository, &fetch.wants)?;
    let mut out = Vec::new();
    fetch.haves = {
        let common = select::common(&repository, &fetch.haves)?;
        if !fetch.haves.is_empty() && !fetch.is_done && !acknowledge(&repository, &fetch, &common, &mut out)?
        {
            return Ok(Reply::Bytes(out));
        }
        common
    };
    let boundary = select::boundary(&repository, &fetch)?;
    if fetch.deepens() || boundary != Boundary::default() {
        pkt_line::write(&mut out, b"shallow-info\n");
        write_boundary(&mut out, &boundary);
        pkt_line::delimiter(&mut out);
    }
    if !wanted_refs.is_empty() {
        write_wanted_refs(&mut out, &wanted_refs);
    }
    pkt_line::write(&mut out, b"packfile\n");
    select::pack(repository, cache_dir, &fetch, &boundary, out, Framing::SideBand64k)
}

/// Writes the section `acknowledgments`; true: the pack follows.
fn acknowledge(
    repository: &Repository,
    fetch: &Fetch,
    common: &[ObjectId],
    out: &mut Vec<u8>,
) -> Result<bool, Error> {
    pkt_line::write(out, b"acknowledgments\n");
    if common.is_empty() {
        pkt_line::write(out, b"NAK\n");
    }
    let mut negotiation = select::Negotiation::new(repository.store()?);
    for id in common {
        pkt_line::write_text(out, format_args!("ACK {id}\n"));
        negotiation.add(&fetch.wants, *id)?;
    }
    let is_ready = !fetch.wait_for_done && negotiation.is_ready()?;
    if is_ready {
        pkt_line::write(out, b"ready\n");
        pkt_line::delimiter(out);
    } else {
        pkt_line::flush(out);
    }
    Ok(is_ready)
}

/// Writes the lines `shallow` and `unshallow`.
pub fn write_boundary(out: &mut Vec<u8>, boundary: &Boundary) {
    for id in &boundary.shallow {
        pkt_line::write_text(out, format_args!("shallow {id}"));
    }
    for id in &boundary.unshallow {
        pkt_line::write_text(out, format_args!("unshallow {id}"));
    }
}

fn write_wanted_refs(out: &mut Vec<u8>, wanted_refs: &[(ObjectId, String)]) {
    pkt_line::write(out, b"wanted-refs\n");
    for (id, name) in wanted_refs {
        pkt_line::write_text(out, format_args!("{id} {name}\n"));
    }
    pkt_line::delimiter(out);
}
