//! Random secrets, and the hashes that are kept of them.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// What an access token begins with, so that it is told from a password at sight.
pub const TOKEN_PREFIX: &str = "lithe_";

/// What the operator's token begins with.
const OPERATOR_PREFIX: &str = "lithe-operator_";

/// Letters that nobody takes for another.
const READABLE: &[u8] = b"abcdefghjkmnpqrstuvwxyz";
const READABLE_GROUPS: usize = 4;
const READABLE_GROUP_CHARS: usize = 5;

/// Random bytes from the system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness, or nothing is safe");
    bytes
}

/// The secret of a new session: 256 random bits.
pub fn session() -> String {
    text(&random::<32>())
}

/// The secret of a new access token: the prefix and 160 random bits.
pub fn token() -> String {
    format!("{TOKEN_PREFIX}{}", text(&random::<20>()))
}

/// The operator's token: its prefix and 256 random bits.
pub fn operator_token() -> String {
    format!("{OPERATOR_PREFIX}{}", text(&random::<32>()))
}

/// A password to be read and typed once: four groups of five letters, 90 bits.
pub fn one_time_password() -> String {
    let letter = || loop {
        // Bytes past the largest multiple are thrown away, so that every letter is as likely.
        let [byte] = random::<1>();
        if usize::from(byte) < 256 / READABLE.len() * READABLE.len() {
            return char::from(READABLE[usize::from(byte) % READABLE.len()]);
        }
    };
    let group = || (0..READABLE_GROUP_CHARS).map(|_| letter()).collect::<String>();
    (0..READABLE_GROUPS).map(|_| group()).collect::<Vec<_>>().join("-")
}

/// What is stored of a random secret. A fast hash is enough: there is nothing to guess.
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// HMAC-SHA-256 (RFC 2104) over the parts, each with its length, so that no two lists collide.
pub fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Bytes as lowercase letters and digits (RFC 4648 base 32 without padding).
pub fn text(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_their_form() {
        let cases = [(session(), "", 52), (token(), "lithe_", 32), (operator_token(), "lithe-operator_", 52)];
        for (secret, prefix, length) in cases {
            let rest = secret.strip_prefix(prefix).expect("the prefix");
            assert_eq!(rest.len(), length, "{secret}");
            assert!(rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{secret}");
        }
        assert_ne!(token(), token());
    }

    #[test]
    fn a_one_time_password_can_be_read_out() {
        let bits = f64::from(READABLE.len() as u8).log2() * (READABLE_GROUPS * READABLE_GROUP_CHARS) as f64;
        assert!(bits >= 80.0);
        let password = one_time_password();
        assert_eq!(password.split('-').map(str::len).collect::<Vec<_>>(), [5; 4]);
        assert!(password.bytes().all(|byte| byte == b'-' || READABLE.contains(&byte)));
    }

    #[test]
    fn keyed_hashes_tell_lists_apart() {
        let key = random();
        assert_eq!(keyed_hash(&key, &[b"a", b"b"]), keyed_hash(&key, &[b"a", b"b"]));
        assert_ne!(keyed_hash(&key, &[b"a", b"b"]), keyed_hash(&key, &[b"ab", b""]));
        assert_ne!(keyed_hash(&key, &[b"a"]), keyed_hash(&random(), &[b"a"]));
    }
}
