//! Looking into files: those that may match by the index, and those that it does not know, by path, until
//! a page is full or enough was looked at.

use crate::index::Candidates;
use crate::index::files::Files;
use crate::index::update::Contents;
use crate::limits::{FOUND_FILES_MAX, FOUND_LINES_MAX, SEARCH_BYTES_MAX, SEARCH_FILES_MAX, SEARCH_TIME_MAX};
use crate::pattern::{Lines, Pattern};
use bstr::{BStr, BString};
use gix_hash::ObjectId;
use lithe_code::repository::{Error, Repository};
use std::time::Instant;

/// How much one request looks at.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub until: Option<Instant>,
    /// The most files that are looked into.
    pub files_max: usize,
    /// The most bytes of files that are looked into.
    pub bytes_max: u64,
    /// The most files that are found.
    pub found_max: usize,
}

impl Budget {
    /// What one request gets.
    pub fn of_request() -> Self {
        Self { until: Some(Instant::now() + SEARCH_TIME_MAX), ..Self::WITHOUT_CLOCK }
    }

    /// The same, however long it takes.
    pub const WITHOUT_CLOCK: Self = Self {
        until: None,
        files_max: SEARCH_FILES_MAX,
        bytes_max: SEARCH_BYTES_MAX,
        found_max: FOUND_FILES_MAX,
    };
}

/// A file in which something was found.
#[derive(Debug, Clone)]
pub struct FoundFile {
    pub path: BString,
    pub id: ObjectId,
    pub text: String,
    pub lines: Lines,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub files: Vec<FoundFile>,
    /// The path after which to go on; none if nothing is left.
    pub next: Option<BString>,
    /// How many files were passed or looked into before that, from the first one on.
    pub reached: usize,
}

/// Looks for the pattern in files whose path comes after `after` and is `wanted`.
pub fn search(
    repository: Repository<'_>,
    files: &Files,
    candidates: &Candidates,
    pattern: &Pattern,
    wanted: impl Fn(&BStr) -> bool,
    after: Option<&BStr>,
    budget: Budget,
) -> Result<Found, Error> {
    let first = after.map_or(0, |path| files.after(path));
    let mut found = Found { reached: files.len(), ..Found::default() };
    let (mut looked_into, mut bytes) = (0, 0);
    let stop = |found: &mut Found, index: usize, path: Option<&BStr>| {
        found.next = path.or(after).map(Into::into);
        found.reached = index;
    };
    for index in first..files.len() {
        let file = files.get(index);
        if !candidates.has(file.document) || !wanted(file.path) {
            continue;
        }
        let is_over = looked_into >= budget.files_max
            || bytes >= budget.bytes_max
            || looked_into > 0 && budget.until.is_some_and(|until| Instant::now() >= until);
        if is_over || found.files.len() >= budget.found_max {
            let before = index.checked_sub(1).map(|before| files.get(before).path);
            stop(&mut found, index, before);
            break;
        }
        looked_into += 1;
        let contents = Contents::read(repository, &file.id)?;
        bytes += contents.bytes_count();
        let Some(text) = contents.text() else { continue };
        // The first file is searched to its end, so that every request gets on.
        let until = budget.until.filter(|_| looked_into > 1);
        let Ok(lines) = pattern.lines(&text, FOUND_LINES_MAX, until) else {
            let before = index.checked_sub(1).map(|before| files.get(before).path);
            stop(&mut found, index, before);
            break;
        };
        if lines.count > 0 {
            found.files.push(FoundFile {
                path: file.path.into(),
                id: file.id,
                text: text.into_owned(),
                lines,
            });
        }
    }
    Ok(found)
}
