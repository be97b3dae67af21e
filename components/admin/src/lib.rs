//! The component `admin`: administration of the site, and of each repository and group.
//!
//! It has the repository mount, and changes it only as whole directories: made, moved, removed.

mod archive;
mod change_lock;
mod check;
mod create;
mod deleted;
mod disk;
mod group_settings;
mod health;
mod import;
mod issue_links;
mod journal;
mod large_files;
mod later;
mod lifecycle;
mod limits;
mod looked_at;
mod maintenance;
mod operator;
mod overview;
mod permissions;
mod place_settings;
mod push_rules;
mod registry;
mod repositories;
mod repository_health;
mod repository_settings;
mod restore;
mod secret;
mod site_settings;
mod user;
mod users;
mod words;

use disk::Disk;
use http::Method;
use lifecycle::Lifecycle;
use lithe_forge::Requester;
use lithe_forge::settings::{self, Overview};
use lithe_forge::types::{Error, Permission};
use lithe_web::visit::Step;
use lithe_web::{Answer, Fields, Frame, Visit, answer, change_password, failure, language, t};
use spin_sdk::http::Request;

/// Answers a request. Only the component exports it to the host; natively it is there to be compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let requester = Requester::from_headers(&head.headers);
    match head.uri.path() {
        "/-/health" => health::answer(&requester),
        "/-/admin/operator" if is_operator(&head, &requester) => {
            operator::answer(&head, body, requester).await
        }
        "/-/admin/maintenance" if head.method == Method::POST && is_operator(&head, &requester) => {
            operator::sweep(requester)
        }
        "/-/admin/operator/import" if is_operator(&head, &requester) => {
            import::answer(&head, body, requester)
        }
        _ => match Visit::read(&head, body).await {
            Ok(visit) => respond(&visit),
            Err(_) => failure::not_found(&Frame::bare("/", language::asked_for(&head.headers))),
        },
    }
}

fn is_operator(head: &http::request::Parts, requester: &Requester) -> bool {
    requester
        .call(settings::get)
        .is_ok_and(|overview| lithe_forge::is_operator(&head.headers, &overview.viewer))
}

/// A request for a page, with all that its pages need.
struct AdminVisit<'a> {
    visit: &'a Visit,
    overview: &'a Overview,
    frame: Frame,
    /// The form that was sent, its secret checked; none: the page is to be shown.
    form: Option<&'a Fields>,
    disk: &'a Disk,
}

impl AdminVisit<'_> {
    fn requester(&self) -> &Requester {
        &self.visit.requester
    }

    fn lifecycle(&self) -> Lifecycle<'_, Requester> {
        Lifecycle { registry: &self.visit.requester, disk: self.disk }
    }

    /// The page for an error that no form can show.
    fn failed(&self, error: &Error) -> Answer {
        failed(error, &self.frame)
    }
}

/// The page for an error that no form can show. What the store or the disk cannot do is the
/// operator's to know.
fn failed(error: &Error, frame: &Frame) -> Answer {
    if let Error::Other(reason) = error {
        eprintln!("admin: {reason}");
    }
    failure::of_store(error, frame)
}

/// Who is signed in; the others are led to sign in.
fn respond(visit: &Visit) -> Answer {
    let bare = Frame::bare(visit.path_and_query(), visit.language);
    let overview = match visit.requester.call(settings::get) {
        Ok(overview) => overview,
        Err(error) => return failed(&error, &bare),
    };
    let frame = Frame::new(&overview, visit.path_and_query(), visit.language);
    if let Some(refusal) = visit.refusal(&frame) {
        return refusal;
    }
    if overview.viewer.user.is_none() {
        return answer::see_other(&frame.sign_in_href());
    }
    if let Some(answer) = change_password::first(&overview.viewer, visit.path_and_query()) {
        return answer;
    }
    if overview.viewer.ceiling < Permission::Admin {
        return failure::forbidden(&frame, t("An access token is not enough for this: sign in."));
    }
    let form = match &visit.step {
        Step::Submit(form) => match form.check_csrf(&overview.viewer) {
            Ok(()) => Some(form),
            Err(error) => return failure::of_form(error, &frame),
        },
        _ => None,
    };
    let disk = Disk::mounted();
    route(AdminVisit { visit, overview: &overview, frame, form, disk: &disk })
}

/// The route table.
fn route(visit: AdminVisit) -> Answer {
    let address = &visit.visit.address;
    let page = address.page.as_deref().unwrap_or_default();
    let rest = address.rest_text().unwrap_or("?");
    match (address.path.as_str(), page, rest) {
        ("", "new", "repository") => create::repository(visit),
        ("", "new", "group") => create::group(visit),
        ("", "deleted", "") => restore::answer(visit),
        ("", "admin", page) => administration(visit, page),
        ("", _, _) => failure::not_found(&visit.frame),
        (path, "settings", page) => place_settings::answer(visit, path, page),
        _ => failure::not_found(&visit.frame),
    }
}

/// The route table below `/-/admin`, which exists for site administrators only.
fn administration(visit: AdminVisit, page: &str) -> Answer {
    if !visit.overview.viewer.user.as_ref().is_some_and(|user| user.is_admin) {
        return failure::not_found(&visit.frame);
    }
    match page.split_once('/').unwrap_or((page, "")) {
        ("", "") => overview::answer(visit),
        ("users", "") => users::answer(visit),
        ("users", "new") => user::create(visit),
        ("users", name) => user::edit(visit, name),
        ("repositories", "") => repositories::answer(visit),
        ("repositories", "deleted") => deleted::answer(visit),
        ("settings", "") => site_settings::answer(visit),
        ("maintenance", "") => maintenance::page(visit),
        ("issues", "") => issue_links::of_site(visit),
        ("journal", "") => journal::answer(visit),
        _ => failure::not_found(&visit.frame),
    }
}
