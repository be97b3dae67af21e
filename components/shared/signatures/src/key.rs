//! Public keys as people give them.

use crate::limits::{KEY_BYTES_MAX, KEY_TEXT_BYTES_MAX, RSA_BITS_MAX, RSA_BITS_MIN, SUBKEYS_MAX};
use crate::{armor, packets, ssh};

/// Whose format a key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ssh,
    OpenPgp,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub kind: Kind,
    /// `ED25519`, `RSA 3072`, ….
    pub algorithm: String,
    /// Of an SSH key `SHA256:` and base64, as `ssh-keygen -l` has it; of an OpenPGP key hexadecimal
    /// digits, as `gpg` has it.
    pub fingerprint: String,
    /// What signatures may call the key by: the fingerprint; of an OpenPGP key also those of its
    /// subkeys, and the key ids.
    pub names: Vec<String>,
    /// Without armor, and of an SSH key without the comment.
    pub bytes: Vec<u8>,
}

/// Why a text is no public key that signatures can be verified with, in words for whoever gave it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("this is neither an SSH key, such as `ssh-ed25519 AAAA…`, nor an OpenPGP key in armor")]
    Malformed,
    #[error(
        "this is a private key: nobody but you should have it, so throw it away if others may have seen it"
    )]
    Private,
    #[error("give one key at a time")]
    Several,
    #[error("this is {0}, with which no signature can be verified here")]
    Unsupported(String),
    #[error("an RSA key has at least {RSA_BITS_MIN} bits")]
    Weak,
    #[error("an RSA key has at most {RSA_BITS_MAX} bits")]
    Long,
    #[error("an OpenPGP key has at most {SUBKEYS_MAX} subkeys")]
    ManySubkeys,
    #[error(
        "a key has at most {KEY_BYTES_MAX} bytes; `gpg --export-options export-minimal` makes it smaller"
    )]
    Large,
}

impl PublicKey {
    /// Reads a line as in `id_ed25519.pub`, or an OpenPGP key in armor.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > KEY_TEXT_BYTES_MAX {
            return Err(KeyError::Large);
        }
        if text.contains("PRIVATE KEY") {
            return Err(KeyError::Private);
        }
        if text.trim_start().starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----") {
            let armored = armor::open(text).ok_or(KeyError::Malformed)?;
            return Self::of_openpgp(armored.bytes);
        }
        let text = text.trim();
        if text.lines().nth(1).is_some() {
            let is_another = |line: &str| ssh::decode_line(line).is_ok();
            return Err(if text.lines().all(is_another) { KeyError::Several } else { KeyError::Malformed });
        }
        Self::of_ssh(ssh::decode_line(text)?)
    }

    fn of_ssh(bytes: Vec<u8>) -> Result<Self, KeyError> {
        if bytes.len() > KEY_BYTES_MAX {
            return Err(KeyError::Large);
        }
        let algorithm = ssh::algorithm(&bytes)?;
        let fingerprint = ssh::fingerprint(&bytes);
        Ok(Self { kind: Kind::Ssh, algorithm, names: vec![fingerprint.clone()], fingerprint, bytes })
    }

    fn of_openpgp(bytes: Vec<u8>) -> Result<Self, KeyError> {
        if bytes.len() > KEY_BYTES_MAX {
            return Err(KeyError::Large);
        }
        let keys = packets::keys(&bytes)?;
        let names = keys.iter().flat_map(|key| [hex(&key.fingerprint), hex(&key.key_id)]).collect();
        let primary = &keys[0];
        Ok(Self {
            kind: Kind::OpenPgp,
            algorithm: primary.algorithm.clone(),
            fingerprint: hex(&primary.fingerprint),
            names,
            bytes,
        })
    }
}

/// Hexadecimal digits, in upper case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        PublicKey::parse(text).expect_err("this is no key").to_string()
    }

    #[test]
    fn what_is_no_public_key_is_refused_in_words() {
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
        assert!(PublicKey::parse(line).is_ok());
        assert!(PublicKey::parse(&format!("\n {line} anna@home \r\n")).is_ok());
        for (text, words) in [
            ("", "neither an SSH key"),
            ("ssh-ed25519", "neither an SSH key"),
            ("hello world", "neither an SSH key"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----", "a private key"),
            ("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nx\n", "a private key"),
            ("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n", "neither an SSH key"),
            (&format!("{line}\n{line}"), "one key at a time"),
            (&format!("{line}\nmore"), "neither an SSH key"),
            (&line.replace("ssh-ed25519", "ssh-rsa"), "neither an SSH key"),
            (&format!("no-pty {line}"), "neither an SSH key"),
            (&" ".repeat(KEY_TEXT_BYTES_MAX), "neither an SSH key"),
            (&" ".repeat(KEY_TEXT_BYTES_MAX + 1), "at most"),
        ] {
            let error = error(text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn openpgp_keys_are_taken_up_to_the_limit() {
        let with = |len: usize| {
            let key = [&[0xc6, 46, 4, 0, 0, 0, 1, 22][..], &[7; 40]].concat();
            let rest = len - key.len() - 6;
            let user_id =
                [&[0xcd, 255][..], &u32::try_from(rest).expect("small").to_be_bytes(), &vec![b'a'; rest]]
                    .concat();
            crate::armor::armor("PGP PUBLIC KEY BLOCK", "\n", &[key, user_id].concat())
        };
        assert_eq!(PublicKey::parse(&with(KEY_BYTES_MAX)).map(|key| key.bytes.len()), Ok(KEY_BYTES_MAX));
        assert_eq!(PublicKey::parse(&with(KEY_BYTES_MAX + 1)), Err(KeyError::Large));
    }
}
