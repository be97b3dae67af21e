//! Whose a commit's signature is, as its page shows it.

use crate::limits::SIGNERS_ASKED_MAX;
use lithe_code::text;
use lithe_forge::{signers, types};
use lithe_signatures::{Keyring, Kind, KnownKey, Signature, Signed, Verdict};
use lithe_web::{Text, t};
use serde::Serialize;

/// A badge, and a sentence beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SignatureView {
    pub badge: Text,
    /// For the style sheet.
    pub class: &'static str,
    pub words: Text,
}

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Commit,
    Tag,
}

/// Verifies a signature by keys that `find` returns for the names of keys and an address.
pub fn view(
    signed: &Signed,
    now: i64,
    find: impl FnOnce(&[String], &[String]) -> Result<Vec<signers::KnownKey>, types::Error>,
) -> SignatureView {
    views(&[signed], What::Commit, now, find).remove(0)
}

/// As [`view`], for several at once, all of the kind `what`: what is returned is in their order.
pub fn views(
    signed: &[&Signed],
    what: What,
    now: i64,
    find: impl FnOnce(&[String], &[String]) -> Result<Vec<signers::KnownKey>, types::Error>,
) -> Vec<SignatureView> {
    let signers_of =
        |signed: &&Signed| Signature::parse(&signed.signature).map(|signature| signature.signers());
    let mut names: Vec<String> =
        signed.iter().flat_map(|signed| signers_of(signed).unwrap_or_default()).collect();
    let mut addresses: Vec<String> = signed.iter().map(|signed| signed.address.clone()).collect();
    for list in [&mut names, &mut addresses] {
        list.sort_unstable();
        list.dedup();
        list.truncate(SIGNERS_ASKED_MAX);
    }
    let found = match names.is_empty() {
        true => Ok(Vec::new()),
        false => find(&names, &addresses),
    };
    match found {
        Ok(keys) => {
            let keyring = Keyring::new(keys.into_iter().map(known_key));
            signed.iter().map(|signed| of_verdict(&keyring.judge(signed, now), what)).collect()
        }
        Err(error) => {
            eprintln!("browse: the keys that signatures are verified by: {error:?}");
            let words = t("It cannot be verified at the moment.");
            vec![SignatureView { badge: t("Unverified"), class: "", words }; signed.len()]
        }
    }
}

fn known_key(key: signers::KnownKey) -> KnownKey {
    let kind = if key.kind == types::KeyKind::Ssh { Kind::Ssh } else { Kind::OpenPgp };
    KnownKey { account: key.account, addresses: key.addresses, kind, bytes: key.public_key }
}

fn of_verdict(verdict: &Verdict, what: What) -> SignatureView {
    let (account, key) = match verdict.signer() {
        Some(signer) => (signer.account.as_str(), signer.fingerprint.as_str()),
        None => ("", ""),
    };
    let (badge, class, words) = match (verdict, what) {
        (Verdict::Verified(_), _) => (t("Verified"), "badge-good", t("Signed with {account}’s key {key}.")),
        (Verdict::WrongAddress(_), _) => (
            t("Other account"),
            "badge-warning",
            t("Signed with {account}’s key {key}; the committer’s address is not that account’s."),
        ),
        (Verdict::UnknownKey(name), _) if name.is_empty() => {
            (t("Unverified"), "", t("Signed with a key that is not named."))
        }
        (Verdict::UnknownKey(name), _) => {
            let words = t("Signed with the key {name}, which no account here has.");
            (t("Unverified"), "", words.with("name", text::visible(name.as_bytes())))
        }
        (Verdict::Bad(_), What::Commit) => {
            (t("Wrong"), "badge-bad", t("It was not made of this commit with {account}’s key {key}."))
        }
        (Verdict::Bad(_), What::Tag) => {
            (t("Wrong"), "badge-bad", t("It was not made of this tag with {account}’s key {key}."))
        }
        (Verdict::Expired(_), _) => (
            t("Expired"),
            "badge-warning",
            t("Signed with {account}’s key {key}, and one of both has expired."),
        ),
        (Verdict::Revoked(_), _) => {
            (t("Revoked"), "badge-bad", t("Signed with {account}’s key {key}, which is revoked."))
        }
        (Verdict::Unsupported, _) => {
            (t("Unverified"), "", t("Signed in a way that cannot be verified here."))
        }
        (Verdict::Malformed, _) => (t("Malformed"), "badge-warning", t("What stands in its place is none.")),
    };
    let words = words.with("account", account.to_owned()).with("key", key.to_owned());
    SignatureView { badge, class, words }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_signatures::Signer;

    #[test]
    fn verdicts_are_put_in_words() {
        let signer = || Signer { account: "anna".into(), fingerprint: "K".into() };
        for (verdict, badge, words) in [
            (Verdict::Verified(signer()), "Verified", "Signed with anna’s key K."),
            (
                Verdict::UnknownKey("X".into()),
                "Unverified",
                "Signed with the key X, which no account here has.",
            ),
            (Verdict::Bad(signer()), "Wrong", "It was not made of this commit with anna’s key K."),
            (Verdict::Revoked(signer()), "Revoked", "Signed with anna’s key K, which is revoked."),
        ] {
            let view = of_verdict(&verdict, What::Commit);
            assert_eq!(
                (view.badge.to_string(), view.words.to_string()),
                (badge.to_owned(), words.to_owned())
            );
        }
    }

    #[test]
    fn so_many_names_and_addresses_are_asked_after() {
        let bytes = include_bytes!("../../../tests/fuzz/recordings/signature/ssh-ed25519");
        let signed = |number: usize| Signed {
            payload: vec![],
            signature: bytes.to_vec(),
            address: format!("a{number}@b"),
        };
        for count in [SIGNERS_ASKED_MAX, SIGNERS_ASKED_MAX + 1] {
            let all: Vec<Signed> = (0..count).map(signed).collect();
            let asked = std::cell::Cell::new(0);
            let shown = views(&all.iter().collect::<Vec<_>>(), What::Tag, 0, |names, addresses| {
                assert_eq!(names.len(), 1, "all are by one key");
                asked.set(addresses.len());
                Ok(Vec::new())
            });
            assert_eq!((shown.len(), asked.get()), (count, SIGNERS_ASKED_MAX));
        }
    }

    #[test]
    fn what_is_no_signature_asks_for_no_keys() {
        let signed = Signed { payload: vec![], signature: b"none".to_vec(), address: "a@b".into() };
        let view = view(&signed, 0, |_, _| panic!("nobody is named"));
        assert_eq!(view.badge, t("Malformed"));
    }

    #[test]
    fn a_store_that_fails_hides_no_page() {
        let bytes = include_bytes!("../../../tests/fuzz/recordings/signature/ssh-ed25519");
        let signed = Signed { payload: vec![], signature: bytes.to_vec(), address: "a@b".into() };
        let view = view(&signed, 0, |_, _| Err(types::Error::Other("full".into())));
        assert_eq!(view.words, t("It cannot be verified at the moment."));
    }
}
