//! Which branches and tags contain a commit, and its children, found a little more with each view of it.
//!
//! What is found is kept by the commit, and holds for as long as the tips of the branches and tags are
//! what they were; from new tips, the search goes on down to those.

use crate::cache::Key;
use crate::limits::{CHILDREN_SHOWN_MAX, CONTAINING_PASSED_MAX, CONTAINING_SHOWN_MAX, CONTAINING_TIME_MAX};
use crate::place::{Choice, Place};
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use lithe_code::containing::{self, Containing};
use lithe_code::repository::Repository;
use lithe_code::tips::{self, Tips};
use lithe_code::version;
use lithe_code::walk::Budget;
use lithe_code::{revision, text};
use lithe_git::refs::Ref;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

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
    let memory = repository.objects.memory();
    if let Some(found) = memory.and_then(|memory| memory.found(commit_id)) {
        return view(place, repository, &found, false);
    }
    let of_refs = tips::of(repository);
    let tips: BTreeSet<ObjectId> = of_refs.all(repository).map(|(_, _, tip)| tip).collect();
    let known = known(place, repository, commit_id, &tips);
    let is_partial = tips.iter().any(|tip| known.get(tip).is_none());
    let found = Arc::new(found(repository, &of_refs, &known));
    if let Some(memory) = memory.filter(|_| !is_partial) {
        memory.keep_found(commit_id, Arc::clone(&found));
    }
    view(place, repository, &found, is_partial)
}

/// What is shown of what is known: of the tags, those of the lowest versions.
fn found(repository: Repository<'_>, of_refs: &Tips, known: &Containing) -> containing::Found {
    let containing = of_refs.all(repository).filter(|(_, _, tip)| known.get(tip) == Some(true));
    let (mut branches, mut tags): (Vec<_>, Vec<_>) =
        containing.map(|(index, entry, _)| (index, entry)).partition(|(_, entry)| tips::is_branch(entry));
    branches.sort_unstable_by_key(|(index, _)| *index);
    tags.sort_unstable_by(|(_, a), (_, b)| version::compare(&a.name, &b.name));
    let places = |refs: Vec<(usize, &Ref)>| -> (Vec<usize>, usize) {
        let left_out = refs.len().saturating_sub(CONTAINING_SHOWN_MAX);
        (refs.into_iter().take(CONTAINING_SHOWN_MAX).map(|(index, _)| index).collect(), left_out)
    };
    let ((branches, branches_left_out), (tags, tags_left_out)) = (places(branches), places(tags));
    let may_show = |id: &&ObjectId| repository.objects.may_show(id, repository.refs).unwrap_or(false);
    let children = known.children().filter(may_show).take(CHILDREN_SHOWN_MAX).copied().collect();
    containing::Found { branches, branches_left_out, tags, tags_left_out, children }
}

fn view(
    place: &Place<'_>,
    repository: Repository<'_>,
    found: &containing::Found,
    is_partial: bool,
) -> ContainingView {
    let choices = |indices: &[usize], left_out: usize| Found {
        shown: indices.iter().map(|index| choice(place, repository, &repository.refs.refs[*index])).collect(),
        left_out,
    };
    ContainingView {
        branches: choices(&found.branches, found.branches_left_out),
        tags: choices(&found.tags, found.tags_left_out),
        children: found.children.iter().map(|id| ObjectIdText::of(place, id)).collect(),
        is_partial,
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
        until: place.until(CONTAINING_TIME_MAX),
    };
    // What was found before an object that cannot be read is shown all the same.
    let _ = known.advance(repository, tips, budget);
    let text = known.to_text();
    if kept.as_ref() != Some(&text) {
        place.cache.put(&key, &text);
    }
    known
}
