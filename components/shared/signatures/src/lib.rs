//! Signatures of commits and annotated tags, and the keys that make them: SSH (OpenSSH's
//! PROTOCOL.sshsig) and OpenPGP (RFC 9580, and RFC 4880 before it).
//!
//! | module | what |
//! |---|---|
//! | `signed` | a commit or tag taken apart: what is signed, and the signature (gitformat-signature(5)) |
//! | `form` | whether there is a signature at all, which needs no key |
//! | `key` | public keys as people give them: fingerprints, and the names that signatures call them by |
//! | `keyring` | whose a signature is, by the keys that are known |
//! | `openpgp`, `ssh` | the two formats; `algorithms`: what they have in common |
//!
//! Nothing here reads or calls anything: keys come from the store, objects from a repository.

mod algorithms;
mod armor;
mod form;
mod key;
mod keyring;
pub mod limits;
mod openpgp;
mod packets;
mod signature;
pub mod signed;
mod ssh;
mod wire;

pub use form::{is_commit_signed, is_tag_signed};
pub use key::{KeyError, Kind, PublicKey};
pub use keyring::{Keyring, KnownKey, Signer, Verdict};
pub use signature::{Malformed, Signature};
pub use signed::Signed;
