//! What a request may bring to a page, and how much of an answer is in memory.

/// The bytes of a form's body.
pub const FORM_BYTES_MAX: usize = 64 * 1024;

/// The fields of a form or a query.
pub const FIELDS_MAX: usize = 100;

/// The bytes of a return address.
pub const RETURN_ADDRESS_BYTES_MAX: usize = 2048;

/// The bytes of an address's path, still encoded: the host takes 16 KiB of a request's target, and there may be a query.
pub const PATH_BYTES_MAX: usize = 15 * 1024;

/// The bytes of the header that says which languages are read. Longer ones are passed over.
pub const LANGUAGE_HEADER_BYTES_MAX: usize = 1024;

/// The languages of that header that are looked at.
pub const LANGUAGES_ACCEPTED_MAX: usize = 32;

/// How much of a download is handed on at once, in bytes.
pub const PIECE_BYTES: usize = 128 << 10;

/// The smallest page that is compressed, in bytes. With styles and scripts, a smaller one is light as it is.
pub const PAGE_COMPRESSED_BYTES_MIN: usize = 64 << 10;
