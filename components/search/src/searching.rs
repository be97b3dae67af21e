//! One search: what is asked for, made ready, and asked of one repository after the other.

use crate::commits::{self, CommitPattern, FoundCommit};
use crate::content::{self, Budget, FoundFile, FoundPath, Scan};
use crate::index::files::Files;
use crate::index::history::Histories;
use crate::index::state::Directory;
use crate::index::tree::Trees;
use crate::index::update::{self, Allowance, Source};
use crate::index::{Candidates, Index};
use crate::language::LanguageFilter;
use crate::leaving_out::LeavingOut;
use crate::limits::{FOUND_COMMITS_MAX, FOUND_FILES_MAX, FOUND_PATHS_MAX, HISTORY_TIME_MAX, USE_NOTED_EVERY};
use crate::needs::Needs;
use crate::pattern::{self, Pattern};
use crate::query::{self, PathFilter, Query};
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_code::repository::{self, Repository};
use lithe_code::revision;
use lithe_web::budget::Spent;
use lithe_web::{Text, t};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Instant, SystemTime};

/// The file whose time says when something was looked for in an index.
const USED: &str = "used";

/// Where something is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Content,
    Paths,
    Commits,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Content, Self::Paths, Self::Commits];

    /// Reads the field `type`.
    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.name() == name).unwrap_or(Self::Content)
    }

    /// The value of the field `type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Paths => "paths",
            Self::Commits => "commits",
        }
    }
}

/// Why there is nothing to show.
#[derive(Debug)]
pub enum Failure {
    NotFound,
    /// What is asked for makes no sense; in words.
    Query(Text),
    /// Who asks has to wait.
    OverBudget(Spent),
    Repository(repository::Error),
}

impl From<repository::Error> for Failure {
    fn from(error: repository::Error) -> Self {
        Self::Repository(error)
    }
}

impl From<Spent> for Failure {
    fn from(spent: Spent) -> Self {
        Self::OverBudget(spent)
    }
}

impl From<query::Error> for Failure {
    fn from(error: query::Error) -> Self {
        Self::Query(error.in_words())
    }
}

impl From<pattern::Error> for Failure {
    fn from(error: pattern::Error) -> Self {
        Self::Query(error.in_words())
    }
}

/// A search that is ready.
pub struct Searching {
    subject: Subject,
    paths: PathFilter,
    languages: LanguageFilter,
    has_all: bool,
}

enum Subject {
    Content(Pattern),
    Paths(Option<Pattern>),
    Commits(CommitPattern),
}

/// What was found in one repository.
#[derive(Debug, Clone)]
pub struct Part {
    pub hits: Hits,
    /// After what to go on; none if nothing is left.
    pub next: Option<BString>,
    /// How many files or commits were searched, from the first one on.
    pub reached: usize,
    /// How many there are.
    pub total: usize,
    /// How many of them the index does not know.
    pub unknown: usize,
    /// Whether there are more than are searched.
    pub is_cut: bool,
    /// How many files might have matched and were left out, as tools or others wrote them.
    pub left_out: usize,
}

/// What is found, of one kind.
#[derive(Debug, Clone)]
pub enum Hits {
    Files(Vec<FoundFile>),
    Paths(Vec<FoundPath>),
    Commits(Vec<FoundCommit>),
}

impl Hits {
    pub fn len(&self) -> usize {
        match self {
            Self::Files(files) => files.len(),
            Self::Paths(paths) => paths.len(),
            Self::Commits(commits) => commits.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Searching {
    /// Makes a search ready; none if nothing is asked for.
    pub fn new(query: &Query, kind: Kind) -> Result<Option<Self>, Failure> {
        let languages = LanguageFilter::new(&query.languages).map_err(|name| {
            Failure::Query(t("“{name}” is no language that is known here.").with("name", name))
        })?;
        let pattern = match query.terms.as_slice() {
            [] => None,
            terms => Some(Pattern::new(terms, query.meaning)?),
        };
        let has_filter = !query.paths.is_empty() || !query.languages.is_empty();
        let subject = match (kind, pattern) {
            (Kind::Content, Some(pattern)) => Subject::Content(pattern),
            (Kind::Paths, pattern) if pattern.is_some() || has_filter => Subject::Paths(pattern),
            (Kind::Commits, _) if !query.terms.is_empty() || !query.authors.is_empty() => {
                Subject::Commits(CommitPattern::new(&query.terms, query.meaning, &query.authors)?)
            }
            _ => return Ok(None),
        };
        Ok(Some(Self { subject, paths: query.path_filter()?, languages, has_all: query.has_all }))
    }

    /// What one request gets.
    pub fn budget(&self) -> Budget {
        Budget::of_request(match self.subject {
            Subject::Content(_) => FOUND_FILES_MAX,
            Subject::Paths(_) => FOUND_PATHS_MAX,
            Subject::Commits(_) => FOUND_COMMITS_MAX,
        })
    }

    /// Searches a repository at a commit, from what comes after `after` on. Returns what is left of the
    /// budget too.
    pub fn search(
        &self,
        repository: Repository<'_>,
        indexes: &Indexes,
        commit_id: ObjectId,
        after: Option<&BStr>,
        budget: Budget,
    ) -> Result<(Part, Budget), repository::Error> {
        match &self.subject {
            Subject::Content(pattern) => {
                let source = Trees(repository);
                let (files, candidates) =
                    indexes.files(repository, &source, commit_id, Some(pattern.needs()))?;
                let tree_id = source.root(&commit_id)?;
                let mut leaving_out =
                    LeavingOut::new(repository, &tree_id, &files, &self.languages, self.has_all)?;
                let goes_by_names = leaving_out.goes_by_names();
                let wanted = |path: &BStr| {
                    self.paths.is_match(path) && (!goes_by_names || self.languages.is_match(path))
                };
                let is_left_out = |path: &BStr| leaving_out.is_left_out(path);
                let filters = (wanted, is_left_out);
                let scan = content::search(&source, &files, &candidates, pattern, filters, after, budget)?;
                Ok(part(&files, scan, budget, Hits::Files))
            }
            Subject::Paths(pattern) => {
                let (files, _) = indexes.files(repository, &Trees(repository), commit_id, None)?;
                let wanted = |path: &BStr| self.paths.is_match(path) && self.languages.is_match(path);
                let scan = content::search_paths(&files, pattern.as_ref(), wanted, after, budget)?;
                Ok(part(&files, scan, budget, Hits::Paths))
            }
            Subject::Commits(pattern) => {
                let source = Histories { repository, until: Some(Instant::now() + HISTORY_TIME_MAX) };
                let (files, candidates) =
                    indexes.files(repository, &source, commit_id, Some(&pattern.needs()))?;
                let scan = commits::search(repository, &files, &candidates, pattern, after, budget)?;
                Ok(part(&files, scan, budget, Hits::Commits))
            }
        }
    }
}

fn part<T>(files: &Files, scan: Scan<T>, budget: Budget, hits: fn(Vec<T>) -> Hits) -> (Part, Budget) {
    let left = budget.after(&scan);
    let part = Part {
        hits: hits(scan.found),
        next: scan.next,
        reached: scan.reached,
        total: files.len(),
        unknown: files.unknown_count(),
        is_cut: files.is_cut,
        left_out: scan.passed,
    };
    (part, left)
}

/// The indexes of one repository.
pub struct Indexes {
    directory: PathBuf,
}

impl Indexes {
    /// Those in a directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The directories of both, to be looked at by their names.
    pub fn directories(&self) -> [Directory; 2] {
        ["files", "commits"].map(|name| Directory::new(&self.directory.join(name)))
    }

    /// Notes that something was looked for here, once in a while.
    fn note_use(&self) {
        let is_noted =
            self.used().and_then(|used| used.elapsed().ok()).is_some_and(|age| age < USE_NOTED_EVERY);
        if !is_noted {
            // Where that cannot be noted, nothing can be kept either.
            let _ = fs::create_dir_all(&self.directory)
                .and_then(|()| fs::write(self.directory.join(USED), "used\n"));
        }
    }

    /// When something was looked for here the last time, as far as that is known.
    pub fn used(&self) -> Option<SystemTime> {
        fs::metadata(self.directory.join(USED)).and_then(|metadata| metadata.modified()).ok()
    }

    fn directory_of(&self, source: &dyn Source) -> PathBuf {
        self.directory.join(source.name())
    }

    /// Brings an index up to the landing branch, as far as is allowed.
    pub fn updated(
        &self,
        repository: Repository<'_>,
        source: &dyn Source,
        allowance: Allowance,
    ) -> Result<Rc<Index>, repository::Error> {
        let object_format = repository.objects.format();
        let directory = self.directory_of(source);
        let index = Index::open(&directory, object_format);
        let index = index.unwrap_or_else(|| Rc::new(Index::empty(object_format)));
        let Some(landing) = revision::landing_branch(repository)? else { return Ok(index) };
        match update::update(source, &directory, index, landing.commit_id, allowance) {
            Ok(updated) => Ok(updated),
            Err(update::Failure::Repository(error)) => Err(error),
            Err(update::Failure::Index(error)) => {
                self.forget(&directory, &error);
                Ok(Rc::new(Index::empty(object_format)))
            }
        }
    }

    /// What may be found at a commit, and what of it may match.
    fn files(
        &self,
        repository: Repository<'_>,
        source: &dyn Source,
        commit_id: ObjectId,
        needs: Option<&Needs>,
    ) -> Result<(Rc<Files>, Candidates), repository::Error> {
        self.note_use();
        let index = self.updated(repository, source, Allowance::of_request())?;
        let files = update::files_at(source, &index, source.root(&commit_id)?)?;
        let Some(needs) = needs else { return Ok((files, Candidates::ALL)) };
        let candidates = index.candidates(needs).unwrap_or_else(|error| {
            // This request looks into everything, and the next one makes the index anew.
            self.forget(&self.directory_of(source), &error);
            Candidates::ALL
        });
        Ok((files, candidates))
    }

    fn forget(&self, directory: &Path, error: &crate::index::Error) {
        eprintln!("search: {}: {error}", directory.as_os_str().as_encoded_bytes().as_bstr());
        Directory::new(directory).forget();
    }
}
