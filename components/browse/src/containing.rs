//! Which branches and tags contain a commit, and its children, found a little more with each view of it.
//!
//! What is found is kept by the commit, and holds for as long as the tips of the branches and tags are
//! what they were; from new tips, the search goes on down to those.

use crate::cache::Key;
use crate::labels;
use crate::limits::{
    CHILDREN_SHOWN_MAX, CONTAINING_PASSED_MAX, CONTAINING_SHOWN_MAX, CONTAINING_TIME_MAX, LABEL_TAGS_READ_MAX,
};
use crate::place::{Choice, Place};
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use lithe_code::containing::Containing;
use lithe_code::repository::Repository;
use lithe_code::version;
use lithe_code::walk::Budget;
use lithe_code::{revision, text};
use lithe_git::refs::Ref;
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Instant;

/// What is known of where a commit is.
#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ContainingView {
    pub branches: Found,
    /// The lowest versions first: with the first of them, it was released.
    pub tags: Found,
    /// The ids of the commits that were made from it.
    pub children: Vec<ObjectIdText>,
    /// Whether there may be more of all of them, which the next view goes on to look for.
    pub is_partial: bool,
}

/// Branches or tags.
#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Found {
    pub shown: Vec<Choice>,
    pub left_out: usize,
}

/// A commit's id, short, and its page.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ObjectIdText {
    pub short_id: String,
    pub href: String,
}

impl ObjectIdText {
    pub fn of(place: &Place<'_>, id: &ObjectId) -> Self {
        Self { short_id: id.to_hex_with_len(10).to_string(), href: place.links().commit(id) }
    }
}

/// Looks for the branches and tags that contain a commit. Where the history cannot be read, what was found
/// before is all that is known.
pub fn look(place: &Place<'_>, repository: Repository<'_>, commit_id: ObjectId) -> ContainingView {
    let mut tags_left = LABEL_TAGS_READ_MAX;
    let mut with_tips = |prefix: &str| -> Vec<(&Ref, ObjectId)> {
        let refs = repository.refs.with_prefix(prefix.into()).iter();
        refs.filter_map(|entry| Some((entry, labels::commit_of(repository, entry, &mut tags_left)?)))
            .collect()
    };
    let (branches, mut tags) = (with_tips("refs/heads/"), with_tips("refs/tags/"));
    tags.sort_by(|(a, _), (b, _)| version::compare(&a.name, &b.name));
    let tips: BTreeSet<ObjectId> = branches.iter().chain(&tags).map(|(_, tip)| *tip).collect();
    let known = known(place, repository, commit_id, &tips);
    let found = |refs: &[(&Ref, ObjectId)]| {
        let containing: Vec<_> = refs.iter().filter(|(_, tip)| known.get(tip) == Some(true)).collect();
        let shown = containing.iter().take(CONTAINING_SHOWN_MAX);
        Found {
            shown: shown.map(|(entry, _)| choice(place, repository, entry)).collect(),
            left_out: containing.len().saturating_sub(CONTAINING_SHOWN_MAX),
        }
    };
    let may_show = |id: &&ObjectId| repository.objects.may_show(id, repository.refs).unwrap_or(false);
    let children = known.children().filter(may_show).take(CHILDREN_SHOWN_MAX);
    ContainingView {
        branches: found(&branches),
        tags: found(&tags),
        children: children.map(|id| ObjectIdText::of(place, id)).collect(),
        is_partial: tips.iter().any(|tip| known.get(tip).is_none()),
    }
}

fn choice(place: &Place<'_>, repository: Repository<'_>, entry: &Ref) -> Choice {
    let name = revision::address_name(repository, entry.name.as_bstr());
    Choice {
        name: text::visible(revision::short_name(entry.name.as_bstr())),
        href: place.links().tree(name.as_bstr(), "".into()),
        is_current: false,
    }
}

fn known(
    place: &Place<'_>,
    repository: Repository<'_>,
    commit_id: ObjectId,
    tips: &BTreeSet<ObjectId>,
) -> Containing {
    let key = Key::new(&[b"containing", &place.record.id.to_be_bytes(), commit_id.as_bytes()]);
    let kept = place.cache.get(&key);
    let mut known = kept.as_deref().and_then(Containing::parse).unwrap_or(Containing::new(commit_id));
    let budget = Budget {
        commits_read: 1,
        commits_passed: CONTAINING_PASSED_MAX,
        until: Some(Instant::now() + CONTAINING_TIME_MAX),
    };
    // What was found before an object that cannot be read is shown all the same.
    let _ = known.advance(repository, tips, budget);
    let text = known.to_text();
    if kept.as_ref() != Some(&text) {
        place.cache.put(&key, &text);
    }
    known
}
