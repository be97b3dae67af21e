//! Whose the signatures in a push are.

use super::facts::FactError;
use crate::limits::{SIGNATURES_MAX, SIGNERS_MAX};
use crate::receive_pack::Proposal;
use gix_hash::ObjectId;
use gix_object::Kind;
use lithe_forge::push_policy::{Signature, SignatureState};
use lithe_forge::{signers, types};
use lithe_git::proposed::Objects;
use lithe_git::refs::Head;
use lithe_signatures::{Keyring, KnownKey, Signed, Verdict};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many names, and how many addresses, the store is asked after at once.
const SIGNERS_ASKED_MAX: usize = 1_000;

/// Verifies the signatures of the commits that come to a branch, and of the tags, by keys that `find`
/// returns for names and addresses.
pub fn judged(
    proposal: &Proposal,
    objects: &Objects,
    find: impl Fn(&[String], &[String]) -> Result<Vec<signers::KnownKey>, FactError>,
) -> Result<Vec<Signature>, FactError> {
    let mut signed = Vec::new();
    let (mut names, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    for (id, kind) in candidates(proposal, objects)? {
        let Some(parts) = parts(objects, &id, kind)? else { continue };
        if let Ok(signature) = lithe_signatures::Signature::parse(&parts.signature) {
            names.extend(signature.signers());
            addresses.insert(parts.address.to_ascii_lowercase());
        }
        signed.push((id, kind));
        check_counts(signed.len(), names.len(), addresses.len())?;
    }
    let keyring = keyring(&Vec::from_iter(names), &Vec::from_iter(addresses), find)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().cast_signed();
    let mut signatures = Vec::new();
    for (id, kind) in signed {
        // Read again, as all of them at once may be much.
        if let Some(parts) = parts(objects, &id, kind)? {
            signatures.push(in_values(id, keyring.judge(&parts, now)));
        }
    }
    Ok(signatures)
}

fn check_counts(signatures: usize, names: usize, addresses: usize) -> Result<(), FactError> {
    if signatures > SIGNATURES_MAX {
        return Err(FactError::TooManySignatures);
    }
    if names > SIGNERS_MAX || addresses > SIGNERS_MAX {
        return Err(FactError::TooManySigners);
    }
    Ok(())
}

/// The commits that come to branches, of new branches those that the default branch does not reach,
/// and the tags. Each once.
fn candidates(proposal: &Proposal, objects: &Objects) -> Result<BTreeMap<ObjectId, Kind>, FactError> {
    let default_branch = match &proposal.refs.head {
        Head::Symbolic(_) => proposal.refs.head_id()?,
        _ => None,
    };
    let mut found = BTreeMap::new();
    for command in &proposal.commands {
        let Some(new) = command.new else { continue };
        if command.name.starts_with(b"refs/heads/") {
            let before: HashSet<ObjectId> = command.old.or(default_branch).into_iter().collect();
            found.extend(objects.new_commits(&[new], &before)?.into_iter().map(|id| (id, Kind::Commit)));
        } else if command.name.starts_with(b"refs/tags/") && objects.header(&new)?.0 == Kind::Tag {
            found.insert(new, Kind::Tag);
        }
    }
    Ok(found)
}

fn parts(objects: &Objects, id: &ObjectId, kind: Kind) -> Result<Option<Signed>, FactError> {
    let data = objects.object_of(id, kind)?;
    Ok(match kind {
        Kind::Tag => Signed::of_tag(&data),
        _ => Signed::of_commit(&data, id.kind()),
    })
}

/// Asks for as many keys at once as may be asked for.
fn keyring(
    names: &[String],
    addresses: &[String],
    find: impl Fn(&[String], &[String]) -> Result<Vec<signers::KnownKey>, FactError>,
) -> Result<Keyring, FactError> {
    let mut keys: BTreeMap<Vec<u8>, KnownKey> = BTreeMap::new();
    for names in names.chunks(SIGNERS_ASKED_MAX) {
        for addresses in addresses.chunks(SIGNERS_ASKED_MAX) {
            for found in find(names, addresses)? {
                let signers::KnownKey { account, addresses, kind, public_key } = found;
                let kind = match kind {
                    types::KeyKind::Ssh => lithe_signatures::Kind::Ssh,
                    types::KeyKind::Openpgp => lithe_signatures::Kind::OpenPgp,
                };
                let empty = || KnownKey { account, addresses: Vec::new(), kind, bytes: public_key.clone() };
                keys.entry(public_key.clone()).or_insert_with(empty).addresses.extend(addresses);
            }
        }
    }
    Ok(Keyring::new(keys.into_values()))
}

/// A verdict as the policy is told.
fn in_values(id: ObjectId, verdict: Verdict) -> Signature {
    let signer = verdict.signer().cloned();
    let (state, name) = match verdict {
        Verdict::Verified(_) => (SignatureState::Verified, String::new()),
        Verdict::WrongAddress(_) => (SignatureState::WrongAddress, String::new()),
        Verdict::UnknownKey(name) => (SignatureState::UnknownKey, name),
        Verdict::Bad(_) => (SignatureState::Bad, String::new()),
        Verdict::Expired(_) => (SignatureState::Expired, String::new()),
        Verdict::Revoked(_) => (SignatureState::Revoked, String::new()),
        Verdict::Unsupported => (SignatureState::Unsupported, String::new()),
        Verdict::Malformed => (SignatureState::Malformed, String::new()),
    };
    let (signer, key) = match signer {
        Some(signer) => (signer.account, signer.fingerprint),
        None => (String::new(), name),
    };
    Signature { object: id.to_string(), state, signer, key }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_signatures_by_so_many_signers_are_judged() {
        let judge = |signatures, names, addresses| check_counts(signatures, names, addresses);
        assert!(judge(SIGNATURES_MAX, SIGNERS_MAX, SIGNERS_MAX).is_ok());
        let past = judge(SIGNATURES_MAX + 1, SIGNERS_MAX, SIGNERS_MAX);
        assert!(matches!(past, Err(error @ FactError::TooManySignatures) if error.is_for_pusher()));
        for (names, addresses) in [(SIGNERS_MAX + 1, 1), (1, SIGNERS_MAX + 1)] {
            let past = judge(SIGNATURES_MAX, names, addresses);
            assert!(matches!(past, Err(error @ FactError::TooManySigners) if error.is_for_pusher()));
        }
    }
}
