//! A search as text, to be kept from one request to the next.

use super::{Blame, Lines, Origin, Pending, Settled, Suspect};
use bstr::{BString, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_web::address::{decode, encode_component, encode_path};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;

impl Blame {
    /// What [`Blame::parse`] reads: a line for each thing that is known, its fields separated by spaces.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("writing to a string succeeds");
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        for (id, origin) in &self.origins {
            let (name, email) =
                (encode_component(&origin.author_name), encode_component(&origin.author_email));
            let Origin { seconds, offset, title, .. } = origin;
            writeln!(text, "origin {id} {seconds} {offset} {name} {email} {}", encode_component(title))?;
        }
        // Each path and each commit is written once: a file may have many lines of a few commits.
        let mut paths: BTreeMap<&BString, usize> = BTreeMap::new();
        let mut groups: BTreeMap<_, Vec<Lines>> = BTreeMap::new();
        for Settled { lines, commit_id, path, previous } in self.settled() {
            groups.entry((commit_id, path, previous)).or_default().push(lines);
        }
        for ((commit_id, path, previous), runs) in &groups {
            for path in [Some(path), previous.as_ref().map(|(_, path)| path)].into_iter().flatten() {
                let number = paths.len();
                if let Entry::Vacant(entry) = paths.entry(path) {
                    entry.insert(number);
                    writeln!(text, "path {}", encode_path(path))?;
                }
            }
            write!(text, "settled {commit_id} {}", paths[path])?;
            match previous {
                Some((id, path)) => writeln!(text, " {id} {}", paths[path])?,
                None => writeln!(text)?,
            }
            for Lines { first, count, source } in runs {
                writeln!(text, "run {first} {count} {source}")?;
            }
        }
        for (Suspect { seconds, commit_id, path }, Pending { blob_id, lines }) in &self.pending {
            writeln!(text, "suspect {seconds} {commit_id} {blob_id} {}", encode_path(path))?;
            for Lines { first, count, source } in lines {
                writeln!(text, "lines {first} {count} {source}")?;
            }
        }
        Ok(())
    }

    /// Reads what [`Blame::to_text`] wrote; none if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut blame = Self::default();
        let mut suspect: Option<Suspect> = None;
        let mut paths: Vec<BString> = Vec::new();
        let mut from: Option<(ObjectId, BString, Option<(ObjectId, BString)>)> = None;
        for line in text.lines() {
            let mut fields = Fields(line.split(' '));
            match fields.word()? {
                "origin" => {
                    let (id, origin) = fields.origin()?;
                    blame.origins.insert(id, origin);
                }
                "settled" => {
                    let (commit_id, path) = (fields.id()?, paths.get(fields.number::<usize>()?)?.clone());
                    let previous = match fields.id() {
                        Some(id) => Some((id, paths.get(fields.number::<usize>()?)?.clone())),
                        None => None,
                    };
                    from = Some((commit_id, path, previous));
                }
                "path" => paths.push(fields.bytes()?),
                "run" => {
                    let (commit_id, path, previous) = from.clone()?;
                    blame.settled.push(Settled { lines: fields.lines()?, commit_id, path, previous });
                }
                "suspect" => {
                    let (seconds, commit_id, blob_id) = (fields.number()?, fields.id()?, fields.id()?);
                    let found = Suspect { seconds, commit_id, path: fields.bytes()? };
                    blame.pending.insert(found.clone(), Pending { blob_id, lines: Vec::new() });
                    suspect = Some(found);
                }
                "lines" => blame.pending.get_mut(suspect.as_ref()?)?.lines.push(fields.lines()?),
                _ => return None,
            }
        }
        blame.settled.sort_by_key(|settled| settled.lines);
        Some(blame)
    }
}

struct Fields<'a>(std::str::Split<'a, char>);

impl<'a> Fields<'a> {
    fn word(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn number<T: std::str::FromStr>(&mut self) -> Option<T> {
        self.word()?.parse().ok()
    }

    fn id(&mut self) -> Option<ObjectId> {
        ObjectId::from_hex(self.word()?.as_bytes()).ok()
    }

    fn bytes(&mut self) -> Option<BString> {
        decode(self.word()?).ok().map(Into::into)
    }

    fn lines(&mut self) -> Option<Lines> {
        Some(Lines { first: self.number()?, count: self.number()?, source: self.number()? })
    }

    fn origin(&mut self) -> Option<(ObjectId, Origin)> {
        let (id, seconds, offset) = (self.id()?, self.number()?, self.number()?);
        let (author_name, author_email) = (self.bytes()?, self.bytes()?);
        let title = self.bytes()?.to_str().ok()?.to_owned();
        Some((id, Origin { author_name, author_email, seconds, offset, title }))
    }
}
