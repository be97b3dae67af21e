//! How large keys and signatures may be.

/// A public key, in bytes, without armor. A key of OpenPGP with what others have signed of it can be
/// large; one exported without that is small.
pub const KEY_BYTES_MAX: usize = 32 * 1024;

/// The text that a key is given in, in bytes: the key in base64, and what is around it.
pub const KEY_TEXT_BYTES_MAX: usize = 2 * KEY_BYTES_MAX;

/// The subkeys of an OpenPGP key.
pub const SUBKEYS_MAX: usize = 32;

/// A signature in armor, in bytes.
pub const SIGNATURE_BYTES_MAX: usize = 16 * 1024;

/// The modulus of an RSA key, in bits. Shorter ones are unsafe, and longer ones slow.
pub const RSA_BITS_MIN: usize = 2_048;
/// See [`RSA_BITS_MIN`].
pub const RSA_BITS_MAX: usize = 4_096;
