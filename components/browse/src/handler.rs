//! From a request to an answer: who asks is settled by the store, the pages are built elsewhere.

use crate::activity::{self, Hiding};
use crate::blame;
use crate::blob::{self, Display};
use crate::cache::{self, Cache};
use crate::commit::Against;
use crate::commits::{self, Look};
use crate::compare::{self, Pair};
use crate::diff::View;
use crate::find;
use crate::graph::{self, Shown};
use crate::highlight;
use crate::history::Cursor;
use crate::issues::Issues;
use crate::kept::{self, Question};
use crate::limits::LISTED_SORTED_MAX;
use crate::listing::{self, OpenSearch, Subject, Wish};
use crate::missing;
use crate::patches::Form;
use crate::place::{Failure, Place};
use crate::raw::Way;
use crate::refs::{self, Offsets};
use crate::route::{self, Page, Route};
use crate::sending;
use crate::statistics::{self, Listed};
use crate::summary::{self, Summary};
use crate::switch::{self, Switch};
use crate::{commit, cost, feed, patches, raw, signature, tree, unavailable};
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use lithe_code::across::Across;
use lithe_code::blame::Whitespace;
use lithe_code::mailmap::Mailmap;
use lithe_code::repository::{Error, Repository};
use lithe_code::revision::{self, Resolved};
use lithe_code::storage::{self, OpenError};
use lithe_forge::access::{self, Opened};
use lithe_forge::settings;
use lithe_forge::types::{self, Client, Credentials, Error as StoreError, Overview};
use lithe_forge::{Requester, host_header, is_https, signers};
use lithe_git::refs::{Hidden, Side};
use lithe_web::address::encode_component;
use lithe_web::answer::{self, Answer};
use lithe_web::budget::Budget;
use lithe_web::download;
use lithe_web::format::FORMAT_FIELD;
use lithe_web::{
    Fields, Format, Frame, Language, Written, change_password, failure, language, t, time, written,
};
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

/// Where repositories are mounted.
const REPOSITORIES: &str = "/repos";

/// Where rendered texts are kept.
const CACHE: &str = "/cache/rendered";

/// Answers a request.
pub fn answer(request: &Parts) -> Answer {
    highlight::begin();
    let address = request.uri.path_and_query().map_or("/", |address| address.as_str());
    let query = Fields::of_query(&request.uri);
    let format = Format::asked_for(&request.headers, &query);
    let language = language::asked_for(&request.headers);
    if request.method != Method::GET && request.method != Method::HEAD {
        return failure::method_not_allowed(&Frame::bare("/", language).in_format(format), "GET, HEAD");
    }
    let route = route::parse(request.uri.path());
    match route {
        Route::Robots => return answer::text(StatusCode::OK, cost::ROBOTS),
        Route::Redirect(address) => return answer::moved(&with_query(address, request)),
        Route::Home
        | Route::Search
        | Route::OpenSearch
        | Route::Feed(_)
        | Route::Activity(_)
        | Route::Place { .. }
        | Route::NotFound => {}
    }
    let arrived = Arrived { request, address, query, format, language };
    match route {
        Route::Home => arrived.listing(Subject::Home),
        Route::Search => arrived.search(),
        Route::OpenSearch => arrived.open_search(),
        Route::Feed(rest) => arrived.repositories_feed(None, rest.as_bstr()),
        Route::Activity(form) => arrived.activity(form),
        Route::Place { path, page } => arrived.place(&path, &page),
        Route::NotFound | Route::Robots | Route::Redirect(_) => arrived.nowhere(),
    }
}

fn with_query(address: String, request: &Parts) -> String {
    match request.uri.query() {
        Some(query) => format!("{address}?{query}"),
        None => address,
    }
}

/// A request of which nothing is known but what it says.
struct Arrived<'a> {
    request: &'a Parts,
    /// The path and query.
    address: &'a str,
    query: Fields,
    format: Format,
    language: Language,
}

impl<'a> Arrived<'a> {
    /// Asks the store. A session that has ended is none: what everyone may read, they may read too.
    fn ask<T>(
        &self,
        function: impl Fn(&Credentials, &Client) -> Result<T, StoreError>,
    ) -> Result<(Requester, T), Refused> {
        let mut requester = Requester::from_headers(&self.request.headers);
        let mut answer = requester.call(&function);
        if matches!(answer, Err(StoreError::Unauthenticated)) && requester.session().is_some() {
            let mut headers = self.request.headers.clone();
            headers.remove(header::COOKIE);
            requester = Requester::from_headers(&headers);
            answer = requester.call(&function);
        }
        match answer {
            Ok(answer) => Ok((requester, answer)),
            Err(error) => Err(Refused { requester, error }),
        }
    }

    /// The answer where the store has refused, in the frame of who asks if that is known.
    fn failed(&self, refused: &Refused) -> Answer {
        let Refused { requester, error } = refused;
        let overview = match error {
            // To ask with those credentials again would be one more try to sign in.
            StoreError::Unauthenticated | StoreError::Throttled(_) | StoreError::ProofRequired(_) => None,
            _ => requester.call(settings::get).ok(),
        };
        if let StoreError::Other(reason) = error {
            eprintln!("browse: the store: {reason}");
        }
        let Some(overview) = overview else {
            return failure::of_store(
                error,
                &Frame::bare(self.address, self.language).in_format(self.format),
            );
        };
        change_password::first(&overview.viewer, self.address).unwrap_or_else(|| {
            failure::of_store(
                error,
                &Frame::new(&overview, self.address, self.language).in_format(self.format),
            )
        })
    }

    /// The answer for an address that is none, whoever asks.
    fn nowhere(&self) -> Answer {
        match self.ask(settings::get) {
            Ok((requester, _)) => self.failed(&Refused { requester, error: StoreError::NotFound }),
            Err(refused) => self.failed(&refused),
        }
    }

    fn asked(self, requester: Requester, overview: &Overview) -> Asked<'a> {
        let frame = Frame::new(overview, self.address, self.language).in_format(self.format);
        let budget = Budget::of(&self.request.headers, requester.is_anonymous());
        Asked {
            request: self.request,
            requester,
            frame,
            query: self.query,
            budget,
            cost: Cell::new(0),
            written: RefCell::default(),
            has_asked_more: Cell::new(false),
        }
    }

    fn search(self) -> Answer {
        let words = self.query.trimmed("q").to_owned();
        match words.as_str() {
            "" => answer::see_other("/"),
            words => self.listing(Subject::Search(words)),
        }
    }

    fn listing(self, subject: Subject<'_>) -> Answer {
        let wish = Wish::of(&self.query);
        let parent = match subject {
            Subject::Home | Subject::Search(_) => None,
            Subject::Group { group, .. } => Some(group.path.as_str()),
        };
        let (filter, page) = (wish.filter.as_str(), wish.store_page());
        match self.ask(|credentials, client| access::children(credentials, client, parent, filter, page)) {
            Ok((requester, listing)) => {
                let asked = self.asked(requester, &listing.overview);
                asked.page(&listing::page(&asked.frame, subject, &listing, &wish, time::now()))
            }
            Err(refused) => self.failed(&refused),
        }
    }

    fn open_search(self) -> Answer {
        match self.ask(settings::get) {
            Ok((_, overview)) => {
                let language = Frame::new(&overview, self.address, self.language).language;
                let description = OpenSearch { title: overview.site.title, site: site(self.request) };
                match description.render_with_values(&language) {
                    Ok(text) => sending::feed(&self.request.headers, OpenSearch::CONTENT_TYPE, text),
                    Err(_) => failure::internal(&Frame::bare(self.address, self.language)),
                }
            }
            Err(refused) => self.failed(&refused),
        }
    }

    /// The feed of the repositories that were changed last, of the whole site or below a group.
    fn repositories_feed(self, group: Option<&types::Group>, rest: &BStr) -> Answer {
        let Some((name, form)) = feed::split(rest) else { return self.nowhere() };
        if name != feed::REPOSITORIES {
            return self.nowhere();
        }
        let parent = group.map(|group| group.path.as_str());
        let page = types::Page { offset: 0, limit: LISTED_SORTED_MAX };
        // Every path below a group has a slash, and every path but those of the top level.
        let nested = self.ask(|credentials, client| access::children(credentials, client, parent, "/", page));
        let direct = self.ask(|credentials, client| access::children(credentials, client, parent, "", page));
        match (nested, direct) {
            (Ok((_, nested)), Ok((requester, direct))) => {
                let asked = self.asked(requester, &direct.overview);
                let listed = nested.entries.into_iter().chain(direct.entries);
                let feed = feed::of_repositories(
                    &site(asked.request),
                    &asked.frame.site_title,
                    parent,
                    listed,
                    form,
                    asked.frame.language,
                );
                match feed.render(form) {
                    Ok(text) => sending::feed(&asked.request.headers, form.content_type(), text),
                    Err(_) => failure::internal(&asked.frame),
                }
            }
            (Err(refused), _) | (_, Err(refused)) => self.failed(&refused),
        }
    }

    /// What was done on the whole site lately, as a page or a feed.
    fn activity(self, form: Option<feed::Form>) -> Answer {
        let before = self.query.get("before").parse().ok();
        let found =
            self.ask(|credentials, client| access::activity(credentials, client, before, activity::PER_PAGE));
        match found {
            Ok((requester, found)) => {
                let asked = self.asked(requester, &found.overview);
                let hiding = HiddenRefs::default();
                let Some(form) = form else {
                    return asked.page(&activity::page(&asked.frame, &found, &hiding, time::now()));
                };
                let title = &asked.frame.site_title;
                let feed = activity::feed(
                    &site(asked.request),
                    title,
                    &found,
                    &hiding,
                    (form, asked.frame.language),
                );
                match feed.render(form) {
                    Ok(text) => sending::feed(&asked.request.headers, form.content_type(), text),
                    Err(_) => failure::internal(&asked.frame),
                }
            }
            Err(refused) => self.failed(&refused),
        }
    }

    fn place(self, path: &str, page: &Page) -> Answer {
        let (requester, opened) =
            match self.ask(|credentials, client| access::open(credentials, client, path)) {
                Ok(answer) => answer,
                Err(refused) => return self.failed(&refused),
            };
        let Opened { overview, place, permission, is_moved, .. } = &opened;
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
            access::Place::Group(group) if let Page::Feed(rest) = page => {
                self.repositories_feed(Some(group), rest.as_bstr())
            }
            access::Place::Group(_) => self.failed(&Refused { requester, error: StoreError::NotFound }),
            access::Place::Repository(record) => self.asked(requester, overview).about(&opened, record, page),
        }
    }
}

/// Which refs are hidden, read of each repository once.
#[derive(Default)]
struct HiddenRefs(RefCell<HashMap<u64, Option<Hidden>>>);

impl Hiding for HiddenRefs {
    fn hides(&self, repository: &types::Repository, name: &BStr) -> bool {
        let mut known = self.0.borrow_mut();
        let hidden = known.entry(repository.id).or_insert_with(|| {
            let directory = Path::new(REPOSITORIES).join(&repository.directory);
            Hidden::read(&directory, Side::UploadPack).ok()
        });
        // What cannot be read may hide everything.
        hidden.as_ref().is_none_or(|hidden| hidden.hides(name))
    }
}

/// That the store has refused, and to whom.
struct Refused {
    requester: Requester,
    error: StoreError,
}

/// A request, and who makes it.
struct Asked<'a> {
    request: &'a Parts,
    requester: Requester,
    frame: Frame,
    query: Fields,
    budget: Budget,
    /// What the answer costs, in points.
    cost: Cell<u32>,
    /// The page that was answered with, if it was one.
    written: RefCell<Option<Written>>,
    /// Whether the store was asked for more than what it says of who asks and of the place.
    has_asked_more: Cell<bool>,
}

impl Asked<'_> {
    /// The answer for a page about a repository that the viewer may read.
    fn about(&self, opened: &Opened, record: &types::Repository, page: &Page) -> Answer {
        let cache = cache::Noted::new(cache::Remembered(cache::Directory::new(CACHE)));
        let place = Place {
            frame: self.frame.clone(),
            record,
            permission: opened.permission,
            site: site(self.request),
            now: time::now(),
            cache: &cache,
            mailmap: Rc::default(),
            issues: Issues::new(&opened.issue_links, &record.path),
            looks_further: cost::looks_further(&self.query),
            is_hurried: true,
        };
        let (mut answer, landing) = match storage::open(Path::new(REPOSITORIES), record) {
            Ok(repository) => (
                self.kept_or_made(opened, place, &repository, page, &cache),
                revision::landing_name(&repository.refs).map(ToOwned::to_owned),
            ),
            Err(error) => (self.unavailable(&place, &error), None),
        };
        self.budget.charge(&mut answer, self.cost.get());
        if !cost::is_for_search_engines(page, &self.query, landing.as_ref().map(|name| name.as_bstr())) {
            answer.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
        }
        answer
    }

    /// The page as it was a moment ago if it still is that, or made anew.
    fn kept_or_made(
        &self,
        opened: &Opened,
        place: Place<'_>,
        repository: &Rc<storage::Opened>,
        page: &Page,
        cache: &cache::Noted<impl Cache>,
    ) -> Answer {
        let (site, now) = (place.site.clone(), place.now);
        let question = Question { opened, frame: &self.frame, site: &site };
        if let Some(kept) = kept::find(&question, repository, now)
            && self.pay(kept.cost).is_ok()
        {
            return self.sent(kept.written);
        }
        let answer =
            self.made(place, Repository { objects: &repository.objects, refs: &repository.refs }, page);
        // What was found out on the way, or asked of the store besides, makes another page of it next time.
        if let Some(written) = self.written.take()
            && !cache.knows_more()
            && !self.has_asked_more.get()
        {
            kept::keep(&question, repository, now, kept::Page { written, cost: self.cost.get() });
        }
        answer
    }

    fn made(&self, mut place: Place<'_>, repository: Repository<'_>, page: &Page) -> Answer {
        if page.names_people() {
            place.mailmap = Mailmap::of(repository);
        }
        let is_paid = self.pay(cost::of_page(page, &self.query));
        let answer = is_paid.and_then(|()| self.page_of(&place, repository, page));
        answer.unwrap_or_else(|failure| self.of_repository(&place, repository, page, &failure))
    }

    fn unavailable(&self, place: &Place<'_>, error: &OpenError) -> Answer {
        eprintln!("browse: {}: {error}", place.record.path);
        let page = match error {
            OpenError::Missing => unavailable::not_on_disk(place),
            OpenError::Objects(_) | OpenError::Refs(_) => unavailable::not_readable(place),
        };
        self.page_with_status(StatusCode::SERVICE_UNAVAILABLE, &page)
    }

    /// Asks the store for more than what it says of who asks and of the place. A page that follows from that is
    /// not kept: it may be of another repository, which may be read by others and change on its own.
    fn ask_more<T>(
        &self,
        function: impl Fn(&Credentials, &Client) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.has_asked_more.set(true);
        self.requester.call(function)
    }

    /// Counts what the answer costs; fails if who asks has to wait with that.
    fn pay(&self, points: u32) -> Result<(), Failure> {
        self.budget.check(points)?;
        self.cost.set(self.cost.get() + points);
        Ok(())
    }

    fn page_of(&self, place: &Place<'_>, repository: Repository<'_>, page: &Page) -> Result<Answer, Failure> {
        if let Some(switched) = switch::page(place, repository, page, &self.query)? {
            return Ok(match switched {
                Switch::To(address) => answer::see_other(&address),
                Switch::Choice(page) => self.page(&*page),
            });
        }
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
            Page::Blame(rest) => resolve(repository, rest.as_bstr())
                .and_then(|at| {
                    blame::page(
                        place,
                        repository,
                        &at,
                        self.whitespace(),
                        self.query.get("from").parse().unwrap_or(0),
                    )
                })
                .map(|page| self.page(&page)),
            Page::Find(rest) => self.find(place, repository, rest.as_bstr()),
            Page::Raw(rest) => resolve(repository, rest.as_bstr()).and_then(|at| self.raw(repository, &at)),
            Page::Commits(rest) => self.commits(place, repository, rest.as_bstr()),
            Page::Commit(id) => match patches::split_form(id.as_bstr()) {
                Some((id, form)) => self.patch(repository, id, form),
                None => self.commit(place, repository, id.as_bstr()),
            },
            Page::Compare(rest) => self.compare(place, repository, rest.as_bstr()),
            Page::Feed(rest) => self.feed(place, repository, rest.as_bstr()),
            Page::Statistics(rest) => resolve(repository, rest.as_bstr())
                .and_then(|at| statistics::page(place, repository, &at, Listed::of(&self.query)))
                .map(|page| self.page(&page)),
            Page::Refs => self.refs(place, repository),
        }
    }

    /// The answer for a page that cannot be shown.
    fn of_repository(
        &self,
        place: &Place<'_>,
        repository: Repository<'_>,
        page: &Page,
        failure: &Failure,
    ) -> Answer {
        match failure {
            Failure::NotFound => match missing::page(place, repository, page) {
                Some(page) => self.page_with_status(StatusCode::NOT_FOUND, &page),
                None => failure::not_found(&self.frame),
            },
            Failure::OverBudget(spent) => failure::over_budget(&self.frame, *spent),
            Failure::Elsewhere(address) => answer::moved(&self.in_format(address)),
            Failure::Repository(Error::TooLarge(_)) => failure::too_large(
                &self.frame,
                t("This is too large to be sent from here. A clone of the repository has it."),
            ),
            Failure::Repository(error) => {
                eprintln!("browse: {}: {error}", place.record.path);
                let page = unavailable::damaged(place, error);
                self.page_with_status(StatusCode::INTERNAL_SERVER_ERROR, &page)
            }
        }
    }

    fn raw(&self, repository: Repository<'_>, at: &Resolved) -> Result<Answer, Failure> {
        let file = raw::find(repository, at)?;
        let etag = file.etag();
        if download::is_known(&self.request.headers, &etag) {
            return Ok(download::not_modified_since(&etag));
        }
        if self.request.method != Method::HEAD {
            self.pay(cost::of_raw(repository.header(&file.id)?.1))?;
        }
        let way = if self.query.get("download") == "1" { Way::Saved } else { Way::Shown };
        let open = raw::open(repository, &file, way)?;
        let (disposition, size) = (open.disposition.clone(), open.size());
        sending::file(self.request, &disposition, &etag, size, |start| open.from(start))
            .map_err(|error| Error::Read(error.to_string()).into())
    }

    fn find(&self, place: &Place<'_>, repository: Repository<'_>, rest: &BStr) -> Result<Answer, Failure> {
        let at = resolve(repository, rest)?;
        if !at.path.is_empty() {
            return Err(Failure::NotFound);
        }
        let words = self.query.get("q");
        find::page(place, repository, &at.revision, words).map(|page| self.page(&page))
    }

    fn commits(&self, place: &Place<'_>, repository: Repository<'_>, rest: &BStr) -> Result<Answer, Failure> {
        let at = resolve(repository, rest)?;
        if let Some(path) = self.query.find("path") {
            let address = commits::asked_for(place, repository, &at, path, &self.query)?;
            return Ok(answer::see_other(&self.in_format(&address)));
        }
        self.pay(cost::of_history(at.path.as_bstr(), &self.query))?;
        if self.query.get("graph") == "1" && at.path.is_empty() {
            let format = repository.objects.format();
            let cursor = self.query.find("after").map(|after| Cursor::parse(after, format));
            let cursor = cursor.map(|cursor| cursor.ok_or(Failure::NotFound)).transpose()?;
            return graph::page(place, repository, &at.revision, Shown::of(&self.query), cursor.as_ref())
                .map(|page| self.page(&page));
        }
        let look = Look::of(&self.query, repository.objects.format()).ok_or(Failure::NotFound)?;
        commits::page(place, repository, &at, &look).map(|page| self.page(&page))
    }

    fn commit(&self, place: &Place<'_>, repository: Repository<'_>, id: &BStr) -> Result<Answer, Failure> {
        let commit_id = revision::commit_by_abbreviation(repository, id)?.ok_or(Failure::NotFound)?;
        let (against, view) = (Against::of(&self.query), View::of(&self.query));
        if view.is_part && self.frame.format == Format::Html {
            return Ok(self.part(commit::changes(place, repository, commit_id, against, view)?));
        }
        let page = commit::page(place, repository, commit_id, against, view)?;
        let signature = repository.signed(&commit_id)?.map(|signed| {
            let find = |names: &[String], addresses: &[String]| self.find_signers(place, names, addresses);
            signature::view(&signed, place.now, find)
        });
        Ok(self.page(&page.with_signature(signature)))
    }

    fn refs(&self, place: &Place<'_>, repository: Repository<'_>) -> Result<Answer, Failure> {
        let page = refs::page(place, repository, self.query.trimmed("q"), self.offsets())?;
        let find = |names: &[String], addresses: &[String]| self.find_signers(place, names, addresses);
        Ok(self.page(
            &page.with_signatures(|signed| signature::views(signed, signature::What::Tag, place.now, find)),
        ))
    }

    fn find_signers(
        &self,
        place: &Place<'_>,
        names: &[String],
        addresses: &[String],
    ) -> Result<Vec<signers::KnownKey>, StoreError> {
        let path = &place.record.path;
        self.ask_more(|credentials, client| signers::find(credentials, client, path, names, addresses))
    }

    /// What a commit changed, as a file.
    fn patch(&self, repository: Repository<'_>, id: &BStr, form: Form) -> Result<Answer, Failure> {
        let commit_id = revision::commit_by_abbreviation(repository, id)?.ok_or(Failure::NotFound)?;
        let etag = patches::etag(&[commit_id], form, "");
        if download::is_known(&self.request.headers, &etag) {
            return Ok(download::not_modified_since(&etag));
        }
        let bytes = patches::of_commit(repository, commit_id, form)?;
        Ok(sending::made(self.request, &patches::disposition(), &etag, bytes))
    }

    /// Two revisions, compared: a page, or a file.
    fn compare(&self, place: &Place<'_>, repository: Repository<'_>, rest: &BStr) -> Result<Answer, Failure> {
        if let (Some(from), Some(to)) = (self.query.find("from"), self.query.find("to"))
            && rest.is_empty()
        {
            let dots = if self.query.get("dots") == ".." { ".." } else { "..." };
            let address = place.links().compare(from.trim().into(), dots, to.trim().into());
            return Ok(answer::see_other(&self.in_format(&address)));
        }
        if rest.is_empty() {
            return Ok(self.page(&compare::choice(place, repository)?));
        }
        if let Some((path, rest)) = compare::other_repository(rest) {
            return self.compare_across(place, repository, path, rest.as_bstr());
        }
        self.compared(place, repository, rest, |rest| Pair::resolve(repository, rest))
    }

    /// As [`Self::compare`], with a revision of the repository at a path. For who may not read that, it does
    /// not exist.
    fn compare_across(
        &self,
        place: &Place<'_>,
        base: Repository<'_>,
        path: &str,
        rest: &BStr,
    ) -> Result<Answer, Failure> {
        let opened = self.ask_more(|credentials, client| access::open(credentials, client, path));
        let Ok(Opened { place: access::Place::Repository(record), .. }) = opened else {
            return Err(Failure::NotFound);
        };
        let opened = storage::open(Path::new(REPOSITORIES), &record).map_err(|error| {
            eprintln!("browse: {}: {error}", record.path);
            Failure::NotFound
        })?;
        let head = Repository { objects: &opened.objects, refs: &opened.refs };
        if base.objects.format() != head.objects.format() {
            let page = compare::of_other_format(place, (base, head), &record.path)?;
            return Ok(self.page_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
        let objects = Across { base: base.objects, head: head.objects };
        let both = Repository { objects: &objects, refs: base.refs };
        let head = (head, Some(record.path.as_str()));
        self.compared(place, both, rest, |rest| Pair::resolve_across(base, head, rest))
    }

    /// The two revisions that `resolve` finds, compared.
    fn compared(
        &self,
        place: &Place<'_>,
        repository: Repository<'_>,
        rest: &BStr,
        resolve: impl Fn(&BStr) -> Result<Option<Pair>, Error>,
    ) -> Result<Answer, Failure> {
        if let Some(pair) = resolve(rest)? {
            let view = View::of(&self.query);
            if view.is_part && self.frame.format == Format::Html {
                return Ok(self.part(compare::changes(place, repository, &pair, view)?));
            }
            return Ok(self.page(&compare::page(place, repository, &pair, view)?));
        }
        let (rest, form) = patches::split_form(rest).ok_or(Failure::NotFound)?;
        let pair = resolve(rest)?.ok_or(Failure::NotFound)?;
        let etag = patches::etag(&[pair.from.commit_id, pair.to.commit_id], form, pair.dots());
        if download::is_known(&self.request.headers, &etag) {
            return Ok(download::not_modified_since(&etag));
        }
        let bytes = compare::patch(place, repository, &pair, form)?;
        Ok(sending::made(self.request, &patches::disposition(), &etag, bytes))
    }

    fn feed(&self, place: &Place<'_>, repository: Repository<'_>, rest: &BStr) -> Result<Answer, Failure> {
        let (name, form) = feed::split(rest).ok_or(Failure::NotFound)?;
        let feed = feed::feed(place, repository, name, form)?;
        Ok(match feed.render(form) {
            Ok(text) => sending::feed(&self.request.headers, form.content_type(), text),
            Err(_) => failure::internal(&self.frame),
        })
    }

    fn display(&self) -> Display {
        match self.query.get("from").parse() {
            Ok(from) => Display::Part(from),
            Err(_) if self.query.get("display") == "source" => Display::Source,
            Err(_) => Display::Best,
        }
    }

    fn whitespace(&self) -> Whitespace {
        if self.query.get("whitespace") == "ignored" { Whitespace::Ignored } else { Whitespace::Counts }
    }

    fn offsets(&self) -> Offsets {
        let offset = |name| self.query.get(name).parse().unwrap_or(0);
        Offsets { branches: offset("branches"), tags: offset("tags"), order: refs::Order::of(&self.query) }
    }

    /// The address of a page in the form that the query asks for.
    fn in_format(&self, address: &str) -> String {
        match self.query.find(FORMAT_FIELD) {
            Some(format) => {
                let separator = if address.contains('?') { '&' } else { '?' };
                format!("{address}{separator}{FORMAT_FIELD}={}", encode_component(format))
            }
            None => address.to_owned(),
        }
    }

    /// A page, or that it is what the client has already.
    fn page(&self, page: &(impl Template + Serialize)) -> Answer {
        match self.write(page) {
            Ok(text) => {
                let written = Written::from(text);
                self.written.replace(Some(written.clone()));
                self.sent(written)
            }
            Err(answer) => answer,
        }
    }

    /// A part of a page, for the script that puts it in its place.
    fn part(&self, html: String) -> Answer {
        self.sent(Written::from(html))
    }

    /// The page, in the language that it was written in, or that the client has it already.
    fn sent(&self, written: Written) -> Answer {
        let answer = written::answer(&self.request.headers, written, self.frame.format);
        match self.frame.format {
            Format::Html => answer::in_language(self.frame.language, answer),
            Format::Json => answer,
        }
    }

    /// A page that says what is wrong.
    fn page_with_status(&self, status: StatusCode, page: &(impl Template + Serialize)) -> Answer {
        match self.write(page) {
            Ok(text) => match self.frame.format {
                Format::Html => answer::in_language(self.frame.language, answer::html(status, text)),
                Format::Json => answer::json_text(status, text),
            },
            Err(answer) => answer,
        }
    }

    /// A page in the form that is asked for; or the answer where it cannot be written.
    fn write(&self, page: &(impl Template + Serialize)) -> Result<String, Answer> {
        let written = match self.frame.format {
            Format::Html => page.render_with_values(&self.frame.language).map_err(|error| error.to_string()),
            Format::Json => serde_json::to_string(page).map_err(|error| error.to_string()),
        };
        written.map_err(|error| {
            eprintln!("browse: a page that cannot be written: {error}");
            failure::internal(&self.frame)
        })
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
