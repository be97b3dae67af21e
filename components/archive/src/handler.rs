//! From a request to an answer: who asks is settled by the store.

use crate::cache::{Cache, Turn};
use crate::contents::Contents;
use crate::format::VERSION;
use crate::plan::{self, plan};
use crate::route::{self, Route};
use crate::sending::{Headers, Making};
use bstr::{BStr, BString, ByteSlice as _};
use http::request::Parts;
use http::{Method, header};
use lithe_code::limits::ATTRIBUTES_BYTES_MAX;
use lithe_code::repository::{self, Repository};
use lithe_code::revision::{self, Kind, Revision};
use lithe_code::storage;
use lithe_forge::Requester;
use lithe_forge::access::{self, Opened};
use lithe_forge::settings;
use lithe_forge::types::{self, Client, Credentials, Error as StoreError};
use lithe_web::answer::{self, Answer};
use lithe_web::budget::{Budget, Spent};
use lithe_web::{Fields, Frame, Language, Text, change_password, download, failure, language, t};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::Path;

/// Where repositories are mounted.
const REPOSITORIES: &str = "/repos";

/// Where archives are kept.
const CACHE: &str = "/cache/archives";

/// What an archive that is not kept costs those who are not signed in, in points of `lithe_web::budget`.
const COST: u32 = 50;

/// Answers a request.
pub fn answer(request: &Parts) -> Answer {
    let address = request.uri.path_and_query().map_or("/", |address| address.as_str());
    let language = language::asked_for(&request.headers);
    if request.method != Method::GET && request.method != Method::HEAD {
        return failure::method_not_allowed(&Frame::bare("/", language), "GET, HEAD");
    }
    let asked = Asked { request, address, language };
    let Some(route) = Route::parse(request.uri.path()) else {
        return asked.failed(&StoreError::NotFound);
    };
    match asked.call(|credentials, client| access::open(credentials, client, &route.repository)) {
        Ok(opened) => asked.opened(&route, &opened),
        Err(error) => asked.failed(&error),
    }
}

/// A request.
struct Asked<'a> {
    request: &'a Parts,
    /// The path and query.
    address: &'a str,
    language: Language,
}

impl Asked<'_> {
    /// Asks the store. A session that has ended is none: what everyone may read, they may read too.
    fn call<T>(
        &self,
        function: impl Fn(&Credentials, &Client) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let requester = Requester::from_headers(&self.request.headers);
        match requester.call(&function) {
            Err(StoreError::Unauthenticated) if requester.session().is_some() => {
                let mut headers = self.request.headers.clone();
                headers.remove(header::COOKIE);
                Requester::from_headers(&headers).call(&function)
            }
            answer => answer,
        }
    }

    fn opened(&self, route: &Route, opened: &Opened) -> Answer {
        let frame = Frame::new(&opened.overview, self.address, self.language);
        if let Some(answer) = change_password::first(&opened.overview.viewer, self.address) {
            return answer;
        }
        let access::Place::Repository(record) = &opened.place else { return failure::not_found(&frame) };
        let Some(path) = route::path_of_query(Fields::of_query(&self.request.uri).get("path")) else {
            return failure::not_found(&frame);
        };
        if opened.is_moved {
            let query = route::query(path.as_bstr());
            return answer::moved(&format!("{}{query}", route.address(&record.path)));
        }
        let budget = Budget::of(&self.request.headers, opened.overview.viewer.user.is_none());
        match self.archive(route, record, path.as_bstr(), budget) {
            Ok(answer) => answer,
            Err(failure) => failure.page(&frame, &record.path),
        }
    }

    fn archive(
        &self,
        route: &Route,
        record: &types::Repository,
        path: &BStr,
        budget: Budget,
    ) -> Result<Answer, Failure> {
        let opened = storage::open_unshared(Path::new(REPOSITORIES), record)
            .map_err(|error| Failure::Unavailable(error.to_string()))?;
        let repository = Repository { objects: &opened.objects, refs: &opened.refs };
        let resolved = revision::resolve(repository, route.revision.as_bstr())?;
        let revision =
            resolved.filter(|resolved| resolved.path.is_empty()).ok_or(Failure::NotFound)?.revision;
        let name = route::name(&record.path, label(&revision).as_bstr());
        let info = info_attributes(record);
        let key = key(&revision, path, name.as_bstr(), route, &info);
        let headers = Headers {
            etag: format!("\"{}\"", &key[..32]),
            content_type: route.format.content_type(),
            file_name: route::file_name(name.as_bstr(), path, route.format),
        };
        let (method, request) = (&self.request.method, &self.request.headers);
        if download::is_known(request, &headers.etag) {
            return Ok(headers.not_modified());
        }
        let cache = Cache::new(CACHE);
        if let Some((file, size)) = cache.find(&key) {
            return headers
                .kept(method, request, file, size)
                .map_err(|error| Failure::Unavailable(error.to_string()));
        }
        budget.check(COST)?;
        let commit = repository.commit(&revision.commit_id)?;
        if repository.entry_at(&commit.tree_id, path)?.is_none() {
            return Err(Failure::NotFound);
        }
        // Before more is read: that is what takes memory.
        let is_head = *method == Method::HEAD;
        let turn = if is_head { Turn::Unkept } else { cache.begin_in_turn(&key, &[]) };
        let planned = plan(repository, commit.tree_id, path, &info, &|| turn.go_on())?;
        if is_head {
            return Ok(headers.unmade());
        }
        let can_be_kept = planned.can_be_kept();
        let contents = Contents::new(opened, commit, planned.entries, &name, route.format)
            .map_err(|error| Failure::Unavailable(error.to_string()))?;
        let making = Making::new(contents, cache.clone(), turn, &key, &record.path);
        // Which part is asked for shows only once the archive is kept. One that cannot be is sent whole, as
        // a server may (RFC 9110, section 14.2).
        let is_kept = can_be_kept && making.is_kept();
        if !is_kept || !download::asks_for_part(request, &headers.etag) {
            let mut answer = headers.made(making);
            budget.charge(&mut answer, COST);
            return Ok(answer);
        }
        making.finish().map_err(|error| Failure::Unavailable(error.to_string()))?;
        match cache.find(&key) {
            Some((file, size)) => {
                let mut answer = headers
                    .kept(method, request, file, size)
                    .map_err(|error| Failure::Unavailable(error.to_string()))?;
                budget.charge(&mut answer, COST);
                Ok(answer)
            }
            None => Err(Failure::Unavailable("an archive cannot be kept".to_owned())),
        }
    }

    /// The answer where the store has refused.
    fn failed(&self, error: &StoreError) -> Answer {
        if let StoreError::Other(reason) = error {
            eprintln!("archive: the store: {reason}");
        }
        match self.call(settings::get) {
            Ok(overview) => change_password::first(&overview.viewer, self.address).unwrap_or_else(|| {
                failure::of_store(error, &Frame::new(&overview, self.address, self.language))
            }),
            Err(_) => failure::of_store(error, &Frame::bare(self.address, self.language)),
        }
    }
}

/// How the archive's name has the revision: a branch or tag without `refs/`, a commit by its whole id.
fn label(revision: &Revision) -> BString {
    match revision.kind {
        Kind::Commit => revision.commit_id.to_string().into(),
        Kind::Branch | Kind::Tag => revision::short_name(revision.name.as_bstr()).into(),
    }
}

/// What the repository's own `info/attributes` say; nothing if it has none, or a larger one than is read.
fn info_attributes(record: &types::Repository) -> Vec<u8> {
    let path = Path::new(REPOSITORIES).join(&record.directory).join("info/attributes");
    let is_small = fs::metadata(&path).is_ok_and(|metadata| metadata.len() <= ATTRIBUTES_BYTES_MAX);
    is_small.then(|| fs::read(&path).ok()).flatten().unwrap_or_default()
}

/// A digest of all that the bytes of an archive follow from, in hexadecimal digits.
fn key(revision: &Revision, path: &BStr, name: &BStr, route: &Route, info: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(VERSION.to_le_bytes());
    for part in [revision.commit_id.as_slice(), path, name, route.format.extension().as_bytes(), info] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why there is no archive.
enum Failure {
    NotFound,
    /// It is over a limit; in words.
    TooLarge(Text),
    /// The repository cannot be read.
    Damaged(repository::Error),
    /// The server cannot do this at the moment.
    Unavailable(String),
    /// Who asks has to wait.
    OverBudget(Spent),
}

impl Failure {
    fn page(&self, frame: &Frame, path: &str) -> Answer {
        match self {
            Self::NotFound => failure::not_found(frame),
            Self::TooLarge(reason) => {
                let message = t("No archive is made of this: {reason}. A clone of the repository has it.");
                failure::too_large(frame, message.with("reason", reason))
            }
            Self::OverBudget(spent) => failure::over_budget(frame, *spent),
            Self::Damaged(error) => {
                eprintln!("archive: {path}: {error}");
                failure::internal(frame)
            }
            Self::Unavailable(reason) => {
                eprintln!("archive: {path}: {reason}");
                failure::unavailable(frame)
            }
        }
    }
}

impl From<repository::Error> for Failure {
    fn from(error: repository::Error) -> Self {
        match error {
            repository::Error::TooLarge(_) => Self::TooLarge(t("an object is larger than may be read")),
            error => Self::Damaged(error),
        }
    }
}

impl From<Spent> for Failure {
    fn from(spent: Spent) -> Self {
        Self::OverBudget(spent)
    }
}

impl From<plan::Error> for Failure {
    fn from(error: plan::Error) -> Self {
        match error {
            plan::Error::NotFound => Self::NotFound,
            plan::Error::Repository(error) => error.into(),
            error => Self::TooLarge(error.in_words()),
        }
    }
}
