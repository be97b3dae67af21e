//! The pages that list groups and repositories: home, a group's, and the search for one.

use crate::limits::LISTED_PER_PAGE;
use askama::Template;
use lithe_forge::access::{Listing, Place};
use lithe_forge::types::{Group, Permission};
use lithe_web::address::{encode_component, encode_path};
use lithe_web::frame::Frame;
use lithe_web::size::counted;
use lithe_web::time::Time;
use serde::Serialize;

/// A page that lists groups and repositories.
#[derive(Template, Serialize)]
#[template(path = "listing.html")]
#[serde(tag = "page", rename = "listing", rename_all = "kebab-case")]
pub struct ListingPage {
    #[serde(skip)]
    frame: Frame,
    /// The page's heading.
    heading: String,
    description: String,
    rows: Vec<Row>,
    /// What is said where there are none.
    nothing: &'static str,
    /// How many there are.
    count: String,
    previous_href: Option<String>,
    next_href: Option<String>,
    /// Where a repository can be created here; none: the viewer may not, or nobody can tell.
    new_href: Option<String>,
    settings_href: Option<String>,
    /// Where what was looked for is looked for in files.
    files_href: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    name: String,
    href: String,
    is_group: bool,
    is_private: bool,
    description: String,
    updated: Option<Time>,
}

/// What is listed.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// The top level.
    Home,
    Group {
        group: &'a Group,
        permission: Permission,
    },
    /// All whose path or description contains the words.
    Search(&'a str),
}

/// Builds the page of the entries from `offset` on, as of `now` (in seconds since the epoch).
pub fn page(frame: &Frame, subject: Subject<'_>, listing: &Listing, offset: u32, now: i64) -> ListingPage {
    let parent = match subject {
        Subject::Group { group, .. } => Some(group.path.as_str()),
        Subject::Home | Subject::Search(_) => None,
    };
    let base = match subject {
        Subject::Home => "/?".to_owned(),
        Subject::Group { group, .. } => format!("/{}?", encode_path(&group.path)),
        Subject::Search(words) => format!("/-/search?q={}&", encode_component(words)),
    };
    let at = |offset: u32| format!("{base}from={offset}");
    let rows: Vec<Row> = listing.entries.iter().map(|entry| row(&entry.place, parent, now)).collect();
    let shown_to = offset.saturating_add(listing.entries.len() as u32);
    ListingPage {
        nothing: match subject {
            Subject::Home => "There is no repository yet that you may see.",
            Subject::Group { .. } => "There is nothing in this group yet that you may see.",
            Subject::Search(_) => "Nothing that you may see matches.",
        },
        heading: heading(frame, subject),
        description: match subject {
            Subject::Group { group, .. } => group.description.clone(),
            Subject::Home | Subject::Search(_) => String::new(),
        },
        count: counted(listing.total.into(), "entry", "entries"),
        previous_href: (offset > 0).then(|| at(offset.saturating_sub(LISTED_PER_PAGE))),
        next_href: (shown_to < listing.total && !rows.is_empty()).then(|| at(shown_to)),
        new_href: new_href(frame, subject),
        settings_href: match subject {
            Subject::Group { group, permission: Permission::Admin } => {
                Some(format!("/{}/-/settings/", encode_path(&group.path)))
            }
            _ => None,
        },
        files_href: match subject {
            Subject::Search(words) => Some(format!("/-/search/files?q={}", encode_component(words))),
            Subject::Home | Subject::Group { .. } => None,
        },
        frame: titled(frame, subject),
        rows,
    }
}

fn heading(frame: &Frame, subject: Subject<'_>) -> String {
    match subject {
        Subject::Home => frame.site_title.clone(),
        Subject::Group { group, .. } => group.path.rsplit('/').next().unwrap_or_default().to_owned(),
        Subject::Search(words) => format!("Repositories with “{words}”"),
    }
}

fn titled(frame: &Frame, subject: Subject<'_>) -> Frame {
    match subject {
        Subject::Home => frame.clone().titled(""),
        Subject::Group { group, .. } => frame.clone().below(&group.path).titled(&group.path),
        Subject::Search(words) => Frame { search: words.to_owned(), ..frame.clone().titled("Search") },
    }
}

/// Where a repository can be created: at the top level the page behind it says whether one may.
fn new_href(frame: &Frame, subject: Subject<'_>) -> Option<String> {
    frame.user.as_ref()?;
    match subject {
        Subject::Home => Some("/-/new/repository".to_owned()),
        Subject::Group { group, permission: Permission::Write | Permission::Admin } => {
            Some(format!("/-/new/repository?group={}", encode_component(&group.path)))
        }
        Subject::Group { .. } | Subject::Search(_) => None,
    }
}

/// An entry, by its path below `parent`.
fn row(place: &Place, parent: Option<&str>, now: i64) -> Row {
    let path = match place {
        Place::Repository(repository) => &repository.path,
        Place::Group(group) => &group.path,
    };
    let below = parent.and_then(|parent| path.strip_prefix(parent)?.strip_prefix('/'));
    let name = below.unwrap_or(path).to_owned();
    let href = format!("/{}", encode_path(path));
    match place {
        Place::Repository(repository) => Row {
            name,
            href,
            is_group: false,
            is_private: repository.is_private,
            description: repository.description.clone(),
            updated: Some(Time::new(repository.updated, now)),
        },
        Place::Group(group) => Row {
            name,
            href,
            is_group: true,
            is_private: false,
            description: group.description.clone(),
            updated: None,
        },
    }
}
