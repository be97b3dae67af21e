//! From a request to an answer: who asks is settled by the store.

use crate::content::{self, Budget};
use crate::index::update::{self, Allowance};
use crate::index::{Candidates, Index};
use crate::pattern::{self, Pattern};
use crate::query::{self, Query};
use crate::route::{self, Route};
use crate::view::{self, Asking, Outcome};
use bstr::{BStr, BString, ByteSlice as _};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use lithe_code::repository::{self, Repository};
use lithe_code::revision::{self, Revision};
use lithe_code::storage::{self, OpenError};
use lithe_forge::Requester;
use lithe_forge::access::{self, Opened};
use lithe_forge::settings;
use lithe_forge::types::{self, Client, Credentials, Error as StoreError, Overview};
use lithe_web::answer::{self, Answer};
use lithe_web::{Fields, Format, Frame, change_password, failure};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Where repositories are mounted.
const REPOSITORIES: &str = "/repos";

/// Where the indexes are, each named by the number of its repository.
const INDEXES: &str = "/cache/index";

/// Answers a request.
pub fn answer(request: &Parts) -> Answer {
    let address = request.uri.path_and_query().map_or("/", |address| address.as_str());
    let asked = Asked { request, address, fields: Fields::of_query(&request.uri) };
    let route = Route::parse(request.uri.path());
    if request.method != Method::GET && request.method != Method::HEAD {
        return failure::method_not_allowed(&Frame::bare("/", ""), "GET, HEAD");
    }
    let mut answer = match route {
        Route::Repository(path) => {
            match asked.call(|credentials, client| access::open(credentials, client, &path)) {
                Ok(opened) => asked.opened(&opened),
                Err(error) => asked.failed(&error),
            }
        }
        Route::Site | Route::Sweep | Route::NotFound => asked.failed(&StoreError::NotFound),
    };
    answer.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    answer
}

/// A request.
struct Asked<'a> {
    request: &'a Parts,
    /// The path and query.
    address: &'a str,
    fields: Fields,
}

/// Why there is nothing to show.
enum Failure {
    NotFound,
    /// What is asked for makes no sense; in words.
    Query(String),
    Repository(repository::Error),
}

impl From<repository::Error> for Failure {
    fn from(error: repository::Error) -> Self {
        Self::Repository(error)
    }
}

impl From<query::Error> for Failure {
    fn from(error: query::Error) -> Self {
        Self::Query(error.to_string())
    }
}

impl From<pattern::Error> for Failure {
    fn from(error: pattern::Error) -> Self {
        Self::Query(error.to_string())
    }
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

    /// The form in which the answer is wanted.
    fn format(&self) -> Format {
        Format::asked_for(&self.request.headers, &self.fields)
    }

    fn frame(&self, overview: &Overview) -> Frame {
        Frame::new(overview, self.address, "").in_format(self.format())
    }

    fn opened(&self, opened: &Opened) -> Answer {
        let frame = self.frame(&opened.overview);
        if let Some(answer) = change_password::first(&opened.overview.viewer, self.address) {
            return answer;
        }
        let access::Place::Repository(record) = &opened.place else { return failure::not_found(&frame) };
        if opened.is_moved {
            let query = self.request.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            return answer::moved(&format!("{}{query}", route::address(&record.path)));
        }
        let mut asking = Asking::new(record, opened.permission, &self.fields);
        let outcome = match storage::open(Path::new(REPOSITORIES), record) {
            Ok(on_disk) => {
                let repository = Repository { objects: &on_disk.objects, refs: &on_disk.refs };
                self.search(repository, record, &mut asking)
            }
            Err(error) => {
                eprintln!("search: {}: {error}", record.path);
                return match error {
                    OpenError::Missing => failure::unavailable(&frame),
                    OpenError::Objects(_) | OpenError::Refs(_) => failure::internal(&frame),
                };
            }
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(Failure::NotFound) => return failure::not_found(&frame),
            Err(Failure::Query(reason)) => Outcome::Refused(reason),
            Err(Failure::Repository(error)) => {
                eprintln!("search: {}: {error}", record.path);
                return failure::internal(&frame);
            }
        };
        self.show(frame, &asking, &outcome)
    }

    fn show(&self, frame: Frame, asking: &Asking<'_>, outcome: &Outcome) -> Answer {
        let status = match outcome {
            Outcome::Refused(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::OK,
        };
        if frame.format == Format::Json {
            return answer::json(status, &view::json(asking, outcome));
        }
        answer::page_with_status(status, &view::page(frame, asking, outcome))
    }

    /// Searches the files of a revision.
    fn search(
        &self,
        repository: Repository<'_>,
        record: &types::Repository,
        asking: &mut Asking<'_>,
    ) -> Result<Outcome, Failure> {
        let name = self.fields.get("ref");
        let Some(revision) = resolve(repository, name.into())? else {
            return if name.is_empty() { Ok(Outcome::Empty) } else { Err(Failure::NotFound) };
        };
        asking.at(&revision);
        let query = Query::of_fields(&self.fields)?;
        if query.is_empty() {
            return Ok(Outcome::Nothing);
        }
        let pattern = Pattern::new(&query.terms, query.meaning)?;
        let filter = query.path_filter()?;
        let directory = directory_of(record);
        let index = index_at(repository, record, &directory)?;
        let tree_id = repository.commit(&revision.commit_id)?.tree_id;
        let files = update::files_at(repository, &index, tree_id).map_err(|error| match error {
            update::Failure::Repository(error) => Failure::Repository(error),
            update::Failure::Index(error) => Failure::Repository(repository::Error::Read(error.to_string())),
        })?;
        let candidates = index.candidates(pattern.needs()).unwrap_or_else(|error| {
            // What is damaged is made anew by the next request; this one looks into everything.
            eprintln!("search: the index of {}: {error}", record.path);
            forget(&directory);
            Candidates::ALL
        });
        let after = self.fields.find("after").map(BString::from);
        let wanted = |path: &BStr| filter.is_match(path);
        let after = after.as_ref().map(|after| after.as_bstr());
        let found =
            content::search(repository, &files, &candidates, &pattern, wanted, after, Budget::of_request())?;
        Ok(Outcome::content(&files, found))
    }

    /// The answer where the store has refused.
    fn failed(&self, error: &StoreError) -> Answer {
        if let StoreError::Other(reason) = error {
            eprintln!("search: the store: {reason}");
        }
        match self.call(settings::get) {
            Ok(overview) => change_password::first(&overview.viewer, self.address)
                .unwrap_or_else(|| failure::of_store(error, &self.frame(&overview))),
            Err(_) => failure::of_store(error, &Frame::bare(self.address, "").in_format(self.format())),
        }
    }
}

/// The revision of that name; the landing branch, if there is no name.
fn resolve(repository: Repository<'_>, name: &BStr) -> Result<Option<Revision>, Failure> {
    let resolved = revision::resolve(repository, name)?;
    Ok(resolved.filter(|resolved| resolved.path.is_empty()).map(|resolved| resolved.revision))
}

fn directory_of(record: &types::Repository) -> PathBuf {
    Path::new(INDEXES).join(record.id.to_string())
}

/// Has an index made anew.
fn forget(directory: &Path) {
    let _ = std::fs::remove_file(directory.join("state"));
}

/// The index of a repository, brought nearer to its landing branch.
fn index_at(
    repository: Repository<'_>,
    record: &types::Repository,
    directory: &Path,
) -> Result<Rc<Index>, Failure> {
    let object_format = repository.objects.format();
    let index = Index::open(directory, object_format).unwrap_or_else(|| Rc::new(Index::empty(object_format)));
    let Some(landing) = revision::landing_branch(repository)? else { return Ok(index) };
    match update::update(repository, directory, index.clone(), landing.commit_id, Allowance::of_request()) {
        Ok(updated) => Ok(updated),
        Err(update::Failure::Repository(error)) => Err(Failure::Repository(error)),
        Err(update::Failure::Index(error)) => {
            eprintln!("search: the index of {}: {error}", record.path);
            forget(directory);
            Ok(Rc::new(Index::empty(object_format)))
        }
    }
}
