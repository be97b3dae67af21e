//! Times, for people and for machines.

use askama::FastWritable;
use askama::filters::HtmlSafe;
use jiff::{Timestamp, civil, tz};
use std::fmt;

/// A point in time as a page shows it: in words relative to now, with the date at hand.
///
/// In a template `{{ time }}` writes the whole `<time>` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time {
    /// RFC 3339, in the offset that the time was given in.
    pub datetime: String,
    /// `2026-03-01 14:05 +01:00`.
    pub absolute: String,
    /// `3 days ago`.
    pub relative: String,
}

impl Time {
    /// A time in UTC. `at` and `now` are in seconds since the epoch.
    pub fn new(at: i64, now: i64) -> Self {
        Self::with_offset(at, 0, now)
    }

    /// A time as somebody's clock showed it, `offset` seconds east of UTC.
    ///
    /// A time or offset out of range (years -9999 to 9999, 25 hours) is shown as the nearest.
    pub fn with_offset(at: i64, offset: i32, now: i64) -> Self {
        let (earliest, latest) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let timestamp =
            Timestamp::from_second(at.clamp(earliest, latest)).expect("clamped to what a timestamp can hold");
        let offset = tz::Offset::from_seconds(offset).unwrap_or(tz::Offset::UTC);
        let local = offset.to_datetime(timestamp);
        let zone = if offset == tz::Offset::UTC { "UTC".to_owned() } else { clock_offset(offset) };
        let suffix = if offset == tz::Offset::UTC { "Z".to_owned() } else { clock_offset(offset) };
        Self {
            datetime: format!("{}{suffix}", local.strftime("%Y-%m-%dT%H:%M:%S")),
            absolute: format!("{} {zone}", local.strftime("%Y-%m-%d %H:%M")),
            relative: relative(at, now),
        }
    }

    /// The date alone: `2026-03-01`.
    pub fn date(&self) -> &str {
        self.absolute.split(' ').next().unwrap_or_default()
    }
}

/// `+01:00`.
fn clock_offset(offset: tz::Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// How long ago, or in how long, in words.
fn relative(at: i64, now: i64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const UNITS: [(u64, &str); 5] =
        [(365 * DAY, "year"), (30 * DAY, "month"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")];
    let distance = now.abs_diff(at);
    let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| distance >= *unit) else {
        return if at > now { "in a moment" } else { "just now" }.to_owned();
    };
    // Of 90 days just begun there are 90 days left, not 89.
    let count = if at > now { distance.div_ceil(unit) } else { distance / unit };
    let plural = if count == 1 { "" } else { "s" };
    if at > now { format!("in {count} {name}{plural}") } else { format!("{count} {name}{plural} ago") }
}

/// Programs are told the time itself, which does not change as it passes.
impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.datetime)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { datetime, absolute, relative } = self;
        write!(f, r#"<time datetime="{datetime}" title="{absolute}">{relative}</time>"#)
    }
}

impl HtmlSafe for Time {}

impl FastWritable for Time {
    fn write_into(&self, f: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(write!(f, "{self}")?)
    }
}

/// A time in the form of mails (RFC 5322, section 3.3), `Sun, 15 Jun 2025 17:06:40 +0200`; out of range, as
/// [`Time::with_offset`] does.
pub fn mail_date(at: i64, offset: i32) -> String {
    let (earliest, latest) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    let timestamp =
        Timestamp::from_second(at.clamp(earliest, latest)).expect("clamped to what a timestamp can hold");
    let offset = tz::Offset::from_seconds(offset).unwrap_or(tz::Offset::UTC);
    let zone = clock_offset(offset).replace(':', "");
    format!("{} {zone}", offset.to_datetime(timestamp).strftime("%a, %-d %b %Y %H:%M:%S"))
}

/// The beginning of a day in UTC, written `2026-03-01`, in seconds since the epoch; none if it is no day.
pub fn day_start(text: &str) -> Option<i64> {
    let day: civil::Date = text.parse().ok()?;
    let days = day.since(civil::date(1970, 1, 1)).ok()?.get_days();
    Some(i64::from(days) * 24 * 60 * 60)
}

/// The present, in seconds since the epoch.
pub fn now() -> i64 {
    Timestamp::now().as_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_date_and_words() {
        let now = 1_800_000_000;
        let cases = [
            (now, "just now"),
            (now - 59, "just now"),
            (now - 60, "1 minute ago"),
            (now - 3_599, "59 minutes ago"),
            (now - 3_600, "1 hour ago"),
            (now - 86_400, "1 day ago"),
            (now - 29 * 86_400, "29 days ago"),
            (now - 31 * 86_400, "1 month ago"),
            (now - 364 * 86_400, "12 months ago"),
            (now - 800 * 86_400, "2 years ago"),
            (now + 10, "in a moment"),
            (now + 7_200, "in 2 hours"),
            (now + 7 * 86_400 - 1, "in 7 days"),
            (now + 90 * 86_400 - 1, "in 3 months"),
        ];
        for (at, expected) in cases {
            assert_eq!(Time::new(at, now).relative, expected);
        }
        let time = Time::new(0, now);
        assert_eq!(time.datetime, "1970-01-01T00:00:00Z");
        assert_eq!(time.absolute, "1970-01-01 00:00 UTC");
        assert_eq!(time.date(), "1970-01-01");
        assert_eq!(mail_date(0, -(5 * 3600 + 1800)), "Wed, 31 Dec 1969 18:30:00 -0530");
        let time = Time::with_offset(0, -(5 * 3600 + 1800), now);
        assert_eq!(time.datetime, "1969-12-31T18:30:00-05:30");
        assert_eq!(time.absolute, "1969-12-31 18:30 -05:30");
    }

    #[test]
    fn days_have_a_beginning() {
        let cases = [
            ("1970-01-01", Some(0)),
            ("1969-12-31", Some(-86_400)),
            ("2025-06-15", Some(1_749_945_600)),
            ("9999-12-31", Some(253_402_214_400)),
            ("2025-02-29", None),
            ("", None),
            ("yesterday", None),
        ];
        for (text, expected) in cases {
            assert_eq!(day_start(text), expected, "{text}");
        }
    }

    #[test]
    fn absurd_times_are_shown_too() {
        for at in [i64::MIN, i64::MAX, -1] {
            for offset in [i32::MIN, 0, i32::MAX] {
                assert!(Time::with_offset(at, offset, 0).to_string().starts_with("<time "));
            }
        }
    }
}
