//! SSH keys (RFC 4253, 6.6, and OpenSSH's PROTOCOL.u2f) and signatures (OpenSSH's PROTOCOL.sshsig).

use crate::algorithms::{Curve, Hash, Material, Numbers, check_rsa_bits};
use crate::armor::BASE64;
use crate::key::KeyError;
use crate::wire::{Reader, bits};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};

/// What `git` signs for, apart from everything else that is signed with the same key.
const NAMESPACE: &[u8] = b"git";

/// What a signature begins with, and what is signed.
const MAGIC: &[u8] = b"SSHSIG";

/// The key in a line `<type> <base64> [<comment>]`.
pub fn decode_line(line: &str) -> Result<Vec<u8>, KeyError> {
    let mut words = line.split_ascii_whitespace();
    let (Some(kind), Some(base64)) = (words.next(), words.next()) else { return Err(KeyError::Malformed) };
    let bytes = BASE64.decode(base64).map_err(|_| KeyError::Malformed)?;
    match Reader(&bytes).string() == Some(kind.as_bytes()) {
        true => Ok(bytes),
        false => Err(KeyError::Malformed),
    }
}

/// What a key consists of.
enum Parts<'a> {
    Ed25519(&'a [u8]),
    Ecdsa(Curve, &'a [u8]),
    Rsa { exponent: &'a [u8], modulus: &'a [u8] },
}

/// The parts of a key, and what keys of a security token are bound to.
fn parts(bytes: &[u8]) -> Result<(Parts<'_>, Option<&[u8]>), KeyError> {
    let mut reader = Reader(bytes);
    let mut string = || reader.string().ok_or(KeyError::Malformed);
    let kind = str::from_utf8(string()?).map_err(|_| KeyError::Malformed)?;
    let parts = match kind {
        "ssh-ed25519" => (Parts::Ed25519(string()?), None),
        "sk-ssh-ed25519@openssh.com" => (Parts::Ed25519(string()?), Some(string()?)),
        "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => {
            let name = string()?;
            (Parts::Ecdsa(curve(kind, name)?, string()?), None)
        }
        "sk-ecdsa-sha2-nistp256@openssh.com" => {
            let name = string()?;
            (Parts::Ecdsa(curve("ecdsa-sha2-nistp256", name)?, string()?), Some(string()?))
        }
        "ssh-rsa" => (Parts::Rsa { exponent: string()?, modulus: string()? }, None),
        "ssh-dss" => return Err(KeyError::Unsupported("a DSA key".into())),
        kind if kind.contains("-cert-v0") => {
            return Err(KeyError::Unsupported("a certificate and no key".into()));
        }
        _ => return Err(KeyError::Malformed),
    };
    match (&parts.0, reader.is_at_end()) {
        (Parts::Ed25519(point), true) if point.len() != 32 => Err(KeyError::Malformed),
        (_, true) => Ok(parts),
        (_, false) => Err(KeyError::Malformed),
    }
}

fn curve(kind: &str, name: &[u8]) -> Result<Curve, KeyError> {
    match (kind.strip_prefix("ecdsa-sha2-").map(str::as_bytes) == Some(name), name) {
        (true, b"nistp256") => Ok(Curve::P256),
        (true, b"nistp384") => Ok(Curve::P384),
        (true, b"nistp521") => Ok(Curve::P521),
        _ => Err(KeyError::Malformed),
    }
}

/// What a key's algorithm is called, if signatures by it can be verified.
pub fn algorithm(bytes: &[u8]) -> Result<String, KeyError> {
    let (parts, token) = parts(bytes)?;
    let token = if token.is_some() { "-SK" } else { "" };
    Ok(match parts {
        Parts::Ed25519(_) => format!("ED25519{token}"),
        Parts::Ecdsa(curve, _) => format!("ECDSA{token} {}", format!("{curve:?}").replace('P', "P-")),
        Parts::Rsa { modulus, .. } => {
            let bits = bits(modulus);
            check_rsa_bits(bits)?;
            format!("RSA {bits}")
        }
    })
}

/// The fingerprint as `ssh-keygen -l` has it.
pub fn fingerprint(bytes: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(bytes)))
}

/// A public key that signatures are verified by.
pub struct Key {
    material: Material,
    /// The digest of what keys of this kind sign by themselves; none: the signature says.
    hash: Option<Hash>,
    /// What the keys of security tokens are bound to.
    application: Option<Vec<u8>>,
}

impl Key {
    /// Reads a key; none if it is malformed or none that can be verified by.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (parts, application) = parts(bytes).ok()?;
        let (material, hash) = match parts {
            Parts::Ed25519(point) => (Material::ed25519(point)?, Some(Hash::Sha512)),
            Parts::Ecdsa(curve, point) => (Material::ecdsa(curve, point)?, Some(curve.hash())),
            Parts::Rsa { exponent, modulus } => (Material::rsa(modulus, exponent)?, None),
        };
        Some(Self { material, hash, application: application.map(<[u8]>::to_vec) })
    }
}

/// A signature and the key that it says has made it.
#[derive(Debug)]
pub struct Signature {
    pub fingerprint: String,
    namespace: Vec<u8>,
    /// Of the payload.
    hash: Hash,
    /// The name of that digest in the signature.
    hash_name: Vec<u8>,
    numbers: Numbers,
    /// Where RSA signs: the digest by which it does.
    rsa_hash: Option<Hash>,
    /// Of a security token: flags and counter.
    token: Option<[u8; 5]>,
}

impl Signature {
    /// Reads what was in armor; none if it is malformed.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        const VERSION: u32 = 1;
        let mut reader = Reader(bytes.strip_prefix(MAGIC)?);
        reader.u32().filter(|version| *version == VERSION)?;
        let fingerprint = fingerprint(reader.string()?);
        let namespace = reader.string()?.to_vec();
        let _reserved = reader.string()?;
        let hash_name = reader.string()?.to_vec();
        let hash = match &hash_name[..] {
            b"sha256" => Hash::Sha256,
            b"sha512" => Hash::Sha512,
            _ => return None,
        };
        let mut made = Reader(reader.string().filter(|_| reader.is_at_end())?);
        let kind = made.string()?;
        let blob = made.string()?;
        let (numbers, rsa_hash) = match kind {
            b"ssh-ed25519" | b"sk-ssh-ed25519@openssh.com" => (Numbers::Ed25519(blob.try_into().ok()?), None),
            b"rsa-sha2-256" => (Numbers::Rsa(blob.to_vec()), Some(Hash::Sha256)),
            b"rsa-sha2-512" => (Numbers::Rsa(blob.to_vec()), Some(Hash::Sha512)),
            b"ecdsa-sha2-nistp256"
            | b"ecdsa-sha2-nistp384"
            | b"ecdsa-sha2-nistp521"
            | b"sk-ecdsa-sha2-nistp256@openssh.com" => {
                let mut numbers = Reader(blob);
                let (r, s) = (numbers.string()?.to_vec(), numbers.string()?.to_vec());
                (Numbers::Ecdsa(r, s), None)
            }
            _ => return None,
        };
        let token = match kind.starts_with(b"sk-") {
            true => Some(made.take(5)?.try_into().expect("five bytes were taken")),
            false => None,
        };
        made.is_at_end().then_some(Self { fingerprint, namespace, hash, hash_name, numbers, rsa_hash, token })
    }

    /// Whether the key made the signature of the payload, for `git`, and, of a key in a security
    /// token, with somebody at hand.
    pub fn is_by(&self, key: &Key, payload: &[u8]) -> bool {
        if self.namespace != NAMESPACE {
            return false;
        }
        let mut signed = MAGIC.to_vec();
        for part in [NAMESPACE, b"", &self.hash_name, &self.hash.digest(&[payload])] {
            signed.extend_from_slice(&u32::try_from(part.len()).expect("it is short").to_be_bytes());
            signed.extend_from_slice(part);
        }
        match (&key.application, &self.token) {
            (None, None) => {}
            (Some(application), Some(token)) => {
                const USER_PRESENCE: u8 = 1;
                if token[0] & USER_PRESENCE == 0 {
                    return false;
                }
                let (application, message) = (Sha256::digest(application), Sha256::digest(&signed));
                signed = [&application[..], token, &message[..]].concat();
            }
            _ => return false,
        }
        let Some(hash) = key.hash.or(self.rsa_hash) else { return false };
        match key.material {
            Material::Ed25519(_) => key.material.has_made(&self.numbers, hash, &signed),
            _ => key.material.has_made(&self.numbers, hash, &hash.digest(&[&signed])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{RSA_BITS_MAX, RSA_BITS_MIN};

    fn string(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).expect("short").to_be_bytes(), bytes].concat()
    }

    fn key(parts: &[&[u8]]) -> Vec<u8> {
        parts.iter().flat_map(|part| string(part)).collect()
    }

    #[test]
    fn algorithms_are_told_by_what_keys_consist_of() {
        let (bytes, point) = ([7; 32], [4; 65]);
        let rsa = |bits: usize| {
            let mut modulus = vec![0; bits / 8 + 1];
            modulus[1..].fill(0xff);
            key(&[b"ssh-rsa", &[1, 0, 1], &modulus])
        };
        let cases = [
            (key(&[b"ssh-ed25519", &bytes]), Ok("ED25519".to_owned())),
            (key(&[b"sk-ssh-ed25519@openssh.com", &bytes, b"ssh:"]), Ok("ED25519-SK".into())),
            (key(&[b"ecdsa-sha2-nistp256", b"nistp256", &point]), Ok("ECDSA P-256".into())),
            (key(&[b"ecdsa-sha2-nistp521", b"nistp521", &point]), Ok("ECDSA P-521".into())),
            (
                key(&[b"sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", &point, b"ssh:"]),
                Ok("ECDSA-SK P-256".into()),
            ),
            (rsa(RSA_BITS_MIN), Ok("RSA 2048".into())),
            (rsa(RSA_BITS_MIN - 8), Err(KeyError::Weak)),
            (rsa(RSA_BITS_MAX), Ok("RSA 4096".into())),
            (rsa(RSA_BITS_MAX + 8), Err(KeyError::Long)),
            (key(&[b"ssh-dss", b"x"]), Err(KeyError::Unsupported("a DSA key".into()))),
            (
                key(&[b"ssh-ed25519-cert-v01@openssh.com", b"x"]),
                Err(KeyError::Unsupported("a certificate and no key".into())),
            ),
            (key(&[b"ssh-ed25519", &bytes[1..]]), Err(KeyError::Malformed)),
            (key(&[b"ssh-ed25519", &bytes, b"more"]), Err(KeyError::Malformed)),
            (key(&[b"ecdsa-sha2-nistp256", b"secp256k1", &point]), Err(KeyError::Malformed)),
            (key(&[b"ssh-ed448", &bytes]), Err(KeyError::Malformed)),
            (b"ssh-ed25519".to_vec(), Err(KeyError::Malformed)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(algorithm(&bytes), expected, "{bytes:?}");
        }
    }
}
