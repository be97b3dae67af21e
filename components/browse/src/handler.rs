//! From a request to an answer: who asks is settled by the store, the pages are built elsewhere.

use crate::blob::{self, Display};
use crate::commits;
use crate::history::Cursor;
use crate::limits::LISTED_PER_PAGE;
use crate::listing::{self, Subject};
use crate::place::{Failure, Place};
use crate::refs::{self, Offsets};
use crate::route::{self, Page, Route};
use crate::summary::{self, Summary};
use crate::{cache, commit, raw, sending, signature, tree, unavailable};
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use lithe_code::repository::{Error, Repository};
use lithe_code::revision::{self, Resolved};
use lithe_code::storage::{self, OpenError};
use lithe_forge::access::{self, Opened};
use lithe_forge::settings::{self, Overview};
use lithe_forge::types::{self, Error as StoreError};
use lithe_forge::{Requester, host_header, is_https, signers};
use lithe_web::answer::{self, Answer};
use lithe_web::{Fields, Frame, change_password, failure, time};
use std::path::Path;

/// Where repositories are mounted.
const REPOSITORIES: &str = "/repos";

/// Where rendered texts are kept.
const CACHE: &str = "/cache/rendered";

/// Answers a request.
pub fn answer(request: &Parts) -> Answer {
    let address = request.uri.path_and_query().map_or("/", |address| address.as_str());
    if request.method != Method::GET && request.method != Method::HEAD {
        return failure::method_not_allowed(&Frame::bare("/", ""), "GET, HEAD");
    }
    let route = route::parse(request.uri.path());
    match route {
        Route::Robots => return answer::text(StatusCode::OK, ROBOTS),
        Route::Redirect(address) => return answer::moved(&with_query(address, request)),
        Route::Home | Route::Search | Route::Place { .. } | Route::NotFound => {}
    }
    let (requester, overview) = match viewer(&request.headers) {
        Ok(viewer) => viewer,
        Err(error) => return of_store(&error, &Frame::bare(address, "")),
    };
    if let Some(answer) = change_password::first(&overview.viewer, address) {
        return answer;
    }
    let asked = Asked {
        request,
        requester,
        frame: Frame::new(&overview, address, ""),
        query: Fields::of_query(&request.uri),
    };
    match route {
        Route::Home => asked.listing(Subject::Home),
        Route::Search => asked.search(),
        Route::Place { path, page } => asked.place(&path, &page),
        Route::NotFound | Route::Robots | Route::Redirect(_) => failure::not_found(&asked.frame),
    }
}

/// Nothing here is worth a crawler's while but the pages of repositories themselves.
const ROBOTS: &str = "User-agent: *\nDisallow: /-/\nDisallow: /*/-/\n";

/// Who asks. A session that has ended is none: what everyone may read, they may read too.
fn viewer(headers: &HeaderMap) -> Result<(Requester, Overview), StoreError> {
    let requester = Requester::from_headers(headers);
    match requester.call(settings::get) {
        Err(StoreError::Unauthenticated) if requester.session().is_some() => {
            let mut headers = headers.clone();
            headers.remove(header::COOKIE);
            let requester = Requester::from_headers(&headers);
            let overview = requester.call(settings::get)?;
            Ok((requester, overview))
        }
        answer => answer.map(|overview| (requester, overview)),
    }
}

fn of_store(error: &StoreError, frame: &Frame) -> Answer {
    if let StoreError::Other(reason) = error {
        eprintln!("browse: the store: {reason}");
    }
    failure::of_store(error, frame)
}

fn with_query(address: String, request: &Parts) -> String {
    match request.uri.query() {
        Some(query) => format!("{address}?{query}"),
        None => address,
    }
}

/// A request, and who makes it.
struct Asked<'a> {
    request: &'a Parts,
    requester: Requester,
    frame: Frame,
    query: Fields,
}

impl Asked<'_> {
    fn listing(&self, subject: Subject<'_>) -> Answer {
        let offset = self.query.get("from").parse().unwrap_or(0);
        let (parent, filter) = match subject {
            Subject::Home => (None, ""),
            Subject::Group { group, .. } => (Some(group.path.as_str()), ""),
            Subject::Search(words) => (None, words),
        };
        let page = types::Page { offset, limit: LISTED_PER_PAGE };
        let listing = self
            .requester
            .call(|credentials, client| access::children(credentials, client, parent, filter, page));
        match listing {
            Ok(listing) => self.page(&listing::page(&self.frame, subject, &listing, offset, time::now())),
            Err(error) => of_store(&error, &self.frame),
        }
    }

    fn search(&self) -> Answer {
        match self.query.trimmed("q") {
            "" => answer::see_other("/"),
            words => self.listing(Subject::Search(words)),
        }
    }

    fn place(&self, path: &str, page: &Page) -> Answer {
        let opened = match self.requester.call(|credentials, client| access::open(credentials, client, path))
        {
            Ok(opened) => opened,
            Err(error) => return of_store(&error, &self.frame),
        };
        let Opened { place, permission, is_moved, .. } = &opened;
        let own_path = match place {
            access::Place::Repository(repository) => &repository.path,
            access::Place::Group(group) => &group.path,
        };
        if *is_moved {
            return answer::moved(&with_query(page.address(own_path), self.request));
        }
        match place {
            access::Place::Group(group) if *page == Page::Summary => {
                self.listing(Subject::Group { group, permission: *permission })
            }
            access::Place::Group(_) => failure::not_found(&self.frame),
            access::Place::Repository(record) => {
                let place = Place {
                    frame: self.frame.clone(),
                    record,
                    permission: *permission,
                    site: site(self.request),
                    now: time::now(),
                    cache: &cache::Directory::new(CACHE),
                };
                self.repository(&place, page)
            }
        }
    }

    fn repository(&self, place: &Place<'_>, page: &Page) -> Answer {
        match storage::open(Path::new(REPOSITORIES), place.record) {
            Ok(opened) => {
                let repository = Repository { objects: &opened.objects, refs: &opened.refs };
                let answer = self.page_of(place, repository, page);
                answer.unwrap_or_else(|failure| self.of_repository(place, &failure))
            }
            Err(error) => {
                eprintln!("browse: {}: {error}", place.record.path);
                let page = match error {
                    OpenError::Missing => unavailable::not_on_disk(place),
                    OpenError::Objects(_) | OpenError::Refs(_) => unavailable::not_readable(place),
                };
                answer::page_with_status(StatusCode::SERVICE_UNAVAILABLE, &page)
            }
        }
    }

    fn page_of(&self, place: &Place<'_>, repository: Repository<'_>, page: &Page) -> Result<Answer, Failure> {
        match page {
            Page::Summary => summary::page(place, repository).map(|summary| match summary {
                Summary::Filled(page) => self.page(&*page),
                Summary::Empty(page) => self.page(&*page),
            }),
            Page::Tree(rest) => resolve(repository, rest.as_bstr())
                .and_then(|at| {
                    tree::page(place, repository, &at, self.query.get("from").parse().unwrap_or(0))
                })
                .map(|page| self.page(&page)),
            Page::Blob(rest) => resolve(repository, rest.as_bstr())
                .and_then(|at| blob::page(place, repository, &at, self.display()))
                .map(|page| self.page(&page)),
            Page::Raw(rest) => resolve(repository, rest.as_bstr()).and_then(|at| self.raw(repository, &at)),
            Page::Commits(rest) => resolve(repository, rest.as_bstr())
                .and_then(|at| commits::page(place, repository, &at, self.cursor()?.as_ref()))
                .map(|page| self.page(&page)),
            Page::Commit(id) => self.commit(place, repository, id.as_bstr()),
            Page::Refs => refs::page(place, repository, self.offsets()).map(|page| self.page(&page)),
        }
    }

    /// The answer for a page that cannot be shown.
    fn of_repository(&self, place: &Place<'_>, failure: &Failure) -> Answer {
        match failure {
            Failure::NotFound => failure::not_found(&self.frame),
            Failure::Elsewhere(address) => answer::moved(address),
            Failure::Repository(Error::TooLarge(_)) => failure::too_large(
                &self.frame,
                "This is too large to be sent from here. A clone of the repository has it.",
            ),
            Failure::Repository(error) => {
                eprintln!("browse: {}: {error}", place.record.path);
                let page = unavailable::damaged(place, error);
                answer::page_with_status(StatusCode::INTERNAL_SERVER_ERROR, &page)
            }
        }
    }

    fn raw(&self, repository: Repository<'_>, at: &Resolved) -> Result<Answer, Failure> {
        let file = raw::find(repository, at)?;
        let etag = file.etag();
        if lithe_web::download::is_known(&self.request.headers, &etag) {
            return Ok(sending::not_modified(&etag));
        }
        let (disposition, bytes) = raw::read(repository, &file)?;
        Ok(sending::file(&disposition, &etag, bytes))
    }

    fn commit(&self, place: &Place<'_>, repository: Repository<'_>, id: &BStr) -> Result<Answer, Failure> {
        let commit_id = revision::commit_by_abbreviation(repository, id)?.ok_or(Failure::NotFound)?;
        let parent = self.query.get("parent").parse().unwrap_or(1).max(1);
        let page = commit::page(place, repository, commit_id, parent)?;
        let signature = repository.signed(&commit_id)?.map(|signed| {
            signature::view(&signed, place.now, |names, addresses| {
                let path = &place.record.path;
                self.requester
                    .call(|credentials, client| signers::find(credentials, client, path, names, addresses))
            })
        });
        Ok(self.page(&page.with_signature(signature)))
    }

    fn display(&self) -> Display {
        if self.query.get("display") == "source" { Display::Source } else { Display::Best }
    }

    fn cursor(&self) -> Result<Option<Cursor>, Failure> {
        self.query.find("after").map(|cursor| Cursor::parse(cursor).ok_or(Failure::NotFound)).transpose()
    }

    fn offsets(&self) -> Offsets {
        let offset = |name| self.query.get(name).parse().unwrap_or(0);
        Offsets { branches: offset("branches"), tags: offset("tags") }
    }

    /// A page, or that it is what the browser has already.
    fn page(&self, page: &impl Template) -> Answer {
        match page.render() {
            Ok(text) => sending::page(&self.request.headers, text),
            Err(error) => {
                eprintln!("browse: a template: {error}");
                failure::internal(&self.frame)
            }
        }
    }
}

fn resolve(repository: Repository<'_>, rest: &BStr) -> Result<Resolved, Failure> {
    revision::resolve(repository, rest)?.ok_or(Failure::NotFound)
}

/// The site's address as the client asked for it.
fn site(request: &Parts) -> String {
    let full = host_header(&request.headers, "spin-full-url").and_then(|url| url.parse::<http::Uri>().ok());
    let authority = request.uri.authority().or(full.as_ref().and_then(http::Uri::authority));
    let host = authority.map_or("localhost", http::uri::Authority::as_str);
    let scheme = if is_https(&request.headers) { "https" } else { "http" };
    format!("{scheme}://{host}")
}
