//! Everything that somebody could make grow, and how far it may.

/// A password, in characters. A shorter one is refused.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// A password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// A user's name, in bytes.
pub const USER_NAME_BYTES_MAX: usize = 64;
/// A user's full name, in bytes.
pub const FULL_NAME_BYTES_MAX: usize = 200;

/// The longest tag of a language, in bytes (RFC 5646, section 4.4.1).
pub const LANGUAGE_BYTES_MAX: usize = 35;
/// An e-mail address, in bytes (RFC 5321, 4.5.3.1.3, less the brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// The description of a repository or group, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 2_000;
/// The description of an access token, in bytes.
pub const TOKEN_DESCRIPTION_BYTES_MAX: usize = 200;
/// The site's title, in bytes.
pub const TITLE_BYTES_MAX: usize = 100;
/// What is looked for in a list, in bytes.
pub const FILTER_BYTES_MAX: usize = 400;
/// The name of an action in the journal, in bytes.
pub const ACTION_BYTES_MAX: usize = 64;
/// The details of an entry in the journal, in bytes. Longer ones are cut.
pub const DETAILS_BYTES_MAX: usize = 4_096;
/// A client's address, in bytes. A longer one is cut.
pub const ADDRESS_BYTES_MAX: usize = 64;
/// A client's `User-Agent`, in bytes. A longer one is cut.
pub const USER_AGENT_BYTES_MAX: usize = 256;

/// How many entries a page has at the most.
pub const PAGE_ENTRIES_MAX: u32 = 1_000;
/// How many entries of the journal are looked at for those that a viewer may read of.
pub const EVENTS_READ_MAX: usize = 1_000;

/// How many entries the journal keeps.
pub const JOURNAL_ENTRIES_MAX: i64 = 1_000_000;
/// After how many new entries the journal's oldest are removed.
pub const JOURNAL_TRIM_ENTRIES: i64 = 1_000;
/// How many failed sign-ins the journal takes within an hour, over all addresses: strangers must not
/// push out of it what everybody else did.
pub const FAILED_SIGN_INS_PER_HOUR_MAX: u32 = 100;
/// How many access tokens a user has at the most.
pub const TOKENS_MAX: u32 = 100;
/// The title of a signing key, in bytes.
pub const KEY_TITLE_BYTES_MAX: usize = 200;
/// How many signing keys a user has at the most. How large one may be says `lithe_signatures::limits`.
pub const SIGNING_KEYS_MAX: u32 = 50;
/// How many names of keys, and how many addresses, one call may ask after.
pub const SIGNERS_ASKED_MAX: usize = 1_000;
/// How many keys one name stands for at the most. Only somebody who makes keys for that has more.
pub const KEYS_OF_A_NAME_MAX: u32 = 10;
/// How many sessions a user has at the most. The next one ends the least used.
pub const SESSIONS_MAX: u32 = 100;
/// How many of a user's addresses are remembered.
pub const KNOWN_ADDRESSES_MAX: u32 = 20;
/// How many former paths a repository keeps. The next rename forgets one.
pub const FORMER_PATHS_MAX: u32 = 50;
/// How many grants a repository or group has at the most.
pub const GRANTS_MAX: u32 = 1_000;
/// How many locks a repository has at the most.
pub const LOCKS_MAX: u32 = 10_000;
/// The path of a locked file, in bytes.
pub const LOCK_PATH_BYTES_MAX: usize = 4_096;
/// How much room for large files a setting may give, in MiB: 16 TiB.
pub const LFS_MIB_MAX: u32 = 16_777_216;
/// How many rules about refs a repository or group has at the most.
pub const REF_RULES_MAX: u32 = 100;
/// How many users a rule about refs names at the most.
pub const RULE_USERS_MAX: usize = 100;
/// How many forbidden paths a repository or group has at the most.
pub const FORBIDDEN_PATHS_MAX: usize = 100;
/// How many addresses one call may ask after.
pub const ADDRESSES_ASKED_MAX: usize = 1_000;
/// How many deleted repositories a list shows.
pub const DELETED_SHOWN_MAX: u32 = 1_000;

/// How long a challenge, proof or sealed password counts, in seconds.
pub const SEALED_SECONDS_MAX: i64 = 60;
/// How long a verified password is remembered, in seconds.
pub const REMEMBERED_SECONDS_MAX: i64 = 600;
/// How many verified passwords are remembered.
pub const REMEMBERED_MAX: usize = 10_000;
/// How many challenges are known to have been answered wrongly.
pub const SPENT_MAX: usize = 10_000;
/// How old the noted last use of a session or token may be, in seconds, before it is written again.
pub const USE_NOTED_SECONDS: i64 = 300;

/// How often somebody may try to register from one address within an hour. A name that is taken
/// counts as well, or names could be tried out.
pub const REGISTRATIONS_PER_HOUR_MAX: u32 = 10;

/// How many answers to strangers are kept.
pub const ANSWERS_KEPT_MAX: usize = 1_000;
/// The longest path or filter of a question whose answer is kept, in bytes.
pub const ANSWER_QUESTION_BYTES_MAX: usize = 256;
/// The longest listing that is kept.
pub const ANSWER_ENTRIES_KEPT_MAX: usize = 50;

/// How long one transaction may last where the database file is shared, in seconds.
pub const TRANSACTION_SECONDS_MAX: u64 = 5;
/// How old the lock of a shared database file is when its owner counts as gone, in seconds.
/// Well above `TRANSACTION_SECONDS_MAX`, so that no live owner is ever robbed.
pub const LOCK_SECONDS_MAX: u64 = 30;
/// How long a call waits for the shared database file, in seconds. Above `LOCK_SECONDS_MAX`, so
/// that whoever meets an abandoned lock outlives it.
pub const BUSY_SECONDS_MAX: u64 = 40;
