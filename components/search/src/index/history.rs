//! The commits that a commit reaches, as what an index is of: who made them, and their messages.
//!
//! In the place of a path stands what they are in order by: the date, the latest first, then the id.

use super::contents::Contents;
use super::files::Files;
use super::update::Source;
use crate::limits::{COMMITS_MAX, MESSAGE_BYTES_MAX};
use bstr::{BString, ByteSlice as _};
use gix_hash::{ObjectId, oid};
use lithe_code::repository::{self, Commit, Repository, Signature};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

/// The history of a repository.
pub struct Histories<'a> {
    pub repository: Repository<'a>,
    /// When to stop finding out which commits there are; the older ones are left out then.
    pub until: Option<Instant>,
}

/// The lines of a commit that are searched: its author, then its message.
pub fn text_of(commit: &Commit) -> String {
    let mut text = author_of(&commit.author);
    text.push('\n');
    let message = commit.text();
    text.push_str(&message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)]);
    text
}

/// `Name <address>`, on one line.
pub fn author_of(author: &Signature) -> String {
    let author = format!("{} <{}>", author.name.to_str_lossy(), author.email.to_str_lossy());
    author.replace('\n', " ")
}

impl Source for Histories<'_> {
    fn name(&self) -> &'static str {
        "commits"
    }

    fn root(&self, commit_id: &oid) -> Result<ObjectId, repository::Error> {
        Ok(commit_id.to_owned())
    }

    fn list(&self, base: &Files, root_id: ObjectId) -> Result<Files, repository::Error> {
        if !base.root_id.is_null() && !base.is_cut {
            let known = base.iter().map(|file| file.id).collect();
            let walk = self.walk(root_id, &known, base.root_id)?;
            // Whatever leads to the commit before leads to all that it reaches. If nothing does, some of
            // that is gone, and nobody knows how much.
            if walk.has_met {
                return Ok(walk.merged_into(base, root_id));
            }
        }
        let nothing = Files::of_root(root_id);
        Ok(self.walk(root_id, &HashSet::new(), root_id)?.merged_into(&nothing, root_id))
    }

    fn read(&self, id: &oid) -> Result<Contents, repository::Error> {
        match self.repository.commit(id) {
            Ok(commit) => Ok(Contents::Text(Arc::new(text_of(&commit).into_bytes()))),
            Err(repository::Error::Read(reason)) => Err(repository::Error::Read(reason)),
            // What is missing or damaged keeps nobody from finding what is not.
            Err(_) => Ok(Contents::Other),
        }
    }
}

impl Histories<'_> {
    /// The commits that `from` reaches without passing those that are known.
    fn walk(
        &self,
        from: ObjectId,
        known: &HashSet<ObjectId>,
        met: ObjectId,
    ) -> Result<Walk, repository::Error> {
        let mut walk = Walk { commits: BTreeMap::new(), has_met: from == met, is_cut: false };
        let mut seen = HashSet::from([from]);
        let mut open = if known.contains(&from) { Vec::new() } else { vec![from] };
        while let Some(id) = open.pop() {
            let is_late =
                walk.commits.len() % 256 == 0 && self.until.is_some_and(|until| Instant::now() >= until);
            if walk.commits.len() >= COMMITS_MAX || is_late {
                walk.is_cut = true;
                break;
            }
            let Some((seconds, parent_ids)) = self.node(&id)? else { continue };
            walk.commits.insert(key(seconds, &id), id);
            for parent_id in parent_ids {
                walk.has_met |= parent_id == met;
                if !known.contains(&parent_id) && seen.insert(parent_id) {
                    open.push(parent_id);
                }
            }
        }
        Ok(walk)
    }

    /// The date and the parents of a commit; none if it is missing, as in a shallow repository.
    fn node(&self, id: &oid) -> Result<Option<(i64, Vec<ObjectId>)>, repository::Error> {
        if let Some(node) = self.repository.objects.commit_graph().and_then(|graph| graph.get(id)) {
            return Ok(Some((node.date, node.parents)));
        }
        match self.repository.commit(id) {
            Ok(commit) => Ok(Some((commit.committer.seconds, commit.parent_ids))),
            Err(repository::Error::Read(reason)) => Err(repository::Error::Read(reason)),
            Err(_) => Ok(None),
        }
    }
}

/// What stands in the place of a path.
fn key(seconds: i64, id: &oid) -> BString {
    // The latest first: as an unsigned number that is the smaller the later it is.
    let order = !((seconds as u64) ^ (1 << 63));
    format!("{order:016x}{id}").into()
}

struct Walk {
    commits: BTreeMap<BString, ObjectId>,
    /// Whether the commit that was looked for was met.
    has_met: bool,
    is_cut: bool,
}

impl Walk {
    fn merged_into(self, base: &Files, root_id: ObjectId) -> Files {
        let mut files = Files::of_root(root_id);
        files.is_cut = self.is_cut;
        let mut added = self.commits.into_iter().peekable();
        for file in base.iter() {
            while let Some((key, id)) = added.next_if(|(key, _)| key.as_bstr() < file.path) {
                files.push(key.as_bstr(), id, None);
            }
            files.push(file.path, file.id, file.document);
        }
        for (key, id) in added {
            files.push(key.as_bstr(), id, None);
        }
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_comes_first() {
        let id = ObjectId::null(gix_hash::Kind::Sha1);
        let keys: Vec<_> =
            [i64::MAX, 2_000_000_000, 1, 0, -1, i64::MIN].map(|seconds| key(seconds, &id)).into();
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(keys[0].len(), 56);
    }
}
