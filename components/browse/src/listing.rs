//! The pages that list groups and repositories: home, a group's, and the search for one.

use crate::limits::{LISTED_PER_PAGE, LISTED_SORTED_MAX};
use askama::Template;
use lithe_forge::access::{Listed, Listing, Place};
use lithe_forge::types::{self, Group, Permission};
use lithe_web::Fields;
use lithe_web::address::{encode_component, encode_path};
use lithe_web::frame::Frame;
use lithe_web::time::Time;
use lithe_web::{Text, filters, t, tn};
use serde::Serialize;
use std::cmp::Reverse;

/// A page that lists groups and repositories.
#[derive(Template, Serialize)]
#[template(path = "listing.html")]
#[serde(tag = "page", rename = "listing", rename_all = "kebab-case")]
pub struct ListingPage {
    #[serde(skip)]
    frame: Frame,
    /// The page's heading.
    heading: Text,
    description: String,
    /// What entries are asked for, to be asked for in another way; none where the page is a search's.
    #[serde(skip)]
    form: Option<Form>,
    rows: Vec<Row>,
    /// What is said where there are none.
    nothing: Text,
    /// How many there are.
    count: Text,
    notice: Option<Text>,
    previous_href: Option<String>,
    next_href: Option<String>,
    /// The feed of what was changed last here; none for a search.
    feed_href: Option<String>,
    rss_href: Option<String>,
    /// What was done lately on the whole site; none but on the first page.
    activity_href: Option<&'static str>,
    /// Where a repository can be created here; none: the viewer may not, or nobody can tell.
    new_href: Option<String>,
    settings_href: Option<String>,
    /// Where what was looked for is looked for in files.
    files_href: Option<String>,
}

struct Form {
    action: String,
    filter: String,
    order: Order,
}

impl Form {
    /// What can be chosen, in words.
    fn orders(&self) -> [(Order, Text); 3] {
        [(Order::Name, t("by name")), (Order::Change, t("by last change")), (Order::Owner, t("by owner"))]
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    name: String,
    href: String,
    is_group: bool,
    is_private: bool,
    description: String,
    owner: Option<String>,
    /// The last push to a repository, or its creation; of a group, the latest in it that the viewer may know of.
    updated: Option<Time>,
}

/// How browsers search this site (OpenSearch 1.1).
#[derive(Template)]
#[template(path = "opensearch.xml")]
pub struct OpenSearch {
    /// The site's title.
    pub title: String,
    /// The site's address, `http://localhost:8000`.
    pub site: String,
}

impl OpenSearch {
    pub const CONTENT_TYPE: &'static str = "application/opensearchdescription+xml; charset=utf-8";
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

/// In which order entries are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Groups first, by path.
    #[default]
    Name,
    /// What was changed last before others, and groups with nothing to read in them last.
    Change,
    /// By the owners' names, and what has none last.
    Owner,
}

impl Order {
    /// As `?sort=` says it.
    fn parse(name: &str) -> Self {
        match name {
            "change" => Self::Change,
            "owner" => Self::Owner,
            _ => Self::Name,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Change => "change",
            Self::Owner => "owner",
        }
    }
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// What paths or descriptions have in them, wherever below; empty: the direct children.
    pub filter: String,
    pub order: Order,
    pub offset: u32,
}

impl Wish {
    /// Reads `?q=words&sort=change&from=100`.
    pub fn of(query: &Fields) -> Self {
        Self {
            filter: query.trimmed("q").to_owned(),
            order: Order::parse(query.get("sort")),
            offset: query.get("from").parse().unwrap_or(0),
        }
    }

    /// What to ask the store for: by name it has the order; to put entries in another, all are needed.
    pub fn store_page(&self) -> types::Page {
        match self.order {
            Order::Name => types::Page { offset: self.offset, limit: LISTED_PER_PAGE },
            Order::Change | Order::Owner => types::Page { offset: 0, limit: LISTED_SORTED_MAX },
        }
    }

    /// The query for the same from another entry on, or in other forms.
    fn query(&self, offset: u32) -> String {
        let mut fields = Vec::new();
        if !self.filter.is_empty() {
            fields.push(format!("q={}", encode_component(&self.filter)));
        }
        if self.order != Order::Name {
            fields.push(format!("sort={}", self.order.name()));
        }
        fields.push(format!("from={offset}"));
        fields.join("&")
    }
}

/// Builds the page of the entries that the store has for the wish, as of `now` (in seconds since the epoch).
pub fn page(frame: &Frame, subject: Subject<'_>, listing: &Listing, wish: &Wish, now: i64) -> ListingPage {
    let parent = match subject {
        Subject::Group { group, .. } => Some(group.path.as_str()),
        Subject::Home | Subject::Search(_) => None,
    };
    let action = match subject {
        Subject::Home => "/".to_owned(),
        Subject::Group { group, .. } => format!("/{}", encode_path(&group.path)),
        Subject::Search(_) => "/-/search".to_owned(),
    };
    let at = |offset: u32| format!("{action}?{}", wish.query(offset));
    let base = action.trim_end_matches('/');
    let (shown, total) = shown(listing, wish);
    let rows: Vec<Row> = shown.iter().map(|entry| row(entry, parent, now)).collect();
    let shown_to = wish.offset.saturating_add(rows.len() as u32);
    let is_search = matches!(subject, Subject::Search(_));
    ListingPage {
        nothing: match subject {
            _ if !wish.filter.is_empty() => t("Nothing that you may see matches."),
            Subject::Home => t("There is no repository yet that you may see."),
            Subject::Group { .. } => t("There is nothing in this group yet that you may see."),
            Subject::Search(_) => t("Nothing that you may see matches."),
        },
        heading: heading(frame, subject),
        description: match subject {
            Subject::Group { group, .. } => group.description.clone(),
            Subject::Home | Subject::Search(_) => String::new(),
        },
        form: (!is_search).then(|| Form {
            action: action.clone(),
            filter: wish.filter.clone(),
            order: wish.order,
        }),
        count: count(&listing.entries, listing.total),
        notice: (wish.order != Order::Name && listing.total > LISTED_SORTED_MAX).then(|| {
            t("There are too many to be put in this order: these are the first {count} by name.")
                .with("count", LISTED_SORTED_MAX)
        }),
        previous_href: (wish.offset > 0).then(|| at(wish.offset.saturating_sub(LISTED_PER_PAGE))),
        next_href: (shown_to < total && !rows.is_empty()).then(|| at(shown_to)),
        feed_href: (!is_search).then(|| format!("{base}/-/feed/repositories.atom")),
        rss_href: (!is_search).then(|| format!("{base}/-/feed/repositories.rss")),
        activity_href: matches!(subject, Subject::Home).then_some("/-/activity"),
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

/// The entries of the page, and how many there are on all.
fn shown<'a>(listing: &'a Listing, wish: &Wish) -> (Vec<&'a Listed>, u32) {
    let mut entries: Vec<&Listed> = listing.entries.iter().collect();
    match wish.order {
        Order::Name => return (entries, listing.total),
        Order::Change => entries.sort_by_key(|entry| Reverse(entry.updated)),
        Order::Owner => entries.sort_by_key(|entry| {
            let owner = owner(&entry.place);
            (owner.is_none(), owner.map(str::to_lowercase))
        }),
    }
    let total = entries.len() as u32;
    (entries.into_iter().skip(wish.offset as usize).take(LISTED_PER_PAGE as usize).collect(), total)
}

/// The name of whoever owns it.
fn owner(place: &Place) -> Option<&str> {
    match place {
        Place::Repository(repository) => repository.owner.as_deref(),
        Place::Group(group) => group.owner.as_deref(),
    }
}

/// `2 groups and 14 repositories`, or, where not all are at hand, how many entries there are.
fn count(entries: &[Listed], total: u32) -> Text {
    if (entries.len() as u32) < total {
        return tn("{n} entry", "{n} entries", total);
    }
    let groups = entries.iter().filter(|entry| matches!(entry.place, Place::Group(_))).count();
    let groups_words = tn("{n} group", "{n} groups", groups);
    let repositories = entries.len() - groups;
    let repositories_words = tn("{n} repository", "{n} repositories", repositories);
    match (groups, repositories) {
        (0, _) => repositories_words,
        (_, 0) => groups_words,
        _ => t("{groups} and {repositories}")
            .with("groups", groups_words)
            .with("repositories", repositories_words),
    }
}

fn heading(frame: &Frame, subject: Subject<'_>) -> Text {
    match subject {
        Subject::Home => Text::verbatim(frame.site_title.clone()),
        Subject::Group { group, .. } => {
            Text::verbatim(group.path.rsplit('/').next().unwrap_or_default().to_owned())
        }
        Subject::Search(words) => t("Repositories with “{words}”").with("words", words.to_owned()),
    }
}

fn titled(frame: &Frame, subject: Subject<'_>) -> Frame {
    match subject {
        Subject::Home => frame.clone().titled(Text::EMPTY),
        Subject::Group { group, .. } => frame.clone().below(&group.path).titled(group.path.clone()),
        Subject::Search(words) => Frame { search: words.to_owned(), ..frame.clone().titled(t("Search")) },
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
fn row(entry: &Listed, parent: Option<&str>, now: i64) -> Row {
    let place = &entry.place;
    let path = match place {
        Place::Repository(repository) => &repository.path,
        Place::Group(group) => &group.path,
    };
    let below = parent.and_then(|parent| path.strip_prefix(parent)?.strip_prefix('/'));
    let name = below.unwrap_or(path).to_owned();
    let href = format!("/{}", encode_path(path));
    let updated = entry.updated.map(|seconds| Time::new(seconds, now));
    match place {
        Place::Repository(repository) => Row {
            name,
            href,
            is_group: false,
            is_private: repository.is_private,
            description: repository.description.clone(),
            owner: repository.owner.clone(),
            updated,
        },
        Place::Group(group) => Row {
            name,
            href,
            is_group: true,
            is_private: false,
            description: group.description.clone(),
            owner: group.owner.clone(),
            updated,
        },
    }
}
