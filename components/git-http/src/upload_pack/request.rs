//! What a fetch asks for, in either form of the protocol.

use super::error::Error;
use crate::limits::{DEEPEN_NOT_MAX, HAVES_MAX, SHALLOWS_MAX, WANTS_MAX};
use gix_hash::ObjectId;
use lithe_git::format::ObjectFormat;
use lithe_git::walk::Filter;
use std::collections::HashSet;

/// A request for a pack, or for the next step towards one.
#[derive(Debug, Clone)]
pub struct Fetch {
    object_format: ObjectFormat,
    pub wants: Vec<ObjectId>,
    /// Refs that are wanted by name.
    pub want_refs: Vec<String>,
    pub haves: Vec<ObjectId>,
    pub is_done: bool,
    pub wait_for_done: bool,
    /// Where the client's history is cut.
    pub shallow: HashSet<ObjectId>,
    pub depth: Option<u32>,
    pub is_depth_relative: bool,
    pub since: Option<i64>,
    pub not: Vec<String>,
    pub filter: Filter,
    pub options: Options,
}

/// How the pack is to be made and sent.
#[derive(Debug, Default, Clone, Copy)]
pub struct Options {
    pub thin: bool,
    pub ofs_delta: bool,
    pub include_tag: bool,
    pub no_progress: bool,
    /// The packets that carry every other part of the response too.
    pub sideband_all: bool,
}

impl Fetch {
    /// A request that says nothing yet, to a repository of that format.
    pub fn new(object_format: ObjectFormat) -> Self {
        Self {
            object_format,
            wants: Vec::new(),
            want_refs: Vec::new(),
            haves: Vec::new(),
            is_done: false,
            wait_for_done: false,
            shallow: HashSet::new(),
            depth: None,
            is_depth_relative: false,
            since: None,
            not: Vec::new(),
            filter: Filter::default(),
            options: Options::default(),
        }
    }

    /// Whether the client's history is to be cut elsewhere.
    pub fn deepens(&self) -> bool {
        self.depth.is_some() || self.since.is_some() || !self.not.is_empty()
    }

    pub fn want(&mut self, hex: &[u8]) -> Result<(), Error> {
        push(&mut self.wants, object_id(hex, self.object_format)?, "wants", WANTS_MAX)
    }

    pub fn want_ref(&mut self, name: &[u8]) -> Result<(), Error> {
        push(&mut self.want_refs, text(name)?.into(), "wanted refs", WANTS_MAX)
    }

    pub fn have(&mut self, hex: &[u8]) -> Result<(), Error> {
        push(&mut self.haves, object_id(hex, self.object_format)?, "haves", HAVES_MAX)
    }

    pub fn shallow(&mut self, hex: &[u8]) -> Result<(), Error> {
        if self.shallow.len() == SHALLOWS_MAX {
            return Err(Error::TooMany { what: "shallow commits", limit: SHALLOWS_MAX });
        }
        self.shallow.insert(object_id(hex, self.object_format)?);
        Ok(())
    }

    pub fn deepen_not(&mut self, name: &[u8]) -> Result<(), Error> {
        push(&mut self.not, text(name)?.into(), "refs to be left out", DEEPEN_NOT_MAX)
    }

    pub fn deepen(&mut self, depth: &[u8]) -> Result<(), Error> {
        let depth: u32 = number(depth)?;
        if depth == 0 {
            return Err(Error::protocol("a depth has to be positive"));
        }
        // Git asks for all history by the largest number that it knows.
        self.depth = Some(if depth >= i32::MAX as u32 { u32::MAX } else { depth });
        Ok(())
    }

    pub fn deepen_since(&mut self, since: &[u8]) -> Result<(), Error> {
        self.since = Some(number(since)?);
        Ok(())
    }

    pub fn filter(&mut self, spec: &[u8]) -> Result<(), Error> {
        self.filter = Filter::parse(text(spec)?)?;
        Ok(())
    }

    /// Checks what only the whole request can tell.
    pub fn check(&self) -> Result<(), Error> {
        if self.depth.is_some() && (self.since.is_some() || !self.not.is_empty()) {
            return Err(Error::protocol("deepen and deepen-since (or deepen-not) cannot be used together"));
        }
        Ok(())
    }
}

pub fn object_id(hex: &[u8], object_format: ObjectFormat) -> Result<ObjectId, Error> {
    let id = ObjectId::from_hex(hex).ok().filter(|id| id.kind() == object_format);
    id.ok_or_else(|| Error::protocol(format!("{:?} is not an object id", String::from_utf8_lossy(hex))))
}

pub fn text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|_| Error::protocol("an argument is not UTF-8"))
}

fn number<T: std::str::FromStr>(digits: &[u8]) -> Result<T, Error> {
    let digits = text(digits)?;
    digits.parse().map_err(|_| Error::protocol(format!("{digits:?} is not a number that is possible there")))
}

fn push<T>(list: &mut Vec<T>, item: T, what: &'static str, limit: usize) -> Result<(), Error> {
    if list.len() == limit {
        return Err(Error::TooMany { what, limit });
    }
    list.push(item);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_up_to_so_many() {
        type Add = fn(&mut Fetch, &[u8]) -> Result<(), Error>;
        let lists: [(&str, usize, Add); 5] = [
            ("wants", WANTS_MAX, Fetch::want),
            ("wanted refs", WANTS_MAX, Fetch::want_ref),
            ("haves", HAVES_MAX, Fetch::have),
            ("shallow commits", SHALLOWS_MAX, Fetch::shallow),
            ("refs to be left out", DEEPEN_NOT_MAX, Fetch::deepen_not),
        ];
        for (what, limit, add) in lists {
            let mut fetch = Fetch::new(ObjectFormat::Sha1);
            for index in 1..=limit {
                add(&mut fetch, format!("{index:040x}").as_bytes()).expect("within the limit");
            }
            let refused = add(&mut fetch, &[b'f'; 40]).expect_err("past the limit");
            assert_eq!(refused.to_string(), format!("more than {limit} {what} in one request"));
        }
    }
}
