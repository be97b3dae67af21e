//! Which run of the host a file was left by.
//!
//! `lithe serve` and the commands of `lithe` have their data directory to themselves, one process at
//! a time. What another of them left half done there is therefore nobody's, however fresh it is. The
//! host says which run this is by the variable `LITHE_RUN`: when it began, in nanoseconds since 1970.
//! Where nobody says so (under another host, or where repositories lie outside the data directory),
//! what is left behind is told by its age alone.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

/// The variable that names the run.
const VARIABLE: &str = "LITHE_RUN";

/// One run of a host that has its data directory to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    nanoseconds: u64,
}

impl Run {
    /// The run of this process, where the host says so.
    pub fn current() -> Option<Self> {
        static CURRENT: OnceLock<Option<Run>> = OnceLock::new();
        *CURRENT.get_or_init(|| Self::parse(&std::env::var(VARIABLE).ok()?))
    }

    /// Reads what [`Run::to_string`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(|nanoseconds| Self { nanoseconds })
    }

    /// When it began.
    pub fn began(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.nanoseconds)
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.nanoseconds.fmt(f)
    }
}
