//! Times, for people and for machines.

use crate::{Language, Text, html::Escaping, t, tn};
use askama::filters::HtmlSafe;
use askama::{FastWritable, Values};
use jiff::{Timestamp, civil, tz};
use std::fmt::{self, Write};

/// A point in time as a page shows it: in words relative to now, with the date at hand.
///
/// In a template `{{ time }}` writes the whole `<time>` element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    timestamp: Timestamp,
    offset: tz::Offset,
    /// In seconds since the epoch.
    now: i64,
}

/// The months as German dates have them.
const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

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
        Self { timestamp, offset, now }
    }

    /// RFC 3339, in the offset that the time was given in.
    pub fn datetime(&self) -> String {
        let zone = if self.offset == tz::Offset::UTC { "Z".to_owned() } else { clock_offset(self.offset) };
        format!("{}{zone}", self.local().strftime("%Y-%m-%dT%H:%M:%S"))
    }

    /// The date alone, as machines write it: `2026-03-01`.
    pub fn date(&self) -> String {
        self.local().strftime("%Y-%m-%d").to_string()
    }

    /// How long ago, or in how long, in words: `3 days ago`.
    pub fn relative(&self) -> Text {
        relative(self.timestamp.as_second(), self.now)
    }

    /// Date and time of day: `2026-03-01 14:05 +01:00`, `1. März 2026, 14:05 +01:00`.
    pub fn absolute_in(&self, language: Language) -> String {
        let zone = if self.offset == tz::Offset::UTC { "UTC".to_owned() } else { clock_offset(self.offset) };
        let comma = if language == Language::German { "," } else { "" };
        format!("{}{comma} {} {zone}", self.day_in(language), self.local().strftime("%H:%M"))
    }

    /// The date alone, for people. In English it is written as ISO 8601 has it, as those who read English at work
    /// do not agree on anything else.
    pub fn day_in(&self, language: Language) -> String {
        let day = self.local();
        match language {
            Language::English | Language::Pseudo => self.date(),
            Language::German => {
                let month = GERMAN_MONTHS[usize::from(day.month().unsigned_abs()) - 1];
                format!("{}. {month} {}", day.day(), day.year())
            }
        }
    }

    /// Writes the `<time>` element.
    pub(crate) fn write_element(&self, to: &mut dyn Write, language: Language) -> fmt::Result {
        let (datetime, absolute) = (self.datetime(), self.absolute_in(language));
        write!(to, r#"<time datetime="{datetime}" title="{absolute}">"#)?;
        self.relative().write(&mut Escaping(to), language)?;
        to.write_str("</time>")
    }

    fn local(&self) -> civil::DateTime {
        self.offset.to_datetime(self.timestamp)
    }
}

/// `+01:00`.
fn clock_offset(offset: tz::Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn relative(at: i64, now: i64) -> Text {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const MONTH: u64 = 30 * DAY;
    const YEAR: u64 = 365 * DAY;
    let (distance, is_past) = (now.abs_diff(at), at <= now);
    let unit = [YEAR, MONTH, DAY, HOUR, MINUTE].into_iter().find(|unit| distance >= *unit);
    // Of 90 days just begun there are 90 days left, not 89.
    let count = unit.map_or(0, |unit| if is_past { distance / unit } else { distance.div_ceil(unit) });
    match (unit, is_past) {
        (Some(YEAR), true) => tn("{n} year ago", "{n} years ago", count),
        (Some(YEAR), false) => tn("in {n} year", "in {n} years", count),
        (Some(MONTH), true) => tn("{n} month ago", "{n} months ago", count),
        (Some(MONTH), false) => tn("in {n} month", "in {n} months", count),
        (Some(DAY), true) => tn("{n} day ago", "{n} days ago", count),
        (Some(DAY), false) => tn("in {n} day", "in {n} days", count),
        (Some(HOUR), true) => tn("{n} hour ago", "{n} hours ago", count),
        (Some(HOUR), false) => tn("in {n} hour", "in {n} hours", count),
        (Some(_), true) => tn("{n} minute ago", "{n} minutes ago", count),
        (Some(_), false) => tn("in {n} minute", "in {n} minutes", count),
        (None, true) => t("just now"),
        (None, false) => t("in a moment"),
    }
}

/// Programs are told the time itself, which does not change as it passes.
impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.datetime())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_element(f, Language::English)
    }
}

impl HtmlSafe for Time {}

impl FastWritable for Time {
    fn write_into(&self, to: &mut dyn Write, values: &dyn Values) -> askama::Result<()> {
        Ok(self.write_element(to, Language::of_values(values))?)
    }
}

/// A time in the form of mails (RFC 5322, section 3.3), `Sun, 15 Jun 2025 17:06:40 +0200`; out of range, as
/// [`Time::with_offset`] does.
pub fn mail_date(at: i64, offset: i32) -> String {
    let time = Time::with_offset(at, offset, at);
    let zone = clock_offset(time.offset).replace(':', "");
    format!("{} {zone}", time.local().strftime("%a, %-d %b %Y %H:%M:%S"))
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
            (now, "just now", "gerade eben"),
            (now - 59, "just now", "gerade eben"),
            (now - 60, "1 minute ago", "vor 1 Minute"),
            (now - 3_599, "59 minutes ago", "vor 59 Minuten"),
            (now - 3_600, "1 hour ago", "vor 1 Stunde"),
            (now - 86_400, "1 day ago", "vor 1 Tag"),
            (now - 29 * 86_400, "29 days ago", "vor 29 Tagen"),
            (now - 31 * 86_400, "1 month ago", "vor 1 Monat"),
            (now - 364 * 86_400, "12 months ago", "vor 12 Monaten"),
            (now - 800 * 86_400, "2 years ago", "vor 2 Jahren"),
            (now + 10, "in a moment", "gleich"),
            (now + 7_200, "in 2 hours", "in 2 Stunden"),
            (now + 7 * 86_400 - 1, "in 7 days", "in 7 Tagen"),
            (now + 90 * 86_400 - 1, "in 3 months", "in 3 Monaten"),
        ];
        for (at, english, german) in cases {
            let relative = Time::new(at, now).relative();
            assert_eq!(
                (relative.to_string().as_str(), relative.in_language(Language::German).as_str()),
                (english, german)
            );
        }
        let time = Time::new(0, now);
        assert_eq!(time.datetime(), "1970-01-01T00:00:00Z");
        assert_eq!(time.absolute_in(Language::English), "1970-01-01 00:00 UTC");
        assert_eq!(time.absolute_in(Language::German), "1. Januar 1970, 00:00 UTC");
        assert_eq!(time.date(), "1970-01-01");
        assert_eq!(mail_date(0, -(5 * 3600 + 1800)), "Wed, 31 Dec 1969 18:30:00 -0530");
        let time = Time::with_offset(0, -(5 * 3600 + 1800), now);
        assert_eq!(time.datetime(), "1969-12-31T18:30:00-05:30");
        assert_eq!(time.absolute_in(Language::English), "1969-12-31 18:30 -05:30");
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
                assert!(!Time::with_offset(at, offset, 0).absolute_in(Language::German).is_empty());
            }
        }
    }
}
