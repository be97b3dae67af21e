//! What has to be signed.

use crate::bindings::exports::lithe::policy::push_policy::{
    Push, RefKind, RefRule, Rules, Signature, SignatureState, Signing, Update, Verdict,
};
use crate::limits::VIOLATIONS_MAX;
use crate::refs::{all, pattern, short_name};
use crate::repository::{Opened, new_id, parse_id};
use crate::{Error, is_refused, refuse};
use gix_hash::ObjectId;
use gix_object::Kind;
use lithe_rules::RefPattern;
use lithe_signatures::{is_commit_signed, is_tag_signed};
use std::collections::{HashMap, HashSet};

/// Refuses branches that get commits without a signature, or one that is not verified, and tags that
/// have none themselves.
pub fn check(push: &Push, rules: &[Rules], opened: &Opened, verdict: &mut Verdict) -> Result<(), Error> {
    let known: Signatures = push.signatures.iter().map(|known| (known.object.as_str(), known)).collect();
    for (place, rule) in all(rules).filter(|(_, rule)| rule.signing != Signing::Nothing) {
        let pattern = pattern(place, rule)?;
        for update in &push.updates {
            let is_meant = short_name(rule.kind, &update.name).is_some_and(|name| pattern.matches(name));
            let Some(new) = new_id(update).filter(|_| is_meant && !is_refused(verdict, &update.name)) else {
                continue;
            };
            let new = new?;
            match rule.kind {
                RefKind::Branches => {
                    let before = before(update, rule, &pattern, opened)?;
                    let commits = opened.commits_between(&before, new)?;
                    let wrong = wrong(rule.signing, Kind::Commit, &commits, opened, &known)?;
                    branch(place, update, &wrong, rule, verdict);
                }
                RefKind::Tags => {
                    let wrong = wrong(rule.signing, Kind::Tag, &[new], opened, &known)?;
                    tag(place, update, &wrong, rule, verdict);
                }
            }
        }
    }
    Ok(())
}

/// What of a branch need not be signed any more: what it reached before. For a new one that is what
/// the default branch reaches, and the branches that the rule holds for already.
fn before(
    update: &Update,
    rule: &RefRule,
    pattern: &RefPattern,
    opened: &Opened,
) -> Result<HashSet<ObjectId>, Error> {
    if let Some(old) = &update.old {
        return Ok(HashSet::from([parse_id(old)?]));
    }
    let mut before: HashSet<_> = opened.default_branch().into_iter().collect();
    for entry in &opened.refs.refs {
        let name = std::str::from_utf8(&entry.name).ok().and_then(|name| short_name(rule.kind, name));
        if name.is_some_and(|name| pattern.matches(name)) {
            before.extend(opened.refs.resolve(entry.name.as_ref())?);
        }
    }
    Ok(before)
}

/// What is known about signatures, by the ids of what they are of.
type Signatures<'a> = HashMap<&'a str, &'a Signature>;

/// What of commits or a tag is not as a rule wants it, in words that go on after "commit …". A tag that
/// is no object of its own is nothing that could be signed, whatever it points to.
fn wrong(
    signing: Signing,
    kind: Kind,
    ids: &[ObjectId],
    opened: &Opened,
    known: &Signatures,
) -> Result<Vec<(ObjectId, String)>, Error> {
    let mut wrong = Vec::new();
    for id in ids {
        let object = opened.objects.object(id)?;
        if object.kind != kind {
            wrong.push((*id, "is not annotated".to_owned()));
            continue;
        }
        let is_signed = match kind {
            Kind::Tag => is_tag_signed(&object.data),
            _ => is_commit_signed(&object.data),
        };
        let words = match known.get(id.to_string().as_str()) {
            Some(signature) if signing == Signing::Verified => in_words(signature),
            _ if is_signed && signing == Signing::Signed => None,
            _ => Some("is not signed".to_owned()),
        };
        wrong.extend(words.map(|words| (*id, words)));
    }
    Ok(wrong)
}

/// Why a signature is not verified; none if it is.
fn in_words(signature: &Signature) -> Option<String> {
    let Signature { signer, key, .. } = signature;
    Some(match signature.state {
        SignatureState::Verified => return None,
        SignatureState::WrongAddress => {
            format!("is signed by {signer}, whose account does not have the address in it")
        }
        SignatureState::UnknownKey if key.is_empty() => "is signed by a key that is not named".to_owned(),
        SignatureState::UnknownKey => format!("is signed by the key {key}, which no account has"),
        SignatureState::Bad => format!("has a signature that {signer}'s key {key} did not make of it"),
        SignatureState::Expired => format!("is signed by {signer}'s key {key}, and one of both has expired"),
        SignatureState::Revoked => format!("is signed by {signer}'s key {key}, which is revoked"),
        SignatureState::Unsupported => "is signed in a way that cannot be verified here".to_owned(),
        SignatureState::Malformed => "has a malformed signature".to_owned(),
    })
}

/// What a rule wants to be signed by.
fn wanted(rule: &RefRule) -> &'static str {
    match rule.signing {
        Signing::Verified => "signed by an account's key",
        Signing::Signed | Signing::Nothing => "signed",
    }
}

fn branch(place: &str, update: &Update, wrong: &[(ObjectId, String)], rule: &RefRule, verdict: &mut Verdict) {
    let left = VIOLATIONS_MAX.saturating_sub(verdict.messages.len());
    verdict.messages.extend(wrong.iter().take(left).map(|(id, words)| format!("commit {id} {words}")));
    let count = match wrong.len() {
        0 => return,
        1 => "1 is not".to_owned(),
        count => format!("{count} are not"),
    };
    refuse(verdict, &update.name, format!("{place} wants every commit {}, and {count}", wanted(rule)));
}

fn tag(place: &str, update: &Update, wrong: &[(ObjectId, String)], rule: &RefRule, verdict: &mut Verdict) {
    if let Some((_, words)) = wrong.first() {
        let reason = format!("{place} wants tags {}, and this one {words}", wanted(rule));
        refuse(verdict, &update.name, reason);
    }
}
