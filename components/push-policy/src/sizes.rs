//! How much there may be.

use crate::bindings::exports::lithe::policy::push_policy::{Change, Push, Rules, Verdict};
use crate::repository::Opened;

/// What is not anybody's to count.
const HIDDEN_PREFIX: &[u8] = b"refs/lithe/";

/// Refuses a push that makes something too large.
pub fn check(push: &Push, rules: &[Rules], opened: &Opened, verdict: &mut Verdict) {
    for rules in rules {
        let place = &rules.place;
        if let Some(reason) = pack(push, rules).or_else(|| repository(push, rules)) {
            verdict.refusal.get_or_insert(format!("{place}: {reason}"));
        }
        if let Some(reason) = refs(push, rules, opened) {
            verdict.refusal.get_or_insert(format!("{place}: {reason}"));
        }
    }
}

fn pack(push: &Push, rules: &Rules) -> Option<String> {
    let (arrived, limit) = (push.arrived.as_ref()?, rules.pack_bytes_max?);
    let bytes = arrived.pack_bytes;
    (bytes > limit).then(|| format!("the push has {bytes} bytes, and {limit} are allowed"))
}

fn repository(push: &Push, rules: &Rules) -> Option<String> {
    let (arrived, limit) = (push.arrived.as_ref()?, rules.repository_bytes_max?);
    let bytes = push.repository_bytes?.saturating_add(arrived.pack_bytes);
    // Who sends nothing can do nothing about it.
    (arrived.object_count > 0 && bytes > limit)
        .then(|| format!("the repository would have {bytes} bytes, and {limit} are allowed"))
}

fn refs(push: &Push, rules: &Rules, opened: &Opened) -> Option<String> {
    let limit = u64::from(rules.refs_max?);
    let count = |change| push.updates.iter().filter(|update| update.change == change).count() as u64;
    let (created, deleted) = (count(Change::Create), count(Change::Delete));
    let present =
        opened.refs.refs.iter().filter(|entry| !entry.name.starts_with(HIDDEN_PREFIX)).count() as u64;
    let refs = (present + created).saturating_sub(deleted);
    (created > deleted && refs > limit)
        .then(|| format!("the repository would have {refs} refs, and {limit} are allowed"))
}
