//! The branches and tags that point to commits, as labels beside them.

use crate::limits::LABELS_PER_COMMIT_MAX;
use crate::place::Place;
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use lithe_code::repository::Repository;
use lithe_code::{revision, text, tips};
use lithe_git::refs::Ref;
use lithe_web::{Text, t};
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

impl Label {
    /// What it is a label of, in words.
    pub fn kind_in_words(&self) -> Text {
        if self.kind == "branch" { t("branch") } else { t("tag") }
    }
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
    let tips = tips::of(repository);
    let labels_of = |id: &ObjectId| {
        let mut refs = tips.at(repository, id);
        let shown = refs.by_ref().take(LABELS_PER_COMMIT_MAX).map(|entry| label(place, repository, entry));
        Labels { shown: shown.collect(), left_out: refs.count() }
    };
    commit_ids.into_iter().map(|id| (id, labels_of(&id))).collect()
}

fn label(place: &Place<'_>, repository: Repository<'_>, entry: &Ref) -> Label {
    let name = revision::address_name(repository, entry.name.as_bstr());
    Label {
        name: text::visible(revision::short_name(entry.name.as_bstr())),
        kind: if tips::is_branch(entry) { "branch" } else { "tag" },
        href: place.links().commits(name.as_bstr(), "".into()),
    }
}
