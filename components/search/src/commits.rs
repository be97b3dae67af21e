//! Looking for commits by their messages and authors: those that may match by the index, the latest first.

use crate::content::{Budget, Scan, Step};
use crate::index::Candidates;
use crate::index::files::{File, Files};
use crate::index::history::author_of;
use crate::needs::Needs;
use crate::pattern::{Error, Lines, Meaning, Pattern};
use bstr::BStr;
use lithe_code::repository::{self, Commit, Repository};

/// What commits have to match.
pub struct CommitPattern {
    /// Lines of the message.
    message: Option<Pattern>,
    author: Option<Pattern>,
}

/// A commit that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCommit {
    pub commit: Commit,
    pub text: String,
    /// The first lines of the message that match.
    pub lines: Lines,
}

/// How many lines of a message are shown.
const LINES_MAX: usize = 3;

impl CommitPattern {
    /// Words of the message, and parts of the author's name or address.
    pub fn new(terms: &[String], meaning: Meaning, authors: &[String]) -> Result<Self, Error> {
        let some = |terms: &[String], meaning| match terms {
            [] => Ok(None),
            terms => Pattern::new(terms, meaning).map(Some),
        };
        Ok(Self { message: some(terms, meaning)?, author: some(authors, Meaning::default())? })
    }

    /// What the text of a commit needs to match.
    pub fn needs(&self) -> Needs {
        let patterns = [&self.message, &self.author].into_iter().flatten();
        patterns.fold(Needs::Anything, |needs, pattern| needs.and(pattern.needs().clone()))
    }

    /// The lines that match; none unless the commit does.
    fn lines(&self, commit: &Commit, text: &str) -> Option<Lines> {
        if self.author.as_ref().is_some_and(|author| !author.is_match(&author_of(&commit.author))) {
            return None;
        }
        let Some(message) = &self.message else { return Some(Lines::default()) };
        message.lines(text, LINES_MAX, None).ok().filter(|lines| lines.count > 0)
    }
}

/// Looks for commits that come after `after`.
pub fn search(
    repository: Repository<'_>,
    files: &Files,
    candidates: &Candidates,
    pattern: &CommitPattern,
    after: Option<&BStr>,
    budget: Budget,
) -> Result<Scan<FoundCommit>, repository::Error> {
    let may_match = |file: File<'_>| candidates.has(file.document);
    Scan::over(files, after, budget, may_match, |file, _| {
        let commit = match repository.commit(&file.id) {
            Ok(commit) => commit,
            Err(repository::Error::Read(reason)) => return Err(repository::Error::Read(reason)),
            Err(_) => return Ok(Step::LookedInto { bytes: 0, found: None }),
        };
        let text = commit.text();
        let bytes = text.len() as u64;
        let found = pattern.lines(&commit, &text).map(|lines| FoundCommit { commit, text, lines });
        Ok(Step::LookedInto { bytes, found })
    })
}
