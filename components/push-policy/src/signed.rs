//! What has to be signed.

use crate::bindings::exports::lithe::forge::push_policy::{Push, RefKind, RefRule, Rules, Update, Verdict};
use crate::limits::VIOLATIONS_MAX;
use crate::refs::{all, pattern, short_name};
use crate::repository::{Opened, new_id, parse_id};
use crate::signature::{is_commit_signed, is_tag_signed};
use crate::{Error, is_refused, refuse};
use gix_hash::ObjectId;
use gix_object::Kind;
use lithe_rules::RefPattern;
use std::collections::HashSet;

/// Refuses branches that get commits without a signature, and tags that have none themselves.
pub fn check(push: &Push, rules: &[Rules], opened: &Opened, verdict: &mut Verdict) -> Result<(), Error> {
    for (place, rule) in all(rules).filter(|(_, rule)| rule.signed) {
        let pattern = pattern(place, rule)?;
        for update in &push.updates {
            let is_meant = short_name(rule.kind, &update.name).is_some_and(|name| pattern.matches(name));
            let Some(new) = new_id(update).filter(|_| is_meant && !is_refused(verdict, &update.name)) else {
                continue;
            };
            let new = new?;
            match rule.kind {
                RefKind::Branches => {
                    let known = known(update, rule, &pattern, opened)?;
                    branch(place, update, new, &known, opened, verdict)?;
                }
                RefKind::Tags => tag(place, update, new, opened, verdict)?,
            }
        }
    }
    Ok(())
}

/// What of a branch need not be signed any more: what it reached before. For a new one that is what
/// the default branch reaches, and the branches that the rule holds for already.
fn known(
    update: &Update,
    rule: &RefRule,
    pattern: &RefPattern,
    opened: &Opened,
) -> Result<HashSet<ObjectId>, Error> {
    if let Some(old) = &update.old {
        return Ok(HashSet::from([parse_id(old)?]));
    }
    let mut known: HashSet<_> = opened.default_branch().into_iter().collect();
    for entry in &opened.refs.refs {
        let name = std::str::from_utf8(&entry.name).ok().and_then(|name| short_name(rule.kind, name));
        if name.is_some_and(|name| pattern.matches(name)) {
            known.extend(opened.refs.resolve(entry.name.as_ref())?);
        }
    }
    Ok(known)
}

fn branch(
    place: &str,
    update: &Update,
    new: ObjectId,
    known: &HashSet<ObjectId>,
    opened: &Opened,
    verdict: &mut Verdict,
) -> Result<(), Error> {
    let mut unsigned = 0;
    for id in opened.commits_between(known, new)? {
        if !is_commit_signed(&opened.objects.object_of(&id, Kind::Commit)?) {
            unsigned += 1;
            if unsigned <= VIOLATIONS_MAX && verdict.messages.len() < VIOLATIONS_MAX {
                verdict.messages.push(format!("commit {id} is not signed"));
            }
        }
    }
    match unsigned {
        0 => {}
        1 => refuse(verdict, &update.name, format!("{place} wants every commit signed, and 1 is not")),
        count => {
            refuse(verdict, &update.name, format!("{place} wants every commit signed, and {count} are not"))
        }
    }
    Ok(())
}

fn tag(
    place: &str,
    update: &Update,
    new: ObjectId,
    opened: &Opened,
    verdict: &mut Verdict,
) -> Result<(), Error> {
    let object = opened.objects.object(&new)?;
    if object.kind != Kind::Tag {
        refuse(verdict, &update.name, format!("{place} wants tags annotated and signed"));
    } else if !is_tag_signed(&object.data) {
        refuse(verdict, &update.name, format!("{place} wants tags signed"));
    }
    Ok(())
}
