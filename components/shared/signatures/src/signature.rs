//! A signature out of its armor.

use crate::limits::SIGNATURE_BYTES_MAX;
use crate::{armor, openpgp, ssh};

/// A signature.
#[derive(Debug)]
pub enum Signature {
    Ssh(ssh::Signature),
    OpenPgp(Box<openpgp::Signature>),
    /// By a certificate, which no account has.
    X509,
}

/// The text is no signature, or a larger one than is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl Signature {
    /// Reads a signature in armor.
    pub fn parse(text: &[u8]) -> Result<Self, Malformed> {
        if text.len() > SIGNATURE_BYTES_MAX {
            return Err(Malformed);
        }
        let text = std::str::from_utf8(text).map_err(|_| Malformed)?;
        let armored = armor::open(text).ok_or(Malformed)?;
        match armored.label {
            "SSH SIGNATURE" => ssh::Signature::parse(&armored.bytes).map(Self::Ssh).ok_or(Malformed),
            "PGP SIGNATURE" | "PGP MESSAGE" => {
                let signature = openpgp::Signature::parse(&armored.bytes).ok_or(Malformed)?;
                Ok(Self::OpenPgp(Box::new(signature)))
            }
            "SIGNED MESSAGE" | "PKCS7" | "CMS" => Ok(Self::X509),
            _ => Err(Malformed),
        }
    }

    /// What it calls the key that it says has made it: fingerprints and key ids, as in
    /// [`PublicKey::names`](crate::PublicKey::names). None if it does not say.
    pub fn signers(&self) -> Vec<String> {
        match self {
            Self::Ssh(signature) => vec![signature.fingerprint.clone()],
            Self::OpenPgp(signature) => signature.signers(),
            Self::X509 => Vec::new(),
        }
    }
}
