//! Every limit of highlighting in one place.

use std::time::Duration;

/// The longest line that is highlighted, in bytes. A text with a longer one is plain from there on.
pub const LINE_BYTES_MAX: usize = 2_000;

/// How long highlighting one text may take. What is left then is plain.
pub const TIME_MAX: Duration = Duration::from_millis(1_500);
