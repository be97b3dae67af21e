//! What the account pages take.

/// The bytes of a password. The store refuses longer ones; fields are cut here.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// The characters of a token's description that the form takes.
pub const TOKEN_DESCRIPTION_CHARACTERS_MAX: usize = 200;

/// The characters of a signing key's title that the form takes.
pub const KEY_TITLE_CHARACTERS_MAX: usize = 200;
