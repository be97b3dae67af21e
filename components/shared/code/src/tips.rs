//! To which commits the branches and tags lead.
//!
//! A repository may have tens of thousands of them, and each page that labels commits asks for all. So what
//! they lead to is found once, and kept for as long as the refs are what they are.

use crate::limits::LABEL_TAGS_READ_MAX;
use crate::repository::Repository;
use gix_hash::ObjectId;
use lithe_git::refs::Ref;
use std::sync::Arc;

/// Which branches and tags lead to which commits, or to whatever else.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tips {
    /// By commit; of one, the branches first, in the order of their names. With each, where it stands among
    /// all refs.
    sorted: Vec<(ObjectId, u32)>,
}

/// Those of a repository. Of the tags that `packed-refs` does not explain, so many are read.
pub fn of(repository: Repository<'_>) -> Arc<Tips> {
    match repository.objects.memory() {
        Some(memory) => memory.tips(|| Tips::find(repository, LABEL_TAGS_READ_MAX)),
        None => Arc::new(Tips::find(repository, LABEL_TAGS_READ_MAX)),
    }
}

impl Tips {
    /// Finds them; at most so many tags are read for that.
    pub fn find(repository: Repository<'_>, tags_read_max: usize) -> Self {
        let mut tags_left = tags_read_max;
        let mut sorted = Vec::new();
        for (index, entry) in repository.refs.refs.iter().enumerate() {
            if !is_branch(entry) && !is_tag(entry) {
                continue;
            }
            let Some(id) = commit_of(repository, entry, &mut tags_left) else { continue };
            sorted.push((id, u32::try_from(index).expect("refs are fewer than 2 to the 32")));
        }
        sorted.sort_unstable();
        Self { sorted }
    }

    /// The branches and tags that lead to a commit, branches first.
    pub fn at<'a>(&self, repository: Repository<'a>, id: &ObjectId) -> impl Iterator<Item = &'a Ref> {
        let start = self.sorted.partition_point(|(other, _)| other < id);
        let found = self.sorted[start..].iter().take_while(move |(other, _)| other == id);
        found.map(move |(_, index)| &repository.refs.refs[*index as usize])
    }

    /// Every branch and tag: its place among all refs, the ref, and what it leads to.
    pub fn all<'a>(&self, repository: Repository<'a>) -> impl Iterator<Item = (usize, &'a Ref, ObjectId)> {
        self.sorted.iter().map(move |(id, index)| {
            let place = *index as usize;
            (place, &repository.refs.refs[place], *id)
        })
    }
}

/// Whether it is a branch.
pub fn is_branch(entry: &Ref) -> bool {
    entry.name.starts_with(b"refs/heads/")
}

fn is_tag(entry: &Ref) -> bool {
    entry.name.starts_with(b"refs/tags/")
}

/// The commit, or whatever else, that a ref leads to; none if it is a tag too many to be read for this.
fn commit_of(repository: Repository<'_>, entry: &Ref, tags_left: &mut usize) -> Option<ObjectId> {
    let id = repository.refs.resolve(bstr::BStr::new(&entry.name)).ok()??;
    if entry.peeled.is_some() || entry.is_peel_known {
        return Some(entry.peeled.unwrap_or(id));
    }
    if is_branch(entry) {
        return Some(id);
    }
    *tags_left = tags_left.checked_sub(1)?;
    repository.peel_to_commit(&id).ok()?
}
