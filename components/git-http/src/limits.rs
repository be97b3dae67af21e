//! What a stranger can make grow, and how far.

/// The largest body of a request to upload-pack, in bytes, after it is inflated.
pub const UPLOAD_REQUEST_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How many objects one request may want.
pub const WANTS_MAX: usize = 250_000;

/// How many objects one request may say to have.
pub const HAVES_MAX: usize = 250_000;

/// How many commits one request may name where history is cut.
pub const SHALLOWS_MAX: usize = 100_000;

/// How many refs one request may name to be left out of its history.
pub const DEEPEN_NOT_MAX: usize = 1_000;

/// How many ref prefixes narrow a listing; with more, everything is listed, as Git does.
pub const REF_PREFIXES_MAX: usize = 65_536;

/// How many objects' sizes one request may ask for.
pub const OBJECT_INFO_IDS_MAX: usize = 50_000;

/// How many refs are advertised. A repository with more is refused.
pub const REFS_MAX: usize = 1_000_000;

/// How many refs one push may change where a push policy judges it.
pub const UPDATES_JUDGED_MAX: usize = 10_000;

/// How many addresses of authors and committers one push may have where only known ones may push.
pub const ADDRESSES_MAX: usize = 10_000;

/// How many signatures are verified in one push.
pub const SIGNATURES_MAX: usize = 50_000;

/// How many keys, and how many addresses of committers and taggers, the signatures of one push may name.
pub const SIGNERS_MAX: usize = 10_000;

/// How many lines of a push policy reach the pusher.
pub const POLICY_LINES_MAX: usize = 50;

/// How much of a line or reason of a push policy reaches the pusher, in bytes.
pub const POLICY_LINE_BYTES_MAX: usize = 500;

/// How many commits and trees are opened between two progress lines.
pub const WALK_STEPS_PER_FRAME: usize = 4_096;

/// How many packets one piece of a response body has.
pub const PACKETS_PER_FRAME: usize = 4;

/// How many objects a clone has at least for what it consists of to be remembered; fewer are found quickly.
pub const REMEMBERED_OBJECTS_MIN: u64 = if cfg!(test) { 10 } else { 5_000 };

/// How many steps are taken at once towards a plan of a pack.
pub const PLAN_STEPS_PER_FRAME: usize = 16_384;

/// For how long who prepares a clone may show no sign of life before another one takes over, in milliseconds.
pub const TURN_SILENT_MS_MAX: u64 = 5_000;

/// For how long a clone waits at the most for another one to be prepared, before it is prepared by itself,
/// in milliseconds.
pub const TURN_WAIT_MS_MAX: u64 = if cfg!(test) { 2_000 } else { 60_000 };

/// How often who waits looks whether it is over, in milliseconds.
pub const TURN_POLL_MS: u64 = 20;

/// The largest selection that is remembered, in bytes.
pub const REMEMBERED_BYTES_MAX: u64 = 16 * 1024 * 1024;
