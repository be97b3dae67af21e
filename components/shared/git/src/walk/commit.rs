//! Reading what a walk needs of a commit.

use crate::commit_graph::Node;
use crate::format::ObjectFormat;
use crate::odb::{Error, Store};
use gix_hash::{ObjectId, oid};
use gix_object::Kind;

/// A commit's tree, parents and committer date.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Commit {
    pub tree: ObjectId,
    pub parents: Vec<ObjectId>,
    /// Seconds since 1970-01-01T00:00:00Z; 0 if it cannot be read, as for Git.
    pub date: i64,
    /// Greater than that of every commit it reaches, if the commit-graph knows it.
    pub generation: Option<u64>,
}

impl Commit {
    /// Reads a commit from the commit-graph, or else from the store.
    pub fn read(store: &Store, id: &oid) -> Result<Self, Error> {
        if let Some(node) = store.commit_graph().and_then(|graph| graph.get(id)) {
            let Node { tree, parents, date, generation } = node;
            return Ok(Self { tree, parents, date, generation });
        }
        let data = store.object_of(id, Kind::Commit)?;
        Self::parse(&data, id.kind())
            .ok_or_else(|| Error::DamagedObject { id: id.to_owned(), reason: "it is not a commit" })
    }

    /// Reads the head of a commit object. None: it is malformed.
    pub fn parse(data: &[u8], object_format: ObjectFormat) -> Option<Self> {
        let (tree, mut rest) = id_line(data, b"tree ", object_format)?;
        let mut parents = Vec::new();
        while let Some((parent, after)) = id_line(rest, b"parent ", object_format) {
            parents.push(parent);
            rest = after;
        }
        Some(Self { tree, parents, date: committer_date(rest).unwrap_or(0), generation: None })
    }
}

/// Reads `<key><hex digits>\n`; returns the id and what follows.
pub(super) fn id_line<'a>(
    data: &'a [u8],
    key: &[u8],
    object_format: ObjectFormat,
) -> Option<(ObjectId, &'a [u8])> {
    let (hex, rest) = data.strip_prefix(key)?.split_at_checked(object_format.len_in_hex())?;
    let rest = rest.strip_prefix(b"\n")?;
    let id = match object_format {
        ObjectFormat::Sha1 => ObjectId::Sha1(raw_id(hex)?),
        _ => ObjectId::Sha256(raw_id(hex)?),
    };
    Some((id, rest))
}

fn raw_id<const LEN: usize>(hex: &[u8]) -> Option<[u8; LEN]> {
    let mut id = [0; LEN];
    for (byte, digits) in id.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = nibble(digits[0])? << 4 | nibble(digits[1])?;
    }
    Some(id)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

fn committer_date(rest: &[u8]) -> Option<i64> {
    let line =
        rest.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"committer ") || line.is_empty())?;
    let after = &line[line.iter().rposition(|byte| *byte == b'>')? + 1..];
    std::str::from_utf8(after).ok()?.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_read_up_to_the_committer() {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            check_commits(format);
        }
    }

    fn check_commits(format: ObjectFormat) {
        let len = format.len_in_hex();
        let id = |digit: &str| ObjectId::from_hex(digit.repeat(len).as_bytes()).expect("an id");
        let (a, b, c) = ("a".repeat(len), "b".repeat(len), "c".repeat(len));
        let text = format!(
            "tree {a}\nparent {b}\nparent {c}\nauthor A <a> 1 +0000\ncommitter C <c> 123 +0100\ngpgsig x\n\nm\n"
        );
        let commit = Commit { tree: id("a"), parents: vec![id("b"), id("c")], date: 123, generation: None };
        assert_eq!(Commit::parse(text.as_bytes(), format), Some(commit));
        let root = Commit { tree: id("a"), parents: vec![], date: 0, generation: None };
        for text in [format!("tree {a}\n"), format!("tree {a}\nauthor\n\ncommitter C <c> 7 +0\n")] {
            assert_eq!(Commit::parse(text.as_bytes(), format), Some(root.clone()), "{text}");
        }
        for text in [
            String::new(),
            format!("tree {}\n", "a".repeat(104 - len)),
            format!("tree {}\n", "a".repeat(len - 1)),
            format!("tree {}\n", "A".repeat(len)),
            format!("parent {b}\n"),
        ] {
            assert_eq!(Commit::parse(text.as_bytes(), format), None, "{text}");
        }
    }
}
