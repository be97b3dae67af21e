//! The branches and tags that point to commits, as labels beside them.

use crate::limits::{LABEL_TAGS_READ_MAX, LABELS_PER_COMMIT_MAX};
use crate::place::Place;
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use lithe_code::repository::Repository;
use lithe_code::{revision, text};
use lithe_git::refs::Ref;
use serde::Serialize;
use std::collections::HashMap;

/// A branch or tag that points to a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Label {
    pub name: String,
    /// `branch` or `tag`.
    pub kind: &'static str,
    pub href: String,
}

/// The labels of a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Labels {
    pub shown: Vec<Label>,
    /// How many more there are.
    pub left_out: usize,
}

impl Labels {
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }
}

/// The labels of some commits: branches first, in the order of their names.
pub fn of(
    place: &Place<'_>,
    repository: Repository<'_>,
    commit_ids: impl IntoIterator<Item = ObjectId>,
) -> HashMap<ObjectId, Labels> {
    let mut labels: HashMap<ObjectId, Labels> =
        commit_ids.into_iter().map(|id| (id, Labels::default())).collect();
    let mut tags_left = LABEL_TAGS_READ_MAX;
    for (prefix, kind) in [("refs/heads/", "branch"), ("refs/tags/", "tag")] {
        for entry in repository.refs.with_prefix(prefix.into()) {
            let Some(id) = commit_of(repository, entry, &mut tags_left) else { continue };
            let Some(found) = labels.get_mut(&id) else { continue };
            match found.shown.len() < LABELS_PER_COMMIT_MAX {
                true => found.shown.push(label(place, repository, entry, kind)),
                false => found.left_out += 1,
            }
        }
    }
    labels
}

fn label(place: &Place<'_>, repository: Repository<'_>, entry: &Ref, kind: &'static str) -> Label {
    let name = revision::address_name(repository, entry.name.as_bstr());
    Label {
        name: text::visible(revision::short_name(entry.name.as_bstr())),
        kind,
        href: place.links().commits(name.as_bstr(), "".into()),
    }
}

/// The commit, or whatever else, that a ref leads to; none if it is a tag too many to be read for this.
pub fn commit_of(repository: Repository<'_>, entry: &Ref, tags_left: &mut usize) -> Option<ObjectId> {
    let id = repository.refs.resolve(entry.name.as_bstr()).ok()??;
    if entry.peeled.is_some() || entry.is_peel_known {
        return Some(entry.peeled.unwrap_or(id));
    }
    if entry.name.starts_with(b"refs/heads/") {
        return Some(id);
    }
    *tags_left = tags_left.checked_sub(1)?;
    repository.peel_to_commit(&id).ok()?
}
