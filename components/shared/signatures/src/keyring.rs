//! Whose a signature is, by the keys that are known.

use crate::key::{Kind, hex};
use crate::openpgp::{Certificate, Outcome};
use crate::signature::Signature;
use crate::signed::Signed;
use crate::{packets, ssh};
use std::collections::HashMap;
use std::fmt;

/// A key of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// The account's name.
    pub account: String,
    /// Those of the account's addresses that matter, whatever their case.
    pub addresses: Vec<String>,
    pub kind: Kind,
    /// As [`PublicKey::bytes`](crate::PublicKey::bytes).
    pub bytes: Vec<u8>,
}

/// By whose key something was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The account's name.
    pub account: String,
    /// As [`PublicKey::fingerprint`](crate::PublicKey::fingerprint).
    pub fingerprint: String,
}

/// What can be said about a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The signer made it, and owns the address of the committer or tagger.
    Verified(Signer),
    /// The signer made it, and the address is not the signer's.
    WrongAddress(Signer),
    /// No account has the key, which the signature calls this; empty if it does not say.
    UnknownKey(String),
    /// It names the signer's key, and is not of this object or not by that key.
    Bad(Signer),
    /// The key had expired when it was made, or it has expired since.
    Expired(Signer),
    /// The key is revoked.
    Revoked(Signer),
    /// It is of a kind that is not safe any more, or not known here.
    Unsupported,
    Malformed,
}

impl Verdict {
    /// Whose key it names, if that is known.
    pub fn signer(&self) -> Option<&Signer> {
        match self {
            Self::Verified(signer)
            | Self::WrongAddress(signer)
            | Self::Bad(signer)
            | Self::Expired(signer)
            | Self::Revoked(signer) => Some(signer),
            Self::UnknownKey(_) | Self::Unsupported | Self::Malformed => None,
        }
    }
}

/// A key, read.
enum Material {
    Ssh(Box<ssh::Key>),
    OpenPgp(Box<Certificate>),
}

struct Entry {
    signer: Signer,
    addresses: Vec<String>,
    material: Material,
}

/// Keys by the names that signatures call them.
#[derive(Default)]
pub struct Keyring {
    entries: Vec<Entry>,
    by_name: HashMap<String, Vec<usize>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.entries.iter().map(|entry| &entry.signer)).finish()
    }
}

impl Keyring {
    /// Reads keys. One that cannot be read signs nothing.
    pub fn new(keys: impl IntoIterator<Item = KnownKey>) -> Self {
        let mut keyring = Self::default();
        for key in keys {
            let Some((material, fingerprint, names)) = read(&key) else { continue };
            let index = keyring.entries.len();
            for name in names {
                keyring.by_name.entry(name).or_default().push(index);
            }
            let signer = Signer { account: key.account, fingerprint };
            keyring.entries.push(Entry { signer, addresses: key.addresses, material });
        }
        keyring
    }

    /// Says whose the signature of an object is. `now` is the present, in seconds since 1970.
    pub fn judge(&self, signed: &Signed, now: i64) -> Verdict {
        let Ok(signature) = Signature::parse(&signed.signature) else { return Verdict::Malformed };
        let names = signature.signers();
        if matches!(signature, Signature::X509) {
            return Verdict::Unsupported;
        }
        let mut verdict = Verdict::UnknownKey(names.first().cloned().unwrap_or_default());
        // Key ids are short enough for several keys to have the same.
        for index in names.iter().filter_map(|name| self.by_name.get(name)).flatten() {
            let entry = &self.entries[*index];
            verdict = entry.judge(&signature, signed, now);
            if !matches!(verdict, Verdict::Bad(_)) {
                break;
            }
        }
        verdict
    }
}

impl Entry {
    fn judge(&self, signature: &Signature, signed: &Signed, now: i64) -> Verdict {
        let outcome = match (&self.material, signature) {
            (Material::Ssh(key), Signature::Ssh(signature)) => match signature.is_by(key, &signed.payload) {
                true => Outcome::Good,
                false => Outcome::Bad,
            },
            (Material::OpenPgp(key), Signature::OpenPgp(signature)) => {
                key.judge(signature, &signed.payload, now)
            }
            _ => Outcome::Bad,
        };
        let signer = self.signer.clone();
        match outcome {
            Outcome::Good if self.owns(&signed.address) => Verdict::Verified(signer),
            Outcome::Good => Verdict::WrongAddress(signer),
            Outcome::Bad => Verdict::Bad(signer),
            Outcome::Expired => Verdict::Expired(signer),
            Outcome::Revoked => Verdict::Revoked(signer),
            Outcome::Unsupported => Verdict::Unsupported,
        }
    }

    fn owns(&self, address: &str) -> bool {
        self.addresses.iter().any(|own| own.eq_ignore_ascii_case(address))
    }
}

/// A key, its fingerprint, and what signatures call it.
fn read(key: &KnownKey) -> Option<(Material, String, Vec<String>)> {
    match key.kind {
        Kind::Ssh => {
            let fingerprint = ssh::fingerprint(&key.bytes);
            let material = Material::Ssh(Box::new(ssh::Key::parse(&key.bytes)?));
            Some((material, fingerprint.clone(), vec![fingerprint]))
        }
        Kind::OpenPgp => {
            let keys = packets::keys(&key.bytes).ok()?;
            let names = keys.iter().flat_map(|key| [hex(&key.fingerprint), hex(&key.key_id)]).collect();
            let material = Material::OpenPgp(Box::new(Certificate::parse(&key.bytes)?));
            Some((material, hex(&keys[0].fingerprint), names))
        }
    }
}
