//! From a request to an answer: who asks is settled by the store.

use crate::cost;
use crate::limits::REPOSITORIES_MAX;
use crate::query::Query;
use crate::route::{self, Route};
use crate::searching::{Failure, Indexes, Kind, Part, Searching};
use crate::sweep;
use crate::view::{self, Asking, Outcome, Results};
use askama::Template;
use bstr::{BStr, BString, ByteSlice as _};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use lithe_code::repository::Repository;
use lithe_code::revision::{self, Revision};
use lithe_code::storage::{self, OpenError};
use lithe_forge::access::{self, Opened};
use lithe_forge::types::{self, Client, Credentials, Error as StoreError, Overview};
use lithe_forge::{Requester, is_operator, settings};
use lithe_web::address::{decode, encode_path};
use lithe_web::answer::{self, Answer};
use lithe_web::budget::{Budget, Spent};
use lithe_web::{Fields, Format, Frame, Language, change_password, failure, language, written};
use std::cell::{Cell, RefCell};
use std::path::Path;

/// Where repositories are mounted.
const REPOSITORIES: &str = "/repos";

/// Where the indexes are, each named by the number of its repository.
const INDEXES: &str = "/cache/index";

/// How many repositories are asked for at once.
const LISTED: u32 = 1_000;

/// Answers a request.
pub fn answer(request: &Parts) -> Answer {
    let asked = Asked {
        request,
        address: request.uri.path_and_query().map_or("/", |address| address.as_str()),
        fields: Fields::of_query(&request.uri),
        requester: RefCell::new(Requester::from_headers(&request.headers)),
        cost: Cell::new(0),
    };
    let route = Route::parse(request.uri.path());
    if route == Route::Sweep && request.method == Method::POST {
        return asked.sweep();
    }
    if request.method != Method::GET && request.method != Method::HEAD {
        return failure::method_not_allowed(
            &Frame::bare("/", asked.language()).in_format(asked.format()),
            "GET, HEAD",
        );
    }
    let mut answer = match route {
        Route::Repository(path) => {
            match asked.call(|credentials, client| access::open(credentials, client, &path)) {
                Ok(opened) => asked.opened(&opened),
                Err(error) => asked.failed(&error),
            }
        }
        Route::Site => match asked.call(settings::get) {
            Ok(overview) => asked.site(&overview),
            Err(error) => asked.failed(&error),
        },
        Route::Sweep | Route::NotFound => asked.failed(&StoreError::NotFound),
    };
    asked.budget().charge(&mut answer, asked.cost.get());
    answer.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    answer
}

/// A request.
struct Asked<'a> {
    request: &'a Parts,
    /// The path and query.
    address: &'a str,
    fields: Fields,
    requester: RefCell<Requester>,
    /// What the answer costs, in points.
    cost: Cell<u32>,
}

impl Asked<'_> {
    /// Asks the store. A session that has ended is none: what everyone may read, they may read too.
    fn call<T>(
        &self,
        function: impl Fn(&Credentials, &Client) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let answer = self.requester.borrow().call(&function);
        let has_session = self.requester.borrow().session().is_some();
        match answer {
            Err(StoreError::Unauthenticated) if has_session => {
                let mut headers = self.request.headers.clone();
                headers.remove(header::COOKIE);
                self.requester.replace(Requester::from_headers(&headers));
                self.requester.borrow().call(&function)
            }
            answer => answer,
        }
    }

    fn budget(&self) -> Budget {
        Budget::of(&self.request.headers, self.requester.borrow().is_anonymous())
    }

    /// Counts what the answer costs; fails if who asks has to wait with that.
    fn pay(&self, points: u32) -> Result<(), Spent> {
        self.budget().check(points)?;
        self.cost.set(self.cost.get() + points);
        Ok(())
    }

    /// The form in which the answer is wanted.
    fn format(&self) -> Format {
        Format::asked_for(&self.request.headers, &self.fields)
    }

    fn language(&self) -> Language {
        language::asked_for(&self.request.headers)
    }

    fn frame(&self, overview: &Overview) -> Frame {
        Frame::new(overview, self.address, self.language()).in_format(self.format())
    }

    /// The search in one repository.
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
        let on_disk = match storage::open(Path::new(REPOSITORIES), record) {
            Ok(on_disk) => on_disk,
            Err(error) => {
                eprintln!("search: {}: {error}", record.path);
                return match error {
                    OpenError::Missing => failure::unavailable(&frame),
                    OpenError::Objects(_) | OpenError::Refs(_) => failure::internal(&frame),
                };
            }
        };
        let repository = Repository { objects: &on_disk.objects, refs: &on_disk.refs };
        let mut asking = Asking::of_repository(record, opened.permission, &self.fields);
        match self.in_repository(repository, record, &mut asking) {
            Ok(outcome) => show(&self.request.headers, frame, &asking, &outcome),
            Err(Failure::NotFound) => failure::not_found(&frame),
            Err(Failure::Query(reason)) => {
                show(&self.request.headers, frame, &asking, &Outcome::Refused(reason))
            }
            Err(Failure::OverBudget(spent)) => failure::over_budget(&frame, spent),
            Err(Failure::Repository(error)) => {
                eprintln!("search: {}: {error}", record.path);
                failure::internal(&frame)
            }
        }
    }

    fn in_repository(
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
        let Some(searching) = Searching::new(&query, asking.kind())? else { return Ok(Outcome::Nothing) };
        self.pay(cost::of_search(asking.kind(), false))?;
        let after = self.after();
        let after = after.as_ref().map(|after| after.as_bstr());
        let budget = searching.budget();
        let (part, _) =
            searching.search(repository, &indexes_of(record), revision.commit_id, after, budget)?;
        let next = part.next.as_ref().map(|next| vec![("after", encode_path(next))]);
        let mut results = Results::new(asking.kind(), next);
        results.add(record, revision.commit_id, part);
        Ok(Outcome::Found(results))
    }

    /// After what a search goes on.
    fn after(&self) -> Option<BString> {
        self.fields.find("after").and_then(|after| decode(after).ok()).map(BString::from)
    }

    /// The search in all repositories that the viewer may read.
    fn site(&self, overview: &Overview) -> Answer {
        let frame = self.frame(overview);
        if let Some(answer) = change_password::first(&overview.viewer, self.address) {
            return answer;
        }
        let asking = Asking::of_site(&self.fields);
        let outcome = Query::of_fields(&self.fields).map_err(Failure::from).and_then(|query| {
            let searching = Searching::new(&query, asking.kind())?;
            Ok(searching.map(|searching| (query, searching)))
        });
        let (query, searching) = match outcome {
            Ok(Some(ready)) => ready,
            Ok(None) => return show(&self.request.headers, frame, &asking, &Outcome::Nothing),
            Err(Failure::Query(reason)) => {
                return show(&self.request.headers, frame, &asking, &Outcome::Refused(reason));
            }
            Err(Failure::OverBudget(spent)) => return failure::over_budget(&frame, spent),
            Err(Failure::NotFound | Failure::Repository(_)) => return failure::internal(&frame),
        };
        if let Err(spent) = self.pay(cost::of_search(asking.kind(), true)) {
            return failure::over_budget(&frame, spent);
        }
        let wanted = query.repositories.join(" ");
        match self.readable(&wanted, REPOSITORIES_MAX) {
            Ok(repositories) => show(
                &self.request.headers,
                frame,
                &asking,
                &Outcome::Found(self.in_all(asking.kind(), &repositories, &searching)),
            ),
            Err(error) => self.failed(&error),
        }
    }

    fn in_all(&self, kind: Kind, repositories: &[types::Repository], searching: &Searching) -> Results {
        let begin = self.fields.get("after-repo");
        let first = repositories.partition_point(|record| record.path.as_str() < begin);
        let mut budget = searching.budget();
        let mut results = Results::new(kind, None);
        results.of_repositories(repositories.len());
        for (index, record) in repositories.iter().enumerate().skip(first) {
            if index > first && budget.is_used_up() {
                results.go_on_at(index, &record.path, None);
                break;
            }
            let after = self.after().filter(|_| record.path == begin);
            let Some((commit_id, (part, left))) =
                find(record, searching, after.as_ref().map(|a| a.as_bstr()), budget)
            else {
                continue;
            };
            budget = left;
            let next = part.next.clone();
            results.add(record, commit_id, part);
            if let Some(next) = next {
                results.go_on_at(index, &record.path, Some(encode_path(&next)));
                break;
            }
        }
        results
    }

    /// The repositories that the viewer may read, by path; with a filter, those whose path has it.
    fn readable(&self, filter: &str, count_max: usize) -> Result<Vec<types::Repository>, StoreError> {
        let mut repositories = Vec::new();
        let mut parents = vec![None::<String>];
        while let Some(parent) = parents.pop() {
            let mut offset = 0;
            loop {
                let page = types::Page { offset, limit: LISTED };
                let listing = self.call(|credentials, client| {
                    access::children(credentials, client, parent.as_deref(), filter, page)
                })?;
                offset += listing.entries.len() as u32;
                let is_last = listing.entries.is_empty() || offset >= listing.total;
                for entry in listing.entries {
                    match entry.place {
                        access::Place::Repository(record) => repositories.push(record),
                        // A filter finds what is in groups by itself.
                        access::Place::Group(group) if filter.is_empty() => parents.push(Some(group.path)),
                        access::Place::Group(_) => {}
                    }
                }
                if is_last || repositories.len() >= count_max {
                    break;
                }
            }
        }
        repositories.retain(|record| record.path.to_lowercase().contains(&filter.to_lowercase()));
        repositories.sort_by(|a, b| a.path.cmp(&b.path));
        repositories.truncate(count_max);
        Ok(repositories)
    }

    /// Brings indexes up to date: for the host's clock, in the operator's name.
    fn sweep(&self) -> Answer {
        let is_operators = self
            .call(settings::get)
            .is_ok_and(|overview| is_operator(&self.request.headers, &overview.viewer));
        if !is_operators {
            return self.failed(&StoreError::NotFound);
        }
        match self.readable("", usize::MAX) {
            Ok(repositories) => {
                sweep::sweep(&repositories, Path::new(REPOSITORIES), Path::new(INDEXES));
                answer::text(StatusCode::OK, "")
            }
            Err(error) => self.failed(&error),
        }
    }

    /// The answer where the store has refused.
    fn failed(&self, error: &StoreError) -> Answer {
        if let StoreError::Other(reason) = error {
            eprintln!("search: the store: {reason}");
        }
        match self.call(settings::get) {
            Ok(overview) => change_password::first(&overview.viewer, self.address)
                .unwrap_or_else(|| failure::of_store(error, &self.frame(&overview))),
            Err(_) => {
                failure::of_store(error, &Frame::bare(self.address, self.language()).in_format(self.format()))
            }
        }
    }
}

/// Searches the landing branch of one of several repositories. One that cannot be read is passed over.
fn find(
    record: &types::Repository,
    searching: &Searching,
    after: Option<&BStr>,
    budget: crate::content::Budget,
) -> Option<(gix_hash::ObjectId, (Part, crate::content::Budget))> {
    let opened =
        storage::open(Path::new(REPOSITORIES), record).inspect_err(|error| log(record, error)).ok()?;
    let repository = Repository { objects: &opened.objects, refs: &opened.refs };
    let landing = revision::landing_branch(repository).inspect_err(|error| log(record, error)).ok()??;
    let found = searching.search(repository, &indexes_of(record), landing.commit_id, after, budget);
    Some((landing.commit_id, found.inspect_err(|error| log(record, error)).ok()?))
}

fn log(record: &types::Repository, error: &dyn std::fmt::Display) {
    eprintln!("search: {}: {error}", record.path);
}

fn show(request: &HeaderMap, frame: Frame, asking: &Asking<'_>, outcome: &Outcome) -> Answer {
    let (language, format) = (frame.language, frame.format);
    let is_refused = matches!(outcome, Outcome::Refused(_));
    let written = match (format, asking.head()) {
        (Format::Json, _) => {
            serde_json::to_string(&view::json(asking, outcome)).map_err(|error| error.to_string())
        }
        (Format::Html, Some(head)) => {
            write(language, &view::repository_page(frame.clone(), head, asking, outcome))
        }
        (Format::Html, None) => write(language, &view::site_page(frame.clone(), asking, outcome)),
    };
    let answer = match (written, format) {
        (Ok(text), Format::Html) if is_refused => answer::html(StatusCode::BAD_REQUEST, text),
        (Ok(text), Format::Json) if is_refused => answer::json_text(StatusCode::BAD_REQUEST, text),
        (Ok(text), _) => written::answer(request, text.into(), format),
        (Err(error), _) => {
            eprintln!("search: a page that cannot be written: {error}");
            return failure::internal(&frame);
        }
    };
    match format {
        Format::Html => answer::in_language(language, answer),
        Format::Json => answer,
    }
}

fn write(language: Language, page: &impl Template) -> Result<String, String> {
    page.render_with_values(&language).map_err(|error| error.to_string())
}

/// The revision of that name; the landing branch, if there is no name.
fn resolve(repository: Repository<'_>, name: &BStr) -> Result<Option<Revision>, Failure> {
    let resolved = revision::resolve(repository, name)?;
    Ok(resolved.filter(|resolved| resolved.path.is_empty()).map(|resolved| resolved.revision))
}

fn indexes_of(record: &types::Repository) -> Indexes {
    Indexes::new(Path::new(INDEXES).join(record.id.to_string()))
}
