//! Public keys as numbers, and whether they made a signature.

use crate::key::KeyError;
use crate::limits::{RSA_BITS_MAX, RSA_BITS_MIN};
use crate::wire::bits;
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPublicKey};
use sha2::{Sha256, Sha384, Sha512};

/// A digest that is safe to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// The curves of ECDSA keys (FIPS 186-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    P256,
    P384,
    P521,
}

/// A public key.
pub enum Material {
    Ed25519(ed25519_compact::PublicKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Rsa(RsaPublicKey),
}

/// The numbers that a signature consists of, in big-endian bytes, with or without zeros before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Numbers {
    /// `r`, then `s`, each of 32 bytes as they are (RFC 8032).
    Ed25519([u8; 64]),
    Ecdsa(Vec<u8>, Vec<u8>),
    /// PKCS #1 v1.5.
    Rsa(Vec<u8>),
}

impl Hash {
    /// The digest of all parts, one after the other.
    pub fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        fn of<D: sha2::Digest>(parts: &[&[u8]]) -> Vec<u8> {
            let mut digest = D::new();
            parts.iter().for_each(|part| digest.update(part));
            digest.finalize().to_vec()
        }
        match self {
            Self::Sha256 => of::<Sha256>(parts),
            Self::Sha384 => of::<Sha384>(parts),
            Self::Sha512 => of::<Sha512>(parts),
        }
    }

    /// What stands before the digest where RSA signs it (RFC 8017, 9.2).
    fn prefix(self) -> [u8; 19] {
        let (algorithm, len) = match self {
            Self::Sha256 => (1, 32),
            Self::Sha384 => (2, 48),
            Self::Sha512 => (3, 64),
        };
        let (all, identifier) = (17 + len, 13);
        [0x30, all, 0x30, identifier, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, algorithm, 5, 0, 4, len]
    }
}

impl Curve {
    /// The digest that the SSH protocol pairs the curve with (RFC 5656, 6.2.1).
    pub fn hash(self) -> Hash {
        match self {
            Self::P256 => Hash::Sha256,
            Self::P384 => Hash::Sha384,
            Self::P521 => Hash::Sha512,
        }
    }
}

pub fn check_rsa_bits(bits: usize) -> Result<(), KeyError> {
    match bits {
        ..RSA_BITS_MIN => Err(KeyError::Weak),
        RSA_BITS_MIN..=RSA_BITS_MAX => Ok(()),
        _ => Err(KeyError::Long),
    }
}

/// Whether `$r` and `$s` are a signature of a digest on a curve whose numbers have `$bytes` bytes.
macro_rules! is_ecdsa {
    ($curve:ident, $bytes:literal, $key:expr, $r:expr, $s:expr, $digest:expr) => {{
        use $curve::ecdsa::{Signature, signature::hazmat::PrehashVerifier as _};
        match (padded::<$bytes>($r), padded::<$bytes>($s)) {
            (Some(r), Some(s)) => Signature::from_scalars(r, s)
                .is_ok_and(|signature| $key.verify_prehash($digest, &signature).is_ok()),
            _ => false,
        }
    }};
}

impl Material {
    pub fn ed25519(point: &[u8]) -> Option<Self> {
        ed25519_compact::PublicKey::from_slice(point).ok().map(Self::Ed25519)
    }

    /// A point on a curve, as SEC 1 has it.
    pub fn ecdsa(curve: Curve, point: &[u8]) -> Option<Self> {
        match curve {
            Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(Self::P256),
            Curve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(Self::P384),
            Curve::P521 => p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(Self::P521),
        }
    }

    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        /// No key in use has a larger one, and verifying takes longer with it.
        const EXPONENT_BITS_MAX: usize = 32;
        check_rsa_bits(bits(modulus)).ok()?;
        if bits(exponent) > EXPONENT_BITS_MAX {
            return None;
        }
        let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(without_zeros(bytes));
        RsaPublicKey::new(number(modulus), number(exponent)).ok().map(Self::Rsa)
    }

    /// Whether the key made the signature of a digest; Ed25519 signs `signed` as it is, digest or not.
    pub fn has_made(&self, numbers: &Numbers, hash: Hash, signed: &[u8]) -> bool {
        match (self, numbers) {
            (Self::Ed25519(key), Numbers::Ed25519(numbers)) => {
                key.verify(signed, &ed25519_compact::Signature::new(*numbers)).is_ok()
            }
            (Self::P256(key), Numbers::Ecdsa(r, s)) => is_ecdsa!(p256, 32, key, r, s, signed),
            (Self::P384(key), Numbers::Ecdsa(r, s)) => is_ecdsa!(p384, 48, key, r, s, signed),
            (Self::P521(key), Numbers::Ecdsa(r, s)) => is_ecdsa!(p521, 66, key, r, s, signed),
            (Self::Rsa(key), Numbers::Rsa(number)) => {
                let number = without_zeros(number);
                let Some(zeros) = key.size().checked_sub(number.len()) else { return false };
                let number = [&vec![0; zeros], number].concat();
                let scheme = Pkcs1v15Sign { hash_len: Some(signed.len()), prefix: hash.prefix().into() };
                key.verify(scheme, signed, &number).is_ok()
            }
            _ => false,
        }
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().position(|byte| *byte != 0).unwrap_or(number.len())..]
}

/// A number in so many bytes; none if it is larger.
pub fn padded<const N: usize>(number: &[u8]) -> Option<[u8; N]> {
    let number = without_zeros(number);
    let mut padded = [0; N];
    padded[N.checked_sub(number.len())?..].copy_from_slice(number);
    Some(padded)
}
