//! Looking into files: those that may match by the index, and those that it does not know, by path, until
//! a page is full or enough was looked at.

use crate::index::Candidates;
use crate::index::files::{File, Files};
use crate::index::update::Source;
use crate::limits::{FOUND_LINES_MAX, SEARCH_BYTES_MAX, SEARCH_FILES_MAX, SEARCH_TIME_MAX};
use crate::pattern::{Lines, Pattern};
use bstr::{BStr, BString};
use gix_hash::ObjectId;
use lithe_code::repository::Error;
use lithe_code::text;
use std::ops::Range;
use std::time::Instant;

/// How much one request looks at.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub until: Option<Instant>,
    /// The most files that are looked into.
    pub files_max: usize,
    /// The most bytes of files that are looked into.
    pub bytes_max: u64,
    /// The most that is found.
    pub found_max: usize,
}

impl Budget {
    /// What one request gets that shows so much.
    pub fn of_request(found_max: usize) -> Self {
        Self { until: Some(Instant::now() + SEARCH_TIME_MAX), ..Self::without_clock(found_max) }
    }

    /// The same, however long it takes.
    pub fn without_clock(found_max: usize) -> Self {
        Self { until: None, files_max: SEARCH_FILES_MAX, bytes_max: SEARCH_BYTES_MAX, found_max }
    }

    /// What is left of it after a scan.
    pub fn after<T>(self, scan: &Scan<T>) -> Self {
        Self {
            files_max: self.files_max.saturating_sub(scan.looked_into),
            bytes_max: self.bytes_max.saturating_sub(scan.bytes),
            found_max: self.found_max.saturating_sub(scan.found.len()),
            ..self
        }
    }

    /// Whether nothing is left of it.
    pub fn is_used_up(&self) -> bool {
        self.files_max == 0
            || self.bytes_max == 0
            || self.found_max == 0
            || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// What became of one file or commit.
pub enum Step<T> {
    LookedInto {
        bytes: u64,
        found: Option<T>,
    },
    /// It was left out.
    Passed,
    /// The time was over before its end.
    OutOfTime,
}

/// What was found, and how far it was looked.
#[derive(Debug, Clone)]
pub struct Scan<T> {
    pub found: Vec<T>,
    /// The path after which to go on; none if nothing is left.
    pub next: Option<BString>,
    /// How many files were passed or looked into before that, from the first one on.
    pub reached: usize,
    /// How many might have matched and were left out.
    pub passed: usize,
    looked_into: usize,
    bytes: u64,
}

impl<T> Scan<T> {
    /// Looks into each file that may match and whose path comes after `after`, until the budget is used up.
    /// The first one is looked into whatever that takes, so that every request gets on.
    pub fn over(
        files: &Files,
        after: Option<&BStr>,
        budget: Budget,
        may_match: impl Fn(File<'_>) -> bool,
        mut look_into: impl FnMut(File<'_>, Option<Instant>) -> Result<Step<T>, Error>,
    ) -> Result<Self, Error> {
        let first = after.map_or(0, |path| files.after(path));
        let (found, reached) = (Vec::new(), files.len());
        let mut scan = Self { found, next: None, reached, passed: 0, looked_into: 0, bytes: 0 };
        let mut is_over = false;
        for index in (first..files.len()).filter(|index| may_match(files.get(*index))) {
            let until = budget.until.filter(|_| scan.looked_into > 0);
            match if is_over { Step::OutOfTime } else { look_into(files.get(index), until)? } {
                Step::LookedInto { bytes, found } => {
                    scan.looked_into += 1;
                    scan.bytes += bytes;
                    scan.found.extend(found);
                    is_over = budget.after(&scan).is_used_up();
                }
                Step::Passed => {
                    scan.passed += 1;
                    is_over = budget.until.is_some_and(|until| Instant::now() >= until);
                }
                Step::OutOfTime => {
                    // Something was looked into or passed, so that there is one before.
                    scan.next = Some(files.get(index.saturating_sub(1)).path.into());
                    scan.reached = index;
                    break;
                }
            }
        }
        Ok(scan)
    }
}

/// A file in which something was found.
#[derive(Debug, Clone)]
pub struct FoundFile {
    pub path: BString,
    pub id: ObjectId,
    pub text: String,
    pub lines: Lines,
}

/// Looks for the pattern in files whose path comes after `after` and is `wanted`, but for those that are left out.
pub fn search(
    source: &dyn Source,
    files: &Files,
    candidates: &Candidates,
    pattern: &Pattern,
    (wanted, mut is_left_out): (impl Fn(&BStr) -> bool, impl FnMut(&BStr) -> Result<bool, Error>),
    after: Option<&BStr>,
    budget: Budget,
) -> Result<Scan<FoundFile>, Error> {
    let may_match = |file: File<'_>| candidates.has(file.document) && wanted(file.path);
    Scan::over(files, after, budget, may_match, |file, until| {
        if is_left_out(file.path)? {
            return Ok(Step::Passed);
        }
        let contents = source.read(&file.id)?;
        let bytes = contents.bytes_count();
        let Some(text) = contents.text() else { return Ok(Step::LookedInto { bytes, found: None }) };
        let Ok(lines) = pattern.lines(&text, FOUND_LINES_MAX, until) else { return Ok(Step::OutOfTime) };
        let found = (lines.count > 0).then(|| FoundFile {
            path: file.path.into(),
            id: file.id,
            text: text.into_owned(),
            lines,
        });
        Ok(Step::LookedInto { bytes, found })
    })
}

/// A path that matches, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPath {
    pub path: BString,
    pub shown: String,
    /// What matches, in bytes of what is shown.
    pub marks: Vec<Range<usize>>,
}

/// Looks for paths that match and are `wanted`.
pub fn search_paths(
    files: &Files,
    pattern: Option<&Pattern>,
    wanted: impl Fn(&BStr) -> bool,
    after: Option<&BStr>,
    budget: Budget,
) -> Result<Scan<FoundPath>, Error> {
    let may_match = |file: File<'_>| {
        wanted(file.path) && pattern.is_none_or(|pattern| pattern.is_match(&text::visible(file.path)))
    };
    Scan::over(files, after, budget, may_match, |file, _| {
        let shown = text::visible(file.path);
        let marks = pattern.map(|pattern| pattern.marks_of(&shown)).unwrap_or_default();
        Ok(Step::LookedInto { bytes: 0, found: Some(FoundPath { path: file.path.into(), shown, marks }) })
    })
}
