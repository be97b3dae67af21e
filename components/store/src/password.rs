//! Passwords: Argon2id (RFC 9106) in PHC strings, and which passwords are refused.
//!
//! Nothing here touches the database, so that it can run beside it.

use crate::failure::invalid;
use crate::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use crate::sealed::{Challenge, NewPassword, Proof, SealingKey};
use crate::secret;
use crate::types::{Error, Timestamp};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use data_encoding::BASE64_NOPAD;

/// The memory of one hash, in KiB. This and the next two are OWASP's recommendation for Argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;

/// The most used passwords of at least eight characters, in lowercase, one a line.
const MOST_USED: &str = include_str!("most_used_passwords.txt");

/// `passwords.prove`: makes the check that a challenge asks for.
pub fn prove(key: &SealingKey, challenge: &[u8], password: String, now: Timestamp) -> Result<Vec<u8>, Error> {
    check_length(&password)?;
    let challenge: Challenge = key
        .open_sealed(challenge, now)
        .map_err(|_| invalid("challenge", "the sign-in took too long: try again"))?;
    let matches = verify(&password, &challenge.password_hash)?;
    let user_id = challenge.user_id.filter(|_| matches);
    let renewed_hash = match user_id {
        Some(_) if !is_current(&challenge.password_hash) => Some(hash(&password)?),
        _ => None,
    };
    let proof = Proof {
        serial: challenge.serial,
        login: challenge.login,
        user_id,
        credentials_version: challenge.credentials_version,
        password,
        renewed_hash,
    };
    Ok(key.seal(&proof, now))
}

/// `passwords.seal`: hashes a new password, if it is acceptable.
pub fn seal(key: &SealingKey, password: &str, now: Timestamp) -> Result<Vec<u8>, Error> {
    check_length(password)?;
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(invalid("password", format!("a password has at least {PASSWORD_CHARS_MIN} characters")));
    }
    if is_most_used(password) {
        return Err(invalid("password", "this is one of the most used passwords: choose another"));
    }
    Ok(key.seal(&NewPassword { password_hash: hash(password)? }, now))
}

/// Hashes a password with the present parameters and a new salt.
pub fn hash(password: &str) -> Result<String, Error> {
    let salt: [u8; SALT_BYTES] = secret::random();
    let hash = argon2()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|error| Error::Other(format!("a password cannot be hashed: {error}")))?;
    Ok(hash.to_string())
}

/// A hash like any other that no password is known for, to meet an unknown login with.
pub fn decoy_hash() -> String {
    let salt = BASE64_NOPAD.encode(&secret::random::<SALT_BYTES>());
    let output = BASE64_NOPAD.encode(&secret::random::<OUTPUT_BYTES>());
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}")
}

fn check_length(password: &str) -> Result<(), Error> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(invalid("password", format!("a password has at most {PASSWORD_BYTES_MAX} bytes")));
    }
    Ok(())
}

fn verify(password: &str, hash: &str) -> Result<bool, Error> {
    let hash = PasswordHash::new(hash)
        .map_err(|error| Error::Other(format!("a stored password hash is damaged: {error}")))?;
    Ok(argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Whether a hash was made with the present parameters.
fn is_current(hash: &str) -> bool {
    hash.starts_with(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$"))
}

fn is_most_used(password: &str) -> bool {
    let lower = password.to_lowercase();
    MOST_USED.lines().any(|line| line == lower)
}

fn argon2() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).expect("the constants are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = 5;

    fn challenge(user_id: Option<i64>, password_hash: String) -> Challenge {
        Challenge { serial: [9; 16], login: "anna".into(), user_id, credentials_version: 1, password_hash }
    }

    #[test]
    fn a_proof_says_whose_password_it_was() {
        let key = SealingKey::random();
        let stored = hash("correct horse").expect("a hash");
        let cases = [
            (Some(7), stored.clone(), "correct horse", Some(7)),
            (Some(7), stored.clone(), "Correct horse", None),
            (Some(7), stored.clone(), "", None),
            (None, stored, "correct horse", None),
            (None, decoy_hash(), "correct horse", None),
        ];
        for (user_id, hash, password, expected) in cases {
            let sealed = key.seal(&challenge(user_id, hash), NOW);
            let proof = prove(&key, &sealed, password.into(), NOW).expect("a proof");
            let proof: Proof = key.open_sealed(&proof, NOW).expect("a proof of ours");
            assert_eq!((proof.user_id, proof.renewed_hash), (expected, None), "{password:?}");
        }
    }

    #[test]
    fn hashes_of_other_parameters_are_renewed() {
        let key = SealingKey::random();
        let weak =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).expect("in range"));
        let weak = weak.hash_password_with_salt(b"correct horse", &[7; 16]).expect("a hash").to_string();
        for (password, renewed) in [("correct horse", true), ("wrong", false)] {
            let sealed = key.seal(&challenge(Some(7), weak.clone()), NOW);
            let proof = prove(&key, &sealed, password.into(), NOW).expect("a proof");
            let proof: Proof = key.open_sealed(&proof, NOW).expect("a proof of ours");
            assert_eq!(proof.renewed_hash.is_some_and(|hash| is_current(&hash)), renewed);
        }
    }

    #[test]
    fn decoys_look_like_hashes() {
        let real = hash("correct horse").expect("a hash");
        let decoy = decoy_hash();
        assert_eq!(real.len(), decoy.len());
        assert!(is_current(&real) && is_current(&decoy));
        assert_eq!(verify("correct horse", &decoy), Ok(false));
    }

    #[test]
    fn unacceptable_passwords_are_refused() {
        let key = SealingKey::random();
        let longest = "é".repeat(PASSWORD_BYTES_MAX / 2);
        let too_long = "a".repeat(PASSWORD_BYTES_MAX + 1);
        let cases = [
            ("1234567", false),
            ("größer12", true),
            ("Password1", false),
            ("QWERTYUIOP", false),
            (&longest, true),
            (&too_long, false),
            ("tame-otter", true),
        ];
        for (password, accepted) in cases {
            let result = seal(&key, password, NOW);
            assert_eq!(result.is_ok(), accepted, "{password:.20}: {result:?}");
        }
        let sealed = key.seal(&challenge(Some(7), decoy_hash()), NOW);
        assert!(matches!(prove(&key, &sealed, too_long, NOW), Err(Error::Invalid(_))));
    }

    #[test]
    fn challenges_that_are_none_are_refused() {
        let key = SealingKey::random();
        let old = key.seal(&challenge(Some(7), decoy_hash()), NOW);
        for (sealed, at) in [(&b""[..], NOW), (b"garbage", NOW), (&old, NOW + 61)] {
            assert!(matches!(prove(&key, sealed, "x".into(), at), Err(Error::Invalid(_))));
        }
    }
}
