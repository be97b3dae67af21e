//! Values that a feature carries from one call to the next and can neither read nor make:
//! encrypted and authenticated (XChaCha20-Poly1305), of one kind each, and good for a minute.

use crate::limits::SEALED_SECONDS_MAX;
use crate::secret;
use crate::spent::Serial;
use crate::types::{Error, Timestamp};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// The version of the layout, the first byte of what is sealed.
const LAYOUT: u8 = 1;
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;
/// The file of the key, beside the database.
pub const KEY_FILE: &str = "seal.key";

/// A value that can be sealed. Its kind keeps one from being passed off as another.
pub trait Sealable: Serialize + DeserializeOwned {
    const KIND: &'static str;
}

/// A password check that is to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    /// Tells it from every other challenge.
    pub serial: Serial,
    /// As it was given.
    pub login: String,
    /// The user of that login; none if there is none.
    pub user_id: Option<i64>,
    pub credentials_version: i64,
    /// The PHC string to compare the password with.
    pub password_hash: String,
}

/// A password check that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// That of the challenge.
    pub serial: Serial,
    pub login: String,
    /// The user whose password it was; none if it was wrong or the login unknown.
    pub user_id: Option<i64>,
    pub credentials_version: i64,
    /// The password, to be remembered by a keyed hash.
    pub password: String,
    /// The password hashed anew, where the stored hash was made with other parameters.
    pub renewed_hash: Option<String>,
}

/// A new password, hashed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewPassword {
    pub password_hash: String,
}

impl Sealable for Challenge {
    const KIND: &'static str = "lithe challenge";
}

impl Sealable for Proof {
    const KIND: &'static str = "lithe proof";
}

impl Sealable for NewPassword {
    const KIND: &'static str = "lithe new password";
}

/// Why something sealed cannot be opened: it is not ours, not of that kind, or too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unopenable;

/// The key that everything is sealed with. Every instance that shares the directory shares it.
pub struct SealingKey([u8; KEY_BYTES]);

impl SealingKey {
    /// Reads the key in `directory`, and makes one if there is none.
    ///
    /// The file appears whole or not at all, and only the first of several that make one counts.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(KEY_FILE);
        let failed = |what: &str, error: std::io::Error| {
            Error::Other(format!("{} cannot be {what}: {error}", path.display()))
        };
        match Self::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            result => return result.map_err(|error| failed("read", error)),
        }
        let draft = directory.join(format!("{KEY_FILE}.{}", secret::text(&secret::random::<8>())));
        let made = create_private(&draft)
            .and_then(|mut file| {
                file.write_all(&secret::random::<KEY_BYTES>()).and_then(|()| file.sync_all())
            })
            .and_then(|()| match std::fs::hard_link(&draft, &path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                result => result,
            });
        let removed = match std::fs::remove_file(&draft) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result,
        };
        made.and(removed).map_err(|error| failed("made", error))?;
        Self::read(&path).map_err(|error| failed("read", error))
    }

    /// A key that nothing was sealed with.
    #[cfg(test)]
    pub fn random() -> Self {
        Self(secret::random())
    }

    /// A key for another purpose, made from this one.
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        secret::keyed_hash(&self.0, &[purpose.as_bytes()])
    }

    /// Seals a value.
    pub fn seal<T: Sealable>(&self, value: &T, now: Timestamp) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = secret::random();
        let mut plain = now.saturating_add(SEALED_SECONDS_MAX).to_le_bytes().to_vec();
        serde_json::to_writer(&mut plain, value).expect("plain records can be written to memory");
        let payload = Payload { msg: &plain, aad: T::KIND.as_bytes() };
        let cipher = XChaCha20Poly1305::new(&self.0.into());
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("the value is far smaller than the cipher's limit");
        [&[LAYOUT][..], &nonce, &sealed].concat()
    }

    /// Opens what `seal` made, if it is of this kind and not too old.
    pub fn open_sealed<T: Sealable>(&self, sealed: &[u8], now: Timestamp) -> Result<T, Unopenable> {
        let sealed = sealed.strip_prefix(&[LAYOUT]).ok_or(Unopenable)?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(Unopenable)?;
        let payload = Payload { msg: sealed, aad: T::KIND.as_bytes() };
        let cipher = XChaCha20Poly1305::new(&self.0.into());
        let plain = cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| Unopenable)?;
        let (expires, value) = plain.split_first_chunk::<8>().ok_or(Unopenable)?;
        let expires = Timestamp::from_le_bytes(*expires);
        // A clock that was set back must not make it last longer.
        if !(now..=now.saturating_add(SEALED_SECONDS_MAX)).contains(&expires) {
            return Err(Unopenable);
        }
        serde_json::from_slice(value).map_err(|_| Unopenable)
    }

    fn read(path: &Path) -> std::io::Result<Self> {
        let bytes = std::fs::read(path)?;
        let key = bytes
            .try_into()
            .map_err(|_| std::io::Error::new(ErrorKind::InvalidData, "it is not a key of 32 bytes"))?;
        Ok(Self(key))
    }
}

/// Creates a file that only its owner may read, where the system knows owners.
fn create_private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = 1_000_000;

    fn challenge() -> Challenge {
        Challenge {
            serial: [9; 16],
            login: "anna".into(),
            user_id: Some(7),
            credentials_version: 3,
            password_hash: "$argon2id$…".into(),
        }
    }

    #[test]
    fn what_is_sealed_opens_for_a_minute() {
        let key = SealingKey::random();
        let sealed = key.seal(&challenge(), NOW);
        for (at, opens) in
            [(NOW, true), (NOW + 60, true), (NOW + 61, false), (NOW - 1, false), (i64::MAX, false)]
        {
            let expected = if opens { Ok(challenge()) } else { Err(Unopenable) };
            assert_eq!(key.open_sealed(&sealed, at), expected, "at {at}");
        }
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let key = SealingKey::random();
        let sealed = key.seal(&challenge(), NOW);
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(key.open_sealed::<Challenge>(&changed, NOW), Err(Unopenable), "byte {index}");
            assert_eq!(
                key.open_sealed::<Challenge>(&sealed[..index], NOW),
                Err(Unopenable),
                "cut at {index}"
            );
        }
    }

    #[test]
    fn another_kind_or_key_does_not_open() {
        let key = SealingKey::random();
        let sealed = key.seal(&challenge(), NOW);
        assert_eq!(key.open_sealed::<Proof>(&sealed, NOW), Err(Unopenable));
        assert_eq!(SealingKey::random().open_sealed::<Challenge>(&sealed, NOW), Err(Unopenable));
        assert_ne!(sealed, key.seal(&challenge(), NOW));
    }

    #[test]
    fn the_key_is_made_once_and_private() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = SealingKey::open(directory.path()).expect("a key");
        let second = SealingKey::open(directory.path()).expect("the key");
        assert_eq!(first.0, second.0);
        let names: Vec<_> = std::fs::read_dir(directory.path())
            .expect("a listing")
            .map(|e| e.expect("an entry").file_name())
            .collect();
        assert_eq!(names, [KEY_FILE]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let metadata = std::fs::metadata(directory.path().join(KEY_FILE)).expect("the file");
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_that_is_none_is_reported() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join(KEY_FILE), b"short").expect("a file");
        let Err(Error::Other(message)) = SealingKey::open(directory.path()) else { panic!("it opened") };
        assert!(message.contains("not a key of 32 bytes"), "{message}");
    }
}
