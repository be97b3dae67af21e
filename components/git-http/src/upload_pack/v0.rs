//! Protocol versions 0 and 1 over HTTP: every request brings the whole conversation (gitprotocol-http).

use super::body::Framing;
use super::error::Error;
use super::repository::{Advertised, Repository};
use super::request::{Fetch, Options};
use super::v2::write_boundary;
use super::{Reply, Version, agent, select};
use gix_hash::ObjectId;
use lithe_git::format::ObjectFormat;
use lithe_git::pkt_line::{self, Line, Lines};
use lithe_git::walk::shallow::Boundary;
use std::fmt::Write as _;
use std::path::Path;

const CAPABILITIES: &str = "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since \
    deepen-not deepen-relative no-progress include-tag multi_ack_detailed no-done \
    allow-tip-sha1-in-want allow-reachable-sha1-in-want filter";

/// The refs with the capabilities, after the announcement of the service.
pub fn advertise(repository: &Repository, version: Version) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    pkt_line::write(&mut out, b"# service=git-upload-pack\n");
    pkt_line::flush(&mut out);
    if version == Version::V1 {
        pkt_line::write(&mut out, b"version 1\n");
    }
    let refs = repository.advertised(|_| true)?;
    let mut capabilities = Some(capabilities(repository, &refs));
    let mut line = |id: &ObjectId, name: &[u8]| {
        let mut line = format!("{id} ").into_bytes();
        line.extend_from_slice(name);
        if let Some(capabilities) = capabilities.take() {
            line.push(0);
            line.extend_from_slice(capabilities.as_bytes());
        }
        line.push(b'\n');
        pkt_line::write(&mut out, &line);
    };
    if refs.is_empty() {
        line(&ObjectId::null(repository.object_format()), b"capabilities^{}");
    }
    for entry in &refs {
        line(&entry.id, &entry.name);
        if let Some(peeled) = &entry.peeled {
            line(peeled, &[&entry.name[..], b"^{}"].concat());
        }
    }
    let mut shallow: Vec<_> = repository.shallow()?.into_iter().collect();
    shallow.sort_unstable();
    for id in shallow {
        pkt_line::write_text(&mut out, format_args!("shallow {id}"));
    }
    pkt_line::flush(&mut out);
    Ok(out)
}

fn capabilities(repository: &Repository, refs: &[Advertised]) -> String {
    let mut capabilities = CAPABILITIES.to_owned();
    let head = refs.iter().find(|entry| entry.name == b"HEAD");
    if let Some(target) = head.and_then(|head| head.symref_target.as_ref()) {
        let _ = write!(capabilities, " symref=HEAD:{}", String::from_utf8_lossy(target));
    }
    let _ = write!(capabilities, " object-format={} {}", repository.object_format(), agent());
    capabilities
}

/// How what is in common is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Acknowledgment {
    #[default]
    Single,
    Multiple,
    Detailed,
}

/// A request as far as the first flush, and what follows it.
struct Conversation<'a> {
    fetch: Fetch,
    acknowledgment: Acknowledgment,
    no_done: bool,
    framing: Framing,
    rest: Lines<'a>,
}

/// Answers one request.
pub fn serve(repository: Repository, cache_dir: &Path, request: &[u8]) -> Result<Reply, Error> {
    let mut conversation = parse(request, repository.object_format())?;
    if conversation.fetch.wants.is_empty() {
        return Ok(Reply::Bytes(Vec::new()));
    }
    select::check_reachable(&repository, &conversation.fetch.wants)?;
    let mut out = Vec::new();
    let boundary = select::boundary(&repository, &conversation.fetch)?;
    if conversation.fetch.deepens() {
        write_boundary(&mut out, &boundary);
        pkt_line::flush(&mut out);
    }
    if !negotiate(&repository, &mut conversation, &mut out)? {
        return Ok(Reply::Bytes(out));
    }
    // Where our own history is cut was advertised: only what was asked for is told.
    let boundary = if conversation.fetch.deepens() { boundary } else { Boundary::default() };
    select::pack(repository, cache_dir, &conversation.fetch, &boundary, out, conversation.framing)
}

fn parse(request: &[u8], object_format: ObjectFormat) -> Result<Conversation<'_>, Error> {
    let mut conversation = Conversation {
        fetch: Fetch::new(object_format),
        acknowledgment: Acknowledgment::default(),
        no_done: false,
        framing: Framing::None,
        rest: Lines::new(request),
    };
    let mut is_first = true;
    while let Some(line) = conversation.rest.line()? {
        let Line::Data(_) = line else { break };
        let text = line.text().unwrap_or_default();
        let (key, value) = split(text);
        match key {
            b"want" => {
                let (id, capabilities) = split(value);
                conversation.fetch.want(id)?;
                if is_first {
                    conversation.read_capabilities(capabilities, object_format)?;
                    is_first = false;
                }
            }
            b"shallow" => conversation.fetch.shallow(value)?,
            b"deepen" => conversation.fetch.deepen(value)?,
            b"deepen-since" => conversation.fetch.deepen_since(value)?,
            b"deepen-not" => conversation.fetch.deepen_not(value)?,
            b"filter" => conversation.fetch.filter(value)?,
            _ => {
                return Err(Error::protocol(format!(
                    "expected 'want', got '{}'",
                    String::from_utf8_lossy(text)
                )));
            }
        }
    }
    conversation.fetch.check()?;
    Ok(conversation)
}

fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let space = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    (&line[..space], line.get(space + 1..).unwrap_or_default())
}

impl Conversation<'_> {
    fn read_capabilities(&mut self, capabilities: &[u8], object_format: ObjectFormat) -> Result<(), Error> {
        let options: &mut Options = &mut self.fetch.options;
        for capability in capabilities.split(|byte| *byte == b' ') {
            match capability {
                b"multi_ack_detailed" => self.acknowledgment = Acknowledgment::Detailed,
                b"multi_ack" if self.acknowledgment == Acknowledgment::Single => {
                    self.acknowledgment = Acknowledgment::Multiple;
                }
                b"no-done" => self.no_done = true,
                b"thin-pack" => options.thin = true,
                b"ofs-delta" => options.ofs_delta = true,
                b"include-tag" => options.include_tag = true,
                b"no-progress" => options.no_progress = true,
                b"deepen-relative" => self.fetch.is_depth_relative = true,
                b"side-band-64k" => self.framing = Framing::SideBand64k,
                b"side-band" if self.framing == Framing::None => self.framing = Framing::SideBand,
                other => {
                    if let Some(format) = other.strip_prefix(b"object-format=")
                        && format != object_format.to_string().as_bytes()
                    {
                        let format = String::from_utf8_lossy(format);
                        return Err(Error::protocol(format!(
                            "mismatched object format: server {object_format}; client {format}"
                        )));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Acknowledges the haves; true: the pack follows.
fn negotiate(
    repository: &Repository,
    conversation: &mut Conversation<'_>,
    out: &mut Vec<u8>,
) -> Result<bool, Error> {
    let Conversation { fetch, acknowledgment, no_done, rest, .. } = conversation;
    let acknowledges_many = *acknowledgment != Acknowledgment::Single;
    let mut common: Vec<ObjectId> = Vec::new();
    let (mut got_common, mut got_other, mut sent_ready) = (false, false, false);
    let store = repository.store()?;
    let mut negotiation = select::Negotiation::new(store);
    loop {
        // A request that ends without a flush says no more: with `deepen`, the client first wants to
        // hear of the boundary alone.
        let Some(line) = rest.line()? else { return Ok(false) };
        let Some(text) = line.text() else {
            if *acknowledgment == Acknowledgment::Detailed
                && got_common
                && !got_other
                && negotiation.is_ready()?
            {
                sent_ready = true;
                write_ack(out, &common, " ready");
            }
            if common.is_empty() || acknowledges_many {
                pkt_line::write(out, b"NAK\n");
            }
            if *no_done && sent_ready {
                write_ack(out, &common, "");
                fetch.haves = common;
                return Ok(true);
            }
            if rest.rest().is_empty() {
                return Ok(false);
            }
            (got_common, got_other) = (false, false);
            continue;
        };
        let (key, value) = split(text);
        match key {
            b"have" => {
                fetch.have(value)?;
                let id = *fetch.haves.last().expect("it was just added");
                if repository.has(&id)? {
                    got_common = true;
                    common.push(id);
                    if acknowledges_many {
                        negotiation.add(&fetch.wants, id)?;
                    }
                    match acknowledgment {
                        Acknowledgment::Detailed => write_ack(out, &common, " common"),
                        Acknowledgment::Multiple => write_ack(out, &common, " continue"),
                        Acknowledgment::Single if common.len() == 1 => write_ack(out, &common, ""),
                        Acknowledgment::Single => {}
                    }
                } else {
                    got_other = true;
                    if acknowledges_many && !sent_ready && negotiation.is_ready()? {
                        let is_detailed = *acknowledgment == Acknowledgment::Detailed;
                        sent_ready = is_detailed;
                        let status = if is_detailed { " ready" } else { " continue" };
                        pkt_line::write_text(out, format_args!("ACK {id}{status}\n"));
                    }
                }
            }
            b"done" => {
                if common.is_empty() {
                    pkt_line::write(out, b"NAK\n");
                } else if acknowledges_many {
                    write_ack(out, &common, "");
                }
                fetch.haves = common;
                return Ok(true);
            }
            _ => {
                return Err(Error::protocol(format!(
                    "expected 'have', got '{}'",
                    String::from_utf8_lossy(text)
                )));
            }
        }
    }
}

fn write_ack(out: &mut Vec<u8>, common: &[ObjectId], status: &str) {
    if let Some(id) = common.last() {
        pkt_line::write_text(out, format_args!("ACK {id}{status}\n"));
    }
}
